"""The steps of a run one after another, without a Prefect server."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from impasse.flows.delivery.delivery import open_delivery
from impasse.flows.run.loading import load
from impasse.flows.run.plan import Plan, make_plan
from impasse.flows.run.steps import classifying, comparing, publication, reading, rendering
from tests.cleaning import Cleaned, clean


def copied(study: Path, folder: Path) -> Path:
    """A study and its delivery in another folder; returns the study's file there."""
    shutil.copytree(study.parent / "delivery", folder / "delivery")
    return Path(shutil.copy(study, folder / "study.toml"))


def run_steps(study: Path, out: Path) -> Path:
    """Run a study to its end; returns the published run's folder."""
    return publish(worked_on(study, out))


def worked_on(study: Path, out: Path) -> Plan:
    """The plan of a run of which only publication is left."""
    plan = make_plan(study, out)
    loaded = load(plan.study_path)
    counts = reading.read_delivery(plan, loaded)
    for part in range(counts.parts):
        classifying.classify_part(plan, part, counts.parts, counts.buckets)
    comparing.compare(plan, loaded)
    rendering.render_pages(plan, loaded)
    return plan


def publish(plan: Plan) -> Path:
    """Publish what was worked on; returns the published run's folder."""
    return publication.publish(plan, load(plan.study_path))


def cleaned_of(study: Path) -> Cleaned:
    """The canonical tables and the quarantine of a study's delivery."""
    loaded = load(study.resolve())
    delivered = open_delivery(loaded.study, study.resolve().parent, loaded.layout)
    return clean(delivered, loaded.layout, loaded.study, loaded.codes)


def data_hashes(run: Path) -> dict[str, str]:
    """SHA-256 of every data file of a run."""
    files = sorted(path for path in run.rglob("*.parquet") if path.is_file())
    return {str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
