"""Attempts -> the state each ended in: remission, insufficient or partial response, none, or one that cannot be told.

By the published rules of the scales of the episode's disorder, whatever a definition calls failure. The
first scale in the order of the list that can tell decides; a screening tool cannot prove remission.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from impasse.schemas.tables import RESPONSES
from impasse.transforms.history.attempts import Attempts
from impasse.transforms.history.evidence import Signs
from impasse.transforms.history.scores import Measured, Windows, measure

REMISSION, INSUFFICIENT, PARTIAL, NO_RESPONSE, CANNOT_TELL = range(len(RESPONSES))
NO_SCALE = -1


def judge_response(attempts: Attempts, given: Windows, signs: Signs) -> tuple[np.ndarray, np.ndarray]:
    """Of each attempt the response, as a place in RESPONSES, and the scale that told it, as a place in the list."""
    return attempts.once(("response", given), lambda: _judge(attempts, given, signs))


def _judge(attempts: Attempts, given: Windows, signs: Signs) -> tuple[np.ndarray, np.ndarray]:
    response = np.full(len(attempts.episode), CANNOT_TELL)
    told_by = np.full(len(attempts.episode), NO_SCALE)
    of_disorder = attempts.of("disorder")
    for place, scale in enumerate(signs.scales.iter_rows(named=True)):
        if scale["scale"] in signs.scores:
            found = measure(attempts, given, scale["scale"], signs)
            is_of_scale = np.array([name in scale["disorders"] for name in attempts.spans.disorders], dtype=bool)
            state = _state(found, scale)
            row, tells = found.row, (state != CANNOT_TELL) & is_of_scale[of_disorder[found.row]]
            tells &= told_by[row] == NO_SCALE
            response[row[tells]], told_by[row[tells]] = state[tells], place
    return response, told_by


def _state(found: Measured, scale: dict[str, Any]) -> np.ndarray:
    no, cannot = np.zeros(len(found.row), dtype=bool), scale["remission_max"] is None
    is_remitted = no if cannot else found.value <= scale["remission_max"]
    responded, is_known = _has_responded(found, scale)
    partial = scale["partial_fall_percent"]
    is_partial = no if partial is None else found.fall * 100 >= partial * found.room
    return np.select(
        [is_remitted, is_known & responded, is_known & is_partial, is_known],
        [
            CANNOT_TELL if scale["is_screening_tool"] else REMISSION,
            CANNOT_TELL if cannot else INSUFFICIENT,
            PARTIAL,
            NO_RESPONSE,
        ],
        default=CANNOT_TELL,
    )


def _has_responded(found: Measured, scale: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Is it a response by the scale's own rule (a fall, or the score itself), and is that known?"""
    if scale["response_fall_percent"] is not None:
        return found.fall * 100 >= scale["response_fall_percent"] * found.room, found.room > 0
    if scale["response_fall_points"] is not None:
        return found.fall >= scale["response_fall_points"], ~np.isnan(found.baseline)
    if scale["response_max"] is not None:
        return found.value <= scale["response_max"], np.ones(len(found.row), dtype=bool)
    return np.zeros((2, len(found.row)), dtype=bool)
