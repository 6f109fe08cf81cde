"""Two deliveries that differ only in what disclosure control hides: nothing that leaves tells them apart."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from impasse.flows.cli import summary
from tests.flow.running import run_steps

STUDY = """
name = "few"
source = { kind = "registry", path = "delivery" }
period = { start = 2012-01-01, end = 2016-12-31 }
episodes = { disorders = ["schizophrenia"], gap_days = 180 }
definitions = { use = ["scz_trrip", "scz_clozapine"] }
"""
PERSONS = "person_id,birth_date,sex\na,1970-01-01,f\n"
DIAGNOSES = "person_id,date,code,code_system\na,2015-01-10,F200,icd10\na,{second},F200,icd10\n"
OF_THE_RUN = r"\d{8}T\d{6}Z-[0-9a-f]{8}"  # its id


def published(folder: Path, second: str) -> Path:
    """The run of a person whose second diagnosis is of that day."""
    (folder / "delivery").mkdir(parents=True)
    (folder / "delivery" / "persons.csv").write_text(PERSONS, encoding="utf-8")
    (folder / "delivery" / "diagnoses.csv").write_text(DIAGNOSES.format(second=second), encoding="utf-8")
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    return run_steps(folder / "study.toml", folder / "runs")


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One episode of schizophrenia."""
    return published(tmp_path_factory.mktemp("one"), "2015-04-20")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two episodes, from as many rows in the same year."""
    return published(tmp_path_factory.mktemp("two"), "2015-12-20")


def released(run: Path, ending: str) -> dict[str, bytes]:
    """What is released in files of this ending, but for the id of the run."""
    files = sorted((run / "release").rglob(f"*{ending}"))
    return {path.name: re.sub(OF_THE_RUN.encode(), b"", path.read_bytes()) for path in files}


def test_the_two_are_not_the_same(one: Path, two: Path) -> None:
    """Restricted, there are one episode and two."""
    heights = [pl.read_parquet(run / "restricted/episodes.parquet").height for run in (one, two)]

    assert heights == [1, 2]


@pytest.mark.parametrize("ending", [".parquet", ".html", ".toml"])
def test_nothing_released_tells_them_apart(one: Path, two: Path, ending: str) -> None:
    """Tables, pages and definitions are the same to the byte."""
    assert released(one, ending) == released(two, ending)


def test_the_terminal_does_not_tell_them_apart(one: Path, two: Path) -> None:
    """The closing lines are the same but for the folders."""
    assert summary.lines(one)[:-2] == summary.lines(two)[:-2]
