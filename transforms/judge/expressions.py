"""A definition as the Polars expressions that judge it, block by block, for a reader: those that a run evaluates."""

from __future__ import annotations

import polars as pl

from impasse.schemas.definition import Definition
from impasse.transforms.judge.adequacy import adequacy_reason, is_adequate
from impasse.transforms.judge.eligibility import is_eligible
from impasse.transforms.judge.judging import SIGNS, plan_of
from impasse.transforms.judge.outcome import by_scales, columns_by_scales, outcome


def expressions(definition: Definition) -> dict[str, dict[str, pl.Expr]]:
    """For each step of judging, the columns it makes; each step sees those of the steps before.

    The delivery is one that can show everything.
    """
    told = outcome(definition.outcome, SIGNS)
    scales = {"of an era or course, by its scores": _named(columns_by_scales, by_scales, definition)}
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


def _named(names, made, definition: Definition) -> dict[str, pl.Expr]:
    columns = names(definition.outcome)
    return {name.meta.output_name(): one for name, one in zip(columns, made(definition.outcome), strict=True)}
