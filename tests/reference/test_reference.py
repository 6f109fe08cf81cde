"""Hand-drawn cases for the reference itself: both sides of the boundaries on which readings differ."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.definition import (
    Adequacy,
    Arm,
    Count,
    Counted,
    Definition,
    DrugAdequacy,
    Eligible,
    Exclusion,
    Item,
    Outcome,
    ScaleRule,
    Scored,
    SessionAdequacy,
    Source,
    Trial,
)
from schemas.extracts import MODELS
from schemas.study import OBSERVABLE, EpisodeSection, PeriodSection
from tests.reference import codes, histories
from tests.reference.reference import classify_person
from transforms.try_case import drawn_extract

Row = dict[str, Any]
CODES = codes.load(Path(__file__).parent / "codelists")
STUDY = EpisodeSection(
    disorders=("depression",), gap_days=180, treatment_bridges=False, tail_days=30, washout_days=365, lead_days=30
)
PERIOD = PeriodSection(start=date(2018, 1, 1), end=date(2025, 12, 31))
EVERYTHING = frozenset(OBSERVABLE)
FOUR_WEEKS = DrugAdequacy(
    min_days=28, duration_basis="span", dose_basis="any", min_dose_ratio=0.0, min_adherence_percent=0
)
SIX_SESSIONS = SessionAdequacy(min_days=36, min_sessions=6)
BASE = Definition(
    id="drawn",
    title="Two failed antidepressants",
    status="active",
    source=Source(citation="", says="", reading="", open="", confidence="D"),
    eligible=Eligible(
        disorders=("depression",),
        diagnoses=(),
        exclusions=(Exclusion(codes="bipolar", when="before_or_during"),),
        min_age=0,
        max_age=150,
        min_observed_days=0,
    ),
    trial=Trial(
        treatments=("antidepressants", "cbt"),
        augmenters=("augmenters",),
        drug_gap_days=30,
        session_gap_days=30,
        carry_over=False,
        carry_over_cap_days=0,
        augmentation="own_trial",
        combination="own_trial",
        overlap_days=30,
        window="episode",
        window_days=0,
    ),
    adequacy=Adequacy(
        drug=FOUR_WEEKS, augmentation=FOUR_WEEKS, psychotherapy=SIX_SESSIONS, neuromodulation=SIX_SESSIONS
    ),
    outcome=Outcome(
        evidence=("scales", "treatment_change"),
        scales=(ScaleRule(scale="hamd17", fails_if="fall_below", value=50.0),),
        scales_joined="any",
        baseline_days_before=14,
        baseline_days_after=7,
        score_from_day=14,
        score_days_after_end=14,
        change_signs=("switch", "add_on"),
        change_within=90,
        if_unfinished="unknown",
        early_stop_days=0,
        early_stop="not_failed",
    ),
    resistance=Counted(
        kind="count",
        any_of=(Arm(name="drugs", all_of=(Count(n=2, of=("antidepressants",), distinct_by="substance"),)),),
    ),
)
CITALOPRAM, SERTRALINE, MIRTAZAPINE, ARIPIPRAZOLE = "N06AB04", "N06AB06", "N06AX11", "N05AX12"


def on(day: int) -> date:
    """The date of a drawn day; day 0 is the first of January 2020."""
    return date(2020, 1, 1) + timedelta(days=day)


def contact(day: int, code: str = "F321") -> Row:
    """A day's visit with one diagnosis."""
    return {"date": on(day), "end_date": None, "code": code, "code_system": "icd10"}


def fill(day: int, atc: str, days: int | None, dose_ug: int | None = 20_000) -> Row:
    """A dispensing; the dose is micrograms a day."""
    return {"date": on(day), "atc": atc, "days": days, "dose_ug": dose_ug, "dose_mddd": None}


def session(day: int, treatment: str) -> Row:
    """One session of a treatment."""
    return {"date": on(day), "treatment": treatment}


def score(day: int, value: float, scale: str = "hamd17") -> Row:
    """One symptom score."""
    return {"date": on(day), "scale": scale, "value": value}


def covered(start: int, end: int) -> Row:
    """An interval in which the registry observes the person."""
    return {"start_date": on(start), "end_date": on(end)}


def classify(
    *,
    definition: Definition = BASE,
    study: EpisodeSection = STUDY,
    observes: frozenset[str] = EVERYTHING,
    absent: frozenset[str] = frozenset(),
    death_date: date | None = None,
    **tables: list[Row],
) -> Row:
    """One person, ill for two years unless other diagnoses are drawn, under one definition."""
    person = {"person_id": "a", "birth_date": date(1970, 1, 2), "sex": "female", "death_date": death_date}
    rows = {
        "coverage": [covered(-400, 1500)],
        "diagnoses": [contact(0), contact(170), contact(340), contact(510), contact(680)],
        "dispensings": [],
        "procedures": [],
        "scores": [],
        "admissions": [],
    }
    told = classify_person(person | rows | tables, study, PERIOD, [definition], CODES, observes, absent)
    return {
        "episodes": told["episodes"],
        "trials": told["trials"][definition.id],
        "judgements": told["judgements"][definition.id],
        "verdicts": [(row["verdict"], row["decided_by"]) for row in told["classifications"]],
        "rows": told["classifications"],
    }


def facts(rows: list[Row], *names: str) -> list[tuple[Any, ...]]:
    """The named facts of each row."""
    return [tuple(row[name] for name in names) for row in rows]


def with_trial(**settings: Any) -> Definition:
    """The base definition with another trial block."""
    return replace(BASE, trial=replace(BASE.trial, **settings))


def with_drug_adequacy(**settings: Any) -> Definition:
    """The base definition with another adequacy of drugs."""
    return replace(BASE, adequacy=replace(BASE.adequacy, drug=replace(FOUR_WEEKS, **settings)))


def with_outcome(**settings: Any) -> Definition:
    """The base definition with another outcome block."""
    return replace(BASE, outcome=replace(BASE.outcome, **settings))


def with_count(**settings: Any) -> Definition:
    """The base definition with another count."""
    count = replace(BASE.resistance.any_of[0].all_of[0], **settings)
    return replace(BASE, resistance=Counted(kind="count", any_of=(Arm(name="drugs", all_of=(count,)),)))


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
def test_too_short_a_look_back_truncates(since: int, is_left_truncated: bool) -> None:
    """365 observed days before the episode are a whole washout, 364 are not."""
    told = classify(coverage=[covered(since, 900)])

    assert facts(told["episodes"], "is_left_truncated", "observed_days_before") == [(is_left_truncated, -since)]


def test_without_coverage_nothing_is_known_of_the_look_back() -> None:
    """No coverage table: left truncation is unknown, and the view ends with the period."""
    told = classify(absent=frozenset({"coverage"}))

    assert facts(told["episodes"], "is_left_truncated", "observed_until") == [(None, PERIOD.end)]


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
        definition=with_drug_adequacy(min_adherence_percent=percent),
        dispensings=[fill(0, CITALOPRAM, 20), fill(30, CITALOPRAM, 20)],
    )

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
    """From 24, 12 is a response and 12.5 is a failure; before day 14 a score says nothing."""
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
        definition=replace(BASE, resistance=Scored(kind="score", items=items, threshold=1.0)),
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
    ],
)
def test_bipolar_disorder_excludes_at_the_stated_time(day: int, when: str, verdict: str) -> None:
    """Before is before the first day; during ends with the episode's last day; ever is as long as observed."""
    excluding = replace(BASE.eligible, exclusions=(Exclusion(codes="bipolar", when=when),))
    ill = [contact(0), contact(170), contact(340), contact(510), contact(680)]
    told = classify(definition=replace(BASE, eligible=excluding), diagnoses=[*ill, contact(day, "F310")])

    assert [verdict for verdict, _ in told["verdicts"]] == [verdict]


@pytest.mark.parametrize(("min_age", "verdict"), [(49, "not_resistant"), (50, "not_eligible")])
def test_age_is_in_completed_years(min_age: int, verdict: str) -> None:
    """The day before the fiftieth birthday a person is 49."""
    told = classify(definition=replace(BASE, eligible=replace(BASE.eligible, min_age=min_age)))

    assert facts(told["rows"], "verdict") == [(verdict,)]


# --- Drawn histories --------------------------------------------------------------------------------------------------


def test_drawn_persons_are_canonical_tables() -> None:
    """Drawn histories become frames that the canonical models accept, and absent tables stay absent."""
    rng = random.Random(1)
    extract = drawn_extract([histories.random_person(rng, n) for n in range(30)], EVERYTHING, frozenset({"coverage"}))

    accepted = {name: MODELS[name].validate(table).equals(table) for name, table in extract.tables().items()}

    assert set(accepted) == set(MODELS) - {"coverage"}
    assert all(accepted.values())


def test_a_seed_draws_the_same_again() -> None:
    """Equal seeds draw equal persons, studies and definitions."""
    first, second = random.Random(7), random.Random(7)

    assert histories.random_person(first, 0) == histories.random_person(second, 0)
    assert histories.random_study(first) == histories.random_study(second)
    assert histories.random_definition(first, BASE) == histories.random_definition(second, BASE)
