"""Hand-drawn cases for when a change of treatment came in the reference, and what was stopped early.

Day 0 is the first day. Unless a case says otherwise a supply of unknown length lasts at most 100 days, 30 days make
drugs taken together, a sign counts within 90 days, and the person is seen for long. What is judged is the first trial.
"""

from __future__ import annotations

import pytest

from impasse.schemas.definition import ScaleRule
from tests.reference.drawn import (
    CITALOPRAM,
    MIRTAZAPINE,
    SERTRALINE,
    contact,
    fill,
    judged,
    on,
    score,
    session,
)

BOTH, SWITCH, ADD_ON = ("switch", "add_on"), ("switch",), ("add_on",)
ABOVE_SEVEN = ScaleRule(scale="hamd17", fails_if="score_above", value=7.0)
NO_CHANGE, UNFINISHED = (False, "no_change", None), (None, "unfinished", None)
UNKNOWN_END, UNKNOWN_OVERLAP = (None, "unknown_end", None), (None, "unknown_overlap", None)
PERHAPS = (None, "perhaps_early_stop", None)


# --- When a sign came -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "signs", "told"),
    [
        ([(70, SERTRALINE)], BOTH, UNKNOWN_END),
        ([(70, SERTRALINE)], SWITCH, UNKNOWN_OVERLAP),
        ([(70, SERTRALINE), (109, MIRTAZAPINE)], SWITCH, UNKNOWN_END),
        ([(70, SERTRALINE), (110, MIRTAZAPINE)], SWITCH, UNKNOWN_OVERLAP),
        ([(70, SERTRALINE)], ("ect",), NO_CHANGE),
    ],
)
def test_a_sign_may_have_come_in_time(rows: list, signs: tuple, told: tuple) -> None:
    """Ten days after day 0 nothing had followed, and ten days after day 99 something may have."""
    rows = [fill(0, CITALOPRAM, None), *(fill(day, drug, 60) for day, drug in rows)]

    assert judged(rows, outcome={"change_signs": signs, "change_within": 10}) == told


@pytest.mark.parametrize(
    ("rows", "until", "told", "if_not_failed"),
    [
        ([(0, None)], 189, NO_CHANGE, NO_CHANGE),
        ([(0, None)], 188, UNKNOWN_END, (False, "unfinished", None)),
        ([(0, None)], 90, UNKNOWN_END, (False, "unfinished", None)),
        ([(0, None)], 89, UNFINISHED, (False, "unfinished", None)),
        ([(0, 30), (30, None), (60, None)], 249, NO_CHANGE, NO_CHANGE),
        ([(0, 30), (30, None), (60, None)], 248, UNKNOWN_END, (False, "unfinished", None)),
        ([(0, 30), (30, None), (60, 30)], 179, NO_CHANGE, NO_CHANGE),
        ([(0, 30), (30, None), (60, 30)], 178, UNFINISHED, (False, "unfinished", None)),
    ],
)
def test_the_time_for_a_change_ends_after_the_latest_last_day(
    rows: list, until: int, told: tuple, if_not_failed: tuple
) -> None:
    """90 days after it; a supply of unknown length amid known ones changes nothing."""
    rows = [fill(day, CITALOPRAM, days) for day, days in rows]

    assert judged(rows, until=until) == told
    assert judged(rows, until=until, outcome={"if_unfinished": "not_failed"}) == if_not_failed


@pytest.mark.parametrize(
    ("signs", "day", "until", "told"),
    [
        (BOTH, 70, 1500, (True, "switch_or_add_on", on(70))),
        (SWITCH, 70, 1500, UNKNOWN_OVERLAP),
        (SWITCH, 70, 200, UNKNOWN_OVERLAP),
        (SWITCH, 71, 1500, (True, "switch", on(71))),
        (ADD_ON, 71, 1500, NO_CHANGE),
        (ADD_ON, 71, 200, UNFINISHED),
        (("ect",), 70, 1500, NO_CHANGE),
    ],
)
def test_in_the_episode_too_a_change_may_be_unknown(signs: tuple, day: int, until: int, told: tuple) -> None:
    """Whenever in the episode the sign came; an unknown supply alone leaves nothing open."""
    rows = [fill(0, CITALOPRAM, None), fill(day, SERTRALINE, 60)]

    assert judged(rows, until=until, outcome={"change_signs": signs, "change_within": "episode"}) == told


def test_of_signs_of_one_day_the_one_of_two_is_last() -> None:
    """ECT on the day on which sertraline was begun, in place of citalopram or beside it."""
    rows = [fill(0, CITALOPRAM, None), fill(70, SERTRALINE, 60)]
    told = judged(rows, outcome={"change_signs": ("switch", "add_on", "ect")}, procedures=[session(70, "ect")])

    assert told == (True, "ect", on(70))


@pytest.mark.parametrize("within", [90, "episode"])
def test_what_is_not_observed_is_named_first(within: int | str) -> None:
    """ECT is not seen, and whether sertraline came in the place of citalopram is not known."""
    rows = [fill(0, CITALOPRAM, None), fill(70, SERTRALINE, 60)]
    outcome = {"change_signs": ("switch", "ect"), "change_within": within}

    assert judged(rows, observes=frozenset({"drug"}), outcome=outcome) == (None, "unobserved", None)


# --- Death ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "death", "until", "told"),
    [
        (42, 60, 1500, NO_CHANGE),
        (42, 60, 60, NO_CHANGE),
        (42, 61, 60, UNFINISHED),
        (42, None, 60, UNFINISHED),
        (None, 60, 1500, NO_CHANGE),
        (None, 61, 60, UNFINISHED),
    ],
)
@pytest.mark.parametrize("within", [90, "episode"])
def test_death_is_the_end_of_the_time_for_a_change(
    days: int | None, death: int | None, until: int, told: tuple, within: int | str
) -> None:
    """Nothing followed until day 60: nothing more can if the person died then, and not if that was later."""
    death_date = None if death is None else on(death)
    outcome = {"change_within": within}

    assert judged([fill(0, CITALOPRAM, days)], until=until, death_date=death_date, outcome=outcome) == told


@pytest.mark.parametrize(("max_days", "told"), [(61, UNKNOWN_OVERLAP), (60, (True, "switch", on(40)))])
def test_what_came_before_death_stays_as_it_is(max_days: int, told: tuple) -> None:
    """Citalopram lasts until day 60 at most, the day of death, and may have gone on; or until the day before."""
    rows = [fill(0, CITALOPRAM, None), fill(40, SERTRALINE, 60)]

    assert judged(rows, max_days=max_days, death_date=on(60), outcome={"change_signs": SWITCH}) == told


@pytest.mark.parametrize(
    ("days", "death", "until", "told"),
    [
        (20, 49, 1500, NO_CHANGE),
        (20, 50, 1500, (None, "early_stop", None)),
        (20, 50, 49, PERHAPS),
        (20, None, 49, PERHAPS),
        (28, 50, 1500, NO_CHANGE),
        (None, 29, 1500, NO_CHANGE),
        (None, 30, 1500, PERHAPS),
    ],
)
def test_who_dies_on_a_drug_did_not_stop_it(days: int | None, death: int | None, until: int, told: tuple) -> None:
    """28 days are asked for; a drug of 20 days may go on within 30 days, until day 49."""
    outcome = {"early_stop_days": 28, "early_stop": "unknown"}
    death_date = None if death is None else on(death)

    assert judged([fill(0, CITALOPRAM, days)], until=until, death_date=death_date, outcome=outcome) == told


@pytest.mark.parametrize(("death", "evidence"), [(30, "no_change"), (31, "early_stop")])
def test_who_dies_amid_sessions_did_not_stop_them(death: int, evidence: str) -> None:
    """A session on day 0; the next one may have come within 30 days."""
    outcome = {"early_stop_days": 28, "early_stop": "unknown"}

    assert judged([], death_date=on(death), outcome=outcome, procedures=[session(0, "cbt")])[1] == evidence


# --- Stopped early ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "max_days", "until", "not_failed", "unknown", "by_evidence"),
    [
        ([fill(0, CITALOPRAM, 27)], 100, 1500, (False, "early_stop"), (None, "early_stop"), (False, "no_change")),
        ([fill(0, CITALOPRAM, 28)], 100, 1500, *[(False, "no_change")] * 3),
        ([fill(0, CITALOPRAM, None)], 27, 1500, (False, "early_stop"), (None, "early_stop"), (False, "no_change")),
        ([fill(0, CITALOPRAM, None)], 28, 1500, (False, PERHAPS[1]), PERHAPS[:2], (False, "no_change")),
        (
            [fill(0, CITALOPRAM, None), fill(10, SERTRALINE, 60)],
            27,
            1500,
            *[(False, "early_stop"), (None, "early_stop")],
            (True, "switch"),
        ),
        ([fill(0, CITALOPRAM, None), fill(10, SERTRALINE, 60)], 28, 1500, PERHAPS[:2], PERHAPS[:2], (True, "switch")),
        ([fill(0, CITALOPRAM, 27)], 100, 57, (False, "early_stop"), (None, "early_stop"), (None, "unfinished")),
        ([fill(0, CITALOPRAM, 27)], 100, 56, PERHAPS[:2], PERHAPS[:2], (None, "unfinished")),
    ],
)
def test_a_trial_may_have_been_stopped_early(
    rows: list, max_days: int, until: int, not_failed: tuple, unknown: tuple, by_evidence: tuple
) -> None:
    """Less than 28 days, surely or perhaps: of unknown supply, or going on for all that is known."""
    told = []
    for early_stop in ("not_failed", "unknown", "by_evidence"):
        outcome = {"early_stop_days": 28, "early_stop": early_stop}
        told.append(judged(rows, until=until, outcome=outcome, max_days=max_days))

    assert [each[:2] for each in told] == [not_failed, unknown, by_evidence]
    assert [each[2] for each in told[:2]] == [None, None]


@pytest.mark.parametrize(("value", "told"), [(7.0, (False, *PERHAPS[1:])), (7.5, PERHAPS)])
def test_what_is_so_in_either_case_is_told(value: float, told: tuple) -> None:
    """An early stop is no failure here; and if there was none, a score of 7 says that it did not fail."""
    outcome = {"early_stop_days": 28, "evidence": ("scales",), "scales": (ABOVE_SEVEN,), "lost_response": "not_failed"}

    assert judged([fill(0, CITALOPRAM, 20)], until=40, outcome=outcome, scores=[score(14, value)]) == told


@pytest.mark.parametrize(("code", "evidence"), [("F325", "early_stop"), ("F321", "perhaps_early_stop")])
def test_a_trial_that_a_remission_ended_is_over(code: str, evidence: str) -> None:
    """Seen until day 30, on which the illness has remitted or goes on."""
    outcome = {"early_stop_days": 28, "early_stop": "unknown"}
    diagnoses = [contact(0), contact(30, code)]

    assert judged([fill(0, CITALOPRAM, 20)], until=30, outcome=outcome, diagnoses=diagnoses)[1] == evidence


@pytest.mark.parametrize(("days", "evidence"), [(28, "early_stop"), (27, "no_change")])
def test_by_dates_only_an_early_stop_is_known(days: int, evidence: str) -> None:
    """From day 0 to day 27 there are 27 days by dates only, and nothing more there may be."""
    rows = [fill(day, CITALOPRAM, None) for day in (0, 27)]

    assert judged(rows, trial={"supply": "dates_only"}, outcome={"early_stop_days": days})[1] == evidence
