"""The files of a delivery: where they are, and whether they look like what the layout says.

A delivery, and a published run, may be on S3: a `Place` is a path or an address (`flows/files/s3.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from impasse.flows.delivery import parquet
from impasse.flows.delivery.csv import CsvForm, empty, has_quoted_names, told_delimiter
from impasse.flows.delivery.database import read_database
from impasse.flows.delivery.locate import Located, begun_names, locate_files
from impasse.flows.delivery.locate_omop import locate_omop
from impasse.flows.delivery.source_files import PLAIN_CSV, DeliveredFiles, GlancedFiles, SourceFile, Sources
from impasse.flows.files import s3
from impasse.flows.files.s3 import Address, Place
from impasse.schemas import delivered, mapping
from impasse.schemas.concepts import OmopLists
from impasse.schemas.delivered import Delivered
from impasse.schemas.errors import ImpasseError
from impasse.schemas.file_names import shown
from impasse.schemas.forms import FileForm
from impasse.schemas.mapping import Mapping
from impasse.schemas.study import Study

_DATABASES = (".duckdb", ".db", ".ddb")


def open_delivery(chosen: Study, base: Path, layout: Mapping | OmopLists) -> Delivered:
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
    found.refuse_copies(place)
    found.take_inventory(place, _our_output(chosen, base), begun)
    return found


def glance_at(chosen: Study, base: Path, layout: Mapping | OmopLists) -> Delivered:
    """The same, to see how large it is: lines of CSV are not counted, but guessed from the first ones."""
    place = s3.placed(chosen.source.path, base)
    is_database = not isinstance(layout, Mapping) and _is_database(place)
    if is_database or not place.exists():
        return open_delivery(chosen, base, layout)
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
            where=shown(place),
            expected="a folder of CSV or Parquet files on S3, or a DuckDB file on this machine",
            do="Copy the file to this machine and name the copy in source.path.",
        )
    return True


def _refuse_form(stated: dict[str, object], place: Place) -> None:
    if stated:
        raise ImpasseError(
            f"A DuckDB file is not written with {' and '.join(stated)}.",
            where=f"study file, source; file {shown(place.name)}",
            expected="settings of CSV files with a folder of CSV files only",
            do="Take them out.",
        )


def source_paths(chosen: Study, base: Path, layout: Mapping | OmopLists) -> list[Place]:
    """The files that `open_delivery` reads, each once: what a manifest fingerprints."""
    place = s3.placed(chosen.source.path, base)
    if not isinstance(layout, Mapping) and _is_database(place):
        return [place]
    located = locate_files(place, layout) if isinstance(layout, Mapping) else locate_omop(place)
    return sorted({file for paths in located.values() for path in paths for file in parquet.files_of(path)})


def _registry(folder: Place, layout: Mapping) -> Sources:
    sources = _sources(locate_files(folder, layout), layout)
    columns = {key: {file.path: list(file.schema) for file in files} for key, files in sources.items()}
    _refuse_missing_columns(columns, layout)
    return sources


def _sources(located: Located, layout: Mapping) -> Sources:
    return {
        key: tuple(SourceFile(path, _form(path, layout.files[key])) for path in paths) for key, paths in located.items()
    }


def _form(path: Place, stated: FileForm) -> CsvForm:
    """How a file is written: what is stated, else what its first line tells."""
    if SourceFile(path).is_parquet:
        return PLAIN_CSV
    quoting = stated.quoting is not False
    return CsvForm(stated.delimiter or told_delimiter(path, quoting), stated.encoding or PLAIN_CSV.encoding, quoting)


def _require_persons(found: DeliveredFiles, layout: Mapping | OmopLists) -> None:
    """Count the rows of all files; some of those that persons come from must have one."""
    named = [part.file for part in layout.persons] if isinstance(layout, Mapping) else ["person"]
    persons = [key for key in named if key in found.sources]
    n_rows = {key: found.n_rows(key) for key in found.sources}
    if persons and not any(n_rows[key] for key in persons):
        raise empty(found.sources[persons[0]][0].path)


def _refuse_missing_columns(columns: dict[str, dict[Place, list[str]]], layout: Mapping) -> None:
    """Every column the layout needs, in each file, before anything is computed."""
    for part in (part for table in mapping.MAPPED_TABLES for part in layout.parts(table) if part.file in columns):
        joined = [name for there in columns.get(part.join.file, {}).values() for name in there] if part.join else []
        for file, there in columns[part.file].items():
            for spellings in mapping.needed_columns(part):
                if not {name.lower() for name in spellings} & {column.lower() for column in there + joined}:
                    raise delivered.missing_column(
                        spellings, there, shown(file.name), layout.files[part.file].instead_of
                    )


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
                where=f"files {shown(first.path.name)} and {shown(file.path.name)}",
                expected="the same columns in every part, and their names in the first line of each",
                do="Export the table again as a whole.",
            )


def _omop_form(path: Place, stated: FileForm) -> CsvForm:
    """Tables separated by tabs, as Athena writes vocabularies, are not quoted, unless their first line is."""
    form = _form(path, stated)
    if form.delimiter != "\t" or stated.quoting is not None:
        return form
    return replace(form, quoting=has_quoted_names(path))
