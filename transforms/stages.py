"""Judged trials in wider and wider sets: all tried, the adequate ones, the failed ones; perhaps, and surely.

What a rule needs is asked of each set in turn. The surest set gives the lower bound of every number, the
set of all that may have failed the upper bound, and the sets between tell which block settled a verdict.
"""

from __future__ import annotations

from functools import reduce
from operator import and_

import polars as pl

TRIED, ADEQUATE, FAILED = "tried", "adequate", "failed"
SURELY_TRIED, SURELY_ADEQUATE, SURELY_FAILED = "surely_tried", "surely_adequate", "surely_failed"

_MAYBE, _SURE = False, True
# Of a trial: is it of the counted treatments, adequate, failed? None does not ask.
_NEEDS: dict[str, tuple[bool | None, ...]] = {
    TRIED: (_MAYBE, None, None),
    ADEQUATE: (_MAYBE, _MAYBE, None),
    FAILED: (_MAYBE, _MAYBE, _MAYBE),
    SURELY_TRIED: (_SURE, _MAYBE, _MAYBE),
    SURELY_ADEQUATE: (_SURE, _SURE, _MAYBE),
    SURELY_FAILED: (_SURE, _SURE, _SURE),
}
STAGES = tuple(_NEEDS)


def among(stage: str, member: str, what: str = "failed") -> pl.Expr:
    """Is the trial in the stage's set? What is given or added is not asked to be adequate or to fail."""
    needs = _NEEDS[stage] if what == "failed" else _NEEDS[stage][:1]
    columns = (member, "is_adequate", "has_failed")[: len(needs)]
    wanted = [pl.col(c).fill_null(not need) for c, need in zip(columns, needs, strict=True) if need is not None]
    return reduce(and_, wanted)


def date_of(what: str) -> pl.Expr:
    """The day a trial counts from: its failure, or its start where it need not fail."""
    return pl.col("failure_date") if what == "failed" else pl.col("start")


def date_at(stage: str, what: str) -> pl.Expr:
    """The same, null where the stage's set does not know whether and when the trial failed."""
    if what != "failed" or stage not in (TRIED, ADEQUATE):
        return date_of(what)
    return pl.lit(None, pl.Int32)
