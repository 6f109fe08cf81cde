"""Supplies whose length refills tell: the same however the persons are cut, and told before the numbers are read."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from impasse.flows.run.loading import load
from impasse.flows.run.steps.findings import notes_of_run, read_findings
from impasse.schemas.errors import ImpasseError
from impasse.schemas.extracts import SUPPLY_BASES
from tests.flow.running import cleaned_of, copied, run_steps
from tests.flow.test_intake import hashes, in_pieces_of, take_in, together

RULES = """
[supply]
rules = ["personal_refill_rhythm", "waiting_time_distribution", "ddd"]
max_days = 120
"""


@pytest.fixture(scope="module")
def refilled(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study with supplies by refills."""
    path = copied(study, tmp_path_factory.mktemp("refills"))
    path.write_text(path.read_text() + RULES)
    return path


@pytest.fixture(scope="module")
def whole(refilled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its delivery in one bucket."""
    return take_in(refilled, tmp_path_factory.mktemp("whole"), buckets=1)


def test_each_rule_makes_some_days(whole: Path) -> None:
    """And all that refills tell is the same in memory."""
    dispensings = pl.read_parquet(whole / "buckets/0000/dispensings.parquet")

    assert set(dispensings["supply_basis"]) == {"personal_refill_rhythm", "waiting_time_distribution", "ddd", "unknown"}
    assert set(dispensings["supply_basis"]) <= set(SUPPLY_BASES)
    assert dispensings.equals(dispensings.sort(pl.all()))


def test_in_memory_is_as_in_buckets(refilled: Path, whole: Path) -> None:
    """The tests' own cleaning calls what a run calls."""
    dispensings = cleaned_of(refilled).extract.dispensings

    assert_frame_equal(dispensings, pl.read_parquet(whole / "buckets/0000/dispensings.parquet"))


@pytest.mark.parametrize("n_buckets", [2, 64])
def test_buckets_do_not_show(
    refilled: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_buckets: int
) -> None:
    """Lengths are counted over the whole delivery before a bucket is written."""
    in_pieces_of(monkeypatch, 3_000)
    cut = take_in(refilled, tmp_path, buckets=n_buckets)

    assert_frame_equal(together(cut, "dispensings"), together(whole, "dispensings"))
    assert read_findings(cut)["noted"]["lengths"] == read_findings(whole)["noted"]["lengths"]


def test_pieces_do_not_show(refilled: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In small pieces every file has the same bytes."""
    in_pieces_of(monkeypatch, 700)

    assert hashes(take_in(refilled, tmp_path)) == hashes(whole)


def test_the_notes_tell_what_it_means(refilled: Path, whole: Path) -> None:
    """That adherence is not seen, and how long supplies of each drug last."""
    notes = "\n".join(notes_of_run(whole, load(refilled.resolve())))

    assert "no measure of adherence" in notes
    assert "until 80% of the refills" in notes
    assert "N06AB06 " in notes


def test_a_run_by_refills_ends_well(refilled: Path, tmp_path: Path) -> None:
    """Trials tell the rules that made their days."""
    run = run_steps(refilled, tmp_path)

    bases = set(pl.read_parquet(run / "restricted/trials.parquet")["supply_basis"])
    assert {"personal_refill_rhythm", "mixed"} <= bases


def test_a_layout_without_amounts_is_refused_before_anything_is_read(refilled: Path, tmp_path: Path) -> None:
    """The Finnish layout has no DDD."""
    path = tmp_path / "study.toml"
    path.write_text(refilled.read_text().replace('layout = "generic"', 'layout = "finnish"'))

    with pytest.raises(ImpasseError, match="personal_refill_rhythm"):
        load(path.resolve())
