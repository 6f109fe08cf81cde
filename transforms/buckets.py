"""Persons cut into buckets: the unit that fits in memory, is worked on alone and can be sent elsewhere.

A person's bucket depends on the person's id and the number of buckets, by a published hash (BLAKE2b)
that no library upgrade can change. Whatever the number of buckets, the results are the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

import polars as pl

from schemas.extracts import Extract


def bucket_of(person_ids: pl.Series, n_buckets: int) -> pl.Series:
    """The bucket (0 to n_buckets - 1) of each person."""
    digests = (blake2b(person.encode(), digest_size=8).digest() for person in person_ids)
    buckets = [int.from_bytes(digest, "big") % n_buckets for digest in digests]
    return pl.Series("bucket", buckets, dtype=pl.UInt32)


def split(extract: Extract, n_buckets: int) -> Iterator[Extract]:
    """The extract's buckets in order; persons are numbered anew within each."""
    if n_buckets == 1:
        yield extract
        return
    buckets = bucket_of(extract.persons["person_id"], n_buckets)
    for bucket in range(n_buckets):
        yield _only(extract, extract.persons.filter(buckets == bucket))


def _only(extract: Extract, persons: pl.DataFrame) -> Extract:
    numbers = persons.select("person").with_row_index("new")
    tables = {name: _renumbered(table, numbers) for name, table in extract.tables().items()}
    absent = dict.fromkeys(("coverage", "diagnoses", "dispensings", "procedures", "scores", "admissions"))
    return Extract(**{**absent, **tables}, observes=extract.observes)


def _renumbered(table: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    kept = table.join(numbers, on="person", maintain_order="left")
    return kept.with_columns(person=pl.col("new").cast(pl.UInt32)).drop("new")
