"""Whether a trial failed, by what evidence and when; and the state of response it ended in."""

from __future__ import annotations

from datetime import date

from impasse.schemas.definition import Definition, Outcome, ScaleBand, ScaleRule
from tests.reference.basics import Row, Truth, all_true, any_true, later
from tests.reference.codes import Codes, Scale
from tests.reference.trials import overlap_days

Verdict = tuple[Truth, str, date | None]  # has failed, evidence, date of the failure


def judge_outcome(
    trial: Row,
    trials: list[Row],
    person: Row,
    episode: Row,
    definition: Definition,
    codes: Codes,
    observes: frozenset[str],
) -> Row:
    """Whether the trial failed, by what evidence, and when."""
    rule = definition.outcome
    stopped = is_early_stop(trial, rule)
    if stopped and rule.early_stop != "by_evidence":
        verdict: Verdict = (False if rule.early_stop == "not_failed" else None, "early_stop", None)
    else:
        told = []
        for kind in rule.evidence:
            if kind == "scales":
                told.append(scales_verdict(trial, person, rule, codes))
            else:
                told.append(change_verdict(trial, trials, person, episode, rule, codes, observes))
        verdict = first_that_tells(told)
    return dict(zip(("has_failed", "outcome_evidence", "failure_date"), verdict, strict=True))


def first_that_tells(told: list[Verdict]) -> Verdict:
    """The first evidence that can tell.

    Reading: when none can, the treatment_change evidence still says why ("unfinished", "unobserved").
    """
    decided = [verdict for verdict in told if verdict[0] is not None]
    reasons = [verdict for verdict in told if verdict[1] != "none"]
    return next(iter(decided + reasons), (None, "none", None))


def is_early_stop(trial: Row, rule: Outcome) -> bool:
    """Surely stopped before the evidence could speak."""
    is_short = trial["n_days"] < rule.early_stop_days
    return is_short and not trial["has_unknown_supply"] and not trial["is_ongoing"]


def scales_verdict(trial: Row, person: Row, rule: Outcome, codes: Codes) -> Verdict:
    """What the scales say together."""
    verdicts = [scale_verdict(trial, person, scale, rule, codes) for scale in rule.scales]
    measured = [verdict for verdict in verdicts if verdict[0] is not None]
    failed = joined([verdict[0] for verdict in verdicts], rule.scales_joined)
    if failed is None:
        return None, "none", None
    _, evidence, day = next(verdict for verdict in measured if verdict[0] == failed)
    if not failed:
        return False, evidence, None
    failure_dates = [verdict[2] for verdict in verdicts if verdict[0] and verdict[2]]
    if rule.scales_joined in ("any", "any_measured"):
        day = min(failure_dates)
    if rule.scales_joined == "all":
        day = max(failure_dates)
    return True, evidence, day


def joined(verdicts: list[Truth], how: str) -> Truth:
    """Several scales' verdicts as one."""
    measured = [verdict for verdict in verdicts if verdict is not None]
    if how == "any":
        return any_true(verdicts)
    if how == "all":
        return all_true(verdicts)
    if how == "any_measured":
        return any_true(measured) if measured else None
    return measured[0] if measured else None


def scale_verdict(trial: Row, person: Row, scale: ScaleRule | ScaleBand, rule: Outcome, codes: Codes) -> Verdict:
    """What one scale says, and on which day."""
    evidence = f"{scale.scale}:{scale.fails_if}"
    score = outcome_score(trial, person, scale.scale, rule)
    if score is None:
        return None, evidence, None
    if scale.fails_if == "score_above":
        return score["value"] > scale.value, evidence, score["date"]
    baseline = baseline_score(trial, person, scale.scale, rule)
    if baseline is None:
        return None, evidence, None
    fall = baseline["value"] - score["value"]
    if scale.fails_if == "points_below":
        return fall < scale.value, evidence, score["date"]
    room = baseline["value"] - codes.scale(scale.scale).minimum
    if room <= 0:
        return None, evidence, None
    if scale.fails_if == "fall_between":
        return scale.at_least * room <= fall * 100 < scale.below * room, evidence, score["date"]
    return fall * 100 < scale.value * room, evidence, score["date"]


def scores_between(person: Row, scale: str, first: date, last: date) -> list[Row]:
    """The scale's scores from first to last day."""
    return [row for row in person["scores"] or [] if row["scale"] == scale and first <= row["date"] <= last]


def outcome_score(trial: Row, person: Row, scale: str, rule: Outcome) -> Row | None:
    """The latest score of the outcome window; of one day's scores the highest."""
    first = later(trial["start_date"], rule.score_from_day)
    last = later(trial["end_date"], rule.score_days_after_end)
    return max(scores_between(person, scale, first, last), key=lambda r: (r["date"], r["value"]), default=None)


def baseline_score(trial: Row, person: Row, scale: str, rule: Outcome) -> Row | None:
    """The latest score up to the trial's start, else the earliest after it; of one day's scores the highest."""
    start = trial["start_date"]
    before = scores_between(person, scale, later(start, -rule.baseline_days_before), start)
    if before:
        return max(before, key=lambda row: (row["date"], row["value"]))
    after = scores_between(person, scale, later(start, 1), later(start, rule.baseline_days_after))
    return min(after, key=lambda row: (row["date"], -row["value"]), default=None)


def change_verdict(
    trial: Row,
    trials: list[Row],
    person: Row,
    episode: Row,
    rule: Outcome,
    codes: Codes,
    observes: frozenset[str],
) -> Verdict:
    """What the treatment that followed says."""
    horizon = episode["end_date"]
    if rule.change_within != "episode":
        horizon = later(trial["end_date"], rule.change_within)
    dated = [
        (day, rule.change_signs.index(sign), sign)
        for sign in rule.change_signs
        for day in days_of_sign(sign, trial, trials, person, episode, codes)
        if trial["start_date"] < day <= horizon
    ]
    if dated:
        day, _, sign = min(dated)
        return True, sign, day
    if not all(is_sign_observed(sign, person, observes) for sign in rule.change_signs):
        return None, "unobserved", None
    if trial["has_unknown_supply"] and rule.change_within != "episode":
        return None, "unknown_end", None  # the days allowed are counted from a last day that is not known
    is_finished = horizon <= episode["observed_until"]
    if rule.change_within == "episode":
        is_finished = not episode["is_censored"]
    if is_finished:
        return False, "no_change", None
    return (False if rule.if_unfinished == "not_failed" else None), "unfinished", None


def days_of_sign(sign: str, trial: Row, trials: list[Row], person: Row, episode: Row, codes: Codes) -> list[date]:
    """All days of one sign, whenever they were."""
    if sign == "switch":
        return [other["start_date"] for other in trials if is_switch(trial, other)]
    if sign == "add_on":
        return [other["start_date"] for other in trials if is_add_on(trial, other)]
    if sign == "admission":
        illness = codes.disorders[episode["disorder"]]["diagnoses"]
        stays = person["admissions"] or []
        return [stay["start_date"] for stay in stays if codes.in_list_of_any_system(illness, stay["main_code"])]
    if trial["modality"] == "neuromodulation" and sign in trial["groups"]:
        return []
    treated = [(codes.named(row["treatment"]), row["date"]) for row in person["procedures"] or []]
    return [day for listed, day in treated if listed and sign in listed.groups]


def is_switch(trial: Row, other: Row) -> bool:
    """The other trial replaces this one: another drug that is not taken together with it.

    Reading: taken together is a matter of overlap alone, so a drug started on top of an
    augmenter that hosts nothing is no switch away from it.
    """
    if other["modality"] != "drug" or other["treatment"] == trial["treatment"]:
        return False
    if not trial["is_drug"]:
        return other["start_date"] >= trial["end_excl"]
    return overlap_days(other, trial) < trial["taken_together_from"]


def is_add_on(trial: Row, other: Row) -> bool:
    """The other drug is taken together with this one. Reading: this one may be an augmentation itself."""
    if not trial["is_drug"] or not other["is_drug"] or other["treatment"] == trial["treatment"]:
        return False
    return overlap_days(other, trial) >= trial["taken_together_from"]


def is_sign_observed(sign: str, person: Row, observes: frozenset[str]) -> bool:
    """Whether the delivery could show the sign."""
    if sign == "admission":
        return person["admissions"] is not None
    return {"switch": "drug", "add_on": "drug", "ect": "ect", "tms": "tms"}[sign] in observes


# --- Response ---------------------------------------------------------------------------------------------------------


def judge_response(trial: Row, person: Row, episode: Row, definition: Definition, codes: Codes) -> Row:
    """The state the trial ended in, by the published rules of the first of the disorder's scales that can tell."""
    for scale in codes.scales:
        if episode["disorder"] in scale.disorders:
            response = response_on(scale, trial, person, definition.outcome)
            if response:
                return {"response": response, "response_scale": scale.name}
    return {"response": "cannot_tell", "response_scale": None}


def response_on(scale: Scale, trial: Row, person: Row, rule: Outcome) -> str | None:
    """What one scale says of the response; None where it cannot tell."""
    score = outcome_score(trial, person, scale.name, rule)
    if score is None:
        return None
    if scale.remission_max is not None and score["value"] <= scale.remission_max:
        return None if scale.is_screening_tool else "remission"  # a screening tool cannot prove remission
    baseline = baseline_score(trial, person, scale.name, rule)
    responded = has_responded(scale, score, baseline)
    if responded is None:
        return None
    if responded:
        return None if scale.remission_max is None else "insufficient"
    is_partial = scale.partial_fall_percent is not None and has_fallen(
        scale, score, baseline, scale.partial_fall_percent
    )
    return "partial" if is_partial else "no_response"


def has_responded(scale: Scale, score: Row, baseline: Row | None) -> Truth:
    """Whether the score is a response: by percentage, else by points, else by the score itself."""
    if scale.response_fall_percent is not None:
        return has_fallen(scale, score, baseline, scale.response_fall_percent)
    if scale.response_fall_points is not None:
        return None if baseline is None else baseline["value"] - score["value"] >= scale.response_fall_points
    return None if scale.response_max is None else score["value"] <= scale.response_max


def has_fallen(scale: Scale, score: Row, baseline: Row | None, percent: float) -> Truth:
    """Whether the score has fallen by so much of the way to the scale's minimum, if there is a way to fall."""
    if baseline is None or baseline["value"] <= scale.minimum:
        return None
    return (baseline["value"] - score["value"]) * 100 >= percent * (baseline["value"] - scale.minimum)
