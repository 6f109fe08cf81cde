"""Rows that lie together, group by group.

Where arrays come in the order of their groups, what a database does by joining and grouping is
a sum between two borders, a loop over the rows (compiled.py), or a binary search in packed integers (days.py);
none of them sorts, hashes or copies whole tables.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

NEVER = 2**31 - 1  # a day that does not come, as a 32-bit integer


class Segments:
    """Groups of rows that lie together: `first` is each group's first row, `of` each row's group."""

    def __init__(self, *keys: np.ndarray) -> None:
        """Rows are of one group where all keys are as in the row before."""
        opens = np.ones(len(keys[0]), dtype=bool)
        if len(opens) > 1:
            opens[1:] = keys[0][1:] != keys[0][:-1]
            for key in keys[1:]:
                opens[1:] |= key[1:] != key[:-1]
        self._begin(opens)

    @classmethod
    def opened_by(cls, opens: np.ndarray) -> Segments:
        """Groups that begin at the rows that open one, of which the first row must be one."""
        made = cls.__new__(cls)
        made._begin(opens)
        return made

    def _begin(self, opens: np.ndarray) -> None:
        self.first = np.flatnonzero(opens)
        self.n_rows = len(opens)
        self._opens = opens

    def __len__(self) -> int:
        return len(self.first)

    @cached_property
    def lengths(self) -> np.ndarray:
        """How many rows each group has."""
        return np.diff(self.first, append=self.n_rows)

    @cached_property
    def borders(self) -> np.ndarray:
        """The first row of each group, and the end of the last."""
        return np.append(self.first, self.n_rows)

    @cached_property
    def of(self) -> np.ndarray:
        """The group of each row."""
        return np.cumsum(self._opens) - 1

    @cached_property
    def rank(self) -> np.ndarray:
        """The place of each row within its group, from 0."""
        return np.arange(self.n_rows) - self.first[self.of]

    def sum(self, values: np.ndarray) -> np.ndarray:
        """The sum of each group, or the number of true values."""
        return np.add.reduceat(values, self.first, dtype=np.int64)

    def any(self, flags: np.ndarray) -> np.ndarray:
        """Whether some row of each group is true."""
        return np.logical_or.reduceat(flags, self.first)

    def max(self, values: np.ndarray) -> np.ndarray:
        """The largest value of each group."""
        return np.maximum.reduceat(values, self.first)

    def min(self, values: np.ndarray) -> np.ndarray:
        """The smallest value of each group."""
        return np.minimum.reduceat(values, self.first)


def ragged(first: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ranges of rows one after the other: for each of their rows the range it is of, and the row."""
    of = np.repeat(np.arange(len(first)), lengths)
    begin = np.cumsum(lengths) - lengths
    return of, np.arange(len(of)) - begin[of] + first[of]


def in_order(keys: np.ndarray) -> np.ndarray:
    """The rows by their keys (whole numbers), equal ones in their order.

    Keys often lie in long runs that rise: merging those is several times faster than sorting numbers that lie anyhow.
    """
    return np.argsort(keys, kind="stable")


def distinct(keys: np.ndarray) -> np.ndarray:
    """The keys in order, each once; by merging runs that rise, several times faster than NumPy's hashing."""
    ordered = np.sort(keys, kind="stable")
    is_new = np.ones(len(ordered), dtype=bool)
    is_new[1:] = ordered[1:] != ordered[:-1]
    return ordered[is_new]


def places(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The keys in order, each once, and the place of each row's key among them."""
    met = distinct(keys)
    return met, np.searchsorted(met, keys)
