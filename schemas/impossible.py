"""What a definition may not say: combinations of settings that no episode could ever meet."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from impasse.schemas.definition import Definition, DrugAdequacy, ScaleBand
from impasse.schemas.resistance import Alternative, Band, LengthItem, NumberItem, Resistance, Scored, alternatives_of


def impossible_combination(definition: Definition) -> tuple[str, str] | None:
    """The first combination of settings that no episode could meet: a setting of it, and what is wrong."""
    e, t, o = definition.eligible, definition.trial, definition.outcome
    alternatives = alternatives_of(definition.resistance)
    bands = [item.bands for item in _items(definition.resistance) if isinstance(item, NumberItem | LengthItem)]
    min_days = definition.adequacy.drug.min_days
    problems = [
        (e.min_age > e.max_age, "min_age", "eligible.min_age exceeds eligible.max_age"),
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
