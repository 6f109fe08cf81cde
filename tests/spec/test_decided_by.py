"""Decided by: which of the five questions settled the verdict, or left it open.

In these tests a trial fails by the switch that follows it, unless a test says otherwise.
"""

from tests.spec.world import count, counts, definition, extract, item, points, verdicts
from tests.tables import assert_shows

_ONE_FAILURE = extract(
    dispensings="""
    drug        | date       | days
    sertraline  | 2010-02-01 | 56
    venlafaxine | 2010-04-01 | 56
    """
)
_TWO_FAILURES = extract(
    dispensings="""
    drug        | date       | days
    sertraline  | 2010-02-01 | 56
    venlafaxine | 2010-04-01 | 56
    mirtazapine | 2010-06-01 | 56
    """
)


def _needs(*all_of: dict, **changes: dict) -> object:
    return definition(resistance=counts(*all_of), **changes)


def test_too_few_trials_settle_it_by_trial() -> None:
    """A person with one drug could not have failed two, however it went."""
    given = extract(dispensings="drug | date | days\nsertraline | 2010-02-01 | 56")

    assert_shows(verdicts(given, _needs(count(2))), "verdict | decided_by\nnot_resistant | trial")


def test_too_few_kinds_settle_it_by_resistance() -> None:
    """Enough trials, but of one substance only: it is the demand for distinct drugs that settles it."""
    given = extract(
        dispensings="drug | date | days\nsertraline | 2010-02-01 | 56\nsertraline | 2010-06-01 | 56",
    )

    assert_shows(
        verdicts(given, _needs(count(2, distinct_by="substance"))), "verdict | decided_by\nnot_resistant | resistance"
    )


def test_too_short_trials_settle_it_by_adequacy() -> None:
    """Two drugs were tried and changed, but one of them was too short."""
    given = extract(
        dispensings="""
        drug        | date       | days
        sertraline  | 2010-02-01 | 27
        venlafaxine | 2010-04-01 | 56
        """
    )

    assert_shows(verdicts(given, _needs(count(2))), "verdict | decided_by\nnot_resistant | adequacy")


def test_trials_that_worked_settle_it_by_outcome() -> None:
    """Two adequate trials, of which the second was never changed."""
    assert_shows(verdicts(_ONE_FAILURE, _needs(count(2))), "verdict | decided_by\nnot_resistant | outcome")


def test_a_met_rule_settles_it_by_resistance() -> None:
    """A resistant episode was settled by the rule itself."""
    assert_shows(verdicts(_TWO_FAILURES, _needs(count(2))), "verdict | decided_by\nresistant | resistance")


def test_an_episode_not_spoken_of_is_settled_by_eligibility() -> None:
    """However many failures: a person too young is not eligible, one of unknown age undetermined."""
    given = extract(
        persons="person | birth_date\ntoo_young | 2000-01-01\nno_birth_date | -",
        dispensings="""
        person        | drug        | date       | days
        too_young     | sertraline  | 2010-02-01 | 56
        too_young     | venlafaxine | 2010-04-01 | 56
        no_birth_date | sertraline  | 2010-02-01 | 56
        no_birth_date | venlafaxine | 2010-04-01 | 56
        """,
    )

    assert_shows(
        verdicts(given, _needs(count(1), eligible={"min_age": 18})),
        """
        person        | verdict      | decided_by | resistant_date
        too_young     | not_eligible | eligible   | -
        no_birth_date | undetermined | eligible   | -
        """,
    )


def test_an_unknown_duration_leaves_it_open_by_adequacy() -> None:
    """Two failures, one of a drug dispensed for an unknown time."""
    given = extract(
        dispensings="""
        drug        | date       | days
        sertraline  | 2010-02-01 | -
        venlafaxine | 2010-04-01 | 56
        mirtazapine | 2010-06-01 | 56
        """
    )

    assert_shows(
        verdicts(given, _needs(count(2))),
        "verdict | decided_by | n_adequate | n_failed_min | n_failed_max\nundetermined | adequacy | 2 | 1 | 2",
    )


def test_an_unknown_outcome_leaves_it_open_by_outcome() -> None:
    """Two adequate trials, of which the second may have ended in an ECT nobody could see."""
    given = extract(
        observes="drug",
        dispensings="drug | date | days\nsertraline | 2010-02-01 | 56\nvenlafaxine | 2010-04-01 | 56",
    )

    assert_shows(
        verdicts(given, _needs(count(2), outcome={"change_signs": ["switch", "ect"]})),
        "verdict | decided_by | n_adequate | n_failed_min | n_failed_max\nundetermined | outcome | 2 | 1 | 2",
    )


def test_unknowns_that_could_not_make_up_the_number_leave_nothing_open() -> None:
    """Three failures are asked for: with one sure and one unknown, it is not resistance."""
    given = extract(
        observes="drug",
        dispensings="drug | date | days\nsertraline | 2010-02-01 | 56\nvenlafaxine | 2010-04-01 | 56",
    )

    assert_shows(
        verdicts(given, _needs(count(3), outcome={"change_signs": ["switch", "ect"]})), "verdict\nnot_resistant"
    )


# --- Where it is not known what the treatment was ---------------------------------------------------------------------


def test_a_treatment_of_unknown_kind_leaves_it_open_by_trial() -> None:
    """Whether a failed antidepressant was an SSRI is a question of the trial, whatever else is unknown of it."""
    given = extract(
        dispensings="""
        person       | drug              | date       | days
        kind         | an_antidepressant | 2010-02-01 | 56
        kind         | mirtazapine       | 2010-04-01 | 56
        kind_and_end | an_antidepressant | 2010-02-01 | -
        kind_and_end | mirtazapine       | 2010-04-01 | 56
        end          | sertraline        | 2010-02-01 | -
        end          | mirtazapine       | 2010-04-01 | 56
        """
    )

    assert_shows(
        verdicts(given, _needs(count(1, of="ssri"))),
        """
        person       | verdict      | decided_by
        kind         | undetermined | trial
        kind_and_end | undetermined | trial
        end          | undetermined | adequacy
        """,
    )


def test_where_enough_others_are_known_the_kind_of_one_does_not_leave_it_open() -> None:
    """Beside an SSRI whose length or outcome is unknown, the unnamed antidepressant is not what is missing."""
    given = extract(
        observes="drug",
        dispensings="""
        person  | drug              | date       | days
        length  | sertraline        | 2010-02-01 | -
        length  | an_antidepressant | 2010-04-01 | 56
        length  | mirtazapine       | 2010-06-01 | 56
        outcome | an_antidepressant | 2010-02-01 | 56
        outcome | sertraline        | 2010-04-01 | 56
        """,
    )
    rule = _needs(count(1, of="ssri"), outcome={"change_signs": ["switch", "ect"]})

    assert_shows(
        verdicts(given, rule),
        """
        person  | verdict      | decided_by
        length  | undetermined | adequacy
        outcome | undetermined | outcome
        """,
    )


def test_psychotherapy_of_unrecorded_kind_leaves_it_open_by_trial() -> None:
    """A course that failed may have been CBT; one that was CBT, and of which nobody knows how it went, surely was."""
    given = extract(
        observes="drug psychotherapy cbt",
        procedures="""
        person      | treatment                 | date
        unspecified | psychotherapy_unspecified | 2010-02-01
        unspecified | psychotherapy_unspecified | 2010-02-15
        cbt         | cbt                       | 2010-02-01
        cbt         | cbt                       | 2010-02-15
        """,
        dispensings="person | drug | date | days\nunspecified | sertraline | 2010-04-01 | 56",
    )
    rule = _needs(
        count(1, of="cbt"),
        trial={"treatments": ["antidepressants", "psychotherapy"]},
        adequacy={"psychotherapy": {"min_days": 8, "min_sessions": 2}},
        outcome={"change_signs": ["switch", "ect"]},
    )

    assert_shows(
        verdicts(given, rule),
        "person | verdict | decided_by\nunspecified | undetermined | trial\ncbt | undetermined | outcome",
    )


def test_the_kind_of_a_treatment_leaves_a_score_open_by_trial_too() -> None:
    """A point for a failed SSRI: earned or not by an unnamed antidepressant, or by an SSRI of unknown length."""
    given = extract(
        dispensings="""
        person | drug              | date       | days
        kind   | an_antidepressant | 2010-02-01 | 56
        kind   | mirtazapine       | 2010-04-01 | 56
        end    | sertraline        | 2010-02-01 | -
        end    | mirtazapine       | 2010-04-01 | 56
        """
    )
    rule = definition(resistance=points(1.0, item("failed_trials", 1.0, of="ssri")))

    assert_shows(
        verdicts(given, rule),
        """
        person | verdict      | decided_by | score_min | score_max
        kind   | undetermined | trial      | 0.0       | 1.0
        end    | undetermined | adequacy   | 0.0       | 1.0
        """,
    )
