"""How ill the person was when a trial began and when it ended, in bands of the scale that was measured."""

from __future__ import annotations

from impasse.schemas.definition import Definition
from tests.reference.basics import Row, days_of_diagnosis
from tests.reference.codes import Codes, Scale
from tests.reference.scores import measured_by


def judge_severity(
    trial: Row, trials: list[Row], person: Row, episode: Row, definition: Definition, codes: Codes
) -> Row:
    """The bands of baseline and outcome by the first of the disorder's scales with bands and an outcome score."""
    for scale in codes.scales:
        if scale.bands and episode["disorder"] in scale.disorders:
            measured = measured_by(scale.name, trial, trials, person, episode, definition.outcome)
            if measured.outcome is not None:
                bands = bands_for(scale, person, episode, codes)
                return {
                    "baseline_severity": band_of(measured.baseline, bands),
                    "outcome_severity": band_of(measured.outcome, bands),
                    "severity_scale": scale.name,
                }
    return {"baseline_severity": None, "outcome_severity": None, "severity_scale": None}


def bands_for(scale: Scale, person: Row, episode: Row, codes: Codes) -> tuple[tuple[str, float], ...]:
    """The scale's bands, or those for persons diagnosed by the episode's end with what its other bands are for."""
    if not scale.bands_with:
        return scale.bands
    days = days_of_diagnosis(person, scale.bands_with, codes)
    return scale.other_bands if any(day <= episode["end_date"] for day in days) else scale.bands


def band_of(score: Row | None, bands: tuple[tuple[str, float], ...]) -> str | None:
    """The last band whose lowest score is reached; below them all it is "below"."""
    if score is None:
        return None
    reached = [name for name, lowest in bands if score["value"] >= lowest]
    return reached[-1] if reached else "below"
