"""Drawn episodes and verdicts for the tests of what is counted after classification.

A column that a test does not draw gets an ordinary value, the same in every row.
"""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import polars as pl

from tests.tables import table

_EPISODE = {
    "person_id": pl.col("episode_id"),
    "disorder": pl.lit("depression"),
    "number": pl.lit(1, dtype=pl.UInt32),
    "start_date": pl.lit(date(2015, 6, 1)),
    "sex": pl.lit("female"),
    "age": pl.lit(40, dtype=pl.Int32),
}
_VERDICT = {
    "definition_id": pl.lit("two_failed"),
    "n_trials": pl.lit(1, dtype=pl.Int32),
    "n_adequate": pl.lit(1, dtype=pl.Int32),
    "n_failed_min": pl.lit(1, dtype=pl.Int32),
    "score_min": pl.lit(None, dtype=pl.Float64),
}


def episodes(drawn: str) -> pl.DataFrame:
    """Episodes as drawn; each of its own person unless `person_id` is drawn."""
    return _completed(table(drawn), _EPISODE)


def classifications(drawn: str) -> pl.DataFrame:
    """Classifications as drawn; of the definition `two_failed` and with one failed adequate trial unless drawn."""
    return _completed(table(drawn), _VERDICT)


def classifications_by(drawn: str) -> pl.DataFrame:
    """Classifications drawn with one column per definition: R, N, U, or X for not eligible."""
    words = {"R": "resistant", "N": "not_resistant", "U": "undetermined", "X": "not_eligible"}
    long = table(drawn).unpivot(index="episode_id", variable_name="definition_id", value_name="verdict")
    return _completed(long.with_columns(pl.col("verdict").replace_strict(words)), _VERDICT)


def definitions(**disorders: str) -> list[SimpleNamespace]:
    """Definitions by id with the disorders they speak about, separated by spaces."""
    return [
        SimpleNamespace(id=name, eligible=SimpleNamespace(disorders=tuple(spoken.split())))
        for name, spoken in disorders.items()
    ]


def _completed(drawn: pl.DataFrame, ordinary: dict[str, pl.Expr]) -> pl.DataFrame:
    return drawn.with_columns(value.alias(name) for name, value in ordinary.items() if name not in drawn.columns)
