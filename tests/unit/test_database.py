"""DuckDB files that are not what they seem: nothing in them runs, and nothing of them is lost without a word."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from impasse.flows.delivery import database, delivery
from impasse.schemas.delivered import Delivered
from impasse.schemas.errors import ImpasseError
from impasse.schemas.found import NO_ROWS, Found
from tests.unit.deliveries import OMOP_LISTS, study


def written(folder: Path, *statements: str) -> None:
    """A database made by these statements, with a person."""
    with duckdb.connect(str(folder / "cdm.duckdb")) as opened:
        for statement in ("create table person as select 1 as person_id, 1970 as year_of_birth", *statements):
            opened.execute(statement)


def read(folder: Path) -> Delivered:
    """The database as a delivery."""
    return delivery.open_delivery(study(kind="omop", path="cdm.duckdb"), folder, OMOP_LISTS)


def told(folder: Path) -> str:
    """What the user is told about the database."""
    with pytest.raises(ImpasseError) as caught:
        read(folder)
    return str(caught.value)


def test_a_name_that_is_a_statement_does_not_run(tmp_path: Path) -> None:
    """A schema may be called anything; its name is a name wherever it stands."""
    target = tmp_path / "written.csv"
    name = f"""main"."x"; COPY (select 42 as a) TO '{target}'; select 1 from "main"""
    quoted = '"' + name.replace('"', '""') + '"'
    written(tmp_path, "create table x (a int)", f"create schema {quoted}", "alter table person rename to gone")
    with duckdb.connect(str(tmp_path / "cdm.duckdb")) as opened:
        opened.execute(f"create table {quoted}.person as select 7 as person_id")

    assert read(tmp_path).whole("person").to_dicts() == [{"person_id": 7}]
    assert not target.exists()


def test_a_view_is_not_read(tmp_path: Path) -> None:
    """A view of OMOP's name is refused with what to do: it could read any file, or what it says could change."""
    (tmp_path / "other.csv").write_text("person_id,death_date\n1,2010-01-01\n")
    written(tmp_path, f"create view death as select * from read_csv('{tmp_path / 'other.csv'}')")

    message = told(tmp_path)

    assert "A view is not read" in message
    assert "death" in message


def test_a_view_that_nothing_asks_for_is_listed(tmp_path: Path) -> None:
    """It stops nothing, and is not read."""
    written(tmp_path, "create view cohort as select * from read_csv('/etc/hostname')")

    assert read(tmp_path).found[-1] == Found("main.cohort", "unreadable", note="a view is not read")


def test_every_table_is_listed(tmp_path: Path) -> None:
    """Those of other schemas too, with how many rows were read."""
    written(tmp_path, "create schema etl", "create table etl.log (a int)", "create table death (person_id int)")

    assert read(tmp_path).found == (
        Found("main.death", "read", "death", 0, NO_ROWS),
        Found("main.person", "read", "person", 1),
        Found("etl.log", "not asked for"),
    )


def test_a_table_without_rows_shows_nothing(tmp_path: Path) -> None:
    """As if it were not there; persons without a row are refused."""
    written(tmp_path, "create table death (person_id int, death_date date)")

    assert "death" not in read(tmp_path)

    written_before = tmp_path / "cdm.duckdb"
    written_before.unlink()
    written(tmp_path, "delete from person")

    assert "The person table has no rows." in told(tmp_path)


def test_macros_of_the_file_are_not_asked(tmp_path: Path) -> None:
    """A macro called as a function of ours does not answer for it."""
    written(
        tmp_path,
        "create macro count(x) as 99",
        "create macro duckdb_tables() as table select 'x' as schema_name, 'person' as table_name, false as internal",
    )

    assert read(tmp_path).n_rows("person") == 1


def test_computed_columns_are_left_out(tmp_path: Path) -> None:
    """What a column would compute is not run; that it is left out is noted."""
    written(tmp_path, "create table death (person_id int, twice int generated always as (person_id * 2))")
    with duckdb.connect(str(tmp_path / "cdm.duckdb")) as opened:
        opened.execute("insert into death values (1)")
    found = read(tmp_path)

    assert found.whole("death").to_dicts() == [{"person_id": 1}]
    assert found.found[0].note == "not read, as they are computed or of an odd type: twice"


def test_columns_of_odd_types_break_nothing(tmp_path: Path) -> None:
    """Lists, structures and enumerations come as they are; what Polars does not have is left out."""
    written(
        tmp_path,
        "create type mood as enum ('INTERVAL', 'b')",
        "create table death (person_id int, m mood, l int[], s struct(a int), i interval, u union(n int, t varchar))",
        "insert into death (person_id, m) values (1, 'INTERVAL')",
    )

    assert read(tmp_path).whole("death").columns == ["person_id", "m", "l", "s"]


def test_other_files_cannot_be_reached(tmp_path: Path) -> None:
    """Not from a default, a view or an attached file: access is off, and the file cannot switch it on."""
    written(tmp_path)
    with database.connected(tmp_path / "cdm.duckdb") as opened:
        with pytest.raises(duckdb.PermissionException):
            opened.sql("select * from read_text('/etc/hostname')").fetchall()
        with pytest.raises(duckdb.Error, match="locked"):
            opened.sql("set enable_external_access = true")


def test_dates_beyond_the_calendar_are_handed_on(tmp_path: Path) -> None:
    """Infinity is a date of the database: it is read, and judged where days are."""
    written(tmp_path, "create table death as select 1 as person_id, date 'infinity' as death_date")

    assert read(tmp_path).whole("death").schema["death_date"] == pl.Date


def test_rows_that_appear_while_reading(tmp_path: Path) -> None:
    """As many rows are read as were counted, or the run stops."""
    written(tmp_path, "create table death as select 1 as person_id, date '2010-01-01' as death_date")
    found = read(tmp_path)
    with duckdb.connect(str(tmp_path / "cdm.duckdb")) as opened:
        opened.execute("insert into death values (2, ?)", [date(2011, 1, 1)])

    with pytest.raises(ImpasseError, match="1 rows were counted and 2 read"):
        found.whole("death")


def test_a_moment_has_its_day_in_utc_on_every_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file keeps the moment and no zone; the zone of the machine decides nothing, and that is noted."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    written(tmp_path, "create table death as select 1 as person_id, make_timestamptz(1451691000000000) as death_date")
    found = read(tmp_path)

    assert found.whole("death").schema["death_date"] == pl.Datetime("us", "UTC")
    assert found.found[0].note == "days in UTC, as the file states no zone: death_date"


@pytest.mark.parametrize("name", ["cdm.duckdb.wal", "cdm.duckdb.wal.checkpoint"])
def test_a_database_with_changes_beside_it_is_refused(tmp_path: Path, name: str) -> None:
    """They would be read and be no part of its fingerprint; another database's log is none of its."""
    written(tmp_path)
    (tmp_path / "other.duckdb.wal").touch()
    assert read(tmp_path).n_rows("person") == 1

    (tmp_path / name).touch()
    assert "CHECKPOINT" in told(tmp_path)


def test_changes_beside_the_database_that_a_link_leads_to(tmp_path: Path) -> None:
    """They would not be read, and their rows lost."""
    (tmp_path / "there").mkdir()
    written(tmp_path / "there")
    (tmp_path / "cdm.duckdb").symlink_to(tmp_path / "there" / "cdm.duckdb")
    (tmp_path / "there" / "cdm.duckdb.wal").touch()

    assert "CHECKPOINT" in told(tmp_path)


def test_structures_too_deep_are_left_out(tmp_path: Path) -> None:
    """No library reads 64 within one another; the rest of the table is read, and that is noted."""
    kind = "struct(a " * 300 + "int" + ")" * 300
    written(tmp_path, f"create table death as select 1 as person_id, null::{kind} as x")
    found = read(tmp_path)

    assert found.whole("death").columns == ["person_id"]
    assert found.found[0].note == "not read, as they are computed or of an odd type: x"
