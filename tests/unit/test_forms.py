"""How files are written: delimiter, encoding, quotes and decimal mark, stated by layout or study or told by a file."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from impasse.flows.delivery import delivery
from impasse.flows.delivery.csv import CsvForm
from impasse.schemas.errors import ImpasseError
from tests.tables import assert_shows
from tests.unit.deliveries import OMOP_LISTS, layout, read, read_and_cleaned, study, table_of, written

SEMICOLONS = {
    "persons__csv": "lopnr;fodelseman;kon\n1;197001;2",
    "par__csv": "lopnr;INDATUM;UTDATUM;HDIA;DIA1;OP;SOURCE\n1;2019-01-10;2019-01-20;F321;;;inpatient",
    "lmed__csv": """
        lopnr;EDATUM;ATC;ANTAL;forpddd
        1;2019-01-21;N06AB04;1;98,000
        1;2019-06-21;N06AB04;1;28,5
        1;2019-09-21;N06AB04;1;1.100,5
        1;2019-12-21;N06AB04;1;1 100,5
    """,
}
GENERIC = "person_id{0}birth_date\n1{0}1970-01-01\n2{0}1971-01-01"
PERSON = "person_id,year_of_birth\n1,1970"
ROWS = ['700003\tHarbour Town"s Clinic\tOSM', "900001\tsertraline\tRxNorm", "900002\tcitalopram\tRxNorm"]
CONCEPTS = "concept_id\tconcept_name\tvocabulary_id\n"


def told(folder: Path, **source: object) -> str:
    """What the user is told of a folder that is not read."""
    with pytest.raises(ImpasseError) as caught:
        read(folder, **source)
    return str(caught.value)


def concepts(folder: Path, text: str, person: str = PERSON, **source: object) -> pl.DataFrame:
    """The concepts of an OMOP folder."""
    written(folder, person__csv=person, CONCEPT__csv=text)
    chosen = study(kind="omop", path=folder.name, **source)
    return delivery.open_delivery(chosen, folder.parent, OMOP_LISTS).whole("concept")


def test_one_line_in_the_study_reads_decimal_commas(tmp_path: Path) -> None:
    """Semicolons are told from the first line; decimal = "," makes 98,000 98, and thousands may be parted."""
    found = read_and_cleaned(written(tmp_path, **SEMICOLONS), layout="swedish", decimal=",")

    assert found.extract.dispensings["days"].to_list() == [98, 28, 366, 366]
    assert "dispensings" not in found.quarantine


def test_without_that_line_what_may_be_thousands_is_refused(tmp_path: Path) -> None:
    """98,000 may be ninety-eight thousand: the row is set aside, and 28,5 is read."""
    found = read_and_cleaned(written(tmp_path, **SEMICOLONS), layout="swedish")

    assert found.extract.dispensings["days"].to_list() == [28]
    assert found.quarantine["dispensings"]["rule"].to_list() == ["supply_unreadable"] * 3


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_first_line_tells_the_delimiter(tmp_path: Path, mark: str) -> None:
    """Comma, semicolon, tab and bar, whether a study states them or not; a stated one is held to."""
    folder = written(tmp_path, persons__csv=GENERIC.format(mark))

    assert read(folder).whole("persons").columns == ["person_id", "birth_date"]
    assert read(folder, delimiter=mark).whole("persons").height == 2
    assert "not separated by ':'" in told(folder, delimiter=":")


def test_a_first_line_that_does_not_tell(tmp_path: Path) -> None:
    """As many commas as semicolons: refused until it is stated. Marks within quotes do not count."""
    folder = written(tmp_path, persons__csv='person_id,"birth;date"\n1,1970-01-01')

    assert "Column 'birth_date'" in told(folder)
    assert "cannot be told from the first line" in told(folder, quoting=False)
    assert "Column 'birth_date'" in told(folder, quoting=False, delimiter=",")


def test_one_column_needs_no_delimiter(tmp_path: Path) -> None:
    """A table of one column is separated by nothing."""
    folder = written(tmp_path, PERSON__csv="person_id\n1\n2")

    assert delivery.open_delivery(study(kind="omop", path=folder.name), folder.parent, OMOP_LISTS).n_rows("person") == 2


def test_a_table_of_the_study_has_the_last_word(tmp_path: Path) -> None:
    """What is said of one file holds over what is said of the source, and that over the layout."""
    folder = written(
        tmp_path, persons__csv=GENERIC.format(","), scores__csv="person_id;date;scale;value\n1;2010-01-01;phq9;5"
    )
    latin = "person_id;date;atc;note\n1;2010-01-01;N06AB06;Malmö\n".encode("latin-1")
    (folder / "lmed.csv").write_bytes(latin)
    files = {"scores": {"delimiter": ";"}, "dispensings": {"name": "lmed", "delimiter": ";", "encoding": "latin-1"}}

    found = read(folder, delimiter=",", files=files)

    assert found.whole("dispensings")["note"].to_list() == ["Malmö"]
    assert found.n_rows("scores") == 1


def test_the_encoding_of_a_layout_can_be_overruled(tmp_path: Path) -> None:
    """The Danish layout expects latin-1; a study says utf-8 in one line."""
    files = {
        "cpr__csv": "pnr,foed_dag,town\np,01-02-1970,Århus",
        "adm__csv": "pnr,recnum,d_inddto,d_uddto,c_pattype\np,1,2019-01-10,,2",
        "diag__csv": "recnum,c_diag,c_diagtype\n1,DF321,A",
        "lmdb__csv": "pnr,eksd,atc,apk,volume\np,2019-01-21,N06AB04,1,28",
    }
    folder = written(tmp_path, **files)

    assert "encoding = 'utf-8'" in told(folder, layout="danish")
    assert read(folder, layout="danish", encoding="utf-8").whole("persons")["town"].to_list() == ["Århus"]


def test_quotes_are_letters_where_quoting_is_off(tmp_path: Path) -> None:
    """A lone quote neither swallows the rows below nor stops the run."""
    text = 'person_id;birth_date;note\n1;1970-01-01;5" of snow\n2;1971-01-01;\n3;1972-01-01;6"'
    folder = written(tmp_path, persons__csv=text)

    assert "quoting = false" in told(folder)
    assert read(folder, quoting=False).whole("persons")["note"].to_list() == ['5" of snow', None, '6"']
    assert read(folder, quoting=False).n_rows("persons") == 3


def test_quotes_are_letters_in_a_file_that_comes_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few bytes are read at a time, a lone quote ends no line."""
    monkeypatch.setattr("impasse.flows.delivery.csv._BLOCK", 7)
    (tmp_path / "a.csv").write_bytes('id;note\n1;å"\n2;\n3;"ö\n'.encode("latin-1"))
    file = delivery.SourceFile(tmp_path / "a.csv", CsvForm(";", "latin-1", quoting=False))

    assert table_of(file)["note"].to_list() == ['å"', None, '"ö']


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_lone_quote_in_a_vocabulary(tmp_path: Path, place: int) -> None:
    """Athena's files are separated by tabs and not quoted: a quote in any row is a letter, and no row is lost."""
    rows = [*ROWS[1:][:place], ROWS[0], *ROWS[1:][place:]]

    found = concepts(tmp_path, CONCEPTS + "\n".join(rows))

    assert found.sort("concept_id").rows() == [tuple(row.split("\t")) for row in ROWS]


def test_a_vocabulary_that_is_quoted_throughout(tmp_path: Path) -> None:
    """Where the first line is quoted, as R writes it, quotes enclose cells, also between tabs."""
    found = concepts(tmp_path, '"concept_id"\t"concept_name"\n1\t"a\tb"')

    assert found.rows() == [("1", "a\tb")]


def test_comma_separated_tables_of_omop_are_quoted(tmp_path: Path) -> None:
    """A comma within quotes is no delimiter, unless the study switches quoting off."""
    text = 'concept_id,concept_name\n1,"sertraline, 50 MG"'

    assert concepts(tmp_path, text).rows() == [("1", "sertraline, 50 MG")]
    with pytest.raises(ImpasseError, match="a line does not fit the first one"):
        concepts(tmp_path, text, quoting=False)


def test_a_study_overrules_how_omop_tables_are_written(tmp_path: Path) -> None:
    """Quoting can be switched on between tabs, and a stated delimiter is held to in every table."""
    text = 'concept_id\tconcept_name\n1\t"a\tb"'

    assert concepts(tmp_path, text, quoting=True).rows() == [("1", "a\tb")]
    assert concepts(tmp_path, text, PERSON.replace(",", "\t"), quoting=True, delimiter="\t").rows() == [("1", "a\tb")]
    with pytest.raises(ImpasseError, match=r"person\.csv"):
        concepts(tmp_path, text, delimiter="\t")


@pytest.mark.parametrize("setting", [{"delimiter": ";"}, {"quoting": False}])
def test_a_database_is_not_written_with_delimiters(tmp_path: Path, setting: dict[str, object]) -> None:
    """A setting of CSV files that would be ignored is refused."""
    with duckdb.connect(str(tmp_path / "cdm.duckdb")) as database:
        database.sql("create table person as select 1 as person_id, 1970 as year_of_birth")

    with pytest.raises(ImpasseError, match=f"not written with {next(iter(setting))}"):
        delivery.open_delivery(study(kind="omop", path="cdm.duckdb", **setting), tmp_path, OMOP_LISTS)


def test_a_danish_delivery(tmp_path: Path) -> None:
    """Months are Danish, the comma is the decimal mark; a month that is none, and 1.234, are refused."""
    files = {
        "cpr__csv": "pnr,foed_dag,koen,doddato\np,02MAJ1971,K,\nq,03okt.1972,M,",
        "adm__csv": "pnr,recnum,d_inddto,d_uddto,c_pattype\np,1,10MAJ2019,10Maj2019,2\nq,2,10OKT2019,,2",
        "diag__csv": "recnum,c_diag,c_diagtype\n1,DF321,A\n2,DF411,A",
        "lmdb__csv": """
            pnr,eksd,atc,apk,volume
            p,21JAN2019,N06AB04,1,"28,000"
            p,21MAJ2019,N06AB04,1,"98,00"
            p,21OKT2019,N06AB04,1,"49.5"
            q,21OKT2019,N06AB04,1,"1.234"
            q,21MAI2019,N06AB04,1,"28"
        """,
    }
    found = read_and_cleaned(written(tmp_path, **files), layout="danish")

    assert_shows(found.extract.persons, "person_id | birth_date\np | 1971-05-02\nq | 1972-10-03")
    assert_shows(found.extract.dispensings, "date | days\n2019-01-21 | 28\n2019-05-21 | 98\n2019-10-21 | 49")
    assert found.extract.diagnoses["date"].cast(pl.String).to_list() == ["2019-05-10", "2019-10-10"]
    assert sorted(found.quarantine["dispensings"]["rule"]) == ["date_unreadable", "supply_unreadable"]


@pytest.mark.parametrize("name", ["swedish", "finnish", "generic"])
def test_shipped_layouts_leave_the_delimiter_to_the_file(name: str) -> None:
    """Only the Danish one states a decimal mark, and an encoding."""
    assert [file.stated() for file in layout(name).files.values() if file.stated()] == []
