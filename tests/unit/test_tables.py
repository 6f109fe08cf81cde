"""Drawn tables: what the tests themselves stand on."""

from datetime import date

import polars as pl
import pytest

from tests.tables import assert_shows, table


def test_each_column_is_read_as_what_its_cells_are() -> None:
    """Truth values, whole numbers, numbers, dates and text each get their own type."""
    drawn = table("""
        treated | days | dose | date       | drug
        true    | 28   | 0.5  | 2010-01-31 | sertraline
        false   | 27   | 20   | 2010-02-01 | N06A
    """)

    assert drawn.schema == {
        "treated": pl.Boolean, "days": pl.Int64, "dose": pl.Float64, "date": pl.Date, "drug": pl.String
    }  # fmt: skip
    assert drawn.row(0) == (True, 28, 0.5, date(2010, 1, 31), "sertraline")


def test_a_dash_or_a_blank_is_not_recorded() -> None:
    """A dash and a blank cell are null, and do not change the column's type."""
    drawn = table("""
        days | dose
        -    | 10
        28   |
    """)

    assert drawn.rows() == [(None, 10), (28, None)]
    assert drawn.dtypes == [pl.Int64, pl.Int64]


def test_spaces_separate_cells_where_there_is_no_bar() -> None:
    """A table aligned by spaces reads as the same table with bars."""
    spaced = table("""
        days  drug
        28    sertraline
        -     venlafaxine
    """)

    assert spaced.rows() == [(28, "sertraline"), (None, "venlafaxine")]


def test_a_cell_between_bars_may_hold_spaces() -> None:
    """With bars, a row can be named for what it is."""
    assert table("case | days\none short | 27").rows() == [("one short", 27)]


def test_a_code_with_a_leading_letter_stays_text() -> None:
    """One cell that is no number makes the column text."""
    assert table("code\n296\nF322")["code"].to_list() == ["296", "F322"]


def test_a_column_that_is_never_filled_is_null_throughout() -> None:
    """An all-blank column is there, and null."""
    assert table("day | note\n1 | -\n2 | -")["note"].to_list() == [None, None]


def test_a_header_alone_is_an_empty_table() -> None:
    """No rows: the columns are there all the same."""
    empty = table("person | date")

    assert (empty.columns, empty.height) == (["person", "date"], 0)


def test_a_line_with_a_missing_cell_is_refused() -> None:
    """A row with too few cells is a slip of the pen, not a null."""
    with pytest.raises(ValueError, match="1 cells under 2 columns"):
        table("""
            days  drug
            28
        """)


def test_shows_compares_the_drawn_columns_in_any_order_of_rows() -> None:
    """Columns not drawn are not looked at, nor is the order of rows."""
    actual = pl.DataFrame({"days": [27, 28], "drug": ["a", None], "more": [1, 2]}, schema_overrides={"days": pl.Int32})

    assert_shows(actual, "drug | days\n- | 28\na | 27")


def test_shows_fails_on_another_value() -> None:
    """A single different cell fails."""
    with pytest.raises(AssertionError):
        assert_shows(pl.DataFrame({"days": [27]}), "days\n28")


def test_shows_fails_on_null_for_a_value() -> None:
    """Unknown is not the same as a value."""
    with pytest.raises(AssertionError):
        assert_shows(pl.DataFrame({"days": [None]}, schema={"days": pl.Int32}), "days\n0")


def test_shows_fails_on_a_missing_row() -> None:
    """A row more or less fails."""
    with pytest.raises(AssertionError):
        assert_shows(pl.DataFrame({"days": [27, 27]}), "days\n27")
