"""What Prefect shows of a run: counts of rows, protected counts of verdicts, and where the report is."""

from __future__ import annotations

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from impasse.flows.files.s3 import Place
from impasse.schemas.plain import plain


def show_rows(tables: list[dict[str, object]]) -> None:
    """The rows of each table: delivered, accepted, quarantined."""
    create_table_artifact(key="rows", table=tables, description="Rows delivered, accepted and quarantined")


def show_verdicts(verdicts: list[dict[str, object]]) -> None:
    """The verdicts of each definition, as they may be published."""
    create_table_artifact(key="verdicts", table=verdicts, description="Verdicts by definition; small counts are empty")


def show_folder(folder: Place) -> None:
    """The folder of the published run."""
    create_markdown_artifact(key="report", markdown=f"Published: `{plain(str(folder))}`")
