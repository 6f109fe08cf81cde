"""Whether a trial was long and strong enough."""

from __future__ import annotations

from impasse.schemas.definition import Definition, DrugAdequacy, SessionAdequacy
from tests.reference.basics import Row, Truth, all_true, between_bounds, days_between, later, may_still_run, still_runs
from tests.reference.codes import Codes


def judge_adequacy(trial: Row, episode: Row, definition: Definition, codes: Codes) -> Row:
    """Whether the trial was long and strong enough, and the reason."""
    rule = getattr(definition.adequacy, trial["modality"])
    trial = trial | {"still_runs": still_runs(trial, episode), "may_still_run": may_still_run(trial, episode)}
    if trial["is_drug"]:
        passed_until = episode["end_date"] if episode["is_censored"] else episode["observed_until"]
        days = {"episode_end": episode["end_date"], "passed_until": passed_until}
        days |= {"may_episode_go_on": episode["is_censored"]}
        return drug_adequacy(handed_out(trial, definition) | days, rule, codes)
    return session_adequacy(trial, rule)


def drug_adequacy(trial: Row, rule: DrugAdequacy, codes: Codes) -> Row:
    """Enough days at the dose, and enough of the days covered.

    Reading: where the days to be covered are not over, their number is what is unknown, as where a supply is unknown.
    """
    long_enough, adherent = is_long_enough(trial, rule, codes), is_adherent(trial, rule)
    is_adequate = all_true([long_enough, adherent])
    if is_adequate:
        reason = "adequate"
    elif is_adequate is None:
        is_short_yet = days_possible(trial, rule, codes) < rule.min_days
        is_open = may_be_longer(trial) or adherent is None or is_short_yet
        reason = "duration_unknown" if is_open else "dose_unknown"
    elif long_enough is not False:
        reason = "low_adherence"
    else:
        reason = "too_short" if days_in_all(trial, rule) < rule.min_days else "underdosed"
    return {"is_adequate": is_adequate, "adequacy_reason": reason}


def may_be_longer(trial: Row) -> bool:
    """Whether it is not known for how many days the trial lasted: a supply is unknown, or what was left may go on."""
    return trial["has_unknown_supply"] or trial.get("may_be_refilled", False)


def days_in_all(trial: Row, rule: DrugAdequacy) -> int:
    """The trial's days at whatever dose; of unknown supply the most there can be."""
    return most_days(trial, [supply[rule.duration_basis] for supply in trial["supplies"]], rule)


def most_days(trial: Row, of_supplies: list[int], rule: DrugAdequacy) -> int:
    """The most days that these supplies of a trial can have.

    Reading: where each supply counts for as long as it was prescribed, that may reach beyond the trial's days, so the
    days known come on top of the most that the trial can have.
    """
    known = sum(of_supplies)
    if not of_supplies or not may_be_longer(trial):
        return known
    return trial["n_days_at_most"] + (known if rule.duration_basis == "prescribed" else 0)


def is_long_enough(trial: Row, rule: DrugAdequacy, codes: Codes) -> Truth:
    """Whether the days at the dose reach the minimum, for every or for no value of what is unknown.

    More days may come of a trial that may still run.

    Reading: of a trial with an unknown supply all days it may have may be at the dose, if any supply may be at it.
    """
    surely = [
        supply[rule.duration_basis]
        for supply in trial["supplies"]
        if is_dose_enough(trial["treatment"], supply, rule, codes)
    ]
    at_most = max(days_possible(trial, rule, codes), rule.min_days if trial["may_still_run"] else 0)
    return between_bounds(sum(surely), at_most, rule.min_days)


def days_possible(trial: Row, rule: DrugAdequacy, codes: Codes) -> int:
    """The most days at the dose that there can have been, as far as the trial was seen."""
    perhaps = [
        supply[rule.duration_basis]
        for supply in trial["supplies"]
        if is_dose_enough(trial["treatment"], supply, rule, codes) is not False
    ]
    return most_days(trial, perhaps, rule)


def is_dose_enough(treatment: str, supply: Row, rule: DrugAdequacy, codes: Codes) -> Truth:
    """Whether one dispensing reaches the rule's dose."""
    if rule.dose_basis == "any":
        return True
    ratio = dose_ratio(treatment, supply, rule.dose_basis, codes)
    return None if ratio is None else ratio >= rule.min_dose_ratio


def dose_ratio(treatment: str, supply: Row, basis: str, codes: Codes) -> float | None:
    """The daily dose as a share of the dose that `basis` names."""
    if basis == "ddd_ratio":
        return None if supply["dose_mddd"] is None else supply["dose_mddd"] / 1000
    mg = codes.doses.get(treatment, {}).get(f"{basis}_mg")
    return None if mg is None or supply["dose_ug"] is None else supply["dose_ug"] / (mg * 1000)


def handed_out(trial: Row, definition: Definition) -> Row:
    """The trial with the days that each of its supplies was handed out for.

    Where only dates are read, these are the days for which the supply is in use; so they are for a single dispensing
    that lasts until the next drug starts.
    """
    supplies = []
    for supply in trial["supplies"]:
        days = supply["days"] or 0
        if definition.trial.supply == "dates_only":
            days = supply["covered"]
        elif sum(each["dispensings"] for each in trial["supplies"]) == 1:
            days = max(days, supply["covered"])
        supplies.append({**supply, "handed_out": days})
    return {**trial, "supplies": supplies}


def is_adherent(trial: Row, rule: DrugAdequacy) -> Truth:
    """Whether enough of the days looked at are covered by supply, and enough was handed out for them.

    Of a drug that still runs nobody knows, unless the days looked at are over.
    """
    if rule.min_pdc_percent == 0 and rule.min_mpr_percent == 0:
        return True
    if may_adherence_change(trial, rule) and not is_adherence_seen(trial, rule):
        return None
    n_days, inside = trial["n_days"], trial["supplies"]
    if rule.adherence_window_days > 0:
        n_days = min(rule.adherence_window_days, days_between(trial["start_date"], trial["episode_end"]) + 1)
        inside = [supply for supply in inside if days_between(trial["start_date"], supply["date"]) < n_days]
    if rule.adherence_window_days == 0 and may_be_longer(trial):
        return None
    if trial["has_unknown_supply"] and any(supply["days"] is None for supply in inside):
        return None
    covered = sum(1 for day in days_in_use(trial) if day < n_days)
    handed = sum(supply["handed_out"] for supply in inside)
    return (
        n_days > 0 and 100 * covered >= rule.min_pdc_percent * n_days and 100 * handed >= rule.min_mpr_percent * n_days
    )


def may_adherence_change(trial: Row, rule: DrugAdequacy) -> bool:
    """Whether the trial still runs or, where a window is looked at, the episode may go on, and the days with it."""
    return trial["still_runs"] or (rule.adherence_window_days > 0 and trial["may_episode_go_on"])


def is_adherence_seen(trial: Row, rule: DrugAdequacy) -> bool:
    """Whether the adherence is that of a window whose days have passed.

    They have by the last observed day or, where the episode may go on, by its last day.

    Reading: the window's last day is its own, also where the episode ends before it.
    """
    last = later(trial["start_date"], rule.adherence_window_days - 1)
    return rule.adherence_window_days > 0 and last <= trial["passed_until"]


def days_in_use(trial: Row) -> list[int]:
    """The days covered, counted from the trial's first, which is 0: of each supply the first so many of its own."""
    days, begins = [], 0
    for supply in trial["supplies"]:
        days += range(begins, begins + supply["covered"])
        begins += supply["span"]
    return days


def session_adequacy(trial: Row, rule: SessionAdequacy) -> Row:
    """Enough days from first to last session, and enough sessions; more may come of a course that still runs."""
    if trial["n_days"] >= rule.min_days and trial["n_sessions"] >= rule.min_sessions:
        return {"is_adequate": True, "adequacy_reason": "adequate"}
    if trial["still_runs"]:
        return {"is_adequate": None, "adequacy_reason": "duration_unknown"}
    reason = "too_short" if trial["n_days"] < rule.min_days else "too_few_sessions"
    return {"is_adequate": False, "adequacy_reason": reason}
