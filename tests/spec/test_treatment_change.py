"""Treatment change: a switch, an add-on, ECT, TMS or an admission as a register's stand-in for failure."""

from tests.spec.world import definition, extract, judged, study
from tests.tables import assert_shows

_EIGHT_WEEKS = "drug | date | days\nsertraline | 2010-02-01 | 56"  # to 28 March


def _by_change(*signs: str, **settings: object) -> object:
    return definition(outcome={"evidence": ["treatment_change"], "change_signs": list(signs)} | settings)


def test_a_switch_on_the_last_day_allowed_is_failure_a_day_later_is_not() -> None:
    """Within 30 days of the trial's last day, 28 March: a new drug on 27 April is failure, on 28 April not."""
    given = extract(
        dispensings="""
        person   | drug        | date       | days
        last_day | sertraline  | 2010-02-01 | 56
        last_day | venlafaxine | 2010-04-27 | 56
        day_late | sertraline  | 2010-02-01 | 56
        day_late | venlafaxine | 2010-04-28 | 56
        """
    )

    assert_shows(
        judged(given, _by_change("switch", change_within=30)).filter(drug="sertraline"),
        """
        person   | has_failed | outcome_evidence | failure_date
        last_day | true       | switch           | 2010-04-27
        day_late | false      | no_change        | -
        """,
    )


def test_within_the_episode_a_switch_may_come_at_any_time() -> None:
    """Where the whole episode is allowed, a switch half a year later is still failure; the last trial worked."""
    given = extract(
        dispensings="""
        drug        | date       | days
        sertraline  | 2010-02-01 | 56
        venlafaxine | 2010-12-31 | 56
        """
    )

    assert_shows(
        judged(given, _by_change("switch", change_within="episode")),
        """
        drug        | has_failed | failure_date
        sertraline  | true       | 2010-12-31
        venlafaxine | false      | -
        """,
    )


def test_a_return_to_the_same_drug_is_no_switch() -> None:
    """A second trial of the same drug says nothing of the first."""
    given = extract(
        dispensings="""
        drug       | date       | days
        sertraline | 2010-02-01 | 56
        sertraline | 2010-06-01 | 56
        """
    )

    assert_shows(judged(given, _by_change("switch")), "start_date | has_failed\n2010-02-01 | false\n2010-06-01 | false")


def test_a_drug_started_on_the_same_day_is_no_sign() -> None:
    """A change must come after the start of the trial it tells of."""
    given = extract(
        dispensings="""
        drug        | date       | days
        sertraline  | 2010-02-01 | 20
        venlafaxine | 2010-02-01 | 20
        """
    )

    assert_shows(judged(given, _by_change("switch", "add_on")), "has_failed\nfalse\nfalse")


_ADDED = extract(
    dispensings="""
    person    | drug       | date       | days
    one_short | sertraline | 2010-02-01 | 60
    one_short | venlafaxine | 2010-03-06 | 60
    together  | sertraline | 2010-02-01 | 60
    together  | venlafaxine | 2010-03-05 | 60
    """
)


def test_a_drug_added_for_28_days_is_an_add_on_not_a_switch() -> None:
    """Overlapping 28 days the second drug was added, overlapping 27 it replaced the first: each its own sign."""
    assert_shows(
        judged(_ADDED, _by_change("add_on")).filter(drug="sertraline"),
        "person | has_failed | outcome_evidence\none_short | false | no_change\ntogether | true | add_on",
    )
    assert_shows(
        judged(_ADDED, _by_change("switch")).filter(drug="sertraline"),
        "person | has_failed | outcome_evidence\none_short | true | switch\ntogether | false | no_change",
    )


def test_augmentation_is_an_add_on_to_the_drug_it_was_added_to() -> None:
    """Lithium added to an antidepressant is a sign that the antidepressant alone did not suffice."""
    given = extract(
        dispensings="""
        drug       | date       | days
        sertraline | 2010-02-01 | 90
        lithium    | 2010-03-01 | 60
        """
    )

    assert_shows(
        judged(given, _by_change("switch", "add_on")),
        """
        drug       | has_failed | outcome_evidence | failure_date
        sertraline | true       | add_on           | 2010-03-01
        lithium    | false      | no_change        | -
        """,
    )


def test_an_augmentation_of_a_later_trial_is_no_switch_from_an_earlier_one() -> None:
    """Lithium added when sertraline was resumed does not replace the sertraline of months before."""
    given = extract(
        dispensings="""
        drug       | date       | days
        sertraline | 2010-02-01 | 56
        sertraline | 2010-07-01 | 90
        lithium    | 2010-07-15 | 60
        """
    )

    assert_shows(
        judged(given, _by_change("switch")).filter(drug="sertraline"),
        """
        start_date | has_failed | outcome_evidence
        2010-02-01 | false      | no_change
        2010-07-01 | false      | no_change
        """,
    )


def test_an_ignored_augmentation_is_no_sign() -> None:
    """Where the rule ignores augmentation, adding lithium says nothing."""
    given = extract(
        dispensings="""
        drug       | date       | days
        sertraline | 2010-02-01 | 90
        lithium    | 2010-03-01 | 60
        """
    )
    rule = definition(trial={"augmentation": "ignored"}, outcome={"change_signs": ["switch", "add_on"]})

    assert_shows(judged(given, rule), "drug | has_failed\nsertraline | false")


def test_a_drug_after_psychotherapy_has_ended_is_a_switch_during_it_is_not() -> None:
    """An antidepressant the day after the last session follows the therapy; on the day itself it accompanies it."""
    given = extract(
        procedures="""
        person   | treatment | date
        after    | cbt       | 2010-02-01
        after    | cbt       | 2010-02-22
        during   | cbt       | 2010-02-01
        during   | cbt       | 2010-02-22
        """,
        dispensings="""
        person | drug       | date       | days
        after  | sertraline | 2010-02-23 | 56
        during | sertraline | 2010-02-22 | 56
        """,
    )

    assert_shows(
        judged(given, _by_change("switch")).filter(drug="cbt"),
        "person | has_failed\nafter | true\nduring | false",
    )


def test_ect_after_the_start_is_a_sign() -> None:
    """ECT within 30 days of the trial's end is failure; on the day the drug was started, or later, it is not."""
    given = extract(
        dispensings="""
        person    | drug       | date       | days
        same_day  | sertraline | 2010-02-01 | 56
        next_day  | sertraline | 2010-02-01 | 56
        last_day  | sertraline | 2010-02-01 | 56
        day_late  | sertraline | 2010-02-01 | 56
        """,
        procedures="""
        person   | treatment     | date
        same_day | ect           | 2010-02-01
        next_day | ect_bilateral | 2010-02-02
        last_day | ect           | 2010-04-27
        day_late | ect           | 2010-04-28
        """,
    )

    assert_shows(
        judged(given, _by_change("ect", change_within=30)).filter(drug="sertraline"),
        """
        person   | has_failed | outcome_evidence | failure_date
        same_day | false      | no_change        | -
        next_day | true       | ect              | 2010-02-02
        last_day | true       | ect              | 2010-04-27
        day_late | false      | no_change        | -
        """,
    )


def test_a_course_of_ect_is_no_sign_against_itself() -> None:
    """The second session of ECT does not make the first one a failure; TMS after it would."""
    given = extract(
        procedures="""
        person   | treatment | date
        only_ect | ect       | 2010-02-01
        only_ect | ect       | 2010-02-04
        then_tms | ect       | 2010-02-01
        then_tms | tms       | 2010-03-01
        """
    )

    assert_shows(
        judged(given, _by_change("ect", "tms")).filter(drug="ect"),
        "person | has_failed | outcome_evidence\nonly_ect | false | no_change\nthen_tms | true | tms",
    )


def test_an_admission_for_the_disorder_is_a_sign() -> None:
    """Admission for depression is failure; for anything else, or on the day the trial began, it is not."""
    given = extract(
        dispensings="""
        person    | drug       | date       | days
        depressed | sertraline | 2010-02-01 | 56
        fracture  | sertraline | 2010-02-01 | 56
        same_day  | sertraline | 2010-02-01 | 56
        uncoded   | sertraline | 2010-02-01 | 56
        """,
        admissions="""
        person    | start_date | end_date   | main_code
        depressed | 2010-03-01 | 2010-03-05 | F322
        fracture  | 2010-03-01 | 2010-03-05 | S720
        same_day  | 2010-02-01 | 2010-03-05 | F322
        uncoded   | 2010-03-01 | 2010-03-05 | -
        """,
    )

    assert_shows(
        judged(given, _by_change("admission")),
        """
        person    | has_failed | outcome_evidence | failure_date
        depressed | true       | admission        | 2010-03-01
        fracture  | false      | no_change        | -
        same_day  | false      | no_change        | -
        uncoded   | false      | no_change        | -
        """,
    )


def test_the_earliest_sign_dates_the_failure() -> None:
    """Of a switch and an ECT, the earlier is the failure; on one day, the sign named first."""
    given = extract(
        dispensings="""
        person    | drug        | date       | days
        ect_first | sertraline  | 2010-02-01 | 56
        ect_first | venlafaxine | 2010-04-10 | 56
        same_day  | sertraline  | 2010-02-01 | 56
        same_day  | venlafaxine | 2010-04-10 | 56
        """,
        procedures="""
        person    | treatment | date
        ect_first | ect       | 2010-04-09
        same_day  | ect       | 2010-04-10
        """,
    )

    assert_shows(
        judged(given, _by_change("switch", "ect")).filter(drug="sertraline"),
        """
        person    | outcome_evidence | failure_date
        ect_first | ect              | 2010-04-09
        same_day  | switch           | 2010-04-10
        """,
    )


_LEFT_EARLY = extract(
    coverage="""
    person     | start_date | end_date
    one_short  | 2005-01-01 | 2010-04-26
    followed   | 2005-01-01 | 2010-04-27
    """,
    diagnoses="""
    person     | date
    one_short  | 2010-02-01
    followed   | 2010-02-01
    """,
    dispensings="""
    person     | drug       | date       | days
    one_short  | sertraline | 2010-02-01 | 56
    followed   | sertraline | 2010-02-01 | 56
    """,
)


def test_follow_up_that_ended_too_soon_may_be_unknown() -> None:
    """30 days after the last day, 28 March, must be observed: until 26 April is a day short."""
    assert_shows(
        judged(_LEFT_EARLY, _by_change("switch", change_within=30, if_unfinished="unknown")),
        """
        person    | has_failed | outcome_evidence
        one_short | -          | unfinished
        followed  | false      | no_change
        """,
    )


def test_follow_up_that_ended_too_soon_may_be_taken_as_success() -> None:
    """Where the definition says so, no change until the end of observation is no failure."""
    assert_shows(
        judged(_LEFT_EARLY, _by_change("switch", change_within=30, if_unfinished="not_failed")),
        """
        person    | has_failed | outcome_evidence
        one_short | false      | unfinished
        followed  | false      | no_change
        """,
    )


_LAST_DAY_UNKNOWN = extract(
    diagnoses="""
    person   | date
    none     | 2010-02-01
    none     | 2010-06-01
    in_time  | 2010-02-01
    in_time  | 2010-06-01
    too_late | 2010-02-01
    too_late | 2010-06-01
    known    | 2010-02-01
    known    | 2010-06-01
    """,
    dispensings="""
    person   | drug         | date       | days
    none     | sertraline   | 2010-02-01 | -
    in_time  | sertraline   | 2010-02-01 | -
    in_time  | venlafaxine  | 2010-03-03 | 28
    too_late | sertraline   | 2010-02-01 | -
    too_late | venlafaxine  | 2010-03-04 | 28
    known    | sertraline   | 2010-02-01 | 1
    known    | venlafaxine  | 2010-03-04 | 28
    """,
)


def test_a_change_after_a_last_day_that_is_not_known_may_have_come_in_time() -> None:
    """30 days after an unknown last day: a change on 3 March surely is in time, one on 4 March may be.

    A supply lasts 366 days at most, so it is known 396 days later that none came.
    """
    assert_shows(
        judged(_LAST_DAY_UNKNOWN, _by_change("switch", "add_on", change_within=30)).filter(drug="sertraline"),
        """
        person   | has_failed | outcome_evidence
        none     | false      | no_change
        in_time  | true       | switch_or_add_on
        too_late | -          | unknown_end
        known    | false      | no_change
        """,
    )


def test_a_change_that_is_asked_for_may_be_the_other_one_where_the_overlap_is_not_known() -> None:
    """A drug begun after a supply of unknown length follows it or is added to it: a switch alone cannot be told."""
    assert_shows(
        judged(_LAST_DAY_UNKNOWN, _by_change("switch", change_within=30)).filter(drug="sertraline"),
        """
        person   | has_failed | outcome_evidence
        none     | false      | no_change
        in_time  | -          | unknown_overlap
        too_late | -          | unknown_overlap
        known    | false      | no_change
        """,
    )


def test_a_drug_of_unknown_supply_that_is_never_dispensed_again_was_left() -> None:
    """Where an overlap needs a refill, one within the gap after the longest supply would do: then nobody knows."""
    rule = definition(
        trial={"overlap_needs_refill": True},
        outcome={"evidence": ["treatment_change"], "change_signs": ["switch"], "change_within": 30},
    )
    given = extract(
        coverage="""
        person | start_date | end_date
        seen   | 2005-01-01 | 2011-03-04
        cut    | 2005-01-01 | 2011-03-03
        """,
        diagnoses="person | date\nseen | 2010-02-01\nseen | 2011-03-01\ncut | 2010-02-01\ncut | 2011-03-01",
        dispensings="""
        person | drug        | date       | days
        seen   | sertraline  | 2010-02-01 | -
        seen   | venlafaxine | 2010-02-10 | 360
        cut    | sertraline  | 2010-02-01 | -
        cut    | venlafaxine | 2010-02-10 | 360
        """,
    )

    assert_shows(
        judged(given, rule, study(treatment_bridges=True)).filter(drug="sertraline"),
        "person | has_failed | outcome_evidence\ncut | - | unknown_overlap\nseen | true | switch",
    )


def test_where_the_whole_episode_is_allowed_the_last_day_does_not_matter() -> None:
    """No change until the episode's end is none, however long the supply lasted."""
    assert_shows(
        judged(_LAST_DAY_UNKNOWN, _by_change("switch", "add_on", change_within="episode")).filter(drug="sertraline"),
        """
        person   | has_failed | outcome_evidence
        none     | false      | no_change
        in_time  | true       | switch_or_add_on
        too_late | true       | switch_or_add_on
        known    | true       | switch
        """,
    )


def test_an_episode_that_was_cut_off_is_unfinished() -> None:
    """Where the whole episode is allowed, a censored episode leaves the last trial open."""
    given = extract(
        coverage="""
        person   | start_date | end_date
        censored | 2005-01-01 | 2010-05-31
        ended    | 2005-01-01 | 2020-12-31
        """,
        diagnoses="""
        person   | date
        censored | 2010-02-01
        ended    | 2010-02-01
        """,
        dispensings="""
        person   | drug       | date       | days
        censored | sertraline | 2010-02-01 | 56
        ended    | sertraline | 2010-02-01 | 56
        """,
    )

    assert_shows(
        judged(given, _by_change("switch", change_within="episode", if_unfinished="unknown")),
        """
        person   | has_failed | outcome_evidence
        censored | -          | unfinished
        ended    | false      | no_change
        """,
    )


def test_a_change_that_was_seen_counts_though_follow_up_is_unfinished() -> None:
    """A change is a failure, however short the observation after it, and whichever change it was."""
    given = extract(
        coverage="start_date | end_date\n2005-01-01 | 2010-04-02",
        diagnoses="date\n2010-02-01\n2010-04-01",
        dispensings="drug | date | days\nsertraline | 2010-02-01 | 56\nvenlafaxine | 2010-04-01 | 56",
    )

    assert_shows(
        judged(given, _by_change("switch", "add_on", if_unfinished="unknown")),
        "drug | has_failed | outcome_evidence\nsertraline | true | switch_or_add_on\nvenlafaxine | - | unfinished",
    )


def test_a_sign_nobody_could_see_leaves_success_open_not_failure() -> None:
    """Where ECT is not observed, no switch is no proof of success; a switch is still failure."""
    given = extract(
        observes="drug",
        dispensings="""
        person   | drug        | date       | days
        switched | sertraline  | 2010-02-01 | 56
        switched | venlafaxine | 2010-04-01 | 56
        stayed   | sertraline  | 2010-02-01 | 56
        """,
    )

    assert_shows(
        judged(given, _by_change("switch", "ect")).filter(drug="sertraline"),
        """
        person   | has_failed | outcome_evidence
        switched | true       | switch
        stayed   | -          | unobserved
        """,
    )


def test_admissions_that_were_not_delivered_cannot_be_ruled_out() -> None:
    """Without an admissions table, no admission is unknown; with an empty one, it is a fact."""
    delivered = extract(dispensings=_EIGHT_WEEKS)
    not_delivered = extract(dispensings=_EIGHT_WEEKS, absent="admissions")

    assert_shows(judged(delivered, _by_change("admission")), "has_failed | outcome_evidence\nfalse | no_change")
    assert_shows(judged(not_delivered, _by_change("admission")), "has_failed | outcome_evidence\n- | unobserved")
