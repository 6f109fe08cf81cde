"""Whether the trials of an episode meet a rule of counts, since when, and which block decides.

A rule is looked at in stages: with the trials that surely failed, with those that may have, with those
that may have been adequate, and so on. At each stage an alternative holds if on some day all its counts hold,
which is tried on every day on which a count can begin to hold. An alternative without a window and without
timing is the plain case: its counts hold on the last of these days if they ever do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from impasse.schemas.resistance import Alternative, Count, Item, NumberItem
from tests.reference.basics import Known, Row, Truth, all_true, is_member, later
from tests.reference.codes import is_identified

Stage = Callable[[Truth, Truth, Truth], bool]  # of member, adequate, failed: is the trial still in?

STAGES: dict[str, Stage] = {
    "trial": lambda member, adequate, failed: member is not False,
    "adequacy": lambda member, adequate, failed: False not in (member, adequate),
    "outcome": lambda member, adequate, failed: False not in (member, adequate, failed),
    "sure_member": lambda member, adequate, failed: bool(member) and False not in (adequate, failed),
    "sure_adequate": lambda member, adequate, failed: bool(member and adequate) and failed is not False,
    "sure": lambda member, adequate, failed: bool(member and adequate and failed),
}
SURE_MEMBER_STAGES = ("sure_member", "sure_adequate", "sure")


# --- Trials at a stage ------------------------------------------------------------------------------------------------


def what_is_counted(part: Count | Item | NumberItem) -> str:
    """Failed trials, those given, or those added. The plain items of scores count failed ones."""
    return "failed" if isinstance(part, Item) else part.what


def trials_at(stage: str, part: Count | Item | NumberItem, trials: list[Row]) -> list[Row]:
    """The trials that a count or an item of a score counts at a stage."""
    what = what_is_counted(part)
    if what == "failed":
        return failed_at(stage, part.of, trials)
    # Reading: of a treatment given, neither adequacy nor outcome is asked, so only what it was may be unknown,
    # and of one added whether it was.
    needed = (True,) if stage in SURE_MEMBER_STAGES else (True, None)
    if what == "added":
        return [t for t in trials if all_true([is_member(t, part.of), t["is_add_on"]]) in needed]
    return [t for t in trials if is_counted_of(t, part.of) in needed]


def failed_at(stage: str, of: tuple[str, ...], trials: list[Row]) -> list[Row]:
    """The counted trials of the groups that are still in at a stage of failed trials."""
    is_in = STAGES[stage]
    return [t for t in trials if is_in(is_counted_of(t, of), t["is_adequate"], t["has_failed"])]


def is_counted_of(trial: Row, of: tuple[str, ...]) -> Truth:
    """Whether the trial counts as one of the groups."""
    return all_true([trial["is_counted"], is_member(trial, of)])


def date_at(stage: str, what: str, trial: Row) -> date | None:
    """The day from which the trial is what is counted; None where it is not known yet at the stage."""
    if what != "failed":
        return trial["start_date"]
    return trial["failure_date"] if trial["has_failed"] and stage not in ("trial", "adequacy") else None


def key_of(trial: Row, distinct_by: str) -> str | None:
    """What must differ between trials; None where the trial does not say it.

    Reading: a class or mechanism is known wherever the vocabulary gives one, also to a short code.
    """
    if distinct_by == "substance":
        return trial["treatment"] if is_identified(trial["treatment"]) else None
    return trial[distinct_by] or None


def number_at(stage: str, distinct_by: str, trials: list[Row]) -> int:
    """How many different ones the trials are: the fewest they can be at the sure stage, else the most."""
    return (lower_count if stage == "sure" else upper_count)(trials, distinct_by)


def lower_count(sure: list[Row], distinct_by: str) -> int:
    """The fewest different ones the trials can be: those that do not say may repeat one that does."""
    if distinct_by == "none":
        return len(sure)
    keys = {key_of(trial, distinct_by) for trial in sure} - {None}
    return max(len(keys), 1 if sure else 0)


def upper_count(possible: list[Row], distinct_by: str) -> int:
    """The most different ones the trials can be: each one that does not say may be new."""
    if distinct_by == "none":
        return len(possible)
    keys = [key_of(trial, distinct_by) for trial in possible]
    return len(set(keys) - {None}) + keys.count(None)


# --- Alternatives -----------------------------------------------------------------------------------------------------

Alternatives = tuple[Alternative, ...]


def alternatives_met(alternatives: Alternatives, known: Known) -> Truth:
    """Whether some alternative is met; None when it hangs on what is unknown."""
    if any(is_reached(alternative, "sure", known.trials) for alternative in alternatives):
        return True
    blind = blind_counts(alternatives, known)
    return (
        None if any(is_reached(alternative, "outcome", known.trials, blind) for alternative in alternatives) else False
    )


def blind_counts(alternatives: Alternatives, known: Known) -> frozenset[Count]:
    """The counts over treatments that the delivery cannot show; nothing is seen of how far they go."""
    return frozenset(count for alternative in alternatives for count in alternative.all_of if known.is_blind(count.of))


def is_reached(alternative: Alternative, stage: str, trials: list[Row], blind: frozenset[Count] = frozenset()) -> bool:
    """Whether the alternative holds on some day."""
    if set(alternative.all_of) <= blind:
        return True
    return any(holds_on(day, alternative, stage, trials, blind) for day in days_to_try(alternative, stage, trials))


def days_to_try(alternative: Alternative, stage: str, trials: list[Row]) -> list[date]:
    """The days on which a count of the alternative can begin to hold, in order."""
    begins = {
        begin_of(trial, count, stage) for count in alternative.all_of for trial in trials_at(stage, count, trials)
    }
    return sorted({later(day, offset) for day in begins for offset in (0, 1)})


def holds_on(day: date, alternative: Alternative, stage: str, trials: list[Row], blind: frozenset[Count]) -> bool:
    """Whether all counts of the alternative hold on the day."""
    return all(
        count in blind or does_count_hold(day, count, alternative, stage, trials) for count in alternative.all_of
    )


def does_count_hold(day: date, count: Count, alternative: Alternative, stage: str, trials: list[Row]) -> bool:
    """Whether one count holds on the day."""
    counting = [t for t in trials_at(stage, count, trials) if does_trial_count(day, t, count, alternative, stage)]
    if count.timing == "last" and not any(
        date_at(stage, count.what, trial) in (None, day)  # an unknown day may be this one
        for trial in counting
    ):
        return False
    return number_at(stage, count.distinct_by, counting) >= count.n


def does_trial_count(day: date, trial: Row, count: Count, alternative: Alternative, stage: str) -> bool:
    """Whether the day is neither too early nor too late for the trial."""
    begin = begin_of(trial, count, stage)
    has_begun = begin < day if count.timing == "before" else begin <= day
    return has_begun and not is_too_old(day, trial, alternative, stage)


def begin_of(trial: Row, count: Count, stage: str) -> date:
    """The first day on which the trial may be what is counted."""
    return date_at(stage, count.what, trial) or trial["start_date"]


def is_too_old(day: date, trial: Row, alternative: Alternative, stage: str) -> bool:
    """Whether the trial had ended too long before the day: surely on its last known day, else on the latest possible.

    Reading: the latest possible last day counts also of a trial that an unknown supply before it may have prolonged.
    """
    if alternative.within == "episode":
        return False
    last = trial["end_date"] if stage == "sure" else trial["last_day_at_most"]
    return day > later(last, alternative.within)


def plain(alternative: Alternative) -> Alternative:
    """The alternative with its numbers alone: without window, timing and difference."""
    counts = tuple(replace(count, distinct_by="none", timing="any") for count in alternative.all_of)
    return replace(alternative, within="episode", all_of=counts)


def first_day_met(alternatives: Alternatives, trials: list[Row]) -> date:
    """The first day on which some alternative surely holds."""
    days = [
        day
        for alternative in alternatives
        for day in days_to_try(alternative, "sure", trials)
        if holds_on(day, alternative, "sure", trials, frozenset())
    ]
    return min(days)


# --- Which block decides ----------------------------------------------------------------------------------------------


def deciding_block(verdict: str, eligible: Truth, met: Truth, is_possible: Callable[[str, bool], bool]) -> str:
    """The block that settled the verdict, or left it open; follow-up where a rule surely not met leaves it open.

    `is_possible` tells whether the rule could be met with all trials still in at a stage, and
    whether with their number alone.
    """
    if eligible is not True:
        return "eligible"
    if verdict == "resistant":
        return "resistance"
    if verdict == "not_resistant":
        if not is_possible("trial", True):
            return "trial"
        if not is_possible("trial", False):
            return "resistance"
        return "outcome" if is_possible("adequacy", False) else "adequacy"
    if met is False:
        return "follow_up"
    if not is_possible("outcome", False) or not is_possible("sure_member", False):
        return "trial"
    return "outcome" if is_possible("sure_adequate", False) else "adequacy"
