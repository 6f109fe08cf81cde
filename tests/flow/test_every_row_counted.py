"""Delivered = accepted + set aside is counted where the rows lie, and stops a run, and a check, that lost one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from impasse.flows.checks import quality
from impasse.flows.files.tables import count_rows
from impasse.flows.gate.redact import InternalError
from impasse.flows.run.loading import load
from impasse.flows.run.plan import make_plan
from impasse.flows.run.steps import intake, reading
from impasse.transforms.ingest import clean
from impasse.transforms.ingest.ordering import Piece
from impasse.transforms.ingest.reversals import Reversals
from tests.tables import assert_shows, table

LOST = "Rows were lost or doubled while the delivery was read"
Patch = Callable[[pytest.MonkeyPatch], None]


def _half_is_dealt(patch: pytest.MonkeyPatch) -> None:
    deal = intake.deal
    patch.setattr(intake, "deal", lambda rows, *given: deal(rows[: rows.height // 2], *given))


def _some_are_dealt_twice(patch: pytest.MonkeyPatch) -> None:
    deal = intake.deal
    patch.setattr(intake, "deal", lambda rows, *given: deal(pl.concat([rows, rows[:3]]), *given))


def _one_is_not_put_in_order(patch: pytest.MonkeyPatch) -> None:
    put = intake.put_in_order
    patch.setattr(intake, "put_in_order", lambda *given: put(*given)[1:])


def _a_person_is_in_no_bucket(patch: pytest.MonkeyPatch) -> None:
    persons_of = intake.persons_of
    patch.setattr(intake, "persons_of", lambda *given: persons_of(*given)[:-1])


def _a_piece_is_left_out(patch: pytest.MonkeyPatch) -> None:
    pieces = intake.clean_pieces

    def but_the_first(*given: object) -> Iterator[Piece]:
        return iter(list(pieces(*given))[1:])

    patch.setattr(intake, "clean_pieces", but_the_first)


def _a_refused_row_is_not_kept(patch: pytest.MonkeyPatch) -> None:
    write = intake.write_quarantine
    patch.setattr(intake, "write_quarantine", lambda parts, path: write([rows[1:] for rows in parts], path))


def _a_row_is_not_judged(patch: pytest.MonkeyPatch) -> None:
    apart = clean._apart

    def but_the_first_row(*given: object) -> tuple[pl.DataFrame, pl.DataFrame]:
        facts, said = apart(*given)
        return facts[1:], said

    patch.setattr(clean, "_apart", but_the_first_row)


def _a_supply_is_taken_back_that_was_not(patch: pytest.MonkeyPatch) -> None:
    take = intake.take_back

    def and_one_more(*given: object) -> tuple[pl.DataFrame, Reversals]:
        left, settled = take(*given)
        return left[1:], settled

    patch.setattr(intake, "take_back", and_one_more)


WAYS = [
    _half_is_dealt,
    _some_are_dealt_twice,
    _one_is_not_put_in_order,
    _a_person_is_in_no_bucket,
    _a_piece_is_left_out,
    _a_refused_row_is_not_kept,
    _a_row_is_not_judged,
    _a_supply_is_taken_back_that_was_not,
]


@pytest.fixture(scope="module")
def traps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of few rows, some of which are refused, spread over several codes, of no treatment, or taken back."""
    folder = tmp_path_factory.mktemp("traps")
    (folder / "delivery").mkdir()
    for name, lines in FILES.items():
        (folder / "delivery" / f"{name}.csv").write_text("\n".join(lines) + "\n")
    (folder / "traps.toml").write_text(LAYOUT)
    (folder / "study.toml").write_text(STUDY)
    return folder / "study.toml"


FILES = {
    "persons": ["id,born,sex", "P1,1980-01-01,female", "P1,1980-01-01,female", "P2,1970-01-01,male"],
    "deaths": ["id,day", "P1,2015-06-01", "P9,2015-06-01"],
    "contacts": [
        "id,day,kind,codes",
        "P1,2012-01-01,visit,F321;F410",
        "P2,2012-01-01,call,F331",
        "P9,2012-01-01,visit,F321",
    ],
    "drugs": [
        "id,day,atc,n,ddd",
        "P1,2012-01-01,N06AB04,1,30",
        "P1,2012-01-02,N06AB04,-1,30",
        "P2,2012-01-01,N06AB04,1,30",
        "P2,2012-02-01,N06AB05,1,30",
        "P1,2016-01-01,N06AB04,1,30",
        "P2,2013-01-01,,1,30",
    ],
}
LAYOUT = """\
title = "Traps"
says = "A layout for a test."
observes = ["drug"]
[files]
persons = { name = "persons" }
deaths = { name = "deaths" }
contacts = { name = "contacts" }
drugs = { name = "drugs" }
[[persons]]
file = "persons"
columns = { person_id = "id", birth_date = "born", sex = "sex" }
[[deaths]]
file = "deaths"
columns = { person_id = "id", date = "day" }
[[diagnoses]]
file = "contacts"
rows = [{ column = "kind", is = "visit" }]
codes = [{ column = "codes", separator = ";" }]
columns = { person_id = "id", date = "day", code_system = { constant = "icd10" } }
[[dispensings]]
file = "drugs"
columns = { person_id = "id", date = "day", atc = "atc", n_packages = "n", ddd_per_package = "ddd" }
"""
STUDY = """\
name = "traps"
[source]
kind = "registry"
path = "delivery"
layout = "traps.toml"
[period]
start = 2010-01-01
end = 2018-12-31
[episodes]
disorders = ["depression"]
[quality]
max_quarantined_percent = 100
[definitions]
use = ["dep_fife_2017"]
"""


def test_every_row_of_a_delivery_with_traps_is_counted(traps: Path, tmp_path: Path) -> None:
    """A duplicate, rows of nobody or after a death are set aside; what was taken back is accepted."""
    plan = make_plan(traps, tmp_path)
    counted = pl.DataFrame(reading.read_delivery(plan, load(plan.study_path)).tables)

    assert_shows(
        counted.filter("is_present"),
        """
        table       | is_present | n_delivered | n_accepted | n_quarantined
        persons     | true       | 3           | 2          | 1
        deaths      | true       | 2           | 1          | 1
        diagnoses   | true       | 2           | 1          | 1
        dispensings | true       | 6           | 4          | 2
        """,
    )
    assert count_rows(plan.work / "buckets", "*/diagnoses.parquet") == 2
    assert count_rows(plan.work / "buckets", "*/dispensings.parquet") == 2


@pytest.mark.parametrize("lose", WAYS, ids=lambda way: way.__name__.strip("_"))
def test_a_run_that_lost_or_doubled_rows_stops(
    lose: Patch, traps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever on their way; nothing can be resumed."""
    plan = make_plan(traps, tmp_path, buckets=2)
    lose(monkeypatch)

    with pytest.raises(InternalError, match=LOST):
        reading.read_delivery(plan, load(plan.study_path))
    assert not plan.progress.exists()


@pytest.mark.parametrize("lose", WAYS, ids=lambda way: way.__name__.strip("_"))
def test_a_check_that_lost_or_doubled_rows_says_so(lose: Patch, traps: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a run of the same delivery does."""
    lose(monkeypatch)

    with pytest.raises(InternalError, match=LOST):
        reading.check_delivery(load(traps), traps.parent)


def test_the_tables_are_named_with_their_counts() -> None:
    """Of a table that is whole nothing is told."""
    counted = table("""
        table       | n_delivered | n_accepted | n_quarantined
        persons     | 1000        | 990        | 10
        dispensings | 2000        | 990        | 10
    """)

    with pytest.raises(InternalError) as told:
        quality.require_reconciled(counted)
    assert told.value.where == "table dispensings: 2,000 rows delivered, 990 accepted, 10 set aside"
