"""What Prefect costs: the same run with it and without it, in turns.

Timed are whole runs, from the study file to the published pages: `run_study`, the flow, and the functions that it calls
in their order. Both are made in one process with the same threads; the server is up before the first turn, and its
work is in the seconds, because it runs beside the run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from impasse.flows.bench.stages import run_whole
from impasse.flows.gate.environment import environment
from impasse.flows.server import own_server
from impasse.flows.server.settings import load_prefect


@dataclass(frozen=True)
class Turns:
    """Seconds of whole runs, turn by turn."""

    alone: list[float]
    under_prefect: list[float]

    def told(self) -> dict[str, float]:
        """The medians of the seconds; Prefect's share is the median over pairs of runs of the same hour."""
        shares = [1 - alone / under for alone, under in zip(self.alone, self.under_prefect, strict=True)]
        return {
            "seconds_alone": round(median(self.alone), 3),
            "seconds": round(median(self.under_prefect), 3),
            "share": round(median(shares), 4),
        }


def in_turns(study: Path, out: Path, n_rounds: int) -> Turns:
    """Run a study so often in either way, under Prefect with the server that a run starts for itself."""
    load_prefect()
    from impasse.flows.pipeline import run_study

    turns = Turns([], [])
    with (
        environment(PREFECT_HOME=str(study.parent / "prefect")),
        own_server.begun() as server,
        own_server.answering(server),
    ):
        for number in range(n_rounds):
            sides = [
                lambda n=number: turns.alone.append(_seconds(run_whole, study, out / f"alone-{n}")),
                lambda n=number: turns.under_prefect.append(_seconds(run_study, str(study), str(out / f"under-{n}"))),
            ]
            for side in sides if number % 2 == 0 else reversed(sides):
                side()
    return turns


def _seconds(run: Callable[..., object], *given: object) -> float:
    begin = perf_counter()
    run(*given)
    return perf_counter() - begin
