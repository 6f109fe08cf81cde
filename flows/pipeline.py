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
from flows.stores import Place
from schemas.errors import ImpasseError, NoAnswer, PublicationStopped, RunInterrupted


def _may_pass(_task: object, _run: object, state: object) -> bool:
    """Try again only where trying again can help: a file, disk or store that did not answer."""
    try:
        state.result()
    except (OSError, NoAnswer):
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
    resume: bool = False,
) -> str:
    """Run a study file and publish the result; returns the published run's folder.

    What is stated here holds over the study file's own. `resume` goes on with a run whose parts could not all be
    classified, or that was killed after its delivery was read.
    """
    said = {"buckets": buckets, "memory": memory, "kind": engine, "address": address, "workers": workers}
    plan = make_plan(Path(study_path), out, resume, **said)
    try:
        return str(_run(plan))
    except RunInterrupted:
        raise
    except PublicationStopped as stop:
        page = discreet(publication.keep_validation)(plan)
        publication.clear(plan)
        raise PublicationStopped(stop.what, where=stop.where, expected=stop.expected, do=f"See {page}.") from None
    except BaseException:
        publication.clear(plan)
        raise


@flow(name="classify the parts", persist_result=False, validate_parameters=False)
def classify_parts(plan: Plan, counts: DeliveryCounts, last: int) -> None:
    """Classify every part that is not done, on the plan's engine; what fails is named when the others are done."""
    left = [part for part in range(counts.parts) if not steps.is_classified(plan, part)]
    n_before = counts.parts - len(left)
    tell(f"classified {n_before} of {counts.parts} parts", 1 + n_before, last)
    submitted = {part: classify_part.submit(plan, part, counts.parts, counts.buckets) for part in left}
    for done, _ in enumerate(as_completed(list(submitted.values())), start=n_before + 1):
        tell(f"classified {done} of {counts.parts} parts", 1 + done, last)
    outcomes = {part: future.result(raise_on_failure=False) for part, future in submitted.items()}
    failed = {part: fault for part, fault in outcomes.items() if isinstance(fault, BaseException)}
    if failed:
        raise _interrupted(plan, failed, counts.parts)


def _interrupted(plan: Plan, failed: dict[int, BaseException], n_parts: int) -> RunInterrupted:
    first = next(iter(failed.values()))
    says = str(first) if isinstance(first, ImpasseError) else f"{type(first).__name__}, as when a worker is lost."
    return RunInterrupted(
        f"{len(failed)} of {n_parts} parts of the persons could not be classified; nothing was published.",
        where=f"part {', '.join(str(part) for part in failed)}; the first: {says}",
        do=f"Mend the cause and go on with --resume. What is done is kept in {plan.work}, with rows of persons.",
    )


def _run(plan: Plan) -> Place:
    tell("reading and checking the delivery", 0, 1)
    counts = steps.delivery_read_before(plan) or read_delivery(plan)
    create_table_artifact(key="rows", table=counts.tables, description="Rows delivered, accepted and quarantined")
    last = counts.parts + 4
    classify_parts.with_options(task_runner=task_runner(plan.engine, counts.at_a_time))(plan, counts, last)
    tell("comparing definitions", last - 3, last)
    verdicts = compare(plan)
    create_table_artifact(key="verdicts", table=verdicts, description="Verdicts by definition; small counts are empty")
    tell("writing the pages", last - 2, last)
    render(plan)
    tell("publishing", last - 1, last)
    folder = publish(plan)
    create_markdown_artifact(key="report", markdown=f"Published: `{folder}`")
    return folder
