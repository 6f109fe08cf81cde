"""Symptom scores of attempts: the score that tells the outcome and the baseline it is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from impasse.schemas.definition import Outcome
from impasse.transforms.history.attempts import Attempts
from impasse.transforms.history.evidence import Signs
from impasse.transforms.kernels.compiled import compiled
from impasse.transforms.kernels.eras import LONG_AGO

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
    everyone = attempts.of("person")
    row = np.flatnonzero(scores.has_some[everyone])
    first, after = (scores.days.number_before(person, LONG_AGO) for person in (everyone[row], everyone[row] + 1))
    start, last = attempts.start[row], attempts.last_day[row].astype(np.int64)
    final, baseline = _outcome_and_baseline(first, after, scores.days.day, start, last, *given)
    told = final >= 0
    row, final, baseline = row[told], final[told], baseline[told]
    begun_at = np.where(baseline >= 0, scores.values[baseline], np.nan)
    return Measured(row, scores.days.day[final], scores.values[final], begun_at, begun_at - signs.minimum[scale])


@compiled
def _outcome_and_baseline(
    first: np.ndarray, after: np.ndarray, day: np.ndarray, start: np.ndarray, last: np.ndarray,
    from_day: int, days_after_end: int, days_before: int, days_after: int,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """The score of each attempt that tells its outcome, and its baseline; -1 if there is none.

    The outcome is told by the last score in its window. The baseline is the last until the start, else the first
    after it. The person's scores are those from `first` until before `after`, by day.
    """
    final, baseline = np.full(len(start), -1, dtype=np.int64), np.full(len(start), -1, dtype=np.int64)
    for row in range(len(start)):
        for score in range(first[row], after[row]):
            since = day[score] - start[row]
            if from_day <= since and day[score] <= last[row] + days_after_end:
                final[row] = score
            if -days_before <= since <= 0 or (0 < since <= days_after and baseline[row] < 0):
                baseline[row] = score
    return final, baseline
