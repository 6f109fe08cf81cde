"""Supplies and sessions of episodes -> eras, under one way of joining: of what a person took, from when to when.

1. What was dispensed or done in the episode's window, of treatments somebody asks about.
2. Supplies of one drug joined over permissible gaps into its eras; sessions of one treatment likewise, into courses.

Many trial rules join in the same way and differ only in the treatments they speak about and in what becomes
of add-ons: eras are made once for all of them, and so is everything that is true of an era whoever asks (its
days at dose, its scores, what came after it). transforms/history/trials.py picks from them.

Supply intervals are half-open: `end_excl` is the first day no longer covered. `last_day` is the last one with
supply or with a dispensing, so that a drug of unknown supply is in use at least on the days it was dispensed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from impasse.schemas.extracts import SUPPLY_BASES
from impasse.schemas.study import SupplySection
from impasse.transforms.history.encode import UNKNOWN
from impasse.transforms.history.episodes import Spans
from impasse.transforms.history.era_ends import latest_days, left_for_another, until_next_drug
from impasse.transforms.history.exposures import Exposures, Joining, Sessions, Supplies
from impasse.transforms.history.leftovers import Leftovers
from impasse.transforms.history.same_day import taken_together
from impasse.transforms.history.vocabulary import Vocabulary
from impasse.transforms.kernels.compiled import compiled
from impasse.transforms.kernels.days import days_taken, not_after_next, opens_era, packed
from impasse.transforms.kernels.once import Once
from impasse.transforms.kernels.queries import collect_in_order
from impasse.transforms.kernels.segments import NEVER, Segments, in_order

MIXED = len(SUPPLY_BASES)  # code of an era whose supplies were not all worked out in one way
NO_BASIS = MIXED + 1

_FACTS = (
    *("treatment", "last_day", "last_day_at_most", "n_days", "n_days_at_most", "days_covered", "n_sessions"),
    *("may_be_longer", "is_ongoing", "may_still_run", "is_surely_raised", "is_possibly_raised"),
)
_FACTS_OF_EPISODES = {
    "episode_end": "end",
    "seen_until": "seen_until",
    "is_censored": "is_censored",
    "ends_in_death": "ends_in_death",
}


@dataclass(frozen=True)
class Eras:
    """Eras of drugs and courses of sessions, one row each, sorted by (episode, start, treatment, end_excl).

    `dose_ug_days` is UNKNOWN unless every dose is known; `n_sessions` of a drug is 0. `supplies` of row r are those
    with `of_supply` r: each with the days it was taken for and of these the days it covered. `last_day_at_most` is
    the latest day on which the era may have ended, `last_given` the last one with a dispensing or session and
    `last_given_at_most` the latest that may have been of the era. A drug `was_in_hand` if its supply still covered the
    day on which another took its place. For each episode `looked_until` is the last day of which treatments are looked
    at, `window_closes` the last day of the rule's own window, NEVER where that is the episode's.
    """

    spans: Spans
    episode: np.ndarray
    treatment: np.ndarray
    start: np.ndarray
    end_excl: np.ndarray
    last_day: np.ndarray
    last_day_at_most: np.ndarray
    last_given: np.ndarray
    last_given_at_most: np.ndarray
    days_covered: np.ndarray
    n_sessions: np.ndarray
    has_unknown_supply: np.ndarray
    may_be_refilled: np.ndarray
    was_in_hand: np.ndarray
    is_surely_raised: np.ndarray
    is_possibly_raised: np.ndarray
    dose_ug_days: np.ndarray
    supply_basis: np.ndarray
    is_ongoing: np.ndarray
    supplies: Supplies
    span_days: np.ndarray
    covered_days: np.ndarray
    row_of_drug_era: np.ndarray
    drug_eras: Segments
    looked_until: np.ndarray
    window_closes: np.ndarray
    runs_from: np.ndarray
    once: Once = field(default_factory=Once)

    @cached_property
    def n_days(self) -> np.ndarray:
        """Days from the first covered to the last."""
        return self.end_excl - self.start

    @cached_property
    def n_days_at_most(self) -> np.ndarray:
        """Days from the first to the latest on which the era may have ended."""
        is_open = self.may_be_longer | (self.last_day_at_most > self.last_day)
        return np.where(is_open, self.last_day_at_most + 1 - self.start, self.n_days)

    @cached_property
    def seen_until(self) -> np.ndarray:
        """Of each episode the day until which it is known what changed; all of it where its own window has closed."""
        has_closed = self.window_closes <= self.spans.observed_until
        return np.where(has_closed, np.int32(NEVER), self.spans.seen_until)

    @cached_property
    def may_run(self) -> np.ndarray:
        """May the era go on after the last day looked at?"""
        return self.last_day_at_most >= self.runs_from[self.episode]

    @cached_property
    def may_be_longer(self) -> np.ndarray:
        """Is it not known for how many days it lasted: is a supply unknown, or may what was left yet be refilled?"""
        return self.has_unknown_supply | self.may_be_refilled

    @cached_property
    def may_still_run(self) -> np.ndarray:
        """Did observation end, but not by death, before the era, or a supply of unknown length, was seen to end?"""
        reaches_on = self.last_day_at_most >= self.of("observed_until")
        return (self.is_ongoing | reaches_on) & ~(self.of("ends_in_death") | self.of("is_remitted"))

    @cached_property
    def is_drug(self) -> np.ndarray:
        """Is it a drug, and not a course of sessions?"""
        return self.n_sessions == 0

    @cached_property
    def facts(self) -> pl.DataFrame:
        """What is true of each era and of its episode, whatever is asked of it."""
        known = {name: getattr(self, name) for name in _FACTS}
        known |= {name: self.of(column) for name, column in _FACTS_OF_EPISODES.items()}
        known["seen_until"] = self.seen_until[self.episode]
        is_known = pl.col("is_surely_raised") == pl.col("is_possibly_raised")
        return collect_in_order(
            pl.LazyFrame(known).with_columns(is_dose_raised=pl.when(is_known).then("is_surely_raised"))
        )

    def of(self, column: str) -> np.ndarray:
        """A fact of each era's episode."""
        return self.once(("of", column), lambda: getattr(self.spans, column)[self.episode])


def build_eras(
    exposures: Exposures, spans: Spans, how: Joining, asked: np.ndarray, speaks: np.ndarray, vocabulary: Vocabulary
) -> Eras:
    """The eras with the treatments asked about, in the episodes spoken about; both are masks."""
    exposures = exposures.of_kinds(how.supply_kinds)
    window = _window(exposures, spans, how, vocabulary)
    opens, closes, window_closes = (days.astype(np.int64) for days in window)  # of one type, whatever the window

    def inside(rows: Supplies | Sessions) -> Supplies | Sessions:
        return rows.only(_inside(rows.episode, rows.treatment, rows.day, asked, speaks, opens, closes))

    taken = _as_taken(inside(exposures.supplies), how, exposures.taken.same_day)
    runs_from = _runs_from(spans, closes, how)
    drugs, supplies = _drug_eras(taken, spans, how, exposures.taken, vocabulary, runs_from)
    courses = _courses(inside(exposures.sessions), spans, how)
    facts = {name: np.concatenate([drugs[name], courses[name]]) for name in drugs}
    order = in_order(packed(facts["episode"], facts["start"]) * len(asked) + facts["treatment"])
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    ordered = {name: column[order] for name, column in facts.items()}
    return Eras(
        spans=spans, row_of_drug_era=place[: len(drugs["episode"])], looked_until=closes, window_closes=window_closes,
        runs_from=runs_from,
        once=Once(), **ordered, **supplies,
    )  # fmt: skip


@compiled
def _inside(
    episode: np.ndarray, treatment: np.ndarray, day: np.ndarray, asked: np.ndarray, speaks: np.ndarray,
    opens: np.ndarray, closes: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """The rows of treatments asked about, in episodes spoken about, on the days looked at."""
    rows, n = np.empty(len(day), dtype=np.int64), 0
    for row in range(len(day)):
        of = episode[row]
        if asked[treatment[row]] and speaks[of] and opens[of] <= day[row] <= closes[of]:
            rows[n] = row
            n += 1
    return rows[:n].copy()


def _as_taken(rows: Supplies, how: Joining, same_day: str) -> Supplies:
    """The supplies in the order in which they are taken; those of one day together, if the study says so."""
    are_delivered = how.supply == "as_delivered"
    rows = rows if are_delivered else _by_dose(rows)
    if same_day == "one_after_another":
        return rows
    carries_over = how.carry_over and are_delivered  # where days of supply are not read, nothing is left over
    return taken_together(rows, how.carry_over_cap_days if carries_over else 0, are_delivered)


def _by_dose(rows: Supplies) -> Supplies:
    """Supplies of one day by their dose: where days of supply are not read, they say nothing of an order either."""
    days = Segments(rows.episode, rows.treatment, rows.day)
    together = np.flatnonzero(days.lengths[days.of] > 1)
    order = np.arange(len(rows.day))
    order[together] = together[np.lexsort((rows.dose_mddd[together], rows.dose_ug[together], days.of[together]))]
    return rows.only(order)


def _window(exposures: Exposures, spans: Spans, how: Joining, vocabulary: Vocabulary) -> tuple[np.ndarray, ...]:
    """The first and the last day each episode's eras are looked for in, and the last of a window of its own.

    Where no day is looked at, the last is before the first.
    """
    opens, ends, never = spans.treated_from, spans.end, np.full(len(spans.end), NEVER)
    if how.window == "first_days":
        closes = spans.start + how.window_days - 1
        return opens, np.minimum(ends, closes), closes
    if how.window == "last_days":
        return np.maximum(opens, ends - how.window_days + 1), ends, never
    if how.window == "first_treated_days":
        first = _first_treated(exposures, len(opens), vocabulary.perhaps_in(how.treatments))
        closes = np.where(first == NEVER, NEVER, first + how.window_days - 1)
        return opens, np.where(first == NEVER, opens - 1, np.minimum(ends, closes)), closes
    return opens, ends, never


def _first_treated(exposures: Exposures, n_episodes: int, is_primary: np.ndarray) -> np.ndarray:
    """The first day of each episode with something that makes a trial, NEVER if there is none."""
    first = np.full(n_episodes, NEVER)
    for rows in (exposures.supplies, exposures.sessions):
        _bring_forward(first, rows.episode, rows.treatment, rows.day, is_primary)
    return first


@compiled
def _bring_forward(
    first: np.ndarray, episode: np.ndarray, treatment: np.ndarray, day: np.ndarray, is_meant: np.ndarray
) -> None:
    """Move the first day of each episode to an earlier one with a treatment that is meant."""
    for row in range(len(day)):
        if is_meant[treatment[row]]:
            first[episode[row]] = min(first[episode[row]], day[row])


def _drug_eras(
    rows: Supplies, spans: Spans, how: Joining, supply: SupplySection, vocabulary: Vocabulary, runs_from: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The eras, and their supplies with the days each was taken for and covered."""
    drugs, leftovers = Segments(rows.episode, rows.treatment), _leftovers(how, supply)
    are_delivered = how.supply == "as_delivered"
    days = rows.days if are_delivered else np.zeros_like(rows.days)
    taken_from, taken_end = _taken(rows, days, drugs, spans, leftovers)
    eras = Segments.opened_by(opens_era(drugs.of, rows.day, taken_end, how.permissible_gap_days))
    lasts, left = np.zeros(len(eras), dtype=bool), np.full(len(eras), NEVER)
    if how.single_dispensing_days:
        taken_end, days, lasts = until_next_drug(rows, taken_from, taken_end, days, eras, how.single_dispensing_days)
    whole_end = taken_end
    if how.ends_left:
        is_main = vocabulary.perhaps_in(how.treatments)
        left = left_for_another(rows, eras, is_main, is_main & ~vocabulary.perhaps_in(how.augmenters))
        taken_end = np.minimum(taken_end, left[eras.of]).astype(taken_end.dtype)
        taken_from = np.minimum(taken_from, taken_end)
    span_days, covered_days = days_taken(eras.borders, taken_from, taken_end, are_delivered)
    facts = _era_facts(rows, days, taken_end, covered_days, eras, spans, how)
    last_day = np.maximum(facts["last_day"], eras.max(whole_end) - 1)
    latest, last_given = latest_days(
        rows, days, eras, last_day, lasts, spans.taken_until[rows.episode],
        gap=how.permissible_gap_days, leftovers=leftovers, max_days=supply.max_days,
    )  # fmt: skip
    may_go_on = (latest >= runs_from[facts["episode"]]) | (last_given >= left)
    was_left = (left != NEVER) & ~may_go_on
    facts["may_be_refilled"] = (left != NEVER) & may_go_on
    facts["was_in_hand"] = (left != NEVER) & (eras.max(whole_end) > left)
    facts["last_day_at_most"] = np.where(was_left, np.minimum(latest, left - 1), latest).astype(np.int32)
    facts["last_given_at_most"] = np.where(was_left, facts["last_given"], last_given)
    supplies = {"supplies": rows, "span_days": span_days, "covered_days": covered_days, "drug_eras": eras}
    return facts, supplies


def _runs_from(spans: Spans, looked_until: np.ndarray, how: Joining) -> np.ndarray:
    """For each episode the first last day of an era that may go on after the last day looked at.

    If the episode itself may go on then, that is by a dispensing that nobody has seen yet, within the gap; if it has
    run out, and no remission ended it, nothing goes on.
    """
    is_whole, is_over = looked_until == spans.end, spans.has_run_out & ~spans.is_remitted
    unseen_from = np.where(spans.is_censored, spans.treatment_seen_until - how.permissible_gap_days, looked_until)
    return np.where(is_whole & is_over, NEVER, np.where(is_whole, unseen_from, looked_until))


def _leftovers(how: Joining, supply: SupplySection) -> Leftovers:
    return Leftovers(how.carry_over_cap_days if how.carry_over else 0, supply.leftovers == "as_amount")


def _taken(
    rows: Supplies, days: np.ndarray, drugs: Segments, spans: Spans, leftovers: Leftovers
) -> tuple[np.ndarray, np.ndarray]:
    """When each supply is used, after leftovers if the rule carries over, as far as the episode is observed."""
    taken_from, end = leftovers.taken(rows, drugs, np.maximum(days, 0))
    taken_end = np.minimum(end, spans.taken_until[rows.episode] + 1)
    return not_after_next(drugs.of, np.minimum(taken_from, taken_end)), taken_end


def _era_facts(
    rows: Supplies, days: np.ndarray, taken_end: np.ndarray, covered: np.ndarray, eras: Segments, spans: Spans,
    how: Joining,
) -> dict[str, np.ndarray]:  # fmt: skip
    episode, start = rows.episode[eras.first], rows.day[eras.first]
    sums = _sums_of_eras(eras.borders, taken_end, days, covered, rows.dose_ug, rows.basis)
    end, days_covered, has_unknown_supply, is_dose_known, is_raised, dose_ug_days, basis = sums
    end_excl = np.maximum(end, start)
    last_dispensed = rows.day[eras.first + eras.lengths - 1]
    return {
        "episode": episode,
        "treatment": rows.treatment[eras.first],
        "start": start,
        "end_excl": end_excl,
        "last_day": np.maximum(last_dispensed, end_excl - 1),
        "last_given": last_dispensed,
        "days_covered": days_covered,
        "n_sessions": np.zeros(len(eras), dtype=np.int32),
        "has_unknown_supply": has_unknown_supply,
        "is_surely_raised": is_raised,
        "is_possibly_raised": ~is_dose_known | is_raised,
        "dose_ug_days": dose_ug_days,
        "supply_basis": basis,
        "is_ongoing": end_excl + how.permissible_gap_days > spans.runs_until[episode],
    }


@compiled
def _sums_of_eras(
    borders: np.ndarray, taken_end: np.ndarray, days: np.ndarray, covered: np.ndarray, dose_ug: np.ndarray,
    basis: np.ndarray,
) -> tuple[np.ndarray, ...]:  # fmt: skip
    """Of the supplies of each era: the latest end, the days covered, whether some days are not known, whether every
    dose is, whether one is surely above the first, the dose over the days covered if every one is known, and the
    basis.
    """
    n = len(borders) - 1
    end, days_covered = np.empty(n, dtype=np.int32), np.zeros(n, dtype=np.int32)
    has_unknown, is_raised = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
    is_known = np.ones(n, dtype=np.bool_)
    dose_ug_days, bases = np.zeros(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    for era in range(n):
        begin, after = borders[era], borders[era + 1]
        end[era], bases[era] = taken_end[begin], basis[begin]
        for row in range(begin, after):
            end[era] = max(end[era], taken_end[row])
            days_covered[era] += covered[row]
            has_unknown[era] |= days[row] == UNKNOWN
            is_known[era] &= dose_ug[row] != UNKNOWN
            is_raised[era] |= dose_ug[begin] != UNKNOWN and dose_ug[row] > dose_ug[begin]
            dose_ug_days[era] += dose_ug[row] * covered[row]
            if basis[row] != basis[begin]:
                bases[era] = MIXED
        if not is_known[era]:
            dose_ug_days[era] = UNKNOWN
    return end, days_covered, has_unknown, is_known, is_raised, dose_ug_days, bases


def _courses(rows: Sessions, spans: Spans, how: Joining) -> dict[str, np.ndarray]:
    """Courses of sessions: psychotherapy, neuromodulation."""
    lines = Segments(rows.episode, rows.treatment)
    courses = Segments.opened_by(opens_era(lines.of, rows.day, rows.day, how.session_gap_days))
    episode, start = rows.episode[courses.first], rows.day[courses.first]
    last_day = rows.day[courses.first + courses.lengths - 1]
    n_sessions = courses.lengths.astype(np.int32)
    none = np.zeros(len(courses), dtype=bool)
    return {
        "episode": episode,
        "treatment": rows.treatment[courses.first],
        "start": start,
        "end_excl": last_day + 1,
        "last_day": last_day,
        "last_day_at_most": last_day,
        "last_given": last_day,
        "last_given_at_most": last_day,
        "days_covered": n_sessions,
        "n_sessions": n_sessions,
        "has_unknown_supply": none,
        "may_be_refilled": none,
        "was_in_hand": none,
        "is_surely_raised": none,
        "is_possibly_raised": none,
        "dose_ug_days": np.full(len(courses), UNKNOWN),
        "supply_basis": np.full(len(courses), NO_BASIS),
        "is_ongoing": last_day + 1 + how.session_gap_days > spans.runs_until[episode],
    }
