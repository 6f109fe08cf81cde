"""A worked case and a definition -> where what the definition makes of it differs from what the case expects.

The drawn person becomes a delivery of one, which is classified like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from impasse.schemas.cases import Case, study_of
from impasse.schemas.codelists import CodeLists
from impasse.schemas.definition import Definition
from impasse.schemas.extracts import MODELS, Extract
from impasse.schemas.values import Row
from impasse.transforms.results import classify

NO_EPISODE, NO_COLUMN = "no episode", "nothing: the definition does not say"


@dataclass(frozen=True)
class Difference:
    """One column of the classification that came out otherwise than expected."""

    column: str
    expected: object
    found: object


def try_case(case: Case, definition: Definition, codes: CodeLists) -> list[Difference]:
    """What the definition makes of the case, as far as it differs from what is expected."""
    found = classify_case(case, definition, codes)
    if found is None:
        return [Difference(c, value, NO_EPISODE) for c, value in list(case.expected.items())[:1]]
    told = {column: found.get(column, NO_COLUMN) for column in case.expected}
    return [Difference(c, value, told[c]) for c, value in case.expected.items() if told[c] != value]


def classify_case(case: Case, definition: Definition, codes: CodeLists) -> Row | None:
    """The classification (of a staging system the stage) of the drawn person's first episode, if there is one."""
    person = case.person()
    absent = frozenset() if person["coverage"] else frozenset({"coverage"})
    extract = drawn_extract([person], case.observes, absent)
    classified = classify(extract, study_of(definition), [definition], codes)
    made = classified.classifications if definition.gives == "verdict" else classified.stages
    return None if made.is_empty() else made.row(0, named=True)


def drawn_extract(persons: list[Row], observes: frozenset[str], absent_tables: frozenset[str]) -> Extract:
    """The canonical tables of drawn persons; absent tables are None."""
    ordered = sorted(persons, key=lambda person: person["person_id"])
    rows = {"persons": [{"person": number, **person} for number, person in enumerate(ordered)]}
    for name in MODELS.keys() - {"persons"}:
        rows[name] = [{"person": number, **row} for number, person in enumerate(ordered) for row in person[name]]
    frames: dict[str, Any] = {name: None if name in absent_tables else _frame(name, rows[name]) for name in MODELS}
    return Extract(**frames, observes=observes)


def _frame(name: str, rows: list[Row]) -> pl.DataFrame:
    """One canonical table: its columns in order, sorted by all of them."""
    schema = {column: field.dtype.type for column, field in MODELS[name].to_schema().columns.items()}
    drawn = [{column: row[column] for column in schema} for row in rows]
    return pl.DataFrame(drawn, schema=schema, orient="row").sort(list(schema))
