"""The made-up registry on disk: written block by block, the same bytes every time."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from impasse.flows.cli import demo
from impasse.flows.files.tables import write_blocks
from impasse.flows.run.loading import load
from impasse.schemas.definition import DISORDERS
from impasse.transforms.simulator.registry import BLOCK_SIZE, Tables, simulate

PERSONS = BLOCK_SIZE + 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry of two blocks, written three times: twice by one seed, once by another."""
    path = tmp_path_factory.mktemp("registry")
    demo.write_registry(path / "a", PERSONS, seed=5)
    demo.write_registry(path / "b", PERSONS, seed=5)
    demo.write_registry(path / "other", PERSONS, seed=6)
    return path


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_seed_gives_the_same_bytes(folder: Path) -> None:
    """Seven files, byte for byte."""
    assert _contents(folder / "a") == _contents(folder / "b")
    assert len(_contents(folder / "a")) == 7


def test_another_seed_gives_other_bytes(folder: Path) -> None:
    """Every table differs, not only some."""
    assert not set(_contents(folder / "a").values()) & set(_contents(folder / "other").values())


def test_block_by_block_is_the_same_as_at_once(folder: Path) -> None:
    """What is read back is the registry as it would be made in memory."""
    at_once = simulate(PERSONS, seed=5)
    read = {name: pl.read_parquet(folder / "a" / f"{name}.parquet") for name in at_once}

    assert {name: table.equals(at_once[name]) for name, table in read.items()} == dict.fromkeys(at_once, True)
    assert {name: table.schema for name, table in read.items()} == {name: t.schema for name, t in at_once.items()}


def test_the_rows_written_are_told(tmp_path: Path) -> None:
    """What the command prints is what is in the files."""
    told = demo.write_registry(tmp_path, 60, seed=5)

    assert told == {path.stem: pl.read_parquet(path).height for path in tmp_path.iterdir()}


def test_a_table_without_rows_is_written(tmp_path: Path) -> None:
    """One person may well have no sessions and no scores; the files are there, with their columns."""
    demo.write_registry(tmp_path, 1, seed=2)

    assert pl.read_parquet(tmp_path / "procedures.parquet").columns == ["person_id", "date", "code", "code_system"]
    assert pl.read_parquet(tmp_path / "procedures.parquet").height == 0


def _watched(n: int, alive: list[int]) -> Iterator[Tables]:
    """Blocks of one row; before each is made, how many of those made before are still in memory is noted."""
    made: list[weakref.ref] = []
    for number in range(n):
        alive.append(sum(one() is not None for one in made))
        frame = pl.DataFrame({"number": [number]})
        made.append(weakref.ref(frame))
        yield {"numbers": frame}
        del frame


def test_memory_holds_one_block_however_many_there_are(tmp_path: Path) -> None:
    """When a block is made, at most the one before it is still there."""
    alive: list[int] = []
    written = write_blocks(_watched(20, alive), tmp_path)

    assert written == {"numbers": 20}
    assert max(alive) == 1
    assert pl.read_parquet(tmp_path / "numbers.parquet")["number"].to_list() == list(range(20))


def _broken() -> Iterator[Tables]:
    """A block, and a fault before the next."""
    yield {"numbers": pl.DataFrame({"number": [2]})}
    raise KeyboardInterrupt


def test_a_registry_that_was_broken_off_leaves_no_part_of_itself(tmp_path: Path) -> None:
    """A shorter file would look whole; what was there before is still there."""
    write_blocks([{"numbers": pl.DataFrame({"number": [1]})}], tmp_path)
    with pytest.raises(KeyboardInterrupt):
        write_blocks(_broken(), tmp_path)

    assert pl.read_parquet(tmp_path / "numbers.parquet")["number"].to_list() == [1]


def test_the_demonstration_compares_definitions_of_every_disorder(tmp_path: Path) -> None:
    """Its study names all six."""
    study = load(demo.write_demo(tmp_path, 100)).study

    assert set(study.episodes.disorders) == set(DISORDERS)
