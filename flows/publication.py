"""All of a run at once, or nothing.

On this machine a work folder becomes the run's folder by one rename. On S3 nothing can be renamed: the manifest is
copied when everything else is there, and a folder without a manifest is no run.
"""

from __future__ import annotations

from pathlib import Path

from flows import io
from flows.files import inputs, texts
from flows.plan import Plan, load, versions
from flows.steps import parameters, validation_contents
from flows.stores import Address, Place
from reports.validation import render_validation
from schemas.errors import ImpasseError, RunInterrupted
from transforms.classify import judging_rule, trial_rule

_PARTS = ("restricted", "release")


def publish(plan: Plan) -> Place:
    """Write the manifest, move the run into place, and let `latest` lead to it. Returns the run's folder."""
    manifest = plan.work / "release" / "manifest.json"
    texts.write_json(_manifest(plan), manifest)
    if isinstance(plan.final, Address):
        _copy_into_place(plan, plan.final, manifest)
        clear(plan)
        return plan.final
    io.remove(plan.progress)  # first: without its buckets the run can no longer be resumed
    io.remove(plan.work / "buckets")
    io.remove(plan.work / "counts")
    io.remove(plan.work / "checks.json")
    io.remove(plan.lock)
    io.move_into_place(plan.work, plan.final, "latest")
    return plan.final


def _copy_into_place(plan: Plan, final: Address, manifest: Path) -> None:
    """Copy the run to S3; where that fails it is kept, because only the copy is left to be made."""
    try:
        io.copy_into_place(plan.work, _PARTS, final, manifest, "latest")
    except ImpasseError as error:
        raise RunInterrupted(
            "The run could not be copied to S3 as a whole and was not published.",
            where=f"{final}: {error.what}",
            expected=error.expected,
            do=f"{error.do} Then go on with --resume. What is done is kept in {plan.work}, with rows of persons.",
        ) from None


def keep_validation(plan: Plan) -> Path:
    """The validation page of a run that was stopped, beside the published runs."""
    page = plan.folder / "stopped" / plan.run_id / "validation.html"
    texts.write_text(render_validation(validation_contents(plan)), page)
    return page


def clear(plan: Plan) -> None:
    """Remove what an unpublished run left behind."""
    io.remove(plan.work)


def _manifest(plan: Plan) -> dict[str, object]:
    """What went in, by what it was judged, what came out."""
    loaded, checks = load(plan.study_path), texts.read_json(plan.work / "checks.json")
    outputs = [path for part in _PARTS for path in io.files(plan.work / part)]
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
        "codelists": {path.stem: io.sha256(path) for path in io.files(inputs.shipped("codelists"))},
        "outputs": {str(path.relative_to(plan.work)): io.sha256(path) for path in outputs},
    }
