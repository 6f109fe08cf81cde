"""The items of a staging score: points of trials, of the episode, of diagnoses; half points as whole numbers.

Items that count trials have a lower and an upper bound as counts have. The others belong to the episode
and are the same whatever is asked of its trials; where the delivery has no admissions, theirs are open.
"""

from __future__ import annotations

from functools import reduce
from operator import add, and_

import polars as pl

from schemas.codelists import CodeLists
from schemas.definition import AdmissionItem, AnyItem, DiagnosisItem, Item, LengthItem, NumberItem, Scored
from transforms.counts import KEYS, is_blind, is_known, membership, number
from transforms.eligibility import at_the_time
from transforms.encode import Coded
from transforms.stages import STAGES, SURELY_FAILED, SURELY_TRIED, among, date_of

_OF_EPISODES = (LengthItem, DiagnosisItem, AdmissionItem)


class Points:
    """The items of a score, numbered, over the trials and facts of all episodes."""

    def __init__(self, rule: Scored, coded: Coded, codes: CodeLists) -> None:
        self.items, self.coded = rule.items, coded
        self.limits = [_is_open(item, coded, codes) for item in self.items]
        self.blind = any(open_ for item, open_ in zip(self.items, self.limits, strict=True) if _counts_trials(item))

    def memberships(self) -> list[pl.Expr]:
        """Per trial: does it count for each item that counts trials (true, null, false)?

        `member_0` and so on as far as is known; `treatment_0` and so on by what the treatment was alone: whether
        its dose was raised and how long it lasted is left open there.
        """
        earned = [(n, self._treatment(item), self._earns(item)) for n, item in self._counting()]
        return [
            expression.alias(f"{name}_{n}")
            for n, treatment, also in earned
            for name, expression in (("member", treatment & also), ("treatment", treatment & also.fill_null(True)))
        ]

    def _treatment(self, item: Item | NumberItem) -> pl.Expr:
        return membership(self.coded.vocabulary, item.of, _what(item))

    def _earns(self, item: Item | NumberItem) -> pl.Expr:
        if isinstance(item, NumberItem):
            return pl.lit(True)
        long = pl.col("n_days") >= item.extended_days
        return {
            "failed_trials": pl.lit(True),
            "raised_dose": pl.col("is_dose_raised"),
            "extended": pl.when(long | ~pl.col("has_unknown_supply")).then(long),
        }[item.item]

    def numbers(self) -> list[pl.Expr]:
        """Per episode: how many trials count for each item, over each stage's trials."""
        return [
            number(stage, f"{_asked(stage)}_{n}", _what(item), _distinct(item)).cast(pl.Int64).alias(f"{stage}_{n}")
            for n, item in self._counting()
            for stage in STAGES
        ]

    def facts(self, episodes: pl.DataFrame) -> pl.DataFrame:
        """episode, item_0 and so on: the half points of the items that belong to the episode."""
        earned = [
            self._of_episode(episodes, item).cast(pl.Int64).alias(f"item_{n}")
            for n, item in enumerate(self.items)
            if isinstance(item, _OF_EPISODES)
        ]
        return episodes.select("episode", *earned)

    def _of_episode(self, episodes: pl.DataFrame, item: LengthItem | DiagnosisItem | AdmissionItem) -> pl.Expr:
        if isinstance(item, LengthItem):
            return _by_band(pl.col("end") - pl.col("start") + 1, item.bands)
        if isinstance(item, DiagnosisItem):
            levels = pl.DataFrame(
                {"list": [x.codes for x in item.levels], "points": [halves(x.points) for x in item.levels]},
                schema={"list": pl.String, "points": pl.Int64},
            )
            rows = episodes.join(self.coded.listed.join(levels, on="list"), on="person").filter(at_the_time(item.when))
            best = rows.group_by("episode").agg(pl.col("points").max())
            found = episodes.select("episode").join(best, on="episode", how="left", maintain_order="left")
            return pl.lit(found["points"].fill_null(halves(item.otherwise)))
        if self.coded.admissions is None:
            return pl.lit(0)
        rows = episodes.join(self.coded.admissions, on=["person", "disorder"])
        stayed = rows.filter(pl.col("day").is_between(pl.col("start"), pl.col("end")))["episode"]
        return pl.when(pl.col("episode").is_in(stayed.unique().implode())).then(halves(item.points)).otherwise(0)

    def total(self, stage: str, *, open_ended: bool = False) -> pl.Expr:
        """The half points of a stage's trials. `open_ended`: unobserved items may earn their most."""
        return reduce(
            add,
            [
                pl.lit(_most(item)) if open_ended and self.limits[n] else self._points(n, item, stage)
                for n, item in enumerate(self.items)
            ],
        )

    def _points(self, n: int, item: AnyItem, stage: str) -> pl.Expr:
        if isinstance(item, _OF_EPISODES):
            return pl.col(f"item_{n}")
        if isinstance(item, NumberItem):
            return _by_band(pl.col(f"{stage}_{n}"), item.bands)
        return pl.min_horizontal(pl.col(f"{stage}_{n}") * halves(item.points), halves(item.max_points))

    def has_score(self, stage: str, *, open_ended: bool = False) -> pl.Expr:
        """Has every required item the number it needs for there to be a score?"""
        needed = [
            pl.col(f"{stage}_{n}") >= item.bands[0].at_least
            for n, item in enumerate(self.items)
            if isinstance(item, NumberItem) and item.is_required and not (open_ended and self.limits[n])
        ]
        return reduce(and_, needed, pl.lit(True))

    def bounds(self) -> dict[str, pl.Expr]:
        """The score's bounds; null where there is none."""
        low, high = self.has_score(SURELY_FAILED), self.has_score("failed", open_ended=True)
        return {
            "score_min": pl.when(low).then(self.total(SURELY_FAILED) / 2),
            "score_max": pl.when(high).then(self.total("failed", open_ended=True) / 2),
        }

    def dates(self, trials: pl.DataFrame, episodes: pl.DataFrame, threshold: float) -> pl.DataFrame:
        """episode, resistant_day: the day the running score reached the threshold.

        What belongs to the episode counts from its start. `episodes` has the columns of `facts` and start.
        """
        constant = reduce(
            add,
            [pl.col(f"item_{n}") for n, item in enumerate(self.items) if isinstance(item, _OF_EPISODES)],
            pl.lit(0, pl.Int64),
        )
        goal, needs_none = halves(threshold), not any(_needs_a_trial(item) for item in self.items)
        at_zero = sum(_at_zero(item) for item in self.items)
        known = episodes.select("episode", "start", constant=constant)
        at_once = known.filter(pl.lit(needs_none) & (pl.col("constant") + at_zero >= goal))
        running = self._running(trials).join(known, on="episode")
        reached = running.filter(pl.col("has_score") & (pl.col("points") + pl.col("constant") >= goal))
        days = pl.concat([at_once.select("episode", day="start"), reached.select("episode", "day")])
        return days.group_by("episode").agg(resistant_day=pl.col("day").min())

    def _running(self, trials: pl.DataFrame) -> pl.DataFrame:
        """episode, day, points, has_score: after each day on which some trial surely counts for an item."""
        parts = [
            trials.filter(among(SURELY_FAILED, f"member_{n}", _what(item))).select(
                "episode",
                n=pl.lit(n, pl.Int32),
                day=date_of(_what(item)),
                key=pl.col(KEYS["substance"]).cast(pl.Int64),
                known=is_known("substance"),
            )
            for n, item in self._counting()
        ]
        if not parts:
            schema = {"episode": trials.schema["episode"], "day": pl.Int32, "points": pl.Int64, "has_score": pl.Boolean}
            return pl.DataFrame(schema=schema)
        rows = pl.concat(parts).sort("episode", "day", "n", "key")
        counted = rows.with_columns(
            self._running_number(n, item).alias(f"{SURELY_FAILED}_{n}") for n, item in self._counting()
        )
        points = reduce(add, [self._points(n, item, SURELY_FAILED) for n, item in self._counting()])
        totals = counted.with_columns(points=points.cast(pl.Int64), has_score=self.has_score(SURELY_FAILED))
        return totals.group_by("episode", "day").agg(pl.col("points").max(), pl.col("has_score").max())

    def _counting(self) -> list[tuple[int, Item | NumberItem]]:
        return [(n, item) for n, item in enumerate(self.items) if _counts_trials(item)]

    def _running_number(self, n: int, item: Item | NumberItem) -> pl.Expr:
        """How many trials, or different ones, have counted for an item up to the row; rows come by day."""
        mine = pl.col("n") == n
        if _distinct(item) == "none":
            return mine.cast(pl.Int64).cum_sum().over("episode")
        new = mine & pl.col("known") & pl.struct("episode", "n", "key").is_first_distinct()
        return pl.max_horizontal(
            new.cast(pl.Int64).cum_sum().over("episode"),
            (mine.cast(pl.Int64).cum_sum().over("episode") > 0).cast(pl.Int64),
        )


def halves(points: float) -> int:
    """Half points as whole numbers."""
    return int(points * 2)


def _counts_trials(item: AnyItem) -> bool:
    return isinstance(item, Item | NumberItem)


def _what(item: Item | NumberItem) -> str:
    return item.what if isinstance(item, NumberItem) else "failed"


def _distinct(item: Item | NumberItem) -> str:
    return item.distinct_by if isinstance(item, NumberItem) else "none"


def _asked(stage: str) -> str:
    """Which trials count at a stage: where only what the treatment was must be sure, the rest is left open."""
    return "treatment" if stage == SURELY_TRIED else "member"


def _needs_a_trial(item: AnyItem) -> bool:
    return isinstance(item, NumberItem) and item.is_required and item.bands[0].at_least > 0


def _at_zero(item: AnyItem) -> int:
    """The half points that no trial at all earns, which is some where the first band begins at 0."""
    first = item.bands[0] if isinstance(item, NumberItem) else None
    return halves(first.points) if first and first.at_least == 0 else 0


def _is_open(item: AnyItem, coded: Coded, codes: CodeLists) -> bool:
    """May the item have earned points that the delivery cannot show?"""
    if isinstance(item, AdmissionItem):
        return coded.admissions is None
    return _counts_trials(item) and is_blind(item.of, coded.observes, codes)


def _most(item: AnyItem) -> int:
    """The most half points the item can earn."""
    if isinstance(item, NumberItem | LengthItem):
        return max(halves(band.points) for band in item.bands)
    return halves(item.max_points if isinstance(item, Item) else item.points)


def _by_band(value: pl.Expr, bands: tuple) -> pl.Expr:
    """The half points of the highest band that the value reaches; none below the first."""
    points = pl.lit(0, pl.Int64)
    for band in bands:
        points = pl.when(value >= band.at_least).then(pl.lit(halves(band.points), pl.Int64)).otherwise(points)
    return points
