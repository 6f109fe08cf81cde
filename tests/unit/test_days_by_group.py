"""Joining intervals: packing, era openings and leftover supply."""

from collections.abc import Callable

import numpy as np
import pytest

from impasse.transforms.kernels.days import LONG_AGO, Days, opens_era, packed, stocked
from impasse.transforms.kernels.segments import NEVER
from tests.tables import table


def _columns(drawn: str, *names: str) -> list[np.ndarray]:
    rows = table(drawn)
    return [rows[name].to_numpy() for name in names]


def _opened(drawn: str, gap: int) -> list[bool]:
    return opens_era(*_columns(drawn, "group", "start", "end"), gap).tolist()


def test_packed_sorts_by_group_then_day() -> None:
    """A later group is larger whatever its day, also for days before 1970."""
    drawn = """
        group  day
        0      -700
        0      20000
        1      -700
        1      20000
    """

    assert (np.diff(packed(*_columns(drawn, "group", "day"))) > 0).all()


def test_packed_days_are_one_apart() -> None:
    """Within a group, distances are distances in days."""
    drawn = "group  day\n3  -1\n3  0\n3  31"

    assert np.diff(packed(*_columns(drawn, "group", "day"))).tolist() == [1, 31]


def test_the_first_day_of_each_group_is_its_earliest() -> None:
    """A group without a row has none."""
    days = Days(*_columns("group  day\n0  -700\n0  20000\n2  31", "group", "day"))

    assert days.first_of_each(4).tolist() == [-700, NEVER, 31, NEVER]


def test_an_era_opens_past_the_gap_not_at_it() -> None:
    """Starting 30 days after the end continues, 31 days after opens."""
    assert _opened("group start end\n0 0 10\n0 40 50", gap=30) == [True, False]
    assert _opened("group start end\n0 0 10\n0 41 50", gap=30) == [True, True]


def test_a_gap_of_zero_joins_only_what_touches() -> None:
    """The first uncovered day continues, the one after opens."""
    assert _opened("group start end\n0 0 10\n0 10 20\n0 21 30", gap=0) == [True, False, True]


def test_an_era_is_measured_from_the_latest_end_not_the_last_row() -> None:
    """A long interval keeps the era open past a short one within it."""
    assert _opened("group start end\n0 0 100\n0 5 10\n0 110 120", gap=30) == [True, False, False]


def test_every_group_opens_an_era() -> None:
    """A new group opens, however close in days to the last."""
    assert _opened("group start end\n0 0 10\n1 5 10\n2 -900 0", gap=30) == [True, True, True]


def test_no_rows_open_no_eras() -> None:
    """An empty table has no eras."""
    none = np.array([], dtype=np.int32)

    assert opens_era(none, none, none, 30).tolist() == []


def _waits(drawn: str, cap: int) -> list[int]:
    first, day, days = _columns(drawn, "first", "day", "days")
    return stocked(first, np.append(False, day[1:] == day[:-1]), day, days, cap).tolist()


def test_a_supply_waits_for_what_is_left_of_the_one_before() -> None:
    """A refill on the end waits 0 days, a day early 1 day, a day late none."""
    assert _waits("first day days\ntrue 0 30\nfalse 30 30", cap=90) == [0, 0]
    assert _waits("first day days\ntrue 0 30\nfalse 29 30", cap=90) == [0, 1]
    assert _waits("first day days\ntrue 0 30\nfalse 31 30", cap=90) == [0, 0]


def test_leftovers_add_up_along_the_chain() -> None:
    """Each refill ten days early waits ten days more."""
    assert _waits("first day days\ntrue 0 30\nfalse 20 30\nfalse 40 30", cap=90) == [0, 10, 20]


def test_waiting_is_capped_at_each_refill() -> None:
    """With a cap of 15, what exceeds it is lost, not kept for later."""
    assert _waits("first day days\ntrue 0 30\nfalse 20 30\nfalse 40 30\nfalse 80 30", cap=15) == [0, 10, 15, 5]


@pytest.mark.parametrize(("cap", "waits"), [(90, [0, 100, 200]), (0, [0, 0, 0])])
def test_packages_of_one_day_are_all_kept(cap: int, waits: list[int]) -> None:
    """The cap bounds what is left over of earlier days; without one nothing is carried over at all."""
    assert _waits("first day days\ntrue 0 100\nfalse 0 100\nfalse 0 100", cap=cap) == waits


def test_each_drug_has_its_own_stock() -> None:
    """Chains of different length are worked on at once and do not mix."""
    drawn = """
        first  day  days
        true   0    30
        true   0    30
        false  20   30
        false  40   30
        true   35   30
        false  36   30
    """

    assert _waits(drawn, cap=90) == [0, 0, 10, 20, 0, 29]


def test_no_supplies_have_no_stock() -> None:
    """An empty table is no special case."""
    none = np.array([], dtype=np.int64)

    assert stocked(none.astype(bool), none.astype(bool), none, none, 90).tolist() == []


_SCORED = Days(np.array([0, 0, 1, 1, 3]), np.array([-5, 10, 10, 20, 7]))


def _found(look: Callable[..., np.ndarray], group: int, opens: int, closes: int) -> int:
    return look(*(np.array([value]) for value in (group, opens, closes))).item()


def test_the_last_and_the_first_row_within_a_span_are_found() -> None:
    """Both ends of the span are in it, and the rows of other groups are not."""
    assert _found(_SCORED.last_within, 1, 0, 20) == 3
    assert _found(_SCORED.last_within, 1, 0, 19) == 2
    assert _found(_SCORED.first_within, 1, 10, 99) == 2
    assert _found(_SCORED.first_within, 1, 11, 99) == 3
    assert _found(_SCORED.first_within, 0, -5, 99) == 0
    assert _found(_SCORED.last_within, 3, 7, 7) == 4


def test_no_row_within_a_span_is_minus_one() -> None:
    """Neither before the first, between two nor after the last row, nor in a group without rows."""
    assert _found(_SCORED.last_within, 1, 11, 19) == -1
    assert _found(_SCORED.first_within, 1, 11, 19) == -1
    assert _found(_SCORED.first_within, 1, 21, 99) == -1
    assert _found(_SCORED.last_within, 0, -99, -6) == -1
    assert _found(_SCORED.first_within, 2, -99, 99) == -1
    assert _found(_SCORED.last_within, 2, -99, 99) == -1
    assert _found(_SCORED.last_within, 9, -99, 99) == -1


def test_a_table_without_days_has_none_near() -> None:
    """An empty table is no special case."""
    nothing = Days(np.array([], dtype=np.int64), np.array([], dtype=np.int64))

    assert _found(nothing.last_within, 0, 0, 9) == -1
    assert _found(nothing.first_within, 0, 0, 9) == -1


def test_rows_within_a_span_are_counted() -> None:
    """Both ends of the span count; other groups, and a span that ends before it opens, do not."""
    assert _found(_SCORED.number_within, 1, 10, 20) == 2
    assert _found(_SCORED.number_within, 1, 11, 20) == 1
    assert _found(_SCORED.number_within, 1, 10, 19) == 1
    assert _found(_SCORED.number_within, 2, LONG_AGO, 99) == 0
    assert _found(_SCORED.number_within, 0, LONG_AGO, 9) == 1
    assert _found(_SCORED.number_within, 1, 20, 10) == 0


def test_days_are_told_apart_in_each_group() -> None:
    """The same day counts once in a group and again in another; a mask keeps rows."""
    days = Days(np.array([0, 0, 0, 1]), np.array([4, 4, 5, 5]))

    assert days.distinct().day.tolist() == [4, 5, 5]
    assert days.only(np.array([False, True, False, True])).day.tolist() == [4, 5]
    assert days.number_before(np.array([0, 1, 1]), np.array([5, 5, 6])).tolist() == [2, 3, 4]
