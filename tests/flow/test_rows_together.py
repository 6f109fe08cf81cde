"""Rows that speak about other rows, and rows that nothing depends on: what a check, the pages and the files say."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from impasse.flows.cli.app import app
from impasse.flows.delivery import source_files
from impasse.flows.run.loading import load
from impasse.flows.run.plan import make_plan
from impasse.flows.run.steps import intake, reading
from impasse.schemas.errors import ImpasseError
from tests.flow.running import cleaned_of, run_steps

STUDY = """
name = "south"
[source]
kind = "registry"
layout = "generic"
path = "delivery"
[period]
start = 2010-01-01
end = 2020-12-31
[episodes]
disorders = ["depression"]
"""
N_PERSONS = 40
IDS = [f"p{n:02d}" for n in range(N_PERSONS)]
PERSONS = pl.DataFrame({"person_id": IDS, "birth_date": ["1970-01-01"] * N_PERSONS, "sex": ["f"] * N_PERSONS})
# Each person has one box on 1 January, of which every other gives the half back, and one more on 1 March that is
# booked, reversed and booked again.
SUPPLIES = pl.concat(
    [
        pl.DataFrame({"person_id": IDS, "date": day, "n_packages": packages})
        for day, packages in [("2015-03-01", 1), ("2015-03-01", -1), ("2015-01-01", 2), ("2015-03-01", 1)]
    ]
    + [pl.DataFrame({"person_id": IDS[::2], "date": "2015-02-01", "n_packages": -1})]
).with_columns(atc=pl.lit("N06AB06"), ddd_per_package=28)
KEPT = "Dispensings taken back by a later row with a negative amount: 40. Neither row is a supply."
LOST = "Rows with a negative amount that take back no one dispensing: 20. Supplies whose length is unknown for it: 20."


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A delivery with returns and corrections, the later rows first."""
    (tmp_path / "delivery").mkdir()
    PERSONS.write_csv(tmp_path / "delivery/persons.csv")
    SUPPLIES.reverse().write_csv(tmp_path / "delivery/dispensings.csv")
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path / "study.toml"


def said_of(study: Path) -> str:
    """What `impasse check` says, on one line."""
    return " ".join(CliRunner().invoke(app, ["check", str(study)]).output.split())


def supplies(study: Path, out: Path, n_buckets: int) -> pl.DataFrame:
    """The dispensings of all buckets, by the persons' ids, in order."""
    plan = make_plan(study, out, buckets=n_buckets)
    reading.read_delivery(plan, load(plan.study_path))
    tables = [
        [pl.read_parquet(plan.work / intake.bucket_file(number, name)) for name in ("dispensings", "persons")]
        for number in range(n_buckets)
    ]
    rows = pl.concat([rows.join(persons.select("person", "person_id"), on="person") for rows, persons in tables])
    return rows.drop("person").cast({pl.Categorical: pl.String}).sort(pl.all())


def test_reversals_are_told_by_check_and_on_the_pages(study: Path, tmp_path: Path) -> None:
    """Nothing is quarantined, and the number of reversals is on both pages."""
    said = said_of(study)
    run = run_steps(study, tmp_path / "out")

    assert KEPT in said
    assert LOST in said
    assert "set aside, by rule" not in said
    assert KEPT in (run / "release/validation.html").read_text()
    assert LOST in (run / "release/report.html").read_text()


def test_few_reversals_are_counted_too(study: Path) -> None:
    """Rows are shown as they are: hiding four beside the rows delivered and accepted would hide nothing."""
    SUPPLIES.filter(pl.col("person_id").is_in(IDS[:4])).write_csv(study.parent / "delivery/dispensings.csv")

    assert "negative amount: 4." in said_of(study)


def test_reversals_do_not_depend_on_how_a_delivery_is_cut(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row by row, in another order and in eight buckets the same supplies are left."""
    whole = supplies(study, tmp_path / "whole", 1)
    SUPPLIES.sample(fraction=1.0, shuffle=True, seed=3).write_csv(study.parent / "delivery/dispensings.csv")
    monkeypatch.setattr(source_files, "_SMALL", 0)
    monkeypatch.setattr(source_files, "_PIECE", 7)
    monkeypatch.setattr(intake, "_DEALT_AT_ONCE", 20)
    cut = supplies(study, tmp_path / "cut", 8)

    assert cut.equals(whole)
    assert whole.height == 2 * N_PERSONS
    assert whole["days"].null_count() == N_PERSONS // 2


def test_coverage_of_others_stops_no_run(study: Path) -> None:
    """However many rows are of persons who are not in the extract, a limit of 10% holds for the others only."""
    others = [f"x{n}" for n in range(100)]
    covered = pl.DataFrame({"person_id": IDS + others, "start_date": "2010-01-01", "end_date": "2020-12-31"})
    covered.write_csv(study.parent / "delivery/coverage.csv")

    ended = CliRunner().invoke(app, ["check", str(study)])

    assert ended.exit_code == 0
    assert "Rows of coverage of persons who are not in the extract: 100." in " ".join(ended.output.split())


def test_coverage_that_is_wrong_still_stops_a_run(study: Path) -> None:
    """Five of the forty rows of known persons end before they start: 12.5%, whoever else is covered."""
    ends = ["2009-12-31"] * 5 + ["2020-12-31"] * (N_PERSONS + 95)
    others = [f"x{n}" for n in range(100)]
    covered = pl.DataFrame({"person_id": IDS + others, "start_date": "2010-01-01", "end_date": ends})
    covered.write_csv(study.parent / "delivery/coverage.csv")

    assert CliRunner().invoke(app, ["check", str(study)]).exit_code == 3


def timed(study: Path, zone: str) -> Path:
    """The study with diagnoses as Parquet, dated at midnight of 1 January 2016 in a zone five and a half hours east."""
    midnight = pa.array([(date(2016, 1, 1) - date(1970, 1, 1)).days * 86_400 - 19_800], pa.timestamp("s", tz=zone))
    columns = {"person_id": [IDS[0]], "code": ["F32"], "code_system": ["icd10"], "date": midnight}
    pq.write_table(pa.table(columns), study.parent / "delivery/diagnoses.parquet")
    return study


def test_a_zone_told_by_hours_and_minutes(study: Path) -> None:
    """The day is the one there, also where the distance from Greenwich is no whole hour."""
    assert cleaned_of(timed(study, "+05:30")).extract.diagnoses["date"].to_list() == [date(2016, 1, 1)]


def test_a_zone_that_nobody_knows_is_told(study: Path) -> None:
    """One message with file and column."""
    with pytest.raises(ImpasseError, match="zone that is not known") as caught:
        cleaned_of(timed(study, "Mars/Phobos"))

    assert "column 'date'" in str(caught.value)
    assert "file diagnoses" in str(caught.value)
