"""Every worked case of every definition, through both implementations."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from impasse.schemas.cases import Case, check_words, parse, study_of
from impasse.schemas.definition import Definition
from impasse.transforms.drawn_supplies import with_supplies
from impasse.transforms.try_cases import classify_cases
from tests.reference.reference import classify_person
from tests.shipped import CODES, REFERENCE_CODES, SHIPPED

FOLDER = Path(__file__).resolve().parents[2] / "schemas" / "definitions"
DEFINITIONS = {definition.id: definition for definition in SHIPPED}
FILES = {path.stem: parse(path.name, path.read_text()) for path in sorted(FOLDER.glob("*/cases/*.toml"))}
CASES = [(name, number, case) for name, cases in FILES.items() for number, case in enumerate(cases)]
VERDICTS_NEEDED = {"resistant", "not_resistant", "undetermined", "not_eligible"}


@pytest.mark.parametrize(
    ("name", "number", "case"), CASES, ids=[f"{name}: {case.name}" for name, number, case in CASES]
)
def test_case(name: str, number: int, case: Case) -> None:
    """The drawn history gets the verdict the case states, from the fast and from the slow implementation."""
    fast, slow = _fast(name)[number], _slow(case, DEFINITIONS[name])

    assert check_words(case, CODES) is None
    assert {column: fast[column] for column in case.expected} == case.expected
    assert fast == slow


@pytest.mark.parametrize("name", [d.id for d in SHIPPED if d.gives == "verdict"])
def test_every_definition_has_every_verdict_drawn(name: str) -> None:
    """A definition ships with at least four cases, and with one of each verdict."""
    drawn = [case.expected["verdict"] for case in FILES[name]]

    assert len(drawn) >= 4
    assert set(drawn) == VERDICTS_NEEDED


@pytest.mark.parametrize("name", [d.id for d in SHIPPED if d.gives != "verdict"])
def test_every_staging_system_is_drawn(name: str) -> None:
    """A staging system ships with at least four cases, one of them not eligible, and every level is drawn."""
    drawn = [case.expected for case in FILES[name]]
    levels = [level.name for level in getattr(DEFINITIONS[name].resistance, "levels", ())]

    assert len(drawn) >= 4
    assert False in [case.get("is_eligible") for case in drawn]
    assert set(levels) <= {case.get("level_min") for case in drawn}


@cache
def _fast(name: str) -> list[dict[str, Any]]:
    """Each case of the definition; who the persons are is left out."""
    found = classify_cases(FILES[name], DEFINITIONS[name], CODES)
    return [{column: value for column, value in row.items() if column != "episode_id"} for row in found]


def _slow(case: Case, definition: Definition) -> dict[str, Any]:
    [person] = with_supplies([case.person()], case.supply, CODES)
    study = study_of(definition, case.supply)
    absent = frozenset() if person["coverage"] else frozenset({"coverage"})
    rest = ([definition], REFERENCE_CODES, case.observes, absent, study.supply)
    told = classify_person(person, study.episodes, study.period, *rest)
    rows = told["classifications"] if definition.gives == "verdict" else told["stages"]
    first = min(rows, key=lambda row: row["episode_id"])
    return {column: value for column, value in first.items() if column != "episode_id"}
