"""Eras and courses -> treatment trials, under one trial rule.

1. The eras with treatments the rule speaks about.
2. Roles: an era that overlaps an earlier drug long enough is an add-on to it (augmentation or
   combination); otherwise it is the first treatment, a switch, or a return to an earlier one.
3. Add-ons become trials of their own, stay part of their host, or are ignored, as the rule says.
4. What came after each trial: when the next drug followed it, and when the first was added to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl

from impasse.schemas.definition import Trial
from impasse.schemas.tables import MODALITIES, ROLES
from impasse.transforms.history.encode import Vocabulary
from impasse.transforms.history.eras import Eras
from impasse.transforms.kernels.compiled import compiled
from impasse.transforms.kernels.once import Once
from impasse.transforms.kernels.segments import NEVER, Segments

FIRST, SWITCH, RESUMED, AUGMENTATION, COMBINATION = range(len(ROLES))
_NO_HOST = -1
SIGNS_OF_TRIALS = ("switch", "add_on")  # the changes of treatment that trials tell of one another


@dataclass(frozen=True)
class TrialsOfRule:
    """The trials of one rule, one row each, in the order of `eras`: `row` is the era each is.

    `role` and `modality` are places in ROLES and MODALITIES of schemas/tables.py. `next_switch` and `next_add_on`
    are the first day on which another drug followed it and was added to it, NEVER if none did.
    """

    eras: Eras
    row: np.ndarray
    role: np.ndarray
    modality: np.ndarray
    is_counted: np.ndarray
    n_add_ons: np.ndarray
    next_switch: np.ndarray
    next_add_on: np.ndarray
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
    def has_unknown_supply(self) -> np.ndarray:
        """Is it unknown how long some supply of the trial lasted?"""
        return self.eras.has_unknown_supply[self.row]

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
        came = {**dict(zip(SIGNS_OF_TRIALS, (self.next_switch, self.next_add_on), strict=True)), **signs}
        days = {f"next {sign}": pl.Series(day.astype(np.int32, copy=False)) for sign, day in came.items()}
        own = {"is_counted": self.is_counted, "is_add_on": self.is_add_on, **days}
        told = [column for frame in of_trials for column in frame.get_columns()]
        facts = pl.DataFrame(known)[self.row].hstack(told).with_columns(**own, modality=self.modality.astype(np.uint8))
        return facts.lazy().with_columns(
            pl.col("modality").cat.to(pl.Enum(MODALITIES)),
            *(pl.when(pl.col(name) != NEVER).then(pl.col(name)).alias(name) for name in days),
        )

    @property
    def is_add_on(self) -> np.ndarray:
        """Was it added to another drug?"""
        return self.role >= AUGMENTATION


def build_trials(eras: Eras, rule: Trial, speaks: np.ndarray, vocabulary: Vocabulary) -> TrialsOfRule:
    """Every trial under `rule` in the episodes that `speaks`, a mask, is true of."""
    primary = vocabulary.perhaps_in(rule.treatments)
    augmenter = vocabulary.perhaps_in(rule.augmenters)
    asked = _asked(eras.episode, eras.treatment, eras.is_drug, speaks, primary, primary | augmenter)
    modality_of = _modalities(vocabulary)
    treatment = eras.treatment[asked]
    columns = (column[asked] for column in (eras.episode, eras.start, eras.last_day, eras.is_drug))
    role, host = _roles(
        *columns, treatment, primary[treatment], augmenter[treatment], modality_of[treatment], rule.overlap_days
    )
    handling = {AUGMENTATION: rule.augmentation, COMBINATION: rule.combination}
    ignored = [added for added, how in handling.items() if how == "ignored"]
    parts = [added for added, how in handling.items() if how == "part_of_trial"]
    # An augmenter that was not added to anything is no trial.
    is_trial = (primary[treatment] | (role >= AUGMENTATION)) & ~np.isin(role, ignored)
    n_add_ons = np.bincount(host[is_trial & (host != _NO_HOST)], minlength=len(asked))[is_trial]
    row, role = asked[is_trial], role[is_trial]
    augmentation = MODALITIES.index("augmentation")
    modality = np.where(role == AUGMENTATION, augmentation, modality_of[eras.treatment[row]])
    columns = (eras.episode, eras.treatment, eras.start, eras.end_excl, eras.last_day)
    kinds = (eras.is_drug[row], modality == MODALITIES.index("drug"))
    followed, joined = _changes(*(column[row] for column in columns), *kinds, rule.overlap_days)
    return TrialsOfRule(eras, row, role, modality, ~np.isin(role, parts), n_add_ons, followed, joined)


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
def _roles(
    episode: np.ndarray, start: np.ndarray, last: np.ndarray, is_drug: np.ndarray, treatment: np.ndarray,
    is_primary: np.ndarray, is_augmenter: np.ndarray, modality: np.ndarray, overlap_days: int,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """The role of each era, and for each add-on the one it was added to: the primary drug it overlaps longest.

    A drug is seen among the drugs before it, a course among the courses of its modality. Of drugs begun on one day
    one that only augments comes last, so that it has something to be added to.
    """
    role, host = np.full(len(episode), FIRST), np.full(len(episode), _NO_HOST)
    opens = 0
    for row in range(len(episode)):
        if episode[row] != episode[opens]:
            opens = row
        is_return = follows = False
        longest = -1
        other = opens
        while other < len(episode) and episode[other] == episode[row] and start[other] <= start[row]:
            if is_drug[other] == is_drug[row]:
                if treatment[other] == treatment[row]:
                    is_return = is_return or other < row
                elif not is_drug[row]:
                    follows = follows or (other < row and modality[other] == modality[row])
                elif is_primary[other] and (other < row or not is_primary[row]):
                    follows = True
                    overlap = min(last[row], last[other]) - start[row] + 1
                    if overlap >= overlap_days and overlap > longest:
                        longest, host[row] = overlap, other
            other += 1
        if host[row] != _NO_HOST:
            role[row] = AUGMENTATION if is_augmenter[row] else COMBINATION
        elif is_return:
            role[row] = RESUMED
        elif follows:
            role[row] = SWITCH
    return role, host


@compiled
def _changes(
    episode: np.ndarray, treatment: np.ndarray, start: np.ndarray, end_excl: np.ndarray, last: np.ndarray,
    is_drug: np.ndarray, may_follow: np.ndarray, overlap_days: int,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """For each trial the day the next drug followed it and the day the first was added to it.

    A drug that was added to some other one as an augmentation is no switch.
    """
    followed, joined = np.full(len(episode), NEVER), np.full(len(episode), NEVER)
    for row in range(len(episode)):
        other = row + 1
        while other < len(episode) and episode[other] == episode[row]:
            if is_drug[other] and treatment[other] != treatment[row] and start[other] > start[row]:
                overlap = min(last[row], last[other]) - start[other] + 1
                if is_drug[row] and overlap >= overlap_days:
                    joined[row] = min(joined[row], start[other])
                elif may_follow[other] and (is_drug[row] or start[other] >= end_excl[row]):
                    followed[row] = min(followed[row], start[other])
            other += 1
    return followed, joined
