"""No memory with rows is left in a core file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from impasse.flows import pipeline, published
from impasse.flows.cli import app
from impasse.flows.run import engines, parts
from impasse.flows.run.steps import classifying

STATE = (
    "import ctypes, resource; "
    "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), flush=True)"
)
STEP = f"""
from impasse.flows.gate.redact import redact

@redact
def step():
    {STATE}
    import os, sys
    os.system(f"{{sys.executable}} -c 'import resource; print(resource.getrlimit(resource.RLIMIT_CORE))'")
    os.abort()
step()
"""


def _state() -> tuple[tuple[int, int], int]:
    """The limit of core files of this process, and whether it may be dumped."""
    import ctypes
    import resource

    return resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="the mark is Linux's own")
def test_a_process_that_aborts_leaves_no_dump(tmp_path: Path) -> None:
    """Whatever limit it was started under: it has none, nor has what it starts, and the system may not dump it."""
    command = ["sh", "-c", 'ulimit -c $(ulimit -H -c); exec "$@"', "sh", sys.executable, "-c", STEP]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)

    assert ended.stdout.splitlines() == ["(0, 0) 0", "(0, 0)"]
    assert ended.returncode == -6
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "step",
    [
        app.check,
        app.run,
        app.demo,
        app.explain,
        pipeline.run_study.fn,
        pipeline.read_delivery.fn,
        parts._classify_parts,
        classifying.classify_part,
        published.explain,
    ],
)
def test_whatever_works_on_rows_passes_the_gate(step: object) -> None:
    """In threads, processes and on Dask it is the same function that a worker is given."""
    assert hasattr(step, "__wrapped__")


@pytest.mark.skipif(sys.platform != "linux", reason="the mark is Linux's own")
def test_a_worker_that_was_started_anew_leaves_no_dump() -> None:
    """The limit is handed on, and the mark is made as soon as a part is worked on."""
    with engines._process() as process:
        with pytest.raises(Exception, match="Internal error"):
            process.submit(classifying.classify_part, None, 0, 1, 1).result()

        assert process.submit(_state).result() == ((0, 0), 0)
