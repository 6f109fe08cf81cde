"""The shipped register layouts: Swedish, Finnish and Danish rows, and what they become."""

from __future__ import annotations

import polars as pl
import pytest

from impasse.schemas.delivered import Delivered
from impasse.schemas.study import SupplySection
from tests.cleaning import clean
from tests.shipped import CODES
from tests.tables import assert_shows
from tests.unit.deliveries import SHARED, cleaned, layout, study

SWEDISH = {
    "persons": "lopnr,fodelseman,DodDatum\n1,  1956,\n2,195703,    2012\n",
    "diagnoses": "SOURCE,LopNr,INDATUM,HDIA,OP,DIA1,DIA2,UTDATUM\n",
    "dispensings": "p444_lopnr_personnr,ATC,EDATUM,FDATUM,ANTAL,forpddd\n1,N06AB06,2010-02-01,2010-01-01,2,49.5\n",
}
FINNISH = "FINNGENID,SOURCE,EVENT_AGE,APPROX_EVENT_DAY,CODE1,CODE2,CODE4,ICDVER,CATEGORY\n"
DANISH = {
    "persons": "pnr,foed_dag,koen,doddato\np,01-02-1970,K,\nq,1980-05-05,1,31-12-2012\n",
    "contacts": "PNR,RECNUM,D_INDDTO,D_UDDTO,C_PATTYPE\np,r1,2010-01-01,2010-01-09,0\np,r2,2011-01-01,,2\n",
    "diagnoses": "recnum,c_diag,c_diagtype\nr1,DF321,A\nr1,DF411,B\nr2,DF330,A\nr2,DZ032,H\nr9,DF321,A\n",
    "dispensings": "pnr,atc,eksd,apk,packsize,volume\np,N06AB06,2010-02-01,2,98,49\n",
}


@pytest.fixture(autouse=True, params=[0, 10**9], ids=["read once", "read row by row"])
def _either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read once for all rows that say it, and what is read row by row, is read by the same rules."""
    monkeypatch.setattr("impasse.transforms.ingest.registry._WORTH_IT", request.param)


def test_swedish_births_and_deaths_by_year() -> None:
    """A year of birth is 1 July; a year of death is its last day, so that no row of that year is refused."""
    found = cleaned("swedish", **SWEDISH)

    assert_shows(
        found.extract.persons,
        """
        person_id | birth_date | death_date | sex
        1         | 1956-07-01 | -          | unknown
        2         | 1957-03-15 | 2012-12-31 | unknown
        """,
    )


def test_swedish_cause_of_death_register_holds_over_the_year() -> None:
    """An exact date of death replaces the year; the earliest of two counts."""
    found = cleaned("swedish", **SWEDISH, deaths="lopnr,dodsdat\n2,2012-03-02\n2,2012-03-01\n")

    assert_shows(found.extract.persons, "person_id | death_date\n1 | -\n2 | 2012-03-01")


def test_swedish_supply_is_packages_times_ddd_on_the_dispensing_date() -> None:
    """ANTAL 2 of forpddd 49.5 are 99 days from EDATUM, and no dose can be told."""
    found = cleaned("swedish", **SWEDISH)

    assert_shows(
        found.extract.dispensings,
        "date | atc | days | dose_mddd | supply_basis\n2010-02-01 | N06AB06 | 99 | - | packages_x_ddd",
    )


def test_swedish_code_columns_become_rows() -> None:
    """HDIA is the main diagnosis, DIA1 to DIA30 are others, blank cells are no codes; cancer rows are not read."""
    rows = SWEDISH["diagnoses"] + "inpatient,1,2010-01-01,F321,,F411,,2010-01-05\ncancer,1,2010-01-01,C50,,F300,,\n"
    found = cleaned("swedish", **SWEDISH | {"diagnoses": rows})

    assert_shows(
        found.extract.diagnoses,
        """
        date       | end_date   | code | code_system | position | setting
        2010-01-01 | 2010-01-05 | F321 | icd10       | main     | inpatient
        2010-01-01 | 2010-01-05 | F411 | icd10       | other    | inpatient
        """,
    )
    assert found.reconciliation.row(3, named=True)["n_delivered"] == 1


def test_swedish_code_systems_by_shape_and_date() -> None:
    """Numeric codes are ICD-8 until 1986 and ICD-9 from 1987; F codes are ICD-10, V codes only from 1997."""
    rows = """
        SOURCE,LopNr,INDATUM,HDIA,OP,DIA1,UTDATUM
        outpatient,1,1986-12-31,"300,40",,,
        outpatient,1,1987-01-01,300E,,,
        outpatient,1,1996-12-31,V611,,,
        outpatient,1,1997-01-01,V611,,,
        outpatient,1,1986-01-01,F320,,,
    """
    found = cleaned("swedish", **SWEDISH | {"diagnoses": rows})

    assert_shows(
        found.extract.diagnoses,
        """
        date       | code  | code_system
        1986-01-01 | F320  | icd10
        1986-12-31 | 30040 | icd8
        1987-01-01 | 300E  | icd9
        1996-12-31 | V611  | icd9
        1997-01-01 | V611  | icd10
        """,
    )


def test_swedish_contact_without_any_code_is_refused() -> None:
    """A contact that holds no diagnosis at all is quarantined and counted once."""
    rows = SWEDISH["diagnoses"] + "outpatient,1,2010-01-01,,,,,\n"
    found = cleaned("swedish", **SWEDISH | {"diagnoses": rows})

    assert_shows(found.quarantine["diagnoses"], "LopNr | rule\n1 | code_missing")


def test_swedish_operations_and_stays() -> None:
    """Each code of OP is a procedure, ECT is recognised, and inpatient contacts are admissions."""
    rows = SWEDISH["diagnoses"] + "inpatient,1,2010-01-01,F321,DA024 XX100,,,2010-01-05\n"
    found = cleaned("swedish", **SWEDISH | {"diagnoses": rows}).extract

    assert_shows(found.procedures, "code | code_system | treatment\nDA024 | kva | ect\nXX100 | kva | -")
    assert_shows(found.admissions, "start_date | end_date | main_code\n2010-01-01 | 2010-01-05 | F321")


def test_finnish_persons_come_from_their_events() -> None:
    """Born on the day of the event less the age at it; dead on the day of the death row."""
    rows = FINNISH + "f,PURCH,40.0,2010-05-05,N06AB06,,1,,\nf,DEATH,41,2011-05-05,X,,,10,I\n"
    found = cleaned("finnish", events=rows)

    assert_shows(found.extract.persons, "person_id | birth_date | death_date\nf | 1970-05-05 | 2011-05-05")
    assert found.extract.observes == frozenset({"drug"})


def test_finnish_vocabularies_by_source_and_category() -> None:
    """ICDVER tells hospital codes, CATEGORY primary care codes; an unknown version is refused."""
    rows = FINNISH + (
        "f,OUTPAT,40,2010-05-05,F321,,,10,1\n"
        "f,OUTPAT,40,2010-05-06,F411,F331,,10,2\n"
        "f,PRIM_OUT,40,2010-05-07,P76,,,,ICP1\n"
        "f,PRIM_OUT,40,2010-05-08,F329,,,,ICD1\n"
        "f,OUTPAT,40,2010-05-09,3004A,,,11,1\n"
    )
    found = cleaned("finnish", events=rows)

    assert_shows(
        found.extract.diagnoses,
        """
        code | code_system | position | setting
        F321 | icd10       | main     | outpatient
        F411 | icd10       | other    | outpatient
        F331 | icd10       | other    | outpatient
        P76  | icpc2       | main     | primary
        F329 | icd10       | main     | primary
        """,
    )
    assert found.quarantine["diagnoses"]["rule"].to_list() == ["code_system_unknown"]


def test_finnish_stays_last_the_days_of_code4() -> None:
    """A hospital stay of 7 days ends on the 12th when it began on the 5th."""
    found = cleaned("finnish", events=FINNISH + "f,INPAT,40,2010-05-05,F321,,7,10,1\n")

    assert_shows(found.extract.admissions, "start_date | end_date | main_code\n2010-05-05 | 2010-05-12 | F321")


def test_finnish_table_without_stays_cannot_show_them() -> None:
    """A long table that holds no hospital stay is no evidence that nobody was admitted."""
    found = cleaned("finnish", events=FINNISH + "f,PURCH,40,2010-05-05,N06AB06,,1,,\n")

    assert found.extract.admissions is None


def test_finnish_supply_must_be_assumed() -> None:
    """Purchases tell packages only: unknown days, unless the study assumes days per package."""
    rows = FINNISH + "f,PURCH,40,2010-05-05,N06AB06,,2,,\n"
    assumed = SupplySection(rules=("assumed_days_per_package",), assumed_days_per_package=30)

    assert cleaned("finnish", events=rows).extract.dispensings["days"].to_list() == [None]
    assert cleaned("finnish", assumed, events=rows).extract.dispensings["days"].to_list() == [60]


def test_danish_diagnoses_take_person_and_dates_from_their_contact() -> None:
    """The D goes, A is main, referral codes are not read, and a diagnosis without contact is refused."""
    found = cleaned("danish", **DANISH)

    assert_shows(
        found.extract.diagnoses,
        """
        date       | end_date   | code | code_system | position | setting
        2010-01-01 | 2010-01-09 | F321 | icd10       | main     | inpatient
        2010-01-01 | 2010-01-09 | F411 | icd10       | other    | inpatient
        2011-01-01 | -          | F330 | icd10       | main     | outpatient
        """,
    )
    assert_shows(found.quarantine["diagnoses"], "recnum | c_diag | rule\nr9 | DF321 | contact_missing")
    assert found.quarantine["diagnoses"].columns == ["recnum", "c_diag", "c_diagtype", "rule", "reason"]


def test_danish_contacts_that_share_a_number_are_not_guessed() -> None:
    """Two different contacts under one record number: whose diagnosis it is cannot be told."""
    contacts = DANISH["contacts"] + "q,r1,2010-03-01,2010-03-02,0\n"
    found = cleaned("danish", **DANISH | {"contacts": contacts})

    assert found.quarantine["diagnoses"]["recnum"].to_list() == ["r1", "r1", "r9"]


def test_danish_codes_before_1994_are_icd8() -> None:
    """29609 in 1993 is ICD-8; the D of D50 is part of the code, that of DD50 is not."""
    contacts = "pnr,recnum,d_inddto,d_uddto,c_pattype\np,r1,1993-12-31,,2\np,r2,1994-01-01,,2\n"
    diagnoses = "recnum,c_diag,c_diagtype\nr1,29609,A\nr2,DD50,A\nr2,D50,B\n"
    found = cleaned("danish", **DANISH | {"contacts": contacts, "diagnoses": diagnoses})

    assert_shows(found.extract.diagnoses, "code | code_system\n29609 | icd8\nD50 | icd10\nD50 | icd10")


def test_danish_volume_is_ddd_per_package() -> None:
    """Two packages of volume 49 are 98 DDD, read as 98 days."""
    found = cleaned("danish", **DANISH)

    assert_shows(found.extract.dispensings, "date | days | supply_basis\n2010-02-01 | 98 | packages_x_ddd")


def test_danish_stays_and_procedures() -> None:
    """Stays over night are admissions with their A diagnosis; ECT is recognised by its SKS code."""
    found = cleaned("danish", **DANISH, procedures="recnum,c_opr,d_odto\nr1,BRXA1,2010-01-03\n").extract

    assert_shows(found.admissions, "start_date | end_date | main_code\n2010-01-01 | 2010-01-09 | F321")
    assert_shows(found.procedures, "date | code | treatment\n2010-01-03 | BRXA1 | ect")


def test_danish_persons() -> None:
    """Dates in Danish order, sex by number or letter."""
    found = cleaned("danish", **DANISH)

    assert_shows(
        found.extract.persons,
        "person_id | birth_date | sex | death_date\np | 1970-02-01 | female | -\nq | 1980-05-05 | male | 2012-12-31",
    )


def test_rows_are_chosen_whatever_their_capitals() -> None:
    """Inpatient and INPATIENT are the register's inpatient, in the row filter as in the setting."""
    rows = SWEDISH["diagnoses"] + "Inpatient,1,2010-01-01,F321,,,,\nOUTPATIENT,1,2010-02-01,F321,,,,\n"
    found = cleaned("swedish", **SWEDISH | {"diagnoses": rows})

    assert found.extract.diagnoses["setting"].to_list() == ["inpatient", "outpatient"]
    assert found.unused.is_empty()


def test_beginnings_and_translated_words_are_compared_without_regard_to_capitals() -> None:
    """icd1 begins with ICD, and is the main diagnosis as ICD1 is."""
    found = cleaned("finnish", events=FINNISH + "f,prim_out,40,2010-05-08,F329,,,,icd1\n")

    assert_shows(found.extract.diagnoses, "code | code_system | position\nF329 | icd10 | main")


@pytest.mark.parametrize("word", ["1", "M", "man", "Man"])
def test_swedish_words_for_men(word: str) -> None:
    """Sex comes as the register's number, or as a letter or word in any capitals."""
    persons = f"lopnr,fodelseman,kon\n1,1956,{word}\n"

    assert cleaned("swedish", **SWEDISH | {"persons": persons}).extract.persons["sex"].to_list() == ["male"]


def test_finnish_rows_of_other_registers_are_counted() -> None:
    """Cancer and reimbursement rows, and an unknown spelling of a register, are told as not read."""
    rows = FINNISH + (
        "f,PURCH,40,2010-05-05,N06AB06,,1,,\n"
        "f,CANC,40,2010-05-05,C50,,,,\n"
        "f,REIMB,40,2010-05-05,112,,,,\n"
        "f,PURCHASE,40,2010-05-05,N06AB06,,1,,\n"
        "f,,40,2010-05-05,N06AB06,,1,,\n"
        "f,PRIM_OUT,40,2010-05-05,A01,,,,XYZ\n"
    )

    assert cleaned("finnish", events=rows).unused.rows() == [("service_sector", 5)]


def test_swedish_rows_of_the_cancer_register_are_counted() -> None:
    """A row that no part of the layout chooses is counted under its file; a row chosen twice is not."""
    rows = SWEDISH["diagnoses"] + "inpatient,1,2010-01-01,F321,,,,\ncancer,1,2010-01-01,C50,,,,\n"

    assert cleaned("swedish", **SWEDISH | {"diagnoses": rows}).unused.rows() == [("diagnoses", 1)]


def test_danish_contacts_that_diagnoses_look_up_are_read() -> None:
    """An outpatient contact is no stay, but its diagnoses take their dates from it; a referral code is not read."""
    assert cleaned("danish", **DANISH).unused.rows() == [("diag", 1)]


def test_a_joined_file_is_found_by_whole_numbers() -> None:
    """A record number that is a float on one side is the same number, and so is the kind of contact."""
    files = {
        "persons": pl.DataFrame({"pnr": ["p"], "foed_dag": ["1970-01-01"]}),
        "contacts": pl.DataFrame(
            {"pnr": "p", "recnum": [1.0], "d_inddto": "2010-01-01", "d_uddto": "", "c_pattype": 0.0}
        ),
        "diagnoses": pl.DataFrame({"recnum": [1], "c_diag": "DF321", "c_diagtype": "A"}),
        "dispensings": pl.DataFrame({"pnr": "p", "eksd": ["2010-02-01"], "atc": "N06AB06", "apk": 1, "volume": 30}),
    }
    found = clean(Delivered(files), layout("danish"), study(), CODES).extract

    assert_shows(found.diagnoses, "code | setting\nF321 | inpatient")
    assert_shows(found.admissions, "start_date | end_date | main_code\n2010-01-01 | 2020-12-31 | F321")


def test_finnish_stays_of_an_impossible_length_are_refused() -> None:
    """A stay of more days than any life has, or one that would leave the calendar, has no readable end."""
    stay = "f,INPAT,40,2010-05-05,F321,,{days},10,1\n"
    days = ["100000", "100001", "1000000000", "3000000000", "1e300"]
    found = cleaned("finnish", events=FINNISH + "".join(stay.format(days=n) for n in days))

    assert found.extract.admissions["end_date"].cast(pl.String).to_list() == ["2020-12-31"]
    assert found.quarantine["admissions"]["rule"].to_list() == ["date_unreadable"] * 4


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data folder is not here")
def test_fake_swedish_registers_reconcile() -> None:
    """1,000 made-up persons: every delivered row is accepted or quarantined, nearly all for contradicting dates."""
    folder = SHARED / "swedish-fake-registry"
    names = {
        "persons": "fake_demographics",
        "deaths": "fake_cod",
        "diagnoses": "fake_diagnoses",
        "dispensings": "fake_prescriptions",
    }
    files = {key: pl.read_csv(folder / f"{name}.csv", infer_schema=False) for key, name in names.items()}
    found = clean(Delivered(files), layout("swedish"), study(end=2024), CODES)

    assert_shows(
        found.reconciliation,
        """
        table       | is_present | n_delivered | n_accepted | n_quarantined
        persons     | true       | 1000        | 994        | 6
        deaths      | true       | 50          | 50         | 0
        coverage    | false      | 0           | 0          | 0
        diagnoses   | true       | 4000        | 3258       | 742
        dispensings | true       | 8000        | 7527       | 473
        procedures  | true       | 754         | 617        | 137
        scores      | false      | 0           | 0          | 0
        admissions  | true       | 2000        | 1619       | 381
        """,
    )


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data folder is not here")
def test_finngen_dummy_reconciles() -> None:
    """599 made-up persons in one long table: 167,380 purchases, 2,100 of them without a full ATC code."""
    events = pl.read_parquet(SHARED / "finngen-dummy-600" / "service_sector.parquet")
    found = clean(Delivered({"events": events}), layout("finnish"), study(end=2024), CODES)
    antidepressants = found.extract.dispensings.filter(pl.col("atc").cat.starts_with("N06A"))

    assert found.extract.persons.height == 599
    assert antidepressants["person"].n_unique() <= 539
    assert_shows(
        found.rules.filter(pl.col("rule").is_in(["atc_malformed", "atc_missing"])),
        "table | rule | n\ndispensings | atc_malformed | 1993\ndispensings | atc_missing | 107",
    )
