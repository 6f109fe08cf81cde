"""The verdicts of a bucket as one matrix of small numbers, episodes by definitions, for everything that counts them.

In: `episodes`, `classifications` and the definitions. Out: the definitions' ids and an int8 matrix with a row per
episode, in the order of `episodes`, and a column per id. Counting all definitions is then a matter of histograms
and products of columns; joining and grouping tens of millions of rows of text for each count is not.

A code holds the verdict and how far the episode was seen to come: `verdict * 8 + failed * 4 + adequate * 2 +
treated`. It is `NOT_SPOKEN_OF` where the definition does not speak about the episode's disorder. The arrays
below say what each code means: `hist @ IS_TREATED` counts the treated in a histogram of codes. A resistant
episode has come all the way: where a definition asks only that treatments were given, no trial of it need
be adequate or have failed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from schemas.definition import DISORDERS, Definition

NOT_SPOKEN_OF = -1
N_CODES = 32
NOT_ELIGIBLE, NOT_RESISTANT, UNDETERMINED, RESISTANT = range(4)
_VERDICTS = ("not_eligible", "not_resistant", "undetermined", "resistant")

VERDICT_OF = np.arange(N_CODES, dtype=np.int8) // 8
_IS_RESISTANT = VERDICT_OF == RESISTANT
IS_TREATED = (np.arange(N_CODES) % 2 == 1) | _IS_RESISTANT
IS_ADEQUATELY_TREATED = (np.arange(N_CODES) // 2 % 2 == 1) | _IS_RESISTANT
HAS_FAILED_TRIAL = (np.arange(N_CODES) // 4 % 2 == 1) | _IS_RESISTANT

_code = (
    pl.col("verdict").replace_strict(_VERDICTS, range(4), return_dtype=pl.Int8) * 8
    + (pl.col("n_failed_min") >= 1).cast(pl.Int8) * 4
    + (pl.col("n_adequate") >= 1).cast(pl.Int8) * 2
    + (pl.col("n_trials") >= 1).cast(pl.Int8)
)


def verdict_matrix(
    episodes: pl.DataFrame, classifications: pl.DataFrame, definitions: Sequence[Definition]
) -> tuple[list[str], np.ndarray]:
    """The ids of the definitions, sorted, and the code of every episode under each."""
    ids = sorted(d.id for d in definitions)
    found = (
        classifications.lazy()
        .select("episode_id", _column_of(ids), _code.alias("code"))
        .join(episodes.lazy().select("episode_id").with_row_index("row"), on="episode_id")
        .select("row", "column", "code")
        .drop_nulls("column")
        .collect()
    )
    codes = np.full((episodes.height, len(ids)), NOT_SPOKEN_OF, dtype=np.int8)
    codes[found["row"].to_numpy(), found["column"].to_numpy()] = found["code"].to_numpy()
    codes[~_speaks(episodes, definitions)] = NOT_SPOKEN_OF
    return ids, codes


def histogram(codes: np.ndarray) -> np.ndarray:
    """How many episodes have each code, of those the definition speaks about."""
    return np.bincount(codes[codes != NOT_SPOKEN_OF], minlength=N_CODES)


def _column_of(ids: list[str]) -> pl.Expr:
    return pl.col("definition_id").cast(pl.Enum(ids), strict=False).to_physical().alias("column")


def _speaks(episodes: pl.DataFrame, definitions: Sequence[Definition]) -> np.ndarray:
    """Episodes by definitions: whether the definition speaks about the episode's disorder."""
    ordered = sorted(definitions, key=lambda d: d.id)
    by_disorder = np.array([[name in d.eligible.disorders for d in ordered] for name in DISORDERS], dtype=bool)
    disorder = episodes["disorder"].replace_strict(DISORDERS, range(len(DISORDERS)), return_dtype=pl.Int8)
    return by_disorder.reshape(len(DISORDERS), len(ordered))[disorder.to_numpy()]
