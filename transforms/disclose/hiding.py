"""What a small count is, and how a row is hidden: used by all of disclosure control."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl


def is_small(counts: np.ndarray, threshold: int) -> np.ndarray:
    """Whether a count, or a difference of counts in either direction, is from 1 to threshold - 1."""
    return (counts != 0) & (np.abs(counts) < threshold)


def any_small(columns: Sequence[pl.Expr], threshold: int) -> pl.Expr:
    """Whether any of the counts is from 1 to threshold - 1."""
    return pl.any_horizontal(column.is_between(1, threshold - 1) for column in columns).fill_null(False)


def hide(table: pl.DataFrame, stays: tuple[str, ...], is_hidden: pl.Expr) -> pl.DataFrame:
    """Null every number of the hidden rows; `stays` names what is no number of persons."""
    numbers = [name for name in table.columns if name not in (*stays, "suppressed")]
    return table.with_columns(suppressed=is_hidden).with_columns(
        pl.when(~pl.col("suppressed")).then(pl.col(name)).alias(name) for name in numbers
    )


def is_among(rows: Sequence[tuple[str, ...]], key: tuple[str, ...]) -> pl.Expr:
    """Whether the key columns are one of `rows`."""
    known = pl.DataFrame(rows, schema=dict.fromkeys(key, pl.String), orient="row").to_struct()
    return pl.struct(key).is_in(known.implode())
