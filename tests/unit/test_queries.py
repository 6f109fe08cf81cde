"""Queries keep the order of their rows."""

import polars as pl
from polars import col, when

from impasse.transforms.kernels.queries import collect_in_order


def test_groups_come_in_the_order_of_their_rows() -> None:
    """A choice with a null branch after a grouping leaves the groups in order, as the optimizer does not."""
    rows = pl.LazyFrame({"group": [n // 3 for n in range(3000)], "value": range(3000)})
    lowest = rows.group_by("group", maintain_order=True).agg(col("value").min())

    found = collect_in_order(lowest.select("group", is_low=when(col("value") < 2).then(True)))

    assert found["group"].to_list() == list(range(1000))


def test_the_else_branch_is_null() -> None:
    """What is not known stays unknown."""
    rows = pl.LazyFrame({"value": [1, 3, None]})

    assert collect_in_order(rows.select(when(col("value") < 2).then(True))).to_series().to_list() == [True, None, None]
