"""How many delivered rows became what: of every table, delivered = accepted + quarantined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

import polars as pl

from impasse.schemas.mapping import MAPPED_TABLES
from impasse.transforms.ingest.ordering import Piece

_NO_RULES = pl.DataFrame(schema={"rule": pl.String, "n": pl.Int64})


@dataclass(frozen=True)
class Tally:
    """Of one table: how many rows were delivered, how many each rule refused (rule, n), and counts for notes."""

    n_delivered: int
    rules: pl.DataFrame
    counts: Counter[Hashable] = field(default_factory=Counter)


def tally(pieces: Iterable[Piece]) -> Tally:
    """How many rows of a table were delivered, and how many each rule refused."""
    return sum_tallies(
        [Tally(piece.n_delivered, count_by_rule([piece.refused]), Counter(piece.counts)) for piece in pieces]
    )


def sum_tallies(tallies: list[Tally]) -> Tally:
    """The tally of pieces that are counted one by one."""
    rules = pl.concat([_NO_RULES, *(counted.rules for counted in tallies)]).group_by("rule").agg(pl.col("n").sum())
    counts = sum((counted.counts for counted in tallies), Counter())
    return Tally(sum(counted.n_delivered for counted in tallies), rules, counts)


def count_noted(tallies: dict[str, Tally]) -> Counter[Hashable]:
    """What notes on the delivery are made of, of all its tables."""
    return sum((done.counts for done in tallies.values()), Counter())


def count_by_rule(refused: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """How many rows each rule refused."""
    rules = pl.concat([pl.DataFrame(schema={"rule": pl.String}), *(rows.select("rule") for rows in refused)])
    return rules.group_by("rule").agg(n=pl.len().cast(pl.Int64))


def reconcile(tallies: dict[str, Tally]) -> pl.DataFrame:
    """One row per table: delivered = accepted + quarantined."""
    rows = [_counted(table, tallies.get(table)) for table in MAPPED_TABLES]
    counts = ("n_delivered", "n_accepted", "n_quarantined")
    return pl.DataFrame(rows, schema={"table": pl.String, "is_present": pl.Boolean} | dict.fromkeys(counts, pl.Int64))


def _counted(table: str, done: Tally | None) -> dict[str, object]:
    delivered, refused = (done.n_delivered, done.rules["n"].sum()) if done else (0, 0)
    counts = {"n_delivered": delivered, "n_accepted": delivered - refused, "n_quarantined": refused}
    return {"table": table, "is_present": done is not None, **counts}


def count_rules(tallies: dict[str, Tally]) -> pl.DataFrame:
    """One row per table and rule: how many delivered rows it refused."""
    counted = [done.rules.select(pl.lit(table).alias("table"), "rule", "n") for table, done in tallies.items()]
    return pl.concat(counted).sort("table", "rule")
