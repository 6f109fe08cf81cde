"""Files of a delivery that are not what they seem: names that are patterns, pipes, links, names in no alphabet."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from flows import io
from schemas.errors import ImpasseError
from tests.unit.deliveries import read, written

PERSONS = "person_id,birth_date\n1,1970-01-01"
SCORES = "person_id,date,scale,value\n1,2010-01-01,{scale},20"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A delivery of persons alone."""
    (tmp_path / "delivery").mkdir()
    return written(tmp_path / "delivery", persons__csv=PERSONS)


def told(folder: Path, **source: object) -> str:
    """What the user is told of a delivery that is not read."""
    with pytest.raises(ImpasseError) as caught:
        read(folder, **source)
    return str(caught.value)


def test_brackets_in_a_name_stand_for_nothing_else(folder: Path) -> None:
    """The file of that name is read, and not one that would fit it as a pattern."""
    written(folder, **{"scores_[1]__csv": SCORES.format(scale="meant"), "scores_1__csv": SCORES.format(scale="other")})

    assert read(folder, files={"scores": "scores_[1].csv"}).whole("scores")["scale"].to_list() == ["meant"]


@pytest.mark.parametrize("name", ["st [2024]", "st*", "st?", "year=2019"])
def test_a_table_of_a_run_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    """A table that is a folder is its files, in order, and the path above them gives nothing."""
    table = tmp_path / name / "episodes.parquet"
    table.mkdir(parents=True)
    pl.DataFrame({"a": [2]}).write_parquet(table / "0001.parquet")
    pl.DataFrame({"a": [1]}).write_parquet(table / "0000.parquet")

    assert io.read_parquet(table).to_dict(as_series=False) == {"a": [1, 2]}
    assert io.scan_each(tmp_path / name, "*/*.parquet").collect()["a"].to_list() == [1, 2]


def test_rows_set_aside_in_a_folder_of_any_name(tmp_path: Path) -> None:
    """They come back from the file they were written to."""
    part = io.set_aside(pl.DataFrame({"a": [1]}), tmp_path / "o [1]" / "part.arrow")
    io.write_quarantine([part], tmp_path / "o [1]" / "quarantine.parquet")

    assert io.read_parquet(tmp_path / "o [1]" / "quarantine.parquet")["a"].to_list() == [1]
