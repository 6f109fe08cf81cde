"""Drafts: what a source reads out of delivered rows, before anything is judged.

A source (a registry's mapping, OMOP) turns each delivered file into drafts; `clean` turns drafts into
canonical tables. Millions of delivered rows say few different things: the same drug in the same package,
the same code in the same setting. So what is said is read `once` for all the rows that say it, and so is
each person and each day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from schemas.mapping import missing_column, odd_type

# The ATC code of a drug that is known and is none of ours: accepted, and not in the canonical table.
OTHER_DRUG = ""
DATE_LENGTH = {"%Y": 4, "%m": 2, "%d": 2, "%b": 3}
# No amount handed out at once, and no number of days in a life, is larger.
LARGEST = 100_000
_READABLE = (pl.String, pl.Categorical, pl.Enum, pl.Boolean, pl.Date, pl.Datetime, pl.Null)
# A name no delivered column can be expected to have.
_PLACE = "#place"
_NO_RUN = 2**32 - 1
# A float holds whole numbers exactly up to here.
_EXACT = 2.0**53
# One comma before three digits parts thousands to some and is the decimal comma of others; after a nought it is one.
_AMBIGUOUS = r"^[+-]?[1-9][0-9]{0,2},[0-9]{3}$"


@dataclass(frozen=True)
class Draft:
    """Delivered rows of one canonical table, and the facts read out of them.

    `facts` has one or more rows per delivered row, all of one `row` number. `rule` is filled where the
    source could not read a value that is there. Where `said` is given, facts hold only who and when, and
    in `said` the number of what they say; `said` has all else under that number, 0 to the last, each at
    least once: a contact with three codes says three things under one number.
    """

    delivered: pl.DataFrame
    facts: pl.DataFrame
    said: pl.DataFrame | None = None


def once(frame: pl.DataFrame, columns: list[str]) -> tuple[pl.DataFrame, pl.Series]:
    """The different rows of some columns in order of appearance, and for each row of the frame the number of its own.

    What is then read of the different rows holds for all that are like them. One column, most of whose cells
    repeat the one above, as persons do in a sorted file, is taken run by run; a value may then come again.
    """
    told = frame.select(columns)
    if len(columns) == 1:
        run = told.to_series().rle_id()
        starts = run.to_frame("run").select(pl.arg_where(pl.col("run") != pl.col("run").shift(fill_value=_NO_RUN)))
        if starts.height * 2 <= frame.height:
            return told[starts.to_series()], run
    places = told.lazy().with_row_index(_PLACE).group_by(columns, maintain_order=True).agg(_PLACE)
    grouped = places.collect(engine="in-memory")
    number = np.empty(frame.height, dtype=np.uint32)
    n_alike = grouped[_PLACE].list.len().to_numpy()
    number[grouped[_PLACE].explode(empty_as_null=False).to_numpy()] = np.repeat(np.arange(grouped.height), n_alike)
    return grouped.drop(_PLACE), pl.Series(number)


def text(frame: pl.DataFrame, column: str, missing: Iterable[str] = ()) -> pl.Expr:
    """A delivered column as text without surrounding space; blank and `missing` words are null.

    A whole number is written without ".0" though it comes as a float, as integers with gaps do.
    """
    value = _spelled(pl.col(column)) if frame.schema[column].is_float() else pl.col(column).cast(pl.String)
    value = value.str.strip_chars()
    return pl.when(~value.is_in(["", *missing])).then(value)


def _spelled(number: pl.Expr) -> pl.Expr:
    value = number.fill_nan(None)
    is_whole = (value == value.round()) & (value.abs() < _EXACT)
    whole = value.cast(pl.Int64, strict=False).cast(pl.String)
    return pl.when(is_whole).then(whole).otherwise(value.cast(pl.String))


def key(frame: pl.DataFrame, column: str, missing: Iterable[str] = ()) -> pl.Expr:
    """A delivered identifier as text; 12.0, as some tools write integers with gaps, is 12 in text files too."""
    return text(frame, column, missing).str.strip_suffix(".0")


def number(value: pl.Expr) -> pl.Expr:
    """Text as a number; a decimal comma is a decimal point. Null where it cannot be told: 1,234 is not read."""
    parsed = value.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    return pl.when(parsed.is_finite() & ~value.str.contains(_AMBIGUOUS)).then(parsed)


def day(value: pl.Expr, formats: Iterable[str], partial: str = "middle") -> pl.Expr:
    """Text as a date, by the first format it fits; a missing day or month becomes the `partial` end of its span.

    A value must have exactly the length of its format, but for a time of day after it: the parser
    alone takes 2008906 for a date.
    """
    return pl.coalesce([_as_date(value, form, partial) for form in formats])


def _as_date(value: pl.Expr, form: str, partial: str) -> pl.Expr:
    length = len(form) + sum(form.count(token) * (n - 2) for token, n in DATE_LENGTH.items())
    has_time = value.str.slice(length, 1).is_in([" ", "T"])
    fits = pl.when(value.str.len_bytes() == length).then(value).when(has_time).then(value.str.head(length))
    if "%d" in form:
        return fits.str.to_date(form, strict=False)
    if "%m" in form:
        first = pl.concat_str(fits, pl.lit("|01")).str.to_date(f"{form}|%d", strict=False)
        return {"first": first, "middle": first.dt.offset_by("14d"), "last": first.dt.month_end()}[partial]
    first = pl.concat_str(fits, pl.lit("|01|01")).str.to_date(f"{form}|%m|%d", strict=False)
    last = first.dt.offset_by("1y").dt.offset_by("-1d")
    return {"first": first, "middle": first.dt.offset_by("6mo"), "last": last}[partial]


def code(value: pl.Expr, prefix: str = "") -> pl.Expr:
    """A code in one spelling: upper case, letters and digits only, without the register's own prefix letter.

    The prefix goes only where a letter follows: DF321 is F321, while D50 stays.
    """
    plain = value.str.to_uppercase().str.replace_all("[^A-Z0-9]", "")
    plain = plain.str.replace(f"^{prefix}([A-Z])", "$1") if prefix else plain
    return pl.when(plain != "").then(plain)


def find(frame: pl.DataFrame, spellings: tuple[str, ...], file: str, optional: bool = False) -> str | None:
    """The frame's own spelling of a column, by the first of its accepted names that is there.

    A column that is no text, number or date is refused.
    """
    there = {column.lower(): column for column in reversed(frame.columns)}
    found = next((there[name.lower()] for name in spellings if name.lower() in there), None)
    if found is None and not optional:
        raise missing_column(spellings, frame.columns, file)
    return found and readable(frame, found, file)


def readable(frame: pl.DataFrame, column: str, file: str) -> str:
    """The column, if it is of a type that can be read."""
    kind = frame.schema[column]
    if not (kind.is_numeric() or any(kind == known for known in _READABLE)):
        raise odd_type(column, str(kind.base_type()), file)
    return column
