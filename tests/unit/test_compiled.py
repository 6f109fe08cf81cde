"""Compiled loops: what they are kept by, and that they count as arrays do."""

from pathlib import Path

import numpy as np
import pytest

from transforms.compiled import _folder, compiled


@compiled
def _shares(parts: np.ndarray, wholes: np.ndarray) -> np.ndarray:
    shares = np.empty(len(parts))
    for row in range(len(parts)):
        shares[row] = parts[row] / wholes[row]
    return shares


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A folder with one module."""
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "days.py").write_text("NEVER = 1\n")
    return folder


def test_division_by_zero_is_infinite_as_with_arrays() -> None:
    """And no error, which plain Python would raise."""
    with np.errstate(divide="ignore"):
        assert _shares(np.array([1.0, 1.0]), np.array([2.0, 0.0])).tolist() == [0.5, np.inf]


def test_what_is_kept_is_not_used_when_another_module_changes(tmp_path: Path, sources: Path) -> None:
    """A constant of any module may be in a compiled function; a file that is no module is not."""
    before = _folder([tmp_path], [sources])
    (sources / "notes.txt").write_text("no module\n")

    assert _folder([tmp_path], [sources]) == before

    (sources / "days.py").write_text("NEVER = 10\n")

    assert _folder([tmp_path], [sources]) != before


def test_the_first_folder_that_can_be_written_is_taken(tmp_path: Path, sources: Path) -> None:
    """By the same name in each, so that what is kept there too is of just these modules; else there is none."""
    (tmp_path / "a file").write_text("")
    closed, open_ = tmp_path / "a file", tmp_path / "cache"
    first, second = _folder([open_, closed], [sources]), _folder([closed, open_], [sources])

    assert first == second
    assert first is not None
    assert first.parent == open_
    assert _folder([closed], [sources]) is None
