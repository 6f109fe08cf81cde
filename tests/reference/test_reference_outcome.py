"""Hand-drawn cases for the scores that tell the outcome in the reference: both sides of every border.

Day 0 is the first day, so a trial from day 0 has its 28th day on day 27. Unless a case says otherwise a trial is
citalopram for 42 days, days 0 to 41, and scores tell from the 15th day on, day 14, until 14 days after the last.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from impasse.schemas.definition import ScaleBand, ScaleRule
from tests.reference.drawn import (
    BASE,
    CITALOPRAM,
    MIRTAZAPINE,
    SERTRALINE,
    Row,
    classify,
    covered,
    facts,
    fill,
    on,
    score,
    session,
    with_outcome,
    with_trial,
)

ABOVE_SEVEN = ScaleRule(scale="hamd17", fails_if="score_above", value=7.0)
BY_HALF = ScaleRule(scale="hamd17", fails_if="fall_below", value=50.0)
TEN_POINTS = ScaleRule(scale="hamd17", fails_if="points_below", value=10.0)
PARTIAL = ScaleBand(scale="hamd17", fails_if="fall_between", at_least=25.0, below=50.0)
SIX_WEEKS = [fill(0, CITALOPRAM, 42)]
ILL, WELL = 20.0, 5.0
WITH_SCALES = (("scales", "treatment_change"), ("treatment_change", "scales"))


def told_by(scores: list, rows: list[Row] = SIX_WEEKS, rule: Any = ABOVE_SEVEN, **settings: Any) -> tuple:
    """Whether the first trial failed, by what evidence and when, told by one scale alone; scores are day and value."""
    told = classify(
        definition=with_outcome(**{"scales": (rule,), "evidence": ("scales",), **settings}),
        dispensings=rows,
        scores=[score(*each) for each in scores],
    )
    return facts(told["judgements"], "has_failed", "outcome_evidence", "failure_date")[0]


# --- On treatment -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "day", "days_after", "has_failed"),
    [
        (28, 26, 14, None),
        (28, 27, 0, True),
        (28, 28, 0, None),
        (27, 26, 14, None),
        (27, 27, 0, None),
        (27, 27, 14, True),
    ],
)
def test_a_course_of_28_days_has_a_28th_day(days: int, day: int, days_after: int, has_failed: bool | None) -> None:
    """The 28th day is the last of 28; of 27 it is the day after the last, and no earlier score tells anything."""
    told = told_by([(day, ILL)], [fill(0, CITALOPRAM, days)], score_from_day=28, score_days_after_end=days_after)

    assert told[0] == has_failed


@pytest.mark.parametrize(
    ("scores", "has_failed"),
    [
        ([(13, ILL)], None),
        ([(14, ILL)], True),
        ([(14, ILL), (41, WELL)], False),
        ([(14, ILL), (42, WELL)], True),
        ([(42, ILL)], True),
        ([(55, ILL)], True),
        ([(56, ILL)], None),
        ([(42, WELL), (43, ILL)], False),
        ([(13, WELL), (42, ILL)], True),
        ([(41, WELL), (41, ILL)], True),
        ([(42, WELL), (42, ILL)], True),
    ],
)
def test_the_last_score_on_treatment_counts_else_the_first_after_it(scores: list, has_failed: bool | None) -> None:
    """On treatment until the last day, day 41; after it until day 55; of one day's scores the highest."""
    assert told_by(scores)[0] == has_failed


def test_a_course_that_is_over_too_soon_is_told_by_a_later_score() -> None:
    """Seven days of treatment: a score of day 13 tells nothing, one of day 14 tells."""
    week = [fill(0, CITALOPRAM, 7)]

    assert told_by([(13, ILL)], week)[0] is None
    assert told_by([(13, ILL), (14, WELL)], week)[0] is False


@pytest.mark.parametrize(
    ("start", "scores", "has_failed"),
    [
        (61, [(61, ILL)], True),
        (61, [(62, ILL)], None),
        (61, [(50, WELL), (61, ILL)], True),
        (61, [(50, WELL), (62, ILL)], False),
        (60, [(50, WELL), (62, ILL)], False),
        (60, [(60, ILL)], True),
        (60, [(61, ILL)], None),
        (60, [(89, ILL)], None),
    ],
)
def test_a_switch_ends_what_is_measured_on_a_long_pack(start: int, scores: list, has_failed: bool | None) -> None:
    """A pack of 90 days: another drug from day 61 replaces it, one from day 60 is added; both take what comes after."""
    assert told_by(scores, [fill(0, CITALOPRAM, 90), fill(start, SERTRALINE, 90)])[0] == has_failed


@pytest.mark.parametrize(("after_switch", "has_failed"), [(91, None), (61, True)])
def test_after_a_switch_amid_a_pack_nothing_later_counts(after_switch: int, has_failed: bool | None) -> None:
    """The pack ends on day 89, but the next drug began on day 61."""
    told = told_by([(after_switch, ILL)], [fill(0, CITALOPRAM, 90), fill(61, SERTRALINE, 29)])

    assert told[0] == has_failed


@pytest.mark.parametrize(("day", "has_failed"), [(61, True), (62, None), (89, None), (90, True)])
def test_a_drug_that_does_not_count_may_replace_another(day: int, has_failed: bool | None) -> None:
    """Mirtazapine is part of the sertraline trial, and taken too shortly with citalopram to be together with it."""
    definition = with_trial(combination="part_of_trial")
    told = classify(
        definition=replace(definition, outcome=with_outcome(scales=(ABOVE_SEVEN,), evidence=("scales",)).outcome),
        dispensings=[fill(0, CITALOPRAM, 90), fill(10, SERTRALINE, 90), fill(61, MIRTAZAPINE, 90)],
        scores=[score(day, ILL)],
    )

    assert facts(told["trials"], "role", "is_counted")[1:] == [("combination", False), ("combination", False)]
    assert told["judgements"][0]["has_failed"] == has_failed


def test_the_first_of_several_switches_ends_it() -> None:
    """Sertraline from day 61 and mirtazapine from day 71: of citalopram a score of day 65 tells nothing."""
    rows = [fill(0, CITALOPRAM, 90), fill(61, SERTRALINE, 10), fill(71, MIRTAZAPINE, 29)]

    assert told_by([(50, WELL), (65, ILL)], rows)[0] is False


def test_a_switch_is_one_whatever_the_signs_of_change_are() -> None:
    """The rule that takes no switch for a failure still knows that the drug was replaced."""
    rows = [fill(0, CITALOPRAM, 90), fill(61, SERTRALINE, 29)]

    assert told_by([(50, WELL), (62, ILL)], rows, change_signs=("ect",), change_within=0)[0] is False


@pytest.mark.parametrize(("day", "has_failed"), [(35, True), (36, None), (64, None), (65, True), (70, True)])
def test_a_drug_takes_what_is_measured_during_a_course_of_sessions(day: int, has_failed: bool | None) -> None:
    """Sessions until day 70, a drug from day 35 until day 64: while it is taken the score is the drug's."""
    told = classify(
        definition=with_outcome(scales=(ABOVE_SEVEN,), evidence=("scales",)),
        procedures=[session(day, "cbt") for day in range(0, 71, 7)],
        dispensings=[fill(35, CITALOPRAM, 30)],
        scores=[score(day, ILL)],
    )

    assert told["judgements"][0]["has_failed"] == has_failed


# --- After it ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "has_failed"), [(45, True), (46, None)])
@pytest.mark.parametrize(
    ("rows", "sessions"),
    [
        ([fill(45, SERTRALINE, 30)], []),
        ([fill(45, SERTRALINE, 30), fill(48, MIRTAZAPINE, 30)], []),
        ([], [session(45, "cbt")]),
    ],
)
def test_a_score_after_the_next_trial_began_is_not_this_trials(
    rows: list, sessions: list, day: int, has_failed: bool | None
) -> None:
    """On the very day the next trial began, day 45, it still is, whatever the next treatment."""
    told = classify(
        definition=with_outcome(scales=(ABOVE_SEVEN,), evidence=("scales",)),
        dispensings=[*SIX_WEEKS, *rows],
        procedures=sessions,
        scores=[score(day, ILL)],
    )

    assert told["judgements"][0]["has_failed"] == has_failed


@pytest.mark.parametrize(("day", "has_failed"), [(73, True), (74, None)])
def test_the_same_drug_again_is_the_next_trial(day: int, has_failed: bool | None) -> None:
    """31 days without supply part the trials; the second begins on day 73."""
    told = told_by([(day, ILL)], [*SIX_WEEKS, fill(73, CITALOPRAM, 42)], score_days_after_end=60)

    assert told[0] == has_failed


@pytest.mark.parametrize(("combination", "has_failed"), [("own_trial", None), ("part_of_trial", True)])
def test_only_a_trial_of_its_own_is_the_next(combination: str, has_failed: bool | None) -> None:
    """Sertraline is added on day 10 and goes on; a score of day 45 is citalopram's unless that is a trial by itself."""
    definition = with_trial(combination=combination)
    told = classify(
        definition=replace(definition, outcome=with_outcome(scales=(ABOVE_SEVEN,), evidence=("scales",)).outcome),
        dispensings=[*SIX_WEEKS, fill(10, SERTRALINE, 90)],
        scores=[score(45, ILL)],
    )

    assert told["judgements"][0]["has_failed"] == has_failed


@pytest.mark.parametrize(("start", "has_failed"), [(0, True), (1, None)])
def test_a_trial_of_the_same_day_is_not_the_next(start: int, has_failed: bool | None) -> None:
    """Begun on one day, neither drug follows the other; begun a day later, the second does."""
    assert told_by([(45, ILL)], [*SIX_WEEKS, fill(start, SERTRALINE, 60)])[0] == has_failed


# --- Last, best, first ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("which", "scores", "judged"),
    [
        ("last", [(14, 9.0), (20, WELL), (30, ILL)], (True, on(30))),
        ("best", [(14, 9.0), (20, WELL), (30, ILL)], (False, None)),
        ("first", [(14, 9.0), (20, WELL), (30, ILL)], (True, on(14))),
        ("first", [(13, 9.0), (20, WELL), (30, ILL)], (False, None)),
        ("best", [(14, 9.0), (20, 9.0), (30, ILL)], (True, on(20))),
        ("best", [(14, 9.0), (20, 9.5), (30, ILL)], (True, on(14))),
        ("best", [(13, WELL), (20, 9.5), (30, ILL)], (True, on(20))),
        ("best", [(20, WELL), (20, ILL), (30, 9.0)], (True, on(30))),
        ("best", [(20, ILL), (42, WELL)], (True, on(20))),
        ("best", [(42, ILL), (43, WELL)], (True, on(42))),
        ("last", [(42, ILL), (43, WELL)], (True, on(42))),
        ("first", [(41, WELL), (42, ILL)], (False, None)),
    ],
)
def test_one_score_on_treatment_tells(which: str, scores: list, judged: tuple) -> None:
    """The last, the lowest (of equal ones the latest) or the first; of those after it always the first."""
    has_failed, _, day = told_by(scores, score=which, lost_response="failed")

    assert (has_failed, day) == judged


# --- The baseline -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("baseline", "failed"), [("trial", [False, True]), ("episode", [False, False])])
def test_the_baseline_is_the_trials_or_the_episodes(baseline: str, failed: list) -> None:
    """From 24 at first to 12, and then on the next drug from 16 to 12: half of the fall came before it."""
    told = classify(
        definition=with_outcome(evidence=("scales",), baseline=baseline),
        dispensings=[*SIX_WEEKS, fill(100, SERTRALINE, 42)],
        scores=[score(0, 24.0), score(41, 12.0), score(100, 16.0), score(141, 12.0)],
    )

    assert [judged["has_failed"] for judged in told["judgements"]] == failed


@pytest.mark.parametrize(
    ("scores", "has_failed"),
    [
        ([(-15, 24.0)], None),
        ([(-14, 24.0)], False),
        ([(7, 24.0)], False),
        ([(8, 24.0)], None),
        ([(0, 24.0), (30, 16.0)], False),
        ([(0, 16.0), (1, 24.0), (30, 24.0)], True),
    ],
)
def test_the_episodes_baseline_is_sought_around_its_first_day(scores: list, has_failed: bool | None) -> None:
    """The episode begins on day 0, the drug on day 30; on day 71 the score is 12."""
    told = told_by([*scores, (71, 12.0)], [fill(30, CITALOPRAM, 42)], BY_HALF, baseline="episode")

    assert told[0] == has_failed


@pytest.mark.parametrize(
    ("scores", "has_failed"),
    [
        ([(0, 24.0)], None),
        ([(-1, 24.0), (0, 12.0)], False),
        ([(-1, 24.0), (1, 12.0)], False),
        ([(0, 24.0), (1, 12.0)], False),
        ([(3, 24.0)], None),
        ([(3, 24.0), (4, 12.0)], False),
        ([(-2, 24.0)], None),
    ],
)
def test_a_baseline_lies_before_the_outcome_score(scores: list, has_failed: bool | None) -> None:
    """The drug is taken from 30 days before the episode: its outcome score may lie on the baseline's day."""
    told = told_by(scores, [fill(-30, CITALOPRAM, 42)], BY_HALF, baseline="episode")

    assert told[0] == has_failed


@pytest.mark.parametrize(
    ("scores", "has_failed"), [([(0, 24.0)], None), ([(-1, 24.0), (0, 12.0)], False), ([(0, 24.0), (1, 12.0)], False)]
)
def test_a_score_of_the_first_day_is_not_both(scores: list, has_failed: bool | None) -> None:
    """Where scores tell from the first day on, its score is the baseline of later ones and has none of its own."""
    assert told_by(scores, rule=BY_HALF, score_from_day=1, baseline_days_after=0)[0] == has_failed


# --- Loss of response -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lost_response", "judged"),
    [("failed", (True, "hamd17:response_lost", on(41))), ("not_failed", (False, "hamd17:response_lost", None))],
)
@pytest.mark.parametrize(
    ("rule", "earlier", "last"),
    [(BY_HALF, 12.0, 12.5), (TEN_POINTS, 14.0, 14.5), (ABOVE_SEVEN, 7.0, 7.5), (PARTIAL, 12.0, 12.5)],
)
def test_a_lost_response_is_what_the_rule_says(
    rule: Any, earlier: float, last: float, lost_response: str, judged: tuple
) -> None:
    """From 24 to a score that just is a response, and then to one that just is none, by each rule."""
    scores = [(0, 24.0), (14, earlier), (41, last)]

    assert told_by(scores, rule=rule, lost_response=lost_response) == judged


@pytest.mark.parametrize(
    ("rule", "earlier", "last", "judged"),
    [
        (BY_HALF, 12.5, 18.0, (True, "hamd17:fall_below", on(41))),
        (BY_HALF, 18.0, 12.0, (False, "hamd17:fall_below", None)),
        (TEN_POINTS, 14.5, 18.0, (True, "hamd17:points_below", on(41))),
        (ABOVE_SEVEN, 7.5, 18.0, (True, "hamd17:score_above", on(41))),
        (PARTIAL, 20.0, 18.0, (True, "hamd17:fall_between", on(41))),
        (PARTIAL, 12.0, 18.5, (False, "hamd17:fall_between", None)),
    ],
)
def test_what_was_no_response_is_not_lost(rule: Any, earlier: float, last: float, judged: tuple) -> None:
    """No response at first, or no failure at last; less than a partial fall is no failure there and no response."""
    scores = [(0, 24.0), (14, earlier), (41, last)]

    assert told_by(scores, rule=rule, lost_response="not_failed") == judged


@pytest.mark.parametrize(
    ("scores", "judged"),
    [
        ([(13, 12.0), (41, ILL)], (True, "hamd17:fall_below", on(41))),
        ([(14, 12.0), (41, ILL)], (False, "hamd17:response_lost", None)),
        ([(14, 12.0), (14, ILL), (41, ILL)], (True, "hamd17:fall_below", on(41))),
        ([(14, 12.0), (30, ILL), (41, ILL)], (False, "hamd17:response_lost", None)),
        ([(14, 12.0), (42, ILL)], (False, "hamd17:fall_below", None)),
        ([(42, 12.0), (43, ILL)], (False, "hamd17:fall_below", None)),
        ([(13, 12.0), (42, ILL)], (True, "hamd17:fall_below", on(42))),
    ],
)
def test_a_response_is_lost_among_scores_on_treatment_only(scores: list, judged: tuple) -> None:
    """From the fifteenth day, day 14, until the last, day 41; of one day's scores the highest."""
    assert told_by([(0, 24.0), *scores], rule=BY_HALF, lost_response="not_failed") == judged


@pytest.mark.parametrize(
    ("start", "judged"), [(62, (True, "hamd17:response_lost", on(62))), (60, (False, "hamd17:fall_below", None))]
)
def test_a_response_is_not_lost_on_the_next_drug(start: int, judged: tuple) -> None:
    """Half on day 50, worse on day 62: the first drug's if the next begins on that day, else the next one's."""
    rows = [fill(0, CITALOPRAM, 90), fill(start, SERTRALINE, 90)]

    assert told_by([(0, 24.0), (50, 12.0), (62, ILL)], rows, BY_HALF) == judged


@pytest.mark.parametrize(
    ("which", "judged", "response"),
    [
        ("last", (True, "hamd17:response_lost", on(41)), "lost"),
        ("best", (False, "hamd17:fall_below", None), "insufficient"),
        ("first", (True, "hamd17:fall_below", on(14)), "no_response"),
    ],
)
def test_only_where_the_last_score_tells_is_a_response_lost(which: str, judged: tuple, response: str) -> None:
    """None on day 14, half on day 20, and none again on day 41."""
    told = classify(
        definition=with_outcome(score=which, evidence=("scales",)),
        dispensings=SIX_WEEKS,
        scores=[score(0, 24.0), score(14, ILL), score(20, 12.0), score(41, ILL)],
    )

    assert facts(told["judgements"], "has_failed", "outcome_evidence", "failure_date") == [judged]
    assert facts(told["judgements"], "response") == [(response,)]


@pytest.mark.parametrize(
    ("joined", "lost_response", "judged"),
    [
        ("any", "failed", (True, "hamd17:response_lost", on(30))),
        ("any", "not_failed", (True, "panss:score_above", on(30))),
        ("all", "failed", (True, "hamd17:response_lost", on(41))),
        ("all", "not_failed", (False, "hamd17:response_lost", None)),
        ("first", "failed", (True, "hamd17:response_lost", on(41))),
        ("first", "not_failed", (False, "hamd17:response_lost", None)),
    ],
)
def test_a_lost_response_is_one_scales_verdict_among_others(joined: str, lost_response: str, judged: tuple) -> None:
    """The response by one scale is lost on day 41, and another says that the drug failed, on day 30."""
    told = classify(
        definition=with_outcome(
            scales=(ABOVE_SEVEN, ScaleRule(scale="panss", fails_if="score_above", value=60.0)),
            scales_joined=joined,
            evidence=("scales",),
            lost_response=lost_response,
        ),
        dispensings=SIX_WEEKS,
        scores=[score(20, WELL), score(41, ILL), score(30, 61.0, "panss")],
    )

    assert facts(told["judgements"], "has_failed", "outcome_evidence", "failure_date") == [judged]


# --- Scores that cannot be judged -------------------------------------------------------------------------------------


@pytest.mark.parametrize("evidence", WITH_SCALES)
@pytest.mark.parametrize(
    ("scores", "rows", "judged"),
    [
        ([(41, ILL)], [], (None, "no_baseline", None)),
        ([(0, 0.0), (41, 0.0)], [], (None, "no_baseline", None)),
        ([(55, ILL)], [], (None, "no_baseline", None)),
        ([(56, ILL)], [], (False, "no_change", None)),
        ([(13, ILL)], [], (False, "no_change", None)),
        ([], [], (False, "no_change", None)),
        ([(41, ILL)], [fill(131, SERTRALINE, 42)], (True, "switch", on(131))),
        ([(41, ILL)], [fill(132, SERTRALINE, 42)], (None, "no_baseline", None)),
        ([], [fill(132, SERTRALINE, 42)], (False, "no_change", None)),
    ],
)
def test_beside_a_score_without_baseline_the_absence_of_change_proves_nothing(
    scores: list, rows: list, judged: tuple, evidence: tuple
) -> None:
    """A change within 90 days, until day 131, still says that it failed; without any score all is as it was."""
    assert told_by(scores, [*SIX_WEEKS, *rows], BY_HALF, evidence=evidence) == judged


@pytest.mark.parametrize(
    ("evidence", "judged"),
    [
        (("scales",), (None, "none", None)),
        (("treatment_change",), (False, "no_change", None)),
    ],
)
def test_a_definition_looks_at_its_own_evidence(evidence: tuple, judged: tuple) -> None:
    """Without treatment_change nothing is unproved; without scales a score is nothing to judge."""
    assert told_by([(41, ILL)], rule=BY_HALF, evidence=evidence) == judged


@pytest.mark.parametrize(
    ("joined", "scores", "judged"),
    [
        ("any", [score(41, WELL)], (False, "no_change")),
        ("any", [score(41, WELL), score(41, ILL, "panss")], (None, "no_baseline")),
        ("any", [score(41, ILL), score(41, ILL, "panss")], (True, "hamd17:score_above")),
        ("any_measured", [score(41, WELL), score(41, ILL, "panss")], (False, "hamd17:score_above")),
        ("any_measured", [score(41, ILL, "panss")], (None, "no_baseline")),
        ("all", [score(41, ILL)], (False, "no_change")),
        ("all", [score(41, ILL), score(41, ILL, "panss")], (None, "no_baseline")),
        ("all", [score(41, WELL), score(41, ILL, "panss")], (False, "hamd17:score_above")),
        ("first", [score(41, WELL), score(41, ILL, "panss")], (False, "hamd17:score_above")),
        ("first", [score(41, ILL, "panss")], (None, "no_baseline")),
    ],
)
def test_it_is_the_scales_together_that_cannot_tell(joined: str, scores: list, judged: tuple) -> None:
    """The first scale needs no baseline, the second has none; and no change of treatment followed."""
    told = classify(
        definition=with_outcome(
            scales=(ABOVE_SEVEN, ScaleRule(scale="panss", fails_if="fall_below", value=50.0)), scales_joined=joined
        ),
        dispensings=SIX_WEEKS,
        scores=scores,
    )

    assert facts(told["judgements"], "has_failed", "outcome_evidence") == [judged]


@pytest.mark.parametrize(
    ("settings", "judged"),
    [
        ({"if_unfinished": "not_failed"}, (None, "no_baseline")),
        ({"if_unfinished": "unknown"}, (None, "unfinished")),
        ({"early_stop_days": 43}, (False, "early_stop")),
    ],
)
def test_only_what_says_not_failed_is_unproved(settings: Row, judged: tuple) -> None:
    """Time not seen to the end is no failure by the rule, but not beside a score; an early stop is told without it."""
    told = classify(
        definition=with_outcome(**settings),
        coverage=[covered(-400, 130)],
        dispensings=SIX_WEEKS,
        scores=[score(41, ILL)],
    )

    assert facts(told["judgements"], "has_failed", "outcome_evidence") == [judged]


# --- Response ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scale", "first", "earlier", "last", "response"),
    [
        ("hamd17", 24.0, 7.0, 20.0, "lost"),
        ("hamd17", 24.0, 12.0, 20.0, "lost"),
        ("hamd17", 24.0, 12.5, 20.0, "no_response"),
        ("hamd17", 24.0, 12.0, 12.5, "lost"),
        ("hamd17", 24.0, 12.5, 18.0, "partial"),
        ("hamd17", 24.0, 7.0, 12.0, "insufficient"),
        ("hamd17", 24.0, 20.0, 7.0, "remission"),
        ("hamd17", 8.0, 7.0, 8.0, "lost"),
        ("hamd17", None, 7.0, 20.0, "cannot_tell"),
        ("hamd17", 0.0, 7.0, 20.0, "cannot_tell"),
        ("phq9", 20.0, 10.0, 10.5, "lost"),
        ("phq9", 20.0, 4.0, 10.5, "lost"),
        ("phq9", 6.0, 4.0, 5.0, "no_response"),
        ("phq9", 20.0, 5.0, 4.0, "cannot_tell"),
        ("drops", 40.0, 25.0, 25.5, "lost"),
        ("drops", 40.0, 25.5, 25.5, "no_response"),
        ("cgi_i", None, 2.0, 2.5, "lost"),
        ("cgi_i", None, 2.5, 2.5, "no_response"),
    ],
)
def test_a_response_may_be_lost(scale: str, first: float | None, earlier: float, last: float, response: str) -> None:
    """An earlier remission or response by the scale's own rule, and at last surely neither."""
    told = classify(
        dispensings=SIX_WEEKS,
        scores=[score(14, earlier, scale), score(41, last, scale)]
        + ([] if first is None else [score(0, first, scale)]),
    )

    assert facts(told["judgements"], "response") == [(response,)]


@pytest.mark.parametrize(
    ("settings", "days", "response"),
    [
        ({}, (14, 41), "lost"),
        ({"lost_response": "not_failed"}, (14, 41), "lost"),
        ({}, (13, 41), "no_response"),
        ({}, (14, 42), "remission"),
        ({}, (42, 43), "remission"),
        ({"score": "best"}, (14, 41), "remission"),
        ({"score": "first"}, (14, 41), "remission"),
        ({"baseline": "episode"}, (14, 41), "lost"),
    ],
)
def test_a_response_is_lost_on_treatment_and_by_the_last_score(settings: Row, days: tuple, response: str) -> None:
    """Remission and then illness on two days, of which one may lie before the fifteenth or after the last."""
    told = classify(
        definition=with_outcome(**settings),
        dispensings=SIX_WEEKS,
        scores=[score(0, 24.0), score(days[0], WELL), score(days[1], ILL)],
    )

    assert facts(told["judgements"], "response", "response_scale") == [(response, "hamd17")]


def test_the_state_is_told_by_the_trials_or_the_episodes_baseline() -> None:
    """From 24 at first and from 16 on the next drug to 12: insufficient of the episode, partial of the trial."""
    drawn = {
        "dispensings": [fill(100, SERTRALINE, 42)],
        "scores": [score(0, 24.0), score(100, 16.0), score(141, 12.0)],
    }
    by_trial = classify(definition=BASE, **drawn)
    by_episode = classify(definition=with_outcome(baseline="episode"), **drawn)

    assert facts(by_trial["judgements"], "response") == [("partial",)]
    assert facts(by_episode["judgements"], "response") == [("insufficient",)]


def test_the_next_scale_tells_where_the_first_cannot() -> None:
    """By the PHQ-9 there is a remission, which a screening tool cannot prove; by the HAM-D a response was lost."""
    told = classify(
        dispensings=SIX_WEEKS,
        scores=[
            *(score(0, 20.0, scale) for scale in ("phq9", "hamd17")),
            *(score(20, WELL, scale) for scale in ("phq9", "hamd17")),
            *(score(41, value, scale) for scale, value in (("phq9", 4.0), ("hamd17", ILL))),
        ],
    )

    assert facts(told["judgements"], "response", "response_scale") == [("lost", "hamd17")]


@pytest.mark.parametrize(
    ("scale", "first", "last", "response"),
    [
        ("hamd17", 24.0, 29.5, "no_response"),
        ("hamd17", 24.0, 30.0, "worse"),
        ("drops", 40.0, 54.5, "no_response"),
        ("drops", 40.0, 55.0, "worse"),
        ("cgi_i", 4.0, 5.5, "no_response"),
        ("cgi_i", 4.0, 6.0, "worse"),
    ],
)
def test_a_trial_may_end_worse_than_it_began(scale: str, first: float, last: float, response: str) -> None:
    """By a quarter of the way, by points, or by the score itself."""
    told = classify(dispensings=SIX_WEEKS, scores=[score(0, first, scale), score(41, last, scale)])

    assert facts(told["judgements"], "response") == [(response,)]


@pytest.mark.parametrize(
    ("days", "values", "response"),
    [
        ((14, 196), (7.0, 7.0), "recovery"),
        ((14, 195), (7.0, 7.0), "remission"),
        ((13, 14, 195), (7.0, 7.0, 7.0), "remission"),
        ((14, 100, 196), (7.0, 8.0, 7.0), "remission"),
        ((14, 100, 282), (8.0, 7.0, 7.0), "recovery"),
        ((300,), (7.0,), "remission"),
    ],
)
def test_a_remission_that_is_held_is_a_recovery(days: tuple, values: tuple, response: str) -> None:
    """Half a year on treatment; the score on the day after the last is of nobody seen to be well before it."""
    told = classify(
        dispensings=[fill(0, CITALOPRAM, 300)],
        scores=[score(0, 24.0), *(score(day, value) for day, value in zip(days, values, strict=True))],
    )

    assert facts(told["judgements"], "response") == [(response,)]


@pytest.mark.parametrize(
    ("first", "last", "severities"),
    [
        (8.0, 7.0, ("mild", "none", "hamd17")),
        (18.0, 19.0, ("mild", "severe", "hamd17")),
        (None, 19.0, (None, "severe", "hamd17")),
        (19.0, None, (None, None, None)),
    ],
)
def test_severity_is_the_band_of_the_score(first: float | None, last: float | None, severities: tuple) -> None:
    """At the start and at the end, both sides of each edge."""
    scores = [score(day, value) for day, value in ((0, first), (41, last)) if value is not None]
    told = classify(dispensings=SIX_WEEKS, scores=scores)

    columns = ("baseline_severity", "outcome_severity", "severity_scale")
    assert facts(told["judgements"], *columns) == [severities]
