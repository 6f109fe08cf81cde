"""Memory: what a run takes, how many parts it works on at a time, and when it is told that it is too little."""

from __future__ import annotations

import pytest

from impasse.schemas.errors import ImpasseError
from impasse.transforms.partition.memory import Size, parts_at_a_time, require_to_read

MILLION = Size(1_000_000, 29_000_000)
GB = 10**9
PROGRAM = 700_000_000
PART = 30_000_000 * 1_125 // 32  # of a million persons in 32 parts


def test_as_many_parts_at_a_time_as_there_are_workers() -> None:
    """Where memory is plenty."""
    assert parts_at_a_time(MILLION, 32, 64 * GB, workers=8) == 8
    assert parts_at_a_time(MILLION, 32, 64 * GB, workers=1) == 1


def test_fewer_parts_at_a_time_where_memory_is_short() -> None:
    """A byte less than two parts take is one part at a time."""
    assert parts_at_a_time(MILLION, 32, PROGRAM + 2 * PART, workers=8) == 2
    assert parts_at_a_time(MILLION, 32, PROGRAM + 2 * PART - 1, workers=8) == 1


def test_a_process_of_its_own_holds_a_program_of_its_own() -> None:
    """What is enough for two threads is enough for two processes only with a program for each."""
    assert parts_at_a_time(MILLION, 32, PROGRAM + 2 * PART, workers=8, in_processes=True) == 1
    assert parts_at_a_time(MILLION, 32, PROGRAM + 2 * (PART + PROGRAM), workers=8, in_processes=True) == 2


def test_memory_for_one_part_is_needed() -> None:
    """A byte less is refused, with what is needed."""
    one = Size(40_000, 2_000_000)
    needed = PROGRAM + 2_040_000 * 1_125

    assert parts_at_a_time(one, 1, needed, workers=8) == 1
    with pytest.raises(ImpasseError, match=r"(?s)2\.9 GB of memory are too little.*at least 3\.0 GB"):
        parts_at_a_time(one, 1, needed - 1, workers=8)


def test_memory_to_read_the_delivery_is_needed() -> None:
    """Five million persons, their pieces and the rows of files looked up take what they take, in however many parts."""
    size = Size(5_000_000, 145_000_000, n_looked_up=1_000_000)
    needed = PROGRAM + 800_000_000 + 5_000_000 * 400 + 1_000_000 * 300

    assert parts_at_a_time(size, 1024, needed, workers=1) == 1
    with pytest.raises(ImpasseError, match=r"(?s)too little.*at least 3\.8 GB"):
        parts_at_a_time(size, 1024, needed - 1, workers=1)


def test_row_groups_that_are_read_at_once_are_needed() -> None:
    """Where they are more than other pieces of files; a byte less is refused, in the words of the command."""
    size = Size(1_000, 10_000, n_bytes_at_once=3 * GB)
    needed = PROGRAM + 1_000 * 400 + 3 * GB

    assert parts_at_a_time(size, 1, needed, workers=1) == 1
    require_to_read(size, needed)
    with pytest.raises(ImpasseError, match=r"(?s)or --memory.*at least 3\.8 GB.*in smaller row groups"):
        parts_at_a_time(size, 1, needed - 1, workers=1)
    with pytest.raises(ImpasseError, match=r"(?s)output\.memory\n.*at least 3\.8 GB.*in smaller row groups"):
        require_to_read(size, needed - 1)


def test_to_read_a_delivery_takes_less_than_to_classify_it() -> None:
    """A check needs no memory for parts."""
    size = Size(40_000, 2_000_000)

    require_to_read(size, PROGRAM + 800_000_000 + 40_000 * 400)
    with pytest.raises(ImpasseError, match=r"(?s)output\.memory\n.*\n  do:       Allow more"):
        require_to_read(size, PROGRAM + 800_000_000 + 40_000 * 400 - 1)
