"""Supplies that last as the person's own refills tell: the published example, its borders, and random histories."""

from __future__ import annotations

import random
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from impasse.schemas.study import SupplySection
from impasse.transforms.kernels.sliding import sliding_averages
from tests.reference.supplies import Dispensing, by_rhythm
from tests.tables import assert_shows
from tests.unit.deliveries import cleaned

RHYTHM = "personal_refill_rhythm"
PERSONS = "person_id,birth_date\na,1970-01-01\nb,1970-01-01"


def supplied(rows: str, rules: tuple[str, ...] = (RHYTHM,), persons: str = PERSONS, **settings: object) -> pl.DataFrame:
    """The canonical dispensings of rows (person_id, date, atc, and amounts) of the generic layout."""
    rule = SupplySection(rules=rules, **settings)
    return cleaned("generic", supply=rule, persons=persons, dispensings=rows).extract.dispensings


def bought(days: list[int], ddd: str = "10", drug: str = "N06AB06") -> str:
    """Purchases of one person so many days after the first day of 2010."""
    lines = [f"a,{date(2010, 1, 1) + timedelta(day)},{drug},{ddd}" for day in days]
    return "\n".join(["person_id,date,atc,ddd", *lines])


def test_the_published_example() -> None:
    """Table 2 of Tanskanen 2015: five purchases of 10 DDD, 10, 5, 15 and 10 days apart."""
    day = np.array([0, 10, 15, 30, 40], dtype=np.int32)
    average, _ = sliding_averages(day == 0, day, np.full(5, 10_000), 366)

    assert [round(value / 1000, 2) for value in average] == [1.09, 1.33, 0.80, 0.92, 1.00]
    assert [round(10_000 / value, 2) for value in average] == [9.17, 7.50, 12.50, 10.83, 10.00]
    assert_shows(
        supplied(bought([0, 10, 15, 30, 40])),
        """
        date       | days | dose_mddd | supply_basis
        2010-01-01 | 9    | 1091      | personal_refill_rhythm
        2010-01-11 | 7    | 1333      | personal_refill_rhythm
        2010-01-16 | 12   | 800       | personal_refill_rhythm
        2010-01-31 | 10   | 923       | personal_refill_rhythm
        2010-02-10 | 10   | 1000      | personal_refill_rhythm
        """,
    )


def test_three_purchases_have_a_rhythm_two_have_none() -> None:
    """Where there is none the next rule is used, and without a next rule the days are unknown."""
    assert supplied(bought([0, 20, 40]))["days"].to_list() == [20, 20, 20]
    assert supplied(bought([0, 20]))["days"].to_list() == [None, None]
    assert_shows(supplied(bought([0, 20]), (RHYTHM, "ddd")), "days | supply_basis\n10 | ddd\n10 | ddd")


def test_purchases_further_apart_than_the_longest_supply_do_not_lie_together() -> None:
    """Three purchases 30 days apart are one rhythm; a day more, and each is alone."""
    assert supplied(bought([0, 30, 60]), max_days=30)["days"].to_list() == [30, 30, 30]
    assert supplied(bought([0, 31, 62]), max_days=30)["days"].null_count() == 3


def test_a_purchase_of_unknown_amount_parts_those_beside_it() -> None:
    """Nobody knows how far it reached: the three after it are a rhythm of their own, the two before it are none."""
    rows = bought([0, 10, 30, 40, 50]) + "\na,2010-01-21,N06AB06,"

    assert_shows(
        supplied(rows).sort("date"),
        """
        date       | days | supply_basis
        2010-01-01 | -    | unknown
        2010-01-11 | -    | unknown
        2010-01-21 | -    | unknown
        2010-01-31 | 10   | personal_refill_rhythm
        2010-02-10 | 10   | personal_refill_rhythm
        2010-02-20 | 10   | personal_refill_rhythm
        """,
    )


def test_what_is_bought_on_one_day_is_one_purchase() -> None:
    """10 and 20 DDD of a day every 30 days are one DDD a day: the rows last 10 and 20 days."""
    rows = bought([0, 30, 60]) + "\n" + bought([0, 30, 60], "20").split("\n", 1)[1]

    assert_shows(supplied(rows).unique(["days", "dose_mddd"]), "days | dose_mddd\n10 | 1000\n20 | 1000")


def test_each_person_and_drug_has_a_rhythm_of_its_own() -> None:
    """Two drugs in turn, and a second person on the same days, do not mix."""
    both = bought([0, 40, 80]) + "\n" + bought([10, 30, 50], drug="N06AX16").split("\n", 1)[1]
    others = "\n".join(line.replace("a,", "b,", 1) for line in bought([0, 50, 100]).split("\n")[1:])

    found = supplied(f"{both}\n{others}")

    assert sorted(found.select("person", "atc", "days").unique().rows()) == [
        (0, "N06AB06", 40),
        (0, "N06AX16", 20),
        (1, "N06AB06", 50),
    ]


def test_a_group_of_drugs_has_no_rhythm() -> None:
    """Three rows of N06A may be three drugs."""
    assert supplied(bought([0, 20, 40], drug="N06A"))["days"].null_count() == 3


def test_at_most_ten_ddd_a_day_are_used() -> None:
    """100 DDD every ten days are 10 a day; every nine days they still last ten."""
    at, above = (supplied(bought([0, gap, 2 * gap], "100")) for gap in (10, 9))

    assert (at["days"].to_list(), at["dose_mddd"].to_list()) == ([10] * 3, [10_000] * 3)
    assert (above["days"].to_list(), above["dose_mddd"].to_list()) == ([10] * 3, [10_000] * 3)


def test_a_rule_before_it_has_the_first_word() -> None:
    """A row with days keeps them, and is a purchase of the rhythm all the same."""
    rows = "person_id,date,atc,ddd,days_supply\n" + "\n".join(
        f"a,2010-0{month}-01,N06AB06,31,{days}" for month, days in ((1, ""), (2, 7), (3, ""))
    )

    assert_shows(
        supplied(rows, ("days_supply", RHYTHM)),
        """
        date       | days | supply_basis           | dose_mddd
        2010-01-01 | 30   | personal_refill_rhythm | 1016
        2010-02-01 | 7    | days_supply            | 4429
        2010-03-01 | 28   | personal_refill_rhythm | 1107
        """,
    )


def test_packages_and_milligrams_are_amounts_too() -> None:
    """Two packages of 14 DDD, 28 tablets of 50 mg sertraline (DDD 50 mg), every 28 days; milligrams tell mg a day."""
    days = ("2010-01-01", "2010-01-29", "2010-02-26")
    packages = "\n".join(["person_id,date,atc,n_packages,ddd_per_package", *(f"a,{d},N06AB06,2,14" for d in days)])
    tablets = "\n".join(["person_id,date,atc,quantity,strength_mg", *(f"a,{d},N06AB06,28,50" for d in days)])

    assert_shows(supplied(packages).unique(["days", "dose_mddd"]), "days | dose_ug | dose_mddd\n28 | - | 1000")
    assert_shows(supplied(tablets).unique(["days", "dose_mddd"]), "days | dose_ug | dose_mddd\n28 | 50000 | 1000")


def test_a_delivered_daily_dose_is_the_dose() -> None:
    """In mg as delivered; in DDD what is bought a day."""
    rows = "\n".join(["person_id,date,atc,ddd,daily_dose_mg", *(f"a,2010-01-{d},N06AB06,10,75" for d in (10, 20, 30))])

    assert_shows(supplied(rows).unique(["days", "dose_ug"]), "days | dose_ug | dose_mddd\n10 | 75000 | 1000")


def test_irregular_refills_lengthen_supplies_if_the_study_says_so() -> None:
    """A regular rhythm by a fifth; so the published example, whose spread is 0.17; a wild one by half, and no more."""
    assert supplied(bought([0, 20, 40]), irregular_refills="lengthen")["days"].to_list() == [24] * 3
    published = supplied(bought([0, 10, 15, 30, 40]), irregular_refills="lengthen")
    assert published["days"].to_list() == [11, 9, 15, 13, 12]
    wild = [0, 2, 4, 6, 206, 208, 210]
    plain, longer = (supplied(bought(wild), irregular_refills=word) for word in ("ignored", "lengthen"))
    assert (plain["days"].to_list()[-1], longer["days"].to_list()[-1]) == (2, 3)


def test_a_supply_of_which_a_part_was_returned_stays_unknown() -> None:
    """And is a purchase of unknown amount."""
    rows = "person_id,date,atc,n_packages,ddd_per_package\n" + "\n".join(
        f"a,2010-01-{day},N06AB06,3,10" for day in ("01", "11", "21", "31")
    )

    found = supplied(f"{rows}\na,2010-02-01,N06AB06,-1,10")

    assert found["supply_basis"].to_list() == [*[RHYTHM] * 3, "unknown"]


@pytest.mark.parametrize("word", ["ignored", "lengthen"])
@pytest.mark.parametrize("seed", range(6))
def test_random_histories_are_as_the_slow_reading_has_them(seed: int, word: str) -> None:
    """Of persons with drugs in turn, gaps around the longest supply, unknown amounts and several rows of a day."""
    rng = random.Random(seed)
    rows = [row for person in "ab" for drug in ("N06AB06", "N06AX16") for row in _history(rng, person, drug)]
    text = "\n".join(["person_id,date,atc,ddd", *(f"{p},{d},{a},{'' if n is None else n}" for p, d, a, n in rows)])

    found = supplied(text, max_days=60, irregular_refills=word)
    expected = zip(rows, by_rhythm(rows, 60, lengthen=word == "lengthen"), strict=True)

    assert sorted(found.select("person", "date", "atc", "days", "dose_mddd").rows(), key=str) == sorted(
        (("ab".index(p), d, a, *(told or (None, None))) for (p, d, a, _), told in expected), key=str
    )


def _history(rng: random.Random, person: str, drug: str) -> list[Dispensing]:
    gaps = [rng.choice([0, 1, 7, 20, 28, 30, 59, 60, 61]) for _ in range(rng.randint(0, 30))]
    days = [date(2010, 1, 1) + timedelta(sum(gaps[:n])) for n in range(len(gaps))]
    return [(person, day, drug, rng.choice([None, 0.5, 7, 10, 14, 28, 33.333, 98, 900])) for day in days]
