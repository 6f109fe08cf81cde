"""Trials -> was each long and strong enough? True, false, or null where the supply or dose is unknown.

A rule is a Polars expression over a frame with one row per trial. A drug trial needs enough days at or above the
dose. Every supply counts until the next one, at its own dose; a supply of unknown dose may or may not count, one
of unknown duration may make every day of the trial, as long as that may have been, a day at the dose. So the days at
dose have a lower and an upper bound, which a compiled loop over the supplies of each trial finds, and only where both
agree is there an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, reduce
from operator import or_

import numpy as np
import polars as pl
from polars import col, lit, when

from impasse.schemas.definition import Adequacy, DrugAdequacy, SessionAdequacy
from impasse.schemas.tables import ADEQUACY_REASONS, MODALITIES
from impasse.transforms.history.eras import Eras
from impasse.transforms.history.exposures import Supplies
from impasse.transforms.history.vocabulary import Vocabulary
from impasse.transforms.kernels.sums import sums_reaching

_REASON = pl.Enum(ADEQUACY_REASONS)
_DOSE_COLUMNS = {
    "minimum_effective": "minimum_effective_mg",
    "usual_dose_lower": "usual_dose_lower_mg",
    "chlorpromazine_600": "chlorpromazine_600_mg",
    "atrq": "atrq_mg",
}

References = dict[str, np.ndarray]


def days_at_dose(eras: Eras, rules: Iterable[Adequacy], references: References) -> list[pl.DataFrame]:
    """The days at dose of each era that adequacy rules ask for; 0 for sessions."""
    of_drugs = {_days_at(drug, "days"): drug for rule in rules for drug in (rule.drug, rule.augmentation)}
    return [_days_at_dose(eras, drug, references) for drug in of_drugs.values()]


# The rules


@cache
def is_adequate(rule: Adequacy) -> pl.Expr:
    """Was the trial long and strong enough?"""
    return _by_modality(rule, _is_adequate_drug, _is_adequate_course)


@cache
def adequacy_reason(rule: Adequacy) -> pl.Expr:
    """Why the trial was adequate, why it was not, or why that cannot be told."""
    return _by_modality(rule, _reason_of_drug, _reason_of_course)


def _by_modality(rule: Adequacy, drug: Callable[..., pl.Expr], course: Callable[..., pl.Expr]) -> pl.Expr:
    """The answer by the rule of the trial's modality; modalities with equal rules are asked together."""
    modalities: dict[DrugAdequacy | SessionAdequacy, list[str]] = {}
    for modality in MODALITIES:
        modalities.setdefault(getattr(rule, modality), []).append(modality)
    chosen = pl
    for one, names in modalities.items():
        answer = drug(one) if isinstance(one, DrugAdequacy) else course(one)
        chosen = chosen.when(reduce(or_, (col("modality") == name for name in names))).then(answer)
    return chosen


def _is_adequate_drug(rule: DrugAdequacy) -> pl.Expr:
    is_long = when(_is_long(rule)).then(True).when(_is_short(rule)).then(False)
    return is_long & _is_adherent(rule) if rule.min_pdc_percent else is_long.otherwise(None)


def _reason_of_drug(rule: DrugAdequacy) -> pl.Expr:
    is_long = _is_long(rule) & _is_adherent(rule) if rule.min_pdc_percent else _is_long(rule)
    reason = (
        when(is_long).then(_reason("adequate"))
        .when(_is_short(rule) & (col(_days_at(rule, "total")) < rule.min_days)).then(_reason("too_short"))
        .when(_is_short(rule)).then(_reason("underdosed"))
    )  # fmt: skip
    if rule.min_pdc_percent:
        reason = reason.when(~_is_adherent(rule)).then(_reason("low_adherence"))
    return reason.when(col("has_unknown_supply")).then(_reason("duration_unknown")).otherwise(_reason("dose_unknown"))


def _is_long(rule: DrugAdequacy) -> pl.Expr:
    """Were there surely enough days at the dose?"""
    return col(_days_at(rule, "at_least")) >= rule.min_days


def _is_short(rule: DrugAdequacy) -> pl.Expr:
    """Were there surely too few days at the dose?"""
    return col(_days_at(rule, "at_most")) < rule.min_days


def _is_adherent(rule: DrugAdequacy) -> pl.Expr:
    """Was enough of the trial covered by supply? Null where a supply is of unknown duration."""
    is_regular = (col("n_days") > 0) & (100 * col("days_covered") >= rule.min_pdc_percent * col("n_days"))
    return when(~col("has_unknown_supply")).then(is_regular)


def _is_adequate_course(rule: SessionAdequacy) -> pl.Expr:
    return (col("n_days") >= rule.min_days) & (col("n_sessions") >= rule.min_sessions)


def _reason_of_course(rule: SessionAdequacy) -> pl.Expr:
    return (
        when(col("n_days") < rule.min_days).then(_reason("too_short"))
        .when(col("n_sessions") < rule.min_sessions).then(_reason("too_few_sessions"))
        .otherwise(_reason("adequate"))
    )  # fmt: skip


@cache
def _reason(name: str) -> pl.Expr:
    return lit(name, dtype=_REASON)


# Days at dose


def _days_at(rule: DrugAdequacy, what: str) -> str:
    """The column of the `total` days with supply, or of how many of these are `at_least` and `at_most` at the dose."""
    return f"{what} {rule.duration_basis} {rule.dose_basis} {_dose_ratio(rule)}"


def _dose_ratio(rule: DrugAdequacy) -> float:
    return 0.0 if rule.dose_basis == "any" else rule.min_dose_ratio


def _days_at_dose(eras: Eras, rule: DrugAdequacy, references: References) -> pl.DataFrame:
    """The days at dose of each era, 0 for sessions."""
    return eras.once(_days_at(rule, "days"), lambda: _count_days(eras, rule, references))


def _count_days(eras: Eras, rule: DrugAdequacy, references: References) -> pl.DataFrame:
    days = _days_of_supplies(eras, rule.duration_basis)
    dose, reference = _dose(eras.supplies, rule.dose_basis), references[rule.dose_basis]
    of_eras = (eras.drug_eras.borders, eras.row_of_drug_era, len(eras.episode))
    total, at_least, at_most, is_possible = sums_reaching(
        *of_eras, days, dose, eras.supplies.treatment, reference, _dose_ratio(rule)
    )
    longest, is_open = eras.n_days_at_most, eras.has_unknown_supply
    # What was prescribed may reach beyond the days of the trial, so it comes on top of them.
    beyond = (total, at_most) if rule.duration_basis == "prescribed" else (0, 0)
    bounds = {
        "total": np.where(is_open, longest + beyond[0], total),
        "at_least": at_least,
        "at_most": np.where(is_open, longest * is_possible + beyond[1], at_most),
    }
    return pl.DataFrame({_days_at(rule, what): days for what, days in bounds.items()})


def _days_of_supplies(eras: Eras, basis: str) -> np.ndarray:
    """The days for which each supply counts."""
    if basis == "prescribed":
        return np.maximum(eras.span_days, eras.supplies.days)
    return eras.span_days if basis == "span" else eras.covered_days


def _dose(supplies: Supplies, basis: str) -> np.ndarray:
    """The dose of each supply, in the unit of the reference; where any dose will do, each is 0 and known."""
    if basis == "any":
        return np.zeros_like(supplies.dose_mddd)
    return supplies.dose_mddd if basis == "ddd_ratio" else supplies.dose_ug


def reference_doses(vocabulary: Vocabulary, doses: pl.DataFrame) -> References:
    """For each dose basis the dose of each treatment that a supply is compared with; NaN if unknown."""
    listed = doses.select(pl.col("atc").alias("treatment"), *_DOSE_COLUMNS.values())
    treatments = vocabulary.treatments.select("treatment")
    found = treatments.join(listed, on="treatment", how="left", maintain_order="left")
    in_ug = {basis: found[column].fill_null(np.nan).to_numpy() * 1000 for basis, column in _DOSE_COLUMNS.items()}
    return {"any": np.ones(len(treatments)), "ddd_ratio": np.full(len(treatments), 1000.0), **in_ug}
