"""Invented results of one run: fourteen definitions and two staging systems, two disorders, every table.

`many` is the same of forty-five definitions of one disorder.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import polars as pl

from impasse.reports.pages.report import Option, ReportContents
from impasse.reports.pages.validation import ValidationContents
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
from impasse.schemas.found import Found
from impasse.schemas.resistance import Alternative, Count, Counted, Item, Level, Scored, Staged
from impasse.schemas.rounded_tables import ORIGINS, RESPONSES, RISK_YEARS, TRIAL_PLACES, UNDETERMINED_REASONS
from impasse.schemas.source import Source
from impasse.schemas.tables import (
    AFTERWARDS,
    ATTRITION_STEPS,
    PSEUDO_RESISTANCE,
    RELEASE,
)

DRUG = DrugAdequacy(
    min_days=56,
    duration_basis="covered",
    dose_basis="minimum_effective",
    min_dose_ratio=1.0,
    min_pdc_percent=0,
    min_mpr_percent=0,
    adherence_window_days=0,
)
ADEQUACY = Adequacy(
    drug=DRUG,
    augmentation=DRUG,
    psychotherapy=SessionAdequacy(min_days=56, min_sessions=8),
    neuromodulation=SessionAdequacy(min_days=0, min_sessions=6),
)
TRIAL = Trial(
    treatments=("ssri", "snri", "cbt"),
    augmenters=("antipsychotic",),
    permissible_gap_days=30,
    session_gap_days=60,
    carry_over=True,
    carry_over_cap_days=90,
    augmentation="own_trial",
    combination="part_of_trial",
    overlap_days=28,
    overlap_needs_refill=True,
    supply="as_delivered",
    supply_kinds=("dispensed", "prescribed", "administered"),
    single_dispensing_days=0,
    window="episode",
    window_days=0,
)
OUTCOME = Outcome(
    evidence=("scales", "treatment_change"),
    scales=(ScaleRule(scale="ham_a", fails_if="fall_below", value=50.0),),
    scales_joined="any_measured",
    baseline="trial",
    baseline_days_before=14,
    baseline_days_after=7,
    score="last",
    score_from_day=28,
    score_days_after_end=30,
    lost_response="failed",
    change_signs=("switch", "add_on", "admission"),
    change_within=90,
    add_on_from_day=15,
    if_unfinished="unknown",
    early_stop_days=28,
    early_stop="not_failed",
)
ELIGIBLE = Eligible(
    disorders=("anxiety",),
    diagnoses=(),
    requirements=(),
    exclusions=(Exclusion(codes="bipolar", when="ever"),),
    min_age=18,
    max_age=150,
    min_observed_days=365,
    washout_treatments=(),
    washout_days=0,
    pseudo_resistance="noted",
)


def count(n: int, of: tuple[str, ...], distinct_by: str = "none") -> Count:
    """So many failed trials, whenever in the episode."""
    return Count(n=n, of=of, what="failed", distinct_by=distinct_by, timing="any")


def alternative(name: str, *counts: Count) -> Alternative:
    """Counts that hold together in an episode."""
    return Alternative(name=name, within="episode", all_of=counts)


RESISTANCE = Counted(kind="count", any_of=(alternative("two trials", count(2, ("ssri", "snri", "cbt"), "substance")),))
TWO_ALTERNATIVES = Counted(
    kind="count",
    any_of=(
        alternative("drug alternative", count(2, ("ssri", "snri"), "class")),
        alternative("therapy alternative", count(1, ("cbt",))),
    ),
)
SCORED = Scored(
    kind="score",
    items=(
        Item(item="failed_trials", of=("antidepressant",), points=1.0, max_points=5.0, extended_days=0),
        Item(item="raised_dose", of=("antidepressant",), points=0.5, max_points=2.0, extended_days=0),
        Item(item="extended", of=("antidepressant",), points=0.5, max_points=2.0, extended_days=84),
    ),
    threshold=3.5,
)
STAGED = Staged(
    kind="stage",
    levels=(
        Level(name="I", any_of=(alternative("one", count(1, ("ssri",))),), band_days=(28, 84)),
        Level(name="II", any_of=(alternative("two", count(2, ("ssri", "snri"), "class")),), band_days=()),
    ),
    is_cumulative=True,
)
OPEN_SCORE = replace(SCORED, threshold="none")
SOURCE = Source(
    citation="Author A, Author B. Journal of Examples 2019;36:801-812",
    says="Two adequate trials, each at the minimum effective dose for 8 weeks, failed.",
    reading="A trial is counted once per substance.",
    open="The paper gives no gap between dispensings.",
    confidence="V",
)


def definition(id: str = "anx-two", title: str = "Two failed adequate trials", **blocks: object) -> Definition:
    """A definition with made-up blocks; name a block to replace it."""
    parts = {
        "source": SOURCE,
        "eligible": ELIGIBLE,
        "trial": TRIAL,
        "adequacy": ADEQUACY,
        "outcome": OUTCOME,
        "resistance": RESISTANCE,
    }
    return Definition(id=id, title=title, status="active", **{**parts, **blocks})


ANXIETY = [
    ("anx-s0-a", "Two failed adequate trials, non-response reading", 0.082, 0.031),
    ("anx-s0-b", "Two failed adequate trials, non-remission reading", 0.148, 0.046),
    ("anx-s0-c", "A drug trial and a cognitive behavioural therapy both failed", 0.013, 0.4),
    ("anx-s1", "Two different first-line interventions without significant relief", 0.101, 0.02),
    ("anx-bokma-2019", "One first-line drug and one psychological treatment failed", 0.021, 0.38),
    ("anx-domschke-2024", "International Delphi consensus: two monotherapies or one CBT", 0.117, 0.12),
    ("anx-strict3", "Three or more failed treatments", None, None),
    ("anx-modal", "One failed drug trial of eight weeks", 0.236, 0.05),
]
DEPRESSION = [
    ("mdd-rybak-4w", "Canadian expert consensus, four weeks", 0.188, 0.03),
    ("mdd-rybak-6w", "Canadian expert consensus, six weeks", 0.151, 0.03),
    ("mdd-kim", "Karolinska register model: start of the third sequential trial", 0.094, 0.0),
    ("mdd-cepeda", "OHDSI data-driven rule: an antipsychotic or three antidepressants", 0.127, 0.0),
    ("mdd-gibson", "MGH claims score above 3.5 over 24 months", 0.043, 0.01),
    ("mdd-gsrd", "European GSRD criterion: MADRS 22 or more after two trials", None, 1.0),
]
N = {"anxiety": 12345, "depression": 48210}
ROWS = {"anxiety": ANXIETY, "depression": DEPRESSION}
STAGING = [("mdd-stages", "Stages by class of antidepressant", STAGED), ("mdd-score", "Points for trials", OPEN_SCORE)]
LONG = "whose title goes on for a while, as titles of published definitions do"
MANY = {
    "depression": [
        (f"mdd-{i:02}", f"Definition {i}{f' {LONG}' * (i % 3 == 0)}", i * 37 % 45 / 150 + 0.01, i * 17 % 45 / 90)
        for i in range(1, 45)
    ]
    + [("mdd-gsrd", "European GSRD criterion: MADRS 22 or more after two trials", None, 1.0)]
}
BASE = 5
OPTIONS = [
    Option("ssri", True),
    Option("cbt", False),
    Option("lithium", True),
    Option("ect", True),
]
Rows = dict[str, list[tuple]]


def definitions(rows: Rows = ROWS) -> list[Definition]:
    """The definitions, with blocks that differ enough to read differently, and the staging systems."""
    only_depression = replace(ELIGIBLE, disorders=("depression",), exclusions=(), min_age=0, min_observed_days=0)
    anxiety = [
        definition(id, title, resistance=TWO_ALTERNATIVES if i % 3 == 2 else RESISTANCE)
        for i, (id, title, *_) in enumerate(rows.get("anxiety", []))
    ]
    depression = [
        definition(id, title, eligible=only_depression, resistance=SCORED if id == "mdd-gibson" else RESISTANCE)
        for id, title, *_ in rows["depression"]
    ]
    staging = [definition(id, title, eligible=only_depression, resistance=rule) for id, title, rule in STAGING]
    return anxiety + depression + staging


def _shares(total: int, share: float | None, unknown: float | None) -> dict:
    if unknown is None:
        return dict.fromkeys(
            ["n_total", "n_resistant", "n_undetermined", "prevalence", "ci_low", "ci_high", "bound_low", "bound_high"]
        )
    n_unknown = round(total * unknown)
    decided = total - n_unknown
    n = round(decided * (share or 0))
    point = n / decided if decided else None
    half = 1.96 * (point * (1 - point) / decided) ** 0.5 if decided else 0
    return {
        "n_total": total,
        "n_resistant": n,
        "n_undetermined": n_unknown,
        "prevalence": point,
        "ci_low": None if point is None else max(point - half, 0.0),
        "ci_high": None if point is None else point + half,
        "bound_low": n / total,
        "bound_high": (n + n_unknown) / total,
    }


def _each(rows: Rows) -> list[tuple]:
    return [(disorder, *row) for disorder, found in rows.items() for row in found]


def _prevalence_rows(of: Rows) -> list[dict]:
    sizes = {"episodes": 1.0, "eligible": 0.9, "treated": 0.61, "adequately_treated": 0.32, "persons": 0.8}
    strata = [("sex", "female", 0.62), ("sex", "male", 0.38), ("age", "18-24", 0.2), ("age", "25-44", 0.4)]
    strata += [("year", "2014", 0.3), ("year", "2015", 0.35)]
    rows = []
    for disorder, id, _, share, unknown in _each(of):
        cells = [("all", "all", 1.0), ("disorder", disorder, 1.0), *strata]
        for (stratum, level, part), (denominator, size) in ((c, d) for c in cells for d in sizes.items()):
            values = _shares(round(N[disorder] * size * part), share, unknown)
            keys = {"definition_id": id, "denominator_id": denominator, "stratum": stratum, "level": level}
            rows.append({**keys, **values, "suppressed": values["n_total"] is None})
    return rows


def _frame(table: str, rows: list[dict]) -> pl.DataFrame:
    model = RELEASE[table]
    types = {name: column.dtype.type for name, column in model.to_schema().columns.items()}
    return model.validate(pl.DataFrame(rows, schema=types))


def prevalence(of: Rows = ROWS) -> pl.DataFrame:
    """Every definition, denominator and stratum."""
    return _frame("prevalence", _prevalence_rows(of))


def _pair(disorder: str, a: tuple, b: tuple) -> dict:
    suppressed = None in (a[3], b[3])
    keys = {"definition_a": a[0], "definition_b": b[0], "disorder": disorder}
    gone = dict.fromkeys(name for name in RELEASE["agreement"].to_schema().columns if name not in (*keys, "suppressed"))
    if suppressed or a[2] is None or b[2] is None:
        return {**keys, **gone, "suppressed": suppressed}
    total, both = 10000, round(10000 * min(a[2], b[2]) * 0.8)
    only_a, only_b = round(total * a[2]) - both, round(total * b[2]) - both
    neither = total - both - only_a - only_b
    observed = (both + neither) / total
    expected = a[2] * b[2] + (1 - a[2]) * (1 - b[2])
    difference = (only_a - only_b) / total
    values = {
        "n_common": total + 500,
        "n_undetermined": 500,
        "n_both_resistant": both,
        "n_only_a": only_a,
        "n_only_b": only_b,
        "n_neither": neither,
        "difference": difference,
        "difference_ci_low": difference - 0.01,
        "difference_ci_high": difference + 0.01,
        "kappa": (observed - expected) / (1 - expected),
        "ac1": observed - 0.05,
        "pabak": 2 * observed - 1,
        "jaccard": both / (both + only_a + only_b),
        "positive_agreement": 2 * both / (2 * both + only_a + only_b),
        "negative_agreement": 2 * neither / (2 * neither + only_a + only_b),
    }
    return {**keys, **values, "suppressed": False}


def agreement(of: Rows = ROWS) -> pl.DataFrame:
    """Every pair within a disorder."""
    pairs = [_pair(disorder, a, b) for disorder, rows in of.items() for i, a in enumerate(rows) for b in rows[i + 1 :]]
    return _frame("agreement", pairs)


def agreement_overall(of: Rows = ROWS) -> pl.DataFrame:
    """One row per disorder."""
    rows = []
    for disorder, found in of.items():
        rows.append(
            {
                "disorder": disorder,
                "n_definitions": len(found),
                "n_episodes": N[disorder],
                "n_compared": N[disorder],
                "n_decided_by_all": 5210,
                "fleiss_kappa": 0.41,
                "krippendorff_alpha": 0.38,
                "suppressed": False,
            }
        )
    return _frame("agreement_overall", rows)


def attrition(of: Rows = ROWS) -> pl.DataFrame:
    """Seven steps of every definition; the third anxiety definition's last steps are suppressed."""
    rows = []
    for disorder, id, _, share, unknown in _each(of):
        kept = [1, 0.9, 0.61, 0.32, 0.25, (share or 0) * 0.95 + (unknown or 0) * 0.2, (share or 0) * 0.8]
        left = [round(N[disorder] * part) for part in kept]
        for number, (step, n) in enumerate(zip(ATTRITION_STEPS, left, strict=True)):
            hidden = share is None and number >= 5
            lost = None if hidden else (0 if number == 0 else max(0, left[number - 1] - n))
            keys = {"definition_id": id, "step_number": number, "step": step}
            rows.append({**keys, "n_left": None if hidden else n, "n_lost": lost, "suppressed": hidden})
    return _frame("attrition", rows)


def verdicts(of: Rows = ROWS) -> pl.DataFrame:
    """How many episodes of each disorder get which verdict, by definition."""
    rows = []
    for disorder, id, _, share, unknown in _each(of):
        hidden = unknown is None
        resistant, open_ = (share or 0) * 0.85, 0.9 * (unknown or 0)
        parts = {"resistant": resistant, "not_resistant": 0.9 - resistant - open_}
        parts |= {"undetermined": open_, "not_eligible": 0.1}
        for verdict, part in parts.items():
            n = None if hidden else round(N[disorder] * part)
            rows.append({"disorder": disorder, "definition_id": id, "verdict": verdict, "n": n,
                         "share": None if hidden else part})  # fmt: skip
    return pl.DataFrame(rows)


def profile(of: Rows = ROWS) -> pl.DataFrame:
    """What else is known of resistant episodes, and how the staging systems spread theirs; all rounded to 5."""
    rows = [row for each in _each(of) for row in _profile_rows(each)]
    stages = {"none": 700, "I": 230, "II": 0, "open": 70}
    scores = {"0": 500, "0.5": 300, "3.5": 15, "10": 0, "open": 180, "no score": 5}
    bands = {"yes": 40, "no": 190, "unknown": 770}
    rows += _levels("mdd-stages", "stage", stages, 1000) + _levels("mdd-stages", "outside_band", bands, 1000)
    return _frame("profile", rows + _levels("mdd-score", "stage", scores, 1000))


def undetermined(of: Rows = ROWS) -> pl.DataFrame:
    """Of each definition the undetermined episodes by what left them open, rounded to 5."""
    counts = {"outcome": 120, "adequacy": 40, "end_not_seen": 60, "start_not_seen": 10}
    rows = []
    for _, id, _, share, _ in _each(of):
        for reason in UNDETERMINED_REASONS:
            known = {} if share is None else {"n": counts.get(reason, 0), "n_of": sum(counts.values())}
            keys = {"definition_id": id, "reason": reason, "n": None, "n_of": None}
            rows.append({**keys, **known, "suppressed": share is None})
    return _frame("undetermined", rows)


def risks(of: Rows = ROWS) -> pl.DataFrame:
    """Of each definition the risk by some years from both origins, rounded to multiples of 5."""
    rows = []
    for disorder, id, _, share, unknown in _each(of):
        for origin, years in product(ORIGINS, RISK_YEARS):
            keys = {"definition_id": id, "disorder": disorder, "origin": origin, "years": years}
            low = (share or 0) * years / 5
            known = {"n": 800, "n_at_risk": 100 * (6 - years), "risk_min": low, "risk_max": low + 0.1 * (unknown or 0)}
            rows.append(keys | (dict.fromkeys(known) if share is None else known) | {"suppressed": share is None})
    return _frame("risks", rows)


def responses(of: Rows = ROWS) -> pl.DataFrame:
    """Of each definition the states of three orders of trials, rounded to 5; none is measured after the third."""
    states = {"remission": (60, 25, 0), "insufficient": (40, 25, 0), "no_response": (100, 50, 10)}
    rows = []
    for _, id, _, share, _ in _each(of):
        for place, trial in enumerate(TRIAL_PLACES):
            counts = {state: (*numbers, 0, 0)[place] for state, numbers in states.items()}
            counts["cannot_tell"] = 300 // (place + 1) // BASE * BASE
            for state in RESPONSES:
                known = {} if share is None else {"n": counts.get(state, 0), "n_of": sum(counts.values())}
                keys = {"definition_id": id, "trial": trial, "response": state, "n": None, "n_of": None}
                rows.append({**keys, **known, "suppressed": share is None})
    return _frame("responses", rows)


def _profile_rows(of: tuple) -> list[dict]:
    disorder, id, _, share, unknown = of
    total = 0 if share is None else round(N[disorder] * share / BASE) * BASE

    def part(share: float) -> int | None:
        return None if unknown is None else round(total * share / BASE) * BASE

    causes = {
        "alcohol": 0.1,
        "bipolar": 0.02,
        "hyperthyroidism": 0,
        "chronic_pain": 0.2,
        "adhd": 0.03,
        "cannabis": 0.01,
    }
    causes |= {"inadequate_dose": 0.3, "short_duration": 0.2, "poor_adherence": 0}
    became = dict(zip(AFTERWARDS, (0.3, 0.5, 0, 0.2), strict=True))
    likely = dict(zip(PSEUDO_RESISTANCE, (0.4, 0.3, 0.3), strict=True))
    shown = {option.id: 0.2 * option.is_observed for option in OPTIONS}
    hidden = {option.id: 0.9 * (not option.is_observed) for option in OPTIONS}
    kinds = {"cause": causes, "afterwards": became, "pseudo_resistance": likely, "untried": shown, "unobserved": hidden}
    return [
        row
        for kind, levels in kinds.items()
        for row in _levels(id, kind, {level: part(n) for level, n in levels.items()}, part(1))
    ]


def _levels(id: str, characteristic: str, levels: dict[str, int | None], n_of: int | None) -> list[dict]:
    keys = {"definition_id": id, "characteristic": characteristic}
    return [{**keys, "level": level, "n": n, "n_of": n_of, "suppressed": n is None} for level, n in levels.items()]


def reconciliation() -> pl.DataFrame:
    """Seven tables, one of them absent."""
    rows = [
        ("admissions", True, 48211, 48211, 0),
        ("coverage", True, 30000, 30000, 0),
        ("diagnoses", True, 812_450, 811_010, 1440),
        ("dispensings", True, 2_104_377, 2_098_112, 6265),
        ("persons", True, 30000, 30000, 0),
        ("procedures", True, 90120, 90115, 5),
        ("scores", False, 0, 0, 0),
    ]
    names = ["table", "is_present", "n_delivered", "n_accepted", "n_quarantined"]
    return _frame("reconciliation", [dict(zip(names, row, strict=True)) for row in rows])


def rules() -> pl.DataFrame:
    """What quarantined how many rows."""
    return pl.DataFrame(
        {
            "table": ["diagnoses", "dispensings", "dispensings", "procedures"],
            "rule": ["unknown_person", "date_not_read", "unknown_person", "after_death"],
            "n": [1440, 6000, 265, None],
        },
        schema={"table": pl.String, "rule": pl.String, "n": pl.Int64},
    )


PROVENANCE = {
    "versions": {"impasse": "0.1.0", "polars": "2.1.0", "python": "3.11.2"},
    "parameters": {"episodes.gap_days": 180, "episodes.tail_days": 30, "disclosure.threshold": 5},
}
EXPECTATIONS = [
    {
        "suite": "dispensings",
        "expectation": "at most 10% of rows are quarantined",
        "column": "",
        "critical": True,
        "success": True,
        "observed": "0.3%",
    },
    {
        "suite": "diagnoses",
        "expectation": "codes match the code system's pattern",
        "column": "code",
        "critical": False,
        "success": False,
        "observed": "1,440 of 812,450 rows",
    },
    {
        "suite": "persons",
        "expectation": "person_id is unique",
        "column": "person_id",
        "critical": True,
        "success": True,
        "observed": "0 duplicates",
    },
]


FOUND = (
    Found("lmed_2019.csv", "read", "dispensings", 3204),
    Found("lmed_2020.csv", "not asked for", note="it has the columns of lmed_2019.csv, which is read"),
)


def contents(**changes: object) -> ReportContents:
    """The whole report; name a part to replace it."""
    parts = {
        "study_name": "north",
        "study_title": "Northern register, 2012 to 2016",
        "run_id": "20260101-abcdef",
        "date_text": "1 January 2026",
        "definitions": definitions(),
        "prevalence": prevalence(),
        "agreement": agreement(),
        "agreement_overall": agreement_overall(),
        "attrition": attrition(),
        "profile": profile(),
        "responses": responses(),
        "undetermined": undetermined(),
        "risks": risks(),
        "reconciliation": reconciliation(),
        "rules": rules(),
        "verdicts": verdicts(),
        "observes": frozenset({"drug", "ect"}),
        "options": {"anxiety": OPTIONS, "depression": OPTIONS},
        "rounded_to": BASE,
        "absent_tables": ("scores",),
        "notes": ["Doses were delivered for 91% of dispensings."],
        "provenance": PROVENANCE,
    }
    return ReportContents(**{**parts, **changes})


def few(**changes: object) -> ReportContents:
    """A report on three definitions without the charts of verdicts and attrition; name a part to replace it."""
    ids = pl.col("definition_id").is_in(["anx-modal", "anx-strict3", "mdd-gsrd"])
    parts = {"prevalence": prevalence().filter(ids), "attrition": attrition().clear(), "verdicts": verdicts().clear()}
    parts["profile"] = profile().clear()
    parts["responses"] = responses().clear()
    parts["undetermined"] = undetermined().clear()
    parts["risks"] = risks().clear()
    return contents(**{**parts, "agreement": agreement().clear(), **changes})


def many(**changes: object) -> ReportContents:
    """A report on forty-five definitions of depression; name a part to replace it."""
    made = (
        prevalence,
        agreement,
        agreement_overall,
        attrition,
        profile,
        responses,
        undetermined,
        risks,
        verdicts,
        definitions,
    )
    return contents(**{each.__name__: each(MANY) for each in made} | changes)


def validation_contents(**changes: object) -> ValidationContents:
    """The whole validation page; name a part to replace it."""
    parts = {
        "study_name": "north",
        "study_title": "Northern register, 2012 to 2016",
        "run_id": "20260101-abcdef",
        "date_text": "1 January 2026",
        "reconciliation": reconciliation(),
        "rules": rules(),
        "expectations": EXPECTATIONS,
        "found": FOUND,
        "observes": frozenset({"drug"}),
        "absent_tables": ("scores",),
        "provenance": PROVENANCE,
    }
    return ValidationContents(**{**parts, **changes})
