"""What is found in a delivery: one entry for each of its files, or for each table and view of a database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NO_ROWS = "a header without rows: it shows nothing"
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
