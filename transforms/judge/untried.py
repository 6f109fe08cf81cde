"""Resistant episodes -> what was never tried, and what became of them: an impasse need not be an endpoint."""

from __future__ import annotations

import numpy as np
import polars as pl

from impasse.schemas.codelists import CodeLists
from impasse.transforms.history.encode import Coded, Done, decode, spelled
from impasse.transforms.history.episodes import Spans, spans_of
from impasse.transforms.kernels.days import packed
from impasse.transforms.kernels.segments import NEVER, Segments, in_order

ESTABLISHED = ("first_line", "later_line")


def find_impasses(episodes: pl.DataFrame, coded: Coded, codes: CodeLists) -> pl.DataFrame:
    """One row per episode, in order: episode, afterwards, and the options untried and unobserved, as listed."""
    spans = spans_of(episodes, coded.disorders)
    options = codes.options.filter(pl.col("tier").is_in(ESTABLISHED))
    shown = {group: codes.observed_as_of_group(group) <= coded.observes for group in options["treatments"].unique()}
    first = _first_given(spans, coded)
    tried = {group: _tried(spans, first, group, coded) for group in shown}
    words: list[str] = []
    places = {is_shown: np.zeros(len(episodes), dtype=np.int64) for is_shown in (True, False)}
    for disorder in coded.disorders:
        mine = np.flatnonzero(spans.of_disorders(frozenset({disorder})))
        listed = options.filter(pl.col("disorder") == disorder).select("option", "treatments").rows()
        for is_shown, place in places.items():
            left = {option: ~tried[group][mine] for option, group in listed if shown[group] == is_shown}
            chosen, sets = spelled(left, len(mine))
            place[mine] = chosen + len(words)
            words += sets
    return episodes.select("episode", afterwards=_afterwards()).with_columns(
        untried=decode(places[True], words), unobserved=decode(places[False], words)
    )


def _first_given(spans: Spans, coded: Coded) -> Done:
    """The first day of each treatment that the episodes' persons were ever given or dispensed."""
    is_asked = np.zeros(len(coded.persons), dtype=bool)
    is_asked[spans.person] = True
    rows = [(table, np.flatnonzero(is_asked[table.person])) for table in (coded.dispensed, coded.done)]
    person, day, treatment = (
        np.concatenate([table[column][of] for table, of in rows]) for column in range(len(Done._fields))
    )
    order = in_order(packed(person.astype(np.int64) * len(coded.vocabulary.treatments) + treatment, day))
    first = order[Segments(person[order], treatment[order]).first]
    return Done(person[first], day[first], treatment[first])


def _tried(spans: Spans, first: Done, group: str, coded: Coded) -> np.ndarray:
    """Had the person something of the group, perhaps, until the episode's end?"""
    rows = np.flatnonzero(coded.vocabulary.perhaps_in((group,))[first.treatment])
    begun = np.full(len(coded.persons), NEVER)
    np.minimum.at(begun, first.person[rows], first.day[rows])
    return begun[spans.person] <= spans.end


def _afterwards() -> pl.Expr:
    ends = {"remission": "remitted", "death": "died"}
    named = pl.col("end_reason").cast(pl.String).replace_strict(ends, default=None, return_dtype=pl.String)
    return pl.coalesce(named, pl.when(pl.col("is_censored")).then(pl.lit("continued")).otherwise(pl.lit("ended")))
