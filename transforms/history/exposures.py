"""Dispensings and procedures -> those of each episode: its supplies of drugs, and its days with a session."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from impasse.schemas.definition import Trial
from impasse.schemas.study import SUPPLY_KINDS, SupplySection
from impasse.transforms.history.encode import Coded, Dispensed, Done
from impasse.transforms.history.episodes import Spans
from impasse.transforms.kernels.days import packed
from impasse.transforms.kernels.segments import in_order, ragged


class Supplies(NamedTuple):
    """One row per dispensing, sorted by (episode, treatment, day, amounts); an unknown amount is UNKNOWN.

    `basis` and `kind` are places in SUPPLY_BASES and SUPPLY_KINDS. A row is begun `begins` days after its day at the
    earliest: 0, but for parts of supplies taken together.
    """

    episode: np.ndarray
    treatment: np.ndarray
    day: np.ndarray
    days: np.ndarray
    dose_ug: np.ndarray
    dose_mddd: np.ndarray
    basis: np.ndarray
    kind: np.ndarray
    begins: np.ndarray

    def only(self, rows: np.ndarray) -> Supplies:
        """Some of the rows."""
        return Supplies(*(column[rows] for column in self))


class Sessions(NamedTuple):
    """One row per day with a session of a treatment, sorted by (episode, treatment, day)."""

    episode: np.ndarray
    treatment: np.ndarray
    day: np.ndarray

    def only(self, rows: np.ndarray) -> Sessions:
        """Some of the rows."""
        return Sessions(*(column[rows] for column in self))


@dataclass(frozen=True)
class Exposures:
    """What was dispensed or done between each episode's treated_from and its end.

    `taken` is how the study takes supplies. `shared` has a bit for each disorder in an episode of which the person was
    given something that was given in this episode too, and that treats both.
    """

    supplies: Supplies
    sessions: Sessions
    taken: SupplySection
    shared: np.ndarray

    def of_kinds(self, kinds: Iterable[str]) -> Exposures:
        """Without the supplies of other kinds; those whose kind is not known stay."""
        is_meant = np.array([kind in {*kinds, "unknown"} for kind in SUPPLY_KINDS], dtype=bool)
        if is_meant.all():
            return self
        return replace(self, supplies=self.supplies.only(np.flatnonzero(is_meant[self.supplies.kind])))


def find_exposures(coded: Coded, spans: Spans, rule: SupplySection, treats: np.ndarray) -> Exposures:
    """The exposures of all episodes. `treats` has a bit for each disorder that a treatment treats."""
    dispensed, (supplied, row) = coded.dispensed, _within(coded.dispensed, spans)
    amounts = dispensed.amounts(row, "days", "dose_ug", "dose_mddd")
    told = (*amounts, dispensed.bases(row), dispensed.kinds(row), np.zeros(len(row), dtype=np.int32))
    supplies = Supplies._make([supplied, dispensed.treatment[row], dispensed.day[row], *told])
    done, (treated, done_row) = coded.done, _within(coded.done, spans)
    sessions = Sessions(treated, done.treatment[done_row], done.day[done_row])
    shared = _shared(supplied, row, dispensed, spans, treats) | _shared(treated, done_row, done, spans, treats)
    return Exposures(supplies, sessions, rule, shared)


def _shared(
    episode: np.ndarray, row: np.ndarray, table: Dispensed | Done, spans: Spans, treats: np.ndarray
) -> np.ndarray:
    """For each episode the other disorders, as bits, in whose episodes one of its rows lies too."""
    bit = (np.uint8(1) << spans.disorder.astype(np.uint8))[episode]
    treating = np.flatnonzero(treats[table.treatment[row]] & bit)
    times = np.bincount(row[treating], minlength=1)
    twice = treating[times[row[treating]] > 1]
    disorders = np.zeros(len(times), dtype=np.uint8)
    np.bitwise_or.at(disorders, row[twice], bit[twice])
    shared = np.zeros(len(spans.person), dtype=np.uint8)
    np.bitwise_or.at(shared, episode[twice], disorders[row[twice]] & ~bit[twice])
    return shared


def _within(table: Dispensed | Done, spans: Spans) -> tuple[np.ndarray, np.ndarray]:
    """The rows that lie in an episode, and the episode of each, by episode and treatment."""
    keys = packed(table.person, table.day)
    first = np.searchsorted(keys, packed(spans.person, spans.treated_from), side="left")
    after = np.searchsorted(keys, packed(spans.person, spans.end), side="right")
    episode, row = ragged(first, np.maximum(after - first, 0))
    order = in_order(episode * (int(table.treatment.max(initial=0)) + 1) + table.treatment[row])
    return episode[order].astype(np.int32), row[order]


class Joining(NamedTuple):
    """The settings of a trial rule that eras depend on; rules with equal ones share them.

    Treatments are named only where it depends on them when a window opens, or when the next drug starts.
    """

    permissible_gap_days: int
    session_gap_days: int
    carry_over: bool
    carry_over_cap_days: int
    supply: str
    supply_kinds: tuple[str, ...]
    single_dispensing_days: int
    window: str
    window_days: int
    ends_left: bool
    treatments: tuple[str, ...]
    augmenters: tuple[str, ...]


def joining(rule: Trial, supply: SupplySection) -> Joining:
    """How a trial rule joins in a study that takes supplies so."""
    until_next, after_first = rule.single_dispensing_days > 0, rule.window == "first_treated_days"
    ends_left = rule.overlap_needs_refill or supply.new_drug_ends_old
    by_main_drugs = until_next or after_first or ends_left
    return Joining(
        rule.permissible_gap_days,
        rule.session_gap_days,
        rule.carry_over,
        rule.carry_over_cap_days,
        rule.supply,
        tuple(sorted(set(rule.supply_kinds))),
        rule.single_dispensing_days,
        rule.window,
        rule.window_days,
        ends_left,
        rule.treatments if by_main_drugs else (),
        rule.augmenters if until_next or ends_left else (),
    )
