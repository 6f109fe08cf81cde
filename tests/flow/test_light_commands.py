"""Commands that only read definitions or one episode answer at once: they do not load what runs need."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import polars as pl
import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    *("altair", "dask", "duckdb", "great_expectations", "great_tables", "krippendorff", "numba", "numpy", "pandas"),
    *("pandera", "prefect", "pyarrow", "scipy", "statsmodels", "vl_convert"),
)
LOADED = """\
import sys
from impasse.flows.cli.app import app
try:
    app()
finally:
    print("loaded:", *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def heavy(*words: str) -> set[str]:
    """The heavy libraries that a command loads."""
    done = subprocess.run([sys.executable, "-c", LOADED, *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split("loaded:")[1].split()) & {*HEAVY, "polars"}


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("definitions", "list"),
        ("definitions", "list", "--disorder", "depression", "--kind", "count"),
        ("schema", "study"),
        ("schema", "layout"),
    ],
)
def test_what_reads_no_table_loads_no_library_for_tables(words: tuple[str, ...]) -> None:
    """Neither Polars nor anything heavier."""
    assert heavy(*words) == set()


def test_an_episode_is_explained_without_what_runs_need(run: Path) -> None:
    """Its rows are read by Polars, and by nothing else."""
    episode = pl.read_parquet(run / "restricted" / "episodes.parquet")["episode_id"][0]
    assert heavy("explain", str(run), "--episode", episode) == {"polars"}


def test_the_version_is_said() -> None:
    """As the package states it."""
    program = [sys.executable, "-c", "from impasse.flows.cli.app import app; app()", "--version"]
    said = subprocess.run(program, cwd=ROOT, capture_output=True, text=True)
    assert said.stdout == f"impasse {version('impasse')}\n"


@pytest.mark.parametrize("words", ["definitions list", "schema study"])
def test_who_reads_the_first_line_only_meets_no_error(words: str) -> None:
    """`impasse ... | head -1` ends as done, without a word."""
    program = [sys.executable, "-c", "from impasse.flows.cli.app import app; app()", *words.split()]
    with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as writing:
        writing.stdout.readline()
        writing.stdout.close()
        said = writing.stderr.read()
    assert (writing.returncode, said) == (0, "")


def test_a_layout_is_what_the_schema_calls_a_mapping(tmp_path: Path) -> None:
    """Both words give the same schema, in whatever folder they are asked."""
    program = [sys.executable, "-c", "from impasse.flows.cli.app import app; app()", "schema"]
    schemas = [subprocess.run([*program, word], cwd=tmp_path, capture_output=True) for word in ("layout", "mapping")]
    assert schemas[0].returncode == 0
    assert schemas[0].stdout == schemas[1].stdout
