"""Supplies that last until most persons have the drug again: the border of each number, and random deliveries."""

from __future__ import annotations

import random
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from impasse.schemas.study import SupplySection
from impasse.transforms.ingest.refills.waiting_times import Refills, length_of_most
from tests.reference.supplies import Dispensing, by_waiting_times
from tests.tables import assert_shows
from tests.unit.deliveries import cleaned

WAITING = "waiting_time_distribution"


def supplied(rows: list[Dispensing], rules: tuple[str, ...] = (WAITING,), **settings: object) -> pl.DataFrame:
    """The canonical dispensings of rows (person, date, drug, DDD) of the generic layout."""
    ids = dict.fromkeys(row[0] for row in rows)
    persons = "\n".join(["person_id,birth_date", *(f"{name},1970-01-01" for name in ids)])
    text = "\n".join(["person_id,date,atc,ddd", *(f"{p},{d},{a},{'' if n is None else n}" for p, d, a, n in rows)])
    rule = SupplySection(rules=rules, **settings)
    return cleaned("generic", supply=rule, persons=persons, dispensings=text).extract.dispensings


def refilled(after: list[int], drug: str = "N06AB06") -> list[Dispensing]:
    """For each number of days a person with two dispensings so far apart."""
    first = date(2010, 1, 1)
    return [(f"p{n:03}", first + timedelta(day), drug, None) for n, days in enumerate(after) for day in (0, days)]


def test_most_refills_have_come_at_the_percentile() -> None:
    """Of 50 refills 40 came within 30 days: at the 80th percentile a supply lasts 30 days, above it 60."""
    rows = refilled([*[20] * 20, *[30] * 20, *[60] * 10])

    assert set(supplied(rows)["days"]) == {30}
    assert set(supplied(rows, waiting_time_percentile=81)["days"]) == {60}
    assert_shows(
        supplied(rows).head(1), "days | dose_ug | dose_mddd | supply_basis\n30 | - | - | waiting_time_distribution"
    )


def test_fifty_persons_have_a_length_one_fewer_has_none() -> None:
    """However often one of them has the drug; the number is the study's."""
    rows = refilled([30] * 49)
    often = [("p000", date(2010, 6, 1) + timedelta(30 * n), "N06AB06", None) for n in range(20)]

    assert supplied(rows + often)["days"].null_count() == len(rows + often)
    assert set(supplied(refilled([30] * 50))["days"]) == {30}
    assert set(supplied(rows, waiting_time_min_persons=49)["days"]) == {30}


def test_ten_of_those_counted_must_have_taken_as_long() -> None:
    """Of the longest refill of one person no length is made."""
    assert length_of_most(np.array([0, 90, 10]), 99) == 2
    assert length_of_most(np.array([0, 91, 9]), 99) is None
    assert length_of_most(np.array([0, 91, 9]), 91) == 1


def test_a_person_counts_once_for_each_length() -> None:
    """However often it is: 200 refills every 37 days weigh as one, so that the length is that of all the others."""
    often = [("often", date(2010, 1, 1) + timedelta(37 * n), "N06AB06", None) for n in range(201)]

    assert set(supplied(refilled([30] * 60) + often)["days"]) == {30}
    assert set(supplied(refilled([*[30] * 40, *[37] * 9]) + often)["days"]) == {30}
    assert set(supplied(refilled([*[30] * 39, *[37] * 9]) + often, waiting_time_min_persons=49)["days"]) == {37}


def test_a_person_counts_for_each_of_their_lengths() -> None:
    """Fifty persons had the drug again after 30 days and after 60: half of their lengths are 30 days."""
    rows = [
        (f"p{n:03}", date(2010, 1, 1) + timedelta(day), "N06AB06", None) for n in range(50) for day in (0, 30, 90, 120)
    ]

    assert set(supplied(rows, waiting_time_percentile=50)["days"]) == {30}
    assert set(supplied(rows, waiting_time_percentile=51)["days"]) == {60}


def test_nine_persons_who_take_long_make_no_length() -> None:
    """Though each of them does so ten times: the tenth person is missing."""
    rows, start = refilled([30] * 50), date(2012, 1, 1)
    long = [(f"l{n}", start + timedelta(90 * i), "N06AB06", None) for n in range(9) for i in range(11)]

    assert supplied(rows + long, waiting_time_percentile=99)["days"].null_count() == len(rows + long)
    assert set(supplied(rows + long)["days"]) == {30}


def test_a_gap_longer_than_the_longest_supply_is_no_refill() -> None:
    """At 60 days it is one, at 61 it is not; persons with only such gaps do not count."""
    rows = refilled([*[20] * 50, *[60] * 50])

    assert set(supplied(rows, max_days=60)["days"]) == {60}
    assert set(supplied(rows, max_days=59)["days"]) == {20}
    assert supplied(refilled([61] * 50), max_days=60)["days"].null_count() == 100


def test_two_dispensings_of_one_day_are_no_refill() -> None:
    """Days count, not rows."""
    rows = refilled([30] * 50)

    assert set(supplied(rows + rows)["days"]) == {30}


def test_each_drug_has_a_length_of_its_own() -> None:
    """And a code of a group of drugs has none."""
    rows = refilled([30] * 50) + refilled([90] * 50, "N06AX16") + refilled([30] * 50, "N06A")

    assert sorted(supplied(rows).select("atc", "days").unique().rows()) == [
        ("N06A", None),
        ("N06AB06", 30),
        ("N06AX16", 90),
    ]


def test_the_order_of_rules_decides() -> None:
    """What is known of the row comes before, and what comes after is used where there is no length."""
    many = [(p, day, drug, 14.0) for p, day, drug, _ in refilled([30] * 50)]
    few = [(p, day, "N06AX16", 14.0) for p, day, _, _ in many[:4]]

    by_ddd, by_time = supplied(many + few, ("ddd", WAITING)), supplied(many + few, (WAITING, "ddd"))

    assert set(by_ddd["supply_basis"]) == {"ddd"}
    assert sorted(by_time.select("atc", "days", "supply_basis").unique().rows()) == [
        ("N06AB06", 30, WAITING),
        ("N06AX16", 14, "ddd"),
    ]


def test_rhythm_and_waiting_times_go_together() -> None:
    """Who has a rhythm lasts by it, whoever comes first in the study's rules has the first word."""
    rows = [(p, day, drug, 10.0) for p, day, drug, _ in refilled([30] * 50)]
    rows.append(("p000", date(2010, 3, 1), "N06AB06", 10.0))

    first, last = (
        supplied(rows, rules) for rules in (("personal_refill_rhythm", WAITING), (WAITING, "personal_refill_rhythm"))
    )

    assert first.group_by("supply_basis").len().sort("len")["len"].to_list() == [3, 98]
    assert set(last["supply_basis"]) == {WAITING}


def test_counts_of_buckets_add_up() -> None:
    """Whole numbers, so that the order does not matter."""
    one, other = Refills(np.array([[1, 2]]), np.array([2])), Refills(np.array([[3, 4]]), np.array([5]))

    assert ((one + other).after.tolist(), (other + one).n_persons.tolist()) == ([[4, 6]], [7])


@pytest.mark.parametrize("seed", range(6))
def test_random_deliveries_are_as_the_slow_reading_has_them(seed: int) -> None:
    """Of persons with two drugs and a group of drugs, at a random percentile."""
    rng = random.Random(seed)
    percent, rows = rng.choice([50, 67, 80, 90]), []
    for person in range(40):
        for drug in ("N06AB06", "N06AX16", "N06A"):
            day = date(2010, 1, 1)
            for _ in range(rng.randint(0, 4)):
                rows.append((f"p{person:03}", day, drug, None))
                day += timedelta(rng.choice([0, 7, 14, 28, 30, 31, 60, 61]))
    expected = by_waiting_times(rows, percent, 30, 60)

    found = supplied(rows, waiting_time_percentile=percent, waiting_time_min_persons=30, max_days=60)

    assert {(atc, days) for atc, days in found.select("atc", "days").rows()} == {
        (drug, expected.get(drug)) for _, _, drug, _ in rows
    }
