"""Definitions side by side: definitions in, one table per block out, a row for each definition and a column for each
setting in which they differ. Cells are in words; what differs from the most frequent value is marked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from impasse.reports.words.contrast import NOT_THERE
from impasse.reports.words.settings import settings
from impasse.schemas.definition import BLOCKS, Definition

# A rule has alternatives, items or levels: they stand in one column.
_TOGETHER = dict.fromkeys(("any_of", "items", "levels"), "alternatives, items or levels")


@dataclass(frozen=True)
class Cell:
    """A value in words, and whether it is another than most have."""

    text: str
    differs: bool


@dataclass(frozen=True)
class Side:
    """One block of several definitions: the settings that all share, and the others as a table."""

    block: str
    shared: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


def side_by_side(definitions: Sequence[Definition]) -> list[Side]:
    """The five blocks of several definitions, in the order they come in."""
    return [_side(block, {d.id: _settings(d, block) for d in definitions}) for block in BLOCKS]


def _settings(d: Definition, block: str) -> dict[str, str]:
    return {_TOGETHER.get(name, name): value for name, value in settings(getattr(d, block)).items()}


def _side(block: str, values: dict[str, dict[str, str]]) -> Side:
    """A setting that only one kind of block has is not there in the others."""
    names = dict.fromkeys(name for found in values.values() for name in found)
    columns = {name: [found.get(name, NOT_THERE) for found in values.values()] for name in names}
    shared = tuple((name, cells[0]) for name, cells in columns.items() if len(set(cells)) == 1)
    usual = {name: _usual(cells) for name, cells in columns.items() if len(set(cells)) > 1}
    rows = [
        (id, tuple(_cell(found.get(name, NOT_THERE), most) for name, most in usual.items()))
        for id, found in values.items()
    ]
    return Side(block, shared, tuple(usual), tuple(rows))


def _usual(cells: list[str]) -> str:
    """The most frequent value, the first of several; nothing where each has its own."""
    value, times = Counter(cell for cell in cells if cell != NOT_THERE).most_common(1)[0]
    return value if times > 1 else ""


def _cell(text: str, usual: str) -> Cell:
    return Cell(text, text != NOT_THERE and usual not in ("", text))
