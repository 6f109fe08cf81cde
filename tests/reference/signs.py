"""What a treatment that began after a trial says of it: a switch, an add-on, one of the two, or nothing."""

from __future__ import annotations

from datetime import date

from tests.reference.basics import Row
from tests.reference.together import is_taken_together
from tests.reference.trials import ADD_ON_ROLES

SWITCH_OR_ADD_ON = "switch_or_add_on"  # one of the two, and nobody knows which


def sign_between(trial: Row, other: Row) -> str | None:
    """The sign of change that the other trial is for this one; none where it is no other that began later.

    Reading: also a drug that is no trial of its own, being added to a third one.
    """
    if other["treatment"] == trial["treatment"] or other["start_date"] <= trial["start_date"]:
        return None
    if trial["is_drug"] and other["is_drug"]:
        return sign_between_drugs(trial, other)
    if other["is_drug"]:
        return sign_of_drug_after_sessions(trial, other)
    is_during = other["modality"] == "psychotherapy" and other["start_date"] <= trial["end_date"]
    return "add_on" if trial["is_drug"] and is_during else None


def sign_between_drugs(trial: Row, other: Row) -> str | None:
    """Taken together, the other drug is an add-on; if not it is a switch, where it can take this one's place."""
    together = is_taken_together(trial, other)
    if together:
        return "add_on"
    if not may_follow(trial, other):
        return None
    return "switch" if together is False else SWITCH_OR_ADD_ON


def sign_of_drug_after_sessions(course: Row, drug: Row) -> str | None:
    """A drug begun during a course is an add-on, whatever its role; after it a main drug is a switch."""
    if drug["start_date"] <= course["end_date"]:
        return "add_on"
    return "switch" if drug["modality"] == "drug" else None


def may_follow(trial: Row, other: Row) -> bool:
    """Whether the other drug can take this one's place: a main drug can, and one add-on that of another."""
    are_add_ons = all(each["role"] in ADD_ON_ROLES and each["is_counted"] for each in (trial, other))
    return other["modality"] == "drug" or are_add_ons


def switch_days(trial: Row, trials: list[Row]) -> list[date]:
    """The days, after the trial's first, on which another drug surely replaced it."""
    return days_of("switch", trial, trials)


def days_of(sign: str, trial: Row, trials: list[Row]) -> list[date]:
    """The days, after the trial's first, on which another trial began that is this sign."""
    return [other["start_date"] for other in trials if sign_between(trial, other) == sign]


def surely_there(trials: list[Row]) -> list[Row]:
    """The trials without those that are left out if they are add-ons, which nobody knows."""
    return [trial for trial in trials if not trial["may_be_left_out"]]


def later_trials(trial: Row, trials: list[Row]) -> list[Row]:
    """The trials that are, or may be, of their own and began after the trial's first day, whatever their treatment."""
    return [o for o in trials if o["is_counted"] is not False and o["start_date"] > trial["start_date"]]
