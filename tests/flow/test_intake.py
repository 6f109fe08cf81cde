"""A delivery into buckets: however it is cut, written and sorted, the same rows and the same bytes."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from impasse.flows.delivery import source_files
from impasse.flows.run.loading import load
from impasse.flows.run.plan import make_plan
from impasse.flows.run.steps import intake, publication, reading
from impasse.schemas.errors import ImpasseError
from impasse.schemas.extracts import MODELS
from impasse.transforms.partition.buckets import bucket_of
from tests.flow.running import cleaned_of

EVENTS = [name for name in MODELS if name != "persons"]


def take_in(study: Path, out: Path, **said: object) -> Path:
    """Read a delivery into buckets; returns the work folder."""
    plan = make_plan(study, out, **said)
    reading.read_delivery(plan, load(plan.study_path))
    return plan.work


def hashes(work: Path) -> dict[str, str]:
    """SHA-256 of every data file but those of the buckets' own tables."""
    files = [path for path in sorted(work.rglob("*")) if path.is_file()]
    return {str(path.relative_to(work)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def together(work: Path, name: str) -> pl.DataFrame:
    """A table of all buckets, with the persons' ids, sorted by all its columns."""
    folders = sorted((work / "buckets").iterdir())
    parts = [pl.read_parquet(folder / f"{name}.parquet") for folder in folders]
    persons = [pl.read_parquet(folder / "persons.parquet").select("person", id="person_id") for folder in folders]
    rows = pl.concat([part.join(known, on="person") for part, known in zip(parts, persons, strict=True)])
    return rows.drop("person").sort(pl.all())


def copied(study: Path, folder: Path, write: Callable[[pl.DataFrame, Path], None]) -> Path:
    """The study with its delivery written in another way."""
    (folder / "delivery").mkdir(parents=True)
    for path in sorted((study.parent / "delivery").glob("*.parquet")):
        write(pl.read_parquet(path), folder / "delivery" / path.stem)
    (folder / "study.toml").write_text(study.read_text())
    return folder / "study.toml"


@pytest.fixture(scope="module")
def whole(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The delivery in one bucket, cleaned in few large pieces."""
    return take_in(study, tmp_path_factory.mktemp("whole"), buckets=1)


def in_pieces_of(monkeypatch: pytest.MonkeyPatch, n_rows: int) -> None:
    """Files in pieces of so many rows, and as few rows as that in memory."""
    monkeypatch.setattr(source_files, "_SMALL", 0)
    monkeypatch.setattr(source_files, "_PIECE", n_rows)
    monkeypatch.setattr(intake, "_DEALT_AT_ONCE", 10 * n_rows)
    monkeypatch.setattr(intake, "_REFUSED_AT_ONCE", 7)


@pytest.mark.parametrize("n_rows", [700, 10_000])
def test_pieces_do_not_show(
    study: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_rows: int
) -> None:
    """In small pieces, set aside on disk time and again, every file has the same bytes."""
    in_pieces_of(monkeypatch, n_rows)

    assert hashes(take_in(study, tmp_path)) == hashes(whole)


def test_64_buckets_hold_the_same_rows(
    study: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every row once, in the bucket of its person; all that is said of the whole delivery is the same."""
    in_pieces_of(monkeypatch, 3_000)
    cut = take_in(study, tmp_path, buckets=64)

    assert len(list((cut / "buckets").iterdir())) == 64
    for name in EVENTS:
        assert_frame_equal(together(cut, name), together(whole, name))
    told = [
        {k: v for k, v in hashes(work).items() if not k.startswith(("buckets", "progress"))} for work in (cut, whole)
    ]
    assert told[0] == told[1]


def test_each_bucket_is_numbered_and_sorted(study: Path, tmp_path: Path) -> None:
    """Persons by id from 0; every table by all its columns; each person where the hash says."""
    cut = take_in(study, tmp_path, buckets=4)

    for bucket, folder in enumerate(sorted((cut / "buckets").iterdir())):
        persons = pl.read_parquet(folder / "persons.parquet")
        tables = [pl.read_parquet(folder / f"{name}.parquet") for name in EVENTS]

        assert persons["person"].to_list() == list(range(persons.height))
        assert persons["person_id"].is_sorted()
        assert bucket_of(persons["person_id"], 4).unique().to_list() == [bucket]
        assert [table.equals(table.sort(pl.all())) for table in tables] == [True] * len(EVENTS)


def test_the_order_of_the_delivery_does_not_show(study: Path, whole: Path, tmp_path: Path) -> None:
    """Rows in no order give the same tables."""
    shuffled = copied(
        study,
        tmp_path,
        lambda rows, path: rows.sample(fraction=1, shuffle=True, seed=1).write_parquet(f"{path}.parquet"),
    )
    mixed = take_in(shuffled, tmp_path / "out")

    for name in MODELS:
        assert_frame_equal(
            pl.read_parquet(mixed / f"buckets/0000/{name}.parquet"),
            pl.read_parquet(whole / f"buckets/0000/{name}.parquet"),
        )


def _csv(rows: pl.DataFrame, path: Path) -> None:
    rows.write_csv(f"{path}.csv")


def _gzipped(rows: pl.DataFrame, path: Path) -> None:
    Path(f"{path}.csv.gz").write_bytes(gzip.compress(rows.write_csv().encode()))


def _dated(rows: pl.DataFrame, path: Path) -> None:
    days = [column for column in rows.columns if column == "date" or column.endswith("_date")]
    rows.with_columns(pl.col(days).str.to_date("%Y-%m-%d", strict=False)).write_parquet(f"{path}.parquet")


@pytest.mark.parametrize("write", [_csv, _gzipped, _dated])
def test_the_kind_of_file_does_not_show(
    study: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable
) -> None:
    """CSV, gzipped CSV and Parquet with true dates give the tables that Parquet with text gives, piece by piece."""
    in_pieces_of(monkeypatch, 5_000)
    made = take_in(copied(study, tmp_path, write), tmp_path / "out")

    for name in MODELS:
        assert_frame_equal(
            pl.read_parquet(made / f"buckets/0000/{name}.parquet"),
            pl.read_parquet(whole / f"buckets/0000/{name}.parquet"),
        )


def test_in_memory_and_on_disk_are_one(study: Path, whole: Path) -> None:
    """All rows in one piece give what a run makes of many: the same tables, refused rows and counts."""
    cleaned = cleaned_of(study)
    quarantine = whole / "restricted/quarantine"

    for name, table in cleaned.extract.tables().items():
        assert_frame_equal(table, pl.read_parquet(whole / f"buckets/0000/{name}.parquet"))
    for name, table in cleaned.quarantine.items():
        assert_frame_equal(table, pl.read_parquet(quarantine / f"{name}.parquet"))
    assert sorted(cleaned.quarantine) == sorted(path.stem for path in quarantine.iterdir())
    assert_frame_equal(cleaned.reconciliation.sort("table"), pl.read_parquet(whole / "release/reconciliation.parquet"))
    assert_frame_equal(cleaned.rules, pl.read_parquet(whole / "restricted/quarantine_rules.parquet"))


def test_nothing_is_left_of_what_was_set_aside(whole: Path) -> None:
    """The work folder holds the buckets, the quarantine and what was counted."""
    assert sorted(path.name for path in whole.iterdir()) == [
        "buckets",
        "checks",
        "progress.json",
        "release",
        "restricted",
        "started.json",
    ]


def test_too_little_memory_is_said_before_the_work(study: Path, tmp_path: Path) -> None:
    """Nothing is written, and the message tells what would be enough: that is enough."""
    plan = make_plan(study, tmp_path, memory="600MB")

    with pytest.raises(ImpasseError, match=r"0.6 GB of memory are too little(.|\n)*at least 0.8 GB"):
        reading.read_delivery(plan, load(plan.study_path))
    assert [path.name for path in plan.work.iterdir()] == ["started.json"]
    publication.clear(plan)
    plan = make_plan(study, tmp_path, memory="800MB")

    assert reading.at_a_time(plan, reading.read_delivery(plan, load(plan.study_path))) == 1


def test_the_number_of_buckets_is_rounded_up(study: Path, tmp_path: Path) -> None:
    """Three asked for on the command line, over the study's own, make four."""
    plan = make_plan(study, tmp_path, buckets=3)

    assert reading.read_delivery(plan, load(plan.study_path)).buckets == 4
    assert load(study).study.output.buckets == 1


@pytest.mark.parametrize("said", [{"memory": "4"}, {"memory": "lots"}, {"memory": "4KB"}, {"buckets": 4097}])
def test_what_cannot_be_a_memory_is_refused(study: Path, tmp_path: Path, said: dict) -> None:
    """A number without a unit, a word, a unit too small, too many buckets: told before anything is made."""
    with pytest.raises(ImpasseError, match=f"--{next(iter(said))} has a value"):
        make_plan(study, tmp_path, **said)
    assert list(tmp_path.iterdir()) == []
