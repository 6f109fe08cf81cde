"""The steps of a run. Each reads paths, calls the functions that compute or say, and writes paths.

work/buckets/NNNN/   canonical tables of one bucket of persons
work/counts/NNNN/    what the comparison needs of one part of the persons
work/restricted/     person level: episodes, trials, judgements, classifications, a file for each part; quarantine
work/release/        what may leave: tables, pages, definitions
work/checks.json     what was checked and found, for the pages
work/progress.json   what a stopped run needs to go on, and how far it is

While they work nobody but the user may read any of it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from impasse.flows.checks import quality
from impasse.flows.definitions.catalogue import case_files, methods_contents
from impasse.flows.delivery import delivery
from impasse.flows.files import kept, texts
from impasse.flows.files.keep import private, remove_asides, settle
from impasse.flows.gate.redact import discreet
from impasse.flows.run import io
from impasse.flows.run.intake import Taken, take_in
from impasse.flows.run.plan import Loaded, Plan, delivery_unchanged, load, load_as_planned, program_fingerprint, stated
from impasse.flows.run.program import rendering, versions
from impasse.reports.pages.methods import render_methods
from impasse.reports.pages.report import Option, ReportContents, render_report, sentences
from impasse.reports.pages.validation import ValidationContents, render_validation
from impasse.reports.words.delivery_notes import note_sentences
from impasse.reports.words.limits import unread_sentences
from impasse.schemas.addresses import is_address
from impasse.schemas.codelists import CodeLists
from impasse.schemas.definition import Definition
from impasse.schemas.errors import ImpasseError
from impasse.schemas.expectations import ExpectationResult
from impasse.schemas.extracts import MODELS, Extract
from impasse.schemas.found import Found
from impasse.schemas.tables import KEYS, RELEASE, RESTRICTED
from impasse.transforms.classify import classify
from impasse.transforms.compare.agreement import compare_overall, compare_pairs, count_agreement
from impasse.transforms.compare.attrition import compare_attrition, count_attrition
from impasse.transforms.compare.characteristics import count_profile, sum_profile
from impasse.transforms.compare.prevalence import count_prevalence, count_verdicts, rate_prevalence
from impasse.transforms.disclose.sentences import check_sentences
from impasse.transforms.disclose.suppress import protect
from impasse.transforms.ingest.clean import RULES, Cleaned, Source, clean
from impasse.transforms.judge.untried import ESTABLISHED
from impasse.transforms.kernels.compiled import KEPT_IN
from impasse.transforms.partition.buckets import power_of_two
from impasse.transforms.partition.memory import Size, parts_at_a_time
from impasse.transforms.partition.parts import buckets_of, count_parts, joined

METHODS = "methods.html"
COUNTS = ("prevalence", "pairs", "votes", "attrition", "profile")


@dataclass(frozen=True)
class DeliveryCounts:
    """Rows delivered, accepted and quarantined per table, and into how many buckets and parts persons were cut.

    `size` is what the memory of the parts is judged by.
    """

    tables: list[dict[str, object]]
    buckets: int
    parts: int
    size: Size


@private()
def read_delivery(plan: Plan) -> DeliveryCounts:
    """Read, clean, validate and check the delivery; write the buckets and the quarantine."""
    with delivery_unchanged(plan):
        counts = _read_and_check(plan)
    texts.write_json({"of": plan.made_of(), "counts": asdict(counts), "is_whole": False}, plan.progress)
    return counts


def _read_and_check(plan: Plan) -> DeliveryCounts:
    loaded = load(plan.study_path)
    delivered = delivery.read_delivery(loaded.study, plan.base, loaded.layout)
    source = Source(loaded.layout, loaded.study, loaded.codes)
    size = source.size(delivered)
    n_parts = count_parts(size.n_persons)
    n_buckets = power_of_two(max(plan.output.buckets, n_parts))
    _at_a_time(plan, size, n_parts)  # too little memory is said before the work starts
    taken = take_in(plan, delivered, source, n_buckets)
    io.write_parquet(taken.rules, plan.work / "restricted" / "quarantine_rules.parquet", key=("table", "rule"))
    _write_release(plan, "reconciliation", taken.reconciliation)
    results = quality.check_facts(taken.facts, taken.reconciliation, taken.rules, loaded.study)
    found = [asdict(entry) for entry in delivered.found]
    _add_checks(plan, results, observes=sorted(taken.observes), noted=noted(taken, taken.kinds), found=found)
    quality.require(results)
    return DeliveryCounts(taken.reconciliation.to_dicts(), n_buckets, n_parts, size)


def noted(found: Taken | Cleaned, kinds: pl.DataFrame) -> dict[str, object]:
    """What the notes on a delivery are made of."""
    return {
        "unused": found.unused.to_dicts(),
        "reversals": asdict(found.reversals),
        "n_coverage_of_others": found.rules.filter(table="coverage", rule="person_unknown")["n"].sum(),
        "kinds": kinds.to_dicts(),
        "n_of_other_kinds": found.n_of_other_kinds,
        "midnights": found.midnights,
        "omop_notes": asdict(found.omop_notes) if found.omop_notes else None,
    }


def delivery_notes(plan: Plan) -> list[str]:
    """What should be known of the delivery before its numbers are read, as sentences."""
    checks = texts.read_json(plan.work / "checks.json")
    return [*note_sentences(checks["noted"], load(plan.study_path).study), *unread_sentences(_found(checks))]


def require_memory(study_path: Path, said: dict[str, str | int | None]) -> None:
    """Refuse a delivery on this machine for which there is too little memory, before a run of it is begun.

    It is only glanced at: the run counts its rows, and refuses it then if they are more than they seemed to be. A disk
    that does not answer is the run's own affair, which tries again; a delivery on S3 is read by the run only.
    """
    loaded = load(study_path)
    output, engine = stated(loaded.study, said)
    if is_address(loaded.study.source.path):
        return
    with suppress(OSError):
        glanced = delivery.glance_at(loaded.study, study_path.parent, loaded.layout)
        size = Source(loaded.layout, loaded.study, loaded.codes).size(glanced)
        in_processes = engine.kind != "threads"
        parts_at_a_time(size, count_parts(size.n_persons), output.memory_bytes, 1, in_processes=in_processes)


def delivery_read_before(plan: Plan) -> DeliveryCounts | None:
    """The counts of a delivery that a stopped run had read, if this run resumes one."""
    if not plan.progress.exists():
        return None
    counts = texts.read_json(plan.progress)["counts"]
    return DeliveryCounts(**{**counts, "size": Size(**counts["size"])})


def at_a_time(plan: Plan, counts: DeliveryCounts) -> int:
    """How many parts may be worked on at a time on this machine, with the memory, engine and workers of the plan."""
    return _at_a_time(plan, counts.size, counts.parts)


def _at_a_time(plan: Plan, size: Size, n_parts: int) -> int:
    in_processes = plan.engine.kind != "threads"
    return parts_at_a_time(size, n_parts, plan.output.memory_bytes, plan.workers, in_processes=in_processes)


def is_classified(plan: Plan, part: int) -> bool:
    """Is the part done, and all of it written?"""
    return _done(plan, part).exists()


def _done(plan: Plan, part: int) -> Path:
    """An empty file, written when all others are on the disk."""
    return _counts_of(plan, part) / "done"


def _counts_of(plan: Plan, part: int) -> Path:
    return plan.work / "counts" / f"{part:04d}"


def clean_delivery(study_path: Path) -> Cleaned:
    """The canonical tables and the quarantine of a study's delivery."""
    loaded = load(study_path)
    delivered = delivery.read_delivery(loaded.study, study_path.parent, loaded.layout)
    return clean(delivered, loaded.layout, loaded.study, loaded.codes)


@discreet
@private()
def classify_part(plan: Plan, part: int, n_parts: int, n_buckets: int) -> None:
    """Classify one part of the persons under every definition and count what the comparison needs.

    It may run on a worker, which tells how it ended on its own, and so is discreet wherever it runs.
    """
    loaded = load_as_planned(plan)
    buckets = [_read_bucket(plan, number) for number in buckets_of(part, n_parts, n_buckets)]
    made = classify(joined(buckets), loaded.study, loaded.definitions, loaded.codes)
    for name in RESTRICTED:
        io.write_parquet(getattr(made, name), plan.restricted(name, part), RESTRICTED[name])
    pairs, votes = count_agreement(made.matrix)
    profiled = (made.episodes, made.classifications, made.stages, made.impasses, loaded.definitions, loaded.codes)
    counts = {
        "prevalence": count_prevalence(made.matrix),
        "pairs": pairs,
        "votes": votes,
        "attrition": count_attrition(made.matrix),
        "profile": count_profile(*profiled),
    }
    for name in COUNTS:
        io.write_parquet(counts[name], _counts_of(plan, part) / f"{name}.parquet")
    settle(*(plan.restricted(name, part) for name in RESTRICTED), _counts_of(plan, part))
    texts.write_text("", _done(plan, part))


def _giving_verdicts(loaded: Loaded) -> list[Definition]:
    """The definitions that are compared; a staging system gives a score or a stage instead."""
    return [definition for definition in loaded.definitions if definition.gives == "verdict"]


@private()
def compare(plan: Plan) -> list[dict[str, object]]:
    """The release tables: computed from the counts, protected together, checked. Returns verdict counts, protected."""
    remove_asides(plan.work)  # of workers that were killed
    study = load(plan.study_path).study
    prevalence = rate_prevalence(_counts(plan, "prevalence"))
    tables = {
        "prevalence": prevalence,
        "agreement": compare_pairs(_counts(plan, "pairs")),
        "agreement_overall": compare_overall(_counts(plan, "votes"), prevalence),
        "attrition": compare_attrition(_counts(plan, "attrition")),
        "profile": sum_profile(_counts(plan, "profile")),
    }
    protected = protect(tables, study.disclosure.threshold)
    for name, table in protected.items():
        _write_release(plan, name, table)
    _check_release(plan)
    return count_verdicts(protected["prevalence"]).to_dicts()


def _check_release(plan: Plan) -> None:
    loaded = load(plan.study_path)
    restricted = plan.work / "restricted"
    tables = {name: io.scan(plan.work / "release" / f"{name}.parquet") for name in RELEASE}
    n_episodes = io.scan(restricted / "episodes.parquet").select(pl.len()).collect().item()
    results = quality.check_release(
        {**tables, "classifications": io.scan(restricted / "classifications.parquet")},
        n_episodes,
        len(_giving_verdicts(loaded)),
        loaded.study,
    )
    _add_checks(plan, results)
    quality.require(results)


@private()
def render(plan: Plan) -> None:
    """The three pages, and the definitions as they were read."""
    loaded = load(plan.study_path)
    for definition, text in loaded.texts.items():
        texts.write_text(text, plan.work / "release" / "definitions" / f"{definition}.toml")
    texts.write_text(_methods_page(plan, loaded), plan.work / "release" / METHODS)
    report, validation = _report_contents(plan), validation_contents(plan)
    expected = [text for row in validation.expectations for text in (row["expectation"], row["observed"])]
    check_sentences([*sentences(report), *expected], {name: _read_release(plan, name) for name in RELEASE})
    texts.write_text(render_validation(validation), plan.work / "release" / "validation.html")
    texts.write_text(render_report(report), plan.work / "release" / "report.html")


def _methods_page(plan: Plan, loaded: Loaded) -> str:
    """The compared definitions with their worked cases; a page that is the same for every run of them."""
    try:
        cases = case_files([plan.base / folder for folder in loaded.study.definitions.folders])
        told = [(d.id, loaded.texts[d.id], cases.get(d.id)) for d in loaded.definitions]
        made_of = (program_fingerprint(), rendering(), told)
        return kept.page(made_of, lambda: render_methods(methods_contents(loaded.definitions, cases)), KEPT_IN)
    except ImpasseError:  # a user's case that cannot be read must not stop a run; `impasse definitions lint` tells it
        return render_methods(methods_contents(loaded.definitions))


def validation_contents(plan: Plan) -> ValidationContents:
    """What the validation page says, from what has been checked so far."""
    checks = texts.read_json(plan.work / "checks.json")
    common = _common(plan)
    return ValidationContents(**common, expectations=checks["expectations"], found=_found(checks))


def _found(checks: dict[str, Any]) -> tuple[Found, ...]:
    return tuple(Found(**entry) for entry in checks["found"])


def _report_contents(plan: Plan) -> ReportContents:
    loaded = load(plan.study_path)
    observes = frozenset(texts.read_json(plan.work / "checks.json")["observes"])
    tables = {name: _read_release(plan, name) for name in RELEASE if name != "reconciliation"}
    return ReportContents(
        **_common(plan),
        **tables,
        definitions=list(loaded.definitions),
        verdicts=count_verdicts(tables["prevalence"]),
        observes=observes,
        options=_options(loaded.codes, observes),
        rounded_to=loaded.study.disclosure.threshold,
        methods=METHODS,
    )


def _options(codes: CodeLists, observes: frozenset[str]) -> dict[str, list[Option]]:
    """By disorder the treatments that may have been tried, in the order of the code list."""
    rows = codes.options.filter(pl.col("tier").is_in(ESTABLISHED)).select("disorder", "option", "treatments").rows()
    options: dict[str, list[Option]] = {}
    for disorder, option, group in rows:
        is_observed = codes.observed_as_of_group(group) <= observes
        options.setdefault(disorder, []).append(Option(option, is_observed))
    return options


def _common(plan: Plan) -> dict[str, object]:
    """What both pages say."""
    study = load(plan.study_path).study
    reconciliation = _read_release(plan, "reconciliation")
    rules = io.read_parquet(plan.work / "restricted" / "quarantine_rules.parquet")
    return {
        "study_name": study.name,
        "study_title": study.title,
        "run_id": plan.run_id,
        "date_text": f"{plan.run_id[:4]}-{plan.run_id[4:6]}-{plan.run_id[6:8]}",
        "reconciliation": reconciliation,
        "rules": rules,
        "absent_tables": tuple(reconciliation.filter(~pl.col("is_present"))["table"]),
        "provenance": {"versions": versions(), "parameters": parameters(plan)},
        "rule_meanings": RULES,
        "notes": delivery_notes(plan),
    }


def parameters(plan: Plan) -> dict[str, str]:
    """The study's settings that shape the results, as text."""
    study = load(plan.study_path).study
    sections = study.model_dump(mode="json", include={"period", "episodes", "supply", "disclosure"})
    shaping = {f"{section}.{key}": str(value) for section, keys in sections.items() for key, value in keys.items()}
    return shaping | ({"source.exposure_end": study.source.exposure_end} if study.source.kind == "omop" else {})


def _counts(plan: Plan, name: str) -> pl.DataFrame:
    """The counts of all parts."""
    return pl.concat([io.read_parquet(folder / f"{name}.parquet") for folder in io.folders(plan.work / "counts")])


def _read_bucket(plan: Plan, number: int) -> Extract:
    paths = {name: plan.bucket(number) / f"{name}.parquet" for name in MODELS}
    tables = {name: io.read_parquet(path) if path.exists() else None for name, path in paths.items()}
    return Extract(**tables, observes=frozenset(texts.read_json(plan.work / "checks.json")["observes"]))


def _write_release(plan: Plan, name: str, table: pl.DataFrame) -> None:
    io.write_parquet(table, plan.work / "release" / f"{name}.parquet", RELEASE[name], KEYS[name])


def _read_release(plan: Plan, name: str) -> pl.DataFrame:
    return io.read_parquet(plan.work / "release" / f"{name}.parquet")


def _add_checks(plan: Plan, results: list[ExpectationResult], **facts: object) -> None:
    """Keep what was checked; later steps add to it, and a step that is done again says nothing twice."""
    path = plan.work / "checks.json"
    before = texts.read_json(path) if path.exists() else {"expectations": []}
    rows = [result.report_row() for result in results]
    kept = [row for row in before["expectations"] if row not in rows]
    texts.write_json({**before, **facts, "expectations": kept + rows}, path)
