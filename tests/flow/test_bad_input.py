"""Deliveries broken on purpose: each stops with one message that names file, column and remedy, and no value."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest

from impasse.flows.delivery import delivery
from impasse.flows.delivery.csv import CsvForm
from impasse.flows.delivery.delivery import SourceFile
from impasse.flows.files import inputs
from impasse.schemas.errors import ImpasseError
from tests.unit.deliveries import OMOP_LISTS, layout_of, study, table_of

PERSONS = "person_id,birth_date\nsecret,1970-01-01\n"


def read(folder: Path, **source: str) -> None:
    """Read a delivery in the generic layout, and its persons to the last row."""
    chosen = study(path=folder.name, **source)
    delivery.open_delivery(chosen, folder.parent, layout_of(chosen, folder)).whole("persons")


def told(folder: Path, **source: str) -> str:
    """What the user is told about the delivery."""
    with pytest.raises(ImpasseError) as caught:
        read(folder, **source)
    assert "secret" not in str(caught.value)
    return str(caught.value)


def test_missing_folder(tmp_path: Path) -> None:
    """A folder that is not there is named."""
    assert "no such file or folder" in told(tmp_path / "nowhere")


def test_file_where_a_folder_is_expected(tmp_path: Path) -> None:
    """A registry delivery is a folder."""
    (tmp_path / "persons.csv").write_text(PERSONS)

    assert "Not a folder" in told(tmp_path / "persons.csv")


def test_missing_file(tmp_path: Path) -> None:
    """A required file that is not there is named, with the file that looks like it."""
    (tmp_path / "person.csv").write_text(PERSONS)

    message = told(tmp_path)

    assert "File 'persons' is missing." in message
    assert "There is 'person.csv'" in message


def test_a_file_that_the_study_names_must_be_there(tmp_path: Path) -> None:
    """Scores may be absent; scores that the study says are in a folder may not. Its ending need not be said."""
    (tmp_path / "persons.csv").write_text(PERSONS)
    chosen = study(path=tmp_path.name, files={"scores": "visits/scales"})

    def delivered() -> object:
        return delivery.open_delivery(chosen, tmp_path.parent, layout_of(chosen, tmp_path))

    with pytest.raises(ImpasseError, match="File 'visits/scales' is missing"):
        delivered()

    (tmp_path / "visits").mkdir()
    (tmp_path / "visits" / "scales.csv").write_text("person_id,date,scale,value\nsecret,2010-01-01,phq9,5\n")
    delivered()


def test_missing_column(tmp_path: Path) -> None:
    """A missing column is named with its file and the place of the nearest column there is."""
    (tmp_path / "persons.csv").write_text("person_id,birthdate\nsecret,1970-01-01\n")

    message = told(tmp_path)

    assert "Column 'birth_date' is missing." in message
    assert "file persons" in message
    assert "The name of column 2 is near it" in message
    assert "birthdate" not in message


def test_missing_column_of_a_parquet_file(tmp_path: Path) -> None:
    """What is named in a Parquet file is a column and no row, so the nearest is told by its name."""
    (tmp_path / "persons.csv").unlink(missing_ok=True)
    pl.DataFrame({"person_id": ["secret"], "birthdate": ["1970-01-01"]}).write_parquet(tmp_path / "persons.parquet")

    assert "The file has 'birthdate'" in told(tmp_path)


@pytest.mark.parametrize("first", ["person_0001,birth_year_1970,sexy_f", "Person Idström,Birth Dateson,Sexton"])
def test_a_name_that_stands_for_a_header_is_not_quoted(tmp_path: Path, first: str) -> None:
    """No letter of a first line is repeated, though each cell is near a name that is wanted and none is a number."""
    (tmp_path / "persons.csv").write_text(f"{first}\n{first}\n")

    message = told(tmp_path)

    assert "If the file has no header" in message
    assert not [cell for cell in first.split(",") if cell.lower() in message.lower()]


def test_two_cells_alike_where_names_should_be(tmp_path: Path) -> None:
    """A row with a value twice, as a database copies it without a header, is told by places alone."""
    (tmp_path / "persons.csv").write_text("Anna Svensson\tf\tAnna Svensson\n")

    message = told(tmp_path)

    assert "Columns 1 and 3 have one name." in message
    assert "If the file has no header" in message
    assert "Anna" not in message


def test_a_file_without_a_header_is_not_quoted(tmp_path: Path) -> None:
    """Where names should be stands a person; a mark of that row that is near a name is not repeated."""
    (tmp_path / "persons.csv").write_text("persona_id,1970-02-03,f\nP2,1971-02-03,m\n")

    message = told(tmp_path)

    assert "no header" in message
    assert "persona_id" not in message


def test_wrong_delimiter(tmp_path: Path) -> None:
    """Semicolons where the study says commas; where nobody says anything they are told from the first line."""
    (tmp_path / "persons.csv").write_text(PERSONS.replace(",", ";"))
    read(tmp_path)

    message = told(tmp_path, delimiter=",")

    assert "persons.csv" in message
    assert "seems to use ';'" in message


def test_latin_1_where_utf_8_is_stated(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are told as an encoding, with the likely one."""
    (tmp_path / "persons.csv").write_bytes(PERSONS.replace("secret", "secretö").encode("latin-1"))

    assert "encoding = 'latin-1'" in told(tmp_path)


def test_utf_8_where_latin_1_is_stated(tmp_path: Path) -> None:
    """UTF-8 read as latin-1 would not fail, only spoil names: it is refused."""
    (tmp_path / "a.csv").write_text("id,town\n1,Malmö\n", encoding="utf-8")

    with pytest.raises(ImpasseError, match="encoding = 'utf-8'"):
        table_of(SourceFile(tmp_path / "a.csv", CsvForm(encoding="latin-1")))


def test_late_encoding_error(tmp_path: Path) -> None:
    """A letter far into the file is found too, and told by its line without quoting it."""
    (tmp_path / "persons.csv").write_bytes(PERSONS.encode() + b"secret,1970-01-01\n" * 80_000 + b"secret\xff,1\n")

    message = told(tmp_path)

    assert "encoding = 'latin-1'" in message
    assert f"persons.csv, first on line {PERSONS.count(chr(10)) + 80_001:,}" in message


def test_late_utf_8_where_latin_1_is_stated(tmp_path: Path) -> None:
    """Also where the first letters are far into the file: they would be spoilt in silence."""
    (tmp_path / "a.csv").write_bytes(b"id,town\n" + b"1,Lund\n" * 200_000 + "2,Malmö\n".encode())

    with pytest.raises(ImpasseError, match="encoding = 'utf-8'"):
        table_of(SourceFile(tmp_path / "a.csv", CsvForm(encoding="latin-1")))


@pytest.mark.parametrize("n_between", [0, 200_000])
def test_letters_written_in_two_ways(tmp_path: Path, n_between: int) -> None:
    """Another encoding would spoil the letters above: the file is to be written again."""
    above, below = "person_id,birth_date\nsecret,ö\n".encode(), "secret,ö\n".encode("latin-1")
    (tmp_path / "persons.csv").write_bytes(above + b"1,1970-01-01\n" * n_between + below)

    message = told(tmp_path)

    assert "The text is not utf-8 throughout." in message
    assert f"persons.csv, first on line {n_between + 3:,}" in message
    assert "encoding = " not in message


def test_a_file_cut_off_within_a_letter(tmp_path: Path) -> None:
    """It is no other encoding."""
    (tmp_path / "persons.csv").write_bytes("person_id,birth_date\nsecret,å".encode()[:-1])

    assert "the file is cut off" in told(tmp_path)


def test_line_with_too_many_cells(tmp_path: Path) -> None:
    """An unquoted comma shifts cells: the file is refused rather than misread."""
    (tmp_path / "persons.csv").write_text(PERSONS + "secret,1970-01-01,more\n")

    assert "a line does not fit the first one" in told(tmp_path)


@pytest.mark.parametrize("end", ["secret\n", "secret", "secret\nsecret,1970-01-01\n"])
def test_line_with_too_few_cells(tmp_path: Path, end: str) -> None:
    """A line that is cut off is not a line of blank cells, at the end of the file or within it."""
    (tmp_path / "persons.csv").write_text(PERSONS + end)
    (tmp_path / "dispensings.csv").write_text("person_id,date,atc\nsecret,2010-01-01,N06AB06\n")

    assert "a line does not fit the first one" in told(tmp_path)


def test_short_lines_are_found_before_anything_is_computed(tmp_path: Path) -> None:
    """Every file is checked when the delivery is opened, gzipped ones too; nothing is read of an optional table yet."""
    (tmp_path / "persons.csv").write_text(PERSONS)
    (tmp_path / "dispensings.csv.gz").write_bytes(gzip.compress(b"person_id,date,atc\nsecret,2010-01-01,N06AB06\nsec"))

    assert "dispensings.csv.gz" in told(tmp_path)


def test_short_lines_of_an_omop_table(tmp_path: Path) -> None:
    """OMOP tables are held to the same."""
    (tmp_path / "person.csv").write_text("person_id,year_of_birth\n1,1970\n2\n")

    with pytest.raises(ImpasseError, match="a line does not fit the first one"):
        delivery.open_delivery(study(kind="omop", path=tmp_path.name), tmp_path.parent, OMOP_LISTS)


def test_quoted_cells_and_blank_cells_are_cells(tmp_path: Path) -> None:
    """A line end or separator within quotes, CRLF, a last cell left blank and a missing last line end are all fine."""
    (tmp_path / "persons.csv").write_bytes(b'person_id,birth_date,note\r\na,1970-01-01,"x,\r\ny"\r\nb,,')

    read(tmp_path)


def test_empty_file(tmp_path: Path) -> None:
    """A file of no bytes, and one of a header only, hold no rows."""
    (tmp_path / "persons.csv").write_text("")
    nothing = told(tmp_path)
    (tmp_path / "persons.csv").write_text("person_id,birth_date\n")

    assert "holds no rows" in nothing
    assert "holds no rows" in told(tmp_path)


def test_file_of_a_byte_order_mark_only(tmp_path: Path) -> None:
    """A mark is no text: such a file is empty, with or without a line end."""
    (tmp_path / "persons.csv").write_bytes(b"\xef\xbb\xbf")
    mark = told(tmp_path)
    (tmp_path / "persons.csv").write_bytes(b"\xef\xbb\xbf\r\n")
    line = told(tmp_path)
    (tmp_path / "persons.csv").write_bytes(b"\xef\xbb\xbf\n\n\xef\xbb\xbf\n")

    assert "holds no rows" in mark
    assert "holds no rows" in line
    assert "holds no rows" in told(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16(tmp_path: Path, encoding: str) -> None:
    """What a spreadsheet calls Unicode text is told as UTF-16, with or without its mark."""
    (tmp_path / "persons.csv").write_bytes(PERSONS.encode(encoding))

    message = told(tmp_path)

    assert "UTF-16" in message
    assert "persons.csv" in message


def test_a_mark_where_latin_1_is_stated(tmp_path: Path) -> None:
    """A byte order mark alone spoils nothing; with letters in UTF-8 the file is refused."""
    form = CsvForm(encoding="latin-1")
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfid,b\n1,2\n")
    (tmp_path / "b.csv").write_bytes("\ufeffid,b\n1,å\n".encode())

    assert table_of(SourceFile(tmp_path / "a.csv", form)).rows(named=True) == [{"id": "1", "b": "2"}]
    with pytest.raises(ImpasseError, match="encoding = 'utf-8'"):
        table_of(SourceFile(tmp_path / "b.csv", form))


def test_lines_that_end_in_carriage_returns(tmp_path: Path) -> None:
    """Lines ended by CR alone are told as such, not as a file without rows."""
    (tmp_path / "persons.csv").write_bytes(PERSONS.replace("\n", "\r").encode())

    assert "carriage return" in told(tmp_path)


def test_truncated_parquet(tmp_path: Path) -> None:
    """Half a Parquet file is not one."""
    pl.DataFrame({"person_id": ["secret"] * 1000}).write_parquet(tmp_path / "persons.parquet")
    whole = (tmp_path / "persons.parquet").read_bytes()
    (tmp_path / "persons.parquet").write_bytes(whole[: len(whole) // 2])

    assert "cannot be read as Parquet" in told(tmp_path)


def test_truncated_gzip(tmp_path: Path) -> None:
    """Half a gzipped file is not one."""
    whole = gzip.compress(PERSONS.encode() + bytes(range(48, 58)) * 100_000)
    (tmp_path / "persons.csv.gz").write_bytes(whole[: len(whole) // 2])

    assert "cut off" in told(tmp_path)


def test_damaged_gzip(tmp_path: Path) -> None:
    """A gzipped file with a wrong byte far inside is told as unreadable."""
    rows = "".join(f"{n},1970-01-01\n" for n in range(400_000))
    damaged = bytearray(gzip.compress((PERSONS + rows).encode()))
    damaged[-2000:-1000] = bytes(1000)
    (tmp_path / "persons.csv.gz").write_bytes(damaged)

    assert "cut off" in told(tmp_path)


def test_omop_folder_without_persons(tmp_path: Path) -> None:
    """An OMOP delivery needs at least its person table."""
    with pytest.raises(ImpasseError, match="File 'person' is missing"):
        delivery.open_delivery(study(kind="omop", path=tmp_path.name), tmp_path.parent, OMOP_LISTS)


def test_omop_database_that_is_none(tmp_path: Path) -> None:
    """A file that is no DuckDB database is told as one."""
    (tmp_path / "cdm.duckdb").write_text("secret")

    with pytest.raises(ImpasseError, match="DuckDB"):
        delivery.open_delivery(study(kind="omop", path="cdm.duckdb"), tmp_path, OMOP_LISTS)


def test_study_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing study file is named."""
    with pytest.raises(ImpasseError, match=r"study\.toml"):
        inputs.read_study(tmp_path / "study.toml")


def test_study_path_that_is_a_folder(tmp_path: Path) -> None:
    """A folder is not a study file, and is named."""
    with pytest.raises(ImpasseError) as caught:
        inputs.read_study(tmp_path)

    assert str(tmp_path) in str(caught.value)


def test_folder_among_definitions(tmp_path: Path) -> None:
    """A folder whose name ends like a definition is named."""
    (tmp_path / "mine.toml").mkdir()

    with pytest.raises(ImpasseError, match=r"mine\.toml"):
        inputs.read_definitions([tmp_path])


def test_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without permission is named."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / "study.toml"))

    monkeypatch.setattr(Path, "read_text", refuse)

    with pytest.raises(ImpasseError, match=r"study\.toml"):
        inputs.read_study(tmp_path / "study.toml")
