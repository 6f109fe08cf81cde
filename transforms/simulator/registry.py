"""A made-up registry in the generic layout: same seed, same bytes, nobody's data.

In: a number of persons and a seed. Out: the seven tables as a registry would deliver them, dates as
ISO text, each sorted by person and date. Persons come in blocks of `BLOCK_SIZE` and a block's random
numbers depend on the seed and the block's number only, so blocks can be made one at a time, in any
order or in parallel, and a registry of millions never has to be in memory at once.

1. `course` draws persons, their episodes of illness and the treatment of each.
2. `contacts`, `dispensings` and `sessions` write down what the registry sees of it.
3. `faults` spoils about one row in a thousand, as every real delivery has them.

What there is to draw from is in `disorders`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from impasse.transforms.simulator.contacts import admissions, coverage, diagnoses, persons
from impasse.transforms.simulator.course import (
    draw_episodes,
    draw_people,
    draw_psychotherapy,
    draw_stays,
    draw_steps,
    drug_courses,
)
from impasse.transforms.simulator.dispensings import dispensings
from impasse.transforms.simulator.faults import spoil
from impasse.transforms.simulator.sessions import procedures, scores

BLOCK_SIZE = 10_000

Tables = dict[str, pl.DataFrame]


def simulate(n_persons: int, seed: int, faults: bool = True) -> Tables:
    """A made-up registry of `n_persons`: persons, coverage, diagnoses, dispensings, procedures, scores, admissions."""
    blocks = list(simulate_blocks(n_persons, seed, faults))
    return {table: pl.concat([block[table] for block in blocks]) for table in blocks[0]}


def simulate_blocks(n_persons: int, seed: int, faults: bool = True) -> Iterator[Tables]:
    """The same registry one block after another; only the block that is asked for is in memory."""
    return (simulate_block(block, n_persons, seed, faults) for block in range(n_blocks(n_persons)))


def n_blocks(n_persons: int) -> int:
    """How many blocks a registry of `n_persons` has; at least one."""
    return max(1, -(-n_persons // BLOCK_SIZE))


def simulate_block(block: int, n_persons: int, seed: int, faults: bool = True) -> Tables:
    """The tables of block number `block` of a registry of `n_persons`; blocks in order make up `simulate`."""
    rng = np.random.default_rng([seed, block])
    first = block * BLOCK_SIZE
    people = draw_people(rng, first, min(BLOCK_SIZE, n_persons - first))
    episodes = draw_episodes(rng, people)
    psychotherapy = draw_psychotherapy(rng, episodes)
    steps = draw_steps(rng, episodes, psychotherapy)
    courses = drug_courses(steps)
    stays = draw_stays(rng, people, episodes, courses)
    tables = {
        "persons": persons(people),
        "coverage": coverage(people),
        "diagnoses": diagnoses(rng, people, episodes, courses, stays),
        "dispensings": dispensings(rng, people, episodes, courses),
        "procedures": procedures(rng, people, episodes, steps, psychotherapy),
        "scores": scores(rng, people, episodes, steps, psychotherapy),
        "admissions": admissions(people, stays),
    }
    return spoil(np.random.default_rng([seed, block, 1]), tables) if faults else tables
