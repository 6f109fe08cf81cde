"""Compiled loops: what they are kept by, and that they count as arrays do."""

from pathlib import Path

import numpy as np

from transforms.compiled import _modules, compiled


@compiled
def _shares(parts: np.ndarray, wholes: np.ndarray) -> np.ndarray:
    shares = np.empty(len(parts))
    for row in range(len(parts)):
        shares[row] = parts[row] / wholes[row]
    return shares


def test_division_by_zero_is_infinite_as_with_arrays() -> None:
    """And no error, which plain Python would raise."""
    assert _shares(np.array([1.0, 1.0]), np.array([2.0, 0.0])).tolist() == [0.5, np.inf]


def test_what_is_kept_is_not_used_when_another_module_changes(tmp_path: Path) -> None:
    """A constant of any module may be in a compiled function; files that are no modules are not."""
    (tmp_path / "days.py").write_text("NEVER = 1\n")
    before = _modules(tmp_path)
    (tmp_path / "notes.txt").write_text("no module\n")

    assert _modules(tmp_path) == before

    (tmp_path / "days.py").write_text("NEVER = 10\n")

    assert _modules(tmp_path) != before
