"""What `impasse check` says of a delivery: its files, its rows, what would be set aside and why, what is expected."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from impasse.flows.checks import quality
from impasse.flows.cli.terminal import err, out, print_table
from impasse.flows.run import progress
from impasse.flows.run.loading import load, notes_on_former_names
from impasse.flows.run.steps.findings import notes_on_delivery
from impasse.flows.run.steps.intake import Taken
from impasse.flows.run.steps.reading import check_delivery, noted_facts
from impasse.reports.words.limits import limit_sentences
from impasse.reports.words.wrapping import wrapped
from impasse.schemas.expectations import ExpectationResult
from impasse.schemas.found import Found, by_folder
from impasse.transforms.ingest.rules import RULES

_AFTER_CHECK = (
    "`impasse run` sets the same rows aside and would publish nothing: correct the delivery, or the limits under "
    "[quality] in the study file."
)


def check(study_path: Path) -> None:
    """Print what a run would make of the delivery; raise PublicationStopped if a critical check would stop it."""
    loaded = load(study_path)
    with progress.progress_shown(err):
        for text in notes_on_former_names(study_path, loaded.study):
            progress.note(text)
        progress.tell("reading and cleaning", 0, 1)
        checked = check_delivery(loaded, study_path.parent)
    print_table("Files and tables", [_file_row(entry) for entry in by_folder(checked.found)])
    _print_rows(checked.taken)
    _print_sentences(notes_on_delivery(loaded, noted_facts(checked.taken), checked.found))
    _print_sentences(limit_sentences(checked.taken.observes, _absent(checked.taken)))
    _print_expectations(checked.results)
    quality.require_met(checked.results, do=_AFTER_CHECK)


def _file_row(entry: Found) -> dict[str, object]:
    """A file or table of a delivery."""
    rows = "" if entry.rows is None else f"{entry.rows:,}"
    return {"name": entry.name, "state": entry.state, "read as": entry.read_as, "rows": rows, "note": entry.note}


def _print_rows(taken: Taken) -> None:
    counts = taken.reconciliation.filter("is_present").drop("is_present")
    print_table("Rows", counts.to_dicts())
    if len(taken.rules):
        rules = [{**row, "what it means": RULES[row["rule"]]} for row in taken.rules.to_dicts()]
        print_table("Rows set aside, by rule", rules)


def _absent(taken: Taken) -> list[str]:
    return taken.reconciliation.filter(~pl.col("is_present"))["table"].to_list()


def _print_sentences(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        out.print(f"{sentence}\n", markup=False, highlight=False)


def _print_expectations(results: list[ExpectationResult]) -> None:
    unmet = [result for result in results if not result.success]
    out.print(f"{len(results) - len(unmet)} of {len(results)} expectations met.", highlight=False)
    for result in unmet:
        mark = "critical" if result.is_critical else "noted"
        text = f"{mark}: {result.table}: {result.sentence} Observed: {result.observed}"
        for line in wrapped(text, out.width, indent=2, hang=2):
            out.print(line, markup=False, highlight=False, soft_wrap=True)
