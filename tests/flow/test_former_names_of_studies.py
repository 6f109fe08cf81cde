"""A study file that states settings by former names is checked and run, and its author is given the new ones once."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from impasse.flows.cli.app import app
from impasse.flows.run.plan import make_plan
from impasse.flows.run.progress import progress_shown
from tests.shipped import copied

NOTE = "study.toml: episodes.washout_days is now min_prior_observation_days."


@pytest.fixture
def former(own_study: Path, tmp_path: Path) -> Path:
    """A small study under a former name, with a folder of definitions of which one states a former name."""
    text = own_study.read_text().replace("min_prior_observation_days", "washout_days")
    named = text.replace("\n[definitions]\nuse = [", '\n[definitions]\nfolders = ["mine"]\nuse = ["two_drugs", ')
    own_study.write_text(named)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/two_drugs.toml").write_text(copied("dep_typical_two_drugs", "Two drugs"))
    (tmp_path / "mine/two_drugs_too.toml").write_text(
        copied("dep_typical_two_drugs", "Two drugs too").replace("washout_days", "untreated_days")
    )
    return own_study


def test_a_check_notes_each_file_once(former: Path) -> None:
    """On the standard error, apart from what it finds in the delivery."""
    done = CliRunner().invoke(app, ["check", str(former)], env={"COLUMNS": "80", "NO_COLOR": "1"})
    told = " ".join(done.stderr.split())

    assert done.exit_code == 0
    assert told.count(NOTE) == 1
    assert told.count("definition file two_drugs_too.toml: eligible.untreated_days is now washout_days.") == 1
    assert told.count("is now") == 2
    assert "is now" not in done.stdout


def test_a_run_notes_each_file_once(former: Path, tmp_path: Path) -> None:
    """When it is planned, whoever begins it: a command, or a server of Prefect's, whose log gets the same."""
    screen = io.StringIO()
    with progress_shown(Console(file=screen, width=80)):
        plan = make_plan(former, tmp_path / "out")
    told = " ".join(screen.getvalue().split())

    assert told.count(NOTE) == 1
    assert told.count("is now") == 2
    assert plan.run_id


def test_new_names_are_not_noted(small_study: Path, tmp_path: Path) -> None:
    """A study as it is shipped is planned in silence."""
    screen = io.StringIO()
    with progress_shown(Console(file=screen, width=80)):
        make_plan(small_study, tmp_path / "out")

    assert screen.getvalue() == ""
