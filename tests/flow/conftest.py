"""One small registry, run once, for the tests that look at a published run."""

from __future__ import annotations

from pathlib import Path

import pytest

from impasse.flows.cli import demo
from tests.flow.running import run_steps

PERSONS = 1500


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study file of a simulated registry."""
    return demo.write(tmp_path_factory.mktemp("registry"), PERSONS, seed=3)


@pytest.fixture(scope="session")
def run(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a published run."""
    return run_steps(study, tmp_path_factory.mktemp("out"))


@pytest.fixture(scope="session")
def small_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study file of few persons under two definitions, where it does not matter what becomes of them."""
    written = demo.write(tmp_path_factory.mktemp("small"), 200, seed=6)
    written.write_text(f'{written.read_text()}\n[definitions]\nuse = ["anx_bokma_2019", "dep_fife_2017"]\n')
    return written
