"""The day that a delivered date or time is read as: zones, unknown days and months, and days no calendar has."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl
import pytest

from impasse.schemas.delivered import Delivered
from impasse.transforms.ingest.drafts import calendar_day
from tests.cleaning import clean
from tests.shipped import CODES
from tests.tables import assert_shows
from tests.unit.deliveries import OMOP_LISTS, cleaned, layout, study

PERSONS = "person_id,birth_date\na,1970-05-05\n"


def days(times: list[int | None], unit: str, zone: str | None = None) -> list[date | None]:
    """The days of times given as numbers since 1970."""
    kind = pl.Datetime(unit, zone)
    frame = pl.DataFrame({"time": pl.Series(times, dtype=pl.Int64).cast(kind)})
    return frame.select(calendar_day(pl.col("time"), kind)).to_series().to_list()


def utc(*told: int) -> int:
    """A time in Greenwich in milliseconds since 1970."""
    return int((datetime(*told) - datetime(1970, 1, 1)).total_seconds() * 1000)


def test_a_time_with_a_zone_has_the_day_that_it_is_there() -> None:
    """Midnight in Stockholm is the evening before in Greenwich, an hour before it in winter and two in summer."""
    midnights = [utc(2015, 12, 31, 23), utc(2015, 12, 31, 22, 59), utc(2016, 6, 30, 22), utc(2016, 6, 30, 21, 59)]

    assert days(midnights, "ms", "Europe/Stockholm") == [
        date(2016, 1, 1),
        date(2015, 12, 31),
        date(2016, 7, 1),
        date(2016, 6, 30),
    ]


def test_a_zone_may_be_told_by_its_distance_from_greenwich() -> None:
    """An hour to the east midnight comes an hour before; in Greenwich it is midnight then."""
    assert days([utc(2015, 12, 31, 23)], "ms", "+01:00") == [date(2016, 1, 1)]
    assert days([utc(2016, 1, 1)], "ms", "UTC") == [date(2016, 1, 1)]


@pytest.mark.parametrize("unit", ["ms", "us"])
@pytest.mark.parametrize("zone", [None, "Europe/Stockholm"])
def test_times_far_from_our_years_have_no_day(unit: str, zone: str | None) -> None:
    """However large a number is, no calendar is asked for it: it is no day in place of a panic."""
    assert days([2**62, -(2**62), None, 0], unit, zone) == [None, None, None, date(1970, 1, 1)]


def test_the_years_1_to_9999_have_days() -> None:
    """Their first and last day are read, and the days beside them are not."""
    first, last = -719_162 * 86_400_000, 2_932_897 * 86_400_000 - 1

    assert days([first, first - 1, last, last + 1], "ms") == [date(1, 1, 1), None, date(9999, 12, 31), None]


def test_a_time_no_calendar_has_is_unreadable() -> None:
    """Such a row is refused and the others are read, from a registry and from an OMOP CDM, with a zone or without."""
    far = pl.Series([2**62, utc(2010, 1, 1)], dtype=pl.Int64)
    diagnoses = {"person_id": ["a", "a"], "code": ["F32", "F32"], "code_system": ["icd10", "icd10"]}
    conditions = {"person_id": [7, 7], "condition_concept_id": [4152280, 4152280]}
    person = pl.DataFrame({"person_id": [7], "gender_concept_id": [8507], "year_of_birth": [1970]})

    registry = clean(
        Delivered(
            {
                "persons": pl.DataFrame({"person_id": ["a"], "birth_date": [date(1970, 5, 5)]}),
                "diagnoses": pl.DataFrame(diagnoses).with_columns(date=far.cast(pl.Datetime("ms", "Europe/Paris"))),
            }
        ),
        layout("generic"),
        study(),
        CODES,
    )
    omop = clean(
        Delivered(
            {
                "person": person,
                "condition_occurrence": pl.DataFrame(conditions).with_columns(
                    condition_start_date=far.cast(pl.Datetime("ms"))
                ),
            }
        ),
        OMOP_LISTS,
        study(kind="omop"),
        CODES,
    )

    assert registry.quarantine["diagnoses"]["rule"].to_list() == ["date_unreadable"]
    assert omop.quarantine["diagnoses"]["rule"].to_list() == ["date_unreadable"]
    assert registry.extract.diagnoses["date"].to_list() == omop.extract.diagnoses["date"].to_list()


def test_the_day_of_a_written_time_is_the_one_that_is_written() -> None:
    """Whatever zone stands after it, the first of January is the first of January."""
    found = cleaned(
        "generic",
        persons=PERSONS,
        diagnoses="""
            person_id,date,code,code_system
            a,2016-01-01T00:00:00+01:00,F32,icd10
            a,2016-01-02T23:30:00Z,F32,icd10
            a,2016-01-03 00:00:00.000,F32,icd10
        """,
    )

    assert found.extract.diagnoses["date"].to_list() == [date(2016, 1, n) for n in (1, 2, 3)]


def test_deaths_with_an_unknown_day_fall_on_the_last_day_of_their_span() -> None:
    """A month or day of 00, or left out, is not known; a date that no calendar has is no such thing."""
    found = cleaned(
        "swedish",
        persons="lopnr,fodelseman,kon\n1,1970,1\n2,1970,1\n3,1970,1\n4,1970,1\n5,1970,1\n6,1970,1\n7,1970,1\n",
        deaths="""
            lopnr,dodsdat
            1,20190300
            2,20190000
            3,2019-02-00
            4,201902
            5,2019
            6,20190230
            7,20190015
        """,
    )

    assert_shows(
        found.extract.persons,
        """
        person_id | death_date
        1         | 2019-03-31
        2         | 2019-12-31
        3         | 2019-02-28
        4         | 2019-02-28
        5         | 2019-12-31
        6         | -
        7         | -
        """,
    )
    assert found.quarantine["deaths"]["rule"].to_list() == ["date_unreadable", "date_unreadable"]


def test_every_layout_and_entrance_reads_unknown_days_of_births_and_deaths() -> None:
    """The middle of the span for a birth, whose first day is the earliest it can be, and the last for a death."""
    danish = cleaned("danish", persons="pnr,foed_dag,koen,doddato\n1,00-02-1970,1,00MAR2019\n")
    generic = cleaned("generic", persons="person_id,birth_date,death_date\n1,1970-00-00,2019-03\n")
    omop = cleaned(
        "omop",
        person="person_id,gender_concept_id,year_of_birth\n7,8507,1970\n",
        death="person_id,death_date\n7,2019-03-00\n",
    )

    assert danish.extract.persons["birth_date", "death_date"].row(0) == (date(1970, 2, 15), date(2019, 3, 31))
    assert generic.extract.persons["birth_date", "death_date"].row(0) == (date(1970, 7, 1), date(2019, 3, 31))
    assert omop.extract.persons["death_date"].to_list() == [date(2019, 3, 31)]


def test_a_birth_on_an_unknown_day_refuses_nothing_of_its_span() -> None:
    """Born in March 2001: a row of its first day may be right, one of the day before cannot."""
    found = cleaned(
        "generic",
        persons="person_id,birth_date\na,2001-03-00\n",
        diagnoses="person_id,date,code,code_system\na,2001-03-01,F32,icd10\na,2001-02-28,F32,icd10\n",
    )

    assert_shows(found.quarantine["diagnoses"], "date | rule\n2001-02-28 | date_before_birth")


def test_other_dates_with_an_unknown_day_are_unreadable() -> None:
    """When a drug was dispensed or a diagnosis made is not guessed."""
    found = cleaned(
        "swedish",
        persons="lopnr,fodelseman,kon\n1,1970,1\n",
        dispensings="lopnr,EDATUM,ATC,ANTAL,forpddd\n1,20190300,N06AB04,1,98\n1,201903,N06AB04,1,98\n",
    )

    assert found.quarantine["dispensings"]["rule"].to_list() == ["date_unreadable", "date_unreadable"]
