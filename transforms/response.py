"""Trials -> the state each ended in: remission, insufficient or partial response, none, or one that cannot be told.

By the published rules of the scales of the episode's disorder, whatever a definition calls failure. The
first scale in the order of the list that can tell decides; a screening tool cannot prove remission.
"""

from __future__ import annotations

import polars as pl

from transforms.measurement import Measured


def judge_response(measured: Measured) -> pl.DataFrame:
    """One row per trial, in order: response and response_scale."""
    scales = measured.signs.scales.iter_rows(named=True)
    told = [_told_by(measured, scale) for scale in scales if scale["scale"] in measured.scales]
    table = measured.trials.select("trial")
    for place, states in enumerate(told):
        named = states.rename({"state": f"state_{place}", "scale": f"scale_{place}"})
        table = table.join(named, on="trial", how="left", maintain_order="left")
    states = [pl.col(f"state_{place}") for place in range(len(told))]
    scales = [pl.col(f"scale_{place}") for place in range(len(told))]
    known = table.with_columns(
        response=pl.coalesce(*states, pl.lit("cannot_tell")),
        response_scale=pl.coalesce(*scales, pl.lit(None, pl.String)),
    )
    return known.select("response", "response_scale")


def _told_by(measured: Measured, scale: dict) -> pl.DataFrame:
    """trial, state, scale: of the trials whose outcome the scale can tell."""
    ill = measured.by(scale["scale"]).filter(pl.col("disorder").is_in(scale["disorders"]))
    states = ill.select("trial", state=_state(scale), scale=pl.lit(scale["scale"]))
    return states.filter(pl.col("state").is_not_null())


def _state(scale: dict) -> pl.Expr:
    is_remitted = _under(scale["remission_max"])
    says_remission = pl.lit(None if scale["is_screening_tool"] else "remission", pl.String)
    responded = _has_responded(scale)
    fall, room = pl.col("baseline") - pl.col("value"), pl.col("room")
    partial = scale["partial_fall_percent"]
    is_partial = pl.lit(False) if partial is None else fall * 100 >= partial * room
    return (
        pl.when(is_remitted.fill_null(False))
        .then(says_remission)
        .when(responded)
        .then(pl.when(is_remitted.is_not_null()).then(pl.lit("insufficient")))
        .when(~responded)
        .then(pl.when(is_partial.fill_null(False)).then(pl.lit("partial")).otherwise(pl.lit("no_response")))
    )


def _has_responded(scale: dict) -> pl.Expr:
    """Is it a response by the scale's own rule: a fall in percent, in points, or the score itself?"""
    fall, room = pl.col("baseline") - pl.col("value"), pl.col("room")
    if scale["response_fall_percent"] is not None:
        return pl.when(room > 0).then(fall * 100 >= scale["response_fall_percent"] * room)
    if scale["response_fall_points"] is not None:
        return fall >= scale["response_fall_points"]
    return _under(scale["response_max"])


def _under(limit: float | None) -> pl.Expr:
    return pl.lit(None, pl.Boolean) if limit is None else pl.col("value") <= limit
