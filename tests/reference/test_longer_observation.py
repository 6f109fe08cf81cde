"""What is told of drawn histories when observation ends early holds when they are observed for longer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from impasse.transforms.results import Results, classify
from impasse.transforms.try_cases import drawn_extract
from tests.reference.both import Round, Row, drawn_round
from tests.shipped import CODES

KEYS = ["episode_id", "definition_id"]
# Some rounds, among them such with a tail longer than the gap, and the day on which each is cut.
ENDS = {
    0: date(2015, 12, 10),
    1: date(2016, 3, 31),
    2: date(2016, 6, 30),
    3: date(2016, 10, 31),
    4: date(2016, 2, 15),
    13: date(2016, 2, 15),
    15: date(2016, 5, 20),
    20: date(2016, 9, 15),
}


def delivered_by(person: Row, last: date) -> Row:
    """What a delivery of the day tells of a person: nothing of later days, and no stay that was not over."""
    told = {
        table: [row for row in person[table] if (row.get("end_date") or _day(row)) <= last]
        for table in ("diagnoses", "dispensings", "procedures", "scores", "admissions")
    }
    seen = [row | {"end_date": min(row["end_date"], last)} for row in person["coverage"] if row["start_date"] <= last]
    is_dead = person["death_date"] is not None and person["death_date"] <= last
    return person | told | {"coverage": seen, "death_date": person["death_date"] if is_dead else None}


def is_away(person: Row, last: date) -> bool:
    """Is the person in a stay that began by the day and is over later, of which a later delivery tells?"""
    tables = ("diagnoses", "dispensings", "procedures", "scores", "admissions")
    rows = [row for table in tables for row in person[table]]
    return any(_day(row) <= last < (row.get("end_date") or last) for row in rows)


def _day(row: Row) -> date:
    return row["date"] if "date" in row else row["start_date"]


def ended_by(drawn: Round, last: date) -> Round:
    """The same persons and definitions, of whom a delivery of the day tells."""
    period = drawn.study.period.model_copy(update={"end": min(last, drawn.study.period.end)})
    study = drawn.study.model_copy(update={"period": period})
    return replace(drawn, study=study, persons=[delivered_by(person, last) for person in drawn.persons])


def verdicts(drawn: Round) -> pl.DataFrame:
    """The verdict on each episode under each definition, and how many trials failed at least and at most."""
    told: Results = classify(
        drawn_extract(drawn.persons, drawn.observes, drawn.absent), drawn.study, drawn.definitions, CODES
    )
    columns = [*(pl.col(key).cast(pl.String) for key in KEYS), pl.col("verdict", "decided_by").cast(pl.String)]
    return told.classifications.select(*columns, "n_failed_min", "n_failed_max")


@pytest.mark.parametrize(("seed", "last"), ENDS.items())
def test_a_verdict_stands_however_long_persons_are_observed(seed: int, last: date) -> None:
    """Resistant stays so and not resistant stays so, unless a later diagnosis takes the episode out."""
    drawn = drawn_round(seed)
    drawn = replace(drawn, persons=[person for person in drawn.persons if not is_away(person, last)])

    both = verdicts(ended_by(drawn, last)).join(verdicts(drawn), on=KEYS, suffix="_later")

    known = both.filter(
        pl.col("verdict").is_in(["resistant", "not_resistant"]), pl.col("decided_by_later") != "eligible"
    )
    assert known["verdict"].n_unique() == 2
    assert known.filter(pl.col("verdict") != pl.col("verdict_later")).rows() == []
