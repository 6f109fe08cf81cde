"""Released tables whose numbers are rounded to the disclosure threshold, one definition by itself: see tables.py."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from impasse.schemas.definition import BLOCKS, DISORDERS

RESPONSES = (
    *("recovery", "remission", "insufficient", "worse", "lost", "partial", "no_response"),
    "cannot_tell",
)
ORIGINS = ("episode_start", "first_treatment")
RISK_YEARS = (1, 2, 5)


class Table(pa.DataFrameModel):
    """A table of a run: all of its columns, in their order, and no others."""

    class Config:  # noqa: D106
        strict = True
        ordered = True


TRIAL_PLACES = ("1", "2", "3", "4", "5 or later")


class Responses(Table):
    """One row per definition, trial and state of response: n of n_of trials ended so. Key: the three.

    `trial` is the place of a trial among those of its episode that count under the definition's trial rule, in its
    eligible episodes; adequacy is not asked. The states are those of judgements, by the scale that could tell; without
    scores all are cannot_tell. Both numbers are rounded to the nearest multiple of the study's disclosure threshold.
    """

    definition_id: str
    trial: str = pa.Field(isin=list(TRIAL_PLACES))
    response: str = pa.Field(isin=list(RESPONSES))
    n: pl.Int64 = pa.Field(nullable=True, ge=0)
    n_of: pl.Int64 = pa.Field(nullable=True, ge=0)
    suppressed: bool


UNDETERMINED_REASONS = (*BLOCKS, "start_not_seen", "end_not_seen")


class Undetermined(Table):
    """One row per definition and reason: n of its n_of undetermined episodes are left open by it. Key: the two.

    A block of the definition, or that the episode was not seen from its true start, or not to its end. Both numbers are
    rounded to the nearest multiple of the study's disclosure threshold.
    """

    definition_id: str
    reason: str = pa.Field(isin=list(UNDETERMINED_REASONS))
    n: pl.Int64 = pa.Field(nullable=True, ge=0)
    n_of: pl.Int64 = pa.Field(nullable=True, ge=0)
    suppressed: bool


class Risks(Table):
    """One row per definition, disorder, origin and number of years. Key: the four.

    Of n eligible episodes that were seen from their start, risk_min and risk_max are the shares that the definition
    calls resistant within `years` (of 365, 730 or 1,826 days), counted from the episode's start or from the first
    treatment that counts, if everybody were observed for so long; n_at_risk are still at risk then, neither resistant
    nor over. What cannot be told counts as not resistant in risk_min and n_at_risk, as resistant from the first day
    possible in risk_max. A risk is null where nobody was followed for so long. Numbers are rounded to the nearest
    multiple of the study's disclosure threshold, and risks to shares that such a multiple has in n.
    """

    definition_id: str
    disorder: str = pa.Field(isin=list(DISORDERS))
    origin: str = pa.Field(isin=list(ORIGINS))
    years: pl.Int64 = pa.Field(isin=list(RISK_YEARS))
    n: pl.Int64 = pa.Field(nullable=True, ge=0)
    n_at_risk: pl.Int64 = pa.Field(nullable=True, ge=0)
    risk_min: pl.Float64 = pa.Field(nullable=True, ge=0, le=1)
    risk_max: pl.Float64 = pa.Field(nullable=True, ge=0, le=1)
    suppressed: bool
