"""What was checked and found of a delivery and of a release, kept for the pages: a file in work/checks/ for each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from impasse.flows.files import texts
from impasse.flows.run.loading import Loaded
from impasse.reports.words.delivery_notes import note_sentences, reading_sentences
from impasse.reports.words.limits import unjudged_sentences, unread_sentences
from impasse.schemas.expectations import ExpectationResult
from impasse.schemas.found import Found

FOLDER = "checks"
_DELIVERY, _RELEASE = "delivery.json", "release.json"


@dataclass(frozen=True)
class _Checks:
    """What was expected, and whether it was found so."""

    expectations: list[dict[str, Any]]


@dataclass(frozen=True)
class _Findings(_Checks):
    """What was found of the delivery; `scales` have scores, `noted` is what the notes on it are made of."""

    observes: list[str]
    scales: list[str]
    noted: dict[str, Any]
    found: list[Found]


def read_findings(work: Path) -> dict[str, Any]:
    """All that was found so far."""
    delivery, release = work / FOLDER / _DELIVERY, work / FOLDER / _RELEASE
    found = asdict(texts.read_json(delivery, _Findings))
    checked = texts.read_json(release, _Checks).expectations if release.exists() else []
    return {**found, "expectations": found["expectations"] + checked}


def keep_findings(work: Path, results: list[ExpectationResult], **facts: object) -> None:
    """Keep what was found of the delivery, and how it was checked."""
    _keep(work / FOLDER / _DELIVERY, results, facts)


def keep_checks_of_release(work: Path, results: list[ExpectationResult]) -> None:
    """Keep how the release was checked, in place of how it was checked before."""
    _keep(work / FOLDER / _RELEASE, results, {})


def _keep(path: Path, results: list[ExpectationResult], facts: dict[str, object]) -> None:
    texts.write_json({**facts, "expectations": [result.report_row() for result in results]}, path)


def observed_treatments(work: Path) -> frozenset[str]:
    """What the delivery can show."""
    return frozenset(read_findings(work)["observes"])


def delivered_scales(work: Path) -> frozenset[str]:
    """The scales of which the delivery has scores."""
    return frozenset(read_findings(work)["scales"])


def files_found(work: Path) -> tuple[Found, ...]:
    """The files and tables of the delivery."""
    return tuple(Found(**entry) for entry in read_findings(work)["found"])


def notes_of_run(work: Path, loaded: Loaded) -> list[str]:
    """The notes on the delivery of a run, from what was found so far."""
    return notes_on_delivery(loaded, read_findings(work)["noted"], files_found(work))


def notes_on_delivery(loaded: Loaded, noted: dict[str, Any], found: Iterable[Found]) -> list[str]:
    """What should be known of a delivery before its numbers are read: the same words for a check as on the pages."""
    study = loaded.study
    judged = {disorder for definition in loaded.definitions for disorder in definition.eligible.disorders}
    return [
        *unjudged_sentences(study.episodes.disorders, judged),
        *reading_sentences(noted["rules"], loaded.layout),
        *note_sentences(noted, study),
        *unread_sentences(found),
    ]
