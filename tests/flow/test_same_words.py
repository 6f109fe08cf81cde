"""What is to be known of a delivery is told in the same words by `impasse check` and on the pages of a run."""

from __future__ import annotations

import json
from html import unescape
from pathlib import Path

from typer.testing import CliRunner

from impasse.flows.cli.app import app
from tests.flow.running import run_steps
from tests.unit.deliveries import written

STUDY = """
name = "told"
source = { kind = "registry", path = "delivery", decimal = ",", observes = ["drug"] }
period = { start = 2010-01-01, end = 2020-12-31 }
episodes = { disorders = ["depression", "ocd"] }
definitions = { use = ["dep_ema"] }
quality = { max_quarantined_percent = 100 }
"""
NOTES = (
    "No definition that is compared speaks about OCD: episodes of it stand in no table.",
    "Dates of diagnoses are read so: date as %Y-%m-%d",
    "quantity, days_supply and daily_dose_mg with a decimal comma: 28,000 is 28, and 1.000, which may be a thousand",
    "The file dispensings_2.csv was not read, though it has the columns of dispensings.csv, which is read.",
    "Kinds of supply, of 1 dispensings: all dispensed.",
    "a count that includes any of these has a lower bound and no upper bound",
    "No row of the table scores was delivered: no trial can be judged by a symptom scale.",
)


def test_a_check_and_the_pages_say_the_same(tmp_path: Path) -> None:
    """A date and an amount in a form that is not read, a second file, a disorder that no definition speaks about."""
    (tmp_path / "delivery").mkdir()
    supply = "person_id;date;atc;quantity;days_supply;daily_dose_mg\n"
    written(
        tmp_path / "delivery",
        persons__csv="person_id,birth_date,sex,death_date\n1,1970-01-01,female,",
        diagnoses__csv="person_id,date,code,code_system\n1,2015-01-01,F321,icd10\n1,01/02/2015,F321,icd10",
        dispensings__csv=f"{supply}1;2015-01-01;N06AB06;28;28;50\n1;2015-02-01;N06AB06;1.000;28;50",
        dispensings_2__csv=f"{supply}1;2015-01-01;N06AB06;28;28;50",
    )
    (tmp_path / "study.toml").write_text(STUDY)
    checked = " ".join(CliRunner().invoke(app, ["check", str(tmp_path / "study.toml")]).output.split())
    run = run_steps(tmp_path / "study.toml", tmp_path / "out")
    pages = [unescape((run / "release" / page).read_text()) for page in ("validation.html", "report.html")]
    notes = json.loads((run / "release/manifest.json").read_text())["notes"]

    assert [note for note in NOTES if note not in checked] == []
    assert [note for note in NOTES if any(note not in page for page in pages)] == []
    assert [note for note in notes if note not in checked] == []
    assert [note for note in notes if any(note not in page for page in pages)] == []
