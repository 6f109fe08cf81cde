"""Where the parts of a run are worked on: in threads or processes of this machine, or on a Dask cluster.

Tasks are given paths and small numbers, so a cluster needs the study's files, the delivery and the output
folder under the same paths on every machine. Where a part is worked on does not show in the results.
"""

from __future__ import annotations

from typing import Any

from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

from schemas.errors import ImpasseError
from schemas.study import EngineSection


def task_runner(engine: EngineSection, workers: int) -> TaskRunner[Any]:
    """What runs the tasks of a flow on the engine, so many at a time on this machine."""
    if engine.kind == "threads":
        return ThreadPoolTaskRunner(max_workers=workers)
    if engine.kind == "processes":
        return ProcessPoolTaskRunner(max_workers=workers)
    return _on_dask(engine, workers)


def _on_dask(engine: EngineSection, workers: int) -> TaskRunner[Any]:
    try:
        from prefect_dask import DaskTaskRunner
    except ModuleNotFoundError:
        raise ImpasseError(
            "Dask is not installed.",
            where="study file, engine.kind, or --engine",
            expected="threads, processes, or an installation with Dask",
            do="Install it with `pip install 'impasse[dask]'`.",
        ) from None
    if engine.address:
        return DaskTaskRunner(address=engine.address)
    local = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None, "host": "127.0.0.1"}
    return DaskTaskRunner(cluster_kwargs=local)
