"""Alternatives and their counts: at least so many trials of some kind, of different substances, perhaps within a time.

Every count has a lower bound (what surely counts) and an upper one (what may count; without limit where a
counted treatment is not observed). An alternative that says nothing about time compares the numbers of the whole
episode. One that does is tried, where these would do, on each day on which something may begin to count; that
is enough, because between two such days no number rises.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce
from operator import and_

import numpy as np

from impasse.schemas.codelists import CodeLists
from impasse.schemas.definition import Alternative
from impasse.transforms.history.encode import Vocabulary
from impasse.transforms.history.trials import Trials
from impasse.transforms.judge.adequacy import JudgedAdequacy
from impasse.transforms.judge.certainty import (
    ADEQUATE,
    ALL,
    OWN_KIND,
    SURELY_FAILED,
    SURELY_TRIED,
    TRIED,
    UNKNOWN_KIND,
    among,
    numbers_by_stage,
    sets_of_judged,
    sets_of_members,
)
from impasse.transforms.judge.outcome import Judged
from impasse.transforms.kernels.bounds import Bounds
from impasse.transforms.kernels.compiled import compiled
from impasse.transforms.kernels.segments import NEVER

_KEYS = {"substance": "treatment", "class": "class", "mechanism": "mechanism"}
_TIMINGS = ("any", "before", "last")
_, _BEFORE, _LAST = range(len(_TIMINGS))
_COUNT = np.dtype([("n", np.int64), ("timing", np.int64), ("of_failed", np.int64)])
# Of each stage, the one that asks the same where nothing has to have failed.
_GIVEN_ALIKE = (TRIED, TRIED, TRIED, SURELY_TRIED, SURELY_TRIED, SURELY_FAILED)


def is_blind(groups: tuple[str, ...], observes: frozenset[str], codes: CodeLists) -> bool:
    """Is there a treatment in the groups that the delivery cannot show?"""
    return any(not codes.observed_as_of_group(group) <= observes for group in groups)


@dataclass(frozen=True)
class Tried:
    """The judged trials a definition counts from, in the order of their episodes, and numbers of them per episode.

    `speaks` is a mask of the episodes of the definition's disorders: trials of others, which a definition with the
    same trial rule may have asked for, are in no set.
    """

    trials: Trials
    adequacy: JudgedAdequacy
    judged: Judged
    speaks: np.ndarray
    vocabulary: Vocabulary

    @property
    def adequate(self) -> Bounds:
        """Was each trial adequate?"""
        return self.adequacy.bounds

    @cached_property
    def sets(self) -> np.ndarray:
        """The sets of stages.py each trial is in by its adequacy and outcome."""
        return sets_of_judged(self.adequate, self.judged.failed)

    @property
    def n_episodes(self) -> int:
        """How many episodes there are, with trials or without."""
        return len(self.trials.attempts.spans.start)

    @property
    def borders(self) -> np.ndarray:
        """The row at which the trials of each episode begin, and the end of the last."""

        def of_all() -> np.ndarray:
            return np.append(0, np.cumsum(np.bincount(self.trials.episode, minlength=self.n_episodes)))

        return self.trials.once("borders", of_all)

    def spread(self, of_groups: np.ndarray) -> np.ndarray:
        """A column for all episodes from one for those with trials; 0 for the others."""
        column = np.zeros(self.n_episodes, dtype=of_groups.dtype)
        column[self.trials.episode[self.trials.episodes.first]] = of_groups
        return column

    @cached_property
    def _spoken_of(self) -> np.ndarray:
        """All sets for trials of the episodes of the definition's disorders, none for others."""
        return np.where(self.speaks[self.trials.episode], ALL, np.uint8(0))

    def _members(self, groups: tuple[str, ...], what: str) -> np.ndarray:
        """The sets each trial may be in by its treatment; an add-on is added even where it is no trial of its own."""
        is_meant = self.trials.is_add_on if what == "added" else self.trials.is_counted
        of_treatment = sets_of_members(self.vocabulary.membership(groups))
        return np.where(is_meant, of_treatment[self.trials.treatment], np.uint8(0))

    def kinds(self, distinct_by: str) -> np.ndarray:
        """What each treatment is by what trials must differ by: the number of its kind, OWN_KIND or UNKNOWN_KIND."""
        return self.trials.once(("kinds", distinct_by), lambda: _kinds(self.vocabulary, distinct_by))

    def counted(self, groups: tuple[str, ...], what: str) -> np.ndarray:
        """The sets each trial is in. What is given or added is not asked to be adequate or to fail."""
        members = self.trials.once(("members", groups, what), lambda: self._members(groups, what)) & self._spoken_of
        return members & self.sets if what == "failed" else members

    def number(self, sets: np.ndarray, distinct_by: str) -> np.ndarray:
        """For each stage how many trials there are in each episode, by what must differ."""
        episode, treatment = self.trials.episode.astype(np.int64, copy=False), self.trials.treatment
        return numbers_by_stage(self.n_episodes, episode, sets, treatment, self.kinds(distinct_by))


def _kinds(vocabulary: Vocabulary, distinct_by: str) -> np.ndarray:
    """What all treatments are by what must differ."""
    if distinct_by == "none":
        return np.full(len(vocabulary.treatments), OWN_KIND)
    names = vocabulary.column(_KEYS[distinct_by]).fill_null("")
    is_known = names != ""
    if distinct_by == "substance":
        is_known = vocabulary.column("is_identified")
    return np.where(is_known.to_numpy(), names.rank("dense").cast(int).to_numpy(), UNKNOWN_KIND)


class Alternatives:
    """The alternatives of a rule, numbered, over the trials of all episodes."""

    def __init__(
        self, alternatives: list[Alternative], tried: Tried, observes: frozenset[str], codes: CodeLists
    ) -> None:
        self.alternatives, self.tried = alternatives, tried
        self.counts = [count for alternative in alternatives for count in alternative.all_of]
        self.limits = [is_blind(count.of, observes, codes) for count in self.counts]
        self.blind = any(self.limits)
        self._sets = [tried.counted(count.of, count.what) for count in self.counts]
        self._numbers = [
            tried.number(sets, count.distinct_by) for sets, count in zip(self._sets, self.counts, strict=True)
        ]
        self._timed: dict[tuple[int, tuple[int, ...]], np.ndarray] = {}

    def met(self, place: int, stage: int, *, distinct: bool = True, open_ended: bool = False) -> np.ndarray:
        """Is an alternative met by a stage's trials, per episode? `open_ended`: unobserved ones have no limit."""
        asked = self._asked(place, open_ended=open_ended)
        numbers = [self._numbers[n] if distinct else self._plain(n) for n in asked]
        enough = [of[stage] >= self.counts[n].n for n, of in zip(asked, numbers, strict=True)]
        met = reduce(and_, enough, np.ones(self.tried.n_episodes, dtype=bool))
        if asked and distinct and has_time(self.alternatives[place]):
            return self._met_in_time(place, stage, asked, met)
        return met

    def _plain(self, n: int) -> np.ndarray:
        """The numbers of a count if nothing had to differ."""
        if self.counts[n].distinct_by == "none":
            return self._numbers[n]
        return self.tried.number(self._sets[n], "none")

    def _asked(self, place: int, *, open_ended: bool) -> list[int]:
        """The counts of an alternative to look at; open-ended, a count of unobserved treatments holds anyway."""
        first = sum(len(alternative.all_of) for alternative in self.alternatives[:place])
        of_alternative = range(first, first + len(self.alternatives[place].all_of))
        return [n for n in of_alternative if not (open_ended and self.limits[n])]

    def _met_in_time(self, place: int, stage: int, asked: list[int], able: np.ndarray) -> np.ndarray:
        """Whether all asked counts hold on one day, in the episodes with enough trials for them (a mask).

        Stages that ask the same are looked at once.
        """
        if all(count.what != "failed" for count in self.alternatives[place].all_of):
            stage = _GIVEN_ALIKE[stage]
        key = (stage, tuple(asked))
        if key not in self._timed:
            self._timed[key] = self._days(place, stage, asked, able) != NEVER
        return self._timed[key]

    def dates(self, wanted: np.ndarray) -> np.ndarray:
        """The day the first alternative was surely met in each episode wanted (a mask), NEVER where none was."""
        asked = [self._asked(place, open_ended=False) for place in range(len(self.alternatives))]
        return reduce(np.minimum, [self._days(n, SURELY_FAILED, counts, wanted) for n, counts in enumerate(asked)])

    def _days(self, place: int, stage: int, asked: list[int], wanted: np.ndarray) -> np.ndarray:
        """The first day on which the asked counts of an alternative hold in each episode wanted, else NEVER."""
        tried, counts = self.tried, [self.counts[n] for n in asked]
        trials, within, is_sure = tried.trials, self.alternatives[place].within, stage == SURELY_FAILED
        never = np.full(len(trials.row), NEVER)
        closes = never
        if within != "episode":
            may_last = trials.has_unknown_supply & (not is_sure)
            closes = np.where(may_last, never, trials.last_day + within)
        return _first_days(
            wanted,
            np.array([(c.n, _TIMINGS.index(c.timing), c.what == "failed") for c in counts], dtype=_COUNT),
            among(np.stack([self._sets[n] for n in asked]), stage),
            np.stack([tried.kinds(count.distinct_by) for count in counts]),
            is_sure,
            tried.borders,
            trials.treatment,
            trials.start,
            # The sets before know neither whether a trial failed nor when.
            never if stage in (TRIED, ADEQUATE) else tried.judged.day,
            closes,
        )


@compiled
def _first_days(
    wanted: np.ndarray,
    counts: np.ndarray,
    is_in: np.ndarray,
    kinds: np.ndarray,
    is_sure: bool,
    borders: np.ndarray,
    treatment: np.ndarray,
    start: np.ndarray,
    failed: np.ndarray,
    closes: np.ndarray,
) -> np.ndarray:
    """The first day on which all counts hold in each episode wanted (a mask), NEVER where there is none.

    `counts`, `is_in` (the trials that may count) and `kinds` have a row for each count. `start`, `failed` and `closes`
    are the days on which each trial began, failed (NEVER where that is not known), and counts for the last time.
    Tried is each day on which a trial begins to count and, where it must have counted before, the day after.
    """
    days = np.full(len(wanted), NEVER)
    room = np.empty(len(treatment), dtype=np.int64)
    days_after = 1 if (counts["timing"] == _BEFORE).any() else 0
    for episode in np.flatnonzero(wanted):
        rows = range(borders[episode], borders[episode + 1])
        for opening in range(len(counts)):
            for row in rows:
                if not is_in[opening, row]:
                    continue
                opens = _opens(counts[opening], start[row], failed[row])
                for day in range(opens, min(opens + days_after + 1, days[episode])):
                    if _all_hold(day, counts, is_sure, is_in, kinds, rows, treatment, start, failed, closes, room):
                        days[episode] = day
                        break
    return days


@compiled
def _all_hold(
    day: int,
    counts: np.ndarray,
    is_sure: bool,
    is_in: np.ndarray,
    kinds: np.ndarray,
    rows: range,
    treatment: np.ndarray,
    start: np.ndarray,
    failed: np.ndarray,
    closes: np.ndarray,
    room: np.ndarray,
) -> bool:
    """Do all counts hold on a day over the trials of an episode?"""
    for n in range(len(counts)):
        if not _holds(day, counts[n], is_sure, is_in[n], kinds[n], rows, treatment, start, failed, closes, room):
            return False
    return True


@compiled
def _holds(
    day: int,
    count: np.void,
    is_sure: bool,
    is_in: np.ndarray,
    kinds: np.ndarray,
    rows: range,
    treatment: np.ndarray,
    start: np.ndarray,
    failed: np.ndarray,
    closes: np.ndarray,
    room: np.ndarray,
) -> bool:
    """Does one count hold on a day over the trials of an episode? There is `room` to note their kinds."""
    n_kinds, n_unknown = 0, 0
    is_last = False
    for row in rows:
        opens = _opens(count, start[row], failed[row])
        has_begun = opens < day if count["timing"] == _BEFORE else opens <= day
        if not (is_in[row] and has_begun and day <= closes[row]):
            continue
        is_dated = failed[row] != NEVER or not count["of_failed"]
        is_last |= opens == day or not is_dated  # a day that is not known may be this one
        kind = kinds[treatment[row]]
        if kind == UNKNOWN_KIND:
            n_unknown += 1
        else:
            room[n_kinds] = kind
            n_kinds += kind == OWN_KIND or _first_place(kind, room) == n_kinds
    # Those that are not known may each be another kind; surely there is one kind at least.
    number = max(n_kinds, min(n_unknown, 1)) if is_sure else n_kinds + n_unknown
    return number >= count["n"] and (is_last or count["timing"] != _LAST)


@compiled
def _opens(count: np.void, start: int, failed: int) -> int:
    """The first day on which a trial may count: when it failed or, where that is not asked or not known, began."""
    return failed if count["of_failed"] and failed != NEVER else start


@compiled
def _first_place(kind: int, kinds: np.ndarray) -> int:
    """Where a kind is found first; there are few of them, so that no order is needed."""
    place = 0
    while kinds[place] != kind:
        place += 1
    return place


def has_time(alternative: Alternative) -> bool:
    """Does the alternative say anything about time?"""
    return alternative.within != "episode" or any(count.timing != "any" for count in alternative.all_of)
