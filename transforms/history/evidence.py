"""What can show how a trial ended, apart from the trials themselves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from impasse.transforms.history.encode import Coded, Scores
from impasse.transforms.kernels.eras import Days


@dataclass(frozen=True)
class Signs:
    """Scores by scale, days of ECT and TMS by person, days of admission by person and disorder.

    `scales` as listed. `same` names the treatments that are ECT or TMS themselves. `observed` names the signs the
    delivery can show.
    """

    scores: dict[str, Scores]
    scales: pl.DataFrame
    sessions: dict[str, Days]
    same: dict[str, np.ndarray]
    admissions: Days
    observed: frozenset[str]

    @cached_property
    def minimum(self) -> dict[str, float]:
        """The lowest score of each scale."""
        return dict(self.scales.select("scale", "minimum").iter_rows())


def find_signs(coded: Coded, scales: pl.DataFrame) -> Signs:
    """Collect scores, ECT and TMS days and admissions from a coded extract."""
    observed = {"switch", "add_on"} if "drug" in coded.observes else set()
    observed |= {sign for sign in ("ect", "tms") if sign in coded.observes}
    observed |= {"admission"} if coded.admissions is not None else set()
    kinds = {kind: coded.vocabulary.membership((kind,)).sure for kind in ("ect", "tms")}
    return Signs(
        scores=coded.scores,
        scales=scales,
        sessions={kind: coded.days_given(is_kind) for kind, is_kind in kinds.items()},
        same=kinds,
        admissions=coded.admissions if coded.admissions is not None else Days.of_keys(np.zeros(0, dtype=np.int64)),
        observed=frozenset(observed),
    )
