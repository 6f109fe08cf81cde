"""Kinds of supply: which supplies make trials under a rule, and how long a prescription counts."""

from tests.spec.world import definition, episodes, extract, judged, study, trials, verdicts
from tests.tables import assert_shows

_OUTPATIENT = {"supply_kinds": ["dispensed", "prescribed"]}


def test_doses_that_were_administered_open_no_trial_of_an_outpatient_rule() -> None:
    """A rule of prescriptions does not look at doses given on a ward; supplies of unknown kind count."""
    given = extract(
        dispensings="""
        person       | drug       | date       | days | kind
        administered | sertraline | 2010-02-01 | 56   | administered
        dispensed    | sertraline | 2010-02-01 | 56   | dispensed
        prescribed   | sertraline | 2010-02-01 | 56   | prescribed
        unknown      | sertraline | 2010-02-01 | 56   | unknown
        """
    )

    assert_shows(trials(given, definition(trial=_OUTPATIENT)), "person\ndispensed\nprescribed\nunknown")
    assert trials(given, definition()).height == 4


def test_an_administered_dose_neither_continues_a_trial_nor_opens_its_window() -> None:
    """Ward doses between two prescriptions 60 days apart do not join them, and the window opens at a prescription."""
    given = extract(
        dispensings="""
        drug       | date       | days | kind
        citalopram | 2010-01-05 | 10   | administered
        sertraline | 2010-02-01 | 10   | prescribed
        sertraline | 2010-02-20 | 10   | administered
        sertraline | 2010-04-02 | 10   | prescribed
        """
    )
    windowed = {"window": "first_treated_days", "window_days": 61}

    assert_shows(
        trials(given, definition(trial=_OUTPATIENT | windowed)),
        "drug | start_date | n_days\nsertraline | 2010-02-01 | 10\nsertraline | 2010-04-02 | 10",
    )


def test_a_drug_recorded_as_a_procedure_was_administered() -> None:
    """An infusion is no prescription."""
    given = extract(procedures="date | treatment\n2010-02-01 | N06AX27")
    treatments = {"treatments": ["esketamine"]}

    assert trials(given, definition(trial=treatments)).height == 1
    assert trials(given, definition(trial=treatments | _OUTPATIENT)).height == 0


def test_every_kind_bridges_an_episode() -> None:
    """What keeps an episode open does not depend on which definitions are compared."""
    given = extract(
        diagnoses="date\n2010-01-01\n2010-09-01",
        dispensings="drug | date | days | kind\nsertraline | 2010-04-01 | 90 | administered",
    )

    assert_shows(episodes(given, study(treatment_bridges=True)), "start_date\n2010-01-01")


# --- Days prescribed --------------------------------------------------------------------------------------------------


def test_a_prescription_counts_for_its_days_or_until_the_next_one() -> None:
    """Left after 40 days, a pack of 42 was prescribed for 42 days; packs of 20, 41 days apart, count for 41."""
    given = extract(
        dispensings="""
        person | drug        | date       | days
        enough | sertraline  | 2010-01-02 | 42
        enough | venlafaxine | 2010-02-11 | 10
        short  | sertraline  | 2010-01-02 | 41
        short  | venlafaxine | 2010-02-11 | 10
        apart  | sertraline  | 2010-01-02 | 20
        apart  | sertraline  | 2010-02-12 | 1
        apart  | venlafaxine | 2010-03-01 | 10
        """
    )
    rule = definition(
        trial={"supply": "dates_only", "single_dispensing_days": 98, "permissible_gap_days": 182, "overlap_days": 1},
        adequacy={"drug": {"min_days": 42, "duration_basis": "prescribed"}},
    )

    assert_shows(
        judged(given, rule).filter(drug="sertraline"),
        """
        person | n_days | is_adequate | adequacy_reason
        apart  | 41     | true        | adequate
        enough | 40     | true        | adequate
        short  | 40     | false       | too_short
        """,
    )


def test_days_that_are_not_known_count_until_the_next_prescription() -> None:
    """Where only dates are delivered, the days between them are all there is."""
    given = extract(
        dispensings="""
        drug        | date       | days
        sertraline  | 2010-01-02 | -
        venlafaxine | 2010-02-13 | -
        """
    )
    rule = definition(
        trial={"supply": "dates_only", "single_dispensing_days": 98},
        adequacy={"drug": {"min_days": 42, "duration_basis": "prescribed"}},
    )

    assert_shows(judged(given, rule).filter(drug="sertraline"), "n_days | is_adequate\n42 | true")
    assert_shows(verdicts(given, rule), "n_adequate\n1")
