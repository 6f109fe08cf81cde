"""A made-up registry on disk, and a study that compares all definitions on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from impasse.flows.files import texts
from impasse.flows.files.tables import write_blocks
from impasse.flows.run.progress import tell
from impasse.schemas.errors import ImpasseError
from impasse.transforms.simulator.registry import Tables, n_blocks, simulate_blocks
from impasse.transforms.simulator.tools import FIRST_DATE, LAST_DATE

DEMO_STUDY = """\
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
disorders = ["anxiety", "depression", "bipolar_depression", "schizophrenia", "ocd", "ptsd"]
gap_days = 180
treatment_bridges = true
tail_days = 30
min_prior_observation_days = 365
lead_days = 30

# Of OCD and PTSD there are only unverified definitions; with these lines they are compared as well.
# [definitions]
# include_unverified = true
"""


def write_demo(folder: Path, persons: int, seed: int = 1) -> Path:
    """Write the registry and its study; returns the study file."""
    study = folder / "study.toml"
    if study.exists() and not texts.read_text(study).startswith(DEMO_STUDY.splitlines()[0]):
        raise ImpasseError(
            "There is another study here.", where=str(study), expected="a folder of its own", do="Name another --out."
        )
    write_registry(folder / "delivery", persons, seed)
    texts.write_text(DEMO_STUDY.format(persons=persons, start=FIRST_DATE, end=LAST_DATE), study)
    return study


def write_registry(folder: Path, persons: int, seed: int) -> dict[str, int]:
    """Write a registry in the generic layout as Parquet, block by block; returns the rows per table."""
    return write_blocks(_told(simulate_blocks(persons, seed), n_blocks(persons)), folder)


def _told(blocks: Iterator[Tables], total: int) -> Iterator[Tables]:
    """The blocks, each announced before it is made."""
    for number in range(total):
        tell(f"making up persons, part {number + 1} of {total}", number, total)
        yield next(blocks)
