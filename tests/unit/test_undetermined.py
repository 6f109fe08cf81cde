"""Why verdicts cannot be told: counts by reason, rounded, and the table that shows them."""

import polars as pl

from impasse.transforms.compare.undetermined import count_undetermined, sum_undetermined
from impasse.transforms.disclose.rounding import protect_parts
from tests.tables import assert_shows, table

_EPISODES = table(
    """
    episode_id | is_left_truncated
    a          | true
    b          | false
    c          | false
    d          | true
    """
)
_MADE = table(
    """
    definition_id | episode_id | verdict       | decided_by
    one           | a          | undetermined  | follow_up
    one           | b          | undetermined  | follow_up
    one           | c          | undetermined  | outcome
    one           | d          | undetermined  | outcome
    two           | a          | resistant     | resistance
    two           | b          | not_resistant | outcome
    two           | c          | not_eligible  | eligible
    two           | d          | undetermined  | trial
    """
)
_KEY = ("definition_id", "reason")


def counted() -> pl.DataFrame:
    """The counts of both definitions, and of one without a verdict."""
    return count_undetermined(_MADE, _EPISODES, ["one", "two", "three"])


def test_each_open_verdict_has_one_reason() -> None:
    """A start that was not seen comes before an end; what a block left open is that block's, whatever was seen."""
    assert_shows(
        counted().filter(pl.col("n") > 0),
        """
        definition_id | reason         | n | n_of
        one           | end_not_seen   | 1 | 4
        one           | outcome        | 2 | 4
        one           | start_not_seen | 1 | 4
        two           | trial          | 1 | 1
        """,
    )


def test_every_reason_has_a_row_and_the_reasons_come_to_all() -> None:
    """A row tells nothing by being there, and no open verdict is left out or counted twice."""
    found = counted()

    assert found.group_by("definition_id").len()["len"].unique().to_list() == [7]
    assert found.group_by("definition_id").agg(pl.col("n").sum() == pl.col("n_of").first())["n"].all()


def test_counts_add_up_over_buckets() -> None:
    """Two buckets of the same persons are twice the counts."""
    twice = sum_undetermined(pl.concat([counted(), counted()]))

    assert (twice["n"] == 2 * counted()["n"]).all()
    assert (twice["n_of"] == 2 * counted()["n_of"]).all()


def test_small_numbers_are_rounded_and_few_episodes_hidden() -> None:
    """12 and 21 of 33 are 10 and 20 of 35; the reasons of three episodes are hidden."""
    rows = table(
        """
        definition_id | reason  | n  | n_of | suppressed
        few           | outcome | 3  | 3    | false
        few           | trial   | 0  | 3    | false
        many          | outcome | 12 | 33   | false
        many          | trial   | 21 | 33   | false
        """
    )

    assert_shows(
        protect_parts(rows, _KEY, ["few", "many"], 5),
        """
        definition_id | reason  | n  | n_of | suppressed
        few           | outcome | -  | -    | true
        few           | trial   | -  | -    | true
        many          | outcome | 10 | 35   | false
        many          | trial   | 20 | 35   | false
        """,
    )


def test_a_definition_that_is_not_shown_has_no_reasons() -> None:
    """Where its prevalence is suppressed, so are its reasons."""
    rows = table("definition_id | reason | n | n_of | suppressed\nmine | outcome | 30 | 30 | false")

    assert protect_parts(rows, _KEY, [], 5)["suppressed"].to_list() == [True]
