"""Classifying parts on workers that are killed. Workers import this module, so nothing here is a test."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from impasse.flows.run.plan import Plan
from impasse.flows.run.steps import classifying

KILLER = 1  # the part whose worker is killed


def attempts(folder: Path) -> int:
    """How many workers the part has cost, in the folder of a study's runs."""
    return len(list(folder.glob("killed-*")))


def kill_once(plan: Plan, part: int, n_parts: int, n_buckets: int) -> None:
    """Classify a part; the first worker on one of them is killed."""
    if part == KILLER and attempts(plan.folder) == 0:
        _end_this_worker(plan)
    classifying.classify_part(plan, part, n_parts, n_buckets)


def kill_always(plan: Plan, part: int, n_parts: int, n_buckets: int) -> None:
    """Classify a part; every worker on one of them is killed."""
    if part == KILLER:
        _end_this_worker(plan)
    classifying.classify_part(plan, part, n_parts, n_buckets)


def _end_this_worker(plan: Plan) -> None:
    (plan.folder / f"killed-{os.getpid()}").touch()
    os.kill(os.getpid(), signal.SIGKILL)
