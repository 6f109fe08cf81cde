"""What the parts of the report are made of: charts, tables that may be long, and definitions with their numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl
from markupsafe import Markup

from impasse.reports.display import figures

N_SHOWN = 10


@dataclass(frozen=True)
class Option:
    """A treatment that may be tried for a disorder, of the code list of options; does the delivery show it?"""

    id: str
    is_observed: bool


@dataclass(frozen=True)
class Figure:
    """One chart, drawn for wide and for narrow pages."""

    caption: str
    wide: Markup
    narrow: Markup


@dataclass(frozen=True)
class FoldedTables:
    """Tables, and under a label those that are folded away."""

    shown: list[Markup]
    label: str
    folded: list[Markup]


@dataclass(frozen=True)
class Numbered:
    """The definitions of one disorder, highest lower bound first, each with its number on this page.

    `own` are those that speak about no other disorder of the run: the strata and steps of others count all of theirs.
    """

    disorder: str
    order: list[str]
    own: list[str]
    titles: dict[str, str]
    shares: pl.DataFrame

    @property
    def own_only(self) -> str:
        """What a caption adds where not every definition is shown."""
        return "" if self.own == self.order else "; definitions of several disorders are left out"

    @property
    def keys(self) -> dict[str, int]:
        """Of every definition, its number on the page."""
        return {definition: number for number, definition in enumerate(self.order, start=1)}

    @property
    def names(self) -> dict[str, str]:
        """Number and title."""
        return {d: f"{n}. {self.titles[d]}" for d, n in self.keys.items()}

    @property
    def short(self) -> dict[str, str]:
        """Number and id."""
        return {d: f"{n} {d}" for d, n in self.keys.items()}

    @property
    def heads(self) -> dict[str, str]:
        """What heads the rows of tables after the first: of many definitions the short form, on one line each."""
        return self.names if len(self.order) <= figures.MANY else self.short


def first_and_all(table: Callable[..., str], order: list[str], caption: str, id: str) -> FoldedTables:
    """A table with a row for each definition of `order`; of many the first ones, and all of them folded away."""
    whole = Markup(table(order=order, caption=caption, id=id))
    if len(order) <= figures.MANY:
        return FoldedTables([whole], "", [])
    few = f"{caption} (the {N_SHOWN} with the highest lower bound)"
    some = table(order=order[:N_SHOWN], caption=few, id=f"{id}-first")
    return FoldedTables([Markup(some)], f"All {len(order)} definitions", [whole])
