"""All definitions that share a trial rule, judged together.

    trials --adequacy, outcome--> judged trials --counts--> numbers of episodes --resistance--> verdicts

Trials are judged by scales, one query for each different way, and one more query judges them by all rules. How many
trials hold, of different kinds and since which day, is counted by compiled loops (asked.py). One more query makes the
verdicts of all definitions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl

from impasse.schemas.definition import Adequacy, Definition, Outcome
from impasse.schemas.rule_ids import column
from impasse.transforms.history.evidence import Signs, first_after
from impasse.transforms.history.scores import Windows, measure, windows
from impasse.transforms.history.severity import diagnosis_of
from impasse.transforms.history.trials import TrialsOfRule
from impasse.transforms.history.vocabulary import Vocabulary
from impasse.transforms.judge.adequacy import References, adequacy_reason, days_at_dose, is_adequate
from impasse.transforms.judge.asked import Asked, CountedTrials
from impasse.transforms.judge.counts import STILL_TREATED, WINDOW_CLOSES, Counting
from impasse.transforms.judge.outcome import SIGNS_OF_TRIALS, asks_changes, by_scales, columns_by_scales, outcome
from impasse.transforms.judge.resistance import (
    causes_shown,
    is_met,
    met_column,
    shown_column,
    verdict,
    verdict_column,
    verdict_columns,
)
from impasse.transforms.judge.response import response
from impasse.transforms.judge.staging import stage_columns
from impasse.transforms.kernels.days import LONG_AGO
from impasse.transforms.kernels.queries import collect_in_order, columns_read

_OF_OUTCOME = ("has_failed", "outcome_evidence", "day_failed")
_REASONS = ("adequacy_reason", "outcome_evidence")


@dataclass(frozen=True)
class JudgedBy:
    """What trials are judged by, beside themselves: the doses they are compared with, and what came after them."""

    references: References
    signs: Signs


def judge_trials(
    trials: TrialsOfRule, adequacies: Sequence[Adequacy], outcomes: Sequence[Outcome], by: JudgedBy,
    changes: frozenset[str], *, reads_days: bool, verdict_only: bool = False,
) -> pl.DataFrame:  # fmt: skip
    """The trials, in order, with what each adequacy and outcome rule says of them, in columns named as by `column`.

    If the verdict is all that is asked for, what it does not need is left out: the reasons. `changes` are those between
    trials that the delivery can show; `reads_days` says whether the trial rule reads days of supply.
    """
    of_eras = days_at_dose(trials.eras, adequacies, by.references, reads_days=reads_days)
    of_trials = [_judge_scales(trials, rule, by.signs) for rule in _different_scales(outcomes)]
    signs = {sign for rule in outcomes for sign in rule.change_signs}.difference(SIGNS_OF_TRIALS)
    came = {sign: first_after(trials.eras, sign, by.signs)[trials.row] for sign in sorted(signs)}
    for from_day in sorted({rule.add_on_from_day for rule in outcomes if asks_changes(rule)}):
        came |= trials.changes(from_day).named(from_day)
    answers: dict[str, pl.Expr] = {}
    for rule in adequacies:
        answers[column("is_adequate", rule)] = is_adequate(rule)
        answers[column("adequacy_reason", rule)] = adequacy_reason(rule)
    for rule in outcomes:
        told = outcome(rule, by.signs.observed | changes)
        answers |= {column(what, rule): answer for what, answer in zip(_OF_OUTCOME, told, strict=True)}
    if verdict_only:
        answers = {name: answer for name, answer in answers.items() if not name.startswith(_REASONS)}
    return collect_in_order(trials.facts(of_eras, of_trials, came).with_columns(**answers))


def _different_scales(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """One of the rules for each way of judging by scales."""
    scaled = [rule for rule in outcomes if rule.scales]
    return list({columns_by_scales(rule).has_failed.meta.output_name(): rule for rule in scaled}.values())


def _judge_scales(trials: TrialsOfRule, rule: Outcome, signs: Signs) -> pl.DataFrame:
    """What the scales of a rule say of each trial, asked once."""
    names = [answer.meta.output_name() for answer in columns_by_scales(rule)]

    def judge() -> pl.DataFrame:
        measured = signs.delivered.intersection(scale.scale for scale in rule.scales)
        steps = by_scales(rule, measured)
        known, place = measure(trials, windows(rule), measured, columns_read(*steps), signs)
        for step in steps:
            known = known.with_columns(**step)
        return collect_in_order(known.select(names))[place]

    return trials.once(("by scales", *names), judge)


def judge_response(trials: TrialsOfRule, given: Windows, signs: Signs) -> pl.DataFrame:
    """The response of each trial, and the scale that told it, whatever a definition calls failure; asked once."""

    def judge() -> pl.DataFrame:
        ill_with = trials.disorders
        listed = [scale for scale in signs.scales.iter_rows(named=True) if scale["scale"] in signs.scores]
        scales = [scale for scale in listed if not ill_with.isdisjoint(scale["disorders"])]
        states, told = response(given, scales)
        facts = {diagnosis_of(codes): _were_diagnosed(trials, codes, signs) for codes in _lists_of(scales)}
        asked, names = columns_read(states, told), [scale["scale"] for scale in scales]
        scores, place = measure(trials, given, names, asked, signs, facts)
        known = scores.with_columns(**states).with_columns(**told)  # all may be the same for all, and none a column
        return collect_in_order(known.select(list(told)))[place]

    return trials.once(("response", given), judge)


def _lists_of(scales: Sequence[dict[str, Any]]) -> set[str]:
    """The code lists that decide on bands of severity."""
    return {scale["bands_with"] for scale in scales} - {None}


def _were_diagnosed(trials: TrialsOfRule, codes: str, signs: Signs) -> np.ndarray:
    """Was each trial's person diagnosed with a code of the list by the episode's end?"""
    spans = trials.eras.spans
    found = signs.diagnosed.days_of(codes).number_within(spans.person, np.full(len(spans.end), LONG_AGO), spans.end)
    return (found > 0)[trials.episode]


# The definitions


@dataclass(frozen=True)
class Observability:
    """What a delivery can show: the treatments met, the groups it cannot show whole, whether it has admissions."""

    vocabulary: Vocabulary
    blind: frozenset[str]
    has_admissions: bool


def judge_definitions(
    definitions: Sequence[Definition], trials: TrialsOfRule, judged: pl.DataFrame, episodes: pl.DataFrame,
    delivered: Observability, *, verdict_only: bool = False,
) -> dict[str, pl.DataFrame]:  # fmt: skip
    """For each definition, by id, what is published of all episodes, in order; or the verdict only.

    The definitions share the rule of the trials. `judged` has the answers of their rules, `episodes` the facts of
    episodes that they ask about, one of them whether each definition speaks about the episode.
    """
    plan = plan_of(tuple(definitions), delivered.blind, delivered.has_admissions, verdict_only)
    treatment = pl.Series(trials.treatment)
    of_groups = [delivered.vocabulary.is_in(g).gather(treatment).alias(name) for name, g in plan.asked.groups.items()]
    counted = CountedTrials(trials, judged.hstack(of_groups), episodes, plan.asked.truths, delivered.vocabulary)
    still_treated = np.zeros(counted.n_episodes, dtype=bool)
    still_treated[trials.episode[trials.still_runs]] = True
    own = [pl.Series(WINDOW_CLOSES, trials.eras.window_closes), pl.Series(STILL_TREATED, still_treated)]
    known = episodes.hstack([*own, *plan.asked.answers(counted)]).lazy()
    for layer in plan.layers:
        known = known.with_columns(**layer)
    found = collect_in_order(known.select(**plan.answers))
    return {
        name: pl.DataFrame([found[f"{what} {name}"].alias(what) for what in columns])
        for name, columns in plan.columns.items()
    }


@dataclass(frozen=True)
class JudgingPlan:
    """What definitions that share a trial rule ask, as expressions: each layer sees the columns of those before it."""

    asked: Asked
    layers: tuple[dict[str, pl.Expr], ...]
    columns: dict[str, dict[str, pl.Expr]]

    @property
    def answers(self) -> dict[str, pl.Expr]:
        """What is published, under names that tell the definition."""
        return {f"{what} {name}": one for name, columns in self.columns.items() for what, one in columns.items()}


@lru_cache(maxsize=1024)
def plan_of(
    definitions: tuple[Definition, ...], blind: frozenset[str], has_admissions: bool, verdict_only: bool
) -> JudgingPlan:
    """The expressions of definitions that share a trial rule; the same for all parts of a run, so made once."""
    asked = Asked()
    countings = [Counting(definition, asked, blind, has_admissions) for definition in definitions]
    deciding = [one for one in countings if one.definition.gives == "verdict"]
    met = {met_column(one): is_met(one) for one in deciding}
    told = {} if verdict_only else {shown_column(one): causes_shown(one) for one in deciding}
    verdicts = {verdict_column(one): verdict(one) for one in deciding}
    columns = {one.definition.id: _columns_of(one, verdict_only) for one in countings}
    return JudgingPlan(asked, (met | told, verdicts), columns)


def _columns_of(counting: Counting, verdict_only: bool) -> dict[str, pl.Expr]:
    """What is published of an episode under a definition."""
    if counting.definition.gives != "verdict":
        return stage_columns(counting)
    return {"verdict": pl.col(verdict_column(counting))} if verdict_only else verdict_columns(counting)
