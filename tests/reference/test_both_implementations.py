"""Thousands of seeded random histories: the fast and the slow implementation say the same, to the last fact."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

from schemas.definition import Definition
from schemas.study import EpisodeSection, PeriodSection, Study
from schemas.tables import VERDICTS
from tests.reference.histories import (
    random_absent_tables,
    random_definition,
    random_observes,
    random_person,
    random_study,
)
from tests.reference.reference import classify_person
from tests.shipped import CODES, REFERENCE_CODES, SHIPPED
from transforms.classify import Classified, classify, judging_rule, trial_rule
from transforms.try_case import drawn_extract

ROUNDS = int(os.environ.get("IMPASSE_RANDOM_ROUNDS", "20"))
PERSONS_A_ROUND = 100


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_fast_and_slow_agree(seed: int) -> None:
    """Every episode, trial, judgement and verdict is the same in both implementations."""
    rng = random.Random(seed)
    persons = [random_person(rng, index) for index in range(PERSONS_A_ROUND)]
    episodes, period = random_study(rng)
    definitions = SHIPPED + [_varied(rng, base) for base in SHIPPED]
    observes, absent = random_observes(rng), random_absent_tables(rng)

    fast = classify(drawn_extract(persons, observes, absent), _study(episodes, period), definitions, CODES)
    slow = [classify_person(p, episodes, period, definitions, REFERENCE_CODES, observes, absent) for p in persons]

    assert _fast_facts(fast, definitions) == _slow_facts(slow, definitions)


def test_the_histories_reach_every_verdict() -> None:
    """Over the seeds every shipped definition gives each of the four verdicts."""
    reached: set[tuple[str, str]] = set()
    for seed in range(ROUNDS):
        rng = random.Random(seed)
        persons = [random_person(rng, index) for index in range(PERSONS_A_ROUND)]
        episodes, period = random_study(rng)
        made = classify(
            drawn_extract(persons, random_observes(rng), frozenset()), _study(episodes, period), SHIPPED, CODES
        )
        reached |= set(made.classifications.select("definition_id", "verdict").unique().rows())

    assert sorted(reached) == sorted((d.id, verdict) for d in SHIPPED for verdict in VERDICTS)


def _varied(rng: random.Random, base: Definition) -> Definition:
    varied = random_definition(rng, base)
    object.__setattr__(varied, "id", f"{base.id}_varied")
    return varied


def _study(episodes: EpisodeSection, period: PeriodSection) -> Study:
    source = {"kind": "registry", "path": "."}
    return Study.model_validate({"name": "random", "source": source, "period": period, "episodes": episodes})


def _keyed(rows: list[dict[str, Any]], *key: str) -> dict[tuple, dict[str, Any]]:
    return {tuple(row[k] for k in key): row for row in rows}


def _slow_facts(told: list[dict], definitions: list[Definition]) -> dict[str, Any]:
    trials = {d.id: [row for person in told for row in person["trials"][d.id]] for d in definitions}
    judgements = {d.id: [row for person in told for row in person["judgements"][d.id]] for d in definitions}
    return {
        "episodes": _keyed([row for person in told for row in person["episodes"]], "episode_id"),
        "trials": {name: _keyed(rows, "trial_id") for name, rows in trials.items()},
        "judgements": {name: _keyed(rows, "trial_id") for name, rows in judgements.items()},
        "classifications": _keyed(
            [row for person in told for row in person["classifications"]], "episode_id", "definition_id"
        ),
    }


def _fast_facts(made: Classified, definitions: list[Definition]) -> dict[str, Any]:
    trials = made.trials.to_dicts()
    judgements = made.judgements.to_dicts()
    of_trial = {d.id: [t for t in trials if t["trial_rule"] == trial_rule(d)] for d in definitions}
    names = {d.id: {t["trial_id"] for t in of_trial[d.id]} for d in definitions}
    of_judgement = {
        d.id: [j for j in judgements if j["judging_rule"] == judging_rule(d) and j["trial_id"] in names[d.id]]
        for d in definitions
    }
    return {
        "episodes": _keyed(made.episodes.to_dicts(), "episode_id"),
        "trials": {name: _only_told(_keyed(rows, "trial_id")) for name, rows in of_trial.items()},
        "judgements": {name: _without(_keyed(rows, "trial_id"), "judging_rule") for name, rows in of_judgement.items()},
        "classifications": _keyed(made.classifications.to_dicts(), "episode_id", "definition_id"),
    }


_NOT_TOLD = ("person_id", "trial_rule", "treatment_class", "supply_basis", "dose_mg", "adherence")


def _only_told(rows: dict[tuple, dict]) -> dict[tuple, dict]:
    return _without(rows, *_NOT_TOLD)


def _without(rows: dict[tuple, dict], *columns: str) -> dict[tuple, dict]:
    return {key: {c: v for c, v in row.items() if c not in columns} for key, row in rows.items()}
