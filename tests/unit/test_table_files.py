"""Reading and writing: what a file may look like, and that the same table gives the same bytes."""

from __future__ import annotations

import errno
import gzip
import json
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from impasse.flows.delivery import csv, database, delivery, source_files
from impasse.flows.delivery.csv import CsvForm
from impasse.flows.delivery.delivery import SourceFile
from impasse.flows.files import inputs, texts
from impasse.flows.files.fingerprints import sha256_of
from impasse.flows.files.spill import BucketFiles
from impasse.flows.files.tables import check_table, read_parquet, write_parquet
from impasse.schemas.concepts import OmopLists
from impasse.schemas.errors import ImpasseError
from impasse.schemas.extracts import Persons, Scores
from tests.unit.deliveries import OMOP_LISTS, layout_of, study, table_of

SCORES = {"person": [0], "date": [date(2010, 1, 1)], "scale": ["phq9"], "value": [4.0]}


def scores(**changed: list) -> pl.DataFrame:
    """A canonical scores table of one row, with columns changed."""
    return pl.DataFrame(SCORES | changed, schema_overrides={"person": pl.UInt32, "scale": pl.Categorical})


def test_csv_is_read_as_text(tmp_path: Path) -> None:
    """Leading zeros, ATC codes and blank cells come through as they are."""
    (tmp_path / "a.csv").write_text("id,day\n007,20100101\n,\n")

    assert table_of(SourceFile(tmp_path / "a.csv")).to_dicts() == [
        {"id": "007", "day": "20100101"},
        {"id": None, "day": None},
    ]


def test_latin_1_and_semicolons(tmp_path: Path) -> None:
    """A file in latin-1 with semicolons is read when the mapping says so, plain or gzipped."""
    text = "id;kön\n1;å\n".encode("latin-1")
    (tmp_path / "a.csv").write_bytes(text)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(text))

    assert table_of(SourceFile(tmp_path / "a.csv", CsvForm(";", "latin-1"))).to_dicts() == [{"id": "1", "kön": "å"}]
    assert table_of(SourceFile(tmp_path / "b.csv.gz", CsvForm(";", "latin-1"))).to_dicts() == [{"id": "1", "kön": "å"}]


def test_byte_order_mark_is_not_part_of_the_first_column(tmp_path: Path) -> None:
    """CSV from a spreadsheet begins with a mark that is no text."""
    (tmp_path / "a.csv").write_bytes("\ufeffid,b\n1,2\n".encode())

    assert table_of(SourceFile(tmp_path / "a.csv")).columns == ["id", "b"]


def test_files_are_found_in_any_case_and_ending(tmp_path: Path) -> None:
    """PERSONS.CSV.GZ is the persons file, and a Parquet file keeps its dates."""
    (tmp_path / "PERSONS.CSV.GZ").write_bytes(gzip.compress(b"person_id,birth_date\n1,1970-01-01\n"))
    pl.DataFrame({"person_id": [1], "date": [date(2010, 1, 1)], "atc": ["N06AB06"]}).write_parquet(
        tmp_path / "Dispensings.parquet"
    )
    chosen = study(path=tmp_path.name)
    found = delivery.open_delivery(chosen, tmp_path.parent, layout_of(chosen, tmp_path))

    assert sorted(found.sources) == ["dispensings", "persons"]
    assert found.whole("dispensings").schema["date"] == pl.Date


def test_big_files_come_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A big file is read piece by piece, in order, with nothing lost."""
    (tmp_path / "a.csv").write_text("id\n" + "\n".join(str(n) for n in range(25)) + "\n")
    monkeypatch.setattr(source_files, "_PIECE", 10)
    monkeypatch.setattr(source_files, "_SMALL", 0)
    pieces = list(delivery.DeliveredFiles({"a": (SourceFile(tmp_path / "a.csv"),)}).pieces("a"))

    assert [piece.height for piece in pieces] == [10, 10, 5]
    assert pl.concat(pieces)["id"].to_list() == [str(n) for n in range(25)]


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_rows_are_counted_without_reading(tmp_path: Path, ending: str) -> None:
    """Rows, not lines: a line end within quotes, and one missing at the end, do not count."""
    text = b'person_id,birth_date,note\na,1970-01-01,"x\ny"\nb,,'
    path = tmp_path / f"persons{ending}"
    if ending == ".parquet":
        pl.read_csv(text).write_parquet(path)
    else:
        path.write_bytes(gzip.compress(text) if ending == ".csv.gz" else text)
    chosen = study(path=tmp_path.name)
    found = delivery.open_delivery(chosen, tmp_path.parent, layout_of(chosen, tmp_path))

    assert found.n_rows("persons") == 2


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize(
    ("text", "n_rows"),
    [
        (b"id,code", 0),
        (b"id,code\n", 0),
        (b"\n\nid,code", 0),
        (b"\xef\xbb\xbfid,code", 0),
        (b"\xef\xbb\xbf\n\r\nid,code\r\n1,2", 1),
        (b"\n\r\n\n\nid,code\n1,2\n", 1),
    ],
)
@pytest.mark.parametrize("block", [4, 1 << 20])
def test_a_header_is_found_wherever_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, encoding: str, text: bytes, n_rows: int, block: int
) -> None:
    """After a mark and blank lines, also if they come apart; and at the end of a file, ended by a line end or not."""
    monkeypatch.setattr(csv, "_BLOCK", block)
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    found = delivery.DeliveredFiles({"a": (SourceFile(tmp_path / name, CsvForm(encoding=encoding)),)})

    assert found.n_rows("a") == n_rows
    assert found.whole("a").columns == ["id", "code"]
    assert found.whole("a").height == n_rows


def test_a_packed_file_may_be_filled_up_and_have_parts(tmp_path: Path) -> None:
    """Tapes fill files up with zeros; packed files that are put one after another are one."""
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"id,code\n1,2\n") + gzip.compress(b"3,4\n") + bytes(1000))

    assert table_of(SourceFile(tmp_path / "a.csv.gz")).rows() == [("1", "2"), ("3", "4")]


def test_what_is_no_part_of_a_packed_file_is_refused(tmp_path: Path) -> None:
    """Rows may be missing where something else begins."""
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"id,code\n1,2\n") + b"secret")

    with pytest.raises(ImpasseError, match="The file cannot be unpacked"):
        table_of(SourceFile(tmp_path / "a.csv.gz"))


def test_rows_come_back_by_bucket(tmp_path: Path) -> None:
    """What is added in parts is read together, bucket by bucket, also where a part of one is empty."""
    files = BucketFiles(tmp_path / "rows")
    rows = pl.DataFrame({"person": [0], "words": [3]}, schema_overrides={"words": pl.UInt32})
    files.add([rows, rows.clear()])
    files.add([rows, rows.with_columns(person=pl.col("person") + 1)])

    assert files.read(0).rows() == [(0, 3), (0, 3)]
    assert files.read(1).rows() == [(1, 3)]
    assert files.read(1).schema == rows.schema
    assert len(list((tmp_path / "rows").iterdir())) == 2


@pytest.mark.parametrize("block", [1, 7, 24, 1000])
@pytest.mark.parametrize("before", ["", "\n", "\r\n\r\n"])
def test_latin_1_comes_in_pieces_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, before: str) -> None:
    """However few bytes are read at a time, no line and no cell with a line end in it is cut, nothing is lost.

    Blank lines before the header are no header.
    """
    text = before + 'id;"a\nname"\n1;å\n2;"ä\n;""ö"\n3;\n4;x'
    (tmp_path / "a.csv").write_bytes(text.encode("latin-1"))
    whole = pl.read_csv(text.encode(), separator=";", infer_schema=False)
    monkeypatch.setattr(csv, "_BLOCK", block)

    assert table_of(SourceFile(tmp_path / "a.csv", CsvForm(";", "latin-1"))).rows() == whole.rows()
    assert table_of(SourceFile(tmp_path / "a.csv", CsvForm(";", "latin-1"))).columns == ["id", "a\nname"]


def test_own_layout_is_a_path(tmp_path: Path) -> None:
    """A user's mapping is a TOML file beside the study."""
    own = inputs.shipped("mappings/generic.toml").read_text().replace('name = "persons"', 'name = "people"')
    (tmp_path / "own.toml").write_text(own)

    assert layout_of(study(layout="own.toml"), tmp_path).files["persons"].name == ("people",)


def test_unknown_layout_is_refused(tmp_path: Path) -> None:
    """A layout that is neither shipped nor a file stops the run with the nearest name."""
    with pytest.raises(ImpasseError, match="Did you mean 'swedish'"):
        layout_of(study(layout="swedisch"), tmp_path)


def test_omop_studies_are_read_by_concept_lists(tmp_path: Path) -> None:
    """An OMOP study needs no mapping."""
    assert isinstance(layout_of(study(kind="omop"), tmp_path), OmopLists)


def test_omop_folder_with_tabs_and_capitals(tmp_path: Path) -> None:
    """Vocabulary files separated by tabs are read, and a table without rows shows nothing."""
    (tmp_path / "PERSON.csv").write_text("PERSON_ID,YEAR_OF_BIRTH\n1,1970\n")
    (tmp_path / "CONCEPT.csv").write_text("concept_id\tconcept_name\n1\tx, y\n")
    (tmp_path / "death.csv").write_text("person_id,death_date\n")
    found = delivery.open_delivery(study(kind="omop", path=tmp_path.name), tmp_path.parent, OMOP_LISTS)

    assert found.whole("concept").to_dicts() == [{"concept_id": "1", "concept_name": "x, y"}]
    assert [table for table in ("person", "concept", "death") if table in found] == ["person", "concept"]


def test_omop_database(tmp_path: Path) -> None:
    """A DuckDB file is read whatever the case and schema of its tables; dates and numbers keep their types."""
    with duckdb.connect(str(tmp_path / "cdm.duckdb")) as database:
        database.sql("create schema cdm")
        database.sql("create table cdm.cdm.PERSON as select 1 as person_id, 1970 as year_of_birth")
        database.sql("create table cdm.cdm.death as select 1 as person_id, date '2010-01-01' as death_date")
    found = delivery.open_delivery(study(kind="omop", path="cdm.duckdb"), tmp_path, OMOP_LISTS)

    assert found.whole("person").to_dicts() == [{"person_id": 1, "year_of_birth": 1970}]
    assert found.whole("death").schema["death_date"] == pl.Date


def test_big_tables_of_a_database_come_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order in which they are stored, with nothing lost; an empty table counts as not delivered."""
    with duckdb.connect(str(tmp_path / "cdm.duckdb")) as stored_in:
        stored_in.sql("create table person as select range as person_id from range(5000) order by hash(range)")
        stored_in.sql("create table death (person_id integer)")
        stored = stored_in.sql("select * from person").pl()
    monkeypatch.setattr(database, "_PIECE", 2048)
    found = delivery.open_delivery(study(kind="omop", path="cdm.duckdb"), tmp_path, OMOP_LISTS)
    pieces = list(found.pieces("person"))

    assert len(pieces) > 1
    assert pl.concat(pieces).equals(stored)
    assert found.whole("person").equals(stored)
    assert (found.n_rows("person"), "death" in found) == (5000, False)


def test_shipped_definitions_and_code_lists_are_read() -> None:
    """Definitions come by id, in order, and the code lists are whole."""
    found = inputs.read_definitions()

    assert list(found) == sorted(found)
    assert inputs.read_codelists().treatments.height > 100


def test_definition_ids_are_unique(tmp_path: Path) -> None:
    """A user's definition cannot take the id of a shipped one."""
    shipped = next(inputs.shipped("definitions").glob("*/*.toml"))
    (tmp_path / shipped.name).write_text(shipped.read_text())

    with pytest.raises(ImpasseError, match="Two definitions have the id"):
        inputs.read_definitions([tmp_path])


def test_a_file_says_nothing_of_the_pool_its_words_were_in(tmp_path: Path) -> None:
    """Words numbered in another order, in a pool of their own, are the same bytes, and are read as any others."""
    for name, before in (("one", []), ("two", ["gad7", "madrs"])):
        pool = pl.Categorical(pl.Categories.random())
        _held = pl.Series(before, dtype=pl.String).cast(pool)
        words = pl.Series(["phq9", "gad7"]).cast(pool)
        rows = pl.concat([scores(), scores()]).with_columns(scale=words)
        write_parquet(rows, tmp_path / f"{name}.parquet", Scores)

    assert sha256_of(tmp_path / "one.parquet") == sha256_of(tmp_path / "two.parquet")
    assert read_parquet(tmp_path / "one.parquet").schema == scores().schema


def test_same_rows_same_bytes(tmp_path: Path) -> None:
    """Two tables of the same rows in another order are the same file."""
    one = pl.concat([scores(), scores(scale=["gad7"])])
    write_parquet(one, tmp_path / "one.parquet", Scores, key=("person", "scale"))
    write_parquet(one.reverse(), tmp_path / "two.parquet", Scores, key=("person", "scale"))

    assert sha256_of(tmp_path / "one.parquet") == sha256_of(tmp_path / "two.parquet")


def test_a_full_disk_is_a_fault_of_the_disk() -> None:
    """What Polars tells as a fault of computing is told as one of the disk, with its number and the file."""
    with pytest.raises(OSError, match="No space left on device: '/dev/full'") as caught:
        write_parquet(scores(), Path("/dev/full"))

    assert caught.value.errno == errno.ENOSPC


def test_a_full_disk_is_told_for_texts_too() -> None:
    """The system does not say which file could not be finished: we do."""
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        texts.write_text("text", Path("/dev/full"))


def test_a_table_that_is_gone_is_a_fault_of_the_disk(tmp_path: Path) -> None:
    """A table that a run has written and cannot find is told with its number and path."""
    with pytest.raises(FileNotFoundError) as caught:
        read_parquet(tmp_path / "gone.parquet")

    assert (caught.value.errno, caught.value.filename) == (errno.ENOENT, str(tmp_path / "gone.parquet"))


def test_a_delivery_on_a_failing_disk_is_a_fault_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that does not answer is not told as a broken file, so that reading is tried again."""
    (tmp_path / "a.csv").write_text("id\n1\n")

    def fail(*_: object, **__: object) -> None:
        raise pl.exceptions.ComputeError("Input/output error (os error 5)")

    monkeypatch.setattr(pl, "scan_csv", fail)

    with pytest.raises(OSError, match="Input/output error") as caught:
        table_of(SourceFile(tmp_path / "a.csv"))

    assert caught.value.errno == errno.EIO


def test_a_broken_table_is_told_in_counts() -> None:
    """A table that breaks its model is refused with column, check and number, and no value."""
    persons = pl.DataFrame(
        {
            "person": [0, 0],
            "person_id": ["secret", "secret"],
            "birth_date": [None, None],
            "sex": ["hidden", "male"],
            "death_date": [None, None],
        },
        schema=dict.fromkeys(("person", "person_id", "birth_date", "sex", "death_date"))
        | {
            "person": pl.UInt32,
            "person_id": pl.String,
            "birth_date": pl.Date,
            "sex": pl.String,
            "death_date": pl.Date,
        },
    )

    with pytest.raises(ImpasseError) as caught:
        check_table(persons, Persons, "persons")

    assert "sex: isin" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_json_is_sorted(tmp_path: Path) -> None:
    """Keys in order, UTF-8, one line end: the same value gives the same bytes."""
    texts.write_json({"b": 1, "a": "å"}, tmp_path / "deep" / "a.json")

    assert (tmp_path / "deep" / "a.json").read_bytes() == '{\n  "a": "å",\n  "b": 1\n}\n'.encode()
    assert json.loads((tmp_path / "deep" / "a.json").read_text()) == {"a": "å", "b": 1}
