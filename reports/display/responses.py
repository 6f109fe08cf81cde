"""How the first, second and later trials ended on symptom scales: rounded rows in, a table with a row for each out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from impasse.reports.display.parts import FoldedTables, Numbered, first_and_all
from impasse.reports.display.tables import render_table
from impasse.reports.words.numbers import DASH, count
from impasse.schemas.rounded_tables import TRIAL_PLACES

if TYPE_CHECKING:
    from impasse.reports.pages.report import ReportContents

_REMITTED = ("recovery", "remission")
_RESPONDED = (*_REMITTED, "insufficient")


def response_part(contents: ReportContents, numbered: Numbered) -> FoldedTables | None:
    """The table of one disorder; none where no trial has a state that can be told."""
    rows = contents.responses.filter(pl.col("definition_id").is_in(numbered.own), ~pl.col("suppressed"))
    told = rows.filter(pl.col("response") != "cannot_tell").group_by("definition_id").agg(pl.col("n").sum())
    shown = set(told.filter(pl.col("n") > 0)["definition_id"])
    order = [definition for definition in numbered.own if definition in shown]
    if not order:
        return None
    caption = f"Response and remission by order of trial{numbered.own_only}"
    draw = partial(_table, rows, names=numbered.heads)
    return first_and_all(draw, order, caption, f"responses-{numbered.disorder}")


def _table(rows: pl.DataFrame, order: list[str], names: dict[str, str], caption: str, id: str) -> str:
    n: dict[tuple[str, str], dict[str, int]] = {}
    for definition, trial, response, number in rows.select("definition_id", "trial", "response", "n").iter_rows():
        n.setdefault((definition, trial), {})[response] = number
    return render_table(
        [
            {"Definition": names[d]} | {f"Trial {trial}": _cell(n.get((d, trial), {})) for trial in TRIAL_PLACES}
            for d in order
        ],
        caption,
        id,
    )


def _cell(states: dict[str, int]) -> str:
    """Shares among the trials whose state can be told, of rounded numbers and so without decimals."""
    told = sum(number for state, number in states.items() if state != "cannot_tell")
    if not told:
        return DASH
    responded, remitted = (sum(states.get(s, 0) for s in kinds) for kinds in (_RESPONDED, _REMITTED))
    return f"{responded / told:.0%} ({remitted / told:.0%}) of {count(told)}"
