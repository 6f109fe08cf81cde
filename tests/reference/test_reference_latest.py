"""Hand-drawn cases for how long a trial may have lasted in the reference, where a supply's length is unknown.

Day 0 is the first day. A supply of unknown length lasts at most 100 days, trials hold gaps of 30 days, and the person
is seen for long unless a case says otherwise.
"""

from __future__ import annotations

from typing import Any

import pytest

from impasse.schemas.study import SupplySection
from tests.reference.basics import treatment_rows
from tests.reference.drawn import CITALOPRAM, CODES, SERTRALINE, Row, fill, on, session, with_trial
from tests.reference.trials import trials_of


def latest(rows: list, until: int = 1000, remission: int | None = None, **settings: Any) -> list[tuple[int, int]]:
    """The latest possible last day of each trial, and the most days it may have; supplies are day, drug and days."""
    tables: Row = {"dispensings": [fill(*row) for row in rows if len(row) > 2]}
    tables["procedures"] = [session(*row) for row in rows if len(row) == 2]
    episode = {
        "episode_id": "a",
        "start_date": on(0),
        "treated_from": on(0),
        "end_date": on(min(until, 900)) if remission is None else on(remission),
        "end_reason": "tail" if remission is None else "remission",
        "has_died": False,
        "is_censored": False,
        "has_run_out": True,
        "observed_until": on(until),
        "treatment_seen_until": on(until),
    }
    person = {"treatments": treatment_rows(tables, CODES)}
    trials = trials_of(person, episode, with_trial(**settings).trial, SupplySection(max_days=100))
    return [((trial["last_day_at_most"] - on(0)).days, trial["n_days_at_most"]) for trial in trials]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([(0, CITALOPRAM, 30)], [(29, 30)]),
        ([(0, CITALOPRAM, None)], [(99, 100)]),
        ([(0, CITALOPRAM, 30), (30, CITALOPRAM, None)], [(129, 130)]),
        ([(0, CITALOPRAM, None), (20, CITALOPRAM, 30)], [(49, 50)]),
        ([(0, CITALOPRAM, None), (20, CITALOPRAM, 0)], [(20, 21)]),
        ([(0, CITALOPRAM, None), (20, CITALOPRAM, None)], [(119, 120)]),
        ([(0, CITALOPRAM, None), (0, CITALOPRAM, 30)], [(99, 100)]),
        ([(0, CITALOPRAM, None), (20, SERTRALINE, 30)], [(99, 100), (49, 30)]),
        ([(0, CITALOPRAM, 30), (0, SERTRALINE, None)], [(29, 30), (99, 100)]),
        ([(0, "cbt"), (14, "cbt")], [(14, 15)]),
    ],
)
def test_an_unknown_supply_lasts_at_most_so_long(rows: list, told: list) -> None:
    """100 days from its own day, or until the same drug is dispensed again on a later one."""
    assert latest(rows) == told


@pytest.mark.parametrize("kind", ["dispensed", "prescribed"])
def test_what_is_not_looked_at_ends_no_unknown_supply(kind: str) -> None:
    """Of trials made of what was dispensed, a prescription says nothing of how long."""
    rows = [(0, CITALOPRAM, None), (20, CITALOPRAM, 0, 20_000, kind)]

    assert latest(rows, supply_kinds=("dispensed",)) == [(20, 21) if kind == "dispensed" else (99, 100)]


@pytest.mark.parametrize(("last", "told"), [(21, (20, 21)), (20, (99, 100))])
def test_a_dispensing_outside_the_window_ends_no_unknown_supply(last: int, told: tuple) -> None:
    """The drug is dispensed again on day 20, the last day of the window or the first after it."""
    rows = [(0, CITALOPRAM, None), (20, CITALOPRAM, 0)]

    assert latest(rows, window="first_days", window_days=last) == [told]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([(0, CITALOPRAM, None), (150, CITALOPRAM, 0)], [(99, 100), (150, 0)]),
        ([(0, CITALOPRAM, None), (131, CITALOPRAM, 30), (161, CITALOPRAM, 0)], [(99, 100), (161, 30)]),
        ([(0, CITALOPRAM, None), (131, CITALOPRAM, 30), (161, CITALOPRAM, None)], [(99, 100), (260, 130)]),
    ],
)
def test_the_most_days_of_a_trial_that_is_known_are_its_days(rows: list, told: list) -> None:
    """Its last dispensing was for no day; the same drug's other trial is of unknown length."""
    assert latest(rows) == told


@pytest.mark.parametrize(
    ("rows", "cap", "told"),
    [
        ([(0, CITALOPRAM, None), (20, CITALOPRAM, 30)], 366, [(129, 130)]),
        ([(0, CITALOPRAM, None), (20, CITALOPRAM, 30)], 14, [(63, 64)]),
        ([(0, CITALOPRAM, None), (20, CITALOPRAM, 30)], 0, [(49, 50)]),
        ([(0, CITALOPRAM, None), (90, CITALOPRAM, 30)], 9, [(128, 129), (128, 39)]),
        ([(0, CITALOPRAM, None), (90, CITALOPRAM, 30)], 11, [(129, 130), (129, 40)]),
        ([(0, CITALOPRAM, None), (20, CITALOPRAM, 30)], 51, [(100, 101)]),
        ([(0, CITALOPRAM, 30), (10, CITALOPRAM, None)], 14, [(123, 124)]),
        ([(0, CITALOPRAM, None), (0, CITALOPRAM, 30)], 14, [(129, 130)]),
        ([(0, CITALOPRAM, None), (60, CITALOPRAM, 30)], 366, [(129, 130), (129, 70)]),
    ],
)
def test_what_may_be_left_over_is_taken_first(rows: list, cap: int, told: list) -> None:
    """Up to the cap; of one day's supplies the unknown one is taken first; leftovers may reach the next trial, too."""
    assert latest(rows, carry_over=True, carry_over_cap_days=cap) == told


def test_where_nothing_is_carried_over_the_cap_says_nothing() -> None:
    """The unknown supply of day 0 is over on day 20, or carried over until day 33, and the next one lasts 5 days."""
    rows = [(0, CITALOPRAM, None), (20, CITALOPRAM, 5)]

    assert latest(rows, carry_over=False, carry_over_cap_days=14) == [(24, 25)]
    assert latest(rows, carry_over=True, carry_over_cap_days=14) == [(38, 39)]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([(0, CITALOPRAM, None), (130, CITALOPRAM, 30)], [(159, 160), (159, 30)]),
        ([(0, CITALOPRAM, None), (131, CITALOPRAM, 30)], [(99, 100), (160, 30)]),
        ([(0, CITALOPRAM, None), (31, CITALOPRAM, 30)], [(60, 61), (60, 30)]),
        ([(0, CITALOPRAM, None), (130, SERTRALINE, 30)], [(99, 100), (159, 30)]),
        ([(day, CITALOPRAM, None) for day in (0, 100, 230)], [(329, 330), (329, 230), (329, 100)]),
        ([(day, CITALOPRAM, None) for day in (0, 100, 231)], [(199, 200), (199, 100), (330, 100)]),
        ([(0, CITALOPRAM, None), (50, CITALOPRAM, 10), (130, CITALOPRAM, 90)], [(59, 60), (59, 10), (219, 90)]),
        ([(0, CITALOPRAM, None), (50, CITALOPRAM, 10), (131, CITALOPRAM, 90)], [(59, 60), (59, 10), (220, 90)]),
        ([(0, CITALOPRAM, None), (50, CITALOPRAM, 10), (90, CITALOPRAM, 90)], [(179, 180), (179, 130)]),
        ([(0, CITALOPRAM, None), (50, CITALOPRAM, 10), (91, CITALOPRAM, 90)], [(59, 60), (59, 10), (180, 90)]),
    ],
)
def test_a_trial_that_may_reach_the_next_may_last_as_long(rows: list, told: list) -> None:
    """30 days after the latest end the same drug again may be the same trial, and so on; another drug is none."""
    assert latest(rows) == told


@pytest.mark.parametrize(
    ("third", "told"),
    [(135, [(144, 145), (54, 15), (144, 10)]), (136, [(104, 105), (54, 15), (145, 10)])],
)
def test_the_latest_day_so_far_reaches_the_next_trial(third: int, told: list) -> None:
    """Of two packs of day 0 the second may be begun on day 100 and last until day 104, beyond the trial of day 40."""
    rows = [(0, CITALOPRAM, None), (0, CITALOPRAM, 5), (40, CITALOPRAM, 1), (third, CITALOPRAM, 10)]

    assert latest(rows, carry_over=True, carry_over_cap_days=14) == told


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"until": 50}, [(50, 51)]),
        ({"until": 99}, [(99, 100)]),
        ({"until": 100}, [(99, 100)]),
        ({"until": 0}, [(0, 1)]),
        ({"remission": 40}, [(40, 41)]),
        ({"remission": 99}, [(99, 100)]),
        ({"remission": 100}, [(99, 100)]),
        ({"remission": 40, "until": 40}, [(40, 41)]),
    ],
)
def test_what_may_last_ends_with_observation_and_remission(limits: Row, told: list) -> None:
    """An unknown supply from day 0, cut on the last observed day or on the day of the remission."""
    assert latest([(0, CITALOPRAM, None)], **limits) == told


@pytest.mark.parametrize(("last", "told"), [(60, [(60, 60)]), (61, [(30, 30), (61, 0)])])
def test_by_dates_only_nothing_is_unknown(last: int, told: list) -> None:
    """The last day is the last dispensing's, and the days are those of the trial."""
    assert latest([(day, CITALOPRAM, None) for day in (0, 30, last)], supply="dates_only") == told


@pytest.mark.parametrize(("second", "told"), [(30, (29, 30)), (31, (99, 100))])
def test_a_drug_that_lasts_until_the_next_has_a_known_last_day(second: int, told: tuple) -> None:
    """Up to 30 days later the next drug tells how long the first was taken."""
    assert latest([(0, CITALOPRAM, None), (second, SERTRALINE, 30)], single_dispensing_days=30)[0] == told


def test_a_drug_that_lasts_until_the_next_is_not_one_with_its_next_trial() -> None:
    """Citalopram ends on day 29 for sertraline, and that on day 59 for citalopram, which nothing follows."""
    rows = [(0, CITALOPRAM, None), (30, SERTRALINE, 5), (60, CITALOPRAM, None)]

    assert latest(rows, single_dispensing_days=30) == [(29, 30), (59, 30), (159, 100)]


@pytest.mark.parametrize(
    ("third", "told"),
    [
        (90, [(189, 190), (59, 20), (89, 30), (189, 100)]),
        (91, [(59, 60), (59, 20), (64, 5), (190, 100)]),
    ],
)
def test_a_chain_goes_on_after_a_drug_that_lasts_until_the_next(third: int, told: list) -> None:
    """The citalopram of day 40 lasts until sertraline, to day 59: it is one with no other, but that of day 0 may be."""
    rows = [(0, CITALOPRAM, None), (40, CITALOPRAM, None), (60, SERTRALINE, 5), (third, CITALOPRAM, None)]

    assert latest(rows, single_dispensing_days=30) == told
