"""Both implementations on the same drawn histories: rounds of persons, all facts of each, and where they differ."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from impasse.schemas.definition import Definition
from impasse.schemas.rule_ids import judging_rule, trial_rule
from impasse.schemas.study import Study
from impasse.transforms.results import classify
from impasse.transforms.try_cases import drawn_extract
from tests.reference.histories import (
    random_absent_tables,
    random_leftovers,
    random_max_days,
    random_observes,
    random_person,
    random_same_day,
    random_study,
)
from tests.reference.reference import JUDGEMENT_FACTS, TRIAL_FACTS, classify_person
from tests.reference.variants import random_definition
from tests.shipped import CODES, REFERENCE_CODES, SHIPPED

PERSONS_A_ROUND = 200
VARIANTS_A_ROUND = 20
Row = dict[str, Any]  # a row of either implementation: values of every type
_TRIAL_ID = pl.format("{}:{}:{}", "episode_id", "trial_rule", "number").alias("trial_id")
Facts = dict[str, dict[tuple[str, ...], Row]]  # by table and key


@dataclass(frozen=True)
class Round:
    """Some persons, the study they are drawn for, the definitions, and what the delivery can show."""

    persons: list[Row]
    study: Study
    definitions: list[Definition]
    observes: frozenset[str]
    absent: frozenset[str]


def drawn_round(seed: int, n_persons: int = PERSONS_A_ROUND, n_variants: int = VARIANTS_A_ROUND) -> Round:
    """The round of a seed: every shipped definition, and some of them with other settings."""
    rng = random.Random(seed)
    persons = [random_person(rng, index) for index in range(n_persons)]
    episodes, period = random_study(rng)
    supply = {"same_day": random_same_day(rng), "max_days": random_max_days(rng)}
    observes, absent = random_observes(rng), random_absent_tables(rng)
    variants = [_variant(rng, rng.choice(SHIPPED), number) for number in range(n_variants)]
    supply |= {"leftovers": random_leftovers(rng), "new_drug_ends_old": rng.random() < 1 / 3}
    sections = {"source": {"kind": "registry", "path": "."}, "supply": supply, "period": period, "episodes": episodes}
    study = Study.model_validate({"name": "random", **sections})
    return Round(persons, study, SHIPPED + variants, observes, absent)


def _variant(rng: random.Random, base: Definition, number: int) -> Definition:
    return replace(random_definition(rng, base), id=f"{base.id}_varied_{number}")


def fast(drawn: Round) -> Facts:
    """What transforms/ says of all persons of a round."""
    extract = drawn_extract(drawn.persons, drawn.observes, drawn.absent)
    made = classify(extract, drawn.study, drawn.definitions, CODES)
    disorder = dict(made.episodes.select("episode_id", "disorder").iter_rows())
    trials, judgements = (table.with_columns(_TRIAL_ID).to_dicts() for table in (made.trials, made.judgements))
    of_trial: dict[str, list[Row]] = {}
    of_judgement: dict[str, list[Row]] = {}
    for definition in drawn.definitions:
        trials_by, judged_by = trial_rule(definition), judging_rule(definition)
        speaks = definition.eligible.disorders
        kept = [t for t in trials if t["trial_rule"] == trials_by and disorder[t["episode_id"]] in speaks]
        names = {trial["trial_id"] for trial in kept}
        of_trial[definition.id] = _only(TRIAL_FACTS, kept)
        of_judgement[definition.id] = _only(
            JUDGEMENT_FACTS, [j for j in judgements if j["judging_rule"] == judged_by and j["trial_id"] in names]
        )
    return {
        "episodes": _keyed(made.episodes.to_dicts(), "episode_id"),
        "trials": _keyed_by_definition(of_trial),
        "judgements": _keyed_by_definition(of_judgement),
        "classifications": _keyed(made.classifications.to_dicts(), "episode_id", "definition_id"),
        "stages": _keyed(made.stages.to_dicts(), "episode_id", "definition_id"),
        "impasses": _keyed(made.impasses.to_dicts(), "episode_id"),
    }


def slow(drawn: Round) -> Facts:
    """What the reference says of all persons of a round."""
    study = drawn.study
    scales = frozenset(row["scale"] for person in drawn.persons for row in person["scores"])
    rest = (drawn.definitions, REFERENCE_CODES, drawn.observes, drawn.absent, study.supply, scales)
    told = [classify_person(person, study.episodes, study.period, *rest) for person in drawn.persons]
    by_definition = {
        table: {d.id: [row for person in told for row in person[table][d.id]] for d in drawn.definitions}
        for table in ("trials", "judgements")
    }
    keys = {"episodes": ("episode_id",), "impasses": ("episode_id",)}
    keys |= dict.fromkeys(("classifications", "stages"), ("episode_id", "definition_id"))
    whole = {table: _keyed([row for person in told for row in person[table]], *key) for table, key in keys.items()}
    return whole | {table: _keyed_by_definition(rows) for table, rows in by_definition.items()}


def differences(one: Facts, other: Facts) -> list[str]:
    """Each fact that differs, in words; both on a seeded history, so that nobody is shown."""
    told = []
    for table in sorted(one.keys() | other.keys()):
        rows, others = one[table], other[table]
        for key in sorted(rows.keys() | others.keys()):
            row, its = rows.get(key), others.get(key)
            if row is None or its is None:
                told.append(f"{table} {key}: only in {'the reference' if row is None else 'transforms/'}")
            elif row != its:
                columns = [c for c in sorted(row.keys() | its.keys()) if row.get(c) != its.get(c)]
                told += [f"{table} {key} {c}: {row.get(c)} in transforms/, {its.get(c)} here" for c in columns]
    return told


def _only(columns: Sequence[str], rows: list[Row]) -> list[Row]:
    return [{column: row[column] for column in columns} for row in rows]


def _keyed(rows: list[Row], *key: str) -> dict[tuple[str, ...], Row]:
    keyed = {tuple(row[k] for k in key): row for row in rows}
    assert len(keyed) == len(rows), "a key is there twice"
    return keyed


def _keyed_by_definition(rows: dict[str, list[Row]]) -> dict[tuple[str, ...], Row]:
    return _keyed(
        [{"definition": name, **row} for name, some in rows.items() for row in some], "definition", "trial_id"
    )
