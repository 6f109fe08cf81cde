"""Second step, part by part: a part of the persons is classified under every definition, and counted."""

from __future__ import annotations

from pathlib import Path

from impasse.flows.files import texts
from impasse.flows.files.keep import for_user_alone, settle
from impasse.flows.files.tables import read_parquet, write_parquet
from impasse.flows.gate.redact import redact
from impasse.flows.run.plan import Plan
from impasse.flows.run.steps.findings import observed_treatments
from impasse.flows.run.steps.intake import bucket_folder
from impasse.flows.run.unchanged import load_as_planned
from impasse.schemas.extracts import MODELS, Extract
from impasse.schemas.tables import RESTRICTED
from impasse.transforms.classify import classify
from impasse.transforms.compare.agreement import count_agreement
from impasse.transforms.compare.attrition import count_attrition
from impasse.transforms.compare.characteristics import count_profile
from impasse.transforms.compare.prevalence import count_prevalence
from impasse.transforms.partition.parts import buckets_of, joined

COUNTS = ("prevalence", "pairs", "votes", "attrition", "profile")


@redact
@for_user_alone()
def classify_part(plan: Plan, part: int, n_parts: int, n_buckets: int) -> None:
    """Classify one part of the persons under every definition and count what the comparison needs.

    It may run on a worker, which tells how it ended on its own, and so is redacted wherever it runs.
    """
    loaded = load_as_planned(plan)
    buckets = [_read_bucket(plan, number) for number in buckets_of(part, n_parts, n_buckets)]
    made = classify(joined(buckets), loaded.study, loaded.definitions, loaded.codes)
    for name in RESTRICTED:
        write_parquet(getattr(made, name), _table_of(plan, name, part), RESTRICTED[name])
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
        write_parquet(counts[name], counts_folder(plan, part) / f"{name}.parquet")
    settle(*(_table_of(plan, name, part) for name in RESTRICTED), counts_folder(plan, part))
    texts.write_text("", _done(plan, part))


def is_classified(plan: Plan, part: int) -> bool:
    """Is the part done, and all of it written?"""
    return _done(plan, part).exists()


def _done(plan: Plan, part: int) -> Path:
    """An empty file, written when all others are on the disk."""
    return counts_folder(plan, part) / "done"


def counts_folder(plan: Plan, part: int) -> Path:
    """Where what the comparison needs of a part is."""
    return plan.work / "counts" / f"{part:04d}"


def _read_bucket(plan: Plan, number: int) -> Extract:
    paths = {name: bucket_folder(plan.work, number) / f"{name}.parquet" for name in MODELS}
    tables = {name: read_parquet(path) if path.exists() else None for name, path in paths.items()}
    return Extract(**tables, observes=observed_treatments(plan.work))


def _table_of(plan: Plan, table: str, part: int) -> Path:
    """The file of one part of a restricted table, which is a folder of such files."""
    return plan.restricted(table) / f"{part:04d}.parquet"
