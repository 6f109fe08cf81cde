"""A worker or a cluster that is killed in the middle of a run: what is lost, what is said, what is kept.

Workers are real processes, and the signal is SIGKILL, which nobody can catch. What can be finished must have the
same bytes as a run that nobody disturbed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from threading import Thread

import pytest
from rich.console import Console
from typer.testing import CliRunner

from impasse.flows import pipeline
from impasse.flows.cli import demo
from impasse.flows.cli.app import app
from impasse.flows.run import engines, progress
from impasse.flows.run.plan import Plan
from impasse.flows.run.steps import classifying, reading
from impasse.schemas.errors import ImpasseError, NotAsWritten, RunInterrupted
from tests.flow import killing
from tests.flow.running import data_hashes, run_steps
from tests.flow.servers import free_port, prefect_server

pytestmark = pytest.mark.usefixtures("blank_report")

PERSONS, PARTS = 400, 5
OTHERS = [f"{part:04d}" for part in range(PARTS) if part != killing.KILLER]
DEFINITIONS = ["anx_bokma_2019", "dep_ohdsi_1009", "dep_fife_2017"]
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", autouse=True)
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Prefect server that is gone with the tests."""
    with prefect_server(tmp_path_factory.mktemp("prefect")):
        yield


@pytest.fixture(autouse=True)
def parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few persons in five parts, as many would be."""
    monkeypatch.setattr(reading, "count_parts", lambda n_persons: PARTS)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study of a small registry under few definitions."""
    study = demo.write_demo(tmp_path_factory.mktemp("killed"), PERSONS, seed=6)
    study.write_text(f"{study.read_text()}\n[definitions]\nuse = {DEFINITIONS}\n")
    return study


@pytest.fixture(scope="module")
def undisturbed(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The SHA-256 of every data file of a run in which nothing happened."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "count_parts", lambda n_persons: PARTS)
        return data_hashes(run_steps(registry, tmp_path_factory.mktemp("undisturbed")))


def _done(out: Path) -> list[str]:
    """The parts that a run in its work folder has finished."""
    return sorted(path.parent.name for path in out.glob("demo/.work-*/counts/*/done"))


def _is_published(out: Path) -> bool:
    return (out / "demo" / "latest").exists()


# --- A worker ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["processes", "dask"])
def test_a_killed_worker_costs_one_more_try(
    engine: str, registry: Path, undisturbed: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The part is told and tried again; the run is published with the same bytes."""
    monkeypatch.setattr(classifying, "classify_part", killing.kill_once)
    printed = StringIO()
    with progress.progress_shown(Console(file=printed, width=80)):
        published = pipeline.run_study(str(registry), str(tmp_path), engine=engine, workers=2)

    assert data_hashes(Path(published)) == undisturbed
    assert killing.attempts(tmp_path / "demo") == 1
    assert printed.getvalue().splitlines() == [
        "Part 1 is tried again, alone: A worker was killed, as when memory runs out."
    ]


@pytest.mark.parametrize("engine", ["processes", "dask"])
def test_a_part_that_always_kills_its_worker_is_named_and_the_rest_is_kept(
    engine: str, registry: Path, undisturbed: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three workers are lost to it and no part beside it; the run goes on later, with another engine."""
    with monkeypatch.context() as patch:
        patch.setattr(classifying, "classify_part", killing.kill_always)
        with pytest.raises(RunInterrupted, match=f"1 of {PARTS} parts") as told:
            pipeline.run_study(str(registry), str(tmp_path), engine=engine, workers=2)

    assert "part 1: A worker was killed, as when memory runs out.\n" in str(told.value)
    assert "--memory" in told.value.do
    assert "--resume" in told.value.do
    assert killing.attempts(tmp_path / "demo") == 3
    assert _done(tmp_path) == OTHERS
    assert not _is_published(tmp_path)

    published = pipeline.run_study(str(registry), str(tmp_path), engine="threads", resume=True)

    assert data_hashes(Path(published)) == undisturbed


# --- Threads ----------------------------------------------------------------------------------------------------------


def _failing(faults: list[Exception], tried: list[int]) -> Callable[..., None]:
    """Classifies, but for part 1 while faults are left to raise; `tried` tells the parts as they are begun."""
    classify = classifying.classify_part

    def attempt(plan: object, part: int, n_parts: int, n_buckets: int) -> None:
        tried.append(part)
        if part == 1 and faults:
            raise faults.pop(0)
        classify(plan, part, n_parts, n_buckets)

    return attempt


def test_a_part_without_enough_memory_is_tried_again_after_the_others(
    registry: Path, undisturbed: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alone it has the memory that two had before."""
    tried: list[int] = []
    monkeypatch.setattr(classifying, "classify_part", _failing([MemoryError(), MemoryError()], tried))
    published = pipeline.run_study(str(registry), str(tmp_path), engine="threads", workers=2)

    assert tried[PARTS:] == [1, 1]
    assert data_hashes(Path(published)) == undisturbed


def test_a_part_that_never_has_enough_memory_is_told_what_to_do(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three tries; then its number, and the settings that help."""
    tried: list[int] = []
    monkeypatch.setattr(classifying, "classify_part", _failing([MemoryError()] * 3, tried))
    with pytest.raises(RunInterrupted, match="part 1: Memory ran out") as told:
        pipeline.run_study(str(registry), str(tmp_path), engine="threads", workers=2)

    assert tried.count(1) == 3
    assert "--memory" in told.value.do
    assert _done(tmp_path) == OTHERS


@pytest.mark.parametrize("fault", [ImpasseError("A row is bad."), ValueError("a row")])
def test_a_part_with_bad_rows_is_not_tried_again(
    fault: Exception, registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would be as bad the second time. The others are kept, and nothing of a row is told."""
    tried: list[int] = []
    monkeypatch.setattr(classifying, "classify_part", _failing([fault], tried))
    with pytest.raises(RunInterrupted, match="part 1: ") as told:
        pipeline.run_study(str(registry), str(tmp_path), engine="threads", workers=2)

    assert sorted(tried) == list(range(PARTS))
    assert "a row" not in str(told.value)
    assert _done(tmp_path) == OTHERS


def test_a_bucket_that_is_lost_meanwhile_ends_the_run(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be gone on with, so nothing is kept, and the message says to start again."""
    classify = classifying.classify_part

    def lose_one(plan: Plan, part: int, n_parts: int, n_buckets: int) -> None:
        (plan.work / "buckets/0001/persons.parquet").unlink(missing_ok=True)
        classify(plan, part, n_parts, n_buckets)

    monkeypatch.setattr(classifying, "classify_part", lose_one)
    with pytest.raises(NotAsWritten, match=r"buckets/0001/persons\.parquet") as told:
        pipeline.run_study(str(registry), str(tmp_path), engine="threads", workers=1)

    assert "without --resume" in told.value.do
    assert list((tmp_path / "demo").iterdir()) == []


# --- A cluster --------------------------------------------------------------------------------------------------------


def _start(*words: str) -> subprocess.Popen[bytes]:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    path = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen([sys.executable, "-m", *words, "--no-dashboard"], env=path, start_new_session=True, **quiet)


def _kill(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def _cluster(n_workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A Dask cluster on this machine that knows nothing of the run: its address; its scheduler, and its workers."""
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    started = [_start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port))]
    worker = ("distributed.cli.dask_worker", address, "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny")
    try:
        started += [_start(*worker) for _ in range(n_workers)]
        yield address, started
    finally:
        _kill(started)


def _kill_when_begun(processes: list[subprocess.Popen[bytes]], out: Path) -> Thread:
    """Kill these as soon as one part of the run is done."""

    def watch() -> None:
        end = time.monotonic() + 600
        while not _done(out) and time.monotonic() < end:
            time.sleep(0.02)
        _kill(processes)

    thread = Thread(target=watch)
    thread.start()
    return thread


def test_a_worker_of_a_cluster_is_killed_in_the_middle(
    registry: Path, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    """The scheduler gives its part to the other worker, and nobody notices."""
    with _cluster(2) as (address, started):
        killing_one = _kill_when_begun(started[1:2], tmp_path)
        published = pipeline.run_study(str(registry), str(tmp_path), engine="dask", address=address)
        killing_one.join()

    assert started[1].returncode == -signal.SIGKILL
    assert data_hashes(Path(published)) == undisturbed


def test_a_cluster_that_goes_away_leaves_a_run_that_can_be_resumed(
    registry: Path, undisturbed: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One message, exit code 4, and no wait; the rest is done in threads, with the same bytes."""
    monkeypatch.setattr(engines, "PATIENCE", 100_000)  # nobody is waited for: else this test would not end
    words = ["run", str(registry), "--out", str(tmp_path)]
    with _cluster(1) as (address, started):
        killing_all = _kill_when_begun(started, tmp_path)
        stopped = CliRunner().invoke(app, [*words, "--engine", "dask", "--address", address])
        killing_all.join()

    assert stopped.exit_code == 4
    assert f"The Dask cluster does not answer, or has no worker. ({address})" in stopped.output
    assert "--resume" in stopped.output
    assert "Traceback" not in stopped.output
    assert 1 <= len(_done(tmp_path)) < PARTS
    assert not _is_published(tmp_path)

    resumed = CliRunner().invoke(app, [*words, "--resume"])

    assert resumed.exit_code == 0
    assert data_hashes((tmp_path / "demo" / "latest").resolve()) == undisturbed


def test_a_cluster_that_loses_its_workers_is_not_waited_for_long(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scheduler alone would keep the parts for ever."""
    monkeypatch.setattr(engines, "PATIENCE", 1)
    monkeypatch.setattr(engines, "_LOOK_EVERY", 1)
    with _cluster(1) as (address, started):
        killing_workers = _kill_when_begun(started[1:], tmp_path)
        with pytest.raises(RunInterrupted, match="does not answer, or has no worker"):
            pipeline.run_study(str(registry), str(tmp_path), engine="dask", address=address)
        killing_workers.join()

        assert started[0].poll() is None


def test_a_cluster_that_is_not_there_is_told_before_anything_is_read(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bad input, and no work folder is left."""
    monkeypatch.setattr(engines, "ANSWERS_WITHIN", 1)
    words = ["run", str(registry), "--out", str(tmp_path), "--engine", "dask"]
    told = CliRunner().invoke(app, [*words, "--address", f"tcp://127.0.0.1:{free_port()}"])

    assert told.exit_code == 2
    assert "The Dask cluster does not answer" in told.output
    assert not list(tmp_path.glob("demo/.work-*"))
