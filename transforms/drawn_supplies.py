"""Drawn dispensings -> canonical ones, by the functions that a run calls: a case gets the days and doses of a run.

What a run tells of a row is told of a line. A line may also state the DDD a day (`ddd=`), which no register delivers:
that dose holds over what amounts tell.
"""

from __future__ import annotations

import polars as pl

from impasse.schemas.codelists import CodeLists
from impasse.schemas.extracts import MODELS
from impasse.schemas.mapping import SUPPLY_COLUMNS
from impasse.schemas.study import SupplySection
from impasse.schemas.values import Row
from impasse.transforms.ingest.refills.settle import NO_LENGTHS, settled_supplies
from impasse.transforms.ingest.supply import read_supplies

_COLUMNS = [column for column in MODELS["dispensings"].to_schema().columns if column != "person"]
_WORDS = ("atc", "supply_basis", "kind")
_DRAWN: dict[str, type[pl.DataType]] = {
    "person": pl.UInt32,
    "date": pl.Date,
    "atc": pl.String,
    "kind": pl.String,
    "dose_mddd": pl.Int64,
    **dict.fromkeys(SUPPLY_COLUMNS, pl.Float64),
}


def with_supplies(persons: list[Row], rule: SupplySection, codes: CodeLists) -> list[Row]:
    """The drawn persons with their dispensings as a run would have them, each person as if alone in the delivery.

    So no supply lasts as long as waiting times tell: they take many persons.
    """
    drawn = [
        {**row, **row["delivered"], "person": number}
        for number, person in enumerate(persons)
        for row in person["dispensings"]
    ]
    rows = [{column: row.get(column) for column in _DRAWN} for row in drawn]
    said = pl.DataFrame(rows, schema=_DRAWN, orient="row").rename({"dose_mddd": "stated"})
    told = read_supplies(said, rule, codes).with_columns(dose_mddd=pl.coalesce("stated", "dose_mddd"))
    ordered = told.sort("person", "date").cast(dict.fromkeys(_WORDS, pl.Categorical))
    supplies = settled_supplies(ordered, rule, NO_LENGTHS)
    of_person = supplies.select("person", *_COLUMNS).partition_by("person", as_dict=True, include_key=False)
    return [
        {**person, "dispensings": of_person[(n,)].to_dicts() if (n,) in of_person else []}
        for n, person in enumerate(persons)
    ]
