"""Parquet as Spark and Arrow write it: a folder of files that together are one table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import date, datetime
from functools import reduce
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest

from impasse.flows.delivery import delivery, source_files
from impasse.flows.delivery.delivery import DeliveredFiles, SourceFile
from impasse.schemas.errors import ImpasseError
from tests.unit.deliveries import OMOP_LISTS, layout_of, study, table_of


def part(path: Path, **columns: list) -> None:
    """One file of a table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(columns).write_parquet(path)


def table(folder: Path) -> pl.DataFrame:
    """The table that a folder holds."""
    return table_of(SourceFile(folder))


def told(folder: Path) -> str:
    """What the user is told of a table."""
    with pytest.raises(ImpasseError) as caught:
        table(folder)
    return str(caught.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A table in two files among the marks of Spark."""
    part(tmp_path / "persons" / "part-00001.snappy.parquet", person_id=["3"], birth_date=[None])
    part(tmp_path / "persons" / "part-00000.snappy.parquet", person_id=["2", "1"], birth_date=["1970-01-01", None])
    part(tmp_path / "persons" / "_temporary" / "0" / "part-00002.parquet", person_id=["4"], birth_date=[None])
    (tmp_path / "persons" / "_SUCCESS").touch()
    (tmp_path / "persons" / ".part-00000.snappy.parquet.crc").write_bytes(b"crc")
    return tmp_path / "persons"


def read(base: Path) -> DeliveredFiles:
    """A delivery in the generic layout."""
    chosen = study(path=base.name)
    return delivery.open_delivery(chosen, base.parent, layout_of(chosen, base))


def test_a_folder_is_a_table(folder: Path) -> None:
    """Its files are read in the order of their paths, without what the writer keeps for itself."""
    assert table(folder)["person_id"].to_list() == ["2", "1", "3"]


@pytest.mark.parametrize("name", ["persons", "persons.parquet", "PERSONS"])
def test_a_folder_is_found_as_a_file_is(folder: Path, name: str) -> None:
    """By the name of the table, with or without the ending, in any capitals."""
    folder.rename(folder.with_name(name))

    assert read(folder.parent).n_rows("persons") == 3


def test_a_folder_is_found_in_omop_too(tmp_path: Path) -> None:
    """OMOP tables come so from Spark."""
    part(tmp_path / "cdm" / "person" / "part-0.parquet", person_id=[1], year_of_birth=[1970])
    found = delivery.open_delivery(study(kind="omop", path="cdm"), tmp_path, OMOP_LISTS)

    assert found.whole("person").rows() == [(1, 1970)]


def test_every_file_of_a_folder_is_listed(folder: Path) -> None:
    """Those that are read with their rows, and what lies beside them."""
    found = read(folder.parent).found

    assert [(entry.name, entry.state, entry.rows) for entry in found] == [
        ("persons/.part-00000.snappy.parquet.crc", "not asked for", None),
        ("persons/_SUCCESS", "not asked for", None),
        ("persons/part-00000.snappy.parquet", "read", 2),
        ("persons/part-00001.snappy.parquet", "read", 1),
        ("persons/_temporary/0/part-00002.parquet", "not asked for", None),
    ]


def test_every_file_of_a_folder_is_fingerprinted(folder: Path) -> None:
    """A manifest says what each of them was."""
    chosen = study(path=folder.parent.name)
    paths = delivery.source_paths(chosen, folder.parent.parent, layout_of(chosen, folder.parent))

    assert [path.name for path in paths] == ["part-00000.snappy.parquet", "part-00001.snappy.parquet"]


def test_a_big_folder_comes_in_pieces(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File by file, in the same order."""
    monkeypatch.setattr(source_files, "_SMALL", 0)
    pieces = list(DeliveredFiles({"a": (SourceFile(folder),)}).pieces("a"))

    assert [piece["person_id"].to_list() for piece in pieces] == [["2", "1"], ["3"]]


def test_columns_that_folders_give_are_read(tmp_path: Path) -> None:
    """year=2019 is the column year; a folder without a value gives a blank; the folder's own path gives nothing."""
    base = tmp_path / "site=north" / "scores"
    part(base / "year=2019" / "ward=a%20b" / "part-0.parquet", person_id=["1"])
    part(base / "year=2020" / "ward=__HIVE_DEFAULT_PARTITION__" / "part-0.parquet", person_id=["2"])

    assert table(base).to_dicts() == [
        {"person_id": "1", "year": "2019", "ward": "a b"},
        {"person_id": "2", "year": "2020", "ward": None},
    ]


def test_a_column_that_a_folder_gives_again(tmp_path: Path) -> None:
    """Which of the two is meant cannot be told."""
    part(tmp_path / "a" / "year=2019" / "part-0.parquet", Year=[2018])

    assert "'Year' and 'year'" in told(tmp_path / "a")


def test_files_with_different_columns(folder: Path) -> None:
    """Both are named, and the columns in which they differ."""
    part(folder / "part-00002.parquet", person_id=["3"], born=["1970-01-01"])

    message = told(folder)

    assert "different columns: 'birth_date', 'born'" in message
    assert "files persons/part-00000.snappy.parquet and persons/part-00002.parquet" in message


def test_files_with_different_kinds_of_values(folder: Path) -> None:
    """A date in one file is no text in another, and both are told; a column without any value fits both."""
    part(folder / "part-00002.parquet", birth_date=[date(1970, 1, 1)], person_id=["4"])

    assert "different kinds of values: 'birth_date' (text and dates)" in told(folder)


def test_times_of_different_zones(tmp_path: Path) -> None:
    """What is not alike is not told in the same words."""
    noon = pl.Series([datetime(2020, 1, 1, 12)])
    part(tmp_path / "a" / "part-0.parquet", id=[1], date=noon)
    part(tmp_path / "a" / "part-1.parquet", id=[1], date=noon.dt.replace_time_zone("UTC"))

    assert "'date' (times in us, without a zone and times in us, UTC)" in told(tmp_path / "a")


def test_a_part_that_is_cut_off_is_named(folder: Path) -> None:
    """Of forty parts it is one that must be copied again."""
    whole = folder / "part-00001.snappy.parquet"
    whole.write_bytes(whole.read_bytes()[:-20])

    assert "file persons/part-00001.snappy.parquet\n" in told(folder)


def test_a_part_whose_rows_cannot_be_read_is_named(folder: Path) -> None:
    """The columns of a file stand at its end, so what is wrong before it is seen only when its rows are read."""
    part(folder / "part-00002.parquet", person_id=[f"{n}" for n in range(5000)], birth_date=["1970-01-01"] * 5000)
    content = (folder / "part-00002.parquet").read_bytes()
    (folder / "part-00002.parquet").write_bytes(b"PAR1" + b"\xff" * 2000 + content[2004:])

    assert "file persons/part-00002.parquet\n" in told(folder)


def test_a_part_is_named_without_the_values_of_its_folders(tmp_path: Path) -> None:
    """Two files that are alike but for the value are told apart by their number, as in the list of files."""
    part(tmp_path / "a" / "lopnr=19121212" / "part-0.parquet", x=["1"])
    part(tmp_path / "a" / "lopnr=19131313" / "part-0.parquet", x=[1.5])
    message = told(tmp_path / "a")

    assert "files a/lopnr=…/part-0.parquet and a/lopnr=…/part-0.parquet (2)" in message
    assert "1912" not in message
    assert "1913" not in message


@pytest.mark.parametrize("broken", [0, 1])
def test_a_broken_part_is_named_without_the_values_of_its_folders(tmp_path: Path, broken: int) -> None:
    """The first or the second of the two."""
    for n, value in enumerate(("19121212", "19131313")):
        part(tmp_path / "a" / f"lopnr={value}" / "part-0.parquet", x=["1"])
        if n == broken:
            (tmp_path / "a" / f"lopnr={value}" / "part-0.parquet").write_bytes(b"PAR1")
    number = ("", " (2)")[broken]

    assert f"file a/lopnr=…/part-0.parquet{number}\n" in told(tmp_path / "a")


def test_two_files_of_one_look_up_tell_their_types(tmp_path: Path) -> None:
    """Here too the types are told, by the name of the column as the first file writes it."""
    part(tmp_path / "a.parquet", Id=["1"])
    part(tmp_path / "b.parquet", id=[1])
    found = DeliveredFiles({"a": (SourceFile(tmp_path / "a.parquet"), SourceFile(tmp_path / "b.parquet"))})

    with pytest.raises(ImpasseError, match=r"different kinds of values: 'Id' \(text and numbers\)"):
        found.whole("a")


def test_numbers_of_several_sizes_are_one_column(tmp_path: Path) -> None:
    """Whole numbers in one year and numbers with gaps in the next, as tools write them."""
    part(tmp_path / "a" / "part-0.parquet", person_id=[1], ddd=[None])
    part(tmp_path / "a" / "part-1.parquet", person_id=[2], ddd=[1.5])

    assert table(tmp_path / "a").rows() == [(1, None), (2, 1.5)]


def test_the_order_of_columns_is_that_of_the_first_file(folder: Path) -> None:
    """The same columns in another order are the same columns."""
    part(folder / "part-00002.parquet", birth_date=["1980-01-01"], person_id=["4"])

    assert table(folder).row(-1) == ("4", "1980-01-01")


def test_a_folder_of_something_else_is_no_table(tmp_path: Path) -> None:
    """Without Parquet in it a folder is none."""
    (tmp_path / "persons").mkdir()
    (tmp_path / "persons" / "part-0.csv").write_text("person_id,birth_date\n1,\n")

    with pytest.raises(ImpasseError, match="File 'persons' is missing"):
        read(tmp_path)


@pytest.mark.parametrize("names", [["date", "date"], ["date", "Date"]])
def test_two_columns_of_one_name(tmp_path: Path, names: list[str]) -> None:
    """Parquet can hold them, also by capitals alone."""
    pa.parquet.write_table(pa.table([pa.array(["1"])] * 2, names=names), tmp_path / "a.parquet")

    message = told(tmp_path / "a.parquet")

    assert "Columns 1 and 2 have one name" in message


def test_rows_that_appear_while_reading(tmp_path: Path) -> None:
    """As many rows are read as were counted, or the run stops."""
    part(tmp_path / "a.parquet", person_id=["1"])
    found = DeliveredFiles({"a": (SourceFile(tmp_path / "a.parquet"),)})
    assert found.n_rows("a") == 1
    part(tmp_path / "a.parquet", person_id=["1", "2"])

    with pytest.raises(ImpasseError, match="1 rows were counted and 2 read"):
        found.whole("a")


def test_a_table_without_rows_keeps_its_columns(tmp_path: Path) -> None:
    """It shows nothing, and is listed with none."""
    part(tmp_path / "d" / "persons.parquet", person_id=["1"], birth_date=["1970-01-01"])
    kinds = dict.fromkeys(("person_id", "date", "scale", "value"), pl.String)
    pl.DataFrame(schema=kinds).write_parquet(tmp_path / "d" / "scores.parquet")
    found = read(tmp_path / "d")

    assert "scores" not in found
    assert (found.found[1].name, found.found[1].state, found.found[1].rows) == ("scores.parquet", "read", 0)


@pytest.mark.parametrize("depth", [100, 500])
def test_a_column_of_structures_too_deep(tmp_path: Path, depth: int) -> None:
    """No library reads it; it is said so, and not that the file is cut off."""
    kind = reduce(lambda inner, _: pa.struct([("a", inner)]), range(depth), pa.int32())
    pa.parquet.write_table(pa.table({"id": ["1"], "x": pa.nulls(1, kind)}), tmp_path / "a.parquet")

    assert "structure within structure, too deep, which cannot be read" in told(tmp_path / "a.parquet")


@pytest.mark.parametrize(("figures", "is_read"), [(38, True), (39, False)])
def test_decimals_of_many_figures(tmp_path: Path, figures: int, is_read: bool) -> None:
    """Those of 256 bits cannot be read, which is told by the column's name."""
    kind = pa.decimal256(figures, 2) if figures > 38 else pa.decimal128(figures, 2)
    pa.parquet.write_table(pa.table({"id": ["1"], "x": pa.nulls(1, kind)}), tmp_path / "a.parquet")

    with nullcontext() if is_read else pytest.raises(ImpasseError, match="'x' is of the type decimal of 39 figures"):
        assert table(tmp_path / "a.parquet")["x"].to_list() == [None]


def test_texts_that_are_not_utf_8(tmp_path: Path) -> None:
    """The file is whole; what is wrong with it is said."""
    text = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")])
    pa.parquet.write_table(pa.table({"id": ["1"], "x": text}), tmp_path / "a.parquet")

    assert "A text in it is not UTF-8." in told(tmp_path / "a.parquet")


def equal_rows(path: Path, n_rows: int, row_group_size: int) -> SourceFile:
    """A small file of many equal rows: a text and a number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = pa.table({"person_id": pa.repeat("1", n_rows), "n": pa.repeat(1, n_rows)})
    pyarrow.parquet.write_table(rows, path, row_group_size=row_group_size)
    return SourceFile(path)


def test_what_equal_rows_take_in_memory_is_told_before_they_are_read(tmp_path: Path) -> None:
    """All of it, and the row groups that are there at once: one if there is one, else a few; of files the largest."""
    whole = equal_rows(tmp_path / "scores" / "1.parquet", 1_000_000, row_group_size=1_000_000)
    parts = equal_rows(tmp_path / "scores" / "2.parquet", 1_000_000, row_group_size=1_000)

    assert whole.path.stat().st_size < 50_000
    assert 24_000_000 <= whole.sizes[0] == whole.sizes[1] < 26_000_000
    assert 24_000_000 <= parts.sizes[0] < 26_000_000
    assert 4 * 24_000 <= parts.sizes[1] < 4 * 26_000
    assert SourceFile(tmp_path / "scores").sizes == (whole.sizes[0] + parts.sizes[0], whole.sizes[1])


@pytest.mark.parametrize(("n_rows", "is_kept"), [(100_000, True), (200_000, False)])
def test_a_file_is_small_if_its_rows_are(tmp_path: Path, n_rows: int, is_kept: bool) -> None:
    """Not if only its bytes are: what is small is kept in memory."""
    found = DeliveredFiles({"scores": (equal_rows(tmp_path / "scores.parquet", n_rows, row_group_size=n_rows),)})

    assert isinstance(found.pieces("scores"), Iterator)
    assert sum(piece.height for piece in found.pieces("scores")) == n_rows
    assert bool(found._small) is is_kept
