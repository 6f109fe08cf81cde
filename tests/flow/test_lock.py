"""A run belongs to the process that works on it, until that process ends; then anybody may go on with it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from filelock import FileLock
from rich.console import Console

from impasse.flows import pipeline
from impasse.flows.run import lock, progress, unfinished
from impasse.flows.run.loading import load
from impasse.flows.run.plan import make_plan, taken
from impasse.flows.run.steps import publication, reading
from impasse.schemas.errors import ImpasseError
from tests.flow.running import publish, worked_on

pytestmark = pytest.mark.usefixtures("blank_report")

REPOSITORY = Path(__file__).resolve().parents[2]
HOLD = """\
import sys
from pathlib import Path
from impasse.flows.run import lock

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
    reading.read_delivery(plan, load(plan.study_path))
    before = sorted(plan.work.rglob("*"))

    with _held_elsewhere(plan.lock), pytest.raises(ImpasseError, match="still under way"):
        pipeline.run_study.fn(str(study), str(tmp_path), resume=True)

    assert set(before) <= set(plan.work.rglob("*"))


def _finished_before_it_is_taken(patch: pytest.MonkeyPatch, study: Path, out: Path) -> None:
    """Let another process finish the stopped run when this one knows of it, and has not taken its lock."""
    take = lock.held

    def late(path: Path) -> AbstractContextManager[None]:
        publish(make_plan(study, out, resume=True))
        return take(path)

    patch.setattr(lock, "held", late)


def test_a_run_that_another_finished_meanwhile_is_left_alone(
    small_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two that resume at once the second does nothing, says so, and leaves nothing behind."""
    worked_on(small_study, tmp_path)
    _finished_before_it_is_taken(monkeypatch, small_study, tmp_path)

    with pytest.raises(ImpasseError, match="Another process went on with this run"):
        pipeline.run_study.fn(str(small_study), str(tmp_path), resume=True)

    (run,) = (path for path in (tmp_path / "demo").iterdir() if path.name != "latest")
    assert sorted(path.name for path in run.iterdir()) == ["release", "restricted"]


def test_a_run_that_another_cleared_away_meanwhile_is_not_made_again(
    small_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock is made in a folder that is gone; neither is left."""
    plan = worked_on(small_study, tmp_path)
    take = lock.held

    def late(path: Path) -> AbstractContextManager[None]:
        publication.clear(plan)
        return take(path)

    monkeypatch.setattr(lock, "held", late)

    with pytest.raises(ImpasseError, match="Another process went on with this run"):
        pipeline.run_study.fn(str(small_study), str(tmp_path), resume=True)

    assert list((tmp_path / "demo").iterdir()) == []


def test_a_stopped_run_is_taken(small_study: Path, tmp_path: Path) -> None:
    """The other side, and a new run, which has no progress yet."""
    stopped = worked_on(small_study, tmp_path)
    with taken(make_plan(small_study, tmp_path, resume=True), resume=True):
        assert lock.is_held(stopped.lock)
    with taken(make_plan(small_study, tmp_path), resume=False):
        pass


def test_a_run_whose_process_was_killed_is_found_and_free(study: Path, tmp_path: Path) -> None:
    """The other side: the lock file of a killed run stops nobody."""
    plan = make_plan(study, tmp_path)
    reading.read_delivery(plan, load(plan.study_path))
    with _held_elsewhere(plan.lock) as other:
        other.kill()
        other.wait()

        with lock.held(make_plan(study, tmp_path, resume=True).lock):
            assert make_plan(study, tmp_path, resume=True) == plan


# File systems without locks.


class _Lockless(FileLock):
    """A lock on a file system that has none."""

    def acquire(self, *_: object, **__: object) -> None:
        """Refused by the system."""
        raise OSError(errno.ENOLCK, "No locks available")


def _printed(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    with progress.progress_shown(Console(width=400)), lock.held(path):
        pass
    return capsys.readouterr().out


def test_a_file_system_without_locks_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run goes on, and whoever started it knows that nothing keeps a second one away."""
    monkeypatch.setattr(lock, "FileLock", _Lockless)

    printed = _printed(tmp_path / "lock", capsys)

    assert (
        f"{tmp_path} is on a file system without locks (No locks available): do not run a study there twice." in printed
    )
    assert not lock.is_held(tmp_path / "lock")


def test_a_file_stands_for_a_lock_where_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is held by its being there, and said."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr("fcntl.flock", refuse)

    assert "a file stands for the one of this run" in _printed(tmp_path / "lock", capsys)
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_with_locks_is_not_spoken_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The other side."""
    assert _printed(tmp_path / "lock", capsys) == ""


def test_a_lock_is_seen_without_taking_it(tmp_path: Path) -> None:
    """Held elsewhere it is seen; let go, or never there, it is free; nothing is written for the question."""
    assert not lock.is_held(tmp_path / "lock")
    assert list(tmp_path.iterdir()) == []
    with _held_elsewhere(tmp_path / "lock") as other:
        assert lock.is_held(tmp_path / "lock")
        other.kill()
        other.wait()
    assert not lock.is_held(tmp_path / "lock")


# What earlier runs left behind.


def test_every_run_names_what_earlier_ones_left(
    small_study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Folders with rows of persons, and whether to go on or to delete; not that of a run under way."""
    read, unread, busy, mine = (make_plan(small_study, tmp_path) for _ in range(4))
    reading.read_delivery(read, load(read.study_path))
    with _held_elsewhere(busy.lock), progress.progress_shown(Console(width=400)):
        unfinished.note_left_over(mine.folder, mine.run_id, mine.made_of())

    assert capsys.readouterr().out.splitlines() == [
        "Earlier runs left rows of persons behind:",
        f"{unread.work}: delete it",
        f"{read.work}: go on with it by --resume, or delete it",
    ]


def test_a_run_that_was_killed_before_its_delivery_was_read_is_taken_away(
    small_study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody can go on with it. One that is under way, and one that a process elsewhere may work on, stay."""
    killed, busy, elsewhere, mine = (make_plan(small_study, tmp_path) for _ in range(4))
    with _held_elsewhere(killed.lock) as other:
        other.kill()
    elsewhere.lock.write_text("process 1 on another machine, since 2026-01-01 00:00 UTC")
    with _held_elsewhere(busy.lock), progress.progress_shown(Console(width=400)):
        unfinished.note_left_over(mine.folder, mine.run_id, mine.made_of())

    assert not killed.work.exists()
    assert busy.work.exists()
    assert capsys.readouterr().out.splitlines() == [
        "Runs that were killed had left rows of persons behind; removed:",
        str(killed.work),
        "Earlier runs left rows of persons behind:",
        f"{elsewhere.work}: delete it",
    ]
