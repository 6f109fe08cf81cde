"""Trial and adequacy: what becomes of supplies of one drug that were dispensed on one day."""

from __future__ import annotations

import polars as pl
import pytest

from impasse.schemas.extracts import Extract
from impasse.schemas.study import Study
from tests.spec.world import definition, extract, item, judged, points, stages, study, trials
from tests.tables import assert_shows

_AT_75 = {"dose_basis": "minimum_effective", "min_dose_ratio": 1.5}  # of sertraline, whose minimum is 50 mg


def _taken(days_at_75: int = 28, **trial: object) -> object:
    """Leftovers are carried over, and a trial needs so many days at 75 mg of sertraline."""
    return definition(trial={"carry_over": True} | trial, adequacy={"drug": {"min_days": days_at_75} | _AT_75})


def _one_after_another() -> Study:
    return study().model_copy(update={"supply": study().supply.model_copy(update={"same_day": "one_after_another"})})


def _shown(given: Extract, rule: object, by: Study | None = None) -> pl.DataFrame:
    return judged(given, rule, by=by)


# --- Different doses --------------------------------------------------------------------------------------------------

_TWO_STRENGTHS = """
    person   | drug       | date       | days | dose_mg
    same_day | sertraline | 2010-01-01 | 30   | 25
    same_day | sertraline | 2010-01-01 | 30   | 50
    next_day | sertraline | 2010-01-01 | 30   | 25
    next_day | sertraline | 2010-01-02 | 30   | 50
"""
_FAILED = """
    same_day | venlafaxine | 2010-06-01 | 10 | 75
    next_day | venlafaxine | 2010-06-01 | 10 | 75
"""


def test_different_strengths_of_one_day_are_taken_together() -> None:
    """25 and 50 mg for 30 days each make 75 mg for 30 days; dispensed a day apart, one follows the other."""
    assert_shows(
        _shown(extract(dispensings=_TWO_STRENGTHS), _taken()),
        """
        person   | n_days | days_covered | dose_mg | is_adequate | adequacy_reason
        same_day | 30     | 30           | 75.0    | true        | adequate
        next_day | 60     | 60           | 37.5    | false       | underdosed
        """,
    )


def test_a_study_may_take_them_one_after_another() -> None:
    """Then 25 and 50 mg for 30 days each are 60 days, none of them at 75 mg, as if dispensed a day apart."""
    assert_shows(
        _shown(extract(dispensings=_TWO_STRENGTHS), _taken(), _one_after_another()),
        """
        person   | n_days | days_covered | dose_mg | is_adequate | adequacy_reason
        same_day | 60     | 60           | 37.5    | false       | underdosed
        next_day | 60     | 60           | 37.5    | false       | underdosed
        """,
    )


def test_what_lasts_longer_goes_on_at_its_own_dose() -> None:
    """25 mg for 28 days beside 50 mg for 60 are 28 days at 75 mg, and 32 at 50; for 27 days, a day less is at 75."""
    given = extract(
        dispensings="""
        person    | drug       | date       | days | dose_mg
        enough    | sertraline | 2010-01-01 | 28   | 25
        enough    | sertraline | 2010-01-01 | 60   | 50
        one_short | sertraline | 2010-01-01 | 27   | 25
        one_short | sertraline | 2010-01-01 | 60   | 50
        """
    )

    assert_shows(
        _shown(given, _taken(28)),
        """
        person    | n_days | days_covered | is_adequate | adequacy_reason
        enough    | 60     | 60           | true        | adequate
        one_short | 60     | 60           | false       | underdosed
        """,
    )


def test_three_strengths_leave_one_by_one() -> None:
    """25, 50 and 100 mg for 10, 20 and 30 days: 175, 150 and 100 mg, ten days each, 142 mg in the mean."""
    given = extract(
        dispensings="""
        drug       | date       | days | dose_mg
        sertraline | 2010-01-01 | 10   | 25
        sertraline | 2010-01-01 | 20   | 50
        sertraline | 2010-01-01 | 30   | 100
        """
    )

    assert_shows(trials(given, _taken()).select("n_days", pl.col("dose_mg").round(1)), "n_days | dose_mg\n30 | 141.7")


@pytest.mark.parametrize("carry_over", [True, False], ids=["carry_over", "no_carry_over"])
def test_they_are_taken_together_whether_or_not_leftovers_are_carried_over(carry_over: bool) -> None:
    """Without carry-over too: neither of the two strengths is left over from the other."""
    shown = _shown(extract(dispensings=_TWO_STRENGTHS), _taken(carry_over=carry_over)).filter(person="same_day")

    assert_shows(shown, "n_days | dose_mg | is_adequate\n30 | 75.0 | true")


def test_doses_add_up_in_ddd_where_mg_are_not_known() -> None:
    """Half a DDD and a whole one are one and a half; with a mg for one of the two, that is still so."""
    given = extract(
        dispensings="""
        person    | drug       | date       | days | ddd | dose_mg
        ddd_only  | sertraline | 2010-01-01 | 30   | 0.5 | -
        ddd_only  | sertraline | 2010-01-01 | 30   | 1.0 | -
        mg_of_one | sertraline | 2010-01-01 | 30   | 0.5 | 25
        mg_of_one | sertraline | 2010-01-01 | 30   | 1.0 | -
        one_only  | sertraline | 2010-01-01 | 30   | 1.0 | -
        """
    )
    rule = definition(adequacy={"drug": {"min_days": 28, "dose_basis": "ddd_ratio", "min_dose_ratio": 1.5}})

    assert_shows(
        judged(given, rule),
        """
        person    | n_days | dose_mg | adequacy_reason
        ddd_only  | 30     | -       | adequate
        mg_of_one | 30     | -       | adequate
        one_only  | 30     | -       | underdosed
        """,
    )


def test_together_they_wait_for_what_is_left_over_and_keep_the_next_waiting() -> None:
    """Of 40 days 10 are left when two strengths come; these last from 10 February on, and the next from 11 March."""
    given = extract(
        dispensings="""
        drug       | date       | days | dose_mg
        sertraline | 2010-01-01 | 40   | 100
        sertraline | 2010-01-31 | 20   | 25
        sertraline | 2010-01-31 | 29   | 50
        sertraline | 2010-02-28 | 10   | 100
        """
    )
    at_75, at_75_too_long = _taken(70), _taken(71)

    assert_shows(
        _shown(given, at_75), "start_date | end_date   | n_days | is_adequate\n2010-01-01 | 2010-03-20 | 79 | true"
    )
    assert_shows(_shown(given, at_75_too_long), "is_adequate\nfalse")


def test_a_part_that_the_next_dispensing_replaces_counts_no_longer() -> None:
    """Without carry-over a dispensing on day 21 replaces both, and 75 mg were taken for 20 days; on day 29 for 28."""
    given = extract(
        dispensings="""
        person    | drug       | date       | days | dose_mg
        long      | sertraline | 2010-01-01 | 30   | 25
        long      | sertraline | 2010-01-01 | 60   | 50
        long      | sertraline | 2010-01-29 | 60   | 50
        cut_short | sertraline | 2010-01-01 | 30   | 25
        cut_short | sertraline | 2010-01-01 | 60   | 50
        cut_short | sertraline | 2010-01-21 | 60   | 50
        """
    )

    assert_shows(
        _shown(given, _taken(28, carry_over=False)),
        """
        person    | n_days | days_covered | adequacy_reason
        long      | 88     | 88           | adequate
        cut_short | 80     | 80           | underdosed
        """,
    )


def test_the_second_strength_is_no_raised_dose() -> None:
    """50 mg from a second package of the same day is no raise over 25 mg; dispensed the next day it is one."""
    raised = points("none", item("failed_trials", 1.0), item("raised_dose", 0.5))
    shown = stages(
        extract(dispensings=_TWO_STRENGTHS + _FAILED),
        definition(trial={"carry_over": True}, adequacy={"drug": {"min_days": 28}}, resistance=raised),
    )

    assert_shows(shown, "person | score_min | score_max\nsame_day | 1.0 | 1.0\nnext_day | 1.5 | 1.5")


# --- One dose, and doses not known ------------------------------------------------------------------------------------


def test_the_same_strength_twice_is_twice_the_stock() -> None:
    """Two packages of 75 mg on one day are 60 days at 75 mg where leftovers are carried over; else one of them is."""
    given = extract(
        dispensings="""
        drug       | date       | days | dose_mg
        sertraline | 2010-01-01 | 30   | 75
        sertraline | 2010-01-01 | 30   | 75
        """
    )

    assert_shows(_shown(given, _taken(60)), "n_days | dose_mg | is_adequate\n60 | 75.0 | true")
    assert_shows(_shown(given, _taken(60, carry_over=False)), "n_days | dose_mg | is_adequate\n30 | 75.0 | false")


def test_a_stock_of_one_strength_runs_beside_another_strength() -> None:
    """Two packages of 25 mg for 30 days beside 50 mg for 60 days are 75 mg for 60; without carry-over for 30."""
    given = extract(
        dispensings="""
        drug       | date       | days | dose_mg
        sertraline | 2010-01-01 | 30   | 25
        sertraline | 2010-01-01 | 30   | 25
        sertraline | 2010-01-01 | 60   | 50
        """
    )

    assert_shows(_shown(given, _taken(60)), "n_days | dose_mg | is_adequate\n60 | 75.0 | true")
    assert_shows(_shown(given, _taken(60, carry_over=False)), "n_days | dose_mg | is_adequate\n60 | 62.5 | false")


def test_the_whole_dose_written_on_each_package_is_not_doubled() -> None:
    """Tablets of 25 and 50 mg, each row with 75 mg a day and the days it lasts at that, follow one another."""
    given = extract(
        dispensings="""
        drug       | date       | days | dose_mg
        sertraline | 2010-01-01 | 10   | 75
        sertraline | 2010-01-01 | 20   | 75
        """
    )

    assert_shows(_shown(given, _taken(30)), "n_days | dose_mg | is_adequate\n30 | 75.0 | true")


def test_a_supply_of_unknown_dose_is_not_known_to_be_of_another_strength() -> None:
    """Beside 75 mg it is a stock of its own: 60 days, of which 30 are surely at 75 mg and all may be."""
    given = extract(
        dispensings="""
        drug       | date       | days | dose_mg
        sertraline | 2010-01-01 | 30   | 75
        sertraline | 2010-01-01 | 30   | -
        """
    )

    assert_shows(_shown(given, _taken(30)), "n_days | dose_mg | adequacy_reason\n60 | - | adequate")
    assert_shows(_shown(given, _taken(31)), "n_days | dose_mg | adequacy_reason\n60 | - | dose_unknown")


def test_a_third_supply_of_unknown_dose_does_not_part_the_other_two() -> None:
    """25 and 50 mg are taken together all the same, for 30 days at 75 mg; the third lasts 30 days more."""
    given = extract(
        dispensings="""
        drug       | date       | days | dose_mg
        sertraline | 2010-01-01 | 30   | 25
        sertraline | 2010-01-01 | 30   | 50
        sertraline | 2010-01-01 | 30   | -
        """
    )

    assert_shows(_shown(given, _taken(30)), "n_days | adequacy_reason\n60 | adequate")
    assert_shows(_shown(given, _taken(31)), "n_days | adequacy_reason\n60 | dose_unknown")


def test_a_supply_of_unknown_days_leaves_the_other_as_it_is() -> None:
    """Nobody knows how long 25 mg lasted beside 75 mg for 30 days: 30 days are sure, and 31 cannot be told."""
    given = extract(
        dispensings="""
        drug       | date       | days | dose_mg
        sertraline | 2010-01-01 | 30   | 75
        sertraline | 2010-01-01 | -    | 25
        """
    )

    assert_shows(_shown(given, _taken(30)), "n_days | has_unknown_supply | adequacy_reason\n30 | true | adequate")
    assert_shows(
        _shown(given, _taken(31)), "n_days | has_unknown_supply | adequacy_reason\n30 | true | duration_unknown"
    )


def test_amounts_in_ddd_alone_stay_a_stock() -> None:
    """Days counted at one DDD a day tell no strengths apart: 15 and 30 DDD are 45 days, as the amount says."""
    given = extract(
        dispensings="""
        drug       | date       | days | supply_basis
        sertraline | 2010-01-01 | 15   | ddd
        sertraline | 2010-01-01 | 30   | ddd
        """
    )

    assert_shows(trials(given, _taken()), "n_days | days_covered | supply_basis\n45 | 45 | ddd")


# --- What dispensings are counted by ----------------------------------------------------------------------------------


def test_where_only_dates_are_read_the_doses_of_a_day_add_up_too() -> None:
    """25 and 50 mg are 75 mg until the next dispensing, 28 days later, whichever was to last longer."""
    given = extract(
        dispensings="""
        person | drug       | date       | days | dose_mg
        two    | sertraline | 2010-01-01 | 1    | 25
        two    | sertraline | 2010-01-01 | 90   | 50
        two    | sertraline | 2010-01-29 | 1    | 50
        one    | sertraline | 2010-01-01 | 90   | 50
        one    | sertraline | 2010-01-29 | 1    | 50
        """
    )

    assert_shows(
        _shown(given, _taken(supply="dates_only", permissible_gap_days=182)),
        "person | n_days | dose_mg | is_adequate\ntwo | 28 | 75.0 | true\none | 28 | 50.0 | false",
    )


def test_where_only_dates_are_read_nothing_is_left_over() -> None:
    """Two packages of 50 mg beside one of 25 mg are 75 mg until the next dispensing, with carry-over and without."""
    given = extract(
        dispensings="""
        person | drug       | date       | days | dose_mg
        three  | sertraline | 2010-01-01 | 30   | 50
        three  | sertraline | 2010-01-01 | 30   | 50
        three  | sertraline | 2010-01-01 | 30   | 25
        three  | sertraline | 2010-01-29 | 30   | 50
        """
    )

    for carry_over in (True, False):
        assert_shows(
            _shown(given, _taken(supply="dates_only", permissible_gap_days=182, carry_over=carry_over)),
            "person | n_days | dose_mg | is_adequate\nthree | 28 | 75.0 | true",
        )


def test_two_strengths_of_one_day_are_dispensed_once() -> None:
    """A drug dispensed on one day lasts until the next drug, also in two strengths."""
    given = extract(
        dispensings="""
        person | drug        | date       | days | dose_mg
        once   | sertraline  | 2010-01-01 | 10   | 75
        once   | venlafaxine | 2010-03-02 | 30   | 75
        twice  | sertraline  | 2010-01-01 | 10   | 25
        twice  | sertraline  | 2010-01-01 | 10   | 50
        twice  | venlafaxine | 2010-03-02 | 30   | 75
        """
    )
    rule = definition(trial={"single_dispensing_days": 90})

    assert_shows(trials(given, rule).filter(drug="sertraline"), "person | n_days\nonce | 60\ntwice | 60")


def test_how_a_trial_s_days_were_told_stays_as_delivered() -> None:
    """Two strengths worked out in one way give that way, two worked out in different ways no single one."""
    given = extract(
        dispensings="""
        person    | drug       | date       | days | dose_mg | supply_basis
        alike     | sertraline | 2010-01-01 | 30   | 25      | days_supply
        alike     | sertraline | 2010-01-01 | 30   | 50      | days_supply
        different | sertraline | 2010-01-01 | 30   | 25      | days_supply
        different | sertraline | 2010-01-01 | 30   | 50      | quantity_per_daily_dose
        """
    )

    assert_shows(
        trials(given, _taken()), "person | n_days | supply_basis\nalike | 30 | days_supply\ndifferent | 30 | mixed"
    )
