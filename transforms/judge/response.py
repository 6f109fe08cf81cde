"""Trials -> the state each ended in: recovery, remission, insufficient, lost or partial response, none, worse, unknown.

By the published rules of the scales of the episode's disorder, whatever a definition calls failure. The first scale in
the order of the list that can tell decides; a screening tool cannot prove remission. A recovery is a remission that was
held: the last scores on treatment are at or under the cut-off for half a year. Worse is a rise above the baseline by a
share or a number of points.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import polars as pl
from polars import coalesce, col, lit, when

from impasse.schemas.rounded_tables import RESPONSES
from impasse.schemas.values import RECOVERY_DAYS
from impasse.transforms.history.scores import Windows, score
from impasse.transforms.history.severity import is_of_scale, severity

_STATE = pl.Enum(RESPONSES)
RECOVERY, REMISSION, INSUFFICIENT, WORSE, LOST, PARTIAL, NO_RESPONSE, CANNOT_TELL = (
    lit(name, dtype=_STATE) for name in RESPONSES
)
_OPEN = lit(None, dtype=_STATE)


Told = tuple[dict[str, pl.Expr], dict[str, pl.Expr]]


def response(given: Windows, scales: Sequence[dict[str, Any]]) -> Told:
    """The state by each scale, and told from those the response and the scale that told it (null if none).

    `scales` are rows of the list, in its order. Equal questions, of other trial rules or parts, are written down once.
    """
    return _response(
        given, tuple(tuple((k, tuple(v) if isinstance(v, list) else v) for k, v in s.items()) for s in scales)
    )


@lru_cache(maxsize=256)
def _response(given: Windows, listed: tuple[tuple[tuple[str, Any], ...], ...]) -> Told:
    scales = [dict(scale) for scale in listed]
    columns = {scale["scale"]: f"state by {scale['scale']}" for scale in scales}
    states = {columns[scale["scale"]]: _state(given, scale) for scale in scales}
    told_by = pl
    for name, state in columns.items():
        told_by = told_by.when(col(state).is_not_null()).then(lit(name, dtype=pl.Categorical))
    return states, {
        "response": coalesce(*map(col, states), CANNOT_TELL),
        "response_scale": told_by.when(False).then(lit(None, dtype=pl.Categorical)),
        **severity(given, scales),
    }


def _state(given: Windows, scale: dict[str, Any]) -> pl.Expr:
    """The state by one scale; null where it is not one of the disorder, or cannot tell."""
    names = ("value", "lowest", "baseline", "room", "held")
    value, lowest, baseline, room, held = (score(given, scale["scale"], name) for name in names)
    fall, cannot_prove = baseline - value, scale["remission_max"] is None
    responded, can_compare = _has_responded(scale, value, fall, baseline, room)
    remitted = lit(False) if cannot_prove else value <= scale["remission_max"]
    had_responded, _ = _has_responded(scale, lowest, baseline - lowest, baseline, room)
    had_remitted = lit(False) if cannot_prove or scale["is_screening_tool"] else lowest <= scale["remission_max"]
    partial = scale["partial_fall_percent"]
    is_partial = lit(False) if partial is None else fall * 100 >= partial * room
    is_worse = _is_worse(scale, value, -fall, room)
    return when(is_of_scale(scale)).then(
        when(lit(not scale["is_screening_tool"]) & remitted & (held >= RECOVERY_DAYS)).then(RECOVERY)
        .when(remitted).then(_OPEN if scale["is_screening_tool"] else REMISSION)
        .when(can_compare & responded).then(_OPEN if cannot_prove else INSUFFICIENT)
        .when(can_compare & is_worse).then(WORSE)
        .when(can_compare & (had_remitted | had_responded)).then(LOST)
        .when(can_compare & is_partial).then(PARTIAL)
        .when(can_compare).then(NO_RESPONSE)
    )  # fmt: skip


def _is_worse(scale: dict[str, Any], value: pl.Expr, rise: pl.Expr, room: pl.Expr) -> pl.Expr:
    """Is the score worse than the baseline by so much as the scale's rule says?"""
    if scale["worse_rise_percent"] is not None:
        return rise * 100 >= scale["worse_rise_percent"] * room
    if scale["worse_rise_points"] is not None:
        return rise >= scale["worse_rise_points"]
    return lit(False) if scale["worse_min"] is None else value >= scale["worse_min"]


def _has_responded(
    scale: dict[str, Any], value: pl.Expr, fall: pl.Expr, baseline: pl.Expr, room: pl.Expr
) -> tuple[pl.Expr, pl.Expr]:
    """Is it a response by the scale's own rule (a fall, or the score itself), and can that be told?"""
    if scale["response_fall_percent"] is not None:
        return fall * 100 >= scale["response_fall_percent"] * room, room > 0
    if scale["response_fall_points"] is not None:
        return fall >= scale["response_fall_points"], baseline.is_not_null()
    if scale["response_max"] is not None:
        return value <= scale["response_max"], value.is_not_null()
    return lit(False), lit(False)
