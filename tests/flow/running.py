"""The steps of a run one after another, without a Prefect server."""

from __future__ import annotations

import hashlib
from pathlib import Path

from impasse.flows.run import publication, steps
from impasse.flows.run.plan import make_plan


def run_steps(study: Path, out: Path) -> Path:
    """Run a study to its end; returns the published run's folder."""
    plan = make_plan(study, out)
    counts = steps.read_delivery(plan)
    for part in range(counts.parts):
        steps.classify_part(plan, part, counts.parts, counts.buckets)
    steps.compare(plan)
    steps.render(plan)
    return publication.publish(plan)


def data_hashes(run: Path) -> dict[str, str]:
    """SHA-256 of every data file of a run."""
    files = sorted(path for path in run.rglob("*.parquet") if path.is_file())
    return {str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
