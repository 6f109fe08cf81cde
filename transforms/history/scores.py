"""Symptom scores of eras: the score that tells the outcome and the baseline it is compared with."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle
from typing import NamedTuple

import numpy as np
import polars as pl

from impasse.schemas.definition import Outcome
from impasse.transforms.history.eras import Eras
from impasse.transforms.history.evidence import Signs
from impasse.transforms.kernels.compiled import compiled
from impasse.transforms.kernels.days import LONG_AGO

Windows = tuple[int, int, int, int]
_KINDS = {"value": pl.Float64, "baseline": pl.Float64, "room": pl.Float64, "day": pl.Int32}


def windows(rule: Outcome) -> Windows:
    """The settings that say when a score is an outcome or a baseline; rules with equal ones share the measuring."""
    return (rule.score_from_day, rule.score_days_after_end, rule.baseline_days_before, rule.baseline_days_after)


def score(given: Windows, scale: str, what: str) -> pl.Expr:
    """A column of what is measured: the `value` and the `day` of the outcome score on a scale, and the `baseline`.

    `room` is the baseline above the scale's minimum. All are null without an outcome score, the baseline and the room
    also without a baseline.
    """
    return pl.col(f"{what} {scale} {given}")


class Measured(NamedTuple):
    """Scores in columns named as by `score` beside the episode's `disorder`, a row for each era that has any.

    The last row is that of all eras without a score. `place` is the row of each era.
    """

    scores: pl.LazyFrame
    place: np.ndarray


def measure(eras: Eras, given: Windows, scales: Iterable[str], signs: Signs) -> Measured:
    """The scores of eras on some scales within given windows."""
    told = {scale: _look_up_once(eras, given, scale, signs) for scale in scales}
    has_some = np.zeros(len(eras.episode), dtype=bool)
    for found in told.values():
        has_some[found.row] = True
    rows = np.flatnonzero(has_some)
    place = np.full(len(has_some), len(rows))
    place[rows] = np.arange(len(rows))
    columns = {
        score(given, scale, what).meta.output_name(): _spread(column, place[found.row], len(rows) + 1)
        for scale, found in told.items()
        for what, column in zip(_KINDS, found[1:], strict=True)
    }
    kinds = zip(columns, cycle(_KINDS.values()), strict=False)
    disorder = np.append(eras.of("disorder")[rows], 0).astype(np.uint8)
    frame = pl.LazyFrame({"disorder": disorder} | columns).select(
        pl.col("disorder").cat.to(pl.Enum(eras.spans.disorders)),
        *(pl.col(name).fill_nan(None).cast(kind) for name, kind in kinds),
    )
    return Measured(frame, place)


class _Told(NamedTuple):
    """The eras with an outcome score on a scale: `row` is the era. Without a baseline it is NaN."""

    row: np.ndarray
    value: np.ndarray
    baseline: np.ndarray
    room: np.ndarray
    day: np.ndarray


def _spread(values: np.ndarray, rows: np.ndarray, n: int) -> np.ndarray:
    """A column of `n` rows with values in some of them, NaN in the others."""
    column = np.full(n, np.nan)
    column[rows] = values
    return column


def _look_up_once(eras: Eras, given: Windows, scale: str, signs: Signs) -> _Told:
    """The eras' scores on a scale within given windows, looked up once."""
    return eras.once(("measured", given, scale), lambda: _look_up(eras, given, scale, signs))


def _look_up(eras: Eras, given: Windows, scale: str, signs: Signs) -> _Told:
    scores = signs.scores.get(scale)
    if scores is None:
        nothing = np.empty(0)
        return _Told(np.empty(0, dtype=np.int64), nothing, nothing, nothing, nothing)
    everyone = eras.of("person")
    row = np.flatnonzero(scores.has_some[everyone])
    first, after = (scores.days.number_before(person, LONG_AGO) for person in (everyone[row], everyone[row] + 1))
    start, last = eras.start[row], eras.last_day[row].astype(np.int64)
    final, baseline = _outcome_and_baseline(first, after, scores.days.day, start, last, *given)
    told = final >= 0
    row, final, baseline = row[told], final[told], baseline[told]
    begun_at = np.where(baseline >= 0, scores.values[baseline], np.nan)
    return _Told(row, scores.values[final], begun_at, begun_at - signs.minimum[scale], scores.days.day[final])


@compiled
def _outcome_and_baseline(
    first: np.ndarray, after: np.ndarray, day: np.ndarray, start: np.ndarray, last: np.ndarray,
    from_day: int, days_after_end: int, days_before: int, days_after: int,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """The score of each era that tells its outcome, and its baseline; -1 if there is none.

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
