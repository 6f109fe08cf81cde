"""What can show how a trial ended, apart from the trials themselves."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from transforms.encode import Coded


@dataclass(frozen=True)
class Signs:
    """Scores, procedures and admissions; days are day numbers.

    scores (person, scale, day, value); `scales` as listed; procedures `ect` and `tms` (person, day); admissions
    (person, day, disorder). `observed` names the signs the delivery can show.
    """

    scores: pl.DataFrame
    scales: pl.DataFrame
    ect: pl.DataFrame
    tms: pl.DataFrame
    admissions: pl.DataFrame
    observed: frozenset[str]


def find_signs(coded: Coded, scales: pl.DataFrame) -> Signs:
    """Collect scores, ECT and TMS days and admissions from a coded extract."""
    observed = {"switch", "add_on"} if "drug" in coded.observes else set()
    observed |= {sign for sign in ("ect", "tms") if sign in coded.observes}
    observed |= {"admission"} if coded.admissions is not None else set()
    scores = {"day": pl.Int32, "person": pl.UInt32, "scale": pl.String, "value": pl.Float64}
    admissions = {"person": pl.UInt32, "day": pl.Int32, "disorder": pl.String}
    return Signs(
        scores=pl.DataFrame(schema=scores) if coded.scores is None else coded.scores,
        scales=scales,
        ect=_days_of(coded, "ect"),
        tms=_days_of(coded, "tms"),
        admissions=pl.DataFrame(schema=admissions) if coded.admissions is None else coded.admissions,
        observed=frozenset(observed),
    )


def _days_of(coded: Coded, group: str) -> pl.DataFrame:
    if coded.procedures is None:
        return pl.DataFrame(schema={"person": pl.UInt32, "day": pl.Int32})
    mine = coded.procedures.filter(pl.lit(coded.vocabulary.sure((group,))).gather(pl.col("treatment")))
    return mine.select("person", "day").unique().sort("day", "person")
