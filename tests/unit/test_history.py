"""Drawn histories become the rows they draw."""

from __future__ import annotations

from datetime import date

import pytest

from impasse.schemas.errors import ImpasseError
from impasse.schemas.history import parse_history


def test_facts_of_the_person_are_read() -> None:
    """Birth, death and sex, and unknown where nothing is drawn."""
    person = parse_history(["born 1980-02-01", "died 2021-05-01", "sex female"], "P1")

    assert (person["person_id"], person["birth_date"], person["death_date"], person["sex"]) == (
        "P1",
        date(1980, 2, 1),
        date(2021, 5, 1),
        "female",
    )
    assert parse_history([], "P2")["birth_date"] is None


def test_a_dispensing_is_in_micrograms_and_thousandths_of_a_ddd() -> None:
    """37.5 mg and 1.5 DDD a day become whole numbers."""
    person = parse_history(["disp 2021-01-01 N06AX14 days=28 dose_mg=37.5 ddd=1.5"], "P1")

    assert person["dispensings"] == [
        {
            "date": date(2021, 1, 1),
            "atc": "N06AX14",
            "days": 28,
            "dose_ug": 37500,
            "dose_mddd": 1500,
            "supply_basis": "days_supply",
            "kind": "dispensed",
            "delivered": {"days_supply": 28, "daily_dose_mg": 37.5},
        }
    ]


def test_what_a_dispensing_does_not_say_is_not_known() -> None:
    """No days, no dose: null, not zero."""
    row = parse_history(["disp 2021-01-01 N06A"], "P1")["dispensings"][0]

    assert (row["days"], row["dose_ug"], row["dose_mddd"], row["supply_basis"]) == (None, None, None, "unknown")


def test_amounts_are_kept_as_a_register_delivers_them() -> None:
    """`ddd` of a line is DDD a day; what was handed out in all is `total_ddd`, which a layout calls ddd."""
    line = (
        "disp 2021-01-01 N06AX14 packages=2 ddd_per_package=15 total_ddd=30 quantity=60 strength_mg=12.5 kind=unknown"
    )
    row = parse_history([line], "P1")["dispensings"][0]

    assert (row["days"], row["dose_mddd"], row["kind"]) == (None, None, "unknown")
    assert row["delivered"] == {
        "days_supply": None,
        "daily_dose_mg": None,
        "n_packages": 2.0,
        "ddd_per_package": 15.0,
        "ddd": 30.0,
        "quantity": 60.0,
        "strength_mg": 12.5,
    }


def test_a_line_may_be_repeated() -> None:
    """Three sessions, two weeks apart."""
    person = parse_history(["proc 2021-01-01 cbt times=3 every=14"], "P1")

    assert [row["date"] for row in person["procedures"]] == [date(2021, 1, 1), date(2021, 1, 15), date(2021, 1, 29)]


def test_a_repeated_line_is_weekly_unless_told_otherwise() -> None:
    """Sessions are mostly a week apart."""
    person = parse_history(["proc 2021-01-01 cbt times=2"], "P1")

    assert [row["date"] for row in person["procedures"]] == [date(2021, 1, 1), date(2021, 1, 8)]


def test_a_diagnosis_may_last_and_name_its_system() -> None:
    """A stay from day to day in ICD-9."""
    row = parse_history(["dx 2021-01-01 29633 until=2021-01-09 system=icd9 setting=inpatient"], "P1")["diagnoses"][0]

    assert (row["end_date"], row["code_system"], row["setting"]) == (date(2021, 1, 9), "icd9", "inpatient")


def test_scores_admissions_and_coverage_are_read() -> None:
    """One line each."""
    person = parse_history(
        ["score 2021-03-01 ham_a 20", "adm 2021-03-01 2021-03-09 F322", "covered 2018-01-01 2022-12-31"], "P1"
    )

    assert person["scores"] == [{"date": date(2021, 3, 1), "scale": "ham_a", "value": 20.0}]
    assert person["admissions"][0]["main_code"] == "F322"
    assert person["coverage"] == [{"start_date": date(2018, 1, 1), "end_date": date(2022, 12, 31)}]


def test_remarks_and_empty_lines_draw_nothing() -> None:
    """A case may explain itself."""
    assert parse_history(["# nothing happens", "", "  "], "P1")["diagnoses"] == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("dips 2021-01-01 N06AB06", "Did you mean 'disp'?"),
        ("disp 2021-01-01 N06AB06 dayz=28", "Did you mean 'days='?"),
        ("adm 2021-01-01 2021-01-09 F322 times=2", "adm DATE DATE CODE"),
        ("score 2021-01-01 ham_a", "score DATE SCALE VALUE"),
        ("dx 2021-13-01 F411", "No date: '2021-13-01'"),
        ("score 2021-01-01 ham_a high", "No number: 'high'"),
        ("disp 2021-01-01 N06AB06 days=0", "No whole number from 1: '0'"),
        ("disp 2021-01-01 N06AB06 days=28 dose_mg=0", "No dose: '0'"),
        ("disp 2021-01-01 N06AB06 total_ddd=0", "No amount: '0'"),
        ("disp 2021-01-01 N06AB06 packages=-1", "No amount: '-1'"),
        ("disp 2021-01-01 N06AB06 quantity=nan", "No number: 'nan'"),
        ("disp 2021-01-01 N06AB06 kind=dispenced", "Did you mean 'dispensed'?"),
        ("dx 2021-01-01 f41.1", "Write F411."),
        ("dx 2021-01-01 F411 system=icd01", "Did you mean 'icd10'?"),
        ("adm 2021-01-09 2021-01-01 F322", "The last day is before the first."),
        ("sex mail", "Did you mean 'male'?"),
        ("disp 2021-01-01 N06AB06 days=30 days=60", "'days=' is there twice"),
        ("disp 2021-01-01 N06AB06 days=30 days=30", "'days=' is there twice"),
        ("disp 2021-01-01 N06AB06 days", "Too many or too few words"),
        ("disp 2021-01-01 N06AB06 setting=inpatient", "Unknown word 'setting='"),
        ("proc 2021-01-01 cbt days=3", "Unknown word 'days='"),
        ("died 2021-01-01 times=2", "Unknown word 'times='"),
        ("DISP 2021-01-01 N06AB06", "Did you mean 'disp'?"),
        ("disp 2021-01-01 N06AB06 Days=3", "Did you mean 'days='?"),
        ("disp 2021-01-01 N06AB06 every=14", "'every=' without 'times='"),
        ("disp 20210101 N06AB06", "No date: '20210101'"),
        ("disp 2021-W01-1 N06AB06", "No date: '2021-W01-1'"),
        ("disp 2021-01-01 N06AB06 days=100001", "No whole number from 1: '100001'"),
        (f"disp 2021-01-01 N06AB06 days={'9' * 5000}", "No whole number from 1"),
        ("disp 2021-01-01 N06AB06 times=100000 every=100000", "No day of the calendar"),
        ("score 2021-01-01 ham_a nan", "No number: 'nan'"),
        ("score 2021-01-01 ham_a 1_0", "No number: '1_0'"),
        ("score 2021-01-01 ham_a inf", "No number: 'inf'"),
        ("score 2021-01-01 ham_a 1e1", "No number: '1e1'"),
        ("disp 2021-01-01 N06AB06 dose_mg=37,5", "No number: '37,5'"),
        ("disp 2021-01-01 N06AB06 dose_mg=-5", "No number: '-5'"),
        ("disp 2021-01-01 N06AB06 dose_mg=0.0005", "No dose: '0.0005'"),
        ("disp 2021-01-01 N06AB06 ddd=1.0005", "No dose: '1.0005'"),
        ("disp 2021-01-01 F321 days=28", "No ATC code: 'F321'"),
        ("dx 2021-01-01 N06AB06", "No icd10 code: 'N06AB06'"),
        ("dx 2021-01-01 F321 system=snomed", "No snomed code: 'F321'"),
        ("adm 2021-01-01 2021-01-09 N06AB06", "No icd10 code: 'N06AB06'"),
    ],
)
def test_a_line_that_cannot_be_read_is_shown(line: str, told: str) -> None:
    """Each slip of the pen is named, with the line and the nearest right word."""
    with pytest.raises(ImpasseError) as refused:
        parse_history([line], "P1")

    assert told in str(refused.value)
    assert line in refused.value.where


@pytest.mark.parametrize("line", ["born 1980-01-01", "died 2021-01-01", "sex female"])
def test_a_fact_of_the_person_is_stated_once(line: str) -> None:
    """Of two births the latter would count in silence."""
    with pytest.raises(ImpasseError, match=f"A second line '{line.split()[0]}'"):
        parse_history([line, "dx 2021-01-01 F411", line], "P1")


def test_a_repeated_diagnosis_lasts_as_long_each_time() -> None:
    """The last day moves with the first."""
    rows = parse_history(["dx 2021-01-01 F411 until=2021-01-03 times=2"], "P1")["diagnoses"]

    assert [(row["date"], row["end_date"]) for row in rows] == [
        (date(2021, 1, 1), date(2021, 1, 3)),
        (date(2021, 1, 8), date(2021, 1, 10)),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "disp 2021-01-01 N06AB06 times=1 every=14",
        "disp 2021-01-01 N06AB06 days=100000",
        "disp 2021-01-01 N06AB06 dose_mg=37.125",
        "disp 2021-01-01 N",
        "score 2021-01-01 ham_a 0",
        "dx 2021-01-01 35489007 system=snomed",
        "dx 2021-01-01 ABC1 system=other",
    ],
)
def test_what_is_just_right_is_read(line: str) -> None:
    """The other side of what is refused."""
    person = parse_history([line], "P1")

    assert sum(len(person[table]) for table in ("dispensings", "scores", "diagnoses")) == 1


def test_one_day_and_one_thousandth_are_the_least() -> None:
    """A supply of one day, a dose of one microgram and a stay of one day are real."""
    person = parse_history(["disp 2021-01-01 N06A days=1 dose_mg=0.001", "adm 2021-01-01 2021-01-01 F322"], "P1")

    assert (person["dispensings"][0]["days"], person["dispensings"][0]["dose_ug"]) == (1, 1)
    assert person["admissions"][0]["end_date"] == date(2021, 1, 1)
