"""How amounts become days and doses: the first rule that applies, rounded down, recorded on the row."""

from __future__ import annotations

import polars as pl

from impasse.schemas.mapping import SUPPLY_COLUMNS
from impasse.schemas.study import SupplySection
from impasse.transforms.ingest.supply import add_supply
from tests.shipped import CODES
from tests.tables import assert_shows, table


def supplied(drawn: str, rule: SupplySection | None = None) -> pl.DataFrame:
    """The drawn dispensings of mirtazapine (DDD 30 mg) with days and doses."""
    rows = table(drawn)
    absent = [pl.lit(None, dtype=pl.Float64).alias(name) for name in SUPPLY_COLUMNS if name not in rows.columns]
    given = rows.with_columns(*absent, atc=pl.lit("N06AX11"))
    return add_supply(given.with_columns(pl.col(SUPPLY_COLUMNS).cast(pl.Float64)), rule or SupplySection(), CODES.doses)


def test_first_rule_that_applies_wins() -> None:
    """Delivered days come before amounts, amounts before DDD, DDD before packages."""
    given = supplied("""
        row            | days_supply | quantity | strength_mg | daily_dose_mg | ddd | n_packages | ddd_per_package
        all            | 28          | 30       | 15          | 15            | 20  | 1          | 10
        no days        | -           | 30       | 15          | 15            | 20  | 1          | 10
        no daily dose  | -           | 30       | 15          | -             | 20  | 1          | 10
        packages only  | -           | -        | -           | -             | -   | 2          | 10
        nothing        | -           | -        | -           | -             | -   | -          | -
    """)

    assert_shows(
        given,
        """
        row           | days | supply_basis
        all           | 28   | days_supply
        no days       | 30   | quantity_per_daily_dose
        no daily dose | 20   | ddd
        packages only | 20   | packages_x_ddd
        nothing       | -    | unknown
        """,
    )


def test_zero_is_not_recorded() -> None:
    """Zero days, packages or daily dose say nothing, and the next rule is tried."""
    given = supplied("""
        row        | days_supply | ddd | quantity | strength_mg | daily_dose_mg
        zero days  | 0           | 14  | -        | -           | -
        zero dose  | -           | 14  | 30       | 15          | 0
        all zero   | 0           | 0   | 0        | 0           | 0
    """)

    assert_shows(
        given,
        """
        row       | days | supply_basis
        zero days | 14   | ddd
        zero dose | 14   | ddd
        all zero  | -    | unknown
        """,
    )


def test_days_are_rounded_down_at_least_one_and_capped() -> None:
    """29.9 days are 29, half a day is one, and nothing lasts longer than max_days."""
    given = supplied(
        """
        row     | days_supply
        below   | 29.9
        half    | 0.5
        at cap  | 366
        above   | 367
        """,
        SupplySection(max_days=366),
    )

    assert_shows(
        given,
        """
        row    | days
        below  | 29
        half   | 1
        at cap | 366
        above  | 366
        """,
    )


def test_whole_days_survive_floating_point() -> None:
    """Three tablets of 0.1 mg at 0.1 mg a day are three days, though 3 x 0.1 / 0.1 computes to less."""
    given = supplied("""
        quantity | strength_mg | daily_dose_mg
        3        | 0.1         | 0.1
    """)

    assert given["days"].to_list() == [3]


def test_packages_last_as_long_as_the_study_assumes() -> None:
    """Two packages at 28 assumed days are 56 days; without a number of packages they are unknown."""
    rule = SupplySection(rules=("assumed_days_per_package",), assumed_days_per_package=28)
    given = supplied("row | n_packages\ntwo | 2\nnot told | -", rule)

    assert_shows(
        given,
        """
        row      | days | supply_basis
        two      | 56   | assumed_days_per_package
        not told | -    | unknown
        """,
    )


def test_dose_comes_from_the_daily_dose_or_from_delivered_days() -> None:
    """30 tablets of 15 mg in 15 days are 30 mg a day; a delivered daily dose holds over it."""
    given = supplied("""
        row          | days_supply | quantity | strength_mg | daily_dose_mg
        computed     | 15          | 30       | 15          | -
        delivered    | 15          | 30       | 15          | 45
        no strength  | 15          | 30       | -           | -
    """)

    assert_shows(
        given,
        """
        row         | dose_ug | dose_mddd
        computed    | 30000   | 1000
        delivered   | 45000   | 1500
        no strength | -       | -
        """,
    )


def test_ddd_over_days_needs_days_that_were_not_made_from_ddd() -> None:
    """45 DDD over 30 delivered days are 1.5 DDD a day; over days made from DDD they say nothing."""
    given = supplied("""
        row             | days_supply | ddd | n_packages | ddd_per_package
        delivered days  | 30          | 45  | -          | -
        by package      | 30          | -   | 3          | 15
        days from ddd   | -           | 45  | -          | -
        days from packs | -           | -   | 3          | 15
    """)

    assert_shows(
        given,
        """
        row             | days | dose_mddd
        delivered days  | 30   | 1500
        by package      | 30   | 1500
        days from ddd   | 45   | -
        days from packs | 45   | -
        """,
    )


def test_a_daily_dose_gives_the_dose_even_where_days_come_from_ddd() -> None:
    """A delivered daily dose is a fact about the dose, whatever made the days."""
    given = supplied("ddd | daily_dose_mg\n45 | 60", SupplySection(rules=("ddd",)))

    assert_shows(given, "days | dose_ug | dose_mddd\n45 | 60000 | 2000")


def test_impossible_doses_are_unknown() -> None:
    """Up to 100,000 mg a day is a dose; beyond, whatever amounts made it, the dose is unknown and the days stay."""
    given = supplied("""
        row         | days_supply | quantity | strength_mg | daily_dose_mg
        highest     | 1           | 100000   | 1           | -
        above       | 1           | 100001   | 1           | -
        far above   | 1e-300      | 100000   | 100000      | -
        endless     | 30          | -        | -           | 1e308
    """)

    assert_shows(
        given,
        """
        row       | days | dose_ug
        highest   | 1    | 100000000
        above     | 1    | -
        far above | 1    | -
        endless   | 30   | -
        """,
    )
