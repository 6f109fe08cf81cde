"""One extract, many definitions -> episodes, trials, judgements and one verdict per episode and definition.

Equal blocks share work: trials are built once per trial rule, judged once per trial, adequacy and
outcome rule; only eligibility and resistance are asked of every definition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import polars as pl

from schemas.codelists import CodeLists
from schemas.definition import Definition
from schemas.extracts import Extract
from schemas.study import Study
from schemas.tables import KEYS, RESTRICTED
from transforms.adequacy import judge_adequacy
from transforms.eligibility import judge_eligibility
from transforms.encode import Coded, encode
from transforms.episodes import build_episodes
from transforms.outcome import Signs, find_signs, judge_outcome
from transforms.resistance import judge_resistance
from transforms.trials import Exposures, Trials, build_trials, find_exposures


@dataclass(frozen=True)
class Classified:
    """The restricted tables of one extract, in the shapes of schemas/tables.py."""

    episodes: pl.DataFrame
    trials: pl.DataFrame
    judgements: pl.DataFrame
    classifications: pl.DataFrame


def rule_id(*blocks: object) -> str:
    """A short name for equal blocks, the same on every machine."""
    return sha256("".join(map(repr, blocks)).encode()).hexdigest()[:8]


def trial_rule(definition: Definition) -> str:
    """The name of the definition's trial rule."""
    return rule_id(definition.trial)


def judging_rule(definition: Definition) -> str:
    """The name of the definition's adequacy and outcome rules."""
    return rule_id(definition.adequacy, definition.outcome)


def classify(extract: Extract, study: Study, definitions: Sequence[Definition], codes: CodeLists) -> Classified:
    """Classify every episode of an extract under every definition."""
    work = _Work(extract, study, codes)
    episodes = work.named_episodes()
    parts = [work.classify(definition) for definition in sorted(definitions, key=lambda d: d.id)]
    return Classified(
        episodes=_shaped("episodes", [episodes]),
        trials=_shaped("trials", [work.named_trials(rule) for rule in sorted(work.built, key=rule_id)]),
        judgements=_shaped("judgements", [work.named_judgements(key) for key in work.judged]),
        classifications=_shaped("classifications", parts),
    )


def _shaped(name: str, parts: list[pl.DataFrame]) -> pl.DataFrame:
    """The parts as one table with the declared columns and types, in key order."""
    columns = RESTRICTED[name].to_schema().columns
    types = {column: spec.dtype.type for column, spec in columns.items()}
    table = pl.concat(parts) if parts else pl.DataFrame(schema=types)
    return table.select(pl.col(c).cast(t) for c, t in types.items()).sort(KEYS[name])


class _Work:
    """What definitions share while one extract is classified."""

    def __init__(self, extract: Extract, study: Study, codes: CodeLists) -> None:
        self.codes = codes
        self.coded: Coded = encode(extract, codes, study.episodes.disorders)
        self.episodes = build_episodes(self.coded, study.episodes, study.period, codes)
        self.exposures: Exposures = find_exposures(self.coded, self.episodes)
        self.signs: Signs = find_signs(self.coded, codes.scales)
        self.built: dict[object, Trials] = {}
        self.judged: dict[tuple[object, object, object], pl.DataFrame] = {}
        self.ids = self.episodes.join(
            extract.persons.select("person", "person_id"), on="person", maintain_order="left"
        ).select("episode", "person_id", episode_id=pl.format("{}:{}:{}", "person_id", "disorder", "number"))

    def trials(self, rule: object) -> Trials:
        if rule not in self.built:
            self.built[rule] = build_trials(self.exposures, self.episodes, rule, self.coded.vocabulary)
        return self.built[rule]

    def judge(self, definition: Definition) -> pl.DataFrame:
        key = (definition.trial, definition.adequacy, definition.outcome)
        if key not in self.judged:
            built = self.trials(definition.trial)
            adequate = judge_adequacy(built, definition.adequacy, self.coded.vocabulary, self.codes.doses)
            self.judged[key] = judge_outcome(
                replace(built, trials=adequate), self.episodes, definition.outcome, self.signs, self.coded
            )
        return self.judged[key]

    def classify(self, definition: Definition) -> pl.DataFrame:
        """One row per episode."""
        eligible = judge_eligibility(self.episodes, definition.eligible, self.coded)
        episodes = self.episodes.select("episode").with_columns(is_eligible=eligible)
        verdicts = judge_resistance(
            episodes,
            self.judge(definition),
            definition.resistance,
            self.coded.vocabulary,
            self.coded.observes,
            self.codes,
        )
        return self.ids.join(verdicts, on="episode", maintain_order="left").with_columns(
            definition_id=pl.lit(definition.id), resistant_date=pl.col("resistant_day").cast(pl.Date)
        )

    def named_episodes(self) -> pl.DataFrame:
        return self.episodes.join(self.ids, on="episode", maintain_order="left").with_columns(
            pl.col("treated_from").cast(pl.Date),
            start_date=pl.col("start").cast(pl.Date),
            end_date=pl.col("end").cast(pl.Date),
        )

    def named_trials(self, rule: object) -> pl.DataFrame:
        vocabulary = self.coded.vocabulary
        weight = pl.col("days_covered")
        is_drug = pl.col("n_sessions").is_null()
        return self._with_ids(self.trials(rule).trials, rule).with_columns(
            trial_rule=pl.lit(rule_id(rule)),
            treatment_class=pl.lit(vocabulary.column("class")).gather(pl.col("treatment")),
            treatment=pl.lit(vocabulary.column("treatment")).gather(pl.col("treatment")),
            start_date=pl.col("start").cast(pl.Date),
            end_date=pl.col("last_day").cast(pl.Date),
            dose_mg=pl.when(is_drug & (weight > 0)).then(pl.col("dose_ug_days") / weight / 1000),
            adherence=pl.when(is_drug & (pl.col("n_days") > 0)).then(weight / pl.col("n_days")),
        )

    def named_judgements(self, key: tuple[object, object, object]) -> pl.DataFrame:
        rule, adequacy, outcome = key
        return self._with_ids(self.judged[key], rule).with_columns(
            judging_rule=pl.lit(rule_id(adequacy, outcome)), failure_date=pl.col("failure_date").cast(pl.Date)
        )

    def _with_ids(self, trials: pl.DataFrame, rule: object) -> pl.DataFrame:
        named = trials.join(self.ids, on="episode", maintain_order="left")
        return named.with_columns(trial_id=pl.format("{}:{}:{}", "episode_id", pl.lit(rule_id(rule)), "number"))
