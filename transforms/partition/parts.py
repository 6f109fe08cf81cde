"""Persons cut into parts: what is classified at once, and what one file of a restricted table holds.

The number of parts depends on the size of the delivery alone, not on the memory, the number of buckets or the
machine, so the files are the same wherever and however a run is made. Parts and buckets are cut by the same
hash and both in powers of two, and there are no fewer buckets than parts: a part is some whole buckets.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

from impasse.schemas.extracts import MODELS, Extract
from impasse.transforms.partition.buckets import power_of_two

PERSONS_A_PART = 40_000


def count_parts(n_persons: int) -> int:
    """How many parts a delivery of so many persons is cut into; a power of two."""
    return power_of_two(math.ceil(max(1, n_persons) / PERSONS_A_PART))


def buckets_of(part: int, n_parts: int, n_buckets: int) -> range:
    """The buckets that make up a part."""
    each = n_buckets // n_parts
    return range(part * each, (part + 1) * each)


def joined(buckets: Sequence[Extract]) -> Extract:
    """One extract from those of some buckets; persons are numbered anew by person_id."""
    if len(buckets) == 1:
        return buckets[0]
    known = pl.concat([bucket.persons.with_columns(bucket=pl.lit(n)) for n, bucket in enumerate(buckets)])
    persons = known.sort("person_id").with_row_index("new")
    numbers = persons.select("bucket", "person", "new")
    tables = {name: _joined_table(name, buckets, numbers) for name in MODELS if name != "persons"}
    numbered = persons.drop("bucket", "person").rename({"new": "person"})
    return Extract(persons=numbered, **tables, observes=buckets[0].observes, scales=buckets[0].scales)


def _joined_table(name: str, buckets: Sequence[Extract], numbers: pl.DataFrame) -> pl.DataFrame | None:
    """A table of all the buckets. Each bucket's is in order, so ordering by person alone keeps the rest."""
    whole = [getattr(bucket, name) for bucket in buckets]
    if all(table is None for table in whole):
        return None
    columns = next(table.columns for table in whole if table is not None)
    numbered = [
        table.join(numbers.filter(pl.col("bucket") == n).drop("bucket"), on="person", maintain_order="left")
        for n, table in enumerate(whole)
        if table is not None
    ]
    rows = pl.concat(numbered).drop("person").rename({"new": "person"}).select(columns)
    return rows.sort("person", maintain_order=True)
