"""How many delivered rows became what: of every table, delivered = accepted + quarantined.

Each of the three is counted where it lies, so that the equation fails when a row is lost or doubled on its way: what
was delivered in the files, what was accepted in the canonical tables, what was refused in the quarantine. A canonical
table has not one row for each accepted one. How many it is due is counted piece by piece, before rows go their ways.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

from impasse.schemas.mapping import MAPPED_TABLES
from impasse.transforms.ingest.ordering import Piece


@dataclass(frozen=True)
class Tally:
    """The counts of the pieces of one table, as `Piece` has them."""

    n_delivered: int = 0
    n_apart: int = 0
    n_accepted: int = 0
    n_due: int = 0
    counts: Counter[Hashable] = field(default_factory=Counter)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.n_delivered + other.n_delivered,
            self.n_apart + other.n_apart,
            self.n_accepted + other.n_accepted,
            self.n_due + other.n_due,
            self.counts + other.counts,
        )


@dataclass(frozen=True)
class Lying:
    """Of one table: how many rows lie in the files that feed it, in the canonical table and, by rule, in quarantine.

    `n_taken_back` are supplies that are in no canonical table because reversals took them back.
    """

    n_in_files: int
    n_canonical: int
    by_rule: pl.DataFrame
    n_taken_back: int = 0


def tally(pieces: Iterable[Piece]) -> Tally:
    """The counts of some pieces of a table."""
    counted = (Tally(p.n_delivered, p.n_apart, p.n_accepted, p.n_due, Counter(p.counts)) for p in pieces)
    return sum(counted, Tally())


def present(tallies: Mapping[str, Tally]) -> dict[str, Tally]:
    """Those of the tables of which a row was delivered."""
    return {table: done for table, done in tallies.items() if done.n_delivered}


def count_noted(tallies: Mapping[str, Tally]) -> Counter[Hashable]:
    """What notes on the delivery are made of, of all its tables."""
    return sum((done.counts for done in tallies.values()), Counter())


def count_by_rule(refused: pl.LazyFrame) -> pl.DataFrame:
    """rule, n: how many rows each rule refused."""
    return refused.group_by("rule").agg(n=pl.len().cast(pl.Int64)).collect()


def reconcile(tallies: Mapping[str, Tally], lying: Mapping[str, Lying]) -> pl.DataFrame:
    """One row per table: delivered = accepted + quarantined, if no row was lost or doubled."""
    rows = [
        _counted(table, tallies[table], lying[table]) if table in tallies else _absent(table) for table in MAPPED_TABLES
    ]
    counts = ("n_delivered", "n_accepted", "n_quarantined")
    return pl.DataFrame(rows, schema={"table": pl.String, "is_present": pl.Boolean} | dict.fromkeys(counts, pl.Int64))


def _counted(table: str, done: Tally, lying: Lying) -> dict[str, object]:
    return {
        "table": table,
        "is_present": done.n_delivered > 0,
        "n_delivered": lying.n_in_files - done.n_apart,
        "n_accepted": lying.n_canonical + lying.n_taken_back - (done.n_due - done.n_accepted),
        "n_quarantined": lying.by_rule["n"].sum(),
    }


def _absent(table: str) -> dict[str, object]:
    return {"table": table, "is_present": False, "n_delivered": 0, "n_accepted": 0, "n_quarantined": 0}


def count_rules(lying: Mapping[str, Lying]) -> pl.DataFrame:
    """One row per table and rule: how many delivered rows it refused."""
    counted = [there.by_rule.select(pl.lit(table).alias("table"), "rule", "n") for table, there in lying.items()]
    return pl.concat(counted).sort("table", "rule")
