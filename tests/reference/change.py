"""Outcome by the change of treatment that followed: which signs came by when, and whether that time was seen.

The time for a change ends so many days after the trial's last day. Where that day is not known, there is a first
such end, by the last day that is known, and a last one, by the latest that is possible.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from impasse.schemas.definition import Definition, Outcome
from tests.reference.basics import Row, Verdict, later
from tests.reference.codes import Codes, Treatment
from tests.reference.signs import SWITCH_OR_ADD_ON, days_of, surely_there

CHANGES_OF_DRUG = ("switch", "add_on")
Dated = tuple[date, str]  # a day and its sign


@dataclass(frozen=True)
class Signs:
    """The signs after a trial's first day, those the rule takes for one and those it cannot take for one or none."""

    told: list[Dated]
    left_open: list[Dated]


def change_verdict(
    trial: Row, trials: list[Row], person: Row, episode: Row, rule: Outcome, codes: Codes, shown: frozenset[str]
) -> Verdict:
    """What the treatment that followed says; `shown` are the signs that the delivery could show."""
    signs = signs_after(trial, trials, person, episode, rule, codes)
    failed = [(day, order_of(sign, rule), sign) for day, sign in signs.told if day <= horizon(trial, episode, rule)]
    if failed:
        day, _, sign = min(failed)
        return True, sign, day
    if not set(rule.change_signs) <= shown:
        return None, "unobserved", None
    if rule.change_within == "episode":
        return verdict_by_the_episode(signs, episode, rule)
    return verdict_by_the_days(signs, trial, episode, rule)


def verdict_by_the_episode(signs: Signs, episode: Row, rule: Outcome) -> Verdict:
    """What it says that nothing surely followed in the episode."""
    if signs.left_open:
        return None, "unknown_overlap", None
    if episode["is_censored"]:
        return (False if rule.if_unfinished == "not_failed" else None), "unfinished", None
    return False, "no_change", None


def verdict_by_the_days(signs: Signs, trial: Row, episode: Row, rule: Outcome) -> Verdict:
    """What it says that nothing surely followed within the days."""
    first, last = (horizon(trial, episode, rule, which) for which in ("end_date", "last_day_at_most"))
    if any(day <= last for day, _ in signs.told):
        return None, "unknown_end", None
    if any(day <= last for day, _ in signs.left_open):
        return None, "unknown_overlap", None
    if is_seen(last, trial, episode):
        return False, "no_change", None
    if rule.if_unfinished == "not_failed":
        return False, "unfinished", None
    return None, ("unknown_end" if is_seen(first, trial, episode) else "unfinished"), None


def is_yet_to_be_seen(change: Verdict, trial: Row, episode: Row, rule: Outcome) -> bool:
    """Whether the change tells nothing because it is not known yet what will be seen."""
    if change[0] is not None or change[1] == "unobserved":
        return False
    if rule.change_within == "episode":
        return episode["is_censored"]
    return not is_seen(horizon(trial, episode, rule, "last_day_at_most"), trial, episode)


def horizon(trial: Row, episode: Row, rule: Outcome, last_day: str = "end_date") -> date:
    """The last day on which a sign counts, by the trial's last day that is known, or another one."""
    return episode["end_date"] if rule.change_within == "episode" else later(trial[last_day], rule.change_within)


def is_seen(day: date, trial: Row, episode: Row) -> bool:
    """Whether all until the day has been seen; nothing can follow a remission, death, or the rule's own window."""
    closes = trial["window_closes"]
    is_closed = closes is not None and closes <= episode["observed_until"]
    is_over = episode["end_reason"] == "remission" or episode["has_died"]
    return is_over or is_closed or day <= episode["treatment_seen_until"]


def order_of(sign: str, rule: Outcome) -> int:
    """Of signs of one day the first named by the rule counts; one of two last."""
    return len(rule.change_signs) if sign == SWITCH_OR_ADD_ON else rule.change_signs.index(sign)


def signs_after(trial: Row, trials: list[Row], person: Row, episode: Row, rule: Outcome, codes: Codes) -> Signs:
    """The signs after the trial's first day.

    Reading: a drug that is left out if it is an add-on, which nobody knows, is a sign or none.
    """
    sure = signs_of(trial, surely_there(trials), person, episode, rule, codes)
    every = signs_of(trial, trials, person, episode, rule, codes)
    return Signs(sure.told, every.left_open + [sign for sign in every.told if sign not in sure.told])


def signs_of(trial: Row, trials: list[Row], person: Row, episode: Row, rule: Outcome, codes: Codes) -> Signs:
    """The signs after the trial's first day if these trials are there.

    A remission ends the time for them, and so does the rule's own window. An add-on from too early a day on is none.
    One of the two, nobody knows which, is so early a switch or none.

    Reading: a switch or an add-on, nobody knows which, says nothing to a rule that takes neither for a failure.
    """
    found = [(day, s) for s in rule.change_signs for day in days_of_sign(s, trial, trials, person, episode, codes)]
    either = [(day, SWITCH_OR_ADD_ON) for day in days_of(SWITCH_OR_ADD_ON, trial, trials)]
    since = later(trial["start_date"], rule.add_on_from_day - 1)
    early, timely = [each for each in either if each[0] < since], [each for each in either if each[0] >= since]
    n_named = sum(sign in rule.change_signs for sign in CHANGES_OF_DRUG)
    left_open = early if "switch" in rule.change_signs else []
    if n_named == len(CHANGES_OF_DRUG):
        found += timely
    if n_named == 1:
        left_open = left_open + timely
    told = [(day, sign) for day, sign in found if sign != "add_on" or day >= since]
    last = last_day_for_signs(trial, episode)
    return Signs([(day, sign) for day, sign in told if trial["start_date"] < day <= last], left_open)


def last_day_for_signs(trial: Row, episode: Row) -> date:
    """The last day that a sign may come: that of the remission, or of the rule's own window."""
    ends = [episode["end_date"]] if episode["end_reason"] == "remission" else []
    ends += [trial["window_closes"]] if trial["window_closes"] is not None else []
    return min(ends, default=date.max)


def days_of_sign(sign: str, trial: Row, trials: list[Row], person: Row, episode: Row, codes: Codes) -> list[date]:
    """All days of one sign, whenever they were."""
    if sign in CHANGES_OF_DRUG:
        return days_of(sign, trial, trials)
    if sign == "admission":
        illness = codes.disorders[episode["disorder"]]["diagnoses"]
        stays = person["admissions"] or []
        return [stay["start_date"] for stay in stays if codes.in_list_of_any_system(illness, stay["main_code"])]
    if trial["modality"] == "neuromodulation" and sign in trial["groups"]:
        return []
    treated = [(codes.named(row["treatment"]), row["date"]) for row in person["procedures"] or []]
    return [day for listed, day in treated if listed and sign in listed.groups]


def signs_shown(definition: Definition, person: Row, codes: Codes, observes: frozenset[str]) -> frozenset[str]:
    """The signs that the delivery could show.

    A drug that is no trial of the definition, or psychotherapy that is none, need not be seen, for neither is a sign.
    """
    groups = {*definition.trial.treatments, *definition.trial.augmenters}
    unseen = {row.modality for row in codes.treatments if row.groups & groups and not is_shown(row, observes)}
    shown = observes & {"ect", "tms"}
    if person["admissions"] is not None:
        shown |= {"admission"}
    if "drug" in observes and "drug" not in unseen:
        shown |= {"switch"} if "psychotherapy" in unseen else {"switch", "add_on"}
    return shown


def is_shown(treatment: Treatment, observes: frozenset[str]) -> bool:
    """Whether the delivery shows the treatment. Where psychotherapy is seen, so is CBT."""
    return treatment.observed_as in (observes | {"cbt"} if "psychotherapy" in observes else observes)
