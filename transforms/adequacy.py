"""Attempts -> was each long and strong enough? True, false, or null where the supply or dose is unknown.

A drug trial needs enough days at or above the dose. Every supply counts until the next one, at its own
dose; a supply of unknown dose may or may not count, one of unknown duration may last for ever. So
the days at dose have a lower and an upper bound, and only where both agree is there an answer.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from schemas.definition import Adequacy, DrugAdequacy, SessionAdequacy
from schemas.tables import ADEQUACY_REASONS, MODALITIES
from transforms.attempts import Attempts
from transforms.bounds import Bounds
from transforms.encode import UNKNOWN, Vocabulary
from transforms.trials import Trials

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
    return np.choose(trials.modality, [by_modality[name][trials.row] for name in MODALITIES])


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
    total, lower, upper = attempts.once(key, lambda: _days_at_dose(attempts, rule, vocabulary, doses))
    unknown = attempts.has_unknown_supply
    long = Bounds(lower >= rule.min_days, unknown | (upper >= rule.min_days))
    adherent = _is_adherent(attempts, rule.min_adherence_percent)
    return np.select(
        [
            long.sure & adherent.sure,
            ~long.possible & (total < rule.min_days),
            ~long.possible,
            ~adherent.possible,
            ~unknown & ~long.is_known,
        ],
        [_ADEQUATE, TOO_SHORT, UNDERDOSED, LOW_ADHERENCE, _DOSE_UNKNOWN],
        default=_DURATION_UNKNOWN,
    ).astype(np.int8)


def _days_at_dose(
    attempts: Attempts, rule: DrugAdequacy, vocabulary: Vocabulary, doses: pl.DataFrame
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each attempt the days with supply, and of these at least and at most how many at dose; 0 for sessions."""
    days = attempts.span_days if rule.duration_basis == "span" else attempts.covered_days
    strong = _is_strong_enough(attempts, rule, vocabulary, doses)
    of_eras = [attempts.eras.sum(part) for part in (days, days * strong.sure, days * strong.possible)]
    return tuple(_placed(part, attempts) for part in of_eras)


def _placed(of_eras: np.ndarray, attempts: Attempts) -> np.ndarray:
    column = np.zeros(len(attempts.episode), dtype=of_eras.dtype)
    column[attempts.attempt_of_era] = of_eras
    return column


def _is_strong_enough(attempts: Attempts, rule: DrugAdequacy, vocabulary: Vocabulary, doses: pl.DataFrame) -> Bounds:
    """Of each supply: is its dose at or above the threshold? Unknown where dose or reference dose is."""
    supplies = attempts.supplies
    if rule.dose_basis == "any":
        return Bounds.known(np.ones(len(supplies.day), dtype=bool))
    if rule.dose_basis == "ddd_ratio":
        return _at_least(supplies.dose_mddd / 1000, rule.min_dose_ratio, supplies.dose_mddd != UNKNOWN)
    column = _DOSE_COLUMNS[rule.dose_basis]
    reference = vocabulary.treatments.select("treatment").join(
        doses.select(treatment="atc", mg=column), on="treatment", how="left", maintain_order="left"
    )["mg"]
    mg = reference.fill_null(np.nan).to_numpy()[supplies.treatment]
    is_known = (supplies.dose_ug != UNKNOWN) & ~np.isnan(mg)
    return _at_least(supplies.dose_ug / (mg * 1000), rule.min_dose_ratio, is_known)


def _at_least(ratio: np.ndarray, wanted: float, is_known: np.ndarray) -> Bounds:
    enough = ratio >= wanted
    return Bounds(is_known & enough, ~is_known | enough)


def _is_adherent(attempts: Attempts, percent: int) -> Bounds:
    """Was so much of the time covered by supply? Unknown where some supply's days are."""
    if percent == 0:
        return Bounds.known(np.ones(len(attempts.episode), dtype=bool))
    enough = (attempts.n_days > 0) & (100 * attempts.days_covered >= percent * attempts.n_days)
    return Bounds(~attempts.has_unknown_supply & enough, attempts.has_unknown_supply | enough)


def _judge_sessions(attempts: Attempts, rule: SessionAdequacy) -> np.ndarray:
    """The reason for each attempt, if it is a course of sessions."""
    return attempts.once(rule, lambda: _reasons_of_sessions(attempts, rule))


def _reasons_of_sessions(attempts: Attempts, rule: SessionAdequacy) -> np.ndarray:
    too_short, too_few = attempts.n_days < rule.min_days, attempts.n_sessions < rule.min_sessions
    return np.where(too_short, TOO_SHORT, np.where(too_few, TOO_FEW_SESSIONS, _ADEQUATE)).astype(np.int8)
