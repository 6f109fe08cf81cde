"""Several columns sorted as one number: the same order as sorting by all of them."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from impasse.transforms.kernels.packing import sort_packed

ROWS = pl.DataFrame(
    {
        "person": [3, 0, 3, 0, 3, 1],
        "day": [date(2010, 1, 2), date(1899, 1, 1), None, date(2300, 12, 31), date(2010, 1, 2), None],
        "rank": [1, 0, 5, 2, None, 4],
    },
    schema={"person": pl.UInt32, "day": pl.Date, "rank": pl.UInt32},
)


def test_rows_are_in_the_order_of_all_their_columns() -> None:
    """The first column first, null before every value, nothing lost and every type kept."""
    found = sort_packed(ROWS)

    assert found.rows() == ROWS.sort("person", "day", "rank").rows()
    assert found.schema == ROWS.schema


@pytest.mark.parametrize("largest", [2**20, 2**35, 2**62])
def test_numbers_too_large_for_one_are_sorted_all_the_same(largest: int) -> None:
    """Two columns of 20 bits fit into one number; two of 35, or of 62, do not."""
    rows = pl.DataFrame({"a": [largest, 0, largest, None], "b": [largest, 1, 0, -largest]})

    assert sort_packed(rows).rows() == rows.sort("a", "b").rows()


def test_no_rows_stay_none() -> None:
    """A bucket may hold no row of a table."""
    assert sort_packed(ROWS.clear()).schema == ROWS.schema
