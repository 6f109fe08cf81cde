"""What a cell says: numbers with either mark, dates with months by name; and reading once what many rows say."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from impasse.schemas.forms import DecimalMark
from impasse.schemas.months import Language
from impasse.transforms.ingest.drafts import day, day_of_span, once, parse_number
from tests.tables import table

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


def test_numbers_by_their_decimal_mark() -> None:
    """What can be only one number is read; with a stated mark its thousands may be parted, the same way throughout."""
    drawn = table(
        """
        text      | comma   | point   | unstated
        t28,000   | 28      | -       | -
        t98,00    | 98      | 98      | 98
        t100      | 100     | 100     | 100
        t49.5     | 49.5    | 49.5    | 49.5
        t0.125    | 0.125   | 0.125   | 0.125
        t0,125    | 0.125   | 0.125   | 0.125
        t1.234    | -       | 1.234   | 1.234
        t1,234    | 1.234   | -       | -
        t1.234,5  | 1234.5  | -       | -
        t1,234.5  | -       | 1234.5  | -
        t1.234.567 | 1234567 | -      | -
        t1 234    | 1234    | 1234    | -
        t1 234,5  | 1234.5  | -       | -
        t-1.234,5 | -1234.5 | -       | -
        t12 34    | -       | -       | -
        t1.23,4   | -       | -       | -
        t1 234.567,8 | -    | -       | -
        """
    )
    text = pl.col("text").str.strip_prefix("t")
    marks: dict[str, DecimalMark | None] = {"comma": ",", "point": ".", "unstated": None}
    read = drawn.select("text", **{name: parse_number(text, mark) for name, mark in marks.items()})

    assert read.equals(drawn)


def test_a_blank_that_no_line_is_broken_at_parts_thousands() -> None:
    """Spreadsheets put one, wide or narrow, where a typist puts a blank."""
    cells = pl.DataFrame({"text": ["1\u00a0234,5", "1\u202f234,5"]})

    assert cells.select(parse_number(pl.col("text"), ","))["text"].to_list() == [1234.5, 1234.5]


def dates(texts: list[str], form: str, language: Language | None = None) -> list[date | None]:
    """What some texts say by one format."""
    return pl.DataFrame({"text": texts}).select(day(pl.col("text"), (form,), language=language))["text"].to_list()


@pytest.mark.parametrize(
    ("language", "name", "month"),
    [
        ("danish", "MAJ", 5),
        ("danish", "okt", 10),
        ("danish", "Okt.", 10),
        ("danish", "marts", 3),
        ("danish", "MAY", 5),
        ("swedish", "maj", 5),
        ("swedish", "augusti", 8),
        ("norwegian", "mai", 5),
        ("norwegian", "DES", 12),
        ("finnish", "maalis", 3),
        ("finnish", "MARRASKUUTA", 11),
        ("german", "März", 3),
        ("german", "DEZ", 12),
        ("english", "may", 5),
        (None, "Sept.", 9),
        (None, "october", 10),
    ],
)
def test_months_by_name(language: Language | None, name: str, month: int) -> None:
    """Short or in full, in any capitals, with or without a dot; English beside every language."""
    assert dates([f"02{name}2019"], "%d%b%Y", language) == [date(2019, month, 2)]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (None, "02MAJ2019"),
        ("english", "02OKT2019"),
        ("danish", "02MAI2019"),
        ("danish", "02XYZ2019"),
        ("danish", "02052019"),
        ("danish", "2MAJ2019"),
        ("danish", "32MAJ2019"),
        ("danish", "02MAJ..2019"),
    ],
)
def test_what_is_no_month_of_the_language_is_not_read(language: Language | None, text: str) -> None:
    """Nor a number where a name is expected, a day of one figure, or a day that is none."""
    assert dates([text], "%d%b%Y", language) == [None]


def test_months_by_name_in_other_places() -> None:
    """A dot may belong to the format; a time after the date is not read; a day may be unknown."""
    assert dates(["02.maj.2019", "02.majs.2019"], "%d.%b.%Y", "danish") == [date(2019, 5, 2), None]
    assert dates(["02MAJ2019 10:15"], "%d%b%Y", "danish") == [date(2019, 5, 2)]
    assert dates(["maj 2019"], "%b %Y", "danish") == [date(2019, 5, 15)]


@pytest.mark.parametrize(
    "time",
    [
        *(" 10:15", " 00:00:00", "T23:59:59", " 9:05", " 0:00:00", " 10:15:60", "T24:00:00", " 24:00", "T24:00:00.000"),
        *(" 10:15:30.1", " 10:15:30,123", " 00:00:00.0000000", "T10:15:30.123456789Z", "T10:15Z", "T10:15+01:00"),
        *(
            " 00:00:00+00",
            " 00:00:00.000 -0800",
            " 00:00:00.0000000 +02:00",
            " 00:00:00 UTC",
            " 12:00:00 AM",
            " 1:05PM",
        ),
        *(" 10.15", " 12.00.00.000000 AM", "T1015", "T101530", "T101530Z"),
    ],
)
def test_a_time_of_day_may_follow_a_date(time: str) -> None:
    """As databases, spreadsheets and registers write it; the day is the one that is written."""
    assert dates([f"2015-02-01{time}"], "%Y-%m-%d") == [date(2015, 2, 1)]


@pytest.mark.parametrize(
    "rest",
    [
        *(" ", "T", " rubbish", " rubbish 99:99", "Trubbish", " 24:01", "T24:00:01", "T25:00", " 10:60", " 10:15:61"),
        *(" 10", " 10:1", " 10:15:3", " 10:15 or later", " 10:15:30.", " 10:15+1", " 10:15 Z Z", " 1015", " 110:15"),
        *(" to 2015-02-03", " 2015-02-03", "  10:15", "x10:15", "10:15", " 10:15\n", " 10:15.30"),
    ],
)
def test_nothing_else_may_follow_a_date(rest: str) -> None:
    """Whatever stands there may change what is meant."""
    assert dates([f"2015-02-01{rest}"], "%Y-%m-%d") == [None]


def test_nothing_may_follow_a_month_or_a_year() -> None:
    """Neither a doubt nor a time of day; the month and the year alone are read."""
    texts = ["1980", "1980-05", "1980 or 1981", "1980-05 unsure", "1980 10:15", "1980-05 10:15", "1980-05-00 10:15"]
    read = pl.DataFrame({"text": texts}).select(day_of_span(pl.col("text"), ("%Y-%m-%d",), "first"))["text"].to_list()

    assert read == [date(1980, 1, 1), date(1980, 5, 1), None, None, None, None, date(1980, 5, 1)]
