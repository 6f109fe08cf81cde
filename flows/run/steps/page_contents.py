"""What the pages of a run say: its released tables, what was found, and the study's own words."""

from __future__ import annotations

import polars as pl

from impasse.flows.files import inputs
from impasse.flows.files.tables import read_parquet
from impasse.flows.run.loading import Loaded
from impasse.flows.run.plan import Plan
from impasse.flows.run.program import versions
from impasse.flows.run.steps.findings import files_found, notes_of_run, observed_treatments, read_findings
from impasse.flows.run.steps.release_tables import read_release
from impasse.reports.pages.report import Option, ReportContents
from impasse.reports.pages.validation import ValidationContents
from impasse.schemas import toml
from impasse.schemas.codelists import CodeLists
from impasse.schemas.file_names import shown
from impasse.schemas.plain import plain
from impasse.schemas.study import OF_OMOP, OF_REGISTRY, Study
from impasse.schemas.tables import RELEASE
from impasse.transforms.compare.prevalence import count_verdicts
from impasse.transforms.ingest.rules import RULES
from impasse.transforms.judge.untried import ESTABLISHED

NO_PARAMETERS = ("name", "title", "output", "engine")


def validation_contents(plan: Plan, loaded: Loaded) -> ValidationContents:
    """What the validation page says, from what has been checked so far."""
    expectations = read_findings(plan.work)["expectations"]
    return ValidationContents(**_common(plan, loaded), expectations=expectations, found=files_found(plan.work))


def report_contents(plan: Plan, loaded: Loaded, methods: str) -> ReportContents:
    """What the report says; `methods` is the file of the page that it leads to."""
    tables = {name: read_release(plan, name) for name in RELEASE if name != "reconciliation"}
    return ReportContents(
        **_common(plan, loaded),
        **tables,
        definitions=list(loaded.definitions),
        verdicts=count_verdicts(tables["prevalence"]),
        options=_options(loaded.codes, observed_treatments(plan.work)),
        rounded_to=loaded.study.disclosure.threshold,
        methods=methods,
        figures=inputs.read_figures(),
    )


def _options(codes: CodeLists, observes: frozenset[str]) -> dict[str, list[Option]]:
    """By disorder the treatments that may have been tried, in the order of the code list."""
    rows = codes.options.filter(pl.col("tier").is_in(ESTABLISHED)).select("disorder", "option", "treatments").rows()
    options: dict[str, list[Option]] = {}
    for disorder, option, group in rows:
        is_observed = codes.observed_as_of_group(group) <= observes
        options.setdefault(disorder, []).append(Option(option, is_observed))
    return options


def _common(plan: Plan, loaded: Loaded) -> dict[str, object]:
    """What both pages say."""
    study = loaded.study
    reconciliation = read_release(plan, "reconciliation")
    rules = read_parquet(plan.restricted("quarantine_rules"))
    return {
        "study_name": study.name,
        "study_title": study.title,
        "run_id": plan.run_id,
        "date_text": f"{plan.run_id[:4]}-{plan.run_id[4:6]}-{plan.run_id[6:8]}",
        "reconciliation": reconciliation,
        "rules": rules,
        "absent_tables": tuple(reconciliation.filter(~pl.col("is_present"))["table"]),
        "provenance": {"versions": versions(), "parameters": parameters(study)},
        "rule_meanings": RULES,
        "notes": notes_of_run(plan.work, loaded),
        "observes": observed_treatments(plan.work),
    }


def parameters(study: Study) -> dict[str, str]:
    """All settings of the study, in the words of a study file, but for those that change no result.

    Where things are and how the work is done is left out: pages have the same bytes wherever a run is made. Values in
    the names of folders are hidden.
    """
    other = OF_REGISTRY if study.source.kind == "omop" else OF_OMOP
    told = study.model_dump(exclude={**dict.fromkeys(NO_PARAMETERS, True), "source": {"path", *other}})
    return {
        f"{section}.{key}": plain(toml.written(as_shown(value)))
        for section, settings in told.items()
        for key, value in settings.items()
    }


def as_shown(setting: object) -> object:
    """A setting without the values in the names of folders, which may be those of persons."""
    if isinstance(setting, dict):
        return {key: as_shown(value) for key, value in setting.items()}
    if isinstance(setting, list | tuple):
        return [as_shown(value) for value in setting]
    return shown(setting) if isinstance(setting, str) else setting
