"""Days that were written as moments of another zone: what is midnight there is told, whatever the column's type."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

from impasse.reports.words.delivery_notes import midnight_sentences
from impasse.schemas.delivered import Delivered
from impasse.transforms.ingest.midnights import count_times
from impasse.transforms.ingest.registry import draft_registry_table
from tests.cleaning import Cleaned, clean
from tests.shipped import CODES
from tests.unit.deliveries import OMOP_LISTS, layout, study


def _dispensed(hours: list[int], zone: str | None = "UTC") -> Cleaned:
    """A registry with one dispensing at each of these hours."""
    return _dispensed_on(pl.Series([datetime(2010, 1, 1, hour) for hour in hours]).dt.replace_time_zone(zone))


def _dispensed_on(days: pl.Series, name: str = "generic") -> Cleaned:
    files = {
        "persons": pl.DataFrame({"person_id": ["7"], "birth_date": ["1970-01-01"]}),
        "dispensings": pl.DataFrame({"person_id": ["7"] * len(days), "date": days, "atc": ["N06AB06"] * len(days)}),
    }
    return clean(Delivered(files), layout(name), study(), CODES)


@pytest.mark.parametrize("zone", ["UTC", None, "Europe/London", "+01:00"])
def test_midnights_elsewhere_are_told(zone: str | None) -> None:
    """Nine in ten of twenty times are at 22:00 or 23:00, in whatever zone the day is read, or in none."""
    found = _dispensed([22] * 9 + [23] * 9 + [0] * 2, zone).midnights

    assert found == [{"file": "dispensings", "column": "date", "times": ["22:00", "23:00"]}]
    assert midnight_sentences(found) == [
        "Most times of the column date of dispensings are 22:00 or 23:00: midnight of another zone, so that its days "
        "may be one early. Write them as dates, or as times of that zone."
    ]


@pytest.mark.parametrize("hours", [[22] * 9 + [23] * 8 + [0] * 3, [22] * 19, [0] * 20, [5] * 20, [11] * 20])
@pytest.mark.parametrize("zone", ["UTC", None])
def test_other_times_are_not_told(hours: list[int], zone: str | None) -> None:
    """Fewer times, midnight itself, midnight in the west, which keeps its day, and the hour before noon."""
    assert _dispensed(hours, zone).midnights == []


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("2010-01-01T22:00:00Z", "22:00"),
        ("2010-01-01T22:00:00.000+00:00", "22:00"),
        ("2010-01-01 22:00", "22:00"),
        ("20100101T230000Z", "23:00"),
        ("2010-01-01 10:00:00 PM", "22:00"),
        ("2010-01-01 18:30:00", "18:30"),
        ("2010-01-01 22.00.00", "22:00"),
        ("2010-01-01T12:00:00Z", "12:00"),
    ],
)
def test_times_that_are_text_are_told(written: str, time: str) -> None:
    """The day that is read is the one that is written, so it is one early here too."""
    found = _dispensed_on(pl.Series([written] * 20)).midnights

    assert found == [{"file": "dispensings", "column": "date", "times": [time]}]


@pytest.mark.parametrize(
    "written",
    [
        "2010-01-01",
        "2010-01-01T00:00:00+02:00",
        "2010-01-01 12:00:00 AM",
        "2010-01-01 22:00:01",
        "2010-01-01 22:07",
        "2010-01-01 24:00",
        "2010-01-01T11:45",
        "",
    ],
)
def test_other_text_is_not_told(written: str) -> None:
    """No time, midnight, a time that is no full quarter of an hour, and the last quarter before noon."""
    assert _dispensed_on(pl.Series([written] * 20)).midnights == []


def test_dates_without_a_time_are_no_times() -> None:
    """Twenty moments among a thousand dates are told; nineteen, or with three other times among them, are not."""
    dates, moments = ["2010-01-01"] * 1000, ["2010-01-01T22:00:00Z"] * 20

    assert _dispensed_on(pl.Series(dates + moments)).midnights
    assert not _dispensed_on(pl.Series(dates + moments[1:])).midnights
    assert not _dispensed_on(pl.Series(moments + ["2010-01-01T22:00:59Z"] * 3)).midnights


def test_a_year_after_a_month_is_no_time() -> None:
    """2200 and 2215 are years here."""
    written = pl.DataFrame({"date": ["02 september 2215", "2. 10. 2200", "02 10  2200"] * 20})

    assert count_times(written, "file", ["date"]) == {}


def test_the_swedish_layout_is_told_too() -> None:
    """EDATUM as a text with a time."""
    row = {"LOPNR": "7", "ATC": "N06AB06", "EDATUM": "2018-04-25T22:00:00Z", "ANTAL": "1", "FORPDDD": "28"}
    delivered = Delivered({"dispensings": pl.DataFrame([row] * 20)})
    (draft,) = draft_registry_table("dispensings", delivered, layout("swedish"))

    assert draft.counts == {("time", "dispensings", "EDATUM", 88): 20}


def test_times_before_1970_have_hours_too() -> None:
    """A time before 1970 is a negative number; one far from our years has no day, and is no reason to stop."""
    old = pl.Series([datetime(1960, 1, 1, 22)] * 20 + [None]).dt.replace_time_zone("UTC")
    far = pl.Series([2**62] * 2).cast(pl.Datetime("ms", "UTC"))

    assert count_times(old.to_frame("date"), "file", ["date"]) == {("time", "file", "date", 88): 20}
    assert count_times(far.to_frame("date"), "file", ["date"]) == {}


def test_midnights_elsewhere_of_an_omop_model_are_told() -> None:
    """A database gives a time with a zone as a moment in UTC."""
    moments = pl.Series([datetime(2010, 1, 1, 23)] * 20).dt.replace_time_zone("UTC")
    files = {
        "person": pl.DataFrame({"person_id": [7], "year_of_birth": [1970]}),
        "condition_occurrence": pl.DataFrame(
            {"person_id": [7] * 20, "condition_concept_id": [440383] * 20, "condition_start_date": moments}
        ),
    }
    found = clean(Delivered(files), OMOP_LISTS, study(kind="omop"), CODES).midnights

    assert found == [{"file": "condition_occurrence", "column": "condition_start_date", "times": ["23:00"]}]


def test_every_column_that_days_of_an_omop_model_are_read_from_is_looked_at() -> None:
    """A birth with its time, and dates that are text."""
    person = pl.DataFrame(
        {
            "person_id": range(20),
            "gender_concept_id": [8507] * 20,
            "year_of_birth": [1970] * 20,
            "birth_datetime": [datetime(1970, 5, 5, 23)] * 20,
        }
    )
    death = pl.DataFrame({"person_id": range(20), "death_date": ["2018-04-25 22:00:00"] * 20})
    found = clean(Delivered({"person": person, "death": death}), OMOP_LISTS, study(kind="omop"), CODES).midnights

    assert [(row["file"], row["column"]) for row in found] == [("death", "death_date"), ("person", "birth_datetime")]
