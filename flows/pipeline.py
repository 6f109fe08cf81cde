"""The run, as a sentence.

Read the delivery unedited; check that it looks like one; clean and validate it; cut it into parts by
person; in each, build episodes once and judge them under every definition; add up, compare all with
all; hide what may not be shown; check what is to be released; say it; publish all of it at once.

Tasks exchange paths and counts. What Prefect keeps (parameters, artifacts, states) holds no row.
"""

from __future__ import annotations

from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import as_completed

from flows import publication, steps
from flows.discreet import discreet
from flows.engines import task_runner
from flows.plan import Plan, make_plan
from flows.progress import tell
from flows.steps import DeliveryCounts
from schemas.errors import ImpasseError, PublicationStopped


def _may_pass(_task: object, _run: object, state: object) -> bool:
    """Try again only where trying again can help: a file or disk that did not answer."""
    try:
        state.result()
    except ImpasseError:
        return False
    except OSError:
        return True
    except Exception:
        return False
    return False


_quiet = {"cache_policy": NO_CACHE, "persist_result": False, "log_prints": False}
_io = {**_quiet, "retries": 2, "retry_delay_seconds": 5, "retry_condition_fn": _may_pass}

read_delivery = task(discreet(steps.read_delivery), name="read, clean and check the delivery", **_io)
classify_part = task(discreet(steps.classify_part), name="classify a part", **_io)
compare = task(discreet(steps.compare), name="compare definitions", **_io)
render = task(discreet(steps.render), name="write the pages", **_io)
publish = task(discreet(publication.publish), name="publish", **_quiet)  # a half-done move is not tried again


@flow(name="impasse", flow_run_name="{study_path}", persist_result=False, validate_parameters=True)
def run_study(
    study_path: str,
    out: str | None = None,
    buckets: int | None = None,
    memory: str | None = None,
    engine: str | None = None,
    address: str | None = None,
    workers: int | None = None,
) -> str:
    """Run a study file and publish the result; returns the published run's folder.

    What is stated here holds over the study file's own.
    """
    said = {"buckets": buckets, "memory": memory, "kind": engine, "address": address, "workers": workers}
    plan = make_plan(Path(study_path), Path(out) if out else None, **said)
    try:
        folder = _run(plan)
    except PublicationStopped as stop:
        page = discreet(publication.keep_validation)(plan)
        raise PublicationStopped(stop.what, where=stop.where, expected=stop.expected, do=f"See {page}.") from None
    finally:
        publication.clear(plan)
    return str(folder)


@flow(name="classify the parts", persist_result=False, validate_parameters=False)
def classify_parts(plan: Plan, counts: DeliveryCounts, last: int) -> None:
    """Classify every part on the plan's engine; a part that fails is named when the others are done."""
    tell(f"classifying {counts.parts} parts", 1, last)
    submitted = [classify_part.submit(plan, part, counts.parts, counts.buckets) for part in range(counts.parts)]
    for done, _ in enumerate(as_completed(submitted), start=1):
        tell(f"classified {done} of {counts.parts} parts", 1 + done, last)
    outcomes = {part: future.result(raise_on_failure=False) for part, future in enumerate(submitted)}
    failed = {part: fault for part, fault in outcomes.items() if isinstance(fault, BaseException)}
    if failed:
        numbers = ", ".join(str(part) for part in failed)
        raise ImpasseError(
            f"{len(failed)} of {counts.parts} parts of the persons could not be classified; nothing was published.",
            where=f"part {numbers}",
            do=f"See what the first of them says: {next(iter(failed.values()))}",
        )


def _run(plan: Plan) -> Path:
    tell("reading and checking the delivery", 0, 1)
    counts = read_delivery(plan)
    create_table_artifact(key="rows", table=counts.tables, description="Rows delivered, accepted and quarantined")
    last = counts.parts + 4
    classify_parts.with_options(task_runner=task_runner(plan.engine))(plan, counts, last)
    tell("comparing definitions", last - 3, last)
    verdicts = compare(plan)
    create_table_artifact(key="verdicts", table=verdicts, description="Verdicts by definition; small counts are empty")
    tell("writing the pages", last - 2, last)
    render(plan)
    tell("publishing", last - 1, last)
    folder = publish(plan)
    create_markdown_artifact(key="report", markdown=f"Published: `{folder}`")
    return folder
