"""What the start of another drug says of one: that it was taken until then, or that it was not taken any longer.

A drug dispensed once lasts until the next drug starts, where that is soon: so programs do that read dates alone. And a
drug that is not dispensed again once another is begun may end there, though its supply reaches further.
"""

from __future__ import annotations

import numpy as np

from impasse.transforms.history.exposures import Supplies
from impasse.transforms.kernels.compiled import compiled
from impasse.transforms.kernels.segments import NEVER, Segments


def until_next_drug(
    rows: Supplies, taken_end: np.ndarray, days: np.ndarray, eras: Segments, at_most: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The end and the days of each supply, and for each era whether it was one that lasts until the next drug starts.

    The next drug of the episode starts at most so many days after it, and not before its supply has ended.
    """
    episode, treatment, start = (column[eras.first] for column in (rows.episode, rows.treatment, rows.day))
    next_start = _next_drugs(episode, treatment, start, np.ones(len(start), dtype=bool))
    lasts = (eras.lengths == 1) & (next_start - start <= at_most) & (taken_end[eras.first] < next_start)
    row = eras.first[lasts]
    taken_end, days = taken_end.copy(), days.copy()
    taken_end[row] = next_start[lasts]
    days[row] = next_start[lasts] - start[lasts]
    return taken_end, days, lasts


def left_for_another(rows: Supplies, eras: Segments, is_main: np.ndarray) -> np.ndarray:
    """For each era of a main drug the day another one was begun, if it was not dispensed then or later; else NEVER."""
    episode, treatment, start = (column[eras.first] for column in (rows.episode, rows.treatment, rows.day))
    is_meant = is_main[treatment]
    next_start = _next_drugs(episode, treatment, start, is_meant)
    last_given = rows.day[eras.first + eras.lengths - 1]
    return np.where(is_meant & (last_given < next_start), next_start, NEVER)


@compiled
def _next_drugs(episode: np.ndarray, treatment: np.ndarray, start: np.ndarray, is_meant: np.ndarray) -> np.ndarray:
    """The first day after each era's start on which another drug that is meant starts, NEVER if none does."""
    following = np.full(len(episode), NEVER)
    opens = 0
    for era in range(len(episode)):
        if episode[era] != episode[opens]:
            opens = era
        other = opens
        while other < len(episode) and episode[other] == episode[era]:
            if is_meant[other] and treatment[other] != treatment[era] and start[other] > start[era]:
                following[era] = min(following[era], start[other])
            other += 1
    return following
