"""The items of a staging score: points of trials, of the episode, of diagnoses; half points as whole numbers.

Items that count trials have a lower and an upper bound as counts have. The others belong to the episode and are the
same whatever is asked of its trials; where the delivery has no admissions, theirs are open.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add, and_
from typing import Any

import numpy as np
import polars as pl
from polars import col, lit, max_horizontal, min_horizontal, when

from impasse.schemas.resistance import AdmissionItem, AnyItem, Band, DiagnosisItem, Item, LengthItem, NumberItem, Scored
from impasse.transforms.judge.asked import CountedTrials
from impasse.transforms.judge.counts import Certainty, Counting, is_sure
from impasse.transforms.judge.eligibility import STAYS, days_with
from impasse.transforms.kernels.counting import NO, UNKNOWN_KIND, YES
from impasse.transforms.kernels.queries import collect_in_order
from impasse.transforms.kernels.segments import NEVER

_NONE = lit(0, dtype=pl.Int64)
_OF_EPISODES = (LengthItem, DiagnosisItem, AdmissionItem)
TrialItem = Item | NumberItem


def reaches(rule: Scored, counting: Counting, certainty: Certainty, *, open_ended: bool = False) -> pl.Expr:
    """Does the score reach the threshold if trials counted so surely? True or false.

    `open_ended`: items that the delivery cannot show may earn their most.
    """
    enough = total(rule, counting, certainty, open_ended=open_ended) >= halves(rule.threshold)
    return has_score(rule, counting, certainty, open_ended=open_ended) & enough


def total(rule: Scored, counting: Counting, certainty: Certainty, *, open_ended: bool = False) -> pl.Expr:
    """The half points of an episode."""

    def earned(item: AnyItem) -> pl.Expr:
        if open_ended and _is_open(item, counting):
            return lit(_most(item), dtype=pl.Int64)
        return _points_of_trials(item, _number(item, counting, certainty)) if _counts_trials(item) else _points(item)

    return reduce(add, map(earned, rule.items), _NONE)


def has_score(rule: Scored, counting: Counting, certainty: Certainty, *, open_ended: bool = False) -> pl.Expr:
    """Has every required item the number it needs for there to be a score?"""
    needed = (
        _number(item, counting, certainty) >= item.bands[0].at_least
        for item in rule.items
        if _is_required(item) and not (open_ended and _is_open(item, counting))
    )
    return reduce(and_, needed, lit(True))


def bounds(rule: Scored, counting: Counting) -> tuple[pl.Expr, pl.Expr]:
    """The score's bounds in points; null where there is none. In time not seen every item may earn its most."""
    low, high = "surely_failed", "failed"
    most = lit(sum(map(_most, rule.items)), dtype=pl.Int64)
    return (
        when(has_score(rule, counting, low)).then(total(rule, counting, low) / 2),
        when(counting.speaks & ~counting.is_followed_up).then(most / 2)
        .when(has_score(rule, counting, high, open_ended=True))
        .then(total(rule, counting, high, open_ended=True) / 2),
    )  # fmt: skip


def is_blind_to_items(rule: Scored, counting: Counting) -> bool:
    """Does some item count trials that the delivery cannot show?"""
    return any(_counts_trials(item) and _is_open(item, counting) for item in rule.items)


def halves(points: float) -> int:
    """Half points as whole numbers."""
    return int(points * 2)


# When


def day_reached(rule: Scored, counting: Counting, certainty: Certainty) -> pl.Expr:
    """The day on which the running score reached the threshold if trials counted so surely.

    Where no trial is needed it is the episode's start, also if treatment had begun before it.
    """
    items = [item for item in rule.items if _counts_trials(item)]
    truths, sure = [_truth(item, counting, certainty) for item in items], is_sure(certainty)
    failed = counting.judged("day_failed").meta.output_name()
    others = reduce(add, (_earned(item, counting, sure) for item in rule.items if not _counts_trials(item)), _NONE)
    goal = halves(rule.threshold) - others
    day = counting.asked.day(
        f"day {'surely' if sure else 'perhaps'} reached by the score of {counting.definition.id}",
        lambda counted: _first_day(counted, items, truths, failed, goal, sure),
    )
    if any(_is_required(item) and item.bands[0].at_least > 0 for item in items):
        return day
    return when(sum(map(_at_zero, items)) >= goal).then(col("start")).otherwise(day)


def _earned(item: LengthItem | DiagnosisItem | AdmissionItem, counting: Counting, sure: bool) -> pl.Expr:
    """The half points of what belongs to the episode; perhaps the most, where the delivery cannot show it."""
    return _points(item) if sure or not _is_open(item, counting) else lit(_most(item), dtype=pl.Int64)


def _at_zero(item: TrialItem) -> int:
    """The half points that no trial at all earns, which is some where the first band begins at 0."""
    first = item.bands[0] if isinstance(item, NumberItem) else None
    return halves(first.points) if first and first.at_least == 0 else 0


def _first_day(
    counted: CountedTrials, items: Sequence[TrialItem], truths: Sequence[str], failed: str, goal: pl.Expr, sure: bool
) -> np.ndarray:
    """The first day on which the points of the trials, sure ones only or all, reach the goal, and there is a score.

    No number falls from one trial to the next, so that what holds after one trial of a day holds at its end.
    """
    first = np.full(counted.n_episodes, NEVER)
    if not items:
        return first
    in_time = pl.concat(_in_time(counted, n, item, truths[n], failed, sure) for n, item in enumerate(items))
    numbers = {f"number {n}": _running_number(n, _distinct(item), sure) for n, item in enumerate(items)}
    told = list(zip(numbers, items, strict=True))
    points = reduce(add, (_points_of_trials(item, col(name)) for name, item in told))
    needed = [col(name) >= item.bands[0].at_least for name, item in told if _is_required(item)]
    goals = counted.of_episodes(goal)
    found = collect_in_order(
        in_time.lazy()
        .sort("episode", "day", "item", "treatment")
        .with_columns(**numbers)
        .filter(pl.all_horizontal(points >= lit(goals).gather(col("episode")), *needed))
    )
    np.minimum.at(first, found["episode"].to_numpy(), found["day"].to_numpy())
    return first


def _in_time(counted: CountedTrials, n: int, item: TrialItem, truth: str, failed: str, sure: bool) -> pl.DataFrame:
    """The trials that count for an item, surely or also perhaps, with the first day on which they may begin to."""
    rows = np.flatnonzero(counted.truth(truth) == YES if sure else counted.truth(truth) != NO)
    day = counted.trials.start
    if _what(item) == "failed":
        day = np.where(counted.days(failed) == NEVER, day, counted.days(failed))
    return pl.DataFrame(
        {
            "episode": counted.episode[rows],
            "day": day[rows].astype(np.int64),
            "item": np.full(len(rows), n),
            "treatment": counted.trials.treatment[rows],
            "is_known": counted.kinds("substance")[rows] != UNKNOWN_KIND,
        }
    )


def _running_number(n: int, distinct_by: str, sure: bool) -> pl.Expr:
    """How many trials, or different ones, have counted for an item up to the row; rows come by day.

    Of those that are not known each may be another; surely there is one at least.
    """
    is_mine = col("item") == n
    number = _running_sum(is_mine)
    if distinct_by == "none":
        return number
    asked = is_mine & col("is_known")
    is_new = asked & pl.struct("episode", "treatment", asked).is_first_distinct()
    if not sure:
        return _running_sum(is_new | (is_mine & ~col("is_known")))
    return max_horizontal(_running_sum(is_new), number.clip(upper_bound=1))


def _running_sum(flag: pl.Expr) -> pl.Expr:
    """How many flags are set in the row's episode up to the row; rows come by episode."""
    seen = flag.cast(pl.Int64).cum_sum()
    is_first = col("episode") != col("episode").shift(fill_value=-1)
    return seen - when(is_first).then(seen - flag.cast(pl.Int64)).forward_fill()


# What belongs to the episode


def _points(item: LengthItem | DiagnosisItem | AdmissionItem) -> pl.Expr:
    if isinstance(item, LengthItem):
        return _by_band(col("end") - col("start") + 1, item.bands)
    if isinstance(item, DiagnosisItem):
        levels = (
            when(col(days_with(level.codes, item.when)) > 0).then(lit(halves(level.points), dtype=pl.Int64))
            for level in item.levels
        )
        return max_horizontal(levels).fill_null(halves(item.otherwise))
    return when(col(STAYS) > 0).then(lit(halves(item.points), dtype=pl.Int64)).otherwise(_NONE)


# What counts trials


def _number(item: TrialItem, counting: Counting, certainty: Certainty) -> pl.Expr:
    """How many trials count for the item."""
    return counting.of_ours(counting.number(_truth(item, counting, certainty), certainty, _distinct(item)))


def _truth(item: TrialItem, counting: Counting, certainty: Certainty) -> str:
    """Does a trial count for the item? Where only what the treatment was must be sure, what else is asked is not."""
    return counting.truth(item.of, _what(item), certainty, _earns(item))


def _earns(item: TrialItem) -> pl.Expr | None:
    """What the item asks of a trial beside being of its treatments."""
    if isinstance(item, NumberItem) or item.item == "failed_trials":
        return None
    if item.item == "raised_dose":
        return col("is_dose_raised")
    return (
        when(col("n_days") >= item.extended_days)
        .then(True)
        .when(col("n_days_at_most") < item.extended_days)
        .then(False)
    )


def _points_of_trials(item: TrialItem, number: pl.Expr) -> pl.Expr:
    if isinstance(item, NumberItem):
        return _by_band(number, item.bands)
    return min_horizontal(number.cast(pl.Int64) * halves(item.points), lit(halves(item.max_points), dtype=pl.Int64))


def _by_band(value: pl.Expr, bands: Sequence[Band]) -> pl.Expr:
    """The half points of the highest band that the value reaches; none below the first."""
    points: Any = pl
    for band in reversed(bands):
        points = points.when(value >= band.at_least).then(lit(halves(band.points), dtype=pl.Int64))
    return points.otherwise(_NONE)


def _counts_trials(item: AnyItem) -> bool:
    return not isinstance(item, _OF_EPISODES)


def _is_required(item: AnyItem) -> bool:
    return isinstance(item, NumberItem) and item.is_required


def _what(item: TrialItem) -> str:
    return item.what if isinstance(item, NumberItem) else "failed"


def _distinct(item: TrialItem) -> str:
    return item.distinct_by if isinstance(item, NumberItem) else "none"


def _is_open(item: AnyItem, counting: Counting) -> bool:
    """May the item have earned points that the delivery cannot show?"""
    if isinstance(item, AdmissionItem):
        return not counting.has_admissions
    return _counts_trials(item) and counting.is_blind(item.of)


def _most(item: AnyItem) -> int:
    """The most half points the item can earn."""
    if isinstance(item, DiagnosisItem):
        return max(halves(item.otherwise), *(halves(level.points) for level in item.levels))
    if isinstance(item, NumberItem | LengthItem):
        return max(halves(band.points) for band in item.bands)
    return halves(item.max_points if isinstance(item, Item) else item.points)
