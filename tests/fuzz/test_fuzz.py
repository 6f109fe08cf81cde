"""Deliveries that went wrong in every way that a few lines can draw: each is counted to the row, or refused in words.

`python -m tests.fuzz.run --deliveries 2000` tries more of them than continuous integration has time for.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from impasse.flows.delivery import lines
from tests.fuzz.mutations import MUTATIONS
from tests.fuzz.outcome import judged, tried
from tests.fuzz.shapes import as_csv, generic

BY_NAME = {mutate.__name__.lstrip("_"): mutate for mutate in MUTATIONS}


@pytest.mark.parametrize("seed", range(150))
def test_a_mutated_delivery_is_counted_or_refused(seed: int, tmp_path: Path) -> None:
    """Accepted and quarantined rows are those that lie in the files, or one clear message says why nothing is read."""
    outcome = tried(seed, tmp_path)

    assert outcome.kind in ("read", "refused"), outcome


def with_bare_returns(folder: Path) -> tuple[str, str]:
    """How a generic delivery ends of which one file has some lines that end with a carriage return."""
    shape = generic(Random(0))
    files = {name: as_csv(rows) for name, rows in shape.files.items()}
    BY_NAME["some_bare_returns"](files, Random(0))
    return judged(shape, files, folder)


def test_bare_returns_are_refused(tmp_path: Path) -> None:
    """Parsers disagree on them, so rows would be lost in silence."""
    kind, what = with_bare_returns(tmp_path)

    assert kind == "refused"
    assert "carriage returns" in what


def test_the_loss_is_found_where_lines_are_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the program's own count of lines, the count made here finds the rows that are gone: it can fail."""
    monkeypatch.setattr(lines, "require_sound", lambda *_: None)
    monkeypatch.setattr(lines, "require_handed_on", lambda *_: None)

    kind, what = with_bare_returns(tmp_path)

    assert kind == "wrong"
    assert "rows lie in the files" in what
