"""How Polars queries are run."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl


def collect_in_order(query: pl.LazyFrame) -> pl.DataFrame:
    """The result of a query, run as it is written.

    No optimizer may drop the order of the rows, and on frames of one part its search costs more than it saves.
    """
    return query.collect(optimizations=pl.QueryOptFlags.none())


def columns_read(*steps: Mapping[str, pl.Expr]) -> frozenset[str]:
    """The columns that the expressions of some steps read."""
    return frozenset(name for step in steps for answer in step.values() for name in answer.meta.root_names())
