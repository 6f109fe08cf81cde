"""Pseudo-resistance: what else may explain that treatment seems to have failed.

A cause is diagnosed (an illness, or not taking the drugs, from code lists) or lies in the trials
themselves (too little, too short, too irregular). Diagnosed causes belong to the episode; those of the
trials depend on what a definition calls adequate.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress, product

import numpy as np
import polars as pl

from schemas.codelists import CodeLists
from schemas.tables import CAUSES_OF_TRIALS, PSEUDO_RESISTANCE
from transforms.adequacy import LOW_ADHERENCE, TOO_FEW_SESSIONS, TOO_SHORT, UNDERDOSED
from transforms.encode import Coded

# The reasons of an inadequate trial that show each cause, in the order of CAUSES_OF_TRIALS.
REASONS = dict(zip(CAUSES_OF_TRIALS, ((UNDERDOSED,), (TOO_SHORT, TOO_FEW_SESSIONS), (LOW_ADHERENCE,)), strict=True))
_NONE, _POSSIBLE, _LIKELY = range(len(PSEUDO_RESISTANCE))


@dataclass(frozen=True)
class Causes:
    """The causes each episode's person was diagnosed with by its end: `diagnosed` is a place in `words`.

    Each word of `words` is a list of causes, in alphabetical order; the empty list is the first.
    """

    diagnosed: np.ndarray
    words: tuple[str, ...]

    @property
    def is_diagnosed(self) -> np.ndarray:
        """Was the person diagnosed with some cause of pseudo-resistance?"""
        return self.diagnosed > 0


def find_causes(episodes: pl.DataFrame, coded: Coded, codes: CodeLists) -> Causes:
    """The diagnosed causes of every episode, in order."""
    known = codes.causes.select("disorder", "list", "cause")
    spans = episodes.select("episode", "person", "disorder", "end").join(known, on="disorder")
    rows = spans.join(coded.listed.select("person", "day", "list"), on=["person", "list"])
    in_time = rows.filter(pl.col("day") <= pl.col("end")).group_by("episode").agg(pl.col("cause").unique().sort())
    found = in_time.select("episode", diagnosed=pl.col("cause").list.join(" "))
    joined = episodes.select("episode").join(found, on="episode", how="left", maintain_order="left")
    column = joined["diagnosed"].fill_null("")
    words = ["", *column.filter(column != "").unique().sort()]
    return Causes(column.cast(pl.Enum(words)).to_physical().to_numpy(), tuple(words))


def judge_causes(causes: Causes, shown: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Per episode the pseudo-resistance, as a place in PSEUDO_RESISTANCE, and its causes, as a place in the words.

    `shown` says for each cause that lies in trials whether the episode's counted trials show it.
    """
    bits = sum(is_shown.astype(np.int64) << n for n, is_shown in enumerate(shown.values()))
    word = causes.diagnosed.astype(np.int64) * 2 ** len(shown) + bits
    combinations = [tuple(reversed(flags)) for flags in product((False, True), repeat=len(shown))]
    words = [
        " ".join(sorted([*diagnosed.split(), *compress(shown, flags)]))
        for diagnosed in causes.words
        for flags in combinations
    ]
    pseudo_resistance = np.where(causes.is_diagnosed, _LIKELY, np.where(word > 0, _POSSIBLE, _NONE))
    return pseudo_resistance.astype(np.int8), word, tuple(words)
