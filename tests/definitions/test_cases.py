"""Every worked case of every definition, through both implementations."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from schemas.definition import Definition
from schemas.study import Study
from tests.definitions.history import parse_history
from tests.reference.convert import to_extract
from tests.reference.reference import classify_person
from tests.shipped import CODES, REFERENCE_CODES, SHIPPED
from transforms.classify import classify

HERE = Path(__file__).resolve().parent
DEFINITIONS = {definition.id: definition for definition in SHIPPED}
CASES = [(path.stem, case) for path in sorted(HERE.glob("*.toml")) for case in tomllib.loads(path.read_text())["case"]]
VERDICTS_NEEDED = {"resistant", "not_resistant", "undetermined", "not_eligible"}


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{name}: {case['name']}" for name, case in CASES])
def test_case(name: str, case: dict[str, Any]) -> None:
    """The drawn history gets the verdict the case states, from the fast and from the slow implementation."""
    person = parse_history(case["history"].splitlines(), "P1")
    absent = frozenset() if person["coverage"] else frozenset({"coverage"})
    definition, observes = DEFINITIONS[name], frozenset(case["observes"])
    expected = {key: None if value == "none" else value for key, value in case["expected"].items()}

    fast = _fast(person, definition, observes, absent)
    slow = _slow(person, definition, observes, absent)

    assert {key: fast[key] for key in expected} == expected
    assert fast == slow


@pytest.mark.parametrize("name", sorted(DEFINITIONS))
def test_every_definition_has_every_verdict_drawn(name: str) -> None:
    """A definition ships with at least four cases, and with one of each verdict."""
    drawn = [case["expected"]["verdict"] for of, case in CASES if of == name]

    assert len(drawn) >= 4
    assert set(drawn) == VERDICTS_NEEDED


def _study(definition: Definition) -> Study:
    return Study.model_validate(
        {
            "name": "cases",
            "source": {"kind": "registry", "path": "."},
            "period": {"start": date(2015, 1, 1), "end": date(2024, 12, 31)},
            "episodes": {
                "disorders": definition.eligible.disorders if len(definition.eligible.disorders) == 1 else DISORDERS,
                "gap_days": 180,
                "treatment_bridges": True,
                "tail_days": 30,
                "washout_days": 365,
                "lead_days": 30,
            },
        }
    )


DISORDERS = ("anxiety", "depression")


def _fast(person: dict, definition: Definition, observes: frozenset[str], absent: frozenset[str]) -> dict[str, Any]:
    made = classify(to_extract([person], observes, absent), _study(definition), [definition], CODES)
    return made.classifications.row(0, named=True)


def _slow(person: dict, definition: Definition, observes: frozenset[str], absent: frozenset[str]) -> dict[str, Any]:
    study = _study(definition)
    told = classify_person(person, study.episodes, study.period, [definition], REFERENCE_CODES, observes, absent)
    return min(told["classifications"], key=lambda row: row["episode_id"])
