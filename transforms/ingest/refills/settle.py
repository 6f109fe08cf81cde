"""The lengths that only other dispensings tell, once a table is whole: rules of the study that look beyond the row.

The last of them is asked first, so that one that comes before it in the study has the last word.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from impasse.schemas.extracts import MODELS
from impasse.schemas.study import RHYTHM, WAITING_TIME, SupplySection
from impasse.transforms.ingest.ordering import OrderedWords
from impasse.transforms.ingest.refills.rhythm import with_rhythm
from impasse.transforms.ingest.refills.told import needs_others
from impasse.transforms.ingest.refills.waiting_times import Refills, count_refills, waiting_times, with_waiting_times

NO_LENGTHS = pl.DataFrame(schema={"atc": pl.String, "days": pl.Int32})
_COLUMNS = list(MODELS["dispensings"].to_schema().columns)


def lengths_of_drugs(buckets: Iterable[pl.DataFrame], words: OrderedWords, rule: SupplySection) -> pl.DataFrame:
    """atc, days: how long a supply of each drug lasts by its waiting times, of rows (person, date, words).

    Nothing is read unless the study asks for it.
    """
    if WAITING_TIME not in rule.rules:
        return NO_LENGTHS
    counted: Refills | None = None
    for rows in buckets:
        refills = count_refills(rows, words, rule.max_days)
        counted = refills if counted is None else counted + refills
    return waiting_times(counted, words, rule) if counted else NO_LENGTHS


def settled_supplies(table: pl.DataFrame, rule: SupplySection, lengths: pl.DataFrame) -> pl.DataFrame:
    """The canonical dispensings of some persons, sorted by all columns, with what other dispensings tell of them."""
    if not needs_others(rule):
        return table
    for name in reversed(rule.rules):
        if name == RHYTHM:
            table = with_rhythm(table, rule)
        if name == WAITING_TIME:
            table = with_waiting_times(table, lengths)
    return table.select(_COLUMNS).sort(_COLUMNS)
