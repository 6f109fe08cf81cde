"""A line of a case gets the days and the dose that a run makes of the same row in a delivery."""

from __future__ import annotations

import random

import pytest

from impasse.reports.display.timeline import draw
from impasse.schemas import cases
from impasse.schemas.errors import ImpasseError
from impasse.schemas.history import DELIVERED_AS, parse_history
from impasse.schemas.study import SupplySection
from impasse.transforms.drawn_supplies import with_supplies
from tests.shipped import CODES, SHIPPED
from tests.unit.deliveries import cleaned

DEFAULT = SupplySection()
RHYTHM = SupplySection(rules=("days_supply", "personal_refill_rhythm", "ddd", "packages_x_ddd"))
WORDS = {"days": "days_supply", "dose_mg": "daily_dose_mg", "kind": "kind", **DELIVERED_AS}


def drawn(lines: list[str], rule: SupplySection = DEFAULT) -> list[dict[str, object]]:
    """The canonical dispensings of one drawn person."""
    return with_supplies([parse_history(lines, "P1")], rule, CODES)[0]["dispensings"]


def delivered(lines: list[str], rule: SupplySection = DEFAULT) -> list[dict[str, object]]:
    """The same lines as rows of a delivery in the generic layout, as a run cleans them."""
    rows = []
    for line in lines:
        _, day, atc, *words = line.split()
        said = {WORDS[word.split("=")[0]]: word.split("=")[1] for word in words}
        rows.append(",".join(["1", day, atc, *(said.get(column, "") for column in WORDS.values())]))
    text = "\n".join([f"person_id,date,atc,{','.join(WORDS.values())}", *rows]).replace(
        ",,,,,,,,\n", ",,,,,,,dispensed\n"
    )
    persons = "person_id,birth_date\n1,1970-01-01"
    return (
        cleaned("generic", supply=rule, persons=persons, dispensings=text).extract.dispensings.drop("person").to_dicts()
    )


@pytest.mark.parametrize(
    ("line", "days", "dose_ug", "dose_mddd", "basis"),
    [
        ("days=28 dose_mg=50", 28, 50_000, 1000, "days_supply"),
        ("quantity=60 strength_mg=50 dose_mg=100", 30, 100_000, 2000, "quantity_per_daily_dose"),
        ("total_ddd=28", 28, None, None, "ddd"),
        ("packages=2 ddd_per_package=14", 28, None, None, "packages_x_ddd"),
        ("days=28 total_ddd=42", 28, None, 1500, "days_supply"),
        ("days=28 quantity=56 strength_mg=50", 28, 100_000, 2000, "days_supply"),
        ("days=28 ddd=1.5", 28, None, 1500, "days_supply"),
        ("days=400", 366, None, None, "days_supply"),
        ("packages=2", None, None, None, "unknown"),
    ],
)
def test_a_line_in_amounts(line: str, days: int | None, dose_ug: int | None, dose_mddd: int | None, basis: str) -> None:
    """Of sertraline, whose DDD is 50 mg."""
    [row] = drawn([f"disp 2021-01-01 N06AB06 {line}"])

    told = {column: row[column] for column in ("days", "dose_ug", "dose_mddd", "supply_basis", "kind")}
    assert told == {
        "days": days,
        "dose_ug": dose_ug,
        "dose_mddd": dose_mddd,
        "supply_basis": basis,
        "kind": "dispensed",
    }


@pytest.mark.parametrize(
    "rule", [DEFAULT, RHYTHM, SupplySection(kinds=("dispensed",))], ids=["default", "rhythm", "kinds"]
)
@pytest.mark.parametrize("seed", range(4))
def test_random_lines_are_as_a_run_has_them(seed: int, rule: SupplySection) -> None:
    """Whatever words the lines have, in the same order, also where other lines tell how long one lasts."""
    rng = random.Random(seed)
    amounts = {"days": (28, 400), "dose_mg": (25, 37.5), "kind": ("dispensed", "prescribed")}
    amounts |= dict.fromkeys(DELIVERED_AS, (1, 14, 28.5, 100))
    lines = []
    for month in range(1, 13):
        for drug in ("N06AB06", "N06AX16", "N06A"):
            words = {"kind": "dispensed"} | {
                word: rng.choice(told) for word, told in amounts.items() if rng.random() < 0.4
            }
            lines.append(
                f"disp 2019-{month:02}-{rng.randint(1, 28):02} {drug} " + " ".join(f"{w}={v}" for w, v in words.items())
            )

    assert drawn(lines, rule) == delivered(lines, rule)


def test_persons_do_not_mix() -> None:
    """Each is as if alone in the delivery, and one without a dispensing has none."""
    lines = [f"disp 2021-01-{day} N06AB06 total_ddd=10" for day in ("01", "11", "21")]
    persons = [parse_history(own, name) for name, own in (("P1", lines[:2]), ("P2", []), ("P3", lines))]

    found = [[row["supply_basis"] for row in one["dispensings"]] for one in with_supplies(persons, RHYTHM, CODES)]

    assert found == [["ddd", "ddd"], [], ["personal_refill_rhythm"] * 3]


CASE = '''[[case]]
name = "A drug by its packages"
observes = ["drug"]
supply = { rules = ["assumed_days_per_package"], assumed_days_per_package = 28 }
history = """
dx 2021-01-01 F321
disp 2021-01-01 N06AB06 packages=2
"""
expected = { verdict = "not_resistant" }
'''


def test_a_case_may_state_supply_rules() -> None:
    """As a study does; without them those hold that hold where a study states none."""
    [case] = cases.parse("mine.toml", CASE)
    [plain] = cases.parse("mine.toml", CASE.replace("supply = ", "# "))

    assert [row["days"] for row in with_supplies([case.person()], case.supply, CODES)[0]["dispensings"]] == [56]
    assert plain.supply == DEFAULT


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("= 28", "= 0", "supply.assumed_days_per_package"),
        (", assumed_days_per_package = 28", "", "must be set"),
        ("assumed_days_per_package = 28", "assumed_days = 28", "supply.assumed_days"),
        ("supply = {", "suply = {", "Did you mean 'supply'?"),
        ('supply = { rules = ["assumed_days_per_package"], assumed_days_per_package = 28 }', "supply = 3", "supply"),
    ],
)
def test_a_slip_in_supply_rules_of_a_case_is_named(old: str, new: str, told: str) -> None:
    """With the line."""
    with pytest.raises(ImpasseError) as refused:
        cases.parse("mine.toml", CASE.replace(old, new, 1))

    assert told in str(refused.value)
    assert refused.value.where == "mine.toml, line 4, case 'A drug by its packages'"


def test_a_drawn_line_shows_what_was_handed_out() -> None:
    """Where it states no days; which days the rules make of it is the run's affair."""
    [case] = cases.parse("mine.toml", CASE.replace("packages=2", "packages=2 ddd_per_package=14"))

    drawn_line = draw(case, SHIPPED[0], CODES).rows[1].event

    assert drawn_line == "sertraline, dose unknown, for as long as packages 2 and ddd per package 14 last"
