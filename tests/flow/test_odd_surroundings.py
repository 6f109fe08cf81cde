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
