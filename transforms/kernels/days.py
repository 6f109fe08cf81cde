"""Joining spans of days that lie close together, and finding days near others.

A row opens a new era when its first day lies more than `gap` beyond everything seen so far in its group.

Group and day packed into one integer, `group * 2^20 + day`, sort as the pair does, and find a day near another by
binary search, in place of a join.
"""

from __future__ import annotations

import numpy as np

from impasse.transforms.kernels.compiled import compiled
from impasse.transforms.kernels.segments import NEVER

_DAY_BITS = 20  # day numbers, shifted to be positive, stay below 2^20 (years 533 to 3403)
_SHIFT = 1 << (_DAY_BITS - 1)
LONG_AGO = np.int32(-_SHIFT)  # before every day


def packed(group: np.ndarray, day: np.ndarray | np.int32) -> np.ndarray:
    """Group and day in one integer that sorts as the pair does."""
    return (group.astype(np.int64) << _DAY_BITS) + day + _SHIFT


def unpacked(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Group and day of packed integers."""
    return keys >> _DAY_BITS, (keys & (2 * _SHIFT - 1)) - _SHIFT


@compiled
def opens_era(group: np.ndarray, start: np.ndarray, end: np.ndarray, gap: int) -> np.ndarray:
    """True for rows that start more than `gap` days after every earlier end of their group.

    Rows come sorted by (group, start). With `end` the first uncovered day, the gap is counted in
    uncovered days; with `end` the last covered day, as the difference between two dates.
    """
    opens, seen = np.ones(len(group), dtype=np.bool_), 0
    for row in range(len(group)):
        if row > 0 and group[row] == group[row - 1]:
            opens[row] = start[row] > seen + gap
            seen = max(seen, end[row])
        else:
            seen = end[row]
    return opens


@compiled
def stocked(first: np.ndarray, is_own_day: np.ndarray, day: np.ndarray, days: np.ndarray, cap: int) -> np.ndarray:
    """Days by which each row waits, at most `cap`, for what the row before has left over of its `days`.

    `first` marks the first row of each group; rows come sorted by day. Where the row before `is_own_day`, one that was
    got on the same day, a row waits however long that is, unless the cap is 0.
    """
    waits = np.zeros_like(day)
    for row in range(1, len(day)):
        if not first[row]:
            leftover = day[row - 1] + waits[row - 1] + days[row - 1] - day[row]
            waits[row] = max(leftover, 0) if cap > 0 and is_own_day[row] else min(max(leftover, 0), cap)
    return waits


@compiled
def not_after_next(group: np.ndarray, day: np.ndarray) -> np.ndarray:
    """The day of each row, or an earlier one that a later row of its group has."""
    first = day.copy()
    for row in range(len(day) - 2, -1, -1):
        if group[row] == group[row + 1]:
            first[row] = min(first[row], first[row + 1])
    return first


@compiled
def days_taken(
    borders: np.ndarray, taken_from: np.ndarray, taken_end: np.ndarray, are_delivered: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Of each supply the days until the next one is taken, or the era is over, and of these the days it covers.

    `borders` are those of eras. Where days of supply are not read, all are covered.
    """
    span_days, covered_days = np.empty_like(taken_from), np.empty_like(taken_from)
    for era in range(len(borders) - 1):
        begin, after = borders[era], borders[era + 1]
        covered_to = taken_end[begin]
        for row in range(begin, after):
            covered_to = max(covered_to, taken_end[row])
            until = taken_from[row + 1] if row + 1 < after else max(covered_to, taken_from[row])
            span_days[row] = until - taken_from[row]
            covered_days[row] = span_days[row]
            if are_delivered:
                covered_days[row] = min(span_days[row], max(covered_to - taken_from[row], 0))
    return span_days, covered_days


class Days:
    """A table of days by group (a person, say), sorted by both, in which to look up the nearest."""

    def __init__(self, group: np.ndarray, day: np.ndarray) -> None:
        self.day = day
        self._keys = packed(group, day)

    @classmethod
    def of_keys(cls, keys: np.ndarray) -> Days:
        """The table of sorted keys, which are groups and days packed."""
        return cls(*unpacked(keys))

    def __len__(self) -> int:
        return len(self._keys)

    def distinct(self) -> Days:
        """The same days, each once in a group."""
        return Days.of_keys(self._keys[np.append(True, self._keys[1:] != self._keys[:-1])[: len(self)]])

    def only(self, rows: np.ndarray) -> Days:
        """Some of the rows, as a mask."""
        return Days.of_keys(self._keys[rows])

    def first_of_each(self, n_groups: int) -> np.ndarray:
        """The first day of each of the groups, which are numbered from 0; NEVER where there is none."""
        first = np.full(n_groups, NEVER)
        first[self._keys[::-1] >> _DAY_BITS] = self.day[::-1]  # of a group's rows the last one stays, the earliest
        return first

    def number_before(self, group: np.ndarray, day: np.ndarray | np.int32) -> np.ndarray:
        """For each asked group and day how many rows of the table come before, those of earlier groups included."""
        return np.searchsorted(self._keys, packed(group, day), side="left")

    def last_within(self, group: np.ndarray, opens: np.ndarray, closes: np.ndarray) -> np.ndarray:
        """For each asked group and span of days the last row of the table in it; -1 if there is none."""
        row = np.searchsorted(self._keys, packed(group, closes), side="right") - 1
        return self._checked(row, packed(group, opens), packed(group, closes))

    def first_within(self, group: np.ndarray, opens: np.ndarray, closes: np.ndarray) -> np.ndarray:
        """For each asked group and span of days the first row of the table in it; -1 if there is none."""
        row = np.searchsorted(self._keys, packed(group, opens), side="left")
        return self._checked(row, packed(group, opens), packed(group, closes))

    def number_within(self, group: np.ndarray, opens: np.ndarray, closes: np.ndarray) -> np.ndarray:
        """For each asked group and span of days how many rows of the table are in it."""
        return np.maximum(self.number_before(group, closes + 1) - self.number_before(group, opens), 0)

    def _checked(self, row: np.ndarray, opens: np.ndarray, closes: np.ndarray) -> np.ndarray:
        if not len(self._keys):
            return np.full(len(row), -1)
        found = self._keys[np.clip(row, 0, len(self._keys) - 1)]
        return np.where((found >= opens) & (found <= closes), row, -1)
