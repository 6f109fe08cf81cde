"""Where each definition loses its episodes, step by step, down to the resistant ones.

In: the matrix of verdicts. Out: `count_attrition` gives integer counts that may be
added up over buckets; `compare_attrition` adds what each step lost.

    episodes            every episode of the definition's disorders
    eligible            the definition speaks about it
    treated             at least one trial that counts
    adequately_treated  at least one adequate trial
    failed_a_trial      at least one surely failed adequate trial
    resistant_possible  resistant, or could be if every unknown counted
    resistant           resistant

Each step is taken among the episodes the step before it left. Each episode drops out at the first criterion it is
not shown to meet, which is not always one that it fails: an undetermined episode without an observed trial (because
no table observes the treatment, say) is lost at `treated`, one whose trials have no known outcome at
`failed_a_trial`. So `resistant_possible` holds only undetermined episodes with an observed failure, and is not
the upper bound; that is `bound_high` of the prevalence table. A resistant episode is lost at no step, so its count
is the prevalence table's. A definition that asks only that treatments were given has no rows `adequately_treated`
and `failed_a_trial`: it does not look whether a trial was adequate or failed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from impasse.schemas.definition import Definition
from impasse.schemas.failures import asks_failure
from impasse.schemas.tables import ATTRITION_STEPS, KEYS, Attrition
from impasse.transforms.compare.verdict_matrix import (
    HAS_FAILED_TRIAL,
    IS_ADEQUATELY_TREATED,
    IS_TREATED,
    N_CODES,
    NOT_ELIGIBLE,
    RESISTANT,
    UNDETERMINED,
    VERDICT_OF,
    VerdictMatrix,
    histogram,
)

_PASSES = {
    "episodes": np.ones(N_CODES, dtype=bool),
    "eligible": VERDICT_OF != NOT_ELIGIBLE,
    "treated": IS_TREATED,
    "adequately_treated": IS_ADEQUATELY_TREATED,
    "failed_a_trial": HAS_FAILED_TRIAL,
    "resistant_possible": (VERDICT_OF == UNDETERMINED) | (VERDICT_OF == RESISTANT),
    "resistant": VERDICT_OF == RESISTANT,
}
_OF_FAILURES = ("adequately_treated", "failed_a_trial")


def count_attrition(matrix: VerdictMatrix) -> pl.DataFrame:
    """Episodes left after each step, a row for every definition and step; additive over buckets."""
    rows = [
        (definition.id, 1 + ATTRITION_STEPS.index(step), step, n_left)
        for i, definition in enumerate(matrix.definitions)
        for step, n_left in _left(definition, histogram(matrix.codes[:, i]))
    ]
    schema = {"definition_id": pl.String, "step_number": pl.Int64, "step": pl.String, "n_left": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _left(definition: Definition, codes: np.ndarray) -> Iterator[tuple[str, int]]:
    """The steps that the definition asks, with the episodes left after each."""
    asked = asks_failure(definition.resistance)
    steps = [step for step in ATTRITION_STEPS if asked or step not in _OF_FAILURES]
    is_left = np.logical_and.accumulate([_PASSES[step] for step in steps])
    yield from zip(steps, (is_left @ codes).tolist(), strict=True)


def compare_attrition(counts: pl.DataFrame) -> pl.DataFrame:
    """The published table: episodes left after each step, and lost by it (none by the first)."""
    summed = counts.group_by(*KEYS["attrition"], "step").agg(pl.col("n_left").sum()).sort(KEYS["attrition"])
    before = pl.col("n_left").shift().over("definition_id", order_by="step_number")
    return summed.with_columns(
        n_lost=before.fill_null(pl.col("n_left")) - pl.col("n_left"), suppressed=pl.lit(False)
    ).select(*Attrition.to_schema().columns)
