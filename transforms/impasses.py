"""Resistant episodes -> what was never tried, and what became of them: an impasse need not be an endpoint."""

from __future__ import annotations

import polars as pl

from schemas.codelists import CodeLists
from transforms.encode import Coded, lookup

_ESTABLISHED = ("first_line", "later_line")


def find_impasses(episodes: pl.DataFrame, coded: Coded, codes: CodeLists) -> pl.DataFrame:
    """One row per episode: episode, afterwards, and the options untried and unobserved, in the order of the list."""
    options = codes.options.filter(pl.col("tier").is_in(_ESTABLISHED)).with_row_index("place")
    shown = [codes.observed_as_of_group(group) <= coded.observes for group in options["treatments"]]
    known = options.select("disorder", "option", "place", "treatments").with_columns(
        is_observed=pl.Series(shown, dtype=pl.Boolean)
    )
    left = episodes.select("episode", "disorder").join(known, on="disorder")
    left = left.join(_tried(episodes, known, coded), on=["episode", "treatments"], how="anti").sort("episode", "place")
    words = left.group_by("episode", maintain_order=True).agg(
        untried=pl.col("option").filter("is_observed").str.join(" "),
        unobserved=pl.col("option").filter(~pl.col("is_observed")).str.join(" "),
    )
    table = episodes.select("episode", afterwards=_afterwards()).join(words, on="episode", how="left")
    return table.with_columns(pl.col("untried", "unobserved").fill_null(""))


def _tried(episodes: pl.DataFrame, options: pl.DataFrame, coded: Coded) -> pl.DataFrame:
    """episode, treatments: the groups of which the person had something, perhaps, until the episode's end."""
    tables = [t.select("person", "day", "treatment") for t in (coded.dispensings, coded.procedures) if t is not None]
    first = pl.concat(tables).group_by("person", "treatment").agg(pl.col("day").min()) if tables else None
    spans = episodes.select("episode", "person", "end")
    parts = [spans.select("episode", treatments=pl.lit("")).clear()]
    for group in options["treatments"].unique().sort() if first is not None else []:
        mine = first.filter(lookup(pl.Series(coded.vocabulary.membership((group,)).possible)))
        rows = spans.join(mine, on="person").filter(pl.col("day") <= pl.col("end"))
        parts.append(rows.select("episode", treatments=pl.lit(group)).unique())
    return pl.concat(parts)


def _afterwards() -> pl.Expr:
    ends = {"remission": "remitted", "death": "died"}
    named = pl.col("end_reason").replace_strict(ends, default=None, return_dtype=pl.String)
    return pl.coalesce(named, pl.when(pl.col("is_censored")).then(pl.lit("continued")).otherwise(pl.lit("ended")))
