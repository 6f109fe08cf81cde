"""Faults of the made-up registry: about one row in a thousand wrong, each in one of the ways deliveries are wrong."""

from __future__ import annotations

import numpy as np
import polars as pl


def spoil(rng: np.random.Generator, tables: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The same tables with some of the rows spoiled."""
    spoiled = dict(tables)
    dispensings = _overwrite(rng, tables["dispensings"], "person_id", "U000000001", 0.0003)
    dispensings = _overwrite(rng, dispensings, "atc", "N06?B0", 0.0003)
    dispensings = _overwrite(rng, dispensings, "date", "2016-02-30", 0.0002)
    spoiled["dispensings"] = _overwrite(rng, dispensings, "days_supply", -30, 0.0002)
    diagnoses = _overwrite(rng, tables["diagnoses"], "person_id", "U000000001", 0.0005)
    spoiled["diagnoses"] = _overwrite(rng, diagnoses, "date", "2018-13-01", 0.0005)
    spoiled["procedures"] = _overwrite(rng, tables["procedures"], "date", "2017-00-10", 0.001)
    spoiled["scores"] = _overwrite(rng, tables["scores"], "value", 999.0, 0.001)
    spoiled["admissions"] = _overwrite(rng, tables["admissions"], "end_date", "1999-12-31", 0.001)
    spoiled["persons"] = _repeat_some(rng, tables["persons"], 0.001)
    return spoiled


def _overwrite(
    rng: np.random.Generator, table: pl.DataFrame, column: str, wrong: str | float, share: float
) -> pl.DataFrame:
    hit = pl.Series(rng.random(table.height) < share)
    return table.with_columns(pl.when(hit).then(pl.lit(wrong, table.schema[column])).otherwise(column).alias(column))


def _repeat_some(rng: np.random.Generator, persons: pl.DataFrame, share: float) -> pl.DataFrame:
    """Some persons once more, the second time without a birth date, next to the first."""
    again = persons.with_row_index("row").filter(pl.Series(rng.random(persons.height) < share))
    again = again.with_columns(birth_date=pl.lit(None, pl.String))
    return pl.concat([persons.with_row_index("row"), again]).sort("row", maintain_order=True).drop("row")
