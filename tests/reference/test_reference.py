"""Hand-drawn cases for the reference itself: both sides of the boundaries on which readings differ."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from impasse.schemas.definition import Exclusion, Requirement, ScaleBand, ScaleRule
from impasse.schemas.resistance import Item
from tests.reference.drawn import (
    ARIPIPRAZOLE,
    CITALOPRAM,
    EVERYTHING,
    ILL,
    MIRTAZAPINE,
    PERIOD,
    SERTRALINE,
    STUDY,
    TWO_FAILURES,
    Row,
    classify,
    contact,
    covered,
    facts,
    fill,
    on,
    score,
    session,
    with_count,
    with_drug_adequacy,
    with_eligible,
    with_outcome,
    with_score,
    with_trial,
)

# --- Episodes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("second", "episodes"),
    [(180, [(on(0), on(210), "tail")]), (181, [(on(0), on(30), "tail"), (on(181), on(211), "tail")])],
)
def test_contacts_a_gap_apart_are_one_episode(second: int, episodes: list) -> None:
    """A contact 180 days later continues the episode, one 181 days later opens the next."""
    told = classify(diagnoses=[contact(0), contact(second)])

    assert facts(told["episodes"], "start_date", "end_date", "end_reason") == episodes


def test_a_remission_code_ends_the_episode() -> None:
    """The episode ends on the remission contact, and a contact the next day opens another one."""
    told = classify(diagnoses=[contact(0), contact(60, "F325"), contact(61)])

    assert facts(told["episodes"], "number", "start_date", "end_date", "end_reason", "n_contacts") == [
        (1, on(0), on(60), "remission", 2),
        (2, on(61), on(91), "tail", 1),
    ]


@pytest.mark.parametrize(("bridges", "episodes"), [(True, 1), (False, 2)])
def test_treatment_may_bridge_a_gap(bridges: bool, episodes: int) -> None:
    """Supply that reaches to within the gap of the next contact joins both contacts, where the study says so."""
    told = classify(
        study=STUDY.model_copy(update={"treatment_bridges": bridges}),
        diagnoses=[contact(0), contact(300)],
        dispensings=[fill(100, CITALOPRAM, 30)],
    )

    assert len(told["episodes"]) == episodes


@pytest.mark.parametrize(
    ("death", "coverage_end", "end"),
    [(20, 20, (on(20), "death")), (21, 20, (on(20), "coverage")), (None, 30, (on(30), "tail"))],
)
def test_the_view_of_an_episode_ends_with_death_or_coverage(death: int | None, coverage_end: int, end: tuple) -> None:
    """Death is named before the end of coverage; a tail that just fits is cut by neither."""
    death_date = None if death is None else on(death)
    told = classify(death_date=death_date, coverage=[covered(-400, coverage_end)], diagnoses=[contact(0)])

    assert facts(told["episodes"], "end_date", "end_reason") == [end]


@pytest.mark.parametrize(("resumes", "episodes"), [(51, 1), (52, 2)])
def test_a_hole_in_coverage_separates_episodes(resumes: int, episodes: int) -> None:
    """Coverage that resumes the day after it ended is one interval; a day's hole parts the contacts."""
    told = classify(coverage=[covered(-400, 50), covered(resumes, 900)], diagnoses=[contact(0), contact(60)])

    assert len(told["episodes"]) == episodes


@pytest.mark.parametrize(("since", "is_left_truncated"), [(-365, False), (-364, True)])
def test_too_short_a_prior_observation_truncates(since: int, is_left_truncated: bool) -> None:
    """365 observed days before the episode are prior observation enough, 364 are not."""
    told = classify(coverage=[covered(since, 900)])

    assert facts(told["episodes"], "is_left_truncated", "observed_days_before") == [(is_left_truncated, -since)]


def test_without_coverage_the_period_was_observed() -> None:
    """No coverage table: all the days of the period before the episode were, and the view ends with the period."""
    told = classify(absent=frozenset({"coverage"}))

    before = (on(0) - PERIOD.start).days
    names = ("is_observed", "observed_days_before", "is_left_truncated", "observed_until")
    assert facts(told["episodes"], *names) == [(None, before, False, PERIOD.end)]


# --- Trials -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refill", "trials"),
    [
        (60, [("first", on(0), on(89), 90, 60)]),
        (61, [("first", on(0), on(29), 30, 30), ("resumed", on(61), on(90), 30, 30)]),
    ],
)
def test_a_gap_of_thirty_days_is_bridged(refill: int, trials: list) -> None:
    """30 uncovered days leave one trial, 31 make two."""
    told = classify(dispensings=[fill(0, CITALOPRAM, 30), fill(refill, CITALOPRAM, 30)])

    assert facts(told["trials"], "role", "start_date", "end_date", "n_days", "days_covered") == trials


@pytest.mark.parametrize(("cap", "n_days"), [(0, 40), (19, 59), (20, 60), (21, 60)])
def test_left_overs_are_taken_first_up_to_the_cap(cap: int, n_days: int) -> None:
    """A refill 20 days early lasts up to 20 days longer, and no longer than the cap."""
    told = classify(
        definition=with_trial(carry_over=True, carry_over_cap_days=cap),
        dispensings=[fill(0, CITALOPRAM, 30), fill(10, CITALOPRAM, 30)],
    )

    assert facts(told["trials"], "n_days", "days_covered") == [(n_days, n_days)]


@pytest.mark.parametrize(
    ("start", "roles"),
    [(31, [("first", 0), ("switch", 0)]), (30, [("first", 1), ("combination", 0)])],
)
def test_a_long_overlap_is_a_combination(start: int, roles: list) -> None:
    """Taken together for 29 days is a cross-taper, for 30 days a combination hosted by the older drug."""
    told = classify(dispensings=[fill(0, CITALOPRAM, 60), fill(start, SERTRALINE, 60)])

    assert facts(told["trials"], "role", "n_add_ons") == roles


@pytest.mark.parametrize(
    ("start", "trials"),
    [
        (30, [("N06AB04", "first", "drug", True), ("N05AX12", "augmentation", "augmentation", True)]),
        (31, [("N06AB04", "first", "drug", True)]),
    ],
)
def test_an_augmenter_needs_a_host(start: int, trials: list) -> None:
    """An augmenter is a trial on top of an antidepressant only, not after it."""
    told = classify(dispensings=[fill(0, CITALOPRAM, 60), fill(start, ARIPIPRAZOLE, 60)])

    assert facts(told["trials"], "treatment", "role", "modality", "is_counted") == trials


@pytest.mark.parametrize(
    ("setting", "trials"),
    [("own_trial", [(True, 1), (True, 0)]), ("part_of_trial", [(True, 1), (False, 0)]), ("ignored", [(True, 0)])],
)
def test_a_rule_decides_what_an_add_on_is(setting: str, trials: list) -> None:
    """A combination is a trial, a part of its host, or nothing at all."""
    told = classify(
        definition=with_trial(combination=setting),
        dispensings=[fill(0, CITALOPRAM, 60), fill(0, SERTRALINE, 60)],
    )

    assert facts(told["trials"], "is_counted", "n_add_ons") == trials


@pytest.mark.parametrize(("last", "courses"), [(65, [(6, 66)]), (66, [(5, 36), (1, 1)])])
def test_sessions_make_courses(last: int, courses: list) -> None:
    """A session 30 days after the one before belongs to its course; two on one day are one."""
    days = [0, 7, 7, 14, 21, 35, last]
    told = classify(procedures=[session(day, "cbt") for day in days])

    assert facts(told["trials"], "n_sessions", "n_days") == courses


@pytest.mark.parametrize(("second", "roles"), [(20, ["first", "combination"]), (21, ["first", "switch"])])
def test_a_drug_is_in_use_on_the_day_of_its_last_dispensing(second: int, roles: list) -> None:
    """Of unknown supply, the day of the last dispensing is the last that is known, and the overlap counts it."""
    told = classify(
        definition=with_trial(overlap_days=1),
        dispensings=[fill(0, CITALOPRAM, None), fill(20, CITALOPRAM, None), fill(second, SERTRALINE, None)],
        max_days=1,
    )

    assert [trial["role"] for trial in told["trials"]] == roles
    assert facts(told["trials"], "end_date", "n_days")[0] == (on(20), 20)


@pytest.mark.parametrize(
    ("last", "trials"),
    [
        (60, [(on(0), on(60), 60, 60, False)]),
        (61, [(on(0), on(30), 30, 30, False), (on(61), on(61), 0, 0, False)]),
    ],
)
def test_by_dates_only_a_drug_is_used_from_first_to_last_dispensing(last: int, trials: list) -> None:
    """Neither amounts nor unknown amounts matter; 30 days without a dispensing are bridged, 31 are not."""
    told = classify(
        definition=with_trial(supply="dates_only"),
        dispensings=[fill(0, CITALOPRAM, 90), fill(30, CITALOPRAM, None), fill(last, CITALOPRAM, 1)],
    )

    assert facts(told["trials"], "start_date", "end_date", "n_days", "days_covered", "has_unknown_supply") == trials


@pytest.mark.parametrize(("second", "n_hosted"), [(31, 1), (32, 0)])
def test_by_dates_only_the_overlap_has_both_its_days(second: int, n_hosted: int) -> None:
    """In use until day 60: with a drug from day 31 that is 30 days together, from day 32 it is 29."""
    told = classify(
        definition=with_trial(supply="dates_only", permissible_gap_days=60),
        dispensings=[
            *(fill(day, CITALOPRAM, None) for day in (0, 60)),
            *(fill(second + n, SERTRALINE, 1) for n in (0, 60)),
        ],
    )

    assert told["trials"][0]["n_add_ons"] == n_hosted


@pytest.mark.parametrize(("days", "is_ongoing"), [(30, True), (31, False)])
def test_by_dates_only_a_drug_may_be_ongoing(days: int, is_ongoing: bool) -> None:
    """Seen for 30 days after the last dispensing, the drug may go on; seen for 31, it has ended."""
    told = classify(
        definition=with_trial(supply="dates_only"),
        coverage=[covered(-400, 20 + days - 1)],
        dispensings=[fill(0, CITALOPRAM, 5), fill(20, CITALOPRAM, 5)],
    )

    assert facts(told["trials"], "is_ongoing") == [(is_ongoing,)]


@pytest.mark.parametrize(
    ("days", "second", "trial"),
    [
        (10, 30, (on(29), 30, 30, False)),
        (10, 31, (on(9), 10, 10, False)),
        (10, 10, (on(9), 10, 10, False)),
        (None, 30, (on(29), 30, 30, False)),
        (None, 31, (on(0), 0, 0, True)),
    ],
)
def test_a_drug_dispensed_once_lasts_until_the_next(days: int | None, second: int, trial: tuple) -> None:
    """Up to 30 days later the next drug tells how long the first was taken; from 31 days on it does not."""
    told = classify(
        definition=with_trial(single_dispensing_days=30),
        dispensings=[fill(0, CITALOPRAM, days), fill(second, SERTRALINE, 30), fill(60, MIRTAZAPINE, 30)],
    )

    assert facts(told["trials"], "end_date", "n_days", "days_covered", "has_unknown_supply")[0] == trial


def test_the_next_drug_is_another_that_starts_later() -> None:
    """Neither one started on the same day nor the same drug again tells how long a drug was taken."""
    told = classify(
        definition=with_trial(single_dispensing_days=60),
        dispensings=[
            *(fill(0, CITALOPRAM, 1), fill(0, SERTRALINE, 29), fill(0, SERTRALINE, 30)),
            *(fill(40, CITALOPRAM, 1), fill(60, MIRTAZAPINE, 30)),
        ],
    )

    assert facts(told["trials"], "treatment", "n_days") == [
        (CITALOPRAM, 60),
        (SERTRALINE, 40),
        (CITALOPRAM, 20),
        (MIRTAZAPINE, 30),
    ]


@pytest.mark.parametrize(("coverage_end", "is_ongoing"), [(59, True), (60, False)])
def test_a_drug_dispensed_once_may_be_ongoing(coverage_end: int, is_ongoing: bool) -> None:
    """It lasts until day 29 and may go on if 30 days after that are not seen; what comes later does not matter."""
    told = classify(
        definition=with_trial(single_dispensing_days=30),
        coverage=[covered(-400, coverage_end)],
        dispensings=[fill(0, CITALOPRAM, 10), fill(30, SERTRALINE, 5), fill(45, MIRTAZAPINE, 5)],
    )

    assert told["trials"][0]["is_ongoing"] == is_ongoing


def test_two_dispensings_of_one_day_are_a_single_one() -> None:
    """Two packages of one day are one that is twice as large."""
    told = classify(
        definition=with_trial(single_dispensing_days=30),
        dispensings=[fill(0, CITALOPRAM, 10), fill(0, CITALOPRAM, 10), fill(30, SERTRALINE, 30)],
    )

    assert told["trials"][0]["n_days"] == 30


@pytest.mark.parametrize(
    ("window", "day", "n_trials"),
    [
        ("first_days", -31, 0),
        ("first_days", -30, 1),
        ("first_days", 89, 1),
        ("first_days", 90, 0),
        ("last_days", 620, 0),
        ("last_days", 621, 1),
        ("last_days", 710, 1),
        ("first_treated_days", -31, 0),
        ("first_treated_days", -30, 1),
        ("first_treated_days", 710, 1),
        ("first_treated_days", 711, 0),
    ],
)
def test_a_window_is_part_of_the_episode(window: str, day: int, n_trials: int) -> None:
    """90 of the days 0 to 710: the first with the lead, the last, or those from the treatment itself."""
    told = classify(definition=with_trial(window=window, window_days=90), dispensings=[fill(day, CITALOPRAM, 5)])

    assert len(told["trials"]) == n_trials


@pytest.mark.parametrize(("second", "treatments"), [(99, ["N06AB04", "N06AB06"]), (100, ["N06AB04"])])
def test_a_window_opens_with_the_first_treatment(second: int, treatments: list) -> None:
    """90 days from the first antidepressant, an augmenter before it notwithstanding."""
    told = classify(
        definition=with_trial(window="first_treated_days", window_days=90),
        dispensings=[fill(0, ARIPIPRAZOLE, 5), fill(10, CITALOPRAM, 30), fill(second, SERTRALINE, 30)],
    )

    assert [trial["treatment"] for trial in told["trials"]] == treatments


@pytest.mark.parametrize(("coverage_end", "is_ongoing"), [(65, True), (66, False)])
def test_a_course_may_be_ongoing(coverage_end: int, is_ongoing: bool) -> None:
    """The last session is on day 35; seen for 30 days after it the course may go on, seen for 31 it has ended."""
    told = classify(coverage=[covered(-400, coverage_end)], procedures=[session(day, "cbt") for day in range(0, 36, 7)])

    assert facts(told["trials"], "is_ongoing") == [(is_ongoing,)]


def test_an_add_on_belongs_to_the_drug_it_is_longest_taken_with() -> None:
    """Two antidepressants for 60 and 90 days, one after the other; a third with both, longer with the second."""
    told = classify(
        dispensings=[fill(0, CITALOPRAM, 60), fill(1, SERTRALINE, 90), fill(20, MIRTAZAPINE, 90)],
    )

    assert facts(told["trials"], "role", "n_add_ons") == [("first", 1), ("combination", 1), ("combination", 0)]


def test_courses_have_roles_among_their_kind() -> None:
    """Psychotherapy after ECT is the first psychotherapy; another one is a switch, the same one is resumed."""
    told = classify(
        definition=with_trial(treatments=("psychotherapy", "ect")),
        procedures=[
            *(session(0, "ect"), session(10, "cbt"), session(50, "psychotherapy_unspecified"), session(100, "cbt")),
        ],
    )

    assert facts(told["trials"], "role") == [("first",), ("first",), ("switch",), ("resumed",)]


# --- Adequacy ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "dose_ug", "judged"),
    [
        (28, 20_000, (True, "adequate")),
        (27, 20_000, (False, "too_short")),
        (28, 19_999, (False, "underdosed")),
        (28, None, (None, "dose_unknown")),
        (27, None, (False, "too_short")),
        (None, 20_000, (None, "duration_unknown")),
    ],
)
def test_long_and_strong_enough(days: int | None, dose_ug: int | None, judged: tuple) -> None:
    """Four weeks at the minimum effective dose: a day or a microgram less is not enough, unknown is unknown."""
    told = classify(
        definition=with_drug_adequacy(dose_basis="minimum_effective", min_dose_ratio=1.0),
        dispensings=[fill(0, CITALOPRAM, days, dose_ug)],
    )

    assert facts(told["judgements"], "is_adequate", "adequacy_reason") == [judged]


@pytest.mark.parametrize(("percent", "judged"), [(80, (True, "adequate")), (81, (False, "low_adherence"))])
def test_enough_of_the_days_are_covered(percent: int, judged: tuple) -> None:
    """40 of 50 days covered are 80 percent."""
    told = classify(
        definition=with_drug_adequacy(min_pdc_percent=percent),
        dispensings=[fill(0, CITALOPRAM, 20), fill(30, CITALOPRAM, 20)],
    )

    assert facts(told["judgements"], "is_adequate", "adequacy_reason") == [judged]


@pytest.mark.parametrize(
    ("settings", "judged"),
    [
        ({"min_mpr_percent": 80}, (True, "adequate")),
        ({"min_mpr_percent": 81}, (False, "low_adherence")),
        ({"min_mpr_percent": 50, "adherence_window_days": 40}, (True, "adequate")),
        ({"min_mpr_percent": 101, "adherence_window_days": 40}, (False, "low_adherence")),
        ({"min_pdc_percent": 75, "adherence_window_days": 40}, (True, "adequate")),
        ({"min_pdc_percent": 76, "adherence_window_days": 40}, (False, "low_adherence")),
    ],
)
def test_enough_is_handed_out_for_the_days(settings: dict, judged: tuple) -> None:
    """20 and 20 of 50 days; of the first 40 both supplies, and 30 days covered."""
    told = classify(
        definition=with_drug_adequacy(**settings),
        dispensings=[fill(0, CITALOPRAM, 20), fill(30, CITALOPRAM, 20)],
    )

    assert facts(told["judgements"], "is_adequate", "adequacy_reason") == [judged]


@pytest.mark.parametrize(
    ("atc", "dose_ug", "judged"),
    [
        (ARIPIPRAZOLE, 30_000, (True, "adequate")),
        (ARIPIPRAZOLE, 29_999, (False, "underdosed")),
        (CITALOPRAM, 30_000, (None, "dose_unknown")),
    ],
)
def test_as_strong_as_chlorpromazine(atc: str, dose_ug: int, judged: tuple) -> None:
    """30 mg of aripiprazole stand for 600 mg of chlorpromazine; of citalopram nothing is known."""
    strong = with_drug_adequacy(dose_basis="chlorpromazine_600", min_dose_ratio=1.0)
    told = classify(
        definition=replace(strong, trial=replace(strong.trial, treatments=("antidepressants", "augmenters"))),
        dispensings=[fill(0, atc, 28, dose_ug)],
    )

    assert facts(told["judgements"], "is_adequate", "adequacy_reason") == [judged]


@pytest.mark.parametrize(
    ("atc", "dose_ug", "judged"),
    [
        (CITALOPRAM, 20_000, (True, "adequate")),
        (CITALOPRAM, 19_999, (False, "underdosed")),
        (ARIPIPRAZOLE, 30_000, (None, "dose_unknown")),
    ],
)
def test_as_strong_as_an_instrument_asks(atc: str, dose_ug: int, judged: tuple) -> None:
    """20 mg of citalopram are its minimum; of aripiprazole it says nothing."""
    strong = with_drug_adequacy(dose_basis="atrq", min_dose_ratio=1.0)
    told = classify(
        definition=replace(strong, trial=replace(strong.trial, treatments=("antidepressants", "augmenters"))),
        dispensings=[fill(0, atc, 28, dose_ug)],
    )

    assert facts(told["judgements"], "is_adequate", "adequacy_reason") == [judged]


@pytest.mark.parametrize(
    ("days", "judged"),
    [
        ([0, 7, 14, 21, 28, 35], (True, "adequate")),
        ([0, 7, 14, 21, 28, 34], (False, "too_short")),
        ([0, 7, 14, 21, 35], (False, "too_few_sessions")),
    ],
)
def test_enough_sessions_in_enough_days(days: list, judged: tuple) -> None:
    """Six sessions in 36 days."""
    told = classify(procedures=[session(day, "cbt") for day in days])

    assert facts(told["judgements"], "is_adequate", "adequacy_reason") == [judged]


# --- Outcome ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last_score", "judged"),
    [
        (score(42, 12.0), (False, "hamd17:fall_below", None)),
        (score(42, 12.5), (True, "hamd17:fall_below", on(42))),
        (score(13, 12.5), (None, "unfinished", None)),
    ],
)
def test_a_fall_of_exactly_half_is_a_response(last_score: Row, judged: tuple) -> None:
    """From 24, 12 is a response and 12.5 is a failure; a score before the fifteenth day says nothing."""
    told = classify(
        definition=with_outcome(change_within=2000),
        dispensings=[fill(0, CITALOPRAM, 42)],
        scores=[score(0, 24.0), last_score],
    )

    assert facts(told["judgements"], "has_failed", "outcome_evidence", "failure_date") == [judged]


@pytest.mark.parametrize(("value", "has_failed"), [(60.0, False), (61.0, True)])
def test_a_fall_is_measured_above_the_scale_minimum(value: float, has_failed: bool) -> None:
    """PANSS starts at 30: from 90, 60 is half way down."""
    told = classify(
        definition=with_outcome(scales=(ScaleRule(scale="panss", fails_if="fall_below", value=50.0),)),
        dispensings=[fill(0, CITALOPRAM, 42)],
        scores=[score(0, 90.0, "panss"), score(42, value, "panss")],
    )

    assert facts(told["judgements"], "has_failed") == [(has_failed,)]


@pytest.mark.parametrize(
    ("switch", "judged"),
    [(131, (True, "switch", on(131))), (132, (False, "no_change", None)), (11, (True, "add_on", on(11)))],
)
def test_a_change_of_treatment_is_a_failure(switch: int, judged: tuple) -> None:
    """A new drug up to 90 days after the last day is a sign; taken together for 30 days it is an add-on."""
    told = classify(dispensings=[fill(0, CITALOPRAM, 42), fill(switch, SERTRALINE, 42)])

    assert facts(told["judgements"], "has_failed", "outcome_evidence", "failure_date")[0] == judged


@pytest.mark.parametrize(("days", "judged"), [(27, (None, "early_stop")), (28, (False, "no_change"))])
def test_an_early_stop_says_what_the_rule_says(days: int, judged: tuple) -> None:
    """27 days are an early stop, 28 are judged by the evidence."""
    told = classify(
        definition=with_outcome(early_stop_days=28, early_stop="unknown"), dispensings=[fill(0, CITALOPRAM, days)]
    )

    assert facts(told["judgements"], "has_failed", "outcome_evidence") == [judged]


def test_a_sign_nobody_observes_leaves_the_outcome_open() -> None:
    """No ECT was seen, but the delivery could not have shown any."""
    told = classify(
        definition=with_outcome(change_signs=("switch", "ect")),
        observes=frozenset({"drug"}),
        dispensings=[fill(0, CITALOPRAM, 42)],
    )

    assert facts(told["judgements"], "has_failed", "outcome_evidence") == [(None, "unobserved")]


@pytest.mark.parametrize(
    ("first", "last", "has_failed"),
    [(24.0, 14.0, False), (24.0, 14.5, True), (0.0, 0.0, True), (None, 14.0, None)],
)
def test_a_fall_may_be_measured_in_points(first: float | None, last: float, has_failed: bool | None) -> None:
    """A fall of ten points is a response; a baseline without any room to fall is no obstacle, a missing one is."""
    rule = ScaleRule(scale="hamd17", fails_if="points_below", value=10.0)
    told = classify(
        definition=with_outcome(scales=(rule,), evidence=("scales",)),
        dispensings=[fill(0, CITALOPRAM, 42)],
        scores=[score(42, last)] + ([] if first is None else [score(0, first)]),
    )

    assert facts(told["judgements"], "has_failed") == [(has_failed,)]


@pytest.mark.parametrize(
    ("first", "last", "has_failed"),
    [(24.0, 18.5, False), (24.0, 18.0, True), (24.0, 12.5, True), (24.0, 12.0, False), (0.0, 0.0, None)],
)
def test_a_partial_fall_may_be_the_failure(first: float, last: float, has_failed: bool | None) -> None:
    """From 25 percent to under 50 percent: neither less nor more."""
    rule = ScaleBand(scale="hamd17", fails_if="fall_between", at_least=25.0, below=50.0)
    told = classify(
        definition=with_outcome(scales=(rule,), evidence=("scales",)),
        dispensings=[fill(0, CITALOPRAM, 42)],
        scores=[score(0, first), score(42, last)],
    )

    assert facts(told["judgements"], "has_failed", "outcome_evidence") == [
        (has_failed, "none" if has_failed is None else "hamd17:fall_between")
    ]


@pytest.mark.parametrize(
    ("joined", "hamd17", "panss", "judged"),
    [
        ("any", 8.0, None, (True, "hamd17:score_above", on(42))),
        ("any", 7.0, None, (None, "none", None)),
        ("any", 7.0, 61.0, (True, "panss:score_above", on(40))),
        ("any", 8.0, 61.0, (True, "hamd17:score_above", on(40))),
        ("any_measured", 7.0, None, (False, "hamd17:score_above", None)),
        ("any_measured", 8.0, None, (True, "hamd17:score_above", on(42))),
        ("any_measured", None, None, (None, "none", None)),
        ("all", 8.0, 61.0, (True, "hamd17:score_above", on(42))),
        ("all", 8.0, None, (None, "none", None)),
        ("all", 8.0, 60.0, (False, "panss:score_above", None)),
        ("first", 7.0, 61.0, (False, "hamd17:score_above", None)),
        ("first", None, 61.0, (True, "panss:score_above", on(40))),
    ],
)
def test_scales_are_joined_as_stated(joined: str, hamd17: float | None, panss: float | None, judged: tuple) -> None:
    """Two scales, on days 42 and 40: failed above 7 and above 60. One that is missing may be either."""
    rules = (
        ScaleRule(scale="hamd17", fails_if="score_above", value=7.0),
        ScaleRule(scale="panss", fails_if="score_above", value=60.0),
    )
    drawn = ((42, hamd17, "hamd17"), (40, panss, "panss"))
    told = classify(
        definition=with_outcome(scales=rules, scales_joined=joined, evidence=("scales",)),
        dispensings=[fill(0, CITALOPRAM, 42)],
        scores=[score(day, value, scale) for day, value, scale in drawn if value is not None],
    )

    assert facts(told["judgements"], "has_failed", "outcome_evidence", "failure_date") == [judged]


@pytest.mark.parametrize(
    ("scores", "has_failed"),
    [
        ([(-15, 40.0)], None),
        ([(-14, 40.0)], False),
        ([(7, 40.0)], False),
        ([(8, 40.0)], None),
        ([(-14, 40.0), (0, 20.0)], True),
        ([(0, 20.0), (0, 40.0)], False),
        ([(1, 40.0), (7, 20.0)], False),
        ([(1, 20.0), (1, 40.0)], False),
        ([(0, 20.0), (1, 40.0)], True),
    ],
)
def test_the_baseline_is_the_latest_before_or_the_earliest_after(scores: list, has_failed: bool | None) -> None:
    """From 14 days before to the first day, else to 7 days after it; 15 is a response from 40 and none from 20."""
    told = classify(
        definition=with_outcome(evidence=("scales",)),
        dispensings=[fill(0, CITALOPRAM, 42)],
        scores=[score(42, 15.0), *(score(day, value) for day, value in scores)],
    )

    assert facts(told["judgements"], "has_failed") == [(has_failed,)]


@pytest.mark.parametrize(
    ("coverage_end", "days", "judged"),
    [(131, 42, (False, "no_change")), (130, 42, (None, "unfinished")), (131, None, (None, "unknown_end"))],
)
def test_no_change_is_seen_when_the_days_for_it_are_over(coverage_end: int, days: int | None, judged: tuple) -> None:
    """90 days after day 41 all is seen, a day earlier not; and nobody knows when an unknown supply ended."""
    told = classify(coverage=[covered(-400, coverage_end)], dispensings=[fill(0, CITALOPRAM, days)])

    assert facts(told["judgements"], "has_failed", "outcome_evidence") == [judged]


@pytest.mark.parametrize(
    ("sign", "second", "has_failed"),
    [("switch", 30, False), ("switch", 31, True), ("add_on", 30, True), ("add_on", 31, False)],
)
def test_together_or_one_after_the_other(sign: str, second: int, has_failed: bool) -> None:
    """Both taken for 30 days, the second drug is added; for 29 days, it replaces the first."""
    told = classify(
        definition=with_outcome(change_signs=(sign,)),
        dispensings=[fill(0, CITALOPRAM, 60), fill(second, SERTRALINE, 60)],
    )

    assert told["judgements"][0]["has_failed"] == has_failed


@pytest.mark.parametrize(("first", "has_failed"), [(35, False), (36, True)])
def test_a_drug_replaces_a_psychotherapy_after_its_end(first: int, has_failed: bool) -> None:
    """The last session is on day 35."""
    told = classify(
        definition=with_outcome(change_signs=("switch",)),
        procedures=[session(day, "cbt") for day in range(0, 36, 7)],
        dispensings=[fill(first, SERTRALINE, 60)],
    )

    assert told["judgements"][0]["has_failed"] == has_failed


@pytest.mark.parametrize(("treatments", "has_failed"), [(("ect",), False), (("cbt",), True)])
def test_ect_is_no_sign_that_ect_failed(treatments: tuple, has_failed: bool) -> None:
    """Twice ECT is one course of it; after psychotherapy it is a sign."""
    told = classify(
        definition=replace(with_trial(treatments=treatments), outcome=with_outcome(change_signs=("ect",)).outcome),
        procedures=[session(0, treatments[0]), session(20, "ect")],
    )

    assert facts(told["judgements"], "has_failed") == [(has_failed,)]


@pytest.mark.parametrize(
    ("absent", "code", "judged"),
    [
        ((), "F321", (True, "admission", on(50))),
        ((), "I21", (False, "no_change", None)),
        (("admissions",), "F321", (None, "unobserved", None)),
    ],
)
def test_an_admission_for_the_disorder_is_a_sign(absent: tuple, code: str, judged: tuple) -> None:
    """One for something else is none; and where admissions are not recorded nobody knows."""
    told = classify(
        definition=with_outcome(change_signs=("admission",)),
        absent=frozenset(absent),
        dispensings=[fill(0, CITALOPRAM, 42)],
        admissions=[{"start_date": on(50), "end_date": on(60), "main_code": code}],
    )

    assert facts(told["judgements"], "has_failed", "outcome_evidence", "failure_date") == [judged]


def test_the_first_sign_of_change_counts() -> None:
    """ECT on day 50 comes before the next drug on day 60, and an ECT on the drug's first day is no sign."""
    told = classify(
        definition=with_outcome(change_signs=("switch", "ect")),
        dispensings=[fill(0, CITALOPRAM, 42), fill(60, SERTRALINE, 42)],
        procedures=[session(0, "ect"), session(50, "ect")],
    )

    assert facts(told["judgements"], "outcome_evidence", "failure_date")[0] == ("ect", on(50))


@pytest.mark.parametrize(
    ("scale", "first", "last", "response"),
    [
        ("hamd17", 24.0, 7.0, ("remission", "hamd17")),
        ("hamd17", None, 7.0, ("remission", "hamd17")),
        ("hamd17", 24.0, 7.5, ("insufficient", "hamd17")),
        ("hamd17", 24.0, 12.0, ("insufficient", "hamd17")),
        ("hamd17", 24.0, 12.5, ("partial", "hamd17")),
        ("hamd17", 24.0, 18.0, ("partial", "hamd17")),
        ("hamd17", 24.0, 18.5, ("no_response", "hamd17")),
        ("hamd17", 0.0, 18.0, ("cannot_tell", None)),
        ("phq9", 20.0, 4.0, ("cannot_tell", None)),
        ("phq9", 20.0, 5.0, ("insufficient", "phq9")),
        ("phq9", 20.0, 10.5, ("no_response", "phq9")),
        ("drops", 40.0, 25.0, ("insufficient", "drops")),
        ("drops", 40.0, 25.5, ("no_response", "drops")),
        ("drops", None, 25.0, ("cannot_tell", None)),
        ("cgi_i", None, 2.0, ("cannot_tell", None)),
        ("cgi_i", None, 2.5, ("no_response", "cgi_i")),
        ("panss", 90.0, 90.0, ("cannot_tell", None)),
    ],
)
def test_a_response_has_a_state(scale: str, first: float | None, last: float, response: tuple) -> None:
    """By each scale's own rule; screening tools prove no remission, and other disorders' scales say nothing."""
    told = classify(
        dispensings=[fill(0, CITALOPRAM, 42)],
        scores=[score(42, last, scale)] + ([] if first is None else [score(0, first, scale)]),
    )

    assert facts(told["judgements"], "response", "response_scale") == [response]


def test_the_first_scale_that_can_tell_tells() -> None:
    """In the order of the file: a screening tool at remission leaves it to the next scale."""
    told = classify(
        dispensings=[fill(0, CITALOPRAM, 42)],
        scores=[
            *(score(0, 20.0, scale) for scale in ("drops", "hamd17", "phq9")),
            *(score(42, value, scale) for scale, value in (("drops", 1.0), ("hamd17", 14.0), ("phq9", 4.0))),
        ],
    )

    assert facts(told["judgements"], "response", "response_scale") == [("partial", "hamd17")]


# --- Resistance and eligibility ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("second", "third", "verdict", "resistant_date"),
    [
        (SERTRALINE, MIRTAZAPINE, ("resistant", "resistance"), on(120)),
        (CITALOPRAM, MIRTAZAPINE, ("not_resistant", "outcome"), None),
        (CITALOPRAM, CITALOPRAM, ("not_resistant", "resistance"), None),
        ("N06A", MIRTAZAPINE, ("undetermined", "outcome"), None),
    ],
)
def test_two_different_drugs_must_have_failed(
    second: str, third: str, verdict: tuple, resistant_date: date | None
) -> None:
    """Resistance dates from the second drug's failure; the same drug twice is no resistance, and N06A may be either."""
    told = classify(dispensings=[fill(0, CITALOPRAM, 29), fill(60, second, 29), fill(120, third, 29)])

    assert told["verdicts"] == [verdict]
    assert told["rows"][0]["resistant_date"] == resistant_date


@pytest.mark.parametrize(
    ("days", "verdict"), [(27, ("not_resistant", "adequacy")), (None, ("undetermined", "adequacy"))]
)
def test_too_short_is_not_resistant_and_unknown_is_undetermined(days: int | None, verdict: tuple) -> None:
    """One of the two failed drugs was too short, or of unknown duration."""
    told = classify(dispensings=[fill(0, CITALOPRAM, 29), fill(60, SERTRALINE, days), fill(120, CITALOPRAM, 27)])

    assert told["verdicts"] == [verdict]


@pytest.mark.parametrize(
    ("observes", "verdict", "n_failed_max"),
    [(EVERYTHING, ("not_resistant", "trial"), 0), (frozenset({"drug"}), ("undetermined", "trial"), None)],
)
def test_unobserved_therapy_leaves_resistance_open(
    observes: frozenset[str], verdict: tuple, n_failed_max: int | None
) -> None:
    """No CBT was seen: not resistant where CBT is recorded, undetermined where it is not."""
    told = classify(definition=with_count(n=1, of=("cbt",)), observes=observes)

    assert told["verdicts"] == [verdict]
    assert told["rows"][0]["n_failed_max"] == n_failed_max


@pytest.mark.parametrize(("points", "verdict", "score_max"), [(1.0, "resistant", 1.5), (0.5, "undetermined", 1.0)])
def test_a_score_adds_half_points(points: float, verdict: str, score_max: float) -> None:
    """A failed drug and a raised dose of unknown size: the sum decides only where the dose does not matter."""
    items = (
        Item(item="failed_trials", of=("antidepressants",), points=points, max_points=2.0, extended_days=0),
        Item(item="raised_dose", of=("antidepressants",), points=0.5, max_points=2.0, extended_days=0),
    )
    told = classify(
        definition=with_score(1.0, *items),
        dispensings=[fill(0, CITALOPRAM, 29, None), fill(60, SERTRALINE, 27)],
    )

    assert facts(told["rows"], "verdict", "score_min", "score_max") == [(verdict, points, score_max)]


@pytest.mark.parametrize(
    ("day", "when", "verdict"),
    [
        (-1, "before", "not_eligible"),
        (0, "before", "not_resistant"),
        (710, "during", "not_eligible"),
        (711, "during", "not_resistant"),
        (711, "ever", "not_eligible"),
        (710, "before_or_during", "not_eligible"),
        (711, "before_or_during", "not_resistant"),
    ],
)
def test_bipolar_disorder_excludes_at_the_stated_time(day: int, when: str, verdict: str) -> None:
    """Before is before the first day; during ends with the episode's last day; ever is as long as observed."""
    excluding = with_eligible(exclusions=(Exclusion(codes="bipolar", when=when),))
    told = classify(definition=excluding, diagnoses=[*(contact(d) for d in ILL), contact(day, "F310")])

    assert [verdict for verdict, _ in told["verdicts"]] == [verdict]


@pytest.mark.parametrize(("min_age", "verdict"), [(49, "not_resistant"), (50, "not_eligible")])
def test_age_is_in_completed_years(min_age: int, verdict: str) -> None:
    """The day before the fiftieth birthday a person is 49."""
    told = classify(definition=with_eligible(min_age=min_age))

    assert facts(told["rows"], "verdict") == [(verdict,)]


@pytest.mark.parametrize(
    ("settings", "verdict"),
    [
        ({"max_age": 49}, "not_resistant"),
        ({"max_age": 48}, "not_eligible"),
        ({"min_observed_days": 400}, "not_resistant"),
        ({"min_observed_days": 401}, "not_eligible"),
    ],
)
def test_limits_belong_to_what_they_limit(settings: Row, verdict: str) -> None:
    """A person of 49 years, observed for 400 days before the episode."""
    told = classify(definition=with_eligible(**settings))

    assert facts(told["rows"], "verdict") == [(verdict,)]


@pytest.mark.parametrize(("first", "n_episodes"), [(-731, 0), (-730, 1), (2191, 1), (2192, 0)])
def test_episodes_start_within_the_period(first: int, n_episodes: int) -> None:
    """From the first of January 2018 to the last of December 2025."""
    told = classify(diagnoses=[contact(first)])

    assert len(told["episodes"]) == n_episodes


@pytest.mark.parametrize(("second", "verdict"), [(1, "not_resistant"), (0, "not_eligible")])
def test_a_diagnosis_may_be_required_on_several_days(second: int, verdict: str) -> None:
    """Two diagnoses of one day are one day."""
    told = classify(
        definition=with_eligible(requirements=(Requirement(codes="depression", when="during", days=2),)),
        diagnoses=[contact(0), contact(second)],
    )

    assert facts(told["rows"], "verdict") == [(verdict,)]


@pytest.mark.parametrize(
    ("day", "atc", "group", "verdict"),
    [
        (-131, CITALOPRAM, "antidepressants", "not_resistant"),
        (-130, CITALOPRAM, "antidepressants", "not_eligible"),
        (-31, CITALOPRAM, "antidepressants", "not_eligible"),
        (-30, CITALOPRAM, "antidepressants", "not_resistant"),
        (-31, "N06A", "ssri", "undetermined"),
        (-31, MIRTAZAPINE, "ssri", "not_resistant"),
    ],
)
def test_earlier_treatment_excludes(day: int, atc: str, group: str, verdict: str) -> None:
    """100 days before the day from which the episode's treatment is looked for, which is day -30."""
    told = classify(
        definition=with_eligible(washout_treatments=(group,), washout_days=100), dispensings=[fill(day, atc, 1)]
    )

    assert facts(told["rows"], "verdict") == [(verdict,)]


@pytest.mark.parametrize(
    ("since", "observes", "absent", "verdict"),
    [
        (-130, EVERYTHING, (), ("undetermined", "follow_up")),
        (-129, EVERYTHING, (), ("undetermined", "eligible")),
        (-130, frozenset({"ect"}), (), ("undetermined", "eligible")),
        (-130, EVERYTHING, ("coverage",), ("not_resistant", "trial")),
    ],
)
def test_no_earlier_treatment_must_have_been_seen(
    since: int, observes: frozenset[str], absent: tuple, verdict: tuple
) -> None:
    """All the days are observed, or all but the first; or drugs are not observed; or the period's days are."""
    told = classify(
        definition=with_eligible(washout_treatments=("antidepressants",), washout_days=100),
        observes=observes,
        absent=frozenset(absent),
        coverage=[covered(since, 900)],
    )

    assert told["verdicts"] == [verdict]


@pytest.mark.parametrize(
    ("setting", "day", "verdict"),
    [
        ("noted", 710, ("resistant", "resistance")),
        ("before", 710, ("not_eligible", "eligible")),
        ("before", 711, ("resistant", "resistance")),
        ("after", 710, ("not_resistant", "eligible")),
        ("after", 711, ("resistant", "resistance")),
    ],
)
def test_a_cause_of_pseudo_resistance_is_noted_or_excludes(setting: str, day: int, verdict: tuple) -> None:
    """Diagnosed by the episode's last day: noted, excluded before the failures are counted, or after."""
    told = classify(
        definition=with_eligible(pseudo_resistance=setting),
        diagnoses=[*(contact(d) for d in ILL), contact(day, "E059")],
        dispensings=TWO_FAILURES,
    )

    assert told["verdicts"] == [verdict]
    assert (told["rows"][0]["resistant_date"] is None) == (verdict[0] != "resistant")


def test_no_resistance_is_feigned_where_none_is_seen() -> None:
    """Asked after the failures are counted, a cause changes nothing where there is no resistance to explain."""
    told = classify(definition=with_eligible(pseudo_resistance="after"), diagnoses=[contact(0), contact(1, "E059")])

    assert told["verdicts"] == [("not_resistant", "trial")]


@pytest.mark.parametrize(
    ("adequacy", "rows", "causes"),
    [
        ({"min_days": 29}, [fill(0, CITALOPRAM, 28)], "short_duration"),
        ({"min_days": 28}, [fill(0, CITALOPRAM, 28)], ""),
        (
            {"dose_basis": "ddd_ratio", "min_dose_ratio": 1.0},
            [fill(0, CITALOPRAM, 28) | {"dose_mddd": 999}],
            "inadequate_dose",
        ),
        ({"min_pdc_percent": 81}, [fill(0, CITALOPRAM, 20), fill(30, CITALOPRAM, 20)], "poor_adherence"),
    ],
)
def test_what_falls_short_may_feign_resistance(adequacy: dict, rows: list, causes: str) -> None:
    """Too short, too low or too seldom taken: a possible cause each."""
    told = classify(definition=with_drug_adequacy(**adequacy), dispensings=rows)

    assert facts(told["rows"], "pseudo_resistance", "causes") == [("possible" if causes else "none", causes)]


def test_causes_are_sorted_words() -> None:
    """What was diagnosed makes pseudo-resistance likely, whatever else may have caused it."""
    told = classify(
        diagnoses=[contact(0), contact(1, "F310"), contact(2, "E059")], dispensings=[fill(0, CITALOPRAM, 1)]
    )

    assert facts(told["rows"], "pseudo_resistance", "causes") == [("likely", "bipolar short_duration thyroid")]
