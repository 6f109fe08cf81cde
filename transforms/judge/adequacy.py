"""Attempts -> was each long and strong enough? True, false, or null where the supply or dose is unknown.

A drug trial needs enough days at or above the dose. Every supply counts until the next one, at its own
dose; a supply of unknown dose may or may not count, one of unknown duration may last for ever. So
the days at dose have a lower and an upper bound, and only where both agree is there an answer.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from impasse.schemas.definition import Adequacy, DrugAdequacy, SessionAdequacy
from impasse.schemas.tables import ADEQUACY_REASONS, MODALITIES
from impasse.transforms.history.attempts import Attempts
from impasse.transforms.history.encode import UNKNOWN, Vocabulary
from impasse.transforms.history.exposures import Supplies
from impasse.transforms.history.trials import Trials
from impasse.transforms.kernels.bounds import Bounds
from impasse.transforms.kernels.compiled import compiled

_ADEQUATE, TOO_SHORT, TOO_FEW_SESSIONS, UNDERDOSED, LOW_ADHERENCE, _DOSE_UNKNOWN, _DURATION_UNKNOWN = range(
    len(ADEQUACY_REASONS)
)
_DOSE_COLUMNS = {
    "minimum_effective": "minimum_effective_mg",
    "usual_dose_lower": "usual_dose_lower_mg",
    "chlorpromazine_600": "chlorpromazine_600_mg",
}


def judge_adequacy(trials: Trials, rule: Adequacy, vocabulary: Vocabulary, doses: pl.DataFrame) -> np.ndarray:
    """The reason for each trial's answer, as a place in ADEQUACY_REASONS; `is_adequate` gives the answer."""
    attempts = trials.attempts
    by_modality = {
        "drug": _judge_drugs(attempts, rule.drug, vocabulary, doses),
        "augmentation": _judge_drugs(attempts, rule.augmentation, vocabulary, doses),
        "psychotherapy": _judge_sessions(attempts, rule.psychotherapy),
        "neuromodulation": _judge_sessions(attempts, rule.neuromodulation),
    }
    return np.stack([by_modality[name] for name in MODALITIES])[trials.modality, trials.row]


def is_adequate(reason: np.ndarray) -> Bounds:
    """What each reason says."""
    return Bounds(reason == _ADEQUATE, (reason == _ADEQUATE) | (reason >= _DOSE_UNKNOWN))


def _judge_drugs(attempts: Attempts, rule: DrugAdequacy, vocabulary: Vocabulary, doses: pl.DataFrame) -> np.ndarray:
    """The reason for each attempt, if it is a drug."""
    return attempts.once(rule, lambda: _reasons_of_drugs(attempts, rule, vocabulary, doses))


def _reasons_of_drugs(
    attempts: Attempts, rule: DrugAdequacy, vocabulary: Vocabulary, doses: pl.DataFrame
) -> np.ndarray:
    key = ("days at dose", rule.duration_basis, rule.dose_basis, rule.min_dose_ratio)
    days = attempts.once(key, lambda: _days_at_dose(attempts, rule, vocabulary, doses))
    columns = (attempts.has_unknown_supply, attempts.n_days, attempts.days_covered)
    return _reasons(*days, *columns, rule.min_days, rule.min_adherence_percent)


@compiled
def _reasons(
    total: np.ndarray, at_least: np.ndarray, at_most: np.ndarray, is_unknown: np.ndarray, n_days: np.ndarray,
    covered: np.ndarray, min_days: int, percent: int,
) -> np.ndarray:  # fmt: skip
    """The reason for each attempt by its days at dose, and by how much of its time was covered by supply."""
    reason = np.empty(len(total), dtype=np.int8)
    for row in range(len(total)):
        is_long = at_least[row] >= min_days
        may_be_long = is_unknown[row] or at_most[row] >= min_days
        is_regular = n_days[row] > 0 and 100 * covered[row] >= percent * n_days[row]
        is_adherent = percent == 0 or (is_regular and not is_unknown[row])
        may_be_adherent = percent == 0 or is_regular or is_unknown[row]
        if is_long and is_adherent:
            reason[row] = _ADEQUATE
        elif not may_be_long:
            reason[row] = TOO_SHORT if total[row] < min_days else UNDERDOSED
        elif not may_be_adherent:
            reason[row] = LOW_ADHERENCE
        else:
            reason[row] = _DURATION_UNKNOWN if is_unknown[row] else _DOSE_UNKNOWN
    return reason


def _days_at_dose(
    attempts: Attempts, rule: DrugAdequacy, vocabulary: Vocabulary, doses: pl.DataFrame
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each attempt the days with supply, and of these at least and at most how many at dose; 0 for sessions."""
    days = attempts.span_days if rule.duration_basis == "span" else attempts.covered_days
    dose, reference = _doses(attempts.supplies, rule.dose_basis, vocabulary, doses)
    wanted = 0.0 if rule.dose_basis == "any" else rule.min_dose_ratio
    of_eras = (attempts.eras.borders, attempts.attempt_of_era, len(attempts.episode))
    return _days_by_dose(*of_eras, days, dose, attempts.supplies.treatment, reference, wanted)


def _doses(
    supplies: Supplies, basis: str, vocabulary: Vocabulary, doses: pl.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """The dose of each supply, and for each treatment the one it is compared with, in the same unit; NaN if unknown.

    Where any dose will do, each is 0 and known.
    """
    if basis == "any":
        return np.zeros_like(supplies.dose_mddd), np.ones(len(vocabulary.treatments))
    if basis == "ddd_ratio":
        return supplies.dose_mddd, np.full(len(vocabulary.treatments), 1000.0)
    reference = vocabulary.treatments.select("treatment").join(
        doses.select(treatment="atc", mg=_DOSE_COLUMNS[basis]), on="treatment", how="left", maintain_order="left"
    )["mg"]
    return supplies.dose_ug, reference.fill_null(np.nan).to_numpy() * 1000


@compiled
def _days_by_dose(
    borders: np.ndarray, attempt_of_era: np.ndarray, n_attempts: int, days: np.ndarray, dose: np.ndarray,
    treatment: np.ndarray, reference: np.ndarray, wanted: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Of each attempt the days of its supplies, and of these at least and at most how many at dose.

    That is at `wanted` times the reference of the treatment or more; it may be where the dose or the reference is
    unknown.
    """
    total = np.zeros(n_attempts, dtype=np.int64)
    at_least, at_most = np.zeros_like(total), np.zeros_like(total)
    for era in range(len(borders) - 1):
        attempt = attempt_of_era[era]
        for row in range(borders[era], borders[era + 1]):
            total[attempt] += days[row]
            needed = reference[treatment[row]]
            if dose[row] == UNKNOWN or np.isnan(needed):
                at_most[attempt] += days[row]
            elif dose[row] / needed >= wanted:
                at_least[attempt] += days[row]
                at_most[attempt] += days[row]
    return total, at_least, at_most


def _judge_sessions(attempts: Attempts, rule: SessionAdequacy) -> np.ndarray:
    """The reason for each attempt, if it is a course of sessions."""
    return attempts.once(rule, lambda: _reasons_of_sessions(attempts, rule))


def _reasons_of_sessions(attempts: Attempts, rule: SessionAdequacy) -> np.ndarray:
    too_short, too_few = attempts.n_days < rule.min_days, attempts.n_sessions < rule.min_sessions
    return np.where(too_short, TOO_SHORT, np.where(too_few, TOO_FEW_SESSIONS, _ADEQUATE)).astype(np.int8)
