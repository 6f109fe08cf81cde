"""A run is published whole or not at all, whatever happens around it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest
from rich.console import Console

from impasse.flows.files.folders import files_in_folder
from impasse.flows.run import progress
from impasse.flows.run.loading import load
from impasse.flows.run.plan import make_plan
from impasse.flows.run.steps import classifying, comparing, publication, reading, rendering
from impasse.schemas.errors import ImpasseError, RunInterrupted
from tests.flow.running import publish, run_steps, worked_on
from tests.flow.test_cli import impasse
from tests.shipped import copied

pytestmark = pytest.mark.usefixtures("blank_report")


def test_two_runs_at_once_do_not_share_a_folder(own_study: Path) -> None:
    """Planned in the same second, two runs have names and work folders of their own."""
    first, second = make_plan(own_study), make_plan(own_study)

    assert first.run_id != second.run_id
    assert first.work != second.work
    assert first.work.is_dir()
    assert second.work.is_dir()


def test_a_second_run_takes_over_latest(small_study: Path, tmp_path: Path) -> None:
    """Both runs stay; `latest` leads to the one started last."""
    first, second = (run_steps(small_study, tmp_path / "out") for _ in range(2))

    assert first.exists()
    assert (second.parent / "latest").resolve() == second


def test_a_pointer_that_cannot_be_moved_leaves_the_old_one(
    small_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the link fails, `latest` still leads to the run before; the message says how to finish, and that finishes."""
    first = run_steps(small_study, tmp_path / "out")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(95, "Operation not supported", "latest")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "symlink_to", refuse)
        with pytest.raises(RunInterrupted, match=r"not supported(.|\n)*--resume"):
            run_steps(small_study, tmp_path / "out")

    assert (first.parent / "latest").resolve() == first
    assert (first / "release/report.html").exists()

    second = publish(make_plan(small_study, tmp_path / "out", resume=True))

    assert (first.parent / "latest").resolve() == second


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_stands_in_place_of_latest_is_told_before_anything_is_read(
    kind: str, small_study: Path, tmp_path: Path
) -> None:
    """A run would not know where to lead; nobody's folder is taken away for it."""
    latest = tmp_path / "out" / "demo" / "latest"
    latest.parent.mkdir(parents=True)
    latest.mkdir() if kind == "folder" else latest.touch()

    with pytest.raises(ImpasseError, match=r"'latest' is not what a run would write there"):
        make_plan(small_study, tmp_path / "out")

    assert [path.name for path in latest.parent.iterdir()] == ["latest"]


def test_what_came_in_place_of_latest_meanwhile_is_told_before_anything_is_moved(
    small_study: Path, tmp_path: Path
) -> None:
    """The run stays where it was worked on; when the way is free it is published."""
    plan = worked_on(small_study, tmp_path / "out")
    plan.latest.mkdir()
    with pytest.raises(RunInterrupted, match=r"'latest' is not what(.|\n)*--resume"):
        publish(plan)

    assert sorted(path.name for path in plan.folder.iterdir()) == [plan.work.name, "latest"]

    plan.latest.rmdir()
    published = publish(make_plan(small_study, tmp_path / "out", resume=True))

    assert plan.latest.resolve() == published


def test_nothing_is_left_of_a_run_that_was_stopped(own_study: Path, tmp_path: Path) -> None:
    """Cleared away, an unpublished run leaves no person-level file."""
    plan = make_plan(own_study, tmp_path / "out")
    reading.read_delivery(plan, load(plan.study_path))
    publication.clear(plan)

    assert files_in_folder(tmp_path / "out") == []


def test_clearing_away_is_not_disturbed(own_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that is closed ends a run, and by closing it twice no row is left."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    plan = make_plan(own_study, tmp_path / "out")
    remove = publication.remove

    def disturbed(path: Path) -> None:
        signal.raise_signal(signal.SIGHUP)
        remove(path)

    monkeypatch.setattr(publication, "remove", disturbed)
    with pytest.raises(SystemExit), publication.kept_if_resumable(plan, load(plan.study_path)):
        signal.raise_signal(signal.SIGHUP)
    signal.signal(signal.SIGHUP, before)

    assert not plan.work.exists()


def test_the_definitions_of_a_run_are_those_it_was_planned_with(own_study: Path, tmp_path: Path) -> None:
    """A definition file that changes during the run does not change what the run says it used."""
    own = tmp_path / "own"
    own.mkdir()
    mine, written = own / "mine.toml", copied("dep_karolinska", "Mine")
    mine.write_text(written)
    text, _ = own_study.read_text().rsplit("use = ", 1)
    own_study.write_text(f'{text}folders = ["own"]\nuse = ["mine"]\n')
    plan = make_plan(own_study, tmp_path / "out")
    reading.read_delivery(plan, load(plan.study_path))
    mine.write_text("changed")
    classifying.classify_part(plan, part=0, n_parts=1, n_buckets=1)
    comparing.compare(plan, load(plan.study_path))
    rendering.render_pages(plan, load(plan.study_path))

    assert (plan.work / "release/definitions/mine.toml").read_text() == written


def test_an_output_folder_that_is_a_file_is_told(own_study: Path, tmp_path: Path) -> None:
    """One message with the path, no traceback."""
    (tmp_path / "runs").write_text("in the way")

    ended = impasse("run", str(own_study))

    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert str(tmp_path / "runs") in ended.stderr.replace("\n", "")


def test_another_study_is_not_overwritten(tmp_path: Path) -> None:
    """demo refuses a folder that holds somebody's study."""
    (tmp_path / "study.toml").write_text('name = "mine"\n')

    ended = impasse("demo", "--persons", "100", "--out", str(tmp_path))

    assert ended.returncode == 2
    assert "another study" in ended.stderr
    assert (tmp_path / "study.toml").read_text() == 'name = "mine"\n'


# Which run is the latest.


class _Yesterday(datetime):
    """A clock that went back."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        return datetime.now(tz) - timedelta(days=1)


def test_the_run_that_was_started_later_is_the_latest(
    small_study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A night that took long does not take over from a run that was started after it, and says so."""
    older, newer = worked_on(small_study, tmp_path / "out"), worked_on(small_study, tmp_path / "out")
    published = [publish(newer)]
    with progress.progress_shown(Console(width=400)):
        published.append(publish(older))

    assert all(run.is_dir() for run in published)
    assert newer.latest.resolve() == published[0]
    assert f"still leads to {newer.run_id}, which was started later" in capsys.readouterr().out


def test_a_clock_that_went_back_does_not_make_a_run_older(
    small_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs are numbered: the one that was started last takes over, though its id tells an earlier day."""
    first = run_steps(small_study, tmp_path / "out")
    monkeypatch.setattr("impasse.flows.run.plan.datetime", _Yesterday)
    second = run_steps(small_study, tmp_path / "out")

    assert second.name < first.name
    assert (first.parent / "latest").resolve() == second


def test_the_run_that_was_started_last_is_resumed(
    small_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the one whose id sorts last."""
    first = make_plan(small_study, tmp_path / "out")
    reading.read_delivery(first, load(first.study_path))
    monkeypatch.setattr("impasse.flows.run.plan.datetime", _Yesterday)
    second = make_plan(small_study, tmp_path / "out")
    reading.read_delivery(second, load(second.study_path))

    assert second.run_id < first.run_id
    assert make_plan(small_study, tmp_path / "out", resume=True) == second


# What nobody else may read.


def _open_to_others(folder: Path) -> list[str]:
    """Whatever is in a folder, and the folder, that anybody but the user may touch."""
    return [str(path) for path in (folder, *folder.rglob("*")) if not path.is_symlink() and path.stat().st_mode & 0o077]


@pytest.fixture(params=[0o000, 0o022], ids=["umask 000", "umask 022"])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """The umask of the user, and the one before at the end."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_rows_are_for_the_user_alone_whatever_the_umask(umask: int, small_study: Path, tmp_path: Path) -> None:
    """While a run is worked on all of it, once it is published what is restricted; the rest is read by whom the umask
    lets, and written by nobody else.
    """
    plan = worked_on(small_study, tmp_path / "out")
    assert _open_to_others(plan.work) == []

    run = publish(plan)

    assert _open_to_others(run / "restricted") == []
    assert {path.stat().st_mode & 0o777 for path in (run / "release").rglob("*") if path.is_file()} == {0o644}
    assert {path.stat().st_mode & 0o777 for path in (run, run / "release")} == {0o755}
    assert run.parent.stat().st_mode & 0o777 == 0o777 & ~umask
    assert os.umask(umask) == umask


def test_the_page_of_a_stopped_run_is_for_the_user_alone(umask: int, small_study: Path, tmp_path: Path) -> None:
    """It was not checked whether it may leave. A folder from before is closed."""
    plan = make_plan(small_study, tmp_path / "out")
    reading.read_delivery(plan, load(plan.study_path))
    (plan.folder / "stopped").mkdir()
    page = publication.keep_validation(plan, load(plan.study_path))

    assert page.is_file()
    assert _open_to_others(plan.folder / "stopped") == []
