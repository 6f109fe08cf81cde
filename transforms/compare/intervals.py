"""Shares and their 95% intervals, null wherever they are undefined.

In: integer counts. Out: floats, or null; never NaN and never a zero that means "nothing to divide by".

* `share` is the one division every published rate goes through.
* `wilson`: one proportion. Wilson EB. Probable inference, the law of succession, and statistical
  inference. J Am Stat Assoc 1927;22:209-12. It keeps its coverage where the count is small or zero.
* `newcombe`: difference of two proportions of the same episodes, method 10 of Newcombe RG. Improved
  confidence intervals for the difference between binomial proportions based on paired data.
  Stat Med 1998;17:2635-50. Closed form, built from the same Wilson limits, never outside [-1, 1];
  Wald's interval collapses to a point when two definitions never differ.
"""

from __future__ import annotations

import numpy as np
import polars as pl


def share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """`part / whole`, null where there is no whole."""
    return pl.when(whole != 0).then(part / whole)


def wilson(n_yes: pl.Series, n_all: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Lower and upper limit of each proportion `n_yes / n_all`; null where `n_all` is 0."""
    low, high = _wilson(n_yes.to_numpy(), n_all.to_numpy())
    return _or_null(low, n_all), _or_null(high, n_all)


def newcombe(both: pl.Series, only_a: pl.Series, only_b: pl.Series, neither: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Lower and upper limit of each difference (both + only_a)/n - (both + only_b)/n; null where n is 0."""
    n_all = both + only_a + only_b + neither
    n = np.maximum(n_all.to_numpy(), 1)
    a, b = (both + only_a).to_numpy(), (both + only_b).to_numpy()
    (low_a, high_a), (low_b, high_b) = _wilson(a, n), _wilson(b, n)
    phi = _correlation(a, b, both.to_numpy(), n)
    below = _root(a / n - low_a, high_b - b / n, phi)
    above = _root(high_a - a / n, b / n - low_b, phi)
    difference = (a - b) / n
    return _or_null(difference - below, n_all), _or_null(difference + above, n_all)


def _wilson(n_yes: np.ndarray, n_all: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from statsmodels.stats.proportion import proportion_confint  # half a second that only this needs

    low, high = proportion_confint(n_yes, np.maximum(n_all, 1), method="wilson")
    return np.where(n_yes == 0, 0.0, low), np.where(n_yes == n_all, 1.0, high)


def _correlation(a: np.ndarray, b: np.ndarray, both: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Newcombe's phi: a positive association is drawn towards none by n/2, a negative one stays."""
    excess = both * n - a * b
    numerator = np.where(excess > 0, np.maximum(excess - n / 2, 0), excess)
    spread = np.sqrt(1.0 * a * (n - a)) * np.sqrt(1.0 * b * (n - b))
    return np.divide(numerator, spread, out=np.zeros(len(n)), where=spread > 0)


def _root(x: np.ndarray, y: np.ndarray, phi: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(x * x - 2 * phi * x * y + y * y, 0))


def _or_null(limit: np.ndarray, n_all: pl.Series) -> pl.Series:
    return pl.select(pl.when(n_all > 0).then(pl.Series(limit, dtype=pl.Float64))).to_series()
