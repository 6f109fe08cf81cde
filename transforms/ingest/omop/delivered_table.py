"""An OMOP table as delivered, and what its rows are read by: columns by lower-case name in, expressions and drafts out.

Missing words are those of OMOP files; an id is text without ".0", a date %Y-%m-%d or %Y%m%d with any time after it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary

import polars as pl

from impasse.schemas.codelists import CodeLists
from impasse.schemas.concepts import OmopLists
from impasse.schemas.delivered import Delivered
from impasse.schemas.mapping import BLANK_WORDS, OMOP_DATES
from impasse.schemas.study import Study
from impasse.schemas.unfit import codes_as_numbers
from impasse.transforms.ingest import drafts
from impasse.transforms.ingest.drafts import Draft


@dataclass(frozen=True, eq=False)
class OmopRules:
    """What OMOP rows are read by: what concepts mean, which of them the code lists name, what the study states."""

    concepts: OmopLists
    codes: CodeLists
    study: Study


def once_per_delivery(look_up: Callable[..., pl.DataFrame]) -> Callable[..., pl.DataFrame]:
    """A table that rows are looked up in, made once for a delivery and not again for every piece of a file."""
    made: WeakKeyDictionary[Delivered, pl.DataFrame] = WeakKeyDictionary()

    @wraps(look_up)
    def kept(frame: OmopFrame, *rules: Any) -> pl.DataFrame:  # of whichever rules the look-up takes
        if frame.delivered not in made:
            made[frame.delivered] = look_up(frame, *rules)
        return made[frame.delivered]

    return kept


class OmopFrame:
    """An OMOP table as delivered, read by lower-case column names."""

    def __init__(self, delivered: Delivered, name: str, piece: pl.DataFrame | None = None) -> None:
        self.delivered, self.name = delivered, name
        self.raw = delivered.whole(name) if piece is None else piece
        self.low = self.raw.rename({column: column.lower() for column in self.raw.columns})

    def has(self, *tables: str) -> bool:
        """Whether all of these tables were delivered."""
        return all(table in self.delivered for table in tables)

    def text(self, column: str, optional: bool = False) -> pl.Expr:
        """A column as text; null throughout where an optional one is not there."""
        there = drafts.find_column(self.low, (column,), self.name, optional)
        return drafts.text(self.low, column, BLANK_WORDS) if there else pl.lit(None, dtype=pl.String)

    def key(self, column: str, optional: bool = False) -> pl.Expr:
        """A column of identifiers as text."""
        there = drafts.find_column(self.low, (column,), self.name, optional)
        return drafts.key(self.low, column, self.name, BLANK_WORDS) if there else pl.lit(None, dtype=pl.String)

    def codes(self, column: str, optional: bool = False, is_exact: pl.Expr | None = None) -> pl.Expr:
        """A column of codes as text; one of numbers is refused, unless all its filled rows are `is_exact`."""
        there = drafts.find_column(self.low, (column,), self.name, optional)
        if there and self.low.schema[column].is_numeric():
            self._refuse_numbers(column, pl.lit(False) if is_exact is None else is_exact)
        return self.text(column, optional)

    def _refuse_numbers(self, column: str, is_exact: pl.Expr) -> None:
        """Stop at a number that may have been another code; blanks are of any type."""
        drafts.key(self.low, column, self.name)
        is_filled = self.text(column, True).is_not_null()
        if self.low.select((is_filled & ~is_exact.fill_null(False)).any()).item():
            raise codes_as_numbers(column, self.name)

    def number(self, column: str, optional: bool = False) -> pl.Expr:
        """A column of numbers."""
        return drafts.parse_number(self.text(column, optional))

    def day(self, column: str, optional: bool = False, partial: str = "") -> pl.Expr:
        """A column of dates; one known by month or year only is where `partial` says, if it says so."""
        there = drafts.find_column(self.low, (column,), self.name, optional)
        if there and self.low.schema[column].is_temporal():
            return drafts.calendar_day(pl.col(column), self.low.schema[column])
        told = self.text(column, optional)
        return drafts.day_of_span(told, OMOP_DATES, partial) if partial else drafts.day(told, OMOP_DATES)

    def has_cell(self, column: str) -> pl.Expr:
        """Whether something is written in a column that need not be there."""
        is_time = self.low.schema.get(column, pl.String()).is_temporal()
        return (pl.col(column) if is_time else self.text(column, True)).is_not_null()

    def unreadable(self, *columns: str, amounts: tuple[str, ...] = (), partial: str = "") -> pl.Expr:
        """The rule for dates, and amounts, that are there and cannot be read."""
        dates = [self.has_cell(column) & self.day(column, True, partial).is_null() for column in columns]
        numbers = [self.text(column, True).is_not_null() & self.number(column, True).is_null() for column in amounts]
        no_date = pl.when(pl.any_horizontal(dates)).then(pl.lit("date_unreadable"))
        no_number = pl.when(pl.any_horizontal(pl.lit(False), *numbers)).then(pl.lit("supply_unreadable"))
        return pl.coalesce(no_date, no_number).alias("rule")

    def select(self, *facts: pl.Expr, **named: pl.Expr) -> pl.DataFrame:
        """Some facts of all rows."""
        return self.low.select(*facts, **named)

    def draft(self, *facts: pl.Expr, **named: pl.Expr) -> Draft:
        """The rows with their facts."""
        row = pl.int_range(pl.len(), dtype=pl.UInt32).alias("row")
        # Lazily: only then does Polars compute once what several columns use.
        return Draft(self.raw, self.low.lazy().select(row, *facts, **named).collect())


def known(concept: pl.Expr) -> pl.Expr:
    """A concept id that stands for something; 0 is "no matching concept"."""
    return pl.when(concept != "0").then(concept)
