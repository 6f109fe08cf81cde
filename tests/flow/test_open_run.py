"""A published run opened as in a notebook."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from impasse.flows.files import tables
from impasse.reports.run import open_run
from impasse.schemas.errors import ImpasseError
from impasse.schemas.tables import RELEASE

README = Path(__file__).resolve().parents[2] / "README.md"


def example() -> str:
    """The Python that the README prints."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return code


def test_the_example_of_the_readme_runs(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As it is printed, with an episode that is there."""
    (tmp_path / "runs" / "my-study").mkdir(parents=True)
    (tmp_path / "runs" / "my-study" / "latest").symlink_to(run)
    monkeypatch.chdir(tmp_path)
    episodes = pl.read_parquet(run / "restricted" / "episodes.parquet").filter(pl.col("disorder") == "depression")

    exec(example().replace("P000123:depression:1", episodes["episode_id"][0]), {})

    shown = capsys.readouterr().out
    assert "Resistant among the eligible episodes:" in shown
    assert f"Episode {episodes['episode_id'][0]}" in shown


def test_every_released_table_is_there_as_it_was_written(run: Path) -> None:
    """The same rows; labels are added, nothing is changed."""
    opened = open_run(run)

    assert set(opened.tables) == set(RELEASE)
    for name in opened.tables:
        written = pl.read_parquet(run / "release" / f"{name}.parquet")
        assert opened.table(name).select(written.columns).equals(written)


def test_every_definition_of_a_table_has_a_title(run: Path) -> None:
    """No id is left without its label."""
    opened = open_run(run)

    assert opened.table("prevalence")["definition_title"].null_count() == 0
    assert opened.table("agreement")["disorder_name"].null_count() == 0
    assert opened.definitions.height == len(list((run / "release" / "definitions").iterdir()))


def test_rows_of_persons_are_not_read_until_an_episode_is_asked_for(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening, tables and comparing read what may leave, and nothing else."""
    read: list[str] = []
    scan = tables.scan_parquet
    monkeypatch.setattr(tables, "scan_parquet", lambda path, *more: read.append(str(path)) or scan(path, *more))

    opened = open_run(run)
    opened.compare("dep_karolinska", "dep_typical_two_drugs")
    assert {Path(path).parent.name for path in read} == {"release"}

    opened.explain(pl.read_parquet(run / "restricted" / "episodes.parquet")["episode_id"][0])
    assert {Path(path).parent.name for path in read} == {"release", "restricted"}


def test_a_later_run_does_not_change_an_open_one(run: Path, tmp_path: Path) -> None:
    """`latest` is followed when the run is opened."""
    latest = tmp_path / "latest"
    latest.symlink_to(run)

    assert open_run(latest).place == str(run.resolve())


def test_where_no_run_is_opening_is_one_error(tmp_path: Path) -> None:
    """A folder without a run, and no folder at all."""
    for place in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(ImpasseError, match="No published run here"):
            open_run(place)


def test_an_unknown_episode_or_definition_is_one_error(run: Path) -> None:
    """As on the command line."""
    opened = open_run(str(run))
    episode = pl.read_parquet(run / "restricted" / "episodes.parquet")["episode_id"][0]

    with pytest.raises(ImpasseError, match="No such episode in this run"):
        opened.explain("nobody:anxiety:1")
    with pytest.raises(ImpasseError, match="Definition 'dep_karolinsca' was not part of this run"):
        opened.explain(episode, "dep_karolinsca")
