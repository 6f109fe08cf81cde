"""How soon episodes are called resistant: rounded rows in, a table with a row for each definition out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from impasse.reports.display.parts import FoldedTables, Numbered, first_and_all
from impasse.reports.display.tables import render_table
from impasse.reports.words.numbers import UNDEFINED, count, percent, plural
from impasse.schemas.rounded_tables import ORIGINS, RISK_YEARS
from impasse.schemas.values import Row

if TYPE_CHECKING:
    from impasse.reports.pages.report import ReportContents

_FROM = {"episode_start": "the start of the episode", "first_treatment": "the first treatment that counts"}


def risk_parts(contents: ReportContents, numbered: Numbered) -> list[FoldedTables]:
    """The tables of one disorder, from each origin; none where no risk is shown."""
    rows = contents.risks.filter(pl.col("disorder") == numbered.disorder, ~pl.col("suppressed"))
    parts = [_part(rows.filter(pl.col("origin") == origin), origin, numbered) for origin in ORIGINS]
    return [part for part in parts if part is not None]


def _part(rows: pl.DataFrame, origin: str, numbered: Numbered) -> FoldedTables | None:
    risks = {(row["definition_id"], row["years"]): row for row in rows.iter_rows(named=True)}
    order = [definition for definition in numbered.order if (definition, RISK_YEARS[0]) in risks]
    if not order:
        return None
    caption = f"Share called resistant within years of {_FROM[origin]}, without and with what cannot be told"
    draw = partial(_table, risks, names=numbered.heads)
    return first_and_all(draw, order, caption, f"risks-{origin}-{numbered.disorder}")


def _table(risks: dict[tuple[str, int], Row], order: list[str], names: dict[str, str], caption: str, id: str) -> str:
    return render_table(
        [
            {"Definition": names[d], "Episodes": count(risks[d, RISK_YEARS[0]]["n"])}
            | {plural(years, "year"): _cell(risks[d, years]) for years in RISK_YEARS}
            for d in order
        ],
        caption,
        id,
    )


def _cell(row: Row) -> str:
    """Both readings, where episodes were followed for so long."""
    told = [UNDEFINED if row[name] is None else percent(row[name]) for name in ("risk_min", "risk_max")]
    return told[0] if told[0] == told[1] else " to ".join(told)
