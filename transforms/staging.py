"""Judged trials -> the score or stage each episode has reached under a staging system, with its bounds.

A staging system gives no verdict. A stage is surely reached by what surely counts and possibly by what may
count; in a cumulative system only with every stage below it.
"""

from __future__ import annotations

import polars as pl

from schemas.codelists import CodeLists
from schemas.definition import Definition, Scored, Staged
from schemas.tables import NO_LEVEL
from transforms.causes import has_cause
from transforms.counts import Arms
from transforms.encode import Coded
from transforms.points import Points
from transforms.resistance import per_episode, with_kinds
from transforms.stages import FAILED, SURELY_FAILED, among

_COLUMNS = {
    "score_min": pl.Float64,
    "score_max": pl.Float64,
    "level_min": pl.String,
    "level_max": pl.String,
    "is_outside_band": pl.Boolean,
}


def judge_staging(
    episodes: pl.DataFrame, trials: pl.DataFrame, definition: Definition, coded: Coded, codes: CodeLists
) -> pl.DataFrame:
    """One row per episode, in order: episode, is_eligible, and the score's or the stage's bounds.

    `episodes` has is_eligible and `diagnosed`; `trials` is judged.
    """
    rule = definition.resistance
    eligible = pl.col("is_eligible")
    if definition.eligible.pseudo_resistance == "after":
        eligible = eligible & ~has_cause()
    counted = with_kinds(trials, coded, definition.counted_groups)
    stage = _score if isinstance(rule, Scored) else _stage
    staged = stage(episodes.with_columns(is_eligible=eligible), counted, rule, coded, codes)
    blank = [c for c in _COLUMNS if c not in staged.columns]
    whole = staged.with_columns(pl.lit(None, _COLUMNS[c]).alias(c) for c in blank)
    speaks = pl.col("is_eligible").fill_null(False)
    return whole.select("episode", "is_eligible", *(pl.when(speaks).then(pl.col(c)).alias(c) for c in _COLUMNS))


def _score(episodes: pl.DataFrame, trials: pl.DataFrame, rule: Scored, coded: Coded, codes: CodeLists) -> pl.DataFrame:
    points = Points(rule, coded, codes)
    numbers = trials.with_columns(points.memberships()).group_by("episode").agg(points.numbers())
    facts = points.facts(episodes)
    return per_episode(episodes.join(facts, on="episode", maintain_order="left"), numbers).with_columns(
        **points.bounds()
    )


def _stage(episodes: pl.DataFrame, trials: pl.DataFrame, rule: Staged, coded: Coded, codes: CodeLists) -> pl.DataFrame:
    arms = Arms([arm for level in rule.levels for arm in level.any_of], coded.vocabulary, coded.observes, codes)
    members = trials.with_columns(arms.memberships())
    failed = among(SURELY_FAILED, "member")
    table = per_episode(episodes, arms.table(members, [pl.col("n_days").filter(failed).sum().alias("failed_days")]))
    surely = _reached(rule, arms, SURELY_FAILED, open_ended=False)
    possibly = _reached(rule, arms, FAILED, open_ended=True)
    return table.with_columns(level_min=_highest(rule, surely), level_max=_highest(rule, possibly)).with_columns(
        is_outside_band=_outside_band(rule)
    )


def _reached(rule: Staged, arms: Arms, stage: str, *, open_ended: bool) -> list[pl.Expr]:
    """For each level, whether it is reached."""
    reached: list[pl.Expr] = []
    place = 0
    for level in rule.levels:
        places = range(place, place + len(level.any_of))
        met = pl.any_horizontal([arms.met(n, stage, open_ended=open_ended) for n in places])
        reached.append(met & reached[-1] if rule.is_cumulative and reached else met)
        place += len(level.any_of)
    return reached


def _highest(rule: Staged, reached: list[pl.Expr]) -> pl.Expr:
    name = pl.lit(NO_LEVEL)
    for level, is_reached in zip(rule.levels, reached, strict=True):
        name = pl.when(is_reached).then(pl.lit(level.name)).otherwise(name)
    return name


def _outside_band(rule: Staged) -> pl.Expr:
    """Did the failed trials last shorter or longer in all than the source says of the stage?"""
    outside = pl.lit(None, pl.Boolean)
    for level in rule.levels:
        if level.band_days:
            inside = pl.col("failed_days").is_between(*level.band_days)
            outside = pl.when(pl.col("level_min") == level.name).then(~inside).otherwise(outside)
    return outside
