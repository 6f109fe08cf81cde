"""The tables of a run that are to be released, in its work folder."""

from __future__ import annotations

import polars as pl

from impasse.flows.files.tables import read_parquet, write_parquet
from impasse.flows.run.plan import Plan
from impasse.schemas.tables import KEYS, RELEASE


def write_release(plan: Plan, name: str, table: pl.DataFrame) -> None:
    """Write a table, checked against its model, in the order of its key."""
    write_parquet(table, plan.release(name), RELEASE[name], KEYS[name])


def read_release(plan: Plan, name: str) -> pl.DataFrame:
    """A table that was written."""
    return read_parquet(plan.release(name))
