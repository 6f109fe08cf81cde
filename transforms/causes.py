"""Pseudo-resistance: what else may explain that treatment seems to have failed.

A cause is diagnosed (an illness, or not taking the drugs, from code lists) or lies in the trials
themselves (too little, too short, too irregular). Diagnosed causes belong to the episode; those of the
trials depend on what a definition calls adequate.
"""

from __future__ import annotations

import polars as pl

from schemas.codelists import CodeLists
from transforms.encode import Coded

_OF_TRIALS = {
    "inadequate_dose": ("underdosed",),
    "poor_adherence": ("low_adherence",),
    "short_duration": ("too_short", "too_few_sessions"),
}


def find_causes(episodes: pl.DataFrame, coded: Coded, codes: CodeLists) -> pl.DataFrame:
    """One row per episode, in order: `diagnosed`, the causes the person was diagnosed with by its end, as words."""
    known = codes.causes.select("disorder", "list", "cause")
    spans = episodes.select("episode", "person", "disorder", "end").join(known, on="disorder")
    rows = spans.join(coded.listed.select("person", "day", "list"), on=["person", "list"])
    in_time = rows.filter(pl.col("day") <= pl.col("end")).group_by("episode").agg(pl.col("cause").unique().sort())
    found = in_time.select("episode", diagnosed=pl.col("cause").list.join(" "))
    joined = episodes.select("episode").join(found, on="episode", how="left", maintain_order="left")
    return joined.with_columns(pl.col("diagnosed").fill_null(""))


def has_cause() -> pl.Expr:
    """Was the person diagnosed with some cause of pseudo-resistance?"""
    return pl.col("diagnosed") != ""


def judge_causes(verdicts: pl.DataFrame) -> pl.DataFrame:
    """The rows in their order, with pseudo_resistance and causes.

    Needs `diagnosed` and, for each cause that lies in the trials, whether a counted trial shows it. The words are
    put together once for each of the few combinations that occur.
    """
    combinations = verdicts.select("diagnosed", *_OF_TRIALS).unique()
    words = [
        " ".join(
            sorted(
                [*diagnosed.split(), *(cause for cause, is_shown in zip(_OF_TRIALS, shown, strict=True) if is_shown)]
            )
        )
        for diagnosed, *shown in combinations.iter_rows()
    ]
    named = combinations.with_columns(causes=pl.Series(words, dtype=pl.String))
    seen = pl.when(has_cause()).then(pl.lit("likely"))
    return verdicts.join(named, on=["diagnosed", *_OF_TRIALS], how="left", maintain_order="left").with_columns(
        pseudo_resistance=seen.when(pl.col("causes") != "").then(pl.lit("possible")).otherwise(pl.lit("none"))
    )


def causes_of_trials(is_meant: pl.Expr) -> list[pl.Expr]:
    """Per episode, one column for each cause that lies in the trials: does one of those meant show it?"""
    reason = pl.col("adequacy_reason")
    return [(is_meant & reason.is_in(reasons)).any().alias(cause) for cause, reasons in _OF_TRIALS.items()]
