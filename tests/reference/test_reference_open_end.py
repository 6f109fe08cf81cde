"""Hand-drawn cases for what the end of observation leaves open in the reference, both sides of every border.

Day 0 is the first day. Unless a case says otherwise trials hold gaps of 30 days, 30 days make drugs taken together, and
an episode may go on for 180 days after its last contact and is given 30 of them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from impasse.schemas.definition import ScaleBand, ScaleRule
from impasse.schemas.resistance import Band, LengthItem
from tests.reference.change import signs_shown
from tests.reference.codes import Treatment
from tests.reference.drawn import (
    BASE,
    CITALOPRAM,
    CODES,
    EVERYTHING,
    MIRTAZAPINE,
    SERTRALINE,
    STUDY,
    TWO_FAILURES,
    Row,
    by_change,
    classify,
    contact,
    covered,
    facts,
    fill,
    judged,
    number,
    on,
    score,
    with_drug_adequacy,
    with_outcome,
    with_score,
    with_trial,
)

RUNS, IS_OVER = 57, 58  # citalopram lasts until day 27 and may hold a gap: observation ends within it, or after it
FOUR_WEEKS = [fill(0, CITALOPRAM, 28)]
HALF_YEAR = [contact(0), contact(170)]  # the episode's last day is 200, and it is censored until day 349
MAY_GO_ON, ENDED = 349, 350
UNFINISHED, NO_CHANGE, NONE = (None, "unfinished", None), (False, "no_change", None), (None, "none", None)
NO_FAILURE = (False, "hamd17:fall_below", None)
LOST = (False, "hamd17:response_lost", None)
BOTH = ("scales", "treatment_change")


def failure(day: int) -> tuple:
    """A failure by the HAM-D17 on the day."""
    return True, "hamd17:fall_below", on(day)


# --- Scores of a trial that still runs --------------------------------------------------------------------------------


def scored(
    *values: float, until: int = RUNS, rows: list[Row] = FOUR_WEEKS, rest: Row | None = None, **outcome: Any
) -> tuple:
    """What the scores of days 15, 20 and 25 say after a baseline of 20; by scales alone unless it is said."""
    scores = [score(0, 20.0), *(score(day, value) for day, value in zip((15, 20, 25), values, strict=False))]
    return judged(rows, until=until, outcome={"evidence": ("scales",), **outcome}, **{"scores": scores, **(rest or {})})


@pytest.mark.parametrize(
    ("which", "lost", "values", "running", "over"),
    [
        ("last", "failed", (20.0,), UNFINISHED, failure(15)),
        ("last", "failed", (10.0,), UNFINISHED, NO_FAILURE),
        ("last", "not_failed", (10.5,), UNFINISHED, failure(15)),
        ("last", "not_failed", (10.0,), NO_FAILURE, NO_FAILURE),
        ("last", "not_failed", (10.0, 20.0), LOST, LOST),
        ("last", "not_failed", (20.0, 10.0), NO_FAILURE, NO_FAILURE),
        ("best", "failed", (20.0, 10.5), UNFINISHED, failure(20)),
        ("best", "failed", (10.0, 20.0), NO_FAILURE, NO_FAILURE),
        ("first", "failed", (20.0, 10.0), failure(15), failure(15)),
        ("first", "failed", (10.0, 20.0), NO_FAILURE, NO_FAILURE),
    ],
)
def test_a_score_stands_that_no_later_one_can_change(
    which: str, lost: str, values: tuple, running: tuple, over: tuple
) -> None:
    """The first one, and a response where it is the best or where losing it is no failure."""
    assert scored(*values, score=which, lost_response=lost) == running
    assert scored(*values, score=which, lost_response=lost, until=IS_OVER) == over


@pytest.mark.parametrize(
    ("value", "told"),
    [(17.0, None), (15.0, None), (10.5, None), (10.0, False)],
)
def test_of_a_band_a_fall_beyond_it_stands(value: float, told: bool | None) -> None:
    """From a quarter to under a half is a failure; a smaller fall is none, but may become one."""
    band = ScaleBand(scale="hamd17", fails_if="fall_between", at_least=25.0, below=50.0)

    assert scored(value, score="best", scales=(band,))[0] is told


@pytest.mark.parametrize(("death", "told"), [(RUNS, failure(15)), (RUNS + 1, UNFINISHED)])
def test_after_a_death_no_score_comes(death: int, told: tuple) -> None:
    """On the last day observed, or after it."""
    assert scored(20.0, rest={"death_date": on(death)}) == told


@pytest.mark.parametrize(("until", "told"), [(RUNS, UNFINISHED), (IS_OVER, failure(30))])
def test_a_score_after_treatment_may_be_one_on_treatment(until: int, told: tuple) -> None:
    """Three days after the last day that is known."""
    assert scored(rest={"scores": [score(0, 20.0), score(30, 20.0)]}, until=until) == told


@pytest.mark.parametrize(("which", "told"), [("first", (None, "no_baseline", None)), ("last", UNFINISHED)])
def test_a_score_without_baseline_is_left_open_too(which: str, told: tuple) -> None:
    """The first score cannot be judged; another last score could be."""
    scores = {"scores": [score(20, 20.0)]}

    assert scored(rest=scores, evidence=BOTH, change_within=10, score=which) == told


HAMD17 = ScaleRule(scale="hamd17", fails_if="fall_below", value=50.0)
PHQ9 = ScaleRule(scale="phq9", fails_if="score_above", value=9.0)


@pytest.mark.parametrize(
    ("how", "told"),
    [("first", None), ("any", None), ("all", False), ("any_measured", None)],
)
def test_a_scale_left_open_is_not_passed_over_as_the_first(how: str, told: bool | None) -> None:
    """The HAM-D17 is left open, the PHQ-9 shows a response; without a HAM-D17 the PHQ-9 is the first."""
    rules = {"scales": (HAMD17, PHQ9), "scales_joined": how, "score": "best"}
    phq9 = score(15, 5.0, "phq9")

    assert scored(rest={"scores": [score(0, 20.0), score(15, 20.0), phq9]}, **rules)[0] is told
    if how == "first":
        assert scored(rest={"scores": [phq9]}, **rules) == (False, "phq9:score_above", None)
        assert scored(rest={"scores": [score(0, 20.0), score(15, 10.0), phq9]}, **rules) == NO_FAILURE


@pytest.mark.parametrize(
    ("evidence", "changed"), [(BOTH, UNFINISHED), (BOTH[::-1], (True, "switch_or_add_on", on(40)))]
)
def test_beside_a_score_left_open_only_a_change_asked_before_tells(evidence: tuple, changed: tuple) -> None:
    """Sertraline on day 40; or nothing within 30 days; or nothing that would have been seen."""
    rules = {"evidence": evidence, "change_within": 30}
    unseen = {"observes": frozenset({"ect"})}

    assert scored(20.0, rows=[*FOUR_WEEKS, fill(40, SERTRALINE, 10)], **rules) == changed
    assert scored(20.0, **rules) == UNFINISHED
    assert scored(20.0, rest=unseen, **rules) == UNFINISHED
    assert scored(rest={"scores": []}, **rules) == NO_CHANGE
    assert scored(rest={"scores": []} | unseen, **rules) == (None, "unobserved", None)


def test_the_state_of_a_trial_that_still_runs_is_as_it_was_seen() -> None:
    """The response is told, though whether the trial failed is not."""
    told = by_change(
        FOUR_WEEKS, until=RUNS, outcome={"evidence": ("scales",)}, scores=[score(0, 20.0), score(15, 10.0)]
    )

    assert facts(told["judgements"], "has_failed", "response") == [(None, "insufficient")]


# --- Until when treatment was seen ------------------------------------------------------------------------------------

AFTER_THE_END = fill(201, MIRTAZAPINE, 30)  # of the episode only if it goes on


@pytest.mark.parametrize(
    ("bridges", "until", "days", "is_ongoing"),
    [
        (False, MAY_GO_ON, 20, False),
        (False, MAY_GO_ON, 21, True),
        (False, ENDED, 21, False),
        (False, ENDED, 170, False),
        (False, ENDED, 171, True),
        (True, 300, 21, False),
        (True, 300, 120, False),
        (True, 300, 121, True),
    ],
)
def test_treatment_is_seen_until_the_last_day_of_an_open_episode(
    bridges: bool, until: int, days: int, is_ongoing: bool
) -> None:
    """Citalopram from day 150 on and a gap reach day 201; where treatment bridges, observation ends what is seen."""
    study = STUDY.model_copy(update={"treatment_bridges": bridges})
    rows = [fill(150, CITALOPRAM, days), *([] if bridges else [AFTER_THE_END])]
    told = by_change(rows, until=until, study=study, diagnoses=HALF_YEAR)

    assert facts(told["trials"], "is_ongoing") == [(is_ongoing,)]


def test_without_a_treatment_after_its_last_day_all_is_seen_of_an_open_episode() -> None:
    """The supply and a gap reach day 201, and the day after what was observed, 349."""
    for days, is_ongoing in ((21, False), (169, False), (170, True)):
        told = by_change([fill(150, CITALOPRAM, days)], until=MAY_GO_ON, diagnoses=HALF_YEAR)

        assert facts(told["trials"], "is_ongoing") == [(is_ongoing,)]


FIRST_DAYS = {"window": "first_days", "window_days": 190}


@pytest.mark.parametrize(
    ("until", "days", "second", "trial", "sign"),
    [
        (MAY_GO_ON, 70, 165, {}, "switch"),
        (MAY_GO_ON, 71, 165, {}, "switch_or_add_on"),
        (ENDED, 71, 165, {}, "switch"),
        (MAY_GO_ON, 100, 190, {}, "switch_or_add_on"),
        (ENDED, 100, 190, {}, "switch"),
        (ENDED, 101, 190, {}, "switch"),
        (MAY_GO_ON, 89, 165, FIRST_DAYS, "switch"),
        (MAY_GO_ON, 90, 165, FIRST_DAYS, "switch_or_add_on"),
    ],
)
def test_a_drug_may_yet_run_where_the_episode_may_go_on(
    until: int, days: int, second: int, trial: dict, sign: str
) -> None:
    """From day 100; a gap must reach the episode's last day, 200, or the supply the window's, 189; else it is over."""
    rows = [fill(100, CITALOPRAM, days), fill(second, SERTRALINE, 30), AFTER_THE_END]

    assert judged(rows, until=until, trial=trial, diagnoses=HALF_YEAR) == (True, sign, on(second))


@pytest.mark.parametrize(
    ("days", "sign"),
    [(170, "switch"), (171, "switch_or_add_on")],
)
def test_where_treatment_bridges_a_drug_may_yet_run_at_the_end_of_observation(days: int, sign: str) -> None:
    """From day 100; observation ends on day 300."""
    rows = [fill(100, CITALOPRAM, days), fill(265, SERTRALINE, 30)]
    study = STUDY.model_copy(update={"treatment_bridges": True})

    assert judged(rows, until=300, study=study, diagnoses=HALF_YEAR) == (True, sign, on(265))


@pytest.mark.parametrize(
    ("until", "days", "roles"),
    [
        (MAY_GO_ON, 70, [("first", 0), ("switch", 0)]),
        (MAY_GO_ON, 71, [("first", 1), ("combination", 0)]),
        (ENDED, 71, [("first", 0), ("switch", 0)]),
        (ENDED, 101, [("first", 0), ("switch", 0)]),
    ],
)
def test_a_drug_may_yet_be_refilled_where_the_episode_may_go_on(until: int, days: int, roles: list) -> None:
    """From day 100, and left on day 150; a gap must reach day 200; where the episode is over, nothing does."""
    rows = [fill(100, CITALOPRAM, days), fill(150, SERTRALINE, 45), AFTER_THE_END]
    told = by_change(rows, until=until, trial={"overlap_needs_refill": True}, diagnoses=HALF_YEAR)

    assert facts(told["trials"], "role", "n_add_ons") == roles


# --- Days of the adherence window -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("until", "days", "window", "told"),
    [
        (MAY_GO_ON, 40, 51, (True, "adequate")),
        (MAY_GO_ON, 40, 52, (None, "duration_unknown")),
        (ENDED, 40, 52, (True, "adequate")),
        (ENDED, 171, 201, (True, "adequate")),
        (ENDED, 171, 202, (None, "duration_unknown")),
    ],
)
def test_the_days_of_the_window_pass_with_an_open_episode(until: int, days: int, window: int, told: tuple) -> None:
    """From day 150; the window ends on the episode's last day, 200, or on the last one observed, 350."""
    told_of = classify(
        definition=with_drug_adequacy(min_pdc_percent=50, adherence_window_days=window),
        diagnoses=HALF_YEAR,
        dispensings=[fill(150, CITALOPRAM, days)],
        coverage=[covered(-400, until)],
    )

    assert facts(told_of["judgements"], "is_adequate", "adequacy_reason") == [told]


# --- The last days, and the length, of an open episode ----------------------------------------------------------------

RESISTANT, OPEN = ("resistant", "resistance"), ("undetermined", "follow_up")


@pytest.mark.parametrize(
    ("window", "until", "rows", "told"),
    [
        ("last_days", 859, TWO_FAILURES, OPEN),
        ("last_days", 860, TWO_FAILURES, RESISTANT),
        ("episode", 859, TWO_FAILURES, RESISTANT),
        ("last_days", 859, [], OPEN),
        ("last_days", 860, [], ("not_resistant", "trial")),
    ],
)
def test_the_last_days_are_known_when_the_episode_is_over(window: str, until: int, rows: list, told: tuple) -> None:
    """The last contact is on day 680."""
    definition = with_trial(window=window, window_days=1000)
    told_of = classify(definition=definition, dispensings=rows, coverage=[covered(-400, until)])

    assert told_of["verdicts"] == [told]
    assert (told_of["rows"][0]["resistant_date"] is not None) == (told == RESISTANT)


LENGTH = LengthItem(item="episode_days", bands=(Band(at_least=1, points=1.0), Band(at_least=731, points=2.0)))


@pytest.mark.parametrize(
    ("item", "until", "verdict", "bounds"),
    [
        (LENGTH, 859, "undetermined", (1.0, 2.0)),
        (LENGTH, 860, "not_resistant", (1.0, 1.0)),
        (number((1, 2.0)), 859, "not_resistant", (0.0, 0.0)),
    ],
)
def test_the_length_is_known_when_the_episode_is_over(item: Any, until: int, verdict: str, bounds: tuple) -> None:
    """The rule's own window closed on day 99."""
    definition = replace(with_score(2.0, item), trial=with_trial(window="first_days", window_days=100).trial)
    row = classify(definition=definition, coverage=[covered(-400, until)])["rows"][0]

    assert row["verdict"] == verdict
    assert (row["score_min"], row["score_max"]) == bounds


# --- Signs that cannot be seen ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("treatments", "observes", "switch", "add_on"),
    [
        (("antidepressants", "cbt"), {"drug", "cbt"}, True, True),
        (("antidepressants", "cbt"), {"drug"}, True, False),
        (("antidepressants", "cbt"), {"drug", "psychotherapy"}, True, True),
        (("antidepressants", "psychotherapy"), {"drug", "cbt"}, True, False),
        (("antidepressants", "ect"), {"drug"}, True, True),
        (("antidepressants",), {"drug"}, True, True),
    ],
)
def test_a_sign_is_seen_where_every_treatment_is_that_could_be_one(
    treatments: tuple, observes: set[str], switch: bool, add_on: bool
) -> None:
    """Where psychotherapy is seen so is CBT, which does not show the rest; sessions of ECT are no sign of the two."""
    rows = [fill(0, CITALOPRAM, 28)]
    trial = {"treatments": treatments, "augmenters": ("antidepressants",)}
    for sign, is_seen in (("switch", switch), ("add_on", add_on)):
        told = judged(rows, observes=frozenset(observes), trial=trial, outcome={"change_signs": (sign,)})
        assert told == (NO_CHANGE if is_seen else (None, "unobserved", None))


KETAMINE = Treatment("N01AX03", "drug", "", "", "ketamine", frozenset({"ketamine"}), frozenset({"antidepressants"}))


@pytest.mark.parametrize(
    ("block", "observes", "shown"),
    [
        ({}, {"drug", "cbt"}, {"switch", "add_on"}),
        ({"treatments": ("antidepressants", "ketamine")}, {"drug", "cbt"}, set()),
        ({"augmenters": ("ketamine",)}, {"drug", "cbt"}, set()),
        ({"augmenters": ("ketamine",)}, {"drug", "cbt", "ketamine"}, {"switch", "add_on"}),
        ({"augmenters": ("ketamine",)}, {"ect", "cbt", "ketamine"}, {"ect"}),
        ({"treatments": ("cbt",), "augmenters": ()}, {"cbt"}, set()),
        ({"treatments": ("cbt",), "augmenters": ()}, {"cbt", "drug"}, {"switch", "add_on"}),
    ],
)
def test_a_drug_that_is_not_shown_hides_both_signs(block: dict, observes: set[str], shown: set[str]) -> None:
    """Ketamine is shown by itself; it is asked for where it surely is of a group of the rule. Drugs always are."""
    codes = replace(CODES, treatments=(*CODES.treatments, KETAMINE), remembered={})

    assert signs_shown(with_trial(**block), {"admissions": None}, codes, frozenset(observes)) == shown


def test_other_signs_are_seen_as_before() -> None:
    """Whatever the rule makes trials of."""
    shown = signs_shown(with_outcome(), {"admissions": []}, CODES, EVERYTHING)

    assert shown == {"switch", "add_on", "ect", "tms", "admission"}
    assert signs_shown(BASE, {"admissions": []}, CODES, frozenset()) == {"admission"}
