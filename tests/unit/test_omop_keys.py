"""A table of a CDM that is there twice is found by its primary keys, whatever files it came in."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from impasse.flows.checks import quality
from impasse.schemas.delivered import Delivered
from impasse.schemas.expectations import ExpectationResult
from impasse.transforms.ingest.omop import repeated_keys
from impasse.transforms.ingest.omop.delivered_table import OmopFrame
from impasse.transforms.ingest.omop.repeated_keys import N_KEYS, N_REPEATED, RowKeys
from impasse.transforms.ingest.tallies import Tally
from tests.unit.deliveries import study


def frame(ids: list) -> OmopFrame:
    """A piece of visits with these keys."""
    return OmopFrame(Delivered({}), "visit_occurrence", pl.DataFrame({"Visit_Occurrence_ID": ids}))


def counted(*pieces: list) -> Counter:
    """What is counted of a table that comes in pieces."""
    table = RowKeys()
    return sum((table.count(frame(ids)) for ids in pieces), Counter())


@pytest.mark.parametrize(
    ("pieces", "n_keys", "n_repeated"),
    [
        ([[1, 2, 3]], 3, 0),
        ([[1, 2, 2]], 3, 1),
        ([[1, 2], [3, 2, 2]], 5, 2),
        ([[1, 2], ["1", "2.0"]], 4, 2),
        ([[None, None, 1]], 1, 0),
    ],
    ids=["each once", "in one piece", "in two", "as text and as numbers", "blank"],
)
def test_rows_with_a_key_that_was_there_before(pieces: list[list], n_keys: int, n_repeated: int) -> None:
    """In one piece or two, by what the key is and not by how it is written; blank is no key."""
    assert counted(*pieces) == +Counter({N_KEYS: n_keys, N_REPEATED: n_repeated})


def test_a_table_without_keys() -> None:
    """Deaths have none, and a CDM may lack them."""
    assert RowKeys().count(OmopFrame(Delivered({}), "death", pl.DataFrame({"person_id": [1]})))[N_KEYS] == 0


@pytest.mark.parametrize("ids", [[1.5, 1.5], [2.0**60] * 2, [b"a", b"a"], [None, None]])
def test_keys_of_another_type_stop_nothing(ids: list) -> None:
    """Nothing else is made of them, so they are let be."""
    assert counted(ids) == Counter()


def test_of_a_long_table_some_keys_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found among them stands for all: of a table that is there twice about every key is repeated."""
    monkeypatch.setattr(repeated_keys, "_MOST_KEPT", 1_000)
    ids = list(range(50_000))
    once, twice = counted(ids[:25_000], ids[25_000:]), counted(ids, ids)

    assert once[N_REPEATED] == 0
    assert abs(twice[N_REPEATED] - 50_000) < 10_000


@pytest.mark.parametrize(
    ("n_repeated", "told"), [(0, []), (1, [False]), (50, [False]), (51, [False, True])], ids=["0", "1", "5%", "more"]
)
def test_what_is_expected_of_keys(tmp_path: Path, n_repeated: int, told: list[bool]) -> None:
    """One row is told; a run is stopped where more than one in twenty is repeated."""
    tallies = {"admissions": Tally(1_000, counts=Counter({N_KEYS: 1_000, N_REPEATED: n_repeated}))}
    missed = [result for result in _results(quality.key_facts(tallies)) if not result.success]

    assert sorted(result.is_critical for result in missed) == told


def test_a_registry_has_no_keys() -> None:
    """Nothing is asked of them."""
    assert _results(quality.key_facts({"admissions": Tally(1, pl.DataFrame())})) == []


def _results(facts: pl.DataFrame) -> list[ExpectationResult]:
    """What is found of the keys of a delivery with these facts."""
    none = pl.DataFrame(schema={"table": pl.String, "is_present": pl.Boolean} | dict.fromkeys(COUNTS, pl.Int64))
    rules = pl.DataFrame(schema={"table": pl.String, "rule": pl.String, "n": pl.Int64})
    return [found for found in quality.check_facts(facts, none, rules, study()) if "primary key" in found.sentence]


COUNTS = ("n_delivered", "n_accepted", "n_quarantined")
