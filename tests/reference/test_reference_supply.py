"""Hand-drawn cases for what trials are made of in the reference: kinds of supply, how long they may last, remission.

Day 0 is the first day. Unless a case says otherwise a supply of unknown length lasts at most 100 days, trials hold
gaps of 30 days, and the person is seen for long.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from impasse.schemas.resistance import Item
from tests.reference.drawn import (
    CITALOPRAM,
    DRUGS,
    MIRTAZAPINE,
    SERTRALINE,
    STUDY,
    classify,
    contact,
    count,
    covered,
    facts,
    fill,
    on,
    session,
    with_alternative,
    with_drug_adequacy,
    with_eligible,
    with_outcome,
    with_score,
    with_trial,
)

DISPENSED = ("dispensed",)
EVERY_KIND = ("dispensed", "prescribed", "administered")


# --- Kinds of supply --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kinds", "kind", "n_trials"),
    [
        (DISPENSED, "dispensed", 1),
        (DISPENSED, "prescribed", 0),
        (DISPENSED, "administered", 0),
        (DISPENSED, "unknown", 1),
        (DISPENSED, None, 1),
        (("prescribed", "administered"), "dispensed", 0),
        (("prescribed", "administered"), "administered", 1),
        (("administered",), "unknown", 1),
    ],
)
def test_trials_are_made_of_the_kinds_of_supply(kinds: tuple, kind: str | None, n_trials: int) -> None:
    """One of the kinds, or one that nobody knows."""
    told = classify(definition=with_trial(supply_kinds=kinds), dispensings=[fill(0, CITALOPRAM, 30, kind=kind)])

    assert len(told["trials"]) == n_trials


@pytest.mark.parametrize(("kinds", "n_days"), [(EVERY_KIND, [91]), (DISPENSED, [30, 30])])
def test_another_kind_continues_no_trial(kinds: tuple, n_days: list) -> None:
    """What was prescribed on day 45 joins the supplies of days 0 and 61, where it counts."""
    told = classify(
        definition=with_trial(supply_kinds=kinds),
        dispensings=[fill(0, CITALOPRAM, 30), fill(45, CITALOPRAM, 5, kind="prescribed"), fill(61, CITALOPRAM, 30)],
    )

    assert [trial["n_days"] for trial in told["trials"]] == n_days


@pytest.mark.parametrize(("kinds", "n_days"), [(EVERY_KIND, 20), (DISPENSED, 30)])
def test_another_kind_ends_no_trial(kinds: tuple, n_days: int) -> None:
    """Citalopram dispensed once lasts until the next drug: the one prescribed on day 20 or that dispensed on day 30."""
    told = classify(
        definition=with_trial(supply_kinds=kinds, single_dispensing_days=30),
        dispensings=[fill(0, CITALOPRAM, 5), fill(20, SERTRALINE, 5, kind="prescribed"), fill(30, MIRTAZAPINE, 30)],
    )

    assert told["trials"][0]["n_days"] == n_days


@pytest.mark.parametrize(("kinds", "n_trials"), [(("dispensed", "prescribed"), 1), (("administered",), 2)])
def test_a_drug_given_as_a_procedure_is_administered(kinds: tuple, n_trials: int) -> None:
    """A session of psychotherapy is no supply, and counts in any case."""
    told = classify(definition=with_trial(supply_kinds=kinds), procedures=[session(0, CITALOPRAM), session(100, "cbt")])

    assert len(told["trials"]) == n_trials
    assert told["trials"][-1]["treatment"] == "cbt"


@pytest.mark.parametrize(("kinds", "treatments"), [(EVERY_KIND, [CITALOPRAM]), (DISPENSED, [CITALOPRAM, SERTRALINE])])
def test_another_kind_opens_no_window(kinds: tuple, treatments: list) -> None:
    """60 days from the prescription of day 0 or from the dispensing of day 10; the next drug is begun on day 69."""
    told = classify(
        definition=with_trial(supply_kinds=kinds, window="first_treated_days", window_days=60),
        dispensings=[
            *(fill(0, CITALOPRAM, 5, kind="prescribed"), fill(10, CITALOPRAM, 5)),
            *(fill(69, SERTRALINE, 5), fill(70, MIRTAZAPINE, 5)),
        ],
    )

    assert [trial["treatment"] for trial in told["trials"]] == treatments


@pytest.mark.parametrize(("last", "verdict"), [(69, "not_resistant"), (68, "undetermined")])
def test_the_window_that_closes_is_that_of_the_kinds(last: int, verdict: str) -> None:
    """The 60th day from the dispensing of day 10 is day 69, whatever was prescribed on day 0."""
    told = classify(
        definition=with_trial(supply_kinds=DISPENSED, window="first_treated_days", window_days=60),
        coverage=[covered(-400, last)],
        diagnoses=[contact(0)],
        dispensings=[fill(0, CITALOPRAM, 5, kind="prescribed"), fill(10, CITALOPRAM, 5)],
    )

    assert facts(told["rows"], "verdict") == [(verdict,)]


def test_earlier_treatment_of_any_kind_excludes() -> None:
    """The washout looks at what was prescribed, though no trial is made of it."""
    eligible = with_eligible(washout_treatments=DRUGS, washout_days=100).eligible
    told = classify(
        definition=replace(with_trial(supply_kinds=DISPENSED), eligible=eligible),
        dispensings=[fill(-31, CITALOPRAM, 1, kind="prescribed")],
    )

    assert facts(told["rows"], "verdict") == [("not_eligible",)]


def test_treatment_of_any_kind_bridges() -> None:
    """What was administered joins both contacts."""
    told = classify(
        definition=with_trial(supply_kinds=DISPENSED),
        study=STUDY.model_copy(update={"treatment_bridges": True}),
        diagnoses=[contact(0), contact(300)],
        dispensings=[fill(100, CITALOPRAM, 30, kind="administered")],
    )

    assert len(told["episodes"]) == 1
    assert told["trials"] == []


# --- Remission --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("remission", "trial"), [(60, (on(60), 61, 61)), (97, (on(97), 98, 98)), (98, (on(97), 98, 98))]
)
def test_a_remission_ends_the_trials(remission: int, trial: tuple) -> None:
    """A pack of 98 days lasts until the remission, or until day 97."""
    told = classify(diagnoses=[contact(0), contact(remission, "F325")], dispensings=[fill(0, CITALOPRAM, 98)])

    assert facts(told["trials"], "end_date", "n_days", "days_covered") == [trial]


@pytest.mark.parametrize(("code", "is_ongoing"), [("F325", False), ("F321", True)])
def test_after_a_remission_nothing_goes_on(code: str, is_ongoing: bool) -> None:
    """Seen until day 60, on which the illness has remitted or goes on; a drug and a course were running."""
    told = classify(
        coverage=[covered(-400, 60)],
        diagnoses=[contact(0), contact(60, code)],
        dispensings=[fill(0, CITALOPRAM, 98)],
        procedures=[session(50, "cbt")],
    )

    assert facts(told["trials"], "is_ongoing") == [(is_ongoing,), (is_ongoing,)]


@pytest.mark.parametrize(("day", "judged"), [(60, (True, on(60))), (61, (False, None))])
@pytest.mark.parametrize("sign", ["ect", "admission"])
def test_no_sign_after_a_remission_counts(sign: str, day: int, judged: tuple) -> None:
    """The illness has remitted on day 60."""
    told = classify(
        definition=with_outcome(change_signs=(sign,)),
        diagnoses=[contact(0), contact(60, "F325")],
        dispensings=[fill(0, CITALOPRAM, 42)],
        procedures=[session(day, "ect")],
        admissions=[{"start_date": on(day), "end_date": on(day), "main_code": "F321"}],
    )

    assert facts(told["judgements"], "has_failed", "failure_date") == [judged]


@pytest.mark.parametrize(
    ("code", "days", "judged"),
    [
        ("F325", 42, (False, "no_change")),
        ("F325", None, (False, "no_change")),
        ("F321", 42, (None, "unfinished")),
        ("F321", None, (None, "unfinished")),
    ],
)
def test_a_remission_is_the_end_of_the_time_for_a_change(code: str, days: int | None, judged: tuple) -> None:
    """Seen until day 60 only: nothing more can follow if the illness has remitted then."""
    told = classify(
        coverage=[covered(-400, 60)],
        diagnoses=[contact(0), contact(60, code)],
        dispensings=[fill(0, CITALOPRAM, days)],
    )

    assert facts(told["judgements"], "has_failed", "outcome_evidence") == [judged]


# --- Counts and points ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("second", "verdict"), [(100, "resistant"), (101, "undetermined"), (199, "undetermined"), (200, "not_resistant")]
)
def test_a_trial_counts_until_so_long_after_its_latest_last_day(second: int, verdict: str) -> None:
    """Within 100 days after day 0 it surely counts, and perhaps within 100 days after day 99."""
    told = classify(
        definition=with_alternative(count(2, what="given", by="substance"), within=100),
        dispensings=[fill(0, CITALOPRAM, None), fill(second, SERTRALINE, 1)],
        max_days=100,
    )

    assert facts(told["rows"], "verdict") == [(verdict,)]


@pytest.mark.parametrize(
    ("rows", "max_days", "points"),
    [
        ([fill(0, CITALOPRAM, None)], 99, (0.0, 0.0)),
        ([fill(0, CITALOPRAM, None)], 100, (0.0, 1.0)),
        ([fill(0, CITALOPRAM, 10), fill(10, CITALOPRAM, None)], 89, (0.0, 0.0)),
        ([fill(0, CITALOPRAM, 10), fill(10, CITALOPRAM, None)], 90, (0.0, 1.0)),
        ([fill(0, CITALOPRAM, 100), fill(5, CITALOPRAM, None)], 1, (1.0, 1.0)),
    ],
)
def test_an_extended_trial_may_have_the_days(rows: list, max_days: int, points: tuple) -> None:
    """100 days are asked for; citalopram is then left for sertraline, of which nothing follows."""
    item = Item(item="extended", of=DRUGS, points=1.0, max_points=1.0, extended_days=100)
    definition = replace(with_score("none", item), adequacy=with_drug_adequacy(min_days=0).adequacy)
    told = classify(definition=definition, dispensings=[*rows, fill(89, SERTRALINE, 29)], max_days=max_days)

    assert facts(told["stages"], "score_min", "score_max") == [points]
