"""Canonical tables keep their models: what writing checks quickly is what Pandera checks."""

from __future__ import annotations

from datetime import date

import pandera.polars as pa
import polars as pl
import pytest
from pandera.errors import SchemaErrors

from impasse.flows.files import tables
from impasse.flows.files.tables import check_table
from impasse.schemas.errors import ImpasseError
from impasse.schemas.extracts import MODELS
from impasse.schemas.tables import RELEASE, RESTRICTED

DAY, LATER = date(2010, 1, 1), date(2010, 1, 2)
SOUND: dict[str, dict[str, list]] = {
    "persons": {
        "person": [0, 1],
        "person_id": ["a", "b"],
        "birth_date": [None, DAY],
        "sex": ["female", "unknown"],
        "death_date": [None, DAY],
    },
    "coverage": {"person": [0, 0], "start_date": [DAY, DAY], "end_date": [DAY, LATER]},
    "diagnoses": {
        "person": [0, 0],
        "date": [DAY, DAY],
        "end_date": [None, DAY],
        "code": ["F32", "296"],
        "code_system": ["icd10", "icd9"],
        "position": ["main", "other"],
        "setting": ["inpatient", "unknown"],
    },
    "dispensings": {
        "person": [0, 0],
        "date": [DAY, DAY],
        "atc": ["N06A", "N06AB06"],
        "days": [None, 1],
        "dose_ug": [None, 1],
        "dose_mddd": [None, 1],
        "supply_basis": ["unknown", "ddd"],
        "kind": ["dispensed", "unknown"],
    },
    "procedures": {
        "person": [0, 0],
        "date": [DAY, DAY],
        "code": ["DU011", "x"],
        "code_system": ["kva", "cpt"],
        "treatment": ["cbt", None],
    },
    "scores": {"person": [0, 0], "date": [DAY, DAY], "scale": ["phq9", "phq9"], "value": [4.0, 0.0]},
    "admissions": {"person": [0, 0], "start_date": [DAY, DAY], "end_date": [DAY, LATER], "main_code": ["F32", None]},
}
BROKEN = [
    ("persons", "person", [0, 0]),
    ("persons", "person_id", ["a", "a"]),
    ("persons", "person_id", ["a", ""]),
    ("persons", "person_id", ["a", None]),
    ("persons", "sex", ["female", "f"]),
    ("coverage", "start_date", [DAY, None]),
    ("coverage", "end_date", [DAY, date(2009, 12, 31)]),
    ("diagnoses", "end_date", [None, date(2009, 12, 31)]),
    ("diagnoses", "code", ["F32", "F32.1"]),
    ("diagnoses", "code", ["F32", ""]),
    ("diagnoses", "code_system", ["icd10", "icd11"]),
    ("diagnoses", "position", ["main", None]),
    ("diagnoses", "setting", ["inpatient", "ward"]),
    ("dispensings", "atc", ["N06A", "N06AB6"]),
    ("dispensings", "days", [None, 0]),
    ("dispensings", "dose_ug", [None, 0]),
    ("dispensings", "dose_mddd", [None, -1]),
    ("dispensings", "supply_basis", ["unknown", "guess"]),
    ("dispensings", "kind", ["dispensed", "sold"]),
    ("dispensings", "kind", ["dispensed", None]),
    ("procedures", "code", ["DU011", None]),
    ("scores", "value", [4.0, None]),
    ("admissions", "end_date", [DAY, date(2009, 12, 31)]),
    ("admissions", "person", [0, None]),
]


def table(name: str, **changed: list) -> pl.DataFrame:
    """A sound table of two rows, with columns changed."""
    kinds = {column: kind.dtype.type for column, kind in MODELS[name].to_schema().columns.items()}
    return pl.DataFrame(SOUND[name] | changed, schema=kinds)


def refused(frame: pl.DataFrame, model: type[pa.DataFrameModel]) -> bool:
    """What Pandera says."""
    try:
        model.validate(frame, lazy=True)
    except SchemaErrors:
        return True
    return False


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_table_is_sound_to_both(name: str) -> None:
    """Also without any row."""
    for frame in (table(name), table(name).clear()):
        assert not refused(frame, MODELS[name])
        assert tables._is_sound(frame, MODELS[name])


@pytest.mark.parametrize(("name", "column", "values"), BROKEN)
def test_a_broken_table_is_broken_to_both(name: str, column: str, values: list) -> None:
    """Every rule of every canonical table: the quick check does not let through what Pandera refuses."""
    frame = table(name, **{column: values})

    assert refused(frame, MODELS[name])
    assert not tables._is_sound(frame, MODELS[name])
    with pytest.raises(ImpasseError, match=f"Table {name} breaks its own rules"):
        check_table(frame, MODELS[name], name)


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.drop("scale"),
        lambda frame: frame.with_columns(more=pl.lit(1)),
        lambda frame: frame.select(reversed(frame.columns)),
        lambda frame: frame.with_columns(pl.col("person").cast(pl.Int64)),
        lambda frame: frame.rename({"scale": "scales"}),
    ],
)
def test_columns_are_those_of_the_model(change) -> None:
    """One too few, one too many, another order, type or name: broken to both."""
    frame = change(table("scores"))

    assert refused(frame, MODELS["scores"])
    assert not tables._is_sound(frame, MODELS["scores"])


def test_every_rule_has_a_broken_table() -> None:
    """Each column with a check, and each table with one, is broken above; so is uniqueness."""
    asked = {
        (name, column) for name, model in MODELS.items() for column, c in model.to_schema().columns.items() if c.checks
    }
    unique = {
        (name, column) for name, model in MODELS.items() for column, c in model.to_schema().columns.items() if c.unique
    }
    dated = {(name, "end_date") for name, model in MODELS.items() if model.to_schema().checks}

    assert asked | unique | dated <= {(name, column) for name, column, _ in BROKEN}


def test_no_model_asks_what_the_quick_check_does_not_know() -> None:
    """A key of several columns, or a column that is coerced or may be missing, would always take longer."""
    schemas = [model.to_schema() for models in (MODELS, RESTRICTED, RELEASE) for model in models.values()]

    assert not any(schema.unique for schema in schemas)
    assert not any(c.coerce or c.regex or not c.required for schema in schemas for c in schema.columns.values())
