"""What was checked and found of a delivery and of a release, kept for the pages: a file in work/checks/ for each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from impasse.flows.files import texts
from impasse.reports.words.delivery_notes import note_sentences
from impasse.reports.words.limits import unread_sentences
from impasse.schemas.expectations import ExpectationResult
from impasse.schemas.found import Found
from impasse.schemas.study import Study

FOLDER = "checks"
_DELIVERY, _RELEASE = "delivery.json", "release.json"


@dataclass(frozen=True)
class _Checks:
    """What was expected, and whether it was found so."""

    expectations: list[dict[str, Any]]


@dataclass(frozen=True)
class _Findings(_Checks):
    """What was found of the delivery; `noted` is what the notes on it are made of."""

    observes: list[str]
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


def observed(work: Path) -> frozenset[str]:
    """What the delivery can show."""
    return frozenset(read_findings(work)["observes"])


def files_found(work: Path) -> tuple[Found, ...]:
    """The files and tables of the delivery."""
    return tuple(Found(**entry) for entry in read_findings(work)["found"])


def notes_on_delivery(work: Path, study: Study) -> list[str]:
    """What should be known of the delivery before its numbers are read, as sentences."""
    return [*note_sentences(read_findings(work)["noted"], study), *unread_sentences(files_found(work))]
