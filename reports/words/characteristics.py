"""What may explain resistance, what was never tried, how staging systems spread episodes: rounded rows in, parts out.

Rows are chosen, ordered and written out; a definition that would be suppressed in every cell is named under the table.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl
from markupsafe import Markup

from impasse.reports.display import figures, tables
from impasse.reports.display.parts import Figure, FoldedTables, Numbered, first_and_all
from impasse.reports.words.limits import unseen_options_sentences
from impasse.reports.words.names import words
from impasse.reports.words.numbers import count, plural
from impasse.schemas.definition import Definition
from impasse.schemas.resistance import Staged
from impasse.schemas.tables import NO_SCORE, OPEN_LEVEL
from impasse.schemas.values import NO_LEVEL

if TYPE_CHECKING:
    from impasse.reports.pages.report import ReportContents

_SHARED = "in how many some treatment also counts in an episode of another disorder"
_CAUSES = ("pseudo_resistance", "cause")


def parts(contents: ReportContents, numbered: Numbered) -> dict[str, Any]:
    """The parts of one disorder; none where nothing is known of its definitions."""
    staging = {"staging": _staging(contents, numbered.disorder)}
    if contents.profile.filter(pl.col("definition_id").is_in(numbered.own)).is_empty():
        return {"causes": None, **staging}
    options = contents.options.get(numbered.disorder, [])
    untried = partial(tables.untried_table, options={o.id: words(o.id) for o in options if o.is_observed})
    never = "in how many the person never had the treatment"
    return {
        "causes": [
            _rounded(tables.cause_table, contents, numbered, _CAUSES, "what may explain them"),
            _rounded(tables.shared_table, contents, numbered, ("shared_treatment",), _SHARED),
        ],
        "impasses": [
            _rounded(tables.afterwards_table, contents, numbered, ("afterwards",), "what became of them"),
            _rounded(untried, contents, numbered, ("untried",), never),
        ],
        "unseen": unseen_options_sentences([words(o.id) for o in options if not o.is_observed]),
        **staging,
    }


def staged(contents: ReportContents) -> set[str]:
    """The disorders of which some staging system speaks about an episode."""
    told = contents.profile.filter(pl.col("characteristic") == "stage", pl.col("n_of") > 0)["definition_id"]
    systems = set(told.unique())
    return {disorder for d in contents.definitions if d.id in systems for disorder in d.eligible.disorders}


def _rounded(
    table: Callable[..., str], contents: ReportContents, numbered: Numbered, kinds: tuple[str, ...], what: str
) -> FoldedTables:
    """A table of rounded numbers of resistant episodes."""
    rows = contents.profile.filter(pl.col("characteristic").is_in(kinds), pl.col("definition_id").is_in(numbered.own))
    shown = set(rows.filter(~pl.col("suppressed"))["definition_id"])
    hidden = [numbered.heads[d] for d in numbered.own if d not in shown and d in set(rows["definition_id"])]
    caption = f"Of the resistant episodes of each definition{numbered.own_only}: {what}"
    order, id = [d for d in numbered.own if d in shown], f"{kinds[-1]}-{numbered.disorder}"
    made = first_and_all(partial(table, rows, names=numbered.heads, base=contents.rounded_to), order, caption, id)
    named = [Markup("<p>Suppressed: {}.</p>").format("; ".join(hidden))][: len(hidden)]
    return FoldedTables([*made.shown, *named], made.label, made.folded)


def _staging(contents: ReportContents, disorder: str) -> list[Figure]:
    """How each staging system that speaks about the disorder spreads its episodes."""
    systems = [
        d
        for d in sorted(contents.definitions, key=lambda d: d.id)
        if d.gives != "verdict" and disorder in d.eligible.disorders
    ]
    spread = [(d, contents.profile.filter(pl.col("definition_id") == d.id)) for d in systems]
    return [_spread(d, rows, contents.rounded_to) for d, rows in spread if len(rows)]


def _spread(system: Definition, rows: pl.DataFrame, base: int) -> Figure:
    """The levels that are not rounded to none, in their order."""
    stages = rows.filter(pl.col("characteristic") == "stage")
    if stages["suppressed"].any():
        return Figure(f"{system.title}: {tables.SUPPRESSED}", Markup(), Markup())
    shown = {row["level"]: row["n"] for row in stages.iter_rows(named=True) if row["n"]}
    known = [level for level in _levels(system, list(shown)) if level in shown]
    frame = pl.DataFrame({"name": [_LEVELS.get(level, level) for level in known], "n": [shown[k] for k in known]})
    of = plural(stages["n_of"].max() or 0, "episode")
    caption = f"{system.title} ({of}){_outside(rows)}"
    if frame.is_empty():
        return Figure(caption, Markup(), Markup())
    heard = ", ".join(f"{name}: {n:,}" for name, n in frame.iter_rows())
    drawn = Markup(figures.level_chart(frame, f"{system.title}. {heard}"))
    return Figure(caption, drawn, drawn)


_LEVELS = {NO_LEVEL: "no stage", OPEN_LEVEL: "cannot be told"}


def _levels(system: Definition, found: list[str]) -> list[str]:
    """Levels in the order of the system: its stages, or scores from the lowest; what is open comes last."""
    last = [OPEN_LEVEL, NO_SCORE]
    if isinstance(system.resistance, Staged):
        return [NO_LEVEL, *(level.name for level in system.resistance.levels), *last]
    return [*sorted((level for level in found if level not in last), key=float), *last]


def _outside(rows: pl.DataFrame) -> str:
    """How many have a stage in another time than its source gives it."""
    bands = rows.filter(pl.col("characteristic") == "outside_band", pl.col("level") == "yes")
    shown = [n for n in bands["n"] if n]
    return f"; {count(shown[0])} of them outside the days that the source gives the stage" if shown else ""
