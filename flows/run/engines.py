"""Where the parts of a run are worked on: in threads or processes of this machine, or on a Dask cluster.

Prefect starts each part in a thread of the run. The part is then worked on in that thread, or handed to a worker
and waited for. So workers need neither Prefect nor its server, and a worker that is killed takes only the part
with it that it was working on. Workers are given paths and small numbers: a cluster needs the study's files, the
delivery and the output folder under the same paths on every machine. Where a part is worked on does not show in
the results.

Others on this machine can reach a cluster of its own, and whoever can ask a cluster can have it run anything. So only
who has its certificate can ask it, which is made for the run and stays in memory.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING

from impasse.flows.gate.environment import environment
from impasse.flows.run.plan import Plan
from impasse.flows.run.steps import classifying
from impasse.schemas.errors import ImpasseError, MayPass
from impasse.schemas.study import EngineSection

if TYPE_CHECKING:
    from distributed import Client, Future
    from prefect_dask import DaskTaskRunner

Classify = Callable[[Plan, int, int, int], None]  # as classifying.classify_part

PATIENCE = 60  # seconds without a single worker until a Dask cluster counts as gone
ANSWERS_WITHIN = 20  # seconds that its scheduler has to answer
_LOOK_EVERY = 5  # seconds


class ClusterGone(ImpasseError):  # noqa: N818  (it tells what happened)
    """The Dask cluster no longer answers, or has no worker left."""


def require_engine(engine: EngineSection) -> None:
    """Before anything is read: is Dask installed, and does the cluster answer, if either is asked for?"""
    if engine.kind != "dask":
        return
    runner = _on_dask(engine, 1)
    if engine.address:
        with _client(runner, engine):
            pass


@contextmanager
def workers(engine: EngineSection, at_a_time: int) -> Iterator[Classify]:
    """What classifies a part on the engine, for as long as it is needed; called from as many threads as may wait.

    So many parts are worked on at a time on this machine; how many on a cluster that is there already is its own
    affair. Raises MayPass where a worker was lost, ClusterGone where there is no use in trying again.
    """
    if engine.kind == "threads":
        yield classifying.classify_part
        return
    others = _processes(at_a_time) if engine.kind == "processes" else _cluster(engine, at_a_time)
    with environment(PYTHONSAFEPATH="1"), others as classify:  # no file of the current folder stands in for a module
        yield classify


@contextmanager
def _processes(n_workers: int) -> Iterator[Classify]:
    """Processes that each take one part at a time; one that was killed is followed by a new one."""
    idle: SimpleQueue[ProcessPoolExecutor] = SimpleQueue()
    for _ in range(n_workers):
        idle.put(_process())

    def classify(plan: Plan, part: int, n_parts: int, n_buckets: int) -> None:
        process = idle.get()
        try:
            process.submit(classifying.classify_part, plan, part, n_parts, n_buckets).result()
        except BrokenProcessPool:
            process.shutdown()
            process = _process()
            raise _lost() from None
        finally:
            idle.put(process)

    try:
        yield classify
    finally:
        for _ in range(n_workers):
            idle.get().shutdown()


def _process() -> ProcessPoolExecutor:
    """One process, started anew, so that it does not begin with the memory of this one."""
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), initializer=_end_with_parent)


def _end_with_parent() -> None:
    """A run that is killed leaves no process behind that goes on writing."""
    run = multiprocessing.parent_process()

    def watch() -> None:
        run.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()


@contextmanager
def _cluster(engine: EngineSection, n_workers: int) -> Iterator[Classify]:
    """A Dask cluster: the one at the engine's address, or one of this machine's own."""
    runner = _on_dask(engine, n_workers)
    with _for_nobody_else(), _client(runner, engine) as client:

        def classify(plan: Plan, part: int, n_parts: int, n_buckets: int) -> None:
            from distributed.client import ClosedClientError
            from distributed.scheduler import KilledWorker

            try:
                future = client.submit(classifying.classify_part, plan, part, n_parts, n_buckets, pure=False)
                fault = _fault(client, future)
            except (CancelledError, OSError, ClosedClientError):
                raise _gone(engine) from None
            if isinstance(fault, KilledWorker):
                raise _lost(fault.allowed_failures) from None
            if fault is not None:
                raise fault

        yield classify


def _fault(client: Client, future: Future) -> BaseException | None:
    """How a part ended, when it has. What is raised here comes from the cluster and not from the part."""
    while True:
        try:
            fault = future.exception(timeout=_LOOK_EVERY)
        except TimeoutError:
            client.wait_for_workers(1, timeout=PATIENCE)
            continue
        if future.status in ("finished", "error"):
            return fault
        if future.status != "pending":  # it was done, and is to be done anew: its worker was lost with what it had said
            raise CancelledError


def _on_dask(engine: EngineSection, n_workers: int) -> DaskTaskRunner:
    """Prefect's way to a cluster: it starts one or connects to one, and ends what it started."""
    try:
        from prefect_dask import DaskTaskRunner
    except ModuleNotFoundError:
        raise ImpasseError(
            "Dask is not installed.",
            where="study file, engine.kind, or --engine",
            expected="threads, processes, or an installation with Dask",
            do="Install it with `pip install 'impasse[dask]'`.",
        ) from None
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # what it would say, a run says in its own words
    if engine.address:
        return DaskTaskRunner(address=engine.address, client_kwargs={"timeout": ANSWERS_WITHIN})
    local = {"n_workers": n_workers, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0", "host": "127.0.0.1"}
    return DaskTaskRunner(cluster_kwargs={**local, "security": True, "scheduler_kwargs": {"dashboard": False}})


@contextmanager
def _for_nobody_else() -> Iterator[None]:
    """What is set for a cluster of this machine's own: it shows no pages, and its folder is the user's alone.

    Dask would take one in /tmp that others may have made. It looks for modules there, too.
    """
    import dask

    with TemporaryDirectory(prefix="impasse-", ignore_cleanup_errors=True) as folder:
        settings = {
            "temporary-directory": folder,
            "distributed.scheduler.http.routes": [],
            "distributed.worker.http.routes": [],
            "distributed.scheduler.allowed-failures": 0,  # a run tries again itself, and says so
        }
        with dask.config.set(settings):
            yield


@contextmanager
def _client(runner: DaskTaskRunner, engine: EngineSection) -> Iterator[Client]:
    with runner:
        try:
            client = runner.client
        except OSError:
            raise _gone(engine) from None
        yield client


def _lost(tried_again: int = 0) -> MayPass:
    """A worker ended while it worked on a part, whether it was killed by hand or by the system."""
    times = f", {1 + tried_again} times in a row" if tried_again else ""
    return MayPass(
        f"A worker was killed{times}, as when memory runs out.",
        do="Look for a smaller --memory, or --workers 1, if it was for lack of memory.",
    )


def _gone(engine: EngineSection) -> ClusterGone:
    return ClusterGone(
        "The Dask cluster does not answer, or has no worker.",
        where=engine.address or "this machine",
        expected="a scheduler and at least one worker",
        do="Start them, or use another --engine.",
    )
