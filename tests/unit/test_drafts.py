"""Reading once what many rows say: the different rows, and for each row the number of its own."""

from __future__ import annotations

import polars as pl
import pytest

from transforms.drafts import once

MIXED = pl.DataFrame(
    {
        "word": ["a", "b", "a", None, "b", "a"],
        "amount": [1.0, float("nan"), 1.0, None, float("nan"), 2.0],
        "nothing": [None] * 6,
    }
)


@pytest.mark.parametrize("columns", [["word"], ["word", "amount"], ["word", "amount", "nothing"]])
def test_each_row_finds_its_own(columns: list[str]) -> None:
    """Put together again, the different rows are the rows; null and "not a number" are like themselves."""
    different, number = once(MIXED, columns)

    assert different[number].equals(MIXED.select(columns), null_equal=True)


def test_different_rows_come_once_each() -> None:
    """Four different pairs, in order of appearance."""
    different, number = once(MIXED, ["word", "amount"])

    assert different["word"].to_list() == ["a", "b", None, "a"]
    assert number.to_list() == [0, 1, 0, 2, 1, 3]


def test_a_sorted_column_is_taken_run_by_run() -> None:
    """Two rows a run are enough; with fewer the values are looked for one by one, and come once each."""
    in_runs, of_row = once(pl.DataFrame({"id": ["a", "a", "b", "b", "a", "a"]}), ["id"])
    mixed, _ = once(pl.DataFrame({"id": ["a", "b", "b", "a", "b", "a"]}), ["id"])

    assert (in_runs["id"].to_list(), of_row.to_list()) == (["a", "b", "a"], [0, 0, 1, 1, 2, 2])
    assert mixed["id"].to_list() == ["a", "b"]


def test_no_rows_say_nothing() -> None:
    """A piece may hold no row that the layout chooses."""
    different, number = once(MIXED.clear(), ["word", "amount"])

    assert (different.height, len(number)) == (0, 0)
