"""For how many trials of each episode a truth holds at least and at most, by what must differ."""

import numpy as np

from impasse.transforms.kernels.counting import NO, OWN_KIND, PERHAPS, UNKNOWN_KIND, YES, fewest_and_most

ALIKE = OWN_KIND  # nothing has to differ


def _numbers(truths: list[int], kinds: list[int], episode: list[int] | None = None) -> list[tuple[int, int]]:
    of = np.zeros(len(truths), dtype=np.int64) if episode is None else np.array(episode)
    found = fewest_and_most(1 + int(of.max(initial=0)), of, np.array(truths, dtype=np.uint8), np.array(kinds))
    return list(zip(*(column.tolist() for column in found), strict=True))


def test_what_holds_is_in_both_bounds_and_what_may_hold_in_the_upper() -> None:
    """Two surely, one not, in the next episode none, in the last one perhaps."""
    assert _numbers([YES, NO, YES, PERHAPS], [ALIKE] * 4, [0, 0, 0, 2]) == [(2, 2), (0, 0), (0, 1)]


def test_trials_of_one_kind_count_once_in_an_episode() -> None:
    """Two of a kind are one, two of different kinds are two; the next episode begins anew."""
    assert _numbers([YES, YES], [0, 0]) == [(1, 1)]
    assert _numbers([YES, YES], [0, 1]) == [(2, 2)]
    assert _numbers([YES, YES], [0, 0], [0, 1]) == [(1, 1), (1, 1)]


def test_a_kind_counts_surely_where_one_of_its_trials_does() -> None:
    """Before or after one that may count; two that may count are one kind that may."""
    assert _numbers([PERHAPS, YES], [0, 0]) == [(1, 1)]
    assert _numbers([YES, PERHAPS], [0, 0]) == [(1, 1)]
    assert _numbers([PERHAPS, PERHAPS], [0, 0]) == [(0, 1)]
    assert _numbers([NO, YES], [0, 0]) == [(1, 1)]
    assert _numbers([PERHAPS, YES, YES], [0, 0, 0]) == [(1, 1)]


def test_trials_of_unknown_kind_may_each_be_another_and_are_surely_one() -> None:
    """Two of them are surely one kind and at most two; beside a known one, before or after, they are surely none."""
    assert _numbers([YES, YES], [UNKNOWN_KIND] * 2) == [(1, 2)]
    assert _numbers([YES, YES, YES], [UNKNOWN_KIND, 0, UNKNOWN_KIND]) == [(1, 3)]
    assert _numbers([YES, YES, YES], [0, UNKNOWN_KIND, 1]) == [(2, 3)]
    assert _numbers([PERHAPS], [UNKNOWN_KIND]) == [(0, 1)]
    assert _numbers([YES, PERHAPS], [UNKNOWN_KIND, UNKNOWN_KIND], [0, 1]) == [(1, 1), (0, 1)]


def test_no_trials_are_no_special_case() -> None:
    """Every number is 0."""
    assert _numbers([], []) == [(0, 0)]
