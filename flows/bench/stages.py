"""What a run costs, stage by stage, and the floor that it is measured against.

The floor is the least that anything must do that puts a delivery in order: scan who, what and when of every
delivered row, pack them into one integer, sort once, and write the same rows again as small integers. Each
measurement is made in a process of its own, so that the peak of one says nothing about the next. The
stages are the functions that a run calls, in its order, without the orchestrator.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import polars as pl

from impasse.flows.files import texts
from impasse.flows.files.tables import scan_parquet, write_parquet
from impasse.flows.run.loading import Loaded, load
from impasse.flows.run.plan import Plan, make_plan
from impasse.flows.run.steps import classifying, comparing, publication, reading, rendering
from impasse.flows.run.steps.reading import DeliveryCounts

_CODE_BITS, _DAY_BITS = 12, 20
# Of each delivered table the columns that the floor packs: who, what and when.
FLOOR_KEYS = {
    "persons": ("person_id", "sex", "birth_date"),
    "coverage": ("person_id", None, "start_date"),
    "diagnoses": ("person_id", "code", "date"),
    "dispensings": ("person_id", "atc", "date"),
    "procedures": ("person_id", "code", "date"),
    "scores": ("person_id", "scale", "date"),
    "admissions": ("person_id", "main_code", "start_date"),
}


@dataclass(frozen=True)
class Cost:
    """What a piece of work took. `gave` is what it returned."""

    seconds: float
    peak_bytes: int
    gave: Any  # of every type: each piece of work returns something else


def classify_in_threads(plan: Plan, counts: DeliveryCounts) -> None:
    """Classify all parts of the persons, in as many threads as a run takes unless it is told otherwise."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        parts = [
            threads.submit(classifying.classify_part, plan, part, counts.parts, counts.buckets)
            for part in range(counts.parts)
        ]
    for part in parts:
        part.result()


# What comes after classifying, in order.
AFTER: tuple[tuple[str, Callable[[Plan, Loaded], object]], ...] = (
    ("compare", comparing.compare),
    ("write the pages", rendering.render_pages),
    ("publish", publication.publish),
)
MEASURED_STAGES = ("read, clean, check", "classify", *(name for name, _ in AFTER))


def stage_costs(plan: Plan) -> Iterator[Cost]:
    """The cost of each of STAGES, one after another; the last publishes the run."""
    loaded = load(plan.study_path)
    read = measured(reading.read_delivery, plan, loaded)
    yield read
    yield measured(classify_in_threads, plan, read.gave)
    for _, stage in AFTER:
        yield measured(stage, plan, loaded)


def run_whole(study: Path, out: Path) -> None:
    """A run from the study file to the published pages, in one go."""
    plan = make_plan(study, out)
    loaded = load(plan.study_path)
    classify_in_threads(plan, reading.read_delivery(plan, loaded))
    for _, stage in AFTER:
        stage(plan, loaded)


def floor(delivery: Path, out: Path) -> int:
    """Scan, pack, sort and write who, what and when of every delivered row; returns the number of rows."""
    people = scan_parquet(delivery / "persons.parquet").select("person_id").collect()["person_id"]
    persons = pl.Enum(people.drop_nulls().unique().sort())
    rows = 0
    for table, (who, what, when) in FLOOR_KEYS.items():
        asked = [column for column in (who, what, when) if column]
        delivered = scan_parquet(delivery / f"{table}.parquet").select(asked).collect()
        in_order = _packed(delivered, persons, who, what, when).sort()
        write_parquet(_unpacked(in_order), out / f"{table}.parquet")
        rows += len(delivered)
    return rows


def _packed(delivered: pl.DataFrame, persons: pl.Enum, who: str, what: str | None, when: str) -> pl.Series:
    """Person, code and day as one integer; a person, code or day that is not known is 0."""
    person = pl.col(who).cast(persons, strict=False).to_physical()
    code = pl.lit(0)
    if what is not None:
        codes = pl.Enum(delivered[what].drop_nulls().unique().sort())
        code = pl.col(what).cast(codes).to_physical()
    day = pl.col(when).str.to_date("%Y-%m-%d", strict=False).to_physical() + (1 << (_DAY_BITS - 1))
    parts = [part.fill_null(0).cast(pl.Int64) for part in (person, code, day)]
    key = (parts[0] * (1 << _CODE_BITS) + parts[1]) * (1 << _DAY_BITS) + parts[2]
    return delivered.select(key=key)["key"]


def _unpacked(keys: pl.Series) -> pl.DataFrame:
    key, days, codes = pl.col("key"), 1 << _DAY_BITS, 1 << _CODE_BITS
    return keys.to_frame().select(
        person=(key // (days * codes)).cast(pl.UInt32),
        code=(key // days % codes).cast(pl.UInt16),
        day=(key % days).cast(pl.Int32) - (1 << (_DAY_BITS - 1)),
    )


def measured(work: Callable[..., object], *given: object) -> Cost:
    """The cost of a piece of work, done in a process of its own that ends with it."""
    anew = multiprocessing.get_context("spawn")  # a forked process would start with the memory of this one
    with ProcessPoolExecutor(1, mp_context=anew) as pool:
        return pool.submit(_timed, work, *given).result()


def _timed(work: Callable[..., object], *given: object) -> Cost:
    begin = perf_counter()
    gave = work(*given)
    return Cost(perf_counter() - begin, _peak_memory(), gave)


def _peak_memory() -> int:
    """The most memory that this process has held, in bytes.

    Linux counts what the parent held towards `ru_maxrss` of a new process, so its own account is asked first.
    """
    account = Path("/proc/self/status")
    if account.exists():
        lines = texts.read_text(account).splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
