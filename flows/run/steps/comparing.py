"""Third step: what the parts counted is added up, compared, protected and checked."""

from __future__ import annotations

import polars as pl

from impasse.flows.checks import quality
from impasse.flows.files.folders import folders_in
from impasse.flows.files.keep import for_user_alone, remove_asides
from impasse.flows.files.tables import read_parquet, scan_parquet
from impasse.flows.run.loading import Loaded
from impasse.flows.run.plan import Plan
from impasse.flows.run.steps.findings import keep_checks_of_release
from impasse.flows.run.steps.release_tables import write_release
from impasse.schemas.definition import Definition
from impasse.schemas.tables import RELEASE
from impasse.transforms.compare.agreement import compare_overall, compare_pairs
from impasse.transforms.compare.attrition import compare_attrition
from impasse.transforms.compare.characteristics import sum_profile
from impasse.transforms.compare.prevalence import build_prevalence, count_verdicts
from impasse.transforms.compare.responses import sum_responses
from impasse.transforms.compare.risks import build_risks
from impasse.transforms.compare.undetermined import sum_undetermined
from impasse.transforms.disclose.suppress import protect


@for_user_alone()
def compare(plan: Plan, loaded: Loaded) -> list[dict[str, object]]:
    """The release tables: computed from the counts, protected together, checked. Returns verdict counts, protected."""
    remove_asides(plan.work)  # of workers that were killed
    prevalence = build_prevalence(_counts(plan, "prevalence"))
    tables = {
        "prevalence": prevalence,
        "agreement": compare_pairs(_counts(plan, "pairs")),
        "agreement_overall": compare_overall(_counts(plan, "votes")),
        "attrition": compare_attrition(_counts(plan, "attrition")),
        "profile": sum_profile(_counts(plan, "profile")),
        "responses": sum_responses(_counts(plan, "responses")),
        "risks": build_risks(_counts(plan, "risks")),
        "undetermined": sum_undetermined(_counts(plan, "undetermined")),
    }
    protected = protect(tables, loaded.study.disclosure.threshold)
    for name, table in protected.items():
        write_release(plan, name, table)
    _check_release(plan, loaded)
    return count_verdicts(protected["prevalence"]).to_dicts()


def _check_release(plan: Plan, loaded: Loaded) -> None:
    tables = {name: scan_parquet(plan.release(name)) for name in RELEASE}
    n_episodes = scan_parquet(plan.restricted("episodes")).select(pl.len()).collect().item()
    results = quality.check_release(
        {**tables, "classifications": scan_parquet(plan.restricted("classifications"))},
        n_episodes,
        len(_giving_verdicts(loaded)),
        loaded.study,
    )
    keep_checks_of_release(plan.work, results)
    quality.require_met(results)


def _giving_verdicts(loaded: Loaded) -> list[Definition]:
    """The definitions that are compared; a staging system gives a score or a stage instead."""
    return [definition for definition in loaded.definitions if definition.gives == "verdict"]


def _counts(plan: Plan, name: str) -> pl.DataFrame:
    """The counts of all parts."""
    return pl.concat([read_parquet(folder / f"{name}.parquet") for folder in folders_in(plan.work / "counts")])
