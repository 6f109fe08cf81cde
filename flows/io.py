"""Everything that opens a file: studies, definitions, deliveries in; tables, texts and fingerprints out.

A delivery, and a published run, may be on S3: a `Place` is a path or an address (`flows/stores.py`).

CSV is read as text throughout, so nothing is cast in silence and refused rows can be kept as they
came. Whatever is wrong with a file is told once, as one ImpasseError naming file, column and remedy;
texts of Polars, DuckDB and Pandera can quote rows, so they are never passed on. A fault of the disk is
an OSError with its number and file, because trying again may help.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from errno import EACCES, EISDIR, ENOENT, ENOTDIR, EPERM
from pathlib import Path
from typing import IO, Any

import duckdb
import pandera.polars as pa
import polars as pl
import pyarrow
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet
from pandera.errors import SchemaErrors

import schemas
from flows import stores
from flows.stores import Address, Place
from schemas import codelists, concepts, definition, mapping, study
from schemas.codelists import CodeLists
from schemas.concepts import OmopLists
from schemas.definition import Definition, Description
from schemas.errors import ImpasseError, nearest
from schemas.mapping import Delivered, File, Mapping
from schemas.study import Study

_ENDINGS = (".csv", ".csv.gz", ".parquet")
_DELIMITERS = (",", ";", "\t", "|")
_DATABASES = (".duckdb", ".db", ".ddb")
_ROW_GROUP = 256 * 1024
_PROBE = 1 << 20
_PIECE = 500_000
_LINES = 16 << 20
_SMALL = 4 << 20
_BLOCK = 32 << 20
_LONGEST_NAME = 200
_OS_ERROR = re.compile(r"\(os error (\d+)\)")
OMOP_TABLES = (
    "person",
    "observation_period",
    "death",
    "condition_occurrence",
    "drug_exposure",
    "procedure_occurrence",
    "measurement",
    "observation",
    "visit_occurrence",
    "concept",
    "concept_ancestor",
    "drug_strength",
    "drug_ingredient",
)


def shipped(name: str) -> Path:
    """The path of something that is delivered with the program, such as `codelists` or `mappings/swedish.toml`."""
    return Path(schemas.__path__[0]) / name


def read_text(path: Place) -> str:
    """A UTF-8 text file."""
    try:
        if isinstance(path, Address):
            return path.read_bytes().decode("utf-8-sig")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _fault(error, path) or error from None
    except UnicodeDecodeError:
        raise ImpasseError("Not UTF-8 text.", where=f"file {path.name}", do="Save the file as UTF-8.") from None


def read_study(path: Path) -> Study:
    """The study file at `path`."""
    return study.parse(path.name, read_text(path))


def read_codelists() -> CodeLists:
    """The code lists delivered with the program."""
    return codelists.parse(read_texts(shipped("codelists"), "*.csv"))


def read_definitions(folders: Sequence[Path] = ()) -> dict[str, Definition]:
    """Every definition that can be computed, by id: those delivered with the program, those of the folders."""
    return {name: d for name, d in read_catalogue(folders).items() if isinstance(d, Definition)}


def read_catalogue(folders: Sequence[Path] = ()) -> dict[str, Definition | Description]:
    """Every definition by id, also those that are only described."""
    return {name: definition.parse(name, text) for name, text in definition_texts(folders).items()}


def definition_texts(folders: Sequence[Path] = ()) -> dict[str, str]:
    """The text of every definition file by id, which is the file's name without its ending."""
    found: dict[str, str] = {}
    for folder in (shipped("definitions"), *folders):
        if not folder.is_dir():
            raise ImpasseError(
                "No such folder.", where=f"{folder}", expected="a folder of definitions", do="Correct it."
            )
        for name, text in read_texts(folder, "*.toml").items():
            if name in found:
                raise ImpasseError(
                    f"Two definitions have the id '{name}'.",
                    where=f"{folder}",
                    do="Rename your file; ids are for ever.",
                )
            found[name] = text
    return dict(sorted(found.items()))


def read_mapping(chosen: Study, base: Path) -> Mapping | OmopLists:
    """What the study's source is read by: a shipped layout, the user's own TOML, or the OMOP concept lists."""
    if chosen.source.kind == "omop":
        return concepts.parse(read_texts(shipped("codelists"), "omop_*.csv"))
    layout = chosen.source.layout
    layouts = sorted(read_texts(shipped("mappings"), "*.toml"))
    path = shipped(f"mappings/{layout}.toml") if layout in layouts else base / layout
    if not layout.endswith(".toml") and layout not in layouts:
        guess = nearest(layout, layouts)
        raise ImpasseError(
            f"Unknown layout '{layout}'.",
            where=f"study {chosen.name}, source.layout",
            expected=f"{', '.join(layouts)}, or the path of a .toml file",
            do=f"Did you mean '{guess}'?" if guess else "Use one of these.",
        )
    return mapping.for_study(mapping.parse(path.name, read_text(path)), chosen)


def read_delivery(chosen: Study, base: Path, layout: Mapping | OmopLists) -> Delivered:
    """The files of the study's source, as delivered; `base` is the folder that relative paths start from.

    Files, columns, first rows and the number of cells on every line are checked at once; the rest of a file
    is read when it is used.
    """
    place = stores.placed(chosen.source.path, base)
    if not place.exists():
        raise stores.no_file(place)
    if isinstance(layout, Mapping):
        return _registry(place, layout)
    if _is_database(place):
        return _database(place)
    return _omop_folder(place)


def _is_database(place: Place) -> bool:
    """Whether the delivery is a DuckDB file; it must be on this machine."""
    if place.suffix not in _DATABASES:
        return False
    if isinstance(place, Address):
        raise ImpasseError(
            "A DuckDB file cannot be read on S3.",
            where=f"{place}",
            expected="a folder of CSV or Parquet files on S3, or a DuckDB file on this machine",
            do="Copy the file to this machine and name the copy in source.path.",
        )
    return True


class DeliveredFiles(Delivered):
    """Files by key, with delimiter and encoding; look-ups and small files are kept, others come in pieces."""

    def __init__(self, sources: dict[str, tuple[Place, str, str]], n_lines: dict[Place, int] | None = None) -> None:
        super().__init__({})
        self.sources = sources
        self._n_lines = n_lines or {}

    def __contains__(self, key: str) -> bool:
        return key in self.sources

    def whole(self, key: str) -> pl.DataFrame:
        """A file in one piece, for look-ups."""
        if key not in self._files:
            self._files[key] = read_table(*self.sources[key])
        return self._files[key]

    def pieces(self, key: str) -> Iterator[pl.DataFrame]:
        """A file's rows in order, in pieces; at least one, and each with all columns."""
        if _n_bytes(self.sources[key][0]) <= _SMALL:
            yield self.whole(key)
        else:
            yield from _read_pieces(*self.sources[key])

    def n_rows(self, key: str) -> int:
        """How many rows a file has: a Parquet file says it, the lines of others were counted when they were checked."""
        path = self.sources[key][0]
        if path.suffix.lower() == ".parquet":
            with _disk(path):
                return _scan_parquet(path).select(pl.len()).collect().item()
        return self._n_lines[path] - 1


class DeliveredDatabase(Delivered):
    """Tables of a DuckDB file, by key, with name and number of rows; look-ups are kept, others come in pieces."""

    def __init__(self, path: Path, tables: dict[str, tuple[str, int]]) -> None:
        super().__init__({})
        self._path, self._tables = path, tables

    def __contains__(self, key: str) -> bool:
        return key in self._tables

    def whole(self, key: str) -> pl.DataFrame:
        """A table in one piece, for look-ups."""
        if key not in self._files:
            self._files[key] = pl.concat(self.pieces(key))
        return self._files[key]

    def pieces(self, key: str) -> Iterator[pl.DataFrame]:
        """A table's rows in the order in which they are stored, in pieces."""
        with _connected(self._path) as database:
            for batch in database.sql(f"select * from {self._tables[key][0]}").to_arrow_reader(_PIECE):
                yield pl.DataFrame(pl.from_arrow(batch))

    def n_rows(self, key: str) -> int:
        """How many rows a table has."""
        return self._tables[key][1]


def source_paths(chosen: Study, base: Path, layout: Mapping | OmopLists) -> dict[str, Place]:
    """The files that `read_delivery` reads, by key: what a manifest fingerprints."""
    place = stores.placed(chosen.source.path, base)
    if isinstance(layout, Mapping):
        located = {key: _locate(place, file) for key, file in layout.files.items()}
        return {key: path for key, path in located.items() if path}
    if _is_database(place):
        return {"database": place}
    return _omop_paths(place)


def _registry(folder: Place, layout: Mapping) -> DeliveredFiles:
    located = {key: _locate(folder, file) for key, file in layout.files.items()}
    files = layout.files
    sources = {key: (path, files[key].delimiter, files[key].encoding) for key, path in located.items() if path}
    columns = {key: _first_row(*source).columns for key, source in sources.items()}
    _refuse_missing_columns(columns, layout)
    return DeliveredFiles(sources, _even_lines(sources))


def _first_row(path: Place, delimiter: str, encoding: str) -> pl.DataFrame:
    """The file's columns; a file without a row is refused."""
    frame = next(_read_pieces(path, delimiter, encoding, n_rows=1))
    if frame.is_empty():
        raise _empty(path)
    return frame


def _locate(folder: Place, file: File) -> Place | None:
    """The file under its own name or with one of the known endings; upper and lower case are one."""
    if not folder.is_dir():
        raise ImpasseError("Not a folder.", where=f"{folder}", expected="a folder of files", do="Correct source.path.")
    stated = folder / file.name
    if stated.is_file():
        return stated
    wanted = [stated.name.lower()] + [f"{stated.name.lower()}{ending}" for ending in _ENDINGS]
    beside = stated.parent.iterdir() if stated.parent.is_dir() else []
    there = {path.name.lower(): path for path in sorted(beside, reverse=True) if path.is_file()}
    found = next((there[name] for name in wanted if name in there), None)
    if found is None and not file.optional:
        guess = nearest(wanted[1], list(there))
        raise ImpasseError(
            f"File '{file.name}' is missing.",
            where=f"folder {folder.name}",
            expected=f"{file.name} with the ending {', '.join(_ENDINGS)}",
            do=f"There is '{there[guess].name}': name it in source.files."
            if guess
            else "Deliver it, or correct source.path.",
        )
    return found


def read_table(path: Place, delimiter: str = ",", encoding: str = "utf-8") -> pl.DataFrame:
    """A CSV, gzipped CSV or Parquet file. CSV columns are text; Parquet columns keep their types."""
    return pl.concat(_read_pieces(path, delimiter, encoding))


def _read_pieces(path: Place, delimiter: str, encoding: str, n_rows: int | None = None) -> Iterator[pl.DataFrame]:
    """The file's rows in order, a piece at a time; one piece without rows if there are none."""
    if not path.exists():
        raise stores.no_file(path)
    is_parquet = path.suffix.lower() == ".parquet"
    if not is_parquet:
        _check_csv(path, delimiter, encoding)
    try:
        if is_parquet:
            yield from _batches(_scan_parquet(path, n_rows))
            return
        for content in _contents(path, encoding):
            yield from _batches(pl.scan_csv(content, separator=delimiter, infer_schema=False, n_rows=n_rows))
            if n_rows is not None:
                return
    except (pl.exceptions.PolarsError, OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        malformed = _unreadable_parquet(path) if is_parquet else _unreadable_csv(path, delimiter, encoding)
        raise _fault(error, path) or malformed from None


def _scan_parquet(path: Place, n_rows: int | None = None) -> pl.LazyFrame:
    return stores.scan_parquet(path, n_rows) if isinstance(path, Address) else pl.scan_parquet(path, n_rows=n_rows)


def _n_bytes(path: Place) -> int:
    return path.n_bytes() if isinstance(path, Address) else path.stat().st_size


def _fault(error: Exception, path: Place) -> Exception | None:
    """What keeps a file from being reached, if that is the cause: told to the user, or a fault of the disk."""
    if isinstance(path, Address):
        return stores.fault(error, path)
    return _refused(error, path) or _disk_fault(error, path)


def _disk_fault(error: Exception, path: Path) -> OSError | None:
    """What the system says about a file, where that is the cause; Polars tells it in words only."""
    told = _OS_ERROR.search(str(error))
    number = getattr(error, "errno", None) or (int(told[1]) if told else None)
    return OSError(number, os.strerror(number), str(path)) if number else None


def _refused(error: Exception, path: Path) -> ImpasseError | None:
    """A path that leads to no file, or to one that may not be read: the user can mend it."""
    fault = _disk_fault(error, path)
    if fault is None or fault.errno not in (ENOENT, ENOTDIR, EISDIR, EACCES, EPERM):
        return None
    if fault.errno == ENOENT:
        return stores.no_file(path)
    return ImpasseError(
        f"The file cannot be opened: {fault.strerror}.",
        where=f"{path}",
        expected="a file that may be read",
        do="Correct the path, or the permission.",
    )


@contextmanager
def _disk(path: Place) -> Iterator[None]:
    """Around reading and writing of what a run keeps: faults of the disk as OSErrors that name the file."""
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        fault = stores.fault(error, path) if isinstance(path, Address) else _disk_fault(error, path)
        raise fault or error from None


def _even_lines(sources: dict[str, tuple[Place, str, str]]) -> dict[Place, int]:
    """The lines of every CSV file, which must have as many cells as the first.

    Polars would fill a line that is cut off with blank cells.
    """
    texts = [source for source in sources.values() if source[0].suffix.lower() != ".parquet"]
    return {path: _n_even_lines(path, delimiter, encoding) for path, delimiter, encoding in texts}


def _n_even_lines(path: Place, delimiter: str, encoding: str) -> int:
    reading = pyarrow.csv.ReadOptions(autogenerate_column_names=True, block_size=_LINES)
    lines = pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    first_cells = pyarrow.csv.ConvertOptions(include_columns=["f0"], column_types={"f0": pyarrow.binary()})
    try:
        with _opened(path) as stream, pyarrow.csv.open_csv(stream, reading, lines, first_cells) as batches:
            return sum(batch.num_rows for batch in batches)
    except (pyarrow.ArrowInvalid, OSError, EOFError, zlib.error) as error:
        raise _fault(error, path) or _unreadable_csv(path, delimiter, encoding) from None


def _unreadable_csv(path: Place, delimiter: str, encoding: str) -> ImpasseError:
    return ImpasseError(
        "The file cannot be read as CSV: a line does not fit the first one, or the file is cut off.",
        where=f"file {path.name}",
        expected=f"as many cells on every line, separated by '{delimiter}', in {encoding}",
        do="Write the file again; quote cells that hold the separator, a quote or a line end.",
    )


def _unreadable_parquet(path: Place) -> ImpasseError:
    return ImpasseError(
        "The file cannot be read as Parquet.",
        where=f"file {path.name}",
        expected="a whole Parquet file",
        do="It may be cut off: copy it again and compare sizes.",
    )


def _batches(rows: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """The rows in order, a piece at a time; one piece without rows if there are none."""
    nothing = pl.DataFrame(schema=rows.collect_schema())
    batches = rows.collect_batches(chunk_size=_PIECE, maintain_order=True)
    yield next(batches, nothing)
    yield from batches


def _contents(path: Place, encoding: str) -> Iterator[Path | bytes]:
    """What Polars can read: the file itself, or its lines as UTF-8, some million at a time, each under the header.

    A file on S3 is always read by its lines: Polars would first copy it to a folder of its own.
    """
    if encoding == "utf-8" and isinstance(path, Path):
        yield path
        return
    with _opened(path) as stream:
        blocks = _whole_lines(stream)
        first = next(blocks)
        header = first[: _end_of_header(first)]
        yield first.decode(encoding).encode("utf-8")
        for block in blocks:
            yield (header + block).decode(encoding).encode("utf-8")


def _whole_lines(stream: IO[bytes]) -> Iterator[bytes]:
    """The bytes of a CSV file in blocks of whole lines, from the first that is not blank: the header."""
    rest, is_begun = b"", False
    while block := stream.read(_BLOCK):
        rest += block
        if not is_begun:
            rest = rest.lstrip(b"\r\n")
            is_begun = bool(rest)
        end = _end_of_lines(rest)
        if end > 0:
            yield rest[:end]
            rest = rest[end:]
    if rest:
        yield rest


def _end_of_lines(text: bytes) -> int:
    """Where the last line of a text ends; a line end within quotes ends no line. 0 if none does."""
    end = text.rfind(b"\n")
    n_quotes = text.count(b'"', 0, max(end, 0))
    while end >= 0 and n_quotes % 2:
        earlier = text.rfind(b"\n", 0, end)
        n_quotes -= text.count(b'"', max(earlier, 0), end)
        end = earlier
    return end + 1


def _end_of_header(text: bytes) -> int:
    """Where the first line of a text ends; a name may hold a line end within quotes."""
    end = text.find(b"\n")
    while end >= 0 and text.count(b'"', 0, end) % 2:
        end = text.find(b"\n", end + 1)
    return end + 1


def _opened(path: Place) -> IO[bytes]:
    is_packed = path.suffix.lower() == ".gz"
    if isinstance(path, Address):
        return gzip.open(path.open()) if is_packed else path.open()
    return gzip.open(path) if is_packed else path.open("rb")


def _check_csv(path: Place, delimiter: str, encoding: str) -> None:
    """Encoding, line ends and delimiter fit what the file starts with."""
    probe = _probe(path)
    text = probe.removeprefix(BOM_UTF8)
    if not text.strip():
        raise _empty(path)
    _check_encoding(probe, path, encoding)
    if b"\r" in text and b"\n" not in text:
        raise _carriage_returns(path)
    header = text.decode(encoding, errors="replace").splitlines()[0]
    used = max(_DELIMITERS, key=header.count)
    if header.count(used) > 0 and delimiter not in header:
        raise ImpasseError(
            f"The cells are not separated by '{delimiter}'.",
            where=f"file {path.name}, first line",
            expected=f"'{delimiter}' between cells; the file seems to use {used!r}",
            do=f"Set delimiter = {used!r} for this file in the mapping, or write it with '{delimiter}'.",
        )


def _probe(path: Place) -> bytes:
    """The start of the file, to the end of a line."""
    try:
        with _opened(path) as stream:
            start = stream.read(_PROBE)
    except (OSError, EOFError, zlib.error) as error:
        broken = ImpasseError(
            "The file cannot be opened.", where=f"file {path.name}", do="It may be cut off or not gzip: copy it again."
        )
        raise _fault(error, path) or broken from None
    return start[: start.rfind(b"\n") + 1] or start


def _check_encoding(probe: bytes, path: Place, encoding: str) -> None:
    if probe.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or b"\0" in probe[:2]:
        raise _utf_16(path, encoding)
    is_ascii = probe.isascii()
    try:
        probe.decode("utf-8")
        is_utf8 = True
    except UnicodeDecodeError:
        is_utf8 = False
    if encoding == "utf-8" and not is_utf8:
        raise _wrong_encoding(path, "utf-8", "latin-1")
    if encoding == "latin-1" and is_utf8 and not is_ascii:
        raise _wrong_encoding(path, "latin-1", "utf-8")


def _wrong_encoding(path: Place, stated: str, likely: str) -> ImpasseError:
    return ImpasseError(
        f"The text is not {stated}.",
        where=f"file {path.name}",
        expected=f"{stated}, as the mapping states; the file looks like {likely}",
        do=f"Set encoding = '{likely}' for this file in the mapping, or write it as {stated}.",
    )


def _utf_16(path: Place, stated: str) -> ImpasseError:
    return ImpasseError(
        "The text is UTF-16.",
        where=f"file {path.name}",
        expected=f"{stated}, as the mapping states",
        do="Write the file as UTF-8; a spreadsheet calls it CSV UTF-8, not Unicode text.",
    )


def _carriage_returns(path: Place) -> ImpasseError:
    return ImpasseError(
        "Lines end with a carriage return only.",
        where=f"file {path.name}",
        expected="a line feed at the end of every line, with or without a carriage return before it",
        do="Write the file with line ends of Unix or Windows.",
    )


def _empty(path: Place) -> ImpasseError:
    return ImpasseError(
        "The file holds no rows.",
        where=f"file {path.name}",
        expected="at least one row; a table that is not part of the delivery is left out altogether",
        do="Deliver the rows, or take the file away.",
    )


def _refuse_missing_columns(columns: dict[str, list[str]], layout: Mapping) -> None:
    """Every column the layout needs, before anything is computed."""
    for part in (part for table in mapping.TABLES for part in layout.parts(table) if part.file in columns):
        there = columns[part.file] + (columns.get(part.join.file, []) if part.join else [])
        for spellings in mapping.needed_columns(part):
            _refuse_missing(spellings, there, layout.files[part.file].name)


def _refuse_missing(spellings: tuple[str, ...], there: list[str], file: str) -> None:
    if not {name.lower() for name in spellings} & {column.lower() for column in there}:
        raise mapping.missing_column(spellings, there, file)


def _omop_paths(folder: Place) -> dict[str, Place]:
    files = {table: File(name=table, optional=table != "person") for table in OMOP_TABLES}
    located = {table: _locate(folder, file) for table, file in files.items()}
    return {table: path for table, path in located.items() if path}


def _omop_folder(folder: Place) -> DeliveredFiles:
    """The OMOP tables of a folder; one without rows counts as not delivered."""
    sources = {table: (path, _delimiter_of(path), "utf-8") for table, path in _omop_paths(folder).items()}
    _first_row(*sources["person"])
    filled = {table for table, source in sources.items() if not next(_read_pieces(*source, n_rows=1)).is_empty()}
    kept = {table: source for table, source in sources.items() if table in filled}
    return DeliveredFiles(kept, _even_lines(kept))


def _delimiter_of(path: Place) -> str:
    """OMOP tables come with commas, vocabularies with tabs; the first line tells."""
    if path.suffix.lower() == ".parquet":
        return ","
    header = _probe(path).splitlines()[:1] or [b""]
    return max(_DELIMITERS, key=lambda mark: header[0].count(mark.encode()))


def _database(path: Path) -> DeliveredDatabase:
    """The OMOP tables of a DuckDB file; one without rows counts as not delivered."""
    tables = "select table_catalog, table_schema, table_name from information_schema.tables order by all"
    with _connected(path) as database:
        listed = [row for row in database.sql(tables).fetchall() if row[2].lower() in OMOP_TABLES]
        _refuse_two_of_a_name([row[2].lower() for row in listed], path)
        named = {name.lower(): f'"{catalog}"."{schema}"."{name}"' for catalog, schema, name in listed}
        rows = {key: database.sql(f"select count(*) from {name}").fetchall()[0][0] for key, name in named.items()}
    if not rows.get("person"):
        raise ImpasseError("The database has no person table.", where=f"file {path.name}", do="Deliver an OMOP CDM.")
    return DeliveredDatabase(path, {key: (name, rows[key]) for key, name in named.items() if rows[key]})


@contextmanager
def _connected(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        with duckdb.connect(str(path), read_only=True) as database:
            yield database
    except duckdb.Error:
        raise ImpasseError(
            "The file cannot be read as a DuckDB database.",
            where=f"file {path.name}",
            expected="a DuckDB file that no other program has open for writing",
            do="Close the other program, or write the file again.",
        ) from None


def _refuse_two_of_a_name(names: list[str], path: Path) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ImpasseError(
            f"The database holds {', '.join(twice)} in more than one schema.",
            where=f"file {path.name}",
            expected="one OMOP CDM",
            do="Export the schema that is meant to a database of its own.",
        )


def check_table(frame: pl.DataFrame | pl.LazyFrame, model: type[pa.DataFrameModel], table: str) -> None:
    """Raise ImpasseError with check names and counts, never values, if the table breaks its model."""
    whole = frame.lazy().collect()  # Pandera checks no value of a lazy frame
    if _is_sound(whole, model):
        return
    try:
        model.validate(whole, lazy=True)
    except SchemaErrors as errors:
        counts: dict[str, int] = {}
        for failure in errors.failure_cases.select("column", "check").iter_rows():
            name = f"{failure[0]}: {str(failure[1]).split('(')[0]}"
            counts[name] = counts.get(name, 0) + 1
        raise ImpasseError(
            f"Table {table} breaks its own rules.",
            where=f"table {table}",
            expected=f"{model.__doc__ or ''}".split("\n")[0],
            do="; ".join(f"{name} ({n} rows or more)" for name, n in sorted(counts.items())),
        ) from None


def _is_sound(frame: pl.DataFrame, model: type[pa.DataFrameModel]) -> bool:
    """Whether a table keeps its model, asked of the model's own checks without looking for what breaks them.

    Small tables, of which a run writes thousands, take Pandera four times as long. What is not asked here,
    and every table that does not keep its model, is Pandera's to judge and to tell.
    """
    schema = model.to_schema()
    columns = schema.columns
    is_plain = not schema.unique and not any(c.coerce or c.regex or not c.required for c in columns.values())
    if not is_plain or _kinds(frame) != {name: column.dtype.type for name, column in columns.items()}:
        return False
    filled = (column.nullable or frame[name].null_count() == 0 for name, column in columns.items())
    single = (not column.unique or frame[name].is_unique().all() for name, column in columns.items())
    rows = frame.lazy()
    asked = [check(rows, name) for name, column in columns.items() for check in column.checks]
    asked += [check(rows) for check in schema.checks]
    passed = (told.check_passed.collect(engine="in-memory").item() for told in asked)
    return frame.columns == list(columns) and all(filled) and all(single) and all(passed)


def write_parquet(
    frame: pl.DataFrame, path: Path, model: type[pa.DataFrameModel] | None = None, key: Iterable[str] = ()
) -> None:
    """The table, checked against its model and sorted by its key: the same rows give the same bytes."""
    if model is not None:
        check_table(frame, model, path.stem)
    by = list(key)
    ordered = frame.sort(by, maintain_order=True) if by else frame
    path.parent.mkdir(parents=True, exist_ok=True)
    kinds = pl.Schema(_kinds(ordered))
    with _disk(path):
        ordered.write_parquet(path, compression="zstd", statistics=True, row_group_size=_ROW_GROUP, arrow_schema=kinds)


def _kinds(frame: pl.DataFrame) -> dict[str, pl.DataType]:
    """The type of each column; words are of whatever pool in memory, and in a file of the one that readers know."""
    return {name: pl.Categorical() if isinstance(kind, pl.Categorical) else kind for name, kind in frame.schema.items()}


def write_blocks(blocks: Iterable[dict[str, pl.DataFrame]], folder: Path) -> dict[str, int]:
    """Tables that come in blocks, a Parquet file each with a row group per block; returns the rows of each table.

    A block is forgotten once it is written, so that memory holds one, however many there are. The files get
    their names when all are whole: closed early, they would be whole Parquet files of too few rows.
    """
    rows: dict[str, int] = {}
    writers: dict[str, pyarrow.parquet.ParquetWriter] = {}
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:
        for block in blocks:
            for name, frame in block.items():
                table, path = frame.to_arrow(), folder / f".{name}.part"
                with _disk(path):
                    if name not in writers:
                        writer = pyarrow.parquet.ParquetWriter(path, table.schema, compression="zstd")
                        writers[name] = opened.enter_context(writer)
                    writers[name].write_table(table, row_group_size=max(1, len(frame)))
                rows[name] = rows.get(name, 0) + len(frame)
    for name in rows:
        (folder / f".{name}.part").replace(folder / f"{name}.parquet")
    return rows


def write_quarantine(parts: Sequence[pl.DataFrame | Path], path: Path) -> None:
    """Refused rows as one file, in the order of the parts: those in memory, and those `set_aside` on disk."""
    frames = [pl.scan_ipc(part) if isinstance(part, Path) else part.lazy() for part in parts]
    path.parent.mkdir(parents=True, exist_ok=True)
    with _disk(path):
        whole = pl.concat(frames, how="diagonal_relaxed")
        whole.sink_parquet(path, compression="zstd", statistics=True, row_group_size=_ROW_GROUP)


def set_aside(frame: pl.DataFrame, path: Path) -> Path:
    """A frame on disk until it is needed again; returns the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _disk(path):
        frame.write_ipc(path)
    return path


class BucketFiles:
    """Rows on their way to their buckets: each `add` is one file with a batch for each bucket.

    So there are few files however many buckets there are, and of each file one batch is read at a time.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: list[Path] = []

    def add(self, buckets: Sequence[pl.DataFrame]) -> None:
        """Some rows of every bucket, in the order of the buckets."""
        path = self._folder / f"{len(self._paths):05d}.arrow"
        path.parent.mkdir(parents=True, exist_ok=True)
        batches = [_batch(rows) for rows in buckets]
        with _disk(path), pyarrow.ipc.new_file(str(path), batches[0].schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
        self._paths.append(path)

    def read(self, bucket: int) -> pl.DataFrame:
        """All rows of one bucket."""
        parts = []
        for path in self._paths:
            with _disk(path), pyarrow.ipc.open_file(str(path)) as reader:
                parts.append(pl.from_arrow(reader.get_batch(bucket)))
        return pl.concat(parts)

    def remove(self) -> None:
        """Take the files away."""
        remove(self._folder)


def _batch(rows: pl.DataFrame) -> pyarrow.RecordBatch:
    """The rows as one batch, also if there are none; the oldest spelling of text keeps only the text of these rows."""
    table = rows.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pyarrow.RecordBatch.from_pylist([], schema=table.schema)


def write_json(value: object, path: Path) -> None:
    """JSON with sorted keys, one line end at the end."""
    write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, default=str) + "\n", path)


def write_text(text: str, path: Path) -> None:
    """UTF-8 text with the same line ends everywhere."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _disk(path):
        path.write_text(text, encoding="utf-8", newline="\n")


def sha256(path: Place) -> str:
    """The fingerprint of a file's bytes."""
    with _disk(path), path.open() if isinstance(path, Address) else path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_texts(folder: Place, pattern: str) -> dict[str, str]:
    """The texts of a folder's files, by file name without its ending."""
    return {path.stem: read_text(path) for path in sorted(folder.glob(pattern))}


def read_json(path: Place) -> dict[str, Any]:
    """A JSON file that a run has written."""
    return json.loads(read_text(path))


def read_parquet(path: Place) -> pl.DataFrame:
    """A table that a run has written."""
    with _disk(path):
        return scan(path).collect()


def scan(path: Place) -> pl.LazyFrame:
    """A table that a run has written, to be read in part."""
    return _scan_parquet(path)


def files(folder: Path) -> list[Path]:
    """Every file below a folder, in order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def folders(folder: Path) -> list[Path]:
    """The folders in a folder, in order."""
    return sorted(path for path in folder.iterdir() if path.is_dir())


def take_folder(path: Path) -> bool:
    """Make a folder that was not there; false if somebody else has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir()
    except FileExistsError:
        return False
    return True


def remove(path: Path) -> None:
    """A file, or a folder with everything in it; what cannot be removed stays."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def move_into_place(work: Path, final: Path, pointer: str) -> None:
    """One rename makes a finished folder visible; the link `pointer` beside it then leads to it."""
    work.rename(final)
    link = final.with_name(f".{pointer}-{final.name}")
    link.symlink_to(final.name, target_is_directory=True)
    link.replace(final.with_name(pointer))


def copy_into_place(work: Path, parts: Sequence[str], final: Address, last: Path, pointer: str) -> None:
    """Copy these folders of a finished run to S3, the file `last` when all others are there.

    A folder without that file is no run. There are no links on S3: the object `pointer` beside the run holds its name.
    """
    paths = [path for part in parts for path in files(work / part)]
    for path in sorted(paths, key=lambda path: path == last):
        stores.copy(path, final / path.relative_to(work).as_posix())
    stores.write(f"{final.name}\n".encode(), final.parent / pointer)


def followed(run: Place) -> Place:
    """The folder of a run; where S3 has an object that holds a run's name, the folder it leads to."""
    if not (isinstance(run, Address) and run.is_file() and run.n_bytes() <= _LONGEST_NAME):
        return run
    return run.parent / read_text(run).strip()
