"""Alternatives: what is counted, and when: failed, given or added; on any day, before another, last; within some days.

In these tests a trial fails by the switch that follows it, unless a test says otherwise. The episode is 2010,
or, where it is long, 2010 to 2012.
"""

import pytest

from tests.spec.world import count, counts, definition, either, extract, verdicts
from tests.tables import assert_shows


def _needs(*all_of: dict, within: int | str = "episode", **changes: dict) -> object:
    return definition(resistance=counts(*all_of, within=within), **changes)


# --- Given ------------------------------------------------------------------------------------------------------------

_BRIEFLY = extract(
    dispensings="""
    person  | drug        | date       | days
    one     | sertraline  | 2010-02-01 | 5
    two     | sertraline  | 2010-02-01 | 5
    two     | venlafaxine | 2010-03-01 | 5
    same    | sertraline  | 2010-02-01 | 5
    same    | sertraline  | 2010-04-01 | 5
    unknown | sertraline  | 2010-02-01 | -
    unknown | venlafaxine | 2010-03-01 | -
    """
)


def test_what_is_given_need_be_neither_adequate_nor_failed() -> None:
    """Two drugs for five days each were given, as of the first day of the second; failed in earnest they did not."""
    columns = "person | verdict | resistant_date | decided_by | n_trials | n_failed_max"

    assert_shows(
        verdicts(_BRIEFLY, _needs(count(2, what="given"))),
        f"""
        {columns}
        one     | not_resistant | -          | trial      | 1 | 0
        two     | resistant     | 2010-03-01 | resistance | 2 | 0
        same    | resistant     | 2010-04-01 | resistance | 2 | 0
        unknown | resistant     | 2010-03-01 | resistance | 2 | 1
        """,
    )
    assert_shows(
        verdicts(_BRIEFLY, _needs(count(2, what="failed"))),
        f"""
        {columns}
        one     | not_resistant | - | trial    | 1 | 0
        two     | not_resistant | - | adequacy | 2 | 0
        same    | not_resistant | - | adequacy | 2 | 0
        unknown | not_resistant | - | outcome  | 2 | 1
        """,
    )


def test_what_is_given_may_have_to_be_different() -> None:
    """Sertraline given twice is one substance; sertraline and venlafaxine are two."""
    assert_shows(
        verdicts(_BRIEFLY, _needs(count(2, what="given", distinct_by="substance"))),
        """
        person  | verdict       | resistant_date | decided_by
        one     | not_resistant | -              | trial
        two     | resistant     | 2010-03-01     | resistance
        same    | not_resistant | -              | resistance
        unknown | resistant     | 2010-03-01     | resistance
        """,
    )


def test_an_unnamed_drug_may_be_a_different_one_but_need_not_be() -> None:
    """Two SSRIs: an unnamed one and sertraline may be one or two. Citalopram after them surely is another."""
    given = extract(
        dispensings="""
        person | drug       | date       | days
        two    | some_ssri  | 2010-02-01 | 5
        two    | sertraline | 2010-03-01 | 5
        three  | some_ssri  | 2010-02-01 | 5
        three  | sertraline | 2010-03-01 | 5
        three  | citalopram | 2010-04-01 | 5
        same   | sertraline | 2010-02-01 | 5
        same   | sertraline | 2010-04-01 | 5
        """
    )
    different = count(2, of="ssri", what="given", distinct_by="substance")
    expected = """
        person | verdict       | resistant_date
        two    | undetermined  | -
        three  | resistant     | 2010-04-01
        same   | not_resistant | -
        """

    assert_shows(verdicts(given, _needs(different)), expected)
    assert_shows(verdicts(given, _needs(different, within=365)), expected)


def test_what_may_have_been_given_leaves_it_open() -> None:
    """An antidepressant of unrecorded class may have been an SSRI: what it was, a question of the trial, is open."""
    given = extract(
        dispensings="""
        person | drug              | date       | days
        is     | sertraline        | 2010-02-01 | 5
        may_be | an_antidepressant | 2010-02-01 | 5
        is_not | mirtazapine       | 2010-02-01 | 5
        """
    )

    assert_shows(
        verdicts(given, _needs(count(1, of="ssri", what="given"))),
        """
        person | verdict       | decided_by
        is     | resistant     | resistance
        may_be | undetermined  | trial
        is_not | not_resistant | trial
        """,
    )


def test_where_the_treatment_is_not_observed_it_may_have_been_given() -> None:
    """A delivery without drugs cannot rule out that one was given."""
    assert_shows(
        verdicts(extract(observes="ect"), _needs(count(1, what="given"))), "verdict | decided_by\nundetermined | trial"
    )
    assert_shows(verdicts(extract(), _needs(count(1, what="given"))), "verdict | decided_by\nnot_resistant | trial")


def test_a_session_is_given_too() -> None:
    """One session of ECT was given, though a single one is no adequate course."""
    given = extract(procedures="person | treatment | date\nect | ect | 2010-02-01\ncbt | cbt | 2010-02-01")

    assert_shows(
        verdicts(given, _needs(count(1, of="ect", what="given"))),
        "person | verdict | resistant_date\nect | resistant | 2010-02-01\ncbt | not_resistant | -",
    )


# --- Added ------------------------------------------------------------------------------------------------------------

_LITHIUM_ADDED = extract(
    dispensings="""
    drug       | date       | days
    sertraline | 2010-02-01 | 90
    lithium    | 2010-03-01 | 60
    """
)


@pytest.mark.parametrize(
    ("handling", "given", "added"),
    [
        ("own_trial", "resistant | 2010-03-01", "resistant | 2010-03-01"),
        ("part_of_trial", "not_resistant | -", "resistant | 2010-03-01"),
        ("ignored", "not_resistant | -", "not_resistant | -"),
    ],
)
def test_an_add_on_counts_as_added_though_it_is_part_of_its_trial(handling: str, given: str, added: str) -> None:
    """Lithium as part of the antidepressant's trial is not given by itself but was added; ignored it was neither."""
    augmenters = "augmenters_depression"
    trial = {"augmentation": handling}

    assert_shows(
        verdicts(_LITHIUM_ADDED, _needs(count(1, of=augmenters, what="given"), trial=trial)),
        f"verdict | resistant_date\n{given}",
    )
    assert_shows(
        verdicts(_LITHIUM_ADDED, _needs(count(1, of=augmenters, what="added"), trial=trial)),
        f"verdict | resistant_date\n{added}",
    )


def test_only_what_was_taken_together_was_added() -> None:
    """A second drug for 28 days with the first was added, for 27 it followed; the first was added to nothing."""
    given = extract(
        dispensings="""
        person   | drug        | date       | days
        together | sertraline  | 2010-01-01 | 60
        together | venlafaxine | 2010-02-02 | 60
        followed | sertraline  | 2010-01-01 | 60
        followed | venlafaxine | 2010-02-03 | 60
        alone    | sertraline  | 2010-01-01 | 60
        """
    )

    assert_shows(
        verdicts(given, _needs(count(1, what="added"))),
        """
        person   | verdict       | resistant_date | decided_by
        together | resistant     | 2010-02-02     | resistance
        followed | not_resistant | -              | trial
        alone    | not_resistant | -              | trial
        """,
    )


def test_a_combination_that_is_part_of_its_trial_was_added_all_the_same() -> None:
    """The second antidepressant is no trial of its own, so it is not given twice; it was added."""
    given = extract(
        dispensings="""
        drug        | date       | days
        sertraline  | 2010-01-01 | 60
        venlafaxine | 2010-02-02 | 60
        """
    )
    trial = {"combination": "part_of_trial"}

    assert_shows(verdicts(given, _needs(count(1, what="added"), trial=trial)), "verdict | n_trials\nresistant | 1")
    assert_shows(verdicts(given, _needs(count(2, what="given"), trial=trial)), "verdict | n_trials\nnot_resistant | 1")


def test_an_added_drug_that_may_be_of_the_group_leaves_it_open() -> None:
    """An antipsychotic of unrecorded name was added: an augmenter of depression or not, nobody can tell."""
    given = extract(
        dispensings="""
        drug             | date       | days
        sertraline       | 2010-02-01 | 90
        an_antipsychotic | 2010-03-01 | 60
        """
    )

    assert_shows(
        verdicts(given, _needs(count(1, of="augmenters_depression", what="added"))),
        "verdict | decided_by\nundetermined | trial",
    )


def test_an_arm_may_ask_for_a_failure_and_an_addition() -> None:
    """Switched once and then augmented: resistance on the day of the later of the two."""
    given = extract(
        dispensings="""
        person | drug        | date       | days
        both   | sertraline  | 2010-02-01 | 56
        both   | venlafaxine | 2010-04-01 | 90
        both   | lithium     | 2010-05-01 | 60
        switch | sertraline  | 2010-02-01 | 56
        switch | venlafaxine | 2010-04-01 | 90
        added  | venlafaxine | 2010-04-01 | 90
        added  | lithium     | 2010-05-01 | 60
        """
    )
    rule = _needs(count(1), count(1, of="augmenters_depression", what="added"), trial={"augmentation": "part_of_trial"})

    assert_shows(
        verdicts(given, rule),
        """
        person | verdict       | resistant_date
        both   | resistant     | 2010-05-01
        switch | not_resistant | -
        added  | not_resistant | -
        """,
    )


# --- Before, and last -------------------------------------------------------------------------------------------------

_SSRI_FAILED = count(1, of="ssri")
_TCA_GIVEN = count(1, of="tca", what="given")

# Sertraline fails on the day another drug follows it; clomipramine is the tricyclic.
_THEN_TRICYCLIC = extract(
    dispensings="""
    person   | drug         | date       | days
    before   | sertraline   | 2010-02-01 | 56
    before   | venlafaxine  | 2010-03-31 | 1
    before   | clomipramine | 2010-04-01 | 56
    same_day | sertraline   | 2010-02-01 | 56
    same_day | clomipramine | 2010-04-01 | 56
    after    | clomipramine | 2010-01-05 | 14
    after    | sertraline   | 2010-02-01 | 56
    after    | venlafaxine  | 2010-04-01 | 56
    again    | clomipramine | 2010-01-05 | 14
    again    | sertraline   | 2010-02-01 | 56
    again    | venlafaxine  | 2010-04-01 | 14
    again    | clomipramine | 2010-06-01 | 14
    """
)


def _timed(*timings: str) -> object:
    failed, given = timings
    return _needs(_SSRI_FAILED | {"timing": failed}, _TCA_GIVEN | {"timing": given})


def test_without_timing_the_order_does_not_matter() -> None:
    """A failed SSRI and a tricyclic in any order, as of the later of the two."""
    assert_shows(
        verdicts(_THEN_TRICYCLIC, _timed("any", "any")),
        """
        person   | verdict   | resistant_date
        before   | resistant | 2010-04-01
        same_day | resistant | 2010-04-01
        after    | resistant | 2010-04-01
        again    | resistant | 2010-04-01
        """,
    )


def test_what_is_last_must_begin_on_the_very_day() -> None:
    """The tricyclic must start when the SSRI has failed, on that day at the earliest; one from before does not do."""
    assert_shows(
        verdicts(_THEN_TRICYCLIC, _timed("any", "last")),
        """
        person   | verdict       | resistant_date | decided_by
        before   | resistant     | 2010-04-01     | resistance
        same_day | resistant     | 2010-04-01     | resistance
        after    | not_resistant | -              | resistance
        again    | resistant     | 2010-06-01     | resistance
        """,
    )


def test_what_is_before_must_lie_a_day_before() -> None:
    """The SSRI must have failed at least a day before the tricyclic starts; on the same day is too late."""
    assert_shows(
        verdicts(_THEN_TRICYCLIC, _timed("before", "last")),
        """
        person   | verdict       | resistant_date | decided_by
        before   | resistant     | 2010-04-01     | resistance
        same_day | not_resistant | -              | outcome
        after    | not_resistant | -              | resistance
        again    | resistant     | 2010-06-01     | resistance
        """,
    )


def test_a_failure_may_have_to_be_last() -> None:
    """The tricyclic must have been given when the SSRI's failure shows, on that day at the latest."""
    assert_shows(
        verdicts(_THEN_TRICYCLIC, _timed("last", "any")),
        """
        person   | verdict       | resistant_date | decided_by
        before   | not_resistant | -              | outcome
        same_day | resistant     | 2010-04-01     | resistance
        after    | resistant     | 2010-04-01     | resistance
        again    | resistant     | 2010-04-01     | resistance
        """,
    )


def test_before_alone_is_met_the_day_after() -> None:
    """A failure before and a tricyclic on any day: the day after the failure at the earliest."""
    assert_shows(
        verdicts(_THEN_TRICYCLIC, _timed("before", "any")),
        """
        person   | verdict   | resistant_date
        before   | resistant | 2010-04-01
        same_day | resistant | 2010-04-02
        after    | resistant | 2010-04-02
        again    | resistant | 2010-04-02
        """,
    )


def test_of_several_that_count_one_must_be_the_last() -> None:
    """Two drugs given, the second on the day the alternative is met, and CBT by then: between them or on that day."""
    given = extract(
        procedures="""
        person   | treatment | date
        between  | cbt       | 2010-03-01
        same_day | cbt       | 2010-04-01
        after    | cbt       | 2010-04-02
        """,
        dispensings="""
        person   | drug        | date       | days
        between  | sertraline  | 2010-02-01 | 30
        between  | venlafaxine | 2010-04-01 | 30
        same_day | sertraline  | 2010-02-01 | 30
        same_day | venlafaxine | 2010-04-01 | 30
        after    | sertraline  | 2010-02-01 | 30
        after    | venlafaxine | 2010-04-01 | 30
        """,
    )
    rule = _needs(count(2, what="given", timing="last"), count(1, of="cbt", what="given"))

    assert_shows(
        verdicts(given, rule),
        """
        person   | verdict       | resistant_date
        between  | resistant     | 2010-04-01
        same_day | resistant     | 2010-04-01
        after    | not_resistant | -
        """,
    )


_BY_SCORE = {"evidence": ["scales"], "scales": [{"scale": "hamd17", "fails_if": "score_above", "value": 7}]}


def test_a_failure_of_unknown_outcome_may_have_been_any_day_since_its_start() -> None:
    """Unmeasured, the SSRI may have failed before the tricyclic; but not before it was begun itself."""
    given = extract(
        dispensings="""
        person     | drug         | date       | days
        unmeasured | sertraline   | 2010-02-01 | 56
        unmeasured | clomipramine | 2010-04-01 | 56
        together   | sertraline   | 2010-02-01 | 56
        together   | clomipramine | 2010-02-01 | 56
        day_after  | sertraline   | 2010-02-01 | 56
        day_after  | clomipramine | 2010-02-02 | 56
        """
    )
    rule = _needs(_SSRI_FAILED | {"timing": "before"}, _TCA_GIVEN | {"timing": "last"}, outcome=_BY_SCORE)

    assert_shows(
        verdicts(given, rule),
        """
        person     | verdict       | decided_by
        unmeasured | undetermined  | outcome
        together   | not_resistant | resistance
        day_after  | undetermined  | outcome
        """,
    )


def test_a_failure_shown_by_a_score_counts_from_the_score() -> None:
    """A bad score the day before the tricyclic is failure before it; on the same day it is not."""
    given = extract(
        dispensings="""
        person     | drug         | date       | days
        day_before | sertraline   | 2010-02-01 | 56
        day_before | clomipramine | 2010-03-29 | 56
        same_day   | sertraline   | 2010-02-01 | 56
        same_day   | clomipramine | 2010-03-28 | 56
        """,
        scores="person | date | value\nday_before | 2010-03-28 | 20\nsame_day | 2010-03-28 | 20",
    )
    rule = _needs(_SSRI_FAILED | {"timing": "before"}, _TCA_GIVEN | {"timing": "last"}, outcome=_BY_SCORE)

    assert_shows(
        verdicts(given, rule),
        """
        person     | verdict       | resistant_date | decided_by
        day_before | resistant     | 2010-03-29     | resistance
        same_day   | not_resistant | -              | outcome
        """,
    )


def test_a_failure_on_an_unknown_day_may_have_been_the_last() -> None:
    """Whether the unmeasured SSRI failed after the tricyclic was given, nobody can tell; one that worked did not."""
    given = extract(
        dispensings="""
        person     | drug         | date       | days
        unmeasured | clomipramine | 2010-02-01 | 14
        unmeasured | sertraline   | 2010-04-01 | 56
        worked     | clomipramine | 2010-02-01 | 14
        worked     | sertraline   | 2010-04-01 | 56
        """,
        scores="person | date | value\nworked | 2010-05-20 | 5",
    )
    rule = _needs(_SSRI_FAILED | {"timing": "last"}, _TCA_GIVEN, outcome=_BY_SCORE)

    assert_shows(
        verdicts(given, rule),
        "person | verdict | decided_by\nunmeasured | undetermined | outcome\nworked | not_resistant | outcome",
    )


def test_what_nobody_could_see_may_have_been_before() -> None:
    """Failed ECT before a tricyclic where ECT is not observed: open with the tricyclic, impossible without it."""
    given = extract(
        observes="drug",
        dispensings="""
        person     | drug         | date       | days
        tricyclic  | clomipramine | 2010-02-01 | 56
        without_it | sertraline   | 2010-02-01 | 56
        """,
    )
    rule = _needs(count(1, of="ect", timing="before"), _TCA_GIVEN | {"timing": "last"})

    assert_shows(
        verdicts(given, rule),
        "person | verdict | decided_by\ntricyclic | undetermined | trial\nwithout_it | not_resistant | trial",
    )


def test_of_several_alternatives_the_first_day_counts() -> None:
    """Whichever of a timed and a plain alternative is met first dates the resistance."""
    rule = definition(
        resistance=either(
            [_SSRI_FAILED | {"timing": "before"}, _TCA_GIVEN | {"timing": "last"}], [count(1, of="snri", what="given")]
        )
    )

    assert_shows(
        verdicts(_THEN_TRICYCLIC, rule),
        """
        person   | verdict       | resistant_date
        before   | resistant     | 2010-03-31
        same_day | not_resistant | -
        after    | resistant     | 2010-04-01
        again    | resistant     | 2010-04-01
        """,
    )
