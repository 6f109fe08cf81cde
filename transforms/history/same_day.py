"""Supplies of one drug and day -> supplies as they are taken: together where their doses are known to differ.

Tablets of 25 and of 50 mg dispensed on one day make 75 mg a day; two packages of 25 mg are twice the stock of one.
So supplies of one dose stay one after another, as the trial rule carries over. Supplies of different doses run
beside each other from the first day on, and their doses add up, until the longest of them ends. Doses are told apart in
mg where at least two supplies of the day state them, else in DDD. A supply of unknown days, or whose dose is unknown,
is not known to be of another dose: it stays a supply by itself.

Rows stay as many as dispensings are. The rows taken together become the parts of one supply, cut where one of
them ends; a cut that falls on another leaves a part of no days.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from impasse.transforms.history.encode import UNKNOWN
from impasse.transforms.history.exposures import Supplies
from impasse.transforms.kernels.days import packed, stocked
from impasse.transforms.kernels.segments import Segments


class _Stock(NamedTuple):
    """The supplies that are taken together: each one's row, the number of its day of dispensing, and the days after
    it on which its use begins and has ended.
    """

    row: np.ndarray
    of: np.ndarray
    begins: np.ndarray
    ends: np.ndarray


def taken_together(rows: Supplies, cap: int, reads_days: bool) -> Supplies:
    """The supplies with those of one day taken together; of one dose, one waits for the other unless the `cap` is 0.

    Where the days of supply are not read, supplies last equally long, and those taken together are said to have been
    delivered for the days of the longest.
    """
    days_of = Segments(rows.episode, rows.treatment, rows.day)
    shared = np.flatnonzero(days_of.lengths[days_of.of] > 1)
    delivered, of = rows.only(shared), days_of.of[shared]
    some = delivered if reads_days else delivered._replace(days=np.ones_like(delivered.days))
    stock = _stock(some, of, cap)
    if not len(stock.row):
        return rows
    parts = _in_parts(some, stock)
    order = _order(parts, of, stock)
    if not reads_days:
        nothing = np.zeros_like(parts.begins)
        parts = parts._replace(days=_delivered_days(delivered.days, stock), begins=nothing)
    taken = parts.only(order)
    return Supplies(*(_with(column, shared, values) for column, values in zip(rows, taken, strict=True)))


def _delivered_days(days: np.ndarray, stock: _Stock) -> np.ndarray:
    """The days of each supply as delivered; of those taken together the longest, at the last of the parts."""
    together = Segments(stock.of)
    is_last = np.append(together.rank[1:] == 0, True)
    longest = np.where(is_last, together.max(days[stock.row])[together.of], 0)
    return _with(days, stock.row, longest)


def _stock(rows: Supplies, of: np.ndarray, cap: int) -> _Stock:
    """The supplies of known and different doses, by day and dose; each is used until the next one of its dose."""
    dose = _dose(rows, of)
    row = np.lexsort((dose, of))
    row = row[dose[row] != UNKNOWN]
    doses = Segments(of[row], dose[row])
    n_doses = np.bincount(of[row][doses.first], minlength=int(of.max(initial=0)) + 1)
    row = row[n_doses[of[row]] > 1]
    doses = Segments(of[row], dose[row])
    is_first = np.zeros(len(row), dtype=bool)
    is_first[doses.first] = True
    begins = stocked(is_first, ~is_first, np.zeros(len(row), dtype=np.int32), rows.days[row], cap)
    ends = begins + rows.days[row]
    ends[:-1] = np.where(is_first[1:], ends[:-1], begins[1:])
    return _Stock(row, of[row], begins, ends)


def _dose(rows: Supplies, of: np.ndarray) -> np.ndarray:
    """The dose by which supplies of a day are told apart; UNKNOWN too where the days are."""
    has_days = rows.days != UNKNOWN
    n_known = np.bincount(of, weights=has_days & (rows.dose_ug != UNKNOWN), minlength=int(of.max(initial=0)) + 1)
    return np.where(has_days, np.where(n_known[of] > 1, rows.dose_ug, rows.dose_mddd), UNKNOWN)


def _in_parts(rows: Supplies, stock: _Stock) -> Supplies:
    """The supplies with those of the stock as parts of a whole: each part's days, first day and dose."""
    together = Segments(stock.of)
    cut = stock.ends[np.lexsort((stock.ends, stock.of))]
    begins = np.append(0, cut[:-1]).astype(np.int32)
    begins[together.first] = 0
    day = np.minimum(begins, together.max(cut)[together.of] - 1)  # of a part of no days at the end, the day before
    doses = {name: _in_use(getattr(rows, name)[stock.row], stock, day) for name in ("dose_ug", "dose_mddd")}
    parts = {"days": cut - begins, "begins": begins, **doses}
    return rows._replace(**{name: _with(getattr(rows, name), stock.row, values) for name, values in parts.items()})


def _in_use(dose: np.ndarray, stock: _Stock, day: np.ndarray) -> np.ndarray:
    """The sum of the doses in use on the day of each part; UNKNOWN if one of them is."""
    is_unknown = dose == UNKNOWN
    total, n_unknown = (
        _before(values, stock.of, stock.begins, day) - _before(values, stock.of, stock.ends, day)
        for values in (np.where(is_unknown, 0, dose), is_unknown.astype(np.int64))
    )
    return np.where(n_unknown > 0, UNKNOWN, total)


def _before(values: np.ndarray, of: np.ndarray, since: np.ndarray, day: np.ndarray) -> np.ndarray:
    """For each asked day the sum of the values that stand by then, those of earlier days of dispensing included."""
    keys = packed(of, since)
    order = np.argsort(keys, kind="stable")
    sums = np.append(0, np.cumsum(values[order]))
    return sums[np.searchsorted(keys[order], packed(of, day), side="right")]


def _order(rows: Supplies, of: np.ndarray, stock: _Stock) -> np.ndarray:
    """The order of a day's supplies by days and dose; parts stand where the whole does, which has the first's dose."""
    together = Segments(stock.of)
    first = stock.row[together.first]
    whole = {"days": together.max(stock.ends), "dose_ug": rows.dose_ug[first], "dose_mddd": rows.dose_mddd[first]}
    days, dose_ug, dose_mddd = (
        _with(getattr(rows, name), stock.row, values[together.of]) for name, values in whole.items()
    )
    part = _with(np.zeros(len(of), dtype=np.int64), stock.row, together.rank)
    return np.lexsort((part, dose_mddd, dose_ug, days, of))


def _with(column: np.ndarray, row: np.ndarray, values: np.ndarray) -> np.ndarray:
    changed = column.copy()
    changed[row] = values
    return changed
