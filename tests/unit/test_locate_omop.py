"""Which files of a folder an OMOP table stands for: one, parts by number, a folder; nothing is passed over."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from impasse.flows.delivery import delivery
from impasse.flows.delivery.delivery import DeliveredFiles
from impasse.schemas.errors import ImpasseError
from tests.unit.deliveries import OMOP_LISTS, study, written

PERSON = "person_id,year_of_birth\n1,1970"
DRUG = "person_id,drug_concept_id\n{0},2"
DEATH = "person_id,death_date\n1,2010-01-01"


def read(folder: Path) -> DeliveredFiles:
    """An OMOP CDM in a folder."""
    return delivery.open_delivery(study(kind="omop", path=folder.name), folder.parent, OMOP_LISTS)


def refused(folder: Path) -> str:
    """What the user is told of a folder that is not read."""
    with pytest.raises(ImpasseError) as caught:
        read(folder)
    return str(caught.value)


def persons_of_drugs(folder: Path) -> list[str]:
    """Who has an exposure, in the order of the rows."""
    return read(folder).whole("drug_exposure")["person_id"].to_list()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A person."""
    return written(tmp_path, person__csv=PERSON)


def test_parts_by_number(folder: Path) -> None:
    """As a database exports a table of many rows; each part is an input of the run."""
    written(folder, drug_exposure_000000000001__csv=DRUG.format(2), DRUG_EXPOSURE_000000000000__csv=DRUG.format(1))
    chosen = study(kind="omop", path=folder.name)

    assert persons_of_drugs(folder) == ["1", "2"]
    assert [path.name for path in delivery.source_paths(chosen, folder.parent, OMOP_LISTS)] == [
        *("DRUG_EXPOSURE_000000000000.csv", "drug_exposure_000000000001.csv", "person.csv")
    ]


def test_a_folder_of_csv(folder: Path) -> None:
    """As Spark writes it, among its marks."""
    (folder / "drug_exposure").mkdir()
    written(folder / "drug_exposure", part_1__csv=DRUG.format(2), part_0__csv=DRUG.format(1))
    (folder / "drug_exposure" / "_SUCCESS").touch()
    (folder / "drug_exposure" / ".part_0.csv.crc").write_bytes(b"crc")

    assert persons_of_drugs(folder) == ["1", "2"]


@pytest.mark.parametrize("beside", ["part_1.parquet", "part_1.csv.zst"])
def test_a_folder_of_something_else(folder: Path, beside: str) -> None:
    """A folder that bears a table's name and is read in part, or not at all, stops the run."""
    (folder / "drug_exposure").mkdir()
    written(folder / "drug_exposure", part_0__csv=DRUG.format(1))
    (folder / "drug_exposure" / beside).write_bytes(b"")

    assert "The folder 'drug_exposure' is no table" in refused(folder)


@pytest.mark.parametrize("name", ["drug_exposure_1", "drug_exposure.CSV.gz", "DRUG_EXPOSURE.txt", "drug_exposure"])
def test_a_table_that_is_there_twice(folder: Path, name: str) -> None:
    """Which is meant is not guessed, whatever the ending and the capitals; both are named."""
    written(folder, drug_exposure__csv=DRUG.format(1))
    (folder / (name + ".csv" * name.endswith("_1"))).write_text(DRUG.format(2))

    assert "by 'drug_exposure': " in refused(folder)
    assert "'drug_exposure.csv'" in refused(folder)
    assert f"'{name}" in refused(folder)


def test_parts_of_two_kinds(folder: Path) -> None:
    """The same part as CSV and as Parquet would be read twice."""
    written(folder, drug_exposure_1__csv=DRUG.format(1))
    pl.DataFrame({"person_id": [1], "drug_concept_id": [2]}).write_parquet(folder / "drug_exposure_1.parquet")

    assert "'drug_exposure_1.csv', 'drug_exposure_1.parquet'" in refused(folder)


@pytest.mark.parametrize("name", ["drug_exposure_a.csv", "Drug_Exposure.xlsx", "drug_exposures.csv", "death_old.csv"])
def test_a_name_that_begins_with_that_of_a_missing_table(folder: Path, name: str) -> None:
    """The table may be in it, so the run does not go on without."""
    (folder / name).write_text(DRUG.format(1))

    assert f"may be in '{name}'" in refused(folder)
    assert "take it out of the folder" in refused(folder)


def test_names_that_begin_so_and_are_no_concern(folder: Path) -> None:
    """Other tables of the CDM, what is no data, and what lies beside the table itself."""
    written(folder, concept_class__csv="a\n1", concept_synonym_1__csv="a\n1", death__csv=DEATH, death_old__csv=DEATH)
    (folder / "drug_exposure.sql").write_text("create table")

    assert sorted(read(folder).sources) == ["death", "person"]


def test_parts_with_other_columns(folder: Path) -> None:
    """A part without the line of names, whose first row must not be repeated, is refused."""
    written(folder, drug_exposure_1__csv=DRUG.format(1), drug_exposure_2__csv="secret,2\nsecret,3")

    assert "drug_exposure_1.csv and drug_exposure_2.csv" in refused(folder)
    assert "secret" not in refused(folder)
