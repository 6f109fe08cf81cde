"""Every table a run makes: grain, key, units, allowed values. Each docstring starts with the grain.

`restricted` tables hold persons and never leave the institution; `release` tables have passed
disclosure control.
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from impasse.schemas.definition import DECIDERS, DISORDERS, MODALITIES
from impasse.schemas.rounded_tables import RESPONSES, Responses, Risks, Table, Undetermined
from impasse.schemas.values import PSEUDO_RESISTANCE, VERDICTS

ROLES = ("first", "switch", "resumed", "augmentation", "combination")
END_REASONS = ("remission", "death", "coverage", "period", "tail")
AFTERWARDS = ("remitted", "ended", "died", "continued")
DENOMINATORS = ("episodes", "eligible", "treated", "adequately_treated", "persons")
STRATA = ("all", "disorder", "sex", "age", "year")
ADEQUACY_REASONS = (
    "adequate",
    "too_short",
    "too_few_sessions",
    "underdosed",
    "low_adherence",
    "dose_unknown",
    "duration_unknown",
)


class Episodes(Table):
    """One row per illness episode. Key: episode_id.

    is_observed: its start lies within the time the registry observes the person; null where no table tells.
    shares_treatment_with: the disorders in whose episodes something counts too that was given in this one, as words.
    """

    episode_id: pl.Categorical = pa.Field(unique=True)
    person_id: pl.Categorical
    disorder: pl.Categorical = pa.Field(isin=list(DISORDERS))
    number: pl.UInt32 = pa.Field(ge=1)
    start_date: pl.Date
    end_date: pl.Date
    end_reason: pl.Enum = pa.Field(dtype_kwargs={"categories": END_REASONS})
    observed_until: pl.Date
    is_observed: bool = pa.Field(nullable=True)
    observed_days_before: pl.Int32 = pa.Field(nullable=True, ge=0)
    treated_from: pl.Date
    is_left_truncated: bool = pa.Field(nullable=True)
    is_censored: bool
    n_contacts: pl.UInt32 = pa.Field(ge=1)
    shares_treatment_with: pl.Categorical
    sex: str
    age: pl.Int32 = pa.Field(nullable=True)

    @pa.dataframe_check
    def ends_after_start(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("end_date") >= pl.col("start_date"))


class Trials(Table):
    """One row per trial and trial rule. Key: trial_rule, episode_id, number. Doses in mg a day, adherence a share.

    Trials are numbered from 1 within their episode under their rule. `is_counted` is null where a trial counts unless
    it was added to another, which is not known.
    """

    episode_id: pl.Categorical
    person_id: pl.Categorical
    trial_rule: pl.Categorical
    number: pl.UInt32 = pa.Field(ge=1)
    treatment: pl.Categorical
    treatment_class: pl.Categorical = pa.Field(nullable=True)
    modality: pl.Enum = pa.Field(dtype_kwargs={"categories": MODALITIES})
    role: pl.Enum = pa.Field(dtype_kwargs={"categories": ROLES})
    is_counted: bool = pa.Field(nullable=True)
    start_date: pl.Date
    end_date: pl.Date
    n_days: pl.Int32 = pa.Field(ge=0)
    days_covered: pl.Int32 = pa.Field(ge=0)
    n_sessions: pl.Int32 = pa.Field(nullable=True, ge=1)
    n_add_ons: pl.Int32 = pa.Field(ge=0)
    has_unknown_supply: bool
    is_ongoing: bool
    supply_basis: pl.Categorical = pa.Field(nullable=True)
    dose_mg: pl.Float64 = pa.Field(nullable=True, gt=0)
    adherence: pl.Float64 = pa.Field(nullable=True, ge=0, le=1)


class Judgements(Table):
    """One row per trial and judging rule, which is an adequacy block with an outcome block. Key: those of both.

    Shared by every definition with the same trial, adequacy and outcome blocks. `response` is the state the
    trial ended in by the published rules of the scale that could tell, whatever the definition calls failure.
    The severities are bands (scales.csv) of the baseline and of the outcome score, on the first of the disorder's
    scales that has bands and an outcome score; "below" is under the lowest band.
    """

    episode_id: pl.Categorical
    trial_rule: pl.Categorical
    number: pl.UInt32 = pa.Field(ge=1)
    judging_rule: pl.Categorical
    is_adequate: bool = pa.Field(nullable=True)
    adequacy_reason: pl.Enum = pa.Field(dtype_kwargs={"categories": ADEQUACY_REASONS})
    has_failed: bool = pa.Field(nullable=True)
    outcome_evidence: pl.Categorical
    failure_date: pl.Date = pa.Field(nullable=True)
    response: pl.Enum = pa.Field(dtype_kwargs={"categories": RESPONSES})
    response_scale: pl.Categorical = pa.Field(nullable=True)
    baseline_severity: pl.Categorical = pa.Field(nullable=True)
    outcome_severity: pl.Categorical = pa.Field(nullable=True)
    severity_scale: pl.Categorical = pa.Field(nullable=True)


class Classifications(Table):
    """One row per episode and definition that gives verdicts, every pair exactly once. Key: definition_id, episode_id.

    resistant_date is never before the episode's start, also where what makes it resistant came in the lead.
    n_failed_max is null where a counted treatment is not observed (no upper bound). `causes` are the words of
    schemas/codelists/causes.csv that the person was diagnosed with, and inadequate_dose, short_duration and
    poor_adherence of the definition's trials; pseudo-resistance is what the file says that a diagnosis makes it
    (likely, or possible for a second disorder near the episode's start), and possible with causes of the trials alone.
    """

    episode_id: pl.Categorical
    definition_id: pl.Categorical
    verdict: pl.Enum = pa.Field(dtype_kwargs={"categories": VERDICTS})
    resistant_date: pl.Date = pa.Field(nullable=True)
    decided_by: pl.Enum = pa.Field(dtype_kwargs={"categories": DECIDERS})
    n_trials: pl.Int32 = pa.Field(ge=0)
    n_adequate: pl.Int32 = pa.Field(ge=0)
    n_failed_min: pl.Int32 = pa.Field(ge=0)
    n_failed_max: pl.Int32 = pa.Field(nullable=True, ge=0)
    score_min: pl.Float64 = pa.Field(nullable=True, ge=0)
    score_max: pl.Float64 = pa.Field(nullable=True, ge=0)
    pseudo_resistance: pl.Enum = pa.Field(dtype_kwargs={"categories": PSEUDO_RESISTANCE})
    causes: pl.Categorical

    @pa.dataframe_check
    def dated_when_resistant(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select((pl.col("verdict") == "resistant") == pl.col("resistant_date").is_not_null())


class Stages(Table):
    """One row per episode and staging system, every pair exactly once. Key: definition_id, episode_id.

    Bounds of the score, or of the stage by its name ("none" under the lowest). All null unless is_eligible; a
    score is null where the system has none. is_outside_band: the failed trials lasted shorter or longer in all
    than the source says of the stage; null where it does not say.
    """

    episode_id: pl.Categorical
    definition_id: pl.Categorical
    is_eligible: bool = pa.Field(nullable=True)
    score_min: pl.Float64 = pa.Field(nullable=True, ge=0)
    score_max: pl.Float64 = pa.Field(nullable=True, ge=0)
    level_min: pl.Categorical = pa.Field(nullable=True)
    level_max: pl.Categorical = pa.Field(nullable=True)
    is_outside_band: bool = pa.Field(nullable=True)


class Impasses(Table):
    """One row per episode that some definition calls resistant. Key: episode_id.

    `untried` are the options of schemas/codelists/options.csv, first and later line, of which the person had
    nothing until the episode's end; `unobserved` those of which the delivery cannot tell. Words in file order.
    """

    episode_id: pl.Categorical = pa.Field(unique=True)
    afterwards: pl.Enum = pa.Field(dtype_kwargs={"categories": AFTERWARDS})
    untried: str
    unobserved: str


class Prevalence(Table):
    """One row per definition, denominator, stratum and level. Shares from 0 to 1; interval: Wilson, 95%.

    prevalence = n_resistant / (n_total - n_undetermined), null where all decided episodes got the same
    verdict and the undetermined leave more room than chance does, and by calendar year; bound_low counts every
    undetermined episode as not resistant, bound_high as resistant. A suppressed row holds nulls, never zeros.
    """

    definition_id: str
    denominator_id: str = pa.Field(isin=list(DENOMINATORS))
    stratum: str = pa.Field(isin=list(STRATA))
    level: str
    n_total: pl.Int64 = pa.Field(nullable=True, ge=0)
    n_resistant: pl.Int64 = pa.Field(nullable=True, ge=0)
    n_undetermined: pl.Int64 = pa.Field(nullable=True, ge=0)
    prevalence: pl.Float64 = pa.Field(nullable=True, ge=0, le=1)
    ci_low: pl.Float64 = pa.Field(nullable=True, ge=0, le=1)
    ci_high: pl.Float64 = pa.Field(nullable=True, ge=0, le=1)
    bound_low: pl.Float64 = pa.Field(nullable=True, ge=0, le=1)
    bound_high: pl.Float64 = pa.Field(nullable=True, ge=0, le=1)
    suppressed: bool


class Agreement(Table):
    """One row per unordered pair of definitions of the same disorder, on episodes both speak about.

    The 2x2 counts hold episodes both definitions decide; n_undetermined those either leaves open.
    difference = prevalence of a minus prevalence of b on the decided episodes.
    """

    definition_a: str
    definition_b: str
    disorder: str
    n_common: pl.Int64 = pa.Field(nullable=True, ge=0)
    n_undetermined: pl.Int64 = pa.Field(nullable=True, ge=0)
    n_both_resistant: pl.Int64 = pa.Field(nullable=True, ge=0)
    n_only_a: pl.Int64 = pa.Field(nullable=True, ge=0)
    n_only_b: pl.Int64 = pa.Field(nullable=True, ge=0)
    n_neither: pl.Int64 = pa.Field(nullable=True, ge=0)
    difference: pl.Float64 = pa.Field(nullable=True, ge=-1, le=1)
    difference_ci_low: pl.Float64 = pa.Field(nullable=True)
    difference_ci_high: pl.Float64 = pa.Field(nullable=True)
    kappa: pl.Float64 = pa.Field(nullable=True)
    ac1: pl.Float64 = pa.Field(nullable=True)
    pabak: pl.Float64 = pa.Field(nullable=True)
    jaccard: pl.Float64 = pa.Field(nullable=True)
    positive_agreement: pl.Float64 = pa.Field(nullable=True)
    negative_agreement: pl.Float64 = pa.Field(nullable=True)
    suppressed: bool


class AgreementOverall(Table):
    """One row per disorder: agreement of all its definitions at once.

    Fleiss' kappa over the episodes that every definition decides, Krippendorff's alpha over those that at
    least two decide (n_compared).
    """

    disorder: str = pa.Field(unique=True)
    n_definitions: pl.Int64
    n_episodes: pl.Int64 = pa.Field(nullable=True)
    n_compared: pl.Int64 = pa.Field(nullable=True)
    n_decided_by_all: pl.Int64 = pa.Field(nullable=True)
    fleiss_kappa: pl.Float64 = pa.Field(nullable=True)
    krippendorff_alpha: pl.Float64 = pa.Field(nullable=True)
    suppressed: bool


ATTRITION_STEPS = (
    "episodes",
    "eligible",
    "treated",
    "adequately_treated",
    "failed_a_trial",
    "resistant_possible",
    "resistant",
)


class Attrition(Table):
    """One row per definition and step: how many episodes are left after it, and how many it lost.

    A definition that asks only that treatments were given has no step of adequate or failed trials.
    """

    definition_id: str
    step_number: pl.Int64
    step: str = pa.Field(isin=list(ATTRITION_STEPS))
    n_left: pl.Int64 = pa.Field(nullable=True, ge=0)
    n_lost: pl.Int64 = pa.Field(nullable=True, ge=0)
    suppressed: bool


NO_SCORE = "no score"
OPEN_LEVEL = "open"
CAUSES_OF_TRIALS = ("inadequate_dose", "short_duration", "poor_adherence")
CHARACTERISTICS = (
    "pseudo_resistance",
    "cause",
    "afterwards",
    "shared_treatment",
    "untried",
    "unobserved",
    "stage",
    "outside_band",
)


class Profile(Table):
    """One row per definition, characteristic and level: n of n_of episodes have it. Key: the three.

    Of a definition that gives verdicts these are its resistant episodes, of a staging system those it speaks about.
    Both numbers are rounded to the nearest multiple of the study's disclosure threshold, so levels need not add up
    and nothing is to be divided to the last digit. `open` is a stage or score whose bounds differ.
    """

    definition_id: str
    characteristic: str = pa.Field(isin=list(CHARACTERISTICS))
    level: str
    n: pl.Int64 = pa.Field(nullable=True, ge=0)
    n_of: pl.Int64 = pa.Field(nullable=True, ge=0)
    suppressed: bool


class Reconciliation(Table):
    """One row per table: delivered = accepted + quarantined, always."""

    table: str = pa.Field(unique=True)
    is_present: bool
    n_delivered: pl.Int64
    n_accepted: pl.Int64
    n_quarantined: pl.Int64

    @pa.dataframe_check
    def nothing_is_lost(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("n_delivered") == pl.col("n_accepted") + pl.col("n_quarantined"))


RESTRICTED: dict[str, type[pa.DataFrameModel]] = {
    "episodes": Episodes,
    "trials": Trials,
    "judgements": Judgements,
    "classifications": Classifications,
    "stages": Stages,
    "impasses": Impasses,
}
RELEASE: dict[str, type[pa.DataFrameModel]] = {
    "prevalence": Prevalence,
    "agreement": Agreement,
    "agreement_overall": AgreementOverall,
    "attrition": Attrition,
    "profile": Profile,
    "responses": Responses,
    "undetermined": Undetermined,
    "risks": Risks,
    "reconciliation": Reconciliation,
}
KEYS: dict[str, tuple[str, ...]] = {
    "episodes": ("person_id", "disorder", "number"),
    "trials": ("trial_rule", "episode_id", "number"),
    "judgements": ("trial_rule", "judging_rule", "episode_id", "number"),
    "classifications": ("definition_id", "episode_id"),
    "stages": ("definition_id", "episode_id"),
    "impasses": ("episode_id",),
    "prevalence": ("definition_id", "denominator_id", "stratum", "level"),
    "agreement": ("disorder", "definition_a", "definition_b"),
    "agreement_overall": ("disorder",),
    "attrition": ("definition_id", "step_number"),
    "profile": ("definition_id", "characteristic", "level"),
    "responses": ("definition_id", "trial", "response"),
    "undetermined": ("definition_id", "reason"),
    "risks": ("definition_id", "disorder", "origin", "years"),
    "reconciliation": ("table",),
}
