"""Files of a delivery that are not what they seem: names that are patterns, pipes, links, names in no alphabet."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from errno import EACCES
from pathlib import Path

import polars as pl
import pytest

from impasse.flows.delivery import delivery, parquet
from impasse.flows.delivery.regular import LEADS_OUTSIDE as OUTSIDE
from impasse.flows.delivery.regular import LINKED
from impasse.flows.files.fingerprints import sha256_of
from impasse.flows.files.spill import set_aside, write_quarantine
from impasse.flows.files.tables import read_parquet, scan_each
from impasse.schemas.errors import ImpasseError
from tests.unit.deliveries import OMOP_LISTS, read, study, written

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

    assert read_parquet(table).to_dict(as_series=False) == {"a": [1, 2]}
    assert scan_each(tmp_path / name, "*/*.parquet").collect()["a"].to_list() == [1, 2]


def test_rows_set_aside_in_a_folder_of_any_name(tmp_path: Path) -> None:
    """They come back from the file they were written to."""
    part = set_aside(pl.DataFrame({"a": [1]}), tmp_path / "o [1]" / "part.arrow")
    write_quarantine([part], tmp_path / "o [1]" / "quarantine.parquet")

    assert read_parquet(tmp_path / "o [1]" / "quarantine.parquet")["a"].to_list() == [1]


def listed(folder: Path, **source: object) -> dict[str, tuple[str, str]]:
    """State and note of everything in a delivery, by name."""
    return {found.name: (found.state, found.note) for found in read(folder, **source).found}


def parquet_table(folder: Path) -> Path:
    """A folder of one Parquet file of scores."""
    folder.mkdir(parents=True)
    pl.read_csv(SCORES.format(scale="phq9").encode(), infer_schema=False).write_parquet(folder / "part-0.parquet")
    return folder


@pytest.mark.parametrize("name", ["zzz.csv", "zzz.csv.gz", "zzz.parquet", "zzz"])
def test_a_pipe_that_nobody_asks_for_is_not_opened(folder: Path, name: str) -> None:
    """It is listed, and stops nothing."""
    os.mkfifo(folder / name)

    assert listed(folder)[name] == ("unreadable", "It is not a regular file.")


def test_a_socket_is_not_opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is listed as a pipe is."""
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind("zzz.csv")

        assert listed(folder)["zzz.csv"] == ("unreadable", "It is not a regular file.")


@pytest.mark.parametrize("name", ["scores.csv", "scores.csv.gz", "scores.parquet", "SCORES.txt"])
def test_a_table_that_is_a_pipe_is_refused(folder: Path, name: str) -> None:
    """It does not count as absent, and is not waited for."""
    os.mkfifo(folder / name)

    assert "It is not a regular file." in told(folder)
    assert name in told(folder)


def test_a_part_of_a_table_that_is_a_pipe_is_refused(folder: Path) -> None:
    """Half of a table is no table; no fingerprint is taken of it either."""
    os.mkfifo(parquet_table(folder / "scores") / "part-1.parquet")

    assert "It is not a regular file." in told(folder)
    with pytest.raises(ImpasseError, match="not a regular file"):
        sha256_of(folder / "scores" / "part-1.parquet")


def test_a_database_that_is_a_pipe_is_refused(tmp_path: Path) -> None:
    """It is not waited for."""
    os.mkfifo(tmp_path / "cdm.duckdb")

    with pytest.raises(ImpasseError, match="not a regular file"):
        delivery.open_delivery(study(kind="omop", path="cdm.duckdb"), tmp_path, OMOP_LISTS)


def test_a_table_that_is_a_device_is_refused(folder: Path) -> None:
    """A device that never ends is not read."""
    (folder / "scores.csv").symlink_to("/dev/zero")

    assert "It is not a regular file." in told(folder)


def test_a_table_that_is_a_broken_link_is_refused(folder: Path) -> None:
    """What it led to was to be delivered."""
    (folder / "scores.csv").symlink_to("gone.csv")

    assert "There is no such file or folder." in told(folder)


def test_a_file_that_is_a_link_out_of_the_delivery_is_read_and_noted(folder: Path, tmp_path: Path) -> None:
    """Institutions link the files of a year; a link within the delivery is a file as any other."""
    written(tmp_path, elsewhere__csv=SCORES.format(scale="phq9"))
    (folder / "scores.csv").symlink_to(tmp_path / "elsewhere.csv")
    (folder / "more.csv").symlink_to(tmp_path / "elsewhere.csv")
    (folder / "again").symlink_to("persons.csv")

    assert listed(folder) == {
        "again": ("not asked for", ""),
        "more.csv": ("not asked for", f"{OUTSIDE}; it has the columns of scores.csv, which is read"),
        "persons.csv": ("read", ""),
        "scores.csv": ("read", OUTSIDE),
    }


def test_what_a_link_leads_to_is_not_walked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link to the whole machine is listed as one."""
    (folder / "old").symlink_to("/")
    monkeypatch.setattr(parquet, "files_of", lambda place: [place] if place.is_file() else pytest.fail(f"{place}"))

    assert listed(folder)["old"] == ("not asked for", OUTSIDE)
    assert f"The folder 'old' is {OUTSIDE}" in told(folder, files={"scores": "old/scores"})
    assert f"The folder 'old' is {OUTSIDE}" in told(folder, files={"scores": "old"})


def test_a_table_that_is_a_link_to_a_folder(folder: Path, tmp_path: Path) -> None:
    """Within the delivery it is read; out of it it is refused, whatever is there."""
    parquet_table(folder / "all" / "mine")
    (folder / "scores").symlink_to("all/mine")
    assert read(folder).n_rows("scores") == 1

    parquet_table(tmp_path / "elsewhere")
    (folder / "scores").unlink()
    (folder / "scores").symlink_to(tmp_path / "elsewhere")
    assert f"The folder 'scores' is {OUTSIDE}" in told(folder)


def test_a_link_to_a_folder_within_the_delivery_is_listed_as_one(folder: Path) -> None:
    """Beside a table it is said to be a link, which is not looked into; what it leads to is listed where it is."""
    written(folder, notes__csv="a")
    (folder / "years").mkdir()
    (folder / "latest").symlink_to("years")

    assert listed(folder)["latest"] == ("not asked for", LINKED)


@pytest.mark.parametrize("where", ["..", "../all"], ids=["to the delivery", "to a folder in it"])
def test_a_part_of_a_table_that_is_a_link_to_a_folder(folder: Path, where: str) -> None:
    """It is refused wherever it leads, beside files or alone, and its value is not told."""
    parquet_table(folder / "all")
    parquet_table(folder / "scores")
    (folder / "scores" / "person_id=199001011234").symlink_to(where)

    message = told(folder)
    (folder / "scores" / "part-0.parquet").unlink()

    assert message == told(folder)
    assert f"The folder 'person_id=…' is {LINKED}." in message
    assert "1990" not in message


@pytest.mark.parametrize("beside", ["part-0.csv", "part-0.parquet"])
def test_a_part_of_an_omop_table_that_is_a_link_to_a_folder(folder: Path, tmp_path: Path, beside: str) -> None:
    """The same rule, CSV or Parquet."""
    parquet_table(tmp_path / "elsewhere")
    (folder / "person").mkdir()
    (folder / "persons.csv").rename(folder / "person" / "part-0.csv")
    pl.read_csv(folder / "person" / "part-0.csv").write_parquet(folder / "person" / "part-0.parquet")
    next(path for path in (folder / "person").iterdir() if path.name != beside).unlink()
    (folder / "person" / "year=1").symlink_to(tmp_path / "elsewhere")

    assert f"The folder 'year=…' is {LINKED}." in told_of_omop(folder)


def told_of_omop(folder: Path) -> str:
    """What the user is told of an OMOP CDM that is not read."""
    with pytest.raises(ImpasseError) as caught:
        delivery.open_delivery(study(kind="omop", path=folder.name), folder.parent, OMOP_LISTS)
    return str(caught.value)


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders called `locked` may not be listed, whoever asks: root may list all."""

    def refusing(look: Callable) -> Callable:
        def refuse(path: str | Path) -> object:
            if Path(path).name.startswith("locked"):
                raise PermissionError(EACCES, os.strerror(EACCES), str(path))
            return look(path)

        return refuse

    monkeypatch.setattr(os, "scandir", refusing(os.scandir))
    monkeypatch.setattr(os, "listdir", refusing(os.listdir))


@pytest.mark.usefixtures("locked")
def test_a_part_of_a_table_that_may_not_be_listed(folder: Path) -> None:
    """Half of a table is no table, in a registry and in OMOP, also where it is the other half that may be listed."""
    parquet_table(folder / "scores" / "locked=1990")
    assert "The folder cannot be listed: Permission denied." in told(folder)
    assert "scores/locked=…" in told(folder)
    assert "1990" not in told(folder)

    written(folder, person__csv="person_id,year_of_birth\n1,1970")
    parquet_table(folder / "death" / "locked")
    written(folder / "death", part_0__csv="person_id,death_date\n1,2010-01-01")
    assert "The folder cannot be listed: Permission denied." in told_of_omop(folder)


@pytest.mark.usefixtures("locked")
def test_a_folder_that_may_not_be_listed(folder: Path) -> None:
    """Beside the tables it is listed as unreadable; one in which a file is looked for is refused."""
    parquet_table(folder / "more" / "locked")
    parquet_table(folder / "locked_2019")

    assert listed(folder)["more/locked"] == listed(folder)["locked_2019"] == ("unreadable", "Permission denied")
    assert "The folder cannot be listed" in told(folder, files={"scores": "more/locked/scores"})
    assert "The folder cannot be listed" in told(folder, files={"scores": "locked_*"})


def test_a_name_in_another_alphabet_is_spelled_out(folder: Path) -> None:
    """It can be printed and written, and stops nothing if nothing asks for the file."""
    written(folder, **{os.fsdecode(b"scores_\xf6.csv"): SCORES.format(scale="phq9")})

    assert listed(folder)["scores_\\udcf6.csv"] == ("unreadable", "Its name is not UTF-8.")


@pytest.mark.parametrize("name", [b"scores_\xf6.csv", b"scores_\xf6.parquet", b"scores_1/part_\xf6.parquet"])
def test_a_table_with_a_name_in_another_alphabet_is_refused(folder: Path, name: bytes) -> None:
    """No library opens it."""
    (folder / "scores_1").mkdir()
    (folder / os.fsdecode(name)).write_text(SCORES.format(scale="phq9"))

    message = told(folder, files={"scores": "scores_*"})

    assert "Its name is not UTF-8." in message
    assert "_\\udcf6" in message


def test_an_omop_table_that_is_a_link_to_a_folder_outside(folder: Path, tmp_path: Path) -> None:
    """It is refused before anything below it is looked at."""
    (folder / "person").symlink_to("/")

    with pytest.raises(ImpasseError, match="The folder 'person' is a link that leads outside"):
        delivery.open_delivery(study(kind="omop", path=folder.name), tmp_path, OMOP_LISTS)
