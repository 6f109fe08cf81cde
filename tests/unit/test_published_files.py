"""What a run has written, read back after somebody changed it: one message that names the file, and no waiting."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from errno import EACCES
from pathlib import Path
from shutil import copyfile, rmtree

import polars as pl
import pytest

from impasse.flows import published
from impasse.flows.files import tables, texts
from impasse.flows.files.inputs import definition_texts
from impasse.flows.run import unfinished
from impasse.reports.run import open_run
from impasse.schemas import tables as schemas
from impasse.schemas.columns import RELEASE_COLUMNS, RESTRICTED_COLUMNS
from impasse.schemas.errors import ImpasseError

BROKEN = ["{}", "[]", "null", "3", "{", '{"run_id": 3}', "[" * 100_000, "9" * 5_000, f'{{"run_id": {"9" * 5_000}}}']


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A published run of no definitions, to which `latest` leads."""
    release = tmp_path / "first" / "release"
    (release / "definitions").mkdir(parents=True)
    (release / "manifest.json").write_text(json.dumps({"run_id": "first", "started": 4, "rules": {}}))
    (tmp_path / "latest").symlink_to("first")
    return tmp_path / "first"


def broken(text: str, path: Path) -> Path:
    """The file with another text."""
    path.write_text(text)
    return path


@pytest.mark.parametrize("text", BROKEN)
def test_the_manifest_of_the_latest_run_is_told_when_a_run_is_numbered(run: Path, text: str) -> None:
    """The next run of the study says which file it is; with the file as it was it is numbered."""
    assert unfinished.next_number(run.parent, run.parent) == 5
    broken(text, run / "release" / "manifest.json")

    with pytest.raises(ImpasseError, match="not whole") as told:
        unfinished.next_number(run.parent, run.parent)

    assert told.value.where == f"{run.parent}/latest/release/manifest.json"


@pytest.mark.parametrize("number", [-1, 2**53, 1.5, "x", None])
def test_a_number_that_no_run_would_have_is_told(run: Path, number: object) -> None:
    """It would be the next run's, too."""
    broken(json.dumps({"run_id": "first", "started": number}), run / "release" / "manifest.json")

    with pytest.raises(ImpasseError, match="not whole"):
        unfinished.next_number(run.parent, run.parent)


def episodes(run: Path) -> None:
    """A run in which one person had an episode, and nothing else of it."""
    (run / "restricted").mkdir()
    for name, columns in RESTRICTED_COLUMNS.items():
        table = pl.DataFrame(schema=columns)
        if name == "episodes":
            table = pl.DataFrame([{"episode_id": "p:anxiety:1", "disorder": "anxiety"}], schema=columns)
        table.write_parquet(run / "restricted" / f"{name}.parquet")


@pytest.mark.parametrize("text", [*BROKEN, '{"rules": []}', '{"rules": {"anx": "x"}}'])
def test_the_manifest_of_a_run_is_told_when_an_episode_is_explained(run: Path, text: str) -> None:
    """As to a later run."""
    episodes(run)
    path = broken(text, run / "release" / "manifest.json")

    with pytest.raises(ImpasseError, match="not whole") as told:
        published.explain(run, "p:anxiety:1")

    assert told.value.where == str(path)


@pytest.mark.parametrize("name", ["episodes", "trials"])
@pytest.mark.parametrize("content", [b"", b"no Parquet", b"PAR1PAR1"])
def test_a_restricted_table_that_is_none_is_told(run: Path, name: str, content: bytes) -> None:
    """In our words; Polars' own could quote rows."""
    episodes(run)
    (run / "restricted" / f"{name}.parquet").write_bytes(content)

    with pytest.raises(ImpasseError, match="not the table that a run has written") as told:
        published.explain(run, "p:anxiety:1")

    assert told.value.where == f"{run}/restricted/{name}.parquet"


def test_a_restricted_table_without_its_columns_is_told(run: Path) -> None:
    """Without the one that is asked for, and without those that are shown."""
    episodes(run)
    for name in RESTRICTED_COLUMNS:
        path = run / "restricted" / f"{name}.parquet"
        whole = pl.read_parquet(path)
        first, last = whole.columns[0], whole.columns[-1]
        for edited in (whole.drop(last), whole.rename({last: "x"}), whole.with_columns(pl.lit(1).alias(first))):
            edited.write_parquet(path)
            with pytest.raises(ImpasseError, match="not the table that a run has written") as told:
                published.explain(run, "p:anxiety:1")
            assert told.value.where == str(path)
        whole.write_parquet(path)


def test_a_restricted_table_whose_values_were_taken_out_is_told(run: Path) -> None:
    """Where they are needed, with the file; the rows that are shown need them, and nothing else is at fault."""
    episodes(run)
    path = run / "restricted" / "episodes.parquet"

    with pytest.raises(ImpasseError, match="not the table that a run has written") as told:
        published.explain(run, "p:anxiety:1")

    assert told.value.where == str(path)


def test_a_released_table_without_its_columns_is_told(run: Path) -> None:
    """Before anything is shown of it: rows of persons may stand in its place."""
    episodes(run)
    path = run / "release" / "prevalence.parquet"
    copyfile(run / "restricted" / "episodes.parquet", path)

    with pytest.raises(ImpasseError, match="not the table that a run has written") as told:
        open_run(run)

    assert told.value.where == str(path)
    pl.DataFrame(schema=dict(reversed(RELEASE_COLUMNS["prevalence"].items()))).write_parquet(path)
    assert open_run(run).tables == ("prevalence",)


def test_the_columns_are_those_that_runs_write() -> None:
    """Of every table, restricted and released."""
    for listed, models in ((RESTRICTED_COLUMNS, schemas.RESTRICTED), (RELEASE_COLUMNS, schemas.RELEASE)):
        assert list(listed) == list(models)
        for name, model in models.items():
            written = {column: held.dtype.type.to_python() for column, held in model.to_schema().columns.items()}
            assert listed[name] == written


@pytest.mark.parametrize("left", ["nothing", "a file", "no trials", "no parts of trials"])
def test_a_copy_without_rows_of_persons_is_told(run: Path, left: str) -> None:
    """Released tables are read from it; an episode is not."""
    episodes(run)
    restricted, trials = run / "restricted", run / "restricted" / "trials.parquet"
    trials.unlink() if left in ("no trials", "no parts of trials") else rmtree(restricted)
    if left == "a file":
        restricted.write_text("")
    if left == "no parts of trials":
        trials.mkdir()

    with pytest.raises(ImpasseError, match=r"not in this copy|not the table") as told:
        open_run(run).explain("p:anxiety:1")

    assert told.value.where == str(restricted if left in ("nothing", "a file") else trials)
    assert told.value.expected
    assert told.value.do


def test_a_table_that_may_not_be_read_is_told(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the file and what to do."""
    episodes(run)
    path = run / "restricted" / "episodes.parquet"

    def refuse(*_: object) -> None:
        raise PermissionError(EACCES, "words of a library", str(path))

    monkeypatch.setattr(tables, "scan_parquet", refuse)
    with pytest.raises(ImpasseError, match="cannot be opened: Permission denied") as told:
        published.explain(run, "p:anxiety:1")

    assert told.value.where == str(path)


def test_a_path_that_no_system_takes_is_told() -> None:
    """Not the whole of it."""
    with pytest.raises(ImpasseError, match="cannot be opened: File name too long") as told:
        open_run("a" * 5000)

    assert len(told.value.where) < 400


def test_a_definition_that_is_only_described_is_left_out(run: Path) -> None:
    """Nothing was judged by it."""
    described = next(text for text in definition_texts().values() if 'status = "descriptive"' in text)
    (run / "release" / "definitions" / "described.toml").write_text(described)

    assert published.read_run_definitions(run) == {}


@pytest.mark.parametrize("word", [None, 5, ["x"], "\ud800"])
def test_what_is_no_name_is_told(run: Path, word: object) -> None:
    """As a name that is not there."""
    episodes(run)
    opened = open_run(run)

    with pytest.raises(ImpasseError, match="no released table"):
        opened.table(word)
    with pytest.raises(ImpasseError, match="was not part of this run"):
        opened.compare(word, "x")
    with pytest.raises(ImpasseError, match="No such episode"):
        opened.explain(word)
    if word is not None:
        with pytest.raises(ImpasseError, match="was not part of this run"):
            opened.explain("p:anxiety:1", word)


def test_a_released_table_that_is_none_is_told(run: Path) -> None:
    """A file that no run would write is not looked at."""
    os.mkfifo(run / "release" / "zz.parquet")
    assert published.read_run_tables(run) == {}

    (run / "release" / "prevalence.parquet").write_bytes(b"no Parquet")
    with pytest.raises(ImpasseError, match="not the table that a run has written"):
        published.read_run_tables(run)


@pytest.mark.parametrize("kind", ["pipe", "endless"])
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("release/prevalence.parquet", published.read_run_tables),
        ("release/definitions/zzz.toml", published.read_run_definitions),
    ],
)
def test_what_never_ends_is_not_read(run: Path, name: str, read: Callable[[Path], object], kind: str) -> None:
    """A pipe nobody writes to, a link to a device."""
    os.mkfifo(run / name) if kind == "pipe" else (run / name).symlink_to("/dev/zero")

    with pytest.raises(ImpasseError, match="not a regular file") as told:
        read(run)

    assert told.value.where == f"file {run / name}"


def test_a_text_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is larger than any that is meant is refused before memory is filled with it."""
    monkeypatch.setattr(texts, "_LARGEST", 4)

    assert texts.read_text(broken("1234", tmp_path / "text")) == "1234"
    with pytest.raises(ImpasseError, match="too large"):
        texts.read_text(broken("12345", tmp_path / "text"))


def test_a_table_that_is_not_there_is_a_fault_of_the_disk(tmp_path: Path) -> None:
    """It may be there when it is asked for again."""
    with pytest.raises(FileNotFoundError):
        tables.read_parquet(tmp_path / "table.parquet")
