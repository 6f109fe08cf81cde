"""Tables of a delivery on the pages: rows, rules, files, and what is expected of them."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from impasse.reports.display.tables import ListedRows, Names, render_table
from impasse.reports.words.numbers import count
from impasse.schemas.found import Found
from impasse.schemas.plain import plain


def reconciliation_table(rows: pl.DataFrame, caption: str, id: str) -> str:
    """Rows delivered, accepted and quarantined, per table."""
    numbers = ("n_delivered", "n_accepted", "n_quarantined")
    return render_table(
        [
            {"Table": r["table"]}
            | {n.removeprefix("n_").capitalize(): count(r[n]) if r["is_present"] else "not delivered" for n in numbers}
            for r in rows.sort("table").iter_rows(named=True)
        ],
        caption,
        id,
    )


def rule_table(rows: pl.DataFrame, meanings: Names, caption: str, id: str) -> str:
    """Rows every rule quarantined, most first, and what the rule means."""
    ordered = rows.sort("table", "n", "rule", descending=[False, True, False], nulls_last=True)
    return render_table(
        [
            {
                "Table": r["table"],
                "Rule": r["rule"],
                "What it means": meanings.get(r["rule"], r["rule"].replace("_", " ")),
                "Rows": count(r["n"]),
            }
            for r in ordered.iter_rows(named=True)
        ],
        caption,
        id,
    )


def found_table(found: Sequence[Found], caption: str, id: str) -> str:
    """The files and tables of a delivery, what became of each, and what to know of it."""
    return render_table(
        [
            {
                "File or table": plain(entry.name),
                "": entry.state,
                "Read as": entry.read_as,
                "Rows": "" if entry.rows is None else count(entry.rows),
                "Note": plain(entry.note),
            }
            for entry in found
        ],
        caption,
        id,
    )


def expectation_table(rows: ListedRows, caption: str, id: str) -> str:
    """What was expected of the delivery, failures first and critical ones before others."""
    ordered = sorted(rows, key=lambda r: (r["success"], not r["critical"], r["suite"], r["expectation"], r["column"]))
    return render_table(
        [
            {
                "Result": "met" if r["success"] else "NOT MET",
                "Weight": "critical" if r["critical"] else "advisory",
                "Checks": r["suite"],
                "Column": r["column"] or "whole table",
                "Expectation": r["expectation"],
                "Observed": r["observed"],
            }
            for r in ordered
        ],
        caption,
        id,
    )
