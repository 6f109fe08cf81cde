"""What was checked and found of a delivery and a release, kept in work/checks.json for the pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from impasse.flows.files import texts
from impasse.reports.words.delivery_notes import note_sentences
from impasse.reports.words.limits import unread_sentences
from impasse.schemas.expectations import ExpectationResult
from impasse.schemas.found import Found
from impasse.schemas.study import Study

_FILE = "checks.json"


def read_findings(work: Path) -> dict[str, Any]:
    """All that was found so far."""
    return texts.read_json(work / _FILE)


def add_findings(work: Path, results: list[ExpectationResult], **facts: object) -> None:
    """Keep what was checked; later steps add to it, and a step that is done again says nothing twice."""
    path = work / _FILE
    before = texts.read_json(path) if path.exists() else {"expectations": []}
    rows = [result.report_row() for result in results]
    kept = [row for row in before["expectations"] if row not in rows]
    texts.write_json({**before, **facts, "expectations": kept + rows}, path)


def observed_treatments(work: Path) -> frozenset[str]:
    """What the delivery can show."""
    return frozenset(read_findings(work)["observes"])


def files_found(work: Path) -> tuple[Found, ...]:
    """The files and tables of the delivery."""
    return tuple(Found(**entry) for entry in read_findings(work)["found"])


def notes_on_delivery(work: Path, study: Study) -> list[str]:
    """What should be known of the delivery before its numbers are read, as sentences."""
    return [*note_sentences(read_findings(work)["noted"], study), *unread_sentences(files_found(work))]
