"""What a run found, in the few lines a terminal should end with."""

from __future__ import annotations

from textwrap import wrap

import polars as pl

from impasse.flows.files import texts
from impasse.flows.files.s3 import Place
from impasse.flows.files.tables import read_parquet
from impasse.reports.words.lead import Answer, Left, answer, left_after_steps
from impasse.reports.words.names import words
from impasse.schemas import definition_file

WIDTH = 80


def lines(run: Place) -> list[str]:
    """The answer per disorder, with its denominators, and where the pages are."""
    release = run / "release"
    overall = read_parquet(release / "agreement_overall.parquet")
    eligible = read_parquet(release / "prevalence.parquet").filter(
        pl.col("denominator_id") == "eligible", pl.col("stratum") == "disorder"
    )
    written = texts.read_texts(release / "definitions", "*.toml")
    parsed = {name: definition_file.parse(name, text) for name, text in written.items()}
    titles = {name: d.title for name, d in parsed.items()}
    of_one = [name for name, d in parsed.items() if len(d.eligible.disorders) == 1]
    left = left_after_steps(read_parquet(release / "attrition.parquet").iter_rows(named=True), of_one)
    if overall.is_empty():
        return ["No episode of the study's disorders starts in the study period.", "", *_pages(release)]
    told = [line for row in overall.iter_rows(named=True) for line in _disorder(row, eligible, titles, left)]
    return [*told, *_pages(release)]


def _pages(release: Place) -> list[str]:
    return [f"Report:      {release / 'report.html'}", f"Validation:  {release / 'validation.html'}"]


def _disorder(row: dict, eligible: pl.DataFrame, titles: dict[str, str], left: Left) -> list[str]:
    mine = eligible.filter(pl.col("level") == row["disorder"]).iter_rows(named=True)
    said = answer(words(row["disorder"]), row, {share["definition_id"]: share for share in mine}, titles, left)
    paragraphs = [wrap(said.lead, WIDTH), *(wrap(f"- {text}", WIDTH, subsequent_indent="  ") for text in said.then)]
    return [*(line for paragraph in paragraphs for line in paragraph), *_steps(said), ""]


def _steps(said: Answer) -> list[str]:
    """How far episodes come under the definition with the fewest and the one with the most, in columns."""
    rows = [("", "fewest", "most"), *said.steps] if said.steps else []
    return [f"  {step:<28} {fewest:>10} {most:>10}" for step, fewest, most in rows]
