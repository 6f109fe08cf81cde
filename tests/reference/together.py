"""Whether two drugs are taken together, as far as their days tell, and whether a drug may go on unseen."""

from __future__ import annotations

from datetime import date

from impasse.schemas.definition import Trial
from tests.reference.basics import Row, Truth, all_true, days_between, later


def may_go_on_unseen(era: Row, last_day: date, episode: Row, rule: Trial) -> bool:
    """Whether a drug may be in use, or be dispensed again, after the last day that is looked at.

    Where the episode may go on it may be, if its supply and a gap reach the day until which treatment was seen; where
    remission, death or the rule's own window ended the view, only if the supply itself reaches the last day; where
    the episode is over otherwise, not at all.

    Reading: where the rule's own window closes on the episode's last day, that day is the episode's.
    Reading: an episode was over before a death that came when its gap and its tail had run out.
    """
    if last_day == episode["end_date"]:
        if episode["is_censored"]:
            return later(era["last_day_at_most"], rule.permissible_gap_days) >= episode["treatment_seen_until"]
        if episode["end_reason"] != "remission" and episode["has_run_out"]:
            return False
    return era["last_day_at_most"] >= last_day


def settle_what_may_be_refilled(eras: list[Row], last_day: date, episode: Row, rule: Trial) -> None:
    """A drug that was left went on if it is, or may yet be, dispensed again in the same trial; else it ended there.

    Reading: it may be where its supply, in the longest reading, reaches what is not seen, or another trial of the drug.
    """
    for era in eras:
        left = era["ends_before"]
        if left is None:
            continue
        is_refilled = any(day >= left for day in era["dispensed_if_one"])
        if is_refilled or may_go_on_unseen(era, last_day, episode, rule):
            era["may_be_refilled"] = True
        else:
            era["last_day_at_most"] = min(era["last_day_at_most"], later(left, -1))
            era["dispensed_if_one"] = []
        is_open = era["has_unknown_supply"] or era["last_day_at_most"] > era["end_date"]
        may_be_more = is_open or era.get("may_be_refilled", False)
        days = days_between(era["start_date"], era["last_day_at_most"]) + 1
        era["n_days_at_most"] = days if may_be_more else era["n_days"]


def settle_what_may_be_together(eras: list[Row], last_day: date, episode: Row, rule: Trial) -> None:
    """Tell each drug what makes it taken together with another, and whether it may yet run after the last day."""
    for era in eras:
        era["taken_together_from"] = rule.overlap_days
        era["needs_refill"] = rule.overlap_needs_refill
        era["may_yet_run"] = may_go_on_unseen(era, last_day, episode, rule)


def overlap_days(newer: Row, older: Row) -> int:
    """Days two drugs are surely both in use, counted from the start of the newer one."""
    return days_between(newer["start_date"], min(newer["end_date"], older["end_date"])) + 1


def overlap_days_at_most(newer: Row, older: Row) -> int:
    """The same by their latest possible last days."""
    return days_between(newer["start_date"], min(last_day_unseen(newer), last_day_unseen(older))) + 1


def last_day_unseen(trial: Row) -> date:
    """The latest possible last day, seen or not: a drug that may yet run may do so for ever."""
    return date.max if trial["may_yet_run"] else trial["last_day_at_most"]


def is_taken_together(trial: Row, other: Row) -> Truth:
    """Whether both drugs are in use for long enough, and this one was not just left in its pack."""
    return all_true([do_overlap(trial, other), is_dispensed_again(trial, other)])


def do_overlap(trial: Row, other: Row) -> Truth:
    """Whether both drugs are in use for as many days as make them taken together.

    Reading: of both drugs the latest possible last day tells whether they may, and of both whether they may yet run.
    """
    if overlap_days(other, trial) >= trial["taken_together_from"]:
        return True
    return None if overlap_days_at_most(other, trial) >= trial["taken_together_from"] else False


def is_dispensed_again(trial: Row, other: Row) -> Truth:
    """Whether this drug was dispensed on the other's first day or after it, where the rule asks for that.

    An augmentation takes no drug's place, so nothing is asked of it. A later trial of this drug may be the same one.
    Reading: a drug that may yet run may be dispensed again also where the last day is that of a remission or of death.
    """
    if not trial["needs_refill"] or other["modality"] == "augmentation":
        return True
    since = other["start_date"]
    if any(supply["date"] >= since for supply in trial["supplies"]):
        return True
    is_open = trial["may_yet_run"] or any(day >= since for day in trial["dispensed_if_one"])
    return None if is_open else False
