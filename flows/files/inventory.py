"""Every file of a delivery: those that are read, and beside them those that nothing asks for.

A file that nobody asks for may be half of the delivery, as where a table comes in a file for each year. So its columns
are looked at, and it is said where they are those of a file that is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path, PurePosixPath

from flows import stores
from flows.files import csv, parquet
from flows.stores import Place
from schemas.errors import ImpasseError
from schemas.found import Found

Columns = dict[str, Sequence[str]]
Alike = dict[frozenset[str], str]

_TABULAR = (".csv", ".txt", ".tsv", ".csv.gz", ".txt.gz", ".tsv.gz")
_MOST_LISTED = 10_000


def take_inventory(
    folder: Place, read: Iterable[Found], columns: Columns, besides: Sequence[Path]
) -> tuple[Found, ...]:
    """All files below the folder in the order of their paths, but for those in the folders of our own output.

    `read` are those that are read, `columns` the columns of each by its name in the delivery. Values in the names of
    folders are not told.
    """
    known = {found.name: found for found in read}
    listed = list(_all_below(folder, known, _by_columns(columns), besides))
    names = {found.name for found in listed}
    whole = [*(found for name, found in known.items() if name not in names), *listed]
    told = stores.shown_apart(found.name for found in whole)
    return tuple(replace(found, name=name) for found, name in zip(whole, told, strict=True))


def _by_columns(columns: Columns) -> Alike:
    """The first file of each set of columns."""
    return {_one_case(names): file for file, names in reversed(columns.items())}


def _all_below(folder: Place, known: dict[str, Found], alike: Alike, besides: Sequence[Path]) -> Iterator[Found]:
    files = stores.files_below(folder, besides)
    for file in islice(files, _MOST_LISTED):
        name = str(stores.relative(file, folder))
        yield known.get(name) or _not_asked_for(file, name, alike)
    if next(files, None):
        yield Found("…", "not asked for", note=f"more than {_MOST_LISTED:,} files; the others are not listed")


def _not_asked_for(file: Place, name: str, alike: Alike) -> Found:
    try:
        own = _looked_at(file)
    except (ImpasseError, OSError) as error:
        return Found(name, "unreadable", note=error.what if isinstance(error, ImpasseError) else f"{error.strerror}")
    other = alike.get(_one_case(own)) if own else None
    note = f"it has the columns of {stores.shown(PurePosixPath(other))}, which is read" if other else ""
    return Found(name, "not asked for", note=note)


def _looked_at(file: Place) -> list[str]:
    """The names of the columns of what looks like a table by its ending."""
    if file.name.lower().endswith(".parquet"):
        return parquet.names_of(file) if file.is_file() else []
    return csv.guess_columns(file) if file.name.lower().endswith(_TABULAR) else []


def _one_case(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)
