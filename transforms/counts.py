"""Arms and their counts: at least so many trials of some kind, of different substances, perhaps within a time.

Every count has a lower bound (what surely counts) and an upper one (what may count; without limit where a
counted treatment is not observed). An arm that says nothing about time compares the numbers of the whole
episode. One that does is tried on each day on which something may begin to count; that is enough,
because between two such days no number rises.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce
from operator import and_

import numpy as np

from schemas.codelists import CodeLists
from schemas.definition import Arm
from transforms.adequacy import is_adequate
from transforms.bounds import Bounds
from transforms.encode import Vocabulary
from transforms.eras import packed, unpacked
from transforms.outcome import Judged
from transforms.segments import NEVER, Segments, distinct, in_order, ragged
from transforms.stages import (
    ADEQUATE,
    SURELY_FAILED,
    SURELY_TRIED,
    TRIED,
    among,
    count_sets,
    sets_of_judged,
    sets_of_members,
)
from transforms.trials import Trials

_KIND_BITS = 20
_KEYS = {"substance": "treatment", "class": "class", "mechanism": "mechanism"}
# Of each stage, the one that asks the same where nothing has to have failed.
_GIVEN_ALIKE = (TRIED, TRIED, TRIED, SURELY_TRIED, SURELY_TRIED, SURELY_FAILED)


def is_blind(groups: tuple[str, ...], observes: frozenset[str], codes: CodeLists) -> bool:
    """Is there a treatment in the groups that the delivery cannot show?"""
    return any(not codes.observed_as_of_group(group) <= observes for group in groups)


@dataclass(frozen=True)
class Kinds:
    """What trials must differ by: `of` is the kind of each treatment as a number, `is_known` whether it can be told."""

    of: np.ndarray
    is_known: np.ndarray


@dataclass(frozen=True)
class Tried:
    """The judged trials a definition counts from, in the order of their episodes, and numbers of them per episode.

    `reason` is that of their adequacy. `speaks` is a mask of the episodes of the definition's disorders: trials of
    others, which a definition with the same trial rule may have asked for, are in no set.
    """

    trials: Trials
    reason: np.ndarray
    judged: Judged
    speaks: np.ndarray
    vocabulary: Vocabulary

    @cached_property
    def adequate(self) -> Bounds:
        """Was each trial adequate?"""
        return is_adequate(self.reason)

    @cached_property
    def sets(self) -> np.ndarray:
        """The sets of stages.py each trial is in by its adequacy and outcome."""
        return sets_of_judged(self.adequate, self.judged.failed)

    @property
    def n_episodes(self) -> int:
        """How many episodes there are, with trials or without."""
        return len(self.trials.attempts.spans.start)

    @cached_property
    def of_groups(self) -> np.ndarray:
        """The episode of each group of `trials.episodes`."""
        return self.trials.episode[self.trials.episodes.first]

    def spread(self, of_groups: np.ndarray, otherwise: int = 0) -> np.ndarray:
        """A column for all episodes from one for those with trials."""
        column = np.full(self.n_episodes, otherwise, dtype=of_groups.dtype)
        column[self.of_groups] = of_groups
        return column

    def members(self, groups: tuple[str, ...], what: str) -> np.ndarray:
        """The sets each trial may be in by its treatment; an add-on is added even where it is no trial of its own."""

        def of_all() -> np.ndarray:
            is_meant = self.trials.is_add_on if what == "added" else self.trials.is_counted
            of_treatment = sets_of_members(self.vocabulary.membership(groups))
            return np.where(is_meant, of_treatment[self.trials.treatment], np.uint8(0))

        members = self.trials.once(("members", groups, what), of_all)
        return np.where(self.speaks[self.trials.episode], members, np.uint8(0))

    def kinds(self, distinct_by: str) -> Kinds:
        """What trials differ by."""
        return self.trials.once(("kinds", distinct_by), lambda: _kinds(self.vocabulary, distinct_by))

    def counted(self, groups: tuple[str, ...], what: str) -> np.ndarray:
        """The sets each trial is in. What is given or added is not asked to be adequate or to fail."""
        members = self.members(groups, what)
        return members & self.sets if what == "failed" else members

    def number(self, sets: np.ndarray, distinct_by: str) -> list[np.ndarray]:
        """For each stage how many trials there are in each group of `trials.episodes`, by what must differ.

        Of trials whose kind is not known, each may be another kind; surely there is one kind at least.
        """
        episodes = self.trials.episodes
        if distinct_by == "none":
            return count_sets(sets, episodes)
        alike = self._alike(distinct_by)
        of_kind = np.bitwise_or.reduceat(sets[alike.order], alike.rows.first) if len(sets) else sets
        numbers = count_sets(of_kind, alike.episodes)
        known = np.where(alike.is_known, of_kind, np.uint8(0))
        some = episodes.any(among(sets, SURELY_FAILED))
        numbers[SURELY_FAILED] = np.maximum(alike.episodes.sum(among(known, SURELY_FAILED)), some)
        return numbers

    def _alike(self, distinct_by: str) -> _Alike:
        return self.trials.once(("alike", distinct_by), lambda: _alike(self.trials, self.kinds(distinct_by)))


def _kinds(vocabulary: Vocabulary, distinct_by: str) -> Kinds:
    """The kinds of all treatments by what must differ."""
    names = vocabulary.column(_KEYS[distinct_by]).fill_null("")
    if distinct_by == "substance":
        return Kinds(np.arange(len(names)), vocabulary.column("is_identified").to_numpy())
    return Kinds((names.rank("dense").cast(int) - 1).to_numpy(), (names != "").to_numpy())


@dataclass(frozen=True)
class _Alike:
    """Trials of one kind in one episode, together: `rows` over the trials in `order`, `episodes` over these groups.

    A trial whose kind is not known is alone.
    """

    order: np.ndarray
    rows: Segments
    is_known: np.ndarray
    episodes: Segments


def _alike(trials: Trials, by: Kinds) -> _Alike:
    known = by.is_known[trials.treatment]
    n_kinds = int(by.of.max(initial=0)) + 1
    kind = np.where(known, by.of[trials.treatment], n_kinds + trials.episodes.rank)
    most = n_kinds + int(trials.episodes.lengths.max(initial=0))
    order = in_order(trials.episodes.of * most + kind)
    rows = Segments(trials.episodes.of[order], kind[order])
    return _Alike(order, rows, known[order][rows.first], Segments(trials.episodes.of[order][rows.first]))


class Arms:
    """The arms of a rule, numbered, over the trials of all episodes that have any."""

    def __init__(self, arms: list[Arm], tried: Tried, observes: frozenset[str], codes: CodeLists) -> None:
        self.arms, self.tried = arms, tried
        self.counts = [count for arm in arms for count in arm.all_of]
        self.limits = [is_blind(count.of, observes, codes) for count in self.counts]
        self.blind = any(self.limits)
        self._first = [sum(len(arm.all_of) for arm in arms[:place]) for place in range(len(arms))]
        self._sets = [tried.counted(count.of, count.what) for count in self.counts]
        self._numbers = [
            tried.number(sets, count.distinct_by) for sets, count in zip(self._sets, self.counts, strict=True)
        ]
        self._timed: dict[tuple[int, int, bool], np.ndarray] = {}

    def met(self, place: int, stage: int, *, distinct: bool = True, open_ended: bool = False) -> np.ndarray:
        """Is an arm met by a stage's trials, per episode? `open_ended`: unobserved treatments may be without limit."""
        asked = self._asked(place, open_ended=open_ended)
        if not asked:
            return np.ones(self.tried.n_episodes, dtype=bool)
        if not distinct:
            met = reduce(and_, [self._plain(n, stage) >= self.counts[n].n for n in asked])
        elif has_time(self.arms[place]):
            met = self._met_in_time(place, stage, asked)
        else:
            met = reduce(and_, [self._numbers[n][stage] >= self.counts[n].n for n in asked])
        return self.tried.spread(met)

    def _plain(self, n: int, stage: int) -> np.ndarray:
        if self.counts[n].distinct_by == "none":
            return self._numbers[n][stage]
        return self.tried.trials.episodes.sum(among(self._sets[n], stage))

    def _asked(self, place: int, *, open_ended: bool) -> list[int]:
        """The counts of an arm to look at; open-ended, a count of treatments that are not observed holds anyway."""
        return [n for n in self._of(place) if not (open_ended and self.limits[n])]

    def _of(self, place: int) -> range:
        return range(self._first[place], self._first[place] + len(self.arms[place].all_of))

    def _met_in_time(self, place: int, stage: int, asked: list[int]) -> np.ndarray:
        """Whether all asked counts hold on one day; stages that ask the same are looked at once."""
        if all(count.what != "failed" for count in self.arms[place].all_of):
            stage = _GIVEN_ALIKE[stage]
        key = (place, stage, len(asked) < len(self._of(place)))
        if key not in self._timed:
            met = np.zeros(len(self.tried.trials.episodes), dtype=bool)
            met[self._days_met(place, stage, asked)[0]] = True
            self._timed[key] = met
        return self._timed[key]

    def _days_met(self, place: int, stage: int, asked: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Episodes and days on which all asked counts of the arm hold, in order."""
        arm = self.arms[place]
        spans = [self._spans(n, stage, arm) for n in asked]
        spans = _of_episodes_with_enough(spans, [self.counts[n].n for n in asked])
        opened = np.concatenate([packed(part.episode, part.opens) for part in spans])
        if any(self.counts[n].timing == "before" for n in asked):
            opened = np.concatenate([opened, opened + 1])  # what opens on a day is there before the next
        episode, day = unpacked(distinct(opened))
        for n, part in zip(asked, spans, strict=True):
            holds = np.flatnonzero(self._holds(episode, day, part, n, stage))
            episode, day = episode[holds], day[holds]
        return episode, day

    def _spans(self, n: int, stage: int, arm: Arm) -> _Spans:
        """The trials that may count, each with the first and last day on which it does, in order of episodes."""
        trials, count = self.tried.trials, self.counts[n]
        chosen = np.flatnonzero(among(self._sets[n], stage))
        start, last = trials.start[chosen], trials.last_day[chosen]
        # When it failed, NEVER where the set does not know whether and when.
        date = start if count.what != "failed" else np.full(len(chosen), NEVER)
        if count.what == "failed" and stage not in (TRIED, ADEQUATE):
            date = self.tried.judged.day[chosen]
        opens = np.where(date == NEVER, start, date)
        closes = np.full(len(chosen), NEVER)
        if arm.within != "episode":
            may_last = trials.has_unknown_supply[chosen] & (stage != SURELY_FAILED)
            closes = np.where(may_last, NEVER, last + arm.within)
        by = None if count.distinct_by == "none" else self.tried.kinds(count.distinct_by)
        treatment = trials.treatment[chosen]
        kind, known = (treatment, None) if by is None else (by.of[treatment], by.is_known[treatment])
        return _Spans(trials.episodes.of[chosen], date, opens, closes, kind, known)

    def _holds(self, episode: np.ndarray, day: np.ndarray, rows: _Spans, n: int, stage: int) -> np.ndarray:
        """Does count `n` hold over its trials on each of the days?"""
        count = self.counts[n]
        n_rows = np.bincount(rows.episode, minlength=len(self.tried.trials.episodes))
        of, row = ragged((np.cumsum(n_rows) - n_rows)[episode], n_rows[episode])
        late = 1 if count.timing == "before" else 0
        today = day[of]
        counts = np.flatnonzero((rows.opens[row] + late <= today) & (today <= rows.closes[row]))
        of, row = of[counts], row[counts]
        holds = _number(of, row, rows, len(day), stage) >= count.n
        if count.timing == "last":
            is_last = np.zeros(len(day), dtype=bool)
            is_last[of[(rows.date[row] == NEVER) | (rows.date[row] == day[of])]] = True
            holds &= is_last
        return holds

    def dates(self, wanted: np.ndarray) -> np.ndarray:
        """The day the first arm was surely met in each episode wanted (a mask), NEVER where none was."""
        groups = wanted[self.tried.of_groups]
        days = [
            self._first_day(place) if has_time(arm) else self._last_needed(place, groups)
            for place, arm in enumerate(self.arms)
        ]
        return self.tried.spread(reduce(np.minimum, days), NEVER)

    def _first_day(self, place: int) -> np.ndarray:
        episode, day = self._days_met(place, SURELY_FAILED, self._asked(place, open_ended=False))
        first = np.full(len(self.tried.trials.episodes), NEVER)
        np.minimum.at(first, episode, day)
        return first

    def _last_needed(self, place: int, wanted: np.ndarray) -> np.ndarray:
        """When the last of the needed trials began to count, over all counts of the arm."""
        return reduce(np.maximum, [self._reached(n, wanted) for n in self._of(place)])

    def _reached(self, n: int, wanted: np.ndarray) -> np.ndarray:
        """The day the count's n-th (distinct) sure trial began to count."""
        trials, count = self.tried.trials, self.counts[n]
        chosen = np.flatnonzero(among(self._sets[n], SURELY_FAILED) & wanted[trials.episodes.of])
        day = trials.start[chosen] if count.what != "failed" else self.tried.judged.day[chosen]
        if count.distinct_by != "none" and count.n > 1:
            by = self.tried.kinds(count.distinct_by)
            known = by.is_known[trials.treatment[chosen]]
            chosen, day = chosen[known], day[known]
            order = np.lexsort((day, by.of[trials.treatment[chosen]], trials.episodes.of[chosen]))
            alike = Segments(trials.episodes.of[chosen][order], by.of[trials.treatment[chosen]][order])
            chosen, day = chosen[order][alike.first], day[order][alike.first]
        order = np.lexsort((day, trials.episodes.of[chosen]))
        rows = Segments(trials.episodes.of[chosen][order])
        reached = np.full(len(wanted), NEVER)
        enough = rows.lengths >= count.n
        row = order[rows.first[enough] + count.n - 1]
        reached[trials.episodes.of[chosen][row]] = day[row]
        return reached


@dataclass(frozen=True)
class _Spans:
    """Trials that may count: `date` is NEVER where it is not known when it began to count; from `opens` to `closes`."""

    episode: np.ndarray
    date: np.ndarray
    opens: np.ndarray
    closes: np.ndarray
    kind: np.ndarray
    known: np.ndarray | None

    def only(self, rows: np.ndarray) -> _Spans:
        known = None if self.known is None else self.known[rows]
        columns = (self.episode, self.date, self.opens, self.closes, self.kind)
        return _Spans(*(column[rows] for column in columns), known)


def _number(of: np.ndarray, row: np.ndarray, rows: _Spans, n: int, stage: int) -> np.ndarray:
    """How many of the rows belong to each of `n` days, by what must differ."""
    if rows.known is None:
        return np.bincount(of, minlength=n)
    known = rows.known[row]
    kinds_of_days = distinct((of[known] << _KIND_BITS) + rows.kind[row[known]])
    numbers = np.bincount(kinds_of_days >> _KIND_BITS, minlength=n)
    if stage == SURELY_FAILED:
        return np.maximum(numbers, np.bincount(of, minlength=n) > 0)
    return numbers + np.bincount(of[~known], minlength=n)


def _of_episodes_with_enough(parts: list[_Spans], needed: list[int]) -> list[_Spans]:
    """The parts without the episodes that have too few rows in one of them to hold all counts on any day."""
    n = max((int(part.episode.max(initial=-1)) + 1 for part in parts), default=0)
    able = np.ones(n, dtype=bool)
    for part, least in zip(parts, needed, strict=True):
        able &= np.bincount(part.episode, minlength=n) >= least
    return [part.only(np.flatnonzero(able[part.episode])) for part in parts]


def has_time(arm: Arm) -> bool:
    """Does the arm say anything about time?"""
    return arm.within != "episode" or any(count.timing != "any" for count in arm.all_of)
