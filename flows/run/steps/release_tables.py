"""The tables of a run that are to be released, in its work folder."""

from __future__ import annotations

import polars as pl

from impasse.flows.run import io
from impasse.flows.run.plan import Plan
from impasse.schemas.tables import KEYS, RELEASE


def write_release(plan: Plan, name: str, table: pl.DataFrame) -> None:
    """Write a table, checked against its model, in the order of its key."""
    io.write_parquet(table, plan.release(name), RELEASE[name], KEYS[name])


def read_release(plan: Plan, name: str) -> pl.DataFrame:
    """A table that was written."""
    return io.read_parquet(plan.release(name))
