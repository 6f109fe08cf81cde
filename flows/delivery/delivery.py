"""The files of a delivery: where they are, whether they look like what the layout says, and their rows piece by piece.

A delivery, and a published run, may be on S3: a `Place` is a path or an address (`flows/files/s3.py`).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path

import polars as pl

from impasse.flows.delivery import csv, inventory, lines, parquet
from impasse.flows.delivery.csv import (
    CsvForm,
    check_csv,
    contents,
    count_lines,
    empty,
    has_quoted_names,
    told_delimiter,
    unreadable_csv,
)
from impasse.flows.delivery.database import read_database
from impasse.flows.delivery.lines import Lines
from impasse.flows.delivery.locate import Located, begun_names, locate_files
from impasse.flows.delivery.locate_omop import locate_omop
from impasse.flows.delivery.regular import LEADS_OUTSIDE, leads_outside
from impasse.flows.files import s3
from impasse.flows.files.faults import fault
from impasse.flows.files.s3 import Address, Place
from impasse.schemas import delivered, mapping
from impasse.schemas.concepts import OmopLists
from impasse.schemas.delivered import Delivered
from impasse.schemas.errors import ImpasseError
from impasse.schemas.forms import FileForm
from impasse.schemas.found import NO_ROWS, Found
from impasse.schemas.mapping import Mapping
from impasse.schemas.study import Study

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
    place = s3.placed(chosen.source.path, base)
    if not place.exists():
        raise s3.no_file(place)
    if not isinstance(layout, Mapping) and _is_database(place):
        _refuse_form(chosen.source.stated(), place)
        return read_database(place)
    found = DeliveredFiles(_located(place, chosen, layout))
    _require_persons(found, layout)
    begun = begun_names(layout, found.sources) if isinstance(layout, Mapping) else {}
    found.take_inventory(place, _our_output(chosen, base), begun)
    return found


def glance_at(chosen: Study, base: Path, layout: Mapping | OmopLists) -> Delivered:
    """The same, to see how large it is: lines of CSV are not counted, but guessed from the first ones."""
    place = s3.placed(chosen.source.path, base)
    is_database = not isinstance(layout, Mapping) and _is_database(place)
    if is_database or not place.exists():
        return read_delivery(chosen, base, layout)
    return GlancedFiles(_located(place, chosen, layout))


def _located(place: Place, chosen: Study, layout: Mapping | OmopLists) -> Sources:
    """The files of a folder, of which it is known that they can be read and have the columns that are needed."""
    return _registry(place, layout) if isinstance(layout, Mapping) else _omop_folder(place, chosen.source)


def _our_output(chosen: Study, base: Path) -> list[Path]:
    """The folders that runs write to, which may lie in that of the delivery and are no part of it."""
    folders = (s3.placed(chosen.output.folder, base), base / chosen.output.work)
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


def _refuse_form(stated: dict[str, object], place: Place) -> None:
    if stated:
        raise ImpasseError(
            f"A DuckDB file is not written with {' and '.join(stated)}.",
            where=f"study file, source; file {place.name}",
            expected="settings of CSV files with a folder of CSV files only",
            do="Take them out.",
        )


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

    @cached_property
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
        if sum(_n_bytes(file.path) for file in self.sources[key]) <= _SMALL:
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


def source_paths(chosen: Study, base: Path, layout: Mapping | OmopLists) -> list[Place]:
    """The files that `read_delivery` reads, each once: what a manifest fingerprints."""
    place = s3.placed(chosen.source.path, base)
    if not isinstance(layout, Mapping) and _is_database(place):
        return [place]
    located = locate_files(place, layout) if isinstance(layout, Mapping) else locate_omop(place)
    return sorted({file for paths in located.values() for path in paths for file in parquet.files_of(path)})


def _registry(folder: Place, layout: Mapping) -> Sources:
    sources = _sources(locate_files(folder, layout), layout)
    columns = {key: {file.path.name: list(file.schema) for file in files} for key, files in sources.items()}
    _refuse_missing_columns(columns, layout)
    return sources


def _sources(located: Located, layout: Mapping) -> Sources:
    return {
        key: tuple(SourceFile(path, _form(path, layout.files[key])) for path in paths) for key, paths in located.items()
    }


def _form(path: Place, stated: FileForm) -> CsvForm:
    """How a file is written: what is stated, else what its first line tells."""
    if SourceFile(path).is_parquet:
        return _PLAIN
    quoting = stated.quoting is not False
    return CsvForm(stated.delimiter or told_delimiter(path, quoting), stated.encoding or _PLAIN.encoding, quoting)


def _require_persons(found: DeliveredFiles, layout: Mapping | OmopLists) -> None:
    """Count the rows of all files; some of those that persons come from must have one."""
    named = [part.file for part in layout.persons] if isinstance(layout, Mapping) else ["person"]
    persons = [key for key in named if key in found.sources]
    n_rows = {key: found.n_rows(key) for key in found.sources}
    if persons and not any(n_rows[key] for key in persons):
        raise empty(found.sources[persons[0]][0].path)


def _read_pieces(file: SourceFile) -> Iterator[pl.DataFrame]:
    """The file's rows in order, a piece at a time; one piece without rows if there are none."""
    path, form = file.path, file.form
    if not path.exists():
        raise s3.no_file(path)
    if not file.is_parquet:
        check_csv(path, form)
    try:
        if file.is_parquet:
            for rows in parquet.scan(path):
                yield from _batches(rows)
            return
        for content in contents(path, form):
            yield from _batches(_scan_csv(content, form))
    except (pl.exceptions.PolarsError, OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        malformed = parquet.unreadable(path, error) if file.is_parquet else unreadable_csv(path, form)
        raise fault(error, path) or malformed from None


def _scan_csv(content: Path | bytes, form: CsvForm) -> pl.LazyFrame:
    """The file of just this name, whatever marks of patterns are in it."""
    quote = '"' if form.quoting else None
    return pl.scan_csv(content, separator=form.delimiter, quote_char=quote, infer_schema=False, glob=False)


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
        known = {name.lower(): first.setdefault(name.lower(), (name, kind, file)) for name, kind in schema.items()}
        apart = [
            known[name.lower()] for name, kind in schema.items() if not parquet.are_alike(known[name.lower()][1], kind)
        ]
        if apart:
            raise _unlike([name for name, *_ in apart], apart[0][2], file)


def _unlike(names: Sequence[str], file: SourceFile, other: SourceFile) -> ImpasseError:
    return ImpasseError(
        f"Two files of one table hold different kinds of values: {parquet.listed(names)}.",
        where=f"files {file.path.name} and {other.path.name}",
        expected="the same kind of values in every file of a table that others are looked up in",
        do="Write both files anew, with the same types.",
    )


def _refuse_missing_columns(columns: dict[str, dict[str, list[str]]], layout: Mapping) -> None:
    """Every column the layout needs, in each file, before anything is computed."""
    for part in (part for table in mapping.TABLES for part in layout.parts(table) if part.file in columns):
        joined = [name for there in columns.get(part.join.file, {}).values() for name in there] if part.join else []
        for file, there in columns[part.file].items():
            for spellings in mapping.needed_columns(part):
                if not {name.lower() for name in spellings} & {column.lower() for column in there + joined}:
                    raise delivered.missing_column(spellings, there, file, layout.files[part.file].instead_of)


def _omop_folder(folder: Place, stated: FileForm) -> Sources:
    """The OMOP tables of a folder."""
    sources = {
        table: tuple(SourceFile(path, _omop_form(path, stated)) for path in paths)
        for table, paths in locate_omop(folder).items()
    }
    for files in sources.values():
        _refuse_other_columns([(file, {name.lower() for name in file.schema}) for file in files])
    return sources


def _refuse_other_columns(files: Sequence[tuple[SourceFile, set[str]]]) -> None:
    """Raise ImpasseError unless all parts of an OMOP table have the same columns; a first line may be a row."""
    (first, columns), *others = files
    for file, theirs in others:
        if theirs != columns:
            raise ImpasseError(
                "Two parts of one table have different columns.",
                where=f"files {first.path.name} and {file.path.name}",
                expected="the same columns in every part, and their names in the first line of each",
                do="Export the table again as a whole.",
            )


def _omop_form(path: Place, stated: FileForm) -> CsvForm:
    """Tables separated by tabs, as Athena writes vocabularies, are not quoted, unless their first line is."""
    form = _form(path, stated)
    if form.delimiter != "\t" or stated.quoting is not None:
        return form
    return replace(form, quoting=has_quoted_names(path))
