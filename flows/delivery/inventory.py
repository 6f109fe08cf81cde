"""Every file of a delivery: those that are read, and beside them those that nothing asks for.

A file that nobody asks for may be half of the delivery, as where a table comes in a file for each year. So its columns
are looked at, and it is said where they are those of a file that is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path, PurePosixPath

from impasse.flows.delivery import csv, parquet
from impasse.flows.delivery.regular import LEADS_OUTSIDE, leads_outside, require_regular
from impasse.flows.files import s3
from impasse.flows.files.s3 import Place
from impasse.schemas.errors import ImpasseError
from impasse.schemas.found import Found

Columns = dict[str, Sequence[str]]

_TABULAR = (".csv", ".txt", ".tsv", ".csv.gz", ".txt.gz", ".tsv.gz")
_MOST_LISTED = 10_000


@dataclass(frozen=True)
class Likely:
    """What a file that nobody asks for may be: by its columns like one that is read, by its name a missing table."""

    read: dict[frozenset[str], str]
    missing: dict[str, str]

    def twin(self, columns: Sequence[str]) -> str:
        """A note on a file with the columns of one that is read, or nothing."""
        other = self.read.get(_one_case(columns)) if columns else None
        return f"it has the columns of {s3.shown_path(PurePosixPath(other))}, which is read" if other else ""

    def table(self, name: str) -> str:
        """A note on a file that may be a missing table, or nothing."""
        words = [word.lower() for word in PurePosixPath(name).parts]
        starts = [start for start in self.missing if any(word.startswith(start) for word in words)]
        if not starts:
            return ""
        start = max(starts, key=len)
        key = self.missing[start]
        remedy = f"if it belongs there, name it in source.files.{key}"
        return f"its name begins with '{start}' and {key} is missing: {remedy}"


def take_inventory(
    folder: Place, read: Iterable[Found], columns: Columns, besides: Sequence[Path], begun: dict[str, str]
) -> tuple[Found, ...]:
    """All files below the folder in the order of their paths, but for those in the folders of our own output.

    `read` are those that are read, `columns` the columns of each by its name in the delivery. `begun` are the missing
    tables by how the name of one of their files may begin. Values in the names of folders are not told.
    """
    known = {found.name: found for found in read}
    listed = list(_all_below(folder, known, Likely(_by_columns(columns), begun), besides))
    names = {found.name for found in listed}
    whole = [*(found for name, found in known.items() if name not in names), *listed]
    told = s3.shown_apart(found.name for found in whole)
    return tuple(replace(found, name=name) for found, name in zip(whole, told, strict=True))


def _by_columns(columns: Columns) -> dict[frozenset[str], str]:
    """The first file of each set of columns."""
    return {_one_case(names): file for file, names in reversed(columns.items())}


def _all_below(folder: Place, known: dict[str, Found], likely: Likely, besides: Sequence[Path]) -> Iterator[Found]:
    files = s3.files_below(folder, besides)
    for file in islice(files, _MOST_LISTED):
        name = s3.told_name(file, folder)
        yield known.get(name) or _not_asked_for(file, name, likely, leads_outside(file, folder))
    if next(files, None):
        yield Found("…", "not asked for", note=f"more than {_MOST_LISTED:,} files; the others are not listed")


def _not_asked_for(file: Place, name: str, likely: Likely, is_outside: bool) -> Found:
    notes = [LEADS_OUTSIDE] if is_outside else []
    if is_outside and not file.is_file():
        return Found(name, "not asked for", note=LEADS_OUTSIDE)
    try:
        own = _looked_at(file)
    except (ImpasseError, OSError) as error:
        return Found(name, "unreadable", note=error.what if isinstance(error, ImpasseError) else f"{error.strerror}")
    notes += [note for note in [likely.table(name) or likely.twin(own)] if note]
    return Found(name, "not asked for", note="; ".join(notes))


def _looked_at(file: Place) -> list[str]:
    """The names of the columns of what looks like a table by its ending; only a folder that is a link is no file."""
    if isinstance(file, Path) and file.is_dir():
        return []
    require_regular(file)
    if file.name.lower().endswith(".parquet"):
        return parquet.names_of(file)
    return csv.guess_columns(file) if file.name.lower().endswith(_TABULAR) else []


def _one_case(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)
