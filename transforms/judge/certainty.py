"""Judged trials in wider and wider sets: all tried, the adequate ones, the failed ones; perhaps, and surely.

What a rule needs is asked of each set in turn. The surest set gives the lower bound of every number, the
set of all that may have failed the upper bound, and the sets between tell which block settled a verdict.

    set              of the counted treatments   adequate   failed
    tried            perhaps
    adequate         perhaps                     perhaps
    failed           perhaps                     perhaps    perhaps
    surely_tried     surely                      perhaps    perhaps
    surely_adequate  surely                      surely     perhaps
    surely_failed    surely                      surely     surely

The sets a trial is in are the bits of one small number, so that one `&` asks them all.
"""

from __future__ import annotations

import numpy as np

from impasse.transforms.kernels.bounds import Bounds
from impasse.transforms.kernels.compiled import compiled

TRIED, ADEQUATE, FAILED, SURELY_TRIED, SURELY_ADEQUATE, SURELY_FAILED = STAGES = tuple(range(6))
_PERHAPS = 1 << TRIED | 1 << ADEQUATE | 1 << FAILED
_SURELY = 1 << SURELY_TRIED | 1 << SURELY_ADEQUATE | 1 << SURELY_FAILED
ALL = np.uint8(_PERHAPS | _SURELY)
# What a treatment is: one of the kinds, numbered from 0, or one of these.
OWN_KIND, UNKNOWN_KIND = -1, -2


def sets_of_judged(adequate: Bounds, failed: Bounds) -> np.ndarray:
    """The sets each trial is in by its adequacy and outcome, whatever the treatment."""
    bits = {
        ADEQUATE: adequate.possible,
        FAILED: adequate.possible & failed.possible,
        SURELY_TRIED: adequate.possible & failed.possible,
        SURELY_ADEQUATE: adequate.sure & failed.possible,
        SURELY_FAILED: adequate.sure & failed.sure,
    }
    sets = np.full(len(adequate.sure), 1 << TRIED, dtype=np.uint8)
    for stage, is_in in bits.items():
        sets |= is_in.view(np.uint8) << np.uint8(stage)
    return sets


def sets_of_members(member: Bounds) -> np.ndarray:
    """The sets each trial (or treatment) is in by being of the counted treatments."""
    return np.where(member.sure, ALL, np.where(member.possible, np.uint8(_PERHAPS), np.uint8(0)))


@compiled
def numbers_by_stage(
    n_episodes: int, episode: np.ndarray, sets: np.ndarray, treatment: np.ndarray, kinds: np.ndarray
) -> np.ndarray:
    """How many trials, by what must differ, are in the sets: a row for each stage, a column for each episode.

    Trials come in the order of their episodes; `kinds` is what each treatment is. Of trials whose kind is not known,
    each may be another kind; surely there is one kind at least.
    """
    numbers = np.zeros((len(STAGES), n_episodes), dtype=np.int64)  # points are worked out from them
    has_some = np.zeros(n_episodes, dtype=np.int64)
    for row in range(len(sets)):
        mine, kind, new = episode[row], kinds[treatment[row]], np.int64(sets[row])
        if kind == UNKNOWN_KIND:
            has_some[mine] |= new >> SURELY_FAILED & 1
            new &= ~(1 << SURELY_FAILED)
        elif kind != OWN_KIND:
            earlier = row - 1
            while new and earlier >= 0 and episode[earlier] == mine:
                if kinds[treatment[earlier]] == kind:
                    new &= ~np.int64(sets[earlier])
                earlier -= 1
        if new:
            for stage in range(len(STAGES)):
                numbers[stage, mine] += new >> stage & 1
    numbers[SURELY_FAILED] = np.maximum(numbers[SURELY_FAILED], has_some)
    return numbers


def among(sets: np.ndarray, stage: int) -> np.ndarray:
    """Is the trial in the stage's set?"""
    return (sets >> np.uint8(stage)) & np.uint8(1) != 0
