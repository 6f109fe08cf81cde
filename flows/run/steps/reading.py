"""First step: a delivery is read, cleaned and checked, and cut into buckets of persons."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from impasse.flows.checks import quality
from impasse.flows.delivery import delivery
from impasse.flows.files import texts
from impasse.flows.files.fingerprints import fingerprints, require_as_written
from impasse.flows.files.folders import files_in_folder
from impasse.flows.files.keep import for_user_alone, settle
from impasse.flows.files.tables import write_parquet
from impasse.flows.run import unfinished
from impasse.flows.run.as_planned import delivery_unchanged
from impasse.flows.run.loading import Loaded, stated
from impasse.flows.run.plan import Plan
from impasse.flows.run.steps.findings import FOLDER, keep_findings
from impasse.flows.run.steps.intake import BUCKETS, Taken, take_in
from impasse.flows.run.steps.release_tables import write_release
from impasse.flows.run.steps.scratch import temporary_folder
from impasse.schemas.addresses import is_address
from impasse.schemas.delivered import Delivered
from impasse.schemas.expectations import ExpectationResult
from impasse.schemas.found import Found
from impasse.schemas.study import OutputSection
from impasse.transforms.ingest.clean import SourceReader
from impasse.transforms.partition.buckets import power_of_two
from impasse.transforms.partition.memory import Size, parts_at_a_time, require_to_read
from impasse.transforms.partition.parts import count_parts

# The folders in a run's folder that hold what this step writes.
_WRITTEN = (BUCKETS, FOLDER, "restricted", "release")


@dataclass(frozen=True)
class DeliveryCounts:
    """Rows delivered, accepted and quarantined per table, and into how many buckets and parts persons were cut.

    `size` is what the memory of the parts is judged by.
    """

    tables: list[dict[str, object]]
    buckets: int
    parts: int
    size: Size


@dataclass(frozen=True)
class Checked:
    """A delivery that was read: its files and tables, what was made of its rows, and what is expected of it."""

    found: tuple[Found, ...]
    taken: Taken
    results: list[ExpectationResult]


@for_user_alone()
def read_delivery(plan: Plan, loaded: Loaded) -> DeliveryCounts:
    """Read, clean, validate and check the delivery; write the buckets and the quarantine.

    The progress speaks about all of it, and is written when all of it is on the disk.
    """
    with delivery_unchanged(plan, loaded):
        counts = _read_and_check(plan, loaded)
    settle(plan.work, within=plan.folder)
    written = fingerprints(plan.work, [path for part in _WRITTEN for path in files_in_folder(plan.work / part)])
    progress = {"of": plan.made_of(), "counts": asdict(counts), "written": written, "is_whole": False}
    texts.write_json(progress, plan.progress)
    return counts


def _read_and_check(plan: Plan, loaded: Loaded) -> DeliveryCounts:
    delivered = delivery.open_delivery(loaded.study, plan.base, loaded.layout)
    size = source_of(loaded).size(delivered)
    n_parts = count_parts(size.n_persons)
    _at_a_time(plan, size, n_parts)  # too little memory is said before the work starts
    n_buckets = _n_buckets(n_parts, plan.output)
    checked = _take_and_check(plan.work, delivered, loaded, n_buckets)
    taken = checked.taken
    write_parquet(taken.rules, plan.restricted("quarantine_rules"), key=("table", "rule"))
    write_release(plan, "reconciliation", taken.reconciliation)
    found = [asdict(entry) for entry in checked.found]
    noted = noted_facts(taken)
    shown = {"observes": sorted(taken.observes), "scales": sorted(taken.scales)}
    keep_findings(plan.work, checked.results, **shown, noted=noted, found=found)
    quality.require_met(checked.results)
    return DeliveryCounts(taken.reconciliation.to_dicts(), n_buckets, n_parts, size)


def check_delivery(loaded: Loaded, base: Path) -> Checked:
    """Read, clean and check a delivery as a run does, and leave nothing of it on the disk."""
    delivered = delivery.open_delivery(loaded.study, base, loaded.layout)
    size = source_of(loaded).size(delivered)
    require_to_read(size, loaded.study.output.memory_bytes)
    n_parts = count_parts(size.n_persons)
    with for_user_alone(), temporary_folder() as work:
        return _take_and_check(work, delivered, loaded, _n_buckets(n_parts, loaded.study.output))


def _take_and_check(work: Path, delivered: Delivered, loaded: Loaded, n_buckets: int) -> Checked:
    """Clean a delivery into buckets below a folder, and ask what is expected of it."""
    taken = take_in(work, delivered, source_of(loaded), n_buckets)
    quality.require_reconciled(taken.reconciliation)
    results = quality.check_facts(taken.facts, taken.reconciliation, taken.rules, loaded.study)
    return Checked(delivered.found, taken, results)


def _n_buckets(n_parts: int, output: OutputSection) -> int:
    return power_of_two(max(output.buckets, n_parts))


def noted_facts(taken: Taken) -> dict[str, object]:
    """What the notes on a delivery are made of."""
    return {
        "rules": taken.rules.to_dicts(),
        "unused": taken.unused.to_dicts(),
        "reversals": asdict(taken.reversals),
        "n_coverage_of_others": taken.rules.filter(table="coverage", rule="person_unknown")["n"].sum(),
        "kinds": taken.kinds.to_dicts(),
        "n_of_other_kinds": taken.n_of_other_kinds,
        "lengths": taken.lengths.rows(),
        "midnights": taken.midnights,
        "omop_notes": asdict(taken.omop_notes) if taken.omop_notes else None,
    }


def require_memory(loaded: Loaded, base: Path, requested: dict[str, str | int | None]) -> None:
    """Refuse a delivery on this machine for which there is too little memory, before a run of it is begun.

    It is only glanced at: the run counts its rows, and refuses it then if they are more than they seemed to be. A disk
    that does not answer is the run's own affair, which tries again; a delivery on S3 is read by the run only.
    """
    output, engine = stated(loaded.study, requested)
    if is_address(loaded.study.source.path):
        return
    with suppress(OSError):
        glanced = delivery.glance_at(loaded.study, base, loaded.layout)
        size = source_of(loaded).size(glanced)
        in_processes = engine.kind != "threads"
        parts_at_a_time(size, count_parts(size.n_persons), output.memory_bytes, 1, in_processes=in_processes)


def delivery_read_before(plan: Plan) -> DeliveryCounts | None:
    """The counts of a delivery that a stopped run had read, if this run resumes one; what it wrote must be there."""
    if not plan.progress.exists():
        return None
    progress = texts.read_json(plan.progress, unfinished.Progress)
    require_as_written(plan.work, progress.written)
    return texts.shaped(progress.counts, DeliveryCounts, plan.progress)


def at_a_time(plan: Plan, counts: DeliveryCounts) -> int:
    """How many parts may be worked on at a time on this machine, with the memory, engine and workers of the plan."""
    return _at_a_time(plan, counts.size, counts.parts)


def _at_a_time(plan: Plan, size: Size, n_parts: int) -> int:
    in_processes = plan.engine.kind != "threads"
    return parts_at_a_time(size, n_parts, plan.output.memory_bytes, plan.workers, in_processes=in_processes)


def source_of(loaded: Loaded) -> SourceReader:
    """What the study's delivery is read by."""
    return SourceReader(loaded.layout, loaded.study, loaded.codes)
