"""What the tests of the reference draw with: one definition, one person, and short words for rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from impasse.schemas.definition import (
    Adequacy,
    Definition,
    DrugAdequacy,
    Eligible,
    Exclusion,
    Outcome,
    ScaleRule,
    SessionAdequacy,
    Trial,
)
from impasse.schemas.resistance import Alternative, Band, Count, Counted, Level, NumberItem, Scored, Staged
from impasse.schemas.source import Source
from impasse.schemas.study import OBSERVABLE, EpisodeSection, PeriodSection, SupplySection
from tests.reference import codes
from tests.reference.reference import classify_person

Row = dict[str, Any]
CODES = codes.load(Path(__file__).parent / "codelists")
STUDY = EpisodeSection(
    disorders=("depression",),
    gap_days=180,
    treatment_bridges=False,
    tail_days=30,
    min_prior_observation_days=365,
    lead_days=30,
)
PERIOD = PeriodSection(start=date(2018, 1, 1), end=date(2025, 12, 31))
EVERYTHING = frozenset(OBSERVABLE)
FOUR_WEEKS = DrugAdequacy(
    min_days=28,
    duration_basis="span",
    dose_basis="any",
    min_dose_ratio=0.0,
    min_pdc_percent=0,
    min_mpr_percent=0,
    adherence_window_days=0,
)
SIX_SESSIONS = SessionAdequacy(min_days=36, min_sessions=6)
TWO_DRUGS = Count(n=2, of=("antidepressants",), what="failed", distinct_by="substance", timing="any")
BASE = Definition(
    id="drawn",
    title="Two failed antidepressants",
    status="active",
    source=Source(citation="", says="", reading="", open="", confidence="D"),
    eligible=Eligible(
        disorders=("depression",),
        diagnoses=(),
        requirements=(),
        exclusions=(Exclusion(codes="bipolar", when="before_or_during"),),
        min_age=0,
        max_age=150,
        min_observed_days=0,
        washout_treatments=(),
        washout_days=0,
        pseudo_resistance="noted",
    ),
    trial=Trial(
        treatments=("antidepressants", "cbt"),
        augmenters=("augmenters",),
        permissible_gap_days=30,
        session_gap_days=30,
        carry_over=False,
        carry_over_cap_days=0,
        augmentation="own_trial",
        combination="own_trial",
        overlap_days=30,
        overlap_needs_refill=False,
        supply="as_delivered",
        supply_kinds=("dispensed", "prescribed", "administered"),
        single_dispensing_days=0,
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
        baseline="trial",
        baseline_days_before=14,
        baseline_days_after=7,
        score="last",
        score_from_day=15,
        score_days_after_end=14,
        lost_response="failed",
        change_signs=("switch", "add_on"),
        change_within=90,
        add_on_from_day=1,
        if_unfinished="unknown",
        early_stop_days=0,
        early_stop="not_failed",
    ),
    resistance=Counted(
        kind="count",
        any_of=(Alternative(name="drugs", within="episode", all_of=(TWO_DRUGS,)),),
    ),
)
CITALOPRAM, SERTRALINE, MIRTAZAPINE, ARIPIPRAZOLE = "N06AB04", "N06AB06", "N06AX11", "N05AX12"
QUETIAPINE = "N05AH04"
DRUGS, AUGMENTERS, CBT = ("antidepressants",), ("augmenters",), ("cbt",)


def on(day: int) -> date:
    """The date of a drawn day; day 0 is the first of January 2020."""
    return date(2020, 1, 1) + timedelta(days=day)


def contact(day: int, code: str = "F321") -> Row:
    """A day's visit with one diagnosis."""
    return {"date": on(day), "end_date": None, "code": code, "code_system": "icd10"}


def fill(day: int, atc: str, days: int | None, dose_ug: int | None = 20_000, kind: str | None = "dispensed") -> Row:
    """A supply; the dose is micrograms a day."""
    return {"date": on(day), "atc": atc, "days": days, "dose_ug": dose_ug, "dose_mddd": None, "kind": kind}


def session(day: int, treatment: str) -> Row:
    """One session of a treatment."""
    return {"date": on(day), "treatment": treatment}


def score(day: int, value: float, scale: str = "hamd17") -> Row:
    """One symptom score."""
    return {"date": on(day), "scale": scale, "value": value}


def covered(start: int, end: int) -> Row:
    """An interval in which the registry observes the person."""
    return {"start_date": on(start), "end_date": on(end)}


ILL = (0, 170, 340, 510, 680)
# Citalopram and sertraline, each left for the next drug; the second on day 120.
TWO_FAILURES = [fill(0, CITALOPRAM, 29), fill(60, SERTRALINE, 29), fill(120, MIRTAZAPINE, 29)]


def classify(
    *,
    definition: Definition = BASE,
    study: EpisodeSection = STUDY,
    observes: frozenset[str] = EVERYTHING,
    absent: frozenset[str] = frozenset(),
    death_date: date | None = None,
    max_days: int = 366,
    supply: Row | None = None,
    scales: frozenset[str] | None = None,
    **tables: list[Row],
) -> Row:
    """One person, ill for two years unless other diagnoses are drawn, under one definition."""
    person = {"person_id": "a", "birth_date": date(1970, 1, 2), "sex": "female", "death_date": death_date}
    rows = {
        "coverage": [covered(-400, 1500)],
        "diagnoses": [contact(day) for day in ILL],
        "dispensings": [],
        "procedures": [],
        "scores": [],
        "admissions": [],
    }
    taken = SupplySection(max_days=max_days, **(supply or {}))
    rest = ([definition], CODES, observes, absent, taken, scales)
    told = classify_person(person | rows | tables, study, PERIOD, *rest)
    return {
        "episodes": told["episodes"],
        "trials": told["trials"][definition.id],
        "judgements": told["judgements"][definition.id],
        "verdicts": [(row["verdict"], row["decided_by"]) for row in told["classifications"]],
        "rows": told["classifications"],
        "stages": told["stages"],
        "impasses": told["impasses"],
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


def with_eligible(**settings: Any) -> Definition:
    """The base definition with another eligible block."""
    return replace(BASE, eligible=replace(BASE.eligible, **settings))


def with_count(**settings: Any) -> Definition:
    """The base definition with another count."""
    return with_alternative(replace(TWO_DRUGS, **settings))


def with_alternative(*counts: Count, within: int | str = "episode") -> Definition:
    """The base definition with one alternative of these counts."""
    return with_alternatives(Alternative(name="drugs", within=within, all_of=counts))


def with_alternatives(*alternatives: Alternative) -> Definition:
    """The base definition with these alternatives."""
    return replace(BASE, resistance=Counted(kind="count", any_of=alternatives))


def count(n: int, of: tuple[str, ...] = DRUGS, what: str = "failed", timing: str = "any", by: str = "none") -> Count:
    """A count, of failed antidepressants in any order unless it says otherwise."""
    return Count(n=n, of=of, what=what, timing=timing, distinct_by=by)


def number(*bands: tuple[int, float], what: str = "given", by: str = "none", required: bool = False) -> NumberItem:
    """Points by the number of antidepressants."""
    told = tuple(Band(at_least=at_least, points=points) for at_least, points in bands)
    return NumberItem(item="number_of_trials", of=DRUGS, what=what, distinct_by=by, bands=told, is_required=required)


def level(name: str, *counts: Count, band: tuple[int, ...] = (), within: int | str = "episode") -> Level:
    """A stage that one alternative of these counts reaches."""
    return Level(name=name, any_of=(Alternative(name=name, within=within, all_of=counts),), band_days=band)


def with_score(threshold: float | str, *items: Any) -> Definition:
    """The base definition with a score."""
    return replace(BASE, resistance=Scored(kind="score", items=items, threshold=threshold))


def with_levels(*levels: Level, is_cumulative: bool = True) -> Definition:
    """The base definition with stages."""
    return replace(BASE, resistance=Staged(kind="stage", levels=levels, is_cumulative=is_cumulative))


def by_change(
    rows: list[Row],
    until: int = 1500,
    trial: Row | None = None,
    outcome: Row | None = None,
    **rest: Any,
) -> Row:
    """A person with these supplies, seen until the day; an unknown one lasts 100 days, and change alone tells."""
    rules = {"evidence": ("treatment_change",), **(outcome or {})}
    definition = replace(with_trial(**(trial or {})), outcome=replace(BASE.outcome, **rules))
    return classify(
        definition=definition, dispensings=rows, **{"coverage": [covered(-400, until)], "max_days": 100, **rest}
    )


def judged(rows: list[Row], position: int = 0, **rest: Any) -> tuple[Any, ...]:
    """Whether a trial failed by the change of treatment, by what evidence and when."""
    told = by_change(rows, **rest)
    return facts(told["judgements"], "has_failed", "outcome_evidence", "failure_date")[position]
