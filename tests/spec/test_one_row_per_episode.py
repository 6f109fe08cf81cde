"""Every definition answers for every episode, once; every judge keeps rows and order."""

import polars as pl
from polars.testing import assert_frame_equal

from schemas.tables import RESTRICTED
from tests.spec.world import classified, codes, count, counts, definition, extract, item, points, study, verdicts
from tests.tables import assert_shows
from transforms.adequacy import judge_adequacy
from transforms.eligibility import judge_eligibility
from transforms.encode import encode
from transforms.episodes import build_episodes
from transforms.outcome import find_signs, judge_outcome
from transforms.resistance import judge_resistance
from transforms.trials import build_trials, find_exposures

_MIXED = extract(
    persons="""
    person    | birth_date
    child     | 2000-01-01
    not_ill   | 1970-01-01
    treated   | 1970-01-01
    untreated | 1970-01-01
    """,
    diagnoses="""
    person    | date
    child     | 2010-01-01
    treated   | 2010-01-01
    treated   | 2012-01-01
    untreated | 2010-01-01
    """,
    dispensings="""
    person  | drug        | date       | days
    child   | sertraline  | 2010-01-05 | 28
    treated | sertraline  | 2010-01-05 | 28
    treated | lithium     | 2010-01-05 | 28
    treated | venlafaxine | 2010-02-10 | 28
    not_ill | sertraline  | 2010-01-05 | 28
    """,
    scores="person | date | value\ntreated | 2010-02-05 | 20",
    procedures="person | treatment | date\ntreated | cbt | 2012-01-10",
)
_STUDY = study(tail_days=60)
_COUNTS = definition("a_count", eligible={"min_age": 18}, resistance=counts(count(1)))
_SCORES = definition("b_score", resistance=points(1.0, item("failed_trials", 1.0)))


def test_an_untreated_and_an_ineligible_episode_are_rows() -> None:
    """One row per episode: a child, an untreated person and a second episode without treatment included."""
    assert_shows(
        verdicts(_MIXED, _COUNTS, by=_STUDY),
        """
        person    | number | verdict       | decided_by | n_trials
        child     | 1      | not_eligible  | eligible   | 1
        treated   | 1      | resistant     | resistance | 2
        treated   | 2      | not_resistant | trial      | 0
        untreated | 1      | not_resistant | trial      | 0
        """,
    )


def test_every_definition_has_a_row_for_every_episode() -> None:
    """Two definitions, four episodes: eight rows."""
    assert_shows(
        verdicts(_MIXED, _SCORES, _COUNTS, by=_STUDY),
        """
        definition_id | person    | number
        a_count       | child     | 1
        a_count       | treated   | 1
        a_count       | treated   | 2
        a_count       | untreated | 1
        b_score       | child     | 1
        b_score       | treated   | 1
        b_score       | treated   | 2
        b_score       | untreated | 1
        """,
    )


def test_definitions_do_not_see_each_other() -> None:
    """A definition judged beside another gives the rows it gives alone."""
    together = verdicts(_MIXED, _COUNTS, _SCORES, by=_STUDY).filter(definition_id="a_count")

    assert_frame_equal(verdicts(_MIXED, _COUNTS, by=_STUDY), together)


def test_persons_do_not_see_each_other() -> None:
    """A person classified alone gets the rows they get among others."""
    alone = extract(diagnoses="person | date\nuntreated | 2010-01-01")
    among_others = verdicts(_MIXED, _COUNTS, by=_STUDY).filter(person="untreated")

    assert_frame_equal(verdicts(alone, _COUNTS, by=_STUDY), among_others)


def test_a_delivery_without_any_episode_gives_empty_tables() -> None:
    """Nobody ill: every table is there, and empty."""
    nobody = extract(diagnoses="person | date | code\nP1 | 2010-01-01 | J069")

    assert verdicts(nobody, _COUNTS, _SCORES, by=_STUDY).is_empty()


def test_a_delivery_of_contacts_alone_is_classified() -> None:
    """With nothing delivered but persons and diagnoses, every episode is undetermined."""
    given = extract(absent="coverage dispensings procedures scores admissions", observes="")

    assert_shows(verdicts(given, _COUNTS), "verdict | decided_by\nundetermined | trial")


def test_the_tables_are_as_declared() -> None:
    """Episodes, trials, judgements and classifications satisfy their declared schemas."""
    made = classified(_MIXED, _COUNTS, _SCORES, by=_STUDY)

    RESTRICTED["episodes"].validate(made.episodes)
    RESTRICTED["trials"].validate(made.trials)
    RESTRICTED["judgements"].validate(made.judgements)
    RESTRICTED["classifications"].validate(made.classifications)


# --- The judges -------------------------------------------------------------------------------------------------------

_CODED = encode(_MIXED, codes(), ("depression",))
_EPISODES = build_episodes(_CODED, _STUDY.episodes, _STUDY.period, codes())
_BUILT = build_trials(find_exposures(_CODED, _EPISODES), _EPISODES, _COUNTS.trial, _CODED.vocabulary)
_ADEQUATE = judge_adequacy(_BUILT, _COUNTS.adequacy, _CODED.vocabulary, codes().doses)
_OUTCOMES = judge_outcome(_BUILT, _EPISODES, _COUNTS.outcome, find_signs(_CODED, codes().scales), _CODED)


def test_judging_eligibility_gives_one_answer_per_episode() -> None:
    """As many answers as episodes, in their order."""
    answers = judge_eligibility(_EPISODES, _COUNTS.eligible, _CODED)

    assert answers.to_list() == [False, True, True, True]
    assert judge_eligibility(_EPISODES.reverse(), _COUNTS.eligible, _CODED).to_list() == [True, True, True, False]


def test_judging_adequacy_keeps_every_trial_in_order() -> None:
    """The trials come back as they were, with two columns more."""
    assert_frame_equal(_ADEQUATE.select(_BUILT.trials.columns), _BUILT.trials)
    assert _ADEQUATE.columns == [*_BUILT.trials.columns, "is_adequate", "adequacy_reason"]


def test_judging_outcome_keeps_every_trial_in_order() -> None:
    """The trials come back as they were, with three columns more."""
    assert_frame_equal(_OUTCOMES.select(_BUILT.trials.columns), _BUILT.trials)
    assert _OUTCOMES.columns == [*_BUILT.trials.columns, "has_failed", "outcome_evidence", "failure_date"]


def test_judging_resistance_gives_one_row_per_episode_in_order() -> None:
    """The episodes come back in the order they were given, those without trials among them."""
    asked = _EPISODES.select("episode").with_columns(is_eligible=pl.lit(True)).reverse()
    trials = _ADEQUATE.hstack(_OUTCOMES.select("has_failed", "outcome_evidence", "failure_date"))

    made = judge_resistance(asked, trials, _COUNTS.resistance, _CODED.vocabulary, _CODED.observes, codes())

    assert made["episode"].to_list() == asked["episode"].to_list()
