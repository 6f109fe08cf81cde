"""Buckets of persons: a hash that never changes, buckets that nest."""

from __future__ import annotations

from hashlib import blake2b

import polars as pl
import pytest

from impasse.transforms.partition.buckets import bucket_of, deal, persons_of, place_persons, power_of_two

IDS = pl.Series([f"P{n:05d}" for n in range(5_000)])


@pytest.mark.parametrize(("asked", "made"), [(1, 1), (2, 2), (3, 4), (4, 4), (7, 8), (64, 64), (65, 128)])
def test_the_number_of_buckets_is_the_next_power_of_two(asked: int, made: int) -> None:
    """Seven asked for are eight, eight are eight."""
    assert power_of_two(asked) == made


def test_a_bucket_is_the_first_bits_of_the_published_hash() -> None:
    """For ever: the first three bits of an 8-byte BLAKE2b of the id."""
    first_byte = blake2b("ä1".encode(), digest_size=8).digest()[0]

    assert bucket_of(pl.Series(["ä1"]), 8).to_list() == [first_byte >> 5]
    assert bucket_of(pl.Series(["P000000001", "10", "x"]), 16).to_list() == [15, 15, 4]


def test_buckets_nest() -> None:
    """A bucket of four is two buckets of eight."""
    assert (bucket_of(IDS, 4) == bucket_of(IDS, 8) // 2).all()


def test_buckets_are_about_of_one_size() -> None:
    """No bucket of 16 has half or twice the persons of the mean."""
    sizes = bucket_of(IDS, 16).value_counts()["count"]

    assert len(sizes) == 16
    assert sizes.is_between(5_000 / 16 / 2, 5_000 / 16 * 2).all()


def test_one_bucket_is_everybody() -> None:
    """All persons keep their numbers."""
    places = place_persons(IDS, 1)

    assert places["bucket"].unique().to_list() == [0]
    assert places["number"].to_list() == list(range(5_000))


def test_persons_are_numbered_anew_in_their_bucket() -> None:
    """In the order of their ids, from 0."""
    persons = pl.DataFrame({"person": range(5_000), "person_id": IDS}, schema_overrides={"person": pl.UInt32})
    one = persons_of(persons, place_persons(IDS, 4), 3)

    assert one["person"].to_list() == list(range(one.height))
    assert one["person_id"].is_sorted()
    assert bucket_of(one["person_id"], 4).unique().to_list() == [3]


def test_rows_are_dealt_to_the_buckets_of_their_persons() -> None:
    """Each row once, with the number that its person has in the bucket; a bucket may stay empty."""
    places = pl.DataFrame({"bucket": [1, 3, 1], "number": [0, 0, 1]}).cast(pl.UInt32)
    rows = pl.DataFrame({"person": [2, 0, 1], "words": [5, 6, 7]}).cast(pl.UInt32)

    assert [frame.rows() for frame in deal(rows, places, 4)] == [[], [(1, 5), (0, 6)], [], [(0, 7)]]
