"""Judged trials -> the score or stage each episode has reached under a staging system, with its bounds.

A staging system gives no verdict. A stage is surely reached by what surely counts and possibly by what may
count; in a cumulative system only with every stage below it.
"""

from __future__ import annotations

from functools import reduce
from operator import or_

import numpy as np
import polars as pl

from impasse.schemas.definition import Scored, Staged
from impasse.schemas.values import NO_LEVEL
from impasse.transforms.judge.certainty import FAILED, SURELY_FAILED, among
from impasse.transforms.judge.counts import Alternatives
from impasse.transforms.judge.points import Points
from impasse.transforms.judge.resistance import Facts
from impasse.transforms.kernels.bounds import Bounds

_COLUMNS = {
    "score_min": pl.Float64,
    "score_max": pl.Float64,
    "level_min": pl.String,
    "level_max": pl.String,
    "is_outside_band": pl.Boolean,
}


def judge_staging(facts: Facts) -> pl.DataFrame:
    """One row per episode, in order: is_eligible, and the score's or the stage's bounds."""
    rule, eligible = facts.definition.resistance, facts.eligible
    if facts.definition.eligible.pseudo_resistance == "after":
        eligible = eligible & ~Bounds.known(facts.causes.is_diagnosed)
    if isinstance(rule, Scored):
        low, high = Points(rule, facts.tried, facts.coded, facts.codes).bounds()
        found = {"score_min": pl.Series(low).fill_nan(None), "score_max": pl.Series(high).fill_nan(None)}
    else:
        found = _stage(rule, facts)
    table = pl.DataFrame({"is_eligible": eligible.series(), **found}).with_columns(
        pl.lit(None, kind).alias(column) for column, kind in _COLUMNS.items() if column not in found
    )
    speaks = pl.lit(pl.Series(eligible.sure))
    return table.select("is_eligible", *(pl.when(speaks).then(pl.col(c)).alias(c) for c in _COLUMNS))


def _stage(rule: Staged, facts: Facts) -> dict[str, pl.Series]:
    tried, groups = facts.tried, facts.definition.counted_groups
    alternatives = Alternatives(
        [alternative for level in rule.levels for alternative in level.any_of], tried, facts.coded.observes, facts.codes
    )
    names = pl.Series([NO_LEVEL, *(level.name for level in rule.levels)])
    lowest = _highest(_reached(rule, alternatives, SURELY_FAILED, open_ended=False))
    highest = _highest(_reached(rule, alternatives, FAILED, open_ended=True))
    failed = among(tried.counted(tuple(sorted(groups)), "failed"), SURELY_FAILED)
    failed_days = tried.spread(tried.trials.episodes.sum(tried.trials.n_days * failed))
    return {
        "level_min": names.gather(lowest),
        "level_max": names.gather(highest),
        "is_outside_band": _outside_band(rule, lowest, failed_days),
    }


def _reached(rule: Staged, alternatives: Alternatives, stage: int, *, open_ended: bool) -> list[np.ndarray]:
    """For each level, whether it is reached."""
    reached: list[np.ndarray] = []
    place = 0
    for level in rule.levels:
        places = range(place, place + len(level.any_of))
        met = reduce(or_, [alternatives.met(n, stage, open_ended=open_ended) for n in places])
        reached.append(met & reached[-1] if rule.is_cumulative and reached else met)
        place += len(level.any_of)
    return reached


def _highest(reached: list[np.ndarray]) -> np.ndarray:
    """The number of the highest level reached, from 1; 0 is none."""
    highest = np.zeros(len(reached[0]), dtype=np.int64)
    for number, is_reached in enumerate(reached, start=1):
        highest[is_reached] = number
    return highest


def _outside_band(rule: Staged, level: np.ndarray, failed_days: np.ndarray) -> pl.Series:
    """Did the failed trials last shorter or longer in all than the source says of the stage? Null if it does not."""
    says, outside = np.zeros(len(level), dtype=bool), np.zeros(len(level), dtype=bool)
    for number, stage in enumerate(rule.levels, start=1):
        if stage.band_days:
            mine, (least, most) = level == number, stage.band_days
            says |= mine
            outside |= mine & ((failed_days < least) | (failed_days > most))
    return Bounds(says & outside, ~says | outside).series()
