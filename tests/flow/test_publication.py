"""A run is published whole or not at all, whatever happens around it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flows import io, publication, steps
from flows.files import inputs
from flows.plan import make_plan
from tests.flow.running import run_steps
from tests.flow.test_cli import impasse


@pytest.fixture
def own_study(study: Path, tmp_path: Path) -> Path:
    """The registry's study in a folder of the test's own."""
    shutil.copytree(study.parent / "delivery", tmp_path / "delivery")
    return Path(shutil.copy(study, tmp_path / "study.toml"))


def test_two_runs_at_once_do_not_share_a_folder(own_study: Path) -> None:
    """Planned in the same second, two runs have names and work folders of their own."""
    first, second = make_plan(own_study), make_plan(own_study)

    assert first.run_id != second.run_id
    assert first.work != second.work
    assert first.work.is_dir()
    assert second.work.is_dir()


def test_a_second_run_takes_over_latest(own_study: Path, tmp_path: Path) -> None:
    """Both runs stay; `latest` leads to the one published last."""
    first, second = (run_steps(own_study, tmp_path / "out") for _ in range(2))

    assert first.exists()
    assert (second.parent / "latest").resolve() == second


def test_a_pointer_that_cannot_be_moved_leaves_the_old_one(
    own_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the link fails, `latest` still leads to the run before, which is whole."""
    first = run_steps(own_study, tmp_path / "out")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(95, "Operation not supported", "latest")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    with pytest.raises(OSError, match="not supported"):
        run_steps(own_study, tmp_path / "out")

    assert (first.parent / "latest").resolve() == first
    assert (first / "release/report.html").exists()


def test_nothing_is_left_of_a_run_that_was_stopped(own_study: Path, tmp_path: Path) -> None:
    """Cleared away, an unpublished run leaves no person-level file."""
    plan = make_plan(own_study, tmp_path / "out")
    steps.read_delivery(plan)
    publication.clear(plan)

    assert io.files(tmp_path / "out") == []


def test_the_definitions_of_a_run_are_those_it_was_planned_with(own_study: Path, tmp_path: Path) -> None:
    """A definition file that changes during the run does not change what the run says it used."""
    own = tmp_path / "own"
    own.mkdir()
    shipped = inputs.shipped("definitions") / "dep_karolinska.toml"
    mine = Path(shutil.copy(shipped, own / "mine.toml"))
    own_study.write_text(own_study.read_text() + '\n[definitions]\nfolders = ["own"]\nuse = ["mine"]\n')
    plan = make_plan(own_study, tmp_path / "out")
    steps.read_delivery(plan)
    mine.write_text("changed")
    steps.classify_part(plan, part=0, n_parts=1, n_buckets=1)
    steps.compare(plan)
    steps.render(plan)

    assert (plan.work / "release/definitions/mine.toml").read_text() == shipped.read_text()


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
