"""Thousands of seeded random histories: the fast and the slow implementation say the same, to the last fact."""

from __future__ import annotations

import os
from collections import Counter
from functools import cache

import pytest

from tests.reference.both import differences, drawn_round, fast, slow
from tests.reference.coverage import Reached, never_reached, reached

ROUNDS = int(os.environ.get("IMPASSE_RANDOM_ROUNDS", "10"))


@cache
def both(seed: int) -> tuple[list[str], Reached]:
    """Where the implementations differ in the round of a seed, and what the definitions reached."""
    drawn = drawn_round(seed)
    told = fast(drawn)
    return differences(told, slow(drawn)), reached(told)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_fast_and_slow_agree(seed: int) -> None:
    """Every episode, trial, judgement, verdict, stage and impasse is the same in both implementations."""
    found, _ = both(seed)

    assert found == []


def test_the_histories_reach_every_verdict() -> None:
    """Over the seeds every shipped definition gives each verdict by each block that can decide, or each stage."""
    counted = sum((both(seed)[1] for seed in range(ROUNDS)), start=Counter())

    assert never_reached(counted) == []
