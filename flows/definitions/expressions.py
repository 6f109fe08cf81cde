"""A definition as the Polars expressions that judge it, step by step, for a reader: those that a run evaluates.

Each step makes columns, and reads those of the steps before and facts of the delivery. In a run the name of a column
tells the rule and the definition that it is of, as several share one query; here there is one, and the name is short.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import polars as pl

from impasse.flows.definitions.formula import in_lines, read_formula
from impasse.schemas.definition import Definition
from impasse.schemas.rule_ids import column
from impasse.schemas.values import CHANGE_SIGNS
from impasse.transforms.history.scores import MEASURED, score, windows
from impasse.transforms.judge.adequacy import adequacy_reason, is_adequate
from impasse.transforms.judge.asked import Asked
from impasse.transforms.judge.counts import Certainty, Counting, counts
from impasse.transforms.judge.eligibility import is_eligible, washed_out
from impasse.transforms.judge.judging import JudgingPlan, plan_of
from impasse.transforms.judge.outcome import ByScales, by_scales, columns_by_scales, outcome

ASSUMED = (
    "For a delivery that shows every treatment, session and admission; a run on one that does not is left with null "
    "where it cannot tell."
)
_LONGEST = 56
_READINGS: dict[Certainty, str] = {
    "failed": "adequate and failed",
    "adequate": "adequate",
    "tried": "given",
    "surely_tried": "surely given, adequate and failed",
    "surely_adequate": "surely given and adequate, and failed",
}
Step = dict[str, pl.Expr | str]


def expressions(definition: Definition) -> dict[str, Step]:
    """For each step of judging the columns it makes, as expressions, or in words where they are looked up or counted.

    The delivery is one that can show everything.
    """
    told = outcome(definition.outcome, frozenset(CHANGE_SIGNS))
    rule = definition.outcome
    *before, scales = by_scales(rule, frozenset(scale.scale for scale in rule.scales)) if rule.scales else [{}]
    by_its_scores: Step = {name: one for step in before for name, one in step.items()}
    by_its_scores |= {f"{name} by scales": one for name, one in zip(ByScales._fields, scales.values(), strict=False)}
    plan = plan_of((definition,), frozenset(), has_admissions=True, verdict_only=False)
    made = {name: one for layer in plan.layers for name, one in layer.items()}
    names = _short_names(definition, plan)
    published = plan.columns[definition.id]
    read = {name for one in (*made.values(), *published.values()) for name in one.meta.root_names()}
    steps: dict[str, Step] = {
        "of an episode, looked up": _looked_up(definition, names),
        "of an episode": {"is_eligible": is_eligible(definition.eligible)},
        "of a trial, by its scores": by_its_scores,
        "of a trial": {
            "is_adequate": is_adequate(definition.adequacy),
            "adequacy_reason": adequacy_reason(definition.adequacy),
            "has_failed": told.has_failed,
            "outcome_evidence": told.evidence,
            "day_failed": told.day,
        },
        "of a trial, looked up": {
            names.get(name, name): f"is its treatment one of {' or '.join(groups)}?"
            for name, groups in plan.asked.groups.items()
        },
        "of a trial, to be counted in its episode": dict(plan.asked.truths),
        "of an episode, counted in its trials": _counted(definition, plan, names, read),
        "of an episode, by what was counted": {names.get(name, name): one for name, one in made.items()}
        | dict(published),
    }
    return {heading: columns for heading, columns in steps.items() if columns}


def in_code(definition: Definition, width: int) -> dict[str, dict[str, list[str]]]:
    """The steps with what each column is in lines of at most this width: an expression, or words in one line."""
    plan = plan_of((definition,), frozenset(), has_admissions=True, verdict_only=False)
    names = _short_names(definition, plan)
    return {
        step: {name: [one] if isinstance(one, str) else _lines(str(one), names, width) for name, one in columns.items()}
        for step, columns in expressions(definition).items()
    }


def _lines(printed: str, names: dict[str, str], width: int) -> list[str]:
    """An expression in lines; where a text in it holds a quote and cannot be read, as Polars prints it."""
    try:
        return in_lines(read_formula(printed, names), width)
    except ValueError:
        return [printed]


def truths_in_words(definition: Definition) -> dict[str, str]:
    """What each truth of a trial is that decides whether the trial counts, by the name of its column."""
    plan = plan_of((definition,), frozenset(), has_admissions=True, verdict_only=False)
    words = dict(_readings(definition))
    told = {name: words.get(str(truth), "") for name, truth in plan.asked.truths.items()}
    return {name: said for name, said in told.items() if said}


def _readings(definition: Definition) -> Iterator[tuple[str, str]]:
    """The truths that counting may ask for, as Polars prints them, with their words; the plainest word is the last."""
    counting = Counting(definition, Asked(), frozenset(), has_admissions=True)
    rules = counting.judged("is_adequate"), counting.judged("has_failed")
    parts = [count.of for count in _counts(definition)]
    groups = sorted({*parts, counting.groups})
    for of, (certainty, reading) in product(groups, _READINGS.items()):
        said = "all groups counted" if of == counting.groups else " or ".join(of)
        yield str(counts(certainty, counting.is_meant(of), None, *rules)), f"trials of {said}: {reading}"
        added = counts(certainty, counting.is_meant(of, "added"), None, None, None)
        yield str(added), f"trials of {said}: {'surely ' if 'surely_' in certainty else ''}added"
    for of in groups:
        said = "all groups counted" if of == counting.groups else " or ".join(of)
        for what, word in (("given", "given"), ("added", "added")):
            yield str(counts("tried", counting.is_meant(of, what), None, None, None)), f"trials of {said}: {word}"
            sure = counts("surely_tried", counting.is_meant(of, what), None, None, None)
            yield str(sure), f"trials of {said}: surely {word}"
        meant = counting.is_meant(of)
        yield str(meant & rules[0].fill_null(value=False)), f"trials of {said}: surely adequate"


def _counts(definition: Definition) -> Iterator[object]:
    """Every part of the resistance block that counts trials of some groups."""
    rule = definition.resistance
    levels = getattr(rule, "levels", (rule,))
    for one in (one for level in levels for one in getattr(level, "any_of", ())):
        yield from one.all_of
    yield from (item for item in getattr(rule, "items", ()) if hasattr(item, "of"))


def _short_names(definition: Definition, plan: JudgingPlan) -> dict[str, str]:
    """The short name of each column whose name in a run tells its rule or definition, or is long."""
    adequacy, rule = definition.adequacy, definition.outcome
    names = {column("is_eligible", definition.eligible): "is_eligible"}
    names |= {column(what, adequacy): what for what in ("is_adequate", "adequacy_reason")}
    names |= {column(what, rule): what for what in ("has_failed", "outcome_evidence", "day_failed")}
    by_rule = columns_by_scales(rule)._asdict() if rule.scales else {}
    names |= {one.meta.output_name(): f"{what} by scales" for what, one in by_rule.items()}
    for scale, what in product(rule.scales, MEASURED):
        names[score(windows(rule), scale.scale, what).meta.output_name()] = f"{what} {scale.scale}"
    made = (name for layer in plan.layers for name in layer)
    names |= {name: name.removesuffix(f" {definition.id}") for name in made}
    if definition.eligible.washout_treatments:
        names[washed_out(definition.eligible)] = "washout"
    names |= {name: f"treatments {n}" for n, name in enumerate(plan.asked.groups, 1) if len(name) > _LONGEST}
    contact = next((one for one in is_eligible(definition.eligible).meta.root_names() if one.startswith("has con")), "")
    return (
        names
        | {name: f"day {n}" for n, name in enumerate(plan.asked.others, 1) if _is_renamed(name, definition)}
        | ({contact: "has contact"} if len(contact) > _LONGEST else {})
    )


def _looked_up(definition: Definition, names: dict[str, str]) -> Step:
    """The facts of an episode whose name here does not say which they are."""
    facts = is_eligible(definition.eligible).meta.root_names()
    return {names[name]: name for name in facts if name in names}


def _is_renamed(name: str, definition: Definition) -> bool:
    """Is the name too long for a line, or does it end with the definition's id?"""
    return len(name) > _LONGEST or name.endswith(f" {definition.id}")


def _counted(definition: Definition, plan: JudgingPlan, names: dict[str, str], read: set[str]) -> Step:
    """What is counted in the trials of an episode, in words; of numbers those that are read."""
    words: Step = {}
    for name, (truth, distinct_by) in plan.asked.numbers.items():
        which = f"trials, each of another {distinct_by}," if distinct_by != "none" else "trials"
        for bound, least in (("fewest", "least"), ("most", "most")):
            if f"{bound} {name}" in read:
                words[f"{bound} {name}"] = f"how many {which} {truth} holds for, at {least}"
    failed = column("day_failed", definition.outcome)
    for name in plan.asked.others:
        said = name.replace(failed, names[failed]).removesuffix(f" of {definition.id}")
        words[names.get(name, name)] = said
    return words
