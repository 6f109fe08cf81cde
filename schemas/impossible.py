"""What a definition may not say: settings that contradict each other, that nothing reads, or that nobody meets."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

from impasse.schemas.definition import Definition, DrugAdequacy, ScaleBand, ScaleRule
from impasse.schemas.resistance import Alternative, Band, LengthItem, NumberItem, Resistance, Scored, alternatives_of


def impossible_combination(definition: Definition) -> tuple[str, str] | None:
    """The first combination of settings that makes no sense: a setting of it, and what is wrong."""
    e, t, o = definition.eligible, definition.trial, definition.outcome
    alternatives = alternatives_of(definition.resistance)
    bands = [item.bands for item in _items(definition.resistance) if isinstance(item, NumberItem | LengthItem)]
    min_days = definition.adequacy.drug.min_days
    doses = (definition.adequacy.drug, definition.adequacy.augmentation)
    both = product(e.exclusions, e.requirements)
    problems = [
        *_repetitions(definition),
        (e.min_age > e.max_age, "min_age", "eligible.min_age exceeds eligible.max_age"),
        (
            any(one.codes in e.diagnoses and one.when != "before" for one in e.exclusions),
            "exclusions",
            "a code list is in eligible.diagnoses and in an exclusion, so nobody is eligible",
        ),
        (
            any(one.codes == asked.codes and one.when in ("ever", asked.when) for one, asked in both),
            "exclusions",
            "a code list is required and excluded, so nobody is eligible",
        ),
        (not t.treatments, "treatments", "trial.treatments is empty, so nothing is a trial"),
        (
            t.window == "episode" and t.window_days > 0,
            "window_days",
            'trial.window is "episode", so trial.window_days limits nothing',
        ),
        (
            t.carry_over and t.carry_over_cap_days == 0,
            "carry_over_cap_days",
            "trial.carry_over is true, but trial.carry_over_cap_days is 0, so nothing is carried over",
        ),
        (
            any(rule.dose_basis == "any" and rule.min_dose_ratio > 0 for rule in doses),
            "min_dose_ratio",
            'adequacy.dose_basis is "any", so min_dose_ratio is compared with nothing',
        ),
        (
            any(rule.dose_basis != "any" and rule.min_dose_ratio == 0 for rule in doses),
            "min_dose_ratio",
            'adequacy.min_dose_ratio is 0, which every dose reaches; dose_basis = "any" says so',
        ),
        (
            bool(e.washout_treatments) != (e.washout_days > 0),
            "washout_days",
            "eligible.washout_treatments and washout_days need each other",
        ),
        (
            t.window != "episode" and t.window_days == 0,
            "window_days",
            "trial.window_days is 0 in a bounded window",
        ),
        (
            t.window != "episode" and 0 < t.window_days < min_days,
            "min_days",
            "adequacy.drug.min_days is longer than trial.window_days",
        ),
        (
            any(map(_window_without_a_minimum, (definition.adequacy.drug, definition.adequacy.augmentation))),
            "adherence_window_days",
            "adequacy states adherence_window_days but neither min_pdc_percent nor min_mpr_percent",
        ),
        (
            not t.carry_over and t.carry_over_cap_days > 0,
            "carry_over_cap_days",
            "trial.carry_over is false, so trial.carry_over_cap_days limits nothing",
        ),
        (
            "scales" in o.evidence and not o.scales,
            "scales",
            "outcome.evidence names scales but outcome.scales is empty",
        ),
        (
            "scales" not in o.evidence and bool(o.scales),
            "scales",
            "outcome.evidence does not name scales, so outcome.scales are read by nothing",
        ),
        (
            o.score != "last" and o.lost_response == "failed",
            "lost_response",
            "outcome.lost_response is failed, which only the last score can show, but outcome.score is another",
        ),
        (
            o.score == "best" and any(rule.fails_if == "score_above" for rule in o.scales),
            "score",
            "outcome.score is best, but a scale asks for a score above a cut-off, which is one of a stated time",
        ),
        (
            "treatment_change" in o.evidence and not o.change_signs,
            "change_signs",
            "outcome.evidence names treatment_change but outcome.change_signs is empty",
        ),
        (
            "treatment_change" not in o.evidence and bool(o.change_signs),
            "change_signs",
            "outcome.evidence does not name treatment_change, so outcome.change_signs are read by nothing",
        ),
        (
            o.add_on_from_day > 1 and "add_on" not in o.change_signs,
            "add_on_from_day",
            "outcome.change_signs does not name add_on, so outcome.add_on_from_day is read by nothing",
        ),
        (
            any(not _is_a_share(rule) for rule in o.scales),
            "scales",
            "a scale's fall in percent is not between 0 and 100",
        ),
        (
            "scales" in o.evidence and o.baseline_days_after >= o.score_from_day - 1,
            "baseline_days_after",
            "outcome.baseline_days_after reaches outcome.score_from_day, so one score could be both",
        ),
        (
            any(isinstance(rule, ScaleBand) and rule.at_least >= rule.below for rule in o.scales),
            "below",
            "a scale's at_least is not under its below",
        ),
        (any(map(_does_not_rise, bands)), "bands", "a resistance item's bands do not rise"),
        (
            any(each.within != "episode" and each.within < min_days for each in _failing(alternatives)),
            "within",
            "adequacy.drug.min_days is longer than the time within which an alternative must be met",
        ),
        (any(map(_needs_nothing, alternatives)), "timing", "an alternative in which no count can be the last"),
    ]
    return next(((setting, what) for is_wrong, setting, what in problems if is_wrong), None)


def _repetitions(definition: Definition) -> list[tuple[bool, str, str]]:
    """For each list of a definition whether something stands in it twice, which would say nothing more."""
    e, t, o = definition.eligible, definition.trial, definition.outcome
    lists: dict[str, tuple[Any, ...]] = {
        "eligible.disorders": e.disorders,
        "eligible.diagnoses": e.diagnoses,
        "eligible.requirements": e.requirements,
        "eligible.exclusions": e.exclusions,
        "eligible.washout_treatments": e.washout_treatments,
        "trial.treatments": t.treatments,
        "trial.augmenters": t.augmenters,
        "trial.supply_kinds": t.supply_kinds,
        "outcome.evidence": o.evidence,
        "outcome.scales": o.scales,
        "outcome.change_signs": o.change_signs,
    }
    lists |= {f"of of count {n}": count.of for n, count in enumerate(_counts_of(definition.resistance), start=1)}
    return [
        (len(set(listed)) < len(listed), name.rpartition(".")[2].split(" ")[0], f"{name} names something twice")
        for name, listed in lists.items()
    ]


def _counts_of(rule: Resistance) -> list[Any]:
    return [count for alternative in alternatives_of(rule) for count in alternative.all_of]


def _is_a_share(rule: ScaleRule | ScaleBand) -> bool:
    """Is a fall in percent one that a score can make?"""
    if isinstance(rule, ScaleBand):
        return rule.at_least >= 0 and rule.below <= 100
    return rule.fails_if != "fall_below" or 0 < rule.value <= 100


def _window_without_a_minimum(rule: DrugAdequacy) -> bool:
    return rule.adherence_window_days > 0 and not (rule.min_pdc_percent or rule.min_mpr_percent)


def _does_not_rise(bands: tuple[Band, ...]) -> bool:
    return any(a.at_least >= b.at_least or a.points > b.points for a, b in pairwise(bands))


def _items(rule: Resistance) -> tuple[Any, ...]:
    return rule.items if isinstance(rule, Scored) else ()


def _failing(alternatives: tuple[Alternative, ...]) -> list[Alternative]:
    """The alternatives that count more than one failed trial: one may begin before the time, two may not."""
    return [each for each in alternatives if sum(count.n for count in each.all_of if count.what == "failed") > 1]


def _needs_nothing(alternative: Alternative) -> bool:
    """Every count lies before the day the alternative is met: then no trial marks that day."""
    return all(count.timing == "before" for count in alternative.all_of)
