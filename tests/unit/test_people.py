"""Persons told in several rows: one where nothing contradicts, refused where something does."""

from __future__ import annotations

import pytest

from tests.tables import assert_shows
from tests.unit.deliveries import cleaned

HEAD = "person_id,birth_date,sex,death_date\n"
DIAGNOSIS = "person_id,date,code,code_system\na,2010-01-01,F32,icd10\n"


def test_rows_that_differ_by_blanks_are_one_person() -> None:
    """What one row leaves blank another fills, whichever comes first; each fact may come from another row."""
    found = cleaned(
        "generic",
        persons=HEAD + "a,1970-01-01,,\na,,f,\na,,,2019-05-05\nb,,,\nb,1980-01-01,m,\n",
        diagnoses=DIAGNOSIS,
    )

    assert_shows(
        found.extract.persons,
        """
        person_id | birth_date | sex    | death_date
        a         | 1970-01-01 | female | 2019-05-05
        b         | 1980-01-01 | male   | -
        """,
    )
    assert found.quarantine["persons"]["rule"].to_list() == ["person_duplicate"] * 3
    assert found.extract.diagnoses.height == 1


def test_a_sex_that_is_not_known_contradicts_none() -> None:
    """A word that stands for no sex is a blank."""
    found = cleaned("generic", persons=HEAD + "a,1970-01-01,x,\na,1970-01-01,f,\n")

    assert found.extract.persons["sex"].to_list() == ["female"]


@pytest.mark.parametrize(
    "rows",
    [
        "a,1970-01-01,f,\na,1971-01-01,f,\n",
        "a,1970-01-01,f,\na,1970-01-01,m,\n",
        "a,1970-01-01,f,2019-05-05\na,1970-01-01,f,2019-05-06\n",
        "a,1970-01-01,,\na,,f,\na,,m,\n",
        "a,1970-01-01,f,\na,,f,1969-12-31\n",
    ],
    ids=["two births", "two sexes", "two deaths", "through a third row", "dead before birth"],
)
def test_rows_that_contradict_each_other_are_all_refused(rows: str) -> None:
    """Nobody can tell which of them is right."""
    found = cleaned("generic", persons=HEAD + rows + "b,1980-01-01,f,\n", diagnoses=DIAGNOSIS)

    assert found.extract.persons["person_id"].to_list() == ["b"]
    assert set(found.quarantine["persons"]["rule"]) == {"person_conflicting"}
    assert found.quarantine["diagnoses"]["rule"].to_list() == ["person_unknown"]


def test_a_row_that_is_refused_fills_nothing() -> None:
    """A birth that cannot be read refuses its row, and the person is known by the other alone."""
    found = cleaned("generic", persons=HEAD + "a,,f,\na,1970-02-30,,2019-05-05\n")

    assert_shows(found.extract.persons, "person_id | sex | birth_date | death_date\na | female | - | -")
    assert found.quarantine["persons"]["rule"].to_list() == ["date_unreadable"]


SWEDISH = "lopnr,fodelseman,kon,doddatum\n"


@pytest.mark.parametrize(
    ("in_persons", "in_deaths", "death"),
    [
        ("2015-06-10", "2015", "2015-06-10"),
        ("2015-06-10", "2015-06", "2015-06-10"),
        ("2015-06", "2015", "2015-06-30"),
        ("2015", "2015-06-10", "2015-06-10"),
        ("2015-06-10", "2015-06-11", "2015-06-11"),
        ("2015-06-10", "2015-07", "2015-07-31"),
        ("2014-12-31", "2015", "2015-12-31"),
        ("2015-01-01", "2015", "2015-01-01"),
        ("2015-12-31", "2015", "2015-12-31"),
        ("2016-01-01", "2015", "2015-12-31"),
        ("", "2015", "2015-12-31"),
        ("2015-06-10", "", "2015-06-10"),
    ],
)
def test_the_closer_of_two_dates_of_a_death_stands(in_persons: str, in_deaths: str, death: str) -> None:
    """A year or month in the table of deaths holds over a day in the persons table only where the day is not in it."""
    found = cleaned("swedish", persons=f"{SWEDISH}1,1970,1,{in_persons}\n", deaths=f"lopnr,DODSDAT\n1,{in_deaths}\n")

    assert_shows(found.extract.persons, f"person_id | death_date\n1 | {death}")


def test_a_day_of_death_stands_in_whatever_row_the_table_of_deaths_has_it() -> None:
    """The last day of the year is told beside the year itself: what the persons table has is not in that day."""
    found = cleaned(
        "swedish", persons=f"{SWEDISH}1,1970,1,2015-06-10\n", deaths="lopnr,DODSDAT\n1,2015\n1,2015-12-31\n"
    )

    assert_shows(found.extract.persons, "person_id | death_date\n1 | 2015-12-31")


def test_a_year_of_death_in_figures_leaves_the_day_of_the_persons_table() -> None:
    """20150000 in the Swedish causes of death."""
    found = cleaned(
        "swedish",
        persons=f"{SWEDISH}1,197001,1,20150610\n",
        deaths="lopnr,DODSDAT\n1,20150000\n",
    )

    assert_shows(found.extract.persons, "person_id | death_date\n1 | 2015-06-10")
