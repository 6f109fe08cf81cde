"""A definition as the Polars expressions that judge it, step by step, for a reader: those that a run evaluates.

An expression stands as Polars prints it, without the marks that carry no sense, a branch on each line.
"""

from __future__ import annotations

import re

import polars as pl

from impasse.schemas.definition import Definition
from impasse.transforms.judge.adequacy import adequacy_reason, is_adequate
from impasse.transforms.judge.eligibility import is_eligible
from impasse.transforms.judge.judging import SIGNS, plan_of
from impasse.transforms.judge.outcome import by_scales, columns_by_scales, outcome

_BETWEEN = re.compile(r"\) (&|\||==|!=|>=|<=|<|>|\+|-|\*|/) \(")
_RULE = re.compile(r" [0-9a-f]{8}\b")
_STEP = 2


def expressions(definition: Definition) -> dict[str, dict[str, pl.Expr]]:
    """For each step of judging, the columns it makes; each step sees those of the steps before.

    The delivery is one that can show everything.
    """
    told = outcome(definition.outcome, SIGNS)
    columns = [column.meta.output_name() for column in columns_by_scales(definition.outcome)]
    scales = {"of an era or course, by its scores": dict(zip(columns, by_scales(definition.outcome), strict=True))}
    plan = plan_of((definition,), frozenset(), has_admissions=True, alone=False)
    made = {name: one for layer in plan.layers for name, one in layer.items()} | plan.columns[definition.id]
    return {
        "of an episode": {"is_eligible": is_eligible(definition.eligible)},
        **(scales if definition.outcome.scales else {}),
        "of a trial": {
            "is_adequate": is_adequate(definition.adequacy),
            "adequacy_reason": adequacy_reason(definition.adequacy),
            "has_failed": told.has_failed,
            "outcome_evidence": told.evidence,
            "day_failed": told.day,
        },
        "of a trial, to be counted in its episode": plan.asked.truths,
        "of an episode, by what was counted": made,
    }


def in_code(expression: pl.Expr, definition_id: str) -> list[str]:
    """An expression in lines, a branch on each; what names one of a definition's own rules says the rule alone."""
    return _lines(own_name(str(expression), definition_id))


def own_name(text: str, definition_id: str) -> str:
    """Columns are named by rule and definition, which several share in one query; here there is only one."""
    text = text.replace(f" {definition_id}", "")
    return _RULE.sub("", text)


def _lines(text: str) -> list[str]:
    """A line for each branch of a choice, set in as deep as it is nested."""
    plain = text.replace("dyn int: ", "").replace("dyn float: ", "").replace("([true])", "(true)")
    plain = _BETWEEN.sub(r" \1 ", plain.replace("([false])", "(false)")).replace("[(", "(").replace(")]", ")")
    lines, depth, rest = [], 0, plain
    for part in re.split(r"(?=\.when\(|\.otherwise\()", rest):
        if part.strip():
            lines.append(" " * (_STEP * depth) + part.removeprefix("."))
        depth = max(0, depth + part.count("(") - part.count(")"))
    return lines
