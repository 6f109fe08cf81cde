"""Small frames of what is about to be released, one for each question that Great Expectations asks of it.

In: released tables as they will be published, and the rows of `classifications`. Out: frames by the names that
`schemas/expectations.py` gives them.
"""

from __future__ import annotations

import polars as pl

from impasse.schemas.expectations import DIFFERENCES, ROUNDED, counts_frame, rounding_frame
from impasse.schemas.tables import KEYS

_NOT_PERSONS = ("n_definitions", "n_variants")
_COUNTS = ("n_total", "n_resistant", "n_undetermined")
_ROW = KEYS["prevalence"]
_WITHIN = (
    ("episodes", "eligible"),
    ("episodes", "treated"),
    ("episodes", "adequately_treated"),
    ("eligible", "treated"),
    ("eligible", "adequately_treated"),
    ("eligible", "persons"),
    ("treated", "adequately_treated"),
)

Frames = dict[str, pl.DataFrame]


def release_frames(tables: Frames, threshold: int) -> Frames:
    """Released tables, their counts in one column each, and what follows from them."""
    counts = {counts_frame(name): _counts(table) for name, table in tables.items() if "suppressed" in table.columns}
    frames = tables | counts
    frames |= {rounding_frame(name): _beyond(tables[name], threshold) for name in ROUNDED if name in tables}
    if "prevalence" in tables:
        frames[DIFFERENCES] = _differences(tables["prevalence"])
        frames["prevalence_shown"] = tables["prevalence"].drop_nulls(["prevalence", "bound_low", "bound_high"])
    if "reconciliation" in tables:
        frames["reconciliation"] = tables["reconciliation"].with_columns(
            n_accepted_and_quarantined=pl.col("n_accepted") + pl.col("n_quarantined")
        )
    return frames


def _counts(table: pl.DataFrame) -> pl.DataFrame:
    """Every count of persons or episodes in one column."""
    counts = [
        c for c, kind in table.schema.items() if c.startswith("n_") and kind.is_integer() and c not in _NOT_PERSONS
    ]
    shown = [table.select(pl.col(column).cast(pl.Int64).alias("n")).drop_nulls() for column in counts]
    return pl.concat([pl.DataFrame(schema={"n": pl.Int64}), *shown])


def _differences(prevalence: pl.DataFrame) -> pl.DataFrame:
    """How far every shown row is from each row nested in it: in all and of each verdict."""
    other = pl.col("n_total") - pl.col("n_resistant") - pl.col("n_undetermined")
    shown = prevalence.filter(~pl.col("suppressed")).select(*_ROW, *_COUNTS, n_other=other)
    pairs = pl.DataFrame(_WITHIN, schema=["denominator_id", "within"], orient="row")
    within = pairs.join(shown, left_on="within", right_on="denominator_id")
    paired = shown.join(within, on=_ROW, suffix="_within")
    apart = [(pl.col(n) - pl.col(f"{n}_within")).abs().cast(pl.Int64) for n in (*_COUNTS, "n_other")]
    return paired.select(n=pl.concat_list(apart)).explode("n")


def _beyond(table: pl.DataFrame, base: int) -> pl.DataFrame:
    """How far every rounded number is beyond a multiple of what it was rounded to."""
    numbers = pl.concat([table["n"], table["n_of"]]).drop_nulls()
    return pl.DataFrame({"beyond": numbers.cast(pl.Int64) % base})


def classification_frames(classifications: pl.DataFrame | pl.LazyFrame | None) -> Frames:
    """Rows in all and by definition; no table counts as no rows."""
    empty = pl.LazyFrame(schema={"definition_id": pl.String})
    rows = empty if classifications is None else classifications.lazy()
    per_definition = rows.group_by("definition_id").agg(n_rows=pl.len().cast(pl.Int64)).sort("definition_id").collect()
    return {
        "classifications_per_definition": per_definition,
        "classifications_facts": per_definition.select(rows=pl.col("n_rows").sum()),
    }
