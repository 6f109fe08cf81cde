"""The figures of the bench as tables for a terminal of 80 columns."""

from __future__ import annotations

from typing import Any

from rich.table import Table

Figures = dict[str, Any]  # what flows/bench/bench.py returns: texts, numbers and lists of such


def bench_tables(figures: Figures) -> list[str | Table]:
    """What is printed: on what machine, the stages beside the floor, Prefect's share, Impasse beside DuckDB."""
    return [_machine(figures), _stages(figures), _orchestrated(figures), _beside(figures)]


def _machine(figures: Figures) -> str:
    machine = figures["machine"]
    memory = machine["memory_bytes"] / 2**30
    return (
        f"{figures['persons']:,} persons, {figures['rows']:,} rows delivered; "
        f"{machine['cores']} cores, {memory:.0f} GiB of memory.\n"
        f"Python {machine['python']}, Polars {machine['polars']}, DuckDB {machine['duckdb']}."
    )


def _stages(figures: Figures) -> Table:
    table = _table("What a run costs", "stage", "seconds", "x floor", "peak MB", "rows a second")
    rows = [{"stage": "floor: scan, one sort, write", **figures["floor"]}, *figures["stages"]]
    for row in rows:
        table.add_row(
            row["stage"],
            f"{row['seconds']:,.2f}",
            f"{row['times_floor']:,.1f}",
            f"{row['peak_bytes'] / 1e6:,.0f}",
            f"{row['rows_per_second']:,}",
        )
    return table


def _orchestrated(figures: Figures) -> Table:
    row = figures["under_prefect"]
    table = _table("With and without Prefect", "work", "persons", "without s", "with s", "share of it")
    table.add_row(
        "the same run under Prefect",
        f"{row['persons']:,}",
        f"{row['seconds_alone']:,.2f}",
        f"{row['seconds']:,.2f}",
        f"{row['share']:.1%}",
    )
    return table


def _beside(figures: Figures) -> Table:
    table = _table("Beside DuckDB, same rows", "work", "rows", "Impasse s", "DuckDB s", "ratio")
    for row in figures["beside_duckdb"]:
        table.add_row(
            row["title"],
            f"{row['rows_equal']:,}",
            f"{row['seconds']:,.2f}",
            f"{row['duckdb_seconds']:,.2f}",
            f"{row['times_faster']:,.1f}",
        )
    return table


def _table(title: str, first: str, *numbers: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column(first, overflow="fold")
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table
