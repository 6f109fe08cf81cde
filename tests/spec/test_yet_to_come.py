"""What may yet be told: while a score or a refill may still come, nothing that comes after it decides.

Sertraline is begun on 1 February 2010, and lithium beside it on 1 April. The scale is asked first, a change second.
"""

import pytest

from tests.spec.world import count, counts, definition, extract, judged, study, trials, verdicts
from tests.tables import assert_shows

_SCALE = {"scale": "hamd17", "fails_if": "fall_below", "value": 50}
_SCALE_FIRST = {"evidence": ["scales", "treatment_change"], "scales": [_SCALE], "change_signs": ["switch", "add_on"]}
_ADDED = """
drug       | date       | days
sertraline | 2010-02-01 | 120
lithium    | 2010-04-01 | 60
"""
_SOMEBODY = "person | date | value\nother | 2010-02-01 | 20"  # the delivery has scores on the scale


def _until(last: str, dispensings: str = _ADDED, scores: str = _SOMEBODY, **drawn: str) -> object:
    drawn = {"coverage": f"start_date | end_date\n2005-01-01 | {last}", **drawn}
    return extract(dispensings=dispensings, scores=scores, **drawn)


def _rule(**outcome: object) -> object:
    return definition(trial={"augmentation": "part_of_trial"}, outcome=_SCALE_FIRST | outcome)


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ("2010-06-14", "- | unfinished"),  # the last of 14 days after the trial's last day, 31 May
        ("2010-07-01", "true | add_on"),
    ],
)
def test_an_add_on_tells_only_when_no_score_can_come(last: str, told: str) -> None:
    """A score on sertraline, or within 14 days after it, would decide before the lithium that was added."""
    assert_shows(
        judged(_until(last), _rule()).filter(person="P1", drug="sertraline"), f"has_failed | outcome_evidence\n{told}"
    )


def test_without_any_score_on_a_scale_none_can_come() -> None:
    """Where the delivery has no score on the scale at all, the add-on decides at once."""
    nobody = _until("2010-05-01", scores="date | scale | value\n2010-02-01 | madrs | 20")

    assert_shows(judged(nobody, _rule()).filter(drug="sertraline"), "has_failed | outcome_evidence\ntrue | add_on")


def test_a_score_that_came_decides_whatever_was_added() -> None:
    """From 24 to 10 is a response; that lithium had been added before is no failure then."""
    scored = _until("2010-06-30", scores="date | value\n2010-02-01 | 24\n2010-05-20 | 10")

    assert_shows(
        judged(scored, _rule()).filter(drug="sertraline"), "has_failed | outcome_evidence\nfalse | hamd17:fall_below"
    )


def test_after_a_switch_no_score_on_the_drug_can_come() -> None:
    """What is measured after venlafaxine was begun is venlafaxine's."""
    switched = _until("2010-05-20", "drug | date | days\nsertraline | 2010-02-01 | 60\nvenlafaxine | 2010-04-02 | 90")

    assert_shows(
        judged(switched, _rule()).filter(person="P1", drug="sertraline"), "has_failed | outcome_evidence\ntrue | switch"
    )


@pytest.mark.parametrize(
    ("refilled", "days", "told"),
    [
        (False, 98, "true | hamd17:response_lost"),  # in hand on 1 April, when venlafaxine was begun
        (True, 98, "true | hamd17:response_lost"),
        (False, 58, "false | hamd17:fall_below"),  # until 30 March
    ],
)
def test_a_drug_that_was_left_was_still_in_use_on_the_day_it_was_replaced(refilled: bool, days: int, told: str) -> None:
    """A score of the day on which another drug is begun is the first one's, if there was supply for the day."""
    refill = "sertraline | 2010-04-01 | 28" if refilled else ""
    given = extract(
        dispensings=f"drug | date | days\nsertraline | 2010-02-01 | {days}\nvenlafaxine | 2010-04-01 | 90\n{refill}",
        scores="date | value\n2010-02-01 | 34\n2010-03-10 | 10\n2010-04-01 | 33",
    )
    rule = definition(
        trial={"overlap_needs_refill": True},
        outcome={"evidence": ["scales"], "scales": [_SCALE], "lost_response": "failed"},
    )

    assert_shows(judged(given, rule).filter(drug="sertraline"), f"has_failed | outcome_evidence\n{told}")


_PERHAPS_TOGETHER = """
drug        | date       | days
sertraline  | 2010-02-01 | -
venlafaxine | 2010-04-01 | 90
"""


@pytest.mark.parametrize(
    ("combination", "is_counted", "verdict"),
    [
        ("own_trial", "true", "resistant | resistance"),
        ("part_of_trial", "-", "undetermined | trial"),
        ("ignored", "-", "undetermined | trial"),
    ],
)
def test_what_was_perhaps_added_counts_perhaps(combination: str, is_counted: str, verdict: str) -> None:
    """How long sertraline lasted is unknown, so venlafaxine may have been added; two drugs are asked for."""
    given = extract(dispensings=_PERHAPS_TOGETHER)
    rule = definition(
        trial={"combination": combination, "overlap_needs_refill": False},
        resistance=counts(count(2, what="given", distinct_by="substance")),
    )

    assert_shows(trials(given, rule).filter(drug="venlafaxine"), f"role | is_counted\ncombination | {is_counted}")
    assert_shows(verdicts(given, rule), f"verdict | decided_by\n{verdict}")


def test_what_was_perhaps_added_is_no_add_on_of_its_own() -> None:
    """Venlafaxine is part of another trial or no add-on at all, so lithium does not take its place as an add-on."""
    given = extract(
        dispensings="""
        drug        | date       | days
        sertraline  | 2010-02-01 | 200
        venlafaxine | 2010-02-02 | -
        lithium     | 2010-04-01 | 60
        """
    )
    rule = definition(
        trial={"combination": "part_of_trial"}, outcome={"change_signs": ["switch", "add_on"], "change_within": 90}
    )

    assert_shows(judged(given, rule).filter(drug="venlafaxine"), "is_counted | has_failed\n- | false")


@pytest.mark.parametrize(
    ("last", "verdict"),
    [("2010-04-10", "undetermined | follow_up"), ("2010-04-11", "not_resistant | trial")],
)
def test_an_episode_is_over_when_its_tail_is(last: str, verdict: str) -> None:
    """No gap is allowed, but a tail of 100 days after the one contact of 1 January."""
    given = _until(last, "drug | date | days\nlorazepam | 2010-01-02 | 5", diagnoses="date\n2010-01-01")
    by = study(gap_days=0, tail_days=100)

    assert_shows(verdicts(given, definition(), by=by), f"verdict | decided_by\n{verdict}")
