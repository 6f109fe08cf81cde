"""Definitions as prose: a definition in, exact English sentences out, one set per block.

Every sentence is made from the settings, never from the id or the title, so what the report says is what the
program did. Two definitions with equal blocks read the same word for word. A setting that cannot matter (the order
of joining one scale with itself) is left out; every other one is in the words.
"""

from __future__ import annotations

from itertools import groupby

from impasse.reports.words.names import groups, scale_name, words
from impasse.reports.words.numbers import duration, listed, number, plural
from impasse.reports.words.resistance import WHEN_WORDS, in_short, needed, resistance
from impasse.schemas.definition import (
    Adequacy,
    Definition,
    DrugAdequacy,
    Eligible,
    Exclusion,
    Outcome,
    Requirement,
    ScaleBand,
    ScaleRule,
    SessionAdequacy,
    Trial,
)
from impasse.schemas.failures import asks_failure

__all__ = ["DOSES", "describe", "needed", "scale", "scale_name", "summary", "words"]

DOSES = {
    "ddd_ratio": "the defined daily dose (DDD)",
    "minimum_effective": "the minimum effective dose",
    "usual_dose_lower": "the lower end of the usual dose range",
    "chlorpromazine_600": "600 mg a day of chlorpromazine or its equivalent",
    "atrq": "the minimum dose of the MGH ATRQ",
}
_DURATIONS = {
    "span": "days from first to last, gaps included",
    "covered": "days covered by supply",
    "prescribed": "days from first to last, or the days prescribed where these are more",
}
_SIGNS = {
    "switch": "another drug is started in its place",
    "add_on": "another drug (or psychotherapy, where it makes trials) is added to it",
    "ect": "ECT is given",
    "tms": "TMS is given",
    "admission": "the person is admitted for the disorder",
}
_JOINED = {
    "any": "One failing scale is enough; the trial has worked only if every scale was measured and none fails.",
    "any_measured": "One failing scale is enough; scales that were not measured are left aside.",
    "all": "Every one of these scales must fail.",
    "first": "The first of these scales that was measured decides.",
}
_ADD_ON = {
    "own_trial": "is a trial of its own",
    "part_of_trial": "is part of the trial it joins and is not counted",
    "ignored": "is ignored",
}
_EVIDENCE = {"scales": "symptom scales", "treatment_change": "a change of treatment"}


def describe(definition: Definition) -> dict[str, str]:
    """What the definition does, block by block, in sentences."""
    return {
        "eligible": _eligible(definition.eligible, definition.gives),
        "trial": _trial(definition.trial),
        "adequacy": _adequacy(definition.adequacy),
        "outcome": _outcome(definition.outcome),
        "resistance": resistance(definition.resistance),
    }


def summary(definition: Definition) -> str:
    """The definition in one sentence: what must fail, how long, and how failure is told."""
    rule = in_short(definition.resistance)
    if not asks_failure(definition.resistance):
        return f"{rule}."
    drug = definition.adequacy.drug
    long = "no minimum length for drugs" if drug.min_days == 0 else f"drugs at least {duration(drug.min_days)}"
    kinds = [_EVIDENCE[kind] for kind in definition.outcome.evidence]
    told = f"failure told by {', else '.join(kinds)}"
    return f"{rule}; {long}; {told}."


def _eligible(rule: Eligible, gives: str) -> str:
    sentences = [
        f"Speaks about episodes of {groups(rule.disorders)}{_diagnoses(rule.diagnoses)}.",
        *[_requirement(each) for each in rule.requirements],
        _ages(rule),
        _prior_observation(rule.min_observed_days),
        *_washout(rule),
        *_exclusions(rule.exclusions),
        _pseudo_resistance(rule, gives),
    ]
    return " ".join(sentences)


def _diagnoses(lists: tuple[str, ...]) -> str:
    return f" with at least one contact coded as {groups(lists)}" if lists else ""


def _requirement(rule: Requirement) -> str:
    return f"The person must have {requirement(rule)}."


def requirement(rule: Requirement) -> str:
    """A required diagnosis as a phrase."""
    if rule.days == 1:
        return f"a diagnosis of {words(rule.codes)} {WHEN_WORDS[rule.when]}"
    return f"diagnoses of {words(rule.codes)} on at least {rule.days:,} different days {WHEN_WORDS[rule.when]}"


def _washout(rule: Eligible) -> list[str]:
    if not rule.washout_treatments:
        return []
    return [
        f"Washout: no {groups(rule.washout_treatments)} in the {duration(rule.washout_days)} before treatment of the "
        "episode starts to count."
    ]


def _pseudo_resistance(rule: Eligible, gives: str) -> str:
    refused = {"verdict": "is not resistant", "score": "gets no score", "stage": "gets no stage"}[gives]
    return {
        "noted": "A recorded cause of pseudo-resistance is noted and changes nothing.",
        "before": "Not eligible with a likely cause of pseudo-resistance recorded before or during the episode.",
        "after": "After all else is judged, an episode with a likely cause of pseudo-resistance recorded before or "
        f"during it {refused}.",
    }[rule.pseudo_resistance]


def _ages(rule: Eligible) -> str:
    if rule.min_age == 0 and rule.max_age == 150:
        return "Persons of any age."
    if rule.max_age == 150:
        return f"Persons aged {rule.min_age} or over at the start."
    if rule.min_age == 0:
        return f"Persons aged {rule.max_age} or under at the start."
    return f"Persons aged {rule.min_age} to {rule.max_age} at the start."


def _prior_observation(days: int) -> str:
    if days == 0:
        return "No prior observation is required."
    return f"Prior observation of at least {duration(days)} is required."


def _exclusions(rules: tuple[Exclusion, ...]) -> list[str]:
    """One sentence for each time at which a diagnosis excludes."""
    times = dict.fromkeys(rule.when for rule in rules)
    lists = {when: tuple(rule.codes for rule in rules if rule.when == when) for when in times}
    said = [f"Not eligible with a diagnosis of {groups(codes)} {WHEN_WORDS[when]}." for when, codes in lists.items()]
    return said or ["No other diagnosis excludes an episode."]


def _trial(rule: Trial) -> str:
    parts = (_counted, _kinds, _supply, _single, _sessions, _together, _add_ons, _window)
    return " ".join(sentence for part in parts if (sentence := part(rule)))


def _counted(rule: Trial) -> str:
    return f"A trial is one stretch of treatment with {groups(rule.treatments)}."


def _kinds(rule: Trial) -> str:
    """Which supplies are looked at, where not all are."""
    unseen = [kind for kind in ("dispensed", "prescribed", "administered") if kind not in rule.supply_kinds]
    return f"Supplies that were {' or '.join(unseen)} are not looked at." if unseen else ""


def _supply(rule: Trial) -> str:
    """When a drug is in use, and what ends its trial; with dates alone there is nothing to carry over."""
    if rule.supply == "dates_only":
        return f"A drug is in use from the first to the last of its dispensings, whatever they hold. {_date_gap(rule)}"
    return f"{_drug_gap(rule)} {_carry_over(rule)}"


def _date_gap(rule: Trial) -> str:
    if rule.permissible_gap_days == 0:
        return "Dispensings on different days belong to separate drug trials."
    return (
        f"The permissible gap between dispensings is {duration(rule.permissible_gap_days)}; after a longer one another "
        "drug trial begins."
    )


def _drug_gap(rule: Trial) -> str:
    if rule.permissible_gap_days == 0:
        return "Any day without supply ends a drug trial."
    return f"The permissible gap in supply is {duration(rule.permissible_gap_days)}; a longer one ends the drug trial."


def _single(rule: Trial) -> str:
    if rule.single_dispensing_days == 0:
        return ""
    return (
        "A drug dispensed only once lasts until another drug starts, if its supply has ended by then and their starts "
        f"are at most {duration(rule.single_dispensing_days)} apart."
    )


def _sessions(rule: Trial) -> str:
    return f"Sessions more than {duration(rule.session_gap_days)} apart belong to separate trials."


def _carry_over(rule: Trial) -> str:
    if not rule.carry_over or rule.carry_over_cap_days == 0:
        return "Supply left over at the next dispensing is not carried over."
    return f"Supply left over at the next dispensing is carried over, up to {duration(rule.carry_over_cap_days)}."


def _together(rule: Trial) -> str:
    overlap = (
        f"Two drugs that overlap by {duration(rule.overlap_days)} or more are taken together; with less overlap the "
        "later one follows the earlier one."
    )
    refill = (
        "A drug that is no augmenter also follows an earlier main drug that is not dispensed again on its first day or "
        "later: that one was left, and ends the day before the first; while a refill may yet come, that is open."
    )
    return f"{overlap} {refill}" if rule.overlap_needs_refill else overlap


def _add_ons(rule: Trial) -> str:
    return (
        f"{_augmentation(rule)} A combination (adding any other drug that makes a trial) {_ADD_ON[rule.combination]}."
    )


def _augmentation(rule: Trial) -> str:
    if not rule.augmenters:
        return "No drug is named as an augmenter."
    when = "on its first day or later"
    return f"An augmentation (adding {groups(rule.augmenters)} to a trial, {when}) {_ADD_ON[rule.augmentation]}."


def _window(rule: Trial) -> str:
    long = duration(rule.window_days)
    return {
        "episode": "Trials are sought in the whole episode.",
        "first_days": f"Trials are sought in the first {long} of the episode only.",
        "last_days": f"Trials are sought in the last {long} of the episode only; while it may go on, nothing is sure.",
        "first_treated_days": f"Trials are sought in the first {long} of the episode’s treatment only.",
    }[rule.window]


def _adequacy(rule: Adequacy) -> str:
    if rule.drug == rule.augmentation:
        drugs = f"A drug trial, augmentation included, is adequate with {_drug(rule.drug)}."
    else:
        drugs = (
            f"A drug trial is adequate with {_drug(rule.drug)}. An augmentation is adequate with "
            f"{_drug(rule.augmentation)}."
        )
    return (
        f"{drugs} Psychotherapy is adequate with {_course(rule.psychotherapy)}. "
        f"Neuromodulation is adequate with {_course(rule.neuromodulation)}."
    )


def _drug(rule: DrugAdequacy) -> str:
    return f"{_length(rule)}, {_adherence(rule)}"


def _length(rule: DrugAdequacy) -> str:
    if rule.min_days == 0:
        return "any length and any dose"
    basis = _DURATIONS[rule.duration_basis]
    return f"at least {duration(rule.min_days)} {_dose(rule)} (counting {basis})"


def _dose(rule: DrugAdequacy) -> str:
    if rule.dose_basis == "any":
        return "at any dose, known or not"
    if rule.min_dose_ratio == 0:
        return f"at a dose known in relation to {DOSES[rule.dose_basis]}"
    times = "" if rule.min_dose_ratio == 1 else f"{number(rule.min_dose_ratio)} times "
    return f"at or above {times}{DOSES[rule.dose_basis]}"


def _adherence(rule: DrugAdequacy) -> str:
    shares = {"proportion of days covered": rule.min_pdc_percent, "medication possession ratio": rule.min_mpr_percent}
    asked = [f"a {share} of at least {percent}%" for share, percent in shares.items() if percent]
    if not asked:
        return "whatever the proportion of days covered"
    window = f" in its first {duration(rule.adherence_window_days)}" if rule.adherence_window_days else ""
    return f"and {' and '.join(asked)}{window}"


def _course(rule: SessionAdequacy) -> str:
    sessions = f"at least {plural(rule.min_sessions, 'session')}"
    if rule.min_days == 0:
        return f"{sessions} over any length of time"
    return f"{sessions} over at least {duration(rule.min_days)}"


def _outcome(rule: Outcome) -> str:
    told = [{"scales": _scales, "treatment_change": _change}[kind](rule) for kind in rule.evidence]
    first = f"Judged by {', else by '.join(_EVIDENCE[kind] for kind in rule.evidence)}"
    order = "" if len(told) < 2 else f"{first}; while the first may yet tell, the second decides nothing. "
    return f"{order}{' '.join(told)} {_early_stop(rule)}"


def _early_stop(rule: Outcome) -> str:
    if rule.early_stop_days == 0 or rule.early_stop == "by_evidence":
        return "A trial that stops early is judged like any other."
    verdict = "has not failed" if rule.early_stop == "not_failed" else "cannot be judged"
    return f"A trial stopped before {duration(rule.early_stop_days)} {verdict}, whatever the evidence."


def _scales(rule: Outcome) -> str:
    alike = [list(group) for _, group in groupby(rule.scales, key=_cut_off)]
    fails = listed([scale(scales) for scales in alike], "or")
    joined = f" {_JOINED[rule.scales_joined]}" if len(rule.scales) > 1 else ""
    return f"On symptom scales a trial fails if {fails}.{joined}{_baseline(rule)} {_score(rule)}"


def _cut_off(rule: ScaleRule | ScaleBand) -> tuple[object, ...]:
    return (rule.fails_if, rule.at_least, rule.below) if isinstance(rule, ScaleBand) else (rule.fails_if, rule.value)


def scale(rules: list[ScaleRule] | list[ScaleBand]) -> str:
    """Neighbouring scales with the same cut-off, in their order, as one clause."""
    names, rule = listed([scale_name(each.scale) for each in rules], "or"), rules[0]
    if isinstance(rule, ScaleBand):
        return f"{names} falls by at least {number(rule.at_least)}% and by less than {number(rule.below)}%"
    fails = {"fall_below": "falls by less than {}%", "points_below": "falls by less than {} points"}
    return f"{names} {fails.get(rule.fails_if, 'is above {}').format(number(rule.value))}"


def _baseline(rule: Outcome) -> str:
    """What a fall is measured from; a cut-off has no baseline."""
    kinds = {each.fails_if for each in rule.scales} - {"score_above"}
    if not kinds:
        return ""
    whose = rule.baseline
    before = f"on the day the {whose} starts"
    if rule.baseline_days_before:
        before = f"in the {duration(rule.baseline_days_before)} up to the {whose}'s start"
    after = f", else the first in the {duration(rule.baseline_days_after)} after it" if rule.baseline_days_after else ""
    share = "A fall in percent is a share of" if "points_below" in kinds else "The fall is a share of"
    told = f" {share} the distance from baseline to the scale's lowest score; the"
    return f"{' The' if kinds == {'points_below'} else told} baseline is the last score {before}{after}."


def _score(rule: Outcome) -> str:
    chosen = {"last": "last one", "best": "lowest one", "first": "first one"}[rule.score]
    since = f"from the trial's day {rule.score_from_day} on, while no trial begun later is in use"
    within = f"within {duration(rule.score_days_after_end)} of the trial's last day"
    after = f"; if there is none, the first one from that day on, {within} and by the day on which the next begins"
    later = after if rule.score_days_after_end else ""
    return f"The score that counts is the {chosen} on treatment {since}{later}.{_lost_response(rule)}{_not_final(rule)}"


def _not_final(rule: Outcome) -> str:
    """The first score stays the first; a response stays one if it is the best, or if its loss is no failure."""
    also = " Where it is not known which score that is, all that may be it must tell the same."
    if rule.score == "first":
        return also
    told = "tells a response only" if rule.score == "best" or rule.lost_response == "not_failed" else "tells nothing"
    return f" If a trial still runs when observation ends, it {told}, for another may follow.{also}"


def _lost_response(rule: Outcome) -> str:
    """Only the last score can be worse than an earlier one on treatment that was a response."""
    if rule.score != "last":
        return ""
    verdict = "a failure" if rule.lost_response == "failed" else "no failure"
    return f" If an earlier one from that day on was no failure by the same rule, the loss since then is {verdict}."


def _change(rule: Outcome) -> str:
    signs = listed([_SIGNS[sign] for sign in rule.change_signs], "or") if rule.change_signs else "nothing"
    plan = ""
    if "add_on" in rule.change_signs and rule.add_on_from_day > 1:
        plan = f" What is added before its day {rule.add_on_from_day} is one plan with it, and no failure."
    return f"By change of treatment a trial fails if {signs} {_horizon(rule)}.{plan} {_unfinished(rule)}"


def _horizon(rule: Outcome) -> str:
    if rule.change_within == "episode":
        return "after its start and before the episode ends"
    if rule.change_within == 0:
        return "after its start and by its last day"
    return f"after its start and within {duration(rule.change_within)} of its last day"


def _unfinished(rule: Outcome) -> str:
    verdict = "has not failed" if rule.if_unfinished == "not_failed" else "cannot be judged"
    told = f"If observation ends sooner, other than by death, a trial without such a change {verdict}."
    unjudged = "Where a score was measured that cannot be compared with a baseline, that no change came proves nothing."
    return f"{told} {unjudged}" if _compares(rule) else told


def _compares(rule: Outcome) -> bool:
    """Is some fall from a baseline asked for, beside a change of treatment?"""
    return "scales" in rule.evidence and any(each.fails_if != "score_above" for each in rule.scales)
