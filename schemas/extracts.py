"""Canonical tables: what every source delivers to the rest of the program, whatever its own layout.

Dates are calendar dates; `person` is the row number of the person in `persons`, sorted by person_id.
A null is "not recorded" and stays one: nothing downstream reads it as zero or as no. Codes and other words are
categoricals, so that a row holds the number of a word and a file each word once.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandera.polars as pa
import polars as pl

from impasse.schemas.study import SUPPLY_KINDS, SUPPLY_RULES
from impasse.schemas.values import CODE_SYSTEMS, SETTINGS

# The rule that made the days of a supply.
SUPPLY_BASES = (*SUPPLY_RULES, "unknown")


class _Table(pa.DataFrameModel):
    class Config:
        strict = True
        ordered = True


def _are_spelled(data: pa.PolarsData, pattern: str) -> pl.LazyFrame:
    """Does each word of a column look like this? Each different word is looked at once."""
    words = pl.col(data.key).unique().cast(pl.String)
    fitting = words.filter(words.str.contains(pattern)).implode()
    return data.lazyframe.select(pl.col(data.key).is_in(fitting))


class Persons(_Table):
    """One row per person. Key: person; person_id is unique."""

    person: pl.UInt32 = pa.Field(unique=True)
    person_id: str = pa.Field(unique=True, str_length={"min_value": 1})
    birth_date: pl.Date = pa.Field(nullable=True)
    sex: pl.Categorical = pa.Field(isin=["female", "male", "unknown"])
    death_date: pl.Date = pa.Field(nullable=True)


class Coverage(_Table):
    """One row per interval in which the registry observes a person; both dates inclusive."""

    person: pl.UInt32
    start_date: pl.Date
    end_date: pl.Date

    @pa.dataframe_check
    def ends_after_start(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("end_date") >= pl.col("start_date"))


class Diagnoses(_Table):
    """One row per recorded diagnosis code of a contact."""

    person: pl.UInt32
    date: pl.Date
    end_date: pl.Date = pa.Field(nullable=True)
    code: pl.Categorical
    code_system: pl.Categorical = pa.Field(isin=list(CODE_SYSTEMS))
    position: pl.Categorical = pa.Field(isin=["main", "other"])
    setting: pl.Categorical = pa.Field(isin=list(SETTINGS))

    @pa.dataframe_check
    def ends_after_start(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select((pl.col("end_date") >= pl.col("date")).fill_null(True))

    @pa.check("code")
    def is_plain(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return _are_spelled(data, r"^[A-Z0-9]+$")


class Dispensings(_Table):
    """One row per dispensing. `days` and doses are null where no supply rule applied.

    dose_ug is micrograms a day, dose_mddd thousandths of a defined daily dose a day. `kind` says whether the row
    tells of a dispensing, a prescription or an administration.
    """

    person: pl.UInt32
    date: pl.Date
    atc: pl.Categorical
    days: pl.Int32 = pa.Field(nullable=True, ge=1)
    dose_ug: pl.Int64 = pa.Field(nullable=True, gt=0)
    dose_mddd: pl.Int64 = pa.Field(nullable=True, gt=0)
    supply_basis: pl.Categorical = pa.Field(isin=list(SUPPLY_BASES))
    kind: pl.Categorical = pa.Field(isin=list(SUPPLY_KINDS))

    @pa.check("atc")
    def is_atc(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return _are_spelled(data, r"^[A-Z][0-9]{2}([A-Z]([A-Z]([0-9]{2})?)?)?$")


class Procedures(_Table):
    """One row per procedure; `treatment` is a treatment of the vocabulary, or null."""

    person: pl.UInt32
    date: pl.Date
    code: pl.Categorical
    code_system: pl.Categorical
    treatment: pl.Categorical = pa.Field(nullable=True)


class Scores(_Table):
    """One row per symptom score."""

    person: pl.UInt32
    date: pl.Date
    scale: pl.Categorical
    value: pl.Float64


class Admissions(_Table):
    """One row per hospital stay; both dates inclusive."""

    person: pl.UInt32
    start_date: pl.Date
    end_date: pl.Date
    main_code: pl.Categorical = pa.Field(nullable=True)

    @pa.dataframe_check
    def ends_after_start(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("end_date") >= pl.col("start_date"))


MODELS: dict[str, type[pa.DataFrameModel]] = {
    "persons": Persons,
    "coverage": Coverage,
    "diagnoses": Diagnoses,
    "dispensings": Dispensings,
    "procedures": Procedures,
    "scores": Scores,
    "admissions": Admissions,
}


@dataclass(frozen=True)
class Extract:
    """The canonical tables of one delivery (or of one bucket of it), each sorted by all its columns, blanks first.

    An absent table is None.

    `observes` names the treatments the delivery can show; what is not in it is unknown, not absent. `scales` are those
    of which the delivery has scores; where they are not told, those of this extract.
    """

    persons: pl.DataFrame
    coverage: pl.DataFrame | None
    diagnoses: pl.DataFrame | None
    dispensings: pl.DataFrame | None
    procedures: pl.DataFrame | None
    scores: pl.DataFrame | None
    admissions: pl.DataFrame | None
    observes: frozenset[str]
    scales: frozenset[str] | None = None

    def delivered_scales(self) -> frozenset[str]:
        """The scales of which the whole delivery has scores."""
        if self.scales is None:
            return scales_of(self.scores)
        return self.scales

    def tables(self) -> dict[str, pl.DataFrame]:
        """The tables that are there, by name."""
        named = {name: getattr(self, name) for name in MODELS}
        return {name: table for name, table in named.items() if table is not None}


def scales_of(scores: pl.DataFrame | None) -> frozenset[str]:
    """The scales of some scores, if there are any."""
    return frozenset() if scores is None else frozenset(scores["scale"].unique().to_list())
