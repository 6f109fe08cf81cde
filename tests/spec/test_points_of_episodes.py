"""Points that count no trials: for the episode's length, for diagnoses and for admissions; and a score's date.

In these tests a trial fails by the switch that follows it, unless a test says otherwise.
"""

import pytest

from tests.spec.world import (
    admission_item,
    definition,
    diagnosis_item,
    extract,
    item,
    length_item,
    number_item,
    points,
    study,
    verdicts,
)
from tests.tables import assert_shows

# --- The length of the episode ----------------------------------------------------------------------------------------


def test_points_by_the_days_of_the_episode_rise_at_each_band() -> None:
    """The first and the last day count: 59 days score nothing, 60 half a point, 150 still that, 151 one."""
    given = extract(
        diagnoses="""
        person   | date
        days_59  | 2010-01-01
        days_59  | 2010-01-29
        days_60  | 2010-01-01
        days_60  | 2010-01-30
        days_150 | 2010-01-01
        days_150 | 2010-04-30
        days_151 | 2010-01-01
        days_151 | 2010-05-01
        """
    )
    rule = definition(resistance=points(0.5, length_item({60: 0.5, 151: 1.0})))

    assert_shows(
        verdicts(given, rule, by=study(tail_days=30)),
        """
        person   | verdict       | score_min | score_max | resistant_date | n_trials
        days_59  | not_resistant | 0.0       | 0.0       | -              | 0
        days_60  | resistant     | 0.5       | 0.5       | 2010-01-01     | 0
        days_150 | resistant     | 0.5       | 0.5       | 2010-01-01     | 0
        days_151 | resistant     | 1.0       | 1.0       | 2010-01-01     | 0
        """,
    )


def test_a_length_too_short_is_settled_by_trial() -> None:
    """What belongs to the episode is the same in every question, so the first question settles it."""
    rule = definition(resistance=points(0.5, length_item({366: 0.5})))

    assert_shows(verdicts(extract(), rule), "verdict | decided_by | score_max\nnot_resistant | trial | 0.0")


# --- Diagnoses --------------------------------------------------------------------------------------------------------

_SEVERITY = {"depression_mild": 1.0, "depression_moderate": 2.0, "depression_severe": 3.0}


def test_the_most_points_of_any_diagnosis_count() -> None:
    """Mild and severe: severe counts, in whatever order; of none of the lists, what is stated otherwise."""
    given = extract(
        diagnoses="""
        person   | date       | code
        mild     | 2010-01-01 | F320
        worse    | 2010-01-01 | F320
        worse    | 2010-02-01 | F322
        better   | 2010-01-01 | F322
        better   | 2010-02-01 | F320
        unstated | 2010-01-01 | F329
        """
    )

    assert_shows(
        verdicts(given, definition(resistance=points(3.0, diagnosis_item(_SEVERITY, otherwise=0.5)))),
        """
        person   | verdict       | score_min | score_max | resistant_date
        mild     | not_resistant | 1.0       | 1.0       | -
        worse    | resistant     | 3.0       | 3.0       | 2010-01-01
        better   | resistant     | 3.0       | 3.0       | 2010-01-01
        unstated | not_resistant | 0.5       | 0.5       | -
        """,
    )


def test_a_listed_diagnosis_counts_though_otherwise_would_be_more() -> None:
    """Who has a listed diagnosis gets its points, not those of having none."""
    given = extract(diagnoses="person | date | code\nmild | 2010-01-01 | F320\nunstated | 2010-01-01 | F329")

    assert_shows(
        verdicts(given, definition(resistance=points(9.0, diagnosis_item({"depression_mild": 1.0}, otherwise=2.0)))),
        "person | score_min\nmild | 1.0\nunstated | 2.0",
    )


@pytest.mark.parametrize(
    ("when", "earned"),
    [
        ("ever", "1.0 | 1.0 | 1.0 | 1.0"),
        ("before", "1.0 | 0.0 | 0.0 | 0.0"),
        ("during", "0.0 | 1.0 | 1.0 | 0.0"),
        ("before_or_during", "1.0 | 1.0 | 1.0 | 0.0"),
    ],
)
def test_the_diagnosis_must_be_of_the_stated_time(when: str, earned: str) -> None:
    """The episode is from 10 January to 11 March 2010, both included."""
    day_before, on_start, on_last_day, day_after = earned.split(" | ")
    given = extract(
        diagnoses="""
        person      | date       | code
        day_before  | 2010-01-09 | F603
        day_before  | 2010-01-10 | F322
        on_start    | 2010-01-10 | F322
        on_start    | 2010-01-10 | F603
        on_last_day | 2010-01-10 | F322
        on_last_day | 2010-03-11 | F603
        day_after   | 2010-01-10 | F322
        day_after   | 2010-03-12 | F603
        """
    )
    rule = definition(resistance=points(9.0, diagnosis_item({"personality_disorder": 1.0}, when)))

    assert_shows(
        verdicts(given, rule, by=study(tail_days=60)),
        f"""
        person      | score_min
        day_before  | {day_before}
        on_start    | {on_start}
        on_last_day | {on_last_day}
        day_after   | {day_after}
        """,
    )


# --- Admissions -------------------------------------------------------------------------------------------------------


def test_an_admission_for_the_disorder_earns_its_points() -> None:
    """From the episode's first to its last day, and for the disorder; how many there were does not matter."""
    given = extract(
        admissions="""
        person     | start_date | end_date   | main_code
        day_before | 2009-12-31 | 2010-01-31 | F322
        first_day  | 2010-01-01 | 2010-01-05 | F322
        last_day   | 2010-12-31 | 2011-01-05 | F322
        day_after  | 2011-01-01 | 2011-01-05 | F322
        twice      | 2010-02-01 | 2010-02-05 | F322
        twice      | 2010-03-01 | 2010-03-05 | F322
        fracture   | 2010-02-01 | 2010-02-05 | S720
        uncoded    | 2010-02-01 | 2010-02-05 | -
        """
    )

    assert_shows(
        verdicts(given, definition(resistance=points(1.5, admission_item(1.5)))),
        """
        person     | verdict       | score_min | score_max | resistant_date
        day_before | not_resistant | 0.0       | 0.0       | -
        first_day  | resistant     | 1.5       | 1.5       | 2010-01-01
        last_day   | resistant     | 1.5       | 1.5       | 2010-01-01
        day_after  | not_resistant | 0.0       | 0.0       | -
        twice      | resistant     | 1.5       | 1.5       | 2010-01-01
        fracture   | not_resistant | 0.0       | 0.0       | -
        uncoded    | not_resistant | 0.0       | 0.0       | -
        """,
    )


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (1.0, "resistant | resistance"),
        (1.5, "undetermined | trial"),
        (2.5, "undetermined | trial"),
        (3.0, "not_resistant | outcome"),
    ],
)
def test_admissions_that_were_not_delivered_may_have_earned_their_points(threshold: float, expected: str) -> None:
    """One failure and an admission nobody could see: from 1 to 2.5 points. Delivered and none, it is 1."""
    drawn = "drug | date | days\nsertraline | 2010-02-01 | 30\nvenlafaxine | 2010-04-01 | 30"
    rule = points(threshold, number_item({1: 1.0, 2: 3.0}), admission_item(1.5))

    assert_shows(
        verdicts(extract(absent="admissions", dispensings=drawn), definition(resistance=rule)),
        f"verdict | decided_by | score_min | score_max | n_failed_max\n{expected} | 1.0 | 2.5 | 1",
    )
    assert_shows(verdicts(extract(dispensings=drawn), definition(resistance=rule)), "score_min | score_max\n1.0 | 1.0")


# --- The date ---------------------------------------------------------------------------------------------------------

_TWO_FAILURES = """
    drug        | date       | days
    sertraline  | 2010-02-01 | 56
    venlafaxine | 2010-04-01 | 56
    mirtazapine | 2010-06-01 | 56
    """


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (1.0, "resistant | 2010-01-01"),
        (1.5, "resistant | 2010-04-01"),
        (2.0, "resistant | 2010-04-01"),
        (2.5, "resistant | 2010-06-01"),
        (3.0, "resistant | 2010-06-01"),
        (3.5, "not_resistant | -"),
    ],
)
def test_the_date_is_the_day_on_which_the_score_was_first_enough(threshold: float, expected: str) -> None:
    """A point for the episode's length from its start, one more for each of two failures as they show."""
    rule = points(threshold, length_item({180: 1.0}), number_item({1: 1.0, 2: 2.0}))

    assert_shows(
        verdicts(extract(dispensings=_TWO_FAILURES), definition(resistance=rule)),
        f"verdict | resistant_date\n{expected}",
    )


def test_where_a_trial_is_required_the_date_waits_for_it() -> None:
    """The length alone would be enough from the start; the score is there only from the first failure on."""
    rule = points(1.0, length_item({180: 1.0}), number_item({1: 1.0, 2: 2.0}, is_required=True))

    assert_shows(
        verdicts(extract(dispensings=_TWO_FAILURES), definition(resistance=rule)),
        "verdict | resistant_date\nresistant | 2010-04-01",
    )


def test_what_is_earned_before_the_required_trial_waits_for_it_too() -> None:
    """The drug given on 1 February would be enough with the length; the required failure comes on 1 April."""
    given_first = number_item({1: 1.0}, what="given")
    rule = points(2.0, length_item({180: 1.0}), given_first, number_item({1: 1.0}, is_required=True))

    assert_shows(
        verdicts(extract(dispensings=_TWO_FAILURES), definition(resistance=rule)),
        "verdict | resistant_date\nresistant | 2010-04-01",
    )


def test_a_score_that_needs_no_trial_is_reached_on_the_first_day_of_the_episode() -> None:
    """Treatment had begun ten days before the episode: points it did not need do not move the day."""
    given = extract(
        diagnoses="person | date\nP1 | 2010-01-11",
        dispensings="person | drug | date | days\nP1 | sertraline | 2010-01-01 | 28",
    )
    rule = definition(resistance=points(0.5, length_item({1: 0.5}), number_item({0: 0.5, 1: 1.0}, what="given")))

    assert_shows(verdicts(given, rule), "verdict | resistant_date\nresistant | 2010-01-11")


def test_what_is_given_counts_from_its_first_day_what_failed_from_its_failure() -> None:
    """A point for a drug given and two for one failed: 1 on 1 February, 3 on 1 April."""
    given = extract(dispensings=_TWO_FAILURES)
    items = number_item({1: 1.0}, what="given"), number_item({1: 2.0})

    assert_shows(
        verdicts(given, definition(resistance=points(1.0, *items))), "resistant_date | score_min\n2010-02-01 | 3.0"
    )
    assert_shows(
        verdicts(given, definition(resistance=points(1.5, *items))), "resistant_date | score_min\n2010-04-01 | 3.0"
    )


def test_a_second_trial_of_the_same_drug_does_not_move_a_score_of_substances() -> None:
    """Sertraline fails twice before citalopram fails: the second substance dates it."""
    given = extract(
        dispensings="""
        drug        | date       | days
        sertraline  | 2010-02-01 | 30
        venlafaxine | 2010-03-15 | 10
        sertraline  | 2010-05-01 | 30
        venlafaxine | 2010-06-15 | 10
        citalopram  | 2010-08-01 | 30
        venlafaxine | 2010-09-15 | 10
        """
    )
    by_substance = number_item({1: 1.0, 2: 2.0}, of="ssri", distinct_by="substance")

    assert_shows(
        verdicts(given, definition(resistance=points(2.0, by_substance))),
        "verdict | resistant_date\nresistant | 2010-09-15",
    )


def test_an_unnamed_drug_does_not_bring_a_score_of_substances_forward() -> None:
    """The unnamed SSRI that failed second may have been the first one again: citalopram surely is another."""
    given = extract(
        dispensings="""
        drug        | date       | days
        sertraline  | 2010-02-01 | 30
        venlafaxine | 2010-03-15 | 10
        some_ssri   | 2010-05-01 | 30
        venlafaxine | 2010-06-15 | 10
        citalopram  | 2010-08-01 | 30
        venlafaxine | 2010-09-15 | 10
        """
    )
    by_substance = number_item({1: 1.0, 2: 2.0}, of="ssri", distinct_by="substance")

    assert_shows(
        verdicts(given, definition(resistance=points(2.0, by_substance))),
        "verdict | resistant_date\nresistant | 2010-09-15",
    )


def test_different_items_add_up_on_the_day_the_last_of_them_is_earned() -> None:
    """A failed drug and an added one score together from the later of the two days."""
    given = extract(
        dispensings="""
        drug        | date       | days
        sertraline  | 2010-02-01 | 56
        venlafaxine | 2010-04-01 | 90
        lithium     | 2010-05-01 | 60
        """
    )
    rule = points(1.5, item("failed_trials", 1.0), number_item({1: 0.5}, of="augmenters_depression", what="added"))

    assert_shows(
        verdicts(given, definition(resistance=rule)),
        "verdict | score_min | resistant_date\nresistant | 1.5 | 2010-05-01",
    )
