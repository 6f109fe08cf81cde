"""Eras and courses -> treatment trials, under one trial rule.

1. The attempts with treatments the rule speaks about.
2. Roles: an era that overlaps an earlier drug long enough is an add-on to it (augmentation or
   combination); otherwise it is the first treatment, a switch, or a return to an earlier one.
3. Add-ons become trials of their own, stay part of their host, or are ignored, as the rule says.
4. What came after each trial: when the next drug followed it, and when the first was added to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from schemas.definition import Trial
from schemas.tables import MODALITIES, ROLES
from transforms.attempts import Attempts
from transforms.encode import Vocabulary
from transforms.eras import packed
from transforms.once import Once
from transforms.segments import NEVER, Segments, in_order

FIRST, SWITCH, RESUMED, AUGMENTATION, COMBINATION = range(len(ROLES))
_NO_HOST = -1


@dataclass(frozen=True)
class Trials:
    """The trials of one rule, one row each, in the order of `attempts`: `row` is the attempt each is.

    `role` and `modality` are places in ROLES and MODALITIES of schemas/tables.py. `next_switch` and `next_add_on`
    are the first day on which another drug followed it and was added to it, NEVER if none did.
    """

    attempts: Attempts
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
        return self.attempts.episode[self.row]

    @cached_property
    def treatment(self) -> np.ndarray:
        """The treatment of each trial."""
        return self.attempts.treatment[self.row]

    @cached_property
    def start(self) -> np.ndarray:
        """The first day of each trial."""
        return self.attempts.start[self.row]

    @cached_property
    def last_day(self) -> np.ndarray:
        """The last day of each trial."""
        return self.attempts.last_day[self.row]

    @cached_property
    def n_days(self) -> np.ndarray:
        """The days of each trial from the first covered to the last."""
        return self.attempts.n_days[self.row]

    @cached_property
    def has_unknown_supply(self) -> np.ndarray:
        """Is it unknown how long some supply of the trial lasted?"""
        return self.attempts.has_unknown_supply[self.row]

    @cached_property
    def episodes(self) -> Segments:
        """The trials of each episode that has any."""
        return Segments(self.episode)

    def of_episodes(self, chosen: np.ndarray) -> tuple[np.ndarray, Trials]:
        """The trials of some episodes, which are numbered anew, in their new order; and the row of each here."""
        number = np.full(len(self.attempts.spans.start), -1)
        number[chosen] = np.arange(len(chosen))
        rows = np.flatnonzero(number[self.episode] >= 0)
        rows = rows[in_order(number[self.episode[rows]])]
        columns = (self.role, self.modality, self.is_counted, self.n_add_ons, self.next_switch, self.next_add_on)
        attempts = self.attempts.only(self.row[rows], number[self.episode[rows]], chosen)
        return rows, Trials(attempts, np.arange(len(rows)), *(column[rows] for column in columns))

    @property
    def is_add_on(self) -> np.ndarray:
        """Was it added to another drug?"""
        return self.role >= AUGMENTATION


def build_trials(attempts: Attempts, rule: Trial, speaks: np.ndarray, vocabulary: Vocabulary) -> Trials:
    """Every trial under `rule` of the episodes spoken about, which is a mask."""
    primary = vocabulary.membership(rule.treatments).possible
    augmenter = vocabulary.membership(rule.augmenters).possible
    wanted = np.where(attempts.is_drug, (primary | augmenter)[attempts.treatment], primary[attempts.treatment])
    asked = np.flatnonzero(wanted & speaks[attempts.episode])
    is_drug = attempts.is_drug[asked]
    drugs, courses = asked[is_drug], asked[~is_drug]
    role_of_drug, host = _drug_roles(attempts, drugs, primary, augmenter, rule.overlap_days)
    role, hosts = np.full(len(asked), FIRST), np.full(len(asked), _NO_HOST)
    role[is_drug], hosts[is_drug] = role_of_drug, host
    modality_of = _modalities(vocabulary)
    role[~is_drug] = _course_roles(attempts, courses, modality_of)
    handling = {AUGMENTATION: rule.augmentation, COMBINATION: rule.combination}
    ignored = [added for added, how in handling.items() if how == "ignored"]
    parts = [added for added, how in handling.items() if how == "part_of_trial"]
    # An augmenter that was not added to anything is no trial.
    is_trial = (primary[attempts.treatment[asked]] | (role >= AUGMENTATION)) & ~np.isin(role, ignored)
    row, role, hosts = asked[is_trial], role[is_trial], hosts[is_trial]
    n_add_ons = np.bincount(hosts[hosts != _NO_HOST], minlength=len(attempts.episode))[row]
    augmentation = MODALITIES.index("augmentation")
    modality = np.where(role == AUGMENTATION, augmentation, modality_of[attempts.treatment[row]])
    followed, joined = _changes(attempts, row, modality, rule.overlap_days)
    return Trials(attempts, row, role, modality, ~np.isin(role, parts), n_add_ons, followed, joined)


def _modalities(vocabulary: Vocabulary) -> np.ndarray:
    """The modality of each treatment, as its place in MODALITIES."""
    return np.array([MODALITIES.index(name) for name in vocabulary.column("modality")], dtype=np.int8)


def _drug_roles(
    attempts: Attempts, drugs: np.ndarray, primary: np.ndarray, augmenter: np.ndarray, overlap_days: int
) -> tuple[np.ndarray, np.ndarray]:
    """The role of each era, and for each add-on the era it was added to: the earlier primary drug it overlaps longest.

    Of drugs begun on one day one that only augments comes last, so that it has something to be added to.
    """
    is_primary = primary[attempts.treatment[drugs]]
    late = in_order((packed(attempts.episode[drugs], attempts.start[drugs]) << 1) + ~is_primary)
    placed, is_primary = drugs[late], is_primary[late]
    treatment, start, last = (column[placed] for column in (attempts.treatment, attempts.start, attempts.last_day))
    none = np.zeros(len(placed), dtype=bool)
    is_return, follows_primary = none.copy(), none.copy()
    longest, host = np.zeros(len(placed), dtype=np.int64), np.full(len(placed), _NO_HOST)
    for later, earlier in Segments(attempts.episode[placed]).earlier():
        is_same = treatment[later] == treatment[earlier]
        is_return[later] |= is_same
        follows_primary[later] |= is_primary[earlier]
        overlap = np.minimum(last[later], last[earlier]) - start[later] + 1
        together = ~is_same & is_primary[earlier] & (overlap >= overlap_days) & (overlap >= longest[later])
        longest[later[together]] = overlap[together]
        host[later[together]] = placed[earlier[together]]
    alone = np.where(is_return, RESUMED, np.where(follows_primary, SWITCH, FIRST))
    added = np.where(augmenter[treatment], AUGMENTATION, COMBINATION)
    role, hosts = np.empty(len(drugs), dtype=np.int64), np.empty(len(drugs), dtype=np.int64)
    role[late], hosts[late] = np.where(host == _NO_HOST, alone, added), host
    return role, hosts


def _course_roles(attempts: Attempts, courses: np.ndarray, modality_of: np.ndarray) -> np.ndarray:
    """The role of each course among the courses of its kind."""
    treatment = attempts.treatment[courses]
    kind = modality_of[treatment]
    is_return = np.zeros(len(courses), dtype=bool)
    follows = is_return.copy()
    for later, earlier in Segments(attempts.episode[courses]).earlier():
        is_return[later] |= treatment[later] == treatment[earlier]
        follows[later] |= kind[later] == kind[earlier]
    return np.where(is_return, RESUMED, np.where(follows, SWITCH, FIRST))


def _changes(
    attempts: Attempts, row: np.ndarray, modality: np.ndarray, overlap_days: int
) -> tuple[np.ndarray, np.ndarray]:
    """For each trial the day the next drug followed it and the day the first was added to it.

    A drug that was added to some other one as an augmentation is no switch.
    """
    columns = (attempts.treatment, attempts.start, attempts.end_excl, attempts.last_day, attempts.is_drug)
    treatment, start, end_excl, last, is_drug = (column[row] for column in columns)
    can_follow = modality == MODALITIES.index("drug")
    followed, joined = (np.full(len(row), NEVER, dtype=np.int64) for _ in range(2))
    for other, mine in Segments(attempts.episode[row]).earlier():
        is_change = is_drug[other] & (treatment[other] != treatment[mine]) & (start[other] > start[mine])
        other, mine = other[is_change], mine[is_change]
        overlap = np.minimum(last[mine], last[other]) - start[other] + 1
        is_added = is_drug[mine] & (overlap >= overlap_days)
        joined[mine[is_added]] = np.minimum(joined[mine[is_added]], start[other[is_added]])
        is_next = ~is_added & can_follow[other] & (is_drug[mine] | (start[other] >= end_excl[mine]))
        followed[mine[is_next]] = np.minimum(followed[mine[is_next]], start[other[is_next]])
    return followed, joined
