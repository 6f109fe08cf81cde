"""Display tables: frames of results in, HTML tables out.

great_tables lays out and escapes; the page's own style sheet dresses, so its inline styles and the repeated
attributes of every cell are taken off. Each table has a caption and a fixed id. Cells are text made by
`impasse.reports.words.numbers`, so a suppressed value reads "suppressed" wherever it stands.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

import polars as pl
from great_tables import GT

from impasse.reports.words.names import capital, words
from impasse.reports.words.numbers import (
    DASH,
    MINUS,
    SUPPRESSED,
    UNDEFINED,
    coefficient,
    count,
    interval,
    percent,
    points,
)
from impasse.schemas.definition import DISORDERS
from impasse.schemas.tables import (
    AFTERWARDS,
    ATTRITION_STEPS,
    CAUSES_OF_TRIALS,
    DENOMINATORS,
    PSEUDO_RESISTANCE,
    VERDICTS,
)

DENOMINATOR_NAMES = {
    "episodes": "All episodes",
    "eligible": "Eligible episodes",
    "treated": "Treated episodes",
    "adequately_treated": "Adequately treated episodes",
    "persons": "Persons",
}
STEP_NAMES = {
    "episodes": "All episodes",
    "eligible": "Eligible",
    "treated": "Treated",
    "adequately_treated": "Adequately treated",
    "failed_a_trial": "Failed a trial",
    "resistant_possible": "Possibly resistant",
    "resistant": "Resistant",
}
VERDICT_NAMES = {
    "resistant": "Resistant",
    "not_resistant": "Not resistant",
    "undetermined": "Cannot be told",
    "not_eligible": "Not eligible",
}
PSEUDO_RESISTANCE_NAMES = {"none": "No cause found", "possible": "Possible", "likely": "Likely"}
CAUSE_NAMES = {"inadequate_dose": "Dose too low", "short_duration": "Too short", "poor_adherence": "Poor adherence"}
AFTERWARDS_NAMES = {"remitted": "Remission", "ended": "Ended otherwise", "died": "Death", "continued": "May go on"}
MOST_CAUSES = 3
_NO_NUMBER = (SUPPRESSED, UNDEFINED, DASH, "not delivered", "bounds only", "no episode")
_NUMBER_STARTS = f"0123456789<>+{MINUS}"
Names = dict[str, str]
ListedRows = list[dict[str, Any]]


def prevalence_table(rows: pl.DataFrame, order: list[str], names: Names, caption: str, id: str) -> str:
    """Counts, bounds, share and interval of every definition; `rows` of one denominator and stratum."""
    known = {r["definition_id"]: r for r in rows.iter_rows(named=True)}
    return render_table(
        [
            {
                "Definition": names[r["definition_id"]],
                "Eligible episodes": count(r["n_total"]),
                "Resistant": count(r["n_resistant"]),
                "Cannot be told": count(r["n_undetermined"]),
                "Bounds": _range(r, "bound"),
                "Share of decided": point_cell(r),
                "95% interval": _range(r, "ci"),
            }
            for r in (known[d] for d in order)
        ],
        caption,
        id,
    )


def denominator_table(rows: pl.DataFrame, order: list[str], names: Names, caption: str, id: str) -> str:
    """One row per definition, one column per denominator; a cell names the bounds and the denominator's size."""
    return _pivoted(rows, "denominator_id", list(DENOMINATORS), DENOMINATOR_NAMES, order, names, caption, id)


def stratum_table(rows: pl.DataFrame, order: list[str], names: Names, caption: str, id: str) -> str:
    """One row per definition, one column per level of one stratum: bounds, of how many."""
    return _pivoted(rows, "level", *_heads(rows), order, names, caption, id)


def _heads(rows: pl.DataFrame) -> tuple[list[str], Names]:
    levels = rows["level"].unique().sort().to_list()
    return levels, {level: level for level in levels}


def verdict_table(rows: pl.DataFrame, order: list[str], names: Names, caption: str, id: str) -> str:
    """How many episodes of the disorder get which verdict."""
    cells = {(r["definition_id"], r["verdict"]): f"{count(r['n'])}{_of(r)}" for r in rows.iter_rows(named=True)}
    return render_table(
        [
            {"Definition": names[d]} | {VERDICT_NAMES[v]: cells.get((d, v), DASH) for v in VERDICTS}
            for d in order
            if any((d, v) in cells for v in VERDICTS)
        ],
        caption,
        id,
    )


def pair_table(rows: pl.DataFrame, names: Names, caption: str, id: str) -> str:
    """Two-by-two counts and agreement statistics of every pair."""
    return render_table([_pair(r, names) for r in rows.iter_rows(named=True)], caption, id)


def attrition_table(rows: pl.DataFrame, order: list[str], names: Names, caption: str, id: str) -> str:
    """Episodes left after each step, one row per definition, over bars on one scale for all."""
    most = rows["n_left"].max() or 1
    cells = {(r["definition_id"], r["step"]): _with_bar(r["n_left"], most) for r in rows.iter_rows(named=True)}
    return render_table(
        [
            {"Definition": names[d]} | {STEP_NAMES[s]: cells.get((d, s), DASH) for s in ATTRITION_STEPS}
            for d in order
            if any((d, s) in cells for s in ATTRITION_STEPS)
        ],
        caption,
        id,
    )


def cause_table(rows: pl.DataFrame, order: list[str], names: Names, base: int, caption: str, id: str) -> str:
    """What may explain resistance: pseudo-resistance, causes in the trials, and the most frequent diagnosed ones."""
    cells = _by_level(rows)
    return render_table(
        [
            {"Definition": names[d], "Resistant": _total(cells, d, "pseudo_resistance")}
            | _levels(cells, d, "pseudo_resistance", {v: PSEUDO_RESISTANCE_NAMES[v] for v in PSEUDO_RESISTANCE}, base)
            | _levels(cells, d, "cause", {c: CAUSE_NAMES[c] for c in CAUSES_OF_TRIALS}, base)
            | {"Diagnosed causes, most frequent first": _diagnosed(rows.filter(pl.col("definition_id") == d))}
            for d in order
        ],
        caption,
        id,
    )


def afterwards_table(rows: pl.DataFrame, order: list[str], names: Names, base: int, caption: str, id: str) -> str:
    """What became of resistant episodes."""
    cells = _by_level(rows)
    return render_table(
        [
            {"Definition": names[d], "Resistant": _total(cells, d, "afterwards")}
            | _levels(cells, d, "afterwards", {a: AFTERWARDS_NAMES[a] for a in AFTERWARDS}, base)
            for d in order
        ],
        caption,
        id,
    )


def shared_table(rows: pl.DataFrame, order: list[str], names: Names, base: int, caption: str, id: str) -> str:
    """In how many resistant episodes some treatment also counts in an episode of another disorder that has any."""
    cells = _by_level(rows)
    met = [d for d in DISORDERS if any(cell["n"] for key, cell in cells.items() if key[1:] == ("shared_treatment", d))]
    heads = {d: capital(words(d)) for d in met}
    return render_table(
        [
            {"Definition": names[d], "Resistant": _total(cells, d, "shared_treatment")}
            | _levels(cells, d, "shared_treatment", heads, base)
            for d in order
        ],
        caption,
        id,
    )


def untried_table(
    rows: pl.DataFrame, order: list[str], names: Names, base: int, caption: str, id: str, options: Names
) -> str:
    """In how many resistant episodes each option was never tried; `options` name those that the delivery shows."""
    cells = _by_level(rows)
    return render_table(
        [
            {"Definition": names[d], "Resistant": _total(cells, d, "untried")}
            | _levels(cells, d, "untried", options, base)
            for d in order
        ],
        caption,
        id,
    )


def pairs_of(values: dict[str, Any], left: str, right: str, caption: str, id: str) -> str:
    """A mapping as a two-column table, sorted by key."""
    return render_table([{left: key, right: str(values[key])} for key in sorted(values)], caption, id)


def few(base: int) -> str:
    """What stands for a number that was rounded down to none: <3 where numbers are rounded to 5."""
    return f"<{(base + 1) // 2}" if base > 2 else "0"


def point_cell(row: dict[str, Any]) -> str:
    """The complete-case share, or why there is none."""
    if row["suppressed"]:
        return SUPPRESSED
    if row["n_total"] == 0:
        return "no episode"
    return "bounds only" if row["prevalence"] is None else percent(row["prevalence"])


def render_table(rows: ListedRows, caption: str, id: str) -> str:
    """An HTML table in its own scrolling box; the first column heads its row. No rows: a sentence that says so."""
    if not rows:
        return f'<p class="empty">{escape(caption)}: nothing to show.</p>'
    frame = pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String))
    first, *others = frame.columns
    numeric = [name for name in others if all(_is_numeric(text) for text in frame[name])]
    table = GT(frame, rowname_col=first, id=id).tab_stubhead(first).cols_align("left", others)
    html = (table.cols_align("right", numeric) if numeric else table).as_raw_html()
    body = html[html.index("<table") : html.rindex("</table>")]
    body = _drawn_bars(_lean(body[body.index(">") + 1 :]))
    title = f"<caption><span>{escape(caption)}</span></caption>"
    box = f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(caption)}">'
    return f'{box}<table id="{escape(id)}">{title}{body}</table></div>'


def _with_bar(n: int | None, most: int) -> str:
    """A count, marked with the length of the bar to draw under it."""
    return count(n) if n is None else f"{count(n)}\ue000{100 * n // most}\ue001"


def _drawn_bars(html: str) -> str:
    return re.sub("\ue000([0-9]{1,3})\ue001", r'<i class="bar" style="--long:\1"></i>', html)


def _is_numeric(text: str) -> bool:
    return text in (*_NO_NUMBER, "") or text[0] in _NUMBER_STARTS


def _lean(html: str) -> str:
    """Cell tags without what the style sheet does not need; text is escaped, so only real tags match."""
    html = re.sub(r"<(td|th|tr|tbody)\b[^>]*>", _lean_tag, html)
    return re.sub(r"\n\s*", "\n", html).strip()


def _lean_tag(match: re.Match[str]) -> str:
    tag, name = match.group(0), match.group(1)
    scope = re.search(r' scope="\w+"', tag)
    side = ' class="n"' if "gt_right" in tag else ""
    return f"<{name}{scope.group(0) if scope else ''}{side}>"


def _range(row: dict[str, Any], kind: str) -> str:
    low, high = row[f"{kind}_low"], row[f"{kind}_high"]
    return point_cell(row) if low is None or high is None else interval(low, high)


def _of(row: dict[str, Any]) -> str:
    return "" if row["share"] is None or row["n"] is None else f" ({percent(row['share'])})"


def _pivoted(
    rows: pl.DataFrame,
    column: str,
    values: list[str],
    heads: Names,
    order: list[str],
    names: Names,
    caption: str,
    id: str,
) -> str:
    cells = {(r["definition_id"], r[column]): r for r in rows.iter_rows(named=True)}
    return render_table(
        [
            {"Definition": names[d]} | {heads[v]: _bounds_cell(cells.get((d, v))) for v in values}
            for d in order
            if any((d, v) in cells for v in values)
        ],
        caption,
        id,
    )


_ByLevel = dict[tuple[str, str, str], dict[str, Any]]


def _by_level(rows: pl.DataFrame) -> _ByLevel:
    return {(r["definition_id"], r["characteristic"], r["level"]): r for r in rows.iter_rows(named=True)}


def _total(cells: _ByLevel, definition: str, characteristic: str) -> str:
    """Of how many episodes the levels of a characteristic are counted."""
    of = [r["n_of"] for (d, kind, _), r in cells.items() if (d, kind) == (definition, characteristic)]
    return count(of[0]) if of else DASH


def _levels(cells: _ByLevel, definition: str, characteristic: str, heads: Names, base: int) -> dict[str, str]:
    return {head: _rounded(cells.get((definition, characteristic, level)), base) for level, head in heads.items()}


def _rounded(row: dict[str, Any] | None, base: int) -> str:
    if row is None or row["n_of"] == 0:
        return DASH
    return few(base) if row["n"] == 0 else count(row["n"])


def _diagnosed(rows: pl.DataFrame) -> str:
    """The diagnosed causes that are not rounded to none, most frequent first."""
    causes = rows.filter(pl.col("characteristic") == "cause", ~pl.col("level").is_in(CAUSES_OF_TRIALS))
    if causes["suppressed"].any():
        return SUPPRESSED
    found = causes.filter(pl.col("n") > 0).sort("n", "level", descending=[True, False])
    told = [f"{words(r['level'])} {count(r['n'])}" for r in found.head(MOST_CAUSES).iter_rows(named=True)]
    return "; ".join([*told, *[f"{found.height - MOST_CAUSES} more"] * (found.height > MOST_CAUSES)]) or DASH


def _bounds_cell(row: dict[str, Any] | None) -> str:
    if row is None or row["n_total"] == 0:
        return DASH
    return _range(row, "bound") if row["suppressed"] else f"{_range(row, 'bound')} of {count(row['n_total'])}"


def _pair(row: dict[str, Any], names: Names) -> dict[str, str]:
    hidden = row["suppressed"]
    statistics = {
        "Kappa": "kappa",
        "AC1": "ac1",
        "PABAK": "pabak",
        "Jaccard": "jaccard",
        "Positive agreement": "positive_agreement",
        "Negative agreement": "negative_agreement",
    }
    return {
        "A and B": f"{names[row['definition_a']]} / {names[row['definition_b']]}",
        "Both speak about": count(row["n_common"]),
        "Either leaves open": count(row["n_undetermined"]),
        "Both resistant": count(row["n_both_resistant"]),
        "Only A": count(row["n_only_a"]),
        "Only B": count(row["n_only_b"]),
        "Neither": count(row["n_neither"]),
        "A − B, points": points(row["difference"], hidden),
        "95% interval": _point_interval(row),
    } | {head: coefficient(row[column], hidden) for head, column in statistics.items()}


def _point_interval(row: dict[str, Any]) -> str:
    low, high = row["difference_ci_low"], row["difference_ci_high"]
    texts = [points(low, row["suppressed"]), points(high, row["suppressed"])]
    return texts[0] if None in (low, high) else " to ".join(texts)
