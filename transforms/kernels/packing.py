"""Columns of whole numbers packed into one, so that sorting by all of them is sorting one column.

Each column takes as many bits as its largest value needs, the first column the highest: then the order of
the packed numbers is the order of the rows, and the rows can be taken out of the sorted numbers again.
Sorting one column of integers takes a fraction of the time of sorting by several. Null comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import polars as pl

# An Int64 that is never negative.
_BITS = 63


@dataclass(frozen=True)
class _Field:
    """Where a column is in the packed number: null is 0, the lowest value is 1."""

    name: str
    kind: pl.DataType
    lowest: int
    n_bits: int


def sort_packed(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows sorted by all their columns, which are whole numbers, nulls first."""
    fields = [_field(column) for column in rows]
    if sum(field.n_bits for field in fields) > _BITS:
        return rows.sort(rows.columns)
    shifts = [sum(field.n_bits for field in fields[n + 1 :]) for n in range(len(fields))]
    packed = rows.select(pl.sum_horizontal(_packed(f, s) for f, s in zip(fields, shifts, strict=True)).alias("packed"))
    return packed.sort("packed").select(_unpacked(f, s) for f, s in zip(fields, shifts, strict=True))


def _field(column: pl.Series) -> _Field:
    numbers = column.to_physical()
    lowest, highest = (cast(int, found or 0) for found in (numbers.min(), numbers.max()))
    return _Field(column.name, column.dtype, lowest, (highest - lowest + 1).bit_length())


def _packed(field: _Field, shift: int) -> pl.Expr:
    value = pl.col(field.name).cast(pl.Int64) - (field.lowest - 1)
    return value.fill_null(0) * 2**shift


def _unpacked(field: _Field, shift: int) -> pl.Expr:
    value = pl.col("packed") // 2**shift % 2**field.n_bits
    return pl.when(value > 0).then(value + (field.lowest - 1)).cast(field.kind).alias(field.name)
