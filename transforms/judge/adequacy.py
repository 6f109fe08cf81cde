"""Trials -> was each long and strong enough? True, false, or null where the supply or dose is unknown.

A rule is a Polars expression over a frame with one row per trial. A drug trial needs enough days at or above the
dose. Every supply counts until the next one, at its own dose; a supply of unknown dose may or may not count, one
of unknown duration may make every day of the trial, as long as that may have been, a day at the dose. So the days at
dose have a lower and an upper bound, which a compiled loop over the supplies of each trial finds, and only where both
agree is there an answer.

The proportion of days covered counts days, each once. The medication possession ratio adds up the days that supplies
were handed out for, each supply whole and on the day it was dispensed, and may exceed 1. Both are of the trial's own
days, or of the first so many days of it, or of fewer if the episode or its observation ended before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache, reduce
from operator import or_

import numpy as np
import polars as pl
from polars import col, lit, when

from impasse.schemas.definition import Adequacy, DrugAdequacy, SessionAdequacy
from impasse.schemas.tables import ADEQUACY_REASONS, MODALITIES
from impasse.transforms.history.encode import UNKNOWN
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

_STILL_RUNS = col("is_ongoing") & ~col("ends_in_death")  # observation ended before the trial was seen to end

References = dict[str, np.ndarray]


def days_at_dose(
    eras: Eras, rules: Iterable[Adequacy], references: References, *, reads_days: bool
) -> Iterator[pl.DataFrame]:
    """The days at dose and the days supplied of each era that adequacy rules ask for; 0 for sessions."""
    of_drugs = list(dict.fromkeys(drug for rule in rules for drug in (rule.drug, rule.augmentation)))
    for drug in {_days_at(drug, "days"): drug for drug in of_drugs}.values():
        yield _days_at_dose(eras, drug, references)
    supplied = (frame for drug in of_drugs for frame in _supplied_days(eras, drug, reads_days=reads_days))
    yield from {tuple(frame.columns): frame for frame in supplied}.values()


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
    return is_long & _is_adherent(rule) if _asks_adherence(rule) else is_long.otherwise(None)


def _reason_of_drug(rule: DrugAdequacy) -> pl.Expr:
    is_long = _is_long(rule) & _is_adherent(rule) if _asks_adherence(rule) else _is_long(rule)
    reason = (
        when(is_long).then(_reason("adequate"))
        .when(_is_short(rule) & (col(_days_at(rule, "total")) < rule.min_days)).then(_reason("too_short"))
        .when(_is_short(rule)).then(_reason("underdosed"))
    )  # fmt: skip
    if _asks_adherence(rule):
        reason = reason.when(~_is_adherent(rule)).then(_reason("low_adherence"))
    is_open = col("may_be_longer") | ~_is_long(rule) & (col(_days_at(rule, "at_most")) < rule.min_days)
    if _asks_adherence(rule):
        is_open |= _runs_on(rule)
    return reason.when(is_open).then(_reason("duration_unknown")).otherwise(_reason("dose_unknown"))


def _is_long(rule: DrugAdequacy) -> pl.Expr:
    """Were there surely enough days at the dose?"""
    return col(_days_at(rule, "at_least")) >= rule.min_days


def _is_short(rule: DrugAdequacy) -> pl.Expr:
    """Were there surely too few days at the dose? More may come of a trial that may still run."""
    return (col(_days_at(rule, "at_most")) < rule.min_days) & ~col("may_still_run")


def _is_adequate_course(rule: SessionAdequacy) -> pl.Expr:
    return when(_is_long_course(rule)).then(True).when(~_STILL_RUNS).then(False)


def _is_long_course(rule: SessionAdequacy) -> pl.Expr:
    return (col("n_days") >= rule.min_days) & (col("n_sessions") >= rule.min_sessions)


def _reason_of_course(rule: SessionAdequacy) -> pl.Expr:
    return (
        when(_is_long_course(rule)).then(_reason("adequate"))
        .when(_STILL_RUNS).then(_reason("duration_unknown"))
        .when(col("n_days") < rule.min_days).then(_reason("too_short"))
        .otherwise(_reason("too_few_sessions"))
    )  # fmt: skip


@cache
def _reason(name: str) -> pl.Expr:
    return lit(name, dtype=_REASON)


# Days supplied


def _asks_adherence(rule: DrugAdequacy) -> bool:
    """Does the rule ask for a proportion of days covered, or a medication possession ratio?"""
    return rule.min_pdc_percent > 0 or rule.min_mpr_percent > 0


def _is_adherent(rule: DrugAdequacy) -> pl.Expr:
    """Was the supply enough by all that the rule asks for? Null where a supply is of unknown duration.

    So it is of a trial that still runs, for more may come of it, unless the days asked about were over.
    """
    window = rule.adherence_window_days
    days, is_unknown = (_days(window), _unknown(window)) if window else ("n_days", "may_be_longer")
    covered = _covered(window) if window else "days_covered"
    asked = [(covered, rule.min_pdc_percent), (_handed_out(window), rule.min_mpr_percent)]
    enough = [100 * col(supplied) >= percent * col(days) for supplied, percent in asked if percent]
    return when(~col(is_unknown) & ~_runs_on(rule)).then(pl.all_horizontal(col(days) > 0, *enough))


def _runs_on(rule: DrugAdequacy) -> pl.Expr:
    """May more supply come within the days that adherence is asked of, or more of these days with the episode?"""
    window = rule.adherence_window_days
    return (_STILL_RUNS | col("is_censored")) & ~col(_has_passed(window)) if window else _STILL_RUNS


def _supplied_days(eras: Eras, rule: DrugAdequacy, *, reads_days: bool) -> Iterator[pl.DataFrame]:
    """What `_is_adherent` asks for of each era beside its facts; 0 for sessions.

    Where days of supply are not read, a supply hands out the days for which it is in use.
    """
    window = rule.adherence_window_days
    if _asks_adherence(rule) and (window or rule.min_mpr_percent):
        yield eras.once(("supplied", window, reads_days), lambda: _supplied(eras, window, reads_days))


def _days(window: int) -> str:
    return f"days of the first {window}"


def _unknown(window: int) -> str:
    return f"unknown supply in the first {window}"


def _has_passed(window: int) -> str:
    return f"the first {window} days have passed"


def _covered(window: int) -> str:
    return f"days covered of the first {window}"


def _handed_out(window: int) -> str:
    return f"days handed out in the first {window}" if window else "days handed out"


def _supplied(eras: Eras, window: int, reads_days: bool) -> pl.DataFrame:
    era = eras.row_of_drug_era[eras.drug_eras.of]
    until = np.minimum(eras.of("end"), eras.of("observed_until")) + 1
    days = np.minimum(window, until - eras.start) if window else eras.n_days
    seen_until = np.where(eras.of("is_censored"), eras.of("end"), eras.of("observed_until"))

    def total(weight: np.ndarray) -> np.ndarray:
        return np.bincount(era, weight, minlength=len(eras.episode)).astype(np.int64)

    is_inside = (eras.supplies.day - eras.start[era] < days[era]) if window else np.ones(len(era), dtype=bool)
    handed_out = total(np.where(is_inside, _handed_out_days(eras, reads_days), 0))
    if not window:
        return pl.DataFrame({_handed_out(window): handed_out})
    begins = np.cumsum(eras.span_days) - eras.span_days
    begins = begins - begins[eras.drug_eras.first][eras.drug_eras.of]
    is_unknown = is_inside & (eras.supplies.days == UNKNOWN) & eras.has_unknown_supply[era]
    return pl.DataFrame(
        {
            _handed_out(window): handed_out,
            _covered(window): total(np.clip(days[era] - begins, 0, eras.covered_days)),
            _unknown(window): total(is_unknown) > 0,
            _days(window): days,
            _has_passed(window): eras.start + window - 1 <= seen_until,
        }
    )


def _handed_out_days(eras: Eras, reads_days: bool) -> np.ndarray:
    """The days each supply was handed out for; one that lasts until the next drug starts, for all of these."""
    if not reads_days:
        return eras.covered_days
    known, rows, day = np.maximum(eras.supplies.days, 0), eras.drug_eras, eras.supplies.day
    last = rows.first + rows.lengths - 1
    may_last = last[day[last] == day[rows.first]]
    known[may_last] = np.maximum(known[may_last], eras.covered_days[may_last])
    return known


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
    longest, is_open = eras.n_days_at_most, eras.may_be_longer
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
