"""What was checked and found of a delivery and a release, kept in work/checks.json for the pages."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from impasse.flows.files import texts
from impasse.flows.run.loading import Loaded
from impasse.reports.words.delivery_notes import note_sentences, reading_sentences
from impasse.reports.words.limits import unjudged_sentences, unread_sentences
from impasse.schemas.expectations import ExpectationResult
from impasse.schemas.found import Found

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


def observed(work: Path) -> frozenset[str]:
    """What the delivery can show."""
    return frozenset(read_findings(work)["observes"])


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
