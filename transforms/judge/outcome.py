"""Trials -> did each fail, work, or can we not tell? With the evidence and its day.

A rule is a set of Polars expressions over a frame with one row per trial. Evidence is taken in the order the
definition names: the first kind that can tell, tells. Scales compare the trial's last score with its baseline or a
cut-off. A change of treatment within the time allowed is a register's stand-in for failure. Its absence means "worked"
only if it could have been seen, and only if it is known when the time allowed was over.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import polars as pl
from polars import all_horizontal, any_horizontal, coalesce, col, lit, max_horizontal, min_horizontal, when

from impasse.schemas.definition import Outcome, ScaleBand, ScaleRule
from impasse.transforms.history.scores import score, windows

_UNKNOWN = lit(None, dtype=pl.Boolean)


class JudgedOutcome(NamedTuple):
    """Has the trial failed (null: cannot be told), by which evidence, and on which day (null unless it failed)?"""

    has_failed: pl.Expr
    evidence: pl.Expr
    day: pl.Expr


@cache
def outcome(rule: Outcome, observed: frozenset[str]) -> JudgedOutcome:
    """How a trial ended; `observed` are the changes of treatment that the delivery can show."""
    kinds = {"scales": columns_by_scales(rule), "treatment_change": _by_change(rule, observed)}
    *before, last = rule.evidence
    told = kinds[last]
    for kind in reversed(before):
        # Where nothing can tell, the last resort, a change of treatment, says why it could not.
        reason = kinds[kind].evidence if kind == "treatment_change" else told.evidence
        told = _first_that_tells(kinds[kind], told, reason)
    return _unless_stopped_early(told, rule)


def _first_that_tells(first: JudgedOutcome, second: JudgedOutcome, reason: pl.Expr) -> JudgedOutcome:
    is_known = first.has_failed.is_not_null()
    return JudgedOutcome(
        coalesce(first.has_failed, second.has_failed),
        when(is_known).then(first.evidence)
        .when(second.has_failed.is_not_null()).then(second.evidence)
        .otherwise(reason),
        when(is_known).then(first.day).otherwise(second.day),
    )  # fmt: skip


def _unless_stopped_early(told: JudgedOutcome, rule: Outcome) -> JudgedOutcome:
    """An early stop decides first where the rule says so."""
    if rule.early_stop == "by_evidence":
        return told
    is_over = ~col("has_unknown_supply") & ~col("is_ongoing")
    stopped = is_over & (col("n_days") < rule.early_stop_days)
    return JudgedOutcome(
        when(stopped).then(lit(False) if rule.early_stop == "not_failed" else _UNKNOWN).otherwise(told.has_failed),
        when(stopped).then(_name("early_stop")).otherwise(told.evidence),
        when(~stopped).then(told.day),
    )


# Scales


@cache
def columns_by_scales(rule: Outcome) -> JudgedOutcome:
    """The columns that hold what the scales of a rule say of each era or course; equal scales share them.

    A rule without scales has no column: they say nothing of any trial.
    """
    if not rule.scales:
        return by_scales(rule)
    return JudgedOutcome(*(col(f"{what} by {_key_of_scales(rule)}") for what in JudgedOutcome._fields))


@cache
def by_scales(rule: Outcome) -> JudgedOutcome:
    """What the scales say of an era or a course, each by its own rule, joined as the definition says."""
    if not rule.scales:
        return JudgedOutcome(_UNKNOWN, _name("none"), lit(None, dtype=pl.Int32))
    failed = [_by_one_scale(rule, scale) for scale in rule.scales]
    days = [score(windows(rule), scale.scale, "day") for scale in rule.scales]
    joined = _joined(failed, rule.scales_joined)
    evidence: Any = pl
    days_of_failed = [when(f).then(day) for f, day in zip(failed, days, strict=True)]
    for one, scale in zip(failed, rule.scales, strict=True):
        evidence = evidence.when(one == joined).then(_name(f"{scale.scale}:{scale.fails_if}"))
    day = {
        "all": lambda: max_horizontal(days),
        "first": lambda: coalesce(days_of_failed),
    }.get(rule.scales_joined, lambda: min_horizontal(days_of_failed))()
    return JudgedOutcome(joined, evidence.otherwise(_name("none")), when(joined).then(day))


def _joined(failed: Sequence[pl.Expr], how: str) -> pl.Expr:
    if how == "all":
        return all_horizontal(failed)
    if how == "first":
        return coalesce(failed)
    if how == "any":
        return any_horizontal(failed)
    is_measured = any_horizontal(f.is_not_null() for f in failed)
    return when(is_measured).then(any_horizontal(f.fill_null(False) for f in failed))


def _by_one_scale(rule: Outcome, scale: ScaleRule | ScaleBand) -> pl.Expr:
    """Is it a failure by one scale? Null without a score or, where a fall is asked for, without a baseline."""
    value, baseline, room = (score(windows(rule), scale.scale, what) for what in ("value", "baseline", "room"))
    fall = baseline - value
    if isinstance(scale, ScaleBand):
        return when(room > 0).then((fall * 100 >= scale.at_least * room) & (fall * 100 < scale.below * room))
    if scale.fails_if == "fall_below":
        return when(room > 0).then(fall * 100 < scale.value * room)
    if scale.fails_if == "points_below":
        return fall < scale.value
    return value > scale.value


def _key_of_scales(rule: Outcome) -> str:
    return f"{[tuple(vars(scale).values()) for scale in rule.scales]} {rule.scales_joined} {windows(rule)}"


# Changes of treatment


def _by_change(rule: Outcome, observed: frozenset[str]) -> JudgedOutcome:
    """A change of treatment in time is a failure; that none came is a success only where it would have been seen."""
    came = {sign: when(col(f"next {sign}") <= _horizon(rule)).then(col(f"next {sign}")) for sign in rule.change_signs}
    first = min_horizontal(came.values()) if came else lit(None, dtype=pl.Int32)
    evidence: Any = pl
    for sign, day in came.items():  # of signs on one day, the first named
        evidence = evidence.when(day == first).then(_name(sign))
    works = _saw_no_change(rule, observed)
    return JudgedOutcome(
        when(first.is_not_null()).then(True).when(works).then(False),
        _why_no_change(rule, observed, evidence),
        first,
    )


def _horizon(rule: Outcome) -> pl.Expr:
    """The last day on which a change still counts."""
    return col("episode_end") if rule.change_within == "episode" else col("last_day") + rule.change_within


def _saw_no_change(rule: Outcome, observed: frozenset[str]) -> pl.Expr:
    """Where no change was seen, was there none?"""
    if not set(rule.change_signs) <= observed:
        return lit(False)
    if rule.change_within == "episode":
        return lit(True) if rule.if_unfinished == "not_failed" else ~col("is_censored")
    is_finished = lit(True) if rule.if_unfinished == "not_failed" else _horizon(rule) <= col("observed_until")
    return ~col("has_unknown_supply") & is_finished


def _why_no_change(rule: Outcome, observed: frozenset[str], evidence: Any) -> pl.Expr:
    """Or else what it means that no change was seen: none came, or why one may have come all the same."""
    if not set(rule.change_signs) <= observed:
        return evidence.when(True).then(_name("unobserved"))
    if rule.change_within == "episode":
        return evidence.when(col("is_censored")).then(_name("unfinished")).otherwise(_name("no_change"))
    return (
        evidence.when(col("has_unknown_supply")).then(_name("unknown_end"))
        .when(_horizon(rule) <= col("observed_until")).then(_name("no_change"))
        .otherwise(_name("unfinished"))
    )  # fmt: skip


@cache
def _name(evidence: str) -> pl.Expr:
    return lit(evidence, dtype=pl.Categorical)
