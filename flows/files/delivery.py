"""The files of a delivery: where they are, whether they look like what the layout says, and their rows piece by piece.

A delivery, and a published run, may be on S3: a `Place` is a path or an address (`flows/stores.py`).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flows import stores
from flows.files import csv, inventory, lines, parquet
from flows.files.csv import CsvForm, check_csv, contents, count_lines, delimiter_of, empty, unreadable_csv
from flows.files.database import read_database
from flows.files.faults import fault
from flows.files.lines import Lines
from flows.stores import Address, Place
from schemas import mapping
from schemas.concepts import OMOP_TABLES, OmopLists
from schemas.errors import ImpasseError, nearest
from schemas.found import NO_ROWS, Found
from schemas.mapping import Delivered, File, Mapping
from schemas.study import Study

_ENDINGS = (".csv", ".csv.gz", ".parquet")
_OF_FILES = (".csv", ".gz", ".txt", ".tsv")
_DATABASES = (".duckdb", ".db", ".ddb")
_PIECE = 500_000
_SMALL = 4 << 20
_PLAIN = CsvForm()


def read_delivery(chosen: Study, base: Path, layout: Mapping | OmopLists) -> Delivered:
    """The files of the study's source, as delivered; `base` is the folder that relative paths start from.

    Files, columns, first rows and the number of cells on every line are checked at once; the rest of a file
    is read when it is used.
    """
    place = stores.placed(chosen.source.path, base)
    if not place.exists():
        raise stores.no_file(place)
    if isinstance(layout, Mapping):
        found = _registry(place, layout)
    elif _is_database(place):
        return read_database(place)
    else:
        found = _omop_folder(place)
    found.take_inventory(place, _our_output(chosen, base))
    return found


def _our_output(chosen: Study, base: Path) -> list[Path]:
    """The folders that runs write to, which may lie in that of the delivery and are no part of it."""
    folders = (stores.placed(chosen.output.folder, base), base / chosen.output.work)
    return [folder.resolve() for folder in folders if isinstance(folder, Path)]


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


@dataclass(frozen=True)
class SourceFile:
    """One file of a delivery; `form` says how it is written if it is CSV."""

    path: Place
    form: CsvForm = _PLAIN

    @property
    def is_parquet(self) -> bool:
        """Whether the file is Parquet, or a folder of such files; any other is CSV."""
        ending = self.path.suffix.lower()
        return ending == ".parquet" or (ending not in _OF_FILES and self.path.is_dir())

    def schema(self) -> pl.Schema:
        """The columns, once the file is known to be what it should be; those of CSV are text."""
        if self.is_parquet:
            return parquet.read_schema(self.path)
        check_csv(self.path, self.form)
        return csv.read_schema(self.path, self.form)


Sources = dict[str, tuple[SourceFile, ...]]


class DeliveredFiles(Delivered):
    """Files by key, one or several for each; look-ups and small files are kept, others come in pieces.

    The rows of each are counted apart from reading them, and reading gives just as many or is an error. What has no
    row shows nothing, as if it were not there, and is listed.
    """

    def __init__(self, sources: Sources) -> None:
        super().__init__({})
        self.sources = sources
        self._lines: dict[SourceFile, Lines] = {}
        self._n_rows: dict[SourceFile, dict[Place, int]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self.sources and self.n_rows(key) > 0

    def whole(self, key: str) -> pl.DataFrame:
        """All rows in one piece, for look-ups."""
        if key not in self._files:
            pieces = [piece for file in self.sources[key] for piece in self._read(file)]
            self._files[key] = pl.concat(pieces, how="diagonal_relaxed")
        return self._files[key]

    def pieces(self, key: str) -> Iterator[pl.DataFrame]:
        """The rows in order, in pieces; at least one, and each with all columns."""
        if sum(_n_bytes(file.path) for file in self.sources[key]) <= _SMALL:
            yield self.whole(key)
        else:
            for file in self.sources[key]:
                yield from self._read(file)

    def n_rows(self, key: str) -> int:
        """How many rows there are: a Parquet file says it, the lines of others are counted."""
        return sum(sum(self._count(file).values()) for file in self.sources[key])

    def take_inventory(self, folder: Place, besides: Sequence[Path]) -> None:
        """Count what is read, and list it with all else there is below the folder, as `found`."""
        read: list[Found] = []
        columns: inventory.Columns = {}
        for key, file in [(key, file) for key, files in self.sources.items() for file in files]:
            counts = {str(stores.relative(path, folder)): n_rows for path, n_rows in self._count(file).items()}
            read += [Found(name, "read", key, n_rows, self._note(file, n_rows)) for name, n_rows in counts.items()]
            names = tuple(file.schema())
            columns |= dict.fromkeys(counts, names)
        self.found = inventory.take_inventory(folder, read, columns, besides)

    def _read(self, file: SourceFile) -> Iterator[pl.DataFrame]:
        """The rows of one file, all of them."""
        n_counted, n_rows = sum(self._count(file).values()), 0
        for piece in _read_pieces(file):
            n_rows += piece.height
            yield piece
        if file.is_parquet:
            lines.require_all_rows(f"file {file.path.name}", n_counted, n_rows)
        else:
            lines.require_handed_on(file.path.name, self._lines_of(file), n_rows)

    def _count(self, file: SourceFile) -> dict[Place, int]:
        """The rows of a file, or of each file of a folder; counted once."""
        if file not in self._n_rows:
            counted = (
                parquet.count_rows(file.path) if file.is_parquet else {file.path: self._lines_of(file).n_handed_on}
            )
            self._n_rows[file] = counted
        return self._n_rows[file]

    def _lines_of(self, file: SourceFile) -> Lines:
        if file not in self._lines:
            check_csv(file.path, file.form)
            self._lines[file] = count_lines(file.path, file.form)
        return self._lines[file]

    def _note(self, file: SourceFile, n_rows: int) -> str:
        """What a reader of the report should know of a file."""
        notes = [] if file.is_parquet else lines.notes(self._lines_of(file))
        return "; ".join([NO_ROWS, *notes] if n_rows == 0 else notes)


def source_paths(chosen: Study, base: Path, layout: Mapping | OmopLists) -> list[Place]:
    """The files that `read_delivery` reads, each once: what a manifest fingerprints."""
    place = stores.placed(chosen.source.path, base)
    if isinstance(layout, Mapping):
        located = [path for file in layout.files.values() if (path := _locate(place, file))]
    else:
        located = [place] if _is_database(place) else list(_omop_paths(place).values())
    return sorted({file for path in located for file in parquet.files_of(path)})


def _registry(folder: Place, layout: Mapping) -> DeliveredFiles:
    located = {key: _locate(folder, file) for key, file in layout.files.items()}
    files = layout.files
    forms = {key: CsvForm(file.delimiter, file.encoding) for key, file in files.items()}
    sources = {key: (SourceFile(path, forms[key]),) for key, path in located.items() if path}
    found = _counted(sources, [part.file for part in layout.persons if part.file in sources])
    _refuse_missing_columns({key: list(source.schema()) for key, (source, *_) in sources.items()}, layout)
    return found


def _counted(sources: Sources, persons: Sequence[str]) -> DeliveredFiles:
    """The files, the rows of each counted; some of those that persons come from must have one."""
    found = DeliveredFiles(sources)
    n_rows = {key: found.n_rows(key) for key in sources}
    if persons and not any(n_rows[key] for key in persons):
        raise empty(sources[persons[0]][0].path)
    return found


def _locate(folder: Place, file: File) -> Place | None:
    """The file under its own name or with one of the known endings; upper and lower case are one."""
    if not folder.is_dir():
        raise ImpasseError("Not a folder.", where=f"{folder}", expected="a folder of files", do="Correct source.path.")
    stated = folder / file.name
    if _is_table(stated):
        return stated
    wanted = [stated.name.lower()] + [f"{stated.name.lower()}{ending}" for ending in _ENDINGS]
    beside = stated.parent.iterdir() if stated.parent.is_dir() else []
    there = {path.name.lower(): path for path in sorted(beside, reverse=True) if _is_table(path)}
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


def _is_table(path: Place) -> bool:
    """Whether there is a file, or a folder of Parquet files that are one table."""
    return path.is_file() or parquet.is_table_folder(path)


def read_table(file: SourceFile) -> pl.DataFrame:
    """A CSV, gzipped CSV or Parquet file. CSV columns are text; Parquet columns keep their types."""
    return DeliveredFiles({"table": (file,)}).whole("table")


def _read_pieces(file: SourceFile) -> Iterator[pl.DataFrame]:
    """The file's rows in order, a piece at a time; one piece without rows if there are none."""
    path, form = file.path, file.form
    if not path.exists():
        raise stores.no_file(path)
    if not file.is_parquet:
        check_csv(path, form)
    try:
        if file.is_parquet:
            for rows in parquet.scan(path):
                yield from _batches(rows)
            return
        quote = '"' if form.quoting else None
        for content in contents(path, form):
            yield from _batches(pl.scan_csv(content, separator=form.delimiter, quote_char=quote, infer_schema=False))
    except (pl.exceptions.PolarsError, OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        malformed = parquet.unreadable(path) if file.is_parquet else unreadable_csv(path, form)
        raise fault(error, path) or malformed from None


def _n_bytes(path: Place) -> int:
    """How large a file is, or all files of a folder."""
    files = parquet.files_of(path) if path.suffix.lower() not in _OF_FILES else [path]
    return sum(file.n_bytes() if isinstance(file, Address) else file.stat().st_size for file in files)


def _batches(rows: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """The rows in order, a piece at a time; one piece without rows if there are none."""
    nothing = pl.DataFrame(schema=rows.collect_schema())
    batches = rows.collect_batches(chunk_size=_PIECE, maintain_order=True)
    yield next(batches, nothing)
    yield from batches


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
    """The OMOP tables of a folder."""
    sources = {t: (SourceFile(path, CsvForm(delimiter_of(path))),) for t, path in _omop_paths(folder).items()}
    return _counted(sources, ["person"])
