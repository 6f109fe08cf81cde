"""Charts: rows of display values in, static SVG text out.

Altair draws, vl-convert turns the drawing into SVG, and the page shows it without any script. Sizes and places of
labels are fixed here rather than measured, so the same rows give the same bytes. Colours are a small set of
fixed values that the page's style sheet repaints for dark mode; each chart carries a text alternative.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import Any

import altair as alt
import polars as pl
import vl_convert
from altair.utils.schemapi import debug_mode

from impasse.reports.words.numbers import coefficient, count, interval

INK, MUTED, LINE = "#1a1c20", "#5b6270", "#d9dde3"
ACCENT, SOFT, AMBER = "#0b5fa5", "#bcd7ee", "#e0a030"
GREY, PALE = "#b9bfc9", "#e9ecf0"
HEAT = ("#f6d9bd", "#eff5fb", "#c9dff2", "#8fbde3", "#4a8fca", "#0b4f8c")
HEAT_BREAKS = (0.0, 0.2, 0.4, 0.6, 0.8)
HEAT_DARK_INK, HEAT_LIGHT_INK = "#101318", "#fdfdfe"
VERDICT_COLOURS = {"resistant": ACCENT, "undetermined": AMBER, "not_resistant": GREY, "not_eligible": PALE}
MANY = 20  # above so many definitions rows are low, titles are cut to one line and cells hold no number
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_CONFIG = {
    "aria": False,
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "titleFontWeight": "normal",
        "gridColor": LINE,
        "domain": False,
        "ticks": False,
        "labelFontSize": 12,
        "titleFontSize": 12,
    },
}
# Altair would check each part of a chart against the schema of Vega-Lite, which takes as long as drawing it.
_unchecked = debug_mode(False)


@dataclass(frozen=True)
class Share:
    """The bounds of one definition, ready to draw, with its number in the report and its title; none if suppressed."""

    key: int
    title: str
    bound_low: float | None
    bound_high: float | None
    suppressed: bool

    @property
    def text(self) -> str:
        """The bounds in words, as printed beside their mark."""
        if self.bound_low is None:
            return "suppressed" if self.suppressed else "no episode"
        return interval(self.bound_low, self.bound_high)


@_unchecked
def prevalence_chart(shares: list[Share], label: str, narrow: bool = False) -> str:
    """One line per definition: a bar of what is surely resistant, and on it what may be."""
    many = len(shares) > MANY
    step = _step(40, many, narrow)
    frame = pl.DataFrame([_share_row(s, many, narrow) for s in shares], schema=_SHARE_ROW)
    title = "Share of eligible episodes that are treatment-resistant"
    x = alt.X("bound_low:Q", title=title, scale=alt.Scale(domain=[0, _ceiling(shares)], nice=True))
    x = x.axis(format=".0%", tickCount=4 if narrow else 6, labelFlush=True)
    y = alt.Y("key:O", axis=None, sort=frame["key"].to_list(), scale=alt.Scale(paddingOuter=0.1))
    base = alt.Chart(frame).encode(y=y)
    layers = [
        base.mark_bar(color=SOFT, height=8 if many else 14).encode(x=x, x2="bound_high:Q"),
        base.mark_bar(color=ACCENT, height=8 if many else 14).encode(x=x, x2="zero:Q").transform_calculate(zero="0"),
        *(_narrow_labels(base, step, many) if narrow else _wide_labels(base, many)),
    ]
    size = (336 if narrow else _BARS, step * len(shares))
    return _svg(alt.layer(*layers), size, (4, 4, 20, 42) if narrow else (_TITLES, 4, 180, 42), label)


@_unchecked
def agreement_heatmap(keys: list[int], titles: list[str], pairs: pl.DataFrame, label: str, narrow: bool = False) -> str:
    """The lower triangle of all pairs: kappa as colour and as number.

    `pairs`: row and column (keys), kappa, suppressed; every pair once, in either order.
    """
    many = len(keys) > MANY
    cell = max(13, min(44, (330 if narrow else 600) // max(len(keys), 1)))
    frame = pl.DataFrame([_heat_row(r, keys) for r in pairs.iter_rows(named=True)], schema=_HEAT_ROW)
    labels = [_label(k, "" if narrow else t, many) for k, t in zip(keys, titles, strict=True)]
    names = pl.DataFrame(labels, schema=_LABEL).with_columns(row=pl.Series(keys, dtype=pl.Int64))
    y = alt.Y("row:O", axis=None, sort=keys, scale=alt.Scale(domain=keys, padding=0))
    x = alt.X("column:O", axis=None, sort=keys, scale=alt.Scale(domain=keys, padding=0))
    square = alt.Chart(frame).mark_rect(stroke="#ffffff", strokeWidth=1 if many else 2)
    numbers = alt.Chart(frame).mark_text(fontSize=min(13, cell // 2.6))
    columns = alt.Chart(names.rename({"row": "column"}))
    size = 8 if many else 12
    layers = [
        square.encode(x=x, y=y, color=alt.Color("fill:N", scale=None)),
        *_title_left(alt.Chart(names).encode(y=y), x=-8, size=10 if many else 12),
        columns.mark_text(y=-10, fontSize=size, color=INK).encode(x=x, text="column:N"),
    ]
    if not many and cell >= 24:
        layers.append(numbers.encode(x=x, y=y, text="text:N", color=alt.Color("ink:N", scale=None)))
    side = cell * len(keys)
    margins = (24, 22, 4, 4) if narrow else (_TITLES, 22, 4, 4)
    return _svg(alt.layer(*layers), (side, side), margins, label, shrinks=not many)


@_unchecked
def verdict_chart(rows: pl.DataFrame, label: str, narrow: bool = False) -> str:
    """What each definition says of every episode, as parts of a whole.

    `rows`: key, title, verdict, share; a suppressed definition has null shares.
    """
    keys = rows["key"].unique(maintain_order=True).to_list()
    many = len(keys) > MANY
    step = _step(38, many, narrow)
    order = list(VERDICT_COLOURS)
    frame = rows.with_columns(
        fill=pl.col("verdict").replace_strict(VERDICT_COLOURS),
        order=pl.col("verdict").replace_strict({verdict: i for i, verdict in enumerate(order)}),
    )
    names = rows.group_by("key", maintain_order=True).agg(pl.first("title"), hidden=pl.col("share").is_null().all())
    labels = [_label(row["key"], row["title"], many, narrow) for row in names.iter_rows(named=True)]
    names = names.with_columns(
        *pl.DataFrame(labels, schema=_LABEL).get_columns(),
        text=pl.when("hidden").then(pl.lit("suppressed")).otherwise(pl.lit("")),
    )
    x = alt.X("share:Q", title="Share of all episodes of the disorder", stack="zero")
    x = x.scale(domain=[0, 1]).axis(format=".0%", tickCount=4 if narrow else 10)
    y = alt.Y("key:O", axis=None, sort=keys)
    bars = alt.Chart(frame).mark_bar(height=10 if many else 16, stroke=MUTED, strokeWidth=0.4)
    base = alt.Chart(names).encode(y=y)
    layers = [
        bars.encode(x=x, y=y, color=alt.Color("fill:N", scale=None), order="order:Q"),
        base.mark_text(align="left", x=4, color=MUTED, fontSize=10 if many else 12).encode(text="text:N"),
        *(_title_above(base, step) if narrow else _title_left(base, size=11 if many else 12)),
    ]
    size = (336 if narrow else _BARS + 180, step * len(keys))
    return _svg(alt.layer(*layers), size, (4, 4, 20, 42) if narrow else (_TITLES, 4, 20, 42), label)


@_unchecked
def level_chart(levels: pl.DataFrame, label: str) -> str:
    """How one staging system spreads its episodes: a bar for every level.

    `levels`: name, n.
    """
    frame = levels.with_row_index("number").with_columns(text=pl.col("n").map_elements(count, return_dtype=pl.String))
    y = alt.Y("number:O", axis=None)
    x = alt.X("n:Q", axis=None, scale=alt.Scale(domain=[0, max(levels["n"].max(), 1)]))
    base = alt.Chart(frame).encode(y=y)
    layers = [
        base.mark_bar(color=ACCENT, height=9).encode(x=x),
        base.mark_text(align="right", x=-8, color=INK, fontSize=12).encode(text="name:N"),
        base.mark_text(align="left", x=138, color=INK, fontSize=12).encode(text="text:N"),
    ]
    return _svg(alt.layer(*layers), (130, 18 * levels.height), (116, 2, 60, 2), label)


_TITLES, _BARS = 330, 404  # pixels of a wide chart
_SHARE_ROW = {
    "key": pl.Int64,
    "value": pl.String,
    "one": pl.String,
    "upper": pl.String,
    "lower": pl.String,
    "bound_low": pl.Float64,
    "bound_high": pl.Float64,
}
_LABEL = {"one": pl.String, "upper": pl.String, "lower": pl.String}
_HEAT_ROW = {"row": pl.Int64, "column": pl.Int64, "fill": pl.String, "ink": pl.String, "text": pl.String}


def _step(usual: int, many: bool, narrow: bool) -> int:
    """The height of a row; on narrow pages the title stands above the bar."""
    if narrow:
        return 34 if many else 84
    return 19 if many else usual


def _label(key: int, title: str, many: bool, narrow: bool = False) -> dict[str, str]:
    """Number and title on one line, or on two if there is room."""
    if many:
        return {"one": _cut(f"{key}  {title}", 46 if narrow else 50), "upper": "", "lower": ""}
    lines = wrap(f"{key}  {title}", 46 if narrow else 42, max_lines=2, placeholder="…")
    return (
        {"one": lines[0], "upper": "", "lower": ""}
        if len(lines) == 1
        else {"one": "", "upper": lines[0], "lower": lines[1]}
    )


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1].rstrip()}…"


def _share_row(share: Share, many: bool, narrow: bool) -> dict[str, Any]:
    return {
        "key": share.key,
        "value": share.text,
        **_label(share.key, share.title, many, narrow),
        "bound_low": share.bound_low,
        "bound_high": share.bound_high,
    }


def _wide_labels(base: alt.Chart, many: bool) -> list[alt.Chart]:
    value = base.mark_text(align="left", x=_BARS + 12, color=INK, fontSize=13).encode(text="value:N")
    return [*_title_left(base, size=11 if many else 12), value]


def _narrow_labels(base: alt.Chart, step: int, many: bool) -> list[alt.Chart]:
    if many:
        return _title_above(base, step)
    value = base.mark_text(align="left", x=0, dy=22, color=MUTED, fontSize=12).encode(text="value:N")
    return [*_title_above(base, step), value]


def _title_left(base: alt.Chart, x: int = -14, size: int = 12) -> list[alt.Chart]:
    mark = base.mark_text
    style = {"align": "right", "x": x, "color": INK, "fontSize": size}
    return [mark(**style, dy=dy).encode(text=f"{line}:N") for line, dy in (("one", 0), ("upper", -7.5), ("lower", 7.5))]


def _title_above(base: alt.Chart, step: int) -> list[alt.Chart]:
    top = 9 - step / 2
    style = {"align": "left", "x": 0, "color": INK, "fontSize": 12}
    one = top + 15 if step > 40 else top - 5
    places = (("one", one), ("upper", top), ("lower", top + 15))
    return [base.mark_text(**style, dy=dy).encode(text=f"{line}:N") for line, dy in places]


def _heat_row(pair: dict[str, Any], keys: list[int]) -> dict[str, Any]:
    places = sorted((pair["row"], pair["column"]), key=keys.index)
    kappa = pair["kappa"]
    shade = None if kappa is None else sum(kappa >= edge for edge in HEAT_BREAKS)
    symbol = "s" if pair["suppressed"] else "·"
    return {
        "row": places[1],
        "column": places[0],
        "fill": PALE if shade is None else HEAT[shade],
        "ink": MUTED if shade is None else (HEAT_LIGHT_INK if shade >= 4 else HEAT_DARK_INK),
        "text": symbol if kappa is None else coefficient(kappa, False).removeprefix("0"),
    }


def _ceiling(shares: list[Share]) -> float:
    """The largest value drawn, so that every chart of a kind starts at zero and wastes no room."""
    return max([s.bound_high for s in shares if s.bound_high is not None], default=1.0) or 1.0


def _svg(
    chart: alt.LayerChart,
    size: tuple[int, int],
    margins: tuple[int, int, int, int],
    label: str,
    shrinks: bool = True,
) -> str:
    """Static SVG as wide as its box, up to its own width; `margins` are left, top, right, bottom.

    One that does not shrink is scrolled where its box is narrower, so that its smallest text stays readable.
    """
    padding = dict(zip(("left", "top", "right", "bottom"), margins, strict=True))
    sized = chart.properties(width=size[0], height=max(size[1], 1), padding=padding)
    spec = sized.to_dict(format="vega-lite", validate=False)
    spec |= {"autosize": {"type": "none"}, "background": None, "config": _CONFIG}
    return _embeddable(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]), label, shrinks)


def _embeddable(svg: str, label: str, shrinks: bool) -> str:
    """Drop fixed sizes and drawing-library roles; add the text alternative."""
    width = re.search(r'width="([\d.]+)"', svg).group(1)
    box = re.search(r'viewBox="[^"]*"', svg).group(0)
    body = re.sub("<[^>]*>", _lean_tag, svg[svg.index(">") + 1 :])
    body = re.sub(r'<text[^>]*></text>|<path d="[^"]*" display="none"/>|<defs/>', "", body)
    kept = "" if shrinks else f"min-width:{width}px;"
    return f'<svg {box} style="{kept}max-width:{width}px" role="img" aria-label="{escape(label)}">{body}'


def _lean_tag(match: re.Match[str]) -> str:
    """A tag without what the page's style sheet sets, its numbers cut to hundredths of a pixel."""
    tag = re.sub(r' (class|aria-[a-z]+|role|pointer-events|font-family)="[^"]*"', "", match.group(0))
    return re.sub(r"(\d+\.\d{2})\d+", r"\1", tag)
