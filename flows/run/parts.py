"""All parts of the persons, each classified on the engine; one that failed by chance is tried again, alone."""

from __future__ import annotations

from time import sleep

from prefect import flow, task
from prefect.futures import as_completed
from prefect.task_runners import ThreadPoolTaskRunner

from impasse.flows.gate.redact import redact
from impasse.flows.run import engines, retries
from impasse.flows.run.engines import Classify, ClusterGone
from impasse.flows.run.plan import Plan
from impasse.flows.run.progress import note, tell
from impasse.flows.run.steps.classifying import is_classified, is_kept
from impasse.flows.run.steps.reading import DeliveryCounts, at_a_time
from impasse.schemas.errors import ImpasseError, MayPass, NotAsWritten, RunInterrupted

_TRIES_ALONE = 2
_SECONDS_TO_APPEAR = 60  # a shared file system may show other machines' files late


def classify_all(plan: Plan, counts: DeliveryCounts, last: int) -> None:
    """Classify every part, begun as many at a time as the engine takes; `last` is the number of the run's last step.

    Prefect writes down what a flow is called with. A plan has fingerprints and names of the delivery in it, so the flow
    of the parts is called with nothing.
    """
    note_idle_workers(plan, counts)
    threads = ThreadPoolTaskRunner(max_workers=_n_waiting(plan, counts))

    @flow(name="classify the parts", task_runner=threads, persist_result=False)
    def classify_parts() -> None:
        _classify_parts(plan, counts, last)

    classify_parts()


@task(name="classify a part", **retries.AGAIN)
@redact
def classify_part(classify: Classify, plan: Plan, part: int, counts: DeliveryCounts) -> None:
    """One part of the persons, classified wherever the engine has its workers."""
    classify(plan, part, counts.parts, counts.buckets)
    for _ in range(_SECONDS_TO_APPEAR):
        if is_classified(plan, part):
            return
        sleep(1)
    raise ImpasseError(
        "A worker says that it is done, but what it wrote is not there.",
        expected=f"that every machine sees the same folder at {plan.work}",
        do="Let the workers share the file system, under the same paths.",
    )


@redact
def _classify_parts(plan: Plan, counts: DeliveryCounts, last: int) -> None:
    """Classify every part that is not done, on the plan's engine; what fails is named when the others are done.

    A part whose worker was killed, or for which there was not enough memory, is then tried again, with the machine
    to itself.
    """
    left = [part for part in range(counts.parts) if not is_kept(plan, part)]
    failed: dict[int, BaseException] = {}
    try:
        with engines.workers(plan.engine, at_a_time(plan, counts)) as classify:
            failed = _tried(plan, counts, classify, left, last)
            for _ in range(_TRIES_ALONE):
                for part in [part for part, fault in failed.items() if isinstance(fault, MayPass)]:
                    note(f"Part {part} is tried again, alone: {failed.pop(part).what}")
                    failed |= _tried(plan, counts, classify, [part], last)
    except ClusterGone as gone:
        failed = dict.fromkeys(left, gone)
    if failed:
        lost = [fault for fault in failed.values() if isinstance(fault, NotAsWritten)]
        raise lost[0] if lost else _interrupted(plan, failed, counts.parts)


def _tried(
    plan: Plan, counts: DeliveryCounts, classify: Classify, parts: list[int], last: int
) -> dict[int, BaseException]:
    """Try these parts, as many at a time as the flow has threads; returns those that failed, and why."""
    n_before = sum(is_classified(plan, part) for part in range(counts.parts))
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
        error = fault if isinstance(fault, ImpasseError) else ImpasseError(type(fault).__name__)
        stopped.setdefault(f"{error.what} ({error.where})" if error.where else error.what, []).append(part)
        advice[error.do or "Mend the cause."] = None
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


def note_idle_workers(plan: Plan, counts: DeliveryCounts) -> None:
    """Say that more workers were asked for than there are parts."""
    if (plan.engine.workers or 0) > counts.parts:
        note(
            f"{plan.engine.workers} workers are asked for, but the persons make {counts.parts} "
            f"{'part' if counts.parts == 1 else 'parts'}, one for about 40,000 of them: the other workers idle."
        )


def _n_waiting(plan: Plan, counts: DeliveryCounts) -> int:
    """How many parts are begun at a time: on a cluster all of them, and its scheduler decides."""
    return counts.parts if plan.engine.address else at_a_time(plan, counts)
