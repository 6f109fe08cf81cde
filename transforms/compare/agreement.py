"""How far the definitions agree: every pair of them, and all at once, by disorder.

In: the matrix of verdicts. Out: `count_agreement` gives two integer tables that may
be added up over buckets; `compare_pairs` and `compare_overall` turn them into the published tables.

Only definitions that speak about a disorder are compared on it, and only disorders that occur in the run. A pair
is compared on the episodes both find eligible; undetermined episodes are counted and kept out of the 2x2 cells.
Pairs are counted without pairing rows: per disorder the verdicts become one matrix, episodes by definitions, and
the cells of all pairs are products of its 0/1 indicators.

Coefficients of a pair, null where undefined: kappa (Cohen 1960, from the cells), AC1 (Gwet 2008), PABAK (Byrt
1993), Jaccard, positive and negative agreement (Cicchetti & Feinstein 1990). The interval of the difference is
Newcombe's method 10 for paired proportions (see intervals.py).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from impasse.schemas.tables import KEYS, Agreement, AgreementOverall
from impasse.transforms.compare.coefficients import fleiss_kappa, krippendorff_alpha
from impasse.transforms.compare.intervals import newcombe, share
from impasse.transforms.compare.verdict_matrix import (
    NOT_ELIGIBLE,
    NOT_RESISTANT,
    NOT_SPOKEN_OF,
    RESISTANT,
    UNDETERMINED,
    VERDICT_OF,
    VerdictMatrix,
)

_ROWS_AT_ONCE = 100_000
_CELLS = ("n_both_resistant", "n_only_a", "n_only_b", "n_neither")
_PAIR_COUNTS = {
    "disorder": pl.String,
    "definition_a": pl.String,
    "definition_b": pl.String,
    "n_common": pl.Int64,
    **dict.fromkeys(_CELLS, pl.Int64),
}
_VOTE_COUNTS = {
    "disorder": pl.String,
    "n_definitions": pl.Int64,
    "n_decided": pl.Int64,
    "n_resistant": pl.Int64,
    "n_episodes": pl.Int64,
}


def count_agreement(matrix: VerdictMatrix) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Two tables, both additive over buckets of persons: the cells of every pair, and the votes of all.

    Votes: per disorder how many episodes were decided by `n_decided` of its definitions, `n_resistant` of them
    saying resistant.
    """
    pairs, votes = [pl.DataFrame(schema=_PAIR_COUNTS)], [pl.DataFrame(schema=_VOTE_COUNTS)]
    for disorder, ids, verdicts in _by_disorder(matrix):
        pairs.append(_count_pairs(disorder, ids, verdicts))
        votes.append(_count_votes(disorder, verdicts))
    return pl.concat(pairs), pl.concat(votes)


def compare_pairs(pairs: pl.DataFrame) -> pl.DataFrame:
    """The published table of pairs from the pair counts of one or more buckets."""
    key = KEYS["agreement"]
    summed = pairs.group_by(key).agg(pl.col("n_common", *_CELLS).sum()).sort(key)
    low, high = newcombe(*(summed[cell] for cell in _CELLS))
    a, b, c, d = (pl.col(cell) for cell in _CELLS)
    n, agreed = a + b + c + d, a + d
    # 2x2 forms in integers, so that nothing is rounded before the one division
    kappa = share(2 * (a * d - b * c), (a + b) * (b + d) + (a + c) * (c + d))
    p = share(2 * a + b + c, 2 * n)
    chance = 2 * p * (1 - p)
    return summed.with_columns(
        n_undetermined=pl.col("n_common") - n,
        difference=share(b - c, n),
        difference_ci_low=low,
        difference_ci_high=high,
        kappa=kappa,
        ac1=(share(agreed, n) - chance) / (1 - chance),
        pabak=share(2 * agreed - n, n),
        jaccard=share(a, a + b + c),
        positive_agreement=share(2 * a, 2 * a + b + c),
        negative_agreement=share(2 * d, 2 * d + b + c),
        suppressed=pl.lit(False),
    ).select(*Agreement.to_schema().columns)


def compare_overall(votes: pl.DataFrame) -> pl.DataFrame:
    """The published table of all definitions at once, from the vote counts.

    `n_compared` are the episodes at least two definitions decide; they alone enter Krippendorff's alpha.
    """
    key = ("disorder", "n_definitions", "n_decided", "n_resistant")
    summed = votes.group_by(key).agg(pl.col("n_episodes").sum()).sort(key)
    groups = summed.partition_by("disorder", maintain_order=True)
    rows = pl.DataFrame([_overall(group) for group in groups], schema=_overall_schema(), orient="row")
    columns = AgreementOverall.to_schema().columns
    return rows.with_columns(suppressed=pl.lit(False)).select(*columns).sort("disorder")


def _by_disorder(matrix: VerdictMatrix) -> Iterator[tuple[str, list[str], np.ndarray]]:
    """Per disorder of the run: the ids of its definitions and their verdicts, episodes by definitions."""
    disorders = matrix.episodes["disorder"].cast(pl.String)
    for disorder in disorders.unique().sort():
        rows = (disorders == disorder).to_numpy()
        speaking = [n for n, d in enumerate(matrix.definitions) if disorder in d.eligible.disorders]
        if speaking:
            codes = matrix.codes[np.ix_(rows, speaking)]
            verdicts = np.where(codes == NOT_SPOKEN_OF, np.int8(NOT_ELIGIBLE), VERDICT_OF[codes])
            yield disorder, [matrix.ids[n] for n in speaking], verdicts


def _count_pairs(disorder: str, ids: list[str], verdicts: np.ndarray) -> pl.DataFrame:
    first, second = np.triu_indices(len(ids), k=1)
    together = _together(verdicts)
    cells = {name: matrix[first, second] for name, matrix in together.items()}
    names = np.array(ids, dtype=object)
    columns = {"definition_a": names[first], "definition_b": names[second], **cells}
    return pl.DataFrame({"disorder": [disorder] * len(first), **columns}, schema=_PAIR_COUNTS)


def _together(verdicts: np.ndarray) -> dict[str, np.ndarray]:
    """For every pair of columns the number of rows in each cell.

    Products of blocks of rows in floating point: whole numbers this small are exact, and far faster than integers.
    """
    n = verdicts.shape[1]
    counts = {name: np.zeros((n, n), dtype=np.int64) for name in ("n_common", *_CELLS)}
    for start in range(0, len(verdicts), _ROWS_AT_ONCE):
        block = verdicts[start : start + _ROWS_AT_ONCE]
        yes, no, open_ = ((block == verdict).astype(np.float64) for verdict in (RESISTANT, NOT_RESISTANT, UNDETERMINED))
        common = yes + no + open_
        counts["n_common"] += (common.T @ common).astype(np.int64)
        counts["n_both_resistant"] += (yes.T @ yes).astype(np.int64)
        counts["n_only_a"] += (yes.T @ no).astype(np.int64)
        counts["n_only_b"] += (no.T @ yes).astype(np.int64)
        counts["n_neither"] += (no.T @ no).astype(np.int64)
    return counts


def _count_votes(disorder: str, verdicts: np.ndarray) -> pl.DataFrame:
    resistant = (verdicts == RESISTANT).sum(axis=1)
    decided = resistant + (verdicts == NOT_RESISTANT).sum(axis=1)
    votes = pl.DataFrame({"n_decided": decided, "n_resistant": resistant})
    return (
        votes.group_by("n_decided", "n_resistant")
        .agg(n_episodes=pl.len())
        .with_columns(disorder=pl.lit(disorder), n_definitions=pl.lit(verdicts.shape[1]))
        .select(pl.col(name).cast(dtype) for name, dtype in _VOTE_COUNTS.items())
        .sort("n_decided", "n_resistant")
    )


def _overall_schema() -> dict[str, pl.DataType]:
    counts = ("n_definitions", "n_episodes", "n_compared", "n_decided_by_all")
    return {
        "disorder": pl.String(),
        **dict.fromkeys(counts, pl.Int64()),
        **dict.fromkeys(("fleiss_kappa", "krippendorff_alpha"), pl.Float64()),
    }


def _overall(votes: pl.DataFrame) -> tuple[str, int, int, int, int, float | None, float | None]:
    disorder, n_definitions, n_episodes = (
        votes["disorder"][0],
        votes["n_definitions"][0],
        int(votes["n_episodes"].sum()),
    )
    compared = _votes_per_episode(votes.filter(pl.col("n_decided") >= 2))
    complete = _votes_per_episode(votes.filter(pl.col("n_decided") == n_definitions, pl.col("n_decided") >= 2))
    fleiss, alpha = fleiss_kappa(complete).value, krippendorff_alpha(compared).value
    return disorder, n_definitions, n_episodes, len(compared), len(complete), fleiss, alpha


def _votes_per_episode(votes: pl.DataFrame) -> np.ndarray:
    resistant, decided = votes["n_resistant"].to_numpy(), votes["n_decided"].to_numpy()
    return np.repeat(np.column_stack([resistant, decided - resistant]), votes["n_episodes"].to_numpy(), axis=0)
