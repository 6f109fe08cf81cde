"""How many rows of a group hold, of different kinds, and since which day: what one adds depends on those beside it.

A truth is 0 (no), 1 (yes) or 2 (cannot be told); so every number has a lower and an upper bound.
"""

from __future__ import annotations

import numpy as np

from impasse.transforms.kernels.compiled import compiled
from impasse.transforms.kernels.segments import NEVER

NO, YES, PERHAPS = range(3)
# What a row is: one of the kinds, numbered from 0, or one of these.
OWN_KIND, UNKNOWN_KIND = -1, -2
TIMINGS = ("any", "before", "last")
_, _BEFORE, _LAST = range(len(TIMINGS))
COUNT = np.dtype([("n", np.int64), ("timing", np.int64), ("by_end", np.int64)])


@compiled
def fewest_and_most(
    n_groups: int, group: np.ndarray, truth: np.ndarray, kind: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How many rows of each group hold at least, and at most; those of one kind are one.

    Rows come in the order of their groups. Of rows whose kind is not known each may be another kind; surely there is
    one kind at least.
    """
    fewest, most = np.zeros(n_groups, dtype=np.int32), np.zeros(n_groups, dtype=np.int32)
    row = 0
    while row < len(truth):
        mine, opens, has_unknown_kind = group[row], row, False
        while row < len(truth) and group[row] == mine:
            if truth[row] != NO:
                is_sure, is_new, is_surely_new = truth[row] == YES, True, True
                if kind[row] == UNKNOWN_KIND:
                    has_unknown_kind |= is_sure
                    is_sure = False
                elif kind[row] != OWN_KIND:
                    for other in range(opens, row):
                        if truth[other] != NO and kind[other] == kind[row]:
                            is_new = False
                            is_surely_new &= truth[other] != YES
                most[mine] += is_new
                fewest[mine] += is_sure and is_surely_new
            row += 1
        fewest[mine] = max(fewest[mine], has_unknown_kind)
    return fewest, most


@compiled
def first_days(
    n_groups: int, group: np.ndarray, counts: np.ndarray, truths: np.ndarray, kinds: np.ndarray, is_sure: bool,
    start: np.ndarray, end: np.ndarray, closes: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """The first day on which all counts hold in each group, NEVER where there is none.

    `counts` (see COUNT) has a row for each count, and so have `truths` and `kinds`. A row counts where its truth is yes
    or, unless `is_sure`, unknown: from its `start` or, if the count goes `by_end`, its end (NEVER where that is not
    known), until the day it `closes`. Tried is each day on which a row begins to count and, where it must have counted
    before, the day after: between two such days no number rises.
    """
    days = np.full(n_groups, NEVER)
    room = np.empty(len(group), dtype=np.int64)
    days_after = 1 if (counts["timing"] == _BEFORE).any() else 0
    after = 0
    while after < len(group):
        mine, first = group[after], after
        while after < len(group) and group[after] == mine:
            after += 1
        rows = range(first, after)
        if not _has_enough(counts, truths, is_sure, rows):
            continue
        for opening in range(len(counts)):
            for row in rows:
                if not _counts(truths[opening, row], is_sure):
                    continue
                opens = _opens(counts[opening], start[row], end[row])
                for day in range(opens, min(opens + days_after + 1, days[mine])):
                    if _all_hold(day, counts, is_sure, truths, kinds, rows, start, end, closes, room):
                        days[mine] = day
                        break
    return days


@compiled
def _has_enough(counts: np.ndarray, truths: np.ndarray, is_sure: bool, rows: range) -> bool:
    """Are there as many rows for each count, whatever their days and kinds?"""
    for n in range(len(counts)):
        number = 0
        for row in rows:
            number += _counts(truths[n, row], is_sure)
        if number < counts[n]["n"]:
            return False
    return True


@compiled
def _all_hold(
    day: int, counts: np.ndarray, is_sure: bool, truths: np.ndarray, kinds: np.ndarray, rows: range, start: np.ndarray,
    end: np.ndarray, closes: np.ndarray, room: np.ndarray,
) -> bool:  # fmt: skip
    """Do all counts hold on a day over the rows of a group?"""
    for n in range(len(counts)):
        if not _holds(day, counts[n], is_sure, truths[n], kinds[n], rows, start, end, closes, room):
            return False
    return True


@compiled
def _holds(
    day: int, count: np.void, is_sure: bool, truth: np.ndarray, kind: np.ndarray, rows: range, start: np.ndarray,
    end: np.ndarray, closes: np.ndarray, room: np.ndarray,
) -> bool:  # fmt: skip
    """Does one count hold on a day over the rows of a group? There is `room` to note their kinds."""
    n_kinds, n_unknown = 0, 0
    is_last = False
    for row in rows:
        opens = _opens(count, start[row], end[row])
        has_begun = opens < day if count["timing"] == _BEFORE else opens <= day
        if not (_counts(truth[row], is_sure) and has_begun and day <= closes[row]):
            continue
        is_dated = end[row] != NEVER or not count["by_end"]
        is_last |= opens == day or not is_dated  # a day that is not known may be this one
        if kind[row] == UNKNOWN_KIND:
            n_unknown += 1
        else:
            room[n_kinds] = kind[row]
            n_kinds += kind[row] == OWN_KIND or _first_place(kind[row], room) == n_kinds
    # Those that are not known may each be another kind; surely there is one kind at least.
    number = max(n_kinds, min(n_unknown, 1)) if is_sure else n_kinds + n_unknown
    return number >= count["n"] and (is_last or count["timing"] != _LAST)


@compiled
def _counts(truth: int, is_sure: bool) -> bool:
    return truth == YES or (truth == PERHAPS and not is_sure)


@compiled
def _opens(count: np.void, start: int, end: int) -> int:
    """The first day on which a row may count: its end or, where that is not asked for or not known, its start."""
    return end if count["by_end"] and end != NEVER else start


@compiled
def _first_place(kind: int, kinds: np.ndarray) -> int:
    """Where a kind is found first; there are few of them, so that no order is needed."""
    place = 0
    while kinds[place] != kind:
        place += 1
    return place
