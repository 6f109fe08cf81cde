"""Variants of definitions, drawn from a seeded generator: every setting of every block takes other values."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from impasse.schemas.definition import (
    DISORDERS,
    Adequacy,
    Definition,
    DrugAdequacy,
    Eligible,
    Exclusion,
    Outcome,
    Requirement,
    ScaleBand,
    ScaleRule,
    SessionAdequacy,
    Trial,
)
from impasse.schemas.resistance import (
    AdmissionItem,
    Alternative,
    Band,
    Count,
    Counted,
    DiagnosisItem,
    DiagnosisLevel,
    Item,
    LengthItem,
    Level,
    NumberItem,
    Resistance,
    Scored,
    Staged,
)
from tests.reference.histories import DRAWN_SCALES, some

_OUTPATIENT = ("dispensed", "prescribed")
_ALL_KINDS = (*_OUTPATIENT, "administered")
GROUPS = (
    *("antidepressants", "ssri", "snri", "tca", "first_line_anxiety", "first_line_depression", "antipsychotics"),
    *("augmenters_depression", "augmenters_anxiety", "augmenters_france", "lithium", "clozapine", "sri", "esketamine"),
    *("psychotherapy", "cbt", "evidence_based_psychotherapy", "trauma_focused", "ect", "ect_bilateral", "tms"),
    *("ketamine", "psychedelics", "antidepressants_1009"),
)
EXCLUDING_LISTS = ("bipolar", "mania", "psychosis", "substance_use", "hyperthyroidism", "dementia", "parkinson")
DIAGNOSIS_LISTS = ("depression", "anxiety", "gad", "panic", "agoraphobia", "schizophrenia", "ocd", "ptsd")
SCORED_LISTS = ("depression_mild", "depression_severe", "anxiety", "personality_disorder", "substance_use", "psychosis")
WHENS = ("ever", "before", "during", "before_or_during")


def random_definition(rng: random.Random, base: Definition) -> Definition:
    """The base with some blocks' settings drawn anew; its id says that it is a variant."""
    varied: dict[str, Any] = {}
    for block, vary in BLOCK_VARIANTS.items():
        if rng.random() < 0.6:
            varied[block] = vary(rng, getattr(base, block))
    return replace(base, id=f"{base.id}~{rng.randrange(10**9)}", **varied)


def vary_eligible(rng: random.Random, base: Eligible) -> Eligible:
    """Other diagnoses, requirements, exclusions, ages, earlier time and earlier treatment; the disorders often stay."""
    lists = EXCLUDING_LISTS + tuple(exclusion.codes for exclusion in base.exclusions)
    exclusions = [Exclusion(codes=codes, when=rng.choice(WHENS)) for codes in some(rng, lists, 0, 2)]
    requirements = [
        Requirement(codes=codes, when=rng.choice(WHENS), days=rng.choice([1, 1, 2, 3]))
        for codes in some(rng, DIAGNOSIS_LISTS, 0, 1)
    ]
    min_age, max_age = rng.choice([(0, 150), (0, 150), (0, 150), (18, 150), (0, 17)])
    washout_treatments = rng.choice([base.washout_treatments, (), (), some(rng, GROUPS, 1, 2)])
    return replace(
        base,
        disorders=rng.choice([base.disorders, DISORDERS, DISORDERS, DISORDERS]),
        diagnoses=rng.choice([base.diagnoses, (), (), (), some(rng, DIAGNOSIS_LISTS, 1, 3)]),
        requirements=tuple(requirements) if rng.random() < 0.3 else (),
        exclusions=tuple(exclusions),
        min_age=min_age,
        max_age=max_age,
        min_observed_days=rng.choice([0, 0, 0, 30, 365, 366]),
        washout_treatments=washout_treatments,
        washout_days=rng.choice([1, 30, 31, 182, 365]) if washout_treatments else 0,
        pseudo_resistance=rng.choice(["noted", "noted", "before", "after"]),
    )


def vary_trial(rng: random.Random, base: Trial) -> Trial:
    """Other gaps, carry-over, add-on rules and windows; the groups often stay."""
    add_on_rules = ("own_trial", "part_of_trial", "ignored")
    return replace(
        base,
        treatments=rng.choice([base.treatments, base.treatments + some(rng, GROUPS, 1, 3), some(rng, GROUPS, 1, 4)]),
        augmenters=rng.choice([base.augmenters, some(rng, GROUPS, 0, 3), ("augmenters_depression", "antipsychotics")]),
        permissible_gap_days=rng.choice([0, 14, 30, 30, 31, 60, 90]),
        session_gap_days=rng.choice([0, 7, 14, 30, 60, 90]),
        carry_over=rng.random() < 0.5,
        carry_over_cap_days=rng.choice([0, 7, 14, 30, 90, 366]),
        augmentation=rng.choice(add_on_rules),
        combination=rng.choice(add_on_rules),
        overlap_days=rng.choice([1, 14, 28, 30, 30, 56, 60]),
        overlap_needs_refill=rng.choice([True, False]),
        supply=rng.choice(["as_delivered", "as_delivered", "dates_only"]),
        supply_kinds=rng.choice([_ALL_KINDS, _ALL_KINDS, _OUTPATIENT, ("administered",)]),
        single_dispensing_days=rng.choice([0, 0, 14, 30, 98, 365]),
        window=rng.choice(["episode", "episode", "episode", "first_days", "last_days", "first_treated_days"]),
        window_days=rng.choice([1, 90, 180, 365]),
    )


def vary_adequacy(rng: random.Random, base: Adequacy) -> Adequacy:
    """Another rule for some modalities."""
    return replace(
        base,
        drug=_drug_adequacy(rng),
        augmentation=rng.choice([base.augmentation, _drug_adequacy(rng)]),
        psychotherapy=rng.choice([base.psychotherapy, _session_adequacy(rng)]),
        neuromodulation=rng.choice([base.neuromodulation, _session_adequacy(rng)]),
    )


def _drug_adequacy(rng: random.Random) -> DrugAdequacy:
    return DrugAdequacy(
        min_days=rng.choice([0, 14, 28, 28, 42, 56]),
        duration_basis=rng.choice(["span", "covered", "prescribed"]),
        dose_basis=rng.choice(
            ["any", "ddd_ratio", "minimum_effective", "usual_dose_lower", "chlorpromazine_600", "atrq"]
        ),
        min_dose_ratio=rng.choice([0.0, 0.5, 0.8, 1.0, 1.0, 1.5]),
        min_pdc_percent=rng.choice([0, 0, 80, 80, 90, 100]),
        min_mpr_percent=rng.choice([0, 0, 0, 80, 100, 120]),
        adherence_window_days=rng.choice([0, 0, 28, 90, 180]),
    )


def _session_adequacy(rng: random.Random) -> SessionAdequacy:
    return SessionAdequacy(min_days=rng.choice([0, 36, 42, 43, 78]), min_sessions=rng.choice([1, 6, 7, 8, 12]))


def vary_outcome(rng: random.Random, base: Outcome) -> Outcome:
    """Other evidence, windows and joins of scales; a score is never both baseline and outcome."""
    evidence = rng.choice(
        [("scales", "treatment_change"), ("treatment_change", "scales"), ("scales",), ("treatment_change",)]
    )
    baseline_days_after = rng.choice([0, 1, 7, 14])
    first_days = [baseline_days_after + days for days in (2, 8, 15, 29)]  # the day after the baseline's last, and later
    return replace(
        base,
        evidence=evidence,
        scales=rng.choice([base.scales, ()]) or tuple(_scale_rule(rng) for _ in range(rng.randint(1, 4))),
        scales_joined=rng.choice(["any", "any_measured", "all", "first"]),
        baseline=rng.choice(["trial", "episode"]),
        baseline_days_before=rng.choice([0, 7, 14, 30, 90]),
        baseline_days_after=baseline_days_after,
        score=rng.choice(["last", "last", "last", "best", "first"]),
        score_from_day=rng.choice([*first_days, 28, 42]),
        score_days_after_end=rng.choice([0, 1, 30, 30, 90]),
        lost_response=rng.choice(["failed", "failed", "not_failed"]),
        change_signs=some(rng, ("switch", "add_on", "ect", "tms", "admission"), 1, 5),
        change_within=rng.choice([0, 30, 90, 98, "episode", "episode"]),
        add_on_from_day=rng.choice([1, 1, 15, 28]),
        if_unfinished=rng.choice(["not_failed", "unknown"]),
        early_stop_days=rng.choice([0, 0, 14, 28, 29]),
        early_stop=rng.choice(["not_failed", "unknown", "by_evidence"]),
    )


def _scale_rule(rng: random.Random) -> ScaleRule | ScaleBand:
    scale, fails_if = (
        rng.choice(DRAWN_SCALES),
        rng.choice(["fall_below", "points_below", "score_above", "fall_between"]),
    )
    if fails_if == "fall_between":
        at_least, below = rng.choice([(0.0, 25.0), (25.0, 50.0), (-25.0, 20.0), (35.0, 100.0)])
        return ScaleBand(scale=scale, fails_if="fall_between", at_least=at_least, below=below)
    values = {"fall_below": (20.0, 25.0, 35.0, 50.0, 50.0), "score_above": (2.0, 7.0, 10.0, 14.0)}
    return ScaleRule(scale=scale, fails_if=fails_if, value=rng.choice(values.get(fails_if, (1.0, 5.0, 8.0, 12.0))))


def vary_resistance(rng: random.Random, base: Resistance) -> Resistance:
    """Drawn counts, a score or stages; `of` keeps to what the base counts half of the time."""
    parts = [part.of for part in _counting_parts(base)] or [("antidepressants",)]
    kind = rng.random()
    if kind < 0.3:
        items = tuple(_item(rng, parts) for _ in range(rng.randint(1, 4)))
        return Scored(kind="score", items=items, threshold=rng.choice([0.5, 1.0, 2.0, 2.5, 4.0, 6.0, "none"]))
    if kind < 0.5:
        names = ("I", "II", "III", "IV")[: rng.randint(1, 4)]
        levels = tuple(
            Level(
                name=name, any_of=_alternatives(rng, parts, 2), band_days=rng.choice([(), (0, 56), (57, 140), (84, 84)])
            )
            for name in names
        )
        return Staged(kind="stage", levels=levels, is_cumulative=rng.random() < 0.5)
    return Counted(kind="count", any_of=_alternatives(rng, parts, 3))


def _counting_parts(base: Resistance) -> list[Count | Item | NumberItem]:
    if isinstance(base, Scored):
        return [item for item in base.items if isinstance(item, Item | NumberItem)]
    groups = [base] if isinstance(base, Counted) else base.levels
    return [count for group in groups for alternative in group.any_of for count in alternative.all_of]


def _of(rng: random.Random, parts: list[tuple[str, ...]]) -> tuple[str, ...]:
    return rng.choice(parts) if rng.random() < 0.6 else some(rng, GROUPS, 1, 3)


def _alternatives(rng: random.Random, parts: list[tuple[str, ...]], most: int) -> tuple[Alternative, ...]:
    return tuple(_alternative(rng, parts, f"alternative {number}") for number in range(rng.randint(1, most)))


def _alternative(rng: random.Random, parts: list[tuple[str, ...]], name: str) -> Alternative:
    """An alternative; half of them look at one day or shortly before it. Some count is not before it."""
    is_dated = rng.random() < 0.5
    counts = [_count(rng, parts, is_dated) for _ in range(rng.choice([1, 1, 2, 3]))]
    if all(count.timing == "before" for count in counts):
        counts[0] = replace(counts[0], timing=rng.choice(["any", "last"]))
    within = rng.choice(["episode", 1, 30, 90, 365]) if is_dated else "episode"
    return Alternative(name=name, within=within, all_of=tuple(counts))


def _count(rng: random.Random, parts: list[tuple[str, ...]], is_dated: bool) -> Count:
    return Count(
        n=rng.choice([1, 1, 1, 2, 2, 3]),
        of=_of(rng, parts),
        what=rng.choice(["failed", "failed", "given", "added"]),
        distinct_by=rng.choice(["none", "substance", "class", "mechanism"]),
        timing=rng.choice(["any", "before", "last"]) if is_dated else "any",
    )


AnyItem = Item | NumberItem | LengthItem | DiagnosisItem | AdmissionItem


def _item(rng: random.Random, parts: list[tuple[str, ...]]) -> AnyItem:
    other = rng.choice(["number_of_trials", "number_of_trials", "episode_days", "diagnosis", "admission"])
    kind = rng.choice(["each trial", other, other])
    points = rng.choice([0.5, 1.0, 1.5, 3.0])
    if kind == "number_of_trials":
        return NumberItem(
            item="number_of_trials",
            of=_of(rng, parts),
            what=rng.choice(["failed", "failed", "given", "added"]),
            distinct_by=rng.choice(["none", "substance"]),
            bands=_bands(rng, (0, 1, 1, 2, 3, 4, 5)),
            is_required=rng.random() < 0.4,
        )
    if kind == "episode_days":
        return LengthItem(item="episode_days", bands=_bands(rng, (0, 31, 180, 181, 366, 731)))
    if kind == "diagnosis":
        levels = tuple(
            DiagnosisLevel(codes=codes, points=rng.choice([0.0, 1.0, 2.5])) for codes in some(rng, SCORED_LISTS, 1, 3)
        )
        return DiagnosisItem(
            item="diagnosis", when=rng.choice(WHENS), levels=levels, otherwise=rng.choice([0.0, 0.0, 1.5])
        )
    if kind == "admission":
        return AdmissionItem(item="admission", points=points)
    return Item(
        item=rng.choice(["failed_trials", "failed_trials", "raised_dose", "extended"]),
        of=_of(rng, parts),
        points=points,
        max_points=rng.choice([0.5, 1.0, 2.0, 2.5, 9.0]),
        extended_days=rng.choice([0, 28, 56, 57, 90]),
    )


def _bands(rng: random.Random, edges: tuple[int, ...]) -> tuple[Band, ...]:
    """One to three bands, the higher the more points, or as many."""
    at_least = sorted(some(rng, edges, 1, 3))
    points = sorted(rng.choice([0.0, 0.5, 1.0, 2.0, 3.0]) for _ in at_least)
    return tuple(Band(at_least=edge, points=value) for edge, value in zip(at_least, points, strict=True))


BLOCK_VARIANTS = {
    "eligible": vary_eligible,
    "trial": vary_trial,
    "adequacy": vary_adequacy,
    "outcome": vary_outcome,
    "resistance": vary_resistance,
}
