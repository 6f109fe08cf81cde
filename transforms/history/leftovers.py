"""When each supply of a drug is taken: what is left over when it is dispensed again is used up first, up to a cap.

It is left over as days, or as an amount that at another dose lasts for other days. The doses are in mg where every
supply of the drug has one, else in DDD; where one of the two is not known, the days stay as they are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from impasse.transforms.history.encode import UNKNOWN
from impasse.transforms.history.exposures import Supplies
from impasse.transforms.kernels.days import stocked
from impasse.transforms.kernels.leftovers import taken_one_by_one
from impasse.transforms.kernels.segments import Segments


class Leftovers(NamedTuple):
    """How many days are left over at most, 0 where nothing is; and whether they are an amount."""

    cap: int
    are_amounts: bool

    def taken(self, rows: Supplies, drugs: Segments, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The first day on which each supply is taken and the first after, if each lasts for `days`."""
        day = rows.day + rows.begins
        if self.cap == 0:
            return day, day + days
        if self.are_amounts:
            return self.taken_at_most(rows, drugs, days, np.zeros(len(day), dtype=bool))
        is_own_day = np.append(False, rows.day[1:] == rows.day[:-1])
        begin = day + stocked(_firsts(drugs, len(day)), is_own_day[: len(day)], day, days, self.cap)
        return begin, begin + days

    def taken_at_most(
        self, rows: Supplies, drugs: Segments, days: np.ndarray, is_open: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The same where some supplies, whose length `is_open`, last for `days` unless the drug is dispensed again.

        Of those no more than the cap is left over then.
        """
        paces = _paces(rows, drugs) if self.are_amounts and self.cap else np.zeros(len(rows.day), dtype=np.int64)
        whole = (_firsts(drugs, len(rows.day)), rows.begins > 0)
        return taken_one_by_one(*whole, rows.day, days, is_open, paces, self.cap)


def _firsts(drugs: Segments, n_rows: int) -> np.ndarray:
    is_first = np.zeros(n_rows, dtype=bool)
    is_first[drugs.first] = True
    return is_first


def _paces(rows: Supplies, drugs: Segments) -> np.ndarray:
    """The dose of each supply, of one drug in one unit."""
    has_mg = ~drugs.any(rows.dose_ug == UNKNOWN)
    return np.where(has_mg[drugs.of], rows.dose_ug, rows.dose_mddd).astype(np.int64)
