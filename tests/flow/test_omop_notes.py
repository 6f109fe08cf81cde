"""An OMOP CDM from end to end: what is said of its vocabulary, its end dates and its kinds of supply."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from flows.cli import app
from tests.flow.running import run_steps

STUDY = """
name = "cdm"
[source]
kind = "omop"
path = "cdm"
[period]
start = 2010-01-01
end = 2020-12-31
[episodes]
disorders = ["depression"]
[definitions]
use = ["dep_ema"]
[disclosure]
threshold = 1
[quality]
max_quarantined_percent = 100
"""
FILES = {
    "person": "person_id,gender_concept_id,year_of_birth\n1,8532,1970\n2,8507,1971\n",
    "observation_period": "person_id,observation_period_start_date,observation_period_end_date\n"
    "1,2010-01-01,2020-12-31\n2,2010-01-01,2020-12-31\n",
    "condition_occurrence": "person_id,condition_concept_id,condition_start_date\n"
    "1,440383,2016-01-01\n2,440383,2016-01-01\n",
    "drug_exposure": "person_id,drug_concept_id,drug_exposure_start_date,drug_exposure_end_date,days_supply,"
    "drug_type_concept_id\n"
    "1,739138,2016-01-01,2016-02-11,,32838\n1,797617,2016-02-12,2016-03-24,,32838\n"
    "2,739138,2016-01-01,2016-02-12,42,32825\n2,797617,2016-02-12,2016-03-25,42,32825\n2,1,2016-02-12,,42,32825\n",
}
NOTES = (
    "Kinds of supply, of 4 dispensings: 50.0% dispensed, 50.0% prescribed.",
    "The vocabulary table concept_ancestor is not delivered: only the listed concepts themselves are found",
    "The vocabulary table drug_strength is not delivered: the dose a day is unknown",
    "A drug of which no delivered table tells the ingredient is refused (no_atc_mapping).",
    "none end on the last day of the supply and all on the day after it",
    "The delivery disagrees:",
)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Two persons with sertraline and citalopram for 42 days each: one with end dates only, one with days of supply."""
    (tmp_path / "cdm").mkdir()
    for name, text in FILES.items():
        (tmp_path / "cdm" / f"{name}.csv").write_text(text)
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path / "study.toml"


def test_check_tells_what_a_model_lacks(study: Path) -> None:
    """Missing tables, what its end dates say and the kinds of supply are on the screen."""
    said = " ".join(CliRunner().invoke(app, ["check", str(study)]).output.split())

    assert [note for note in NOTES if note not in said] == []


def test_pages_and_manifest_tell_what_a_model_lacks(study: Path, tmp_path: Path) -> None:
    """The validation page, the report and the manifest say the same, and the setting is a parameter of the run."""
    run = run_steps(study, tmp_path / "out")
    manifest = json.loads((run / "release/manifest.json").read_text())
    told = " ".join(manifest["notes"])

    assert [note for note in NOTES if note not in told] == []
    assert [note for note in NOTES if note not in (run / "release/validation.html").read_text()] == []
    assert [note for note in NOTES if note not in (run / "release/report.html").read_text()] == []
    assert manifest["parameters"]["source.exposure_end"] == "inclusive"


@pytest.mark.parametrize(("exposure_end", "days"), [("inclusive", [42, 42, 42, 42]), ("exclusive", [41, 41, 42, 42])])
def test_end_dates_count_as_the_study_states(study: Path, tmp_path: Path, exposure_end: str, days: list[int]) -> None:
    """Both persons took both drugs for 42 days each, if the end date is the last day."""
    study.write_text(STUDY.replace('path = "cdm"', f'path = "cdm"\nexposure_end = "{exposure_end}"'))
    run = run_steps(study, tmp_path / "out")
    trials = pl.read_parquet(run / "restricted/trials.parquet").sort("person_id", "start_date")

    assert trials["days_covered"].to_list() == days
