"""Chance-corrected agreement of any number of raters, over categories without an order.

In: `counts`, one row per subject and one column per category, holding how many raters chose it; raters may
differ from subject to subject and may be missing. `value_counts` makes it from one column per rater.
Out: a `Coefficient`; its value is null where chance agreement is already perfect (only one category was ever
used) or no subject has two ratings.

Formulas for missing ratings: Gwet KL. Handbook of Inter-Rater Reliability, 4th ed., 2014, chapters 2 to 5.
Observed agreement is over subjects with at least two ratings, category shares over all rated subjects.
Cohen's kappa comes from statsmodels, Krippendorff's alpha from krippendorff.
"""

from __future__ import annotations

from typing import NamedTuple

import krippendorff
import numpy as np
import polars as pl


class Coefficient(NamedTuple):
    """A coefficient with the observed and the chance agreement it comes from; null where undefined."""

    value: float | None
    observed: float | None
    chance: float | None


def value_counts(ratings: pl.DataFrame) -> np.ndarray:
    """Subjects by categories from one column per rater; null is a missing rating."""
    return _chosen(ratings).sum(axis=0)


def fleiss_kappa(counts: np.ndarray) -> Coefficient:
    """Fleiss' kappa (for two raters Scott's pi): chance from the shares of the categories."""
    shares = _category_shares(counts)
    return _corrected(_observed(counts), (shares**2).sum())


def ac1(counts: np.ndarray) -> Coefficient:
    """Gwet's AC1: chance from raters guessing only where a subject is hard; stable when one category is rare."""
    shares = _category_shares(counts)
    return _corrected(_observed(counts), (shares * (1 - shares)).sum() / (counts.shape[1] - 1))


def brennan_prediger(counts: np.ndarray) -> Coefficient:
    """Brennan and Prediger's coefficient (for two categories PABAK): every category equally likely by chance."""
    return _corrected(_observed(counts), 1 / counts.shape[1])


def conger_kappa(ratings: pl.DataFrame) -> Coefficient:
    """Conger's kappa (for two raters Cohen's): chance from each rater's own shares."""
    by_rater = _chosen(ratings).sum(axis=1)
    shares = by_rater / by_rater.sum(axis=1, keepdims=True)
    chance = (shares.mean(axis=0) ** 2).sum() - (shares.var(axis=0, ddof=1) / len(shares)).sum()
    return _corrected(_observed(value_counts(ratings)), chance)


def krippendorff_alpha(counts: np.ndarray) -> Coefficient:
    """Krippendorff's nominal alpha, over subjects with at least two ratings."""
    paired = counts[counts.sum(axis=1) >= 2]
    used = paired[:, paired.sum(axis=0) > 0]
    if used.shape[1] < 2:
        return Coefficient(None, None, None)
    value = float(krippendorff.alpha(value_counts=used, level_of_measurement="nominal"))
    n_ratings, per_subject = used.sum(), used.sum(axis=1, keepdims=True)
    agreement = (used * (used - 1) / (per_subject - 1)).sum() / n_ratings
    observed = float((1 - 1 / n_ratings) * agreement + 1 / n_ratings)
    return Coefficient(value, observed, float(((used.sum(axis=0) / n_ratings) ** 2).sum()))


def cohen_kappa(table: np.ndarray, *, linear: bool = False) -> Coefficient:
    """Cohen's kappa of a square table, rater one in rows; `linear` weighs by distance between ordered categories."""
    from statsmodels.stats.inter_rater import cohens_kappa  # half a second that only this needs

    n = table.sum()
    distance = np.abs(np.subtract.outer(np.arange(len(table)), np.arange(len(table)))) / (len(table) - 1)
    weights = 1 - distance if linear else np.eye(len(table))
    observed = (weights * table).sum() / n
    chance = (weights * np.outer(table.sum(axis=1), table.sum(axis=0))).sum() / n**2
    if chance == 1:
        return Coefficient(None, float(observed), 1.0)
    value = cohens_kappa(table, wt="linear" if linear else None, return_results=False)
    return Coefficient(float(value), float(observed), float(chance))


def _chosen(ratings: pl.DataFrame) -> np.ndarray:
    """Raters by subjects by categories, 1 where the rater chose the category for the subject."""
    chosen = ratings.select(pl.all().cast(pl.String)).to_numpy().T
    categories = sorted(set(chosen[chosen != None]))  # noqa: E711  an elementwise comparison
    return np.stack([chosen == category for category in categories], axis=2).astype(np.int64)


def _observed(counts: np.ndarray) -> float | None:
    per_subject = counts.sum(axis=1)
    paired, n = counts[per_subject >= 2], per_subject[per_subject >= 2]
    return float(((paired * (paired - 1)).sum(axis=1) / (n * (n - 1))).mean()) if len(paired) else None


def _category_shares(counts: np.ndarray) -> np.ndarray:
    rated = counts[counts.sum(axis=1) > 0]
    return (rated / rated.sum(axis=1, keepdims=True)).mean(axis=0) if len(rated) else np.zeros(counts.shape[1])


def _corrected(observed: float | None, chance: float) -> Coefficient:
    if observed is None or chance == 1:
        return Coefficient(None, observed, None)
    return Coefficient(float((observed - chance) / (1 - chance)), observed, float(chance))
