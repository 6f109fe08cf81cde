"""A study, its delivery and its output in folders whose names a program could take for patterns."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import polars as pl

from impasse.flows.published import explain
from tests.flow.running import data_hashes, run_steps


def test_a_whole_run_in_folders_with_brackets(small_study: Path, tmp_path: Path) -> None:
    """The same tables as in folders of plain names, and an episode of them is explained."""
    plain, odd = tmp_path / "plain", tmp_path / "st [2024]"
    copytree(small_study.parent, plain)
    copytree(small_study.parent, odd)
    run = run_steps(odd / small_study.name, tmp_path / "o [1]")
    episode = pl.read_parquet(next((run / "restricted" / "episodes.parquet").iterdir()), glob=False)["episode_id"][0]

    assert data_hashes(run) == data_hashes(run_steps(plain / small_study.name, tmp_path / "out"))
    assert episode in explain(run, episode)
