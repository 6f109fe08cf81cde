"""Hand-drawn cases for what is left over of a drug in the reference, as days or as an amount.

Day 0 is the first day. Citalopram is carried over without a limit that matters unless a case says otherwise, trials
hold gaps of 30 days, an unknown supply lasts at most 100 days, and the person is seen for long. A dose is in mg, or in
mg and thousandths of a DDD.
"""

from __future__ import annotations

from typing import Any

import pytest

from impasse.schemas.study import SupplySection
from tests.reference.basics import treatment_rows
from tests.reference.drawn import CITALOPRAM, CODES, Row, fill, on, with_trial
from tests.reference.trials import trials_of

DAYS, AMOUNT = "as_days", "as_amount"


def supplied(day: int, days: int | None, mg: int | None, mddd: int | None = None) -> Row:
    """A supply of citalopram."""
    return fill(day, CITALOPRAM, days, mg and mg * 1000) | {"dose_mddd": mddd}


def trials(rows: list[tuple], leftovers: str = AMOUNT, same_day: str = "together", **settings: Any) -> list[Row]:
    """The trials of these supplies, each a day, days and a dose."""
    episode = {
        "episode_id": "a",
        "start_date": on(0),
        "treated_from": on(0),
        "end_date": on(900),
        "end_reason": "tail",
        "has_died": False,
        "is_censored": False,
        "has_run_out": True,
        "observed_until": on(1000),
        "treatment_seen_until": on(1000),
    }
    person = {"treatments": treatment_rows({"dispensings": [supplied(*row) for row in rows], "procedures": []}, CODES)}
    supply = SupplySection(max_days=100, leftovers=leftovers, same_day=same_day)
    rule = with_trial(**{"carry_over": True, "carry_over_cap_days": 366, **settings}).trial
    return trials_of(person, episode, rule, supply)


def lasts(rows: list[tuple], *rest: Any, **settings: Any) -> tuple[int, int]:
    """The last day of the one trial, and how many of its days are covered."""
    [trial] = trials(rows, *rest, **settings)
    return (trial["end_date"] - on(0)).days, trial["days_covered"]


@pytest.mark.parametrize(
    ("rows", "as_days", "as_amount"),
    [
        ([(0, 30, 40), (20, 30, 20)], 59, 69),
        ([(0, 30, 20), (20, 30, 40)], 59, 54),
        ([(0, 30, 20), (20, 30, 20)], 59, 59),
        ([(0, 30, 20), (20, 30, 30)], 59, 55),
        ([(0, 30, 20), (20, 30, 200)], 59, 50),
        ([(0, 30, 20), (20, 30, 201)], 59, 49),
        ([(0, 20, 40), (20, 30, 20)], 49, 49),
        ([(0, 21, 40), (20, 30, 20)], 50, 51),
    ],
)
def test_an_amount_lasts_for_the_days_it_makes_at_the_new_dose(rows: list, as_days: int, as_amount: int) -> None:
    """10 days, none or one are left over on day 20; at 30 mg 10 days of 20 mg make 6, and at 201 mg they make none."""
    assert lasts(rows, DAYS) == (as_days, as_days + 1)
    assert lasts(rows, AMOUNT) == (as_amount, as_amount + 1)


@pytest.mark.parametrize(
    ("rows", "last"),
    [
        ([(0, 30, 40), (20, 30, 20), (50, 30, 40)], 89),
        ([(0, 30, 40), (20, 30, 20), (50, 30, 20)], 99),
        ([(0, 30, 40, 2000), (20, 30, 20, 1000), (50, 30, None, None)], 99),
        ([(0, 30, 40), (5, 30, 20), (10, 2, 80)], 29),
    ],
)
def test_leftovers_add_up_along_the_chain(rows: list, last: int) -> None:
    """20 days at 20 mg are left on day 50, which make 10 at 40 mg; on day 10 75 are left, which make 18 at 80 mg."""
    assert lasts(rows) == (last, last + 1)


@pytest.mark.parametrize(
    ("rows", "cap", "last"),
    [
        ([(0, 30, 40), (20, 30, 20)], 20, 69),
        ([(0, 30, 40), (20, 30, 20)], 19, 68),
        ([(0, 30, 20), (20, 30, 40)], 5, 54),
        ([(0, 30, 20), (20, 30, 40)], 4, 53),
        ([(0, 30, 40), (20, 30, 20)], 0, 49),
    ],
)
def test_the_cap_counts_days_at_the_new_dose(rows: list, cap: int, last: int) -> None:
    """10 days are left over, which at the new dose make 20 or 5."""
    assert lasts(rows, carry_over_cap_days=cap) == (last, last + 1)


@pytest.mark.parametrize(
    ("rows", "cap", "last"),
    [
        ([(0, 30, 20), (20, 2, 40)], 5, 26),
        ([(0, 30, 20), (20, 2, 40)], 3, 24),
        ([(0, 30, 40), (20, 2, 20)], 20, 41),
        ([(0, 30, 40), (20, 2, 20)], 12, 33),
        ([(0, 30, 40), (20, 2, 20)], 7, 29),
        ([(0, 30, 20), (20, None, 40)], 5, 24),
        ([(0, 30, 40), (20, None, 20)], 20, 39),
    ],
)
def test_what_is_left_over_lasts_no_longer_than_its_amount(rows: list, cap: int, last: int) -> None:
    """10 days make 5 or 20, until day 24 or 39; beyond the cap they reach no further than day 29, as delivered."""
    assert lasts(rows, carry_over_cap_days=cap) == (last, last + 1)


def test_where_nothing_is_carried_over_leftovers_are_no_amount() -> None:
    """The pack of day 0 ends on day 29 and that of day 20 on day 49 or 24, whatever their doses."""
    assert lasts([(0, 30, 40), (20, 30, 20)], carry_over=False) == (49, 50)
    assert lasts([(0, 30, 20), (20, 5, 40)], carry_over=False) == (29, 30)


@pytest.mark.parametrize(
    ("rows", "last"),
    [
        ([(0, 30, 40, 1000), (20, 30, 20, 1000)], 69),
        ([(0, 30, None, 2000), (20, 30, 20, 1000)], 69),
        ([(0, 30, 40, 1000), (20, 30, None, 1000)], 59),
        ([(0, 30, 40, None), (20, 30, None, 1000)], 59),
        ([(0, 30, None, 2000), (20, 30, 20, None)], 59),
        ([(0, 30, 0, 2000), (20, 30, 20, 1000)], 59),
        ([(0, 30, 40, 2000), (20, 30, 0, 1000)], 59),
    ],
)
def test_doses_are_compared_in_mg_or_else_in_ddd(rows: list, last: int) -> None:
    """In DDD where a supply has no dose in mg; where one of the two is not known or 0 the days stay."""
    assert lasts(rows) == (last, last + 1)


@pytest.mark.parametrize(("day", "settings", "last"), [(200, {}, 59), (200, {"window_days": 200}, 69)])
def test_every_supply_of_the_drug_tells_the_unit(day: int, settings: Row, last: int) -> None:
    """One of another trial has a dose in DDD alone, in the window or on the first day after it."""
    rows = [(0, 30, 40, 1000), (20, 30, 20, 1000), (day, 30, None, 1000)]
    window = {"window": "first_days", **settings} if settings else {}

    assert (trials(rows, **window)[0]["end_date"] - on(0)).days == last


@pytest.mark.parametrize(
    ("rows", "last"),
    [
        ([(0, 30, 40), (20, 10, 10), (20, 20, 20)], 52),
        ([(0, 30, 40), (20, 10, 10), (20, 20, 20), (50, 10, 40)], 60),
        ([(0, 30, 40), (20, 10, 10), (20, 20, 20), (50, 10, 20)], 62),
    ],
)
def test_parts_taken_together_are_one_whole(rows: list, last: int) -> None:
    """10 days of 40 mg make 13 at the first part's 30 mg; the 20 mg of the last part leave 3 days on day 50, or 1."""
    assert lasts(rows) == (last, last + 1)


def test_supplies_of_one_day_taken_one_after_another_are_each_dispensed_again() -> None:
    """30 days of 20 mg make 15 at the 40 mg that are taken after them."""
    rows = [(0, 30, 20), (0, 40, 40)]

    assert lasts(rows, DAYS, "one_after_another") == (69, 70)
    assert lasts(rows, AMOUNT, "one_after_another") == (54, 55)


def test_the_days_of_leftovers_are_days_of_the_supply_they_are_left_of() -> None:
    """The first supply is in use until day 39, the second from day 40 on."""
    [trial] = trials([(0, 30, 40), (20, 30, 20)])

    assert [(row["span"], row["covered"], row["days"]) for row in trial["supplies"]] == [(40, 40, 30), (30, 30, 30)]


@pytest.mark.parametrize(("third", "n_trials"), [(70 + 30, 1), (70 + 31, 2)])
def test_a_trial_reaches_as_far_as_the_amount(third: int, n_trials: int) -> None:
    """The supplies of days 0 and 20 last until day 69, and a trial holds a gap of 30 days."""
    assert len(trials([(0, 30, 40), (20, 30, 20), (third, 30, 20)])) == n_trials


@pytest.mark.parametrize(
    ("rows", "cap", "last"),
    [
        ([(0, None, 40), (20, 30, 20)], 366, 209),
        ([(0, None, 40), (20, 30, 20)], 160, 209),
        ([(0, None, 40), (20, 30, 20)], 159, 208),
        ([(0, None, 20), (20, 30, 40)], 366, 89),
        ([(0, None, 20), (20, 30, 40)], 40, 89),
        ([(0, None, 20), (20, 30, 40)], 39, 88),
        ([(0, None, None), (20, 30, 40)], 366, 129),
        ([(0, None, 20), (20, 5, 40)], 0, 24),
        ([(0, None, 20), (0, 30, 40), (20, 5, 40)], 14, 79),
    ],
)
def test_the_latest_day_follows_the_same_rule(rows: list, cap: int, last: int) -> None:
    """Of 100 days 80 may be left over, which make 160 at half the dose and 40 at twice the dose."""
    [trial] = trials(rows, carry_over_cap_days=cap)

    assert (trial["last_day_at_most"] - on(0)).days == last
