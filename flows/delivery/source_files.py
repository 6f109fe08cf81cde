"""The rows of a delivery's files, piece by piece and all of them: CSV, gzipped or not, and Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path

import polars as pl

from impasse.flows.delivery import csv, inventory, lines, once, parquet
from impasse.flows.delivery.csv import CsvForm, check_csv, contents, count_lines, unreadable_csv
from impasse.flows.delivery.lines import Lines
from impasse.flows.delivery.regular import LEADS_OUTSIDE, leads_outside
from impasse.flows.files import s3
from impasse.flows.files.faults import fault
from impasse.flows.files.s3 import Address, Place
from impasse.schemas.delivered import Delivered
from impasse.schemas.errors import ImpasseError
from impasse.schemas.file_names import shown
from impasse.schemas.found import NO_ROWS, Found

PLAIN_CSV = CsvForm()
_OF_FILES = (".csv", ".gz", ".txt", ".tsv")
_PIECE = 500_000
_SMALL = 4 << 20


@dataclass(frozen=True)
class SourceFile:
    """One file of a delivery; `form` says how it is written if it is CSV."""

    path: Place
    form: CsvForm = PLAIN_CSV

    @property
    def is_parquet(self) -> bool:
        """Whether the file is Parquet, or a folder of such files; any other is CSV."""
        ending = self.path.suffix.lower()
        return ending == ".parquet" or (ending not in _OF_FILES and self.path.is_dir())

    @cached_property
    def schema(self) -> pl.Schema:
        """The columns, once the file is known to be what it should be; those of CSV are text."""
        if self.is_parquet:
            return parquet.read_parquet_schema(self.path)
        check_csv(self.path, self.form)
        return csv.read_csv_schema(self.path, self.form)

    @cached_property
    def sizes(self) -> tuple[int, int]:
        """How many bytes the file takes: all of it, and what is in memory at once, as far as the file states it."""
        return parquet.sizes(self.path) if self.is_parquet else (_n_bytes(self.path), 0)


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
        self._small: dict[str, list[pl.DataFrame]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self.sources and self.n_rows(key) > 0

    def whole(self, key: str) -> pl.DataFrame:
        """All rows in one piece, for look-ups."""
        if key not in self._files:
            if len(self.sources[key]) > 1:
                _refuse_unlike({file: file.schema for file in self.sources[key]})
            self._files[key] = pl.concat(self.pieces(key), how="vertical_relaxed")
        return self._files[key]

    def pieces(self, key: str) -> Iterator[pl.DataFrame]:
        """The rows in order, in pieces; at least one, and each with all columns, of the types of its own file."""
        if sum(file.sizes[0] for file in self.sources[key]) <= _SMALL:
            yield from self._small_pieces(key)
        else:
            yield from self._read_all(key)

    def _small_pieces(self, key: str) -> list[pl.DataFrame]:
        """All rows, in as few pieces as there are changes of types; kept."""
        if key not in self._small:
            alike = groupby(self._read_all(key), key=lambda piece: piece.schema)
            self._small[key] = [pl.concat(pieces) for _, pieces in alike]
        return self._small[key]

    def _read_all(self, key: str) -> Iterator[pl.DataFrame]:
        """The rows of all files of a key, in pieces with the same columns.

        What a cell means is told by the type of its own file, so no column becomes of another type here.
        """
        files = self.sources[key]
        if len(files) == 1:
            return self._read(files[0])
        columns = _columns_of_all([file.schema for file in files])
        return (_filled(piece, columns) for file in files for piece in self._read(file))

    def n_rows(self, key: str) -> int:
        """How many rows there are: a Parquet file says it, the lines of others are counted."""
        return sum(sum(self._count(file).values()) for file in self.sources[key])

    def n_bytes_at_once(self, key: str) -> int:
        """How many bytes are in memory at once while the files are read, as far as they state it."""
        return max(file.sizes[1] for file in self.sources[key])

    def take_inventory(self, folder: Place, besides: Sequence[Path], begun: dict[str, str]) -> None:
        """Count what is read, and list it with all else there is below the folder, as `found`.

        `begun` tells how a name begins that may be that of a missing table.
        """
        read: list[Found] = []
        columns: inventory.Columns = {}
        for key, file in [(key, file) for key, files in self.sources.items() for file in files]:
            counts = self._count(file)
            names = {path: s3.told_name(path, folder) for path in counts}
            notes = {path: self._note(file, n_rows, leads_outside(path, folder)) for path, n_rows in counts.items()}
            read += [Found(names[path], "read", key, n_rows, notes[path]) for path, n_rows in counts.items()]
            columns |= dict.fromkeys(names.values(), tuple(file.schema))
        self.found = inventory.take_inventory(folder, read, columns, besides, begun)

    def refuse_copies(self, folder: Place) -> None:
        """Raise ImpasseError if two files of a key that have rows, and get no other columns by folders, are alike."""
        for files in self.sources.values():
            parts = [(part, file, n_rows) for file in files for part, n_rows in self._count(file).items()]
            given = {part: tuple(parquet.folder_columns(part, file.path).items()) for part, file, n in parts if n}
            once.refuse_copies(given, folder)

    def _read(self, file: SourceFile) -> Iterator[pl.DataFrame]:
        """The rows of one file, all of them."""
        n_counted, n_rows = sum(self._count(file).values()), 0
        for piece in _read_pieces(file):
            n_rows += piece.height
            yield piece
        if file.is_parquet:
            lines.require_all_rows(f"file {shown(file.path.name)}", n_counted, n_rows)
        else:
            lines.require_handed_on(shown(file.path.name), self._lines_of(file), n_rows)

    def _count(self, file: SourceFile) -> dict[Place, int]:
        """The rows of a file, or of each file of a folder; counted once."""
        if file not in self._n_rows:
            counted = (
                parquet.count_rows_of_parts(file.path)
                if file.is_parquet
                else {file.path: self._lines_of(file).n_handed_on}
            )
            self._n_rows[file] = counted
        return self._n_rows[file]

    def _lines_of(self, file: SourceFile) -> Lines:
        if file not in self._lines:
            check_csv(file.path, file.form)
            self._lines[file] = count_lines(file.path, file.form)
        return self._lines[file]

    def _note(self, file: SourceFile, n_rows: int, is_outside: bool) -> str:
        """What a reader of the report should know of a file."""
        notes = [LEADS_OUTSIDE] if is_outside else []
        notes += [] if file.is_parquet else lines.notes(self._lines_of(file))
        return "; ".join([NO_ROWS, *notes] if n_rows == 0 else notes)


class GlancedFiles(DeliveredFiles):
    """Files of which rows are counted where that takes no time, and else taken to be rather too few than too many."""

    def _count(self, file: SourceFile) -> dict[Place, int]:
        if file.is_parquet:
            return super()._count(file)
        check_csv(file.path, file.form)
        return {file.path: csv.guess_rows(file.path, _n_bytes(file.path))}


def _read_pieces(file: SourceFile) -> Iterator[pl.DataFrame]:
    """The file's rows in order, a piece at a time; one piece without rows if there are none."""
    path, form = file.path, file.form
    if not path.exists():
        raise s3.no_file(path)
    if file.is_parquet:
        for part, rows in parquet.scan(path):
            with parquet.reading(part):
                yield from _batches(rows)
        return
    check_csv(path, form)
    try:
        for content in contents(path, form):
            yield from _batches(_scan_csv(content, form))
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        raise fault(error, path) or unreadable_csv(path, form) from None


def _scan_csv(content: Path | bytes, form: CsvForm) -> pl.LazyFrame:
    """The file of just this name, whatever marks of patterns are in it."""
    quote = '"' if form.quoting else None
    return pl.scan_csv(content, separator=form.delimiter, quote_char=quote, infer_schema=False, glob=False)


def _n_bytes(path: Place) -> int:
    """How large a file is."""
    return path.n_bytes() if isinstance(path, Address) else path.stat().st_size


def _batches(rows: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """The rows in order, a piece at a time; one piece without rows if there are none."""
    nothing = pl.DataFrame(schema=rows.collect_schema())
    batches = rows.collect_batches(chunk_size=_PIECE, maintain_order=True)
    yield next(batches, nothing)
    yield from batches


def _columns_of_all(schemas: Sequence[pl.Schema]) -> dict[str, tuple[str, pl.DataType]]:
    """The columns of all files by their names in small letters, spelt and typed as in the first that has them."""
    columns: dict[str, tuple[str, pl.DataType]] = {}
    for name, kind in (pair for schema in schemas for pair in schema.items()):
        columns.setdefault(name.lower(), (name, kind))
    return columns


def _filled(piece: pl.DataFrame, columns: dict[str, tuple[str, pl.DataType]]) -> pl.DataFrame:
    """A piece with all columns; null where its file has none."""
    own = {name.lower(): pl.col(name) for name in piece.columns}
    return piece.select(own.get(low, pl.lit(None, dtype=kind)).alias(name) for low, (name, kind) in columns.items())


def _refuse_unlike(schemas: dict[SourceFile, pl.Schema]) -> None:
    """Raise ImpasseError where files of one table that is read as a whole hold different kinds of values."""
    first: dict[str, tuple[str, pl.DataType, SourceFile]] = {}
    for file, schema in schemas.items():
        known = [first.setdefault(name.lower(), (name, kind, file)) for name, kind in schema.items()]
        kinds = {name: kind for (name, *_), kind in zip(known, schema.values(), strict=True)}
        if told := parquet.told_unlike({name: kind for name, kind, _ in known}, kinds):
            other = next(other for name, kind, other in known if not parquet.are_alike(kind, kinds[name]))
            raise _unlike(told, other, file)


def _unlike(told: str, file: SourceFile, other: SourceFile) -> ImpasseError:
    return ImpasseError(
        f"Two files of one table {told}.",
        where=f"files {shown(file.path.name)} and {shown(other.path.name)}",
        expected="the same kind of values in every file of a table that others are looked up in",
        do="Write both files anew, with the same types.",
    )
