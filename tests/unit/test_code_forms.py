"""Codes: their form by system, several in one cell, and codes and identifiers that were written as numbers."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from impasse.schemas.code_forms import FORMS, PLAIN_CODE
from impasse.schemas.codelists import CodeLists
from impasse.schemas.delivered import Delivered
from impasse.schemas.errors import ImpasseError
from impasse.schemas.extracts import CODE_SYSTEMS
from impasse.schemas.mapping import CodeColumn, Part
from impasse.transforms.ingest.cells import ROW, spread
from tests.cleaning import Cleaned, clean
from tests.shipped import CODES
from tests.tables import assert_shows
from tests.unit.deliveries import cleaned, layout, study

PERSONS = "person_id,birth_date\na,1950-05-05\n"
DIAGNOSES = "person_id,date,code,code_system\n"


def shipped(lists: CodeLists) -> list[tuple[str, str]]:
    """System and code of every diagnosis and procedure that a code list holds."""
    rows = (lists.diagnoses.select("code_system", "code"), lists.procedures.select("code_system", "code"))
    return pl.concat(rows).unique().rows()


def test_every_listed_code_has_the_form_of_its_system() -> None:
    """Nothing that a code list holds is refused."""
    assert [pair for pair in shipped(CODES) if not re.search(FORMS.get(pair[0], PLAIN_CODE), pair[1])] == []


def test_every_system_of_diagnoses_but_the_open_one_has_a_form() -> None:
    """`other` may be anything made of letters and digits."""
    assert set(CODE_SYSTEMS) - set(FORMS) == {"other"}


@pytest.mark.parametrize(
    ("system", "code"),
    [
        ("icd10", "F32"),
        ("icd10", "F3210"),
        ("icd10", "F329W"),
        ("icd10", "T43216A"),
        ("icd10", "T1491XA"),
        ("icd10", "F32100X001"),
        ("icd10", "C7A092"),
        ("icd10", "H442A1"),
        ("icd10", "K31A11"),
        ("icd10", "H2510LB"),
        ("icd10", "F01A11"),
        ("icd10", "F32A"),
        ("icd10", "F20000X001"),
        ("snomed", "100000"),
        ("icd9", "30000"),
        ("icd9", "296B"),
        ("icd9", "2961A"),
        ("icd9", "E9500"),
        ("icd9", "V1581"),
        ("icd8", "30049"),
        ("icd8", "300499"),
        ("icd8", "Y9009"),
        ("icpc2", "P76"),
        ("icpc2", "P7601"),
        ("icpc2", "50"),
        ("snomed", "35489007"),
        ("omop", "440383"),
        ("other", "X"),
    ],
)
def test_codes_of_national_modifications_are_codes(system: str, code: str) -> None:
    """The forms hold what each country has made of a classification."""
    found = cleaned("generic", persons=PERSONS, diagnoses=f"{DIAGNOSES}a,2010-01-01,{code},{system}\n")

    assert found.extract.diagnoses["code"].to_list() == [code]


@pytest.mark.parametrize(
    ("system", "code"),
    [
        ("icd10", "F"),
        ("icd10", "2963"),
        ("icd10", "depression"),
        ("icd10", "F321F411"),
        ("icd10", "F32F41"),
        ("icd10", "F00G30"),
        ("icd10", "F000G300"),
        ("icd10", "DF321"),
        ("icd9", "F321"),
        ("icd9", "29"),
        ("icd9", "2963030000"),
        ("icd8", "30"),
        ("icpc2", "P7"),
        ("icpc2", "P76P74P7"),
        ("snomed", "F321"),
        ("snomed", "35489"),
        ("omop", "F32"),
    ],
)
def test_codes_of_another_form_are_refused(system: str, code: str) -> None:
    """A code of another system, a word or a row of codes is none."""
    found = cleaned("generic", persons=PERSONS, diagnoses=f"{DIAGNOSES}a,2010-01-01,{code},{system}\n")

    assert found.quarantine["diagnoses"]["rule"].to_list() == ["code_malformed"]


@pytest.mark.parametrize("cell", ["F32.1 F41.1", "F32.1;F41.1", '"F32.1,F41.1"', "F32/F41", "G30.1+F00.1", "F32 F41"])
def test_several_codes_in_one_cell_are_not_one(cell: str) -> None:
    """They are refused, whatever is between them, where the mapping does not say how to part them."""
    found = cleaned("generic", persons=PERSONS, diagnoses=f"{DIAGNOSES}a,2010-01-01,{cell},icd10\n")

    assert found.quarantine["diagnoses"]["rule"].to_list() == ["code_malformed"]


def test_signs_around_and_within_a_code_are_not_of_it() -> None:
    """Dots, dashes, a decimal comma and the dagger's plus are how codes are written."""
    rows = 'a,2010-01-01, F32.1- ,icd10\na,2010-01-02,F00.1*,icd10\na,2010-01-03,"300,40",icd8\n'
    found = cleaned("generic", persons=PERSONS, diagnoses=DIAGNOSES + rows)

    assert found.extract.diagnoses["code"].to_list() == ["F321", "F001", "30040"]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("F32.1 G", "F321"),
        ("F 32.1", "F321"),
        ("F 32.1 G", "F321"),
        ("f 32", "F32"),
        ("F32 .1", "F321"),
        ("H25.1 L", "H251L"),
    ],
)
def test_blanks_within_one_code_are_not_of_it(cell: str, code: str) -> None:
    """A blank after the letter or before the dot, and German marks of a sure diagnosis or a side."""
    found = cleaned("generic", persons=PERSONS, diagnoses=f"{DIAGNOSES}a,2010-01-01,{cell},icd10\n")

    assert found.extract.diagnoses["code"].to_list() == [code]


@pytest.mark.parametrize(
    "cell", ["F32.1 V", "F32.1 A", "F32.1 Z", "F 32.1 F 41.1", "F32 1", "F 32 41", "F00.0*G30.0", "G30†F00"]
)
def test_blanks_that_may_part_codes_are_not_taken_away(cell: str) -> None:
    """Nor is a diagnosis that is suspected, ruled out or past taken for one that the patient has."""
    found = cleaned("generic", persons=PERSONS, diagnoses=f"{DIAGNOSES}a,2010-01-01,{cell},icd10\n")

    assert found.quarantine["diagnoses"]["rule"].to_list() == ["code_malformed"]


def test_dagger_and_star_part_codes_where_the_mapping_parts_them() -> None:
    """At the end of a code they join nothing."""
    cells = pl.DataFrame({ROW: [0, 1, 2], "dia": ["F00.0*G30.0", "G30.0+ F00.0*;F32", "F00.0*"]})
    entry = CodeColumn(column="dia", separator=";")
    part = Part(file="dia", columns={}, codes=(entry,))

    found = spread(cells, cells.select(row=ROW), (entry,), (), part)

    assert found["code"].to_list() == ["F000", "G300", "G300", "F000", "F32", "F000"]


def test_the_side_of_a_procedure_is_of_its_code() -> None:
    """OPS writes it after a colon; OPCS fills a code of three places with an X."""
    rows = "a,2010-01-01,5-452.61:R,ops\na,2010-01-02,Y70X,opcs4\n"
    found = cleaned("generic", persons=PERSONS, procedures="person_id,date,code,code_system\n" + rows)

    assert found.extract.procedures["code"].to_list() == ["545261R", "Y70X"]


def test_several_codes_are_parted_where_the_mapping_says_so() -> None:
    """The Swedish patient register writes procedures with a space between; a diagnosis cell holds one."""
    contact = "lopnr,INDATUM,UTDATUM,HDIA,DIA1,OP,SOURCE\n"
    found = cleaned(
        "swedish",
        persons="lopnr,fodelseman,kon\n1,1970,1\n",
        diagnoses=contact + "1,2010-01-01,,F321,,DA024 DU011,inpatient\n1,2010-02-01,,F321,F411 F42,,inpatient\n",
    )

    assert found.extract.procedures["code"].to_list() == ["DA024", "DU011"]
    assert_shows(found.quarantine["diagnoses"], "DIA1 | rule\nF411 F42 | code_malformed")


def test_procedures_have_the_form_of_their_system_or_any() -> None:
    """A system that is not known to us may write its codes as it likes, but one to a cell."""
    rows = "a,2010-01-01,90834,cpt\na,2010-01-02,F32,cpt\na,2010-01-03,AB1,local\na,2010-01-04,AB1 AB2,local\n"
    found = cleaned("generic", persons=PERSONS, procedures="person_id,date,code,code_system\n" + rows)

    assert found.extract.procedures["code"].to_list() == ["90834", "AB1"]
    assert found.quarantine["procedures"]["rule"].to_list() == ["code_malformed", "code_malformed"]


def read(table: str, **columns: list) -> Cleaned:
    """A typed table of person 1, as Parquet and databases bring it."""
    n_rows = len(next(iter(columns.values())))
    days = {"person_id": [1] * n_rows, "date": [date(2010, 1, 1)] * n_rows}
    persons = pl.DataFrame({"person_id": [1], "birth_date": [date(1970, 1, 1)]})
    delivered = Delivered({"persons": persons, table: pl.DataFrame({**days, **columns})})
    return clean(delivered, layout("generic"), study(), CODES)


@pytest.mark.parametrize(
    "codes",
    [[300.0, 300.02, None], [30000, 30002, None], [Decimal("300.00"), Decimal("300.02"), None]],
    ids=["float", "integer", "decimal"],
)
def test_codes_written_as_numbers_are_refused(codes: list) -> None:
    """300.00 and 300 are two codes and one number: the message names file and column, and no code."""
    with pytest.raises(ImpasseError) as caught:
        read("diagnoses", code=codes, code_system=["icd9"] * 3)

    assert "file diagnoses" in str(caught.value)
    assert "column 'code'" in str(caught.value)
    assert "3000" not in str(caught.value).replace("300.00", "")


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("procedures", {"code": [90834], "code_system": ["cpt"]}),
        ("procedures", {"code": [90834, 228557008], "code_system": ["cpt", "snomed"]}),
        ("dispensings", {"atc": [6.0]}),
    ],
)
def test_every_column_of_codes_is_text(table: str, columns: dict[str, list]) -> None:
    """Procedures and drugs too, and a column of which some codes are numbers and some are not."""
    with pytest.raises(ImpasseError, match="have lost their zeros"):
        read(table, **columns)


def test_identifiers_of_concepts_are_numbers() -> None:
    """SNOMED and OMOP codes have no zeros to lose."""
    found = read("diagnoses", code=[35489007.0, 440383.0], code_system=["SNOMED", "omop"])

    assert found.extract.diagnoses["code"].to_list() == ["35489007", "440383"]


def test_a_column_of_blanks_has_no_codes_to_lose() -> None:
    """A column in which nothing is written may be of any type: such rows have no code."""
    found = read("diagnoses", code=[None, float("nan")], code_system=["icd9"] * 2)

    assert found.quarantine["diagnoses"]["rule"].to_list() == ["code_missing"] * 2


def ids(persons: pl.Series, diagnoses: pl.Series) -> Cleaned:
    """Persons and diagnoses with their identifiers as delivered."""
    born = pl.DataFrame({"person_id": persons}).with_columns(birth_date=date(1970, 1, 1))
    ill = pl.DataFrame({"person_id": diagnoses}).with_columns(
        date=date(2010, 1, 1), code=pl.lit("F32"), code_system=pl.lit("icd10")
    )
    return clean(Delivered({"persons": born, "diagnoses": ill}), layout("generic"), study(), CODES)


def test_decimal_identifiers_keep_their_digits() -> None:
    """1.0000000000 is 1, 10 stays 10, and digits beyond those of a floating point number are not lost."""
    long = 2**53 + 1
    found = ids(
        pl.Series([Decimal(1), Decimal(10), Decimal(long)], dtype=pl.Decimal(38, 10)),
        pl.Series([1, 10, long], dtype=pl.Int64),
    )
    whole = ids(pl.Series([Decimal(100)], dtype=pl.Decimal(38, 0)), pl.Series(["100.00"]))

    assert found.extract.persons["person_id"].to_list() == ["1", "10", str(long)]
    assert found.extract.diagnoses.height == 3
    assert whole.extract.diagnoses.height == 1


@pytest.mark.parametrize(("kind", "exact"), [(pl.Float64, 2.0**53), (pl.Float32, 2.0**24)])
def test_floating_point_identifiers_are_read_while_they_are_exact(kind: type[pl.DataType], exact: float) -> None:
    """The largest whole number that is surely right is read; one more may be another, and the column is refused."""
    last = int(exact) - 1

    assert ids(pl.Series([exact - 1], dtype=kind), pl.Series([last])).extract.diagnoses.height == 1
    with pytest.raises(ImpasseError, match="have lost digits") as caught:
        ids(pl.Series([exact], dtype=kind), pl.Series([last]))
    assert "column 'person_id'" in str(caught.value)
    assert str(last) not in str(caught.value)
