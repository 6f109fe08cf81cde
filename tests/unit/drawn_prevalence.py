"""Prevalences of one definition drawn by their counts, and which of their rows disclosure control shows."""

from __future__ import annotations

import polars as pl

from impasse.transforms.compare.prevalence import build_prevalence
from tests.tables import table


def prevalence(drawn: str) -> pl.DataFrame:
    """Published prevalences of definition `d` from drawn counts."""
    return build_prevalence(
        table(drawn).with_columns(pl.lit("d").alias("definition_id"), pl.col("level").cast(pl.String))
    )


def shown(protected: pl.DataFrame, denominator: str = "eligible") -> dict[str, bool]:
    """Whether each level of the denominator is shown."""
    rows = protected.filter(pl.col("denominator_id") == denominator)
    return dict(zip(rows["level"], ~rows["suppressed"], strict=True))
