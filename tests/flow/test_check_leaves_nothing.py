"""`impasse check` reads a delivery as a run does, into a folder for the user alone, and leaves nothing of it behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from rich.console import Console

from impasse.flows.files import tables
from impasse.flows.run import progress
from impasse.flows.run.loading import load
from impasse.flows.run.plan import make_plan
from impasse.flows.run.steps import intake, reading
from impasse.schemas.errors import ImpasseError

# The command, slow enough to be stopped in the middle: it waits when a table of persons is on the disk.
_SLOW = """
import signal, time
from impasse.flows.cli.app import app
from impasse.flows.run.steps import intake

def wait(*_):
    time.sleep(600)

for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGXCPU, signal.SIGUSR1, signal.SIGALRM):
    signal.signal(number, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever starts the tests may have them ignored
intake.clean_pieces = wait
app()
"""


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, empty."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


def _open_to_others(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.stat().st_mode & 0o077]


def test_a_check_finds_what_a_run_finds(small_study: Path, tmp_path: Path) -> None:
    """The same files, rows, rules and expectations, by the same code."""
    plan, loaded = make_plan(small_study, tmp_path / "out"), load(small_study.resolve())
    checked = reading.check_delivery(loaded, small_study.resolve().parent)
    counts = reading.read_delivery(plan, loaded)

    assert checked.taken.reconciliation.to_dicts() == counts.tables
    assert checked.taken.rules.equals(tables.read_parquet(plan.restricted("quarantine_rules")))


def test_rows_are_for_the_user_alone_and_gone_at_the_end(
    small_study: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While they are read they are on the disk, below a folder that nobody else may enter."""
    seen: list[int] = []
    clean_pieces = intake.clean_pieces

    def look(*given: object) -> object:
        assert _open_to_others(scratch) == []
        seen.append(len(list(scratch.rglob("persons.parquet"))))
        return clean_pieces(*given)

    monkeypatch.setattr(intake, "clean_pieces", look)
    reading.check_delivery(load(small_study.resolve()), small_study.resolve().parent)

    assert min(seen) > 0
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("error", [ImpasseError("A row is bad."), OSError(28, "No space left"), KeyboardInterrupt()])
def test_nothing_is_left_after_an_error(
    error: BaseException, small_study: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever ended it: a refusal, a full disk or Ctrl-C."""

    def fail(*_: object) -> None:
        assert list(scratch.rglob("persons.parquet"))
        raise error

    monkeypatch.setattr(intake, "clean_pieces", fail)
    with pytest.raises(type(error)):
        reading.check_delivery(load(small_study.resolve()), small_study.resolve().parent)

    assert list(scratch.iterdir()) == []


@contextmanager
def _checking(study: Path, scratch: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A check in a process of its own, with rows of persons on the disk; at the end it is gone."""
    command = [sys.executable, "-c", _SLOW, "check", str(study)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    n_before = _n_on_disk(scratch)
    with subprocess.Popen(command, env={**os.environ}, **quiet) as checking:
        try:
            _wait_until(lambda: checking.poll() is not None or _n_on_disk(scratch) > n_before)
            time.sleep(0.2)
            yield checking
            with suppress(subprocess.TimeoutExpired):
                checking.wait(timeout=120)
        finally:
            checking.kill()


def _n_on_disk(scratch: Path) -> int:
    return len(list(scratch.rglob("persons.parquet")))


@pytest.mark.parametrize(
    ("request_to_end", "code"),
    [
        *((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGQUIT, 131)),
        *((signal.SIGXCPU, 128 + signal.SIGXCPU), (signal.SIGUSR1, 138), (signal.SIGALRM, 142)),
    ],
)
def test_nothing_is_left_after_a_request_to_end(
    request_to_end: signal.Signals, code: int, small_study: Path, scratch: Path
) -> None:
    """Ctrl-C, a kill, a terminal that is closed, a limit on the time of a process."""
    with _checking(small_study, scratch) as checking:
        checking.send_signal(request_to_end)

    assert checking.returncode == code
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("request_to_end", [signal.SIGINT, signal.SIGHUP])
def test_nothing_is_left_after_impatient_requests_to_end(
    request_to_end: signal.Signals, small_study: Path, scratch: Path
) -> None:
    """Clearing away is not disturbed by another request, whenever that comes."""
    with _checking(small_study, scratch) as checking:
        while checking.poll() is None:
            checking.send_signal(request_to_end)
            time.sleep(0.0005)

    assert list(scratch.iterdir()) == []


def test_what_a_killed_check_left_is_taken_away_by_the_next(
    small_study: Path, scratch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody hears a kill. The next check says what it took away; of a check under way it takes nothing."""
    with _checking(small_study, scratch) as under_way:
        with _checking(small_study, scratch) as killed:
            killed.kill()
        busy, left = sorted(scratch.iterdir(), key=lambda folder: folder.stat().st_mtime_ns)
        assert list(left.rglob("persons.parquet"))

        with progress.progress_shown(Console(width=400)):
            reading.check_delivery(load(small_study.resolve()), small_study.resolve().parent)

        assert list(scratch.iterdir()) == [busy]
        assert _n_on_disk(busy) == 1
        assert capsys.readouterr().out.splitlines() == [
            "A check that was killed had left rows of persons behind; they are removed:",
            str(left),
        ]
        under_way.terminate()


def test_folders_that_no_killed_check_left_stay(small_study: Path, scratch: Path) -> None:
    """Those without a lock, those that others may write in, links, and those of other names."""
    mine = f"process 1 on {os.uname().nodename}, since 2026-01-01 00:00 UTC"
    for name in ("impasse-check-open", "elsewhere", "impasse-check-another", "impasse-check-no-lock"):
        (scratch / name).mkdir(mode=0o700)
        (scratch / name / ".lock").write_text(mine)
    (scratch / "impasse-check-open").chmod(0o770)
    (scratch / "impasse-check-another" / ".lock").write_text("process 1 on another machine, since 2026-01-01 00:00 UTC")
    (scratch / "impasse-check-no-lock" / ".lock").unlink()
    (scratch / "impasse-check-link").symlink_to(scratch / "elsewhere")
    before = sorted(scratch.rglob("*"))

    reading.check_delivery(load(small_study.resolve()), small_study.resolve().parent)

    assert sorted(scratch.rglob("*")) == before


def _wait_until(holds: Callable[[], object]) -> None:
    until = time.monotonic() + 300
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)
