"""Averages that slide over events: how much a day, by an event, its two neighbours and the days between them.

The weights are those of the worked example in table 2 of Tanskanen 2015 (doi:10.1186/s12911-015-0140-z), which has no
other solution: an event weighs four times each of its neighbours; the first and the last, which have one neighbour,
weigh five times it.
"""

from __future__ import annotations

import numpy as np

from impasse.transforms.kernels.compiled import compiled

_INNER, _OUTER = 4, 5
_FEWEST = 3  # with two events each average would be the other's


@compiled
def sliding_averages(
    first: np.ndarray, day: np.ndarray, amount: np.ndarray, longest: int
) -> tuple[np.ndarray, np.ndarray]:
    """The amount a day around each event, NaN where fewer than three lie together; and the first of those that do.

    `first` marks the first event of each group; events come sorted by day, each on a day of its own. Events more than
    `longest` days apart do not lie together, and an amount of 0, which is not known, parts those before from those
    after. The days after the last event are those that its amount takes at the pace of the one before, `longest` at
    most.
    """
    average, opens = np.full(len(day), np.nan), np.zeros(len(day), dtype=np.bool_)
    begin = 0
    for row in range(len(day) + 1):
        is_over = row == len(day) or first[row] or amount[row] <= 0
        if is_over or amount[row - 1] <= 0 or day[row] - day[row - 1] > longest:
            _slide(average, day, amount, begin, row, longest)
            begin = row
            if row < len(day):
                opens[row] = True
    return average, opens


@compiled
def relative_spreads(opens: np.ndarray, value: np.ndarray) -> np.ndarray:
    """For each row the standard deviation of the values of its group over their mean; `opens` marks each group's first.

    Groups are whole: the sum of squares is divided by how many values there are.
    """
    spread = np.empty(len(value))
    begin = 0
    for row in range(1, len(value) + 1):
        if row == len(value) or opens[row]:
            mean = value[begin:row].mean()
            spread[begin:row] = np.sqrt(((value[begin:row] - mean) ** 2).mean()) / mean
            begin = row
    return spread


@compiled
def _slide(average: np.ndarray, day: np.ndarray, amount: np.ndarray, begin: int, after: int, longest: int) -> None:
    """Fill in the averages of events that lie together."""
    last = after - 1
    if after - begin < _FEWEST:
        return
    to_last = day[last] - day[last - 1]
    rest = min(amount[last] * to_last / amount[last - 1], float(longest))
    average[begin] = (_OUTER * amount[begin] + amount[begin + 1]) / (
        _OUTER * (day[begin + 1] - day[begin]) + (day[begin + 2] - day[begin + 1])
    )
    for row in range(begin + 1, last):
        following = rest if row + 1 == last else float(day[row + 2] - day[row + 1])
        days = (day[row] - day[row - 1]) + _INNER * (day[row + 1] - day[row]) + following
        average[row] = (amount[row - 1] + _INNER * amount[row] + amount[row + 1]) / days
    average[last] = (_OUTER * amount[last] + amount[last - 1]) / (_OUTER * rest + to_last)
