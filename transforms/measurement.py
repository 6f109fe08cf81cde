"""Symptom scores of attempts: the score that tells the outcome and the baseline it is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from schemas.definition import Outcome
from transforms.attempts import Attempts
from transforms.signs import Signs

Windows = tuple[int, int, int, int]


def windows(rule: Outcome) -> Windows:
    """The settings that say when a score is an outcome or a baseline; rules with equal ones share the measuring."""
    return (rule.score_from_day, rule.score_days_after_end, rule.baseline_days_before, rule.baseline_days_after)


@dataclass(frozen=True)
class Measured:
    """The attempts with an outcome score on a scale: `row` is the attempt, `day` and `value` are the score's.

    `room` is the baseline above the scale's minimum; both are NaN without a baseline.
    """

    row: np.ndarray
    day: np.ndarray
    value: np.ndarray
    baseline: np.ndarray
    room: np.ndarray

    @property
    def fall(self) -> np.ndarray:
        """The points by which the score fell from the baseline."""
        return self.baseline - self.value


def measure(attempts: Attempts, given: Windows, scale: str, signs: Signs) -> Measured:
    """The attempts' scores on a scale within given windows, looked up once."""
    return attempts.once(("measured", given, scale), lambda: _measure(attempts, given, scale, signs))


def _measure(attempts: Attempts, given: Windows, scale: str, signs: Signs) -> Measured:
    scores = signs.scores.get(scale)
    if scores is None:
        nothing = np.empty(0)
        return Measured(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), nothing, nothing, nothing)
    minimum = signs.scales.filter(pl.col("scale") == scale)["minimum"].item()
    from_day, days_after_end, days_before, days_after = given
    everyone = attempts.of("person")
    row = np.flatnonzero(scores.has_some[everyone])
    person, start, last = everyone[row], attempts.start[row], attempts.last_day[row]
    final = scores.days.last_within(person, start + from_day, last + days_after_end)
    told = final >= 0
    row, person, start, final = row[told], person[told], start[told], final[told]
    before = scores.days.last_within(person, start - days_before, start)
    after = scores.days.first_within(person, start + 1, start + days_after)
    first = np.where(before >= 0, before, after)
    baseline = np.where(first >= 0, scores.values[first], np.nan)
    return Measured(row, scores.days.day[final], scores.values[final], baseline, baseline - minimum)
