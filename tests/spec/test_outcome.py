"""Outcome: did the trial fail, did it work, or can we not tell?"""

import pytest

from tests.spec.world import definition, extract, judged
from tests.tables import assert_shows

_EIGHT_WEEKS = "drug | date | days\nsertraline | 2010-02-01 | 56"  # to 28 March
_FALL_OF_HALF = {"scale": "hamd17", "fails_if": "fall_below", "value": 50}
_NOT_IN_REMISSION = {"scale": "hamd17", "fails_if": "score_above", "value": 7}


def _by_scales(*rules: dict, joined: str = "any", **settings: object) -> object:
    return definition(outcome={"evidence": ["scales"], "scales": list(rules), "scales_joined": joined} | settings)


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


_FALL_OF_FIVE_POINTS = {"scale": "hamd17", "fails_if": "points_below", "value": 5}


def test_a_fall_of_the_points_asked_for_is_response() -> None:
    """From 24 to 19 is a fall of five points: it worked. To 20 is four: it failed, as does a score that rose."""
    given = extract(
        dispensings="""
        person      | drug       | date       | days
        five        | sertraline | 2010-02-01 | 56
        four        | sertraline | 2010-02-01 | 56
        rose        | sertraline | 2010-02-01 | 56
        no_baseline | sertraline | 2010-02-01 | 56
        no_outcome  | sertraline | 2010-02-01 | 56
        """,
        scores="""
        person      | date       | value
        five        | 2010-02-01 | 24
        five        | 2010-03-28 | 19
        four        | 2010-02-01 | 24
        four        | 2010-03-28 | 20
        rose        | 2010-02-01 | 24
        rose        | 2010-03-28 | 30
        no_baseline | 2010-03-28 | 4
        no_outcome  | 2010-02-01 | 24
        """,
    )

    assert_shows(
        judged(given, _by_scales(_FALL_OF_FIVE_POINTS)),
        """
        person      | has_failed | outcome_evidence    | failure_date
        five        | false      | hamd17:points_below | -
        four        | true       | hamd17:points_below | 2010-03-28
        rose        | true       | hamd17:points_below | 2010-03-28
        no_baseline | -          | none                | -
        no_outcome  | -          | none                | -
        """,
    )


_ONE_QUARTER_TO_HALF = {"scale": "hamd17", "fails_if": "fall_between", "at_least": 25, "below": 50}


def test_a_fall_from_one_percentage_to_under_another_is_a_partial_response() -> None:
    """From 24 a fall to 18 is 25 percent and to 13 is under 50: partial. To 19 is less, to 12 is response."""
    given = extract(
        dispensings="""
        person      | drug       | date       | days
        under       | sertraline | 2010-02-01 | 56
        from        | sertraline | 2010-02-01 | 56
        up_to       | sertraline | 2010-02-01 | 56
        over        | sertraline | 2010-02-01 | 56
        no_baseline | sertraline | 2010-02-01 | 56
        """,
        scores="""
        person      | date       | value
        under       | 2010-02-01 | 24
        under       | 2010-03-28 | 19
        from        | 2010-02-01 | 24
        from        | 2010-03-28 | 18
        up_to       | 2010-02-01 | 24
        up_to       | 2010-03-28 | 13
        over        | 2010-02-01 | 24
        over        | 2010-03-28 | 12
        no_baseline | 2010-03-28 | 18
        """,
    )

    assert_shows(
        judged(given, _by_scales(_ONE_QUARTER_TO_HALF)),
        """
        person      | has_failed | outcome_evidence    | failure_date
        under       | false      | hamd17:fall_between | -
        from        | true       | hamd17:fall_between | 2010-03-28
        up_to       | true       | hamd17:fall_between | 2010-03-28
        over        | false      | hamd17:fall_between | -
        no_baseline | -          | none                | -
        """,
    )


def test_a_fall_between_two_percentages_is_measured_from_the_lowest_score() -> None:
    """A PANSS of 80 is 50 above its minimum: a fall of 25 percent is to 67.5, so 67 is partial and 68 is not."""
    given = extract(
        dispensings="""
        person | drug       | date       | days
        at_67  | sertraline | 2010-02-01 | 56
        at_68  | sertraline | 2010-02-01 | 56
        """,
        scores="""
        person | scale | date       | value
        at_67  | panss | 2010-02-01 | 80
        at_67  | panss | 2010-03-28 | 67
        at_68  | panss | 2010-02-01 | 80
        at_68  | panss | 2010-03-28 | 68
        """,
    )

    assert_shows(
        judged(given, _by_scales(_ONE_QUARTER_TO_HALF | {"scale": "panss"})),
        "person | has_failed\nat_67 | true\nat_68 | false",
    )


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [(_FALL_OF_HALF, "-"), (_ONE_QUARTER_TO_HALF, "-"), (_FALL_OF_FIVE_POINTS, "true")],
    ids=["percent", "between", "points"],
)
def test_a_baseline_at_the_minimum_has_no_percentage_but_points(rule: dict, verdict: str) -> None:
    """From 0 there is no percentage to fall; in points it did not fall by five."""
    given = extract(dispensings=_EIGHT_WEEKS, scores="date | value\n2010-02-01 | 0\n2010-03-28 | 0")

    assert_shows(judged(given, _by_scales(rule)), f"has_failed\n{verdict}")


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
