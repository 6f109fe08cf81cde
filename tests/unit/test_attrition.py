"""Attrition: at which step each kind of episode leaves."""

import polars as pl

from impasse.schemas.tables import ATTRITION_STEPS, Attrition
from impasse.transforms.compare.attrition import compare_attrition, count_attrition
from impasse.transforms.compare.prevalence import count_prevalence
from tests.tables import assert_shows
from tests.unit.judged import classifications, definitions, episodes, verdict_matrix

TWO_FAILED = definitions(two_failed="depression")

ONE_OF_EACH = """
    episode_id
    excluded
    untreated
    too_short
    improved
    failed_once
    failed_once_one_open
    failed_twice
    """
VERDICTS = """
    episode_id           | verdict       | n_trials | n_adequate | n_failed_min
    excluded             | not_eligible  | 2        | 2          | 2
    untreated            | not_resistant | 0        | 0          | 0
    too_short            | not_resistant | 1        | 0          | 0
    improved             | not_resistant | 1        | 1          | 0
    failed_once          | not_resistant | 1        | 1          | 1
    failed_once_one_open | undetermined  | 2        | 2          | 1
    failed_twice         | resistant     | 2        | 2          | 2
    """


def compared(drawn_episodes: str, drawn_verdicts: str, spoken: list = TWO_FAILED) -> pl.DataFrame:
    """The published steps of the drawn episodes."""
    return compare_attrition(
        count_attrition(verdict_matrix(episodes(drawn_episodes), classifications(drawn_verdicts), spoken))
    )


def test_each_step_loses_the_episode_named_for_it():
    """One episode leaves at every step after the first, and the resistant one stays."""
    assert_shows(
        compared(ONE_OF_EACH, VERDICTS),
        """
        step_number | step               | n_left | n_lost
        1           | episodes           | 7      | 0
        2           | eligible           | 6      | 1
        3           | treated            | 5      | 1
        4           | adequately_treated | 4      | 1
        5           | failed_a_trial     | 3      | 1
        6           | resistant_possible | 2      | 1
        7           | resistant          | 1      | 1
        """,
    )


def test_an_open_episode_without_an_observed_trial_is_lost_where_it_is_not_seen():
    """Where no table shows the treatment, the episode is undetermined, yet leaves at `treated`."""
    steps = compared(
        "episode_id\nno_trial_seen\noutcome_unknown",
        """
        episode_id      | verdict      | n_trials | n_adequate | n_failed_min
        no_trial_seen   | undetermined | 0        | 0          | 0
        outcome_unknown | undetermined | 2        | 2          | 0
        """,
    )

    assert steps["n_left"].to_list() == [2, 2, 1, 1, 0, 0, 0]


def test_a_definition_that_asks_only_what_was_given_has_no_step_of_failures():
    """What was adequate or failed is not looked at; what may be resistant is what was treated and is open."""
    assert_shows(
        compared(
            ONE_OF_EACH,
            """
            episode_id           | verdict       | n_trials | n_adequate | n_failed_min
            excluded             | not_eligible  | 2        | 2          | 2
            untreated            | not_resistant | 0        | 0          | 0
            too_short            | undetermined  | 1        | 0          | 0
            improved             | not_resistant | 1        | 1          | 0
            failed_once          | resistant     | 2        | 0          | 0
            failed_once_one_open | resistant     | 2        | 2          | 1
            failed_twice         | not_resistant | 1        | 1          | 1
            """,
            definitions(two_failed="depression", what="given"),
        ),
        """
        step_number | step               | n_left | n_lost
        1           | episodes           | 7      | 0
        2           | eligible           | 6      | 1
        3           | treated            | 5      | 1
        6           | resistant_possible | 3      | 2
        7           | resistant          | 2      | 1
        """,
    )


def test_a_resistant_episode_is_lost_at_no_step():
    """Points may come from an episode's length, which is no failure."""
    steps = compared(
        "episode_id\ngiven\nlong",
        """
        episode_id | verdict       | n_failed_min | score_min
        given      | resistant     | 0            | -
        long       | not_resistant | 0            | 1.0
        """,
    )

    assert steps.filter(pl.col("step").is_in(["failed_a_trial", "resistant"]))["n_left"].to_list() == [1, 1]


def test_a_definition_without_episodes_has_all_steps_at_zero():
    """Nothing to lose is seven rows of zero, not a gap."""
    steps = compared(ONE_OF_EACH, VERDICTS, definitions(two_failed="ptsd"))

    assert steps["step"].to_list() == list(ATTRITION_STEPS)
    assert steps["n_left"].to_list() == [0] * 7


def test_steps_and_prevalence_count_the_same_episodes():
    """The four shared denominators and the resistant are the same numbers in both tables."""
    everyone, judged = episodes(ONE_OF_EACH), classifications(VERDICTS)
    left = compare_attrition(count_attrition(verdict_matrix(everyone, judged, TWO_FAILED)))["n_left"].to_list()
    wholes = count_prevalence(verdict_matrix(everyone, judged, TWO_FAILED)).filter(pl.col("stratum") == "all")
    n_total = dict(zip(wholes["denominator_id"], wholes["n_total"], strict=True))

    assert left[:4] == [n_total[d] for d in ("episodes", "eligible", "treated", "adequately_treated")]
    assert wholes.filter(pl.col("denominator_id") == "episodes")["n_resistant"].item() == left[-1]


def test_buckets_add_up():
    """Two buckets of persons, counted apart and put beneath each other, give everyone's table."""
    everyone, judged = episodes(ONE_OF_EACH), classifications(VERDICTS)

    buckets = [count_attrition(verdict_matrix(part, judged, TWO_FAILED)) for part in (everyone[:3], everyone[3:])]

    assert compare_attrition(pl.concat(buckets)).equals(compared(ONE_OF_EACH, VERDICTS))


def test_the_published_table_keeps_its_contract():
    """Columns and types are those the schema states."""
    Attrition.validate(compared(ONE_OF_EACH, VERDICTS))

    assert compared(ONE_OF_EACH, VERDICTS)["suppressed"].to_list() == [False] * 7
