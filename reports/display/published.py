"""What papers published for the definitions of a run, beside what the run says: a table with a row for each figure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import polars as pl
from markupsafe import Markup

from impasse.reports.display.parts import Numbered
from impasse.reports.display.tables import DENOMINATOR_NAMES, render_table
from impasse.reports.words.names import confidence
from impasse.reports.words.numbers import DASH, SUPPRESSED, count, percent
from impasse.schemas.published import PublishedFigure
from impasse.schemas.values import Row

if TYPE_CHECKING:
    from impasse.reports.pages.report import ReportContents


def published_part(contents: ReportContents, numbered: Numbered) -> Markup | None:
    """The table of one disorder; none where nothing was published for its definitions."""
    figures = [one for definition in numbered.order for one in contents.figures if one.definition_id == definition]
    if not figures:
        return None
    at = contents.prevalence.filter(pl.col("stratum") == "disorder", pl.col("level") == numbered.disorder)
    ours = {(row["definition_id"], row["denominator_id"]): row for row in at.iter_rows(named=True)}
    cells = [_cells(one, ours, numbered.heads) for one in figures]
    return Markup(render_table(cells, "Published figures beside this run", f"published-{numbered.disorder}"))


def unlike_counts(figures: Iterable[PublishedFigure]) -> list[str]:
    """A sentence for each published share that does not follow from its own counts."""
    return [
        f"{one.percent}% does not follow from {count(one.n_numerator)} of {count(one.n_denominator)} ({one.source}), "
        f"which are {percent(one.n_numerator / one.n_denominator)}: it has another denominator, which is not given."
        for one in figures
        if one.follows is False and one.n_numerator is not None and one.n_denominator is not None
    ]


def _cells(one: PublishedFigure, ours: dict[tuple[str, str], Row], names: dict[str, str]) -> dict[str, str]:
    of = "" if one.n_denominator is None else f"of {count(one.n_denominator)}"
    counts = f"{'' if one.n_numerator is None else count(one.n_numerator)} {of}".strip() or DASH
    weighting = "" if one.weighting == "none" else f", {one.weighting}"
    flag = "; does not follow from its counts" if one.follows is False else ""
    return {
        "Definition": names[one.definition_id],
        "Published for": f"{one.setting}: {one.denominator}",
        "Counts": counts,
        "Published": f"{one.percent}%{weighting}{flag}",
        "How sure": confidence(one.confidence),
        "Here": _here(one, ours),
    }


def _here(one: PublishedFigure, ours: dict[tuple[str, str], Row]) -> str:
    """The bounds of this run in the denominator that is most like the paper's."""
    if one.denominator_id is None:
        return DASH
    row = ours.get((one.definition_id, one.denominator_id))
    if row is None:
        return DASH
    told = SUPPRESSED if row["suppressed"] else " to ".join(percent(row[b]) for b in ("bound_low", "bound_high"))
    return f"{told} of {DENOMINATOR_NAMES[one.denominator_id].lower()}"
