"""Folders that somebody else has prepared where runs are written: another user's, open to others, or links."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from impasse.flows.cli import demo
from impasse.flows.files import keep, tables, texts
from impasse.flows.run import unfinished
from impasse.flows.run.loading import load
from impasse.flows.run.plan import Plan, make_plan
from impasse.flows.run.steps import publication, reading
from impasse.schemas.errors import ImpasseError, PublicationStopped, RunInterrupted
from tests.flow.running import publish, worked_on

Prepare = Callable[[Path], None]
root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")


def given_away(path: Path) -> None:
    """Let a file or folder be another user's."""
    os.chown(path, 65534, 65534, follow_symlinks=False)


def opened(path: Path) -> None:
    """Let the group write in a folder."""
    path.chmod(0o770)


def linked(path: Path) -> None:
    """Put a folder elsewhere, and a link in its place."""
    elsewhere = path.rename(path.parent.parent / "elsewhere")
    path.symlink_to(elsewhere)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file of the user's that is nobody else's business."""
    (tmp_path / "home").mkdir(mode=0o700)
    path = tmp_path / "home" / "secret.key"
    path.touch(mode=0o600)
    path.write_text("secret")
    return path


def unchanged(secret: Path) -> bool:
    """Whether the file and its folder are as they were."""
    modes = [path.stat().st_mode & 0o777 for path in (secret.parent, secret)]
    return modes == [0o700, 0o600] and secret.read_text() == "secret" and len(list(secret.parent.iterdir())) == 1


# A work folder.


@pytest.fixture
def stopped(small_study: Path, tmp_path: Path) -> Plan:
    """A run that was stopped when its delivery was read."""
    plan = make_plan(small_study, tmp_path / "out")
    reading.read_delivery(plan, load(plan.study_path))
    return plan


@pytest.mark.parametrize("prepare", [pytest.param(given_away, marks=root), opened, linked])
def test_a_run_in_a_folder_that_is_not_the_users_own_is_not_resumed(
    prepare: Prepare, stopped: Plan, small_study: Path, tmp_path: Path
) -> None:
    """Whoever else can write there could have the user publish anything. One of the user's own is resumed."""
    assert make_plan(small_study, tmp_path / "out", resume=True) == stopped
    prepare(stopped.work)

    with pytest.raises(ImpasseError, match="no run to resume"):
        make_plan(small_study, tmp_path / "out", resume=True)


@pytest.mark.parametrize("prepare", [pytest.param(given_away, marks=root), opened])
def test_nothing_of_a_foreign_folder_is_read(prepare: Prepare, stopped: Plan) -> None:
    """Neither a number for the next run nor a lock; it is named, and let alone."""
    (stopped.work / unfinished.STARTED).write_text('{"started": 7}')
    assert unfinished.next_number(stopped.folder, stopped.folder) == 8
    prepare(stopped.work)

    assert unfinished.next_number(stopped.folder, stopped.folder) == 1
    assert unfinished.left_over(unfinished.runs_in(stopped.folder), stopped.made_of()) == [
        f"{stopped.work}: it is another user's, or others may write in it, so it is let alone; look whose it is"
    ]


@pytest.mark.parametrize("name", ["release/notes.txt", "restricted/notes", "notes.txt"])
def test_nothing_is_published_with_a_link_in_it(name: str, small_study: Path, tmp_path: Path, secret: Path) -> None:
    """What it leads to keeps its mode, and `latest` leads nowhere; without the link the run is published."""
    plan = worked_on(small_study, tmp_path / "out")
    (plan.work / name).symlink_to(secret)

    with pytest.raises(RunInterrupted, match=r"not what a run of yours has written(.|\n)*notes"):
        publish(plan)

    assert unchanged(secret)
    assert not plan.latest.exists()

    (plan.work / name).unlink()
    assert publish(plan) == plan.latest.resolve()


@root
def test_nothing_is_published_of_what_another_user_wrote(small_study: Path, tmp_path: Path) -> None:
    """Be it one file."""
    plan = worked_on(small_study, tmp_path / "out")
    given_away(plan.release("prevalence"))

    with pytest.raises(RunInterrupted, match="not what a run of yours has written"):
        publish(plan)


@pytest.mark.parametrize("change", [keep.close, keep.open_up, keep.open_door, keep.close_door])
def test_no_mode_is_changed_through_a_link(change: Prepare, secret: Path, tmp_path: Path) -> None:
    """Also of one that came there since it was looked."""
    (tmp_path / "run").symlink_to(secret.parent)

    with pytest.raises(OSError, match=r"symbolic links|Not a directory"):
        change(tmp_path / "run")

    assert unchanged(secret)


def test_a_pipe_that_came_since_it_was_looked_holds_nothing_up(tmp_path: Path) -> None:
    """None writes in it: opened to be read as a file is, it would be waited for without end."""
    folder = tmp_path / "run"
    folder.mkdir()
    os.mkfifo(folder / "pipe")

    keep.close(folder)

    assert (folder / "pipe").stat().st_mode & 0o777 == 0o600


# The pages of stopped runs.


def stop(plan: Plan) -> str:
    """What is said of a run that a critical check stops."""
    with pytest.raises(PublicationStopped) as told, publication.kept_if_resumable(plan, load(plan.study_path)):
        raise PublicationStopped("A check failed.")
    return told.value.do


@pytest.mark.parametrize("name", ["stopped", "stopped/{run_id}"])
def test_the_page_of_a_stopped_run_is_not_written_through_a_link(name: str, stopped: Plan, secret: Path) -> None:
    """The check that failed is told all the same, and no rows are left."""
    link = stopped.folder / name.format(run_id=stopped.run_id)
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(secret.parent)

    assert "could not be kept: This is not what a run of yours has written." in stop(stopped)
    assert unchanged(secret)
    assert not stopped.work.exists()


def test_the_page_of_a_stopped_run_is_beside_those_of_before(stopped: Plan) -> None:
    """The other side; what is not the run's keeps its mode."""
    before = stopped.folder / "stopped" / "before"
    before.mkdir(parents=True)
    before.chmod(0o755)

    assert stop(stopped) == f"See {stopped.folder}/stopped/{stopped.run_id}/validation.html."
    assert before.stat().st_mode & 0o777 == 0o755
    assert (stopped.folder / "stopped").stat().st_mode & 0o777 == 0o700


# What is written where the user says.


@root
def test_a_link_of_another_user_is_not_written_through(tmp_path: Path, secret: Path) -> None:
    """It is replaced by what is written."""
    for name in ("text", "table.parquet"):
        (tmp_path / name).symlink_to(secret)
        given_away(tmp_path / name)
    texts.write_text("text", tmp_path / "text")
    tables.write_blocks([{"table": pl.DataFrame({"x": [1]})}], tmp_path)

    assert unchanged(secret)
    assert (tmp_path / "text").read_text() == "text"
    assert not (tmp_path / "table.parquet").is_symlink()


def test_tables_are_written_under_no_name_that_can_be_foreseen(tmp_path: Path, secret: Path) -> None:
    """A link with the name of a part would be followed."""
    (tmp_path / "delivery").mkdir()
    (tmp_path / "delivery" / ".persons.part").symlink_to(secret)
    demo.write_registry(tmp_path / "delivery", 100, seed=1)

    assert unchanged(secret)


# What is read back.


def test_a_run_whose_progress_was_changed_by_hand_is_not_resumed_in_part(stopped: Plan) -> None:
    """The file is named."""
    told = json.loads(stopped.progress.read_text())
    stopped.progress.write_text(json.dumps({**told, "counts": {}}))

    with pytest.raises(ImpasseError, match="not whole") as error:
        reading.delivery_read_before(stopped)

    assert error.value.where == str(stopped.progress)
