"""Two supply rules of a study: what leftovers are at another dose, and whether a new drug ends the old one."""

import pytest

from tests.spec.world import definition, extract, judged, study, trials
from tests.tables import assert_shows

_AMOUNT = study(supply={"leftovers": "as_amount"})
_ENDS = study(supply={"new_drug_ends_old": True})
_CARRIES = {"carry_over": True, "carry_over_cap_days": 90}


# --- Leftovers as an amount -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "as_days", "as_amount"),
    [
        ("50", "100", "2010-03-22", "2010-03-12"),  # 20 days left of 50 mg are 10 of 100 mg
        ("100", "50", "2010-03-22", "2010-04-11"),  # and 20 of 100 mg are 40 of 50 mg
        ("50", "50", "2010-03-22", "2010-03-22"),
        ("50", "75", "2010-03-22", "2010-03-15"),  # 13 and a third, rounded down
        ("50", "-", "2010-03-22", "2010-03-22"),  # of a dose that is not known they stay days
        ("-", "50", "2010-03-22", "2010-03-22"),
    ],
)
def test_leftovers_last_longer_at_a_lower_dose(before: str, after: str, as_days: str, as_amount: str) -> None:
    """30 days from 1 January, the next 30 ten days later: 20 are left over, and last by the dose of the next ones."""
    given = extract(
        dispensings=f"""
        drug       | date       | days | dose_mg
        sertraline | 2010-01-22 | 30   | {before}
        sertraline | 2010-02-01 | 30   | {after}
        """
    )

    assert_shows(trials(given, definition(trial=_CARRIES)), f"end_date\n{as_days}")
    assert_shows(trials(given, definition(trial=_CARRIES), by=_AMOUNT), f"end_date\n{as_amount}")


def test_the_cap_counts_days_at_the_new_dose() -> None:
    """80 days left of 100 mg are 160 of 50 mg, of which 90 are carried over."""
    given = extract(
        dispensings="""
        drug       | date       | days | dose_mg
        sertraline | 2010-01-01 | 90   | 100
        sertraline | 2010-01-11 | 30   | 50
        """
    )

    assert_shows(trials(given, definition(trial=_CARRIES), by=_AMOUNT), "end_date\n2010-05-10")


def test_leftovers_are_nothing_where_none_are_carried_over() -> None:
    """Where a rule does not carry over, another dose changes nothing."""
    given = extract(
        dispensings="""
        drug       | date       | days | dose_mg
        sertraline | 2010-01-22 | 30   | 100
        sertraline | 2010-02-01 | 30   | 50
        """
    )

    assert_shows(trials(given, definition(), by=_AMOUNT), "end_date\n2010-03-02")


# --- A new drug ends the old one --------------------------------------------------------------------------------------

_PACKS = extract(
    dispensings="""
    person   | drug        | date       | days
    left     | sertraline  | 2010-01-02 | 98
    left     | venlafaxine | 2010-02-10 | 98
    refilled | sertraline  | 2010-01-02 | 98
    refilled | sertraline  | 2010-02-10 | 98
    refilled | venlafaxine | 2010-02-10 | 98
    added    | sertraline  | 2010-01-02 | 98
    added    | lithium     | 2010-02-10 | 98
    used_up  | sertraline  | 2010-01-02 | 39
    used_up  | venlafaxine | 2010-02-10 | 98
    """
)


def test_a_drug_that_is_left_ends_the_day_before_the_next_begins() -> None:
    """39 days of 98, as if the pack had held no more; a refilled drug goes on, and so does one beside an augmenter."""
    rule = definition()

    assert_shows(
        trials(_PACKS, rule, by=_ENDS).filter(drug="sertraline"),
        """
        person   | end_date   | n_days | days_covered
        added    | 2010-04-09 | 98     | 98
        left     | 2010-02-09 | 39     | 39
        refilled | 2010-05-18 | 137    | 137
        used_up  | 2010-02-09 | 39     | 39
        """,
    )
    assert trials(_PACKS, rule).filter(drug="sertraline", person="left")["n_days"].to_list() == [98]


def test_what_was_left_is_too_short_where_its_days_do_not_suffice() -> None:
    """39 days are adequate for a minimum of 39, not of 40."""
    enough, too_many = (definition(adequacy={"drug": {"min_days": days}}) for days in (39, 40))

    for rule, told in ((enough, "true"), (too_many, "false")):
        assert_shows(judged(_PACKS, rule, _ENDS).filter(drug="sertraline", person="left"), f"is_adequate\n{told}")


def test_a_new_drug_bounds_a_supply_of_unknown_length() -> None:
    """Left for venlafaxine on 10 February, an unknown supply lasted 39 days at most: 40 are surely too many."""
    given = extract(
        diagnoses="date\n2010-01-02\n2010-06-01\n2010-11-01\n2011-04-01",
        dispensings="drug | date | days\nsertraline | 2010-01-02 | -\nvenlafaxine | 2010-02-10 | 98",
    )

    for days, told in ((39, "-"), (40, "false")):
        rule = definition(adequacy={"drug": {"min_days": days}})
        assert_shows(judged(given, rule, _ENDS).filter(drug="sertraline"), f"is_adequate\n{told}")
