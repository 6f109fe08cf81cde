"""Truths that may be unknown, for many rows at once: is it sure, and is it possible?

True is both, false is neither, unknown is possible only. Kleene's and, or and not fall out of that, and so do
the two bounds of every count: what is sure makes the lower one, what is possible the upper.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

import numpy as np
import polars as pl


@dataclass(frozen=True, slots=True)
class Bounds:
    """One truth per row, in two arrays of booleans; what is sure is possible."""

    sure: np.ndarray
    possible: np.ndarray

    @classmethod
    def known(cls, truths: np.ndarray) -> Bounds:
        """Truths of which none is unknown."""
        return cls(truths, truths)

    @classmethod
    def of(cls, truths: pl.Series) -> Bounds:
        """A nullable column of booleans."""
        numbers = truths.cast(pl.Float32).to_numpy()  # null becomes NaN, which equals nothing
        return cls(numbers == 1, numbers != 0)

    def __and__(self, other: Bounds) -> Bounds:
        return Bounds(self.sure & other.sure, self.possible & other.possible)

    def __or__(self, other: Bounds) -> Bounds:
        return Bounds(self.sure | other.sure, self.possible | other.possible)

    def __invert__(self) -> Bounds:
        return Bounds(~self.possible, ~self.sure)

    def __getitem__(self, rows: np.ndarray) -> Bounds:
        return Bounds(self.sure[rows], self.possible[rows])

    @property
    def is_known(self) -> np.ndarray:
        """Is it known to be true or known to be false?"""
        return self.sure == self.possible

    def expression(self) -> pl.Expr:
        """A nullable column of booleans, in a query over the same rows."""
        return pl.when(pl.Series(self.is_known)).then(pl.Series(self.sure))

    def series(self) -> pl.Series:
        """A nullable column of booleans."""
        return pl.select(self.expression()).to_series()


def all_of(parts: Iterable[Bounds]) -> Bounds:
    """Kleene's and over some truths of the same rows."""
    return reduce(and_, parts)


def any_of(parts: Iterable[Bounds]) -> Bounds:
    """Kleene's or over some truths of the same rows."""
    return reduce(or_, parts)


def where(test: np.ndarray, then: Bounds, otherwise: Bounds) -> Bounds:
    """Row by row one truth or the other."""
    return Bounds(np.where(test, then.sure, otherwise.sure), np.where(test, then.possible, otherwise.possible))
