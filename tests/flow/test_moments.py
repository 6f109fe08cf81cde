"""A run that is stopped at any moment of its publication, or while it writes down how far it is.

Each change of the disk is a moment at which the power may go. Whichever it is, the run is published, or it can be gone
on with to the same bytes, and nothing is left over.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest

from impasse.flows.files import keep, texts
from impasse.flows.files.tables import read_parquet, write_parquet
from impasse.flows.run import unfinished
from impasse.flows.run.loading import load
from impasse.flows.run.plan import make_plan
from impasse.flows.run.steps import reading
from impasse.schemas.errors import ImpasseError
from tests.flow import running
from tests.flow.running import data_hashes, publish

pytestmark = pytest.mark.usefixtures("blank_report")

CHANGES = [(Path, "replace"), (Path, "rename"), (Path, "unlink"), (Path, "symlink_to"), (shutil, "rmtree")]


class PowerGone(BaseException):
    """The end of the process."""


@pytest.fixture(scope="module")
def worked_on(small_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a run of which only publication is left."""
    out = tmp_path_factory.mktemp("worked-on")
    running.worked_on(small_study, out)
    return out


def _all_that_is_there(out: Path) -> dict[str, int]:
    return {str(path.relative_to(out)): path.lstat().st_mode for path in out.rglob("*")}


@pytest.fixture(scope="module")
def undisturbed(small_study: Path, worked_on: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder when the run was published without a word."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    shutil.copytree(worked_on, out)
    publish(make_plan(small_study, out, resume=True))
    return out


def _power_goes_at(patch: pytest.MonkeyPatch, moment: int) -> None:
    """Let the process end instead of making this change to the disk, of all that it would make, and every later one."""
    made: list[str] = []

    def watched(change: Callable[..., object], name: str) -> Callable[..., object]:
        def attempt(*args: object, **options: object) -> object:
            made.append(name)
            if len(made) > moment:
                raise PowerGone
            return change(*args, **options)

        return attempt

    for owner, name in CHANGES:
        patch.setattr(owner, name, watched(getattr(owner, name), name))


@pytest.mark.parametrize("moment", range(24))
def test_publication_is_finished_whenever_it_was_stopped(
    moment: int, small_study: Path, worked_on: Path, undisturbed: Path, tmp_path: Path
) -> None:
    """The same files with the same bytes and rights, `latest` leads to them, nothing else is there."""
    out = tmp_path / "out"
    shutil.copytree(worked_on, out)
    with pytest.MonkeyPatch.context() as patch, suppress(PowerGone):
        _power_goes_at(patch, moment)
        publish(make_plan(small_study, out, resume=True))
    with suppress(ImpasseError):  # there is nothing to resume if it was done
        publish(make_plan(small_study, out, resume=True))

    assert _all_that_is_there(out) == _all_that_is_there(undisturbed)
    assert data_hashes(out) == data_hashes(undisturbed)
    assert unfinished.runs_in(out / "demo") == []


@pytest.mark.parametrize("moment", [0, 23])
def test_the_moments_are_all_of_publication(moment: int, small_study: Path, worked_on: Path, tmp_path: Path) -> None:
    """At the first of them nothing is published, after the last all is."""
    out = tmp_path / "out"
    shutil.copytree(worked_on, out)
    with pytest.MonkeyPatch.context() as patch, suppress(PowerGone):
        _power_goes_at(patch, moment)
        publish(make_plan(small_study, out, resume=True))

    assert (out / "demo" / "latest").exists() == (moment > 0)
    assert bool(unfinished.runs_in(out / "demo")) == (moment == 0)


# What is written.


def test_a_state_that_is_half_written_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was there before is there, whole; what was being written is taken away."""
    path = tmp_path / "progress.json"
    texts.write_json({"before": 1}, path)

    def half(self: Path, text: str, **_: object) -> None:
        self.write_bytes(text.encode()[:5])
        raise PowerGone

    with monkeypatch.context() as patch, suppress(PowerGone):
        patch.setattr(Path, "write_text", half)
        patch.setattr(Path, "unlink", lambda *_, **__: None)  # the process is gone
        texts.write_json({"after": 1}, path)

    assert texts.read_json(path) == {"before": 1}
    assert len(list(tmp_path.iterdir())) == 2

    keep.remove_asides(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["progress.json"]


def test_a_table_that_is_half_written_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader finds the whole file of before."""
    path = tmp_path / "table.parquet"
    write_parquet(pl.DataFrame({"x": [1]}), path)

    def half(frame: pl.DataFrame, to: Path, **_: object) -> None:
        to.write_bytes(b"PAR1")
        raise PowerGone

    monkeypatch.setattr(pl.DataFrame, "write_parquet", half)
    with suppress(PowerGone):
        write_parquet(pl.DataFrame({"x": [2]}), path)

    assert read_parquet(path)["x"].to_list() == [1]
    assert [path.name for path in tmp_path.iterdir()] == ["table.parquet"]


def test_a_progress_that_cannot_be_read_stops_no_other_run(small_study: Path, tmp_path: Path) -> None:
    """It is as if it were not there: the run is not resumed, and its folder with rows is named."""
    plan = make_plan(small_study, tmp_path)
    reading.read_delivery(plan, load(plan.study_path))
    plan.progress.write_text('{"of": {"inp')

    with pytest.raises(ImpasseError, match="no run to resume") as told:
        make_plan(small_study, tmp_path, resume=True)

    assert f"{plan.work}: delete it" in told.value.do
    assert make_plan(small_study, tmp_path).number == plan.number + 1


def test_a_link_is_written_through(tmp_path: Path) -> None:
    """What a user let lead elsewhere still leads there."""
    (tmp_path / "link").symlink_to(tmp_path / "file")
    texts.write_text("text", tmp_path / "link")

    assert (tmp_path / "file").read_text() == "text"
    assert (tmp_path / "link").is_symlink()
