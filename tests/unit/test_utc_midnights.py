"""Days that were written as moments in UTC: what is midnight elsewhere is told."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

from impasse.reports.words.delivery_notes import midnight_sentences
from impasse.schemas.delivered import Delivered
from impasse.transforms.ingest.midnights import count_hours
from tests.cleaning import Cleaned, clean
from tests.shipped import CODES
from tests.unit.deliveries import OMOP_LISTS, layout, study


def _dispensed(hours: list[int], zone: str | None = "UTC") -> Cleaned:
    """A registry with one dispensing at each of these hours."""
    days = pl.Series([datetime(2010, 1, 1, hour) for hour in hours]).dt.replace_time_zone(zone)
    files = {
        "persons": pl.DataFrame({"person_id": ["7"], "birth_date": ["1970-01-01"]}),
        "dispensings": pl.DataFrame({"person_id": ["7"] * len(hours), "date": days, "atc": ["N06AB06"] * len(hours)}),
    }
    return clean(Delivered(files), layout("generic"), study(), CODES)


def test_midnights_elsewhere_are_told() -> None:
    """Nine in ten of twenty times are at 22:00 or 23:00."""
    found = _dispensed([22] * 9 + [23] * 9 + [0] * 2).midnights

    assert found == [{"file": "dispensings", "column": "date", "hour": 22}]
    assert midnight_sentences(found) == [
        "Most times of the column date of dispensings are 22:00 or 23:00 UTC: midnight elsewhere, so that its days may "
        "be one early. Write them as dates, or with their zone."
    ]


@pytest.mark.parametrize(
    ("hours", "zone"),
    [
        ([22] * 9 + [23] * 8 + [0] * 3, "UTC"),
        ([22] * 19, "UTC"),
        ([0] * 20, "UTC"),
        ([5] * 20, "UTC"),
        ([22] * 20, "Europe/Stockholm"),
        ([22] * 20, None),
    ],
)
def test_other_times_are_not_told(hours: list[int], zone: str | None) -> None:
    """Fewer times, midnight itself, midnight in the west, which keeps its day, and times of a place that is named."""
    assert _dispensed(hours, zone).midnights == []


def test_times_before_1970_have_hours_too() -> None:
    """A time before 1970 is a negative number, and one far from our years is no reason to stop."""
    old = pl.Series([datetime(1960, 1, 1, 22)] * 20 + [None]).dt.replace_time_zone("UTC")
    far = pl.Series([2**62] * 2).cast(pl.Datetime("ms", "UTC"))

    assert count_hours(old.to_frame("date"), "file", ["date"]) == {("utc", "file", "date", 22): 20}
    assert sum(count_hours(far.to_frame("date"), "file", ["date"]).values()) == 2


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

    assert found == [{"file": "condition_occurrence", "column": "condition_start_date", "hour": 22}]
