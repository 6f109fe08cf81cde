"""Persons cut into buckets: whose rows are brought together while a delivery is read.

A person's bucket is the first bits of a published hash of the person's id (BLAKE2b, 8 bytes), which no
library upgrade can change. The number of buckets is a power of two, so buckets nest: one bucket of four
is two of eight. Whatever the number of buckets, the results are the same rows.
"""

from __future__ import annotations

from functools import partial
from hashlib import blake2b

import numpy as np
import polars as pl

_HASH_BITS = 64
_AT_ONCE = 500_000


def power_of_two(n_buckets: int) -> int:
    """The number of buckets that is made where `n_buckets` are asked for: the next power of two."""
    return 1 << (n_buckets - 1).bit_length()


def bucket_of(person_ids: pl.Series, n_buckets: int) -> pl.Series:
    """The bucket (0 to n_buckets - 1) of each person; `n_buckets` is a power of two."""
    if n_buckets == 1:
        return pl.repeat(0, len(person_ids), dtype=pl.UInt32, eager=True).alias("bucket")
    n_bits = n_buckets.bit_length() - 1
    parts = [_hashes(person_ids[start : start + _AT_ONCE]) for start in range(0, len(person_ids), _AT_ONCE)]
    hashes = np.concatenate([np.zeros(0, dtype=np.uint64), *parts])
    return pl.Series("bucket", (hashes >> np.uint64(_HASH_BITS - n_bits)).astype(np.uint32))


def _hashes(person_ids: pl.Series) -> np.ndarray:
    hashed = partial(blake2b, digest_size=_HASH_BITS // 8)
    digests = b"".join([hashed(person).digest() for person in person_ids.cast(pl.Binary)])
    return np.frombuffer(digests, dtype=">u8").astype(np.uint64)


def place_persons(person_ids: pl.Series, n_buckets: int) -> pl.DataFrame:
    """bucket, number: of each person, given in order of person_id, the bucket and the number in it."""
    bucket = bucket_of(person_ids, n_buckets)
    return bucket.to_frame().with_columns(number=pl.int_range(pl.len(), dtype=pl.UInt32).over("bucket"))


def persons_of(persons: pl.DataFrame, places: pl.DataFrame, bucket: int) -> pl.DataFrame:
    """The persons of one bucket, numbered anew within it."""
    is_in = places["bucket"] == bucket
    return persons.filter(is_in).with_columns(places["number"].filter(is_in).alias("person"))


def deal(rows: pl.DataFrame, places: pl.DataFrame, n_buckets: int) -> list[pl.DataFrame]:
    """Rows cut into those of each bucket, persons numbered within it."""
    if n_buckets == 1:
        return [rows]
    bucket, number = (places[column].gather(rows["person"]) for column in ("bucket", "number"))
    placed = rows.with_columns(bucket, number.alias("person"))
    parts = placed.partition_by("bucket", as_dict=True, include_key=False)
    return [parts.get((bucket,), rows.clear()) for bucket in range(n_buckets)]
