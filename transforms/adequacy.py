"""Trials -> was each long and strong enough? True, false, or null where the supply or dose is unknown.

A drug trial needs enough days at or above the dose. Every supply counts until the next one, at its own
dose; a supply of unknown dose may or may not count, one of unknown duration may last for ever. So
the days at dose have a lower and an upper bound, and only where both agree is there an answer.
"""

from __future__ import annotations

import polars as pl

from schemas.definition import Adequacy, DrugAdequacy, SessionAdequacy
from transforms.encode import Vocabulary, lookup
from transforms.trials import Trials

_DOSE_COLUMNS = {
    "minimum_effective": "minimum_effective_mg",
    "usual_dose_lower": "usual_dose_lower_mg",
    "chlorpromazine_600": "chlorpromazine_600_mg",
}


def judge_adequacy(built: Trials, rule: Adequacy, vocabulary: Vocabulary, doses: pl.DataFrame) -> pl.DataFrame:
    """The trials in their order, with is_adequate and adequacy_reason."""
    judged = {
        "drug": _judge_drugs(built, "drug", rule.drug, vocabulary, doses),
        "augmentation": _judge_drugs(built, "augmentation", rule.augmentation, vocabulary, doses),
        "psychotherapy": _judge_sessions(built, "psychotherapy", rule.psychotherapy),
        "neuromodulation": _judge_sessions(built, "neuromodulation", rule.neuromodulation),
    }
    verdicts = pl.concat(judged.values())
    return built.trials.join(verdicts, on="trial", how="left", maintain_order="left")


def _judge_drugs(
    built: Trials, modality: str, rule: DrugAdequacy, vocabulary: Vocabulary, doses: pl.DataFrame
) -> pl.DataFrame:
    trials = built.trials.filter(pl.col("modality") == modality)
    supplies = built.supplies.join(trials.select("trial", "treatment"), on="trial")
    days = pl.col(f"{rule.duration_basis}_days")
    strong = _is_strong_enough(rule, vocabulary, doses)
    bounds = supplies.group_by("trial").agg(
        total=days.sum(),
        lower=days.filter(strong).sum(),
        unsure=days.filter(strong.is_null()).sum(),
    )
    rows = trials.join(bounds, on="trial")
    unknown = pl.col("has_unknown_supply")
    too_few = ~unknown & (pl.col("lower") + pl.col("unsure") < rule.min_days)
    long = pl.when(pl.col("lower") >= rule.min_days).then(True).when(too_few).then(False)
    share = pl.lit(rule.min_adherence_percent)
    enough = (pl.col("n_days") > 0) & (100 * pl.col("days_covered") >= share * pl.col("n_days"))
    adherent = pl.when(share == 0).then(True).when(~unknown).then(enough)
    reason = (
        pl.when(pl.col("long") & pl.col("adherent"))
        .then(pl.lit("adequate"))
        .when(~pl.col("long") & (pl.col("total") < rule.min_days))
        .then(pl.lit("too_short"))
        .when(~pl.col("long"))
        .then(pl.lit("underdosed"))
        .when(~pl.col("adherent"))
        .then(pl.lit("low_adherence"))
        .when(~unknown & pl.col("long").is_null())
        .then(pl.lit("dose_unknown"))
        .otherwise(pl.lit("duration_unknown"))
    )
    return rows.with_columns(long=long, adherent=adherent).select(
        "trial", is_adequate=pl.col("long") & pl.col("adherent"), adequacy_reason=reason
    )


def _is_strong_enough(rule: DrugAdequacy, vocabulary: Vocabulary, doses: pl.DataFrame) -> pl.Expr:
    """Of a supply: is its dose at or above the threshold? Null where dose or reference dose is unknown."""
    if rule.dose_basis == "any":
        return pl.lit(True)
    if rule.dose_basis == "ddd_ratio":
        return pl.col("dose_mddd") / 1000 >= rule.min_dose_ratio
    column = _DOSE_COLUMNS[rule.dose_basis]
    reference = vocabulary.treatments.select("treatment").join(
        doses.select(treatment="atc", mg=column), on="treatment", how="left", maintain_order="left"
    )["mg"]
    return pl.col("dose_ug") / (lookup(reference) * 1000) >= rule.min_dose_ratio


def _judge_sessions(built: Trials, modality: str, rule: SessionAdequacy) -> pl.DataFrame:
    long, often = pl.col("n_days") >= rule.min_days, pl.col("n_sessions") >= rule.min_sessions
    reason = (
        pl.when(~long)
        .then(pl.lit("too_short"))
        .when(~often)
        .then(pl.lit("too_few_sessions"))
        .otherwise(pl.lit("adequate"))
    )
    rows = built.trials.filter(pl.col("modality") == modality)
    return rows.select("trial", is_adequate=long & often, adequacy_reason=reason)
