"""Definitions as prose: a definition in, exact English sentences out, one set per block.

Every sentence is made from the settings, never from the id or the title, so what the report says is what the
program did. Two definitions with equal blocks read the same word for word. A setting that cannot matter (the order
of joining one scale with itself) is left out; every other one is in the words.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from itertools import groupby

from reports.numbers import duration, listed, number, plural
from schemas.definition import (
    Adequacy,
    Arm,
    Count,
    Counted,
    Definition,
    DrugAdequacy,
    Eligible,
    Exclusion,
    Item,
    Outcome,
    Resistance,
    ScaleRule,
    Scored,
    SessionAdequacy,
    Trial,
)

_PREFIXES = {
    "first_line_": "first-line treatments for ",
    "augmenters_": "augmenters for ",
    "treats_": "treatments for ",
}
_NAMES = {
    "alpha2delta": "alpha-2-delta ligands",
    "augmenters_kim": "augmenters of the Karolinska model",
    "bipolar": "bipolar disorder",
    "cbt": "CBT",
    "dbs": "DBS",
    "ect": "ECT",
    "gad": "generalised anxiety disorder",
    "maoi": "MAOIs",
    "ocd": "OCD",
    "other_anxiety": "other anxiety disorder",
    "panic": "panic disorder",
    "psychotherapy_unspecified": "psychotherapy of unknown kind",
    "ptsd": "PTSD",
    "snri": "SNRIs",
    "social_anxiety": "social anxiety disorder",
    "ssri": "SSRIs",
    "tca": "TCAs",
    "tms": "TMS",
    "vns": "VNS",
}
_SCALES = {
    "bdi2": "BDI-II",
    "caps5": "CAPS-5",
    "gad7": "GAD-7",
    "ham_a": "HAM-A",
    "hamd17": "HAM-D17",
    "pcl5": "PCL-5",
    "phq9": "PHQ-9",
    "ybocs": "Y-BOCS",
}
_WHEN = {
    "ever": "at any time while the person is observed",
    "before": "before the episode starts",
    "during": "during the episode",
    "before_or_during": "before or during the episode",
}
_DISTINCT = {
    "none": "",
    "substance": ", each of a different substance",
    "class": ", each of a different class",
    "mechanism": ", each of a different mechanism",
}
_DOSES = {
    "ddd_ratio": "the defined daily dose (DDD)",
    "minimum_effective": "the minimum effective dose",
    "usual_dose_lower": "the lower end of the usual dose range",
}
_SIGNS = {
    "switch": "another drug is started in its place",
    "add_on": "another drug is added to it",
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
        "eligible": _eligible(definition.eligible),
        "trial": _trial(definition.trial),
        "adequacy": _adequacy(definition.adequacy),
        "outcome": _outcome(definition.outcome),
        "resistance": _resistance(definition.resistance),
    }


def summary(definition: Definition) -> str:
    """The definition in one sentence: what must fail, how long, and how failure is told."""
    drug = definition.adequacy.drug
    long = "no minimum length for drugs" if drug.min_days == 0 else f"drugs at least {duration(drug.min_days)}"
    kinds = [_EVIDENCE[kind] for kind in definition.outcome.evidence]
    told = f"failure told by {', else '.join(kinds)}"
    return f"{needed(definition.resistance)}; {long}; {told}."


def needed(rule: Resistance) -> str:
    """What makes resistance, as a phrase that starts with a capital letter."""
    if isinstance(rule, Scored):
        return f"A score of at least {number(rule.threshold)} points"
    return _capital(", or ".join(_arm(arm) for arm in rule.any_of))


def words(name: str) -> str:
    """A vocabulary name in readable words: chronic_pain -> chronic pain, ssri -> SSRIs."""
    if name in _NAMES:
        return _NAMES[name]
    start = next((prefix for prefix in _PREFIXES if name.startswith(prefix)), "")
    rest = name.removeprefix(start)
    return _PREFIXES.get(start, "") + _NAMES.get(rest, rest.replace("_", " "))


def settings(block: object, prefix: str = "") -> dict[str, str]:
    """Every setting of a block under the name it has in the file, with its value in words."""
    found: dict[str, str] = {}
    for field in fields(block):
        value, name = getattr(block, field.name), prefix + field.name
        found |= settings(value, f"{name}.") if is_dataclass(value) else {name: _value(name, value)}
    return found


def _value(name: str, value: object) -> str:
    if isinstance(value, tuple):
        return "; ".join(_value(name, item) for item in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and ("_days" in name or name == "change_within"):
        return duration(value)
    if isinstance(value, int | float):
        return number(value)
    return _PARTS[type(value)](value) if type(value) in _PARTS else words(str(value))


def scale_name(scale: str) -> str:
    """A scale's vocabulary name as it is printed: ham_a -> HAM-A."""
    return _SCALES.get(scale, scale.upper().replace("_", "-"))


def _groups(names: tuple[str, ...], word: str = "or") -> str:
    return listed([words(name) for name in names], word) if names else "no treatment"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _eligible(rule: Eligible) -> str:
    sentences = [
        f"Speaks about episodes of {_groups(rule.disorders)}{_diagnoses(rule.diagnoses)}.",
        _ages(rule),
        _look_back(rule.min_observed_days),
        *_exclusions(rule.exclusions),
    ]
    return " ".join(sentences)


def _diagnoses(lists: tuple[str, ...]) -> str:
    return f" with at least one contact coded as {_groups(lists)}" if lists else ""


def _ages(rule: Eligible) -> str:
    if rule.min_age == 0 and rule.max_age == 150:
        return "Persons of any age."
    if rule.max_age == 150:
        return f"Persons aged {rule.min_age} or over at the start."
    if rule.min_age == 0:
        return f"Persons aged {rule.max_age} or under at the start."
    return f"Persons aged {rule.min_age} to {rule.max_age} at the start."


def _look_back(days: int) -> str:
    if days == 0:
        return "No time under observation before the start is required."
    return f"The person must have been observed for at least {duration(days)} before the start."


def _exclusions(rules: tuple[Exclusion, ...]) -> list[str]:
    """One sentence for each time at which a diagnosis excludes."""
    times = dict.fromkeys(rule.when for rule in rules)
    lists = {when: tuple(rule.codes for rule in rules if rule.when == when) for when in times}
    said = [f"Not eligible with a diagnosis of {_groups(codes)} {_WHEN[when]}." for when, codes in lists.items()]
    return said or ["No other diagnosis excludes an episode."]


def _trial(rule: Trial) -> str:
    parts = (_counted, _drug_gap, _sessions, _carry_over, _together, _add_ons, _window)
    return " ".join(part(rule) for part in parts)


def _counted(rule: Trial) -> str:
    return f"A trial is one stretch of treatment with {_groups(rule.treatments)}."


def _drug_gap(rule: Trial) -> str:
    if rule.drug_gap_days == 0:
        return "Any day without supply ends a drug trial."
    return f"More than {duration(rule.drug_gap_days)} without supply end a drug trial; a shorter gap is part of it."


def _sessions(rule: Trial) -> str:
    return f"Sessions more than {duration(rule.session_gap_days)} apart belong to separate trials."


def _carry_over(rule: Trial) -> str:
    if not rule.carry_over or rule.carry_over_cap_days == 0:
        return "Supply left over at the next dispensing is not carried over."
    return f"Supply left over at the next dispensing is carried over, up to {duration(rule.carry_over_cap_days)}."


def _together(rule: Trial) -> str:
    return (
        f"Two drugs that overlap by {duration(rule.overlap_days)} or more are taken together; "
        "with less overlap the later one follows the earlier one."
    )


def _add_ons(rule: Trial) -> str:
    return (
        f"{_augmentation(rule)} A combination (adding any other drug that makes a trial) {_ADD_ON[rule.combination]}."
    )


def _augmentation(rule: Trial) -> str:
    if not rule.augmenters:
        return "No drug is named as an augmenter."
    return f"An augmentation (adding {_groups(rule.augmenters)} to a trial) {_ADD_ON[rule.augmentation]}."


def _window(rule: Trial) -> str:
    if rule.window == "episode":
        return "Trials are sought in the whole episode."
    which = "first" if rule.window == "first_days" else "last"
    return f"Trials are sought in the {which} {duration(rule.window_days)} of the episode only."


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
    return f"{_length(rule)}, {_adherence(rule.min_adherence_percent)}"


def _length(rule: DrugAdequacy) -> str:
    if rule.min_days == 0:
        return "any length and any dose"
    basis = "days covered by supply" if rule.duration_basis == "covered" else "days from first to last, gaps included"
    return f"at least {duration(rule.min_days)} {_dose(rule)} (counting {basis})"


def _dose(rule: DrugAdequacy) -> str:
    if rule.dose_basis == "any":
        return "at any dose, known or not"
    if rule.min_dose_ratio == 0:
        return f"at a dose known in relation to {_DOSES[rule.dose_basis]}"
    times = "" if rule.min_dose_ratio == 1 else f"{number(rule.min_dose_ratio)} times "
    return f"at or above {times}{_DOSES[rule.dose_basis]}"


def _adherence(percent: int) -> str:
    return "whatever the adherence" if percent == 0 else f"and supply for at least {percent}% of the trial's days"


def _course(rule: SessionAdequacy) -> str:
    sessions = f"at least {plural(rule.min_sessions, 'session')}"
    if rule.min_days == 0:
        return f"{sessions} over any length of time"
    return f"{sessions} over at least {duration(rule.min_days)}"


def _outcome(rule: Outcome) -> str:
    tellers = {"scales": _scales, "treatment_change": _change}
    told = [tellers[kind](rule) for kind in rule.evidence]
    order = "" if len(told) < 2 else f"Judged by {', else by '.join(_EVIDENCE[kind] for kind in rule.evidence)}. "
    return f"{order}{' '.join(told)} {_early_stop(rule)}"


def _early_stop(rule: Outcome) -> str:
    if rule.early_stop_days == 0 or rule.early_stop == "by_evidence":
        return "A trial that stops early is judged like any other."
    verdict = "has not failed" if rule.early_stop == "not_failed" else "cannot be judged"
    return f"A trial stopped before {duration(rule.early_stop_days)} {verdict}, whatever the evidence."


def _scales(rule: Outcome) -> str:
    alike = [list(group) for _, group in groupby(rule.scales, key=lambda scale: (scale.fails_if, scale.value))]
    fails = listed([_scale(scales) for scales in alike], "or")
    joined = f" {_JOINED[rule.scales_joined]}" if len(rule.scales) > 1 else ""
    falls = any(scale.fails_if == "fall_below" for scale in rule.scales)
    return f"On symptom scales a trial fails if {fails}.{joined}{_baseline(rule) if falls else ''} {_score(rule)}"


def _scale(rules: list[ScaleRule]) -> str:
    """Neighbouring scales with the same cut-off, in their order, as one clause."""
    names = listed([scale_name(rule.scale) for rule in rules], "or")
    if rules[0].fails_if == "score_above":
        return f"{names} is above {number(rules[0].value)}"
    return f"{names} falls by less than {number(rules[0].value)}%"


def _baseline(rule: Outcome) -> str:
    before = "on the day the trial starts"
    if rule.baseline_days_before:
        before = f"in the {duration(rule.baseline_days_before)} up to the trial's start"
    after = f", else the first in the {duration(rule.baseline_days_after)} after it" if rule.baseline_days_after else ""
    return (
        f" The fall is a share of the distance from baseline to the scale's lowest score; the baseline is the last "
        f"score {before}{after}."
    )


def _score(rule: Outcome) -> str:
    start = f"{duration(rule.score_from_day)} after the trial's start" if rule.score_from_day else "the trial's start"
    end = f"{duration(rule.score_days_after_end)} after its last day" if rule.score_days_after_end else "its last day"
    return f"The score that counts is the last one from {start} to {end}."


def _change(rule: Outcome) -> str:
    signs = listed([_SIGNS[sign] for sign in rule.change_signs], "or") if rule.change_signs else "nothing"
    return f"By change of treatment a trial fails if {signs} {_horizon(rule)}. {_unfinished(rule)}"


def _horizon(rule: Outcome) -> str:
    if rule.change_within == "episode":
        return "after its start and before the episode ends"
    if rule.change_within == 0:
        return "after its start and by its last day"
    return f"after its start and within {duration(rule.change_within)} of its last day"


def _unfinished(rule: Outcome) -> str:
    verdict = "has not failed" if rule.if_unfinished == "not_failed" else "cannot be judged"
    return f"If observation ends before that time is over, a trial without such a change {verdict}."


def _resistance(rule: Resistance) -> str:
    return _scored(rule) if isinstance(rule, Scored) else _counts(rule)


def _counts(rule: Counted) -> str:
    if len(rule.any_of) == 1:
        return f"Resistant with {_arm(rule.any_of[0])}."
    arms = "; or ".join(f"{arm.name}: {_arm(arm)}" for arm in rule.any_of)
    return f"Resistant with any of these: {arms}."


def _arm(arm: Arm) -> str:
    return " and ".join(_count(count) for count in arm.all_of)


def _count(rule: Count) -> str:
    trials = plural(rule.n, "failed adequate trial")
    return f"at least {trials} of {_groups(rule.of)}{_DISTINCT[rule.distinct_by] if rule.n > 1 else ''}"


def _scored(rule: Scored) -> str:
    items = "; ".join(_item(item) for item in rule.items)
    return f"Resistant with a score of at least {number(rule.threshold)} points: {items}."


def _item(rule: Item) -> str:
    which = {
        "failed_trials": "",
        "raised_dose": " whose dose was raised",
        "extended": f" that lasted at least {duration(rule.extended_days)}",
    }[rule.item]
    points = "1 point" if rule.points == 1 else f"{number(rule.points)} points"
    trial = f"failed adequate trial of {_groups(rule.of)}{which}"
    return f"{points} for each {trial}, {number(rule.max_points)} at most"


# Settings that are made of several values are one phrase.
_PARTS = {
    Exclusion: lambda rule: f"{words(rule.codes)} {_WHEN[rule.when]}",
    ScaleRule: lambda rule: _scale([rule]),
    Arm: lambda arm: f"{arm.name}: {_arm(arm)}",
    Item: lambda item: _item(item),
}
