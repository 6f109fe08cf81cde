"""Nasty small histories, study rules and definitions, drawn from a seeded generator.

Everything is drawn from short lists of values that lie on, just before and just after the limits
that rules use (gaps of 30 and 31 days, courses of 27, 28 and 29, a fall of exactly a half), so that
a few hundred persons meet most of the ways in which two readings of a rule can differ.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from schemas.definition import (
    DISORDERS,
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
    Resistance,
    ScaleRule,
    Scored,
    SessionAdequacy,
    Trial,
)
from schemas.study import OBSERVABLE, TABLES, EpisodeSection, PeriodSection

Row = dict[str, Any]  # drawn data: values of every type

ILLNESS_CODES = {
    "depression": ("F321", "F321", "F329", "F331", "F339", "F3281"),
    "anxiety": ("F411", "F411", "F4001", "F410", "F412", "F402"),
    "schizophrenia": ("F200", "F209"),
    "ocd": ("F422", "F423"),
    "ptsd": ("F431",),
}
PLAIN_CODES = {
    "depression": ("F321", "F331"),
    "anxiety": ("F411", "F410", "F4001", "F401"),
    "ocd": ("F422",),
    "ptsd": ("F431",),
}
FINAL = (3.0, 7.0, 8.0, 15.0, 16.0, 20.0, 25.0)
OLDER_CODES = (("29620", "icd9"), ("30002", "icd9"), ("29530", "icd9"), ("P76", "icpc2"), ("P74", "icpc2"))
REMISSION_CODES = ("F325", "F324", "F3342")
OTHER_CODES = ("F311", "F319", "F340", "F302", "F209", "F101", "E059", "I10", "F030", "F603")
DRUGS = {
    "depression": ("N06AB04", "N06AB06", "N06AX16", "N06AX11", "N06AA09", "N06A", "N06AB", "N06AX", "N06AB77"),
    "anxiety": ("N06AB04", "N06AB10", "N06AX16", "N02BF02", "N05BE01", "N06AB", "N06A", "N05BA01"),
    "schizophrenia": ("N05AH02", "N05AX08", "N05AH03", "N05AX12", "N05A", "N05AX"),
}
STUBBORN_DRUGS = ("N06AB04", "N06AB06", "N06AB10", "N06AX16", "N06AA09")
STUBBORN_OCD_DRUGS = ("N06AB04", "N06AB05", "N06AB06", "N06AB10", "N06AA04")
ADD_ONS = (
    "N05AX12",
    "N05AN01",
    "N05AH04",
    "N05A",
    "N05AX",
    "N05BE01",
    "N06AX11",
    "H03AA",
    "H03AA02",
    "N06CA03",
    "A10BA02",
)
SESSIONS = (
    *("cbt", "cbt", "psychotherapy_unspecified", "psychotherapy_unspecified", "psychotherapy_other"),
    *("ect", "ect_bilateral", "ect_unilateral", "tms", "ketamine", "vns", "dbs", None),
)
SUPPLY_DAYS = (None, 1, 7, 14, 27, 28, 28, 29, 30, 30, 41, 42, 42, 43, 55, 56, 56, 57, 84, 90, 100)
REFILL_GAPS = (-28, -14, -7, -1, 0, 0, 0, 0, 1, 7, 14, 29, 30, 30, 31, 31, 32, 60, 61, 90, 91)
NEXT_DRUG_AFTER = (-57, -56, -55, -43, -42, -31, -30, -29, -28, -27, -15, -14, -13, -1, 0, 0, 1, 14, 30, 31, 90, 91)
CONTACT_STEPS = (0, 1, 7, 14, 30, 31, 60, 89, 90, 91, 120, 179, 180, 181, 182, 400)
SESSION_STEPS = (0, 1, 3, 3, 7, 7, 7, 7, 14, 29, 30, 31, 60, 61, 90, 91)
DOSES_MDDD = (None, 333, 500, 799, 800, 999, 1000, 1000, 1001, 1500, 2000)
DOSES_UG = (None, 7_500, 10_000, 19_999, 20_000, 20_000, 25_000, 30_000, 37_500, 50_000, 75_000, 150_000, 900_000)
SCALES = {
    "depression": ("hamd17", "madrs", "bdi2", "phq9"),
    "anxiety": ("ham_a", "bai", "cgi_i", "gad7"),
    "schizophrenia": ("panss", "cgi_i"),
    "ocd": ("ybocs",),
    "ptsd": ("pcl5", "caps5"),
}
DRAWN_SCALES = SCALES["depression"] + SCALES["anxiety"][:3] + ("panss",)
SCORE_OFFSETS = (-31, -30, -29, -14, -8, -7, -1, 0, 0, 1, 7, 8, 13, 14, 15, 20, 21, 27, 28, 29, 42, 55, 56, 57, 70, 84)
LEVELS = (0.0, 1.0, 2.0, 3.0, 7.0, 7.5, 8.0, 10.0, 11.0, 14.0, 20.0, 24.0, 30.0)
NEAR = (-91, -90, -31, -30, -1, 0, 0, 1, 7, 14, 28, 29, 30, 31, 56, 89, 90, 91, 98, 120, 180, 181)

GROUPS = (
    *("antidepressants", "ssri", "snri", "tca", "first_line_anxiety", "first_line_depression", "antipsychotics"),
    *("augmenters_depression", "augmenters_anxiety", "lithium", "psychotherapy", "cbt", "ect", "tms", "ketamine"),
)
EXCLUDING_LISTS = ("bipolar", "mania", "psychosis", "substance_use", "hyperthyroidism", "dementia")
DIAGNOSIS_LISTS = ("depression", "anxiety", "gad", "panic", "agoraphobia", "schizophrenia", "ocd", "ptsd")
DISORDER_CHOICES = (
    *(("depression",), ("anxiety",), ("anxiety", "depression"), ("depression", "anxiety", "schizophrenia")),
    *(DISORDERS, DISORDERS),
)


def later(day: date, days: int) -> date:
    """The day so many days later."""
    return day + timedelta(days=days)


# --- Persons ----------------------------------------------------------------------------------------------------------


def random_person(rng: random.Random, index: int) -> Row:
    """Mostly a person of everything at random; one in four is near the edge of resistance."""
    return _stubborn_person(rng, index) if rng.random() < 0.25 else _any_person(rng, index)


def _stubborn_person(rng: random.Random, index: int) -> Row:
    """One person whose treatments are long and strong enough, and fail or just do not."""
    illness = rng.choice(["depression", "depression", "anxiety", "anxiety", "ocd", "ptsd"])
    onset = later(date(2015, 8, 1), rng.randint(0, 200))
    is_ocd = illness == "ocd"  # judged after longer courses than the others
    drugs = rng.sample(STUBBORN_OCD_DRUGS if is_ocd else STUBBORN_DRUGS, k=rng.choice([1, 2, 3, 4, 5]))
    lengths = [83, 84, 84, 90] if is_ocd else [42, 55, 56, 57, 84, 90]
    day, rows, starts = onset, [], []
    for atc in drugs:
        days = rng.choice(lengths)
        strengths = rng.choice([(150_000,), (150_000,), (75_000, 150_000)])
        for number, dose in enumerate(strengths):
            drug = {"atc": atc, "days": days, "dose_ug": dose, "dose_mddd": 1500, "supply_basis": "days_supply"}
            rows.append({"date": later(day, number * days), **drug})
        starts.append(day)
        day = later(day, len(strengths) * days + rng.choice([-14, 0, 0, 0, 14, 90, 91]))
    sessions = rng.choice([19, 20, 20, 20] if is_ocd else [0, 11, 12, 12, 13])
    finals = rng.choice([FINAL, FINAL[-2:]])
    week = {"code": "X99", "code_system": "other", "treatment": rng.choice(["cbt", "cbt", "psychotherapy_unspecified"])}
    scores = [
        {"date": later(start, offset), "scale": scale, "value": value}
        for scale in some(rng, SCALES[illness], 0, 3)
        for start in [*starts, onset]
        for offset, value in ((0, 30.0 if scale != "cgi_i" else 4.0), (rng.choice([55, 56, 83]), rng.choice(finals)))
    ]
    return {
        **_any_person(rng, index),
        "birth_date": date(1970, 5, 5),
        "death_date": None,
        "coverage": [{"start_date": date(2010, 1, 1), "end_date": date(2025, 12, 31)}],
        "diagnoses": [
            _diagnosis(rng, later(onset, 60 * n), rng.choice(PLAIN_CODES[illness]), "icd10") for n in range(12)
        ],
        "dispensings": rows,
        "procedures": [{"date": later(onset, 7 * n), **week} for n in range(sessions)],
        "scores": scores,
    }


def _any_person(rng: random.Random, index: int) -> Row:
    """One person, with landmarks (contacts, drug starts and ends) near which everything else happens."""
    illnesses = rng.choice(
        [("depression",), ("depression",), ("anxiety",), ("depression", "anxiety"), ("schizophrenia",), ("ocd", "ptsd")]
    )
    onset = later(date(2015, 1, 1), rng.randint(0, 400))
    dispensings, starts, ends = _dispensings(rng, onset, illnesses[0])
    landmarks = [onset, *starts, *ends]
    return {
        "person_id": f"p{index}",
        "birth_date": rng.choice([None, date(1960, 2, 29), _same_day(onset, 18), _same_day(later(onset, 1), 18)]),
        "sex": rng.choice(["female", "male", "unknown"]),
        "death_date": rng.choice([None] * 6 + [near(rng, landmarks), later(onset, rng.randint(-5, 700))]),
        "coverage": _coverage(rng, onset, landmarks),
        "diagnoses": _diagnoses(rng, onset, illnesses, landmarks),
        "dispensings": dispensings,
        "procedures": _procedures(rng, landmarks),
        "scores": _scores(rng, illnesses, starts or [onset]),
        "admissions": _admissions(rng, illnesses, landmarks),
    }


def near(rng: random.Random, landmarks: list[date]) -> date:
    """A day at a telling distance from a landmark."""
    return later(rng.choice(landmarks), rng.choice(NEAR))


def _same_day(day: date, years: int) -> date:
    """The same day some years earlier; a leap day becomes the day before."""
    return date(day.year - years, day.month, min(day.day, 28) if day.month == 2 else day.day)


def _coverage(rng: random.Random, onset: date, landmarks: list[date]) -> list[Row]:
    """No coverage, one interval, or several that touch, overlap, contain each other or leave a gap."""
    starts = later(onset, rng.choice([-800, -800, -366, -365, -364, -30, 0, 1, 40]))
    intervals = []
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
        ends = rng.choice([later(starts, rng.choice([0, 100, 366, 900, 2500])), max(starts, near(rng, landmarks))])
        intervals.append({"start_date": starts, "end_date": ends})
        starts = later(ends, rng.choice([-60, 0, 1, 2, 3, 30, 200]))
    rng.shuffle(intervals)
    return intervals


def _diagnoses(rng: random.Random, onset: date, illnesses: tuple[str, ...], landmarks: list[date]) -> list[Row]:
    """Contacts of each illness, some with remission codes, some inpatient, and other diagnoses around them."""
    rows = []
    for illness in illnesses:
        day = later(onset, rng.choice([-30, -1, 0, 0, 0, 1, 14]))
        for _ in range(rng.randint(1, 8)):
            code, system = rng.choice(ILLNESS_CODES[illness]), "icd10"
            if rng.random() < 0.1:
                code, system = rng.choice(OLDER_CODES)
            if illness == "depression" and rng.random() < 0.2:
                code, system = rng.choice(REMISSION_CODES), "icd10"
            rows.append(_diagnosis(rng, day, code, system))
            day = later(day, rng.choice(CONTACT_STEPS)) if rng.random() < 0.5 else near(rng, landmarks)
    rows += [
        _diagnosis(rng, near(rng, landmarks), rng.choice(OTHER_CODES), "icd10") for _ in range(rng.choice([0, 0, 1, 2]))
    ]
    return rows + rng.sample(rows, k=rng.choice([0, 0, 1]))


def _diagnosis(rng: random.Random, day: date, code: str, system: str) -> Row:
    stay = rng.choice([None, None, None, 0, 3, 40])
    return {
        "date": day,
        "end_date": None if stay is None else later(day, stay),
        "code": code,
        "code_system": system,
        "position": rng.choice(["main", "other"]),
        "setting": rng.choice(["inpatient", "outpatient", "primary", "unknown"]),
    }


def _dispensings(rng: random.Random, onset: date, illness: str) -> tuple[list[Row], list[date], list[date]]:
    """Runs of fills of few drugs, each starting about where the one before ends."""
    pool = rng.sample(DRUGS.get(illness, DRUGS["depression"]), k=3) + rng.sample(ADD_ONS, k=2)
    rows: list[Row] = []
    starts: list[date] = []
    ends: list[date] = []
    day = later(onset, rng.choice([-61, -60, -31, -30, -29, -1, 0, 0, 0, 1, 14, 40]))
    for number in range(rng.choice([0, 1, 2, 3, 4, 5, 6])):
        run, end = _run_of_fills(rng, day, rng.choice([pool[number % 5], rng.choice(pool)]))
        rows += run
        starts.append(day)
        ends.append(end)
        together = later(day, rng.choice([0, 1, 14, 28, 30, 42]))
        day = rng.choice([together, max(day, later(end, rng.choice(NEXT_DRUG_AFTER)))])
    return rows, starts, ends


def _run_of_fills(rng: random.Random, day: date, atc: str) -> tuple[list[Row], date]:
    rows = []
    usual, ug, mddd = rng.choice(SUPPLY_DAYS), rng.choice(DOSES_UG), rng.choice(DOSES_MDDD)
    ends = day
    for _ in range(rng.choice([1, 2, 3, 4, 6])):
        days = usual if rng.random() < 0.8 else rng.choice(SUPPLY_DAYS)
        ug, mddd = (ug, mddd) if rng.random() < 0.8 else (rng.choice(DOSES_UG), rng.choice(DOSES_MDDD))
        basis = "unknown" if days is None else "ddd"
        rows.append({"date": day, "atc": atc, "days": days, "dose_ug": ug, "dose_mddd": mddd, "supply_basis": basis})
        ends = later(day, days or 0)
        day = day if rng.random() < 0.1 else max(day, later(ends, rng.choice(REFILL_GAPS)))
    return rows, ends


def _procedures(rng: random.Random, landmarks: list[date]) -> list[Row]:
    """Courses of sessions, one or two treatments, sometimes twice on one day."""
    rows = []
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        treatment, day = rng.choice(SESSIONS), near(rng, landmarks)
        steps = rng.choice([SESSION_STEPS, (7,), (3, 4)])
        for _ in range(rng.choice([1, 2, 6, 8, 12, 13])):
            code = "X99" if treatment is None else treatment.upper()
            rows.append({"date": day, "code": code, "code_system": "other", "treatment": treatment})
            day = later(day, rng.choice(steps))
    return rows


def _scores(rng: random.Random, illnesses: tuple[str, ...], starts: list[date]) -> list[Row]:
    """Series whose later scores are at, above and below telling shares of the first; the first may be missing."""
    rows = []
    for _ in range(rng.choice([0, 1, 3, 5])):
        scale, start = rng.choice(SCALES[rng.choice(illnesses)]), rng.choice(starts)
        least = {"panss": 30.0, "cgi_i": 1.0}.get(scale, 0.0)
        first = least + rng.choice([0.0, 6.0, 16.0, 20.0, 24.0])
        offsets = [0] if rng.random() < 0.7 else []
        offsets += rng.choices(SCORE_OFFSETS, k=rng.randint(1, 5))
        for number, offset in enumerate(offsets):
            share = 1.0 if number == 0 else rng.choice([0.0, 0.25, 0.5, 0.5, 0.6, 0.65, 0.75, 0.8, 1.0, 1.25])
            value = least + (first - least) * share + (0.0 if number == 0 else rng.choice([-1.0, 0.0, 0.0, 0.0, 1.0]))
            value = value if rng.random() < 0.8 else least + rng.choice(LEVELS)
            rows.append({"date": later(start, offset), "scale": scale, "value": value})
    return rows


def _admissions(rng: random.Random, illnesses: tuple[str, ...], landmarks: list[date]) -> list[Row]:
    rows = []
    for _ in range(rng.choice([0, 0, 1, 3])):
        day = near(rng, landmarks)
        code = rng.choice([*ILLNESS_CODES[rng.choice(illnesses)], "F325", "I21", None])
        rows.append({"start_date": day, "end_date": later(day, rng.choice([0, 5])), "main_code": code})
    return rows


# --- Studies ----------------------------------------------------------------------------------------------------------


def random_study(rng: random.Random) -> tuple[EpisodeSection, PeriodSection]:
    """An episode rule and a study period; the period may begin and end amid the histories."""
    episodes = EpisodeSection(
        disorders=rng.choice(DISORDER_CHOICES),
        gap_days=rng.choice([0, 30, 90, 180, 180, 180, 365]),
        treatment_bridges=rng.random() < 0.75,
        tail_days=rng.choice([0, 1, 30, 90, 200, 365]),
        washout_days=rng.choice([0, 30, 365, 366]),
        lead_days=rng.choice([0, 1, 30, 30, 60]),
    )
    period = PeriodSection(
        start=rng.choice([date(2010, 1, 1), date(2015, 1, 1), date(2015, 7, 1)]),
        end=rng.choice([date(2016, 6, 30), date(2017, 12, 31), date(2025, 12, 31), date(2025, 12, 31)]),
    )
    return episodes, period


def random_observes(rng: random.Random) -> frozenset[str]:
    """What a delivery can show: often everything, often drugs only, sometimes any mixture."""
    mixture = [name for name in OBSERVABLE if rng.random() < 0.6]
    partial = [("drug",), ("drug", "psychotherapy", "ect"), mixture]
    return frozenset(rng.choice([OBSERVABLE] * 5 + partial))


def random_absent_tables(rng: random.Random) -> frozenset[str]:
    """Tables a delivery lacks: mostly none; persons are always there."""
    optional = [name for name in TABLES if name != "persons"]
    return frozenset(rng.choice([(), (), (), ("coverage",), ("scores",), ("admissions",), rng.sample(optional, k=2)]))


# --- Definitions ------------------------------------------------------------------------------------------------------


def random_definition(rng: random.Random, base: Definition) -> Definition:
    """The base with some blocks' settings drawn anew; its id says that it is a variant."""
    varied: Row = {}
    for block, vary in BLOCK_VARIANTS.items():
        if rng.random() < 0.6:
            varied[block] = vary(rng, getattr(base, block))
    return replace(base, id=f"{base.id}~{rng.randrange(10**9)}", **varied)


def some(rng: random.Random, values: tuple[Any, ...], least: int, most: int) -> tuple[Any, ...]:
    """A few of the values, without repetition."""
    distinct = sorted(set(values), key=str)
    return tuple(rng.sample(distinct, k=min(len(distinct), rng.randint(least, most))))


def vary_eligible(rng: random.Random, base: Eligible) -> Eligible:
    """Other diagnoses, exclusions, ages and observed time; the disorders stay."""
    whens = ("ever", "before", "during", "before_or_during")
    lists = EXCLUDING_LISTS + tuple(exclusion.codes for exclusion in base.exclusions)
    exclusions = [Exclusion(codes=codes, when=rng.choice(whens)) for codes in some(rng, lists, 0, 2)]
    min_age, max_age = rng.choice([(0, 150), (0, 150), (0, 150), (18, 150), (0, 17)])
    return replace(
        base,
        disorders=rng.choice([base.disorders, DISORDERS, DISORDERS, DISORDERS]),
        diagnoses=rng.choice([base.diagnoses, (), (), (), some(rng, DIAGNOSIS_LISTS, 1, 3)]),
        exclusions=tuple(exclusions),
        min_age=min_age,
        max_age=max_age,
        min_observed_days=rng.choice([0, 0, 0, 30, 365, 366]),
    )


def vary_trial(rng: random.Random, base: Trial) -> Trial:
    """Other gaps, carry-over, add-on rules and windows; the groups often stay."""
    add_on_rules = ("own_trial", "part_of_trial", "ignored")
    return replace(
        base,
        treatments=rng.choice([base.treatments, base.treatments + some(rng, GROUPS, 1, 3), some(rng, GROUPS, 1, 4)]),
        augmenters=rng.choice([base.augmenters, some(rng, GROUPS, 0, 3), ("augmenters_depression", "antipsychotics")]),
        drug_gap_days=rng.choice([0, 14, 30, 30, 31, 60, 90]),
        session_gap_days=rng.choice([0, 7, 14, 30, 60, 90]),
        carry_over=rng.random() < 0.5,
        carry_over_cap_days=rng.choice([0, 7, 14, 30, 90, 366]),
        augmentation=rng.choice(add_on_rules),
        combination=rng.choice(add_on_rules),
        overlap_days=rng.choice([1, 14, 28, 30, 30, 56, 60]),
        window=rng.choice(["episode", "episode", "episode", "first_days", "last_days"]),
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
        duration_basis=rng.choice(["span", "covered"]),
        dose_basis=rng.choice(["any", "ddd_ratio", "minimum_effective", "usual_dose_lower"]),
        min_dose_ratio=rng.choice([0.0, 0.5, 0.8, 1.0, 1.0, 1.5]),
        min_adherence_percent=rng.choice([0, 0, 80, 80, 90, 100]),
    )


def _session_adequacy(rng: random.Random) -> SessionAdequacy:
    return SessionAdequacy(min_days=rng.choice([0, 36, 42, 43, 78]), min_sessions=rng.choice([1, 6, 7, 8, 12]))


def vary_outcome(rng: random.Random, base: Outcome) -> Outcome:
    """Other evidence, windows and joins of scales; a score is never both baseline and outcome."""
    evidence = rng.choice(
        [("scales", "treatment_change"), ("treatment_change", "scales"), ("scales",), ("treatment_change",)]
    )
    baseline_days_after = rng.choice([0, 1, 7, 14])
    return replace(
        base,
        evidence=evidence,
        scales=rng.choice([base.scales, ()]) or tuple(_scale_rule(rng) for _ in range(rng.randint(1, 4))),
        scales_joined=rng.choice(["any", "any_measured", "all", "first"]),
        baseline_days_before=rng.choice([0, 7, 14, 30, 90]),
        baseline_days_after=baseline_days_after,
        score_from_day=baseline_days_after + rng.choice([1, 7, 14, 28]),
        score_days_after_end=rng.choice([0, 1, 30, 30, 90]),
        change_signs=some(rng, ("switch", "add_on", "ect", "tms", "admission"), 1, 5),
        change_within=rng.choice([0, 30, 90, 98, "episode", "episode"]),
        if_unfinished=rng.choice(["not_failed", "unknown"]),
        early_stop_days=rng.choice([0, 0, 14, 28, 29]),
        early_stop=rng.choice(["not_failed", "unknown", "by_evidence"]),
    )


def _scale_rule(rng: random.Random) -> ScaleRule:
    fails_if = rng.choice(["fall_below", "score_above"])
    value = rng.choice([20.0, 25.0, 35.0, 50.0, 50.0] if fails_if == "fall_below" else [2.0, 7.0, 10.0, 14.0])
    return ScaleRule(scale=rng.choice(DRAWN_SCALES), fails_if=fails_if, value=value)


def vary_resistance(rng: random.Random, base: Resistance) -> Resistance:
    """A drawn count or score; `of` keeps to what the base counts half of the time."""
    parts = (
        [c.of for arm in base.any_of for c in arm.all_of] if isinstance(base, Counted) else [i.of for i in base.items]
    )
    if rng.random() < 0.3:
        items = tuple(_item(rng, parts) for _ in range(rng.randint(1, 4)))
        return Scored(kind="score", items=items, threshold=rng.choice([0.5, 1.0, 2.0, 2.5, 4.0]))
    arms = (
        Arm(name=f"arm {number}", all_of=tuple(_count(rng, parts) for _ in range(rng.choice([1, 1, 2]))))
        for number in range(rng.choice([1, 1, 2, 3]))
    )
    return Counted(kind="count", any_of=tuple(arms))


def _of(rng: random.Random, parts: list[tuple[str, ...]]) -> tuple[str, ...]:
    return rng.choice(parts) if rng.random() < 0.6 else some(rng, GROUPS, 1, 3)


def _count(rng: random.Random, parts: list[tuple[str, ...]]) -> Count:
    distinct_by = rng.choice(["none", "substance", "class", "mechanism"])
    return Count(n=rng.choice([1, 1, 1, 2, 2, 3]), of=_of(rng, parts), distinct_by=distinct_by)


def _item(rng: random.Random, parts: list[tuple[str, ...]]) -> Item:
    return Item(
        item=rng.choice(["failed_trials", "failed_trials", "raised_dose", "extended"]),
        of=_of(rng, parts),
        points=rng.choice([0.5, 1.0, 1.5, 3.0]),
        max_points=rng.choice([0.5, 1.0, 2.0, 2.5, 9.0]),
        extended_days=rng.choice([0, 28, 56, 57, 90]),
    )


BLOCK_VARIANTS = {
    "eligible": vary_eligible,
    "trial": vary_trial,
    "adequacy": vary_adequacy,
    "outcome": vary_outcome,
    "resistance": vary_resistance,
}
