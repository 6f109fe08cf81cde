"""The items of a staging score: points of trials, of the episode, of diagnoses; half points as whole numbers.

Items that count trials have a lower and an upper bound as counts have. The others belong to the episode
and are the same whatever is asked of its trials; where the delivery has no admissions, theirs are open.
"""

from __future__ import annotations

from functools import reduce
from operator import and_

import numpy as np

from impasse.schemas.codelists import CodeLists
from impasse.schemas.definition import AdmissionItem, AnyItem, DiagnosisItem, Item, LengthItem, NumberItem, Scored
from impasse.transforms.history.encode import Coded, person_disorder
from impasse.transforms.judge.certainty import FAILED, SURELY_FAILED, SURELY_TRIED, UNKNOWN_KIND, among, sets_of_members
from impasse.transforms.judge.counts import Tried, is_blind
from impasse.transforms.judge.eligibility import days_told
from impasse.transforms.kernels.bounds import Bounds
from impasse.transforms.kernels.segments import NEVER, Segments

_NO_POINTS = -1
_OF_EPISODES = (LengthItem, DiagnosisItem, AdmissionItem)


class Points:
    """The items of a score, numbered, over the trials and facts of all episodes, one value per episode."""

    def __init__(self, rule: Scored, tried: Tried, coded: Coded, codes: CodeLists) -> None:
        self.items, self.tried, self.coded = rule.items, tried, coded
        self.spans = tried.trials.attempts.spans
        self.start = self.spans.start
        self.limits = [_is_open(item, coded, codes) for item in self.items]
        self.blind = any(open_ for item, open_ in zip(self.items, self.limits, strict=True) if _counts_trials(item))
        self._earned = {n: self._of_episode(x) for n, x in enumerate(self.items) if not _counts_trials(x)}
        self._sets = {n: self._sets_of(x) for n, x in enumerate(self.items) if _counts_trials(x)}
        self._numbers = {n: self._number(n, self.items[n]) for n in self._sets}  # per episode, by stage

    # What belongs to the episode

    def _of_episode(self, item: LengthItem | DiagnosisItem | AdmissionItem) -> np.ndarray:
        if isinstance(item, LengthItem):
            return _by_band(self.spans.end - self.start + 1, item.bands)
        if isinstance(item, DiagnosisItem):
            return self._by_level(item)
        if self.coded.admissions is None:
            return np.zeros(len(self.start), dtype=np.int64)
        line = person_disorder(self.spans.person, self.spans.disorder, len(self.spans.disorders))
        stays = self.coded.admissions.number_within(line, self.spans.start, self.spans.end)
        return (stays > 0) * halves(item.points)

    def _by_level(self, item: DiagnosisItem) -> np.ndarray:
        """The points of the highest level whose codes the person was given at the item's time."""
        levels = [
            np.where(days_told(self.coded, self.spans, x.codes, item.when) > 0, halves(x.points), _NO_POINTS)
            for x in item.levels
        ]
        best = np.maximum.reduce(levels)
        return np.where(best == _NO_POINTS, halves(item.otherwise), best)

    # What counts trials

    def _sets_of(self, item: Item | NumberItem) -> np.ndarray:
        """The sets each trial is in for the item.

        Where only what the treatment was must be sure, whether its dose was raised and how long it lasted are
        left open.
        """
        tried = self.tried
        treatment = tried.counted(item.of, _what(item))
        earns = self._earns(item)
        left_open = sets_of_members(Bounds(earns.possible, earns.possible)) & np.uint8(1 << SURELY_TRIED)
        return treatment & (sets_of_members(earns) | left_open)

    def _earns(self, item: Item | NumberItem) -> Bounds:
        """Does each trial do what the item asks for beside being of its treatments?"""
        trials = self.tried.trials
        if isinstance(item, NumberItem) or item.item == "failed_trials":
            return Bounds.known(np.ones(len(trials.row), dtype=bool))
        if item.item == "raised_dose":
            return trials.attempts.is_dose_raised[trials.row]
        long = trials.n_days >= item.extended_days
        return Bounds(long, long | trials.has_unknown_supply)

    def _number(self, n: int, item: Item | NumberItem) -> np.ndarray:
        """How many trials count for the item in each episode, by stage."""
        return self.tried.number(self._sets[n], _distinct(item))

    def total(self, stage: int, *, open_ended: bool = False) -> np.ndarray:
        """The half points of a stage's trials. `open_ended`: unobserved items may earn their most."""
        points = np.zeros(len(self.start), dtype=np.int64)
        for n, item in enumerate(self.items):
            points += _most(item) if open_ended and self.limits[n] else self._points(n, item, stage)
        return points

    def _points(self, n: int, item: AnyItem, stage: int) -> np.ndarray:
        if n in self._earned:
            return self._earned[n]
        return _points_of_trials(item, self._numbers[n][stage])

    def has_score(self, stage: int, *, open_ended: bool = False) -> np.ndarray:
        """Has every required item the number it needs for there to be a score?"""
        needed = [
            self._numbers[n][stage] >= item.bands[0].at_least
            for n, item in enumerate(self.items)
            if isinstance(item, NumberItem) and item.is_required and not (open_ended and self.limits[n])
        ]
        return reduce(and_, needed, np.ones(len(self.start), dtype=bool))

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """The score's bounds; NaN where there is none."""
        low, high = self.has_score(SURELY_FAILED), self.has_score(FAILED, open_ended=True)
        return (
            np.where(low, self.total(SURELY_FAILED) / 2, np.nan),
            np.where(high, self.total(FAILED, open_ended=True) / 2, np.nan),
        )

    # When

    def dates(self, threshold: float, wanted: np.ndarray) -> np.ndarray:
        """The day the running score reached the threshold in each episode wanted (a mask), NEVER where it did not.

        Where no trial is needed it is the episode's start, also if treatment had begun before it.
        """
        goal, needs_none = halves(threshold), not any(_needs_a_trial(item) for item in self.items)
        constant = sum(self._earned.values(), np.zeros(len(self.start), dtype=np.int64))
        at_once = (constant + sum(_at_zero(item) for item in self.items) >= goal) & needs_none
        first = np.full(len(self.start), NEVER)
        episode, day, points, has_score = self._running(wanted)
        days = Segments(episode, day)
        reached = days.any(has_score) & (days.max(points) + constant[episode[days.first]] >= goal)
        np.minimum.at(first, episode[days.first][reached], day[days.first][reached])
        return np.where(at_once, self.start, first)

    def _running(self, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Episode, day, points, and whether there is a score, after each trial that surely counts for an item."""
        trials, judged = self.tried.trials, self.tried.judged
        parts = []
        for n, item in enumerate(self.items):
            if n in self._sets:
                row = np.flatnonzero(among(self._sets[n], SURELY_FAILED) & wanted[trials.episode])
                day = judged.day[row] if _what(item) == "failed" else trials.start[row]
                parts.append(
                    (
                        trials.episode[row].astype(np.int64),
                        day,
                        np.full(len(row), n),
                        trials.treatment[row].astype(np.int64),
                    )
                )
        if not parts:
            return tuple(np.zeros(0, dtype=kind) for kind in (np.int64, np.int64, np.int64, bool))
        episode, day, item_of, treatment = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.lexsort((treatment, item_of, day, episode))
        episode, day, item_of, treatment = (column[order] for column in (episode, day, item_of, treatment))
        points, has_score = np.zeros(len(order), dtype=np.int64), np.ones(len(order), dtype=bool)
        for n in self._sets:
            item = self.items[n]
            number = self._running_number(item, episode, item_of == n, treatment)
            points += _points_of_trials(item, number)
            if isinstance(item, NumberItem) and item.is_required:
                has_score &= number >= item.bands[0].at_least
        return episode, day, points, has_score

    def _running_number(
        self, item: Item | NumberItem, episode: np.ndarray, mine: np.ndarray, treatment: np.ndarray
    ) -> np.ndarray:
        """How many trials, or different ones, have counted for an item up to the row; rows come by day."""
        episodes = Segments(episode)
        every = _running_sum(mine, episodes)
        if _distinct(item) == "none":
            return every
        known = self.tried.kinds("substance")[treatment] != UNKNOWN_KIND
        asked = np.flatnonzero(mine & known)
        _, first = np.unique((episode[asked] << 20) + treatment[asked], return_index=True)
        new = np.zeros(len(mine), dtype=bool)
        new[asked[first]] = True
        return np.maximum(_running_sum(new, episodes), every > 0)


def _running_sum(flags: np.ndarray, episodes: Segments) -> np.ndarray:
    """How many flags are set in the row's episode up to the row."""
    seen = np.cumsum(flags)
    return seen - (seen - flags)[episodes.first][episodes.of] if len(flags) else seen


def halves(points: float) -> int:
    """Half points as whole numbers."""
    return int(points * 2)


def _counts_trials(item: AnyItem) -> bool:
    return not isinstance(item, _OF_EPISODES)


def _what(item: Item | NumberItem) -> str:
    return item.what if isinstance(item, NumberItem) else "failed"


def _distinct(item: Item | NumberItem) -> str:
    return item.distinct_by if isinstance(item, NumberItem) else "none"


def _needs_a_trial(item: AnyItem) -> bool:
    return isinstance(item, NumberItem) and item.is_required and item.bands[0].at_least > 0


def _at_zero(item: AnyItem) -> int:
    """The half points that no trial at all earns, which is some where the first band begins at 0."""
    first = item.bands[0] if isinstance(item, NumberItem) else None
    return halves(first.points) if first and first.at_least == 0 else 0


def _is_open(item: AnyItem, coded: Coded, codes: CodeLists) -> bool:
    """May the item have earned points that the delivery cannot show?"""
    if isinstance(item, AdmissionItem):
        return coded.admissions is None
    return _counts_trials(item) and is_blind(item.of, coded.observes, codes)


def _most(item: AnyItem) -> int:
    """The most half points the item can earn."""
    if isinstance(item, NumberItem | LengthItem):
        return max(halves(band.points) for band in item.bands)
    return halves(item.max_points if isinstance(item, Item) else item.points)


def _points_of_trials(item: Item | NumberItem, number: np.ndarray) -> np.ndarray:
    if isinstance(item, NumberItem):
        return _by_band(number, item.bands)
    return np.minimum(number * halves(item.points), halves(item.max_points))


def _by_band(value: np.ndarray, bands: tuple) -> np.ndarray:
    """The half points of the highest band that the value reaches; none below the first."""
    points = np.zeros(len(value), dtype=np.int64)
    for band in bands:
        points = np.where(value >= band.at_least, halves(band.points), points)
    return points
