"""Supplies of unknown length -> the latest day on which each era may have ended.

A supply whose days are not known lasts no longer than the study lets any supply last and, where the drug is dispensed
again, until then, with no more left over than is carried over. Eras are told apart as if it lasted no day; if it lasted
longer, what is left over may push later supplies back, and the drug's next era may be the same one.
"""

from __future__ import annotations

import numpy as np

from impasse.transforms.history.encode import UNKNOWN
from impasse.transforms.history.exposures import Supplies
from impasse.transforms.history.leftovers import Leftovers
from impasse.transforms.kernels.compiled import compiled
from impasse.transforms.kernels.segments import NEVER, Segments


def latest_days(
    rows: Supplies, days: np.ndarray, eras: Segments, last_day: np.ndarray, lasts: np.ndarray, left: np.ndarray,
    taken_until: np.ndarray, *, gap: int, leftovers: Leftovers, max_days: int,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """For each era the latest day on which it may have ended, and the latest dispensing that may have been one of it.

    They are its `last_day` and its last dispensing where no supply of the drug is unknown, and where the era `lasts`
    until another drug starts. `left` is the day on which another drug ended it, NEVER if none did. Neither goes on into
    a later era. `days` are those of the supplies, `taken_until` is the last day for which each is taken.
    """
    drugs = Segments(rows.episode, rows.treatment)
    latest, last_given = last_day.copy(), rows.day[eras.first + eras.lengths - 1]
    is_unknown = np.zeros(len(drugs), dtype=bool)
    is_unknown[drugs.of[days == UNKNOWN]] = True
    if not is_unknown.any():
        return latest, last_given
    asked = np.flatnonzero(is_unknown[drugs.of])
    some, era, is_open = rows.only(asked), eras.of[asked], days[asked] == UNKNOWN
    longest = np.where(is_open, max_days, days[asked])
    of_drugs = Segments(some.episode, some.treatment)
    _, end = leftovers.taken_at_most(some, of_drugs, longest, is_open, left[era].astype(np.int64))
    np.maximum.at(latest, era, np.minimum(end - 1, taken_until[asked]))
    latest = np.where(lasts, last_day, np.minimum(latest, left - 1)).astype(last_day.dtype)
    met, is_ended = np.unique(era), lasts | (left != NEVER)
    drug, start, own, given = drugs.of[eras.first], rows.day[eras.first], latest.copy(), last_given.copy()
    _reach_on(drug[met], start[met], is_ended[met], met, own, given, latest, last_given, gap)
    return latest, last_given


@compiled
def _reach_on(
    drug: np.ndarray, start: np.ndarray, is_ended: np.ndarray, era: np.ndarray, own: np.ndarray, given: np.ndarray,
    latest: np.ndarray, last_given: np.ndarray, gap: int,
) -> None:  # fmt: skip
    """Move the latest day and dispensing of each era to those of the eras after it that may be the same one."""
    for place in range(len(era)):
        this, following = era[place], place + 1
        while (
            not is_ended[place]
            and following < len(era)
            and drug[following] == drug[place]
            and start[following] <= latest[this] + 1 + gap
        ):
            latest[this] = max(latest[this], own[era[following]])
            last_given[this] = max(last_given[this], given[era[following]])
            following += 1
