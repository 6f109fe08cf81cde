"""Rows of a delivery that no part of the layout chooses: told by `impasse check` and on the pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from impasse.flows.cli.app import app
from tests.flow.running import run_steps

STUDY = """
name = "north"
[source]
kind = "registry"
layout = "finnish"
path = "."
[period]
start = 2000-01-01
end = 2020-12-31
[episodes]
disorders = ["depression"]
[quality]
max_quarantined_percent = 100
"""
HEAD = "FINNGENID,SOURCE,EVENT_AGE,APPROX_EVENT_DAY,CODE1,CODE2,CODE4,ICDVER,CATEGORY\n"
READ = "f,PURCH,40,2010-05-05,N06AB06,,1,,\nf,OUTPAT,40,2010-05-05,F321,,,10,1\n"
NOTE = "The layout chooses no table for 4 rows of the file service_sector"
UNREAD = "f,CANC,40,2010-05-05,C50,,,,\n"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A Finnish delivery with four rows of the cancer register."""
    (tmp_path / "service_sector.csv").write_text(HEAD + READ + UNREAD * 4)
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path / "study.toml"


def test_check_tells_rows_that_are_not_read(study: Path) -> None:
    """The number of rows is told with the file."""
    said = CliRunner().invoke(app, ["check", str(study)]).output

    assert NOTE in " ".join(said.split())


def test_the_pages_tell_rows_that_are_not_read(study: Path, tmp_path: Path) -> None:
    """Both pages of a run say the same."""
    run = run_steps(study, tmp_path / "out")

    assert NOTE in (run / "release/validation.html").read_text()
    assert NOTE in (run / "release/report.html").read_text()
