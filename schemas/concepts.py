"""What OMOP concepts mean here: ingredients as ATC, score concepts as scales. Texts of two CSV files in, frames out.

An ingredient is found by its concept id, else by its name in lower case; an ingredient in neither is
a drug that is no treatment of ours. Every row says where it is written, when and how sure it is.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass

import polars as pl

from schemas.errors import ImpasseError

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
}


@dataclass(frozen=True, eq=False)
class OmopLists:
    """`ingredients`: name, concept_id?, atc. `scales`: code_system, code, concept_id, scale."""

    ingredients: pl.DataFrame
    scales: pl.DataFrame


def parse(texts: dict[str, str]) -> OmopLists:
    """Read both lists from the texts of omop_ingredients.csv and omop_scales.csv. Raises ImpasseError."""
    return OmopLists(ingredients=_table("omop_ingredients", texts), scales=_table("omop_scales", texts))


def _table(name: str, texts: dict[str, str]) -> pl.DataFrame:
    columns = _COLUMNS[name]
    if name not in texts:
        raise ImpasseError(f"The code list {name}.csv is missing.", do="Restore it.")
    reader = csv.DictReader(texts[name].splitlines())
    if tuple(reader.fieldnames or ()) != columns:
        raise ImpasseError(f"Columns differ in {name}.csv.", expected=", ".join(columns), do="Correct the first line.")
    rows = [{column: row[column] or None for column in columns} for row in reader]
    for line, row in enumerate(rows, start=2):
        if not all(row[column] for column in _CITED):
            raise ImpasseError(
                "A row without source, date or confidence.", where=f"{name}.csv, line {line}", do="Fill it."
            )
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String))
