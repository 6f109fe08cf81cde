"""Drawn persons in, the program's canonical tables out, so that both implementations see the same facts."""

from __future__ import annotations

from typing import Any

import polars as pl

from schemas.extracts import MODELS, Extract

Row = dict[str, Any]  # drawn data: values of every type


def to_extract(persons: list[Row], observes: frozenset[str], absent_tables: frozenset[str]) -> Extract:
    """The canonical frames of some persons; absent tables are None."""
    ordered = sorted(persons, key=lambda person: person["person_id"])
    rows = {"persons": [{"person": number, **person} for number, person in enumerate(ordered)]}
    for name in MODELS.keys() - {"persons"}:
        rows[name] = [{"person": number, **row} for number, person in enumerate(ordered) for row in person[name]]
    frames = {name: None if name in absent_tables else _frame(name, rows[name]) for name in MODELS}
    return Extract(**frames, observes=observes)


def _frame(name: str, rows: list[Row]) -> pl.DataFrame:
    """One canonical table: its columns in order, sorted by all of them."""
    schema = {column: field.dtype.type for column, field in MODELS[name].to_schema().columns.items()}
    drawn = [{column: row[column] for column in schema} for row in rows]
    return pl.DataFrame(drawn, schema=schema, orient="row").sort(list(schema))
