"""Drawn text -> typed table, so that a test shows its data the way a clinician would draw it on paper.

The first line names the columns. Cells are separated by `|`, or by spaces where no line has a `|`; a
cell that is `-` or blank is null. Each column is read as the narrowest kind all its cells allow:
truth values, whole numbers, numbers, ISO dates, else text.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import polars as pl
from polars.testing import assert_frame_equal

_TRUTH = {"true": True, "false": False}


def table(drawn: str) -> pl.DataFrame:
    """The drawn table; ValueError where a line does not have one cell per column."""
    lines = [line.strip() for line in drawn.splitlines() if line.strip()]
    header, *rows = (_cells(line, barred="|" in drawn) for line in lines)
    for row in rows:
        if len(row) != len(header):
            raise ValueError(f"{len(row)} cells under {len(header)} columns: {' | '.join(row)}")
    columns = zip(*rows, strict=True) if rows else ([] for _ in header)
    return pl.DataFrame([_typed(name, cells) for name, cells in zip(header, columns, strict=True)])


def assert_shows(actual: pl.DataFrame, drawn: str) -> None:
    """Fail unless `actual`, in the drawn columns, holds exactly the drawn rows, in any order."""
    expected = table(drawn)
    shown = actual.select(expected.columns)
    words = [name for name, kind in shown.schema.items() if isinstance(kind, pl.Categorical)]
    assert_frame_equal(shown, expected.cast(dict.fromkeys(words, pl.String)).cast(shown.schema), check_row_order=False)


def _cells(line: str, *, barred: bool) -> list[str]:
    return [cell.strip() for cell in line.split("|")] if barred else line.split()


def _typed(name: str, cells: list[str]) -> pl.Series:
    """The column as the first kind that can read every cell."""
    filled = [None if cell in ("", "-") else cell for cell in cells]
    kinds: list[tuple[Callable, pl.DataType]] = [
        (_TRUTH.__getitem__, pl.Boolean()),
        (int, pl.Int64()),
        (float, pl.Float64()),
        (date.fromisoformat, pl.Date()),
        (str, pl.String()),
    ]
    if not any(filled):
        return pl.Series(name, filled, dtype=pl.String)
    for read, kind in kinds:
        try:
            return pl.Series(name, [None if cell is None else read(cell) for cell in filled], dtype=kind)
        except (ValueError, KeyError):
            continue
    raise AssertionError("text reads every cell")
