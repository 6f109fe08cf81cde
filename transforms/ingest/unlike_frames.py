"""Refused rows of several files and parts of one table, as one.

Each cell is kept as it came, so a column that comes in two types is text.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from impasse.transforms.ingest.drafts import calendar_day

_ODD = (pl.Binary, pl.List, pl.Array, pl.Struct, pl.Object)


def together(frames: Sequence[pl.LazyFrame]) -> pl.LazyFrame:
    """All rows in their order with the columns of all frames; null where a frame has no such column."""
    schemas = [frame.collect_schema() for frame in frames]
    kinds: dict[str, set[pl.DataType]] = {}
    for name, kind in (pair for schema in schemas for pair in schema.items()):
        kinds.setdefault(name, set()).update({kind} - {pl.Null()})
    unlike = {name for name, found in kinds.items() if len(found) > 1}
    spelled = [
        frame.with_columns(_spelled(name, kind) for name, kind in schema.items() if name in unlike)
        for frame, schema in zip(frames, schemas, strict=True)
    ]
    return pl.concat(spelled, how="diagonal_relaxed")


def _spelled(name: str, kind: pl.DataType) -> pl.Expr:
    """A column as text; a day or time that no calendar has is told as the number that stands for it."""
    value = pl.col(name)
    if isinstance(kind, _ODD):
        return value.map_elements(str, return_dtype=pl.String)
    if isinstance(kind, pl.Date | pl.Datetime):
        dated = pl.when(calendar_day(value, kind).is_not_null()).then(value).cast(pl.String)
        return pl.coalesce(dated, value.to_physical().cast(pl.String)).alias(name)
    return value.cast(pl.String)
