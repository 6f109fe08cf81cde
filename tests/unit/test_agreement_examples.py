"""Published rater tables: every coefficient of the shared examples, with its observed and chance agreement."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from impasse.transforms.compare.coefficients import (
    Coefficient,
    ac1,
    brennan_prediger,
    cohen_kappa,
    conger_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    value_counts,
)

EXAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "agreement-examples"
needs_examples = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the shared agreement examples are not here")
EXPECTED = pl.read_csv(EXAMPLES / "expected.csv").rows(named=True) if EXAMPLES.is_dir() else []

FROM_COUNTS = {
    "Fleiss' kappa": fleiss_kappa,
    "Scott's Pi": fleiss_kappa,
    "AC1": ac1,
    "Gwet's AC1": ac1,
    "Brennan-Prediger": brennan_prediger,
    "Krippendorff's Alpha": krippendorff_alpha,
}


def ratings(dataset: str) -> pl.DataFrame:
    """One row per subject, one column per rater, as text."""
    return pl.read_csv(EXAMPLES / f"{dataset}.csv", infer_schema=False)


def square(dataset: str) -> np.ndarray:
    """Rater one in rows, rater two in columns."""
    drawn = pl.read_csv(EXAMPLES / f"{dataset}.csv")
    return drawn[:, 1:].to_numpy()


def counts_of(table: np.ndarray) -> np.ndarray:
    """A square table as one row per subject: its two raters' choices."""
    ones = np.eye(len(table), dtype=np.int64)
    both = (ones[:, None, :] + ones[None, :, :]).reshape(-1, len(table))
    return np.repeat(both, table.ravel(), axis=0)


def computed(dataset: str, coefficient: str) -> Coefficient:
    """The named coefficient of the named example."""
    is_square = dataset.startswith("table_")
    if coefficient.startswith("Cohen's kappa"):
        return cohen_kappa(square(dataset), linear="linear" in coefficient)
    if coefficient == "Conger's kappa":
        return conger_kappa(ratings(dataset))
    return FROM_COUNTS[coefficient](counts_of(square(dataset)) if is_square else value_counts(ratings(dataset)))


@needs_examples
@pytest.mark.parametrize("row", EXPECTED, ids=lambda row: f"{row['dataset']}, {row['coefficient']}")
def test_every_expected_coefficient_is_reached(row):
    """The coefficient as irrCAC or R prints it."""
    assert computed(row["dataset"], row["coefficient"]).value == pytest.approx(row["value"], abs=5.1e-6)


@needs_examples
@pytest.mark.parametrize(
    "row", [r for r in EXPECTED if r["pa"] is not None], ids=lambda row: f"{row['dataset']}, {row['coefficient']}"
)
def test_every_expected_observed_agreement_is_reached(row):
    """Observed agreement, with Gwet's treatment of missing ratings."""
    assert computed(row["dataset"], row["coefficient"]).observed == pytest.approx(row["pa"], abs=5.1e-6)


@needs_examples
@pytest.mark.parametrize(
    "row", [r for r in EXPECTED if r["pe"]], ids=lambda row: f"{row['dataset']}, {row['coefficient']}"
)
def test_every_expected_chance_agreement_is_reached(row):
    """Chance agreement wherever the examples state one (a 0 there means it is not stated)."""
    assert computed(row["dataset"], row["coefficient"]).chance == pytest.approx(row["pe"], abs=5.1e-6)


def test_one_category_leaves_nothing_to_correct_for():
    """Subjects all put in one category: kappa, pi and alpha are null; AC1 and Brennan-Prediger are 1."""
    all_in_one = np.array([[3, 0], [3, 0], [2, 0]])

    assert fleiss_kappa(all_in_one).value is None
    assert krippendorff_alpha(all_in_one).value is None
    assert cohen_kappa(np.array([[5, 0], [0, 0]])).value is None
    assert (ac1(all_in_one).value, brennan_prediger(all_in_one).value) == (1, 1)


def test_subjects_rated_once_have_no_agreement():
    """Without two ratings of any subject nothing is observed, so nothing is stated."""
    rated_once = np.array([[1, 0], [0, 1]])

    assert fleiss_kappa(rated_once) == Coefficient(None, None, None)
    assert ac1(rated_once).value is None
    assert krippendorff_alpha(rated_once).value is None
