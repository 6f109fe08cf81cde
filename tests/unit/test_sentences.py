"""The gate for sentences: what they count stands in a published table."""

import polars as pl
import pytest

from impasse.schemas.errors import PublicationStopped
from impasse.transforms.disclose.sentences import check_sentences

PUBLISHED = {
    "prevalence": pl.DataFrame({"n_total": [1_200, None], "n_resistant": [7, None], "suppressed": [False, True]})
}


@pytest.mark.parametrize(
    "sentence",
    [
        "Among 1,200 episodes of depression, between 5% and 20% are resistant.",
        "All 8 definitions reach a verdict on 7 of the episodes.",
        "0 persons",
        "At least 95% of persons have a birth date.",
        "“Three failures in 3 episodes” says 5% of the decided among 1,200 eligible episodes.",
        "all but fewer than 5 of 4,000",
    ],
)
def test_what_a_table_publishes_may_be_said(sentence):
    """Published counts, zero, shares, counts of delivered rows, and whatever a title says."""
    check_sentences([sentence], PUBLISHED)


@pytest.mark.parametrize(
    "sentence",
    [
        "There are 1 episodes x 2 definitions = 2 classifications.",
        "Every definition classifies all 27,958 episodes.",
        "They reach a verdict on 3 of the episodes.",
        "5% of the decided among 1,199 eligible episodes",
        "4 persons",
    ],
)
def test_what_no_table_publishes_stops_publication(sentence):
    """Whatever made the sentence; the message repeats no number."""
    with pytest.raises(PublicationStopped) as stopped:
        check_sentences(["1,200 episodes", sentence], PUBLISHED)

    assert not any(digit in str(stopped.value) for digit in "0123456789")


def test_counts_of_delivered_rows_do_not_permit_a_sentence():
    """A table that suppresses nothing publishes no number of persons."""
    rows = {"reconciliation": pl.DataFrame({"table": ["scores"], "n_delivered": [3]})}

    with pytest.raises(PublicationStopped):
        check_sentences(["3 persons"], PUBLISHED | rows)
