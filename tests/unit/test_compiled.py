"""Compiled loops: what they are kept by, and that they count as arrays do."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from impasse.transforms.kernels.compiled import Kept, _folder, compiled


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


@pytest.mark.parametrize(("mode", "is_used"), [(0o700, True), (0o755, True), (0o770, False), (0o777, False)], ids=oct)
def test_a_folder_that_others_can_write_is_not_used(mode: int, is_used: bool, tmp_path: Path, sources: Path) -> None:
    """What is kept is run: whoever can write there could have anything run. What is used is the user's alone."""
    folder = _folder([tmp_path], [sources])
    folder.chmod(mode)

    assert _folder([tmp_path], [sources]) == (folder if is_used else None)
    assert folder.stat().st_mode & 0o777 == (0o700 if is_used else mode)


@pytest.mark.parametrize(("mode", "is_used"), [(0o755, True), (0o1777, True), (0o777, False), (0o775, False)], ids=oct)
def test_a_folder_that_others_can_rename_is_not_used(mode: int, is_used: bool, tmp_path: Path, sources: Path) -> None:
    """Another could take its place; in one like /tmp, with the sticky bit, it could not."""
    cache = tmp_path / "shared" / "cache"
    cache.mkdir(parents=True)
    cache.parent.chmod(mode)

    assert (_folder([cache], [sources]) is not None) == is_used


@pytest.mark.skipif(os.geteuid() != 0, reason="only the administrator can give a folder away")
@pytest.mark.parametrize("given", ["cache/{name}", "cache"])
def test_a_folder_of_another_user_is_not_used(given: str, tmp_path: Path, sources: Path) -> None:
    """Neither itself nor one above it, whatever others may do there: its owner may do anything."""
    cache = tmp_path / "cache"
    name = _folder([cache], [sources]).name
    os.chown(tmp_path / given.format(name=name), 12345, -1)

    assert _folder([cache, tmp_path], [sources]) == tmp_path / name


def test_a_link_is_not_used(tmp_path: Path, sources: Path) -> None:
    """Whoever made it may lead it elsewhere."""
    folder = _folder([tmp_path], [sources])
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")

    assert _folder([tmp_path], [sources]) is None


def test_settings_of_the_folder_where_a_run_starts_are_not_read(tmp_path: Path) -> None:
    """Numba's name a folder of compiled functions, which would be run; neither at first, nor when it compiles."""
    (tmp_path / ".numba_config.yaml").write_text("cache_dir: planted\nopt: 1\n")
    asked = (
        "from impasse.transforms.kernels.compiled import KEPT_IN, numba; first = int(numba.config.OPT); "
        "numba.config.reload_config(); print(KEPT_IN, first, int(numba.config.OPT))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    command = [sys.executable, "-c", asked]

    said = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True).stdout
    assert said.split()[1:] == ["3", "3"]
    assert "planted" not in said

    environment["NUMBA_CACHE_DIR"] = "stated"
    said = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True).stdout
    assert said.startswith(f"{tmp_path.resolve()}/stated/impasse-")


def test_processes_that_compile_for_different_types_at_once_do_not_mix_them(tmp_path: Path) -> None:
    """As when two start together on a new machine: both looked before either had kept anything."""
    first, second = Kept(str(tmp_path), "loop"), Kept(str(tmp_path), "loop")
    assert (first.load("integers"), second.load("fractions")) == (None, None)

    first.save("integers", "code for integers")
    second.save("fractions", "code for fractions")

    later = Kept(str(tmp_path), "loop")
    assert (later.load("integers"), later.load("fractions")) == ("code for integers", "code for fractions")


def test_what_is_kept_of_one_function_is_not_taken_for_another(tmp_path: Path) -> None:
    """Of the same types."""
    Kept(str(tmp_path), "loop").save("integers", "code")

    assert Kept(str(tmp_path), "another").load("integers") is None


@pytest.mark.parametrize("left", [b"", b"\0" * 400, b"half"], ids=["nothing", "zeros", "half"])
def test_a_file_that_was_cut_short_is_not_run(tmp_path: Path, left: bytes) -> None:
    """A power cut leaves a name without its content; the function is compiled and kept again."""
    kept = Kept(str(tmp_path), "loop")
    kept.save("integers", "code")
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:40] if left == b"half" else left)

    assert kept.load("integers") is None

    kept.save("integers", "code")
    assert kept.load("integers") == "code"


def test_where_nothing_can_be_kept_the_function_runs(tmp_path: Path) -> None:
    """A folder that is gone, or a full disk, is no error of a run."""
    kept = Kept(str(tmp_path / "gone"), "loop")
    kept.save("integers", "code")

    assert kept.load("integers") is None


def test_a_compiled_function_is_kept_so() -> None:
    """What a program uses is what the tests before this one look at."""
    assert isinstance(_shares._cache._cache_file, Kept)
