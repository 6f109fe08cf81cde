"""Hand-drawn cases for what a score or a change may yet tell in the reference, both sides of every border.

Day 0 is the first day. Unless a case says otherwise citalopram lasts until day 27, trials hold gaps of 30 days, 30 days
make drugs taken together, an unknown supply lasts at most 100 days, and an episode may go on for 180 days after its
last contact and is given 30 of them.
"""

from __future__ import annotations

from typing import Any

import pytest

from impasse.schemas.definition import ScaleRule
from tests.reference.drawn import (
    CITALOPRAM,
    MIRTAZAPINE,
    SERTRALINE,
    Row,
    by_change,
    contact,
    facts,
    fill,
    judged,
    on,
    score,
    session,
)

FOUR_WEEKS = [fill(0, CITALOPRAM, 28)]
SCALES_FIRST, CHANGE_FIRST = ("scales", "treatment_change"), ("treatment_change", "scales")
UNFINISHED, NO_CHANGE, NONE = (None, "unfinished", None), (False, "no_change", None), (None, "none", None)
UNKNOWN_OVERLAP, UNKNOWN_END = (None, "unknown_overlap", None), (None, "unknown_end", None)
ILL, WELL = 20.0, 5.0
HAMD17 = ScaleRule(scale="hamd17", fails_if="fall_below", value=50.0)
ABOVE_SEVEN = ScaleRule(scale="hamd17", fails_if="score_above", value=7.0)
PHQ9 = ScaleRule(scale="phq9", fails_if="score_above", value=9.0)
OF_ANYBODY = frozenset({"hamd17"})


def failure(day: int) -> tuple:
    """A failure by the HAM-D17 on the day."""
    return True, "hamd17:fall_below", on(day)


# --- A score may yet come ---------------------------------------------------------------------------------------------


def awaited(until: int, rows: list[Row] = FOUR_WEEKS, rest: Row | None = None, **outcome: Any) -> tuple:
    """What is said of the first trial without a HAM-D17, which others have; one may come until day 87."""
    rules = {"evidence": SCALES_FIRST, "change_within": 10, "score_days_after_end": 60, **outcome}
    return judged(rows, until=until, outcome=rules, **{"scales": OF_ANYBODY, **(rest or {})})


@pytest.mark.parametrize(
    ("until", "days", "days_after", "told"),
    [
        (57, 28, 0, UNFINISHED),
        (58, 28, 0, NO_CHANGE),
        (86, 28, 60, UNFINISHED),
        (87, 28, 60, NO_CHANGE),
        (158, None, 60, UNFINISHED),
        (159, None, 60, NO_CHANGE),
    ],
)
def test_a_score_may_come_in_a_trial_that_runs_or_soon_after(
    until: int, days: int | None, days_after: int, told: tuple
) -> None:
    """Observation ends within the gap that the trial may hold, or within the days after its latest possible last."""
    assert awaited(until, [fill(0, CITALOPRAM, days)], score_days_after_end=days_after) == told


def test_no_window_of_the_rule_closes_scores() -> None:
    """It ends on day 59, and a score may come until day 87."""
    assert awaited(70, rest={"trial": {"window": "first_days", "window_days": 60}}) == UNFINISHED


@pytest.mark.parametrize(
    ("until", "rows", "rest", "told"),
    [
        (70, [fill(40, SERTRALINE, 60)], {}, (True, "switch", on(40))),
        (50, [fill(40, SERTRALINE, 60)], {}, UNFINISHED),
        (70, [], {"procedures": [session(40, "cbt")]}, UNFINISHED),
        (70, [], {"diagnoses": [contact(0), contact(60, "F325")]}, NO_CHANGE),
        (70, [], {"diagnoses": [contact(0), contact(60)]}, UNFINISHED),
        (70, [], {"death_date": on(70)}, NO_CHANGE),
        (70, [], {"death_date": on(71)}, UNFINISHED),
    ],
)
def test_a_switch_remission_and_death_close_it(until: int, rows: list[Row], rest: Row, told: tuple) -> None:
    """On day 50 nobody knows yet whether sertraline replaced citalopram."""
    assert awaited(until, [*FOUR_WEEKS, *rows], rest, change_within=30) == told


def test_a_switch_closes_it_whatever_the_signs_of_change_are() -> None:
    """The rule asks for ECT."""
    rows = [*FOUR_WEEKS, fill(40, SERTRALINE, 60)]

    assert awaited(70, rows, change_signs=("ect",)) == NO_CHANGE
    assert awaited(70, change_signs=("ect",)) == UNFINISHED


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        ({"scales": frozenset()}, NO_CHANGE),
        ({"scales": frozenset({"phq9"})}, NO_CHANGE),
        ({"scales": frozenset({"hamd17", "phq9"})}, UNFINISHED),
        ({"scales": frozenset({"hamd17"}), "absent": frozenset({"scores"})}, NO_CHANGE),
        ({"scales": None, "scores": [score(-300, ILL)]}, UNFINISHED),
        ({"scales": None, "scores": [score(-300, ILL, "phq9")]}, NO_CHANGE),
    ],
)
def test_a_scale_of_which_nothing_was_delivered_is_not_awaited(rest: Row, told: tuple) -> None:
    """Somebody has a score on it, or nobody has."""
    assert awaited(70, rest=rest) == told


@pytest.mark.parametrize(
    ("evidence", "told"),
    [(("scales",), UNFINISHED), (("treatment_change",), NO_CHANGE), (CHANGE_FIRST, UNFINISHED)],
)
def test_a_score_is_awaited_where_the_rule_asks_for_it(evidence: tuple, told: tuple) -> None:
    """Beside a score that may come, as beside one that cannot be judged, the absence of a change proves nothing."""
    assert awaited(70, evidence=evidence) == told
    assert awaited(70, evidence=evidence, if_unfinished="not_failed") == told
    assert awaited(87, evidence=evidence) == (NONE if evidence == ("scales",) else NO_CHANGE)


def test_a_change_is_asked_first_where_the_rule_says_so() -> None:
    """Sertraline is begun while citalopram may yet run."""
    rows = [*FOUR_WEEKS, fill(37, SERTRALINE, 60)]

    assert awaited(50, rows, evidence=CHANGE_FIRST) == (True, "switch_or_add_on", on(37))
    assert awaited(50, rows, evidence=SCALES_FIRST) == UNFINISHED


@pytest.mark.parametrize(
    ("how", "by_response", "by_failure"),
    [("first", None, None), ("any", None, True), ("all", False, None), ("any_measured", None, True)],
)
def test_an_awaited_scale_is_open_beside_another(how: str, by_response: bool | None, by_failure: bool | None) -> None:
    """The PHQ-9 has told; asked before the HAM-D17 it is the first."""
    for value, told in ((5.0, by_response), (10.0, by_failure)):
        rest = {"scores": [score(15, value, "phq9")]}
        assert awaited(70, rest=rest, scales=(HAMD17, PHQ9), scales_joined=how)[0] is told
        if how == "first":
            assert awaited(70, rest=rest, scales=(PHQ9, HAMD17), scales_joined=how)[0] is (value > 9.0)


def test_no_later_scale_is_the_first_past_an_awaited_one() -> None:
    """A PANSS without a baseline is passed over, a HAM-D17 that may come is not."""
    panss = ScaleRule(scale="panss", fails_if="points_below", value=10.0)
    scores = {"scores": [score(20, 60.0, "panss"), score(15, 5.0, "phq9")]}
    rules = {"scales": (panss, HAMD17, PHQ9), "scales_joined": "first"}

    assert awaited(70, rest=scores, **rules) == UNFINISHED
    assert awaited(87, rest=scores, **rules) == (False, "phq9:score_above", None)


@pytest.mark.parametrize(
    ("until", "told"), [(57, (None, "perhaps_early_stop", None)), (58, (False, "early_stop", None))]
)
def test_an_early_stop_is_said_as_ever(until: int, told: tuple) -> None:
    """Less than 29 days, for all that is known or surely."""
    assert awaited(until, early_stop_days=29) == told


# --- Scores after the remission ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "last_contact", "told"),
    [
        (20, "F325", (*failure(20), "no_response", "severe")),
        (21, "F325", (*NONE, "cannot_tell", None)),
        (21, "F321", (*failure(21), "no_response", "severe")),
    ],
)
def test_a_score_after_the_remission_tells_nothing(day: int, last_contact: str, told: tuple) -> None:
    """Citalopram until day 20, the day of the remission or of another contact."""
    told_of = by_change(
        [fill(0, CITALOPRAM, 21)],
        outcome={"evidence": ("scales",)},
        diagnoses=[contact(0), contact(20, last_contact)],
        scores=[score(0, 20.0), score(day, 20.0)],
    )
    names = ("has_failed", "outcome_evidence", "failure_date", "response", "outcome_severity")

    assert facts(told_of["judgements"], *names) == [told]


# --- A change may yet come --------------------------------------------------------------------------------------------

UNKNOWN = [fill(0, CITALOPRAM, None)]  # until day 99 at most
AND_SERTRALINE = [*UNKNOWN, fill(40, SERTRALINE, 60)]
SWITCH = {"change_signs": ("switch",)}


def ill(until: int, rows: list[Row], evidence: tuple = CHANGE_FIRST, rest: Row | None = None, **outcome: Any) -> tuple:
    """What is said of the first trial, which the HAM-D17 of day 14 calls a failure; a sign counts within 30 days."""
    rules = {"evidence": evidence, "change_within": 30, **outcome}
    return judged(rows, until=until, outcome=rules, **{"scores": [score(0, ILL), score(14, ILL)], **(rest or {})})


@pytest.mark.parametrize(
    ("until", "rows", "settings", "told"),
    [
        (116, FOUR_WEEKS, {"change_within": 90}, UNFINISHED),
        (117, FOUR_WEEKS, {"change_within": 90}, NO_CHANGE),
        (116, FOUR_WEEKS, {"change_within": 90, "if_unfinished": "not_failed"}, (False, "unfinished", None)),
        (128, AND_SERTRALINE, SWITCH, UNKNOWN_OVERLAP),
        (129, AND_SERTRALINE, SWITCH, failure(14)),
    ],
)
def test_scales_wait_for_a_change_within_the_days(until: int, rows: list, settings: Row, told: tuple) -> None:
    """Until the last of them after the latest possible last day; asked before the change, the scale tells."""
    assert ill(until, rows, **settings) == told
    assert ill(until, rows, SCALES_FIRST, **settings) == failure(14)


@pytest.mark.parametrize(("until", "told"), [(128, UNKNOWN_END), (129, failure(14))])
def test_scales_wait_where_nobody_knows_whether_a_sign_counts(until: int, told: tuple) -> None:
    """ECT on day 100: more than 30 days after the last day that is known, and less after the latest possible one."""
    assert ill(until, UNKNOWN, rest={"procedures": [session(100, "ect")]}, change_signs=("ect",)) == told


@pytest.mark.parametrize(
    ("until", "rows", "told"),
    [
        (249, AND_SERTRALINE, UNKNOWN_OVERLAP),
        (250, AND_SERTRALINE, failure(14)),
        (249, FOUR_WEEKS, UNFINISHED),
        (250, FOUR_WEEKS, NO_CHANGE),
    ],
)
def test_scales_wait_for_a_change_in_an_open_episode(until: int, rows: list, told: tuple) -> None:
    """After the last contact, on day 70."""
    rest = {"diagnoses": [contact(0), contact(70)]}

    assert ill(until, rows, rest=rest, change_within="episode", **SWITCH) == told


@pytest.mark.parametrize("within", [90, "episode"])
def test_scales_tell_where_no_change_can_be_seen(within: int | str) -> None:
    """The delivery shows ECT alone, and observation ends on day 70."""
    assert ill(70, FOUR_WEEKS, rest={"observes": frozenset({"ect"})}, change_within=within) == failure(14)


# --- The day on which a left drug was replaced ------------------------------------------------------------------------


def on_treatment(days: int, scores: list, supply: Row | None = None, **trial: Any) -> bool | None:
    """Whether citalopram for so many days failed by scores on it; sertraline is begun on day 40."""
    rules = {"evidence": ("scales",), "scales": (ABOVE_SEVEN,), "score_days_after_end": 0}
    rows = [fill(0, CITALOPRAM, days), fill(40, SERTRALINE, 60)]
    rest = {"scores": [score(*each) for each in scores], "supply": supply}
    return judged(rows, outcome=rules, trial=trial, **rest)[0]


@pytest.mark.parametrize(
    ("days", "scores", "has_failed"),
    [
        (41, [(40, ILL)], True),
        (40, [(40, ILL)], None),
        (98, [(41, ILL)], None),
        (41, [(30, ILL), (40, WELL)], False),
        (40, [(30, ILL), (40, WELL)], True),
        (98, [(30, ILL), (41, WELL)], True),
    ],
)
def test_a_left_drug_is_measured_on_the_day_it_was_replaced(days: int, scores: list, has_failed: bool | None) -> None:
    """With supply in hand on day 40, or not any more."""
    assert on_treatment(days, scores, overlap_needs_refill=True) is has_failed
    assert on_treatment(days, scores, supply={"new_drug_ends_old": True}) is has_failed


@pytest.mark.parametrize(("days", "has_failed"), [(31, None), (30, True)])
def test_a_score_of_that_day_is_not_an_earlier_drugs(days: int, has_failed: bool | None) -> None:
    """Sertraline, added on day 20, is left for mirtazapine on day 50, on which citalopram is dispensed again."""
    rows = [fill(0, CITALOPRAM, 50), fill(20, SERTRALINE, days), fill(50, CITALOPRAM, 50), fill(50, MIRTAZAPINE, 40)]
    outcome = {"evidence": ("scales",), "scales": (ABOVE_SEVEN,)}
    told = judged(rows, outcome=outcome, trial={"overlap_needs_refill": True}, scores=[score(50, ILL)])

    assert told[0] is has_failed
