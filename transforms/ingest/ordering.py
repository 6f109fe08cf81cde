"""What the rows of a table say, numbered, each thing once; and canonical tables put in order by these numbers.

Millions of rows say few different things. So of each accepted row its person, its days and the number of what it says
are kept, and when a table is whole its rows are put in order by these few small numbers.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

import polars as pl

from impasse.transforms.ingest.reversals import BESIDE, SettledSupplies, with_unknown
from impasse.transforms.kernels.packing import sort_packed

DATE_COLUMNS = {
    "deaths": ("date", "date_from"),
    "coverage": ("start_date", "end_date"),
    "diagnoses": ("date", "end_date"),
    "dispensings": ("date",),
    "procedures": ("date",),
    "scores": ("date",),
    "admissions": ("start_date", "end_date"),
}


@dataclass(frozen=True)
class Piece:
    """A piece of one table after its checks: what was accepted, refused rows as delivered, and how many rows of each.

    rows   person, days, said: one per accepted row and code; of dispensings also what comes too late to be accepted
    said   said, and the columns of the canonical table that are neither person nor day, as far as it has any; of
           dispensings also what reversals are settled by
    counts what notes on the delivery are made of, by name

    Of the rows of the file, `n_delivered` are of the table and `n_apart` are not. `n_accepted` were accepted; in the
    canonical table they are `n_due`, until supplies are taken back: a row with three codes is three, a reversal none.
    """

    rows: pl.DataFrame
    said: pl.DataFrame
    refused: pl.DataFrame
    n_delivered: int
    n_apart: int
    n_accepted: int
    n_due: int
    counts: dict[Hashable, int] = field(default_factory=dict)


@dataclass(frozen=True)
class OrderedWords:
    """What the rows of one table say, each thing once and in order, and the place in it of each thing's number.

    `supplies` is what reversals are settled by, if there is one.
    """

    in_order: pl.DataFrame
    places: pl.Series
    supplies: SettledSupplies | None = None


def number_words(pieces: list[Piece], known: pl.DataFrame | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of some pieces of a table with the number of what each says, and all that is said in it until now.

    `known` is what the pieces before have said. Rows that say several things become several rows.
    """
    rows, said = pl.concat([piece.rows for piece in pieces]), pl.concat([piece.said for piece in pieces])
    what = [column for column in said.columns if column != "said"]
    if not what:
        return rows.drop("said"), pl.DataFrame()
    different = said.select(what).unique(maintain_order=True)
    if known is not None:
        different = pl.concat([known, different.join(known, on=what, how="anti", nulls_equal=True)])
    numbered = said.join(different.with_row_index("words"), on=what, nulls_equal=True).select("said", "words")
    return rows.join(numbered, on="said").drop("said"), different


def order_words(known: pl.DataFrame) -> OrderedWords:
    """All that is said in a table, sorted by all columns, nulls first; words as in the canonical tables."""
    if not known.columns:
        return OrderedWords(known, pl.Series([], dtype=pl.UInt32))
    known, supplies = with_unknown(known)
    ordered = known.with_row_index("words").sort(known.columns)
    in_order = ordered.drop("words", *BESIDE, strict=False).cast({pl.String: pl.Categorical})
    return OrderedWords(in_order, ordered["words"].arg_sort(), supplies)


def put_in_order(table: str, rows: pl.DataFrame, words: OrderedWords) -> pl.DataFrame:
    """The canonical table of accepted rows and what they say, sorted by all its columns, nulls first.

    What is said is numbered in its order, and an end by how long after the start it is: so a row is a few
    small numbers.
    """
    start, *end = DATE_COLUMNS[table]
    lasting = [(pl.col(name) - pl.col(start)).dt.total_days().alias(name) for name in end]
    coded = rows.select("person", pl.col(start).to_physical(), *lasting)
    if "words" in rows.columns:
        coded = coded.with_columns(words.places.gather(rows["words"]).alias("words"))
    ordered = sort_packed(coded)
    days = [pl.col(start).cast(pl.Date), *((pl.col(start) + pl.col(name)).cast(pl.Date).alias(name) for name in end)]
    dated = ordered.select("person", *days)
    return dated.hstack(words.in_order[ordered["words"]]) if "words" in rows.columns else dated
