"""Many definitions over the same episodes: those that no definition could tell apart are judged once, with a weight.

Thousands of variants of a definition mostly share how trials are built, and differ in thresholds. What such a
variant can see of an episode is whether it is eligible, and of each trial the treatment, whether it was added
to another, and what each rule of adequacy and outcome says of it. All of that together is the episode's
signature. Episodes with one signature get the same verdict from every variant, so one of them stands for all.
That is exact. And while episodes grow with the persons, signatures do not for long: they are made of answers,
not of days.

Definitions that say something about time see days as well. Theirs are counted from the episode's first trial, and
their signatures are taken apart from the others', which would be split by days they do not look at. Definitions
by points look at more than trials, and are asked about every episode.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import polars as pl

from schemas.definition import Counted, Definition
from schemas.tables import ADEQUACY_REASONS, VERDICTS
from transforms.bounds import Bounds
from transforms.classify import Classified
from transforms.counts import Tried, has_time
from transforms.resistance import Facts, judge_verdict
from transforms.segments import NEVER, Segments, in_order, places
from transforms.trials import Trials

_BITS = 62  # of a packed number
_Column = tuple[np.ndarray, int]  # whole numbers from 0, and how many different ones there may be


def count_variants(made: Classified) -> pl.DataFrame:
    """How many episodes of each disorder each definition gives each verdict: definition_id, disorder, verdict, n.

    A row for every combination, also where n is 0; additive over parts of the persons.
    """
    counts = [
        (definition.id, disorder, verdict, int(n))
        for definitions in _alike(made.deciding)
        for definition, table in _counted(made, definitions)
        for disorder, numbers in zip(made.disorders, table, strict=True)
        for verdict, n in zip(VERDICTS, numbers, strict=True)
    ]
    schema = {"definition_id": pl.String, "disorder": pl.String, "verdict": pl.String, "n": pl.Int64}
    return pl.DataFrame(counts, schema=schema, orient="row").sort("definition_id", "disorder", maintain_order=True)


def _alike(definitions: Iterable[Definition]) -> Iterator[list[Definition]]:
    """The definitions that see the same things: equal trials, and all or none of them days."""
    groups: dict[tuple[object, str], list[Definition]] = {}
    for definition in definitions:
        groups.setdefault((definition.trial, _sees(definition)), []).append(definition)
    yield from groups.values()


def _sees(definition: Definition) -> str:
    if not isinstance(definition.resistance, Counted):
        return "everything"
    return "days" if any(has_time(arm) for arm in definition.resistance.any_of) else "answers"


def _counted(made: Classified, definitions: list[Definition]) -> Iterator[tuple[Definition, np.ndarray]]:
    """Each definition with its counts, disorders by verdicts; all of them see the same things."""
    if _sees(definitions[0]) == "everything":
        chosen, weight = np.arange(len(made.disorder_of)), np.ones(len(made.disorder_of))
    else:
        chosen, weight = representatives(made, definitions)
    rows, trials = made.trials_under(definitions[0].trial).of_episodes(chosen)
    cell = made.disorder_of[chosen] * len(VERDICTS)
    for definition in definitions:
        verdict = judge_verdict(_facts_of(made.facts(definition), chosen, rows, trials))
        n = np.bincount(cell + verdict, weights=weight, minlength=len(made.disorders) * len(VERDICTS))
        yield definition, n.reshape(len(made.disorders), len(VERDICTS))


def _facts_of(facts: Facts, chosen: np.ndarray, rows: np.ndarray, trials: Trials) -> Facts:
    """The same of the chosen episodes only, whose trials are these rows."""
    tried = facts.tried
    return replace(
        facts,
        eligible=facts.eligible[chosen],
        causes=facts.causes.of_episodes(chosen),
        tried=Tried(trials, tried.reason[rows], tried.judged[rows], tried.speaks[chosen], tried.vocabulary),
    )


def representatives(made: Classified, definitions: list[Definition]) -> tuple[np.ndarray, np.ndarray]:
    """One episode of each signature under definitions that see the same things, and how many episodes have it."""
    trials = made.trials_under(definitions[0].trial)
    of_trials = _numbered(_of_trials(made, definitions, trials), len(trials.row))
    told = np.zeros(len(made.disorder_of), dtype=np.int64)
    told[trials.episode[trials.episodes.first]] = _sets(trials.episodes, of_trials) + 1
    signature = _numbered([(told, int(told.max(initial=0)) + 1), *_of_episodes(made, definitions)], len(told))
    weight = np.bincount(signature)
    first = np.zeros(len(weight), dtype=np.int64)
    first[signature[::-1]] = np.arange(len(signature))[::-1]
    return first, weight


def _of_episodes(made: Classified, definitions: list[Definition]) -> Iterator[_Column]:
    """What the definitions see of an episode beside its trials."""
    yield made.disorder_of, len(made.disorders)
    for definition in {d.eligible: d for d in definitions}.values():
        yield _three(made.facts(definition).eligible)
    if any(d.eligible.pseudo_resistance == "after" for d in definitions):
        yield made.facts(definitions[0]).causes.is_diagnosed, 2


def _of_trials(made: Classified, definitions: list[Definition], trials: Trials) -> Iterator[_Column]:
    """What the definitions see of a trial."""
    yield trials.treatment, int(trials.treatment.max(initial=0)) + 1
    yield trials.is_counted, 2
    yield trials.is_add_on, 2
    for definition in {d.adequacy: d for d in definitions}.values():
        yield made.facts(definition).tried.reason, len(ADEQUACY_REASONS)
    sees_days = _sees(definitions[0]) == "days"
    if sees_days:
        yield trials.has_unknown_supply, 2
        yield _since_first(trials.start, trials)
        yield _since_first(trials.last_day, trials)
    for definition in {d.outcome: d for d in definitions}.values():
        judged = made.facts(definition).tried.judged
        yield _three(judged.failed)
        if sees_days:
            yield _since_first(judged.day, trials)


def _three(truths: Bounds) -> _Column:
    return truths.sure.astype(np.int64) + truths.possible, 3


def _since_first(day: np.ndarray, trials: Trials) -> _Column:
    """Days counted from the first trial of the episode; 0 is a day that does not come."""
    if not len(day):
        return day, 1
    began = trials.episodes.min(trials.start)[trials.episodes.of]
    lowest = int((day - began).min())
    since = np.where(day == NEVER, 0, day - began - lowest + 1)
    return since, int(since.max()) + 1


def _numbered(columns: Iterable[_Column], n_rows: int) -> np.ndarray:
    """A number for each row, from 0 without gaps: rows have the same one if all their columns are equal."""
    number, size = np.zeros(n_rows, dtype=np.int64), 1
    for values, n_values in columns:
        if (size * n_values).bit_length() > _BITS:
            number = places(number)[1]
            size = int(number.max(initial=0)) + 1
        number, size = number * n_values + values, size * n_values
    return places(number)[1]


def _sets(groups: Segments, values: np.ndarray) -> np.ndarray:
    """A number for each group: groups have the same one if they hold the same values, each as often.

    Values are put in order; then groups that have agreed so far are told apart by the next value, and the next.
    """
    n_values = int(values.max(initial=0)) + 1
    ordered = values[in_order(groups.of * n_values + values)]
    number, met_before = np.zeros(len(groups), dtype=np.int64), 1
    for place in range(int(groups.lengths.max(initial=0))):
        longer = np.flatnonzero(groups.lengths > place)
        pairs = number[longer] * n_values + ordered[groups.first[longer] + place]
        met, place_of_pair = places(pairs)
        number[longer] = met_before + place_of_pair
        met_before += len(met)
    return number
