"""Resistance: how many failures of which kind make resistance, since when, and which question settled it.

In these tests a trial fails by the switch that follows it, unless a test says otherwise: of three drugs
in a row the first two failed, each on the day the next one started.
"""

import pytest

from tests.spec.world import count, counts, definition, either, extract, number_item, points, study, verdicts
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
_SHORT_THERAPY = {"psychotherapy": {"min_days": 8, "min_sessions": 2}, "neuromodulation": {"min_sessions": 2}}


def _needs(*all_of: dict, **changes: dict) -> object:
    return definition(resistance=counts(*all_of), **changes)


# --- Counting ---------------------------------------------------------------------------------------------------------


def test_two_failures_are_resistance_one_is_not() -> None:
    """Of a demand of two failed drugs, one failure falls short and two suffice, as of the second failure."""
    rule = _needs(count(2, distinct_by="substance"))
    columns = "verdict | resistant_date | n_trials | n_adequate | n_failed_min | n_failed_max"

    assert_shows(verdicts(_ONE_FAILURE, rule), f"{columns}\nnot_resistant | - | 2 | 2 | 1 | 1")
    assert_shows(verdicts(_TWO_FAILURES, rule), f"{columns}\nresistant | 2010-06-01 | 3 | 3 | 2 | 2")


def test_one_failure_is_resistance_where_one_is_asked_for() -> None:
    """The number is the definition's: one failed drug can be enough."""
    assert_shows(verdicts(_ONE_FAILURE, _needs(count(1))), "verdict | resistant_date\nresistant | 2010-04-01")


def test_more_failures_than_needed_do_not_move_the_date() -> None:
    """Resistance dates from the n-th failure, not from the last one."""
    given = extract(
        dispensings="""
        drug        | date       | days
        sertraline  | 2010-02-01 | 56
        venlafaxine | 2010-04-01 | 56
        mirtazapine | 2010-06-01 | 56
        duloxetine  | 2010-08-01 | 56
        """
    )

    assert_shows(
        verdicts(given, _needs(count(2, distinct_by="substance"))),
        "verdict | resistant_date | n_failed_min\nresistant | 2010-06-01 | 3",
    )


def test_only_the_groups_a_count_names_are_counted() -> None:
    """Two failed antidepressants of which one is an SSRI are one failed SSRI."""
    columns = "verdict | resistant_date | n_trials | n_failed_min"

    assert_shows(verdicts(_TWO_FAILURES, _needs(count(2, of="ssri"))), f"{columns}\nnot_resistant | - | 1 | 1")
    assert_shows(verdicts(_TWO_FAILURES, _needs(count(1, of="ssri"))), f"{columns}\nresistant | 2010-04-01 | 1 | 1")


def test_a_short_or_successful_trial_does_not_count() -> None:
    """Of two switches, one came after a trial that was too short to count."""
    given = extract(
        dispensings="""
        drug        | date       | days
        sertraline  | 2010-02-01 | 27
        venlafaxine | 2010-04-01 | 56
        mirtazapine | 2010-06-01 | 56
        """
    )

    assert_shows(
        verdicts(given, _needs(count(2))), "verdict | n_trials | n_adequate | n_failed_min\nnot_resistant | 3 | 2 | 1"
    )


# --- Distinct ---------------------------------------------------------------------------------------------------------

_SSRI_TWICE = extract(
    dispensings="""
    person    | drug        | date       | days
    same      | sertraline  | 2010-02-01 | 56
    same      | venlafaxine | 2010-04-01 | 56
    same      | sertraline  | 2010-06-01 | 56
    same      | venlafaxine | 2010-08-01 | 56
    different | sertraline  | 2010-02-01 | 56
    different | venlafaxine | 2010-04-01 | 56
    different | citalopram  | 2010-06-01 | 56
    different | venlafaxine | 2010-08-01 | 56
    """
)


def test_the_same_drug_twice_is_one_substance() -> None:
    """Two failed courses of sertraline are one substance; sertraline and citalopram are two."""
    assert_shows(
        verdicts(_SSRI_TWICE, _needs(count(2, of="ssri", distinct_by="substance"))),
        """
        person    | verdict       | resistant_date | decided_by
        same      | not_resistant | -              | resistance
        different | resistant     | 2010-08-01     | resistance
        """,
    )


def test_the_same_drug_twice_is_two_trials_where_kinds_do_not_matter() -> None:
    """Counted as trials, two failed courses of one drug are two."""
    assert_shows(
        verdicts(_SSRI_TWICE, _needs(count(2, of="ssri", distinct_by="none"))),
        """
        person    | verdict   | resistant_date
        same      | resistant | 2010-08-01
        different | resistant | 2010-08-01
        """,
    )


def test_two_drugs_of_one_class_are_one_class() -> None:
    """Two failed SSRIs are one class; an SSRI and an SNRI are two."""
    given = extract(
        dispensings="""
        person      | drug        | date       | days
        one_class   | sertraline  | 2010-02-01 | 56
        one_class   | citalopram  | 2010-04-01 | 56
        one_class   | venlafaxine | 2010-06-01 | 56
        two_classes | sertraline  | 2010-02-01 | 56
        two_classes | venlafaxine | 2010-04-01 | 56
        two_classes | citalopram  | 2010-06-01 | 56
        """
    )

    assert_shows(
        verdicts(given, _needs(count(2, distinct_by="class"))),
        """
        person      | verdict       | resistant_date
        one_class   | not_resistant | -
        two_classes | resistant     | 2010-06-01
        """,
    )


def test_two_classes_of_one_mechanism_are_one_mechanism() -> None:
    """Vilazodone and vortioxetine are two classes that act alike: two by class, one by mechanism."""
    given = extract(
        dispensings="""
        drug       | date       | days
        N06AX24    | 2010-02-01 | 56
        N06AX26    | 2010-04-01 | 56
        sertraline | 2010-06-01 | 56
        """
    )

    assert_shows(verdicts(given, _needs(count(2, distinct_by="class"))), "verdict\nresistant")
    assert_shows(verdicts(given, _needs(count(2, distinct_by="mechanism"))), "verdict\nnot_resistant")


def test_the_date_is_that_of_the_second_kind() -> None:
    """Sertraline failed twice before citalopram failed once: two substances only from then."""
    given = extract(
        dispensings="""
        drug        | date       | days
        sertraline  | 2010-02-01 | 30
        venlafaxine | 2010-03-15 | 30
        sertraline  | 2010-05-01 | 30
        venlafaxine | 2010-06-15 | 30
        citalopram  | 2010-08-01 | 30
        venlafaxine | 2010-09-15 | 30
        """
    )

    assert_shows(
        verdicts(given, _needs(count(2, of="ssri", distinct_by="substance"))),
        "verdict | resistant_date\nresistant | 2010-09-15",
    )


def test_an_unnamed_drug_may_be_the_same_as_a_named_one() -> None:
    """Sertraline and an unnamed SSRI failed: one substance or two, nobody can tell. By class they are one."""
    given = extract(
        dispensings="""
        drug        | date       | days
        sertraline  | 2010-02-01 | 56
        some_ssri   | 2010-04-01 | 56
        venlafaxine | 2010-06-01 | 56
        """
    )

    assert_shows(
        verdicts(given, _needs(count(2, distinct_by="substance"))),
        "verdict | resistant_date | n_failed_min\nundetermined | - | 2",
    )
    assert_shows(verdicts(given, _needs(count(2, distinct_by="class"))), "verdict\nnot_resistant")
    assert_shows(verdicts(given, _needs(count(2, distinct_by="none"))), "verdict\nresistant")


def test_an_unnamed_drug_is_at_least_one_drug() -> None:
    """Where one failed substance is asked for, an unnamed one will do; for two, two unnamed ones may not."""
    given = extract(
        dispensings="""
        drug              | date       | days
        an_antidepressant | 2010-02-01 | 56
        some_ssri         | 2010-04-01 | 56
        venlafaxine       | 2010-06-01 | 56
        """
    )

    assert_shows(
        verdicts(given, _needs(count(1, distinct_by="substance"))), "verdict | resistant_date\nresistant | 2010-04-01"
    )
    assert_shows(verdicts(given, _needs(count(2, distinct_by="substance"))), "verdict\nundetermined")


def test_a_drug_that_may_belong_to_the_group_leaves_it_open() -> None:
    """An antidepressant of unrecorded class may have been an SSRI: neither counted nor ruled out."""
    given = extract(
        dispensings="""
        person | drug              | date       | days
        may_be | an_antidepressant | 2010-02-01 | 56
        may_be | mirtazapine       | 2010-04-01 | 56
        is_not | mirtazapine       | 2010-02-01 | 56
        is_not | an_antidepressant | 2010-04-01 | 56
        """
    )

    assert_shows(
        verdicts(given, _needs(count(1, of="ssri"))),
        """
        person | verdict       | n_failed_min | n_failed_max
        may_be | undetermined  | 0            | 1
        is_not | not_resistant | 0            | 0
        """,
    )


# --- Psychotherapy, and what nobody could see -------------------------------------------------------------------------

_THERAPIES = {
    "procedures": """
    person      | treatment                 | date
    cbt         | cbt                       | 2010-02-01
    cbt         | cbt                       | 2010-02-15
    unspecified | psychotherapy_unspecified | 2010-02-01
    unspecified | psychotherapy_unspecified | 2010-02-15
    other_kind  | psychotherapy_other       | 2010-02-01
    other_kind  | psychotherapy_other       | 2010-02-15
    """,
    "dispensings": """
    person      | drug       | date       | days
    cbt         | sertraline | 2010-04-01 | 56
    unspecified | sertraline | 2010-04-01 | 56
    other_kind  | sertraline | 2010-04-01 | 56
    none        | sertraline | 2010-04-01 | 56
    """,
}
_FAILED_CBT = _needs(
    count(1, of="cbt"), trial={"treatments": ["antidepressants", "psychotherapy"]}, adequacy=_SHORT_THERAPY
)


def test_psychotherapy_of_unrecorded_kind_may_have_been_cbt() -> None:
    """Failed CBT counts, another named psychotherapy does not, one of unrecorded kind leaves it open."""
    assert_shows(
        verdicts(extract(**_THERAPIES), _FAILED_CBT),
        """
        person      | verdict       | resistant_date | n_failed_min | n_failed_max
        cbt         | resistant     | 2010-04-01     | 1            | 1
        unspecified | undetermined  | -              | 0            | 1
        other_kind  | not_resistant | -              | 0            | 0
        none        | not_resistant | -              | 0            | 0
        """,
    )


def test_where_psychotherapy_is_seen_its_absence_is_a_fact() -> None:
    """A delivery that shows psychotherapy but never calls it CBT still shows who had none at all."""
    assert_shows(
        verdicts(extract(**_THERAPIES, observes="drug psychotherapy ect"), _FAILED_CBT),
        """
        person      | verdict
        cbt         | resistant
        unspecified | undetermined
        other_kind  | not_resistant
        none        | not_resistant
        """,
    )


def test_what_nobody_could_see_is_never_not_resistant() -> None:
    """Where psychotherapy is not in the delivery, a rule that asks for failed CBT cannot rule it out."""
    given = extract(observes="drug ect", dispensings=_THERAPIES["dispensings"])

    assert_shows(
        verdicts(given, _FAILED_CBT),
        """
        person      | verdict      | decided_by | n_failed_min | n_failed_max
        cbt         | undetermined | trial      | 0            | -
        unspecified | undetermined | trial      | 0            | -
        other_kind  | undetermined | trial      | 0            | -
        none        | undetermined | trial      | 0            | -
        """,
    )


def test_an_untreated_person_is_undetermined_where_treatment_is_unobserved() -> None:
    """No drug was dispensed because no dispensing was delivered: unknown. Delivered and none: not resistant."""
    assert_shows(
        verdicts(extract(observes="ect", absent="dispensings"), _needs(count(2))),
        "verdict | decided_by | n_trials | n_failed_max\nundetermined | trial | 0 | -",
    )
    assert_shows(
        verdicts(extract(), _needs(count(2))),
        "verdict | decided_by | n_trials | n_failed_max\nnot_resistant | trial | 0 | 0",
    )


# --- Several counts and alternatives ----------------------------------------------------------------------------------

_BOTH = _needs(count(1), count(1, of="cbt"), adequacy=_SHORT_THERAPY)


def test_both_modalities_must_have_failed_where_both_are_asked_for() -> None:
    """A failed drug or a failed CBT alone falls short; together they suffice, as of the later failure."""
    given = extract(
        dispensings="""
        person    | drug        | date       | days
        drug_only | sertraline  | 2010-02-01 | 56
        drug_only | venlafaxine | 2010-04-01 | 56
        cbt_only  | sertraline  | 2010-06-01 | 56
        both      | sertraline  | 2010-02-01 | 56
        both      | venlafaxine | 2010-06-01 | 56
        both      | mirtazapine | 2010-08-01 | 56
        """,
        procedures="""
        person   | treatment | date
        cbt_only | cbt       | 2010-04-01
        cbt_only | cbt       | 2010-04-15
        both     | cbt       | 2010-06-15
        both     | cbt       | 2010-06-29
        """,
    )

    assert_shows(
        verdicts(given, _BOTH),
        """
        person    | verdict       | resistant_date
        drug_only | not_resistant | -
        cbt_only  | not_resistant | -
        both      | resistant     | 2010-08-01
        """,
    )


def test_an_unobserved_modality_cannot_save_a_rule_the_other_one_fails() -> None:
    """CBT is not observed: with a failed drug it is open; without any failed drug, no CBT could make it resistance."""
    given = extract(
        observes="drug",
        dispensings="""
        person  | drug        | date       | days
        failed  | sertraline  | 2010-02-01 | 56
        failed  | venlafaxine | 2010-04-01 | 56
        worked  | sertraline  | 2010-02-01 | 56
        """,
    )

    assert_shows(verdicts(given, _BOTH), "person | verdict\nfailed | undetermined\nworked | not_resistant")


_ALTERNATIVES = definition(resistance=either([count(2)], [count(1, of="ect")]), adequacy=_SHORT_THERAPY)


def test_any_arm_suffices() -> None:
    """Two failed drugs or failed ECT: either makes resistance, and whichever was first dates it."""
    given = extract(
        dispensings="""
        person | drug        | date       | days
        drugs  | sertraline  | 2010-02-01 | 56
        drugs  | venlafaxine | 2010-04-01 | 56
        drugs  | mirtazapine | 2010-06-01 | 56
        ect    | sertraline  | 2010-04-01 | 56
        both   | sertraline  | 2010-02-01 | 56
        both   | venlafaxine | 2010-04-01 | 56
        both   | mirtazapine | 2010-06-01 | 56
        none   | sertraline  | 2010-02-01 | 56
        """,
        procedures="""
        person | treatment | date
        ect    | ect       | 2010-02-01
        ect    | ect       | 2010-02-04
        both   | ect       | 2010-02-20
        both   | ect       | 2010-02-23
        """,
    )

    assert_shows(
        verdicts(given, _ALTERNATIVES),
        """
        person | verdict       | resistant_date
        drugs  | resistant     | 2010-06-01
        ect    | resistant     | 2010-04-01
        both   | resistant     | 2010-04-01
        none   | not_resistant | -
        """,
    )


def test_an_arm_nobody_could_see_leaves_the_rule_open_unless_another_is_met() -> None:
    """Where ECT is not observed, two failed drugs still are resistance, and anything less is undetermined."""
    given = extract(
        observes="drug",
        dispensings="""
        person | drug        | date       | days
        drugs  | sertraline  | 2010-02-01 | 56
        drugs  | venlafaxine | 2010-04-01 | 56
        drugs  | mirtazapine | 2010-06-01 | 56
        none   | sertraline  | 2010-02-01 | 56
        """,
    )

    assert_shows(verdicts(given, _ALTERNATIVES), "person | verdict\ndrugs | resistant\nnone | undetermined")


def test_an_add_on_that_is_part_of_its_trial_is_no_second_failure() -> None:
    """Sertraline with lithium, then venlafaxine: two failures where lithium is its own trial, one where not."""
    given = extract(
        dispensings="""
        drug        | date       | days
        sertraline  | 2010-02-01 | 90
        lithium     | 2010-03-01 | 60
        venlafaxine | 2010-06-01 | 56
        """
    )
    of = "antidepressants augmenters_depression"

    assert_shows(
        verdicts(given, _needs(count(2, of=of), trial={"augmentation": "own_trial"})),
        "verdict | n_trials | n_failed_min\nresistant | 3 | 2",
    )
    assert_shows(
        verdicts(given, _needs(count(2, of=of), trial={"augmentation": "part_of_trial"})),
        "verdict | n_trials | n_failed_min\nnot_resistant | 2 | 1",
    )


def test_counts_have_no_score() -> None:
    """A rule that counts has no score, not a score of zero."""
    assert_shows(verdicts(_TWO_FAILURES, _needs(count(2))), "score_min | score_max\n- | -")


@pytest.mark.parametrize(
    ("failed_on", "since"),
    [("2010-01-09", "2010-01-10"), ("2010-01-10", "2010-01-10"), ("2010-01-11", "2010-01-11")],
)
@pytest.mark.parametrize("rule", [counts(count(1)), points(1.0, number_item({1: 1.0}))], ids=["count", "score"])
def test_an_episode_is_resistant_at_the_earliest_from_its_first_day(rule: dict, failed_on: str, since: str) -> None:
    """A drug begun in the lead fails the day before the episode, on its first day, or on its second."""
    given = extract(
        diagnoses="date\n2010-01-10",
        dispensings=f"drug | date | days\nsertraline | 2009-12-12 | 28\nvenlafaxine | {failed_on} | 28",
    )

    assert_shows(
        verdicts(given, definition(resistance=rule), by=study(lead_days=60, tail_days=60)),
        f"verdict | resistant_date\nresistant | {since}",
    )
