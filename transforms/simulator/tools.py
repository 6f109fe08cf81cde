"""Small tools of the made-up registry: draws by weight, rows held as columns, days and words as they are delivered."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import numpy as np
import polars as pl

FIRST_DATE = date(2012, 1, 1)
LAST_DATE = date(2021, 12, 31)
_EPOCH = date(1970, 1, 1)
OPENING, CLOSING = (FIRST_DATE - _EPOCH).days, (LAST_DATE - _EPOCH).days
NO_DAY = CLOSING + 10_000

Ints = np.ndarray
Bools = np.ndarray
Floats = np.ndarray
Rows = dict[str, np.ndarray]

_OLDEST = date(1900, 1, 1)
_DATE_TEXTS = pl.date_range(_OLDEST, LAST_DATE, eager=True).dt.to_string("%Y-%m-%d")


def pick(rng: np.random.Generator, shares: Iterable[float], n: int) -> Ints:
    """`n` places drawn by their shares."""
    edges = np.cumsum(list(shares))
    return np.searchsorted(edges / edges[-1], rng.random(n), side="right")


def pick_by(rng: np.random.Generator, shares: Floats, kind: Ints) -> Ints:
    """A place for each kind, drawn by the shares in that kind's row."""
    edges = np.cumsum(shares, axis=1)
    # Kind by kind on one increasing axis, so that a single search finds the place of each.
    axis = (edges / edges[:, -1:] + np.arange(len(shares))[:, None]).ravel()
    found = np.searchsorted(axis, kind + rng.random(kind.size), side="right")
    return np.minimum(found - kind * shares.shape[1], shares.shape[1] - 1)


def between(rng: np.random.Generator, limits: Ints) -> Ints:
    """A whole number for each row of limits, from the first up to but not including the second."""
    return rng.integers(limits[:, 0], limits[:, 1])


def position(count: Ints) -> Ints:
    """0, 1, 2 ... within each group, for groups of these sizes."""
    return np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)


def join(*tables: Rows) -> Rows:
    """Rows under rows."""
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


def take(rows: Rows, chosen: np.ndarray) -> Rows:
    """The chosen rows, by place or by truth."""
    return {name: values[chosen] for name, values in rows.items()}


def ordered(rows: Rows, *by: str) -> Rows:
    """The rows sorted by columns."""
    return take(rows, np.lexsort([rows[name] for name in reversed(by)]))


def dates(days: Ints) -> pl.Series:
    """Day numbers as ISO text; days after the end of the registry are not known and so are null."""
    return _DATE_TEXTS.gather(numbers(days - (_OLDEST - _EPOCH).days, days <= CLOSING))


def texts_at(texts: Iterable[str], index: Ints) -> pl.Series:
    """Texts by their places."""
    return pl.Series(list(texts)).gather(index)


def numbers(values: np.ndarray, is_known: Bools) -> pl.Series:
    """Numbers, null where they are not known."""
    return pl.Series(values).set(~pl.Series(is_known), None)
