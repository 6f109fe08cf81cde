"""A run belongs to the process that works on it, until that process ends; then anybody may go on with it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows import lock, pipeline, steps
from flows.plan import make_plan
from schemas.errors import ImpasseError

REPOSITORY = Path(__file__).resolve().parents[2]
HOLD = """\
import sys
from pathlib import Path
from flows import lock

with lock.held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def _held_elsewhere(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until it is told to let go."""
    words, pipes = [sys.executable, "-c", HOLD, str(path)], {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(words, cwd=REPOSITORY, text=True, **pipes) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_lock_is_held_by_one_process(tmp_path: Path) -> None:
    """The other is told who holds it."""
    with (
        _held_elsewhere(tmp_path / "lock") as other,
        pytest.raises(ImpasseError, match="still under way") as told,
        lock.held(tmp_path / "lock"),
    ):
        pass

    assert f"process {other.pid} on {os.uname().nodename}, since " in told.value.where


def test_a_lock_vanishes_with_its_process_however_that_ends(tmp_path: Path) -> None:
    """A process that was killed holds nothing, though its file is still there."""
    with _held_elsewhere(tmp_path / "lock") as other:
        other.kill()
        other.wait()
        assert (tmp_path / "lock").exists()
        with lock.held(tmp_path / "lock"):
            assert f"process {os.getpid()} " in (tmp_path / "lock").read_text()


def test_a_lock_is_let_go_at_the_end(tmp_path: Path) -> None:
    """Also by a process that goes on to live."""
    with lock.held(tmp_path / "lock"):
        pass
    with lock.held(tmp_path / "lock"):
        pass


def test_a_run_that_is_under_way_is_not_resumed(study: Path, tmp_path: Path) -> None:
    """Two would write the same files. What the first has done is not touched."""
    plan = make_plan(study, tmp_path)
    steps.read_delivery(plan)
    before = sorted(plan.work.rglob("*"))

    with _held_elsewhere(plan.lock), pytest.raises(ImpasseError, match="still under way"):
        pipeline.run_study.fn(str(study), str(tmp_path), resume=True)

    assert set(before) <= set(plan.work.rglob("*"))


def test_a_run_whose_process_was_killed_is_found_and_free(study: Path, tmp_path: Path) -> None:
    """The other side: the lock file of a killed run stops nobody."""
    plan = make_plan(study, tmp_path)
    steps.read_delivery(plan)
    with _held_elsewhere(plan.lock) as other:
        other.kill()
        other.wait()

        with lock.held(make_plan(study, tmp_path, resume=True).lock):
            assert make_plan(study, tmp_path, resume=True) == plan
