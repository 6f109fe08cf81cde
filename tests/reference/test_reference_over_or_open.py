"""Hand-drawn cases for what is over, and what counts perhaps, in the reference: both sides of every border.

Day 0 is the first day. Unless a case says otherwise trials hold gaps of 30 days, 30 days make drugs taken together, an
unknown supply lasts at most 100 days, and an episode may go on for 180 days after its last contact and is given 30 of
them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from impasse.schemas.definition import ScaleRule
from impasse.schemas.resistance import AdmissionItem, DiagnosisItem, DiagnosisLevel
from tests.reference.drawn import (
    BASE,
    CITALOPRAM,
    DRUGS,
    MIRTAZAPINE,
    SERTRALINE,
    STUDY,
    Row,
    by_change,
    classify,
    contact,
    count,
    covered,
    facts,
    fill,
    judged,
    number,
    on,
    score,
    session,
    with_alternative,
    with_eligible,
    with_outcome,
    with_score,
    with_trial,
)

UNKNOWN_OVERLAP = (None, "unknown_overlap", None)
ILL = 20.0
ABOVE_SEVEN = ScaleRule(scale="hamd17", fails_if="score_above", value=7.0)
UNKNOWN = [fill(0, CITALOPRAM, None)]  # until day 99 at most
AND_SERTRALINE = [*UNKNOWN, fill(40, SERTRALINE, 60)]


# --- When an episode is over ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tail", "until", "is_censored"),
    [(180, 179, True), (180, 180, False), (200, 180, True), (200, 199, True), (200, 200, False)],
)
def test_an_episode_is_over_when_gap_and_tail_are(tail: int, until: int, is_censored: bool) -> None:
    """After the one contact of day 0."""
    study = STUDY.model_copy(update={"tail_days": tail})
    told = classify(study=study, diagnoses=[contact(0)], coverage=[covered(-400, until)])

    assert facts(told["episodes"], "is_censored") == [(is_censored,)]


def test_who_was_never_ill_has_no_episode() -> None:
    """Nor one that is over."""
    assert classify(diagnoses=[])["episodes"] == []


@pytest.mark.parametrize(("until", "is_censored"), [(189, True), (190, False)])
def test_the_next_episode_ends_the_tail(until: int, is_censored: bool) -> None:
    """It begins on day 190, more than a gap after the contact of day 0, whose tail would last for a year."""
    study = STUDY.model_copy(update={"tail_days": 365})
    told = classify(study=study, diagnoses=[contact(0), contact(190)], coverage=[covered(-400, until)])

    assert facts(told["episodes"], "end_date", "is_censored")[0] == (on(189), is_censored)


@pytest.mark.parametrize(
    ("last", "death", "is_censored"),
    [("F321", None, True), ("F325", None, False), ("F321", 100, False), ("F321", 101, True)],
)
def test_remission_and_death_end_a_long_tail(last: str, death: int | None, is_censored: bool) -> None:
    """The last contact is on day 50, and observation ends on day 100."""
    study = STUDY.model_copy(update={"tail_days": 365})
    rest = {"diagnoses": [contact(0), contact(50, last)], "coverage": [covered(-400, 100)]}
    told = classify(study=study, death_date=None if death is None else on(death), **rest)

    assert facts(told["episodes"], "is_censored") == [(is_censored,)]


SHORT = STUDY.model_copy(update={"gap_days": 5, "tail_days": 0, "treatment_bridges": False})


@pytest.mark.parametrize(("until", "verdict"), [(58, ("undetermined", "follow_up")), (59, ("not_resistant", "trial"))])
def test_an_episode_in_which_a_trial_still_runs_was_not_seen_to_its_end(until: int, verdict: tuple) -> None:
    """The one contact's gap of 5 days has passed; the drug's last day is day 28, and its gap is seen by day 59."""
    given = replace(with_alternative(count(2, DRUGS, "given")), trial=BASE.trial)
    rest = {"diagnoses": [contact(0)], "dispensings": [fill(0, CITALOPRAM, 29)], "coverage": [covered(-400, until)]}

    assert classify(study=SHORT, definition=given, **rest)["verdicts"] == [verdict]


@pytest.mark.parametrize(("until", "told"), [(49, (None, "duration_unknown")), (50, (False, "too_short"))])
def test_a_supply_of_unknown_length_may_go_on_after_observation_ended(until: int, told: tuple) -> None:
    """It lasts 50 days at most, and 60 are asked for; its gap has passed."""
    long = replace(BASE, adequacy=replace(BASE.adequacy, drug=replace(BASE.adequacy.drug, min_days=60)))
    rest = {"diagnoses": [contact(0)], "dispensings": [fill(0, CITALOPRAM, None)], "coverage": [covered(-400, until)]}
    judgements = classify(study=SHORT, definition=long, max_days=50, **rest)["judgements"]

    assert facts(judgements, "is_adequate", "adequacy_reason") == [told]


# --- An add-on, perhaps -----------------------------------------------------------------------------------------------

SURE = [fill(0, CITALOPRAM, 98), fill(40, SERTRALINE, 60)]
REPLACED = [fill(0, CITALOPRAM, 28), fill(40, SERTRALINE, 60)]


@pytest.mark.parametrize(
    ("rows", "setting", "told"),
    [
        (AND_SERTRALINE, "own_trial", [(True, 1), (True, 0)]),
        (AND_SERTRALINE, "part_of_trial", [(True, 1), (None, 0)]),
        (AND_SERTRALINE, "ignored", [(True, 0), (None, 0)]),
        (SURE, "own_trial", [(True, 1), (True, 0)]),
        (SURE, "part_of_trial", [(True, 1), (False, 0)]),
        (SURE, "ignored", [(True, 0)]),
        (REPLACED, "part_of_trial", [(True, 0), (True, 0)]),
        (REPLACED, "ignored", [(True, 0), (True, 0)]),
    ],
)
def test_what_may_be_an_add_on_perhaps_counts(rows: list[Row], setting: str, told: list) -> None:
    """Sertraline from day 40 on: nobody knows whether citalopram was taken with it, or it was, or it was not."""
    assert facts(by_change(rows, trial={"combination": setting})["trials"], "is_counted", "n_add_ons") == told


@pytest.mark.parametrize(
    ("rows", "setting", "verdict", "n_trials"),
    [
        (AND_SERTRALINE, "own_trial", ("resistant", "resistance"), 2),
        (AND_SERTRALINE, "part_of_trial", ("undetermined", "trial"), 2),
        (AND_SERTRALINE, "ignored", ("undetermined", "trial"), 2),
        (SURE, "part_of_trial", ("not_resistant", "trial"), 1),
        (SURE, "ignored", ("not_resistant", "trial"), 1),
        (REPLACED, "ignored", ("resistant", "resistance"), 2),
    ],
)
def test_what_counts_perhaps_counts_for_the_most(rows: list, setting: str, verdict: tuple, n_trials: int) -> None:
    """Two antidepressants given."""
    given = with_alternative(count(2, DRUGS, "given"))
    definition = replace(given, trial=with_trial(combination=setting).trial)
    told = classify(definition=definition, dispensings=rows, max_days=100)

    assert told["verdicts"] == [verdict]
    assert facts(told["rows"], "n_trials") == [(n_trials,)]


@pytest.mark.parametrize(("setting", "bounds"), [("own_trial", (1, 2)), ("part_of_trial", (0, 2)), ("ignored", (0, 2))])
def test_a_failure_that_counts_perhaps_is_one_at_most(setting: str, bounds: tuple) -> None:
    """Mirtazapine replaces sertraline on day 130; how long citalopram lasted is unknown."""
    rows = [*AND_SERTRALINE, fill(130, MIRTAZAPINE, 10)]
    told = classify(definition=with_trial(combination=setting), dispensings=rows, max_days=100)

    assert facts(told["rows"], "n_failed_min", "n_failed_max") == [bounds]


@pytest.mark.parametrize(
    ("rows", "setting", "has_failed"),
    [
        (AND_SERTRALINE, "own_trial", None),
        (AND_SERTRALINE, "part_of_trial", None),
        (AND_SERTRALINE, "ignored", None),
        (SURE, "own_trial", None),
        (SURE, "part_of_trial", True),
        (SURE, "ignored", True),
    ],
)
def test_what_counts_perhaps_takes_scores(rows: list[Row], setting: str, has_failed: bool | None) -> None:
    """Sessions of CBT until day 70; the score of day 50 is theirs, or that of sertraline."""
    outcome = with_outcome(scales=(ABOVE_SEVEN,), evidence=("scales",)).outcome
    told = classify(
        definition=replace(with_trial(combination=setting), outcome=outcome),
        dispensings=rows,
        procedures=[session(day, "cbt") for day in range(0, 71, 7)],
        scores=[score(50, ILL)],
        max_days=100,
    )
    of_sessions = [trial["treatment"] == "cbt" for trial in told["trials"]].index(True)

    assert told["judgements"][of_sessions]["has_failed"] is has_failed


@pytest.mark.parametrize(
    ("setting", "of_host", "of_third"),
    [
        ("part_of_trial", (True, "switch_or_add_on", on(10)), (True, "switch", on(60))),
        ("ignored", UNKNOWN_OVERLAP, UNKNOWN_OVERLAP),
    ],
)
def test_what_may_be_left_out_is_a_sign_or_none(setting: str, of_host: tuple, of_third: tuple) -> None:
    """Mirtazapine from day 10 until day 39, sertraline from day 60 on: each perhaps with citalopram."""
    rows = [*UNKNOWN, fill(10, MIRTAZAPINE, 30), fill(60, SERTRALINE, 60)]
    trial = {"combination": setting}

    assert judged(rows, trial=trial) == of_host
    assert judged(rows, 1, trial=trial) == of_third


# --- No coverage delivered --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "is_left_truncated"), [(730, False), (731, True)])
def test_without_coverage_the_days_of_the_period_were_observed(asked: int, is_left_truncated: bool) -> None:
    """730 days from the period's start to the episode's; nobody knows whether the episode was."""
    study = STUDY.model_copy(update={"min_prior_observation_days": asked})
    told = classify(study=study, definition=with_eligible(min_observed_days=asked), absent=frozenset({"coverage"}))

    assert facts(told["episodes"], "is_observed", "is_left_truncated") == [(None, is_left_truncated)]
    assert told["verdicts"] == [("not_eligible", "eligible") if is_left_truncated else ("not_resistant", "trial")]


# --- What no window closes --------------------------------------------------------------------------------------------

ADMITTED = AdmissionItem(item="admission", points=1.0)
BIPOLAR = DiagnosisItem(
    item="diagnosis", when="during", levels=(DiagnosisLevel(codes="bipolar", points=1.0),), otherwise=0.0
)


@pytest.mark.parametrize(
    ("item", "until", "verdict", "most"),
    [
        (ADMITTED, 859, "undetermined", 1.0),
        (ADMITTED, 860, "not_resistant", 0.0),
        (BIPOLAR, 859, "undetermined", 1.0),
        (BIPOLAR, 860, "not_resistant", 0.0),
        (number((1, 1.0)), 859, "not_resistant", 0.0),
    ],
)
def test_no_window_closes_points_for_the_whole_episode(item: Any, until: int, verdict: str, most: float) -> None:
    """The rule's own window closed on day 99; the episode is over on day 860."""
    definition = replace(with_score(1.0, item), trial=with_trial(window="first_days", window_days=100).trial)
    definition = replace(definition, eligible=replace(BASE.eligible, exclusions=()))
    row = classify(definition=definition, coverage=[covered(-400, until)])["rows"][0]

    assert (row["verdict"], row["score_max"]) == (verdict, most)


# --- A drug that was left in an episode that is over ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rest", "sign"),
    [
        ({}, "switch"),
        ({"until": 209}, "switch_or_add_on"),
        ({"until": 210}, "switch"),
        ({"until": 250}, "switch"),
        ({"diagnoses": [contact(0), contact(99, "F325")]}, "switch_or_add_on"),
        ({"death_date": on(99)}, "switch_or_add_on"),
        ({"death_date": on(249)}, "switch_or_add_on"),
        ({"death_date": on(250)}, "switch"),
        ({"trial": {"window": "first_days", "window_days": 50}}, "switch_or_add_on"),
        ({"trial": {"window": "first_days", "window_days": 101}}, "switch"),
    ],
)
def test_nothing_goes_on_unseen_after_an_episode_that_is_over(rest: Row, sign: str) -> None:
    """Citalopram for 180 days, left on day 40; a gap after that is seen by day 210; over on day 250."""
    drawn = {"diagnoses": [contact(0), contact(70)], **rest}
    drawn["trial"] = {"overlap_needs_refill": True, **rest.get("trial", {})}

    assert judged([fill(0, CITALOPRAM, 180), fill(40, SERTRALINE, 30)], **drawn) == (True, sign, on(40))
