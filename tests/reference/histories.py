"""Nasty small histories and study rules, drawn from a seeded generator.

Everything is drawn from short lists of values that lie on, just before and just after the limits
that rules use (gaps of 30 and 31 days, courses of 27, 28 and 29, a fall of exactly a half), so that
a few hundred persons meet most of the ways in which two readings of a rule can differ.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from impasse.schemas.definition import DISORDERS
from impasse.schemas.study import OBSERVABLE, SUPPLY_KINDS, TABLES, EpisodeSection, PeriodSection
from tests.reference.twists import twisted

Row = dict[str, Any]  # drawn data: values of every type

ILLNESS_CODES = {
    "depression": ("F321", "F321", "F329", "F331", "F339", "F3281", "F320", "F322", "F333"),
    "anxiety": ("F411", "F411", "F4001", "F410", "F412", "F402"),
    "bipolar_depression": ("F313", "F314", "F315", "F316"),
    "schizophrenia": ("F200", "F209"),
    "ocd": ("F422", "F423"),
    "ptsd": ("F431",),
}
ILLNESSES = (
    *(("depression",), ("depression",), ("depression",), ("anxiety",), ("depression", "anxiety")),
    *(("schizophrenia",), ("ocd", "ptsd"), ("bipolar_depression",), ("bipolar_depression", "depression")),
)
PLAIN_CODES = {
    "depression": ("F321", "F331", "F321", "F331", "F320", "F322"),
    "anxiety": ("F411", "F410", "F4001", "F401"),
    "bipolar_depression": ("F313", "F314"),
    "schizophrenia": ("F200",),
    "ocd": ("F422",),
    "ptsd": ("F431",),
}
OLDER_CODES = (("29620", "icd9"), ("30002", "icd9"), ("29530", "icd9"), ("P76", "icpc2"), ("P74", "icpc2"))
REMISSION_CODES = ("F325", "F324", "F3342")
OTHER_CODES = (
    *("F311", "F319", "F340", "F302", "F209", "F101", "E059", "I10", "F030", "F603", "F900", "F840", "F064", "F063"),
    *("F152", "F121", "F172", "J45", "R521", "E11", "S069", "E03", "G40", "F510", "Z911", "Z9115", "G20", "F411"),
    *("F321", "F431", "B182", "K580", "J961", "F400"),
)
DRUGS = {
    "depression": (
        *("N06AB04", "N06AB06", "N06AX16", "N06AX11", "N06AA09", "N06AX12", "N06AF03", "N06AX27", "N06AX02"),
        *("N06A", "N06AB", "N06AX", "N06AB77", "N05AX12"),
    ),
    "anxiety": ("N06AB04", "N06AB10", "N06AX16", "N02BF02", "N05BE01", "N06AB", "N06A", "N05BA01"),
    "bipolar_depression": ("N05AH04", "N05AN01", "N06AB06", "N05AX12", "N05A", "N06A", "N03AX09", "N05AH"),
    "schizophrenia": ("N05AH02", "N05AX08", "N05AH03", "N05AX12", "N05AA01", "N05AH", "N05A", "N05AX"),
    "ocd": ("N06AB04", "N06AB06", "N06AA04", "N06AA", "N06AB", "N06A"),
}
ADD_ONS = (
    *("N05AX12", "N05AN01", "N05AH04", "N05A", "N05AX", "N05BE01", "N06AX11", "H03AA", "H03AA02", "N06CA03"),
    *("A10BA02", "N03AG01", "N03AE01", "N05AN", "N06AX27", "N05AH02"),
)
SESSIONS = (
    *("cbt", "cbt", "psychotherapy_unspecified", "psychotherapy_unspecified", "psychotherapy_other"),
    *("ipt", "emdr", "erp", "trauma_focused_cbt", "psychodynamic", "psilocybin", "neurofeedback"),
    *("ect", "ect_bilateral", "ect_unilateral", "tms", "ketamine", "vns", "dbs", None),
)
SUPPLY_DAYS = (None, 1, 7, 14, 27, 28, 28, 29, 30, 30, 41, 42, 42, 43, 55, 56, 56, 57, 84, 90, 100)
REFILL_GAPS = (-28, -14, -7, -1, 0, 0, 0, 0, 1, 7, 14, 29, 30, 30, 31, 31, 32, 60, 61, 90, 91)
NEXT_DRUG_AFTER = (-57, -56, -55, -43, -42, -31, -30, -29, -28, -27, -15, -14, -13, -1, 0, 0, 1, 14, 30, 31, 90, 91)
CONTACT_STEPS = (0, 1, 7, 14, 30, 31, 60, 89, 90, 91, 120, 179, 180, 181, 182, 400)
SESSION_STEPS = (0, 1, 3, 3, 7, 7, 7, 7, 14, 29, 30, 31, 60, 61, 90, 91)
DOSES_MDDD = (None, 333, 500, 799, 800, 999, 1000, 1000, 1001, 1500, 2000)
DOSES_UG = (
    *(None, 5_999, 6_000, 7_500, 10_000, 19_999, 20_000, 20_000, 22_000, 25_000, 30_000, 37_500, 50_000, 75_000),
    *(150_000, 599_999, 600_000, 900_000),
)
SCALES = {
    "depression": ("hamd17", "madrs", "bdi2", "phq9"),
    "anxiety": ("ham_a", "bai", "cgi_i", "gad7", "pdss"),
    "bipolar_depression": ("hamd17", "madrs", "qids_sr16", "cgi_s"),
    "schizophrenia": ("panss", "cgi_i"),
    "ocd": ("ybocs",),
    "ptsd": ("pcl5", "caps5"),
}
DRAWN_SCALES = (*SCALES["depression"], *SCALES["anxiety"][:3], "panss", "pcl5", "ybocs")
LEAST = {"panss": 30.0, "cgi_i": 1.0, "cgi_s": 1.0}
SCORE_OFFSETS = (
    *(-31, -30, -29, -28, -14, -8, -7, -1, 0, 0, 1, 6, 7, 8, 13, 14, 15, 20, 21, 26, 27, 28, 29, 40, 41, 42),
    *(55, 56, 57, 70, 84),
)
LEVELS = (0.0, 1.0, 2.0, 3.0, 7.0, 7.5, 8.0, 10.0, 11.0, 14.0, 20.0, 24.0, 30.0)
NEAR = (-91, -90, -31, -30, -1, 0, 0, 1, 7, 14, 28, 29, 30, 31, 56, 89, 90, 91, 98, 120, 180, 181)

DISORDER_CHOICES = (("anxiety", "depression"), *(DISORDERS,) * 5)


def later(day: date, days: int) -> date:
    """The day so many days later."""
    return day + timedelta(days=days)


def some(rng: random.Random, values: tuple[Any, ...], least: int, most: int) -> tuple[Any, ...]:
    """A few of the values, without repetition."""
    distinct = sorted(set(values), key=str)
    return tuple(rng.sample(distinct, k=min(len(distinct), rng.randint(least, most))))


# --- Persons ----------------------------------------------------------------------------------------------------------


def random_person(rng: random.Random, index: int) -> Row:
    """A person of everything at random, or one near the edge of resistance; often with a twist."""
    return twisted(rng, _stubborn_person(rng, index) if rng.random() < 0.6 else _any_person(rng, index))


@dataclass(frozen=True)
class Stubborn:
    """What persons near the edge of resistance are given for a disorder, and what they score at first."""

    drugs: tuple[tuple[str, int], ...]  # with a dose in milligrams that is strong enough, unless it is halved
    n_drugs: tuple[int, ...]
    days: tuple[int, ...]
    n_sessions: tuple[int, ...]
    therapies: tuple[str, ...]
    scores: dict[str, float]


_ANTIDEPRESSANTS = (("N06AB04", 40), ("N06AB06", 150), ("N06AB10", 20), ("N06AX16", 150), ("N06AX11", 45))
STUBBORN = {
    "depression": Stubborn(
        drugs=(*_ANTIDEPRESSANTS, ("N06AA09", 150), ("N06AA10", 150), ("N06AF03", 90), ("N06AX12", 300)),
        n_drugs=(1, 2, 2, 3, 3, 4, 5, 6, 7),
        days=(42, 55, 56, 57, 84, 90),
        n_sessions=(0, 0, 8, 11, 12, 13),
        therapies=("cbt", "cbt", "ipt", "psychotherapy_unspecified", "ect", "ect_bilateral", "tms"),
        scores={"hamd17": 30.0, "madrs": 40.0, "bdi2": 32.0, "phq9": 24.0},
    ),
    "bipolar_depression": Stubborn(
        drugs=(("N05AH04", 300), ("N05AN01", 900), ("N06AB06", 150), ("N05AX12", 15)),
        n_drugs=(1, 1, 2, 3),
        days=(27, 28, 56),
        n_sessions=(0, 8),
        therapies=("cbt", "ect"),
        scores={"hamd17": 30.0, "madrs": 40.0},
    ),
    "anxiety": Stubborn(
        drugs=(*_ANTIDEPRESSANTS, ("N02BF02", 300)),
        n_drugs=(1, 2, 3, 4, 5),
        days=(42, 55, 56, 57, 84, 90),
        n_sessions=(0, 11, 12, 12, 13),
        therapies=("cbt", "cbt", "erp", "psychotherapy_unspecified"),
        scores={"ham_a": 30.0, "bai": 30.0, "cgi_i": 4.0, "gad7": 20.0},
    ),
    "ocd": Stubborn(  # judged after longer courses than the others
        drugs=(("N06AB04", 40), ("N06AB05", 60), ("N06AB06", 200), ("N06AB10", 20), ("N06AA04", 250)),
        n_drugs=(1, 1, 2, 2, 2, 3, 3, 4, 5),
        days=(83, 84, 84, 90),
        n_sessions=(0, 19, 20, 20, 20, 20),
        therapies=("cbt", "cbt", "erp", "psychotherapy_unspecified"),
        scores={"ybocs": 32.0},
    ),
    "ptsd": Stubborn(
        drugs=(*_ANTIDEPRESSANTS[:4],),
        n_drugs=(1, 2, 3),
        days=(55, 56, 84),
        n_sessions=(0, 7, 8, 8, 12),
        therapies=("trauma_focused_cbt", "emdr", "cbt", "psychotherapy_unspecified"),
        scores={"pcl5": 60.0, "caps5": 40.0},
    ),
    "schizophrenia": Stubborn(
        drugs=(("N05AX08", 6), ("N05AH03", 20), ("N05AX12", 22), ("N05AA01", 600), ("N05AD01", 8), ("N05AH02", 400)),
        n_drugs=(1, 2, 2, 3, 4),
        days=(41, 42, 43, 56, 84),
        n_sessions=(0, 8),
        therapies=("cbt", "psychotherapy_unspecified"),
        scores={"panss": 110.0, "cgi_i": 4.0},
    ),
}
# What is left of the way to the scale's minimum: nothing, just a response by one of the rules, and none by another.
SHARES_LEFT = (0.0, 0.2, 0.5, 0.55, 0.65, 0.7, 0.75, 0.78, 0.8, 0.85, 0.9, 1.0, 1.0, 1.0)
AMID = (26, 27, 28, 40, 41)  # days from a start on which one may be better for a while, and how much is left then
LEFT_AMID = (0.2, 0.3, 0.45, 0.5, 0.55, 0.7)
SOON = (14, 20, 20, 21, 27, 28, 29, 41)
ADDED = ("N05AX12", "N05AN01", "H03AA02", "N03AG01", "N06AX11", "N05AH02", "N06AX27")


def _stubborn_person(rng: random.Random, index: int) -> Row:
    """One person whose treatments are long and strong enough, and fail or just do not.

    One in four has tried nearly everything, and nothing has helped; some of the others changed too soon.
    """
    illness = rng.choice(["depression"] * 4 + ["ocd"] * 3 + ["ptsd", "anxiety", *STUBBORN])
    given, has_tried_all = STUBBORN[illness], rng.random() < 0.25
    has_changed_soon = not has_tried_all and rng.random() < 0.3
    lengths = SOON if has_changed_soon else given.days
    onset = later(date(2015, 8, 1), rng.randint(0, 200))
    n_drugs = max(given.n_drugs) - rng.choice([0, 0, 1, 2]) if has_tried_all else rng.choice(given.n_drugs)
    day, rows, starts = onset, [], []
    for atc, dose_mg in rng.sample(given.drugs, k=min(len(given.drugs), n_drugs)):
        days = sorted(given.days)[-2] if has_tried_all else rng.choice(lengths)
        strengths = [(dose_mg,)] if has_tried_all else [(dose_mg,), (dose_mg,), (dose_mg // 2, dose_mg)]
        fills = rng.choice(strengths)
        rows += [row for n, dose in enumerate(fills) for row in _fills(rng, later(day, n * days), atc, days, dose)]
        starts.append(day)
        breaks = [-14, 0, 0, 0, 14] if has_tried_all or has_changed_soon else [-14, 0, 0, 90, 91]
        day = later(day, len(fills) * days + rng.choice(breaks))
    held = _held(rng, rows, atc, day, given) if rng.random() < 0.2 else []
    if rng.random() < (0.8 if has_tried_all else 0.3):
        rows += _add_on(rng, rng.choice(rows))
    therapy, first = rng.choice(given.therapies), rng.choice([onset, onset, *starts])
    n_sessions = max(given.n_sessions) if has_tried_all else rng.choice(given.n_sessions)
    return {
        **_any_person(rng, index),
        "birth_date": date(1970, 5, 5),
        "death_date": None,
        "coverage": [{"start_date": date(2010, 1, 1), "end_date": date(2025, 12, 31)}],
        "diagnoses": _stubborn_diagnoses(rng, illness, onset, 12 if has_tried_all else rng.choice([4, 8, 12])),
        "dispensings": rows,
        "procedures": [
            {"date": later(first, 7 * n), "code": "X99", "code_system": "other", "treatment": therapy}
            for n in range(n_sessions)
        ],
        "scores": [
            *held,
            *_stubborn_scores(rng, given, [*starts, first], (1.0,) if has_tried_all else SHARES_LEFT),
        ],
    }


def _add_on(rng: random.Random, host: Row) -> list[Row]:
    """A drug added to a supply, which is mostly dispensed again on the day on which the add-on begins."""
    day = later(host["date"], rng.choice([1, 14]))
    refill = [host | {"date": day}] if rng.random() < 0.8 else []
    return [*refill, _fill(day, rng.choice(ADDED), rng.choice([29, 56]), 300)]


def _held(rng: random.Random, rows: list[Row], atc: str, day: date, given: Stubborn) -> list[Row]:
    """Nine more months of the last drug, and scores of somebody who is well for half a year, or a day less."""
    rows += [_fill(later(day, 90 * n), atc, 90, rows[-1]["dose_ug"] // 1000) for n in range(3)]
    scale = rng.choice(sorted(given.scores))
    least = LEAST.get(scale, 0.0)
    first = rng.choice([27, 28])
    days = [first, *rng.choice([[], [], [100]]), first + rng.choice([181, 182])]
    values = [least + rng.choice([0.0, 0.0, 0.0, 7.0, 10.0, 14.0]) for _ in days]
    return [{"date": later(day, n), "scale": scale, "value": value} for n, value in zip(days, values, strict=True)]


def _fills(rng: random.Random, day: date, atc: str, days: int, dose_mg: int) -> list[Row]:
    """A dispensing, or seldom two of one day and different strengths that together make the dose."""
    if rng.random() < 0.9:
        return [_fill(day, atc, days, dose_mg)]
    return [_fill(day, atc, rng.choice([days, days - 1]), dose_mg // 3), _fill(day, atc, days, dose_mg - dose_mg // 3)]


def _fill(day: date, atc: str, days: int, dose_mg: int) -> Row:
    """A dispensing of known supply."""
    dose = {"dose_ug": dose_mg * 1000, "dose_mddd": 2000, "supply_basis": "days_supply", "kind": "dispensed"}
    return {"date": day, "atc": atc, "days": days, **dose}


def _stubborn_diagnoses(rng: random.Random, illness: str, onset: date, n_contacts: int) -> list[Row]:
    """A contact every two months, for two years or less; one in four has been or is ill with something else."""
    codes = PLAIN_CODES[illness]
    rows = [_diagnosis(rng, later(onset, 60 * n), rng.choice(codes), "icd10") for n in range(n_contacts)]
    if rng.random() < 0.25:
        days = [onset, later(onset, 300), later(onset, -180), later(onset, 180)]
        rows.append(_diagnosis(rng, near(rng, days), rng.choice(OTHER_CODES), "icd10"))
    return rows


def _stubborn_scores(rng: random.Random, given: Stubborn, starts: list[date], shares: tuple[float, ...]) -> list[Row]:
    """On some scales, a score at the start of each treatment and a later one; some persons are as ill each time.

    Of the others many are better for a while amid a treatment, and some have no score from its start.
    """
    rows = []
    for scale in some(rng, tuple(given.scores), 0 if len(shares) > 1 else 1, 3):
        least, first = LEAST.get(scale, 0.0), given.scores[scale]
        left = rng.choice([shares, shares, shares, (1.0,), (1.0,), (0.7,)]) if len(shares) > 1 else shares
        is_better, is_begun_late = (left != (1.0,) and rng.random() < often for often in (0.8, 0.2))
        for start in starts:
            told = [] if is_begun_late else [(0, 1.0)]
            told.append((rng.choice([42, 55, 55, 56, 83]), rng.choice(left)))
            if is_better:
                told.append((rng.choice(AMID), rng.choice(LEFT_AMID)))
            for day, share in told:
                value = round(2 * (least + (first - least) * share)) / 2  # in half points, as scales are
                rows.append({"date": later(start, day), "scale": scale, "value": value})
    return rows


def _any_person(rng: random.Random, index: int) -> Row:
    """One person, with landmarks (contacts, drug starts and ends) near which everything else happens."""
    illnesses = rng.choice(ILLNESSES)
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
        "scores": _scores(rng, illnesses, [onset, *starts]),
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
    is_dated_only = rng.random() < 0.15
    day = later(onset, rng.choice([-213, -212, -61, -60, -31, -30, -29, -1, 0, 0, 0, 0, 1, 14, 40]))
    for number in range(rng.choice([0, 1, 2, 3, 4, 5, 6])):
        run, end = _run_of_fills(rng, day, rng.choice([pool[number % 5], rng.choice(pool)]), is_dated_only)
        rows += run
        starts.append(day)
        ends.append(end)
        together = later(day, rng.choice([0, 1, 14, 28, 30, 42]))
        day = rng.choice([together, max(day, later(end, rng.choice(NEXT_DRUG_AFTER)))])
    return rows, starts, ends


def _run_of_fills(rng: random.Random, day: date, atc: str, is_dated_only: bool) -> tuple[list[Row], date]:
    """Fills of one drug, one after the other; some deliveries give their dates and nothing else."""
    rows = []
    usual, ug, mddd = rng.choice(SUPPLY_DAYS), rng.choice(DOSES_UG), rng.choice(DOSES_MDDD)
    ends = day
    for _ in range(rng.choice([1, 1, 2, 3, 4, 6])):
        days = usual if rng.random() < 0.8 else rng.choice(SUPPLY_DAYS)
        ug, mddd = (ug, mddd) if rng.random() < 0.8 else (rng.choice(DOSES_UG), rng.choice(DOSES_MDDD))
        days, ug, mddd = (None, None, None) if is_dated_only else (days, ug, mddd)
        basis = "unknown" if days is None else "ddd"
        supply = {"days": days, "dose_ug": ug, "dose_mddd": mddd, "supply_basis": basis}
        rows.append({"date": day, "atc": atc, **supply, "kind": SUPPLY_KINDS[day.toordinal() % len(SUPPLY_KINDS)]})
        rows += _beside(rng, rows[-1])
        ends = later(day, days or 0)
        day = day if rng.random() < 0.1 else max(day, later(ends, rng.choice(REFILL_GAPS)))
    return rows, ends


def _beside(rng: random.Random, row: Row) -> list[Row]:
    """Seldom, further supplies of the same drug and day: of the same strength, of others, some amounts not known."""
    if rng.random() < 0.9 or row["days"] is None:
        return []
    return [
        {
            **row,
            "days": rng.choice([row["days"], row["days"], rng.choice(SUPPLY_DAYS)]),
            "dose_ug": rng.choice([row["dose_ug"], rng.choice(DOSES_UG), rng.choice(DOSES_UG)]),
            "dose_mddd": rng.choice([row["dose_mddd"], rng.choice(DOSES_MDDD), rng.choice(DOSES_MDDD)]),
        }
        for _ in range(rng.choice([1, 1, 2, 3]))
    ]


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
        least = LEAST.get(scale, 0.0)
        first = least + rng.choice([0.0, 6.0, 16.0, 20.0, 24.0, 40.0])
        offsets = [0] if rng.random() < 0.7 else []
        offsets += rng.choices(SCORE_OFFSETS, k=rng.randint(1, 7))
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
        min_prior_observation_days=rng.choice([0, 30, 365, 366]),
        lead_days=rng.choice([0, 1, 30, 30, 60]),
    )
    period = PeriodSection(
        start=rng.choice([date(2010, 1, 1), date(2015, 1, 1), date(2015, 7, 1)]),
        end=rng.choice([date(2016, 6, 30), date(2017, 12, 31), date(2025, 12, 31), date(2025, 12, 31)]),
    )
    return episodes, period


def random_same_day(rng: random.Random) -> str:
    """How the study takes supplies of one day."""
    return rng.choice(["together", "together", "one_after_another"])


def random_leftovers(rng: random.Random) -> str:
    """How the study counts what is left over of a drug."""
    return rng.choice(["as_days", "as_days", "as_amount"])


def random_max_days(rng: random.Random) -> int:
    """How long the study lets a supply last at most; no drawn supply is longer."""
    return rng.choice([100, 120, 182, 366, 366, 366])


def random_observes(rng: random.Random) -> frozenset[str]:
    """What a delivery can show: often everything, often drugs only, sometimes any mixture."""
    mixture = [name for name in OBSERVABLE if rng.random() < 0.6]
    partial = [("drug",), ("drug", "psychotherapy", "ect"), mixture]
    return frozenset(rng.choice([OBSERVABLE] * 5 + partial))


def random_absent_tables(rng: random.Random) -> frozenset[str]:
    """Tables a delivery lacks: mostly none; persons are always there, and without diagnoses there is no episode."""
    optional = [name for name in TABLES if name not in ("persons", "diagnoses")]
    few = [(), (), (), ("coverage",), ("scores",), ("admissions",), rng.sample(optional, k=2)]
    return frozenset(("diagnoses",) if rng.random() < 0.05 else rng.choice(few))
