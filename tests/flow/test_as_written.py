"""What a stopped run left is relied on only as it was written: a file that was lost or changed is no absent table."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from impasse.flows import pipeline
from impasse.flows.cli.app import app
from impasse.flows.files import keep, texts
from impasse.flows.files.folders import files_in_folder
from impasse.flows.run.loading import load
from impasse.flows.run.plan import Plan, make_plan
from impasse.flows.run.steps import classifying, reading
from impasse.schemas.errors import NotAsWritten

pytestmark = pytest.mark.usefixtures("blank_report")

OUR_OWN = ("started.json", "progress.json", "lock")
OTHERS = "buckets/0000/dispensings.parquet"


def _lost(path: Path) -> None:
    path.unlink()


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _replaced_by_another_buckets(path: Path) -> None:
    shutil.copy(path.parents[2] / OTHERS, path)


def _folder_lost(path: Path) -> None:
    shutil.rmtree(path.parent)


DAMAGE = [_lost, _emptied, _cut, _replaced_by_another_buckets, _folder_lost]
Damage = Callable[[Path], None]


@pytest.fixture(scope="module")
def read_once(small_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a run that was stopped when its delivery had been read into four buckets."""
    out = tmp_path_factory.mktemp("read")
    plan = make_plan(small_study, out, buckets=4)
    reading.read_delivery(plan, load(plan.study_path))
    return out


@pytest.fixture
def stopped(small_study: Path, read_once: Path, tmp_path: Path) -> Plan:
    """The run in a folder of the test's own."""
    shutil.copytree(read_once, tmp_path / "out")
    return make_plan(small_study, tmp_path / "out", resume=True)


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__.strip("_"))
def test_a_bucket_that_is_not_as_it_was_written_is_not_classified(damage: Damage, stopped: Plan) -> None:
    """Lost, emptied, cut off or another's: its persons would have had no dispensings, or those of others."""
    damage(stopped.work / "buckets/0002/dispensings.parquet")

    with pytest.raises(NotAsWritten, match="not as it wrote them") as told:
        classifying.classify_part(stopped, part=0, n_parts=1, n_buckets=4)
    assert f"{stopped.work}, the first is buckets/0002/" in told.value.where
    assert told.value.do == "Run the study again without --resume."


def test_buckets_as_they_were_written_are_classified(stopped: Plan) -> None:
    """The other side; a table that was not delivered is in no bucket."""
    classifying.classify_part(stopped, part=0, n_parts=1, n_buckets=4)

    assert classifying.is_kept(stopped, 0)


@pytest.mark.parametrize(
    "lost",
    [
        "buckets/0003/persons.parquet",
        "checks/delivery.json",
        "restricted/quarantine_rules.parquet",
        "release/reconciliation.parquet",
    ],
)
def test_a_run_that_lost_a_file_is_not_resumed(lost: str, small_study: Path, stopped: Plan) -> None:
    """Told before anything is classified; what is left of it, which nobody can use, is cleared away."""
    (stopped.work / lost).unlink()

    with pytest.raises(NotAsWritten, match="1 of the files"):
        pipeline.run_study.fn(str(small_study), str(stopped.folder.parent), resume=True)
    assert files_in_folder(stopped.folder) == []


def test_a_resumed_run_tells_it_in_one_message(
    small_study: Path, stopped: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bad input, and no word of going on."""
    (stopped.work / "buckets/0002/dispensings.parquet").unlink()
    monkeypatch.setattr(pipeline, "run_study", pipeline.run_study.fn)
    ended = CliRunner().invoke(app, ["run", str(small_study), "--out", str(stopped.folder.parent), "--resume"])

    assert ended.exit_code == 2
    assert "Run the study again without --resume." in ended.output
    assert "Go on with" not in ended.output
    assert "Internal" not in ended.output


# What is on the disk before it is spoken of.


def _watched(patch: pytest.MonkeyPatch) -> list[Path]:
    """The files and folders that are on the disk, in the order in which they came there."""
    settled: list[Path] = []
    settle_one = keep.settle_one

    def watch(path: Path) -> None:
        settle_one(path)
        settled.append(path)

    patch.setattr(keep, "settle_one", watch)
    return settled


def _speaking_of(path: Path, settled: list[Path]) -> int:
    """When a file that speaks of others was written."""
    return next(n for n, there in enumerate(settled) if there.name.startswith(f".{path.name}."))


def test_all_that_was_read_is_on_the_disk_before_the_progress(
    small_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files, and the folders that list them up to that of the study; and the progress tells what is in each."""
    plan = make_plan(small_study, tmp_path, buckets=2)
    settled = _watched(monkeypatch)
    reading.read_delivery(plan, load(plan.study_path))
    before = settled[: _speaking_of(plan.progress, settled)]
    files = [path for path in files_in_folder(plan.work) if path.name not in OUR_OWN]

    assert set(files) <= set(before)
    assert {folder for path in files for folder in path.parents if folder.is_relative_to(plan.folder)} <= set(before)
    assert sorted(texts.read_json(plan.progress)["written"]) == [str(path.relative_to(plan.work)) for path in files]


def test_all_of_a_part_is_on_the_disk_before_it_is_done(stopped: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files, and the folders that list them up to that of the run."""
    there = files_in_folder(stopped.work)
    settled = _watched(monkeypatch)
    classifying.classify_part(stopped, part=0, n_parts=1, n_buckets=4)
    done = stopped.work / "counts/0000/done"
    before = settled[: _speaking_of(done, settled)]
    files = [path for path in files_in_folder(stopped.work) if path not in there and path != done]

    assert set(files) <= set(before)
    assert {folder for path in files for folder in path.parents if folder.is_relative_to(stopped.work)} <= set(before)


# Parts that are done.


@pytest.mark.parametrize("lost", ["restricted/trials.parquet/0000.parquet", "counts/0000/prevalence.parquet"])
def test_a_part_that_lost_a_file_is_done_no_longer(lost: str, stopped: Plan) -> None:
    """A run that goes on classifies it again, to the same bytes."""
    classifying.classify_part(stopped, part=0, n_parts=1, n_buckets=4)
    before = (stopped.work / lost).read_bytes()
    _cut(stopped.work / lost)

    assert not classifying.is_kept(stopped, 0)
    assert not classifying.is_classified(stopped, 0)

    classifying.classify_part(stopped, part=0, n_parts=1, n_buckets=4)

    assert classifying.is_kept(stopped, 0)
    assert (stopped.work / lost).read_bytes() == before
