"""The bench compares before it tells a time, measures what it says, and fits a terminal. No figure is tested."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console
from rich.table import Table
from typer.testing import CliRunner

from impasse.flows.bench import bench, stages
from impasse.flows.bench import table as bench_table
from impasse.flows.bench.bench import Contest, compared, contests, eras, require_same
from impasse.flows.bench.prefect_share import Turns
from impasse.flows.bench.stages import Cost
from impasse.flows.cli import demo
from impasse.flows.cli.app import app
from impasse.flows.files import texts
from impasse.flows.files.folders import folders_in
from impasse.flows.files.tables import write_parquet
from impasse.flows.gate.redact import InternalError
from impasse.flows.run.loading import load
from impasse.flows.run.plan import make_plan
from impasse.flows.run.steps import reading
from impasse.schemas.extracts import MODELS
from tests.tables import assert_shows, table

PERSONS = 1500
SMALL = 300
DEMONSTRATION = demo.write_demo
UNKNOWN = {"sex": "unknown", "supply_basis": "unknown", "kind": "unknown"}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a made-up registry, its study and its canonical tables, which were in three buckets."""
    folder = tmp_path_factory.mktemp("bench")
    study = demo.write_demo(folder, PERSONS, seed=5)
    plan = make_plan(study, folder / "runs", buckets=3)
    reading.read_delivery(plan, load(plan.study_path))
    bench.write_canonical(plan, folder / "canonical")
    return folder


@pytest.fixture(scope="module")
def made(registry: Path) -> dict[str, Contest]:
    """Both sides of what is compared, by name."""
    observes = frozenset({"drug", "cbt", "psychotherapy", "ect", "tms"})
    return {contest.name: contest for contest in contests(registry / "canonical", observes)}


@pytest.fixture(scope="module")
def figures() -> Iterator[dict]:
    """All figures of a small bench, without processes of their own."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (bench, stages):
            patch.setattr(module, "measured", stages._timed)
        patch.setattr(demo, "write_demo", _of_few_definitions)
        patch.setattr(bench, "PREFECT_ROUNDS", 1)
        yield bench.run(SMALL)


def _of_few_definitions(folder: Path, n_persons: int, seed: int = 1) -> Path:
    """The demonstration's study, of which no page is looked at."""
    study = DEMONSTRATION(folder, n_persons, seed)
    study.write_text(f'{study.read_text()}\n[definitions]\nuse = ["anx_bokma_2019", "dep_fife_2017"]\n')
    return study


def _canonical(folder: Path, **drawn: str) -> Path:
    """One bucket of canonical tables: what is drawn of their columns, else null or unknown; else no row."""
    for name in ("persons", "coverage", "diagnoses", "dispensings", "procedures"):
        columns = {column: spec.dtype.type for column, spec in MODELS[name].to_schema().columns.items()}
        rows = table(drawn[name]) if name in drawn else pl.DataFrame(schema=columns)
        absent = [pl.lit(UNKNOWN.get(column)).alias(column) for column in columns if column not in rows.columns]
        canonical = rows.with_columns(absent).select(list(columns)).cast(columns)
        write_parquet(canonical, folder / "0000" / f"{name}.parquet")
    return folder


def test_persons_of_all_buckets_are_numbered_through(registry: Path) -> None:
    """Nobody of one bucket gets the rows of somebody in another."""
    persons = pl.read_parquet(registry / "canonical/*/persons.parquet")
    dispensings = pl.read_parquet(registry / "canonical/*/dispensings.parquet")

    assert len(folders_in(registry / "canonical")) == 4
    assert persons["person"].to_list() == list(range(len(persons)))
    assert persons["person_id"].n_unique() == len(persons)
    assert dispensings["person"].n_unique() > len(persons) / 2


# --- The same work on both sides --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["eras", "verdicts"])
def test_the_sql_and_the_program_give_the_same_rows(made: dict[str, Contest], name: str) -> None:
    """All eras and all verdicts of a made-up registry with its faults, bucket by bucket on our side."""
    rows = require_same(name, made[name].ours(), made[name].theirs(), bench._ORDER[name])

    assert rows > PERSONS


@pytest.mark.parametrize("definition", bench.DEFINITIONS)
def test_the_registry_asks_for_more_than_one_verdict(made: dict[str, Contest], definition: str) -> None:
    """Agreement on verdicts that never occur would say nothing."""
    verdicts = made["verdicts"].theirs().filter(pl.col("definition_id") == definition)["verdict"]

    assert set(verdicts) >= {"resistant", "not_resistant", "not_eligible"}


DRAWN = """
    person  atc      date        days
    0       N06AB03  2020-01-01  30
    0       N06AB03  2020-03-01  30
    0       N06AB04  2020-01-01  30
    0       N06AB04  2020-03-02  30
    1       N06AB03  2020-01-01  100
    1       N06AB03  2020-01-10  10
    1       N06AB03  2020-05-10  10
    1       N06AB03  2020-05-10  -
    2       N06AB03  2020-01-01  -
    2       N06AB03  2020-01-31  -
    2       N06AB03  2020-03-02  10
    3       N06AB03  2020-03-03  10
"""
ERAS_DRAWN = """
    person  atc      start_date  end_excl    n_dispensings
    0       N06AB03  2020-01-01  2020-03-31  2
    0       N06AB04  2020-01-01  2020-01-31  1
    0       N06AB04  2020-03-02  2020-04-01  1
    1       N06AB03  2020-01-01  2020-05-20  4
    2       N06AB03  2020-01-01  2020-01-31  2
    2       N06AB03  2020-03-02  2020-03-12  1
    3       N06AB03  2020-03-03  2020-03-13  1
"""


def test_thirty_uncovered_days_are_bridged_and_thirty_one_are_not(tmp_path: Path) -> None:
    """A long supply counts over a short one after it, an unknown one covers no day, persons stay apart."""
    drawn = _canonical(tmp_path, persons=PERSONS_DRAWN, dispensings=DRAWN)

    assert_shows(eras(drawn, 30), ERAS_DRAWN)


def test_the_sql_counts_uncovered_days_alike(tmp_path: Path) -> None:
    """The same drawn dispensings, asked of DuckDB."""
    theirs = contests(_canonical(tmp_path, persons=PERSONS_DRAWN, dispensings=DRAWN), frozenset())[0].theirs()

    assert_shows(theirs, ERAS_DRAWN)


CONTACTS = """
    person  date        code  code_system
    0       2014-01-01  F329  icd10
    0       2014-06-01  F329  icd10
    0       2014-11-01  F329  icd10
    0       2015-04-01  F329  icd10
    1       2014-01-01  F329  icd10
    1       2014-06-30  F329  icd10
    1       2014-12-28  F329  icd10
    2       2014-01-01  F329  icd10
    2       2014-01-01  F329  icd10
    2       2014-03-01  F325  icd10
    2       2014-03-02  F329  icd10
    2       2014-03-20  F310  icd10
    3       2014-01-01  F329  icd10
    4       2014-01-01  F329  icd10
    5       2014-01-01  F329  icd10
    5       2014-06-10  F329  icd10
    6       2014-01-01  F329  icd10
    6       2014-06-10  F329  icd10
    7       2014-01-01  F329  icd10
    7       2014-06-10  F329  icd10
"""
COVERED = """
    person  start_date  end_date
    0       2012-01-01  2021-12-31
    1       2012-01-01  2021-12-31
    2       2012-01-01  2021-12-31
    3       2014-02-01  2021-12-31
    4       2012-01-01  2014-02-01
    5       2012-01-01  2021-12-31
    6       2012-01-01  2021-12-31
    7       2012-01-01  2021-12-31
"""
DISPENSED = """
    person  date        atc      days
    0       2014-01-01  N06AB03  -
    0       2014-12-01  N06AB04  30
    0       2015-02-01  N06AB05  30
    1       2014-01-01  N06AB03  15
    1       2014-01-01  N06AB03  15
    1       2014-02-01  N06AB04  30
    1       2014-03-10  N06AB05  30
    2       2014-01-01  N06AB03  30
    2       2014-03-03  N06AB04  30
    4       2014-01-01  N06AB03  30
    5       2014-01-01  N06AB03  90
    5       2014-01-31  N06AB03  30
    5       2014-04-11  N06AB04  10
    5       2014-05-31  N06AB03  30
    6       2014-01-01  N06AB03  90
    6       2014-01-31  N06AB03  30
    6       2014-04-11  N06AB04  10
    6       2014-06-01  N06AB03  30
    7       2014-01-01  N06AB03  120
    7       2014-01-02  N06AB03  29
    7       2014-04-11  N06AB04  10
    7       2014-06-01  N06AB03  30
"""
PERSONS_DRAWN = """
    person  person_id
    0       unknown_supply
    1       three_drugs
    2       remission
    3       unseen
    4       left
    5       carried
    6       a_day_late
    7       capped
"""
VERDICTS_DRAWN = """
    episode_id                   definition_id      verdict
    unknown_supply:depression:1  dep_ohdsi_1009     undetermined
    unknown_supply:depression:1  dep_psychemerge_2  not_resistant
    unknown_supply:depression:1  dep_fife_2017      resistant
    three_drugs:depression:1     dep_ohdsi_1009     resistant
    three_drugs:depression:1     dep_psychemerge_2  resistant
    three_drugs:depression:1     dep_fife_2017      resistant
    three_drugs:depression:2     dep_ohdsi_1009     not_resistant
    three_drugs:depression:2     dep_psychemerge_2  not_resistant
    three_drugs:depression:2     dep_fife_2017      not_resistant
    remission:depression:1       dep_ohdsi_1009     not_resistant
    remission:depression:1       dep_psychemerge_2  not_resistant
    remission:depression:1       dep_fife_2017      not_resistant
    remission:depression:2       dep_ohdsi_1009     not_eligible
    remission:depression:2       dep_psychemerge_2  not_eligible
    remission:depression:2       dep_fife_2017      not_eligible
    unseen:depression:1          dep_ohdsi_1009     undetermined
    unseen:depression:1          dep_psychemerge_2  undetermined
    unseen:depression:1          dep_fife_2017      undetermined
    left:depression:1            dep_ohdsi_1009     undetermined
    left:depression:1            dep_psychemerge_2  undetermined
    left:depression:1            dep_fife_2017      undetermined
    carried:depression:1         dep_ohdsi_1009     not_resistant
    carried:depression:1         dep_psychemerge_2  not_resistant
    carried:depression:1         dep_fife_2017      not_resistant
    a_day_late:depression:1      dep_ohdsi_1009     not_resistant
    a_day_late:depression:1      dep_psychemerge_2  not_resistant
    a_day_late:depression:1      dep_fife_2017      resistant
    capped:depression:1          dep_ohdsi_1009     not_resistant
    capped:depression:1          dep_psychemerge_2  not_resistant
    capped:depression:1          dep_fife_2017      resistant
"""


def test_both_sides_judge_drawn_persons_alike(tmp_path: Path) -> None:
    """What the made-up registry seldom holds, such as leftovers that last to the day, a day less, and to the limit."""
    folder = _canonical(tmp_path, persons=PERSONS_DRAWN, coverage=COVERED, diagnoses=CONTACTS, dispensings=DISPENSED)
    drawn = contests(folder, frozenset({"drug"}))[1]

    assert_shows(drawn.theirs(), VERDICTS_DRAWN)
    assert require_same("verdicts", drawn.ours(), drawn.theirs(), KEY) == 30


SAME_DAY = """
    person  date        atc      days  dose_ug  dose_mddd
    0       2014-01-01  N06AB03  60    20000    -
    0       2014-01-01  N06AB03  60    40000    -
    0       2014-04-11  N06AB04  10    -        -
    0       2014-05-31  N06AB03  30    20000    -
    1       2014-01-01  N06AB03  60    20000    -
    1       2014-01-01  N06AB03  60    20000    -
    1       2014-04-11  N06AB04  10    -        -
    1       2014-05-31  N06AB03  30    20000    -
    2       2014-01-01  N06AB03  60    -        2000
    2       2014-01-01  N06AB03  60    20000    1000
    2       2014-04-11  N06AB04  10    -        -
    2       2014-05-31  N06AB03  30    20000    -
    3       2014-01-01  N06AB03  60    -        2000
    3       2014-01-01  N06AB03  60    20000    -
    3       2014-04-11  N06AB04  10    -        -
    3       2014-05-31  N06AB03  30    20000    -
    4       2014-01-01  N06AB03  30    20000    -
    4       2014-01-01  N06AB03  30    20000    -
    4       2014-01-01  N06AB03  60    40000    -
    4       2014-04-11  N06AB04  10    -        -
    4       2014-05-31  N06AB03  30    20000    -
    5       2014-01-01  N06AB03  60    20000    -
    5       2014-01-01  N06AB03  60    20000    -
    5       2014-01-01  N06AB03  60    40000    -
    5       2014-04-11  N06AB04  10    -        -
    5       2014-05-31  N06AB03  30    20000    -
    6       2014-01-01  N06AB03  60    -        -
    6       2014-01-01  N06AB03  60    20000    -
    6       2014-01-01  N06AB03  60    40000    -
    6       2014-04-11  N06AB04  10    -        -
    6       2014-05-31  N06AB03  30    20000    -
"""
SAME_DAY_PERSONS = """
    person  person_id
    0       two_strengths
    1       one_strength
    2       two_by_ddd
    3       not_comparable
    4       stock_beside
    5       long_stock
    6       one_unknown
"""
SAME_DAY_SEEN = """
    person  start_date  end_date
    0       2012-01-01  2021-12-31
    1       2012-01-01  2021-12-31
    2       2012-01-01  2021-12-31
    3       2012-01-01  2021-12-31
    4       2012-01-01  2021-12-31
    5       2012-01-01  2021-12-31
    6       2012-01-01  2021-12-31
"""
SAME_DAY_ILL = """
    person  date        code  code_system
    0       2014-01-01  F329  icd10
    0       2014-06-01  F329  icd10
    1       2014-01-01  F329  icd10
    1       2014-06-01  F329  icd10
    2       2014-01-01  F329  icd10
    2       2014-06-01  F329  icd10
    3       2014-01-01  F329  icd10
    3       2014-06-01  F329  icd10
    4       2014-01-01  F329  icd10
    4       2014-06-01  F329  icd10
    5       2014-01-01  F329  icd10
    5       2014-06-01  F329  icd10
    6       2014-01-01  F329  icd10
    6       2014-06-01  F329  icd10
"""
SAME_DAY_VERDICTS = """
    episode_id                   verdict
    two_strengths:depression:1   resistant
    one_strength:depression:1    not_resistant
    two_by_ddd:depression:1      resistant
    not_comparable:depression:1  not_resistant
    stock_beside:depression:1    resistant
    long_stock:depression:1      not_resistant
    one_unknown:depression:1     not_resistant
"""


def test_both_sides_take_supplies_of_one_day_alike(tmp_path: Path) -> None:
    """Taken together for 60 days the drug has ended when it is begun again, after 120 days of stock it has not."""
    drawn = {"coverage": SAME_DAY_SEEN, "diagnoses": SAME_DAY_ILL, "dispensings": SAME_DAY}
    contest = contests(_canonical(tmp_path, persons=SAME_DAY_PERSONS, **drawn), frozenset({"drug"}))[1]

    assert_shows(contest.theirs().filter(definition_id="dep_fife_2017"), SAME_DAY_VERDICTS)
    assert require_same("verdicts", contest.ours(), contest.theirs(), KEY) == 21


# --- No time before the rows agree ------------------------------------------------------------------------------------

SIDE = "episode_id  definition_id  verdict\na:1  x  resistant\nb:1  x  not_resistant"
OTHER = "episode_id  definition_id  verdict\nb:1  x  not_resistant\na:1  x  undetermined\nc:1  x  resistant"
KEY = ("episode_id", "definition_id")


def _counted(drawn: str, asked: list[str], who: str) -> Callable[[], pl.DataFrame]:
    def side() -> pl.DataFrame:
        asked.append(who)
        return table(drawn)

    return side


def test_the_same_rows_in_another_order_are_the_same() -> None:
    """Neither side promises an order."""
    assert require_same("verdicts", table(SIDE), table(SIDE).reverse(), KEY) == 2


def test_rows_that_differ_are_counted_and_not_shown() -> None:
    """The message tells how many rows each side has to itself, and nothing of a row."""
    with pytest.raises(InternalError) as error:
        require_same("verdicts", table(SIDE), table(OTHER), KEY)

    told = str(error.value)
    assert "2 rows of Impasse, 3 of DuckDB" in told
    assert "1 rows are only ours, 2 only DuckDB's" in told
    assert "a:1" not in told


def test_a_row_given_twice_differs_from_one_given_once() -> None:
    """Equal sets of rows are not enough."""
    with pytest.raises(InternalError, match="2 rows of Impasse, 4 of DuckDB"):
        require_same("verdicts", table(SIDE), pl.concat([table(SIDE), table(SIDE)]), KEY)


def test_no_time_is_taken_where_rows_differ() -> None:
    """Each side is asked once, for its rows."""
    asked: list[str] = []
    contest = Contest("verdicts", "verdicts", _counted(SIDE, asked, "ours"), _counted(OTHER, asked, "theirs"))

    with pytest.raises(InternalError):
        compared(contest)

    assert asked == ["ours", "theirs"]


def test_where_rows_agree_both_sides_take_turns() -> None:
    """A noisy minute then falls on both."""
    asked: list[str] = []
    contest = Contest("verdicts", "verdicts", _counted(SIDE, asked, "ours"), _counted(SIDE, asked, "theirs"))

    assert compared(contest)["rows_equal"] == 2
    assert asked == ["ours", "theirs"] * 4


def test_disagreement_ends_the_command_with_1_and_no_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A figure that rests on different rows is never seen, on the terminal or in a file."""

    def disagree(_persons: int) -> dict:
        raise InternalError("Impasse and DuckDB do not agree on eras: no time is told.", do="Report it.")

    monkeypatch.setattr(bench, "run", disagree)
    result = CliRunner().invoke(app, ["bench", "--persons", "100", "--json", str(tmp_path / "bench.json")])

    assert result.exit_code == 1
    assert "no time is told" in result.output
    assert "seconds" not in result.output
    assert not (tmp_path / "bench.json").exists()


# --- What is measured -------------------------------------------------------------------------------------------------


def test_the_figures_hold_every_stage_with_its_cost_beside_the_floor(figures: dict) -> None:
    """From reading to publishing, then the whole: seconds, peak, rows a second and the multiple of the floor."""
    costs = {"seconds", "peak_bytes", "rows_per_second", "times_floor"}

    assert [row["stage"] for row in figures["stages"]] == [
        "read, clean, check", "classify", "compare", "write the pages", "publish", "whole run"
    ]  # fmt: skip
    assert all(set(row) == {"stage", *costs} for row in figures["stages"])
    assert set(figures["floor"]) == costs
    assert figures["floor"]["times_floor"] == 1.0


def test_the_figures_tell_the_machine_without_naming_it(figures: dict) -> None:
    """Cores, memory and versions; no host, user or path."""
    assert set(figures["machine"]) == {
        *("cores", "memory_bytes", "system", "architecture"),
        *("python", "polars", "duckdb", "numba", "numpy", "pyarrow"),
    }
    assert os.uname().nodename not in str(figures["machine"].values())


def test_the_figures_hold_the_run_with_and_without_prefect(figures: dict) -> None:
    """The seconds of both, and what share of the longer one is Prefect's."""
    row = figures["under_prefect"]

    assert set(row) == {"persons", "seconds_alone", "seconds", "share"}
    assert row["persons"] == SMALL


def test_prefects_share_is_that_of_the_middle_pair() -> None:
    """Ten seconds with it and nine without are a tenth, whatever a noisy turn says."""
    told = Turns(alone=[9.0, 8.0, 100.0], under_prefect=[10.0, 100.0, 9.0]).told()

    assert told == {"seconds_alone": 9.0, "seconds": 10.0, "share": 0.1}


def test_the_figures_hold_both_sides_of_each_comparison(figures: dict) -> None:
    """What was compared, how many equal rows, both times and their ratio."""
    assert [row["work"] for row in figures["beside_duckdb"]] == ["eras", "verdicts"]
    assert all(
        set(row) == {"work", "title", "rows_equal", "seconds", "duckdb_seconds", "times_faster"}
        for row in figures["beside_duckdb"]
    )
    assert all(row["rows_equal"] > 0 for row in figures["beside_duckdb"])


def test_a_multiple_of_the_floor_is_seconds_over_its_seconds() -> None:
    """Half a minute over a floor of two seconds is fifteen floors; rows are those delivered."""
    told = bench._told(Cost(30.0, 5_000_000, None), Cost(2.0, 1_000_000, 600))

    assert told == {"seconds": 30.0, "peak_bytes": 5_000_000, "rows_per_second": 20, "times_floor": 15.0}


# --- What is printed --------------------------------------------------------------------------------------------------

COST = {"seconds": 12_345.67, "peak_bytes": 23_456_000_000, "rows_per_second": 29_000_000, "times_floor": 1_234.5}
LARGE = {
    "machine": {"cores": 128, "memory_bytes": 1024 * 2**30, "python": "3.11.7", "polars": "2.1.0", "duckdb": "2.0.0"},
    "persons": 10_000_000,
    "rows": 290_000_000,
    "floor": COST,
    "stages": [{"stage": "read, clean, check", **COST}],
    "under_prefect": {
        "persons": 10_000_000,
        "seconds_alone": 12_345.67,
        "seconds": 12_345.67,
        "share": 0.1234,
    },
    "beside_duckdb": [
        {"title": "three definitions, from tables to verdicts", "rows_equal": 123_456_789}
        | {"seconds": 12_345.67, "duckdb_seconds": 12_345.67, "times_faster": 123.45}
    ],
}


def _printed(figures: dict) -> list[str]:
    console = Console(width=80, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    for part in bench_table.bench_tables(figures):
        console.print(part)
    return console.export_text().splitlines()


def test_the_tables_fit_80_columns_whatever_the_figures() -> None:
    """No figure of ten million persons is cut off."""
    lines = _printed(LARGE)

    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert "…" not in text
    assert all(figure in text for figure in ("12,345.67", "1,234.5", "23,456", "29,000,000", "123,456,789", "123.5"))


def test_the_tables_say_what_and_on_what_machine(figures: dict) -> None:
    """Persons, rows, cores, memory and versions stand above the figures."""
    head, stages, orchestrated, beside = bench_table.bench_tables(figures)

    assert f"{SMALL} persons, {figures['rows']:,} rows delivered" in head
    assert f"Polars {figures['machine']['polars']}, DuckDB {figures['machine']['duckdb']}" in head
    assert isinstance(stages, Table)
    assert stages.row_count == 1 + len(figures["stages"])
    assert isinstance(orchestrated, Table)
    assert orchestrated.row_count == 1
    assert isinstance(beside, Table)
    assert beside.row_count == 2


def test_the_command_writes_every_figure_as_json(
    figures: dict, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The file holds what the tables show and more."""
    monkeypatch.setattr(bench, "run", lambda persons: {**figures, "persons": persons})
    result = CliRunner().invoke(app, ["bench", "--persons", "100", "--json", str(tmp_path / "bench.json")])

    assert result.exit_code == 0
    assert "What a run costs" in result.output
    assert "Beside DuckDB" in result.output
    assert texts.read_json(tmp_path / "bench.json") == {**figures, "persons": 100}
