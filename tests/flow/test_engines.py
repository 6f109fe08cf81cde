"""Wherever the parts of a run are worked on, and into however many buckets it is cut, the bytes are the same."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from logging import Logger, LoggerAdapter, StreamHandler
from pathlib import Path

import httpx
import polars as pl
import pytest
from distributed import Client, Security
from prefect.exceptions import TerminationSignal
from rich.console import Console

from impasse.flows import pipeline
from impasse.flows.cli import demo
from impasse.flows.files import inputs
from impasse.flows.run import engines, progress
from impasse.flows.run.loading import load
from impasse.flows.run.parts import note_idle_workers
from impasse.flows.run.plan import make_plan
from impasse.flows.run.steps import classifying, reading
from impasse.schemas.errors import ImpasseError, RunInterrupted
from impasse.schemas.study import EngineSection
from impasse.schemas.tables import RESTRICTED
from impasse.transforms.partition.parts import count_parts
from tests.flow.running import data_hashes, run_steps
from tests.flow.servers import prefect_server

pytestmark = pytest.mark.usefixtures("blank_report")

PERSONS, PARTS = 900, 2
PAGES = ["/info/main/workers.html", "/json/counts.json", "/status", "/metrics", "/health"]
# Of every kind: counts with and without looking back, by dates alone, a score, a stage, both disorders and more.
DEFINITIONS = [
    *("anx_bokma_2019", "anx_strict3", "dep_ahrq_bipolar", "dep_esm", "dep_fife_2017"),
    *("dep_gsrd", "dep_karolinska", "dep_ohdsi_1009", "dep_psychemerge_2", "dep_thase_rush", "scz_trrip"),
]


@pytest.fixture(scope="module", autouse=True)
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Prefect server that is gone with the tests."""
    with prefect_server(tmp_path_factory.mktemp("prefect")):
        yield


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study of a registry that is smaller than the one other tests look at, under fewer definitions."""
    study = demo.write_demo(tmp_path_factory.mktemp("engines"), PERSONS, seed=5)
    study.write_text(f"{study.read_text()}\n[definitions]\nuse = {DEFINITIONS}\n")
    return study


def _in_parts(n_parts: int, study: Path, out: Path) -> Path:
    """A run whose parts, so many, were worked on one after another, without Prefect."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "count_parts", lambda n_persons: n_parts)
        return run_steps(study, out)


@pytest.fixture(autouse=True)
def parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few persons in two parts, as many would be."""
    monkeypatch.setattr(reading, "count_parts", lambda n_persons: PARTS)


@pytest.fixture(scope="module")
def in_two(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in two parts."""
    return _in_parts(PARTS, registry, tmp_path_factory.mktemp("two"))


@pytest.fixture(scope="module")
def in_one(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run in one."""
    return _in_parts(1, registry, tmp_path_factory.mktemp("one"))


@pytest.mark.parametrize(
    "said",
    [
        {"engine": "threads", "workers": 1},
        {"engine": "threads", "workers": 2, "buckets": 64},
        {"engine": "processes", "workers": 2},
        {"engine": "dask", "workers": 2, "buckets": 8},
    ],
    ids=["one thread", "two threads and 64 buckets", "two processes", "Dask and 8 buckets"],
)
def test_the_bytes_are_the_same_wherever_parts_are_worked_on(
    said: dict, registry: Path, in_two: Path, tmp_path: Path
) -> None:
    """Every data file of the run, restricted and released."""
    published = pipeline.run_study(str(registry), str(tmp_path), **said)

    assert data_hashes(Path(published)) == data_hashes(in_two)


def test_a_cluster_of_this_machine_serves_nobody_else() -> None:
    """Without a certificate of the run one is refused, also with another; there are no pages and no open folder."""
    engine = EngineSection(kind="dask")
    runner = engines._on_dask(engine, 1)
    with engines._for_nobody_else(), engines._client(runner, engine) as client:
        told = client.scheduler_info()
        (worker,) = told["workers"].values()
        pages = [told["services"]["dashboard"], worker["services"]["dashboard"]]
        seen = [httpx.get(f"http://127.0.0.1:{port}{path}").status_code for port in pages for path in PAGES]
        with pytest.raises(OSError, match=r"reset|closed|Timed out"):
            Client(told["address"].replace("tls", "tcp"), timeout=3)
        with pytest.raises(OSError, match="certificate does not match"):
            Client(told["address"], security=Security.temporary(), timeout=3)
        folder = Path(worker["local_directory"]).parents[1]
        mode = folder.stat().st_mode & 0o777

    assert told["address"].startswith("tls://127.0.0.1:")
    assert set(seen) == {404}
    assert mode == 0o700
    assert not folder.exists()


@pytest.mark.parametrize("kind", ["processes", "dask"])
def test_workers_take_no_module_from_the_current_folder(
    kind: str, small_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of a delivery that is named as a module of Python's own is not run."""
    (tmp_path / "multiprocessing.py").write_text("open('was-run', 'w')\nraise SystemExit")
    monkeypatch.chdir(tmp_path)

    pipeline.run_study(str(small_study), str(tmp_path / "out"), engine=kind, workers=1)

    assert not (tmp_path / "was-run").exists()


def test_every_part_has_a_file_of_each_restricted_table(in_two: Path) -> None:
    """Two parts, two files."""
    for name in RESTRICTED:
        files = sorted(path.name for path in (in_two / "restricted" / f"{name}.parquet").iterdir())
        assert files == [f"{part:04d}.parquet" for part in range(PARTS)]


def test_parts_do_not_change_what_is_released(in_one: Path, in_two: Path) -> None:
    """One part or two: the released tables are the same."""
    one, two = (data_hashes(run / "release") for run in (in_one, in_two))

    assert one == two


def test_parts_hold_every_person_once(in_one: Path, in_two: Path) -> None:
    """The episodes of two parts are those of one."""
    one, two = (pl.read_parquet(run / "restricted/episodes.parquet") for run in (in_one, in_two))

    assert two.cast(pl.String).sort("episode_id").equals(one.cast(pl.String).sort("episode_id"))


def test_a_part_that_fails_is_named_and_nothing_is_published(
    registry: Path, in_two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are finished first; the message says which one it was and why; the run can be resumed."""
    done, classify = [], classifying.classify_part

    def fail_on_one(plan: object, part: int, n_parts: int, n_buckets: int) -> None:
        if part == 1:
            raise ImpasseError("The disk is full.", where="here")
        classify(plan, part, n_parts, n_buckets)
        done.append(part)

    with monkeypatch.context() as patch:
        patch.setattr(classifying, "classify_part", fail_on_one)
        with pytest.raises(RunInterrupted, match=r"1 of 2 parts .* could not be classified") as told:
            pipeline.run_study(str(registry), str(tmp_path), engine="threads")

    assert "part 1: The disk is full. (here)" in str(told.value)
    assert done == [0]
    assert not list(tmp_path.glob("*/latest"))

    finished = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("restricted/*.parquet/0000.parquet")}
    published = Path(pipeline.run_study(str(registry), str(tmp_path), resume=True))

    assert data_hashes(published) == data_hashes(in_two)
    assert len(finished) == len(RESTRICTED)
    assert [(published / "restricted" / path.parent.name / path.name).stat().st_mtime_ns for path in finished] == list(
        finished.values()
    )
    assert not list(tmp_path.glob("*/.work-*"))


def test_a_run_that_fails_later_keeps_what_is_done(
    registry: Path, in_two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk after all parts were classified: the parts are kept, and the run can be resumed."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "compare", full)
        with pytest.raises(OSError, match="No space left"):
            pipeline.run_study(str(registry), str(tmp_path))

    assert len(list(tmp_path.rglob("counts/*/done"))) == PARTS

    published = Path(pipeline.run_study(str(registry), str(tmp_path), resume=True))

    assert data_hashes(published) == data_hashes(in_two)
    assert not list(tmp_path.glob("*/.work-*"))


@pytest.mark.parametrize("end", [TerminationSignal(signal=15), KeyboardInterrupt("a row")], ids=["cancelled", "Ctrl-C"])
def test_a_run_that_is_ended_tells_prefect_where_rows_are(
    end: BaseException, small_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody sits at a terminal when a night is cancelled: the log of the run names the folder and what to do."""
    logged = StringIO()

    def ended(*_: object) -> None:
        raise end from ValueError("a row")

    monkeypatch.setattr(pipeline, "compare", ended)
    monkeypatch.setattr(progress, "_log_of_run", lambda: LoggerAdapter(_log_to(logged)))
    with pytest.raises(type(end)) as left:
        pipeline.run_study.fn(str(small_study), str(tmp_path))  # Prefect would end this process as well

    (work,) = tmp_path.glob("demo/.work-*")
    assert logged.getvalue() == (
        f"What is done is kept, with rows of persons, in\n{work}\nGo on with --resume, or delete it.\n"
    )
    assert left.value.__context__ is None


def _log_to(stream: StringIO) -> Logger:
    log = Logger("told")
    log.addHandler(StreamHandler(stream))
    return log


def test_a_run_that_fails_before_keeps_nothing(registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the delivery is read there is nothing to go on with, and no rows of persons are left behind."""

    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(pipeline, "read_delivery", broken)
    with pytest.raises(OSError, match="Input/output error"):
        pipeline.run_study(str(registry), str(tmp_path))

    assert not list(tmp_path.glob("*/.work-*"))


def test_there_must_be_a_run_to_resume(registry: Path, tmp_path: Path) -> None:
    """Neither nothing at all, nor a run of other files: their rows would be mixed."""
    with pytest.raises(ImpasseError, match="no run to resume"):
        pipeline.run_study(str(registry), str(tmp_path), resume=True)

    plan = make_plan(registry, tmp_path)
    reading.read_delivery(plan, load(plan.study_path))
    other = json.loads(plan.progress.read_text())
    other["of"]["inputs"]["persons.parquet"] = "another"
    plan.progress.write_text(json.dumps(other))

    with pytest.raises(ImpasseError, match="no run to resume"):
        pipeline.run_study(str(registry), str(tmp_path), resume=True)


def test_a_part_is_not_classified_by_another_study(registry: Path, tmp_path: Path) -> None:
    """A study that changes while a worker is to start on it stops the part."""
    folder = tmp_path / "registry"
    shutil.copytree(registry.parent, folder)
    plan = make_plan(folder / registry.name, tmp_path / "out")
    reading.read_delivery(plan, load(plan.study_path))
    changed = plan.study_path.read_text().replace("[period]", "[disclosure]\nthreshold = 7\n\n[period]")
    plan.study_path.write_text(changed)
    load.cache_clear()  # as on a worker that has not seen it before

    with pytest.raises(ImpasseError, match="not what it was when the run was planned"):
        classifying.classify_part(plan, part=0, n_parts=PARTS, n_buckets=PARTS)


def test_a_part_is_not_classified_by_another_program(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker with other code or code lists stops the part, and nobody resumes what another program began."""
    plan = make_plan(registry, tmp_path)
    reading.read_delivery(plan, load(plan.study_path))
    monkeypatch.setattr("impasse.flows.run.as_planned.program_fingerprint", lambda: "another")

    with pytest.raises(ImpasseError, match="not what it was when the run was planned"):
        classifying.classify_part(plan, part=0, n_parts=PARTS, n_buckets=PARTS)
    with pytest.raises(ImpasseError, match="no run to resume"):
        make_plan(registry, tmp_path, resume=True)


@pytest.mark.parametrize("library", ["python", "impasse", "polars", "numpy", "numba", "pyarrow"])
def test_a_part_is_not_classified_with_other_versions(
    library: str, small_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest states the versions of the run: a worker with another is told, with both versions."""
    plan = make_plan(small_study, tmp_path)
    planned = dict(plan.computed_with)
    monkeypatch.setattr("impasse.flows.run.as_planned.computing", lambda: {**planned, library: "0.0.1"})

    with pytest.raises(ImpasseError, match=rf"other versions.*: {library} 0.0.1 instead of {planned[library]}\."):
        classifying.classify_part(plan, part=0, n_parts=1, n_buckets=1)


def test_workers_without_a_part_are_told(
    small_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who asks for more workers than there are parts hears that they idle; who asks for as many does not."""
    plan = make_plan(small_study, tmp_path, workers=3)
    counts = reading.read_delivery(plan, load(plan.study_path))
    with progress.progress_shown(Console(width=400)):
        note_idle_workers(plan, counts)
        note_idle_workers(replace(plan, engine=plan.engine.model_copy(update={"workers": PARTS})), counts)

    assert capsys.readouterr().out == (
        "3 workers are asked for, but the persons make 2 parts, one for about 40,000 of them: the other workers idle.\n"
    )


def test_an_own_layout_is_part_of_what_a_run_is(registry: Path, tmp_path: Path) -> None:
    """What was read by one layout is not gone on with by another."""
    layout = registry.parent / "own.toml"
    shutil.copy(inputs.shipped("mappings/generic.toml"), layout)
    study = registry.with_name("own_study.toml")
    study.write_text(registry.read_text().replace('layout = "generic"', 'layout = "own.toml"'))
    assert "own.toml" in study.read_text()
    plan = make_plan(study, tmp_path)
    reading.read_delivery(plan, load(plan.study_path))
    assert make_plan(study, tmp_path, resume=True).run_id == plan.run_id

    layout.write_text(layout.read_text() + "\n# read otherwise\n")

    with pytest.raises(ImpasseError, match="no run to resume"):
        make_plan(study, tmp_path, resume=True)


def test_delivered_files_of_one_name_are_told_apart(registry: Path, tmp_path: Path) -> None:
    """Each has its fingerprint, by its path in the delivery."""
    folder = tmp_path / "registry"
    shutil.copytree(registry.parent, folder)
    delivery = folder / "delivery"
    for key in ("diagnoses", "scores"):
        (delivery / key).mkdir()
        (delivery / f"{key}.parquet").rename(delivery / key / "rows.parquet")
    study = folder / registry.name
    named = 'path = "delivery"\nfiles = { diagnoses = "diagnoses/rows", scores = "scores/rows" }'
    study.write_text(study.read_text().replace('path = "delivery"', named, 1))

    told = dict(make_plan(study, tmp_path / "out").inputs)

    assert {"diagnoses/rows.parquet", "scores/rows.parquet", "persons.parquet"} <= told.keys()


def test_an_address_is_for_dask_alone(registry: Path, tmp_path: Path) -> None:
    """A cluster's address without the engine that would use it is a mistake, told at once."""
    with pytest.raises(ImpasseError, match="--address"):
        pipeline.run_study(str(registry), str(tmp_path), engine="threads", address="tcp://127.0.0.1:8786")


def test_an_engine_that_is_not_there_is_told(registry: Path, tmp_path: Path) -> None:
    """One message with the option's name and what it may be."""
    with pytest.raises(ImpasseError, match=r"(?s)--engine.*threads, processes"):
        pipeline.run_study(str(registry), str(tmp_path), engine="spark")


@pytest.mark.parametrize(("n_persons", "n_parts"), [(0, 1), (1, 1), (40_000, 1), (40_001, 2), (80_001, 4), (10**6, 32)])
def test_parts_follow_from_the_number_of_persons(n_persons: int, n_parts: int) -> None:
    """A power of two, so that no part holds more than some forty thousand persons."""
    assert count_parts(n_persons) == n_parts
