"""Spans that begin where those before leave off, and what is left of those when the next one comes."""

from __future__ import annotations

import numpy as np

from impasse.transforms.kernels.compiled import compiled


@compiled
def taken_one_by_one(
    first: np.ndarray, goes_on: np.ndarray, day: np.ndarray, days: np.ndarray, is_open: np.ndarray,
    pace: np.ndarray, cap: int,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """The begin and the end of each row, which waits, at most `cap` days, for what the row before has left over.

    `first` marks the first row of each group; rows come sorted by day. A row that `goes_on` follows the one before
    without a gap. What earlier rows of the group have left over is an amount: days left x pace of the row before / pace
    of this row, rounded down; where one pace is not above 0, the days themselves. More days than `cap` that way are no
    more than they were. For what is of its own day a row waits however long that is, unless the cap is 0. A row that
    `is_open` has at most `cap` days left on a later day.
    """
    begin, end = np.zeros(len(day), dtype=np.int64), np.zeros(len(day), dtype=np.int64)
    opens = 0
    for row in range(len(day)):
        if first[row]:
            opens = row
        since = np.int64(day[row])
        if goes_on[row]:
            since = end[row - 1]
        elif not first[row]:
            for earlier in range(opens, row):
                capped = is_open[earlier] and day[earlier] < day[row]
                for side in range(2):
                    at = begin[earlier] if side == 0 else end[earlier]
                    left = at - day[row]
                    if left > 0:
                        if pace[row - 1] > 0 and pace[row] > 0:
                            left = min(left * pace[row - 1] // pace[row], max(left, cap))
                        if capped:
                            left = min(left, cap)
                        at = day[row] + left
                    if side == 0:
                        begin[earlier] = at
                    else:
                        end[earlier] = at
            left = max(end[row - 1] - day[row], 0)
            since += left if cap > 0 and day[row] == day[row - 1] else min(left, cap)
        begin[row] = since
        end[row] = since + days[row]
    return begin, end
