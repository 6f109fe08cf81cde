"""Supplies of unknown length -> the latest day on which each era may have ended.

A supply whose days are not known lasts no longer than the study lets any supply last. Eras are told apart as if it
lasted no day; if it lasted longer, what is left over may push later supplies back, and the drug's next era may be the
same one.
"""

from __future__ import annotations

import numpy as np

from impasse.transforms.history.encode import UNKNOWN
from impasse.transforms.history.exposures import Supplies
from impasse.transforms.kernels.compiled import compiled
from impasse.transforms.kernels.days import LONG_AGO, stocked
from impasse.transforms.kernels.segments import Segments


def latest_days(
    rows: Supplies, days: np.ndarray, eras: Segments, last_day: np.ndarray, is_settled: np.ndarray,
    taken_until: np.ndarray, *, gap: int, carry_over_cap: int, max_days: int,
) -> np.ndarray:  # fmt: skip
    """For each era the latest day on which it may have ended; its `last_day` where no supply of the drug is unknown.

    So it is where the last day `is_settled`. `days` are those of the supplies, `taken_until` is the last day for which
    each is taken; leftovers of up to `carry_over_cap` days are carried over.
    """
    drugs = Segments(rows.episode, rows.treatment)
    latest = last_day.copy()
    is_unknown = np.zeros(len(drugs), dtype=bool)
    is_unknown[drugs.of[days == UNKNOWN]] = True
    if not is_unknown.any():
        return latest
    asked = np.flatnonzero(is_unknown[drugs.of])
    is_first = np.zeros(len(rows.day), dtype=bool)
    is_first[drugs.first] = True
    longest = np.where(days[asked] == UNKNOWN, max_days, days[asked])
    begin = rows.day[asked] + rows.begins[asked]
    begin = begin + stocked(is_first[asked], begin, longest, carry_over_cap)
    era = eras.of[asked]
    last_taken = np.where(is_settled[era], LONG_AGO, np.minimum(begin + longest - 1, taken_until[asked]))
    _move_back(latest, last_taken, era, drugs.of[asked], rows.day[eras.first], gap)
    return latest


@compiled
def _move_back(
    latest: np.ndarray, last_taken: np.ndarray, era: np.ndarray, drug: np.ndarray, start: np.ndarray, gap: int
) -> None:
    """Move the latest day of each era to that of its supplies, and to the next era's if that may be the same one."""
    for row in range(len(era)):
        latest[era[row]] = max(latest[era[row]], last_taken[row])
    for row in range(len(era) - 2, -1, -1):
        this, following = era[row], era[row + 1]
        if drug[row] == drug[row + 1] and this != following and start[following] <= latest[this] + 1 + gap:
            latest[this] = max(latest[this], latest[following])
