"""How ill somebody was when a trial began and when it ended: bands of the scores that tell its outcome.

The first scale in the order of the list that is one of the disorder, has bands and has an outcome score tells. A scale
may have other bands for persons with a diagnosis (the PDSS with agoraphobia), recorded by the episode's end.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

import polars as pl
from polars import col, lit, when

from impasse.schemas.values import BELOW_BANDS
from impasse.transforms.history.scores import Windows, score

_WORD = pl.Categorical


def diagnosis_of(codes: str) -> str:
    """The column of whether a person was diagnosed with a code of the list by the episode's end."""
    return f"diagnosed with {codes}"


def is_of_scale(scale: dict[str, Any]) -> pl.Expr:
    """Is the scale one of the trial's disorder?"""
    return reduce(or_, (col("disorder") == name for name in scale["disorders"]), lit(False))


def severity(given: Windows, scales: Sequence[dict[str, Any]]) -> dict[str, pl.Expr]:
    """The bands of the baseline and of the outcome score, and the scale; null where there is none."""
    found: dict[str, Any] = dict.fromkeys(("baseline_severity", "outcome_severity", "severity_scale"), pl)
    for scale in scales:
        if scale["severity_bands"]:
            value, baseline = (score(given, scale["scale"], name) for name in ("value", "baseline"))
            tells = is_of_scale(scale) & value.is_not_null()
            answers = (_band(scale, baseline), _band(scale, value), lit(scale["scale"], dtype=_WORD))
            found = {name: found[name].when(tells).then(answer) for name, answer in zip(found, answers, strict=True)}
    return {name: chain.when(False).then(lit(None, dtype=_WORD)) for name, chain in found.items()}


def _band(scale: dict[str, Any], value: pl.Expr) -> pl.Expr:
    """The band of a score."""
    plain = _named(scale["severity_bands"], value)
    if scale["bands_with"] is None:
        return plain
    return when(diagnosis_of(scale["bands_with"])).then(_named(scale["severity_bands_with"], value)).otherwise(plain)


def _named(bands: Sequence[str], value: pl.Expr) -> pl.Expr:
    """The highest of some bands that a score reaches, null for no score."""
    named: Any = pl
    for band in reversed(bands):
        name, _, edge = band.partition(":")
        named = named.when(value >= float(edge)).then(lit(name, dtype=_WORD))
    return named.when(value.is_not_null()).then(lit(BELOW_BANDS, dtype=_WORD))
