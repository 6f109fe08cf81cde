"""The files of a delivery: where they are, whether they look like what the layout says, and their rows piece by piece.

A delivery, and a published run, may be on S3: a `Place` is a path or an address (`flows/stores.py`).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flows import stores
from flows.files.csv import CsvForm, check_csv, contents, delimiter_of, empty, n_even_lines, unreadable_csv
from flows.files.database import read_database
from flows.files.faults import disk, fault
from flows.io import scan_parquet
from flows.stores import Address, Place
from schemas import mapping
from schemas.concepts import OMOP_TABLES, OmopLists
from schemas.errors import ImpasseError, nearest
from schemas.mapping import Delivered, File, Mapping
from schemas.study import Study

_ENDINGS = (".csv", ".csv.gz", ".parquet")
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
        return _registry(place, layout)
    if _is_database(place):
        return read_database(place)
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


@dataclass(frozen=True)
class SourceFile:
    """One file of a delivery; `form` says how it is written if it is CSV."""

    path: Place
    form: CsvForm = _PLAIN

    @property
    def is_parquet(self) -> bool:
        """Whether the file is Parquet; any other is CSV."""
        return self.path.suffix.lower() == ".parquet"


Sources = dict[str, tuple[SourceFile, ...]]


class DeliveredFiles(Delivered):
    """Files by key, one or several for each; look-ups and small files are kept, others come in pieces."""

    def __init__(self, sources: Sources, n_lines: dict[Place, int] | None = None) -> None:
        super().__init__({})
        self.sources = sources
        self._n_lines = n_lines or {}

    def __contains__(self, key: str) -> bool:
        return key in self.sources

    def whole(self, key: str) -> pl.DataFrame:
        """All rows in one piece, for look-ups."""
        if key not in self._files:
            self._files[key] = pl.concat(map(read_table, self.sources[key]), how="diagonal_relaxed")
        return self._files[key]

    def pieces(self, key: str) -> Iterator[pl.DataFrame]:
        """The rows in order, in pieces; at least one, and each with all columns."""
        if sum(_n_bytes(file.path) for file in self.sources[key]) <= _SMALL:
            yield self.whole(key)
        else:
            for file in self.sources[key]:
                yield from _read_pieces(file)

    def n_rows(self, key: str) -> int:
        """How many rows there are: a Parquet file says it, the lines of others were counted when they were checked."""
        return sum(map(self._n_rows_of, self.sources[key]))

    def _n_rows_of(self, file: SourceFile) -> int:
        if not file.is_parquet:
            return self._n_lines[file.path] - 1
        with disk(file.path):
            return scan_parquet(file.path).select(pl.len()).collect().item()


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
    forms = {key: CsvForm(file.delimiter, file.encoding) for key, file in files.items()}
    sources = {key: (SourceFile(path, forms[key]),) for key, path in located.items() if path}
    columns = {key: _first_row(source).columns for key, (source, *_) in sources.items()}
    _refuse_missing_columns(columns, layout)
    return DeliveredFiles(sources, _n_lines(sources))


def _n_lines(sources: Sources) -> dict[Place, int]:
    """The lines of every CSV file, each of which must have as many cells as the first."""
    texts = [file for files in sources.values() for file in files if not file.is_parquet]
    return {file.path: n_even_lines(file.path, file.form) for file in texts}


def _first_row(file: SourceFile) -> pl.DataFrame:
    """The file's columns; a file without a row is refused."""
    frame = next(_read_pieces(file, n_rows=1))
    if frame.is_empty():
        raise empty(file.path)
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


def read_table(file: SourceFile) -> pl.DataFrame:
    """A CSV, gzipped CSV or Parquet file. CSV columns are text; Parquet columns keep their types."""
    return pl.concat(_read_pieces(file))


def _read_pieces(file: SourceFile, n_rows: int | None = None) -> Iterator[pl.DataFrame]:
    """The file's rows in order, a piece at a time; one piece without rows if there are none."""
    path, form = file.path, file.form
    if not path.exists():
        raise stores.no_file(path)
    if not file.is_parquet:
        check_csv(path, form)
    try:
        if file.is_parquet:
            yield from _batches(scan_parquet(path, n_rows))
            return
        for content in contents(path, form.encoding):
            yield from _batches(pl.scan_csv(content, separator=form.delimiter, infer_schema=False, n_rows=n_rows))
            if n_rows is not None:
                return
    except (pl.exceptions.PolarsError, OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        malformed = _unreadable_parquet(path) if file.is_parquet else unreadable_csv(path, form)
        raise fault(error, path) or malformed from None


def _n_bytes(path: Place) -> int:
    return path.n_bytes() if isinstance(path, Address) else path.stat().st_size


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
    sources = {t: (SourceFile(path, CsvForm(delimiter_of(path))),) for t, path in _omop_paths(folder).items()}
    _first_row(sources["person"][0])
    filled = {table for table, files in sources.items() if not next(_read_pieces(files[0], n_rows=1)).is_empty()}
    kept = {table: files for table, files in sources.items() if table in filled}
    return DeliveredFiles(kept, _n_lines(kept))
