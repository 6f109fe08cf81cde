"""The command in an environment that few have: one message or the usual answer, and an exit code that means it."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

IN_C = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def impasse(
    *words: str, module: str = "impasse.flows", to: str | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """What a command answers, in this folder, with these variables besides; `to` takes what it prints."""
    stdout = subprocess.PIPE if to is None else os.open(to, os.O_WRONLY)
    try:
        return subprocess.run(
            [sys.executable, "-m", module, *words],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(env or {})},
        )
    finally:
        if to is not None:
            os.close(stdout)


@pytest.mark.parametrize("module", ["impasse.flows", "impasse.flows.cli.app"])
def test_the_program_can_be_called_as_a_module(module: str) -> None:
    """Where `impasse` is not on the path."""
    assert impasse("--version", module=module).stdout == f"impasse {version('impasse')}\n"


@pytest.mark.parametrize("env", [{"PYTHONIOENCODING": "ascii"}, IN_C])
def test_a_character_that_cannot_be_shown_is_replaced(env: dict[str, str]) -> None:
    """And the command ends as otherwise."""
    done = impasse("definitions", "show", "dep_bosco_levy_2021", env=env)

    assert (done.returncode, done.stderr) == (0, "")
    assert "Bosco-L?vy" in done.stdout


def test_a_run_ends_as_done_where_its_answer_cannot_be_shown(small_study: Path, tmp_path: Path) -> None:
    """It is published, and exit code 0 says so."""
    done = impasse("run", str(small_study), "--out", str(tmp_path), env={"PYTHONIOENCODING": "ascii"})

    assert done.returncode == 0, done.stderr
    assert "report.html" in done.stdout


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("definitions", "list"), ("run", "study.toml")])
@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("PYTHONOPTIMIZE", "2", "Unset PYTHONOPTIMIZE."),
        ("POLARS_MAX_THREADS", "0", "Unset POLARS_MAX_THREADS."),
    ],
)
def test_a_python_that_libraries_fail_in_is_told(words: tuple[str, ...], variable: str, value: str, said: str) -> None:
    """Before anything else is looked at."""
    done = impasse(*words, env={variable: value})

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert said in done.stderr
    assert "Internal error" not in done.stderr


@pytest.mark.parametrize(("variable", "value"), [("PYTHONOPTIMIZE", "1"), ("POLARS_MAX_THREADS", "1")])
def test_what_libraries_can_work_in_is_taken(variable: str, value: str) -> None:
    """Fewer threads, and no assertions."""
    assert impasse("definitions", "list", env={variable: value}).returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("words", [("--help",), ("--version",), ("definitions", "list"), ("schema", "study")])
def test_a_full_disk_under_what_is_printed_is_told(words: tuple[str, ...]) -> None:
    """With where it is and what to do."""
    done = impasse(*words, to="/dev/full")

    assert done.returncode == 2
    assert done.stderr == (
        "Error: No space left on device.\n"
        "  where:    standard output\n"
        "  expected: room to write to\n"
        "  do:       Make room there, or write to another place.\n"
    )


@pytest.mark.parametrize("words", [("check", "study.toml"), ("run", "study.toml")])
def test_a_current_folder_that_is_gone_is_told(words: tuple[str, ...], tmp_path: Path) -> None:
    """Paths are seen from it."""
    program = "import os, sys; os.rmdir(os.getcwd()); from impasse.flows.cli.app import app; app()"
    (tmp_path / "gone").mkdir()
    command = [sys.executable, "-c", program, *words]
    done = subprocess.run(command, cwd=tmp_path / "gone", capture_output=True, text=True)

    assert done.returncode == 2
    assert done.stderr.startswith("Error: The current folder is no longer there.\n")
    assert "  do:       Go to one that is there" in done.stderr
