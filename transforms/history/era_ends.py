"""When an era ends, beyond what its own supplies say: by the start of another drug, and at the latest.

A drug dispensed once lasts until the next drug starts, where that is soon: so programs do that read dates alone. A drug
that is not dispensed again once another is begun may end there, though its supply reaches further. And a supply whose
days are not known lasts no longer than the study lets any supply last and, where the drug is dispensed again, until
then, with no more left over than is carried over. Eras are told apart as if it lasted no day; if it lasted longer, what
is left over may push later supplies back, and the drug's next era may be the same one.
"""

from __future__ import annotations

import numpy as np

from impasse.transforms.history.encode import UNKNOWN
from impasse.transforms.history.exposures import Supplies
from impasse.transforms.history.leftovers import Leftovers
from impasse.transforms.kernels.compiled import compiled
from impasse.transforms.kernels.segments import NEVER, Segments


def until_next_drug(
    rows: Supplies, taken_from: np.ndarray, taken_end: np.ndarray, days: np.ndarray, eras: Segments, at_most: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The end and the days of each supply, and for each era whether it was one that lasts until the next drug starts.

    Its supplies are of one day, of which the last one taken lasts so long.

    The next drug of the episode starts at most so many days after it, and not before its supply has ended.
    """
    episode, treatment, start = (column[eras.first] for column in (rows.episode, rows.treatment, rows.day))
    next_start = _next_drugs(episode, treatment, start, np.ones(len(start), dtype=bool))
    last = eras.first + eras.lengths - 1
    lasts = (rows.day[last] == start) & (next_start - start <= at_most) & (eras.max(taken_end) < next_start)
    row = last[lasts]
    taken_end, days = taken_end.copy(), days.copy()
    taken_end[row] = next_start[lasts]
    days[lasts[eras.of] & (days == UNKNOWN)] = 0  # what else was dispensed on the day matters no more
    days[row] = next_start[lasts] - taken_from[row]
    return taken_end, days, lasts


def left_for_another(rows: Supplies, eras: Segments, is_main: np.ndarray, replaces: np.ndarray) -> np.ndarray:
    """For each era of a main drug the day one that replaces was begun, if it was not dispensed then or later; NEVER."""
    episode, treatment, start = (column[eras.first] for column in (rows.episode, rows.treatment, rows.day))
    next_start = _next_drugs(episode, treatment, start, replaces[treatment])
    last_given = rows.day[eras.first + eras.lengths - 1]
    return np.where(is_main[treatment] & (last_given < next_start), next_start, NEVER)


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


def latest_days(
    rows: Supplies, days: np.ndarray, eras: Segments, last_day: np.ndarray, lasts: np.ndarray,
    taken_until: np.ndarray, *, gap: int, leftovers: Leftovers, max_days: int,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """For each era the latest day on which it may have ended, and the latest dispensing that may have been one of it.

    They are its `last_day` and its last dispensing where no supply of the drug is unknown, and where the era `lasts`
    until another drug starts. `days` are those of the supplies, `taken_until` is the last day for which each is taken.
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
    _, end = leftovers.taken_at_most(some, of_drugs, longest, is_open)
    met = np.flatnonzero(np.bincount(era, minlength=len(latest)))
    _move_to_latest(latest, era, np.minimum(end - 1, taken_until[asked]))
    latest = np.where(lasts, last_day, latest)
    drug, start, own, given = drugs.of[eras.first], rows.day[eras.first], latest.copy(), last_given.copy()
    _reach_on(drug[met], start[met], lasts[met], met, own, given, latest, last_given, gap)
    return latest, last_given


@compiled
def _move_to_latest(latest: np.ndarray, era: np.ndarray, day: np.ndarray) -> None:
    """Move the latest day of each era to the latest of the days given for it."""
    for place in range(len(era)):
        latest[era[place]] = max(latest[era[place]], day[place])


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
