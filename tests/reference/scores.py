"""Which scores of one scale tell the outcome of a trial: on treatment, or the first after it; and the baseline.

The outcome score is found by the days that are known. Where a supply of unknown length may have run on, or nobody knows
whether a later drug is a trial of its own or took this one's place, another score may be the one that tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from impasse.schemas.definition import Outcome
from tests.reference.basics import Row, later, still_runs
from tests.reference.signs import SWITCH_OR_ADD_ON, days_of, later_trials, surely_there, switch_days


@dataclass(frozen=True)
class Measured:
    """What one scale shows of a trial: the outcome score, the baseline, and the scores that may have been lost again.

    `earlier` are the scores on treatment before the last, and none where another than the last tells. `may_come`
    tells that there is no outcome score yet, and may be one. `is_in_doubt` tells that the outcome score may not be one,
    and `others` are those that may tell in its place, or where there is none. Where it may be that none tells, the
    `candidates` are all that may.
    """

    outcome: Row | None
    earlier: list[Row]
    baseline: Row | None
    may_come: bool
    is_in_doubt: bool
    others: list[Row]
    candidates: list[Row]


def measured_by(scale: str, trial: Row, trials: list[Row], person: Row, episode: Row, rule: Outcome) -> Measured:
    """What the scale shows of the trial."""
    rows = until_remission(highest_of_each_day(person, scale), episode)
    treated = on_treatment(rows, trial, trials, rule)
    outcome = chosen(treated, rule.score) if treated else first_after(rows, trial, trials, rule)
    earlier = treated[:-1] if rule.score == "last" else []
    is_awaited = outcome is None and may_come(scale, trial, trials, person, episode, rule)
    baseline = baseline_before(outcome, rows, trial, episode, rule)
    is_on_treatment = bool(treated)
    doubt = outcome is not None and is_in_doubt(outcome["date"], is_on_treatment, rows, trial, trials, rule)
    others = others_that_may_tell(outcome, is_on_treatment, rows, trial, trials, rule)
    if outcome is not None and not is_on_treatment and may_be_between(outcome["date"], trial, trials):
        others = [row for row in others_that_may_tell(None, False, rows, trial, trials, rule) if row != outcome]
        doubt = doubt or bool(others)
    may_tell = others_that_may_tell(None, False, rows, trial, trials, rule) + [row for row in [outcome] if row]
    candidates = may_tell if doubt or outcome is None else []
    return Measured(outcome, earlier, baseline, is_awaited, doubt, others, candidates)


def may_come(scale: str, trial: Row, trials: list[Row], person: Row, episode: Row, rule: Outcome) -> bool:
    """Whether a score may yet come, of a scale of which the delivery has any: on treatment, or soon enough after it.

    None does after remission, death, or another drug that surely replaced this one.

    Reading: another trial that began meanwhile may have taken what comes, and is not looked at.
    Reading: a drug that is left out if it is an add-on has not surely replaced another.
    """
    is_closed = episode["end_reason"] == "remission" or episode["has_died"]
    if is_closed or scale not in person["scales_delivered"] or switch_days(trial, surely_there(trials)):
        return False
    last = later(trial["last_day_at_most"], rule.score_days_after_end)
    return still_runs(trial, episode) or last > episode["observed_until"]


def highest_of_each_day(person: Row, scale: str) -> list[Row]:
    """The scale's scores, oldest first, and of one day's scores the highest."""
    highest: dict[date, Row] = {}
    for row in person["scores"] or []:
        if row["scale"] == scale:
            known = highest.get(row["date"])
            if known is None or row["value"] > known["value"]:
                highest[row["date"]] = row
    return [highest[day] for day in sorted(highest)]


def until_remission(rows: list[Row], episode: Row) -> list[Row]:
    """The scores that can tell of the episode's trials: none after the last day of one that ended in remission."""
    if episode["end_reason"] != "remission":
        return rows
    return [row for row in rows if row["date"] <= episode["end_date"]]


def between(rows: list[Row], first: date, last: date) -> list[Row]:
    """The scores from first to last day, both included."""
    return [row for row in rows if first <= row["date"] <= last]


def first_outcome_day(trial: Row, rule: Outcome) -> date:
    """The trial's `score_from_day`-th day; its first day is day 1."""
    return later(trial["start_date"], rule.score_from_day - 1)


def on_treatment(rows: list[Row], trial: Row, trials: list[Row], rule: Outcome) -> list[Row]:
    """The scores on treatment: until the last day it was measured on, or the day on which another drug followed it.

    Reading: the last day of a trial with a supply of unknown length is the last that is known.
    Reading: which drug followed is told by the trials alone, whatever `change_signs` and `change_within` say.
    """
    last = min([last_day_measured(trial), *switch_days(trial, surely_there(trials))])
    rows = between(rows, first_outcome_day(trial, rule), last)
    return [row for row in rows if not is_of_another(row["date"], trial, trials)]


def last_day_measured(trial: Row) -> date:
    """The last day whose score is of the trial: a drug left with supply at hand was in use when another was begun."""
    return later(trial["end_date"], 1) if trial["was_cut"] else trial["end_date"]


def is_of_another(day: date, trial: Row, trials: list[Row]) -> bool:
    """Whether a trial that began later is in use on the day; on the day it begins it is not yet.

    Reading: a drug that was left is in use also on the day on which another was begun, if its supply covers it.
    """
    return any(other["start_date"] < day <= last_day_measured(other) for other in later_trials(trial, trials))


def first_after(rows: list[Row], trial: Row, trials: list[Row], rule: Outcome) -> Row | None:
    """The first score after the trial's last day, soon enough and not after the day on which the next trial began.

    Reading: after a switch amid the trial, too, only what lies after the trial's own last day is looked at.
    """
    first = max(later(trial["end_date"], 1), first_outcome_day(trial, rule))
    last = later(trial["end_date"], rule.score_days_after_end)
    # Reading: a trial that began and ended while this one went on takes nothing of what comes after this one.
    beyond = [other for other in later_trials(trial, trials) if other["end_date"] >= trial["end_date"]]
    last = min([last, *(other["start_date"] for other in beyond)])
    return next(iter(between(rows, first, last)), None)


def chosen(treated: list[Row], which: str) -> Row:
    """The score on treatment that tells the outcome; the best is the lowest, of equal ones the latest."""
    if which == "first":
        return treated[0]
    if which == "last":
        return treated[-1]
    lowest = min(row["value"] for row in treated)
    return [row for row in treated if row["value"] == lowest][-1]


def baseline_before(outcome: Row | None, rows: list[Row], trial: Row, episode: Row, rule: Outcome) -> Row | None:
    """The latest score up to the first day, else the earliest after it; none if not before the day of the outcome.

    Reading: it is sought among the scores before the outcome.
    """
    rows = [row for row in rows if outcome and row["date"] < outcome["date"]]
    start = trial["start_date"] if rule.baseline == "trial" else episode["start_date"]
    before = between(rows, later(start, -rule.baseline_days_before), start)
    after = between(rows, later(start, 1), later(start, rule.baseline_days_after))
    return before[-1] if before else next(iter(after), None)


# --- Which score perhaps tells ----------------------------------------------------------------------------------------


def is_in_doubt(
    day: date, is_on_treatment: bool, rows: list[Row], trial: Row, trials: list[Row], rule: Outcome
) -> bool:
    """Whether the outcome score of the day may be none: it may not be on treatment or, after it, be of another drug.

    One after treatment may be none, too, where one before it may have been on treatment.
    """
    if is_on_treatment:
        return not is_surely_on_treatment(day, trial, trials)
    before = between(rows, first_outcome_day(trial, rule), later(day, -1))
    if any(is_perhaps_on_treatment(row["date"], trial, trials) for row in before):
        return True
    return any(
        other["start_date"] < day and max(other["end_date"], other["last_day_at_most"]) >= trial["end_date"]
        for other in later_trials(trial, trials)
    )


def others_that_may_tell(
    outcome: Row | None, is_on_treatment: bool, rows: list[Row], trial: Row, trials: list[Row], rule: Outcome
) -> list[Row]:
    """The scores that may tell in place of the outcome score, or where there is none."""
    rows = [row for row in rows if row["date"] >= first_outcome_day(trial, rule)]
    treated = [row for row in rows if is_perhaps_on_treatment(row["date"], trial, trials)]
    after = [row for row in rows if is_perhaps_after(row["date"], trial, trials, rule)]
    if outcome is None:
        return treated + after
    return [row for row in treated if goes_first(row, outcome, is_on_treatment, rule.score)]


def may_be_between(day: date, trial: Row, trials: list[Row]) -> bool:
    """Whether a score after the known days may be neither on treatment nor after it.

    So it may where the drug may have been in use on its day, and surely another was, or may have followed.
    """
    is_followed = any(day > other for other in days_perhaps_followed(trial, trials))
    return day <= trial["last_day_at_most"] and (is_followed or not is_perhaps_on_treatment(day, trial, trials))


def goes_first(row: Row, outcome: Row, is_on_treatment: bool, which: str) -> bool:
    """Whether a score would tell in place of the outcome score, if it was on treatment.

    Reading: before an outcome score found after treatment goes, by the first, an earlier one, by the best, a lower one;
    by the last every one of another day.
    """
    if which == "first":
        return row["date"] < outcome["date"]
    if which == "best":
        return row["value"] < outcome["value"]
    return row["date"] > outcome["date"] if is_on_treatment else row["date"] != outcome["date"]


def is_surely_on_treatment(day: date, trial: Row, trials: list[Row]) -> bool:
    """Whether a score of the day is on treatment whatever is not known: no other drug may be in use, or have followed.

    Reading: a drug may have followed whether or not it is a trial of its own, as one surely may.
    """
    followed = days_perhaps_followed(trial, trials)
    of_another = any(other["start_date"] < day <= latest_day_measured(other) for other in later_trials(trial, trials))
    return day <= min([last_day_measured(trial), *followed]) and not of_another


def days_perhaps_followed(trial: Row, trials: list[Row]) -> list[date]:
    """The days on which another drug replaced this one, or may have."""
    return days_of("switch", trial, trials) + days_of(SWITCH_OR_ADD_ON, trial, trials)


def is_perhaps_on_treatment(day: date, trial: Row, trials: list[Row]) -> bool:
    """Whether a score of the day may be on treatment: until the latest possible last day, or a sure switch.

    None is on a day on which a trial surely of its own surely is in use.
    """
    last = min([latest_day_measured(trial), *switch_days(trial, surely_there(trials))])
    return day <= last and not is_of_another(day, trial, trials_of_their_own(trials))


def is_perhaps_after(day: date, trial: Row, trials: list[Row], rule: Outcome) -> bool:
    """Whether a score of the day may be after treatment, soon enough, and before the next trial.

    Reading: a trial that surely ended while this one may have gone on takes nothing of what comes after this one.
    """
    known, at_most = trial["end_date"], trial["last_day_at_most"]
    if not known < day <= later(at_most, rule.score_days_after_end):
        return False
    latest = min(at_most, later(day, -1))  # this trial's latest last day if the score is after it
    own = later_trials(trial, trials_of_their_own(trials))
    return not any(other["start_date"] < day and other["end_date"] >= latest for other in own)


def latest_day_measured(trial: Row) -> date:
    """The latest possible last day whose score is of the trial."""
    return max(last_day_measured(trial), trial["last_day_at_most"])


def trials_of_their_own(trials: list[Row]) -> list[Row]:
    """The trials that surely are of their own."""
    return [trial for trial in trials if trial["is_counted"] is True]
