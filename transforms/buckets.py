"""Persons cut into buckets: the unit that fits in memory, is worked on alone and can be sent elsewhere.

A person's bucket is the first bits of a published hash of the person's id (BLAKE2b, 8 bytes), which no
library upgrade can change. The number of buckets is a power of two, so buckets nest: one bucket of four
is two of eight. Whatever the number of buckets, the results are the same rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b

import numpy as np
import polars as pl

from schemas.errors import ImpasseError
from schemas.study import MAX_BUCKETS

_HASH_BITS = 64
_AT_ONCE = 500_000
# Bytes, measured on made-up registries of 0.1 to 5 million persons, all definitions, and rounded up.
_PROGRAM = 600_000_000
_PIECES = 800_000_000
_PER_PERSON = 400
_PER_LOOKED_UP_ROW = 300
_PER_ROW_READ = 1_000
_PER_ROW = 5_000
_GB = 10**9


@dataclass(frozen=True)
class Size:
    """How large a delivery is: persons, rows of all other tables, and rows of files that are looked up whole."""

    n_persons: int
    n_rows: int
    n_looked_up: int = 0


def choose_buckets(size: Size, memory: int, at_least: int = 1) -> int:
    """How many buckets it takes to stay within `memory` bytes, and no fewer than are asked for.

    The program takes 600 MB. While a delivery is read, memory also holds every person (400 bytes), every
    row of files that others are looked up in (300 bytes), and pieces of files on their way (800 MB, if the
    files are so large): less memory than that does not do. While a bucket is classified, memory also holds
    5000 bytes for each of its rows, all tables together; persons differ, so the largest bucket is taken for
    a quarter larger than the mean. Raises ImpasseError, with what is needed, where no number of buckets is
    enough.
    """
    pieces = min(_PIECES, size.n_rows * _PER_ROW_READ)
    reading = _PROGRAM + pieces + size.n_persons * _PER_PERSON + size.n_looked_up * _PER_LOOKED_UP_ROW
    of_one = (size.n_rows + size.n_persons) * _PER_ROW * 5 // 4
    needed = max(reading, _PROGRAM + of_one // MAX_BUCKETS)
    if memory < needed:
        raise _too_little(memory, needed)
    n_buckets = power_of_two(at_least)
    while _PROGRAM + of_one // n_buckets > memory:
        n_buckets *= 2
    return n_buckets


def _too_little(memory: int, needed: int) -> ImpasseError:
    return ImpasseError(
        f"{memory / _GB:.1f} GB of memory are too little for this delivery.",
        where="study file, output.memory, or --memory",
        expected=f"at least {math.ceil(needed / _GB * 10) / 10:.1f} GB",
        do="Allow more memory, or run on a machine that has it.",
    )


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
