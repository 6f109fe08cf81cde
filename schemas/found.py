"""What is found in a delivery: one entry for each of its files, or for each table and view of a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

NO_ROWS = "a header without rows: it shows nothing"
_MARKS = ("_SUCCESS", "_metadata", "_common_metadata")
State = Literal["read", "not asked for", "unreadable"]


@dataclass(frozen=True)
class Found:
    """A file or table by its `name` within the delivery.

    `read_as` is what it was read for and `rows` how many rows it has, where it was read; `note` is what a reader of the
    report should know of it.
    """

    name: str
    state: State
    read_as: str = ""
    rows: int | None = None
    note: str = ""


def by_folder(found: Iterable[Found]) -> list[Found]:
    """The same entries in their order, with those of one folder that are alike but for name and rows in one.

    Marks that a program leaves in every folder it writes are told last, each kind once.
    """
    listed = list(found)
    kinds = Counter(_last(entry.name) for entry in listed if _is_mark(entry))
    others = [entry for entry in listed if not _is_mark(entry)]
    return [*_by_folder(others), *(_marked(*kind) for kind in kinds.items())]


def _by_folder(found: Iterable[Found]) -> list[Found]:

    def kind(entry: Found) -> tuple[str, State, str, bool, str]:
        return _folder(entry.name), entry.state, entry.read_as, entry.rows is None, entry.note

    return [told for (folder, *_), entries in groupby(found, key=kind) for told in _together(folder, list(entries))]


def _is_mark(entry: Found) -> bool:
    return entry.state == "not asked for" and not entry.note and _last(entry.name) in _MARKS


def _marked(name: str, n: int) -> Found:
    return Found(f"{name} ({n} files)" if n > 1 else name, "not asked for", note="a mark of what wrote the tables")


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _together(folder: str, entries: list[Found]) -> list[Found]:
    first = entries[0]
    if not folder or len(entries) == 1:
        return entries
    rows = None if first.rows is None else sum(entry.rows or 0 for entry in entries)
    return [Found(f"{folder}/ ({len(entries)} files)", first.state, first.read_as, rows, first.note)]
