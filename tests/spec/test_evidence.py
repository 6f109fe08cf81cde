"""Evidence: which of several scales and kinds of evidence decides, and what an early stop means."""

import pytest

from tests.spec.world import definition, extract, judged
from tests.tables import assert_shows

_NOT_IN_REMISSION = {"scale": "hamd17", "fails_if": "score_above", "value": 7}


def _by_scales(*rules: dict, joined: str) -> object:
    return definition(outcome={"evidence": ["scales"], "scales": list(rules), "scales_joined": joined})


def _by_change(*signs: str, **settings: object) -> object:
    return definition(outcome={"evidence": ["treatment_change"], "change_signs": list(signs)} | settings)


# --- Several scales ---------------------------------------------------------------------------------------------------

_TWO_SCALES = extract(
    dispensings="""
    person          | drug       | date       | days
    both_failed     | sertraline | 2010-02-01 | 56
    one_failed      | sertraline | 2010-02-01 | 56
    both_worked     | sertraline | 2010-02-01 | 56
    second_failed   | sertraline | 2010-02-01 | 56
    second_worked   | sertraline | 2010-02-01 | 56
    neither         | sertraline | 2010-02-01 | 56
    """,
    scores="""
    person        | scale  | date       | value
    both_failed   | hamd17 | 2010-03-28 | 20
    both_failed   | madrs  | 2010-03-25 | 30
    one_failed    | hamd17 | 2010-03-28 | 5
    one_failed    | madrs  | 2010-03-25 | 30
    both_worked   | hamd17 | 2010-03-28 | 5
    both_worked   | madrs  | 2010-03-25 | 5
    second_failed | madrs  | 2010-03-25 | 30
    second_worked | madrs  | 2010-03-25 | 5
    """,
)
_MADRS_NOT_IN_REMISSION = {"scale": "madrs", "fails_if": "score_above", "value": 10}


def _two_scales(joined: str) -> object:
    return _by_scales(_NOT_IN_REMISSION, _MADRS_NOT_IN_REMISSION, joined=joined)


def test_any_scale_failed_fails_the_trial_and_a_missing_one_leaves_success_open() -> None:
    """Joined by any: one failure suffices; with a scale missing, a good score on the other cannot clear it."""
    assert_shows(
        judged(_TWO_SCALES, _two_scales("any")),
        """
        person        | has_failed | outcome_evidence   | failure_date
        both_failed   | true       | hamd17:score_above | 2010-03-25
        one_failed    | true       | madrs:score_above  | 2010-03-25
        both_worked   | false      | hamd17:score_above | -
        second_failed | true       | madrs:score_above  | 2010-03-25
        second_worked | -          | none               | -
        neither       | -          | none               | -
        """,
    )


def test_any_measured_scale_failed_looks_only_at_what_was_measured() -> None:
    """Joined by any measured: a missing scale is passed over; with none measured nothing can be told."""
    assert_shows(
        judged(_TWO_SCALES, _two_scales("any_measured")),
        """
        person        | has_failed | outcome_evidence   | failure_date
        both_failed   | true       | hamd17:score_above | 2010-03-25
        one_failed    | true       | madrs:score_above  | 2010-03-25
        both_worked   | false      | hamd17:score_above | -
        second_failed | true       | madrs:score_above  | 2010-03-25
        second_worked | false      | madrs:score_above  | -
        neither       | -          | none               | -
        """,
    )


def test_all_scales_must_fail_and_one_success_clears_the_trial() -> None:
    """Joined by all: failure needs every scale, so it shows on the last of them; one good score clears."""
    assert_shows(
        judged(_TWO_SCALES, _two_scales("all")),
        """
        person        | has_failed | outcome_evidence   | failure_date
        both_failed   | true       | hamd17:score_above | 2010-03-28
        one_failed    | false      | hamd17:score_above | -
        both_worked   | false      | hamd17:score_above | -
        second_failed | -          | none               | -
        second_worked | false      | madrs:score_above  | -
        neither       | -          | none               | -
        """,
    )


def test_the_first_measured_scale_decides() -> None:
    """Joined by first: the second scale is asked only where the first was not measured."""
    assert_shows(
        judged(_TWO_SCALES, _two_scales("first")),
        """
        person        | has_failed | outcome_evidence   | failure_date
        both_failed   | true       | hamd17:score_above | 2010-03-28
        one_failed    | false      | hamd17:score_above | -
        both_worked   | false      | hamd17:score_above | -
        second_failed | true       | madrs:score_above  | 2010-03-25
        second_worked | false      | madrs:score_above  | -
        neither       | -          | none               | -
        """,
    )


# --- Order of evidence ------------------------------------------------------------------------------------------------

_SCORE_AGAINST_SWITCH = extract(
    dispensings="""
    person           | drug        | date       | days
    better_yet_swapped | sertraline  | 2010-02-01 | 56
    better_yet_swapped | venlafaxine | 2010-04-01 | 56
    unmeasured       | sertraline  | 2010-02-01 | 56
    unmeasured       | venlafaxine | 2010-04-01 | 56
    """,
    scores="person | date | value\nbetter_yet_swapped | 2010-03-28 | 5",
)


def _in_order(*evidence: str) -> object:
    return definition(outcome={"evidence": list(evidence), "scales": [_NOT_IN_REMISSION], "change_signs": ["switch"]})


def test_a_scale_named_first_outweighs_a_change_of_treatment() -> None:
    """Remission on the scale though the drug was changed: it worked. Without a score the change decides."""
    assert_shows(
        judged(_SCORE_AGAINST_SWITCH, _in_order("scales", "treatment_change")).filter(drug="sertraline"),
        """
        person             | has_failed | outcome_evidence
        better_yet_swapped | false      | hamd17:score_above
        unmeasured         | true       | switch
        """,
    )


def test_a_change_of_treatment_named_first_outweighs_a_scale() -> None:
    """The same person, asked in the other order, failed."""
    assert_shows(
        judged(_SCORE_AGAINST_SWITCH, _in_order("treatment_change", "scales")).filter(drug="sertraline"),
        """
        person             | has_failed | outcome_evidence
        better_yet_swapped | true       | switch
        unmeasured         | true       | switch
        """,
    )


# --- Early stop -------------------------------------------------------------------------------------------------------

_STOPPED = extract(
    dispensings="""
    person    | drug        | date       | days
    one_short | sertraline  | 2010-02-01 | 13
    one_short | venlafaxine | 2010-02-20 | 56
    enough    | sertraline  | 2010-02-01 | 14
    enough    | venlafaxine | 2010-02-20 | 56
    """
)


@pytest.mark.parametrize(
    ("meaning", "verdict"),
    [
        ("not_failed", "false | early_stop | -"),
        ("unknown", "- | early_stop | -"),
        ("by_evidence", "true | switch | 2010-02-20"),
    ],
    ids=["not_failed", "unknown", "by_evidence"],
)
def test_a_trial_stopped_early_means_what_the_definition_says(meaning: str, verdict: str) -> None:
    """13 days is an early stop under a limit of 14: no failure, unknown, or judged like any other; 14 is not."""
    rule = _by_change("switch", early_stop_days=14, early_stop=meaning)

    assert_shows(
        judged(_STOPPED, rule).filter(drug="sertraline"),
        f"""
        person    | has_failed | outcome_evidence | failure_date
        one_short | {verdict}
        enough    | true | switch | 2010-02-20
        """,
    )


def test_a_trial_still_going_or_of_unknown_length_may_have_stopped_early() -> None:
    """Whoever died on the drug did not give it up; whether the others did before day 14 is not known."""
    given = extract(
        persons="person | death_date\ndied | 2010-02-10\nongoing | -\nunknown | -",
        coverage="""
        person  | start_date | end_date
        died    | 2005-01-01 | 2020-12-31
        ongoing | 2005-01-01 | 2010-02-10
        unknown | 2005-01-01 | 2020-12-31
        """,
        diagnoses="person | date\ndied | 2010-02-01\nongoing | 2010-02-01\nunknown | 2010-02-01",
        dispensings="""
        person  | drug       | date       | days
        died    | sertraline | 2010-02-01 | 56
        ongoing | sertraline | 2010-02-01 | 56
        unknown | sertraline | 2010-02-01 | -
        """,
    )

    assert_shows(
        judged(given, _by_change("switch", early_stop_days=14, early_stop="unknown")),
        """
        person  | has_failed | outcome_evidence
        died    | false      | no_change
        ongoing | -          | perhaps_early_stop
        unknown | -          | perhaps_early_stop
        """,
    )


def test_what_may_have_been_an_early_stop_did_not_fail_where_neither_reading_says_so() -> None:
    """Where an early stop is no failure, a later switch leaves it open; that none came is no failure either way."""
    given = extract(
        dispensings="""
        person  | drug        | date       | days
        changed | sertraline  | 2010-02-01 | -
        changed | venlafaxine | 2010-06-01 | 56
        kept    | sertraline  | 2010-02-01 | -
        """,
    )

    assert_shows(
        judged(given, _by_change("switch", "add_on", early_stop_days=14, early_stop="not_failed")).filter(
            drug="sertraline"
        ),
        """
        person  | has_failed | outcome_evidence
        changed | -          | perhaps_early_stop
        kept    | false      | perhaps_early_stop
        """,
    )
