"""The drawn histories themselves: whole tables, and the same again from the same seed."""

from __future__ import annotations

import random

from impasse.schemas.extracts import MODELS
from impasse.transforms.try_cases import drawn_extract
from tests.reference import histories, variants
from tests.reference.drawn import BASE, EVERYTHING


def test_drawn_persons_are_canonical_tables() -> None:
    """Drawn histories become frames that the canonical models accept, and absent tables stay absent."""
    rng = random.Random(1)
    extract = drawn_extract([histories.random_person(rng, n) for n in range(30)], EVERYTHING, frozenset({"coverage"}))

    accepted = {name: MODELS[name].validate(table).equals(table) for name, table in extract.tables().items()}

    assert set(accepted) == set(MODELS) - {"coverage"}
    assert all(accepted.values())


def test_a_seed_draws_the_same_again() -> None:
    """Equal seeds draw equal persons, studies and definitions."""
    first, second = random.Random(7), random.Random(7)

    assert histories.random_person(first, 0) == histories.random_person(second, 0)
    assert histories.random_study(first) == histories.random_study(second)
    assert variants.random_definition(first, BASE) == variants.random_definition(second, BASE)
