"""Hand-drawn cases for a new drug that ends the old one in the reference.

Day 0 is the first day. Unless a case says otherwise an unknown supply lasts at most 100 days, trials hold gaps of 30
days, and the person is seen for long.
"""

from __future__ import annotations

from typing import Any

import pytest

from impasse.schemas.study import SupplySection
from tests.reference.basics import treatment_rows
from tests.reference.drawn import (
    ARIPIPRAZOLE,
    CITALOPRAM,
    CODES,
    MIRTAZAPINE,
    SERTRALINE,
    Row,
    classify,
    covered,
    facts,
    fill,
    judged,
    on,
    session,
    with_drug_adequacy,
    with_trial,
)
from tests.reference.trials import trials_of

ENDS = {"new_drug_ends_old": True}
SOME_ANTIDEPRESSANT = "N06AX"  # of which nobody knows whether it is an SSRI


def trials(rows: list[tuple], ends: bool = True, **settings: Any) -> list[Row]:
    """The trials of these supplies, each a day, a drug and days."""
    episode = {
        "episode_id": "a",
        "start_date": on(0),
        "treated_from": on(0),
        "end_date": on(900),
        "end_reason": "tail",
        "has_died": False,
        "has_run_out": True,
        "is_censored": False,
        "observed_until": on(1000),
        "treatment_seen_until": on(1000),
    }
    tables = {"dispensings": [fill(*row) for row in rows], "procedures": []}
    supply = SupplySection(max_days=100, new_drug_ends_old=ends)
    return trials_of({"treatments": treatment_rows(tables, CODES)}, episode, with_trial(**settings).trial, supply)


def last_days(rows: list[tuple], name: str = "end_date", **rest: Any) -> list[int]:
    """The last day of each trial."""
    return [(trial[name] - on(0)).days for trial in trials(rows, **rest)]


@pytest.mark.parametrize(("ends", "told"), [(False, (97, 98, 98)), (True, (29, 30, 30))])
def test_a_drug_ends_the_day_before_the_next_one(ends: bool, told: tuple) -> None:
    """98 days of citalopram; sertraline is begun on day 30."""
    trial = trials([(0, CITALOPRAM, 98), (30, SERTRALINE, 30)], ends=ends)[0]

    assert ((trial["end_date"] - on(0)).days, trial["n_days"], trial["days_covered"]) == told
    assert [(row["span"], row["covered"]) for row in trial["supplies"]] == [told[1:]]


@pytest.mark.parametrize(
    ("rows", "last"),
    [
        ([(29, CITALOPRAM, 98), (30, SERTRALINE, 30)], 29),
        ([(30, CITALOPRAM, 98), (30, SERTRALINE, 30)], 127),
        ([(31, CITALOPRAM, 98), (30, SERTRALINE, 30)], 128),
        ([(31, CITALOPRAM, 0), (30, SERTRALINE, 30)], 97),
        ([(20, CITALOPRAM, 5), (99, SERTRALINE, 30)], 97),
    ],
)
def test_a_drug_that_is_dispensed_again_goes_on(rows: list, last: int) -> None:
    """On the first day of the new drug or after it, of whatever days; before that the new drug ends it."""
    assert last_days([(0, CITALOPRAM, 98), *rows])[0] == last


@pytest.mark.parametrize(("second", "lasts"), [(0, [97, 29]), (1, [0, 30])])
def test_a_drug_begun_on_the_same_day_is_no_new_one(second: int, lasts: list) -> None:
    """Sertraline is begun with citalopram or on the day after."""
    assert last_days([(0, CITALOPRAM, 98), (second, SERTRALINE, 30)]) == lasts


@pytest.mark.parametrize(("again", "last"), [(60, 107), (61, 60)])
def test_another_trial_of_another_drug_is_a_new_one(again: int, last: int) -> None:
    """Sertraline of day 0 goes on or is begun anew; between, on day 10, citalopram is dispensed for 98 days."""
    rows = [(0, SERTRALINE, 30), (10, CITALOPRAM, 98), (again, SERTRALINE, 30)]

    assert next(t for t in trials(rows) if t["treatment"] == CITALOPRAM)["end_date"] == on(last)


def test_only_the_first_new_drug_ends_an_old_one() -> None:
    """Citalopram is dispensed after sertraline was begun, and not after mirtazapine was."""
    rows = [(0, CITALOPRAM, 98), (15, SERTRALINE, 5), (60, CITALOPRAM, 98), (70, MIRTAZAPINE, 30)]

    assert last_days(rows) == [157, 19, 99]


@pytest.mark.parametrize(("again", "lasts"), [(128, [132, 34]), (129, [29, 34, 133])])
def test_trials_are_told_apart_by_the_supplies_as_they_were(again: int, lasts: list) -> None:
    """98 days and a gap of 30 reach day 128: dispensed then, citalopram is one trial that sertraline has not ended."""
    assert last_days([(0, CITALOPRAM, 98), (30, SERTRALINE, 5), (again, CITALOPRAM, 5)]) == lasts


def test_the_last_dispensing_is_that_of_the_trial_itself() -> None:
    """Citalopram is dispensed again on day 140, in another trial, which nothing ends."""
    rows = [(0, CITALOPRAM, 98), (60, SERTRALINE, 98), (140, CITALOPRAM, 98)]

    assert last_days(rows) == [59, 139, 237]


def test_an_augmenter_ends_no_drug_and_is_not_ended() -> None:
    """Aripiprazole begins on day 10, mirtazapine on day 30; sertraline is dispensed again on day 31."""
    rows = [(0, SERTRALINE, 98), (10, ARIPIPRAZOLE, 98), (30, MIRTAZAPINE, 30), (31, SERTRALINE, 30)]

    assert last_days(rows[:2]) == [97, 107]
    assert last_days(rows) == [97, 107, 59]


@pytest.mark.parametrize(("treatments", "last"), [(("antidepressants",), 29), (("ssri",), 29), (("cbt",), None)])
def test_a_drug_that_may_be_a_main_drug_is_one(treatments: tuple, last: int | None) -> None:
    """Nobody knows whether the antidepressant of day 30 is an SSRI."""
    rows = [(0, CITALOPRAM, 98), (30, SOME_ANTIDEPRESSANT, 30)]

    assert last_days(rows, treatments=treatments)[:1] == ([] if last is None else [last])


def test_a_drug_that_may_be_a_main_drug_is_ended() -> None:
    """Citalopram is one of the SSRIs, and begun on day 30."""
    assert last_days([(0, SOME_ANTIDEPRESSANT, 98), (30, CITALOPRAM, 30)], treatments=("ssri",)) == [29, 59]


def test_a_course_neither_ends_nor_is_ended() -> None:
    """Psychotherapy of days 20 and 50, citalopram of day 0 and sertraline of day 30."""
    rows = [fill(0, CITALOPRAM, 98), fill(30, SERTRALINE, 30)]
    sessions = [session(20, "cbt"), session(50, "cbt")]

    alone = classify(dispensings=rows[:1], procedures=sessions, supply=ENDS)
    told = classify(dispensings=rows, procedures=sessions, supply=ENDS)
    assert [trial["end_date"] for trial in alone["trials"]] == [on(97), on(50)]
    assert [trial["end_date"] for trial in told["trials"]] == [on(29), on(50), on(59)]


def test_leftovers_end_with_the_drug() -> None:
    """The pack of day 20 waits until day 40 or for longer than the drug is taken."""
    rows = [(0, CITALOPRAM, 40), (20, CITALOPRAM, 40), (30, SERTRALINE, 30)]

    trial = trials(rows, carry_over=True, carry_over_cap_days=366)[0]

    assert [(row["span"], row["covered"]) for row in trial["supplies"]] == [(30, 30), (0, 0)]


@pytest.mark.parametrize(("second", "roles"), [(68, ["first", "combination"]), (69, ["first", "switch"])])
def test_roles_follow_the_days(second: int, roles: list) -> None:
    """Taken together for 30 days the drugs are a combination; a drug that was ended is replaced."""
    rows = [(0, CITALOPRAM, 98), (second, SERTRALINE, 60)]

    assert [trial["role"] for trial in trials(rows, ends=False)] == roles
    assert [trial["role"] for trial in trials(rows)] == ["first", "switch"]


@pytest.mark.parametrize(("until", "is_ongoing"), [(59, True), (60, False)])
def test_whether_it_goes_on_follows_the_cut(until: int, is_ongoing: bool) -> None:
    """Citalopram is taken up to day 29, and a trial may hold 30 days without it."""
    told = classify(
        coverage=[covered(-400, until)],
        dispensings=[fill(0, CITALOPRAM, 98), fill(30, SERTRALINE, 98)],
        supply=ENDS,
    )

    assert facts(told["trials"], "is_ongoing") == [(is_ongoing,), (True,)]


# --- The latest possible last day -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "lasts"),
    [
        ([(30, SERTRALINE, 30)], [29, 59]),
        ([(100, SERTRALINE, 30)], [99, 129]),
        ([(99, SERTRALINE, 30)], [98, 128]),
        ([(30, CITALOPRAM, None), (30, SERTRALINE, 30)], [129, 59]),
        ([(29, CITALOPRAM, None), (30, SERTRALINE, 30)], [29, 59]),
    ],
)
def test_an_unknown_supply_lasts_until_the_new_drug_at_most(rows: list, lasts: list) -> None:
    """100 days, or up to the day before sertraline is begun, unless the drug is dispensed again."""
    assert last_days([(0, CITALOPRAM, None), *rows], "last_day_at_most") == lasts


@pytest.mark.parametrize(("ends", "most"), [(False, 100), (True, 30)])
def test_the_most_days_follow(ends: bool, most: int) -> None:
    """Citalopram's one supply is of unknown length."""
    assert trials([(0, CITALOPRAM, None), (30, SERTRALINE, 30)], ends=ends)[0]["n_days_at_most"] == most


@pytest.mark.parametrize("ends", [False, True])
def test_what_may_be_one_with_a_later_trial_may_not_have_been_ended(ends: bool) -> None:
    """The unknown citalopram of day 0 may last until that of day 90, which sertraline of day 30 did not end then."""
    rows = [(0, CITALOPRAM, None), (30, SERTRALINE, 30), (90, CITALOPRAM, 30)]

    assert last_days(rows, "last_day_at_most", ends=ends) == [119, 59, 119]
    assert trials(rows, ends=ends)[0]["dispensed_if_one"]


def test_a_trial_ended_later_may_be_one_with_the_next() -> None:
    """Citalopram's trials of days 0 and 40 may be one, and both end by day 59."""
    rows = [(0, CITALOPRAM, None), (40, CITALOPRAM, 10), (60, SERTRALINE, 30)]

    assert last_days(rows, "last_day_at_most") == [49, 49, 89]


# --- Beside other rules -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "last"), [(5, 19), (19, 19), (21, 20), (98, 39)])
def test_a_single_dispensing_lasts_until_the_next_drug_first(days: int, last: int) -> None:
    """Up to aripiprazole of day 20 where it ends before that day, and else until sertraline of day 40."""
    rows = [(0, CITALOPRAM, days), (20, ARIPIPRAZOLE, 5), (40, SERTRALINE, 5)]

    assert last_days(rows, single_dispensing_days=30)[0] == last


@pytest.mark.parametrize(
    ("supply", "judged_so"), [({}, (None, "unknown_overlap", None)), (ENDS, (True, "switch", on(30)))]
)
def test_what_a_new_drug_has_ended_was_replaced(supply: Row, judged_so: tuple) -> None:
    """How long the citalopram of day 0 may have been taken beside the sertraline of day 30."""
    rows = [fill(0, CITALOPRAM, None), fill(30, SERTRALINE, 30)]

    assert judged(rows, outcome={"change_signs": ("switch",)}, supply=supply) == judged_so


@pytest.mark.parametrize(("basis", "is_adequate"), [("span", False), ("covered", False), ("prescribed", True)])
def test_what_was_prescribed_stays_so(basis: str, is_adequate: bool) -> None:
    """31 days are asked for: 98 were prescribed, of which 30 were taken."""
    told = classify(
        definition=with_drug_adequacy(min_days=31, duration_basis=basis),
        dispensings=[fill(0, CITALOPRAM, 98), fill(30, SERTRALINE, 31)],
        supply=ENDS,
    )

    assert facts(told["judgements"], "is_adequate") == [(is_adequate,), (True,)]
