"""The treatments met in a delivery, each once, and the groups that they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl


@dataclass(frozen=True)
class Vocabulary:
    """The treatments met in a delivery: one row each, sorted by name, `treatment` being the position."""

    treatments: pl.DataFrame

    @cached_property
    def _groups(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """For each group of the vocabulary the treatments that are surely in it, and those that may be, as masks."""
        sure, maybe = (self.treatments[column].to_list() for column in ("groups", "maybe_groups"))
        named = {group for groups in (*sure, *maybe) for group in groups}
        surely = {group: np.array([group in groups for groups in sure], dtype=bool) for group in named}
        return {
            group: (is_in, is_in | np.array([group in groups for groups in maybe], dtype=bool))
            for group, is_in in surely.items()
        }

    def surely_in(self, groups: tuple[str, ...]) -> np.ndarray:
        """The treatments that are in one of the groups, as a mask."""
        return self._one_of(groups, 0)

    def perhaps_in(self, groups: tuple[str, ...]) -> np.ndarray:
        """The treatments that are in one of the groups or, as far as their class tells, may be, as a mask."""
        return self._one_of(groups, 1)

    def is_in(self, groups: tuple[str, ...]) -> pl.Series:
        """For each treatment: is it in one of the groups? Null where its class alone cannot tell."""
        truths = zip(self.surely_in(groups).tolist(), self.perhaps_in(groups).tolist(), strict=True)
        return pl.Series([surely if surely == perhaps else None for surely, perhaps in truths], dtype=pl.Boolean)

    def _one_of(self, groups: tuple[str, ...], place: int) -> np.ndarray:
        nowhere = np.zeros(len(self.treatments), dtype=bool)
        return np.logical_or.reduce([nowhere, *(self._groups[g][place] for g in groups if g in self._groups)])

    def column(self, name: str) -> pl.Series:
        """A column of the vocabulary, to be looked up by treatment number."""
        return self.treatments[name]
