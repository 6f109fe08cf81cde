"""An OMOP CDM from end to end: what is said of its vocabulary, its end dates and its kinds of supply."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from impasse.flows.cli.app import app
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
    "Kinds of supply, of 4 dispensings: 2 (50.0%) dispensed, 2 (50.0%) prescribed.",
    "No row of the vocabulary table concept_ancestor is delivered: only the listed concepts themselves are found",
    "No row of the vocabulary table drug_strength is delivered: the dose a day is unknown",
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
    assert manifest["parameters"]["source.exposure_end"] == '"inclusive"'
    assert manifest["layout"] is None


@pytest.mark.parametrize(("exposure_end", "days"), [("inclusive", [42, 42, 42, 42]), ("exclusive", [41, 41, 42, 42])])
def test_end_dates_count_as_the_study_states(study: Path, tmp_path: Path, exposure_end: str, days: list[int]) -> None:
    """Both persons took both drugs for 42 days each, if the end date is the last day."""
    study.write_text(STUDY.replace('path = "cdm"', f'path = "cdm"\nexposure_end = "{exposure_end}"'))
    run = run_steps(study, tmp_path / "out")
    trials = pl.read_parquet(run / "restricted/trials.parquet").sort("person_id", "start_date")

    assert trials["days_covered"].to_list() == days


ORDERED = "2,739138,2016-01-01,2016-01-01,,32838\n"


def test_orders_beside_dispensings_are_told(study: Path) -> None:
    """A drug that was ordered and dispensed counts twice, which is said."""
    exposures = study.parent / "cdm" / "drug_exposure.csv"
    exposures.write_text(exposures.read_text() + ORDERED)

    told = "Of 5 dispensings, 2 (40.0%) are of a drug that the person also has in another kind of supply"

    assert told in _checked(study)


def test_a_study_may_read_dispensings_only(study: Path, tmp_path: Path) -> None:
    """Orders are then accepted and counted, and no trial is made of them."""
    study.write_text(STUDY + '[supply]\nkinds = ["dispensed"]\n')
    run = run_steps(study, tmp_path / "out")
    told = " ".join(json.loads((run / "release/manifest.json").read_text())["notes"])

    assert "Kinds of supply, of 2 dispensings: all dispensed." in told
    assert "because supply.kinds reads dispensed only: 2." in told
    assert pl.read_parquet(run / "restricted/trials.parquet")["person_id"].unique().to_list() == ["2"]


def test_exposures_of_one_day_are_told(study: Path, tmp_path: Path) -> None:
    """An end that is the start may stand for a missing one; screen and manifest say so."""
    exposures = study.parent / "cdm" / "drug_exposure.csv"
    exposures.write_text(exposures.read_text() + ORDERED)
    run = run_steps(study, tmp_path / "out")
    told = "Of 3 drug exposures with an end date and no days of supply, 1 (33.3%) end on the day they start"

    assert told in _checked(study)
    assert told in " ".join(json.loads((run / "release/manifest.json").read_text())["notes"])


def _checked(study: Path) -> str:
    return " ".join(CliRunner().invoke(app, ["check", str(study)]).output.split())
