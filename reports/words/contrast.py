"""Two definitions side by side: the settings in which they differ, and what that makes of each block, in words.

Ids, titles and sources are left out: what counts is what the definitions do.
"""

from __future__ import annotations

from dataclasses import dataclass

from impasse.reports.words.prose import describe
from impasse.reports.words.settings import settings
from impasse.schemas.definition import BLOCKS, Definition

NOT_THERE = "–"


@dataclass(frozen=True)
class Contrast:
    """One block in which two definitions differ: (setting, in a, in b) by setting, and the block's prose in each."""

    block: str
    settings: tuple[tuple[str, str, str], ...]
    prose: tuple[str, str]


def contrast(a: Definition, b: Definition) -> list[Contrast]:
    """The blocks in which two definitions differ, in their order; none if they do the same."""
    prose = describe(a), describe(b)
    return [
        Contrast(block, _settings(getattr(a, block), getattr(b, block)), (prose[0][block], prose[1][block]))
        for block in BLOCKS
        if getattr(a, block) != getattr(b, block)
    ]


def _settings(a: object, b: object) -> tuple[tuple[str, str, str], ...]:
    """A setting that only one kind of block has (counts or points) is not there in the other."""
    in_a, in_b = settings(a), settings(b)
    rows = ((name, in_a.get(name, NOT_THERE), in_b.get(name, NOT_THERE)) for name in {**in_a, **in_b})
    return tuple(row for row in rows if row[1] != row[2])
