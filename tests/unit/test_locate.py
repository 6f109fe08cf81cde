"""Which files of a folder a study and a layout mean: names, patterns, lists; and what is not guessed but refused."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from impasse.flows.delivery import delivery, source_files
from impasse.flows.files import inputs
from impasse.schemas.errors import ImpasseError
from tests.tables import assert_shows
from tests.unit.deliveries import layout_of, read, read_and_cleaned, study, written

PERSONS = "lopnr,fodelseman,kon\n1,197001,2\n2,198005,1"
CONTACTS = "lopnr,INDATUM,UTDATUM,HDIA,DIA1,OP,SOURCE\n1,2019-01-10,2019-01-20,F321,,,inpatient"
INPATIENT = "lopnr,INDATUM,UTDATUM,HDIA,DIA1,OP\n1,20190110,20190120,F321,,DA024"
OUTPATIENT = "lopnr,INDATUM,HDIA,DIA1,OP\n2,20190210,F411,F321,"
LMED_2019 = "lopnr,EDATUM,ATC,ANTAL,forpddd\n1,2019-01-21,N06AB04,1,98"
LMED_2020 = "lopnr,EDATUM,ATC,ANTAL,forpddd\n2,2020-01-21,N06AX16,1,98"
ONE_FILE = {"persons__csv": PERSONS, "par__csv": CONTACTS}
BY_YEAR = ONE_FILE | {"lmed_2019__csv": LMED_2019, "lmed_2020__csv": LMED_2020}
TWO_FILES = {
    "persons__csv": PERSONS,
    "ut_par_sv_1_2024__csv": INPATIENT,
    "ut_par_ov_1_2024__csv": OUTPATIENT,
    "lmed__csv": LMED_2019,
}
BOTH_YEARS = "date | atc\n2019-01-21 | N06AB04\n2020-01-21 | N06AX16"


def refused(folder: Path, **source: object) -> str:
    """What the user is told of a folder that is not read."""
    with pytest.raises(ImpasseError) as caught:
        read(folder, layout="swedish", **source)
    return str(caught.value)


def written_by_spark(text: str, folder: Path) -> None:
    """A folder of one Parquet file that is a table."""
    folder.mkdir()
    pl.read_csv(text.encode(), infer_schema=False).write_parquet(folder / "part-0.parquet")


@pytest.mark.parametrize(
    "named",
    ["lmed_*", "lmed_*.csv", "LMED_????.csv", ["lmed_2019", "lmed_2020.csv"], ["lmed_2019", "lmed_*"]],
    ids=["pattern", "pattern with ending", "capitals", "list", "overlapping"],
)
def test_a_file_for_each_year(tmp_path: Path, named: str | list[str]) -> None:
    """A pattern or a list of names reads every year, each file once."""
    found = read_and_cleaned(written(tmp_path, **BY_YEAR), layout="swedish", files={"dispensings": named})

    assert_shows(found.extract.dispensings, BOTH_YEARS)


def test_a_folder_for_each_year(tmp_path: Path) -> None:
    """Folders of Parquet files, as Spark writes them, are found by a pattern as files are."""
    folder = written(tmp_path, **ONE_FILE)
    written_by_spark(LMED_2019, folder / "lmed_2019")
    written_by_spark(LMED_2020, folder / "lmed_2020")

    found = read_and_cleaned(folder, layout="swedish", files={"dispensings": "lmed_*"})

    assert_shows(found.extract.dispensings, BOTH_YEARS)


def test_a_layout_of_ones_own_names_a_pattern(tmp_path: Path) -> None:
    """What a study can say of names, a layout can."""
    shipped = inputs.read_layout("swedish")
    assert 'dispensings = { name = "prescriptions"' in shipped
    (tmp_path / "mine.toml").write_text(shipped.replace('name = "prescriptions", ', 'name = "lmed_*", '))
    chosen = study(path=tmp_path.name, layout=str(tmp_path / "mine.toml"))
    layout = layout_of(chosen, tmp_path)

    found = delivery.open_delivery(chosen, written(tmp_path, **BY_YEAR).parent, layout)

    assert found.n_rows("dispensings") == 2


def test_files_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    """Whatever the order in which they are listed, and each is an input of the run."""
    folder = written(tmp_path, **BY_YEAR)
    chosen = study(path=folder.name, layout="swedish", files={"dispensings": ["lmed_2020", "lmed_2019"]})
    layout = layout_of(chosen, folder)
    found = delivery.open_delivery(chosen, folder.parent, layout)

    assert [file.path.name for file in found.sources["dispensings"]] == ["lmed_2019.csv", "lmed_2020.csv"]
    assert [path.name for path in delivery.source_paths(chosen, folder.parent, layout)] == [
        *("lmed_2019.csv", "lmed_2020.csv", "par.csv", "persons.csv")
    ]


@pytest.mark.parametrize("small", [0, 1 << 20], ids=["in pieces", "in one piece"])
def test_columns_of_another_order_and_other_capitals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: int
) -> None:
    """Columns are found by name in each file, and one that a year does not have is blank there."""
    monkeypatch.setattr(source_files, "_SMALL", small)
    other = "atc,LOPNR,ANTAL,FORPDDD,edatum,note\nN06AX16,2,1,98,2020-01-21,x"
    folder = written(tmp_path, **BY_YEAR | {"lmed_2020__csv": other})
    found = read(folder, layout="swedish", files={"dispensings": "lmed_*"})

    assert_shows(
        read_and_cleaned(folder, layout="swedish", files={"dispensings": "lmed_*"}).extract.dispensings, BOTH_YEARS
    )
    assert [piece.columns for piece in found.pieces("dispensings")][-1] == [
        *("lopnr", "EDATUM", "ATC", "ANTAL", "forpddd", "note")
    ]


def test_a_year_without_a_needed_column_is_refused_by_name(tmp_path: Path) -> None:
    """One file of several that holds something else is named, with the column that it lacks."""
    folder = written(tmp_path, **BY_YEAR | {"lmed_2020__csv": "lopnr,EDATUM,ATC,ANTAL\n1,2020-01-21,N06AB04,1"})

    message = refused(folder, files={"dispensings": "lmed_*"})

    assert "Column 'forpddd' is missing" in message
    assert "lmed_2020.csv" in message


def test_files_of_one_name_in_two_folders_are_each_looked_at(tmp_path: Path) -> None:
    """The first of them lacks a column, not the last."""
    folder = written(tmp_path, **ONE_FILE)
    for year, text in (("2019", "lopnr,EDATUM,ATC,ANTAL\n1,2019-01-21,N06AB04,1"), ("2020", LMED_2020)):
        (folder / year).mkdir()
        written(folder / year, lmed__csv=text)

    assert "Column 'forpddd' is missing" in refused(folder, files={"dispensings": ["2019/lmed", "2020/lmed"]})


def test_a_pattern_that_fits_nothing(tmp_path: Path) -> None:
    """It is refused, with the files that are there."""
    message = refused(written(tmp_path, **BY_YEAR), files={"dispensings": "drugs_*"})

    assert "File 'drugs_*' is missing" in message
    assert "'lmed_2019.csv', 'lmed_2020.csv', 'par.csv', 'persons.csv'" in message


def test_files_that_begin_with_the_name_are_proposed(tmp_path: Path) -> None:
    """All of them, as the study would name them: half of the years make everybody under-treated."""
    message = refused(written(tmp_path, **BY_YEAR), files={"dispensings": "lmed"})

    assert 'as in dispensings = ["lmed_2019.csv", "lmed_2020.csv"]' in message


def test_a_list_with_a_name_that_is_not_there(tmp_path: Path) -> None:
    """One year of a list that is missing is not passed over."""
    message = refused(written(tmp_path, **BY_YEAR), files={"dispensings": ["lmed_2019", "lmed_2021"]})

    assert "File 'lmed_2021' is missing" in message


def test_a_pattern_does_not_read_a_year_twice(tmp_path: Path) -> None:
    """The same year packed and unpacked is refused; with its ending the pattern tells them apart."""
    folder = written(tmp_path, **BY_YEAR | {"lmed_2020__txt": LMED_2020})

    assert "'lmed_2020.csv', 'lmed_2020.txt'" in refused(folder, files={"dispensings": "lmed_*"})
    assert read(folder, layout="swedish", files={"dispensings": "lmed_*.csv"}).n_rows("dispensings") == 2


@pytest.mark.parametrize("other", ["lmed.txt", "LMED.csv", "lmed.csv.gz"])
@pytest.mark.parametrize("named", [{}, {"dispensings": "lmed"}], ids=["by the layout", "by the study"])
def test_two_files_of_one_plain_name_are_not_guessed(tmp_path: Path, other: str, named: dict[str, str]) -> None:
    """Which ending, or which capitals, is meant the study must say; then that file is read."""
    folder = written(tmp_path, **ONE_FILE, lmed__csv=LMED_2019)
    (folder / other).write_text(LMED_2020)

    assert "'lmed.csv'" in refused(folder, files=named)
    assert f"'{other}'" in refused(folder, files=named)
    found = read(folder, layout="swedish", files={"dispensings": "lmed.csv"})
    assert [file.path.name for file in found.sources["dispensings"]] == ["lmed.csv"]


def test_a_folder_beside_a_file_of_its_name_is_not_guessed(tmp_path: Path) -> None:
    """A table in both is refused; a name with its ending, or a pattern within the folder, tells which is meant."""
    folder = written(tmp_path, **ONE_FILE, lmed__csv=LMED_2019)
    written_by_spark(LMED_2020, folder / "lmed")

    assert "'lmed', 'lmed.csv'" in refused(folder)
    assert read(folder, layout="swedish", files={"dispensings": "lmed/*.parquet"}).n_rows("dispensings") == 1


def test_two_files_of_names_that_the_layout_knows_are_not_guessed(tmp_path: Path) -> None:
    """The layout's own names fit two files: whether they are two years or one table twice, the study must say."""
    message = refused(written(tmp_path, **BY_YEAR))

    assert "More than one file may be meant by 'dispensings': 'lmed_2019.csv', 'lmed_2020.csv'" in message
    assert "source.files" in message


def test_swedish_contacts_in_two_files(tmp_path: Path) -> None:
    """Inpatient and outpatient contacts come without SOURCE, under the order's number; only stays are admissions."""
    found = read_and_cleaned(written(tmp_path, **TWO_FILES), layout="swedish").extract

    assert_shows(
        found.diagnoses,
        """
        date       | end_date   | code | position | setting
        2019-01-10 | 2019-01-20 | F321 | main     | inpatient
        2019-02-10 | -          | F411 | main     | outpatient
        2019-02-10 | -          | F321 | other    | outpatient
        """,
    )
    assert_shows(found.admissions, "start_date | end_date | main_code\n2019-01-10 | 2019-01-20 | F321")
    assert_shows(found.procedures, "date | code | treatment\n2019-01-10 | DA024 | ect")


@pytest.mark.parametrize("named", ["ut_par_sv_1_2024", "ut_par_*"])
def test_one_of_the_two_files_named_as_the_one_file(tmp_path: Path, named: str) -> None:
    """A study that calls the inpatient file, or both, `diagnoses` means the register, and reads each file once."""
    found = read(written(tmp_path, **TWO_FILES), layout="swedish", files={"diagnoses": named})

    assert sorted(found.sources) == ["dispensings", "inpatient", "outpatient", "persons"]


def test_swedish_contacts_in_one_file(tmp_path: Path) -> None:
    """One file whose SOURCE tells the kind of care is read as well."""
    found = read_and_cleaned(written(tmp_path, **ONE_FILE, lmed__csv=LMED_2019), layout="swedish").extract

    assert_shows(found.diagnoses, "code | setting\nF321 | inpatient")


def test_contacts_in_both_forms_are_refused(tmp_path: Path) -> None:
    """They would be read twice; the study says which is not to be read."""
    folder = written(tmp_path, **TWO_FILES | ONE_FILE)

    assert "two forms: 'par.csv', 'ut_par_ov_1_2024.csv', 'ut_par_sv_1_2024.csv'" in refused(folder)
    assert "inpatient" in read(folder, layout="swedish", files={"diagnoses": []}).sources
    assert "diagnoses" in read(folder, layout="swedish", files={"inpatient": [], "outpatient": []}).sources


def test_contacts_in_no_form_are_refused(tmp_path: Path) -> None:
    """Every name that was looked for is told; nothing is silently absent."""
    message = refused(written(tmp_path, persons__csv=PERSONS, lmed__csv=LMED_2019))

    assert "File 'diagnoses' is missing" in message
    assert "ut_par_sv*" in message
    assert "ut_par_ov*" in message


def test_half_of_the_contacts_are_refused_unless_the_study_says_so(tmp_path: Path) -> None:
    """Without the outpatient file half of the contacts are missing, which only the study can say is meant."""
    folder = written(tmp_path, persons__csv=PERSONS, ut_par_sv__csv=INPATIENT, lmed__csv=LMED_2019)

    message = refused(folder)

    assert "File 'outpatient' is missing" in message
    assert "outpatient = []" in message
    assert "inpatient" in read(folder, layout="swedish", files={"outpatient": []}).sources


def test_persons_cannot_be_left_out(tmp_path: Path) -> None:
    """A study that says that there is no file of persons is refused."""
    assert "file 'persons'" in refused(written(tmp_path, **BY_YEAR), files={"persons": []})


def test_the_one_file_without_its_column_may_be_one_of_the_two(tmp_path: Path) -> None:
    """Under a name that the layout does not know it is refused, and the keys it may have been meant for are named."""
    folder = written(tmp_path, persons__csv=PERSONS, stays__csv=INPATIENT, lmed__csv=LMED_2019)

    message = refused(folder, files={"diagnoses": "stays"})

    assert "Column 'SOURCE' is missing" in message
    assert "inpatient or outpatient" in message
