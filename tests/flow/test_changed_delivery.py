"""A delivery that changes between planning and the end of reading is refused: a fingerprint is of what was read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from impasse.flows.delivery import delivery
from impasse.flows.run.loading import load
from impasse.flows.run.plan import Plan, make_plan
from impasse.flows.run.steps import reading
from impasse.schemas.errors import ImpasseError

CHANGED = r"The delivery changed while it was being read; nothing was published\."


def _file(study: Path, name: str = "diagnoses") -> Path:
    return study.parent / "delivery" / f"{name}.parquet"


def _cut(study: Path) -> None:
    _file(study).write_bytes(_file(study).read_bytes()[: _file(study).stat().st_size // 2])


def _fewer_rows(study: Path) -> None:
    pl.read_parquet(_file(study)).head(100).write_parquet(_file(study))


def _more_rows(study: Path) -> None:
    rows = pl.read_parquet(_file(study))
    pl.concat([rows, rows.head(1)]).write_parquet(_file(study))


def _taken_away(study: Path) -> None:
    _file(study, "scores").unlink()


def _appeared(study: Path) -> None:
    _file(study, "scores").with_suffix(".aside").rename(_file(study, "scores"))


CHANGES = [_cut, _fewer_rows, _more_rows, _taken_away, _appeared]


def _planned(study: Path, change: Callable[[Path], None]) -> Plan:
    """A plan; if a file is to appear later it is not there yet."""
    if change is _appeared:
        _file(study, "scores").rename(_file(study, "scores").with_suffix(".aside"))
    return make_plan(study, study.parent / "out")


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
def test_a_change_between_planning_and_reading_is_refused(change: Callable[[Path], None], own_study: Path) -> None:
    """A night that begins while files are still being copied."""
    plan = _planned(own_study, change)
    change(own_study)

    with pytest.raises(ImpasseError, match=CHANGED):
        reading.read_delivery(plan, load(plan.study_path))
    assert not plan.progress.exists()


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
def test_a_change_while_files_are_read_is_refused(
    change: Callable[[Path], None], own_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether what was read before or after it, and whatever error it leads to."""
    plan, read = _planned(own_study, change), delivery.open_delivery

    def change_after_opening(*args: object) -> object:
        delivered = read(*args)
        change(own_study)
        return delivered

    monkeypatch.setattr(delivery, "open_delivery", change_after_opening)

    with pytest.raises(ImpasseError, match=CHANGED):
        reading.read_delivery(plan, load(plan.study_path))


def test_a_change_that_was_taken_back_is_refused(own_study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read in between may have been the other file, though the bytes are those of before again."""
    plan, read, before = (
        make_plan(own_study, own_study.parent / "out"),
        delivery.open_delivery,
        _file(own_study).read_bytes(),
    )

    def change_and_back(*args: object) -> object:
        _more_rows(own_study)
        delivered = read(*args)
        _file(own_study).write_bytes(before)
        return delivered

    monkeypatch.setattr(delivery, "open_delivery", change_and_back)

    with pytest.raises(ImpasseError, match=CHANGED):
        reading.read_delivery(plan, load(plan.study_path))


def test_a_delivery_that_nobody_touches_is_read(own_study: Path) -> None:
    """The other side; a file that is not asked for may come and go."""
    plan = make_plan(own_study, own_study.parent / "out")
    (own_study.parent / "delivery" / "readme.txt").write_text("welcome")

    assert reading.read_delivery(plan, load(plan.study_path)).parts == 1
    assert plan.progress.exists()


def test_other_bad_input_is_told_as_what_it_is(own_study: Path) -> None:
    """A delivery that was bad from the start did not change."""
    _cut(own_study)
    plan = make_plan(own_study, own_study.parent / "out")

    with pytest.raises(ImpasseError, match="cannot be read as Parquet"):
        reading.read_delivery(plan, load(plan.study_path))
