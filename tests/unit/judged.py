"""Drawn episodes and verdicts for the tests of what is counted after classification.

A column that a test does not draw gets an ordinary value, the same in every row.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from types import SimpleNamespace
from typing import Literal

import numpy as np
import polars as pl

from impasse.schemas.definition import DISORDERS, Definition
from impasse.schemas.resistance import Alternative, Count, Counted
from impasse.schemas.tables import VERDICTS
from impasse.transforms.compare.verdict_matrix import NOT_SPOKEN_OF, VerdictMatrix, code_of
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


def definitions(*, what: Literal["failed", "given"] = "failed", **disorders: str) -> list[SimpleNamespace]:
    """Definitions by id with the disorders they speak about, separated by spaces, and what they count."""
    count = Count(n=2, of=("antidepressants",), what=what, distinct_by="none", timing="any")
    rule = Counted(kind="count", any_of=(Alternative(name="two", within="episode", all_of=(count,)),))
    return [
        SimpleNamespace(id=name, eligible=SimpleNamespace(disorders=tuple(spoken.split())), resistance=rule)
        for name, spoken in disorders.items()
    ]


def _completed(drawn: pl.DataFrame, ordinary: dict[str, pl.Expr]) -> pl.DataFrame:
    return drawn.with_columns(value.alias(name) for name, value in ordinary.items() if name not in drawn.columns)


def verdict_matrix(
    episodes: pl.DataFrame, classifications: pl.DataFrame, definitions: Sequence[Definition]
) -> VerdictMatrix:
    """The matrix of drawn rows, in the order of `episodes`."""
    ordered = tuple(sorted(definitions, key=lambda d: d.id))
    ids = [definition.id for definition in ordered]
    found = (
        classifications.select(
            pl.col("episode_id").cast(pl.String),
            pl.col("definition_id").cast(pl.String).replace_strict(ids, range(len(ids)), default=None).alias("column"),
            pl.col("verdict").cast(pl.Enum(VERDICTS)),
            "n_failed_min", "n_adequate", "n_trials",
        )
        .drop_nulls("column")
        .join(episodes.select(pl.col("episode_id").cast(pl.String)).with_row_index("row"), on="episode_id")
    )  # fmt: skip
    codes = np.full((episodes.height, len(ids)), NOT_SPOKEN_OF, dtype=np.int8)
    codes[found["row"].to_numpy(), found["column"].to_numpy()] = code_of(found)
    codes[~_speaks(episodes, ordered)] = NOT_SPOKEN_OF
    return VerdictMatrix(episodes, ordered, codes)


def _speaks(episodes: pl.DataFrame, definitions: Sequence[Definition]) -> np.ndarray:
    """Episodes by definitions: whether the definition speaks about the episode's disorder."""
    by_disorder = np.array([[name in d.eligible.disorders for d in definitions] for name in DISORDERS], dtype=bool)
    disorder = episodes["disorder"].cast(pl.String).replace_strict(DISORDERS, range(len(DISORDERS)))
    return by_disorder.reshape(len(DISORDERS), len(definitions))[disorder.to_numpy()]
