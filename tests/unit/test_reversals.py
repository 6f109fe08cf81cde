"""Rows with a negative amount: what they take back, and what nobody can tell any more."""

from __future__ import annotations

from itertools import permutations

import polars as pl
import pytest

from impasse.transforms.ingest.reversals import Reversals
from tests.cleaning import Cleaned
from tests.tables import assert_shows
from tests.unit.deliveries import cleaned

HEAD = "lopnr,EDATUM,ATC,ANTAL,forpddd\n"
PERSONS = "lopnr,fodelseman,kon\n1,1970,1\n2,1980,2\n"


def dispensed(rows: str) -> Cleaned:
    """Rows of the Swedish prescribed drug register: packages, and DDD in each."""
    lines = "\n".join(line.strip() for line in rows.strip().splitlines())
    return cleaned("swedish", persons=PERSONS, dispensings=f"{HEAD}{lines}\n")


def test_what_was_taken_back_was_not_handed_out() -> None:
    """Three packages taken back four days later: no supply, and both rows are accepted."""
    found = dispensed("1,2019-01-21,N06AB04,3,98\n1,2019-01-25,N06AB04,-3,98")

    assert found.extract.dispensings.is_empty()
    assert found.reversals == Reversals(n_taken_back=1)
    assert found.reconciliation.filter(table="dispensings")["n_delivered", "n_accepted"].row(0) == (2, 2)
    assert "dispensings" not in found.quarantine


@pytest.mark.parametrize("signs", sorted(set(permutations(["", "-", ""]))))
def test_booked_reversed_and_booked_again_on_one_day_is_one(signs: tuple[str, ...]) -> None:
    """In whatever order the three rows come."""
    found = dispensed("\n".join(f"1,2019-02-11,N06AB06,{sign}1,98" for sign in signs))

    assert_shows(found.extract.dispensings, "date | days\n2019-02-11 | 98")


def test_the_latest_supply_is_the_one_taken_back() -> None:
    """Of two equal ones before it; one after it is none of its business, and one on its day is."""
    found = dispensed("""
        1,2019-01-01,N06AB04,1,98
        1,2019-02-01,N06AB04,1,98
        1,2019-02-10,N06AB04,-1,98
        1,2019-02-11,N06AB04,1,98
        1,2019-03-01,N06AB04,1,28
        1,2019-03-01,N06AB04,-1,28
    """)

    assert_shows(found.extract.dispensings, "date | days\n2019-01-01 | 98\n2019-02-11 | 98")
    assert found.reversals == Reversals(n_taken_back=2)


def test_two_reversals_take_back_two_supplies() -> None:
    """Each supply is taken back once: the second reversal takes the one before, the third finds none."""
    found = dispensed("""
        1,2019-01-01,N06AB04,1,98
        1,2019-02-01,N06AB04,1,98
        1,2019-02-10,N06AB04,-1,98
        1,2019-02-11,N06AB04,-1,98
        1,2019-02-12,N06AB04,-1,98
    """)

    assert found.extract.dispensings.is_empty()
    assert found.reversals == Reversals(n_taken_back=2, n_unmatched=1)


@pytest.mark.parametrize(
    "row",
    ["2,2019-01-25,N06AB04,-3,98", "1,2019-01-25,N06AB06,-3,98", "1,2019-01-20,N06AB04,-3,98"],
    ids=["another person", "another substance", "the day before"],
)
def test_a_reversal_without_a_supply_before_it_changes_nothing(row: str) -> None:
    """It speaks about a supply that is not in the delivery."""
    found = dispensed(f"1,2019-01-21,N06AB04,3,98\n{row}")

    assert_shows(found.extract.dispensings, "date | atc | days\n2019-01-21 | N06AB04 | 294")
    assert found.reversals == Reversals(n_unmatched=1)


def test_a_supply_of_which_a_part_was_returned_is_unknown() -> None:
    """One of three packages came back: how many days the others last is not guessed; earlier supplies stay."""
    found = dispensed("""
        1,2019-01-01,N06AB04,1,28
        1,2019-01-21,N06AB04,3,98
        1,2019-01-25,N06AB04,-1,98
        1,2019-06-01,N06AB04,1,28
    """)

    assert_shows(
        found.extract.dispensings,
        """
        date       | days | supply_basis
        2019-01-01 | 28   | packages_x_ddd
        2019-01-21 | -    | unknown
        2019-06-01 | 28   | packages_x_ddd
        """,
    )
    assert found.extract.dispensings.filter(pl.col("days").is_null())["dose_mddd"].to_list() == [None]
    assert found.reversals == Reversals(n_unmatched=1, n_unknown=1)


def test_a_return_reaches_as_far_back_as_its_amount() -> None:
    """Three packages returned at once make the last three of one package unknown, and not the fourth."""
    found = dispensed("""
        1,2019-01-01,N06AB04,1,98
        1,2019-02-01,N06AB04,1,98
        1,2019-03-01,N06AB04,1,98
        1,2019-04-01,N06AB04,1,98
        1,2019-04-02,N06AB04,-3,98
    """)

    assert found.extract.dispensings["days"].to_list() == [98, None, None, None]
    assert found.reversals == Reversals(n_unmatched=1, n_unknown=3)


def test_two_parts_of_one_supply_make_one_unknown() -> None:
    """One package returned and then another, of three: the supply before is not touched."""
    found = dispensed("""
        1,2019-01-01,N06AB04,1,28
        1,2019-01-21,N06AB04,3,98
        1,2019-01-25,N06AB04,-1,98
        1,2019-01-26,N06AB04,-1,98
    """)

    assert found.extract.dispensings["days"].to_list() == [28, None]
    assert found.reversals == Reversals(n_unmatched=2, n_unknown=1)


def test_a_supply_that_is_taken_back_is_not_returned_again() -> None:
    """A part returned after that is of the supply before."""
    found = dispensed("""
        1,2019-01-01,N06AB04,2,98
        1,2019-02-01,N06AB04,1,28
        1,2019-02-02,N06AB04,-1,28
        1,2019-02-03,N06AB04,-1,98
    """)

    assert_shows(found.extract.dispensings, "date | days\n2019-01-01 | -")
    assert found.reversals == Reversals(n_taken_back=1, n_unmatched=1, n_unknown=1)


def test_supplies_longer_than_the_longest_are_told_apart_by_their_amount() -> None:
    """Ten and eight packages of 98 days both last the longest time that counts: the ten are taken back."""
    found = dispensed("1,2019-01-01,N06AB04,10,98\n1,2019-02-01,N06AB04,8,98\n1,2019-02-02,N06AB04,-10,98")

    assert found.extract.dispensings["date"].cast(pl.String).to_list() == ["2019-02-01"]


def generic(rows: str) -> Cleaned:
    """Rows of a person of the generic layout: days of supply, units, and the strength of each."""
    head = "person_id,date,atc,days_supply,quantity,strength_mg,daily_dose_mg,kind\n"
    return cleaned("generic", persons="person_id,birth_date\na,1970-01-01\n", dispensings=head + rows)


@pytest.mark.parametrize("row", ["-30,-30,50,", ",-30,50,", "0,-30,50,"], ids=["both negative", "no days", "0 days"])
def test_all_amounts_of_a_reversal_are_negative(row: str) -> None:
    """Some registers turn the number of units alone and leave the days blank, some turn both."""
    found = generic(f"a,2010-01-01,N06AB06,30,30,50,,\na,2010-01-02,N06AB06,{row},\n")

    assert found.reversals == Reversals(n_taken_back=1)
    assert "dispensings" not in found.quarantine


@pytest.mark.parametrize(
    "row",
    ["30,,-50,", "30,,,-50", "-1,30,50,", "-30,30,50,", "30,-30,50,", "-1,,,", "-1,0,50,", ",-30,-50,"],
    ids=[
        "strength",
        "daily dose",
        "days unknown",
        "days negative",
        "units negative",
        "only days",
        "only days and no units",
        "units and strength",
    ],
)
def test_signs_that_contradict_each_other_are_a_slip(row: str) -> None:
    """-1 day is how unknown days are written: such a row is refused, and the supply before it stands."""
    found = generic(f"a,2010-01-01,N06AB06,30,30,50,,\na,2010-01-02,N06AB06,{row},\n")

    assert found.quarantine["dispensings"]["rule"].to_list() == ["supply_negative"]
    assert found.extract.dispensings["days"].to_list() == [30]
    assert found.reversals == Reversals()


def test_a_supply_of_a_known_kind_is_taken_back_by_a_row_of_an_unknown_one() -> None:
    """The row that takes back need not say again how the drug was handed out."""
    found = generic("a,2010-01-01,N06AB06,30,30,50,,dispensed\na,2010-01-02,N06AB06,-30,-30,50,,\n")

    assert found.extract.dispensings.is_empty()
    assert found.reversals == Reversals(n_taken_back=1)


def test_an_amount_taken_back_is_no_larger_than_one_handed_out() -> None:
    """100,000 units may be returned; one more is a slip."""
    found = cleaned(
        "generic",
        persons="person_id,birth_date\na,1970-01-01\n",
        dispensings="person_id,date,atc,quantity\na,2010-01-01,N06AB06,-100000\na,2010-01-02,N06AB06,-100001\n",
    )

    assert found.quarantine["dispensings"]["rule"].to_list() == ["supply_too_large"]
    assert found.reversals == Reversals(n_unmatched=1)


def test_amounts_that_are_not_told_take_back_nothing_but_make_unknown() -> None:
    """A row of minus one package, beside a supply of thirty days: how much of it was returned is not known."""
    found = cleaned(
        "generic",
        persons="person_id,birth_date\na,1970-01-01\n",
        dispensings="person_id,date,atc,n_packages,days_supply\n"
        "a,2010-01-01,N06AB06,,30\na,2010-03-01,N06AB06,,30\na,2010-03-02,N06AB06,-1,\n",
    )

    assert found.extract.dispensings["days"].to_list() == [30, None]


@pytest.mark.parametrize("days", ["-30", "", "0"])
def test_an_omop_exposure_of_a_negative_quantity_takes_one_back(days: str) -> None:
    """The same fact obeys the same rule whatever entrance it takes; without days, those to the end date count."""
    found = exposed(f"7,21,2010-01-02,2010-01-31,{days},-30\n")

    assert_shows(found.extract.dispensings, "date | days\n2010-03-01 | 30")
    assert found.reversals == Reversals(n_taken_back=1)


@pytest.mark.parametrize("row", ["-1,30", "-1,"])
def test_an_omop_exposure_of_minus_one_day_takes_back_nothing(row: str) -> None:
    """It is refused, and both supplies stand."""
    found = exposed(f"7,21,2010-01-02,2010-01-31,{row}\n")

    assert found.extract.dispensings["days"].to_list() == [30, 30]
    assert found.quarantine["dispensings"]["rule"].to_list() == ["supply_negative"]


def exposed(row: str) -> Cleaned:
    """Two exposures of thirty days in an OMOP CDM, and one more."""
    return cleaned(
        "omop",
        person="person_id,gender_concept_id,year_of_birth\n7,8507,1970\n",
        drug_ingredient="drug_concept_id,ingredient_concept_id,ingredient_name\n21,21,sertraline\n",
        drug_exposure="person_id,drug_concept_id,drug_exposure_start_date,drug_exposure_end_date,days_supply,quantity\n"
        f"7,21,2010-01-01,2010-01-30,30,30\n7,21,2010-03-01,2010-03-30,30,30\n{row}",
    )


# Six package sizes of each of two drugs, one of which is returned in the next year.
SIZES = [f"1,2018-06-0{n},{atc},{n},196" for atc in ("N06AB04", "N06AX16") for n in range(1, 7)]
RETURNED = "1,2019-01-02,N06AB04,-1,196"


@pytest.mark.parametrize(
    "rows",
    [
        [*SIZES, RETURNED],
        [RETURNED, *SIZES],
        [*reversed(SIZES), RETURNED],
        [*SIZES[::2], *SIZES[1::2], RETURNED],
        [*SIZES[6:], RETURNED, *SIZES[:6]],
    ],
    ids=["by drug", "the return first", "backwards", "alternating", "the return between"],
)
def test_what_is_taken_back_does_not_depend_on_the_order_of_rows(rows: list[str]) -> None:
    """A drug is one drug wherever in the file it stands."""
    found = dispensed("\n".join(rows))

    assert found.reversals == Reversals(n_taken_back=1)
    assert found.extract.dispensings.height == 11
    assert found.extract.dispensings["date"].min().isoformat() == "2018-06-01"
    assert found.extract.dispensings.filter(atc="N06AB04")["date"].min().isoformat() == "2018-06-02"


LATE_HEAD = "person_id,date,atc,quantity,strength_mg\n"


def with_end(rows: str, death: str = "") -> Cleaned:
    """Units of 50 mg handed to one person, in a study that ends on 31 December 2020."""
    persons = f"person_id,birth_date,death_date\na,1970-01-01,{death}\n"
    lines = [f"a,{day},N06AB06,{units},50\n" for day, units in (row.split() for row in rows.split(", "))]
    return cleaned("generic", persons=persons, dispensings=LATE_HEAD + "".join(lines))


@pytest.mark.parametrize("day", ["2019-05-05", "2019-05-06", "2019-12-01", "2021-01-01"])
def test_what_the_dead_had_may_be_returned(day: str) -> None:
    """On the day of death, the day after it, and after the end of the period."""
    found = with_end(f"2019-01-01 30, 2019-05-01 90, {day} -90", death="2019-05-05")

    assert found.extract.dispensings["date"].cast(pl.String).to_list() == ["2019-01-01"]
    assert found.reversals == Reversals(n_taken_back=1)
    assert found.reconciliation.filter(table="dispensings")["n_delivered", "n_accepted"].row(0) == (3, 3)


@pytest.mark.parametrize("day", ["2020-12-31", "2021-01-01"])
def test_what_the_period_had_may_be_returned_after_it(day: str) -> None:
    """On its last day and on the next."""
    found = with_end(f"2020-12-20 30, {day} -30")

    assert found.extract.dispensings.is_empty()
    assert found.reversals == Reversals(n_taken_back=1)


@pytest.mark.parametrize("death", ["", "2020-12-28"])
def test_what_came_too_late_is_returned_before_what_did_not(death: str) -> None:
    """The latest equal supply is one after the end: it stays refused, and the one before it stands."""
    found = with_end("2020-12-20 30, 2021-01-10 30, 2021-01-11 -30, 2021-01-12 60", death=death)

    assert found.extract.dispensings["date"].cast(pl.String).to_list() == ["2020-12-20"]
    assert found.reversals == Reversals()
    assert found.rules.filter(table="dispensings").rows() == [("dispensings", "date_after_period", 2)]
    assert found.reconciliation.filter(table="dispensings")["n_delivered", "n_accepted", "n_quarantined"].row(0) == (
        4,
        2,
        2,
    )


def test_a_supply_that_comes_too_late_is_no_supply() -> None:
    """Without a return, and of a part of it."""
    found = with_end("2020-12-20 30, 2020-12-31 60, 2021-01-01 60")
    returned = with_end("2020-12-31 60, 2021-01-01 60, 2021-01-02 -30")

    assert found.extract.dispensings["date"].cast(pl.String).to_list() == ["2020-12-20", "2020-12-31"]
    assert returned.extract.dispensings["date"].cast(pl.String).to_list() == ["2020-12-31"]
    assert returned.reversals == Reversals(n_unmatched=1)


def test_a_return_before_the_birth_is_refused() -> None:
    """No other rule about days is lifted for returns."""
    found = with_end("1969-12-31 -30, 2020-01-01 30")

    assert found.quarantine["dispensings"]["rule"].to_list() == ["date_before_birth"]


def test_all_that_was_handed_out_on_a_day_may_be_returned_at_once() -> None:
    """Two rows of one package each, and one of two packages back on the next day; the supply before stands."""
    found = dispensed("""
        1,2019-01-01,N06AB04,1,98
        1,2019-02-01,N06AB04,1,98
        1,2019-02-01,N06AB04,1,98
        1,2019-02-02,N06AB04,-2,98
    """)

    assert_shows(found.extract.dispensings, "date | days\n2019-01-01 | 98")
    assert found.reversals == Reversals(n_taken_back=2)


@pytest.mark.parametrize(
    ("rows", "days"),
    [
        ("1,2019-02-01,N06AB04,1,98\n1,2019-02-01,N06AB04,1,100", [None, None]),
        ("1,2019-01-31,N06AB04,1,98\n1,2019-02-01,N06AB04,1,98", [None, None]),
        ("1,2019-02-01,N06AB04,1,98\n1,2019-02-01,N06AB04,1,96", [None, None]),
    ],
    ids=["a little less", "of two days", "a little more"],
)
def test_what_does_not_add_up_on_one_day_is_unknown(rows: str, days: list[int | None]) -> None:
    """A part, or supplies of several days: what is left is not guessed."""
    found = dispensed(f"{rows}\n1,2019-02-02,N06AB04,-2,98")

    assert found.extract.dispensings["days"].to_list() == days
    assert found.reversals == Reversals(n_unmatched=1, n_unknown=2)


def test_amounts_in_different_units_are_not_added_up() -> None:
    """30 units are not 30 days, though the numbers are the same."""
    found = generic("a,2010-01-01,N06AB06,30,,,,\na,2010-01-02,N06AB06,,-30,,,\n")

    assert found.extract.dispensings["days"].to_list() == [None]
    assert found.reversals == Reversals(n_unmatched=1, n_unknown=1)
