"""Hand-drawn cases for what nobody has seen in the reference, and for what comes too early or too late to be a sign.

Day 0 is the first day. Unless a case says otherwise an unknown supply lasts at most 100 days, trials hold gaps of 30
days, 30 days make drugs taken together, a sign counts within 90 days, and the person is seen for long.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.reference.drawn import (
    ARIPIPRAZOLE,
    CITALOPRAM,
    DRUGS,
    MIRTAZAPINE,
    SERTRALINE,
    Row,
    by_change,
    classify,
    contact,
    count,
    covered,
    facts,
    fill,
    judged,
    on,
    session,
    with_alternative,
    with_drug_adequacy,
)

BOTH, SWITCH, ADD_ON = ("switch", "add_on"), ("switch",), ("add_on",)
REFILLED = {"overlap_needs_refill": True}
NO_CHANGE, UNFINISHED = (False, "no_change", None), (None, "unfinished", None)
UNKNOWN_OVERLAP = (None, "unknown_overlap", None)
UNKNOWN = (None, "duration_unknown")


def roles(rows: list[Row], **rest: Any) -> list[tuple]:
    """Each trial's role and number of add-ons."""
    return facts(by_change(rows, **rest)["trials"], "role", "n_add_ons")


# --- May yet run ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("until", "death", "code", "sign"),
    [
        (89, None, "F321", "switch_or_add_on"),
        (90, None, "F321", "switch"),
        (70, None, "F321", "switch_or_add_on"),
        (70, 70, "F321", "switch"),
        (70, 71, "F321", "switch_or_add_on"),
        (70, None, "F325", "switch"),
        (59, 59, "F321", "switch_or_add_on"),
    ],
)
def test_a_drug_may_go_on_unseen_and_overlap(until: int, death: int | None, code: str, sign: str) -> None:
    """Citalopram until day 59, beside sertraline from day 50; seen for a gap longer, unless it ends in between."""
    rows = [fill(0, CITALOPRAM, 60), fill(50, SERTRALINE, 98)]
    diagnoses = [contact(0), contact(70, code)] if until == 70 else [contact(0), contact(until)]
    ends = {"until": until, "death_date": None if death is None else on(death), "diagnoses": diagnoses}

    assert judged(rows, **ends) == (True, sign, on(50))


@pytest.mark.parametrize(
    ("window_days", "told"), [(60, [("first", 1), ("combination", 0)]), (61, [("first", 0), ("switch", 0)])]
)
def test_no_gap_is_open_where_more_was_seen_than_is_looked_at(window_days: int, told: list) -> None:
    """Citalopram until day 59, sertraline from day 50; the window closes then, or the day after."""
    trial = {"window": "first_days", "window_days": window_days}

    assert roles([fill(0, CITALOPRAM, 60), fill(50, SERTRALINE, 98)], trial=trial) == told


# --- Roles and what was added -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "told"), [(70, [("first", 1), ("combination", 0)]), (71, [("first", 0), ("switch", 0)])]
)
def test_a_drug_that_may_be_added_is_a_combination(day: int, told: list) -> None:
    """Citalopram lasts until day 0 or 99: together with sertraline for up to 30 days, or for 29."""
    assert roles([fill(0, CITALOPRAM, None), fill(day, SERTRALINE, 60)]) == told


@pytest.mark.parametrize(
    ("again", "role"), [(39, "switch"), (40, "combination"), (130, "combination"), (131, "switch")]
)
def test_a_refill_of_what_may_be_the_same_trial_makes_a_combination(again: int, role: str) -> None:
    """Sertraline from day 40; citalopram of unknown length, until day 99 at most, and another trial of it."""
    rows = [fill(0, CITALOPRAM, None), fill(again, CITALOPRAM, 20), fill(40, SERTRALINE, 60)]
    made = by_change(rows, trial={**REFILLED, "overlap_days": 10})["trials"]

    assert next(trial["role"] for trial in made if trial["treatment"] == SERTRALINE) == role


def test_an_augmenter_is_added_by_what_is_known() -> None:
    """Beside citalopram that lasts until day 0 or 99 it is no trial."""
    assert roles([fill(0, CITALOPRAM, None), fill(40, ARIPIPRAZOLE, 60)]) == [("first", 0)]


@pytest.mark.parametrize(("days", "n_add_ons"), [(30, [1, 1, 0]), (29, [2, 0, 0])])
def test_a_sure_host_comes_first(days: int, n_add_ons: list) -> None:
    """Mirtazapine from day 31, longest beside citalopram, which may be refilled; sertraline was, for 30 days or 29."""
    rows = [fill(0, CITALOPRAM, 98), fill(0, SERTRALINE, 30), fill(31, SERTRALINE, days), fill(31, MIRTAZAPINE, 90)]

    assert [n for _, n in roles(rows, until=110, trial=REFILLED)] == n_add_ons


@pytest.mark.parametrize(("days", "n_add_ons"), [(61, [2, 0, 0]), (60, [2, 0, 0]), (59, [2, 0, 0])])
def test_of_hosts_in_doubt_the_longest_known_overlap_tells(days: int, n_add_ons: list) -> None:
    """Mirtazapine from day 40 ends what lasts beyond it, if nothing else does: of equals the first is the host."""
    rows = [fill(0, CITALOPRAM, 60), fill(0, SERTRALINE, days), fill(40, MIRTAZAPINE, 90)]

    assert [n for _, n in roles(rows, until=80, trial=REFILLED)] == n_add_ons


@pytest.mark.parametrize(
    ("day", "n", "verdict"),
    [
        (70, 1, ("undetermined", "trial")),
        (71, 1, ("not_resistant", "trial")),
        (70, 2, ("not_resistant", "trial")),
    ],
)
def test_whether_it_was_added_is_a_matter_of_trials(day: int, n: int, verdict: tuple) -> None:
    """Citalopram lasts until day 0 or 99: together with sertraline for up to 30 days, or for 29."""
    rows = [fill(0, CITALOPRAM, None), fill(day, SERTRALINE, 60)]
    told = classify(definition=with_alternative(count(n, DRUGS, "added")), dispensings=rows, max_days=100)

    assert told["verdicts"] == [verdict]


def test_what_was_surely_added_counts() -> None:
    """30 days of known overlap."""
    rows = [fill(0, CITALOPRAM, 60), fill(30, SERTRALINE, 60)]
    told = classify(definition=with_alternative(count(1, DRUGS, "added")), dispensings=rows)

    assert told["verdicts"] == [("resistant", "resistance")]


# --- Too early to be an add-on ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "from_day", "signs", "told"),
    [
        (14, 15, BOTH, (True, "add_on", on(14))),
        (13, 15, BOTH, NO_CHANGE),
        (13, 14, BOTH, (True, "add_on", on(13))),
        (14, 15, ADD_ON, (True, "add_on", on(14))),
        (13, 15, ADD_ON, NO_CHANGE),
        (13, 15, SWITCH, NO_CHANGE),
    ],
)
@pytest.mark.parametrize("within", [90, "episode"])
def test_an_early_add_on_is_no_sign(day: int, from_day: int, signs: tuple, told: tuple, within: int | str) -> None:
    """On the trial's 15th day or the 14th, and surely beside it."""
    rows = [fill(0, CITALOPRAM, 98), fill(day, SERTRALINE, 60)]
    outcome = {"change_signs": signs, "add_on_from_day": from_day, "change_within": within}

    assert judged(rows, outcome=outcome) == told


@pytest.mark.parametrize(("day", "told"), [(14, (True, "add_on", on(14))), (13, NO_CHANGE)])
def test_early_psychotherapy_is_no_sign(day: int, told: tuple) -> None:
    """Of a drug; a drug begun early in a course is none of the course."""
    outcome = {"add_on_from_day": 15}
    sessions = [session(7 * n, "cbt") for n in range(6)]

    assert judged([fill(0, CITALOPRAM, 60)], procedures=[session(day, "cbt")], outcome=outcome) == told
    assert judged([fill(day, CITALOPRAM, 60)], procedures=sessions, outcome=outcome) == told


def test_an_early_switch_is_a_sign() -> None:
    """One pack of 10 days, and another drug from day 12."""
    rows = [fill(0, CITALOPRAM, 10), fill(12, SERTRALINE, 60)]

    assert judged(rows, outcome={"add_on_from_day": 15}) == (True, "switch", on(12))


@pytest.mark.parametrize(
    ("day", "signs", "told"),
    [
        (14, BOTH, (True, "switch_or_add_on", on(14))),
        (14, SWITCH, UNKNOWN_OVERLAP),
        (14, ADD_ON, UNKNOWN_OVERLAP),
        (13, BOTH, UNKNOWN_OVERLAP),
        (13, SWITCH, UNKNOWN_OVERLAP),
        (13, ADD_ON, NO_CHANGE),
        (13, ("ect",), NO_CHANGE),
    ],
)
@pytest.mark.parametrize("within", [90, "episode"])
def test_an_early_open_sign_is_a_switch_or_nothing(day: int, signs: tuple, told: tuple, within: int | str) -> None:
    """Citalopram lasts until day 0 or 99."""
    rows = [fill(0, CITALOPRAM, None), fill(day, SERTRALINE, 60)]
    outcome = {"change_signs": signs, "add_on_from_day": 15, "change_within": within}

    assert judged(rows, outcome=outcome) == told


# --- The definition's own window --------------------------------------------------------------------------------------

STAY = {"start_date": on(100), "end_date": on(110), "main_code": "F321", "main_code_system": "icd10"}


@pytest.mark.parametrize(
    ("window", "window_days", "is_sign"),
    [
        ("first_days", 101, True),
        ("first_days", 100, False),
        ("first_treated_days", 96, True),
        ("first_treated_days", 95, False),
        ("last_days", 1000, True),
        ("episode", 0, True),
    ],
)
@pytest.mark.parametrize("sign", ["ect", "admission"])
@pytest.mark.parametrize("within", [90, "episode"])
def test_a_sign_after_the_window_is_none(
    window: str, window_days: int, is_sign: bool, sign: str, within: int | str
) -> None:
    """Treated from day 5, and a sign on day 100."""
    trial = {"window": window, "window_days": window_days}
    outcome = {"change_signs": (sign,), "change_within": within}
    seen = {"procedures": [session(100, "ect")], "admissions": [STAY]}
    told = judged([fill(5, CITALOPRAM, 60)], trial=trial, outcome=outcome, **seen)

    assert told == ((True, sign, on(100)) if is_sign else NO_CHANGE)


@pytest.mark.parametrize(
    ("window", "window_days", "until", "told"),
    [
        ("first_days", 91, 90, NO_CHANGE),
        ("first_days", 92, 90, UNFINISHED),
        ("first_treated_days", 86, 90, NO_CHANGE),
        ("first_treated_days", 87, 90, UNFINISHED),
        ("last_days", 91, 90, UNFINISHED),
        ("episode", 0, 90, UNFINISHED),
    ],
)
def test_after_the_window_everything_has_been_seen(window: str, window_days: int, until: int, told: tuple) -> None:
    """Treated from day 5 until day 44, so that a change may come until day 134."""
    trial = {"window": window, "window_days": window_days}

    assert judged([fill(5, CITALOPRAM, 40)], until=until, trial=trial) == told


# --- Adherence of a trial that still runs -----------------------------------------------------------------------------

TWO_FILLS = [fill(0, CITALOPRAM, 20), fill(40, CITALOPRAM, 20)]


def adequacy(until: int, rows: list[Row] = TWO_FILLS, death: int | None = None, **settings: Any) -> tuple:
    """Whether the first trial was adequate, and why; seen until the day."""
    ends = {"coverage": [covered(-400, until)], "death_date": None if death is None else on(death)}
    told = classify(definition=with_drug_adequacy(**settings), dispensings=rows, **ends)
    return facts(told["judgements"], "is_adequate", "adequacy_reason")[0]


@pytest.mark.parametrize("asked", ["min_pdc_percent", "min_mpr_percent"])
@pytest.mark.parametrize(("percent", "told"), [(66, (True, "adequate")), (67, (False, "low_adherence"))])
def test_of_a_trial_that_runs_the_adherence_is_unknown(asked: str, percent: int, told: tuple) -> None:
    """40 of 60 days, and a next supply may come until day 89."""
    assert adequacy(89, **{asked: percent}) == UNKNOWN
    assert adequacy(90, **{asked: percent}) == told
    assert adequacy(89, death=89, **{asked: percent}) == told
    assert adequacy(89, death=90, **{asked: percent}) == UNKNOWN


def test_a_trial_that_runs_may_yet_be_long_enough() -> None:
    """It is not too short before it has ended; and where no adherence is asked for, what is reached is known."""
    assert adequacy(89, min_days=61) == UNKNOWN
    assert adequacy(90, min_days=61) == (False, "too_short")
    assert adequacy(89) == (True, "adequate")


@pytest.mark.parametrize(("days", "percent", "told"), [(61, 50, UNKNOWN), (60, 66, (True, "adequate"))])
def test_the_adherence_of_a_window_is_known_at_its_end(days: int, percent: int, told: tuple) -> None:
    """Seen until day 59, on which the first 60 days are over, and 61 are not."""
    assert adequacy(59, min_pdc_percent=percent, adherence_window_days=days) == told


@pytest.mark.parametrize(("percent", "told"), [(66, (True, "adequate")), (67, (False, "low_adherence"))])
def test_the_adherence_of_a_window_that_is_over_tells(percent: int, told: tuple) -> None:
    """40 of the first 60 days, whatever comes later."""
    assert adequacy(70, min_pdc_percent=percent, adherence_window_days=60) == told
