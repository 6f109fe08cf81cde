"""Which score tells, where nobody knows until when a supply lasted: told only if every score that may be it agrees.

Sertraline is dispensed on 1 February 2010 for 59 days and on 1 April for a number of days that nobody knows: its last
day lies between 1 April and 1 April 2011, the most that the study lets a supply last.
"""

import pytest

from tests.spec.world import definition, extract, judged
from tests.tables import assert_shows

_FALL = {"scale": "hamd17", "fails_if": "fall_below", "value": 50}
_CUT_OFF = {"scale": "hamd17", "fails_if": "score_above", "value": 7}
_PARTIAL = {"scale": "hamd17", "fails_if": "fall_between", "at_least": 25, "below": 50}
_ILL = "date\n2010-02-01\n2010-06-01\n2010-10-01\n2011-02-01\n2011-06-01"
_SUPPLIES = """
drug       | date       | days
sertraline | 2010-02-01 | 59
sertraline | 2010-04-01 | -
"""


def _outcomes(scores: str, dispensings: str = _SUPPLIES, trial: dict | None = None, **outcome: object) -> object:
    given = extract(dispensings=dispensings, scores=f"date | value\n{scores}", diagnoses=_ILL)
    by = {"evidence": ["scales"], "scales": [_FALL], "score_days_after_end": 14} | outcome
    return judged(given, definition(trial=trial or {}, outcome=by)).filter(drug="sertraline")


def _assert_tells(outcomes: object, told: str) -> None:
    assert_shows(outcomes, f"has_failed | outcome_evidence\n{told}")


@pytest.mark.parametrize(
    ("later", "told"),
    [
        ("2010-07-01 | 13", "true | hamd17:fall_below"),  # no response either
        ("2010-07-01 | 12", "- | unknown_score"),  # a response, if the supply lasted until then
        ("2011-04-01 | 12", "- | unknown_score"),  # the last day it may have lasted
        ("2011-04-02 | 12", "true | hamd17:fall_below"),
    ],
)
def test_a_later_score_matters_if_it_tells_otherwise(later: str, told: str) -> None:
    """From 24 to 18 on 20 March is a failure; a later score tells instead if sertraline was still taken."""
    _assert_tells(_outcomes(f"2010-02-01 | 24\n2010-03-20 | 18\n{later}"), told)


@pytest.mark.parametrize(
    ("score", "value", "told"),
    [
        ("first", 12, "true | hamd17:fall_below"),
        ("best", 12, "- | unknown_score"),
        ("best", 20, "true | hamd17:fall_below"),
        ("last", 12, "- | unknown_score"),
    ],
)
def test_which_score_is_asked_for_says_which_others_may_tell(score: str, value: int, told: str) -> None:
    """The first stays the first; a later one is the best only if it is lower."""
    scores = f"2010-02-01 | 24\n2010-03-20 | 18\n2010-07-01 | {value}"

    _assert_tells(_outcomes(scores, score=score), told)


@pytest.mark.parametrize(
    ("lost", "told"), [("failed", "- | unknown_score"), ("not_failed", "false | hamd17:fall_below")]
)
def test_a_response_that_was_perhaps_lost(lost: str, told: str) -> None:
    """From 24 to 10, and later 20: whether that was on sertraline matters only where a loss is a failure."""
    _assert_tells(_outcomes("2010-02-01 | 24\n2010-03-20 | 10\n2010-07-01 | 20", lost_response=lost), told)


@pytest.mark.parametrize(("day", "told"), [("2011-04-15", "- | unknown_score"), ("2011-04-16", "- | none")])
def test_a_score_alone_may_be_soon_enough_after_the_last_day(day: str, told: str) -> None:
    """14 days after 1 April 2011 a score may still be the first after treatment."""
    _assert_tells(_outcomes(f"2010-02-01 | 24\n{day} | 12"), told)


def test_what_comes_after_the_scales_decides_nothing_meanwhile() -> None:
    """A score that may be sertraline's tells before the drug begun in August; one of that drug does not."""
    after = {"evidence": ["scales", "treatment_change"], "change_signs": ["switch", "add_on"]}
    supplies = f"{_SUPPLIES}venlafaxine | 2010-08-01 | 60"

    _assert_tells(_outcomes("2010-02-01 | 24\n2010-07-01 | 12", supplies, **after), "- | unknown_score")
    _assert_tells(_outcomes("2010-02-01 | 24\n2010-08-02 | 12", supplies, **after), "true | switch_or_add_on")


@pytest.mark.parametrize(("value", "told"), [(18, "true | switch_or_add_on"), (12, "- | unknown_score")])
def test_where_the_score_or_else_the_change_says_the_same_it_is_told(value: int, told: str) -> None:
    """Venlafaxine of unknown length, begun on 1 March, may have taken the score of 20 March; then the change tells."""
    after = {"evidence": ["scales", "treatment_change"], "change_signs": ["switch", "add_on"], "add_on_from_day": 1}
    supplies = """
    drug        | date       | days
    sertraline  | 2010-02-01 | 31
    sertraline  | 2010-03-04 | 31
    venlafaxine | 2010-03-01 | -
    mirtazapine | 2010-04-10 | 30
    """
    own = {"combination": "own_trial", "overlap_days": 30}
    scores = f"2010-02-01 | 24\n2010-03-20 | {value}"

    _assert_tells(_outcomes(scores, supplies, trial=own, **after), told)


def test_of_a_partial_fall_all_others_must_lie_on_one_side() -> None:
    """From 24 a fall of 50% is none of it, nor is one of 10%; between the two a failure may lie."""
    _assert_tells(
        _outcomes("2010-02-01 | 24\n2010-03-20 | 12\n2010-07-01 | 11", scales=[_PARTIAL]), "false | hamd17:fall_between"
    )
    _assert_tells(
        _outcomes("2010-02-01 | 24\n2010-03-20 | 12\n2010-07-01 | 22", scales=[_PARTIAL], lost_response="failed"),
        "- | unknown_score",
    )


def test_a_score_that_may_be_a_later_drugs_tells_nothing() -> None:
    """Venlafaxine, added in March, may still be taken on 1 June; sertraline surely is. Whose is the score?"""
    supplies = """
    drug        | date       | days
    sertraline  | 2010-02-01 | 31
    sertraline  | 2010-03-04 | 200
    venlafaxine | 2010-03-01 | 31
    venlafaxine | 2010-04-01 | {days}
    """
    scores, own = "2010-02-01 | 24\n2010-06-01 | 18", {"combination": "own_trial", "overlap_days": 30}
    asked = {"scales": [_CUT_OFF], "trial": own}

    _assert_tells(_outcomes(scores, supplies.format(days="-"), **asked), "- | unknown_score")
    _assert_tells(_outcomes(scores, supplies.format(days=30), **asked), "true | hamd17:score_above")
    _assert_tells(_outcomes(scores, supplies.format(days=90), **asked), "- | none")
