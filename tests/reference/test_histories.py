"""The drawn histories themselves: whole tables, and the same again from the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from impasse.schemas.extracts import MODELS
from impasse.transforms.try_cases import drawn_extract
from tests.reference import histories, twists, variants
from tests.reference.drawn import BASE, EVERYTHING


def test_drawn_persons_are_canonical_tables() -> None:
    """Drawn histories become frames that the canonical models accept, and absent tables stay absent."""
    rng = random.Random(1)
    extract = drawn_extract([histories.random_person(rng, n) for n in range(30)], EVERYTHING, frozenset({"coverage"}))

    accepted = {name: MODELS[name].validate(table).equals(table) for name, table in extract.tables().items()}

    assert set(accepted) == set(MODELS) - {"coverage"}
    assert all(accepted.values())


@pytest.mark.parametrize("twist", twists.TWISTS, ids=lambda twist: twist.__name__)
def test_a_twist_keeps_tables_canonical(twist: Callable) -> None:
    """Each twist changes what it is about, and leaves tables that the canonical models accept."""
    rng = random.Random(3)
    persons = [person for n in range(20) if (person := histories.random_person(rng, n))["dispensings"]]
    changed = [person | twist(rng, person) for person in persons]
    tables = drawn_extract(changed, EVERYTHING, frozenset()).tables()

    assert changed != persons
    assert all(MODELS[name].validate(table).equals(table) for name, table in tables.items())


def test_a_seed_draws_the_same_again() -> None:
    """Equal seeds draw equal persons, studies and definitions."""
    first, second = random.Random(7), random.Random(7)

    assert histories.random_person(first, 0) == histories.random_person(second, 0)
    assert histories.random_study(first) == histories.random_study(second)
    assert variants.random_definition(first, BASE) == variants.random_definition(second, BASE)
