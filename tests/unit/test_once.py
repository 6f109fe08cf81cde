"""Each row of a delivery once: links, copies, logs of tables that change, and parts that are missing."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest

from impasse.flows.delivery import delivery, once
from impasse.schemas.errors import ImpasseError
from tests.unit.deliveries import OMOP_LISTS, read, study, written

PERSONS = "person_id,birth_date\n1,1970-01-01"
SCORES = "person_id,date,scale,value\n1,20{0}-01-01,phq9,20"
NAMED = {"scores": "disp_*"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Persons, and scores of one year."""
    (tmp_path / "delivery").mkdir()
    return written(tmp_path / "delivery", persons__csv=PERSONS, disp_2015__csv=SCORES.format(15))


def told(folder: Path, **source: object) -> str:
    """What the user is told of a registry that is not read."""
    with pytest.raises(ImpasseError) as caught:
        read(folder, **{"files": NAMED} | source)
    return str(caught.value)


def read_omop(folder: Path) -> delivery.DeliveredFiles:
    """An OMOP CDM in a folder."""
    return delivery.open_delivery(study(kind="omop", path=folder.name), folder.parent, OMOP_LISTS)


def told_of_omop(folder: Path) -> str:
    """What the user is told of an OMOP CDM that is not read."""
    with pytest.raises(ImpasseError) as caught:
        read_omop(folder)
    return str(caught.value)


def part(path: Path, year: int = 15) -> Path:
    """A Parquet file of scores of one year."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.read_csv(SCORES.format(year).encode(), infer_schema=False).write_parquet(path)
    return path


# One file twice.


def test_a_link_to_another_file_of_the_table(folder: Path) -> None:
    """The latest year would count twice; named alone, the link is read."""
    (folder / "disp_latest.csv").symlink_to("disp_2015.csv")

    assert "Two names lead to one file: 'disp_2015.csv', 'disp_latest.csv'." in told(folder)
    assert read(folder, files={"scores": "disp_latest"}).n_rows("scores") == 1


def test_a_link_to_a_folder_of_the_table(folder: Path) -> None:
    """The same for tables that are folders."""
    part(folder / "disp_a" / "part-0.parquet", 16)
    (folder / "disp_b").symlink_to("disp_a")

    assert "Two names lead to one file: 'disp_a/part-0.parquet', 'disp_b/part-0.parquet'." in told(folder)


def test_one_file_for_two_tables(folder: Path) -> None:
    """A file that holds two tables is no file that is read twice."""
    (folder / "coverage.csv").symlink_to("persons.csv")
    written(folder, persons__csv="person_id,birth_date,start_date,end_date\n1,1970-01-01,2010-01-01,2011-01-01")

    assert {"coverage", "persons"} <= set(read(folder, files=NAMED).sources)


def test_a_copy_of_another_file_of_the_table(folder: Path) -> None:
    """A browser's second download; one letter more and it is another file."""
    written(folder, **{"disp_2015 (1)__csv": SCORES.format(15)})
    assert "Two files hold the same bytes: 'disp_2015 (1).csv', 'disp_2015.csv'." in told(folder)

    written(folder, **{"disp_2015 (1)__csv": SCORES.format(16)})
    assert read(folder, files=NAMED).n_rows("scores") == 2


def test_files_that_begin_alike_are_no_copies(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one size and one start, they are compared to the end."""
    monkeypatch.setattr("impasse.flows.files.fingerprints._START", 10)
    written(folder, disp_2016__csv=SCORES.format(16))

    assert read(folder, files=NAMED).n_rows("scores") == 2


def test_only_what_may_be_a_copy_is_read_for_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of another size, or with another start, costs nothing."""
    monkeypatch.setattr(once, "sha256_of", lambda file: pytest.fail(f"{file}"))
    written(folder, disp_2016__csv=SCORES.format(16), disp_2017__csv=SCORES.format(17) + "0")

    assert read(folder, files=NAMED).n_rows("scores") == 3


def test_parts_without_rows_are_no_copies(folder: Path) -> None:
    """Spark writes parts that are empty, and alike."""
    for number in range(2):
        empty = pl.read_csv(SCORES.format(15).encode(), infer_schema=False).clear()
        part(folder / "scores" / "part-2.parquet")
        empty.write_parquet(folder / "scores" / f"part-{number}.parquet")

    assert read(folder).n_rows("scores") == 1


def test_parts_of_two_folders_are_no_copies(folder: Path) -> None:
    """What the folders' names say differs; two parts of one folder are."""
    part(folder / "scores" / "year=2015" / "part-0.parquet")
    part(folder / "scores" / "year=2016" / "part-0.parquet")
    assert read(folder).n_rows("scores") == 2

    part(folder / "scores" / "year=2016" / "part-1.parquet")
    assert "'scores/year=…/part-0.parquet', 'scores/year=…/part-1.parquet'" in told(folder, files={})


def test_a_part_packed_and_unpacked(folder: Path) -> None:
    """In a folder of CSV too; of another name it is another part."""
    written(folder, person__csv="person_id,year_of_birth\n1,1970")
    (folder / "death").mkdir()
    written(folder / "death", part_1__csv="person_id,death_date\n1,2010-01-01")
    (folder / "death" / "part_1.csv.gz").write_bytes(gzip.compress(b"person_id,death_date\n2,2010-01-01\n"))
    assert "Files differ only in ending or capitals: 'part_1.csv', 'part_1.csv.gz'." in told_of_omop(folder)

    (folder / "death" / "part_1.csv.gz").rename(folder / "death" / "part_2.csv.gz")
    assert read_omop(folder).n_rows("death") == 2


def test_a_part_in_two_capitals(folder: Path) -> None:
    """In a folder of Parquet."""
    part(folder / "scores" / "part-0.parquet")
    part(folder / "scores" / "Part-0.parquet", 16)

    assert "Files differ only in ending or capitals" in told(folder, files={})


# Tables of which only a log says what is in them.


@pytest.mark.parametrize(
    "log",
    [
        "_delta_log/00000000000000000000.json",
        ".hoodie/hoodie.properties",
        "_hudi/a",
        "_spark_metadata/0",
        "metadata/v1.metadata.json",
        "metadata/version-hint.text",
    ],
)
@pytest.mark.parametrize(
    ("table", "named"),
    [("scores", {}), ("scores", {"scores": "scores/*.parquet"}), ("scores/v1", {}), (".", {})],
    ids=["the table", "by a pattern", "below it", "above it"],
)
def test_a_table_with_a_log(folder: Path, log: str, table: str, named: dict[str, str]) -> None:
    """A part that was removed would be read; it is said how to export the table."""
    part(folder / "scores" / "part-0.parquet")
    (folder / table / log).parent.mkdir(parents=True)
    (folder / table / log).write_text("{}")

    message = told(folder, files=named)

    assert "is a table of Delta, Hudi, Iceberg or a stream" in message
    assert "Export the table as plain Parquet" in message


def test_a_log_of_what_is_not_read(folder: Path) -> None:
    """A table beside the delivery's, and a folder of descriptions, are nobody's concern."""
    part(folder / "scores" / "part-0.parquet")
    part(folder / "lake" / "_delta_log" / "0.parquet")
    (folder / "metadata").mkdir()
    written(folder / "metadata", variables__csv="a")

    assert read(folder).n_rows("scores") == 1


# Parts.


@pytest.mark.parametrize(
    ("numbers", "is_whole"),
    [
        (("1", "2"), True),
        (("000", "001"), True),
        (("0", "2"), False),
        (("2", "3"), False),
        (("2",), False),
        (("1", "01"), False),
        (("20230101", "20230201"), False),
        (("20230101",), False),
        (("2019", "2020"), False),
    ],
)
def test_parts_of_omop_by_number(folder: Path, numbers: tuple[str, ...], is_whole: bool) -> None:
    """From 0 or 1 on without a gap; two dates may be the whole table twice."""
    written(folder, person__csv="person_id,year_of_birth\n1,1970")
    written(folder, **{f"death_{number}__csv": f"person_id,death_date\n{number},2010-01-01" for number in numbers})

    told = str(read_omop(folder).n_rows("death")) if is_whole else told_of_omop(folder)

    assert ("put them in a folder death" in told) != is_whole


def test_parts_of_omop_by_date_in_a_folder(folder: Path) -> None:
    """Whoever puts them in a folder says that they are parts."""
    written(folder, person__csv="person_id,year_of_birth\n1,1970")
    (folder / "death").mkdir()
    written(folder / "death", d_2019__csv="person_id,death_date\n1,2019-01-01", d_2020__csv="person_id,death_date\n2,")

    assert read_omop(folder).n_rows("death") == 2


@pytest.mark.parametrize(
    ("names", "n"), [(("1-of-3", "2-of-3"), 2), (("0-of-1", "1-of-1"), 2), (("1-of-2", "2-of-3"), 2)]
)
def test_one_part_of_several_is_missing(folder: Path, names: tuple[str, ...], n: int) -> None:
    """Its name says so: in a registry, in OMOP, and in a folder."""
    written(folder, person__csv="person_id,year_of_birth\n1,1970")
    for name in names:
        part(folder / "scores" / f"part-{name}.parquet", int(name[0]) + 10)
        written(folder, **{f"death_{name}__csv": f"person_id,death_date\n{name},2010-01-01"})
        written(folder, **{f"lmed_{name}__csv": SCORES.format(int(name[0]) + 10)})

    assert "there are 2, and their names speak of" in told(folder, files={})
    assert "there are 2, and their names speak of" in told(folder, files={"scores": "lmed_*"})
    assert "there are 2, and their names speak of" in told_of_omop(folder)


@pytest.mark.parametrize("names", [("1-of-2", "2-of-2"), ("00000-of-00002", "00001-of-00002")])
def test_all_parts_of_several(folder: Path, names: tuple[str, ...]) -> None:
    """They are read as one."""
    for year, name in enumerate(names, 10):
        written(folder, **{f"lmed_{name}__csv": SCORES.format(year)})

    assert read(folder, files={"scores": "lmed_*"}).n_rows("scores") == 2
