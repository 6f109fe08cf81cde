"""The run, as a sentence.

Read the delivery unedited; check that it looks like one; clean and validate it; cut it into parts by
person; in each, build episodes once and judge them under every definition; add up, compare all with
all; hide what may not be shown; check what is to be released; say it; publish all of it at once.

Tasks exchange paths and counts. What Prefect keeps (parameters, artifacts, states) holds no row.
"""

from __future__ import annotations

from pathlib import Path
from time import sleep

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import as_completed
from prefect.task_runners import ThreadPoolTaskRunner

from impasse.flows.files.s3 import Place
from impasse.flows.gate.redact import discreet
from impasse.flows.run import engines, lock, publication, runs, steps
from impasse.flows.run.engines import Classify, ClusterGone
from impasse.flows.run.plan import Plan, make_plan
from impasse.flows.run.progress import begin_reading, note, tell
from impasse.flows.run.steps import DeliveryCounts
from impasse.schemas.errors import ImpasseError, MayPass, NoAnswer, PublicationStopped, RunInterrupted, lines_of
from impasse.schemas.plain import plain


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
compare = task(discreet(steps.compare), name="compare definitions", **_io)
render = task(discreet(steps.render), name="write the pages", **_io)
publish = task(discreet(publication.publish), name="publish", **_quiet)  # a half-done move is not tried again
_TRIES_ALONE = 2
_SECONDS_TO_APPEAR = 60  # a shared file system may show other machines' files late


@task(name="classify a part", **_io)
@discreet
def classify_part(classify: Classify, plan: Plan, part: int, counts: DeliveryCounts) -> None:
    """One part of the persons, classified wherever the engine has its workers."""
    classify(plan, part, counts.parts, counts.buckets)
    for _ in range(_SECONDS_TO_APPEAR):
        if steps.is_classified(plan, part):
            return
        sleep(1)
    raise ImpasseError(
        "A worker says that it is done, but what it wrote is not there.",
        expected=f"that every machine sees the same folder at {plan.work}",
        do="Let the workers share the file system, under the same paths.",
    )


@flow(name="impasse", flow_run_name="{study_path}", persist_result=False, validate_parameters=True)
@discreet
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
    _tell_left_over(plan)
    with lock.held(plan.lock):
        try:
            engines.require(plan.engine)
            return str(_run(plan))
        except RunInterrupted:
            raise
        except PublicationStopped as stop:
            page = discreet(publication.keep_validation)(plan)
            publication.clear(plan)
            where, expected = lines_of(stop.where), lines_of(stop.expected)
            raise PublicationStopped(stop.what, where=where, expected=expected, do=f"See {page}.") from None
        except BaseException:
            if plan.progress.exists():
                note(f"What is done is kept, with rows of persons, in\n{plan.home}\nGo on with --resume, or delete it.")
            else:
                publication.clear(plan)
            raise


def _tell_left_over(plan: Plan) -> None:
    """Name the folders of earlier runs that nobody works on: they hold rows of persons."""
    others = [run for run in runs.unfinished(plan.folder) if run.run_id != plan.run_id]
    if lines := runs.left_over(others, plan.made_of()):
        note("\n".join(["Earlier runs left rows of persons behind:", *map(plain, lines)]))


@flow(name="classify the parts", persist_result=False, validate_parameters=False)
@discreet
def classify_parts(plan: Plan, counts: DeliveryCounts, last: int) -> None:
    """Classify every part that is not done, on the plan's engine; what fails is named when the others are done.

    A part whose worker was killed, or for which there was not enough memory, is then tried again, with the machine
    to itself.
    """
    left = [part for part in range(counts.parts) if not steps.is_classified(plan, part)]
    failed: dict[int, BaseException] = {}
    try:
        with engines.workers(plan.engine, steps.at_a_time(plan, counts)) as classify:
            failed = _tried(plan, counts, classify, left, last)
            for _ in range(_TRIES_ALONE):
                for part in [part for part, fault in failed.items() if isinstance(fault, MayPass)]:
                    note(f"Part {part} is tried again, alone: {failed.pop(part).what}")
                    failed |= _tried(plan, counts, classify, [part], last)
    except ClusterGone as gone:
        failed = dict.fromkeys(left, gone)
    if failed:
        raise _interrupted(plan, failed, counts.parts)


def _tried(
    plan: Plan, counts: DeliveryCounts, classify: Classify, parts: list[int], last: int
) -> dict[int, BaseException]:
    """Try these parts, as many at a time as the flow has threads; returns those that failed, and why."""
    n_before = sum(steps.is_classified(plan, part) for part in range(counts.parts))
    tell(f"classified {n_before} of {counts.parts} parts", 1 + n_before, last)
    submitted = {part: classify_part.submit(classify, plan, part, counts) for part in parts}
    for done, _ in enumerate(as_completed(list(submitted.values())), start=n_before + 1):
        tell(f"classified {done} of {counts.parts} parts", 1 + done, last)
    outcomes = {part: future.result(raise_on_failure=False) for part, future in submitted.items()}
    return {part: fault for part, fault in outcomes.items() if isinstance(fault, BaseException)}


def _interrupted(plan: Plan, failed: dict[int, BaseException], n_parts: int) -> RunInterrupted:
    """Each reason once, with the parts it stopped."""
    stopped: dict[str, list[int]] = {}
    advice: dict[str, None] = {}
    for part, fault in sorted(failed.items()):
        told = fault if isinstance(fault, ImpasseError) else ImpasseError(type(fault).__name__)
        stopped.setdefault(f"{told.what} ({told.where})" if told.where else told.what, []).append(part)
        advice[told.do or "Mend the cause."] = None
    return RunInterrupted(
        f"{len(failed)} of {n_parts} parts of the persons could not be classified; nothing was published.",
        where=[f"part {_spans(parts)}: {reason}" for reason, parts in stopped.items()],
        do=[*advice, "Go on with --resume. What is done is kept, with rows of persons, in", f"{plan.work}"],
    )


def _spans(parts: list[int]) -> str:
    """Numbers in order, neighbours as a span: 0 to 3, 5."""
    starts = [part for part in parts if part - 1 not in parts]
    ends = [part for part in parts if part + 1 not in parts]
    return ", ".join(f"{a}" if a == b else f"{a} to {b}" for a, b in zip(starts, ends, strict=True))


def _run(plan: Plan) -> Place:
    if publication.is_whole(plan):
        tell("publishing", 0, 1)
        return _published(plan)
    tell("reading and checking the delivery", 0, 1)
    begin_reading()
    counts = steps.delivery_read_before(plan) or read_delivery(plan)
    create_table_artifact(key="rows", table=counts.tables, description="Rows delivered, accepted and quarantined")
    _tell_idle(plan, counts)
    last = counts.parts + 4
    threads = ThreadPoolTaskRunner(max_workers=_n_waiting(plan, counts))
    classify_parts.with_options(task_runner=threads)(plan, counts, last)
    tell("comparing definitions", last - 3, last)
    verdicts = compare(plan)
    create_table_artifact(key="verdicts", table=verdicts, description="Verdicts by definition; small counts are empty")
    tell("writing the pages", last - 2, last)
    render(plan)
    tell("publishing", last - 1, last)
    return _published(plan)


def _published(plan: Plan) -> Place:
    folder = publish(plan)
    create_markdown_artifact(key="report", markdown=f"Published: `{plain(str(folder))}`")
    return folder


def _tell_idle(plan: Plan, counts: DeliveryCounts) -> None:
    """Say that more workers were asked for than there are parts."""
    if (plan.engine.workers or 0) > counts.parts:
        note(
            f"{plan.engine.workers} workers are asked for, but the persons make {counts.parts} "
            f"{'part' if counts.parts == 1 else 'parts'}, one for about 40,000 of them: the other workers idle."
        )


def _n_waiting(plan: Plan, counts: DeliveryCounts) -> int:
    """How many parts are begun at a time: on a cluster all of them, and its scheduler decides."""
    return counts.parts if plan.engine.address else steps.at_a_time(plan, counts)
