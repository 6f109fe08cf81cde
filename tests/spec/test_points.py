"""Points: resistance as a score, item by item, with what is unknown between its bounds.

In these tests a trial fails by the switch that follows it, unless a test says otherwise.
"""

import pytest

from tests.spec.world import (
    definition,
    extract,
    item,
    length_item,
    number_item,
    points,
    verdicts,
)
from tests.tables import assert_shows

_STAGED = points(2.0, item("failed_trials", 1.0), item("raised_dose", 0.5), item("extended", 0.5, extended_days=56))


def test_a_score_at_the_threshold_is_resistance_half_a_point_below_is_not() -> None:
    """One failure with a raised dose over eight weeks scores 2; a day less of it scores 1.5."""
    given = extract(
        dispensings="""
        person     | drug        | date       | days | dose_mg
        at         | sertraline  | 2010-02-01 | 28   | 50
        at         | sertraline  | 2010-03-01 | 28   | 100
        at         | venlafaxine | 2010-05-01 | 56   | 75
        half_below | sertraline  | 2010-02-01 | 28   | 50
        half_below | sertraline  | 2010-03-01 | 27   | 100
        half_below | venlafaxine | 2010-05-01 | 56   | 75
        """
    )

    assert_shows(
        verdicts(given, definition(resistance=_STAGED)),
        """
        person     | verdict       | resistant_date | score_min | score_max
        at         | resistant     | 2010-05-01     | 2.0       | 2.0
        half_below | not_resistant | -              | 1.5       | 1.5
        """,
    )


def test_a_dose_that_was_never_raised_earns_nothing() -> None:
    """The same dose throughout, or a lowered one, is no raised dose; only failed trials earn points."""
    given = extract(
        dispensings="""
        person  | drug        | date       | days | dose_mg
        same    | sertraline  | 2010-02-01 | 20   | 50
        same    | sertraline  | 2010-02-21 | 20   | 50
        same    | venlafaxine | 2010-05-01 | 56   | 75
        lowered | sertraline  | 2010-02-01 | 20   | 100
        lowered | sertraline  | 2010-02-21 | 20   | 50
        lowered | venlafaxine | 2010-05-01 | 20   | 75
        lowered | venlafaxine | 2010-05-21 | 36   | 150
        """
    )

    assert_shows(
        verdicts(given, definition(resistance=_STAGED)),
        "person | score_min | score_max\nsame | 1.0 | 1.0\nlowered | 1.0 | 1.0",
    )


def test_points_may_be_as_many_as_can_be_written() -> None:
    """A cap of two thousand million is no cap, and points of that size are counted to the half point."""
    given = extract(
        dispensings="""
        drug        | date       | days
        sertraline  | 2010-02-01 | 60
        venlafaxine | 2010-04-01 | 60
        """
    )
    item_of_many = item("failed_trials", 1_500_000_000.5, at_most=2_000_000_000.0)

    assert_shows(
        verdicts(given, definition(resistance=points(1_500_000_000.5, item_of_many))),
        "verdict | score_max\nresistant | 1500000000.5",
    )


def test_an_item_is_capped() -> None:
    """Three failures at one point each score 3, or 2 where the item is capped at 2."""
    given = extract(
        dispensings="""
        drug        | date       | days
        sertraline  | 2010-02-01 | 30
        venlafaxine | 2010-04-01 | 30
        mirtazapine | 2010-06-01 | 30
        duloxetine  | 2010-08-01 | 30
        """
    )

    assert_shows(
        verdicts(given, definition(resistance=points(3.0, item("failed_trials", 1.0, at_most=3.0)))),
        "verdict | resistant_date | score_min\nresistant | 2010-08-01 | 3.0",
    )
    assert_shows(
        verdicts(given, definition(resistance=points(3.0, item("failed_trials", 1.0, at_most=2.0)))),
        "verdict | resistant_date | score_min\nnot_resistant | - | 2.0",
    )


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (1.0, "resistant | resistance"),
        (1.5, "undetermined | adequacy"),
        (2.0, "undetermined | adequacy"),
        (2.5, "not_resistant | outcome"),
    ],
)
def test_what_is_not_recorded_keeps_the_score_between_bounds(threshold: float, expected: str) -> None:
    """A failed trial of unknown doses and partly unknown length scores from 1 to 2; both are questions of adequacy."""
    given = extract(
        dispensings="""
        drug        | date       | days | dose_mg
        sertraline  | 2010-02-01 | 30   | 50
        sertraline  | 2010-03-03 | -    | -
        venlafaxine | 2010-05-01 | 56   | 75
        """
    )
    rule = definition(outcome={"change_signs": ["switch", "add_on"]}, resistance=_STAGED | {"threshold": threshold})

    assert_shows(verdicts(given, rule), f"verdict | decided_by | score_min | score_max\n{expected} | 1.0 | 2.0")


def test_an_unobserved_item_may_have_earned_all_its_points() -> None:
    """Where ECT is not observed, its points are possible up to their cap."""
    given = extract(
        observes="drug",
        dispensings="drug | date | days\nsertraline | 2010-02-01 | 56\nvenlafaxine | 2010-04-01 | 56",
    )
    rule = points(3.0, item("failed_trials", 1.0), item("failed_trials", 2.0, at_most=2.0, of="ect"))

    assert_shows(
        verdicts(given, definition(resistance=rule)),
        "verdict | decided_by | score_min | score_max | n_failed_max\nundetermined | trial | 1.0 | 3.0 | -",
    )
    assert_shows(
        verdicts(given, definition(resistance=rule | {"threshold": 3.5})), "verdict | score_max\nnot_resistant | 3.0"
    )


# --- The number of trials ---------------------------------------------------------------------------------------------

_NONE_TO_THREE = extract(
    dispensings="""
    person | drug        | date       | days
    none   | sertraline  | 2010-02-01 | 30
    one    | sertraline  | 2010-02-01 | 30
    one    | venlafaxine | 2010-04-01 | 30
    two    | sertraline  | 2010-02-01 | 30
    two    | venlafaxine | 2010-04-01 | 30
    two    | mirtazapine | 2010-06-01 | 30
    three  | sertraline  | 2010-02-01 | 30
    three  | venlafaxine | 2010-04-01 | 30
    three  | mirtazapine | 2010-06-01 | 30
    three  | duloxetine  | 2010-08-01 | 30
    """
)


def test_points_by_the_number_of_trials_rise_at_each_band() -> None:
    """One or two failures score 1, three score 2.5, none scores nothing."""
    rule = definition(resistance=points(2.5, number_item({1: 1.0, 3: 2.5})))

    assert_shows(
        verdicts(_NONE_TO_THREE, rule),
        """
        person | verdict       | score_min | score_max | resistant_date
        none   | not_resistant | 0.0       | 0.0       | -
        one    | not_resistant | 1.0       | 1.0       | -
        two    | not_resistant | 1.0       | 1.0       | -
        three  | resistant     | 2.5       | 2.5       | 2010-08-01
        """,
    )


def test_a_band_may_begin_at_no_trial_at_all() -> None:
    """Half a point for nobody's failure, from the episode's start; one from the first failure on."""
    rule = definition(resistance=points(0.5, number_item({0: 0.5, 1: 1.0})))

    assert_shows(
        verdicts(_NONE_TO_THREE, rule).filter(person="none"),
        "verdict | score_min | resistant_date\nresistant | 0.5 | 2010-01-01",
    )
    assert_shows(
        verdicts(_NONE_TO_THREE, definition(resistance=points(1.0, number_item({0: 0.5, 1: 1.0})))),
        """
        person | verdict       | score_min | resistant_date
        none   | not_resistant | 0.5       | -
        one    | resistant     | 1.0       | 2010-04-01
        two    | resistant     | 1.0       | 2010-04-01
        three  | resistant     | 1.0       | 2010-04-01
        """,
    )


_TWICE = extract(
    dispensings="""
    person  | drug        | date       | days
    same    | sertraline  | 2010-02-01 | 30
    same    | venlafaxine | 2010-04-01 | 5
    same    | sertraline  | 2010-06-01 | 30
    same    | venlafaxine | 2010-08-01 | 5
    other   | sertraline  | 2010-02-01 | 30
    other   | venlafaxine | 2010-04-01 | 5
    other   | citalopram  | 2010-06-01 | 30
    other   | venlafaxine | 2010-08-01 | 5
    unnamed | sertraline  | 2010-02-01 | 30
    unnamed | venlafaxine | 2010-04-01 | 5
    unnamed | some_ssri   | 2010-06-01 | 30
    unnamed | venlafaxine | 2010-08-01 | 5
    """
)


def test_the_number_may_be_of_different_substances() -> None:
    """Sertraline failed twice is two trials and one substance; an unnamed SSRI may be a second substance or not."""
    columns = "person | verdict | score_min | score_max | resistant_date"

    assert_shows(
        verdicts(_TWICE, definition(resistance=points(2.0, number_item({1: 1.0, 2: 2.0}, of="ssri")))),
        f"""
        {columns}
        same    | resistant | 2.0 | 2.0 | 2010-08-01
        other   | resistant | 2.0 | 2.0 | 2010-08-01
        unnamed | resistant | 2.0 | 2.0 | 2010-08-01
        """,
    )
    by_substance = number_item({1: 1.0, 2: 2.0}, of="ssri", distinct_by="substance")
    assert_shows(
        verdicts(_TWICE, definition(resistance=points(2.0, by_substance))),
        f"""
        {columns}
        same    | not_resistant | 1.0 | 1.0 | -
        other   | resistant     | 2.0 | 2.0 | 2010-08-01
        unnamed | undetermined  | 1.0 | 2.0 | -
        """,
    )


def test_the_number_may_be_of_trials_given_or_added() -> None:
    """Short trials count as given, an add-on that is part of its trial as added; neither failed."""
    given = extract(
        dispensings="""
        person | drug        | date       | days
        given  | sertraline  | 2010-02-01 | 5
        given  | venlafaxine | 2010-04-01 | 5
        added  | sertraline  | 2010-02-01 | 90
        added  | lithium     | 2010-03-01 | 60
        """
    )
    trial = {"augmentation": "part_of_trial"}
    by_given = points(1.0, number_item({1: 0.5, 2: 1.0}, what="given"))
    by_added = points(0.5, number_item({1: 0.5}, of="augmenters_depression", what="added"))

    assert_shows(
        verdicts(given, definition(resistance=by_given, trial=trial)),
        """
        person | verdict       | score_min | resistant_date
        given  | resistant     | 1.0       | 2010-04-01
        added  | not_resistant | 0.5       | -
        """,
    )
    assert_shows(
        verdicts(given, definition(resistance=by_added, trial=trial)),
        """
        person | verdict       | score_min | resistant_date
        given  | not_resistant | 0.0       | -
        added  | resistant     | 0.5       | 2010-03-01
        """,
    )


_OPEN_OUTCOME = {"change_signs": ["switch", "ect"]}  # and ECT is not observed


def test_unknown_trials_give_the_number_its_bounds() -> None:
    """One sure failure and one of unknown outcome: from the points of one to those of two."""
    given = extract(
        observes="drug",
        dispensings="drug | date | days\nsertraline | 2010-02-01 | 30\nvenlafaxine | 2010-04-01 | 30",
    )
    rule = points(2.5, number_item({1: 1.0, 2: 2.5}))

    assert_shows(
        verdicts(given, definition(resistance=rule, outcome=_OPEN_OUTCOME)),
        "verdict | decided_by | score_min | score_max\nundetermined | outcome | 1.0 | 2.5",
    )


def test_an_unobserved_number_may_be_the_highest() -> None:
    """Where ECT is not observed its points are open up to the highest band, and no higher."""
    given = extract(observes="drug")
    rule = points(2.5, number_item({1: 1.0, 3: 2.5}, of="ect"))

    assert_shows(
        verdicts(given, definition(resistance=rule)),
        "verdict | decided_by | score_min | score_max\nundetermined | trial | 0.0 | 2.5",
    )
    assert_shows(
        verdicts(given, definition(resistance=rule | {"threshold": 3.0})), "verdict | score_max\nnot_resistant | 2.5"
    )


# --- No score without a trial -----------------------------------------------------------------------------------------

_LONG_ENOUGH = length_item({1: 2.0})


def test_where_a_number_is_required_there_is_no_score_without_it() -> None:
    """Whatever else scores: without a failed trial there is no score, and none reaches a threshold."""
    required = points(2.0, number_item({1: 1.0, 2: 2.0}, is_required=True), _LONG_ENOUGH)
    not_required = points(2.0, number_item({1: 1.0, 2: 2.0}), _LONG_ENOUGH)

    assert_shows(
        verdicts(_NONE_TO_THREE, definition(resistance=required)),
        """
        person | verdict       | score_min | score_max | resistant_date
        none   | not_resistant | -         | -         | -
        one    | resistant     | 3.0       | 3.0       | 2010-04-01
        two    | resistant     | 4.0       | 4.0       | 2010-04-01
        three  | resistant     | 4.0       | 4.0       | 2010-04-01
        """,
    )
    assert_shows(
        verdicts(_NONE_TO_THREE, definition(resistance=not_required)).filter(person="none"),
        "verdict | score_min | score_max | resistant_date\nresistant | 2.0 | 2.0 | 2010-01-01",
    )


def test_where_the_required_number_starts_higher_less_is_no_score_either() -> None:
    """A first band at two failures: one failure gives no score, two do."""
    rule = points(1.0, number_item({2: 1.0}, is_required=True))

    assert_shows(
        verdicts(_NONE_TO_THREE, definition(resistance=rule)),
        """
        person | verdict       | score_min | resistant_date
        none   | not_resistant | -         | -
        one    | not_resistant | -         | -
        two    | resistant     | 1.0       | 2010-06-01
        three  | resistant     | 1.0       | 2010-06-01
        """,
    )


def test_where_the_required_failure_is_unknown_there_may_be_a_score() -> None:
    """The only trial may have failed: no lower bound, and an upper one; undetermined where that is enough."""
    given = extract(observes="drug", dispensings="drug | date | days\nsertraline | 2010-02-01 | 30")
    rule = points(3.0, number_item({1: 1.0, 2: 2.0}, is_required=True), _LONG_ENOUGH)

    assert_shows(
        verdicts(given, definition(resistance=rule, outcome=_OPEN_OUTCOME)),
        "verdict | decided_by | score_min | score_max\nundetermined | outcome | - | 3.0",
    )
    assert_shows(
        verdicts(given, definition(resistance=rule | {"threshold": 3.5}, outcome=_OPEN_OUTCOME)),
        "verdict | score_min | score_max\nnot_resistant | - | 3.0",
    )


def test_a_required_number_that_is_not_observed_may_be_any() -> None:
    """Where ECT is not observed, a score that requires it has an upper bound and no lower one."""
    rule = points(3.0, number_item({1: 1.0}, of="ect", is_required=True), _LONG_ENOUGH)

    assert_shows(
        verdicts(extract(observes="drug"), definition(resistance=rule)),
        "verdict | decided_by | score_min | score_max\nundetermined | trial | - | 3.0",
    )
