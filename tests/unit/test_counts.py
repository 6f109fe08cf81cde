"""How many trials of each episode are in each set, by what must differ."""

import numpy as np

from impasse.transforms.judge.certainty import (
    FAILED,
    OWN_KIND,
    STAGES,
    SURELY_FAILED,
    SURELY_TRIED,
    UNKNOWN_KIND,
    numbers_by_stage,
)

# A trial that is surely counted and failed, one that may have failed, one that may be counted, one that is not.
SURE, MAY_HAVE_FAILED, MAY_COUNT, NOT_COUNTED = 0b111111, 0b011111, 0b000111, 0
# Three treatments of two kinds, and one whose kind is not known.
KINDS = np.array([0, 0, 1, UNKNOWN_KIND])


def _numbers(sets: list[int], treatment: list[int], kinds: np.ndarray, episode: list[int] | None = None) -> np.ndarray:
    of = np.zeros(len(sets), dtype=np.int64) if episode is None else np.array(episode)
    n_episodes = 1 + int(of.max(initial=0))
    return numbers_by_stage(n_episodes, of, np.array(sets, dtype=np.uint8), np.array(treatment, dtype=np.uint16), kinds)


def test_all_stages_are_counted_at_once() -> None:
    """Each trial counts in every set it is in, whatever was tried; an episode without trials has none."""
    nothing_differs = np.full(4, OWN_KIND)
    numbers = _numbers([SURE, SURE, NOT_COUNTED, MAY_COUNT, MAY_HAVE_FAILED], [0] * 5, nothing_differs, [0, 0, 0, 2, 2])

    assert numbers.tolist() == [[2, 0, 2], [2, 0, 2], [2, 0, 2], [2, 0, 1], [2, 0, 1], [2, 0, 0]]


def test_trials_of_one_kind_count_once_in_an_episode() -> None:
    """Two treatments of a kind are one, two of different kinds are two; the next episode begins anew."""
    assert _numbers([SURE, SURE], [0, 1], KINDS).tolist() == [[1]] * len(STAGES)
    assert _numbers([SURE, SURE], [0, 2], KINDS).tolist() == [[2]] * len(STAGES)
    assert _numbers([SURE, SURE], [0, 1], KINDS, [0, 1]).tolist() == [[1, 1]] * len(STAGES)


def test_a_kind_counts_in_every_set_one_of_its_trials_is_in() -> None:
    """After a trial that may count, one of the same kind that surely does is new only where the other is not."""
    assert _numbers([MAY_COUNT, SURE], [0, 1], KINDS).tolist() == [[1]] * len(STAGES)
    assert _numbers([SURE, MAY_COUNT], [0, 1], KINDS).tolist() == [[1]] * len(STAGES)
    assert _numbers([MAY_COUNT, MAY_HAVE_FAILED], [0, 1], KINDS)[:, 0].tolist() == [1, 1, 1, 1, 1, 0]
    assert _numbers([NOT_COUNTED, SURE], [0, 1], KINDS)[:, 0].tolist() == [1, 1, 1, 1, 1, 1]


def test_trials_of_unknown_kind_may_each_be_another_and_are_surely_one() -> None:
    """Two of them are surely one kind and at most two; beside a known one they are surely none."""
    alone, beside = _numbers([SURE, SURE], [3, 3], KINDS)[:, 0], _numbers([SURE, SURE, SURE], [3, 0, 3], KINDS)[:, 0]

    assert (alone[SURELY_FAILED], alone[SURELY_TRIED], alone[FAILED]) == (1, 2, 2)
    assert (beside[SURELY_FAILED], beside[SURELY_TRIED], beside[FAILED]) == (1, 3, 3)
    assert _numbers([MAY_HAVE_FAILED], [3], KINDS)[SURELY_FAILED].tolist() == [0]


def test_no_trials_are_no_special_case() -> None:
    """Every number is 0."""
    assert _numbers([], [], KINDS).tolist() == [[0]] * len(STAGES)
