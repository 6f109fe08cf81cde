"""What is left over when the next one comes: the loop that takes supplies one by one."""

import numpy as np

from impasse.transforms.kernels.days import stocked
from impasse.transforms.kernels.leftovers import taken_one_by_one
from tests.tables import table


def _waits_by_amount(drawn: str, cap: int = 90) -> list[int]:
    rows = table(drawn)
    return _waits(*(rows[name].to_numpy() for name in ("first", "goes_on", "day", "days", "pace")), cap).tolist()


def _waits(
    first: np.ndarray, goes_on: np.ndarray, day: np.ndarray, days: np.ndarray, pace: np.ndarray, cap: int
) -> np.ndarray:
    """The days by which each row waits, if none is open."""
    no = np.zeros(len(day), dtype=bool)
    begin, _ = taken_one_by_one(first, goes_on, day, days, no, np.asarray(pace, dtype=np.int64), cap)
    return begin - day


def test_what_is_left_over_is_used_at_the_new_rate() -> None:
    """Ten days at 50 are five at 100 and twenty at 25; of days that do not come out even the whole ones count."""
    drawn = "first goes_on day days pace\ntrue false 0 30 50\nfalse false 20 30 {rate}"

    assert [_waits_by_amount(drawn.format(rate=rate))[1] for rate in (50, 100, 25, 99, 101, 501)] == [
        10,
        5,
        20,
        5,
        4,
        0,
    ]


def test_what_is_left_over_at_an_unknown_rate_stays_days() -> None:
    """On either side of the change."""
    drawn = "first goes_on day days pace\ntrue false 0 30 {old}\nfalse false 20 30 {new}"

    assert _waits_by_amount(drawn.format(old=-1, new=100)) == [0, 10]
    assert _waits_by_amount(drawn.format(old=100, new=-1)) == [0, 10]


def test_the_cap_is_on_days_at_the_new_rate() -> None:
    """Ten days at 50 would be a hundred at 5."""
    drawn = "first goes_on day days pace\ntrue false 0 30 50\nfalse false 20 30 5"

    assert _waits_by_amount(drawn, cap=90) == [0, 90]


def test_what_is_left_over_twice_is_re_scaled_twice() -> None:
    """Ten days at 50 are five at 100; the next refill comes on the day they end, so 30 days at 100 are 60 at 50."""
    drawn = "first goes_on day days pace\ntrue false 0 30 50\nfalse false 20 30 100\nfalse false 25 30 50"

    assert _waits_by_amount(drawn) == [0, 5, 60]


def test_the_parts_of_one_supply_wait_alike() -> None:
    """What was left over is gone before the second part begins, whatever its rate."""
    drawn = "first goes_on day days pace\ntrue false 0 30 50\nfalse false 20 10 100\nfalse true 30 10 25"

    assert _waits_by_amount(drawn) == [0, 5, 5]


def test_each_drug_has_its_own_amount() -> None:
    """Nothing is left over from another group, and a late refill has nothing left."""
    drawn = "first goes_on day days pace\ntrue false 0 30 50\ntrue false 20 30 100\nfalse false 51 30 50"

    assert _waits_by_amount(drawn) == [0, 0, 0]


def test_at_one_rate_amounts_are_days() -> None:
    """As `stocked` has it, on random refills."""
    rng = np.random.default_rng(1)
    first = rng.random(500) < 0.1
    first[0] = True
    day = np.cumsum(rng.integers(0, 40, 500)).astype(np.int32)
    days = rng.integers(0, 100, 500).astype(np.int32)

    waits = _waits(first, np.zeros(500, dtype=bool), day, days, np.full(500, 50_000), 90)

    assert waits.tolist() == stocked(first, np.append(False, day[1:] == day[:-1]), day, days, 90).tolist()


def _spans(drawn: str, cap: int) -> list[tuple[int, int]]:
    rows = table(drawn)
    columns = [rows[name].to_numpy() for name in ("first", "day", "days", "is_open", "pace")]
    first, day, days, is_open, pace = columns
    spans = taken_one_by_one(first, np.zeros(len(day), dtype=bool), day, days, is_open, pace, cap)
    return list(zip(*(side.tolist() for side in spans), strict=True))


def test_what_is_left_over_lasts_as_long_as_its_amount() -> None:
    """Ten days at 40 are twenty at 20, without a hole before the next begins; at 80 they are five."""
    drawn = """
        first day days is_open pace
        true  0   30   false    40
        false 20  30   false    {rate}
    """

    assert _spans(drawn.format(rate=20), 90) == [(0, 40), (40, 70)]
    assert _spans(drawn.format(rate=80), 90) == [(0, 25), (25, 55)]


def test_more_than_the_cap_reaches_no_further_than_it_did() -> None:
    """Forty days at 40 would be eighty at 20: thirty are carried over, and the supply still covers its forty."""
    drawn = """
        first day days is_open pace
        true  0   60   false    40
        false 20  30   false    20
    """

    assert _spans(drawn, 30) == [(0, 60), (50, 80)]


def test_an_open_row_leaves_no_more_than_the_cap_on_a_later_day() -> None:
    """It may last for 366 days; dispensed again on day 20, at most 5 are left. On its own day it is not bounded."""
    drawn = """
        first day days is_open pace
        true  0   366  true     0
        false {day} 30 false    0
    """

    assert _spans(drawn.format(day=20), 5) == [(0, 25), (25, 55)]
    assert _spans(drawn.format(day=0), 5) == [(0, 366), (366, 396)]
