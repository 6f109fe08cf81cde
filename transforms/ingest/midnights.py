"""Times that are midnights of another zone: day columns in, how many of their times are at which quarter hour out.

A program that writes days as moments writes midnight in Stockholm as 22:00 or 23:00 UTC of the day before. The times
may be written as text, or have lost their zone. Which zone was meant nobody can tell, so such columns are read as they
are, and said. Midnights west of the zone that is written keep their day.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

import polars as pl

from impasse.transforms.ingest.drafts import time_there

_KEY = "time"
_A_QUARTER = {"ms": 900_000, "us": 900_000_000, "ns": 900_000_000_000}
_AN_HOUR, _A_DAY = 4, 96  # in quarters of an hour, because some zones are no full hours apart
_FEWEST, _MOST = 20, 0.9
_TEXT = (pl.String, pl.Categorical, pl.Enum)
# How long a date in figures is before its time. What stands after it is looked at once for all rows that have it.
_LONGEST_DATE, _SHORTEST_DATE = 10, 8
_TIME = (
    r"[0-9][ T](?<hour>[0-9]{1,2})[:.]?(?<minute>[0-9]{2})(?:[:.]?(?<second>[0-9]{2}(?:[.,][0-9]+)?))?"
    r"(?:\s?(?<half>[AaPp])[.]?[Mm])?"
)

Counts = dict[Hashable, int]


def count_times(frame: pl.DataFrame, file: str, columns: Iterable[str]) -> Counts:
    """By column and quarter of an hour, from midnight on, the number of times; -1 stands for all other times."""
    counts: Counts = {}
    for column in columns:
        told = _quarters(frame[column].alias("time")).drop_nulls("quarter").group_by("quarter").agg(pl.col("n").sum())
        counts |= {(_KEY, file, column, quarter): n for quarter, n in told.iter_rows()}
    return counts


def _quarters(days: pl.Series) -> pl.DataFrame:
    """quarter, n: how many times are at which quarter hour, on the clock that the day is read by."""
    time, kind = pl.col("time"), days.dtype
    if isinstance(kind, pl.Datetime):
        quarter = _of_moment(time_there(time, kind), _A_QUARTER[kind.time_unit])
        return days.to_frame().group_by(quarter.alias("quarter")).agg(n=pl.len())
    if kind not in _TEXT:
        return pl.DataFrame(schema={"quarter": pl.Int64, "n": pl.UInt32})
    with_time = days.cast(pl.String).to_frame().filter(time.str.len_bytes() > _LONGEST_DATE)
    ends = with_time.group_by(time.str.slice(_SHORTEST_DATE - 1)).agg(n=pl.len())
    return ends.select(_of_text(time).alias("quarter"), "n")


def _of_moment(time: pl.Expr, a_quarter: int) -> pl.Expr:
    """By arithmetic alone: Polars panics far from our years."""
    is_full = time % a_quarter == 0
    return pl.when(is_full).then(time // a_quarter % _A_DAY).when(time.is_not_null()).then(pl.lit(-1))


def _of_text(text: pl.Expr) -> pl.Expr:
    cells = text.str.extract_groups(_TIME)
    hour, minute = (cells.struct.field(name).cast(pl.Int64) for name in ("hour", "minute"))
    half = cells.struct.field("half").str.to_lowercase()
    hour = pl.when(half.is_null()).then(hour).otherwise(hour % 12 + 12 * (half == "p").cast(pl.Int64))
    is_full = cells.struct.field("second").str.contains(r"[1-9]").fill_null(False).not_() & (minute % 15 == 0)
    return pl.when(is_full).then((hour * _AN_HOUR + minute // 15) % _A_DAY).when(hour.is_not_null()).then(pl.lit(-1))


def midnights(counts: Mapping[Hashable, int]) -> list[dict[str, object]]:
    """file, column, times: columns of 20 times or more, nine in ten of which are at one or two, an hour apart, from
    noon on.
    """
    told: dict[tuple[str, str], dict[int, int]] = {}
    for key, n in counts.items():
        if isinstance(key, tuple) and key[0] == _KEY:
            told.setdefault((key[1], key[2]), {})[key[3]] = n
    found = [(file, column, _before(quarters)) for (file, column), quarters in sorted(told.items())]
    return [{"file": file, "column": column, "times": times} for file, column, times in found if times]


def _before(quarters: dict[int, int]) -> list[str]:
    """The one or two times that most are at, if there are such times."""
    pairs = [(quarter, quarter + _AN_HOUR) for quarter in range(_A_DAY // 2, _A_DAY)]
    n_at, pair = max((sum(quarters.get(quarter, 0) for quarter in pair), pair) for pair in pairs)
    whole = sum(quarters.values())
    if whole < _FEWEST or n_at < _MOST * whole:
        return []
    return [f"{quarter // _AN_HOUR}:{quarter % _AN_HOUR * 15:02}" for quarter in pair if quarter in quarters]
