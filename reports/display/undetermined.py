"""Why verdicts cannot be told: rounded rows in, a table with a row for each definition out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from impasse.reports.display.parts import FoldedTables, Numbered, first_and_all
from impasse.reports.display.tables import render_table
from impasse.reports.words.numbers import DASH, count
from impasse.schemas.rounded_tables import UNDETERMINED_REASONS

if TYPE_CHECKING:
    from impasse.reports.pages.report import ReportContents

_HEADS = {
    "eligible": "Eligibility",
    "trial": "What was tried",
    "adequacy": "Adequacy",
    "outcome": "Outcome",
    "resistance": "Several of these",
    "start_not_seen": "Start not seen",
    "end_not_seen": "End not seen",
}


def undetermined_part(contents: ReportContents, numbered: Numbered) -> FoldedTables | None:
    """The table of one disorder; none where every verdict can be told."""
    rows = contents.undetermined.filter(pl.col("definition_id").is_in(numbered.own), ~pl.col("suppressed"))
    open_ones = set(rows.filter(pl.col("n_of") > 0)["definition_id"])
    order = [definition for definition in numbered.own if definition in open_ones]
    if not order:
        return None
    caption = f"Episodes whose verdict cannot be told, by what is not known{numbered.own_only}"
    draw = partial(_table, rows, names=numbered.heads)
    return first_and_all(draw, order, caption, f"undetermined-{numbered.disorder}")


def _table(rows: pl.DataFrame, order: list[str], names: dict[str, str], caption: str, id: str) -> str:
    n = {(definition, reason): number for definition, reason, number in rows.select(*_COLUMNS).iter_rows()}
    met = [reason for reason in UNDETERMINED_REASONS if any(n.get((d, reason)) for d in order)]
    return render_table(
        [{"Definition": names[d]} | {_HEADS[reason]: _cell(n.get((d, reason))) for reason in met} for d in order],
        caption,
        id,
    )


_COLUMNS = ("definition_id", "reason", "n")


def _cell(number: int | None) -> str:
    return DASH if not number else count(number)
