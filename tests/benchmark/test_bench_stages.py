"""What the bench measures, and how: a process of its own for each piece of work, and the floor."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl

from impasse.flows.bench.stages import FLOOR_KEYS, floor, measured
from impasse.flows.files.tables import write_parquet
from tests.tables import assert_shows, table


def test_work_is_measured_in_a_process_of_its_own() -> None:
    """What it returns comes back, with the time and the memory it took."""
    cost = measured(os.getpid)

    assert cost.gave != os.getpid()
    assert cost.seconds >= 0
    assert cost.peak_bytes > 1_000_000


DELIVERED = {
    "persons": "person_id  birth_date  sex\nB  1980-01-01  male\nA  1990-01-01  female",
    "dispensings": """
        person_id  date        atc
        B          2020-01-02  N06AB04
        B          2020-01-01  N06AB04
        B          2020-03-01  N06AB03
        A          2020-02-01  N06AB04
        A          unreadable  N06AB04
    """,
}
DISPENSINGS_SORTED = """
    person  code  day
    0       1     -524288
    0       1     18293
    1       0     18322
    1       1     18262
    1       1     18263
"""


def test_the_floor_writes_every_delivered_row_again(tmp_path: Path) -> None:
    """Who, what and when in order, as small integers; an unreadable day comes first."""
    for name, columns in FLOOR_KEYS.items():
        nothing = pl.DataFrame(schema=dict.fromkeys(filter(None, columns), pl.String))
        rows = table(DELIVERED[name]).cast(pl.String) if name in DELIVERED else nothing
        write_parquet(rows, tmp_path / "delivery" / f"{name}.parquet")

    n_rows = floor(tmp_path / "delivery", tmp_path / "sorted")

    assert n_rows == 7
    written = pl.read_parquet(tmp_path / "sorted/dispensings.parquet")
    assert_shows(written, DISPENSINGS_SORTED)
    assert written.equals(written.sort("person", "code", "day"))
