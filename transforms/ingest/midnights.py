"""Times in UTC that are midnights elsewhere: day columns in, how many of their times there are by full hour out.

A program that writes days as moments writes midnight in Stockholm as 22:00 or 23:00 UTC of the day before. Which zone
was meant nobody can tell, so such columns are read as they are, and said. Midnights west of Greenwich keep their day.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

import polars as pl

_UTC = ("UTC", "Etc/UTC", "GMT", "Etc/GMT", "+00:00", "Z")
_KEY = "utc"
_AN_HOUR = {"ms": 3_600_000, "us": 3_600_000_000, "ns": 3_600_000_000_000}
_HOURS_BEFORE = range(12, 23)
_FEWEST, _MOST = 20, 0.9

Counts = dict[Hashable, int]


def count_hours(frame: pl.DataFrame, file: str, columns: Iterable[str]) -> Counts:
    """By column in UTC and full hour the number of times; -1 stands for all other times."""
    counts: Counts = {}
    for column in columns:
        kind = frame.schema[column]
        if isinstance(kind, pl.Datetime) and kind.time_zone in _UTC:
            filled = frame.select(pl.col(column).to_physical().alias("time")).drop_nulls()
            hours = filled.group_by(_full_hour(_AN_HOUR[kind.time_unit]).alias("hour")).agg(pl.len())
            counts |= {(_KEY, file, column, hour): n for hour, n in hours.iter_rows()}
    return counts


def _full_hour(an_hour: int) -> pl.Expr:
    """By arithmetic alone: Polars panics far from our years."""
    return pl.when(pl.col("time") % an_hour == 0).then(pl.col("time") // an_hour % 24).otherwise(pl.lit(-1))


def midnights(counts: Mapping[Hashable, int]) -> list[dict[str, object]]:
    """file, column, hour: columns of 20 times or more of which nine in ten are at two full hours before midnight."""
    told: dict[tuple[str, str], dict[int, int]] = {}
    for key, n in counts.items():
        if isinstance(key, tuple) and key[0] == _KEY:
            told.setdefault((key[1], key[2]), {})[key[3]] = n
    found = [(file, column, _before(hours)) for (file, column), hours in sorted(told.items())]
    return [{"file": file, "column": column, "hour": hour} for file, column, hour in found if hour is not None]


def _before(hours: dict[int, int]) -> int | None:
    """The first of the two hours that most times are at, if there are such hours."""
    whole = sum(hours.values())
    n_at, hour = max((hours.get(hour, 0) + hours.get(hour + 1, 0), hour) for hour in _HOURS_BEFORE)
    return hour if whole >= _FEWEST and n_at >= _MOST * whole else None
