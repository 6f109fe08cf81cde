"""Dispensings that were taken back: rows with a negative amount, and the supplies they speak about.

Registers report a return, or the correction of a slip, as a further row whose amount is negative.

1. It takes back the latest supply not yet taken back of the same person, substance and amount, on or before its day;
   within a day every supply comes before every reversal. What is taken back was not handed out: neither row is in
   the canonical table.
   Equal in amount are the same days, dose and amount; dispensed, prescribed or administered does not matter.
2. If there is no such supply, it takes back the latest supplies of one day whose amounts add up to its own.
3. If there are none, only a part was returned, or supplies of several days at once: how long the latest supplies of
   the substance last is then unknown, as far back as the amount reaches. They stay, without days and dose.
4. If there is no supply at all before it, it says nothing.
5. A reversal counts on whatever day after a death or the end of the period, for others return what the dead had. A
   supply that is refused for such a day alone may be what it takes back, and is then the latest; it stays refused.

All rows of a person are looked at together, so neither the order of the rows nor how a file is cut shows in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import polars as pl

from impasse.transforms.ingest.drafts import once
from impasse.transforms.ingest.refills.told import TOLD
from impasse.transforms.kernels.compiled import compiled

# Columns that what a dispensing says has until reversals are settled.
AMOUNT, AMOUNT_UNIT, IS_REVERSAL, IS_LATE = "amount", "amount_unit", "is_reversal", "is_late"
BESIDE = (AMOUNT, AMOUNT_UNIT, IS_REVERSAL, IS_LATE)
# What a supply and the row that takes it back may differ in.
_BESIDE_EQUALITY = (IS_REVERSAL, IS_LATE, "kind", *TOLD)
_LENGTH = ("days", "dose_ug", "dose_mddd")
# Amounts are sums of decimals; less than this of one is nothing.
_HAIR = 1e-6


@dataclass(frozen=True)
class Reversals:
    """How many supplies were taken back, how many reversals found none of their amount, and how many are unknown."""

    n_taken_back: int = 0
    n_unmatched: int = 0
    n_unknown: int = 0

    def __add__(self, other: Reversals) -> Reversals:
        return Reversals(
            self.n_taken_back + other.n_taken_back,
            self.n_unmatched + other.n_unmatched,
            self.n_unknown + other.n_unknown,
        )


@dataclass(frozen=True)
class SettledSupplies:
    """By the number of what a dispensing says: what is supplied, of which drug and how much.

    Further whether it is a reversal, and whether it comes too late.
    `unknown` is the number of the same supply without its length.
    """

    supply: np.ndarray
    drug: np.ndarray
    amount: np.ndarray
    unit: np.ndarray
    is_reversal: np.ndarray
    is_late: np.ndarray
    unknown: np.ndarray


def with_late(rows: pl.DataFrame, said: pl.DataFrame, late: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Accepted rows and, after them, `late` ones, which are refused for their day alone; and what all of them say."""
    said = said.with_columns(pl.lit(False).alias(IS_LATE))
    n = cast(int, said["said"].max() or 0) + 1
    again = said.filter(pl.col("said").is_in(late["said"].unique().implode()))
    again = again.with_columns(pl.col("said") + n, pl.lit(True).alias(IS_LATE))
    return pl.concat([rows, late.with_columns(pl.col("said") + n)]), pl.concat([said, again])


def count_due(rows: pl.DataFrame, said: pl.DataFrame) -> int:
    """How many rows of the canonical table `rows` are due by what they say, until reversals take supplies back."""
    kept = said.filter(~pl.col(IS_REVERSAL) & ~pl.col(IS_LATE)) if IS_REVERSAL in said.columns else said
    return cast(int, rows.select("said").join(kept.group_by("said").len(), on="said")["len"].sum())


def with_unknown(known: pl.DataFrame) -> tuple[pl.DataFrame, SettledSupplies | None]:
    """All that dispensings say and, after it, each supply without its length; none is needed without a reversal."""
    if IS_REVERSAL not in known.columns or not (known[IS_REVERSAL] | known[IS_LATE]).any():
        return known, None
    blank = [*_LENGTH, AMOUNT, AMOUNT_UNIT, *(name for name in TOLD if name in known.columns)]
    nothing = [pl.lit(None).cast(known.schema[name]).alias(name) for name in blank]
    no = [pl.lit(False).alias(name) for name in (IS_REVERSAL, IS_LATE)]
    silent = known.with_columns(*nothing, *no, pl.lit("unknown").alias("supply_basis"))
    different, number = once(silent, silent.columns)
    supplies = SettledSupplies(
        supply=_equal(known, [name for name in known.columns if name not in _BESIDE_EQUALITY]),
        drug=known["atc"].rank("dense").to_numpy().astype(np.int64),
        amount=known[AMOUNT].fill_null(float("nan")).to_numpy(),
        unit=known[AMOUNT_UNIT].rank("dense").fill_null(0).to_numpy().astype(np.int64),
        is_reversal=known[IS_REVERSAL].to_numpy(),
        is_late=known[IS_LATE].to_numpy(),
        unknown=number.to_numpy() + known.height,
    )
    return pl.concat([known, different]), supplies


def _equal(known: pl.DataFrame, columns: list[str]) -> np.ndarray:
    """A number for each row, the same where all of some columns are, wherever in the table the rows are."""
    together = known.select(pl.struct(columns).rank("dense")).to_series()
    return together.to_numpy().astype(np.int64)


def take_back(
    rows: pl.DataFrame, supplies: SettledSupplies | None, places: pl.Series
) -> tuple[pl.DataFrame, Reversals]:
    """The rows (person, date, words) that are left of those of some persons, and what was done to them.

    `places` puts what is said on one day in order.
    """
    if supplies is None:
        return rows, Reversals()
    words = rows["words"].to_numpy()
    group = rows["person"].to_numpy().astype(np.int64) * (supplies.drug.max() + 1) + supplies.drug[words]
    is_reversal = supplies.is_reversal[words]
    asked = np.flatnonzero(np.isin(group, group[is_reversal]))
    day = rows["date"].to_physical().to_numpy()
    place = places.gather(words).to_numpy()
    in_order = asked[np.lexsort((place[asked], is_reversal[asked], day[asked], group[asked]))]
    is_gone = np.zeros(rows.height, dtype=np.bool_)
    by_supply = in_order[np.lexsort((supplies.supply[words[in_order]], group[in_order]))]
    supply = supplies.supply[words[by_supply]]
    is_gone[by_supply] = _taken_back(group[by_supply], supply, is_reversal[by_supply])
    rest = in_order[~is_gone[in_order]]
    is_unknown = np.zeros(rows.height, dtype=np.bool_)
    amounts, units = supplies.amount[words[rest]], supplies.unit[words[rest]]
    is_unknown[rest], is_gone[rest] = _returned(group[rest], day[rest], is_reversal[rest], amounts, units)
    is_supply = ~is_reversal & ~supplies.is_late[words]
    said = np.where(is_unknown, supplies.unknown[words], words).astype(np.uint32)
    left = rows.with_columns(words=said).filter(is_supply & ~is_gone)
    return left, Reversals(
        n_taken_back=int((is_gone & is_supply).sum()),
        n_unmatched=int((is_reversal & ~is_gone).sum()),
        n_unknown=int((is_unknown & is_supply).sum()),
    )


@compiled
def _taken_back(group: np.ndarray, supply: np.ndarray, is_reversal: np.ndarray) -> np.ndarray:
    """True for reversals and the supplies that they take back, the latest first.

    Rows come sorted by group, supply, day and whether they are reversals.
    """
    gone, waiting, n_waiting = np.zeros(len(group), dtype=np.bool_), np.empty(len(group), dtype=np.int64), 0
    for row in range(len(group)):
        if row == 0 or group[row] != group[row - 1] or supply[row] != supply[row - 1]:
            n_waiting = 0
        if not is_reversal[row]:
            waiting[n_waiting] = row
            n_waiting += 1
        elif n_waiting > 0:
            n_waiting -= 1
            gone[row] = gone[waiting[n_waiting]] = True
    return gone


@compiled
def _returned(
    group: np.ndarray, day: np.ndarray, is_reversal: np.ndarray, amount: np.ndarray, unit: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Supplies of which a reversal may have taken a part, and reversals and supplies that they take back together.

    The first are the latest, as far back as its amount reaches. Rows come sorted by group, day and whether they are
    reversals. An amount that is not known reaches one supply.
    """
    unknown, gone = np.zeros(len(group), dtype=np.bool_), np.zeros(len(group), dtype=np.bool_)
    waiting, n_waiting = np.empty(len(group), dtype=np.int64), 0
    left = amount.copy()
    for row in range(len(group)):
        if row == 0 or group[row] != group[row - 1]:
            n_waiting = 0
        if not is_reversal[row]:
            waiting[n_waiting] = row
            n_waiting += 1
            continue
        n_whole = _n_whole(row, waiting[:n_waiting], day, amount, unit, left)
        if n_whole > 0:
            gone[row] = True
            gone[waiting[n_waiting - n_whole : n_waiting]] = True
            n_waiting -= n_whole
            continue
        returned = amount[row]
        while n_waiting > 0:
            latest = waiting[n_waiting - 1]
            unknown[latest] = True
            if not left[latest] <= returned + _HAIR:
                left[latest] -= returned
                break
            returned -= left[latest]
            n_waiting -= 1
            if returned < _HAIR:
                break
    return unknown, gone


@compiled
def _n_whole(
    row: int, waiting: np.ndarray, day: np.ndarray, amount: np.ndarray, unit: np.ndarray, left: np.ndarray
) -> int:
    """How many of the latest supplies, whole and of one day, are together what a reversal returns; 0 if none are."""
    returned = amount[row]
    for n in range(len(waiting)):
        supply = waiting[len(waiting) - 1 - n]
        is_whole = left[supply] == amount[supply] and unit[supply] == unit[row]
        if not is_whole or day[supply] != day[waiting[-1]] or amount[supply] > returned + _HAIR:
            return 0
        returned -= amount[supply]
        if returned < _HAIR:
            return n + 1
    return 0
