"""Hand-drawn cases for which score tells in the reference where nobody knows, both sides of every border.

Day 0 is the first day. Unless a case says otherwise citalopram lasts until day 28 for all that is known and until day
127 at most, the last score tells and is a failure above seven, a score counts from day 14 on and until 14 days after
the trial, and 30 days make drugs taken together.
"""

from __future__ import annotations

from typing import Any

import pytest

from impasse.schemas.definition import ScaleBand, ScaleRule
from tests.reference.drawn import (
    CITALOPRAM,
    SERTRALINE,
    Row,
    by_change,
    covered,
    facts,
    fill,
    judged,
    on,
    score,
    session,
)

UNKNOWN = [fill(0, CITALOPRAM, 28), fill(28, CITALOPRAM, None)]
OPEN, UNFINISHED, NONE = (None, "unknown_score", None), (None, "unfinished", None), (None, "none", None)
NO_FAILURE, LOST = (False, "hamd17:score_above", None), (False, "hamd17:response_lost", None)
ILL, WELL = 20.0, 5.0
ABOVE_SEVEN = ScaleRule(scale="hamd17", fails_if="score_above", value=7.0)
HALVED = ScaleRule(scale="hamd17", fails_if="fall_below", value=50.0)
PHQ9 = ScaleRule(scale="phq9", fails_if="score_above", value=9.0)


def failure(day: int) -> tuple:
    """A failure by the HAM-D17 on the day."""
    return True, "hamd17:score_above", on(day)


def told(*scores: tuple, rows: list[Row] = UNKNOWN, rest: Row | None = None, **outcome: Any) -> tuple:
    """What is said of the first trial by these scores, each of a day."""
    rules = {"evidence": ("scales",), "scales": (ABOVE_SEVEN,), **outcome}
    return judged(rows, outcome=rules, **{"scores": [score(*each) for each in scores], **(rest or {})})


# --- Another score, on treatment --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "is_open"), [(127, True), (128, False)])
def test_a_later_score_may_be_the_last_until_the_latest_possible_day(day: int, is_open: bool) -> None:
    """Whichever of the two is the failure."""
    assert told((20, WELL), (day, ILL)) == (OPEN if is_open else NO_FAILURE)
    assert told((20, ILL), (day, WELL)) == (OPEN if is_open else failure(20))


def test_a_score_that_says_the_same_leaves_nothing_open() -> None:
    """Above seven or not; by a fall of a half from the baseline, the one of the outcome score."""
    assert told((20, ILL), (60, 8.0)) == failure(20)
    assert told((20, ILL), (60, 7.0)) == OPEN
    assert told((0, 20.0), (20, 10.5), (60, 10.5), scales=(HALVED,)) == (True, "hamd17:fall_below", on(20))
    assert told((0, 20.0), (20, 10.5), (60, 10.0), scales=(HALVED,)) == OPEN
    assert told((0, 20.0), (20, 10.5), (60, 12.0), (61, 10.0), scales=(HALVED,)) == OPEN


@pytest.mark.parametrize(
    ("sertraline", "day", "is_open"),
    [
        (fill(99, SERTRALINE, 60), 99, True),
        (fill(99, SERTRALINE, 60), 100, False),
        (fill(98, SERTRALINE, 3), 98, True),
        (fill(98, SERTRALINE, 3), 99, False),
        (fill(60, SERTRALINE, 40), 60, True),
        (fill(60, SERTRALINE, 40), 61, False),
        (fill(60, SERTRALINE, 40), 99, False),
        (fill(60, SERTRALINE, 40), 100, True),
    ],
)
def test_a_sure_switch_and_a_drug_of_its_own_in_use_take_a_score(sertraline: Row, day: int, is_open: bool) -> None:
    """Begun on day 99 or for three days it is a switch; from day 60 to 99 it may be an add-on, and takes its own days.

    The days after a trial are none here.
    """
    rows = [*UNKNOWN, sertraline]

    assert told((20, WELL), (day, ILL), rows=rows, score_days_after_end=0) == (OPEN if is_open else NO_FAILURE)


@pytest.mark.parametrize(
    ("which", "scores", "then"),
    [
        ("first", [(20, WELL), (60, ILL)], NO_FAILURE),
        ("first", [(30, WELL), (60, ILL)], NO_FAILURE),
        ("best", [(20, 10.0), (60, 7.0)], OPEN),
        ("best", [(20, 10.0), (60, 9.0)], failure(20)),
        ("best", [(20, 10.0), (60, 10.0)], failure(20)),
        ("best", [(30, 10.0), (60, 7.0)], OPEN),
        ("best", [(30, 10.0), (60, 11.0)], failure(30)),
        ("last", [(30, WELL), (60, ILL)], OPEN),
        ("last", [(30, WELL), (60, 6.0)], NO_FAILURE),
    ],
)
def test_by_the_rule_a_later_or_a_lower_score_may_tell(which: str, scores: list, then: tuple) -> None:
    """On treatment, or found after it on day 30; the first score stays the first."""
    assert told(*scores, score=which) == then


@pytest.mark.parametrize(("value", "then"), [(20.0, True), (11.5, True), (10.0, None)])
def test_no_higher_score_may_be_the_best(value: float, then: bool | None) -> None:
    """Of a band a smaller fall is no failure, nor is one beyond it."""
    band = ScaleBand(scale="hamd17", fails_if="fall_between", at_least=25.0, below=50.0)

    assert told((0, 20.0), (20, 12.0), (60, value), scales=(band,), score="best")[0] is then


# Sertraline from day 20 to 40; by 9 days taken together with citalopram for all that is known, perhaps by 21.
BRIEFLY = [*UNKNOWN, fill(20, SERTRALINE, 21)]


@pytest.mark.parametrize(
    ("which", "scores", "own", "no_trial"),
    [
        ("last", [(20, WELL), (21, ILL)], NO_FAILURE, OPEN),
        ("last", [(20, WELL), (40, ILL)], NO_FAILURE, OPEN),
        ("last", [(20, WELL), (41, ILL)], OPEN, OPEN),
        ("best", [(20, ILL), (21, WELL)], failure(20), OPEN),
        ("first", [(20, WELL), (21, ILL)], NO_FAILURE, NO_FAILURE),
        ("last", [(21, ILL)], NONE, OPEN),
        ("last", [(20, WELL)], NO_FAILURE, NO_FAILURE),
    ],
)
def test_a_drug_that_may_be_no_trial_takes_a_score_perhaps(
    which: str, scores: list, own: tuple, no_trial: tuple
) -> None:
    """An add-on, or a switch, is a trial of its own, or nobody knows whether there is one."""
    for combination, then in (("own_trial", own), ("ignored", no_trial), ("part_of_trial", no_trial)):
        rest = {"trial": {"overlap_days": 15, "combination": combination}}
        assert told(*scores, rows=BRIEFLY, rest=rest, score=which, score_days_after_end=0) == then


@pytest.mark.parametrize(
    ("which", "scores", "then"),
    [
        ("first", [(40, ILL), (60, WELL)], OPEN),
        ("first", [(41, ILL), (60, WELL)], failure(41)),
        ("first", [(20, WELL), (40, ILL)], NO_FAILURE),
        ("best", [(40, WELL), (60, ILL)], OPEN),
        ("best", [(40, ILL), (60, WELL)], NO_FAILURE),
        ("last", [(40, ILL), (60, WELL)], NO_FAILURE),
        ("last", [(40, WELL), (105, ILL)], OPEN),
        ("last", [(41, WELL), (105, ILL)], NO_FAILURE),
        ("first", [(40, WELL), (105, ILL)], OPEN),
        ("best", [(40, WELL), (105, ILL)], OPEN),
    ],
)
def test_an_earlier_score_may_be_the_first_or_the_best(which: str, scores: list, then: tuple) -> None:
    """CBT until day 100; sertraline takes the scores until day 40 if it is a trial, and no add-on to citalopram.

    Day 105 is after it.
    """
    rest = {
        "trial": {"overlap_days": 15, "combination": "ignored"},
        "procedures": [session(day, "cbt") for day in range(0, 101, 20)],
        "position": 1,
    }

    assert told(*scores, rows=BRIEFLY, rest=rest, score=which) == then


# --- The outcome score in doubt ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "then"), [(20, failure(20)), (51, OPEN), (59, OPEN), (60, failure(60))])
def test_on_treatment_a_later_drug_may_be_in_use_on_the_day(day: int, then: tuple) -> None:
    """Sertraline, surely added on day 20, lasts until day 50 for all that is known and until day 59 at most."""
    rows = [fill(0, CITALOPRAM, 100), fill(20, SERTRALINE, 30), fill(50, SERTRALINE, None)]

    assert told((day, ILL), rows=rows, rest={"max_days": 10}) == then


@pytest.mark.parametrize(("day", "then"), [(20, failure(20)), (21, OPEN), (50, OPEN)])
@pytest.mark.parametrize("combination", ["own_trial", "part_of_trial", "ignored"])
def test_on_treatment_a_later_drug_may_have_taken_its_place(day: int, then: tuple, combination: str) -> None:
    """Sertraline may be in use for 30 days, until day 49, and was added if it was; citalopram is until day 59."""
    rows = [fill(0, CITALOPRAM, 60), fill(20, SERTRALINE, None)]
    rest = {"trial": {"combination": combination}}

    assert told((day, ILL), rows=rows, rest={"max_days": 30, **rest}) == then
    assert told((day, ILL), rows=rows, rest={"max_days": 29, **rest}) == (then if day == 20 else NONE)


def test_in_doubt_it_is_open_whatever_other_scores_say() -> None:
    """Sertraline, surely added on day 20, may last until day 59; citalopram does until day 99."""
    rows = [fill(0, CITALOPRAM, 100), fill(20, SERTRALINE, 30), fill(50, SERTRALINE, None)]
    settings = {"score": "best", "rest": {"max_days": 10}}

    assert told((20, ILL), (59, ILL), rows=rows, **settings) == OPEN
    assert told((20, ILL), (60, ILL), rows=rows, **settings) == failure(60)


@pytest.mark.parametrize(("at_most", "then"), [(17, failure(30)), (18, OPEN)])
def test_after_treatment_a_later_drug_may_have_outlasted_it(at_most: int, then: tuple) -> None:
    """Citalopram until day 27; sertraline, from day 10, until day 26 or 27 at most."""
    rows = [fill(0, CITALOPRAM, 28), fill(10, SERTRALINE, None)]

    assert told((30, ILL), rows=rows, rest={"max_days": at_most}) == then


@pytest.mark.parametrize(("day", "then"), [(30, failure(30)), (31, NONE)])
def test_a_drug_that_follows_on_the_day_itself_takes_nothing(day: int, then: tuple) -> None:
    """Of unknown length, too; sertraline from day 30."""
    rows = [fill(0, CITALOPRAM, 28), fill(30, SERTRALINE, None)]

    assert told((day, ILL), rows=rows) == then


# --- Another score, after treatment -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "days_after", "then"), [(141, 14, OPEN), (142, 14, NONE), (127, 0, OPEN)])
def test_without_a_score_a_late_one_may_tell(day: int, days_after: int, then: tuple) -> None:
    """On treatment until day 127, or after it."""
    assert told((day, ILL), score_days_after_end=days_after) == then
    assert told((128, ILL), score_days_after_end=0) == NONE


@pytest.mark.parametrize(("day", "then"), [(13, NONE), (14, OPEN), (99, OPEN), (100, NONE)])
def test_none_tells_before_a_score_counts(day: int, then: tuple) -> None:
    """Citalopram may last until day 99."""
    assert told((day, ILL), rows=[fill(0, CITALOPRAM, None)], score_from_day=15, score_days_after_end=0) == then


@pytest.mark.parametrize(
    ("start", "days", "day", "then"),
    [
        (130, 30, 130, OPEN),
        (130, 30, 131, NONE),
        (99, 3, 102, NONE),
        (99, 3, 103, OPEN),
        (99, 28, 128, OPEN),
        (99, 29, 128, NONE),
        (99, 28, 140, OPEN),
        (99, 29, 140, NONE),
        (99, 29, 99, OPEN),
        (99, 29, 100, NONE),
        (10, 3, 28, NONE),
        (10, 3, 43, OPEN),
    ],
)
def test_after_it_a_drug_of_its_own_takes_a_score(start: int, days: int, day: int, then: tuple) -> None:
    """Unless it surely ended before the latest possible last day, or before the day before that of the score."""
    assert told((day, ILL), rows=[*UNKNOWN, fill(start, SERTRALINE, days)]) == then


@pytest.mark.parametrize(("combination", "then"), [("own_trial", NONE), ("part_of_trial", OPEN), ("ignored", OPEN)])
def test_after_it_a_drug_that_may_be_no_trial_takes_a_score_perhaps(combination: str, then: tuple) -> None:
    """Sertraline from day 110 to 140 is taken together with citalopram for 18 days or for none."""
    rows, rest = [*UNKNOWN, fill(110, SERTRALINE, 31)], {"trial": {"overlap_days": 15, "combination": combination}}

    assert told((128, ILL), rows=rows, rest=rest) == then
    assert told((142, ILL), rows=rows, rest=rest) == NONE


@pytest.mark.parametrize(
    ("first", "second", "max_days", "is_open"),
    [(35, 141, 100, True), (35, 142, 100, False), (32, 40, 5, True), (33, 40, 5, False), (32, 46, 5, True)],
)
@pytest.mark.parametrize("which", ["first", "best", "last"])
def test_the_first_after_it_may_be_a_later_one(
    which: str, first: int, second: int, max_days: int, is_open: bool
) -> None:
    """Replaced on day 10 by sertraline until day 12, citalopram may last until day 127, or until day 32."""
    rows = [*UNKNOWN, fill(10, SERTRALINE, 3)]
    scores = [(first, ILL), (second, WELL)]

    assert told(*scores, rows=rows, rest={"max_days": max_days}, score=which) == (OPEN if is_open else failure(first))


# --- What one scale says, and several ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("which", "lost", "scores", "then"),
    [
        ("best", "failed", [(20, 7.0), (60, 1.0)], NO_FAILURE),
        ("last", "not_failed", [(20, WELL), (60, ILL)], NO_FAILURE),
        ("last", "not_failed", [(16, WELL), (20, ILL), (60, WELL)], LOST),
        ("last", "not_failed", [(16, ILL), (20, ILL), (60, WELL)], OPEN),
        ("last", "failed", [(16, WELL), (20, ILL), (60, WELL)], OPEN),
        ("last", "failed", [(16, WELL), (20, ILL), (60, ILL)], (True, "hamd17:response_lost", on(20))),
    ],
)
def test_a_response_stands_that_no_score_undoes(which: str, lost: str, scores: list, then: tuple) -> None:
    """The best, or one that may be lost without failure."""
    assert told(*scores, score=which, lost_response=lost) == then


def test_without_a_baseline_another_score_leaves_it_open() -> None:
    """The scale needs one; a change that did not follow proves nothing either way."""
    evidence = ("scales", "treatment_change")

    assert told((20, ILL), (60, ILL), scales=(HALVED,), evidence=evidence) == OPEN
    assert told((20, ILL), (128, ILL), scales=(HALVED,), evidence=evidence) == (None, "no_baseline", None)


@pytest.mark.parametrize(
    ("until", "which", "then"),
    [(157, "last", UNFINISHED), (158, "last", OPEN), (157, "best", UNFINISHED), (157, "first", OPEN)],
)
def test_a_score_that_may_yet_come_is_said_first(until: int, which: str, then: tuple) -> None:
    """Citalopram, dispensed until day 127, may hold a gap, but no first score comes; sertraline is added on day 20."""
    rows = [fill(0, CITALOPRAM, 128), fill(20, SERTRALINE, 30), fill(50, SERTRALINE, None)]

    assert told((127, ILL), rows=rows, rest={"coverage": [covered(-400, until)]}, score=which) == then


@pytest.mark.parametrize(
    ("how", "by_response", "by_failure"),
    [("first", None, None), ("any", None, True), ("all", False, None), ("any_measured", None, True)],
)
def test_a_scale_left_open_is_not_passed_over(how: str, by_response: bool | None, by_failure: bool | None) -> None:
    """Beside a PHQ-9 that tells; asked before the HAM-D17 it is the first."""
    for value, then in ((5.0, by_response), (10.0, by_failure)):
        scores = [(20, WELL), (60, ILL), (20, value, "phq9")]
        said = told(*scores, scales=(ABOVE_SEVEN, PHQ9), scales_joined=how)
        assert said[0] is then
        assert (said[1] == "unknown_score") is (then is None)
        if how == "first":
            assert told(*scores, scales=(PHQ9, ABOVE_SEVEN), scales_joined=how)[0] is (value > 9.0)


@pytest.mark.parametrize(("until", "then"), [(141, OPEN), (140, UNFINISHED)])
@pytest.mark.parametrize("scales", [(ABOVE_SEVEN, PHQ9), (PHQ9, ABOVE_SEVEN)])
def test_of_several_scales_one_that_may_yet_tell_is_said_first(until: int, then: tuple, scales: tuple) -> None:
    """A PHQ-9 may come until day 141."""
    rest = {"coverage": [covered(-400, until)], "scales": frozenset({"phq9"})}

    for how in ("first", "any", "all", "any_measured"):
        assert told((20, WELL), (60, ILL), rest=rest, scales=scales, scales_joined=how) == then


@pytest.mark.parametrize(("day", "then"), [(127, OPEN), (128, (True, "ect", on(70)))])
def test_no_evidence_is_asked_after_it(day: int, then: tuple) -> None:
    """ECT within the days; asked before the scales it tells."""
    rest = {"procedures": [session(70, "ect")]}
    settings = {"scales": (HALVED,), "change_signs": ("ect",), "rest": rest}

    assert told((day, ILL), evidence=("scales", "treatment_change"), score_days_after_end=0, **settings) == then
    assert told((day, ILL), evidence=("treatment_change", "scales"), **settings) == (True, "ect", on(70))


@pytest.mark.parametrize(("day", "by_scales", "change"), [(127, OPEN, OPEN), (128, NONE, (False, "no_change", None))])
def test_beside_it_no_change_proves_nothing(day: int, by_scales: tuple, change: tuple) -> None:
    """As beside a score that cannot be judged."""
    assert told((day, ILL), score_days_after_end=0) == by_scales
    assert told((day, ILL), evidence=("treatment_change", "scales"), score_days_after_end=0) == change


def test_the_response_is_told_by_the_outcome_score() -> None:
    """Whatever other score may tell."""
    outcome = {"evidence": ("scales",), "scales": (ABOVE_SEVEN,)}
    made = by_change(UNKNOWN, outcome=outcome, scores=[score(0, ILL), score(20, WELL), score(60, ILL)])

    assert facts(made["judgements"], "outcome_evidence", "response") == [("unknown_score", "remission")]
