"""How fast Impasse is on this machine: beside the floor, and beside SQL that does the same work.

What is timed, and where it stands:

1. A made-up registry of so many persons is written once, untimed.
2. The floor, and each stage of a run: the functions that a run calls, in its order, as they are (stages.py).
3. The same run with Prefect and without it, in turns (prefect_share.py).
4. Two pieces of work, by Impasse and by DuckDB from the same canonical Parquet files, until a table is in memory. Only
   if every row is the same are the times taken, in turns. Verdicts: `classify`, as a run calls it for a part, and the
   verdict alone of what it makes. Eras: the sort, the rule of eras and the borders of a run's history, on dispensings
   of persons instead of episodes. DuckDB: eras.sql and verdicts.sql.

Seconds of different machines, and of one machine at different hours, do not compare; ratios within one run do.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from glob import escape
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import duckdb
import numpy as np
import polars as pl

from impasse.flows.bench.prefect_share import in_turns
from impasse.flows.bench.stages import MEASURED_STAGES, Cost, floor, measured, run_whole, stage_costs
from impasse.flows.cli import demo
from impasse.flows.files import inputs, texts
from impasse.flows.files.folders import folders_in
from impasse.flows.files.tables import read_parquet, scan_each, scan_parquet, write_parquet
from impasse.flows.gate.redact import InternalError
from impasse.flows.run.plan import Plan, make_plan
from impasse.flows.run.progress import tell
from impasse.flows.run.steps.findings import observed_treatments
from impasse.schemas import study
from impasse.schemas.codelists import CodeLists
from impasse.schemas.definition import Definition
from impasse.schemas.extracts import Extract
from impasse.schemas.study import Study
from impasse.transforms.history.encode import numbered
from impasse.transforms.kernels.days import opens_era, packed
from impasse.transforms.kernels.segments import Segments, in_order
from impasse.transforms.results import classify
from impasse.transforms.simulator.tools import FIRST_DATE, LAST_DATE

GAP_DAYS = 30
# One for each way of reading supply: as delivered, by its dates only, and with leftovers carried over.
DEFINITIONS = ("dep_ohdsi_1009", "dep_psychemerge_2", "dep_fife_2017")
# Treatment does not bridge contacts here: that would double the SQL and add nothing to what is compared.
BENCH_STUDY = f"""\
name = "bench"
source = {{ kind = "registry", path = "." }}
period = {{ start = {FIRST_DATE}, end = {LAST_DATE} }}

[episodes]
disorders = ["depression"]
gap_days = 180
treatment_bridges = false
tail_days = 30
min_prior_observation_days = 365
lead_days = 30
"""
_ROUNDS = 3
PREFECT_ROUNDS = 3
PREFECT_PERSONS = 100_000  # at most, because a run of them is made six times
_READ = ("persons", "coverage", "diagnoses", "dispensings", "procedures")
_SUPPLY = ("person", "atc", "date", "days")
_ORDER = {"eras": ("person", "atc", "start_date"), "verdicts": ("episode_id", "definition_id")}


@dataclass(frozen=True)
class Contest:
    """Work done twice: by Impasse and by DuckDB. Each side gives a table in memory, in whatever order."""

    name: str
    title: str
    ours: Callable[[], pl.DataFrame]
    theirs: Callable[[], pl.DataFrame]


def run(persons: int) -> dict[str, object]:
    """Every figure, as it goes into the JSON file."""
    with TemporaryDirectory(prefix="impasse-bench-") as name:
        return _run(Path(name), persons)


def _run(folder: Path, persons: int) -> dict[str, object]:
    last = len(MEASURED_STAGES) + 5
    tell("making up a registry", 0, last)
    study_path = demo.write_demo(folder, persons)
    tell("the floor", 1, last)
    least = measured(floor, folder / "delivery", folder / "sorted")
    plan, costs = make_plan(study_path, folder / "staged"), {}
    for place, (stage, cost) in enumerate(zip(MEASURED_STAGES, stage_costs(plan), strict=True)):
        tell(f"done: {stage}", 2 + place, last)
        costs[stage] = cost
        if place == 0:  # publishing, later, removes what they are made from
            observes = measured(write_canonical, plan, folder / "canonical").gave
    tell("a whole run", last - 3, last)
    costs["whole run"] = measured(run_whole, study_path, folder / "whole")
    tell("with and without Prefect", last - 2, last)
    orchestrated = under_prefect(folder / "orchestrated", min(persons, PREFECT_PERSONS))
    tell("beside DuckDB", last - 1, last)
    return {
        "machine": machine(),
        "persons": persons,
        "rows": least.gave,
        "floor": _told(least, least),
        "stages": [{"stage": stage, **_told(cost, least)} for stage, cost in costs.items()],
        "under_prefect": orchestrated,
        "beside_duckdb": [compared(contest) for contest in contests(folder / "canonical", observes)],
    }


def _told(cost: Cost, least: Cost) -> dict[str, float | int]:
    """A cost beside the floor; rows are those delivered."""
    return {
        "seconds": round(cost.seconds, 3),
        "peak_bytes": cost.peak_bytes,
        "rows_per_second": round(least.gave / cost.seconds),
        "times_floor": round(cost.seconds / least.seconds, 3),
    }


def under_prefect(folder: Path, persons: int) -> dict[str, float | int]:
    """Prefect's own share of a run."""
    study_path = demo.write_demo(folder, persons)
    turns = measured(in_turns, study_path, folder / "runs", PREFECT_ROUNDS).gave
    return {"persons": persons, **turns.told()}


def machine() -> dict[str, object]:
    """What the figures depend on, and nothing that names the machine."""
    return {
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": platform.system(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        **{library: version(library) for library in ("polars", "duckdb", "numba", "numpy", "pyarrow")},
    }


def write_canonical(plan: Plan, folder: Path) -> frozenset[str]:
    """The canonical tables as a run leaves them, bucket by bucket; returns what the delivery can show.

    Persons are numbered through, not anew in each bucket, so that all buckets are one table for the SQL.
    """
    before = 0
    for bucket in folders_in(plan.work / "buckets"):
        for name in _READ:
            table = read_parquet(bucket / f"{name}.parquet")
            through = table.with_columns((pl.col("person") + before).cast(pl.UInt32))
            write_parquet(through, folder / bucket.name / f"{name}.parquet")
        before += len(read_parquet(bucket / "persons.parquet"))
    return observed_treatments(plan.work)


def contests(folder: Path, observes: frozenset[str]) -> list[Contest]:
    """What both sides compute from the canonical tables in `folder`."""
    database = duckdb.connect()
    for name in _READ:
        database.from_parquet(f"{escape(str(folder))}/*/{name}.parquet").create_view(name)
    codes, known = inputs.read_codelists(), inputs.read_definitions()
    definitions = [known[name] for name in DEFINITIONS]
    chosen = study.parse("the bench's study", BENCH_STUDY)
    for name, rows in lookups(folder, codes, definitions).items():
        database.from_arrow(rows.to_arrow()).create(name)
    settings = {
        "gap": chosen.episodes.gap_days,
        "tail": chosen.episodes.tail_days,
        "lead": chosen.episodes.lead_days,
        "prior": chosen.episodes.min_prior_observation_days,
        "max_days": chosen.supply.max_days,
        "period_start": chosen.period.start,
        "period_end": chosen.period.end,
    }
    return [
        Contest(
            "eras",
            f"eras of drugs, gap of {GAP_DAYS} days",
            lambda: eras(folder, GAP_DAYS),
            lambda: _asked(database, "eras", {"gap": GAP_DAYS}),
        ),
        Contest(
            "verdicts",
            "three definitions, from tables to verdicts",
            lambda: verdicts(folder, observes, chosen, definitions, codes),
            lambda: _asked(database, "verdicts", settings),
        ),
    ]


def _asked(database: duckdb.DuckDBPyConnection, query: str, settings: dict[str, object]) -> pl.DataFrame:
    """What DuckDB answers to the query of a file beside this one."""
    sql = texts.read_text(Path(__file__).with_name(f"{query}.sql"))
    return pl.DataFrame(database.sql(sql, params=settings).to_arrow_table())


def lookups(folder: Path, codes: CodeLists, definitions: list[Definition]) -> dict[str, pl.DataFrame]:
    """The code lists as the SQL wants them: only the codes that occur, and what each is in."""
    diagnoses = scan_each(folder, "*/diagnoses.parquet").select("code_system", "code").unique().collect()
    listed = codes.codes_in_list(diagnoses)
    kinds = {"depression": False, "depression_remission": True}
    contacts = listed.filter(pl.col("list").is_in(kinds))
    exclusions = [
        listed.filter(pl.col("list").is_in([exclusion.codes for exclusion in definition.eligible.exclusions]))
        .select("code_system", "code", definition_id=pl.lit(definition.id))
        .unique()
        for definition in definitions
    ]
    atc = scan_each(folder, "*/dispensings.parquet").select("atc").unique().collect()["atc"]
    groups = sorted({group for definition in definitions for group in definition.groups})
    members = [pl.col("groups").list.contains(group).alias(group) for group in groups]
    resolved = codes.resolve_atc(atc)
    drugs = resolved.select("atc", *members).filter(pl.any_horizontal(groups))
    done = scan_each(folder, "*/procedures.parquet").select("treatment").unique().collect()["treatment"]
    treats = pl.col("groups").list.contains("treats_depression")
    return {
        "contact_codes": contacts.select("code_system", "code", is_remission=pl.col("list").replace_strict(kinds)),
        "exclusions": pl.concat(exclusions),
        "drugs": drugs.with_row_index("drug"),
        "treating_drugs": resolved.filter(treats).select("atc"),
        "treating_procedures": codes.resolve_treatment(done).filter(treats).select("treatment"),
    }


def eras(folder: Path, gap: int) -> pl.DataFrame:
    """One row per era of a drug, as Impasse finds them."""
    supply = "dispensings.parquet"
    return _in_buckets(folder, lambda bucket: _eras(scan_parquet(bucket / supply).select(_SUPPLY).collect(), gap))


def _eras(rows: pl.DataFrame, gap: int) -> pl.DataFrame:
    """The supplies of each person and drug in the order of days, cut where an era opens."""
    names, drug = numbered(rows["atc"])
    before = rows["person"].min() or 0
    line = (rows["person"].to_numpy().astype(np.int64) - before) * len(names) + drug
    day, days = rows["date"].to_physical().to_numpy(), rows["days"].fill_null(0).to_numpy()
    order = in_order(packed(line, day))
    line, start = line[order], day[order]
    end_excl = start + days[order]
    found = Segments.opened_by(opens_era(line, start, end_excl, gap))
    person, drug = np.divmod(line[found.first], len(names))
    return pl.DataFrame(
        {
            "person": pl.Series(person + before, dtype=pl.UInt32),
            "atc": names.gather(drug),
            "start_date": pl.Series(start[found.first], dtype=pl.Int32).cast(pl.Date),
            "end_excl": pl.Series(found.max(end_excl), dtype=pl.Int32).cast(pl.Date),
            "n_dispensings": found.lengths,
        }
    )


def verdicts(
    folder: Path, observes: frozenset[str], chosen: Study, definitions: list[Definition], codes: CodeLists
) -> pl.DataFrame:
    """One verdict per episode and definition, by the rules that a run applies, and nothing told with it.

    Scores and admissions are not read, on either side: no definition of the three asks for them.
    """

    def judged(bucket: Path) -> pl.DataFrame:
        extract = Extract(**_tables(bucket), scores=None, admissions=None, observes=observes)
        made = classify(extract, chosen, definitions, codes)
        names = made.names.select("episode_id")
        return pl.concat(
            names.with_columns(definition_id=pl.lit(d.id), verdict=made.verdicts_of(d)) for d in definitions
        )

    return _in_buckets(folder, judged)


def _in_buckets(folder: Path, work: Callable[[Path], pl.DataFrame]) -> pl.DataFrame:
    """What the work makes of each bucket; in threads, as in a run."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return pl.concat(threads.map(work, folders_in(folder)))


def _tables(bucket: Path) -> dict[str, pl.DataFrame]:
    """The canonical tables of a bucket, persons numbered from 0."""
    tables = {name: read_parquet(bucket / f"{name}.parquet") for name in _READ}
    first = tables["persons"]["person"].min() or 0
    return {name: table.with_columns(pl.col("person") - first) for name, table in tables.items()}


def compared(contest: Contest) -> dict[str, object]:
    """Rows of both sides, equal to the last, and only then the times: the best of some turns."""
    rows = require_same(contest.title, contest.ours(), contest.theirs(), _ORDER[contest.name])
    turns = [(_seconds(contest.ours), _seconds(contest.theirs)) for _ in range(_ROUNDS)]
    ours, theirs = (min(side) for side in zip(*turns, strict=True))
    return {
        "work": contest.name,
        "title": contest.title,
        "rows_equal": rows,
        "seconds": round(ours, 3),
        "duckdb_seconds": round(theirs, 3),
        "times_faster": round(theirs / ours, 2),
    }


def _seconds(work: Callable[[], pl.DataFrame]) -> float:
    begin = perf_counter()
    work()
    return perf_counter() - begin


def require_same(title: str, ours: pl.DataFrame, theirs: pl.DataFrame, key: tuple[str, ...]) -> int:
    """The number of rows, if both sides have the same ones in whatever order; else an error that tells counts only."""
    mine, others = (side.select(theirs.columns).cast(theirs.schema).sort(key) for side in (ours, theirs))
    if mine.equals(others):
        return len(mine)
    only_mine = len(mine.join(others, on=mine.columns, how="anti", nulls_equal=True))
    only_others = len(others.join(mine, on=mine.columns, how="anti", nulls_equal=True))
    raise InternalError(
        f"Impasse and DuckDB do not agree on {title}: no time is told.",
        where=f"{len(mine):,} rows of Impasse, {len(others):,} of DuckDB",
        expected="the same rows",
        do=f"Report it: {only_mine:,} rows are only ours, {only_others:,} only DuckDB's.",
    )
