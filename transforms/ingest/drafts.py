"""Drafts: what a source reads out of delivered rows, before anything is judged.

A source (a registry's mapping, OMOP) turns each delivered file into drafts; `clean` turns drafts into
canonical tables. Millions of delivered rows say few different things: the same drug in the same package,
the same code in the same setting. So what is said is read `once` for all the rows that say it, and so is
each person and each day.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import polars as pl

from impasse.schemas.delivered import missing_column, odd_type
from impasse.schemas.forms import DecimalMark
from impasse.schemas.months import Language, month_numbers
from impasse.schemas.unfit import inexact_ids, unknown_zone

# The ATC code of a drug that is known and is none of ours: accepted, and not in the canonical table.
OTHER_DRUG = ""
DATE_LENGTH = {"%Y": 4, "%m": 2, "%d": 2}
# A code has no space, comma or sign of joining within it, but for a comma before its last one or two places.
_DECIMAL_COMMA = ",([0-9][0-9A-Z]?)$"
# A blank after the first letter, before a dot, or before the side (R, L, B) or the certainty (G) of a German code parts
# no codes: none is one letter long. Other marks stay: a diagnosis is suspected (V), ruled out (A) or past (Z).
_BLANKS_WITHIN = ((r"^([A-Z])\s+([0-9])", "$1$2"), (r"\s+([.][0-9A-Z])", "$1"))
_CERTAIN, _SIDE = r"\s+G$", r"[\s:]+([RLB])$"
_BETWEEN_CODES = r"[\s,;:|/&+*\u2020]+"
# No amount handed out at once, and no number of days in a life, is larger.
LARGEST = 100_000
_READABLE = (pl.String, pl.Categorical, pl.Enum, pl.Boolean, pl.Date, pl.Datetime, pl.Null)
# A name no delivered column can be expected to have.
_PLACE = "#place"
_NO_RUN = 2**32 - 1
# A float holds whole numbers exactly below this.
_EXACT: dict[type[pl.DataType], float] = {pl.Float64: 2.0**53, pl.Float32: 2.0**24}
# The days of the years 1 to 9999, and how many units of a time make a day.
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
_A_DAY = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
_LARGEST_TIME = 2**63 - 1
_OFFSET = re.compile(r"([+-])([01][0-9]):?([0-5][0-9])")
# How a date is written whose day, or day and month, is left out.
_SHORT = ("%Y-%m", "%Y%m", "%Y")
# A time of day after a date, as databases, spreadsheets and registers write it: with marks or, after a T, without; to
# the minute or finer; perhaps of twelve hours, perhaps with a zone. 24:00 ends the day that is written.
_MINUTES = r"(?:[01]?[0-9]|2[0-3]){mark}[0-5][0-9](?:{mark}(?:[0-5][0-9]|60)(?:[.,][0-9]+)?)?"
_CLOCKS = (_MINUTES.format(mark=":"), _MINUTES.format(mark="[.]"), r"24:00(?::00(?:[.,]0+)?)?")
_COMPACT = r"(?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9](?:[.,][0-9]+)?)?"
_ZONE = r"(?: ?[AaPp][Mm])?(?: ?(?:Z|UTC|GMT|[+-][01][0-9](?::?[0-5][0-9])?))?"
_TIME_OF_DAY = f"^(?:[ T](?:{'|'.join(_CLOCKS)})|T{_COMPACT}){_ZONE}$"
# One comma before three digits parts thousands to some and is the decimal comma of others; after a nought it is one.
# Where the comma is stated to be the decimal mark, the same is to be said of the point.
_AMBIGUOUS = "^[+-]?[1-9][0-9]{{0,2}}[{mark}][0-9]{{3}}$"
# Blanks, also those that no line is broken at, and the other mark part thousands where the decimal mark is stated.
_BLANKS = (" ", "\u00a0", "\u202f")
_THOUSANDS = {",": (".", *_BLANKS), ".": (",", *_BLANKS)}


@dataclass(frozen=True)
class Draft:
    """Delivered rows of one canonical table, and the facts read out of them.

    `facts` has one or more rows per delivered row, all of one `row` number. `rule` is filled where the
    source could not read a value that is there. Where `said` is given, facts hold only who and when, and
    in `said` the number of what they say; `said` has all else under that number, 0 to the last, each at
    least once: a contact with three codes says three things under one number. `counts` is what a note on the delivery
    is made of, by name: counts of these rows that are added up. `n_apart` counts rows of the file, read with these,
    that are not of the table.
    """

    delivered: pl.DataFrame
    facts: pl.DataFrame
    said: pl.DataFrame | None = None
    counts: dict[Hashable, int] = field(default_factory=dict)
    n_apart: int = 0


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

    A whole number is written without ".0" though it comes as a float, as integers with gaps do, or as a decimal.
    """
    value = _spelled(pl.col(column), frame.schema[column]).str.strip_chars()
    return pl.when(~value.is_in(["", *missing])).then(value)


def _spelled(value: pl.Expr, kind: pl.DataType) -> pl.Expr:
    if kind.is_float():
        return _spelled_float(value.fill_nan(None), _EXACT[kind.base_type()])
    if isinstance(kind, pl.Decimal) and kind.scale:
        return value.cast(pl.String).str.strip_chars_end("0").str.strip_suffix(".")
    if isinstance(kind, pl.Datetime | pl.Date):
        return pl.when(calendar_day(value, kind).is_not_null()).then(value).cast(pl.String)
    return value.cast(pl.String)


def _spelled_float(value: pl.Expr, exact: float) -> pl.Expr:
    is_whole = (value == value.round()) & (value.abs() < exact)
    whole = value.cast(pl.Int64, strict=False).cast(pl.String)
    return pl.when(is_whole).then(whole).otherwise(value.cast(pl.String))


def key(frame: pl.DataFrame, column: str, file: str, missing: Iterable[str] = ()) -> pl.Expr:
    """A delivered identifier as text; 12.0, as some tools write integers with gaps, is 12 in text files too.

    A column of floating point numbers, one of which is too large to be exact, is refused.
    """
    kind = frame.schema[column]
    if kind.is_float() and (frame[column].fill_nan(None).abs() >= _EXACT[kind.base_type()]).any():
        raise inexact_ids(column, file)
    return text(frame, column, missing).str.replace(r"\.0+$", "")


def parse_number(value: pl.Expr, decimal: DecimalMark | None = None) -> pl.Expr:
    """Text as a number, with a decimal point or comma; null where it cannot be told.

    No mark stated: 1,234 is not read. With a comma, 28,000 is 28, 1.234,5 and 1 234,5 are 1234.5, and 1.234 is not
    read: it is either a thousand or one and a bit. 49.5 can be nothing but itself.
    """
    plain = _together(value, decimal) if decimal else value
    parsed = plain.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    is_ambiguous = value.str.contains(_AMBIGUOUS.format(mark="." if decimal == "," else ","))
    return pl.when(parsed.is_finite() & ~is_ambiguous).then(parsed)


def _together(value: pl.Expr, decimal: DecimalMark) -> pl.Expr:
    """A number without the marks that part its thousands, which are the same throughout."""
    groups = "|".join(f"(?:[{mark}][0-9]{{3}})+" for mark in _THOUSANDS[decimal])
    is_parted = value.str.contains(f"^[+-]?[1-9][0-9]{{0,2}}(?:{groups})(?:[{decimal}][0-9]+)?$")
    marks = "".join(_THOUSANDS[decimal])
    return pl.when(is_parted).then(value.str.replace_all(f"[{marks}]", "")).otherwise(value)


def calendar_day(value: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """The day of a date or a time: of a time with a zone the day that it is there.

    Null before the year 1 and after 9999. Polars itself gives the day in Greenwich, and panics far from our years.
    """
    number = time_there(value, kind) // _A_DAY[kind.time_unit] if isinstance(kind, pl.Datetime) else value.to_physical()
    return pl.when(number.is_between(_FIRST_DAY, _LAST_DAY)).then(number).cast(pl.Int32).cast(pl.Date)


def time_there(value: pl.Expr, kind: pl.Datetime) -> pl.Expr:
    """What the clock shows where the zone is, in the units of the time since 1970."""
    time, a_day = value.to_physical(), _A_DAY[kind.time_unit]
    if kind.time_zone is None:
        return time
    if offset := _OFFSET.fullmatch(kind.time_zone):
        sign, hours, minutes = offset.groups()
        return time + int(f"{sign}1") * (60 * int(hours) + int(minutes)) * a_day // 1440
    first, last = max(_FIRST_DAY * a_day, -_LARGEST_TIME), min(_LAST_DAY * a_day, _LARGEST_TIME)
    return pl.when(time.is_between(first, last)).then(value).dt.replace_time_zone(None).to_physical()


@lru_cache
def _is_known(zone: str) -> bool:
    """Whether the clock of a zone is known; one by its distance from Greenwich always is."""
    try:
        pl.Series([], dtype=pl.Datetime("us", zone)).dt.replace_time_zone(None)
    except pl.exceptions.ComputeError:
        return _OFFSET.fullmatch(zone) is not None
    return True


def day(value: pl.Expr, formats: Iterable[str], partial: str = "middle", language: Language | None = None) -> pl.Expr:
    """Text as a date, by the first format it fits; a missing day or month becomes the `partial` end of its span.

    A value must have exactly the length of its format, but for a time of day after it: the parser alone takes 2008906
    for a date. The day is the one that is written, whatever the zone, also before 24:00, at which it ends. A month's
    name may be of any length, in English or the language.
    """
    return pl.coalesce([_as_date(value, form, partial, language) for form in formats])


def day_of_span(value: pl.Expr, formats: Iterable[str], partial: str, language: Language | None = None) -> pl.Expr:
    """As `day`, for births and deaths: an unknown day or month may also be written 00, or left out of any format."""
    told = list(formats)
    without = [_without_day(value, form, partial, language) for form in told if {"%Y", "%d"} <= set(_tokens(form))]
    return pl.coalesce(day(value, told, partial, language), *without, day(value, _SHORT, partial))


def _as_date(value: pl.Expr, form: str, partial: str, language: Language | None) -> pl.Expr:
    value, form = _in_figures(value, form, language)
    fits = _fitting(value, form)
    if "%d" in form:
        return fits.str.to_date(form, strict=False)
    if "%m" in form:
        return _in_month(pl.concat_str(fits, pl.lit("|01")).str.to_date(f"{form}|%d", strict=False), partial)
    return _in_year(pl.concat_str(fits, pl.lit("|01|01")).str.to_date(f"{form}|%m|%d", strict=False), partial)


def _without_day(value: pl.Expr, form: str, partial: str, language: Language | None) -> pl.Expr:
    """Text as a date by a format with a day, where the day is 00, or month and day are."""
    value, form = _in_figures(value, form, language)
    cells = _cells(_fitting(value, form), form)
    no_day, no_month = (
        pl.any_horizontal(pl.lit(False), *(cell == "00" for token, cell in cells if token == unknown))
        for unknown in ("%d", "%m")
    )
    filled = [cell.replace("00", "01") if token in ("%d", "%m") else cell for token, cell in cells]
    first = pl.concat_str(filled).str.to_date(form, strict=False)
    return pl.when(no_day & no_month).then(_in_year(first, partial)).when(no_day).then(_in_month(first, partial))


def _cells(text: pl.Expr, form: str) -> list[tuple[str, pl.Expr]]:
    """What is written for each part of a format."""
    tokens = _tokens(form)
    lengths = [DATE_LENGTH.get(token, 1) for token in tokens]
    return [(token, text.str.slice(sum(lengths[:n]), lengths[n])) for n, token in enumerate(tokens)]


def _fitting(value: pl.Expr, form: str) -> pl.Expr:
    """The text without a time of day, which only a format with a day has, if it is as long as the format makes it."""
    length = sum(DATE_LENGTH.get(token, 1) for token in _tokens(form))
    has_time = value.str.slice(length).str.contains(_TIME_OF_DAY) if "%d" in form else pl.lit(False)
    return pl.when(value.str.len_bytes() == length).then(value).when(has_time).then(value.str.head(length))


def _tokens(form: str) -> list[str]:
    return re.findall("%.|.", form)


def _in_month(first: pl.Expr, partial: str) -> pl.Expr:
    return {"first": first, "middle": first.dt.offset_by("14d"), "last": first.dt.month_end()}[partial]


def _in_year(first: pl.Expr, partial: str) -> pl.Expr:
    last = first.dt.offset_by("1y").dt.offset_by("-1d")
    return {"first": first, "middle": first.dt.offset_by("6mo"), "last": last}[partial]


def _in_figures(value: pl.Expr, form: str, language: Language | None) -> tuple[pl.Expr, str]:
    """A date and its format with the number of the month where its name was."""
    return (_with_month_number(value, form, language), form.replace("%b", "%m")) if "%b" in form else (value, form)


def _with_month_number(value: pl.Expr, form: str, language: Language | None) -> pl.Expr:
    """A date with the number of its month for the name, which may be shortened by a dot; null without such a name."""
    dot = "" if "%b." in form else r"\.?"
    parts = [value.str.extract(rf"^(\P{{L}}*)(\p{{L}}+){dot}(.*)$", n) for n in (1, 2, 3)]
    number = parts[1].str.to_lowercase().replace_strict(month_numbers(language), default=None, return_dtype=pl.String)
    return pl.concat_str(parts[0], number, parts[2])


def code(value: pl.Expr, prefix: str = "") -> pl.Expr:
    """A code in one spelling: upper case, letters and digits only, without the register's own prefix letter.

    The prefix goes only where a letter follows: DF321 is F321, while D50 stays. Several codes in one cell stay
    apart, with a space between them, which no code has: F32.1 F41.1 is not F321F411. Blanks within one code go, as in
    F 32.1, and so does the G of a sure diagnosis after one (F32.1 G).
    """
    return value.map_batches(lambda cells: _codes(cells, prefix), return_dtype=pl.String, is_elementwise=True)


def _codes(cells: pl.Series, prefix: str) -> pl.Series:
    """The codes in cells, each different one spelled once."""
    different, number = once(cells.alias("code").to_frame(), ["code"])
    return different.select(_in_one_spelling(pl.col("code"), prefix)).to_series().gather(number)


def _in_one_spelling(value: pl.Expr, prefix: str) -> pl.Expr:
    bare = value.str.to_uppercase().str.replace_all("^[^A-Z0-9]+|[^A-Z0-9]+$", "")
    bare = bare.str.replace(_CERTAIN, "").str.replace(_SIDE, "$1")
    for within, together in _BLANKS_WITHIN:
        bare = bare.str.replace(within, together)
    apart = bare.str.replace(_DECIMAL_COMMA, "$1").str.replace_all(_BETWEEN_CODES, " ")
    plain = apart.str.replace_all("[^A-Z0-9 ]", "")
    plain = plain.str.replace(f"^{prefix}([A-Z])", "$1") if prefix else plain
    return pl.when(plain != "").then(plain)


def find_column(frame: pl.DataFrame, spellings: tuple[str, ...], file: str, optional: bool = False) -> str | None:
    """The frame's own spelling of a column, by the first of its accepted names that is there.

    A column that is no text, number or date is refused.
    """
    return _there(frame, spellings, file) if optional else require_column(frame, spellings, file)


def require_column(frame: pl.DataFrame, spellings: tuple[str, ...], file: str) -> str:
    """The same for a column that must be there."""
    found = _there(frame, spellings, file)
    if found is None:
        raise missing_column(spellings, frame.columns, file)
    return found


def _there(frame: pl.DataFrame, spellings: tuple[str, ...], file: str) -> str | None:
    there = {column.lower(): column for column in reversed(frame.columns)}
    found = next((there[name.lower()] for name in spellings if name.lower() in there), None)
    return found and readable(frame, found, file)


def readable(frame: pl.DataFrame, column: str, file: str) -> str:
    """The column, if it is of a type that can be read."""
    kind = frame.schema[column]
    if not (kind.is_numeric() or any(kind == known for known in _READABLE)):
        raise odd_type(column, str(kind.base_type()), file)
    if isinstance(kind, pl.Datetime) and kind.time_zone and not _is_known(kind.time_zone):
        raise unknown_zone(column, file)
    return column
