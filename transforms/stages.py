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

from transforms.bounds import Bounds
from transforms.segments import Segments

TRIED, ADEQUATE, FAILED, SURELY_TRIED, SURELY_ADEQUATE, SURELY_FAILED = STAGES = tuple(range(6))
_PERHAPS = 1 << TRIED | 1 << ADEQUATE | 1 << FAILED
_SURELY = 1 << SURELY_TRIED | 1 << SURELY_ADEQUATE | 1 << SURELY_FAILED
ALL = np.uint8(_PERHAPS | _SURELY)


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


# For each combination of sets a sum of ones, each in ten bits of its own.
_LANE_BITS = 10
_ONES = np.array(
    [sum((sets >> stage & 1) << (_LANE_BITS * stage) for stage in STAGES) for sets in range(1 << len(STAGES))],
    dtype=np.int64,
)


def count_sets(sets: np.ndarray, groups: Segments) -> list[np.ndarray]:
    """For each stage how many rows of each group are in its set: one sum counts for all stages."""
    if int(groups.lengths.max(initial=0)) >> _LANE_BITS:
        return [groups.sum(among(sets, stage)) for stage in STAGES]
    sums = groups.sum(_ONES[sets])
    return [sums >> (_LANE_BITS * stage) & ((1 << _LANE_BITS) - 1) for stage in STAGES]


def among(sets: np.ndarray, stage: int) -> np.ndarray:
    """Is the trial in the stage's set?"""
    return (sets >> np.uint8(stage)) & np.uint8(1) != 0
