"""Judged trials -> the score or stage each episode has reached under a staging system, with its bounds.

A staging system gives no verdict. A stage is surely reached by what surely counts and possibly by what may count; in a
cumulative system only with every stage below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from polars import col, lit, when

from impasse.schemas.resistance import Scored, Staged
from impasse.schemas.values import NO_LEVEL
from impasse.transforms.judge import counts, points
from impasse.transforms.judge.asked import CountedTrials
from impasse.transforms.judge.counts import Counting
from impasse.transforms.kernels.counting import YES


def stage_columns(counting: Counting) -> dict[str, pl.Expr]:
    """What the table of stages says of an episode, by column."""
    definition, is_eligible = counting.definition, counting.is_eligible
    if definition.eligible.pseudo_resistance == "after":
        is_eligible &= ~col("is_diagnosed")
    columns = {
        "score_min": lit(None, dtype=pl.Float64),
        "score_max": lit(None, dtype=pl.Float64),
        "level_min": lit(None, dtype=pl.Categorical),
        "level_max": lit(None, dtype=pl.Categorical),
        "is_outside_band": lit(None, dtype=pl.Boolean),
    }
    if isinstance(definition.resistance, Scored):
        columns["score_min"], columns["score_max"] = points.bounds(definition.resistance, counting)
    else:
        columns |= _stage(definition.resistance, counting)
    return {"is_eligible": is_eligible} | {name: when(is_eligible).then(one) for name, one in columns.items()}


def _stage(rule: Staged, counting: Counting) -> dict[str, pl.Expr]:
    met = [counts.is_alternative_met(level.any_of, counting) for level in rule.levels]
    surely = _highest(rule, [one.fill_null(False) for one in met])
    perhaps = _highest(rule, [one.fill_null(True) | ~counting.is_followed_up for one in met])
    return {
        "level_min": _name(rule, surely),
        "level_max": _name(rule, perhaps),
        "is_outside_band": _is_outside_band(rule, surely, counting),
    }


def _highest(rule: Staged, reached: Sequence[pl.Expr]) -> Sequence[pl.Expr]:
    """Is each level the highest reached? Of a cumulative system one counts only with all below it."""
    if rule.is_cumulative:
        reached = [pl.all_horizontal(reached[: number + 1]) for number in range(len(reached))]
    return [one & ~pl.any_horizontal(lit(False), *reached[number + 1 :]) for number, one in enumerate(reached)]


def _name(rule: Staged, is_highest: Sequence[pl.Expr]) -> pl.Expr:
    name: Any = pl
    for level, is_it in zip(rule.levels, is_highest, strict=True):
        name = name.when(is_it).then(lit(level.name, dtype=pl.Categorical))
    return name.otherwise(lit(NO_LEVEL, dtype=pl.Categorical))


def _is_outside_band(rule: Staged, is_highest: Sequence[pl.Expr], counting: Counting) -> pl.Expr:
    """Did the failed trials last shorter or longer in all than the source says of the stage? Null if it does not."""
    failed = counting.truth(counting.groups, "failed", "failed")
    days = counting.asked.other(f"days of {failed}", lambda counted: _days(counted, failed))
    outside = when(False).then(lit(None, dtype=pl.Boolean))
    for level, is_it in zip(rule.levels, is_highest, strict=True):
        if level.band_days:
            outside = outside.when(is_it).then(~days.is_between(*level.band_days))
    return outside.otherwise(None)


def _days(counted: CountedTrials, failed: str) -> np.ndarray:
    """The days of all trials of each episode that surely failed."""
    rows = np.flatnonzero(counted.truth(failed) == YES)
    days = np.zeros(counted.n_episodes, dtype=np.int64)
    np.add.at(days, counted.episode[rows], counted.trials.n_days[rows])
    return days
