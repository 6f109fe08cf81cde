"""What is left over of a drug when it is dispensed again: it is used up first, up to a cap of days.

It is left over as days, or as an amount that at another dose lasts for other days. The doses are in mg where every
supply of the drug has one, else in DDD; where one of the two is not known, the days stay as they are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from impasse.transforms.history.encode import UNKNOWN
from impasse.transforms.history.exposures import Supplies
from impasse.transforms.kernels.days import stocked, stocked_by_amount
from impasse.transforms.kernels.segments import Segments


class Leftovers(NamedTuple):
    """How many days are left over at most, 0 where nothing is; and whether they are an amount."""

    cap: int
    are_amounts: bool

    def begin(self, rows: Supplies, is_first: np.ndarray, days: np.ndarray) -> np.ndarray:
        """The day on which each supply is begun, if each lasts for `days`; `is_first` marks the first of each drug."""
        day = rows.day + rows.begins
        if self.cap == 0:
            return day
        if not self.are_amounts:
            return day + stocked(is_first, day, days, self.cap)
        return day + stocked_by_amount(is_first, rows.begins > 0, day, days, _paces(rows), self.cap)


def _paces(rows: Supplies) -> np.ndarray:
    """The dose of each supply, of one drug in one unit."""
    drugs = Segments(rows.episode, rows.treatment)
    has_mg = ~drugs.any(rows.dose_ug == UNKNOWN)
    return np.where(has_mg[drugs.of], rows.dose_ug, rows.dose_mddd)
