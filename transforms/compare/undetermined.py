"""Why verdicts cannot be told: of each definition the undetermined episodes by what left them open.

In: verdicts with what decided them, and whether an episode was seen from its true start. Out: integer counts by
definition and reason that may be added up over buckets. A block of the definition is a reason; what was not followed up
was not seen from its start, or to its end. A reason without an episode has a row with zero.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from impasse.schemas.rounded_tables import UNDETERMINED_REASONS, Undetermined
from impasse.schemas.tables import KEYS

_KEY = KEYS["undetermined"]


def count_undetermined(
    classifications: pl.DataFrame, episodes: pl.DataFrame, definition_ids: Sequence[str]
) -> pl.DataFrame:
    """A row for every definition and reason: n of n_of undetermined episodes."""
    left_open = classifications.filter(pl.col("verdict") == "undetermined").select(
        pl.col("definition_id").cast(pl.String), "episode_id", pl.col("decided_by").cast(pl.String)
    )
    seen = episodes.select("episode_id", "is_left_truncated")
    reason = (
        pl.when(pl.col("decided_by") != "follow_up")
        .then("decided_by")
        .when("is_left_truncated")
        .then(pl.lit("start_not_seen"))
        .otherwise(pl.lit("end_not_seen"))
    )
    found = left_open.join(seen, on="episode_id").group_by("definition_id", reason=reason).agg(n=pl.len())
    ids = pl.DataFrame({"definition_id": pl.Series(definition_ids, dtype=pl.String)})
    grid = ids.join(pl.DataFrame({"reason": UNDETERMINED_REASONS}), how="cross")
    counts = grid.join(found, on=_KEY, how="left").with_columns(pl.col("n").fill_null(0).cast(pl.Int64))
    return counts.with_columns(n_of=pl.col("n").sum().over("definition_id")).sort(_KEY)


def sum_undetermined(counts: pl.DataFrame) -> pl.DataFrame:
    """The counts of one or more buckets as one table."""
    summed = counts.group_by(_KEY).agg(pl.col("n", "n_of").sum()).sort(_KEY)
    return summed.with_columns(suppressed=pl.lit(False)).select(*Undetermined.to_schema().columns)
