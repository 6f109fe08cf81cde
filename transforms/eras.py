"""Joining intervals that lie close together: the one trick behind episodes, trials and sessions.

Group and day are packed into one integer, `group * 2^20 + day`. Because groups come in order, a plain
running maximum over the whole column never looks back into an earlier group (an earlier group's
packed days are all smaller), so no per-group window is needed. A row opens a new era when its first
day lies more than `gap` beyond everything seen so far in its group.
"""

from __future__ import annotations

import numpy as np
import polars as pl

_DAY_BITS = 20  # day numbers, shifted to be positive, stay below 2^20 (years 533 to 3403)
_SHIFT = 1 << (_DAY_BITS - 1)


def packed(group: pl.Expr, day: pl.Expr) -> pl.Expr:
    """Group and day in one integer that sorts as the pair does."""
    return group.cast(pl.Int64) * (1 << _DAY_BITS) + day.cast(pl.Int64) + _SHIFT


def running_end(group: pl.Expr, end: pl.Expr) -> pl.Expr:
    """The latest end seen so far within the row's group; rows come sorted by group."""
    return (packed(group, end).cum_max() - _SHIFT - group.cast(pl.Int64) * (1 << _DAY_BITS)).cast(pl.Int32)


def opens_era(group: pl.Expr, start: pl.Expr, end: pl.Expr, gap: int) -> pl.Expr:
    """True for rows that start more than `gap` days after every earlier end of their group.

    Rows come sorted by (group, start). With `end` the first uncovered day, the gap is counted in
    uncovered days; with `end` the last covered day, as the difference between two dates.
    """
    seen = packed(group, end).cum_max().shift(1)
    return (packed(group, start) > seen + gap).fill_null(True)


def stocked(first: np.ndarray, day: np.ndarray, days: np.ndarray, cap: int) -> np.ndarray:
    """Days by which each dispensing waits for leftover supply, at most `cap`.

    `first` marks the first row of each drug of an episode; rows come sorted by day. The leftover at
    a row is what the row before has not used up: a chain of dependent steps, so rows are taken by
    their rank within their group: all first rows, all second rows, ... at once.
    """
    starts = np.flatnonzero(first)
    lengths = np.diff(np.append(starts, len(day)))
    order = np.argsort(-lengths, kind="stable")
    starts, lengths = starts[order], lengths[order]
    carry = np.zeros(len(day), dtype=np.int64)
    for rank in range(1, int(lengths.max(initial=0))):
        row = starts[: np.searchsorted(-lengths, -rank, side="left")] + rank
        end_before = day[row - 1] + carry[row - 1] + days[row - 1]
        carry[row] = np.clip(end_before - day[row], 0, cap)
    return carry
