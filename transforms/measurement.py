"""Symptom scores of trials: the score that tells the outcome and the baseline it is compared with."""

from __future__ import annotations

import polars as pl

from schemas.definition import Outcome
from transforms.signs import Signs

Windows = tuple[int, int, int, int]


def windows(rule: Outcome) -> Windows:
    """The settings that say when a score is an outcome or a baseline; rules with equal ones share the measuring."""
    return (rule.score_from_day, rule.score_days_after_end, rule.baseline_days_before, rule.baseline_days_after)


class Measured:
    """The scores of one trial rule's trials within given windows; each scale is looked at once.

    `trials` has person and disorder of every trial.
    """

    def __init__(self, trials: pl.DataFrame, given: Windows, signs: Signs) -> None:
        self.trials, self.windows, self.signs = trials, given, signs
        self.scales = frozenset(signs.scores["scale"].unique())
        self._by_scale: dict[str, pl.DataFrame] = {}

    def by(self, scale: str) -> pl.DataFrame:
        """Trials with an outcome score: trial, disorder, day, value, baseline, room.

        `room` is the baseline above the scale's minimum; both are null without a baseline.
        """
        if scale not in self._by_scale:
            self._by_scale[scale] = self._measure(scale)
        return self._by_scale[scale]

    def _measure(self, scale: str) -> pl.DataFrame:
        from_day, days_after_end, days_before, days_after = self.windows
        trials = self.trials.select("trial", "person", "disorder", "start", "last_day")
        scores = self.signs.scores.filter(pl.col("scale") == scale).select("person", "day", "value").sort("day")
        trials = trials.join(scores.select("person").unique(), on="person", how="semi", maintain_order="left")
        final = _latest(trials, scores, pl.col("start") + from_day, pl.col("last_day") + days_after_end)
        told = trials.join(final.select("trial", "day", "value"), on="trial", maintain_order="left")
        before = _latest(told, scores, pl.col("start") - days_before, pl.col("start"))
        after = _earliest(told, scores, pl.col("start") + 1, pl.col("start") + days_after)
        minimum = self.signs.scales.filter(pl.col("scale") == scale)["minimum"].item()
        return (
            told.join(before.select("trial", before="value"), on="trial", how="left")
            .join(after.select("trial", after="value"), on="trial", how="left")
            .select("trial", "disorder", "day", "value", baseline=pl.coalesce("before", "after"))
            .with_columns(room=pl.col("baseline") - minimum)
        )


def _latest(trials: pl.DataFrame, scores: pl.DataFrame, opens: pl.Expr, closes: pl.Expr) -> pl.DataFrame:
    """The person's latest score in [opens, closes] of each trial that has one: trial, day, value."""
    return nearest(trials.select("trial", "person", opens=opens, at=closes), scores, "backward").filter(
        pl.col("day") >= pl.col("opens")
    )


def _earliest(trials: pl.DataFrame, scores: pl.DataFrame, opens: pl.Expr, closes: pl.Expr) -> pl.DataFrame:
    """The person's earliest score in [opens, closes] of each trial that has one: trial, day, value."""
    return nearest(trials.select("trial", "person", closes=closes, at=opens), scores, "forward").filter(
        pl.col("day") <= pl.col("closes")
    )


def nearest(trials: pl.DataFrame, rows: pl.DataFrame, strategy: str, by: tuple[str, ...] = ("person",)) -> pl.DataFrame:
    """The trials, sorted by `at`, each with the nearest of the rows by `day`, before or after."""
    return trials.sort("at", "trial").join_asof(
        rows, left_on="at", right_on="day", by=list(by), strategy=strategy, check_sortedness=False, coalesce=False
    )
