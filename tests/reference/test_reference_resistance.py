"""Hand-drawn cases for what the reference counts, scores and stages, both sides of the boundaries."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from impasse.schemas.resistance import AdmissionItem, Band, DiagnosisItem, DiagnosisLevel, Item, LengthItem
from tests.reference.drawn import (
    ARIPIPRAZOLE,
    AUGMENTERS,
    BASE,
    CBT,
    CITALOPRAM,
    DRUGS,
    EVERYTHING,
    ILL,
    MIRTAZAPINE,
    SERTRALINE,
    TWO_FAILURES,
    Row,
    classify,
    contact,
    count,
    covered,
    facts,
    fill,
    level,
    number,
    on,
    score,
    session,
    with_alternative,
    with_alternatives,
    with_count,
    with_eligible,
    with_levels,
    with_score,
)

DRUGS_ONLY = frozenset({"drug"})
ONE_DAY = Band(at_least=1, points=1.0)
STAY = {"start_date": on(0), "end_date": on(3), "main_code": "F321"}
ADMITTED = AdmissionItem(item="admission", points=2.0)
FAILED = Item(item="failed_trials", of=DRUGS, points=0.5, max_points=9.0, extended_days=0)
SEVERITY = DiagnosisItem(
    item="diagnosis",
    when="during",
    levels=(DiagnosisLevel(codes="mild", points=1.0), DiagnosisLevel(codes="severe", points=4.0)),
    otherwise=2.0,
)
# As if augmenters were main treatments, too.
ALL_DRUGS = replace(BASE.trial, treatments=("antidepressants", "augmenters"), augmenters=())
# A switch is seen where drugs are; psychotherapy that was added is not.
BY_SWITCH = replace(BASE.outcome, change_signs=("switch",))


# --- Counts and alternatives ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "decided_by"),
    [("N06A", "trial"), ("N06AB", "outcome")],
)
def test_not_knowing_what_a_treatment_was_is_a_matter_of_trials(first: str, decided_by: str) -> None:
    """N06A failed and may be an SSRI; N06AB surely is one, and whether it failed is not known."""
    rows = [fill(0, first, 29), fill(60, MIRTAZAPINE, 29)] if first == "N06A" else [fill(650, first, 29)]
    told = classify(definition=with_count(n=1, of=("ssri",)), dispensings=rows, coverage=[covered(-400, 720)])

    assert told["verdicts"] == [("undetermined", decided_by)]


@pytest.mark.parametrize(
    ("what", "setting", "second", "dated"),
    [
        ("added", "part_of_trial", 30, on(30)),
        ("added", "part_of_trial", 31, None),
        ("added", "own_trial", 30, on(30)),
        ("added", "ignored", 30, None),
        ("given", "own_trial", 30, on(30)),
        ("given", "part_of_trial", 30, None),
    ],
)
def test_what_is_added_counts_though_it_is_no_trial(what: str, setting: str, second: int, dated: date | None) -> None:
    """30 days together make an add-on, which is added from its first day, be it counted as a trial or not."""
    definition = with_alternative(count(1, AUGMENTERS, what))
    told = classify(
        definition=replace(definition, trial=replace(BASE.trial, augmentation=setting)),
        dispensings=[fill(0, CITALOPRAM, 60), fill(second, ARIPIPRAZOLE, 60)],
    )

    assert facts(told["rows"], "resistant_date") == [(dated,)]


@pytest.mark.parametrize(
    ("second", "third", "verdict", "dated"),
    [
        (SERTRALINE, MIRTAZAPINE, ("resistant", "resistance"), on(4)),
        (SERTRALINE, SERTRALINE, ("not_resistant", "resistance"), None),
        (SERTRALINE, "N06A", ("undetermined", "outcome"), None),
    ],
)
def test_treatments_given_are_dated_by_their_first_day(
    second: str, third: str, verdict: tuple, dated: date | None
) -> None:
    """Three different drugs for a day each: neither adequacy nor outcome is asked."""
    told = classify(
        definition=with_alternative(count(3, what="given", by="substance")),
        dispensings=[fill(0, CITALOPRAM, 1), fill(2, second, 1), fill(4, third, 1), fill(40, CITALOPRAM, 1)],
    )

    assert told["verdicts"] == [verdict]
    assert told["rows"][0]["resistant_date"] == dated


@pytest.mark.parametrize(
    ("days", "second", "verdict", "dated"),
    [
        (29, 128, ("resistant", "resistance"), on(128)),
        (29, 129, ("not_resistant", "resistance"), None),
        (None, 100, ("resistant", "resistance"), on(100)),
        (None, 101, ("undetermined", "outcome"), None),
    ],
)
def test_a_trial_counts_for_so_many_days_after_its_last(
    days: int | None, second: int, verdict: tuple, dated: date | None
) -> None:
    """100 days after day 28 it counts on day 128 for the last time; of unknown supply it may have lasted longer."""
    told = classify(
        definition=with_alternative(count(2, what="given", by="substance"), within=100),
        dispensings=[fill(0, CITALOPRAM, days), fill(second, SERTRALINE, 1)],
    )

    assert told["verdicts"] == [verdict]
    assert told["rows"][0]["resistant_date"] == dated


@pytest.mark.parametrize(("within", "dated"), [(91, None), (92, on(120))])
def test_failures_count_on_the_day_they_show(within: int, dated: date | None) -> None:
    """The first of two failed drugs ended on day 28; the second failure shows on day 120."""
    told = classify(definition=with_alternative(count(2), within=within), dispensings=TWO_FAILURES)

    assert facts(told["rows"], "resistant_date") == [(dated,)]


@pytest.mark.parametrize(("third", "dated"), [(60, None), (61, on(61))])
def test_some_are_before_and_the_last_is_on_the_day(third: int, dated: date | None) -> None:
    """Two antidepressants started on an earlier day, the second on day 60; then an antipsychotic starts."""
    definition = with_alternative(count(2, what="given", timing="before"), count(1, AUGMENTERS, "given", "last"))
    told = classify(
        definition=replace(definition, trial=ALL_DRUGS),
        dispensings=[fill(0, CITALOPRAM, 29), fill(60, SERTRALINE, 29), fill(third, ARIPIPRAZOLE, 5)],
    )

    assert facts(told["rows"], "resistant_date") == [(dated,)]


@pytest.mark.parametrize(("timing", "dated"), [("any", on(61)), ("last", None)])
def test_the_last_must_be_the_last(timing: str, dated: date | None) -> None:
    """The antipsychotic came first: on the day after the second antidepressant it had begun, but not just then."""
    definition = with_alternative(count(2, what="given", timing="before"), count(1, AUGMENTERS, "given", timing))
    told = classify(
        definition=replace(definition, trial=ALL_DRUGS),
        dispensings=[fill(0, ARIPIPRAZOLE, 5), fill(30, CITALOPRAM, 1), fill(60, SERTRALINE, 29)],
    )

    assert facts(told["rows"], "resistant_date") == [(dated,)]


@pytest.mark.parametrize(
    ("within", "days", "verdict"),
    [
        (31, 29, ("not_resistant", "resistance")),
        (32, 29, ("resistant", "resistance")),
        (33, 27, ("not_resistant", "resistance")),
        (34, 27, ("not_resistant", "adequacy")),
        (31, None, ("undetermined", "adequacy")),
    ],
)
def test_too_few_in_the_window_is_a_matter_of_resistance(within: int, days: int | None, verdict: tuple) -> None:
    """A drug ends on day 28, 26 or an unknown one; on day 60 it fails because an antipsychotic starts."""
    definition = with_alternative(count(1, ("ssri",)), count(1, AUGMENTERS, "given", "last"), within=within)
    told = classify(
        definition=replace(definition, trial=ALL_DRUGS),
        dispensings=[fill(0, CITALOPRAM, days), fill(60, ARIPIPRAZOLE, 1)],
    )

    assert told["verdicts"] == [verdict]


def test_before_the_outcome_is_asked_no_day_is_known_for_a_failure() -> None:
    """The failure shows on day 50, too late for the antipsychotic of day 20: that is a matter of outcome."""
    definition = with_alternative(count(1, ("ssri",)), count(1, AUGMENTERS, "given", "last"), within=10)
    told = classify(
        definition=replace(
            definition,
            trial=ALL_DRUGS,
            outcome=replace(BASE.outcome, evidence=("scales",)),
        ),
        dispensings=[fill(0, CITALOPRAM, 56), fill(20, ARIPIPRAZOLE, 30)],
        scores=[score(0, 20.0), score(50, 20.0)],
    )

    assert told["verdicts"] == [("not_resistant", "outcome")]


@pytest.mark.parametrize(
    ("n", "timing", "verdict"),
    [(1, "any", "undetermined"), (1, "last", "undetermined"), (2, "any", "not_resistant")],
)
def test_a_window_stays_open_over_what_is_not_observed(n: int, timing: str, verdict: str) -> None:
    """Psychotherapy may have failed on any day; that only one drug was left for another is known all the same."""
    definition = with_alternative(count(n), count(1, CBT, timing=timing), within=10)
    told = classify(
        definition=replace(definition, outcome=BY_SWITCH),
        observes=DRUGS_ONLY,
        dispensings=[fill(0, CITALOPRAM, 60), fill(60, SERTRALINE, 29)],
    )

    assert told["verdicts"] == [(verdict, "trial")]


def test_any_arm_suffices_and_the_first_to_be_met_dates() -> None:
    """Two failures on day 120, or three drugs on day 120, or two drugs on day 60."""
    alternatives = [
        with_alternative(count(2)).resistance.any_of[0],
        with_alternative(count(3, what="given"), within=400).resistance.any_of[0],
        with_alternative(count(2, what="given")).resistance.any_of[0],
    ]
    told = classify(definition=with_alternatives(*alternatives), dispensings=TWO_FAILURES)

    assert facts(told["rows"], "resistant_date") == [(on(60),)]


# --- Scores -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("drugs", "by", "scores"),
    [
        ((), "none", (0.0, 0.0)),
        ((CITALOPRAM,), "none", (1.0, 1.0)),
        ((CITALOPRAM, SERTRALINE, CITALOPRAM), "none", (2.0, 2.0)),
        ((CITALOPRAM, SERTRALINE, CITALOPRAM), "substance", (1.0, 1.0)),
        ((CITALOPRAM, SERTRALINE, "N06A"), "substance", (1.0, 2.0)),
        (("N06A",), "substance", (1.0, 1.0)),
    ],
)
def test_the_number_of_trials_earns_the_points_of_its_band(drugs: tuple, by: str, scores: tuple) -> None:
    """One drug earns a point, three earn two; a drug of unknown name may be a third one."""
    rows = [fill(40 * n, atc, 1) for n, atc in enumerate(drugs)]
    told = classify(definition=with_score(9.0, number((1, 1.0), (3, 2.0), by=by)), dispensings=rows)

    assert facts(told["rows"], "score_min", "score_max") == [scores]


DOSES_OF_FORTY = [fill(0, CITALOPRAM, 10, 20_000), fill(10, CITALOPRAM, 15, 40_000)]


@pytest.mark.parametrize(
    ("item", "days", "rows", "scores"),
    [
        ("extended", 29, [fill(0, CITALOPRAM, 29)], (1.0, 1.0)),
        ("extended", 30, [fill(0, CITALOPRAM, 29)], (0.0, 0.0)),
        ("raised_dose", 0, [fill(0, CITALOPRAM, 15, 20_000), fill(15, CITALOPRAM, 14, 20_001)], (1.0, 1.0)),
        ("raised_dose", 0, [fill(0, CITALOPRAM, 15, 20_000), fill(15, CITALOPRAM, 14, 20_000)], (0.0, 0.0)),
        ("raised_dose", 0, [fill(0, CITALOPRAM, 15, 20_000), fill(15, CITALOPRAM, 14, 10_000)], (0.0, 0.0)),
        ("raised_dose", 0, [fill(0, CITALOPRAM, 15, 20_000), fill(15, CITALOPRAM, 14, None)], (0.0, 1.0)),
        ("raised_dose", 0, [*DOSES_OF_FORTY, fill(25, CITALOPRAM, 4, None)], (1.0, 1.0)),
        ("raised_dose", 0, [fill(0, CITALOPRAM, 14, None), fill(14, CITALOPRAM, 15, 40_000)], (0.0, 1.0)),
    ],
)
def test_a_failed_trial_may_have_been_long_or_raised(item: str, days: int, rows: list, scores: tuple) -> None:
    """29 days of citalopram that failed: longer for more, or at a dose that was higher later than at first."""
    asked = Item(item=item, of=("ssri",), points=1.0, max_points=9.0, extended_days=days)
    told = classify(definition=with_score(9.0, asked), dispensings=[*rows, fill(60, MIRTAZAPINE, 29)])

    assert facts(told["rows"], "score_min", "score_max") == [scores]


@pytest.mark.parametrize(
    ("drug", "required", "row"),
    [
        (None, True, ("not_resistant", "trial", None, None)),
        (None, False, ("resistant", "resistance", 1.0, 1.0)),
        ("N06A", True, ("undetermined", "trial", None, 2.0)),
        ("N06AB", True, ("resistant", "resistance", 2.0, 2.0)),
    ],
)
def test_without_a_required_number_there_is_no_score(drug: str | None, required: bool, row: tuple) -> None:
    """The episode's length alone reaches the threshold; but without an SSRI there may be nothing to score."""
    item = replace(number((1, 1.0), required=required), of=("ssri",))
    told = classify(
        definition=with_score(1.0, LengthItem(item="episode_days", bands=(ONE_DAY,)), item),
        dispensings=[fill(40, drug, 1)] if drug else [],
    )

    assert facts(told["rows"], "verdict", "decided_by", "score_min", "score_max") == [row]


def test_a_number_that_is_not_observed_may_be_the_highest() -> None:
    """Psychotherapy is not observed: up to three points, and no lack of what is required."""
    bands = (Band(at_least=1, points=1.0), Band(at_least=2, points=3.0))
    item = replace(number((1, 1.0), required=True), of=CBT, bands=bands)
    told = classify(definition=with_score(3.0, item), observes=DRUGS_ONLY)

    assert facts(told["rows"], "verdict", "decided_by", "score_min", "score_max") == [
        ("undetermined", "trial", None, 3.0)
    ]


@pytest.mark.parametrize(("at_least", "points"), [(711, 2.0), (712, 1.0)])
def test_the_length_of_the_episode_earns_points(at_least: int, points: float) -> None:
    """From day 0 to day 710 are 711 days."""
    item = LengthItem(item="episode_days", bands=(ONE_DAY, Band(at_least=at_least, points=2.0)))
    told = classify(definition=with_score(9.0, item))

    assert facts(told["rows"], "score_min", "score_max") == [(points, points)]


@pytest.mark.parametrize(
    ("codes", "points"),
    [(["F321"], 2.0), (["F320"], 1.0), (["F320", "F322"], 4.0), (["F322", "F320"], 4.0)],
)
def test_the_gravest_diagnosis_earns_its_points(codes: list, points: float) -> None:
    """Mild earns one point, severe four, and what is neither two."""
    told = classify(
        definition=with_score(9.0, SEVERITY),
        diagnoses=[contact(0), *(contact(day, code) for day, code in enumerate(codes))],
    )

    assert facts(told["rows"], "score_min", "score_max") == [(points, points)]


@pytest.mark.parametrize(
    ("when", "day", "points"),
    [
        ("during", -1, 0.0),
        ("during", 0, 4.0),
        ("during", 710, 4.0),
        ("during", 711, 0.0),
        ("before", -1, 4.0),
        ("ever", 1500, 4.0),
        ("ever", 1501, 0.0),
    ],
)
def test_a_diagnosis_earns_points_at_its_time(when: str, day: int, points: float) -> None:
    """The episode lasts from day 0 to day 710, and the person is observed until day 1500."""
    level = DiagnosisLevel(codes="hyperthyroidism", points=4.0)
    item = DiagnosisItem(item="diagnosis", when=when, levels=(level,), otherwise=0.0)
    told = classify(definition=with_score(9.0, item), diagnoses=[*(contact(d) for d in ILL), contact(day, "E059")])

    assert facts(told["rows"], "score_min") == [(points,)]


@pytest.mark.parametrize(
    ("stay", "scores"),
    [
        ({}, (2.0, 2.0)),
        ({"start_date": on(-1)}, (0.0, 0.0)),
        ({"start_date": on(710)}, (2.0, 2.0)),
        ({"start_date": on(711)}, (0.0, 0.0)),
        ({"main_code": "I21"}, (0.0, 0.0)),
        ({"main_code": None}, (0.0, 0.0)),
    ],
)
def test_an_admission_for_the_disorder_earns_points(stay: Row, scores: tuple) -> None:
    """It must begin within the episode, days 0 to 710, and be for the disorder."""
    told = classify(definition=with_score(9.0, ADMITTED), admissions=[STAY | stay])

    assert facts(told["rows"], "score_min", "score_max") == [scores]


def test_admissions_that_nobody_records_leave_the_score_open() -> None:
    """Without a table of admissions there may have been one."""
    told = classify(definition=with_score(2.0, ADMITTED), absent=frozenset({"admissions"}))

    assert facts(told["rows"], "verdict", "decided_by", "score_min", "score_max") == [
        ("undetermined", "trial", 0.0, 2.0)
    ]


@pytest.mark.parametrize(
    ("threshold", "items", "dated"),
    [
        (1.0, (LengthItem(item="episode_days", bands=(ONE_DAY,)),), on(0)),
        (2.0, (LengthItem(item="episode_days", bands=(ONE_DAY,)), number((2, 1.0))), on(60)),
        (1.0, (LengthItem(item="episode_days", bands=(ONE_DAY,)), number((2, 0.0), required=True)), on(60)),
        (1.0, (number((2, 1.0), what="failed"),), on(120)),
        (2.0, (number((2, 1.0), what="failed"), number((2, 1.0))), on(120)),
        (2.0, (number((1, 1.0), what="failed"), number((3, 1.0), by="substance")), on(120)),
        (1.5, (number((2, 1.0), by="substance"), FAILED), on(60)),
    ],
)
def test_a_score_is_dated_by_the_points_that_reach_the_threshold(threshold: float, items: tuple, dated: date) -> None:
    """Drugs start on days 0, 60 and 120; the first fails on day 60, the second on day 120; length counts at once."""
    told = classify(definition=with_score(threshold, *items), dispensings=TWO_FAILURES)

    assert facts(told["rows"], "resistant_date") == [(dated,)]


# --- Stages -----------------------------------------------------------------------------------------------------------


def test_a_staging_system_gives_a_score_and_no_verdict() -> None:
    """Two drugs given: two points, no row among the verdicts."""
    told = classify(definition=with_score("none", number((1, 1.0), (2, 2.0))), dispensings=TWO_FAILURES[:2])

    assert told["rows"] == []
    assert facts(told["stages"], "is_eligible", "score_min", "score_max", "level_min", "level_max") == [
        (True, 2.0, 2.0, None, None)
    ]


@pytest.mark.parametrize(
    ("eligible", "is_eligible"),
    [({"min_age": 49}, True), ({"min_age": 50}, False), ({"pseudo_resistance": "after"}, False)],
)
def test_only_eligible_episodes_have_a_stage(eligible: Row, is_eligible: bool) -> None:
    """49 years old, with a diagnosed cause of pseudo-resistance: no stage where either is asked against."""
    staging = replace(with_eligible(**eligible), resistance=with_levels(level("I", count(1))).resistance)
    told = classify(
        definition=staging, diagnoses=[*(contact(d) for d in ILL), contact(1, "E059")], dispensings=TWO_FAILURES
    )

    assert facts(told["stages"], "is_eligible", "level_min") == [(is_eligible, None if not is_eligible else "I")]


def test_an_episode_of_unknown_eligibility_has_no_stage() -> None:
    """Nobody observed the person."""
    told = classify(
        definition=with_levels(level("I", count(1))), coverage=[covered(-1000, -1)], dispensings=TWO_FAILURES
    )

    assert facts(told["stages"], "is_eligible", "level_min", "level_max") == [(None, None, None)]


@pytest.mark.parametrize(
    ("is_cumulative", "rows", "sessions", "observes", "levels"),
    [
        (True, [], 0, EVERYTHING, ("none", "none")),
        (True, TWO_FAILURES, 0, EVERYTHING, ("I", "I")),
        (False, TWO_FAILURES, 0, EVERYTHING, ("III", "III")),
        (True, TWO_FAILURES, 0, DRUGS_ONLY, ("I", "III")),
        (True, TWO_FAILURES[:2], 0, DRUGS_ONLY, ("I", "II")),
        (True, TWO_FAILURES, 6, EVERYTHING, ("III", "III")),
        (True, TWO_FAILURES, 5, EVERYTHING, ("I", "I")),
        (True, [], 6, EVERYTHING, ("none", "none")),
        (False, [], 6, EVERYTHING, ("II", "II")),
    ],
)
def test_stages_stand_on_each_other_or_not(
    is_cumulative: bool, rows: list, sessions: int, observes: frozenset[str], levels: tuple
) -> None:
    """One drug, then psychotherapy, then a second drug: six sessions are enough, five are not, none may be unseen."""
    definition = with_levels(
        level("I", count(1)), level("II", count(1, CBT)), level("III", count(2)), is_cumulative=is_cumulative
    )
    definition = replace(definition, outcome=BY_SWITCH)
    weekly = [session(20 + 8 * n, "cbt") for n in range(sessions)]
    after = [fill(100, SERTRALINE, 29)] if sessions and not rows else []
    told = classify(definition=definition, dispensings=rows + after, procedures=weekly, observes=observes)

    assert facts(told["stages"], "level_min", "level_max") == [levels]


@pytest.mark.parametrize(
    ("band", "is_outside"),
    [((), None), ((58, 58), False), ((29, 57), True), ((59, 90), True), ((0, 58), False), ((58, 90), False)],
)
def test_a_stage_says_how_long_its_trials_last(band: tuple, is_outside: bool | None) -> None:
    """Two failed drugs of 29 days each are 58 days; the drug that did not fail does not count."""
    told = classify(definition=with_levels(level("I", count(1), band=band)), dispensings=TWO_FAILURES)

    assert facts(told["stages"], "is_outside_band") == [(is_outside,)]


def test_below_the_first_stage_nothing_is_outside() -> None:
    """No failed drug: no stage, so nothing is said of its length."""
    told = classify(definition=with_levels(level("I", count(1), band=(1, 2))))

    assert facts(told["stages"], "level_min", "is_outside_band") == [("none", None)]


# --- Impasses ---------------------------------------------------------------------------------------------------------


def test_only_resistant_episodes_are_impasses() -> None:
    """Two failed drugs are an impasse, one is not."""
    one = classify(dispensings=TWO_FAILURES[:2])
    two = classify(dispensings=TWO_FAILURES)

    assert [len(told["impasses"]) for told in (one, two)] == [0, 1]


@pytest.mark.parametrize(
    ("last", "death", "coverage_end", "afterwards"),
    [
        ("F325", None, 1500, "remitted"),
        ("F321", 700, 1500, "died"),
        ("F321", None, 859, "continued"),
        ("F321", None, 860, "ended"),
    ],
)
def test_an_episode_goes_on_or_not(last: str, death: int | None, coverage_end: int, afterwards: str) -> None:
    """180 days after the last contact, on day 680, it is over, if that long was seen."""
    told = classify(
        death_date=None if death is None else on(death),
        coverage=[covered(-400, coverage_end)],
        diagnoses=[*(contact(day) for day in (0, 170, 340, 510)), contact(680, last)],
        dispensings=TWO_FAILURES,
    )

    assert facts(told["impasses"], "afterwards") == [(afterwards,)]


@pytest.mark.parametrize(
    ("more", "observes", "untried", "unobserved"),
    [
        ([], EVERYTHING, "cbt augmentation ect", ""),
        ([], frozenset({"drug", "psychotherapy"}), "cbt augmentation", "ect"),
        ([], DRUGS_ONLY, "augmentation", "cbt ect"),
        ([session(710, "psychotherapy_unspecified")], EVERYTHING, "augmentation ect", ""),
        ([session(711, "ect")], EVERYTHING, "cbt augmentation ect", ""),
        ([session(-5000, "ect")], EVERYTHING, "cbt augmentation", ""),
    ],
)
def test_what_was_not_tried(more: list, observes: frozenset[str], untried: str, unobserved: str) -> None:
    """Until the episode's last day, day 710, surely or possibly; what is still an experiment is not named."""
    told = classify(dispensings=TWO_FAILURES, procedures=more, observes=observes)

    assert facts(told["impasses"], "untried", "unobserved") == [(untried, unobserved)]
