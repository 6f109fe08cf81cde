"""Rows that lie together: sums between borders, a look at the rows before, ranges, sorting."""

import numpy as np

from impasse.transforms.kernels.segments import Segments, distinct, in_order, places, ragged

KEYS = np.array([3, 3, 3, 5, 9, 9])
NOTHING = np.array([], dtype=np.int64)


def test_rows_of_one_key_are_one_group() -> None:
    """Where a key changes a group begins."""
    groups = Segments(KEYS)

    assert groups.first.tolist() == [0, 3, 4]
    assert groups.of.tolist() == [0, 0, 0, 1, 2, 2]
    assert groups.rank.tolist() == [0, 1, 2, 0, 0, 1]
    assert groups.lengths.tolist() == [3, 1, 2]


def test_a_second_key_divides_further() -> None:
    """Rows are of one group only where all keys are the same."""
    assert Segments(KEYS, np.array([1, 1, 2, 2, 2, 2])).first.tolist() == [0, 2, 3, 4]


def test_groups_are_summed_up() -> None:
    """Sum, any, largest and smallest of each group."""
    groups, values = Segments(KEYS), np.array([4, 1, 2, 7, 0, 5])

    assert groups.sum(values).tolist() == [7, 7, 5]
    assert groups.sum(values > 1).tolist() == [2, 1, 1]
    assert groups.any(values > 4).tolist() == [False, True, True]
    assert groups.max(values).tolist() == [4, 7, 5]
    assert groups.min(values).tolist() == [1, 7, 0]


def test_no_rows_are_no_groups() -> None:
    """An empty table is no special case."""
    groups = Segments(NOTHING)

    assert len(groups) == 0
    assert groups.sum(NOTHING).tolist() == []


def test_ranges_one_after_the_other() -> None:
    """Of two ranges with an empty one between."""
    of, row = ragged(np.array([4, 0, 7]), np.array([2, 0, 3]))

    assert of.tolist() == [0, 0, 2, 2, 2]
    assert row.tolist() == [4, 5, 7, 8, 9]


def test_equal_keys_keep_their_order() -> None:
    """Sorting by key does not mix what is equal."""
    assert in_order(np.array([2, 0, 2, 1, 0])).tolist() == [1, 4, 3, 0, 2]
    assert in_order(NOTHING).tolist() == []


def test_keys_too_large_for_a_row_number_beside_them_are_sorted_too() -> None:
    """62 bits leave room for one more, 63 do not: the order is the same on both sides."""
    for bits in (60, 61, 62, 63):
        large = (1 << bits) - 1
        assert in_order(np.array([large, 7, large, large - 1, 7])).tolist() == [1, 4, 3, 0, 2]


def test_distinct_keys_come_once_and_in_order() -> None:
    """Also below zero."""
    assert distinct(np.array([5, -1, 5, 0])).tolist() == [-1, 0, 5]
    assert distinct(NOTHING).tolist() == []


def test_each_key_has_its_place_among_the_different_ones() -> None:
    """Equal keys share a place, smaller ones come first."""
    met, place = places(np.array([5, -1, 5, 0]))

    assert met.tolist() == [-1, 0, 5]
    assert place.tolist() == [2, 0, 2, 1]
