"""A small world for spec tests: what happened to a few persons, drawn; the rules; and what the program says.

Given: `extract` draws a delivery. Whatever a test does not draw is plain: every person named anywhere is a
woman born in 1970, observed from 2005 to 2025, with depression from 1 January to 31 December 2010 (four
contacts, and a tail of 30 days), and everything is observed. Persons are named for the case they are.
When: `study` and `definition` state only what the test is about; the rest is the plain base below.
Then: `episodes`, `trials`, `judged`, `verdicts`, `stages` and `impasses` show what `classify` makes of it,
drugs by name.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import polars as pl
from polars import selectors

from impasse.schemas.codelist_files import parse
from impasse.schemas.codelists import CodeLists
from impasse.schemas.definition import Definition
from impasse.schemas.extracts import MODELS, Extract
from impasse.schemas.study import OBSERVABLE, Study
from impasse.schemas.tables import KEYS, RESTRICTED
from impasse.transforms.results import classify
from tests.tables import table

DRUGS = {
    "sertraline": "N06AB06",  # SSRI; minimum effective dose 50 mg
    "citalopram": "N06AB04",  # SSRI; 20 mg
    "some_ssri": "N06AB",
    "venlafaxine": "N06AX16",  # SNRI; 75 mg
    "duloxetine": "N06AX21",  # SNRI
    "mirtazapine": "N06AX11",
    "clomipramine": "N06AA04",
    "desipramine": "N06AA01",  # no dose listed
    "an_antidepressant": "N06A",
    "lithium": "N05AN01",  # augmenter
    "propranolol": "C07AA05",  # neither
    "quetiapine": "N05AH04",  # augmenter
    "an_antipsychotic": "N05A",  # possibly an augmenter
    "paracetamol": "N02BE01",  # no treatment of the vocabulary
}
_NAMES = {code: name for name, code in DRUGS.items()}
NAMES = selectors.categorical() | selectors.enum()
_DEPRESSED = ("2010-01-01", "2010-05-01", "2010-09-01", "2010-12-01")

_DEFAULTS: dict[str, dict[str, object]] = {
    "persons": {"birth_date": date(1970, 1, 1), "sex": "female", "death_date": None},
    "coverage": {"start_date": date(2005, 1, 1), "end_date": date(2025, 12, 31)},
    "diagnoses": {
        "end_date": None, "code": "F322", "code_system": "icd10", "position": "main", "setting": "outpatient"
    },
    "dispensings": {"days": 30, "dose_mg": None, "ddd": None, "supply_basis": "days_supply", "kind": "dispensed"},
    "procedures": {"code": "X", "code_system": "kva", "treatment": "cbt"},
    "scores": {"scale": "hamd17"},
    "admissions": {"main_code": "F322"},
}  # fmt: skip

_BASE: dict[str, dict] = {
    "source": dict.fromkeys(("citation", "says", "reading", "open"), "-") | {"confidence": "D"},
    "eligible": {
        "disorders": ["depression"],
        "diagnoses": [],
        "requirements": [],
        "exclusions": [],
        "min_age": 0,
        "max_age": 150,
        "min_observed_days": 0,
        "washout_treatments": [],
        "washout_days": 0,
        "pseudo_resistance": "noted",
    },
    "trial": {
        "treatments": ["antidepressants", "cbt", "ect", "tms"],
        "augmenters": ["augmenters_depression"],
        "permissible_gap_days": 30,
        "session_gap_days": 30,
        "carry_over": False,
        "carry_over_cap_days": 90,
        "augmentation": "own_trial",
        "combination": "own_trial",
        "overlap_days": 28,
        "overlap_needs_refill": False,
        "supply": "as_delivered",
        "supply_kinds": ["dispensed", "prescribed", "administered"],
        "single_dispensing_days": 0,
        "window": "episode",
        "window_days": 0,
    },
    "adequacy": {
        "drug": {
            "min_days": 28,
            "duration_basis": "span",
            "dose_basis": "any",
            "min_dose_ratio": 1.0,
            "min_pdc_percent": 0,
            "min_mpr_percent": 0,
            "adherence_window_days": 0,
        },
        "augmentation": {
            "min_days": 28,
            "duration_basis": "span",
            "dose_basis": "any",
            "min_dose_ratio": 0.0,
            "min_pdc_percent": 0,
            "min_mpr_percent": 0,
            "adherence_window_days": 0,
        },
        "psychotherapy": {"min_days": 56, "min_sessions": 8},
        "neuromodulation": {"min_days": 0, "min_sessions": 6},
    },
    "outcome": {
        "evidence": ["treatment_change"],
        "scales": [],
        "scales_joined": "any",
        "baseline": "trial",
        "baseline_days_before": 14,
        "baseline_days_after": 7,
        "score": "last",
        "score_from_day": 28,
        "score_days_after_end": 14,
        "lost_response": "not_failed",
        "change_signs": ["switch"],
        "change_within": "episode",
        "add_on_from_day": 1,
        "if_unfinished": "not_failed",
        "early_stop_days": 0,
        "early_stop": "by_evidence",
    },
}


# --- Given ------------------------------------------------------------------------------------------------------------


def extract(*, observes: str = " ".join(OBSERVABLE), absent: str = "", **drawn: str) -> Extract:
    """A delivery of drawn tables; `absent` names tables that were not delivered at all.

    Drawn tables have only the columns that matter. `person` defaults to P1. Dispensings have `drug`
    (a name of this world, or an ATC code), `days`, `dose_mg` and `ddd` a day.
    """
    found = {name: _with_person(table(text)) for name, text in drawn.items()}
    named = sorted({person for rows in found.values() for person in rows["person"]} | ({"P1"} if not found else set()))
    people = pl.DataFrame({"person": named})
    found.setdefault("persons", people)
    found["persons"] = people.join(found["persons"], on="person", how="left", maintain_order="left")
    found.setdefault("coverage", people)
    found.setdefault("diagnoses", people.join(pl.DataFrame({"date": _DEPRESSED}).select(_a_day("date")), how="cross"))
    numbers = people.with_row_index("number")
    made = {name: None if name in absent.split() else _canonical(name, found.get(name), numbers) for name in MODELS}
    return Extract(**made, observes=frozenset(observes.split()))


def _a_day(column: str) -> pl.Expr:
    return pl.col(column).str.to_date("%Y-%m-%d")


def _with_person(rows: pl.DataFrame) -> pl.DataFrame:
    return rows if "person" in rows.columns else rows.with_columns(person=pl.lit("P1"))


def _canonical(name: str, rows: pl.DataFrame | None, numbers: pl.DataFrame) -> pl.DataFrame:
    """The drawn rows with every canonical column, its type and order."""
    types = {column: spec.dtype.type for column, spec in MODELS[name].to_schema().columns.items()}
    if rows is None:
        return pl.DataFrame(schema=types)
    filled = rows.with_columns(pl.lit(v).alias(c) for c, v in _DEFAULTS[name].items() if c not in rows.columns)
    if name == "persons":  # a person drawn nowhere else but here, or not drawn here at all
        filled = filled.with_columns(pl.col("sex").fill_null("female"))
    if name == "dispensings":
        filled = filled.with_columns(
            atc=pl.col("drug").replace(DRUGS),
            dose_ug=(pl.col("dose_mg").cast(pl.Float64) * 1000).round(),
            dose_mddd=(pl.col("ddd").cast(pl.Float64) * 1000).round(),
        )
    numbered = filled.rename({"person": "person_id"}).join(numbers.rename({"person": "person_id"}), on="person_id")
    return numbered.rename({"number": "person"}).select(pl.col(c).cast(t) for c, t in types.items()).sort(pl.all())


# --- When -------------------------------------------------------------------------------------------------------------


def study(
    *, start: str = "2009-01-01", end: str = "2024-12-31", supply: dict | None = None, **episode_rule: object
) -> Study:
    """A study of depression with 180-day gaps and no bridging by treatment, but for what the rules state."""
    rule = {"disorders": ["depression"], "treatment_bridges": False} | episode_rule
    period = {"start": date.fromisoformat(start), "end": date.fromisoformat(end)}
    return Study.model_validate(
        {
            "name": "spec",
            "source": {"kind": "registry", "path": "."},
            "period": period,
            "episodes": rule,
            "supply": supply or {},
        }
    )


def definition(name: str = "plain", *, resistance: dict | None = None, **changes: dict) -> Definition:
    """The plain definition with some settings of some blocks changed: `definition(trial={"overlap_days": 60})`."""
    blocks = _BASE | {block: _merged(_BASE[block], settings) for block, settings in changes.items()}
    return Definition(
        id=name, title="-", status="draft", **blocks, resistance=resistance or counts(count(2, distinct_by="substance"))
    )


def _merged(base: dict, changes: dict) -> dict:
    """The base with changes, one level deeper where a setting is itself a group of settings."""
    deep = {key: base[key] | value if isinstance(value, dict) else value for key, value in changes.items()}
    return base | deep


def count(
    n: int, of: str = "antidepressants", distinct_by: str = "none", *, what: str = "failed", timing: str = "any"
) -> dict:
    """At least n trials of some groups: failed adequate ones, unless another `what` is stated."""
    return {"n": n, "of": of.split(), "what": what, "distinct_by": distinct_by, "timing": timing}


def counts(*all_of: dict, within: int | str = "episode") -> dict:
    """Resistance as one alternative: every count must be met."""
    return either(list(all_of), within=within)


def either(*alternatives: list[dict], within: int | str = "episode") -> dict:
    """Resistance as several alternatives: any one suffices."""
    return {"kind": "count", "any_of": _named_alternatives(alternatives, within)}


def level(name: str, *alternatives: list[dict], within: int | str = "episode", band_days: tuple[int, ...] = ()) -> dict:
    """One stage of a staging system: any alternative suffices."""
    return {"name": name, "any_of": _named_alternatives(alternatives, within), "band_days": list(band_days)}


def staged(*levels: dict, is_cumulative: bool = False) -> dict:
    """Resistance as stages, the lowest first."""
    return {"kind": "stage", "levels": list(levels), "is_cumulative": is_cumulative}


def _named_alternatives(alternatives: tuple[list[dict], ...], within: int | str) -> list[dict]:
    return [
        {"name": f"alternative {n}", "within": within, "all_of": all_of}
        for n, all_of in enumerate(alternatives, start=1)
    ]


def points(threshold: float | str, *items: dict) -> dict:
    """Resistance as a score; the threshold "none" makes it a staging system."""
    return {"kind": "score", "threshold": threshold, "items": list(items)}


def item(item: str, each: float, at_most: float = 99.0, of: str = "antidepressants", extended_days: int = 0) -> dict:
    """An item of a score with points for each failed trial."""
    return {"item": item, "of": of.split(), "points": each, "max_points": at_most, "extended_days": extended_days}


def number_item(
    bands: dict[int, float], of: str = "antidepressants", what: str = "failed", distinct_by: str = "none",
    *, is_required: bool = False,
) -> dict:  # fmt: skip
    """An item of a score with points by the number of trials: {1: 1.0, 3: 2.0} for 1 or 2 and for 3 or more."""
    facts = {"of": of.split(), "what": what, "distinct_by": distinct_by, "is_required": is_required}
    return {"item": "number_of_trials", "bands": _bands(bands)} | facts


def length_item(bands: dict[int, float]) -> dict:
    """An item of a score with points by the days of the episode."""
    return {"item": "episode_days", "bands": _bands(bands)}


def diagnosis_item(levels: dict[str, float], when: str = "during", otherwise: float = 0.0) -> dict:
    """An item of a score with points by a diagnosis of a code list."""
    named = [{"codes": codes, "points": earned} for codes, earned in levels.items()]
    return {"item": "diagnosis", "when": when, "levels": named, "otherwise": otherwise}


def admission_item(earned: float) -> dict:
    """An item of a score with points for an admission."""
    return {"item": "admission", "points": earned}


def _bands(bands: dict[int, float]) -> list[dict]:
    return [{"at_least": at_least, "points": earned} for at_least, earned in bands.items()]


# --- Then -------------------------------------------------------------------------------------------------------------


@cache
def codes() -> CodeLists:
    """The shipped code lists."""
    folder = Path(__file__).resolve().parents[2] / "schemas" / "codelists"
    return parse({path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.csv")})


def classified(given: Extract, *definitions: Definition, by: Study | None = None) -> SimpleNamespace:
    """Every restricted table by its name, names as plain text."""
    made = classify(given, by or study(), definitions, codes())
    return SimpleNamespace(**{name: getattr(made, name).with_columns(NAMES.cast(pl.String)) for name in RESTRICTED})


def episodes(given: Extract, by: Study) -> pl.DataFrame:
    """The episodes, with `person` for the person's name."""
    return classified(given, by=by).episodes.rename({"person_id": "person"})


def trials(given: Extract, rule: Definition, by: Study | None = None) -> pl.DataFrame:
    """The trials, drugs by name in `drug`."""
    return _named(classified(given, rule, by=by).trials)


def judged(given: Extract, rule: Definition, by: Study | None = None) -> pl.DataFrame:
    """The trials with their judgements, drugs by name in `drug`."""
    made = classified(given, rule, by=by)
    return _named(made.trials.join(made.judgements, on=KEYS["trials"], maintain_order="left"))


def verdicts(given: Extract, *rules: Definition, by: Study | None = None) -> pl.DataFrame:
    """The classifications, with `person` and `disorder`."""
    made = classified(given, *rules, by=by)
    return _with_person_of(made.classifications, made)


def stages(given: Extract, *rules: Definition, by: Study | None = None) -> pl.DataFrame:
    """What staging systems say, with `person` and `disorder`."""
    made = classified(given, *rules, by=by)
    return _with_person_of(made.stages, made)


def impasses(given: Extract, *rules: Definition, by: Study | None = None) -> pl.DataFrame:
    """The impasses of resistant episodes, with `person` and `disorder`."""
    made = classified(given, *rules, by=by)
    return _with_person_of(made.impasses, made)


def _with_person_of(rows: pl.DataFrame, made: SimpleNamespace) -> pl.DataFrame:
    who = made.episodes.select("episode_id", "disorder", "number", person="person_id")
    return rows.join(who, on="episode_id", maintain_order="left")


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(person=pl.col("person_id"), drug=pl.col("treatment").replace(_NAMES))
