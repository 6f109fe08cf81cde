"""Canonical tables as integers: which hospital stays belong to a disorder."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from schemas.extracts import Extract
from tests.shipped import CODES
from transforms.encode import encode


def stays(code: str | None) -> int:
    """How many of one stay with this main code count for depression."""
    persons = {"person": [0], "person_id": ["a"], "birth_date": [None], "sex": ["unknown"], "death_date": [None]}
    admission = {"person": [0], "start_date": [date(2010, 1, 1)], "end_date": [date(2010, 1, 5)], "main_code": [code]}
    number = {"person": pl.UInt32}
    extract = Extract(
        persons=pl.DataFrame(persons, schema_overrides={**number, "birth_date": pl.Date, "death_date": pl.Date}),
        **dict.fromkeys(("coverage", "diagnoses", "dispensings", "procedures", "scores")),
        admissions=pl.DataFrame(admission, schema_overrides={**number, "main_code": pl.String}),
        observes=frozenset(),
    )
    return encode(extract, CODES, ("depression",)).admissions.height


@pytest.mark.parametrize("code", ["F321", "29633", "440383", "35489007", "P76"])
def test_a_main_code_of_any_system_is_found(code: str) -> None:
    """ICD-10, ICD-9, an OMOP concept, a SNOMED code and ICPC-2 all tell a stay for depression."""
    assert stays(code) == 1


@pytest.mark.parametrize("code", ["F411", "4403831", "44038", None])
def test_other_main_codes_are_not(code: str | None) -> None:
    """Another disorder's code, and an identifier that only begins or ends like one, tell nothing; nor does none."""
    assert stays(code) == 0
