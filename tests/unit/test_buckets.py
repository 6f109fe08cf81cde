"""Buckets of persons: a hash that never changes, buckets that nest, and as many as the memory asks for."""

from __future__ import annotations

from hashlib import blake2b

import polars as pl
import pytest

from schemas.errors import ImpasseError
from transforms.buckets import Size, bucket_of, choose_buckets, deal, persons_of, place_persons, power_of_two

IDS = pl.Series([f"P{n:05d}" for n in range(5_000)])
GB = 10**9


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


def test_a_small_delivery_is_one_bucket() -> None:
    """Ten thousand persons fit into 4 GB."""
    assert choose_buckets(Size(10_000, 300_000), 4 * GB) == 1


def test_as_many_buckets_as_it_takes() -> None:
    """Half the memory for the work takes twice the buckets; a byte less than enough takes twice as many."""
    size = Size(1_000_000, 29_000_000)
    fits = 600_000_000 + 30_000_000 * 6250 // 64

    assert choose_buckets(size, fits) == 64
    assert choose_buckets(size, fits - 1) == 128


def test_more_buckets_may_be_asked_for_but_not_fewer() -> None:
    """Asking for four where one is enough makes four; asking for one where 64 are needed makes 64."""
    assert choose_buckets(Size(1_000, 30_000), 4 * GB, at_least=3) == 4
    assert choose_buckets(Size(1_000_000, 29_000_000), 4 * GB, at_least=2) == 64


def test_too_little_memory_is_told_with_what_is_needed() -> None:
    """Five million persons need 3.4 GB while they are read; with that the work is done, with less it is refused."""
    size = Size(5_000_000, 145_000_000)

    assert choose_buckets(size, 3_400_000_000) == 512
    with pytest.raises(ImpasseError, match=r"3.3 GB of memory are too little(.|\n)*at least 3.4 GB"):
        choose_buckets(size, 3_300_000_000)


def test_files_that_are_looked_up_whole_count() -> None:
    """Ten million visits take 3 GB."""
    size = Size(1_000, 30_000, n_looked_up=10_000_000)

    with pytest.raises(ImpasseError, match=r"at least 3.7 GB"):
        choose_buckets(size, 3_600_000_000)
