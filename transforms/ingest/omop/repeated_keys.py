"""How many rows of an OMOP table have a primary key that an earlier row has, as where a table is delivered twice.

A table may be larger than memory, so of a long one some keys are kept, as if by chance: those whose hash is a multiple
of a number that doubles whenever there are too many. Each that is found again stands for as many rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

import polars as pl

from impasse.transforms.ingest.omop.delivered_table import OmopFrame

N_KEYS, N_REPEATED = "n_keys", "n_repeated_keys"

_MOST_KEPT = 1 << 20


class RowKeys:
    """The primary keys of one table, piece by piece."""

    def __init__(self) -> None:
        self._kept = pl.Series(dtype=pl.UInt64)
        self._one_of = 1

    def count(self, frame: OmopFrame) -> Counter[Hashable]:
        """How many rows of the next piece have a key, and about how many of them one that was there before.

        Nothing else is made of these keys, so those that are no whole numbers or words are let be.
        """
        column = f"{frame.name}_id"
        kind = frame.low.schema.get(column, pl.Null())
        if not (kind == pl.String or kind.is_integer()):
            return Counter()
        keys = frame.select(key=frame.key(column))["key"].drop_nulls().hash()
        kept = pl.concat([self._kept, self._chosen(keys)])
        self._kept = kept.unique()
        repeated = (len(kept) - len(self._kept)) * self._one_of
        while len(self._kept) > _MOST_KEPT:
            self._one_of *= 2
            self._kept = self._chosen(self._kept)
        return Counter({N_KEYS: len(keys), N_REPEATED: repeated})

    def _chosen(self, keys: pl.Series) -> pl.Series:
        return keys.filter(keys % self._one_of == 0)
