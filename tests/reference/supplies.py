"""How long supplies last by refills, worked out slowly from the words of the papers, one person after the other.

Rows are (person, date, drug, ddd), ddd None where it is not known. Nothing is shared with the program.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from itertools import pairwise
from math import floor, sqrt

Dispensing = tuple[str, date, str, float | None]


def by_rhythm(rows: list[Dispensing], max_days: int, *, lengthen: bool = False) -> list[tuple[int, int] | None]:
    """For each row days and thousandths of a DDD a day, None where the rhythm tells nothing."""
    found: dict[tuple[str, str, date], tuple[Fraction, Fraction]] = {}
    for person, drug in {(row[0], row[2]) for row in rows}:
        own = [row for row in rows if row[0] == person and row[2] == drug]
        for block in _together(own, max_days):
            found |= {(person, drug, day): told for day, told in _paces(block, max_days, lengthen=lengthen).items()}
    return [_told(row, found.get((row[0], row[2], row[1])), max_days) for row in rows]


def _told(row: Dispensing, pace: tuple[Fraction, Fraction] | None, max_days: int) -> tuple[int, int] | None:
    if pace is None:
        return None
    average, longer = pace
    days = floor(_ddd(row[3]) / average * longer + Fraction(1, 10**9))
    return min(max(days, 1), max_days), round(average * 1000)


def _together(own: list[Dispensing], max_days: int) -> list[list[tuple[date, Fraction]]]:
    """The purchases of one drug that lie together: each a day with the DDD of all rows of it."""
    blocks: list[list[tuple[date, Fraction]]] = [[]]
    for day in sorted({row[1] for row in own}):
        amounts = [row[3] for row in own if row[1] == day]
        if any(amount is None for amount in amounts):
            blocks.append([])
            continue
        if blocks[-1] and (day - blocks[-1][-1][0]).days > max_days:
            blocks.append([])
        blocks[-1].append((day, sum((_ddd(amount) for amount in amounts), Fraction(0))))
    return [block for block in blocks if len(block) >= 3]


def _ddd(amount: float | None) -> Fraction:
    assert amount is not None
    return Fraction(round(amount * 1000), 1000)


def _paces(
    block: list[tuple[date, Fraction]], max_days: int, *, lengthen: bool
) -> dict[date, tuple[Fraction, Fraction]]:
    """For each purchase the DDD a day, and by which factor its days are longer."""
    days, ddd = [day for day, _ in block], [amount for _, amount in block]
    until_next = [Fraction((after - day).days) for day, after in pairwise(days)]
    until_next.append(min(ddd[-1] * until_next[-1] / ddd[-2], Fraction(max_days)))
    averages = []
    for i in range(len(block)):
        weights = {i - 1: 1, i: 4, i + 1: 1} if 0 < i < len(block) - 1 else {i: 5, (1 if i == 0 else i - 1): 1}
        averages.append(
            sum(w * ddd[j] for j, w in weights.items()) / sum(w * until_next[j] for j, w in weights.items())
        )
    longer = 1 + _spread([min(average, Fraction(99)) for average in averages]) if lengthen else Fraction(1)
    return {day: (min(average, Fraction(10)), longer) for day, average in zip(days, averages, strict=True)}


def _spread(values: list[Fraction]) -> Fraction:
    mean = sum(values) / len(values)
    deviation = sqrt(sum((value - mean) ** 2 for value in values) / len(values))
    return Fraction(min(max(deviation / float(mean), 0.2), 0.5))


def by_waiting_times(rows: Iterable[Dispensing], percent: int, min_persons: int, max_days: int) -> dict[str, int]:
    """By drug the days within which so many percent of the refills came, those of a person after the same days once."""
    rows = list(rows)
    lengths = {}
    for drug in {row[2] for row in rows if len(row[2]) == 7}:
        refills = {}
        for person in {row[0] for row in rows}:
            days = sorted({row[1] for row in rows if row[0] == person and row[2] == drug})
            gaps = [(after - day).days for day, after in pairwise(days)]
            refills[person] = {gap for gap in gaps if gap <= max_days}
        all_gaps = sorted(gap for gaps in refills.values() for gap in gaps)
        if sum(bool(gaps) for gaps in refills.values()) < min_persons or not all_gaps:
            continue
        length = next(n for n in all_gaps if 100 * sum(gap <= n for gap in all_gaps) >= percent * len(all_gaps))
        if sum(gap >= length for gap in all_gaps) >= 10:
            lengths[drug] = length
    return lengths
