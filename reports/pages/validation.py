"""The validation report: what was delivered, accepted and set aside in, one self-contained HTML page out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from markupsafe import Markup

from impasse.reports.display.delivery_tables import expectation_table, found_table
from impasse.reports.pages.report import delivery_view, page_of
from impasse.reports.words.limits import limit_sentences
from impasse.reports.words.numbers import plural
from impasse.schemas.found import Found


@dataclass(frozen=True)
class ValidationContents:
    """Everything the validation page shows.

    `rules`: table, rule, n. `expectations`: mappings with suite, expectation, column, critical, success, observed
    (text, never a value from a row). `found`: every file and table of the delivery. `provenance`, `rule_meanings` and
    `notes` as in the report.
    """

    study_name: str
    study_title: str
    run_id: str
    date_text: str
    reconciliation: pl.DataFrame
    rules: pl.DataFrame
    expectations: list[dict[str, Any]]
    found: tuple[Found, ...]
    observes: frozenset[str]
    absent_tables: tuple[str, ...]
    provenance: dict[str, dict[str, Any]]
    rule_meanings: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def render_validation(contents: ValidationContents) -> str:
    """The validation report as one HTML page."""
    failed = [e for e in contents.expectations if not e["success"]]
    critical = [e for e in failed if e["critical"]]
    view = {
        "title": contents.study_title or contents.study_name,
        "study": contents.study_name,
        "run_id": contents.run_id,
        "date": contents.date_text,
        "lead": _lead(len(contents.expectations), len(failed), len(critical)),
        "then": _tables_met(contents.reconciliation),
        "expectations": Markup(
            expectation_table(contents.expectations, "Expectations, those not met first", "expectations-table")
        ),
        "found": Markup(found_table(contents.found, "Files and tables of the delivery", "found-table")),
        "found_lead": _found(contents.found),
        "notes": contents.notes,
        "limits": limit_sentences(contents.observes, contents.absent_tables),
        "this": delivery_view(contents.reconciliation, contents.rules, contents.rule_meanings, contents.provenance),
    }
    return page_of("validation.html", view)


def _lead(n: int, n_failed: int, n_critical: int) -> str:
    if n == 0:
        return "No expectation was checked."
    if n_critical:
        return f"The delivery is not fit for publication: {plural(n_critical, 'critical expectation')} not met."
    if n_failed:
        return f"The delivery can be used, with reservations: {plural(n_failed, 'advisory expectation')} not met."
    return f"The delivery looks as it should: all {plural(n, 'expectation')} met."


def _found(found: tuple[Found, ...]) -> str:
    states = Counter(entry.state for entry in found)
    return f"{plural(len(found), 'file')} or tables were found: " + ", ".join(
        f"{states[state]:,} {state}" for state in ("read", "not asked for", "unreadable")
    )


def _tables_met(rows: pl.DataFrame) -> str:
    here, hit = rows.filter("is_present"), rows.filter(pl.col("n_quarantined") > 0)
    names = ", ".join(hit["table"].sort()) or "none"
    return f"{plural(len(here), 'table')} of {len(rows)} delivered. Tables with rows set aside: {names}."
