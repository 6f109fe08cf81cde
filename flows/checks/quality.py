"""Does a delivery, and does a release, look normal? Asked with Great Expectations.

In: canonical tables or released tables. Out: one result per expectation of `schemas/expectations.py`.
Great Expectations knows pandas, not Polars, so this is the one place that converts. What it is given
are small frames, one number per question and table, because the shares of twenty million rows are
counted faster where they are.

Observed values are counts and shares. What a delivery's rows say of persons is not told where it is a count under the
disclosure threshold; how many rows were delivered, accepted and set aside is told as it is everywhere. An exception
inside Great Expectations is a failure with the exception's type as its only text, since its message
may quote rows.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from impasse.flows.checks.release_frames import Frames, classification_frames, release_frames
from impasse.flows.gate.redact import InternalError
from impasse.reports.words.numbers import guarded_share, share_of
from impasse.schemas.codelists import CodeLists
from impasse.schemas.errors import PublicationStopped
from impasse.schemas.expectations import (
    MAX_AGE,
    Expectation,
    ExpectationResult,
    delivery_expectations,
    facts_frame,
    release,
    years_frame,
)
from impasse.schemas.extracts import MODELS
from impasse.schemas.study import Study
from impasse.transforms.ingest.omop.repeated_keys import N_KEYS, N_REPEATED
from impasse.transforms.ingest.rules import HARMLESS
from impasse.transforms.ingest.tallies import Tally

_FACTS = {"table": pl.String, "fact": pl.String, "part": pl.Int64, "whole": pl.Int64}
_DATE_COLUMN = {
    "diagnoses": "date",
    "dispensings": "date",
    "procedures": "date",
    "scores": "date",
    "admissions": "start_date",
}


_SEE = "See the validation report; correct the delivery, or the limits under [quality] in the study file."


def check_facts(
    facts: pl.DataFrame, reconciliation: pl.DataFrame, rules: pl.DataFrame, study: Study
) -> list[ExpectationResult]:
    """Check a delivery by the facts measured in it, of all its buckets together."""
    every_fact = pl.concat([sum_facts([facts]), _intake_facts(reconciliation, rules)])
    frames = _fact_frames(every_fact)
    asked = [e for e in delivery_expectations(study) if e.frame in frames and _is_measured(e, frames)]
    told = _told_facts(every_fact, study.disclosure.threshold)
    return _checked(asked, frames, told)


def check_release(
    tables: Mapping[str, pl.DataFrame | pl.LazyFrame], episodes_rows: int, definitions_n: int, study: Study
) -> list[ExpectationResult]:
    """Check what is about to be published: the released tables, and the number of rows of `classifications`.

    Any released table may be given. Its counts are checked if it is one that can be suppressed.
    """
    released = {name: table.lazy().collect() for name, table in tables.items() if name != "classifications"}
    threshold = study.disclosure.threshold
    frames = release_frames(released, threshold) | classification_frames(tables.get("classifications"))
    asked = [e for e in release(study, list(released), episodes_rows, definitions_n) if e.frame in frames]
    return _checked(asked, frames, {})


def require_met(results: Iterable[ExpectationResult], do: str = _SEE) -> None:
    """Raise PublicationStopped if a critical expectation is not met, each told on a line."""
    failed = [result for result in results if result.is_critical and not result.success]
    if failed:
        raise PublicationStopped(
            f"{len(failed)} critical check{'s' if len(failed) > 1 else ''} failed; nothing was published.",
            where=sorted({f"{result.suite} of {result.table}" for result in failed}),
            expected=[f"{result.table}: {result.sentence} (observed: {result.observed})" for result in failed],
            do=do,
        )


def require_reconciled(reconciliation: pl.DataFrame) -> None:
    """Raise InternalError unless every delivered row of every table was either accepted or set aside, once."""
    is_whole = pl.col("n_delivered") == pl.col("n_accepted") + pl.col("n_quarantined")
    wrong = reconciliation.filter(~is_whole).select("table", "n_delivered", "n_accepted", "n_quarantined")
    if wrong.height:
        told = "table {}: {:,} rows delivered, {:,} accepted, {:,} set aside"
        raise InternalError(
            "Rows were lost or doubled while the delivery was read; nothing was published.",
            where=[told.format(*row) for row in wrong.iter_rows()],
            expected="every delivered row accepted or set aside, once",
            do="Start again; if it happens again, report it with this message.",
        )


# ---- what is measured in a delivery -------------------------------------------------------------


def measure_facts(tables: Frames, n_persons: int, study: Study, codes: CodeLists) -> pl.DataFrame:
    """The facts of some tables of `n_persons`: for how many rows (`part` of `whole`) each holds.

    Facts are numbers of rows and persons, and no person is in two buckets: those of a delivery are the
    sums of those of its buckets.
    """
    facts = [
        *_person_facts(tables, n_persons, study),
        *_period_facts(tables, study),
        *_code_facts(tables, codes),
        *_known_facts(tables),
        *_score_facts(tables, codes),
    ]
    return pl.DataFrame(facts, schema=_FACTS, orient="row")


def key_facts(tallies: Mapping[str, Tally]) -> pl.DataFrame:
    """Of each table whose rows have primary keys: how many have one that no earlier row has."""
    counts = {table: done.counts for table, done in tallies.items() if done.counts[N_KEYS]}
    facts = [(table, "own_key", max(n[N_KEYS] - n[N_REPEATED], 0), n[N_KEYS]) for table, n in counts.items()]
    return pl.DataFrame(facts, schema=_FACTS, orient="row")


def sum_facts(measured: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The facts of all buckets together, table by table in the order of the canonical tables."""
    order = pl.col("table").cast(pl.Enum(list(MODELS)))
    summed = pl.concat(measured).group_by("table", "fact", maintain_order=True).agg(pl.col("part", "whole").sum())
    return summed.sort(order, maintain_order=True)


Fact = tuple[str, str, int, int]


def _holds(table: pl.DataFrame, condition: pl.Expr) -> int:
    return int(table.select(condition.fill_null(False).sum()).item())


def _person_facts(tables: Frames, n_persons: int, study: Study) -> list[Fact]:
    facts: list[Fact] = []
    if (persons := tables.get("persons")) is not None:
        last_seen = pl.min_horizontal(pl.col("death_date"), pl.lit(study.period.end))
        age_days = (last_seen - pl.col("birth_date")).dt.total_days()
        n_born = persons.height - persons["birth_date"].null_count()
        # Of all persons, not of those with a birth date: two wholes side by side would tell a small difference.
        n_odd = _holds(persons, ~age_days.is_between(0, (MAX_AGE + 1) * 365.25))
        facts = [
            ("persons", "unique_id", persons["person_id"].n_unique(), persons.height),
            ("persons", "known_birth_date", n_born, persons.height),
            ("persons", "plausible_age", persons.height - n_odd, persons.height),
            ("persons", "known_sex", _holds(persons, pl.col("sex") != "unknown"), persons.height),
        ]
    if (coverage := tables.get("coverage")) is not None:
        facts.append(("coverage", "covered_persons", coverage["person"].n_unique(), n_persons))
    return facts


def _period_facts(tables: Frames, study: Study) -> list[Fact]:
    """Rows in the study period, and in each calendar year of it that the period holds whole or in part."""
    start, end = study.period.start, study.period.end
    facts: list[Fact] = []
    for name, column in _DATE_COLUMN.items():
        if (table := tables.get(name)) is None:
            continue
        inside = table.select(pl.col(column).filter(pl.col(column).is_between(start, end)))
        by_year = dict(inside.group_by(pl.col(column).dt.year()).len().iter_rows())
        facts.append((name, "in_period", inside.height, table.height))
        facts += [
            (name, f"year {year}", by_year.get(year, 0), inside.height) for year in range(start.year, end.year + 1)
        ]
    return facts


def _code_facts(tables: Frames, codes: CodeLists) -> list[Fact]:
    """Rows whose code means something to us; asked once per distinct code, not per row."""
    facts: list[Fact] = []
    if (table := tables.get("dispensings")) is not None:
        known = codes.resolve_atc(table["atc"].unique())["atc"]
        facts.append(("dispensings", "known_code", _holds(table, pl.col("atc").is_in(known.implode())), table.height))
    if (table := tables.get("diagnoses")) is not None:
        counts = table.group_by("code_system", "code").len().cast({pl.Categorical: pl.String})
        listed = codes.codes_in_list(counts).select("code_system", "code").unique()
        n_known = counts.join(listed, on=["code_system", "code"], how="semi")["len"].sum()
        facts.append(("diagnoses", "known_code", n_known, table.height))
    return facts


def _known_facts(tables: Frames) -> list[Fact]:
    """Rows that tell what a table is delivered for."""
    has_dose = pl.col("dose_ug").is_not_null() | pl.col("dose_mddd").is_not_null()
    questions = [
        ("dispensings", "known_days", pl.col("days").is_not_null()),
        ("dispensings", "known_dose", has_dose),
        ("procedures", "known_code", pl.col("treatment").is_not_null()),
        ("admissions", "known_main_code", pl.col("main_code").is_not_null()),
    ]
    return [
        (name, fact, _holds(tables[name], holds), tables[name].height)
        for name, fact, holds in questions
        if name in tables
    ]


def _score_facts(tables: Frames, codes: CodeLists) -> list[Fact]:
    if (scores := tables.get("scores")) is None:
        return []
    ranges = codes.scales.select(pl.col("scale").cast(pl.Categorical), "minimum", "maximum")
    listed = scores.select("scale", "value").join(ranges, on="scale", how="inner")
    n_odd = _holds(listed, ~pl.col("value").is_between(pl.col("minimum"), pl.col("maximum")))
    n_scores = scores.height
    return [
        ("scores", "known_scale", listed.height, n_scores),
        ("scores", "plausible_value", n_scores - n_odd, n_scores),
    ]


def _intake_facts(reconciliation: pl.DataFrame, rules: pl.DataFrame) -> pl.DataFrame:
    """Rows usable, and rows quarantined, in all and by the rule that took most. An absent table has no rows.

    Rows that no result can depend on are neither counted among those quarantined nor among those they are a share of.
    """
    harmless = pl.DataFrame(HARMLESS, schema={"table": pl.String, "rule": pl.String}, orient="row")
    spared = rules.join(harmless, on=["table", "rule"]).group_by("table").agg(n_harmless=pl.col("n").sum())
    worst = rules.join(harmless, on=["table", "rule"], how="anti").group_by("table").agg(worst_rule=pl.col("n").max())
    intake = reconciliation.join(worst, on="table", how="left").join(spared, on="table", how="left").sort("table")
    intake = intake.with_columns(pl.col("worst_rule", "n_harmless").fill_null(0))
    whole = pl.col("n_delivered") - pl.col("n_harmless")
    present = intake.filter("is_present")
    return pl.concat(
        [
            _facts(intake, "rows", pl.col("n_accepted"), pl.lit(None)),
            _facts(present, "quarantined", pl.col("n_quarantined") - pl.col("n_harmless"), whole),
            _facts(present, "worst_rule", pl.col("worst_rule"), whole),
        ]
    )


def _facts(intake: pl.DataFrame, fact: str, part: pl.Expr, whole: pl.Expr) -> pl.DataFrame:
    return intake.select("table", fact=pl.lit(fact), part=part.cast(pl.Int64), whole=whole.cast(pl.Int64))


# ---- small frames for Great Expectations --------------------------------------------------------


def _fact_frames(facts: pl.DataFrame) -> Frames:
    """One row per table with a column per fact: a share, or a count where there is no whole. 0 of 0 is null."""
    share = pl.when(pl.col("whole") > 0).then(pl.col("part") / pl.col("whole"))
    value = pl.when(pl.col("whole").is_null()).then(pl.col("part").cast(pl.Float64)).otherwise(share)
    is_year = pl.col("fact").str.starts_with("year ")
    frames: Frames = {}
    for (table,), rows in facts.with_columns(value=value).group_by("table", maintain_order=True):
        single = rows.filter(~is_year)
        frames[facts_frame(str(table))] = pl.DataFrame(
            {fact: [number] for fact, number in single.select("fact", "value").iter_rows()},
            schema=dict.fromkeys(single["fact"], pl.Float64),
        )
        years = rows.filter(is_year)
        if years.height:
            frames[years_frame(str(table))] = years.select(pl.col("part").alias("n_rows"))
    return frames


def _is_measured(expectation: Expectation, frames: Frames) -> bool:
    """An absent table leaves its facts unmeasured; that is not a fault of the delivery."""
    return expectation.kwargs["column"] in frames[expectation.frame].columns


# ---- Great Expectations -------------------------------------------------------------------------


def _checked(
    expectations: Sequence[Expectation], frames: Frames, told: Mapping[tuple[str, str], str]
) -> list[ExpectationResult]:
    """Run the expectations frame by frame; results in the order of the expectations."""
    context = _context()
    source = context.data_sources.add_pandas("impasse")
    results: dict[int, ExpectationResult] = {}
    for frame in dict.fromkeys(expectation.frame for expectation in expectations):
        numbered = [(n, e) for n, e in enumerate(expectations) if e.frame == frame]
        batch = _batch(source, frame, frames[frame])
        for outcome in batch.validate(_suite(frame, numbered), result_format=_COUNTS_ONLY).results:
            number = outcome.expectation_config.meta["number"]
            results[number] = _result(expectations[number], outcome, told)
    return [results[number] for number in sorted(results)]


_COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0}


def _context() -> Any:
    """A Great Expectations context in memory: no files, no telemetry, no progress bars, no log lines."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx  # imported here: it takes seconds, and reads the environment when it is
    from great_expectations.data_context.types.base import ProgressBarsConfig

    for name in ("great_expectations", "great_expectations.data_context.types.base"):  # the latter sets its own level
        logging.getLogger(name).setLevel(logging.CRITICAL)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    return context


def _batch(source: Any, name: str, frame: pl.DataFrame) -> Any:
    whole = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("all")
    return whole.get_batch({"dataframe": frame.to_pandas(use_pyarrow_extension_array=True)})


def _suite(name: str, numbered: Sequence[tuple[int, Expectation]]) -> Any:
    import great_expectations as gx

    asked = [getattr(gx.expectations, e.type)(**e.kwargs, meta={"number": number}) for number, e in numbered]
    return gx.ExpectationSuite(name, expectations=asked)


def _result(expectation: Expectation, outcome: Any, told: Mapping[tuple[str, str], str]) -> ExpectationResult:
    fact = (expectation.frame, expectation.kwargs.get("column", ""))
    return ExpectationResult(
        suite=expectation.suite,
        table=expectation.table,
        expectation=expectation.type,
        column=expectation.column,
        sentence=expectation.sentence,
        is_critical=expectation.is_critical,
        success=bool(outcome.success),
        observed=_error(outcome.exception_info) or told.get(fact) or _observed(outcome.result),
    )


def _error(info: Mapping[str, Any]) -> str:
    """The type of the first exception raised inside Great Expectations, without its message."""
    raised = info if "raised_exception" in info else next(iter(info.values()), {})
    if not raised.get("raised_exception"):
        return ""
    kinds = re.findall(r"^(?:\w+\.)*(\w+(?:Error|Exception))\b", raised.get("exception_traceback") or "", re.MULTILINE)
    return f"could not be checked: {kinds[0] if kinds else 'unknown error'}"


def _observed(result: Mapping[str, Any]) -> str:
    """How many rows of a small or released frame do not meet the expectation."""
    n, wrong = result.get("element_count", 0), result.get("unexpected_count", 0)
    return f"{wrong:,} of {n:,} not so" if wrong else f"all {n:,}"


# ---- telling what was observed ------------------------------------------------------------------


def _told_fact(fact: str, part: int, whole: int | None, threshold: int) -> str:
    if whole is None:
        return f"{part:,} rows"
    return share_of(part, whole) if fact in ("quarantined", "worst_rule") else guarded_share(part, whole, threshold)


def _told_facts(facts: pl.DataFrame, threshold: int) -> dict[tuple[str, str], str]:
    """The text of each fact by frame and column; calendar years together."""
    told = {}
    for table, fact, part, whole in facts.filter(~pl.col("fact").str.starts_with("year ")).iter_rows():
        told[facts_frame(table), fact] = _told_fact(fact, part, whole, threshold)
    years = facts.filter(pl.col("fact").str.starts_with("year "))
    for (table,), rows in years.group_by("table"):
        missing = [fact.removeprefix("year ") for fact, part in rows.select("fact", "part").iter_rows() if part == 0]
        told[years_frame(str(table)), "n_rows"] = f"none in {', '.join(missing)}" if missing else "rows in every year"
    return told
