"""Worked cases and a definition -> where what the definition makes of them differs from what they expect.

The drawn persons become deliveries, which are classified like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from impasse.schemas.cases import Case, study_of
from impasse.schemas.codelists import CodeLists
from impasse.schemas.definition import Definition
from impasse.schemas.extracts import MODELS, Extract
from impasse.schemas.study import SupplySection
from impasse.schemas.values import Row
from impasse.transforms.drawn_supplies import with_supplies
from impasse.transforms.results import Results, classify

NO_EPISODE, NO_COLUMN = "no episode", "nothing: the definition does not say"


@dataclass(frozen=True)
class Difference:
    """One column of the classification that came out otherwise than expected."""

    column: str
    expected: object
    found: object


def try_cases(cases: Sequence[Case], definition: Definition, codes: CodeLists) -> list[list[Difference]]:
    """Of each case, what the definition makes of it, as far as it differs from what is expected."""
    found = classify_cases(cases, definition, codes)
    return [_differences(case, row) for case, row in zip(cases, found, strict=True)]


def _differences(case: Case, found: Row | None) -> list[Difference]:
    if found is None:
        return [Difference(c, value, NO_EPISODE) for c, value in list(case.expected.items())[:1]]
    told = {column: found.get(column, NO_COLUMN) for column in case.expected}
    return [Difference(c, value, told[c]) for c, value in case.expected.items() if told[c] != value]


def classify_cases(cases: Sequence[Case], definition: Definition, codes: CodeLists) -> list[Row | None]:
    """The classification (of a staging system the stage) of each drawn person's first episode, if there is one.

    Cases that observe the same, on the same scales and by the same supply rules, are classified together.
    """
    deliveries: dict[tuple[frozenset[str], frozenset[str], frozenset[str], SupplySection], dict[str, Row]] = {}
    for number, case in enumerate(cases):
        person = case.person() | {"person_id": f"{number:09}"}
        absent = frozenset() if person["coverage"] else frozenset({"coverage"})
        scales = frozenset(score["scale"] for score in person["scores"])
        deliveries.setdefault((case.observes, absent, scales, case.supply), {})[person["person_id"]] = person
    found: dict[str, Row] = {}
    for (observes, absent, _, supply), persons in deliveries.items():
        extract = drawn_extract(with_supplies(list(persons.values()), supply, codes), observes, absent)
        found |= _first_answers(classify(extract, study_of(definition, supply), [definition], codes), definition)
    return [found.get(f"{number:09}") for number in range(len(cases))]


def _first_answers(classified: Results, definition: Definition) -> dict[str, Row]:
    """What is said of the first episode of each person who has one."""
    made = classified.classifications if definition.gives == "verdict" else classified.stages
    persons = classified.names["person_id"].to_list()
    # A person's first episode comes first, so that it is the last to be put in.
    return dict(zip(reversed(persons), reversed(made.to_dicts()), strict=True))


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
