"""What OMOP concepts mean here: ingredients, scores, visits and kinds of supply. Texts of CSV files in, frames out.

An ingredient is found by its concept id, else by its name in lower case; an ingredient in neither is
a drug that is no treatment of ours. A visit that is not listed is of an unknown setting, and a supply whose type
is not listed of an unknown kind. Every row says where it is written, when and how sure it is.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass

import polars as pl

from impasse.schemas.errors import ImpasseError, nearest
from impasse.schemas.study import SUPPLY_KINDS

OMOP_TABLES = (
    "person",
    "observation_period",
    "death",
    "condition_occurrence",
    "drug_exposure",
    "procedure_occurrence",
    "measurement",
    "observation",
    "visit_occurrence",
    "concept",
    "concept_ancestor",
    "drug_strength",
    "drug_ingredient",
)

_CITED = ("source", "date", "confidence")
_COLUMNS = {
    "omop_ingredients": ("name", "concept_id", "atc", *_CITED),
    "omop_scales": ("code_system", "code", "concept_id", "scale", *_CITED),
    "omop_visits": ("concept_id", "name", "setting", *_CITED),
    "omop_drug_types": ("concept_id", "name", "kind", *_CITED),
}
_ALLOWED = {"setting": ("inpatient", "outpatient"), "kind": SUPPLY_KINDS}


@dataclass(frozen=True, eq=False)
class OmopLists:
    """What concepts mean, a frame for each kind of concept.

    ingredients   name, concept_id?, atc
    scales        code_system, code, concept_id, scale
    visits        concept_id, name, setting
    drug_types    concept_id, name, kind
    """

    ingredients: pl.DataFrame
    scales: pl.DataFrame
    visits: pl.DataFrame
    drug_types: pl.DataFrame


def parse(texts: dict[str, str]) -> OmopLists:
    """Read the lists from the texts of the files omop_*.csv, by file name without its ending. Raises ImpasseError."""
    return OmopLists(**{name.removeprefix("omop_"): _table(name, texts) for name in _COLUMNS})


def _table(name: str, texts: dict[str, str]) -> pl.DataFrame:
    columns = _COLUMNS[name]
    if name not in texts:
        raise ImpasseError(f"The code list {name}.csv is missing.", do="Restore it.")
    reader = csv.DictReader(texts[name].splitlines())
    if tuple(reader.fieldnames or ()) != columns:
        raise ImpasseError(f"Columns differ in {name}.csv.", expected=", ".join(columns), do="Correct the first line.")
    rows = [{column: row[column] or None for column in columns} for row in reader]
    for line, row in enumerate(rows, start=2):
        _refuse_row(row, f"{name}.csv, line {line}")
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String))


def _refuse_row(row: dict[str, str | None], where: str) -> None:
    """Stop at a row that is not cited, or that says a word nothing downstream knows."""
    if not all(row[column] for column in _CITED):
        raise ImpasseError("A row without source, date or confidence.", where=where, do="Fill it.")
    for column, known in _ALLOWED.items():
        if column in row and row[column] not in known:
            guess = nearest(row[column] or "", list(known))
            hint = f"Did you mean '{guess}'?" if guess else "Use one of these."
            raise ImpasseError(f"The {column} is not one of ours.", where=where, expected=", ".join(known), do=hint)
