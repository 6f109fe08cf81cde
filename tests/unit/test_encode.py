"""Canonical tables as integers: hospital stays of a disorder, diagnoses of lists, sets of names as words."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from impasse.schemas.extracts import Extract
from impasse.transforms.history.encode import Coded, encode, numbered, spelled
from tests.shipped import CODES


def coded(**tables: pl.DataFrame) -> Coded:
    """One person with these tables, coded."""
    persons = {"person": [0], "person_id": ["a"], "birth_date": [None], "sex": ["unknown"], "death_date": [None]}
    kinds = {"person": pl.UInt32, "birth_date": pl.Date, "death_date": pl.Date}
    others = dict.fromkeys(("coverage", "diagnoses", "dispensings", "procedures", "scores", "admissions"))
    told = {name: table.cast({pl.String: pl.Categorical}) for name, table in tables.items()}
    extract = Extract(persons=pl.DataFrame(persons, schema_overrides=kinds), **{**others, **told}, observes=frozenset())
    return encode(extract, CODES, ("depression",))


def stays(code: str | None) -> int:
    """How many of one stay with this main code count for depression."""
    stay = {"person": [0], "start_date": [date(2010, 1, 1)], "end_date": [date(2010, 1, 5)], "main_code": [code]}
    kinds = {"person": pl.UInt32, "main_code": pl.String}
    return len(coded(admissions=pl.DataFrame(stay, schema_overrides=kinds)).admissions)


@pytest.mark.parametrize("code", ["F321", "29633", "440383", "35489007", "P76"])
def test_a_main_code_of_any_system_is_found(code: str) -> None:
    """ICD-10, ICD-9, an OMOP concept, a SNOMED code and ICPC-2 all tell a stay for depression."""
    assert stays(code) == 1


@pytest.mark.parametrize("code", ["F411", "4403831", "44038", None])
def test_other_main_codes_are_not(code: str | None) -> None:
    """Another disorder's code, and an identifier that only begins or ends like one, tell nothing; nor does none."""
    assert stays(code) == 0


def test_a_code_is_in_the_lists_of_its_own_system() -> None:
    """P76 is depression in ICPC-2 and nothing in ICD-10; a code in no list is left out."""
    rows = {
        "person": [0, 0, 0],
        "date": [date(2010, 1, 1), date(2010, 1, 1), date(2010, 1, 2)],
        "end_date": [None, date(2010, 1, 9), None],
        "code": ["P76", "P76", "J069"],
        "code_system": ["icd10", "icpc2", "icd10"],
    }
    kinds = {"person": pl.UInt32, "end_date": pl.Date}

    found = coded(diagnoses=pl.DataFrame(rows, schema_overrides=kinds)).diagnosed

    assert found.are_in("depression").tolist() == [True]
    assert (found.last_day - found.day).tolist() == [8]
    assert not found.are_in("anxiety", "no such list").any()
    assert len(found.days_of("depression")) == 1


def test_scores_of_one_day_are_the_highest() -> None:
    """Two of one scale and day are one; scales are apart."""
    rows = {
        "person": [0] * 4,
        "date": [date(2010, 1, 1)] * 3 + [date(2010, 1, 3)],
        "scale": ["hamd17", "madrs", "hamd17", "hamd17"],
        "value": [7.0, 30.0, 21.0, 4.0],
    }

    found = coded(scores=pl.DataFrame(rows, schema_overrides={"person": pl.UInt32})).scores

    assert {scale: part.values.tolist() for scale, part in found.items()} == {"hamd17": [21.0, 4.0], "madrs": [30.0]}


def test_words_are_numbered_in_their_order_whatever_they_were_met_in() -> None:
    """Not in the order of the column, nor in that of a pool of words that holds others."""
    pool = pl.Categorical(pl.Categories.random())
    _held = pl.Series(["N06AX16", "N05AH04", "N06AB03"]).cast(pool)
    names, place = numbered(pl.Series(["N06AX16", "N06AB03", "N06AX16", "A10BA02"]).cast(pool))

    assert names.to_list() == ["A10BA02", "N06AB03", "N06AX16"]
    assert place.tolist() == [2, 1, 2, 0]


def test_no_words_have_no_numbers() -> None:
    """An empty column is no special case."""
    names, place = numbered(pl.Series([], dtype=pl.Categorical))

    assert names.to_list() == []
    assert place.tolist() == []


def test_sets_of_names_are_spelled_in_their_order() -> None:
    """The empty set is the first word, also where no row has it; equal sets share a word."""
    flags = {"b": np.array([True, False, True]), "a": np.array([True, True, True])}

    places, words = spelled(flags, 3)

    assert [words[place] for place in places] == ["b a", "a", "b a"]
    assert words[0] == ""
    assert spelled({}, 2)[0].tolist() == [0, 0]
