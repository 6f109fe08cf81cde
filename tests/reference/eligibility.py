"""Whether a definition speaks about an episode; and what was diagnosed that may feign resistance."""

from __future__ import annotations

from datetime import date

from impasse.schemas.definition import Eligible
from tests.reference.basics import (
    Known,
    Row,
    Truth,
    all_true,
    at_the_time,
    days_between,
    days_of_diagnosis,
    is_member,
    later,
)
from tests.reference.codes import Cause, Codes


def judge_eligibility(known: Known, rule: Eligible) -> Truth:
    """Whether the definition speaks about the episode; nothing can be said of one that was not observed."""
    episode = known.episode
    if episode["disorder"] not in rule.disorders:
        return False
    return all_true(
        [
            has_diagnosis(episode, rule.diagnoses, known.codes),
            *(n_days_diagnosed(known, wanted.codes, wanted.when) >= wanted.days for wanted in rule.requirements),
            *(n_days_diagnosed(known, unwanted.codes, unwanted.when) == 0 for unwanted in rule.exclusions),
            is_of_age(episode["age"], rule),
            episode["observed_days_before"] >= rule.min_observed_days,
            keeps_washout(known, rule),
            rule.pseudo_resistance != "before" or not episode["likely_causes"],
            None if episode["is_observed"] is False else True,
        ]
    )


def has_diagnosis(episode: Row, lists: tuple[str, ...], codes: Codes) -> bool:
    """Whether a contact up to the episode's end is in one of the lists; no list asks for nothing."""
    contacts = [row for row in episode["contacts"] if row["date"] <= episode["end_date"]]
    return not lists or any(codes.in_list(name, row["code"], row["code_system"]) for name in lists for row in contacts)


def n_days_diagnosed(known: Known, code_list: str, when: str) -> int:
    """On how many days the person has a diagnosis of the list at the stated time."""
    return len(at_the_time(days_of_diagnosis(known.person, code_list, known.codes), when, known.episode))


def is_of_age(age: int | None, rule: Eligible) -> Truth:
    """Whether the age is in the range; an unknown age is in the full range."""
    if age is None:
        return True if (rule.min_age, rule.max_age) == (0, 150) else None
    return rule.min_age <= age <= rule.max_age


def keeps_washout(known: Known, rule: Eligible) -> Truth:
    """Whether nothing of the groups was given in the days before the episode's treatment is looked for."""
    if not rule.washout_treatments:
        return True
    until = known.episode["treated_from"]
    first = later(until, -rule.washout_days)
    given = [
        is_member(row, rule.washout_treatments) for row in known.person["treatments"] if first <= row["date"] < until
    ]
    if True in given:
        return False
    if None in given or known.is_blind(rule.washout_treatments):
        return None
    is_seen = known.episode["observed_days_before"] >= days_between(first, known.episode["start_date"])
    return True if is_seen else None


def diagnosed_causes(person: Row, episode: Row, codes: Codes, makes: str) -> set[str]:
    """The diagnosed causes of the episode that make pseudo-resistance likely, or that make it possible."""
    return {
        cause.cause
        for cause in codes.causes
        if cause.disorder == episode["disorder"]
        and cause.makes == makes
        and any(is_in_time(day, cause, episode) for day in days_of_diagnosis(person, cause.code_list, codes))
    }


def is_in_time(day: date, cause: Cause, episode: Row) -> bool:
    """Whether a diagnosis comes by the episode's end and, where the cause asks for it, near the episode's start."""
    if day > episode["end_date"]:
        return False
    days = cause.days_around_start
    return days is None or abs(days_between(episode["start_date"], day)) <= days
