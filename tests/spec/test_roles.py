"""Roles: how a trial stands to those before it: the first, a switch, a return, or added to another drug."""

from tests.spec.world import definition, extract, trials
from tests.tables import assert_shows


def test_27_days_together_is_a_switch_28_days_a_combination() -> None:
    """Two antidepressants overlapping 28 days are taken together; 27 days is cross-tapering to the next."""
    given = extract(
        dispensings="""
        person    | drug        | date       | days
        one_short | sertraline  | 2010-01-01 | 60
        one_short | venlafaxine | 2010-02-03 | 60
        together  | sertraline  | 2010-01-01 | 60
        together  | venlafaxine | 2010-02-02 | 60
        """
    )

    assert_shows(
        trials(given, definition(trial={"overlap_days": 28})),
        """
        person    | drug        | role        | modality | n_add_ons
        one_short | sertraline  | first       | drug     | 0
        one_short | venlafaxine | switch      | drug     | 0
        together  | sertraline  | first       | drug     | 1
        together  | venlafaxine | combination | drug     | 0
        """,
    )


def test_28_days_of_an_added_augmenter_is_augmentation_27_is_nothing() -> None:
    """Lithium on top of an antidepressant for 28 days is augmentation; for 27 days it is no trial at all."""
    given = extract(
        dispensings="""
        person    | drug       | date       | days
        one_short | sertraline | 2010-01-01 | 60
        one_short | lithium    | 2010-02-03 | 60
        together  | sertraline | 2010-01-01 | 60
        together  | lithium    | 2010-02-02 | 60
        """
    )

    assert_shows(
        trials(given, definition(trial={"overlap_days": 28})),
        """
        person    | drug       | role         | modality
        one_short | sertraline | first        | drug
        together  | sertraline | first        | drug
        together  | lithium    | augmentation | augmentation
        """,
    )


def test_a_short_add_on_is_not_taken_together() -> None:
    """The overlap also ends with the added drug: 27 days of it within a long trial is no augmentation."""
    given = extract(
        dispensings="""
        person    | drug       | date       | days
        one_short | sertraline | 2010-01-01 | 180
        one_short | lithium    | 2010-02-01 | 27
        enough    | sertraline | 2010-01-01 | 180
        enough    | lithium    | 2010-02-01 | 28
        """
    )

    assert_shows(
        trials(given, definition(trial={"overlap_days": 28})),
        """
        person    | drug
        one_short | sertraline
        enough    | sertraline
        enough    | lithium
        """,
    )


def test_an_augmenter_alone_is_no_trial() -> None:
    """Lithium without an antidepressant to add it to is not a trial of depression treatment."""
    given = extract(dispensings="drug | date | days\nlithium | 2010-01-01 | 90")

    assert trials(given, definition()).is_empty()


def test_an_augmenter_that_was_there_first_augments_nothing() -> None:
    """An antidepressant added to lithium is the first antidepressant, not an add-on, and lithium no trial."""
    given = extract(
        dispensings="""
        drug       | date       | days
        lithium    | 2010-01-01 | 180
        sertraline | 2010-02-01 | 60
        """
    )

    assert_shows(trials(given, definition()), "drug | role | n_add_ons\nsertraline | first | 0")


def test_a_possible_augmenter_added_is_an_augmentation() -> None:
    """An antipsychotic of unrecorded name added to an antidepressant is an add-on; alone it is no trial."""
    given = extract(
        dispensings="""
        person | drug             | date       | days
        added  | sertraline       | 2010-01-01 | 90
        added  | an_antipsychotic | 2010-02-01 | 60
        alone  | an_antipsychotic | 2010-02-01 | 60
        """
    )

    assert_shows(
        trials(given, definition()),
        """
        person | drug             | role
        added  | sertraline       | first
        added  | an_antipsychotic | augmentation
        """,
    )


def test_an_add_on_belongs_to_the_drug_it_overlaps_longest() -> None:
    """Lithium overlapping a combination of two antidepressants is hosted by the longer overlap only."""
    given = extract(
        dispensings="""
        drug        | date       | days
        sertraline  | 2010-01-01 | 90
        mirtazapine | 2010-01-15 | 160
        lithium     | 2010-02-01 | 120
        """
    )

    assert_shows(
        trials(given, definition()),
        """
        drug        | role         | n_add_ons
        sertraline  | first        | 1
        mirtazapine | combination  | 1
        lithium     | augmentation | 0
        """,
    )


def test_a_return_to_an_earlier_drug_is_resumed() -> None:
    """Sertraline, then venlafaxine, then sertraline again: first, switch, resumed."""
    given = extract(
        dispensings="""
        drug        | date       | days
        sertraline  | 2010-01-01 | 30
        venlafaxine | 2010-02-15 | 60
        sertraline  | 2010-05-01 | 30
        """
    )

    assert_shows(
        trials(given, definition()),
        """
        drug        | start_date | role
        sertraline  | 2010-01-01 | first
        venlafaxine | 2010-02-15 | switch
        sertraline  | 2010-05-01 | resumed
        """,
    )


def test_two_drugs_started_on_one_day() -> None:
    """Of two antidepressants started together, the second by code is the one added."""
    given = extract(
        dispensings="""
        drug        | date       | days
        venlafaxine | 2010-01-01 | 60
        sertraline  | 2010-01-01 | 60
        """
    )

    assert_shows(trials(given, definition()), "drug | role\nsertraline | first\nvenlafaxine | combination")


_AUGMENTED = extract(
    dispensings="""
    drug        | date       | days
    sertraline  | 2010-01-01 | 120
    lithium     | 2010-02-01 | 60
    mirtazapine | 2010-03-01 | 60
    """
)


def test_an_add_on_may_be_a_trial_of_its_own() -> None:
    """Augmentation and combination as their own trials both count."""
    rule = definition(trial={"augmentation": "own_trial", "combination": "own_trial"})

    assert_shows(
        trials(_AUGMENTED, rule),
        """
        drug        | role         | is_counted | n_add_ons
        sertraline  | first        | true       | 2
        lithium     | augmentation | true       | 0
        mirtazapine | combination  | true       | 0
        """,
    )


def test_an_add_on_may_be_part_of_the_trial_it_was_added_to() -> None:
    """As part of the trial, an add-on stays visible but is not counted."""
    rule = definition(trial={"augmentation": "part_of_trial", "combination": "part_of_trial"})

    assert_shows(
        trials(_AUGMENTED, rule),
        """
        drug        | role         | is_counted | n_add_ons
        sertraline  | first        | true       | 2
        lithium     | augmentation | false      | 0
        mirtazapine | combination  | false      | 0
        """,
    )


def test_an_add_on_may_be_ignored() -> None:
    """An ignored augmentation is gone, a combination treated differently stays."""
    rule = definition(trial={"augmentation": "ignored", "combination": "own_trial"})

    assert_shows(
        trials(_AUGMENTED, rule),
        """
        drug        | role        | n_add_ons
        sertraline  | first       | 1
        mirtazapine | combination | 0
        """,
    )
