"""Diagnosis contacts -> illness episodes, by one rule for the whole study.

1. Contacts and, where treatment bridges, dispensings and procedures of the disorder are laid on one line per
   person and disorder; a remission code and the start of a new observation interval cut the line.
2. Events at most `gap_days` apart are chained; a chain with a contact is an episode and opens at it.
3. It ends at the last contact or covered day plus a tail, at a remission code, at death or when
   observation ends, whichever is first, and always before the person's next episode of the disorder.
Episodes are numbered over everything delivered, so a number does not move with the study period.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np
import polars as pl

from impasse.schemas.codelists import CodeLists
from impasse.schemas.study import EpisodeSection, PeriodSection
from impasse.schemas.tables import END_REASONS
from impasse.transforms.history.encode import Coded, Dispensed, Done, decode, person_disorder
from impasse.transforms.kernels.days import LONG_AGO, Days, opens_era, packed
from impasse.transforms.kernels.segments import NEVER, Segments, in_order


class Spans(NamedTuple):
    """The episodes as arrays: days as day numbers, `disorder` as its place in `disorders`.

    Where an episode `is_remitted`, a remission ended it; where observation `ends_in_death`, death ended it. It
    `has_run_out` where its gap and its tail had passed by then. `treatment_seen_until` is the last day on which a
    treatment of the episode would have been seen.
    """

    person: np.ndarray
    disorder: np.ndarray
    start: np.ndarray
    end: np.ndarray
    treated_from: np.ndarray
    observed_until: np.ndarray
    treatment_seen_until: np.ndarray
    has_run_out: np.ndarray
    is_censored: np.ndarray
    is_remitted: np.ndarray
    ends_in_death: np.ndarray
    disorders: tuple[str, ...]

    @property
    def taken_until(self) -> np.ndarray:
        """The last day on which treatment is of the episode: that of a remission, or the last observed one."""
        return np.where(self.is_remitted, self.end, self.observed_until)

    @property
    def runs_until(self) -> np.ndarray:
        """The last day seen of treatment that may still run on: none where a remission ended it."""
        return np.where(self.is_remitted, np.int32(NEVER), self.treatment_seen_until)

    @property
    def seen_until(self) -> np.ndarray:
        """The day until which it is known what changed: after a remission or death nothing changes any more."""
        return np.where(self.is_remitted | self.ends_in_death, np.int32(NEVER), self.treatment_seen_until)

    def of_disorders(self, disorders: frozenset[str]) -> np.ndarray:
        """Is the episode one of these disorders?"""
        return np.array([name in disorders for name in self.disorders], dtype=bool)[self.disorder]


def spans_of(episodes: pl.DataFrame, disorders: tuple[str, ...]) -> Spans:
    """The episodes' columns as arrays."""
    place = episodes["disorder"].cast(pl.Enum(disorders)).to_physical()
    named = ("start", "end", "treated_from", "observed_until", "treatment_seen_until", "has_run_out", "is_censored")
    days = (episodes[c].to_numpy() for c in named)
    is_remitted = (episodes["end_reason"] == END_REASONS[_REMISSION]).to_numpy()
    died = episodes["ends_in_death"].to_numpy()
    return Spans._make([episodes["person"].to_numpy(), place.to_numpy(), *days, is_remitted, died, disorders])


class _Events(NamedTuple):
    """What lies on the lines of one disorder, sorted by person and day."""

    person: np.ndarray
    day: np.ndarray
    last_day: np.ndarray
    opens: np.ndarray  # a contact that is not for remission
    is_remission: np.ndarray
    is_counted: np.ndarray  # the first contact of the day with its code


class _Observed(NamedTuple):
    """When each person was observed without a break, sorted by person and first day."""

    first: Days
    last: np.ndarray

    def at(self, person: np.ndarray, day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The first and the last day of the time of observation that each day lies in, NEVER where in none."""
        if not len(self.first):
            return np.full(len(day), NEVER), np.full(len(day), NEVER)
        row = self.first.last_within(person, np.full(len(day), LONG_AGO), day)
        is_inside = (row >= 0) & (day <= self.last[row])
        return np.where(is_inside, self.first.day[row], NEVER), np.where(is_inside, self.last[row], NEVER)


class _Chains(NamedTuple):
    """Chains with a contact: its first contact, last day, remission day (NEVER if none) and number of contacts."""

    person: np.ndarray
    disorder: np.ndarray
    start: np.ndarray
    last_day: np.ndarray
    remission: np.ndarray
    n_contacts: np.ndarray


class _Ends(NamedTuple):
    """When each chain ends and why (a place in END_REASONS), and what could be seen of it.

    `observed_from` is NEVER where the chain starts while nobody observes the person. Whether the gap and the tail after
    it have passed tells if it may go on.
    """

    end: np.ndarray
    reason: np.ndarray
    observed_from: np.ndarray
    observed_until: np.ndarray
    gap_has_passed: np.ndarray
    tail_has_passed: np.ndarray
    in_death: np.ndarray


def build_episodes(coded: Coded, rule: EpisodeSection, period: PeriodSection, codes: CodeLists) -> pl.DataFrame:
    """One row per episode that starts in the period, days as day numbers, sorted by (person, disorder, number).

    Columns: episode, person, disorder, number, start, end, end_reason, observed_until, is_observed,
    observed_days_before, treated_from, treatment_seen_until, is_left_truncated, has_run_out, is_censored,
    ends_in_death, n_contacts, sex, age.
    """
    observed = _observed(coded.coverage)
    named = codes.disorders.filter(pl.col("disorder").is_in(rule.disorders)).iter_rows(named=True)
    found = [_chains(_events(coded, rule, d), observed, coded.disorders.index(d["disorder"]), rule) for d in named]
    columns = [np.concatenate(parts) for parts in zip(*found, strict=True)]
    line = person_disorder(columns[0], columns[1], len(coded.disorders))
    order = in_order(packed(line, columns[2]))
    chains = _Chains(*(column[order] for column in columns))
    ends = _ends(chains, observed, coded, rule, _day_number(period.end))
    return _table(chains, ends, coded, rule, period, codes)


def _table(
    chains: _Chains, ends: _Ends, coded: Coded, rule: EpisodeSection, period: PeriodSection, codes: CodeLists
) -> pl.DataFrame:  # fmt: skip
    """The chains that start in the period, as episodes: each ends before the next, and is treated after the last."""
    lines = Segments(chains.person, chains.disorder)
    is_later = lines.rank[1:] > 0
    end, treated_from = ends.end.copy(), chains.start - rule.lead_days
    end[:-1][is_later] = np.minimum(end[:-1], chains.start[1:] - 1)[is_later]
    treated_from[1:][is_later] = np.maximum(treated_from[1:], end[:-1] + 1)[is_later]
    is_followed = np.append(is_later & (chains.start[1:] <= ends.observed_until[:-1]), False)
    has_run_out = ends.gap_has_passed & (ends.tail_has_passed | is_followed)  # the next episode ends a tail
    is_censored = ~has_run_out & (ends.reason != _REMISSION) & ~ends.in_death
    is_observed = ends.observed_from != NEVER
    days = {"start": chains.start, "end": end, "observed_until": ends.observed_until, "treated_from": treated_from}
    days["treatment_seen_until"] = _treatment_seen_until(
        chains, end, ends.observed_until, is_censored, coded, rule, codes
    )
    first, last = _day_number(period.start), _day_number(period.end)
    observed_before = np.where(is_observed, chains.start - ends.observed_from, 0)
    # Where nobody tells, persons were observed throughout the study.
    days["observed_days_before"] = chains.start - first if coded.coverage is None else observed_before
    table = coded.persons.select("birth_date", "sex")[chains.person].with_columns(
        *(pl.Series(name, values).cast(pl.Int32) for name, values in days.items()),
        person=pl.Series(chains.person),
        disorder=decode(chains.disorder, coded.disorders),
        number=pl.Series(lines.rank + 1).cast(pl.UInt32),
        end_reason=decode(ends.reason, END_REASONS),
        is_observed=pl.lit(None, dtype=pl.Boolean) if coded.coverage is None else pl.Series(is_observed),
        has_run_out=pl.Series(has_run_out),
        is_censored=pl.Series(is_censored),
        ends_in_death=pl.Series(ends.in_death),
        n_contacts=pl.Series(chains.n_contacts).cast(pl.UInt32),
    )
    kept = table.filter(pl.col("start").is_between(first, last)).with_row_index("episode")
    return kept.with_columns(
        age=_age("birth_date", "start"),
        is_left_truncated=pl.col("observed_days_before") < rule.min_prior_observation_days,
    ).select(
        "episode", "person", "disorder", "number", "start", "end", "end_reason", "observed_until", "is_observed",
        "observed_days_before", "treated_from", "treatment_seen_until", "is_left_truncated", "has_run_out",
        "is_censored", "ends_in_death", "n_contacts", "sex", "age",
    )  # fmt: skip


def _treatment_seen_until(
    chains: _Chains, end: np.ndarray, observed_until: np.ndarray, is_censored: np.ndarray, coded: Coded,
    rule: EpisodeSection, codes: CodeLists,
) -> np.ndarray:  # fmt: skip
    """The last day observed, or the day before the first treatment that is of an episode only if the episode goes on.

    Such a treatment comes after the end of an episode that may go on, and does not bridge.
    """
    seen_until = observed_until.copy()
    if rule.treatment_bridges:
        return seen_until
    treatments = dict(codes.disorders.select("disorder", "treatments").iter_rows())
    for place, disorder in enumerate(coded.disorders):
        rows = np.flatnonzero(is_censored & (chains.disorder == place))
        given = coded.days_given(coded.vocabulary.surely_in((treatments[disorder],)))
        first = given.first_within(chains.person[rows], end[rows] + 1, seen_until[rows])
        seen_until[rows[first >= 0]] = given.day[first[first >= 0]] - 1
    return seen_until


def _day_number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _events(coded: Coded, rule: EpisodeSection, disorder: dict[str, str]) -> _Events:
    """Contacts of a disorder, and treatments where they bridge."""
    contacts = _contacts(coded, disorder)
    if not rule.treatment_bridges:
        return contacts
    is_meant = coded.vocabulary.surely_in((disorder["treatments"],))
    is_patient = np.zeros(len(coded.persons), dtype=bool)
    is_patient[contacts.person] = True
    parts = [contacts, *(_bridges(table, is_meant, is_patient) for table in (coded.dispensed, coded.done))]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = in_order(packed(columns[0], columns[1]))
    return _Events(*(column[order] for column in columns))


def _contacts(coded: Coded, disorder: dict[str, str]) -> _Events:
    """Diagnoses of a disorder; a code that is also in its remission list is a remission contact."""
    told = coded.diagnosed
    is_remission = told.are_in(disorder["remission"] or "")
    rows = np.flatnonzero(told.are_in(disorder["diagnoses"]) | is_remission)
    person, day, is_remission = told.person[rows], told.day[rows], is_remission[rows]
    is_first = np.zeros(len(rows), dtype=bool)
    is_first[Segments(person, day, told.spelling[rows]).first] = True
    return _Events(person, day, told.last_day[rows], ~is_remission, is_remission, is_first)


def _bridges(table: Dispensed | Done, is_meant: np.ndarray, is_patient: np.ndarray) -> _Events:
    """Treatments of the disorder's patients: no contacts."""
    rows = np.flatnonzero(is_meant[table.treatment] & is_patient[table.person])
    day, no = table.day[rows], np.zeros(len(rows), dtype=bool)
    covered_to = day + table.amounts(rows, "days")[0] - 1 if isinstance(table, Dispensed) else day
    return _Events(table.person[rows], day, np.maximum(day, covered_to), no, no, no)


def _observed(coverage: tuple[np.ndarray, np.ndarray, np.ndarray] | None) -> _Observed:
    """Times of observation that overlap or follow each other, as one."""
    nothing = np.zeros(0, dtype=np.int32)
    person, first, last = coverage if coverage is not None else (nothing, nothing, nothing)
    eras = Segments.opened_by(opens_era(person.astype(np.int64), first, last, 1))
    return _Observed(Days(person[eras.first], first[eras.first]), eras.max(last))


def _chains(events: _Events, observed: _Observed, disorder: int, rule: EpisodeSection) -> _Chains:
    """The chains of one disorder that have a contact."""
    remissions = Days(events.person, events.day).only(events.is_remission).distinct()
    # How many remission days lie before the event, and times of observation begin by it, over the person and all
    # before them: where one of the two differs, the line is cut.
    n_remissions = remissions.number_before(events.person, events.day)
    n_observed = observed.first.number_before(events.person, events.day + 1)
    lines = Segments(events.person, n_remissions, n_observed)
    chains = Segments.opened_by(opens_era(lines.of, events.day, events.last_day, rule.gap_days))
    start = chains.min(np.where(events.opens, events.day, NEVER))
    has_contact = np.flatnonzero(start != NEVER)
    remission = chains.max(np.where(events.is_remission, events.day, -NEVER))
    columns = (
        events.person[chains.first],
        np.full(len(chains), disorder),
        start,
        chains.max(events.last_day),
        np.where(remission == -NEVER, NEVER, remission),
        chains.sum(events.is_counted),
    )
    return _Chains(*(column[has_contact] for column in columns))


def _ends(chains: _Chains, observed: _Observed, coded: Coded, rule: EpisodeSection, period_end: int) -> _Ends:
    """When each chain ends by itself, or is seen no more."""
    observed_from, until = observed.at(chains.person, chains.start)
    death = coded.persons["death_date"].to_physical().fill_null(NEVER).to_numpy()[chains.person]
    seen = np.minimum(np.minimum(death, until), period_end)
    observed_until = np.maximum(seen, chains.start)
    natural = np.where(chains.remission != NEVER, chains.remission, chains.last_day + rule.tail_days)
    reason = np.select(
        [chains.remission <= observed_until, natural <= observed_until, death == seen, until == seen],
        [_REMISSION, _TAIL, _DEATH, _COVERAGE],
        default=_PERIOD,
    )
    return _Ends(
        end=np.maximum(chains.start, np.minimum(natural, observed_until)),
        reason=reason,
        observed_from=observed_from,
        observed_until=observed_until,
        gap_has_passed=chains.last_day + rule.gap_days <= observed_until,
        tail_has_passed=chains.last_day + rule.tail_days <= observed_until,
        in_death=death <= observed_until,
    )


_REMISSION, _DEATH, _COVERAGE, _PERIOD, _TAIL = range(len(END_REASONS))


def _age(born: str, day: str) -> pl.Expr:
    """Completed years on a day; a birthday on 29 February is completed on 1 March in common years."""
    birth, at = pl.col(born), pl.col(day).cast(pl.Date)
    had_birthday = _month_and_day(at) >= _month_and_day(birth)
    return (at.dt.year() - birth.dt.year() - (~had_birthday).cast(pl.Int32)).cast(pl.Int32)


def _month_and_day(day: pl.Expr) -> pl.Expr:
    return day.dt.month().cast(pl.Int32) * 100 + day.dt.day()
