"""Eras and courses -> treatment trials, under one trial rule.

1. The eras with treatments the rule speaks about.
2. Roles: an era that overlaps an earlier drug long enough is an add-on to it (augmentation or
   combination); otherwise it is the first treatment, a switch, or a return to an earlier one. Where the rule asks
   for it, a drug that may have taken the earlier one's place, being no augmenter, is an add-on only if the earlier
   one was dispensed again then or later: a long pack never refilled is a drug that was left. Where either may still
   run on the last day looked at, it may be an add-on.
3. Add-ons become trials of their own, stay part of their host, or are ignored, as the rule says. What may have been
   added, or not, then counts perhaps.
4. What came after each trial: when the next drug followed it, when the first treatment was added to it, and when the
   first drug did one of the two, where it is not known which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import polars as pl

from impasse.schemas.definition import Trial
from impasse.schemas.tables import MODALITIES, ROLES
from impasse.transforms.history.eras import Eras
from impasse.transforms.history.vocabulary import Vocabulary
from impasse.transforms.kernels.compiled import compiled
from impasse.transforms.kernels.once import Once
from impasse.transforms.kernels.segments import NEVER, Segments

FIRST, SWITCH, RESUMED, AUGMENTATION, COMBINATION = range(len(ROLES))
_DRUG, _AUGMENTATION, _PSYCHOTHERAPY = range(3)  # the first of MODALITIES
_NO_HOST = -1
_NO, _PERHAPS, _YES = range(3)


class Changes(NamedTuple):
    """For each trial the first day on which another drug followed it, another treatment was added to it, another drug
    did one of the two but it is not known which, followed it or tells nothing, and was added to it or tells nothing,
    being begun too early to count as added or an add-on that is ignored; NEVER if none did. What was added counts from
    some day of the trial on.
    """

    switch: np.ndarray
    add_on: np.ndarray
    switch_or_add_on: np.ndarray
    switch_or_nothing: np.ndarray
    add_on_or_nothing: np.ndarray

    def named(self, from_day: int) -> dict[str, np.ndarray]:
        """The columns by the names that expressions ask for."""
        return {"switch": self.switch} | {
            f"{name} from day {from_day}": getattr(self, name) for name in self._fields if name != "switch"
        }


@dataclass(frozen=True)
class TrialsOfRule:
    """The trials of one rule, one row each, in the order of `eras`: `row` is the era each is.

    `role` and `modality` are places in ROLES and MODALITIES of schemas/tables.py. Where a role `is_open`, the trial may
    have been added to another drug, or not. What counts includes what `counts_perhaps`.
    """

    eras: Eras
    row: np.ndarray
    role: np.ndarray
    modality: np.ndarray
    is_counted: np.ndarray
    counts_perhaps: np.ndarray
    n_add_ons: np.ndarray
    is_open: np.ndarray
    rule: Trial
    once: Once = field(default_factory=Once)

    @cached_property
    def episode(self) -> np.ndarray:
        """The episode of each trial."""
        return self.eras.episode[self.row]

    @cached_property
    def treatment(self) -> np.ndarray:
        """The treatment of each trial."""
        return self.eras.treatment[self.row]

    @cached_property
    def start(self) -> np.ndarray:
        """The first day of each trial."""
        return self.eras.start[self.row]

    @cached_property
    def last_day(self) -> np.ndarray:
        """The last day of each trial."""
        return self.eras.last_day[self.row]

    @cached_property
    def n_days(self) -> np.ndarray:
        """The days of each trial from the first covered to the last."""
        return self.eras.n_days[self.row]

    @cached_property
    def last_day_at_most(self) -> np.ndarray:
        """The latest day on which each trial may have ended."""
        return self.eras.last_day_at_most[self.row]

    @cached_property
    def first_starts(self) -> np.ndarray:
        """The first day of a trial that counts, or may, in each episode; NEVER where it has none."""
        first = np.full(len(self.eras.spans.start), NEVER, dtype=np.int64)
        np.minimum.at(first, self.episode[self.is_counted], self.start[self.is_counted].astype(np.int64))
        return first

    @cached_property
    def still_runs(self) -> np.ndarray:
        """Did observation end, though not by death, before each trial was seen to end?"""
        return (self.eras.is_ongoing & ~self.eras.of("ends_in_death"))[self.row]

    @property
    def counts_surely(self) -> np.ndarray:
        """Does each trial surely count?"""
        return self.is_counted & ~self.counts_perhaps

    def may_be_scored(self, days_after_end: int) -> np.ndarray:
        """May a score on each trial, or so many days after it, yet be told, none having been seen?

        Not once another drug followed it, and not after remission or death.
        """
        spans, episode = self.eras.spans, self.episode
        is_closed = spans.is_remitted[episode] | spans.ends_in_death[episode] | (self.changes().switch != NEVER)
        is_unseen = self.last_day_at_most + days_after_end > spans.observed_until[episode]
        return (self.still_runs | is_unseen) & ~is_closed

    @cached_property
    def disorders(self) -> frozenset[str]:
        """The disorders in whose episodes there is a trial."""
        spans = self.eras.spans
        return frozenset(spans.disorders[place] for place in np.unique(spans.disorder[self.episode]))

    @cached_property
    def episodes(self) -> Segments:
        """The trials of each episode that has any."""
        return Segments(self.episode)

    def facts(
        self, of_eras: Iterable[pl.DataFrame], of_trials: Iterable[pl.DataFrame], signs: Mapping[str, np.ndarray]
    ) -> pl.LazyFrame:
        """What is known of each trial: its own facts, those of its era, and the day on which each sign first came.

        Column `next` and the name of a sign: the first day after the trial's start on which it came, else null.
        """
        known = [column for frame in (self.eras.facts, *of_eras) for column in frame.get_columns()]
        days = {f"next {sign}": pl.Series(day.astype(np.int32, copy=False)) for sign, day in signs.items()}
        own = {"is_counted": self.counts, "is_add_on": _unless(self.is_open, self.is_add_on), **days}
        told = [column for frame in of_trials for column in frame.get_columns()]
        facts = pl.DataFrame(known)[self.row].hstack(told).with_columns(**own, modality=self.modality.astype(np.uint8))
        return facts.lazy().with_columns(
            pl.col("modality").cat.to(pl.Enum(MODALITIES)),
            *(pl.when(pl.col(name) != NEVER).then(pl.col(name)).alias(name) for name in days),
        )

    def changes(self, from_day: int = 1) -> Changes:
        """What came after each trial, where what was added counts from the `from_day`-th day on; found once."""
        return self.once(("changes", from_day), lambda: self._find_changes(from_day))

    @property
    def _may_be_none(self) -> np.ndarray:
        """May each trial be no trial at all, but an add-on that is ignored?"""
        how = {AUGMENTATION: self.rule.augmentation, COMBINATION: self.rule.combination}
        return self.counts_perhaps & np.isin(self.role, [role for role, handled in how.items() if handled == "ignored"])

    def _find_changes(self, from_day: int) -> Changes:
        eras = self.eras
        columns = (
            *(eras.episode, eras.treatment, eras.start, eras.last_day, eras.last_day_at_most),
            *(eras.last_given, eras.last_given_at_most, eras.may_run),
        )
        found = _changes(
            *(column[self.row] for column in columns), self.modality, self.counts_surely & self.is_add_on,
            self._may_be_none, self.rule.overlap_days, self.rule.overlap_needs_refill, from_day,
        )  # fmt: skip
        return Changes(*found)

    @property
    def counts(self) -> pl.Series:
        """Does each trial count? Null where it counts perhaps."""
        return _unless(self.counts_perhaps, self.is_counted)

    @property
    def is_add_on(self) -> np.ndarray:
        """Was it added to another drug?"""
        return self.role >= AUGMENTATION


def _unless(is_open: np.ndarray, is_true: np.ndarray) -> pl.Series:
    """What is true, null where it is open."""
    return pl.select(pl.when(~pl.lit(pl.Series(is_open))).then(pl.lit(pl.Series(is_true)))).to_series()


def build_trials(eras: Eras, rule: Trial, speaks: np.ndarray, vocabulary: Vocabulary) -> TrialsOfRule:
    """Every trial under `rule` in the episodes that `speaks`, a mask, is true of."""
    primary = vocabulary.perhaps_in(rule.treatments)
    augmenter = vocabulary.perhaps_in(rule.augmenters)
    asked = _asked(eras.episode, eras.treatment, eras.is_drug, speaks, primary, primary | augmenter)
    modality_of = _modalities(vocabulary)
    treatment = eras.treatment[asked]
    columns = (
        *(eras.episode, eras.start, eras.last_day, eras.last_day_at_most, eras.last_given, eras.last_given_at_most),
        *(eras.may_run, eras.is_drug),
    )
    kinds = (treatment, primary[treatment], augmenter[treatment], modality_of[treatment])
    role, host, is_open = _roles(
        *(column[asked] for column in columns), *kinds, rule.overlap_days, rule.overlap_needs_refill
    )
    handling = {AUGMENTATION: rule.augmentation, COMBINATION: rule.combination}
    ignored = [added for added, how in handling.items() if how == "ignored"]
    parts = [added for added, how in handling.items() if how == "part_of_trial"]
    is_left_out = np.isin(role, ignored)
    # An augmenter that was not added to anything is no trial.
    is_trial = (primary[treatment] | (role >= AUGMENTATION)) & (is_open | ~is_left_out)
    n_add_ons = np.bincount(host[is_trial & ~is_left_out & (host != _NO_HOST)], minlength=len(asked))[is_trial]
    row, role, is_open = asked[is_trial], role[is_trial], is_open[is_trial]
    augmentation = MODALITIES.index("augmentation")
    modality = np.where(role == AUGMENTATION, augmentation, modality_of[eras.treatment[row]])
    counts_perhaps = is_open & np.isin(role, parts + ignored)
    is_counted = counts_perhaps | ~np.isin(role, parts)
    return TrialsOfRule(eras, row, role, modality, is_counted, counts_perhaps, n_add_ons, is_open, rule)


def _modalities(vocabulary: Vocabulary) -> np.ndarray:
    """The modality of each treatment, as its place in MODALITIES."""
    return np.array([MODALITIES.index(name) for name in vocabulary.column("modality")], dtype=np.int8)


@compiled
def _asked(
    episode: np.ndarray, treatment: np.ndarray, is_drug: np.ndarray, speaks: np.ndarray, primary: np.ndarray,
    primary_or_augmenter: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """The eras that may be trials or add-ons; sessions are never add-ons."""
    rows, n = np.empty(len(episode), dtype=np.int64), 0
    for row in range(len(episode)):
        if speaks[episode[row]] and (primary_or_augmenter if is_drug[row] else primary)[treatment[row]]:
            rows[n] = row
            n += 1
    return rows[:n].copy()


@compiled
def _together(
    earlier: int, later: int, start: np.ndarray, last: np.ndarray, last_at_most: np.ndarray, last_given: np.ndarray,
    last_given_at_most: np.ndarray, may_run: np.ndarray, overlap_days: int, needs_refill: bool,
) -> int:  # fmt: skip
    """Are two drugs taken together: do they overlap long enough and, if asked for, was the earlier one dispensed again?

    A drug that may run on after the last day looked at may overlap for ever, and may yet be dispensed again.
    """
    day = start[later]
    overlaps = _YES if min(last[earlier], last[later]) - day + 1 >= overlap_days else _NO
    if overlaps == _NO:
        for_earlier = may_run[earlier] or last_at_most[earlier] - day + 1 >= overlap_days
        for_later = may_run[later] or last_at_most[later] - day + 1 >= overlap_days
        overlaps = _PERHAPS if for_earlier and for_later else _NO
    if not needs_refill or last_given[earlier] >= day:
        return overlaps
    may_be_refilled = may_run[earlier] or last_given_at_most[earlier] >= day
    return min(overlaps, _PERHAPS) if may_be_refilled else _NO


@compiled
def _roles(
    episode: np.ndarray, start: np.ndarray, last: np.ndarray, last_at_most: np.ndarray, last_given: np.ndarray,
    last_given_at_most: np.ndarray, may_run: np.ndarray, is_drug: np.ndarray, treatment: np.ndarray,
    is_primary: np.ndarray, is_augmenter: np.ndarray, modality: np.ndarray, overlap_days: int, needs_refill: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """The role of each era, for each add-on the one it was added to, the primary drug it overlaps longest, and whether
    it is open that it was added to any.

    A drug is seen among the drugs before it, a course among the courses of its modality. Of drugs begun on one day
    one that only augments comes last, so that it has something to be added to. An augmenter is added by known days.
    """
    role, host = np.full(len(episode), FIRST), np.full(len(episode), _NO_HOST)
    is_open = np.zeros(len(episode), dtype=np.bool_)
    opens = 0
    for row in range(len(episode)):
        if episode[row] != episode[opens]:
            opens = row
        is_return = follows = False
        longest, surest = 0, _NO
        other = opens
        while other < len(episode) and episode[other] == episode[row] and start[other] <= start[row]:
            if is_drug[other] == is_drug[row]:
                if treatment[other] == treatment[row]:
                    is_return = is_return or other < row
                elif not is_drug[row]:
                    follows = follows or (other < row and modality[other] == modality[row])
                elif is_primary[other] and (other < row or not is_primary[row]):
                    follows = True
                    asks = needs_refill and not is_augmenter[row]
                    sure = _together(
                        other, row, start, last, last_at_most, last_given, last_given_at_most, may_run,
                        overlap_days, asks,
                    )  # fmt: skip
                    overlap = min(last[row], last[other]) - start[row] + 1
                    is_host = sure == _YES or (sure == _PERHAPS and not is_augmenter[row])
                    if is_host and (sure > surest or (sure == surest and overlap > longest)):
                        longest, surest, host[row] = overlap, sure, other
            other += 1
        is_open[row] = surest == _PERHAPS
        if host[row] != _NO_HOST:
            role[row] = AUGMENTATION if is_augmenter[row] else COMBINATION
        elif is_return:
            role[row] = RESUMED
        elif follows:
            role[row] = SWITCH
    return role, host, is_open


@compiled
def _changes(
    episode: np.ndarray, treatment: np.ndarray, start: np.ndarray, last: np.ndarray, last_at_most: np.ndarray,
    last_given: np.ndarray, last_given_at_most: np.ndarray, may_run: np.ndarray, modality: np.ndarray,
    is_own_add_on: np.ndarray, may_be_none: np.ndarray, overlap_days: int, needs_refill: bool, from_day: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """For each trial the days of `Changes`.

    An augmentation follows only an add-on: one add-on in place of another, both trials of their own. A drug begun
    during a course of sessions, and psychotherapy begun during a drug, are added to it. What may be no trial tells
    nothing for sure.
    """
    followed, joined = np.full(len(episode), NEVER), np.full(len(episode), NEVER)
    either = np.full(len(episode), NEVER)
    maybe_followed, maybe_joined = np.full(len(episode), NEVER), np.full(len(episode), NEVER)
    for row in range(len(episode)):
        is_drug = modality[row] <= _AUGMENTATION
        tells = _PSYCHOTHERAPY if is_drug else _AUGMENTATION  # what others may be to tell something of it
        other = row + 1
        while other < len(episode) and episode[other] == episode[row]:
            day, kind = start[other], modality[other]
            if day > start[row] and treatment[other] != treatment[row] and kind <= tells:
                follows = kind == _DRUG or (kind == _AUGMENTATION and is_own_add_on[row] and is_own_add_on[other])
                sure = _YES if day <= last[row] else _NO
                if is_drug and kind <= _AUGMENTATION:
                    sure = _together(
                        row, other, start, last, last_at_most, last_given, last_given_at_most, may_run,
                        overlap_days, needs_refill and kind == _DRUG,
                    )  # fmt: skip
                is_early = day < start[row] + from_day - 1
                may_follow = follows and sure != _YES
                may_join = not is_early and (sure == _YES or (follows and sure == _PERHAPS))
                if may_follow and may_join and not may_be_none[other]:
                    either[row] = min(either[row], day)
                elif may_follow and sure == _NO and not may_be_none[other]:
                    followed[row] = min(followed[row], day)
                elif may_join and not may_be_none[other]:
                    joined[row] = min(joined[row], day)
                else:
                    if may_follow:
                        maybe_followed[row] = min(maybe_followed[row], day)
                    if may_join:
                        maybe_joined[row] = min(maybe_joined[row], day)
            other += 1
    return followed, joined, either, maybe_followed, maybe_joined
