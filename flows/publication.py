"""All of a run at once, or nothing: a work folder becomes the run's folder by one rename."""

from __future__ import annotations

from pathlib import Path

from flows import io
from flows.plan import Plan, load, versions
from flows.steps import parameters, validation_contents
from reports.validation import render_validation
from transforms.classify import judging_rule, trial_rule


def publish(plan: Plan) -> Path:
    """Write the manifest, move the run into place, and point `latest` at it. Returns the run's folder."""
    io.write_json(_manifest(plan), plan.work / "release" / "manifest.json")
    io.remove(plan.work / "buckets")
    io.remove(plan.work / "counts")
    io.remove(plan.work / "checks.json")
    io.remove(plan.progress)
    io.remove(plan.lock)
    io.move_into_place(plan.work, plan.final, "latest")
    return plan.final


def keep_validation(plan: Plan) -> Path:
    """The validation page of a run that was stopped, beside the published runs."""
    page = plan.folder / "stopped" / plan.run_id / "validation.html"
    io.write_text(render_validation(validation_contents(plan)), page)
    return page


def clear(plan: Plan) -> None:
    """Remove what an unpublished run left behind."""
    io.remove(plan.work)


def _manifest(plan: Plan) -> dict[str, object]:
    """What went in, by what it was judged, what came out."""
    loaded, checks = load(plan.study_path), io.read_json(plan.work / "checks.json")
    outputs = [path for part in ("restricted", "release") for path in io.files(plan.work / part)]
    return {
        "run_id": plan.run_id,
        "study": loaded.study.model_dump(mode="json"),
        "parameters": parameters(plan),
        "versions": versions(),
        "inputs": dict(plan.inputs),
        "observes": checks["observes"],
        "rows": io.read_parquet(plan.work / "release" / "reconciliation.parquet").to_dicts(),
        "definitions": {path.stem: io.sha256(path) for path in io.files(plan.work / "release/definitions")},
        "rules": {d.id: [trial_rule(d), judging_rule(d)] for d in loaded.definitions},
        "codelists": {path.stem: io.sha256(path) for path in io.files(io.shipped("codelists"))},
        "outputs": {str(path.relative_to(plan.work)): io.sha256(path) for path in outputs},
    }
