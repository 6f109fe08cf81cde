"""How soon episodes are called resistant: the risk within some years, by definition and first day.

In: for each definition that gives verdicts its eligible episodes, if they were seen from their start. Out: integer
counts by day that may be added up over buckets, and from them the risk by the estimator of Aalen and Johansen (An
empirical transition matrix for non-homogeneous Markov chains based on censored observations. Scand J Stat
1978;5:141-50).

An episode is at risk from its first day, or that of its first treatment, until it is called resistant, is over by
remission, death or because its gap and tail passed without a contact, or observation ends. What is over can become
resistant no more, and competes; the end of observation censors. Where it cannot be told if or when an episode became
resistant, two readings are given: it did not, and it did on the first day possible. They are no interval, and since
the first leaves at risk what the second does not, a few episodes may turn their order.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import NamedTuple

import numpy as np
import polars as pl

from impasse.schemas.rounded_tables import ORIGINS, RISK_YEARS, Risks
from impasse.transforms.kernels.segments import NEVER

_HORIZONS = {1: 365, 2: 730, 5: 1826}  # the last day of each number of years, counted from the first day as 0
_N_DAYS = max(_HORIZONS.values()) + 2  # the last stands for all later ones
_READINGS = ("min", "max")
_EXITS = ("resistant", "over", "censored")
_RESISTANT, _OVER, _CENSORED = range(3)
_OF = ("definition_id", "disorder", "origin", "day")
_COUNTS = tuple(f"n_{name}_{reading}" for reading in _READINGS for name in _EXITS)


class FollowedEpisodes(NamedTuple):
    """Eligible episodes of a definition that were seen from their start; days as day numbers, NEVER where none is.

    `disorder` is a place in `disorders`. `first` has for each of ORIGINS the first day, `surely` and `perhaps` the days
    on which an episode was called resistant by either reading, and `last` is the day on which it was over or, if it
    `is_censored`, observation ended.
    """

    definition_id: str
    disorders: tuple[str, ...]
    disorder: np.ndarray
    first: tuple[np.ndarray, ...]
    surely: np.ndarray
    perhaps: np.ndarray
    last: np.ndarray
    is_censored: np.ndarray


def count_risks(followed: Iterable[FollowedEpisodes]) -> pl.DataFrame:
    """How many episodes leave on which day, and how, by definition, disorder and origin; days without one are none."""
    frames = [pl.DataFrame(schema=dict.fromkeys(_OF[:3], pl.String) | dict.fromkeys(("day", *_COUNTS), pl.Int64))]
    for some in followed:
        for place, (origin, first) in product(np.unique(some.disorder), zip(ORIGINS, some.first, strict=True)):
            rows = np.flatnonzero((some.disorder == place) & (first != NEVER))
            readings = (some.surely, some.perhaps)
            left = np.concatenate([_leaving(some, label, first, rows) for label in readings])
            days = np.flatnonzero(left.any(axis=0))
            counts = {"day": days} | {name: left[n, days] for n, name in enumerate(_COUNTS)}
            key = zip(_OF, (some.definition_id, some.disorders[place], origin), strict=False)
            frames.append(pl.DataFrame(counts).select(*(pl.lit(v).alias(k) for k, v in key), *counts))
    return pl.concat(frames)


def _leaving(some: FollowedEpisodes, label: np.ndarray, first: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """For each way to leave how many episodes did on which day, counted from their first."""
    label, first, last = label[rows], first[rows], some.last[rows]
    how = np.where(label != NEVER, _RESISTANT, np.where(some.is_censored[rows], _CENSORED, _OVER))
    day = np.clip(np.minimum(label, last) - first, 0, _N_DAYS - 1)
    return np.bincount(how * _N_DAYS + day, minlength=len(_EXITS) * _N_DAYS).reshape(len(_EXITS), _N_DAYS)


def build_risks(counts: pl.DataFrame) -> pl.DataFrame:
    """The risks by definition, disorder, origin and years, from the counts of one or more buckets.

    A risk is null where nobody is left at risk, though it is not known what became of all.
    """
    summed = counts.group_by(_OF).agg(pl.col(_COUNTS).sum()).sort(_OF)
    rows = []
    for key, part in summed.group_by(_OF[:3], maintain_order=True):
        left = np.zeros((len(_COUNTS), _N_DAYS), dtype=np.int64)
        left[:, part["day"].to_numpy()] = part.select(_COUNTS).to_numpy().T
        surely, perhaps = left[: len(_EXITS)], left[len(_EXITS) :]
        risks = [aalen_johansen(*reading) for reading in (surely, perhaps)]
        at_risk = _at_risk(surely)
        for years in RISK_YEARS:
            day = _HORIZONS[years]
            rows.append((*key, years, int(surely.sum()), int(at_risk[day + 1]), *(risk[day] for risk in risks), False))
    return pl.DataFrame(rows, schema=_schema(), orient="row").with_columns(
        pl.col("risk_min", "risk_max").fill_nan(None)
    )


def aalen_johansen(n_events: np.ndarray, n_competing: np.ndarray, n_censored: np.ndarray) -> np.ndarray:
    """The share that had the event by each day, if nobody were censored; NaN from where nobody is at risk any more.

    The three say how many left on each day, one row each. Who is censored on a day was at risk on it. Once all have
    had an event or a competing one the share stays as it is.
    """
    at_risk = _at_risk(np.stack([n_events, n_competing, n_censored]))
    whole = np.maximum(at_risk, 1)
    free = np.cumprod(1 - (n_events + n_competing) / whole)
    free_before = np.concatenate([[1.0], free[:-1]])
    share = np.cumsum(free_before * n_events / whole)
    is_left = at_risk > n_events + n_competing + n_censored
    return np.where(is_left | (free == 0), share, np.nan)


def _at_risk(left: np.ndarray) -> np.ndarray:
    """How many were at risk on each day, of those that leave on it or later."""
    return left.sum(axis=0)[::-1].cumsum()[::-1]


def _schema() -> dict[str, pl.DataType]:
    return {name: spec.dtype.type for name, spec in Risks.to_schema().columns.items()}
