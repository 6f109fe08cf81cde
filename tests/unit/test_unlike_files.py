"""Several files of one table, each with types of its own: each is judged by what it holds, not by what others hold."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from impasse.flows.delivery import source_files
from impasse.flows.delivery.delivery import DeliveredFiles, SourceFile
from impasse.schemas.errors import ImpasseError
from tests.tables import assert_shows
from tests.unit.deliveries import read_and_cleaned, written

PERSONS = "person_id,birth_date\n1,1970-01-01\n2,1971-01-01"
FILES = {"diagnoses": "dx_*"}
HEADER = "person_id,date,code,code_system,position,setting\n"


def diagnoses(path: Path, **columns: list) -> None:
    """A Parquet file of diagnoses, one row for each code."""
    told = {"position": "main", "setting": "inpatient", "code_system": "icd10"}
    pl.DataFrame(columns).with_columns(pl.lit(word).alias(name) for name, word in told.items()).write_parquet(path)


def refused(folder: Path) -> str:
    """What the user is told of a delivery that is not read."""
    with pytest.raises(ImpasseError) as caught:
        read_and_cleaned(folder, files=FILES)
    return str(caught.value)


@pytest.fixture(params=[0, 4 << 20], ids=["in pieces", "small"])
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """Persons, and one sound file of diagnoses."""
    monkeypatch.setattr(source_files, "_SMALL", request.param)
    diagnoses(tmp_path / "dx_1.parquet", person_id=["1"], date=[date(2010, 1, 1)], code=["F32.1"])
    return written(tmp_path, persons__csv=PERSONS)


def test_codes_as_numbers_beside_codes_as_text(folder: Path) -> None:
    """They are refused as they are where no other file lies beside them."""
    diagnoses(folder / "dx_2.parquet", person_id=["2"], date=[date(2010, 1, 1)], code=[300.0])

    assert "'code'" in refused(folder)


def test_inexact_persons_beside_persons_as_text(folder: Path) -> None:
    """An identifier that a float cannot hold does not become another person's."""
    diagnoses(folder / "dx_2.parquet", person_id=[2e16], date=[date(2010, 1, 1)], code=["F32.1"])

    assert "'person_id'" in refused(folder)


def test_persons_as_numbers_and_as_text_are_the_same(folder: Path) -> None:
    """CSV beside Parquet, and integers beside text, are one table where each file is sound."""
    diagnoses(folder / "dx_2.parquet", person_id=[2], date=[date(2010, 1, 2)], code=["F32.1"])
    (folder / "dx_3.csv").write_text(HEADER + "1,2010-01-03,F32.1,icd10,main,inpatient\n")

    found = read_and_cleaned(folder, files=FILES)

    assert_shows(found.extract.diagnoses.select("date"), "date\n2010-01-01\n2010-01-02\n2010-01-03")
    assert found.quarantine == {}


def test_dates_beside_dates_as_numbers(folder: Path) -> None:
    """Sound dates stay dates, and what is refused of both files is kept as it came."""
    diagnoses(folder / "dx_2.parquet", person_id=["2", "9"], date=[20100102, 20100102], code=["F32.1", "F32.1"])
    diagnoses(folder / "dx_3.parquet", person_id=["9"], date=[date(2010, 1, 3)], code=["F32.1"])

    found = read_and_cleaned(folder, files=FILES)

    assert found.extract.diagnoses.height + found.quarantine["diagnoses"].height == 4
    assert date(2010, 1, 1) in found.extract.diagnoses["date"].to_list()
    assert "2010-01-03" in found.quarantine["diagnoses"]["date"].to_list()


def test_two_time_zones(folder: Path) -> None:
    """The day is that of the file's own zone; rows of both that are refused lie together."""
    for number, zone in ((2, "Europe/Stockholm"), (3, "America/New_York")):
        there = pl.Series([datetime(2010, 1, number, 23, 30)] * 2).dt.replace_time_zone(zone)
        diagnoses(folder / f"dx_{number}.parquet", person_id=["1", "9"], date=there, code=["F32.1", "F32.1"])

    found = read_and_cleaned(folder, files=FILES)

    assert_shows(found.extract.diagnoses.select("date"), "date\n2010-01-01\n2010-01-02\n2010-01-03")
    assert found.quarantine["diagnoses"].height == 2


def test_look_ups_of_unlike_files_are_refused(tmp_path: Path) -> None:
    """A look-up is read as a whole, so its files must hold the same kinds of values; both are named."""
    pl.DataFrame({"id": ["1"], "code": ["300"]}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"ID": [2], "code": [300.0]}).write_parquet(tmp_path / "b.parquet")
    found = DeliveredFiles({"a": (SourceFile(tmp_path / "a.parquet"), SourceFile(tmp_path / "b.parquet"))})

    with pytest.raises(ImpasseError, match=r"(?s)'id' \(.*, 'code' \(.*a\.parquet and b\.parquet"):
        found.whole("a")


def test_look_ups_of_files_alike_are_one(tmp_path: Path) -> None:
    """Integers of two widths hold the same values."""
    pl.DataFrame({"id": [1]}, schema={"id": pl.Int32}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"ID": [2]}).write_parquet(tmp_path / "b.parquet")
    found = DeliveredFiles({"a": (SourceFile(tmp_path / "a.parquet"), SourceFile(tmp_path / "b.parquet"))})

    assert found.whole("a")["id"].to_list() == [1, 2]
