"""Deliveries and answers made by others: what is read, what is refused, and the published answers reached."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from impasse.flows.delivery import delivery
from impasse.flows.run.loading import load
from impasse.schemas.definition import Definition, ScaleRule
from impasse.schemas.extracts import MODELS
from impasse.schemas.history import parse_history
from impasse.schemas.study import Study
from impasse.schemas.tables import KEYS
from impasse.transforms.ingest.omop.drugs import ingredient_exposures
from impasse.transforms.kernels.days import opens_era
from impasse.transforms.results import Results, classify
from impasse.transforms.try_cases import drawn_extract
from tests.flow.running import cleaned_of, run_steps
from tests.shipped import CODES, COMPARED, SHIPPED

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the data made by others are not beside this repository")

STUDY = """
name = "{name}"
[source]
{source}
path = "{path}"
{more}
[period]
start = {start}
end = {end}
[episodes]
disorders = ["anxiety", "depression"]
[quality]
max_quarantined_percent = 100
"""
SOURCES = {
    "swedish": 'kind = "registry"\nlayout = "swedish"',
    "finnish": 'kind = "registry"\nlayout = "finnish"',
    "omop": 'kind = "omop"',
}
SWEDISH_FILES = """
[source.files]
persons = "fake_demographics"
deaths = "fake_cod"
diagnoses = "fake_diagnoses"
dispensings = "fake_prescriptions"
"""

# What judges anxiety and depression, the disorders of every study here.
JUDGING = [d for d in SHIPPED if d.id in COMPARED and d.gives == "verdict" and d.id.startswith(("anx_", "dep_"))]
JUDGING = [d for d in JUDGING if d.eligible.disorders != ("bipolar_depression",)]


def _study(tmp_path: Path, name: str, source: str, start: str, end: str, more: str = "") -> Path:
    path = tmp_path / "study.toml"
    path.write_text(STUDY.format(name=name, source=SOURCES[source], path=DATA / name, start=start, end=end, more=more))
    return path


def _rows(study: Path) -> dict[str, tuple[int, int, int]]:
    """Delivered, accepted and quarantined rows of each table that is there."""
    counts = cleaned_of(study).reconciliation.filter("is_present")
    return {row["table"]: (row["n_delivered"], row["n_accepted"], row["n_quarantined"]) for row in counts.to_dicts()}


def test_swedish_registers(tmp_path: Path) -> None:
    """Four registers with a person key of their own each: only rows outside a person's life are refused."""
    study = _study(tmp_path, "swedish-fake-registry", "swedish", "2006-01-01", "2021-12-31", SWEDISH_FILES)

    assert _rows(study) == {
        "persons": (1000, 994, 6),
        "deaths": (50, 50, 0),
        "diagnoses": (4000, 3258, 742),
        "dispensings": (8000, 7527, 473),
        "procedures": (754, 617, 137),
        "admissions": (2000, 1619, 381),
    }


def test_a_finnish_long_table(tmp_path: Path) -> None:
    """One long table feeds persons, deaths, diagnoses, dispensings and procedures; a code of -1 is none."""
    study = _study(tmp_path, "finngen-dummy-600", "finnish", "1995-01-01", "2022-12-31")

    assert _rows(study) == {
        "persons": (599, 599, 0),
        "deaths": (136, 136, 0),
        "diagnoses": (91_323, 89_695, 1_628),
        "dispensings": (167_380, 165_206, 2_174),
        "procedures": (71_342, 70_583, 759),
    }


def test_packages_without_days_of_supply_last_an_unknown_time(tmp_path: Path) -> None:
    """The Finnish register tells packages only: no dispensing gets a duration unless the study assumes one."""
    study = _study(tmp_path, "finngen-dummy-600", "finnish", "1995-01-01", "2022-12-31")

    dispensings = cleaned_of(study).extract.dispensings

    assert dispensings["days"].null_count() == len(dispensings)
    assert dispensings["supply_basis"].unique().to_list() == ["unknown"]


def test_an_omop_model(tmp_path: Path) -> None:
    """CDM 5.2: the only rows refused are drugs whose ingredient is not known."""
    study = _study(tmp_path, "omop-synpuf50", "omop", "2008-01-01", "2010-12-31")

    assert _rows(study) == {
        "persons": (50, 50, 0),
        "deaths": (4, 4, 0),
        "coverage": (43, 43, 0),
        "diagnoses": (5_121, 5_121, 0),
        "dispensings": (2_140, 2_052, 88),
        "procedures": (4_713, 4_713, 0),
        "admissions": (25, 25, 0),
    }


def test_scores_without_a_value_are_refused(tmp_path: Path) -> None:
    """CDM 5.4, upper-case files: 431 questionnaires without a value are refused, never read as zero."""
    study = _study(tmp_path, "omop-synthea27", "omop", "2000-01-01", "2022-12-31")

    cleaned = cleaned_of(study)

    assert cleaned.rules.filter(pl.col("table") == "scores").rows() == [("scores", "score_missing", 431)]
    assert cleaned.extract.scores.is_empty()


def test_diagnoses_among_the_drugs_are_no_drugs(tmp_path: Path) -> None:
    """7,911 exposures with a diagnosis code for a drug are refused."""
    study = _study(tmp_path, "omop-synthea1k", "omop", "2000-01-01", "2022-12-31")

    rules = cleaned_of(study).rules

    assert rules.filter(pl.col("table") == "dispensings").rows() == [("dispensings", "no_atc_mapping", 7_911)]


@pytest.mark.parametrize(
    ("name", "source", "more"),
    [
        ("swedish-fake-registry", "swedish", SWEDISH_FILES),
        ("finngen-dummy-600", "finnish", ""),
        ("omop-synpuf50", "omop", ""),
    ],
)
def test_a_whole_run(tmp_path: Path, name: str, source: str, more: str) -> None:
    """Each kind of source ends in a published run with a verdict for every episode and definition."""
    study = _study(tmp_path, name, source, "2000-01-01", "2022-12-31", more)

    run = run_steps(study, tmp_path / "out")
    episodes = pl.read_parquet(run / "restricted/episodes.parquet")
    verdicts = pl.read_parquet(run / "restricted/classifications.parquet")

    assert len(episodes) > 0
    assert len(verdicts) == len(JUDGING) * len(episodes)
    assert (run / "release/report.html").exists()


def test_canonical_tables_hold_what_they_declare(tmp_path: Path) -> None:
    """Every canonical table of a delivery passes its model, value by value."""
    study = _study(tmp_path, "omop-synpuf50", "omop", "2008-01-01", "2010-12-31")

    for name, table in cleaned_of(study).extract.tables().items():
        MODELS[name].validate(table)


def _eras(exposures: pl.DataFrame, gap: int) -> set[tuple]:
    """Exposures of one ingredient joined over gaps of at most `gap` days; no supply is carried over."""
    key = ("person_id", "ingredient_concept_id")
    rows = exposures.sort(*key, "start_date", "end_date")
    days = rows.select(
        pl.struct(key).rle_id(), start=pl.col("start_date").to_physical(), end=pl.col("end_date").to_physical()
    )
    era = opens_era(*(column.to_numpy() for column in days), gap).cumsum()
    eras = rows.group_by(pl.Series("era", era)).agg(
        pl.col(key).first(), pl.col("start_date").min(), pl.col("end_date").max(), pl.len()
    )
    return set(eras.drop("era").cast(pl.String).rows())


def _exposures(tmp_path: Path) -> pl.DataFrame:
    study = _study(tmp_path, "omop-synpuf50", "omop", "2008-01-01", "2010-12-31")
    loaded = load(study)
    delivered = delivery.open_delivery(loaded.study, tmp_path, loaded.layout)
    return ingredient_exposures(delivered, loaded.layout)


def _published_eras() -> set[tuple]:
    rows = pl.read_csv(DATA / "omop-synpuf50" / "drug_era.csv", infer_schema=False)
    columns = ("person_id", "drug_concept_id", "drug_era_start_date", "drug_era_end_date", "drug_exposure_count")
    return {tuple(row) for row in rows.select(columns).iter_rows()}


@pytest.mark.parametrize(("gap", "n_eras", "n_equal"), [(29, 2136, 2132), (30, 2134, 2134), (31, 2132, 2130)])
def test_treatment_eras_equal_the_published_ones(tmp_path: Path, gap: int, n_eras: int, n_equal: int) -> None:
    """A gap of 30 uncovered days gives all 2,134 drug eras; 29 and 31 days do not."""
    eras = _eras(_exposures(tmp_path), gap)

    assert len(eras) == n_eras
    assert len(eras & _published_eras()) == n_equal


def _classified(persons: list[dict], definition: Definition) -> Results:
    """The persons' one episode of depression each, under one definition; drugs and scores are seen."""
    study = Study.model_validate(
        {
            "name": "published",
            "source": {"kind": "registry", "path": "."},
            "period": {"start": date(2017, 1, 1), "end": date(2020, 12, 31)},
            "episodes": {"disorders": ["depression"], "tail_days": 365, "treatment_bridges": False},
        }
    )
    absent = frozenset({"coverage", "procedures", "admissions"})
    return classify(drawn_extract(persons, frozenset({"drug"}), absent), study, [definition], CODES)


def _person(name: str, lines: list[str]) -> dict:
    return parse_history(["dx 2018-01-01 F322", *lines], name)


ATC = {
    "citalopram": "N06AB04",
    "fluoxetine": "N06AB03",
    "mirtazapine": "N06AX11",
    "sertraline": "N06AB06",
    "venlafaxine": "N06AX16",
}


def test_two_sequential_courses_of_a_published_definition() -> None:
    """Seven made-up patients: the five with two sequential courses, their first drug and the second one's start.

    The published rule in our settings: a mention covers its day; a course is 28 days from first to last
    mention; a drug that begins two days or more before the other's last mention was not taken after it.
    """
    folder = DATA / "trd-two-antidepressant-example"
    mentions = pl.read_csv(folder / "mentions.csv").group_by("patient_id", maintain_order=True).agg("drug", "date")
    persons = [
        _person(name, [f"disp {day} {ATC[drug]} days=1" for drug, day in zip(drugs, days, strict=True)])
        for name, drugs, days in mentions.iter_rows()
    ]
    plain = next(d for d in SHIPPED if d.id == "dep_karolinska")
    drug = replace(plain.adequacy.drug, min_days=28, duration_basis="span")
    rule = replace(
        plain,
        eligible=replace(plain.eligible, min_age=0),
        trial=replace(
            plain.trial, carry_over=False, permissible_gap_days=60, overlap_days=2, overlap_needs_refill=False
        ),
        adequacy=replace(plain.adequacy, drug=drug),
        outcome=replace(plain.outcome, change_signs=("switch",)),
    )

    made = _classified(persons, rule)
    sequential = made.classifications.filter(pl.col("n_adequate") >= 2, pl.col("n_failed_min") >= 1)
    first = (
        made.trials.join(made.judgements.filter("is_adequate", "has_failed"), on=KEYS["trials"])
        .join(sequential, on="episode_id", how="semi")
        .sort("failure_date", "start_date")
        .unique("person_id", keep="first")
    )
    expected = pl.read_csv(folder / "expected.csv")

    assert sorted(first.select("person_id", "treatment", pl.col("failure_date").cast(pl.String)).rows()) == sorted(
        (name, ATC[a], b_first)
        for name, a, b_first in expected.select("patient_id", "drug_a_name", "drug_b_first").rows()
    )


def test_response_counts_of_a_published_trial() -> None:
    """HAM-D17 of 172 patients: who fell by half at the last visit is who our outcome calls not failed."""
    rows = pl.read_csv(DATA / "symptom-scores" / "hamd17_trial.csv").sort("PATIENT", "RELDAYS")
    patients = rows.group_by("PATIENT", maintain_order=True).agg("RELDAYS", "HAMDTL17", "BASVAL")
    persons = [
        _person(
            str(name),
            [
                f"disp 2018-01-01 N06AB06 days={days[-1] + 1} dose_mg=50",
                f"score 2018-01-01 hamd17 {baseline[0]}",
                *(
                    f"score {date(2018, 1, 1) + timedelta(days=day)} hamd17 {score}"
                    for day, score in zip(days, scores, strict=True)
                ),
            ],
        )
        for name, days, scores, baseline in patients.iter_rows()
    ]
    plain = next(d for d in SHIPPED if d.id == "dep_stard_nonresponse")
    outcome = replace(
        plain.outcome,
        evidence=("scales",),
        scales=(ScaleRule(scale="hamd17", fails_if="fall_below", value=50),),
        baseline_days_before=0,
        baseline_days_after=0,
        score="last",
        score_from_day=2,
        score_days_after_end=28,
        lost_response="failed",
    )
    by_hand = {
        str(name) for name, _, scores, baseline in patients.iter_rows() if 2 * (baseline[0] - scores[-1]) >= baseline[0]
    }

    made = _classified(persons, replace(plain, outcome=outcome))
    failed = made.trials.join(made.judgements, on=KEYS["trials"])
    worked = set(failed.filter(~pl.col("has_failed"))["person_id"])

    assert len(persons) == 172
    assert failed["has_failed"].null_count() == 0
    assert worked == by_hand
    assert len(worked) == 57
