"""Second step, part by part: a part of the persons is classified under every definition, and counted."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from impasse.flows.files import texts
from impasse.flows.files.fingerprints import fingerprints, require_as_written
from impasse.flows.files.folders import remove
from impasse.flows.files.keep import for_user_alone, settle
from impasse.flows.files.tables import read_parquet, write_parquet
from impasse.flows.gate.redact import redact
from impasse.flows.run.as_planned import load_as_planned
from impasse.flows.run.plan import Plan
from impasse.flows.run.steps.findings import delivered_scales, observed_treatments
from impasse.flows.run.steps.intake import bucket_file
from impasse.flows.run.unfinished import Progress
from impasse.schemas.errors import NotAsWritten
from impasse.schemas.extracts import MODELS, Extract
from impasse.schemas.tables import RESTRICTED
from impasse.transforms.compare.agreement import count_agreement
from impasse.transforms.compare.attrition import count_attrition
from impasse.transforms.compare.characteristics import count_profile
from impasse.transforms.compare.prevalence import count_prevalence
from impasse.transforms.compare.responses import count_responses
from impasse.transforms.compare.risks import count_risks
from impasse.transforms.compare.undetermined import count_undetermined
from impasse.transforms.partition.parts import buckets_of, joined
from impasse.transforms.results import classify

COUNTS = ("prevalence", "pairs", "votes", "attrition", "profile", "responses", "undetermined", "risks")


@redact
@for_user_alone()
def classify_part(plan: Plan, part: int, n_parts: int, n_buckets: int) -> None:
    """Classify one part of the persons under every definition and count what the comparison needs.

    It may run on a worker, which tells how it ended on its own, and so is redacted wherever it runs.
    """
    loaded = load_as_planned(plan)
    buckets = _read_buckets(plan, buckets_of(part, n_parts, n_buckets))
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
        "responses": count_responses(made.ended_trials),
        "undetermined": count_undetermined(made.classifications, made.episodes, [d.id for d in made.deciding]),
        "risks": count_risks(made.followed_episodes),
    }
    for name in COUNTS:
        write_parquet(counts[name], _counts_of(plan, name, part))
    written = [_table_of(plan, name, part) for name in RESTRICTED] + [_counts_of(plan, name, part) for name in COUNTS]
    settle(*written, within=plan.work)
    texts.write_json(fingerprints(plan.work, written), _done(plan, part))


def is_classified(plan: Plan, part: int) -> bool:
    """Is the part done, and all of it written?"""
    return _done(plan, part).exists()


def is_kept(plan: Plan, part: int) -> bool:
    """Is the part done, and all of it as it was written? If it is not, it is done no longer."""
    if is_classified(plan, part):
        try:
            require_as_written(plan.work, texts.read_json(_done(plan, part), dict[str, str]))
        except NotAsWritten:
            remove(_done(plan, part))
    return is_classified(plan, part)


def _done(plan: Plan, part: int) -> Path:
    """The fingerprints of all other files of the part, written when these are on the disk."""
    return counts_folder(plan, part) / "done"


def counts_folder(plan: Plan, part: int) -> Path:
    """Where what the comparison needs of a part is."""
    return plan.work / "counts" / f"{part:04d}"


def _counts_of(plan: Plan, name: str, part: int) -> Path:
    return counts_folder(plan, part) / f"{name}.parquet"


def _read_buckets(plan: Plan, numbers: Iterable[int]) -> list[Extract]:
    """The tables of each bucket that the first step wrote, if they are as it wrote them."""
    written = texts.read_json(plan.progress, Progress).written
    shown = {"observes": observed_treatments(plan.work), "scales": delivered_scales(plan.work)}
    paths = [{name: bucket_file(number, name) for name in MODELS} for number in numbers]
    there = [{name: path for name, path in named.items() if path in written} for named in paths]
    require_as_written(plan.work, {path: written[path] for named in there for path in named.values()})
    buckets = [{name: read_parquet(plan.work / path) for name, path in named.items()} for named in there]
    return [Extract(**dict.fromkeys(MODELS) | tables, **shown) for tables in buckets]


def _table_of(plan: Plan, table: str, part: int) -> Path:
    """The file of one part of a restricted table, which is a folder of such files."""
    return plan.restricted(table) / f"{part:04d}.parquet"
