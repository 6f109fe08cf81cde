"""Pseudo-resistance: what else may explain that treatment seems to have failed.

A cause is diagnosed (an illness, or not taking the drugs, from code lists) or lies in the trials
themselves (too little, too short, too irregular). Diagnosed causes belong to the episode; those of the
trials depend on what a definition calls adequate.

A diagnosis counts on any day until the episode's end. One that may be a second disorder as well as a mistaken
diagnosis (depression in anxiety, say) counts only within so many days of the episode's start, before or after,
where the list says so, and makes pseudo-resistance possible; others make it likely. Only what makes it likely takes
an episode out under a definition that asks for that.
"""

from __future__ import annotations

from functools import cached_property, reduce
from itertools import compress, product
from operator import add, or_

import numpy as np
import polars as pl
from polars import col, lit, when

from impasse.schemas.codelists import CodeLists
from impasse.schemas.tables import CAUSES_OF_TRIALS, PSEUDO_RESISTANCE
from impasse.schemas.values import POSSIBLE_CAUSES
from impasse.transforms.history.encode import Coded, spelled
from impasse.transforms.history.episodes import Spans
from impasse.transforms.judge.counts import Counting

# The reasons of an inadequate trial that show each cause, in the order of CAUSES_OF_TRIALS.
_REASONS = (("underdosed",), ("too_short", "too_few_sessions"), ("low_adherence",))
N_COMBINATIONS = 1 << len(CAUSES_OF_TRIALS)  # the combinations of causes that lie in trials


class Causes:
    """The causes each episode's person was diagnosed with by its end, found when they are asked for."""

    def __init__(self, spans: Spans, coded: Coded, codes: CodeLists) -> None:
        self._spans, self._coded, self._codes = spans, coded, codes

    @property
    def diagnosed(self) -> np.ndarray:
        """The causes of each episode, as a place in `words`."""
        return self._found[0]

    @cached_property
    def is_likely(self) -> np.ndarray:
        """Has each episode a cause that makes pseudo-resistance likely?"""
        likely = [not set(words.split()) <= set(POSSIBLE_CAUSES) for words in self.words]
        return np.array(likely, dtype=bool)[self.diagnosed]

    @property
    def words(self) -> tuple[str, ...]:
        """Lists of causes, in alphabetical order; the empty list is the first."""
        return self._found[1]

    @cached_property
    def all_words(self) -> tuple[str, ...]:
        """Each of `words` together with every combination of causes that lie in trials, as numbers of them go."""
        combinations = [tuple(reversed(flags)) for flags in product((False, True), repeat=len(CAUSES_OF_TRIALS))]
        return tuple(
            " ".join(sorted([*diagnosed.split(), *compress(CAUSES_OF_TRIALS, flags)]))
            for diagnosed in self.words
            for flags in combinations
        )

    @cached_property
    def _found(self) -> tuple[np.ndarray, tuple[str, ...]]:
        spans, listed = self._spans, self._codes.causes
        has_cause = {cause: np.zeros(len(spans.start), dtype=bool) for cause in listed["cause"].unique().sort()}
        for (disorder,), lists in listed.group_by("disorder", maintain_order=True):
            rows = np.flatnonzero(spans.of_disorders(frozenset({disorder})))
            for name, cause, days in lists.select("list", "cause", "days_around_start").iter_rows():
                has_cause[cause][rows] |= self._is_diagnosed(rows, name, days)
        return spelled(has_cause, len(spans.start))

    def _is_diagnosed(self, rows: np.ndarray, name: str, days: float | None) -> np.ndarray:
        """Was a code of the list given by the end of some episodes, and within so many days of their start?"""
        found, spans = self._coded.diagnosed.days_of(name), self._spans
        person, start, end = spans.person[rows], spans.start[rows], spans.end[rows]
        if days is None:
            return found.first_of_each(len(self._coded.persons))[person] <= end
        around = int(days)
        return found.number_within(person, start - around, np.minimum(start + around, end)) > 0


def causes_of(given: pl.Expr, counting: Counting) -> pl.Expr:
    """The causes that the episode's trials show: bit n is the n-th of CAUSES_OF_TRIALS."""
    reason = counting.judged("adequacy_reason")
    parts = []
    for n, reasons in enumerate(_REASONS):
        shows = reduce(or_, (reason == name for name in reasons))
        parts.append((counting.asked.most(counting.asked.truth(given & shows)) > 0).cast(pl.Int32) * (1 << n))
    return reduce(add, parts)


def pseudo_resistance(shown: pl.Expr) -> pl.Expr:
    """Likely where a diagnosed cause makes it so, possible where another is diagnosed or only the trials show one."""
    none, possible, likely = (lit(name, dtype=pl.Enum(PSEUDO_RESISTANCE)) for name in PSEUDO_RESISTANCE)
    return when("is_diagnosed").then(likely).when((shown > 0) | (col("diagnosed") > 0)).then(possible).otherwise(none)
