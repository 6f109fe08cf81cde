"""Follow-up: time that nobody saw is unknown, before the episode as after it.

The episode's contacts are from 1 January to 1 December 2010. It is over when 180 days have passed without another
(30 May 2011), and its start is the true one if the year before was seen. Its one trial did not fail.
"""

import pytest

from tests.spec.world import (
    admission_item,
    count,
    counts,
    definition,
    diagnosis_item,
    extract,
    item,
    length_item,
    level,
    number_item,
    points,
    staged,
    stages,
    study,
    verdicts,
)
from tests.tables import assert_shows

_ONE_DRUG = "drug | date | days\nsertraline | 2010-02-01 | 56"
_TWO_SWITCHES = f"{_ONE_DRUG}\nvenlafaxine | 2010-04-01 | 56\nmirtazapine | 2010-06-01 | 56"
_LAPSED = definition(outcome={"if_unfinished": "not_failed"})


def _seen(first: str, last: str, **drawn: str) -> object:
    return extract(**{"dispensings": _ONE_DRUG} | drawn, coverage=f"start_date | end_date\n{first} | {last}")


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ("2011-05-30", "not_resistant | trial | 0 | 0"),
        ("2011-05-29", "undetermined | follow_up | 0 | -"),
    ],
)
def test_what_was_not_seen_to_its_end_is_not_called_not_resistant(last: str, told: str) -> None:
    """A day fewer, and another contact may have gone on with the episode."""
    assert_shows(
        verdicts(_seen("2005-01-01", last), _LAPSED), f"verdict | decided_by | n_failed_min | n_failed_max\n{told}"
    )


@pytest.mark.parametrize(
    ("first", "told"), [("2009-01-01", "not_resistant | trial"), ("2009-01-02", "undetermined | follow_up")]
)
def test_what_was_not_seen_from_its_start_is_not_called_not_resistant(first: str, told: str) -> None:
    """With a day less than the year asked for, it may have begun before."""
    by = study(min_prior_observation_days=365)

    assert_shows(verdicts(_seen(first, "2020-12-31"), _LAPSED, by=by), f"verdict | decided_by\n{told}")


def test_death_closes() -> None:
    """Nothing can come after it."""
    given = extract(dispensings=_ONE_DRUG, persons="person | death_date\nP1 | 2010-12-15")

    assert_shows(verdicts(given, _LAPSED), "verdict | decided_by\nnot_resistant | trial")


@pytest.mark.parametrize(
    ("window", "last", "told"),
    [
        ({"window": "first_days", "window_days": 180}, "2010-06-29", "not_resistant"),
        ({"window": "first_days", "window_days": 180}, "2010-06-28", "undetermined"),
        ({"window": "first_treated_days", "window_days": 180}, "2010-07-30", "not_resistant"),
        ({"window": "first_treated_days", "window_days": 180}, "2010-07-29", "undetermined"),
        ({"window": "last_days", "window_days": 180}, "2010-12-31", "undetermined"),
    ],
)
def test_a_window_of_its_own_closes_a_definition_earlier(window: dict, last: str, told: str) -> None:
    """180 days from the start, or from the first drug; the last days of an episode are known when it is over."""
    rule = definition(trial=window, outcome={"if_unfinished": "not_failed"})

    assert_shows(verdicts(_seen("2005-01-01", last), rule), f"verdict\n{told}")


def test_resistance_that_was_seen_is_resistance() -> None:
    """Nothing that comes later takes it back; how many failed in all has no upper bound."""
    given = _seen("2005-01-01", "2010-07-01", dispensings=_TWO_SWITCHES)

    assert_shows(
        verdicts(given, definition()),
        "verdict | decided_by | n_failed_min | n_failed_max\nresistant | resistance | 2 | -",
    )


def test_where_nobody_tells_of_observation_the_study_s_time_was_seen() -> None:
    """Without a table of coverage the start is taken as it is, and the end of the study ends what is seen."""
    given, late = (extract(dispensings=_ONE_DRUG, absent="coverage") for _ in range(2))

    assert_shows(verdicts(given, _LAPSED), "verdict\nnot_resistant")
    assert_shows(verdicts(late, _LAPSED, by=study(end="2011-05-29")), "verdict | decided_by\nundetermined | follow_up")


def test_a_cause_that_speaks_against_resistance_does_so_unseen_too() -> None:
    """Whatever came, the diagnosis would have ruled it out."""
    given = _seen("2005-01-01", "2010-05-01", diagnoses="date | code\n2010-01-01 | F322\n2010-01-10 | E039")
    rule = definition(eligible={"pseudo_resistance": "after"}, resistance=counts(count(2)))

    assert_shows(verdicts(given, rule), "verdict | decided_by\nnot_resistant | eligible")


def test_the_highest_stage_of_what_was_not_seen_is_any() -> None:
    """One failure is sure; how many came is not known."""
    rule = definition(resistance=staged(level("first", [count(1)]), level("second", [count(2)])))
    given = [
        _seen("2005-01-01", last, dispensings=f"{_ONE_DRUG}\nvenlafaxine | 2010-04-01 | 56")
        for last in ("2011-05-30", "2011-05-29")
    ]

    assert_shows(stages(given[0], rule), "level_min | level_max\nfirst | first")
    assert_shows(stages(given[1], rule), "level_min | level_max\nfirst | second")


def test_a_score_of_what_was_not_seen_may_be_the_highest() -> None:
    """Every item may have earned its most: failures, length, a diagnosis, an admission."""
    items = (
        item("failed_trials", 1.0, at_most=3.0),
        number_item({1: 0.5, 3: 1.0}, what="given"),
        length_item({0: 1.0, 365: 2.0}),
        diagnosis_item({"personality_disorder": 1.0}),
        admission_item(2.0),
    )
    rule = definition(resistance=points("none", *items))

    assert_shows(stages(_seen("2005-01-01", "2011-05-30"), rule), "score_min | score_max\n2.5 | 2.5")
    assert_shows(stages(_seen("2005-01-01", "2011-05-29"), rule), "score_min | score_max\n2.5 | 9.0")
