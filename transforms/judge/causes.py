"""Pseudo-resistance: what else may explain that treatment seems to have failed.

A cause is diagnosed (an illness, or not taking the drugs, from code lists) or lies in the trials
themselves (too little, too short, too irregular). Diagnosed causes belong to the episode; those of the
trials depend on what a definition calls adequate.
"""

from __future__ import annotations

from functools import cached_property
from itertools import compress, product

import numpy as np

from impasse.schemas.codelists import CodeLists
from impasse.schemas.tables import ADEQUACY_REASONS, CAUSES_OF_TRIALS, PSEUDO_RESISTANCE
from impasse.transforms.history.encode import Coded, spelled
from impasse.transforms.history.episodes import Spans
from impasse.transforms.kernels.eras import LONG_AGO

# The reasons of an inadequate trial that show each cause, in the order of CAUSES_OF_TRIALS.
_REASONS = (("underdosed",), ("too_short", "too_few_sessions"), ("low_adherence",))
# The causes that a trial with each reason shows: bit n is the n-th of CAUSES_OF_TRIALS.
CAUSES_BY_REASON = np.array(
    [sum((reason in shows) << n for n, shows in enumerate(_REASONS)) for reason in ADEQUACY_REASONS]
)
_N_SHOWN = 1 << len(CAUSES_OF_TRIALS)
_NONE, _POSSIBLE, _LIKELY = range(len(PSEUDO_RESISTANCE))


class Causes:
    """The causes each episode's person was diagnosed with by its end, found when they are asked for."""

    def __init__(self, spans: Spans, coded: Coded, codes: CodeLists) -> None:
        self._spans, self._coded, self._codes = spans, coded, codes

    @property
    def diagnosed(self) -> np.ndarray:
        """The causes of each episode, as a place in `words`."""
        return self._found[0]

    @property
    def words(self) -> tuple[str, ...]:
        """Lists of causes, in alphabetical order; the empty list is the first."""
        return self._found[1]

    @property
    def is_diagnosed(self) -> np.ndarray:
        """Was the person diagnosed with some cause of pseudo-resistance?"""
        return self.diagnosed > 0

    def of_episodes(self, chosen: np.ndarray) -> Causes:
        """The causes of some episodes."""
        return Causes(self._spans.only(chosen), self._coded, self._codes)

    @cached_property
    def all_words(self) -> tuple[str, ...]:
        """Each of `words` together with every combination of causes that lie in trials, as `judge_causes` asks."""
        combinations = [tuple(reversed(flags)) for flags in product((False, True), repeat=len(CAUSES_OF_TRIALS))]
        return tuple(
            " ".join(sorted([*diagnosed.split(), *compress(CAUSES_OF_TRIALS, flags)]))
            for diagnosed in self.words
            for flags in combinations
        )

    @cached_property
    def _found(self) -> tuple[np.ndarray, tuple[str, ...]]:
        spans, told = self._spans, self._coded.diagnosed
        n, long_ago = len(spans.start), np.full(len(spans.start), LONG_AGO)
        has_cause = {cause: np.zeros(n, dtype=bool) for cause in self._codes.causes["cause"].unique().sort()}
        for disorder, name, cause in self._codes.causes.select("disorder", "list", "cause").iter_rows():
            rows = np.flatnonzero(spans.of_disorders(frozenset({disorder})))
            days = told.days_of(name).number_within(spans.person[rows], long_ago[rows], spans.end[rows])
            has_cause[cause][rows] |= days > 0
        return spelled(has_cause, n)


def judge_causes(causes: Causes, shown: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per episode the pseudo-resistance, as a place in PSEUDO_RESISTANCE, and its causes, as a place in `all_words`.

    `shown` are the causes that the episode's counted trials show, as in CAUSES_BY_REASON.
    """
    word = causes.diagnosed * _N_SHOWN + shown
    of_words = np.full(len(causes.all_words), _LIKELY, dtype=np.int8)
    of_words[:_N_SHOWN] = _POSSIBLE  # no cause is diagnosed
    of_words[0] = _NONE
    return of_words[word], word
