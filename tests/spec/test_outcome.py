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


_RESPONSE_LOST = """
    date       | value
    2010-02-01 | 24
    2010-03-08 | 6
    2010-03-28 | 20
"""


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"score": "last", "lost_response": "failed"}, "true | hamd17:response_lost | 2010-03-28"),
        ({"score": "last", "lost_response": "not_failed"}, "false | hamd17:response_lost | -"),
        ({"score": "best"}, "false | hamd17:fall_below | -"),
        ({"score": "first"}, "false | hamd17:fall_below | -"),
    ],
)
def test_a_response_that_was_lost_is_what_the_definition_says(settings: dict, told: str) -> None:
    """Response in week five, none in week eight: the best and the first score are those of week five."""
    given = extract(dispensings=_EIGHT_WEEKS, scores=_RESPONSE_LOST)

    assert_shows(
        judged(given, _by_scales(_FALL_OF_HALF, **settings)), f"has_failed | outcome_evidence | failure_date\n{told}"
    )


@pytest.mark.parametrize(("early", "told"), [(12, "false | hamd17:response_lost"), (13, "true | hamd17:fall_below")])
def test_only_a_response_can_be_lost(early: int, told: str) -> None:
    """Half of 24 is 12; at 13 there never was a response."""
    given = extract(dispensings=_EIGHT_WEEKS, scores=_RESPONSE_LOST.replace(" 6", f" {early}"))

    assert_shows(judged(given, _by_scales(_FALL_OF_HALF)), f"has_failed | outcome_evidence\n{told}")


def test_a_response_before_the_day_asked_for_was_none_to_lose() -> None:
    """The 27th day tells nothing, the 28th does."""
    given = extract(
        dispensings="""
        person | drug       | date       | days
        day_27 | sertraline | 2010-02-01 | 56
        day_28 | sertraline | 2010-02-01 | 56
        """,
        scores="""
        person | date       | value
        day_27 | 2010-02-01 | 24
        day_27 | 2010-02-27 | 6
        day_27 | 2010-03-28 | 20
        day_28 | 2010-02-01 | 24
        day_28 | 2010-02-28 | 6
        day_28 | 2010-03-28 | 20
        """,
    )

    assert_shows(judged(given, _by_scales(_FALL_OF_HALF)), "person | has_failed\nday_27 | true\nday_28 | false")


@pytest.mark.parametrize(("score", "day"), [("last", 28), ("best", 21), ("first", 14)])
def test_which_score_on_treatment_tells_is_the_definition_s(score: str, day: int) -> None:
    """Three failing scores: the last, the lowest, the first from the 28th day on."""
    given = extract(
        dispensings=_EIGHT_WEEKS,
        scores="""
        date       | value
        2010-03-14 | 22
        2010-03-21 | 18
        2010-03-28 | 20
        """,
    )

    assert_shows(
        judged(given, _by_scales(_NOT_IN_REMISSION, score=score)), f"has_failed | failure_date\ntrue | 2010-03-{day}"
    )


def test_what_was_measured_on_treatment_comes_first() -> None:
    """A score of the last day tells, whatever comes after it; without it, the first one after it does."""
    given = extract(
        dispensings="""
        person  | drug       | date       | days
        during  | sertraline | 2010-02-01 | 56
        outside | sertraline | 2010-02-01 | 56
        """,
        scores="""
        person  | date       | value
        during  | 2010-03-28 | 5
        during  | 2010-03-29 | 20
        outside | 2010-03-29 | 5
        outside | 2010-03-30 | 20
        """,
    )

    assert_shows(judged(given, _by_scales(_NOT_IN_REMISSION)), "person | has_failed\nduring | false\noutside | false")


@pytest.mark.parametrize("modality", ["drug", "psychotherapy"])
def test_after_the_day_the_next_trial_began_a_score_is_that_trial_s(modality: str) -> None:
    """Of that day it is still the first one's, also where the next treatment is psychotherapy."""
    nexts = {
        "drug": {"dispensings": "drug | date | days\nsertraline | 2010-02-01 | 56\nvenlafaxine | 2010-04-01 | 56"},
        "psychotherapy": {"dispensings": _EIGHT_WEEKS, "procedures": "date\n2010-04-01\n2010-04-08\n2010-04-15"},
    }
    same_day, next_day = (extract(**nexts[modality], scores=f"date | value\n2010-04-0{day} | 20") for day in (1, 2))
    by = _by_scales(_NOT_IN_REMISSION)

    assert_shows(judged(same_day, by).filter(treatment="N06AB06"), "has_failed\ntrue")
    assert_shows(judged(next_day, by).filter(treatment="N06AB06"), "has_failed\n-")


def test_a_switch_within_a_long_pack_ends_what_is_measured_on_it() -> None:
    """14 weeks of supply, another drug after seven: from the next day on a score is the other drug's."""
    given = extract(
        dispensings="""
        person   | drug        | date       | days
        same_day | sertraline  | 2010-02-01 | 70
        same_day | venlafaxine | 2010-03-22 | 98
        next_day | sertraline  | 2010-02-01 | 70
        next_day | venlafaxine | 2010-03-22 | 98
        """,
        scores="person | date | value\nsame_day | 2010-03-22 | 20\nnext_day | 2010-03-23 | 20",
    )
    told = judged(given, _by_scales(_NOT_IN_REMISSION)).filter(treatment="N06AB06")

    assert_shows(told, "person | has_failed\nsame_day | true\nnext_day | -")


@pytest.mark.parametrize(("combination", "first"), [("own_trial", "false"), ("part_of_trial", "true")])
def test_a_score_is_of_the_trial_begun_last(combination: str, first: str) -> None:
    """A combination that is a trial of its own takes what is measured after its first day; a part of one does not."""
    given = extract(
        dispensings="drug | date | days\nsertraline | 2010-02-01 | 112\nvenlafaxine | 2010-03-08 | 60",
        scores="date | value\n2010-03-08 | 5\n2010-04-12 | 20",
    )
    rule = definition(
        trial={"combination": combination},
        outcome={"evidence": ["scales"], "scales": [_NOT_IN_REMISSION], "lost_response": "failed"},
    )

    assert_shows(judged(given, rule), f"role | has_failed\nfirst | {first}\ncombination | true")


def test_when_the_one_that_was_added_is_over_the_first_is_measured_again() -> None:
    """On the last day of the added drug a score is its own, on the day after the first drug's."""
    given = extract(
        dispensings="""
        person   | drug        | date       | days
        last_day | sertraline  | 2010-02-01 | 168
        last_day | venlafaxine | 2010-03-08 | 60
        day_after | sertraline  | 2010-02-01 | 168
        day_after | venlafaxine | 2010-03-08 | 60
        """,
        scores="person | date | value\nlast_day | 2010-05-06 | 20\nday_after | 2010-05-07 | 20",
    )
    told = judged(given, _by_scales(_NOT_IN_REMISSION)).filter(role="first")

    assert_shows(told, "person | has_failed\nday_after | true\nlast_day | -")


_UNJUDGED = {"evidence": ["scales", "treatment_change"], "change_within": 30, "if_unfinished": "unknown"}


@pytest.mark.parametrize("order", [["scales", "treatment_change"], ["treatment_change", "scales"]])
def test_a_score_that_cannot_be_judged_is_not_the_absence_of_one(order: list) -> None:
    """No baseline: that no change followed proves nothing, and a change all the same is a failure."""
    given = extract(
        dispensings="""
        person   | drug        | date       | days
        measured | sertraline  | 2010-02-01 | 56
        nothing  | sertraline  | 2010-02-01 | 56
        switched | sertraline  | 2010-02-01 | 56
        switched | venlafaxine | 2010-04-01 | 56
        """,
        scores="person | date | value\nmeasured | 2010-03-28 | 20\nswitched | 2010-03-28 | 20",
    )
    by = _by_scales(_FALL_OF_HALF, **_UNJUDGED | {"evidence": order})

    assert_shows(
        judged(given, by).filter(treatment="N06AB06"),
        """
        person   | has_failed | outcome_evidence
        measured | -          | no_baseline
        nothing  | false      | no_change
        switched | true       | switch
        """,
    )


def test_the_baseline_is_that_of_the_trial_or_of_the_episode() -> None:
    """The episode began at 30, the second drug at 20: a score of 14 is a response by the episode's baseline only."""
    given = extract(
        dispensings="drug | date | days\nsertraline | 2010-01-01 | 56\nvenlafaxine | 2010-03-01 | 56",
        diagnoses="date\n2010-01-01\n2010-05-01",
        scores="date | value\n2010-01-01 | 30\n2010-03-01 | 20\n2010-04-20 | 14",
    )
    by_trial, by_episode = (
        judged(given, _by_scales(_FALL_OF_HALF, baseline=baseline)).filter(treatment="N06AX16")
        for baseline in ("trial", "episode")
    )

    assert_shows(by_trial, "has_failed\ntrue")
    assert_shows(by_episode, "has_failed\nfalse")


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
    """The 28th day of the trial and day 14 after its last day count; a day sooner or later does not."""
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
        day_27      | 2010-02-27 | 20
        day_28      | 2010-02-28 | 20
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
