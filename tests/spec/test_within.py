"""Within: only trials that lasted until at most so many days before count.

Everybody's episode of depression is 2010 to 2012. Sertraline dispensed on 1 February 2010 for 56 days lasts
until 28 March 2010; 365 days after that is 28 March 2011.
"""

from impasse.schemas.extracts import Extract
from tests.spec.world import count, counts, definition, either, extract, study, verdicts
from tests.tables import assert_shows

_THREE_YEARS = study(gap_days=1200)


def _over_years(dispensings: str, **drawn: str) -> Extract:
    """Drawn dispensings, one person a name, each in an episode of three years."""
    people = sorted({line.split("|")[0].strip() for line in dispensings.strip().splitlines()[1:]})
    rows = [f"{person} | 2010-01-01\n{person} | 2012-12-01" for person in people]
    return extract(dispensings=dispensings, diagnoses="\n".join(["person | date", *rows]), **drawn)


def _within_a_year(*all_of: dict, **changes: dict) -> object:
    return definition(resistance=counts(*all_of, within=365), **changes)


def test_a_trial_that_ended_365_days_before_counts_366_days_before_it_does_not() -> None:
    """The second drug starts 365 or 366 days after the last day of the first. Without a limit both count."""
    given = _over_years(
        """
        person   | drug        | date       | days
        in_time  | sertraline  | 2010-02-01 | 56
        in_time  | venlafaxine | 2011-03-28 | 56
        too_late | sertraline  | 2010-02-01 | 56
        too_late | venlafaxine | 2011-03-29 | 56
        """
    )
    two = count(2, what="given")

    assert_shows(
        verdicts(given, _within_a_year(two), by=_THREE_YEARS),
        """
        person   | verdict       | resistant_date | decided_by
        in_time  | resistant     | 2011-03-28     | resistance
        too_late | not_resistant | -              | resistance
        """,
    )
    assert_shows(
        verdicts(given, definition(resistance=counts(two)), by=_THREE_YEARS),
        "person | verdict | resistant_date\nin_time | resistant | 2011-03-28\ntoo_late | resistant | 2011-03-29",
    )


def test_a_trial_counts_from_its_failure_until_a_year_after_its_end() -> None:
    """Two failures, the second 365 or 366 days after the first drug's last day."""
    given = _over_years(
        """
        person   | drug        | date       | days
        in_time  | sertraline  | 2010-02-01 | 56
        in_time  | venlafaxine | 2011-01-15 | 56
        in_time  | mirtazapine | 2011-03-28 | 56
        too_late | sertraline  | 2010-02-01 | 56
        too_late | venlafaxine | 2011-01-15 | 56
        too_late | mirtazapine | 2011-03-29 | 56
        """
    )

    assert_shows(
        verdicts(given, _within_a_year(count(2)), by=_THREE_YEARS),
        """
        person   | verdict       | resistant_date | decided_by | n_failed_min
        in_time  | resistant     | 2011-03-28     | resistance | 2
        too_late | not_resistant | -              | outcome    | 2
        """,
    )


def test_a_failure_that_shows_too_long_after_the_trial_never_counts() -> None:
    """A single failed drug is enough, but its failure must show within the year after its end."""
    given = _over_years(
        """
        person   | drug        | date       | days
        in_time  | sertraline  | 2010-02-01 | 56
        in_time  | venlafaxine | 2011-03-28 | 56
        too_late | sertraline  | 2010-02-01 | 56
        too_late | venlafaxine | 2011-03-29 | 56
        """
    )

    assert_shows(
        verdicts(given, _within_a_year(count(1)), by=_THREE_YEARS),
        """
        person   | verdict       | resistant_date | decided_by
        in_time  | resistant     | 2011-03-28     | resistance
        too_late | not_resistant | -              | outcome
        """,
    )


def test_any_year_will_do() -> None:
    """The first drug is too long ago when the third starts, but the second is not."""
    given = _over_years(
        """
        person | drug        | date       | days
        later  | sertraline  | 2010-02-01 | 28
        later  | venlafaxine | 2011-06-01 | 28
        later  | mirtazapine | 2011-09-01 | 28
        three  | sertraline  | 2010-02-01 | 28
        three  | venlafaxine | 2010-06-01 | 28
        three  | mirtazapine | 2010-09-01 | 28
        """
    )

    assert_shows(
        verdicts(given, _within_a_year(count(2, what="given")), by=_THREE_YEARS),
        "person | verdict | resistant_date\nlater | resistant | 2011-09-01\nthree | resistant | 2010-06-01",
    )
    assert_shows(
        verdicts(given, _within_a_year(count(3, what="given")), by=_THREE_YEARS),
        "person | verdict | resistant_date\nlater | not_resistant | -\nthree | resistant | 2010-09-01",
    )


def test_the_kinds_must_differ_within_the_year() -> None:
    """Sertraline is too long ago when venlafaxine is given again: on no day are there two substances."""
    given = _over_years(
        """
        person | drug        | date       | days
        P1     | sertraline  | 2010-02-01 | 28
        P1     | venlafaxine | 2011-06-01 | 28
        P1     | venlafaxine | 2011-09-01 | 28
        """
    )
    columns = "verdict | decided_by"

    assert_shows(
        verdicts(given, _within_a_year(count(2, what="given", distinct_by="substance")), by=_THREE_YEARS),
        f"{columns}\nnot_resistant | resistance",
    )
    assert_shows(
        verdicts(given, _within_a_year(count(2, what="given")), by=_THREE_YEARS), f"{columns}\nresistant | resistance"
    )


def test_the_limit_holds_for_all_counts_of_the_alternative() -> None:
    """CBT and a drug within a year of each other, whichever comes first."""
    given = _over_years(
        """
        person   | drug       | date       | days
        in_time  | sertraline | 2011-02-01 | 56
        too_late | sertraline | 2011-02-02 | 56
        """,
        procedures="person | treatment | date\nin_time | cbt | 2010-02-01\ntoo_late | cbt | 2010-02-01",
    )
    rule = _within_a_year(count(1, what="given"), count(1, of="cbt", what="given"))

    assert_shows(
        verdicts(given, rule, by=_THREE_YEARS),
        "person | verdict | resistant_date\nin_time | resistant | 2011-02-01\ntoo_late | not_resistant | -",
    )


# --- What is not known ------------------------------------------------------------------------------------------------


def test_a_drug_of_unknown_supply_may_have_lasted_until_any_day() -> None:
    """Within 365 days of its last dispensing it surely counts; later it may, for nobody knows how long it lasted."""
    given = _over_years(
        """
        person   | drug        | date       | days
        in_time  | sertraline  | 2010-02-01 | -
        in_time  | venlafaxine | 2011-02-01 | 56
        later    | sertraline  | 2010-02-01 | -
        later    | venlafaxine | 2011-02-02 | 56
        known    | sertraline  | 2010-02-01 | 1
        known    | venlafaxine | 2011-02-02 | 56
        no_other | sertraline  | 2010-02-01 | -
        """
    )

    assert_shows(
        verdicts(given, _within_a_year(count(2, what="given")), by=_THREE_YEARS),
        """
        person   | verdict       | resistant_date
        in_time  | resistant     | 2011-02-01
        later    | undetermined  | -
        known    | not_resistant | -
        no_other | not_resistant | -
        """,
    )


def test_a_failed_drug_of_unknown_supply_counts_surely_from_its_last_dispensing_only() -> None:
    """56 days known and more not: adequate in any case, and surely counting for 365 days after 29 March 2010."""
    given = _over_years(
        """
        person  | drug        | date       | days
        in_time | sertraline  | 2010-02-01 | 56
        in_time | sertraline  | 2010-03-29 | -
        in_time | venlafaxine | 2011-01-15 | 56
        in_time | mirtazapine | 2011-03-29 | 56
        later   | sertraline  | 2010-02-01 | 56
        later   | sertraline  | 2010-03-29 | -
        later   | venlafaxine | 2011-01-15 | 56
        later   | mirtazapine | 2011-03-30 | 56
        """
    )

    assert_shows(
        verdicts(given, _within_a_year(count(2)), by=_THREE_YEARS),
        "person | verdict | resistant_date\nin_time | resistant | 2011-03-29\nlater | undetermined | -",
    )


def test_a_failure_of_unknown_outcome_may_have_shown_at_once() -> None:
    """Unmeasured, it may have failed from its first day on: a year counts from its end, not before its start."""
    given = _over_years(
        """
        person   | drug        | date       | days
        in_time  | sertraline  | 2010-02-01 | 56
        in_time  | venlafaxine | 2011-03-28 | 56
        too_late | sertraline  | 2010-02-01 | 56
        too_late | venlafaxine | 2011-03-29 | 56
        """
    )
    by_score = {"evidence": ["scales"], "scales": [{"scale": "hamd17", "fails_if": "score_above", "value": 7}]}

    assert_shows(
        verdicts(given, _within_a_year(count(2), outcome=by_score), by=_THREE_YEARS),
        """
        person   | verdict       | decided_by
        in_time  | undetermined  | outcome
        too_late | not_resistant | resistance
        """,
    )


def test_what_nobody_could_see_may_have_been_within_the_year() -> None:
    """A drug and ECT within a year where ECT is not observed: open, however long ago the drug was."""
    given = _over_years("person | drug | date | days\nP1 | sertraline | 2010-02-01 | 28", observes="drug")
    rule = _within_a_year(count(1, what="given"), count(1, of="ect", what="given"))

    assert_shows(verdicts(given, rule, by=_THREE_YEARS), "verdict | decided_by\nundetermined | trial")


def test_a_drug_that_may_be_of_the_group_leaves_a_timed_arm_open_too() -> None:
    """Two SSRIs within a year: one sure and one that may be; out of time it no longer matters what it was."""
    given = _over_years(
        """
        person   | drug              | date       | days
        in_time  | sertraline        | 2010-02-01 | 56
        in_time  | an_antidepressant | 2011-03-28 | 56
        too_late | sertraline        | 2010-02-01 | 56
        too_late | an_antidepressant | 2011-03-29 | 56
        """
    )

    assert_shows(
        verdicts(given, _within_a_year(count(2, of="ssri", what="given")), by=_THREE_YEARS),
        "person | verdict | decided_by\nin_time | undetermined | trial\ntoo_late | not_resistant | resistance",
    )


# --- With timing, and several alternatives ----------------------------------------------------------------------------


def test_a_limit_and_an_order_hold_together() -> None:
    """A tricyclic last, and an SSRI given before it and at most a year ago."""
    given = _over_years(
        """
        person   | drug         | date       | days
        in_time  | sertraline   | 2010-02-01 | 56
        in_time  | clomipramine | 2011-03-28 | 56
        too_late | sertraline   | 2010-02-01 | 56
        too_late | clomipramine | 2011-03-29 | 56
        reversed | clomipramine | 2010-02-01 | 56
        reversed | sertraline   | 2010-06-01 | 56
        """
    )
    ssri = count(1, of="ssri", what="given", timing="before")
    tricyclic = count(1, of="tca", what="given", timing="last")

    assert_shows(
        verdicts(given, _within_a_year(ssri, tricyclic), by=_THREE_YEARS),
        """
        person   | verdict       | resistant_date
        in_time  | resistant     | 2011-03-28
        too_late | not_resistant | -
        reversed | not_resistant | -
        """,
    )


def test_any_arm_suffices_whatever_its_limit() -> None:
    """Two drugs within a year, or a tricyclic and ECT within a year: each alternative looks for its own days."""
    given = _over_years(
        """
        person  | drug         | date       | days
        drugs   | sertraline   | 2010-02-01 | 28
        drugs   | venlafaxine  | 2010-06-01 | 28
        ect     | clomipramine | 2010-02-01 | 28
        neither | sertraline   | 2010-02-01 | 28
        neither | venlafaxine  | 2012-06-01 | 28
        """,
        procedures="person | treatment | date\nect | ect | 2010-09-01\nneither | ect | 2010-09-01",
    )
    rule = definition(
        resistance=either(
            [count(2, what="given")], [count(1, of="tca", what="given"), count(1, of="ect", what="given")], within=365
        )
    )

    assert_shows(
        verdicts(given, rule, by=_THREE_YEARS),
        """
        person  | verdict       | resistant_date
        drugs   | resistant     | 2010-06-01
        ect     | resistant     | 2010-09-01
        neither | not_resistant | -
        """,
    )
