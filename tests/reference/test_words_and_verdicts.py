"""What the report says of a block and what a run computes by it cannot drift: blocks of the same words judge alike."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from impasse.reports.words.prose import describe
from impasse.schemas.definition import Definition
from tests.reference.both import drawn_round, fast
from tests.reference.variants import random_definition
from tests.shipped import SHIPPED

DRAWN = 1500
BASE = next(definition for definition in SHIPPED if definition.id == "dep_typical_two_drugs")


@pytest.fixture(scope="module")
def alike() -> list[tuple[Definition, Definition]]:
    """Definitions that differ in one block, by settings of which the report says the same."""
    rng, met, pairs = random.Random(8), {}, {}
    for number in range(DRAWN):
        drawn = random_definition(rng, rng.choice(SHIPPED))
        for block in ("eligible", "trial", "adequacy", "outcome", "resistance"):
            settings = getattr(drawn, block)
            one = replace(BASE, **{block: settings}, id=f"{block}_{number}")
            other = met.setdefault((block, describe(one)[block]), one)
            if getattr(other, block) != settings:
                pairs.setdefault((other.id, settings), (other, one))
    return list(pairs.values())


def test_the_same_words_are_the_same_verdicts(alike: list[tuple[Definition, Definition]]) -> None:
    """Of every episode that is drawn: the verdict, what decided it and since when, or the stage."""
    definitions = {definition.id: definition for pair in alike for definition in pair}
    told = fast(replace(drawn_round(5, n_variants=0), definitions=list(definitions.values())))
    said: dict[str, dict[str, dict]] = {name: {} for name in definitions}
    for (episode, name), row in (told["classifications"] | told["stages"]).items():
        said[name][episode] = {column: value for column, value in row.items() if column != "definition_id"}

    assert len(alike) > 20
    assert [(one.id, other.id) for one, other in alike if said[one.id] != said[other.id]] == []
