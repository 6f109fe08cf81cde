"""Sums of weights by whether a value reaches what is wanted."""

import numpy as np

from impasse.transforms.kernels.sums import sums_reaching


def sums(values: list[int], unit: float = 10.0, wanted: float = 1.0) -> list[list[int]]:
    """The sums of one group over three rows that weigh 1, 2 and 4."""
    n, weight = len(values), np.array([1, 2, 4])
    of_rows = (weight, np.array(values), np.zeros(n, dtype=np.int64), np.array([unit]))
    return [total.tolist() for total in sums_reaching(np.array([0, n]), np.array([0]), 1, *of_rows, wanted)]


def test_a_value_counts_from_the_wanted_multiple_of_its_unit_on() -> None:
    """Of 9, 10 and 11 the last two reach 10."""
    assert sums([9, 10, 11]) == [[7], [6], [6], [True]]


def test_an_unknown_value_may_be_enough() -> None:
    """A negative value is not known: it is in the upper sum only."""
    assert sums([10, -1, 9]) == [[7], [1], [3], [True]]


def test_without_a_unit_no_value_is_known_to_be_enough() -> None:
    """Nothing is sure, and everything possible."""
    assert sums([9, 10, 11], unit=np.nan) == [[7], [0], [7], [True]]


def test_spans_of_one_group_are_summed_together() -> None:
    """Groups need not be in the order of their spans; one without a span has nothing."""
    borders, group_of_span = np.array([0, 1, 2, 3]), np.array([2, 0, 2])
    of_rows = (np.array([1, 2, 4]), np.array([10, 10, 9]), np.zeros(3, dtype=np.int64), np.array([10.0]))

    total, at_least, at_most, is_possible = sums_reaching(borders, group_of_span, 3, *of_rows, 1.0)

    assert total.tolist() == [2, 0, 5]
    assert at_least.tolist() == at_most.tolist() == [2, 0, 1]
    assert is_possible.tolist() == [True, False, True]


def test_a_row_without_weight_may_be_enough() -> None:
    """It adds to no sum, and yet one of the group may be at the dose."""
    no_weight = (np.array([0]), np.array([10]), np.zeros(1, dtype=np.int64), np.array([10.0]))

    assert [told.tolist() for told in sums_reaching(np.array([0, 1]), np.array([0]), 1, *no_weight, 1.0)] == [
        [0],
        [0],
        [0],
        [True],
    ]
