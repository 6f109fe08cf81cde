"""The matrix of verdicts: what a code says of an episode."""

import pytest

from impasse.transforms.compare.verdict_matrix import (
    HAS_FAILED_TRIAL,
    IS_ADEQUATELY_TREATED,
    IS_TREATED,
    NOT_ELIGIBLE,
    NOT_RESISTANT,
    NOT_SPOKEN_OF,
    RESISTANT,
    UNDETERMINED,
    VERDICT_OF,
)
from tests.unit.judged import classifications, definitions, episodes, verdict_matrix


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        ("resistant", RESISTANT),
        ("undetermined", UNDETERMINED),
        ("not_resistant", NOT_RESISTANT),
        ("not_eligible", NOT_ELIGIBLE),
    ],
)
def test_a_code_holds_the_verdict(verdict, expected):
    """Each of the four verdicts comes back."""
    judged = classifications(f"episode_id verdict\na {verdict}")

    codes = verdict_matrix(episodes("episode_id\na"), judged, definitions(two_failed="depression")).codes

    assert VERDICT_OF[codes.item()] == expected


@pytest.mark.parametrize(
    ("verdict", "trials", "adequate", "failed", "expected"),
    [
        ("not_resistant", 0, 0, 0, (False, False, False)),
        ("not_resistant", 1, 0, 0, (True, False, False)),
        ("not_resistant", 2, 1, 0, (True, True, False)),
        ("not_resistant", 2, 2, 1, (True, True, True)),
        ("undetermined", 1, 0, 0, (True, False, False)),
        ("resistant", 1, 0, 0, (True, True, True)),
    ],
)
def test_a_code_holds_how_far_the_episode_was_seen_to_come(verdict, trials, adequate, failed, expected):
    """Treated, adequately treated and failed a trial; a resistant episode has come all the way."""
    judged = classifications(
        f"""
        episode_id | verdict   | n_trials | n_adequate | n_failed_min
        a          | {verdict} | {trials} | {adequate} | {failed}
        """
    )

    codes = verdict_matrix(episodes("episode_id\na"), judged, definitions(two_failed="depression")).codes

    assert tuple(bool(seen[codes.item()]) for seen in (IS_TREATED, IS_ADEQUATELY_TREATED, HAS_FAILED_TRIAL)) == expected


def test_rows_follow_the_episodes_and_columns_the_sorted_definitions():
    """Whatever the order of the classifications, a place in the matrix is an episode under a definition."""
    judged = classifications(
        """
        episode_id | definition_id | verdict
        b          | wide          | undetermined
        a          | strict        | not_resistant
        a          | wide          | resistant
        b          | strict        | not_eligible
        """
    )

    spoken = definitions(wide="depression", strict="depression")
    matrix = verdict_matrix(episodes("episode_id\nb\na"), judged, spoken)

    assert matrix.ids == ["strict", "wide"]
    assert VERDICT_OF[matrix.codes].tolist() == [[NOT_ELIGIBLE, UNDETERMINED], [NOT_RESISTANT, RESISTANT]]


def test_an_episode_of_another_disorder_is_not_spoken_of():
    """Not eligible is said of a definition's own disorders only."""
    judged = classifications("episode_id | verdict\nmood | not_eligible\nworry | not_eligible")

    everyone = episodes("episode_id | disorder\nmood | depression\nworry | anxiety")
    codes = verdict_matrix(everyone, judged, definitions(two_failed="depression")).codes

    assert VERDICT_OF[codes[0, 0]] == NOT_ELIGIBLE
    assert codes[1, 0] == NOT_SPOKEN_OF
