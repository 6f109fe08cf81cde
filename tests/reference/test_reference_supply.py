"""Hand-drawn cases for what trials are made of in the reference: kinds of supply, how long they may last, remission.

Day 0 is the first day. Unless a case says otherwise a supply of unknown length lasts at most 100 days, trials hold
gaps of 30 days, and the person is seen for long.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from impasse.schemas.definition import Item
from tests.reference.basics import treatment_rows
from tests.reference.drawn import (
    CITALOPRAM,
    CODES,
    DRUGS,
    MIRTAZAPINE,
    SERTRALINE,
    STUDY,
    Row,
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
from tests.reference.trials import trials_of

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


# --- The latest possible last day -------------------------------------------------------------------------------------


def latest(rows: list, until: int = 1000, remission: int | None = None, **settings: Any) -> list[tuple[int, int]]:
    """The latest possible last day of each trial, and the most days it may have; supplies are day, drug and days."""
    tables: Row = {"dispensings": [fill(*row) for row in rows if len(row) == 3]}
    tables["procedures"] = [session(*row) for row in rows if len(row) == 2]
    episode = {
        "episode_id": "a",
        "start_date": on(0),
        "treated_from": on(0),
        "end_date": on(min(until, 900)) if remission is None else on(remission),
        "end_reason": "tail" if remission is None else "remission",
        "observed_until": on(until),
    }
    person = {"treatments": treatment_rows(tables, CODES)}
    trials = trials_of(person, episode, with_trial(**settings).trial, "together", max_days=100)
    return [((trial["last_day_at_most"] - on(0)).days, trial["n_days_at_most"]) for trial in trials]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([(0, CITALOPRAM, 30)], [(29, 30)]),
        ([(0, CITALOPRAM, None)], [(99, 100)]),
        ([(0, CITALOPRAM, 30), (30, CITALOPRAM, None)], [(129, 130)]),
        ([(0, CITALOPRAM, None), (20, CITALOPRAM, 30)], [(99, 100)]),
        ([(0, CITALOPRAM, None), (20, CITALOPRAM, 90)], [(109, 110)]),
        ([(0, CITALOPRAM, 30), (0, SERTRALINE, None)], [(29, 30), (99, 100)]),
        ([(0, "cbt"), (14, "cbt")], [(14, 15)]),
    ],
)
def test_an_unknown_supply_lasts_at_most_so_long(rows: list, told: list) -> None:
    """100 days from its own day; what is known lasts as long as it does."""
    assert latest(rows) == told


@pytest.mark.parametrize(
    ("rows", "cap", "told"),
    [
        ([(0, CITALOPRAM, None), (20, CITALOPRAM, 30)], 366, [(129, 130)]),
        ([(0, CITALOPRAM, None), (20, CITALOPRAM, 30)], 14, [(99, 100)]),
        ([(0, CITALOPRAM, None), (20, CITALOPRAM, 30)], 51, [(100, 101)]),
        ([(0, CITALOPRAM, 30), (10, CITALOPRAM, None)], 14, [(123, 124)]),
        ([(0, CITALOPRAM, None), (0, CITALOPRAM, 30)], 14, [(99, 100)]),
        ([(0, CITALOPRAM, None), (60, CITALOPRAM, 30)], 366, [(129, 130), (129, 70)]),
    ],
)
def test_what_may_be_left_over_is_taken_first(rows: list, cap: int, told: list) -> None:
    """Up to the cap; of one day's supplies the unknown one is taken first; leftovers may reach the next trial, too."""
    assert latest(rows, carry_over=True, carry_over_cap_days=cap) == told


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([(0, CITALOPRAM, None), (130, CITALOPRAM, 30)], [(159, 160), (159, 30)]),
        ([(0, CITALOPRAM, None), (131, CITALOPRAM, 30)], [(99, 100), (160, 30)]),
        ([(0, CITALOPRAM, None), (31, CITALOPRAM, 30)], [(99, 100), (60, 30)]),
        ([(0, CITALOPRAM, None), (130, SERTRALINE, 30)], [(99, 100), (159, 30)]),
        ([(day, CITALOPRAM, None) for day in (0, 100, 230)], [(329, 330), (329, 230), (329, 100)]),
        ([(day, CITALOPRAM, None) for day in (0, 100, 231)], [(199, 200), (199, 100), (330, 100)]),
        ([(0, CITALOPRAM, None), (50, CITALOPRAM, 10), (130, CITALOPRAM, 90)], [(219, 220), (59, 10), (219, 90)]),
        ([(0, CITALOPRAM, None), (50, CITALOPRAM, 10), (131, CITALOPRAM, 90)], [(99, 100), (59, 10), (220, 90)]),
    ],
)
def test_a_trial_that_may_reach_the_next_may_last_as_long(rows: list, told: list) -> None:
    """30 days after the latest end the same drug again may be the same trial, and so on; another drug is none."""
    assert latest(rows) == told


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"until": 50}, [(50, 51)]),
        ({"until": 99}, [(99, 100)]),
        ({"until": 100}, [(99, 100)]),
        ({"until": 0}, [(0, 1)]),
        ({"remission": 40}, [(40, 41)]),
        ({"remission": 99}, [(99, 100)]),
        ({"remission": 100}, [(99, 100)]),
        ({"remission": 40, "until": 40}, [(40, 41)]),
    ],
)
def test_what_may_last_ends_with_observation_and_remission(limits: Row, told: list) -> None:
    """An unknown supply from day 0, cut on the last observed day or on the day of the remission."""
    assert latest([(0, CITALOPRAM, None)], **limits) == told


@pytest.mark.parametrize(("last", "told"), [(60, [(60, 60)]), (61, [(30, 30), (61, 0)])])
def test_by_dates_only_nothing_is_unknown(last: int, told: list) -> None:
    """The last day is the last dispensing's, and the days are those of the trial."""
    assert latest([(day, CITALOPRAM, None) for day in (0, 30, last)], supply="dates_only") == told


@pytest.mark.parametrize(("second", "told"), [(30, (29, 30)), (31, (99, 100))])
def test_a_drug_that_lasts_until_the_next_has_a_known_last_day(second: int, told: tuple) -> None:
    """Up to 30 days later the next drug tells how long the first was taken."""
    assert latest([(0, CITALOPRAM, None), (second, SERTRALINE, 30)], single_dispensing_days=30)[0] == told


def test_a_drug_that_lasts_until_the_next_is_not_one_with_its_next_trial() -> None:
    """Citalopram ends on day 29 for sertraline, and that on day 59 for citalopram, which nothing follows."""
    rows = [(0, CITALOPRAM, None), (30, SERTRALINE, 5), (60, CITALOPRAM, None)]

    assert latest(rows, single_dispensing_days=30) == [(29, 30), (59, 30), (159, 100)]


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


# --- How long is long enough ------------------------------------------------------------------------------------------

STRONG = with_drug_adequacy(dose_basis="minimum_effective", min_dose_ratio=1.0)
UNKNOWN, TOO_SHORT, UNDERDOSED = (None, "duration_unknown"), (False, "too_short"), (False, "underdosed")


@pytest.mark.parametrize(
    ("rows", "max_days", "judged"),
    [
        ([fill(0, CITALOPRAM, None)], 28, UNKNOWN),
        ([fill(0, CITALOPRAM, None)], 27, TOO_SHORT),
        ([fill(0, CITALOPRAM, None, 10_000)], 28, UNDERDOSED),
        ([fill(0, CITALOPRAM, None, 10_000)], 27, TOO_SHORT),
        ([fill(0, CITALOPRAM, None, None)], 28, UNKNOWN),
        ([fill(0, CITALOPRAM, None, None)], 27, TOO_SHORT),
        ([fill(0, CITALOPRAM, 14), fill(14, CITALOPRAM, None, 10_000)], 14, UNKNOWN),
        ([fill(0, CITALOPRAM, 14), fill(14, CITALOPRAM, None, 10_000)], 13, TOO_SHORT),
        ([fill(0, CITALOPRAM, 28), fill(28, CITALOPRAM, None)], 1, (True, "adequate")),
        ([fill(0, CITALOPRAM, None), fill(57, CITALOPRAM, 5)], 27, UNKNOWN),
        ([fill(0, CITALOPRAM, None), fill(58, CITALOPRAM, 5)], 27, TOO_SHORT),
    ],
)
@pytest.mark.parametrize("basis", ["span", "covered"])
def test_the_most_days_there_can_be_must_suffice(rows: list, max_days: int, judged: tuple, basis: str) -> None:
    """Four weeks at 20 mg, where an unknown supply lasts so long at most; the last two may or cannot be one trial."""
    adequacy = replace(STRONG.adequacy, drug=replace(STRONG.adequacy.drug, duration_basis=basis))
    told = classify(definition=replace(STRONG, adequacy=adequacy), dispensings=rows, max_days=max_days)

    assert facts(told["judgements"], "is_adequate", "adequacy_reason")[0] == judged


@pytest.mark.parametrize(
    ("days", "max_days", "judged"), [(28, 28, UNKNOWN), (None, 28, UNKNOWN), (None, 27, TOO_SHORT)]
)
def test_how_much_an_unknown_supply_covers_is_unknown(days: int | None, max_days: int, judged: tuple) -> None:
    """Long enough or not: the share of the days that are covered is asked beside it."""
    told = classify(
        definition=with_drug_adequacy(min_pdc_percent=80),
        dispensings=[fill(0, CITALOPRAM, days), *([fill(28, CITALOPRAM, None)] if days else [])],
        max_days=max_days,
    )

    assert facts(told["judgements"], "is_adequate", "adequacy_reason") == [judged]


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
