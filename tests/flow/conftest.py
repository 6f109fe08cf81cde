"""One small registry, run once, for the tests that look at a published run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from impasse.flows.cli import demo
from impasse.flows.run.steps import rendering
from impasse.reports.pages.report import render_report
from tests.flow.running import copied, run_steps

PERSONS = 1500


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of a test run share; without processes, one of its own."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


def _made_once(folder: Path, name: str, make: Callable[[Path], Path]) -> Path:
    """What `make` returned for a new folder of this name, whichever process made it."""
    made = folder / f"{name}.txt"
    with FileLock(folder / f"{name}.lock"):
        if not made.exists():
            (folder / name).mkdir()
            made.write_text(str(make(folder / name)))
    return Path(made.read_text())


@pytest.fixture(scope="session")
def study(shared: Path) -> Path:
    """The study file of a simulated registry, which no test changes."""
    return _made_once(shared, "registry", lambda folder: demo.write_demo(folder, PERSONS, seed=3))


@pytest.fixture(scope="session")
def run(study: Path, shared: Path) -> Path:
    """The folder of a published run, which no test changes."""
    with _reports_by(render_report):
        return _made_once(shared, "run", lambda folder: run_steps(study, folder))


@pytest.fixture(scope="module")
def blank_report() -> Iterator[None]:
    """Reports are empty: to write one is a third of a small run, and these tests do not read it."""
    with _reports_by(lambda report: ""):
        yield


@contextmanager
def _reports_by(render: Callable[..., str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendering, "render_report", render)
        yield


@pytest.fixture(scope="session")
def small_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study file of few persons under two definitions, where it does not matter what becomes of them."""
    written = demo.write_demo(tmp_path_factory.mktemp("small"), 200, seed=6)
    written.write_text(f'{written.read_text()}\n[definitions]\nuse = ["anx_bokma_2019", "dep_fife_2017"]\n')
    return written


@pytest.fixture
def own_study(small_study: Path, tmp_path: Path) -> Path:
    """The study of few persons in a folder of the test's own, who may change it and its delivery."""
    return copied(small_study, tmp_path)
