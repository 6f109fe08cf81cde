"""A made-up registry on disk, and a study that compares all definitions on it."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from flows import io
from flows.progress import tell
from schemas.errors import ImpasseError
from transforms.simulate import FIRST_DATE, LAST_DATE, n_blocks, simulate_block

STUDY = """\
# The study of the demonstration; a good one to start your own from.
name = "demo"
title = "A made-up registry of {persons:,} persons"

[source]
kind = "registry"
layout = "generic"
path = "delivery"

[period]
start = {start}
end = {end}

[episodes]
disorders = ["anxiety", "depression"]
gap_days = 180
treatment_bridges = true
tail_days = 30
washout_days = 365
lead_days = 30
"""


def write(folder: Path, persons: int, seed: int = 1) -> Path:
    """Write the registry and its study; returns the study file."""
    study = folder / "study.toml"
    if study.exists() and not io.read_text(study).startswith(STUDY.splitlines()[0]):
        raise ImpasseError(
            "There is another study here.", where=str(study), expected="a folder of its own", do="Name another --out."
        )
    write_registry(folder / "delivery", persons, seed)
    io.write_text(STUDY.format(persons=persons, start=FIRST_DATE, end=LAST_DATE), study)
    return study


def write_registry(folder: Path, persons: int, seed: int) -> dict[str, int]:
    """Write a registry in the generic layout as Parquet; returns the rows per table."""
    blocks = []
    for block in range(n_blocks(persons)):
        tell("making up persons", block, n_blocks(persons))
        blocks.append(simulate_block(block, persons, seed))
    tables = {name: pl.concat([block[name] for block in blocks]) for name in blocks[0]}
    for name, table in tables.items():
        io.write_parquet(table, folder / f"{name}.parquet")
    return {name: len(table) for name, table in tables.items()}
