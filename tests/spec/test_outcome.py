"""Outcome: did the trial fail, did it work, or can we not tell?"""

import pytest

from tests.spec.world import definition, extract, judged
from tests.tables import assert_shows

_EIGHT_WEEKS = "drug | date | days\nsertraline | 2010-02-01 | 56"  # to 28 March
_FALL_OF_HALF = {"scale": "hamd17", "fails_if": "fall_below", "value": 50}
_NOT_IN_REMISSION = {"scale": "hamd17", "fails_if": "score_above", "value": 7}


def _by_scales(*rules: dict, joined: str = "any", **settings: object) -> object:
    return definition(outcome={"evidence": ["scales"], "scales": list(rules), "scales_joined": joined} | settings)


def _by_change(*signs: str, **settings: object) -> object:
    return definition(outcome={"evidence": ["treatment_change"], "change_signs": list(signs)} | settings)


# --- Scales -----------------------------------------------------------------------------------------------------------


def test_a_fall_of_exactly_half_is_response() -> None:
    """From 24 to 12 is a fall of 50 percent: it worked. To 13 is one point less: it failed."""
    given = extract(
        dispensings="""
        person         | drug       | date       | days
        half           | sertraline | 2010-02-01 | 56
        one_point_less | sertraline | 2010-02-01 | 56
        """,
        scores="""
        person         | date       | value
        half           | 2010-02-01 | 24
        half           | 2010-03-28 | 12
        one_point_less | 2010-02-01 | 24
        one_point_less | 2010-03-28 | 13
        """,
    )

    assert_shows(
        judged(given, _by_scales(_FALL_OF_HALF)),
        """
        person         | has_failed | outcome_evidence  | failure_date
        half           | false      | hamd17:fall_below | -
        one_point_less | true       | hamd17:fall_below | 2010-03-28
        """,
    )


@pytest.mark.parametrize(
    ("scale", "percent", "baseline", "response", "failure"),
    [("panss", 20, 80, 70, 71), ("cgi_s", 50, 5, 3, 4)],
    ids=["PANSS starts at 30", "CGI starts at 1"],
)
def test_a_fall_is_measured_from_the_lowest_score_of_the_scale(
    scale: str, percent: int, baseline: int, response: int, failure: int
) -> None:
    """A PANSS of 80 is 50 above its minimum: a fall of 20 percent is to 70, not to 64. Likewise CGI."""
    given = extract(
        dispensings="""
        person | drug       | date       | days
        worked | sertraline | 2010-02-01 | 56
        failed | sertraline | 2010-02-01 | 56
        """,
        scores=f"""
        person | scale   | date       | value
        worked | {scale} | 2010-02-01 | {baseline}
        worked | {scale} | 2010-03-28 | {response}
        failed | {scale} | 2010-02-01 | {baseline}
        failed | {scale} | 2010-03-28 | {failure}
        """,
    )

    assert_shows(
        judged(given, _by_scales({"scale": scale, "fails_if": "fall_below", "value": percent})),
        "person | has_failed\nworked | false\nfailed | true",
    )


def test_remission_is_a_score_at_or_under_the_cut_off() -> None:
    """A final score of 7 is remission on HAM-D; 8 is failure; no baseline is needed."""
    given = extract(
        dispensings="""
        person | drug       | date       | days
        at_7   | sertraline | 2010-02-01 | 56
        at_8   | sertraline | 2010-02-01 | 56
        """,
        scores="""
        person | date       | value
        at_7   | 2010-03-28 | 7
        at_8   | 2010-03-28 | 8
        """,
    )

    assert_shows(
        judged(given, _by_scales(_NOT_IN_REMISSION)),
        """
        person | has_failed | outcome_evidence   | failure_date
        at_7   | false      | hamd17:score_above | -
        at_8   | true       | hamd17:score_above | 2010-03-28
        """,
    )


def test_a_baseline_before_treatment_is_preferred_over_one_after() -> None:
    """A score before the start is the baseline though one in the first week is higher."""
    given = extract(
        dispensings=_EIGHT_WEEKS,
        scores="""
        date       | value
        2010-01-20 | 20
        2010-02-03 | 30
        2010-03-28 | 12
        """,
    )

    assert_shows(judged(given, _by_scales(_FALL_OF_HALF)), "has_failed\ntrue")


def test_the_latest_score_before_treatment_is_the_baseline() -> None:
    """Of two scores before the start, the later one counts; the day of the start is before."""
    given = extract(
        dispensings=_EIGHT_WEEKS,
        scores="""
        date       | value
        2010-01-20 | 30
        2010-02-01 | 20
        2010-03-28 | 12
        """,
    )

    assert_shows(judged(given, _by_scales(_FALL_OF_HALF)), "has_failed\ntrue")


def test_the_baseline_must_lie_within_its_days() -> None:
    """A score 14 days before or 7 days after the start is a baseline; a day further away it is none."""
    given = extract(
        dispensings="""
        person     | drug       | date       | days
        before_14  | sertraline | 2010-02-01 | 56
        before_15  | sertraline | 2010-02-01 | 56
        after_7    | sertraline | 2010-02-01 | 56
        after_8    | sertraline | 2010-02-01 | 56
        """,
        scores="""
        person    | date       | value
        before_14 | 2010-01-18 | 24
        before_14 | 2010-03-28 | 13
        before_15 | 2010-01-17 | 24
        before_15 | 2010-03-28 | 13
        after_7   | 2010-02-08 | 24
        after_7   | 2010-03-28 | 13
        after_8   | 2010-02-09 | 24
        after_8   | 2010-03-28 | 13
        """,
    )

    assert_shows(
        judged(given, _by_scales(_FALL_OF_HALF, baseline_days_before=14, baseline_days_after=7)),
        """
        person    | has_failed | outcome_evidence
        before_14 | true       | hamd17:fall_below
        before_15 | -          | none
        after_7   | true       | hamd17:fall_below
        after_8   | -          | none
        """,
    )


def test_of_scores_after_the_start_the_earliest_is_the_baseline() -> None:
    """Without a score before, the first one in the first week is the baseline."""
    given = extract(
        dispensings=_EIGHT_WEEKS,
        scores="""
        date       | value
        2010-02-03 | 24
        2010-02-06 | 30
        2010-03-28 | 13
        """,
    )

    assert_shows(judged(given, _by_scales(_FALL_OF_HALF)), "has_failed\ntrue")


def test_without_a_baseline_a_fall_cannot_be_told() -> None:
    """A final score alone does not say whether it fell; nor does a baseline alone."""
    given = extract(
        dispensings="""
        person      | drug       | date       | days
        no_baseline | sertraline | 2010-02-01 | 56
        no_outcome  | sertraline | 2010-02-01 | 56
        no_scores   | sertraline | 2010-02-01 | 56
        """,
        scores="""
        person      | date       | value
        no_baseline | 2010-03-28 | 20
        no_outcome  | 2010-02-01 | 20
        """,
    )

    assert_shows(
        judged(given, _by_scales(_FALL_OF_HALF)),
        """
        person      | has_failed | outcome_evidence | failure_date
        no_baseline | -          | none             | -
        no_outcome  | -          | none             | -
        no_scores   | -          | none             | -
        """,
    )


def test_a_baseline_at_the_scales_minimum_leaves_no_room_to_fall() -> None:
    """Who starts at the lowest possible score cannot show a response; one point above, they can."""
    given = extract(
        dispensings="""
        person     | drug       | date       | days
        at_minimum | sertraline | 2010-02-01 | 56
        one_above  | sertraline | 2010-02-01 | 56
        """,
        scores="""
        person     | scale | date       | value
        at_minimum | panss | 2010-02-01 | 30
        at_minimum | panss | 2010-03-28 | 30
        one_above  | panss | 2010-02-01 | 31
        one_above  | panss | 2010-03-28 | 31
        """,
    )

    assert_shows(
        judged(given, _by_scales({"scale": "panss", "fails_if": "fall_below", "value": 50})),
        "person | has_failed\nat_minimum | -\none_above | true",
    )


def test_the_last_score_counts_not_the_best() -> None:
    """A response in week five that was lost by week eight is a failure."""
    given = extract(
        dispensings=_EIGHT_WEEKS,
        scores="""
        date       | value
        2010-02-01 | 24
        2010-03-08 | 6
        2010-03-28 | 20
        """,
    )

    assert_shows(judged(given, _by_scales(_FALL_OF_HALF)), "has_failed | failure_date\ntrue | 2010-03-28")


def test_of_two_scores_on_a_day_the_worse_counts() -> None:
    """Two raters on one day: the higher score is taken."""
    given = extract(
        dispensings=_EIGHT_WEEKS,
        scores="""
        date       | value
        2010-03-28 | 7
        2010-03-28 | 8
        """,
    )

    assert_shows(judged(given, _by_scales(_NOT_IN_REMISSION)), "has_failed\ntrue")


def test_a_score_counts_from_the_fourth_week_until_two_weeks_after_the_end() -> None:
    """Day 28 after the start and day 14 after the last day count; a day sooner or later does not."""
    given = extract(
        dispensings="""
        person       | drug       | date       | days
        day_27       | sertraline | 2010-02-01 | 56
        day_28       | sertraline | 2010-02-01 | 56
        end_plus_14  | sertraline | 2010-02-01 | 56
        end_plus_15  | sertraline | 2010-02-01 | 56
        """,
        scores="""
        person      | date       | value
        day_27      | 2010-02-28 | 20
        day_28      | 2010-03-01 | 20
        end_plus_14 | 2010-04-11 | 20
        end_plus_15 | 2010-04-12 | 20
        """,
    )

    assert_shows(
        judged(given, _by_scales(_NOT_IN_REMISSION, score_from_day=28, score_days_after_end=14)),
        """
        person      | has_failed
        day_27      | -
        day_28      | true
        end_plus_14 | true
        end_plus_15 | -
        """,
    )


_TWO_SCALES = extract(
    dispensings="""
    person          | drug       | date       | days
    both_failed     | sertraline | 2010-02-01 | 56
    one_failed      | sertraline | 2010-02-01 | 56
    both_worked     | sertraline | 2010-02-01 | 56
    second_failed   | sertraline | 2010-02-01 | 56
    second_worked   | sertraline | 2010-02-01 | 56
    neither         | sertraline | 2010-02-01 | 56
    """,
    scores="""
    person        | scale  | date       | value
    both_failed   | hamd17 | 2010-03-28 | 20
    both_failed   | madrs  | 2010-03-25 | 30
    one_failed    | hamd17 | 2010-03-28 | 5
    one_failed    | madrs  | 2010-03-25 | 30
    both_worked   | hamd17 | 2010-03-28 | 5
    both_worked   | madrs  | 2010-03-25 | 5
    second_failed | madrs  | 2010-03-25 | 30
    second_worked | madrs  | 2010-03-25 | 5
    """,
)
_MADRS_NOT_IN_REMISSION = {"scale": "madrs", "fails_if": "score_above", "value": 10}


def _two_scales(joined: str) -> object:
    return _by_scales(_NOT_IN_REMISSION, _MADRS_NOT_IN_REMISSION, joined=joined)


def test_any_scale_failed_fails_the_trial_and_a_missing_one_leaves_success_open() -> None:
    """Joined by any: one failure suffices; with a scale missing, a good score on the other cannot clear it."""
    assert_shows(
        judged(_TWO_SCALES, _two_scales("any")),
        """
        person        | has_failed | outcome_evidence   | failure_date
        both_failed   | true       | hamd17:score_above | 2010-03-25
        one_failed    | true       | madrs:score_above  | 2010-03-25
        both_worked   | false      | hamd17:score_above | -
        second_failed | true       | madrs:score_above  | 2010-03-25
        second_worked | -          | none               | -
        neither       | -          | none               | -
        """,
    )


def test_any_measured_scale_failed_looks_only_at_what_was_measured() -> None:
    """Joined by any measured: a missing scale is passed over; with none measured nothing can be told."""
    assert_shows(
        judged(_TWO_SCALES, _two_scales("any_measured")),
        """
        person        | has_failed | outcome_evidence   | failure_date
        both_failed   | true       | hamd17:score_above | 2010-03-25
        one_failed    | true       | madrs:score_above  | 2010-03-25
        both_worked   | false      | hamd17:score_above | -
        second_failed | true       | madrs:score_above  | 2010-03-25
        second_worked | false      | madrs:score_above  | -
        neither       | -          | none               | -
        """,
    )


def test_all_scales_must_fail_and_one_success_clears_the_trial() -> None:
    """Joined by all: failure needs every scale, so it shows on the last of them; one good score clears."""
    assert_shows(
        judged(_TWO_SCALES, _two_scales("all")),
        """
        person        | has_failed | outcome_evidence   | failure_date
        both_failed   | true       | hamd17:score_above | 2010-03-28
        one_failed    | false      | hamd17:score_above | -
        both_worked   | false      | hamd17:score_above | -
        second_failed | -          | none               | -
        second_worked | false      | madrs:score_above  | -
        neither       | -          | none               | -
        """,
    )


def test_the_first_measured_scale_decides() -> None:
    """Joined by first: the second scale is asked only where the first was not measured."""
    assert_shows(
        judged(_TWO_SCALES, _two_scales("first")),
        """
        person        | has_failed | outcome_evidence   | failure_date
        both_failed   | true       | hamd17:score_above | 2010-03-28
        one_failed    | false      | hamd17:score_above | -
        both_worked   | false      | hamd17:score_above | -
        second_failed | true       | madrs:score_above  | 2010-03-25
        second_worked | false      | madrs:score_above  | -
        neither       | -          | none               | -
        """,
    )


# --- Order of evidence ------------------------------------------------------------------------------------------------

_SCORE_AGAINST_SWITCH = extract(
    dispensings="""
    person           | drug        | date       | days
    better_yet_swapped | sertraline  | 2010-02-01 | 56
    better_yet_swapped | venlafaxine | 2010-04-01 | 56
    unmeasured       | sertraline  | 2010-02-01 | 56
    unmeasured       | venlafaxine | 2010-04-01 | 56
    """,
    scores="person | date | value\nbetter_yet_swapped | 2010-03-28 | 5",
)


def _in_order(*evidence: str) -> object:
    return definition(outcome={"evidence": list(evidence), "scales": [_NOT_IN_REMISSION], "change_signs": ["switch"]})


def test_a_scale_named_first_outweighs_a_change_of_treatment() -> None:
    """Remission on the scale though the drug was changed: it worked. Without a score the change decides."""
    assert_shows(
        judged(_SCORE_AGAINST_SWITCH, _in_order("scales", "treatment_change")).filter(drug="sertraline"),
        """
        person             | has_failed | outcome_evidence
        better_yet_swapped | false      | hamd17:score_above
        unmeasured         | true       | switch
        """,
    )


def test_a_change_of_treatment_named_first_outweighs_a_scale() -> None:
    """The same person, asked in the other order, failed."""
    assert_shows(
        judged(_SCORE_AGAINST_SWITCH, _in_order("treatment_change", "scales")).filter(drug="sertraline"),
        """
        person             | has_failed | outcome_evidence
        better_yet_swapped | true       | switch
        unmeasured         | true       | switch
        """,
    )


# --- Change of treatment ----------------------------------------------------------------------------------------------


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


def test_without_a_last_day_nobody_can_say_that_no_change_came_in_time() -> None:
    """30 days after an unknown last day: a switch on 3 March surely is in time, one on 4 March may be."""
    assert_shows(
        judged(_LAST_DAY_UNKNOWN, _by_change("switch", change_within=30)).filter(drug="sertraline"),
        """
        person   | has_failed | outcome_evidence
        none     | -          | unknown_end
        in_time  | true       | switch
        too_late | -          | unknown_end
        known    | false      | no_change
        """,
    )


def test_where_the_whole_episode_is_allowed_the_last_day_does_not_matter() -> None:
    """No change until the episode's end is none, however long the supply lasted."""
    assert_shows(
        judged(_LAST_DAY_UNKNOWN, _by_change("switch", change_within="episode")).filter(drug="sertraline"),
        """
        person   | has_failed | outcome_evidence
        none     | false      | no_change
        in_time  | true       | switch
        too_late | true       | switch
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
    """A switch is a failure, however short the observation after it."""
    given = extract(
        coverage="start_date | end_date\n2005-01-01 | 2010-04-02",
        diagnoses="date\n2010-02-01\n2010-04-01",
        dispensings="drug | date | days\nsertraline | 2010-02-01 | 56\nvenlafaxine | 2010-04-01 | 56",
    )

    assert_shows(
        judged(given, _by_change("switch", if_unfinished="unknown")),
        "drug | has_failed | outcome_evidence\nsertraline | true | switch\nvenlafaxine | - | unfinished",
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


# --- Early stop -------------------------------------------------------------------------------------------------------

_STOPPED = extract(
    dispensings="""
    person    | drug        | date       | days
    one_short | sertraline  | 2010-02-01 | 13
    one_short | venlafaxine | 2010-02-20 | 56
    enough    | sertraline  | 2010-02-01 | 14
    enough    | venlafaxine | 2010-02-20 | 56
    """
)


@pytest.mark.parametrize(
    ("meaning", "verdict"),
    [
        ("not_failed", "false | early_stop | -"),
        ("unknown", "- | early_stop | -"),
        ("by_evidence", "true | switch | 2010-02-20"),
    ],
    ids=["not_failed", "unknown", "by_evidence"],
)
def test_a_trial_stopped_early_means_what_the_definition_says(meaning: str, verdict: str) -> None:
    """13 days is an early stop under a limit of 14: no failure, unknown, or judged like any other; 14 is not."""
    rule = _by_change("switch", early_stop_days=14, early_stop=meaning)

    assert_shows(
        judged(_STOPPED, rule).filter(drug="sertraline"),
        f"""
        person    | has_failed | outcome_evidence | failure_date
        one_short | {verdict}
        enough    | true | switch | 2010-02-20
        """,
    )


def test_a_trial_still_going_or_of_unknown_length_did_not_stop_early() -> None:
    """An ongoing trial and one of unknown supply are judged by evidence."""
    given = extract(
        persons="person | death_date\nongoing | 2010-02-10\nunknown | -",
        diagnoses="person | date\nongoing | 2010-02-01\nunknown | 2010-02-01",
        dispensings="""
        person  | drug       | date       | days
        ongoing | sertraline | 2010-02-01 | 56
        unknown | sertraline | 2010-02-01 | -
        """,
    )

    assert_shows(
        judged(given, _by_change("switch", early_stop_days=14, early_stop="unknown")),
        """
        person  | has_failed | outcome_evidence
        ongoing | false      | no_change
        unknown | false      | no_change
        """,
    )
