"""What every module of the reference needs: days, three-valued logic, and the facts of one episode."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tests.reference.codes import Codes

Row = dict[str, Any]  # a row of drawn data or a fact being built: values of every type
Truth = bool | None
Verdict = tuple[Truth, str, date | None]  # has failed, evidence, date of the failure


@dataclass(frozen=True)
class Known:
    """All that is known of one episode under one definition: what the last two blocks look at."""

    person: Row
    episode: Row
    trials: list[Row]
    codes: Codes
    observes: frozenset[str]

    def is_blind(self, groups: tuple[str, ...]) -> bool:
        """Whether the delivery cannot show some treatment of the groups."""
        return self.codes.is_unobserved(groups, self.observes)


def only(names: Iterable[str], row: Row) -> Row:
    """The named facts of a row."""
    return {name: row[name] for name in names}


def later(day: date, days: int) -> date:
    """The day so many days later."""
    return day + timedelta(days=days)


def days_between(first: date, until: date) -> int:
    """Days from `first` up to, not including, `until`."""
    return (until - first).days


def all_true(values: Iterable[Truth]) -> Truth:
    """Kleene AND: one false settles it, else one unknown leaves it open."""
    values = list(values)
    if False in values:
        return False
    return None if None in values else True


def any_true(values: Iterable[Truth]) -> Truth:
    """Kleene OR: one true settles it, else one unknown leaves it open."""
    values = list(values)
    if True in values:
        return True
    return None if None in values else False


def between_bounds(lower: float, upper: float, needed: float) -> Truth:
    """True when even the lower bound suffices, false when not even the upper one does."""
    if lower >= needed:
        return True
    return False if upper < needed else None


def is_member(row: Row, of: tuple[str, ...]) -> Truth:
    """Whether the treatment of a row or trial is in one of the groups."""
    if row["groups"] & set(of):
        return True
    return None if row["maybe_groups"] & set(of) else False


def still_runs(trial: Row, episode: Row) -> bool:
    """Whether the trial may go on after what was seen: it is ongoing, and death did not end it."""
    return trial["is_ongoing"] and not episode["has_died"]


def may_still_run(trial: Row, episode: Row) -> bool:
    """Whether the trial still runs, or may: a supply of unknown length may reach the last day that was seen."""
    is_closed = episode["end_reason"] == "remission" or episode["has_died"]
    reaches = trial["last_day_at_most"] >= episode["observed_until"]
    return not is_closed and (trial["is_ongoing"] or reaches)


def days_of_diagnosis(person: Row, code_list: str, codes: Codes) -> list[date]:
    """The days on which the person has a diagnosis of the list; a day may be there twice."""
    rows = person["diagnoses"] or []
    return [row["date"] for row in rows if codes.in_list(code_list, row["code"], row["code_system"])]


def at_the_time(days: Iterable[date], when: str, episode: Row) -> set[date]:
    """Those of the days that are at the stated time of the episode."""
    start, end = episode["start_date"], episode["end_date"]
    fits = {
        "ever": lambda day: day <= episode["observed_until"],
        "before": lambda day: day < start,
        "during": lambda day: start <= day <= end,
        "before_or_during": lambda day: day <= end,
    }
    return {day for day in days if fits[when](day)}


def treatment_rows(person: Row, codes: Codes) -> list[Row]:
    """Dispensings and procedures that are treatments, with what the vocabulary says of them.

    Reading: a procedure that gives a drug is an administered row of that drug with unknown days and dose.
    """
    unknown = {"days": None, "dose_ug": None, "dose_mddd": None, "kind": "administered"}
    found = [(codes.drug(row["atc"]), row["atc"], row) for row in person["dispensings"] or []]
    found += [(codes.named(row["treatment"]), row["treatment"], unknown | row) for row in person["procedures"] or []]
    return [
        {
            **only(("date", "days", "dose_ug", "dose_mddd", "kind"), row),
            "treatment": treatment,
            "modality": listed.modality,
            "class": listed.class_name,
            "mechanism": listed.mechanism,
            "groups": listed.groups,
            "maybe_groups": listed.maybe_groups,
        }
        for listed, treatment, row in found
        if listed
    ]
