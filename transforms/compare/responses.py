"""How trials ended by their order: the states of response of the first, the second and later trials of an episode.

In: for each definition that gives verdicts the trials of its eligible episodes that count under its trial rule, with
their place among them and the state each ended in. Out: integer counts by definition, place and state that may be
added up over buckets. A state or place without a trial has a row with zero, so a row tells nothing by being there.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import NamedTuple

import numpy as np
import polars as pl

from impasse.schemas.rounded_tables import RESPONSES, TRIAL_PLACES, Responses
from impasse.schemas.tables import KEYS

_KEY = KEYS["responses"]


class EndedTrials(NamedTuple):
    """Trials of a definition: the place of each among those of its episode, from 0, and its state, as in RESPONSES."""

    definition_id: str
    place: np.ndarray
    state: np.ndarray


def place_among(counts: np.ndarray, episode: np.ndarray) -> np.ndarray:
    """The place of each trial among those of its episode that count, from 0; trials come by episode."""
    seen = np.cumsum(counts) - counts
    first = np.searchsorted(episode, episode, side="left")
    return seen - seen[first] if len(seen) else seen


def count_responses(ended: Iterable[EndedTrials]) -> pl.DataFrame:
    """A row for every definition, place and state: n of n_of trials."""
    grid = list(product(TRIAL_PLACES, RESPONSES))
    rows = []
    for definition_id, place, state in ended:
        cells = np.minimum(place, len(TRIAL_PLACES) - 1) * len(RESPONSES) + state
        found = np.bincount(cells, minlength=len(grid)).reshape(len(TRIAL_PLACES), len(RESPONSES))
        of = np.repeat(found.sum(axis=1), len(RESPONSES))
        for (trial, name), n, n_of in zip(grid, found.ravel().tolist(), of.tolist(), strict=True):
            rows.append((definition_id, trial, name, n, n_of))
    types = {"definition_id": pl.String, "trial": pl.String, "response": pl.String, "n": pl.Int64, "n_of": pl.Int64}
    return pl.DataFrame(rows, schema=types, orient="row")


def sum_responses(counts: pl.DataFrame) -> pl.DataFrame:
    """The counts of one or more buckets as one table."""
    summed = counts.group_by(_KEY).agg(pl.col("n", "n_of").sum()).sort(_KEY)
    return summed.with_columns(suppressed=pl.lit(False)).select(*Responses.to_schema().columns)
