"""Staging: the highest stage, or the score, that an episode has reached, with its bounds and without a verdict.

In these tests a trial fails by the switch that follows it, unless a test says otherwise.
"""

import pytest

from tests.spec.world import (
    count,
    definition,
    extract,
    item,
    length_item,
    level,
    number_item,
    points,
    staged,
    stages,
    study,
    verdicts,
)
from tests.tables import assert_shows


def _stages(*levels: dict, is_cumulative: bool = False, **changes: dict) -> object:
    return definition(resistance=staged(*levels, is_cumulative=is_cumulative), **changes)


# --- The highest stage ------------------------------------------------------------------------------------------------

_NONE_TO_TWO = extract(
    dispensings="""
    person | drug        | date       | days
    none   | sertraline  | 2010-02-01 | 56
    one    | sertraline  | 2010-02-01 | 56
    one    | venlafaxine | 2010-04-01 | 56
    two    | sertraline  | 2010-02-01 | 56
    two    | venlafaxine | 2010-04-01 | 56
    two    | mirtazapine | 2010-06-01 | 56
    """
)


def test_the_highest_stage_reached_is_the_stage() -> None:
    """No failure, one and two: no stage, the first, the second; there is no score beside it."""
    rule = _stages(level("first", [count(1)]), level("second", [count(2)]))

    assert_shows(
        stages(_NONE_TO_TWO, rule),
        """
        person | is_eligible | level_min | level_max | score_min | score_max | is_outside_band
        none   | true        | none      | none      | -         | -         | -
        one    | true        | first     | first     | -         | -         | -
        two    | true        | second    | second    | -         | -         | -
        """,
    )


_SSRI_TCA = extract(
    dispensings="""
    person    | drug         | date       | days
    ssri      | sertraline   | 2010-02-01 | 56
    ssri      | venlafaxine  | 2010-04-01 | 20
    tricyclic | clomipramine | 2010-02-01 | 56
    tricyclic | venlafaxine  | 2010-04-01 | 20
    both      | clomipramine | 2010-02-01 | 56
    both      | sertraline   | 2010-04-01 | 56
    both      | venlafaxine  | 2010-06-01 | 20
    """
)
_SSRI_THEN_TCA = (level("ssri", [count(1, of="ssri")]), level("tricyclic", [count(1, of="tca")]))


def test_a_cumulative_stage_needs_every_stage_below_it() -> None:
    """A failed tricyclic alone is the second stage, or none where the first must be reached too."""
    columns = "person | level_min | level_max"

    assert_shows(
        stages(_SSRI_TCA, _stages(*_SSRI_THEN_TCA)),
        f"""
        {columns}
        ssri      | ssri      | ssri
        tricyclic | tricyclic | tricyclic
        both      | tricyclic | tricyclic
        """,
    )
    assert_shows(
        stages(_SSRI_TCA, _stages(*_SSRI_THEN_TCA, is_cumulative=True)),
        f"""
        {columns}
        ssri      | ssri      | ssri
        tricyclic | none      | none
        both      | tricyclic | tricyclic
        """,
    )


def test_a_gap_two_stages_below_breaks_the_chain_too() -> None:
    """The first and third stage reached, the second not: cumulative it is the first, otherwise the third."""
    levels = (level("drug", [count(1)]), level("cbt", [count(1, of="cbt")]), level("tricyclic", [count(1, of="tca")]))
    tricyclic = extract(dispensings="drug | date | days\nclomipramine | 2010-02-01 | 56\nvenlafaxine | 2010-04-01 | 20")

    assert_shows(stages(tricyclic, _stages(*levels)), "level_min | level_max\ntricyclic | tricyclic")
    assert_shows(stages(tricyclic, _stages(*levels, is_cumulative=True)), "level_min | level_max\ndrug | drug")


def test_any_arm_reaches_the_stage() -> None:
    """A failed SSRI or a failed tricyclic: either is the first stage; two failed drugs are the second."""
    either, two = level("either", [count(1, of="ssri")], [count(1, of="tca")]), level("two", [count(2)])

    assert_shows(
        stages(_SSRI_TCA, _stages(either, two)), "person | level_min\nssri | either\ntricyclic | either\nboth | two"
    )


def test_a_stage_may_count_within_some_days_and_in_some_order() -> None:
    """A tricyclic given last, after an SSRI given before; two drugs within 30 days of the first one's end."""
    in_order = level("order", [count(1, of="tca", what="given", timing="before"), count(1, of="ssri", timing="last")])
    soon = level("soon", [count(2, what="given")], within=30)

    assert_shows(
        stages(_SSRI_TCA, _stages(in_order)), "person | level_min\nssri | none\ntricyclic | none\nboth | order"
    )
    assert_shows(stages(_SSRI_TCA, _stages(soon)), "person | level_min\nssri | soon\ntricyclic | soon\nboth | soon")
    assert_shows(
        stages(_SSRI_TCA, _stages(level("soon", [count(2, what="given")], within=3))),
        "person | level_min\nssri | none\ntricyclic | none\nboth | none",
    )


# --- What is not known ------------------------------------------------------------------------------------------------


def test_an_unknown_failure_leaves_the_stage_between_two() -> None:
    """One sure failure and one that ECT nobody could see may have followed: the first stage, perhaps the second."""
    given = extract(
        observes="drug",
        dispensings="""
        person | drug        | date       | days
        one    | sertraline  | 2010-02-01 | 56
        two    | sertraline  | 2010-02-01 | 56
        two    | venlafaxine | 2010-04-01 | 56
        """,
    )
    rule = _stages(level("first", [count(1)]), level("second", [count(2)]), outcome={"change_signs": ["switch", "ect"]})

    assert_shows(stages(given, rule), "person | level_min | level_max\none | none | first\ntwo | first | second")


def test_a_treatment_that_may_be_of_the_group_leaves_the_stage_open() -> None:
    """An unnamed antidepressant given may have been a tricyclic."""
    given = extract(
        dispensings="""
        person | drug              | date       | days
        may_be | an_antidepressant | 2010-02-01 | 56
        is_not | sertraline        | 2010-02-01 | 56
        """
    )

    assert_shows(
        stages(given, _stages(level("tricyclic", [count(1, of="tca", what="given")]))),
        "person | level_min | level_max\nmay_be | none | tricyclic\nis_not | none | none",
    )


_THEN_ECT = (level("drug", [count(1)]), level("ect", [count(1, of="ect")]))


def test_a_stage_nobody_could_see_may_be_reached() -> None:
    """Where ECT is not observed its stage is open: to everybody, or only to those who reached the stage below."""
    given = extract(
        observes="drug",
        dispensings="""
        person | drug        | date       | days
        failed | sertraline  | 2010-02-01 | 56
        failed | venlafaxine | 2010-04-01 | 20
        worked | sertraline  | 2010-02-01 | 56
        """,
    )
    columns = "person | level_min | level_max"

    assert_shows(stages(given, _stages(*_THEN_ECT)), f"{columns}\nfailed | drug | ect\nworked | none | ect")
    assert_shows(
        stages(given, _stages(*_THEN_ECT, is_cumulative=True)), f"{columns}\nfailed | drug | ect\nworked | none | none"
    )


def test_a_stage_below_that_nobody_could_see_leaves_those_above_open() -> None:
    """Cumulative, with ECT below: a failed drug surely reaches no stage, and may reach both."""
    given = extract(
        observes="drug",
        dispensings="drug | date | days\nsertraline | 2010-02-01 | 56\nvenlafaxine | 2010-04-01 | 20",
    )
    ect_then_drug = tuple(reversed(_THEN_ECT))

    assert_shows(stages(given, _stages(*ect_then_drug)), "level_min | level_max\ndrug | drug")
    assert_shows(stages(given, _stages(*ect_then_drug, is_cumulative=True)), "level_min | level_max\nnone | drug")


def test_an_episode_the_system_does_not_speak_about_has_no_stage() -> None:
    """Too young, of unknown age, and old enough."""
    given = extract(
        persons="person | birth_date\ntoo_young | 2000-01-01\nno_birth_date | -\nold_enough | 1970-01-01",
        dispensings="""
        person        | drug        | date       | days
        too_young     | sertraline  | 2010-02-01 | 56
        too_young     | venlafaxine | 2010-04-01 | 56
        no_birth_date | sertraline  | 2010-02-01 | 56
        no_birth_date | venlafaxine | 2010-04-01 | 56
        old_enough    | sertraline  | 2010-02-01 | 56
        old_enough    | venlafaxine | 2010-04-01 | 56
        """,
    )
    adults = {"min_age": 18}

    assert_shows(
        stages(given, _stages(level("first", [count(1)], band_days=(1, 9)), eligible=adults)),
        """
        person        | is_eligible | level_min | level_max | is_outside_band
        too_young     | false       | -         | -         | -
        no_birth_date | -           | -         | -         | -
        old_enough    | true        | first     | first     | true
        """,
    )
    assert_shows(
        stages(given, definition(resistance=points("none", number_item({1: 1.0})), eligible=adults)),
        """
        person        | is_eligible | score_min | score_max
        too_young     | false       | -         | -
        no_birth_date | -           | -         | -
        old_enough    | true        | 1.0       | 1.0
        """,
    )


@pytest.mark.parametrize(
    ("handling", "alcohol"),
    [("noted", "true | first"), ("before", "false | -"), ("after", "false | -")],
)
def test_a_diagnosed_cause_of_pseudo_resistance_may_take_an_episode_out(handling: str, alcohol: str) -> None:
    """Noted it changes nothing; before or after, a staging system does not speak about the episode."""
    given = extract(
        diagnoses="""
        person  | date       | code
        alcohol | 2010-01-01 | F322
        alcohol | 2010-02-01 | F102
        none    | 2010-01-01 | F322
        """,
        dispensings="""
        person  | drug        | date       | days
        alcohol | sertraline  | 2010-01-01 | 28
        alcohol | venlafaxine | 2010-02-01 | 28
        none    | sertraline  | 2010-01-01 | 28
        none    | venlafaxine | 2010-02-01 | 28
        """,
    )
    rule = _stages(level("first", [count(1)]), eligible={"pseudo_resistance": handling})

    assert_shows(
        stages(given, rule, by=study(tail_days=60)),
        f"person | is_eligible | level_min\nalcohol | {alcohol}\nnone | true | first",
    )


# --- Outside the time the source says ---------------------------------------------------------------------------------


def test_failed_trials_outside_the_band_of_the_stage_are_marked() -> None:
    """From 56 to 100 days in all: 55 and 101 are outside. Without a stage, or without a band, there is no telling."""
    given = extract(
        dispensings="""
        person   | drug        | date       | days
        days_55  | sertraline  | 2010-02-01 | 55
        days_55  | venlafaxine | 2010-06-01 | 90
        days_56  | sertraline  | 2010-02-01 | 56
        days_56  | venlafaxine | 2010-06-01 | 90
        days_100 | sertraline  | 2010-02-01 | 100
        days_100 | venlafaxine | 2010-06-01 | 90
        days_101 | sertraline  | 2010-02-01 | 101
        days_101 | venlafaxine | 2010-06-01 | 90
        no_stage | venlafaxine | 2010-06-01 | 90
        """
    )

    assert_shows(
        stages(given, _stages(level("first", [count(1)], band_days=(56, 100)))),
        """
        person   | level_min | is_outside_band
        days_55  | first     | true
        days_56  | first     | false
        days_100 | first     | false
        days_101 | first     | true
        no_stage | none      | -
        """,
    )
    assert_shows(
        stages(given, _stages(level("first", [count(1)]))).filter(person="days_55"),
        "level_min | is_outside_band\nfirst | -",
    )


def test_each_stage_has_its_band_and_all_failed_trials_count_once() -> None:
    """Two failures of 56 days are 112 in all, though two counts of the stage count both; the band is the stage's."""
    first, second = (28, 60), (112, 120)
    levels = (
        level("first", [count(1)], band_days=first),
        level("second", [count(2), count(1, of="ssri")], band_days=second),
    )

    assert_shows(
        stages(_NONE_TO_TWO, _stages(*levels)),
        """
        person | level_min | is_outside_band
        none   | none      | -
        one    | first     | false
        two    | second    | false
        """,
    )
    assert_shows(
        stages(_NONE_TO_TWO, _stages(levels[0], levels[1] | {"band_days": [113, 120]})).filter(person="two"),
        "is_outside_band\ntrue",
    )
    assert_shows(
        stages(_NONE_TO_TWO, _stages(levels[0], levels[1] | {"band_days": [1, 111]})).filter(person="two"),
        "is_outside_band\ntrue",
    )


def test_only_trials_of_the_groups_that_count_are_in_the_band() -> None:
    """Of a failed SSRI and a failed tricyclic a system of SSRIs adds up the SSRI's 56 days only."""
    rule = _stages(level("ssri", [count(1, of="ssri")], band_days=(56, 56)))
    both = _stages(level("ssri", [count(1, of="ssri")], [count(9, of="tca")], band_days=(112, 112)))

    assert_shows(stages(_SSRI_TCA, rule).filter(person="both"), "is_outside_band\nfalse")
    assert_shows(stages(_SSRI_TCA, both).filter(person="both"), "is_outside_band\nfalse")


def test_only_sure_failures_are_in_the_band_and_only_the_sure_stage_has_one() -> None:
    """A second trial of unknown outcome adds no days, and the stage it may have led to is not the one looked at."""
    given = extract(
        observes="drug",
        dispensings="drug | date | days\nsertraline | 2010-02-01 | 56\nvenlafaxine | 2010-04-01 | 90",
    )
    first, second = level("first", [count(1)], band_days=(56, 56)), level("second", [count(2)], band_days=(1, 9))
    rule = _stages(first, second, outcome={"change_signs": ["switch", "ect"]})

    assert_shows(stages(given, rule), "level_min | level_max | is_outside_band\nfirst | second | false")


# --- A score without a threshold --------------------------------------------------------------------------------------


def test_a_score_without_a_threshold_is_a_score_and_no_verdict() -> None:
    """A point for each failure; no level, no band, and no row among the verdicts."""
    rule = definition(resistance=points("none", item("failed_trials", 1.0)))

    assert_shows(
        stages(_NONE_TO_TWO, rule),
        """
        person | is_eligible | score_min | score_max | level_min | level_max | is_outside_band
        none   | true        | 0.0       | 0.0       | -         | -         | -
        one    | true        | 1.0       | 1.0       | -         | -         | -
        two    | true        | 2.0       | 2.0       | -         | -         | -
        """,
    )
    assert verdicts(_NONE_TO_TWO, rule).is_empty()


def test_a_score_without_a_threshold_has_bounds_and_may_be_none_at_all() -> None:
    """Without a failed trial there is no score where one is required; with an unknown one there may be."""
    given = extract(
        observes="drug",
        dispensings="""
        person  | drug        | date       | days
        unknown | sertraline  | 2010-02-01 | 56
        one     | sertraline  | 2010-02-01 | 56
        one     | venlafaxine | 2010-04-01 | 27
        short   | sertraline  | 2010-02-01 | 27
        """,
    )
    rule = definition(
        resistance=points("none", number_item({1: 1.0, 3: 2.0}, is_required=True), length_item({1: 1.5})),
        outcome={"change_signs": ["switch", "ect"]},
    )

    assert_shows(
        stages(given, rule),
        """
        person  | is_eligible | score_min | score_max
        unknown | true        | -         | 2.5
        one     | true        | 2.5       | 2.5
        short   | true        | -         | -
        """,
    )
