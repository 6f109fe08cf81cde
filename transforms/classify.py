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
from transforms.causes import find_causes
from transforms.eligibility import judge_eligibility
from transforms.encode import Coded, encode
from transforms.episodes import build_episodes
from transforms.impasses import find_impasses
from transforms.measurement import Measured, Windows, windows
from transforms.outcome import judge_outcome
from transforms.resistance import judge_resistance
from transforms.response import judge_response
from transforms.signs import Signs, find_signs
from transforms.staging import judge_staging
from transforms.trials import Exposures, Trials, build_trials, find_exposures, with_episode_facts


@dataclass(frozen=True)
class Classified:
    """The restricted tables of one extract, in the shapes of schemas/tables.py."""

    episodes: pl.DataFrame
    trials: pl.DataFrame
    judgements: pl.DataFrame
    classifications: pl.DataFrame
    stages: pl.DataFrame
    impasses: pl.DataFrame


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
    """Classify every episode of an extract under every definition, and stage it under every staging system."""
    work = _Work(extract, study, codes)
    known = sorted(definitions, key=lambda d: d.id)
    verdicts = [work.classify(definition) for definition in known if definition.gives == "verdict"]
    stages = [work.stage(definition) for definition in known if definition.gives != "verdict"]
    return Classified(  # only now are all trials built and judged
        episodes=_shaped("episodes", [work.named_episodes()]),
        trials=_shaped("trials", [work.named_trials(rule) for rule in sorted(work.built, key=rule_id)]),
        judgements=_shaped("judgements", [work.named_judgements(key) for key in work.judged]),
        classifications=_shaped("classifications", verdicts),
        stages=_shaped("stages", stages),
        impasses=_shaped("impasses", [work.impasses(verdicts)]),
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
        built = build_episodes(self.coded, study.episodes, study.period, codes)
        self.episodes = built.hstack(find_causes(built, self.coded, codes).select("diagnosed"))
        self.exposures: Exposures = find_exposures(self.coded, self.episodes)
        self.signs: Signs = find_signs(self.coded, codes.scales)
        self.built: dict[object, Trials] = {}
        self.measured: dict[tuple[object, Windows], Measured] = {}
        self.responses: dict[tuple[object, Windows], pl.DataFrame] = {}
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
            measured = self.measure(definition)
            self.judged[key] = judge_outcome(
                replace(built, trials=adequate), definition.outcome, measured, self.signs, self.coded
            )
        return self.judged[key]

    def measure(self, definition: Definition) -> Measured:
        key = (definition.trial, windows(definition.outcome))
        if key not in self.measured:
            trials = with_episode_facts(self.trials(definition.trial).trials, self.episodes)
            self.measured[key] = Measured(trials, key[1], self.signs)
            self.responses[key] = judge_response(self.measured[key])
        return self.measured[key]

    def classify(self, definition: Definition) -> pl.DataFrame:
        """One row per episode."""
        verdicts = judge_resistance(*self._facts(definition))
        return self.ids.join(verdicts, on="episode", maintain_order="left").with_columns(
            definition_id=pl.lit(definition.id), resistant_date=pl.col("resistant_day").cast(pl.Date)
        )

    def stage(self, definition: Definition) -> pl.DataFrame:
        """One row per episode."""
        staged = judge_staging(*self._facts(definition))
        return self.ids.join(staged, on="episode", maintain_order="left").with_columns(
            definition_id=pl.lit(definition.id)
        )

    def _facts(self, definition: Definition) -> tuple[pl.DataFrame, pl.DataFrame, Definition, Coded, CodeLists]:
        eligible = judge_eligibility(self.episodes, definition.eligible, self.coded, self.codes)
        episodes = self.episodes.with_columns(is_eligible=eligible)
        return episodes, self.judge(definition), definition, self.coded, self.codes

    def impasses(self, verdicts: list[pl.DataFrame]) -> pl.DataFrame:
        """One row per episode that some definition calls resistant."""
        resistant = [part.filter(pl.col("verdict") == "resistant").select("episode") for part in verdicts]
        chosen = self.episodes.join(
            pl.concat([self.episodes.select("episode").clear(), *resistant]), on="episode", how="semi"
        )
        return find_impasses(chosen, self.coded, self.codes).join(self.ids, on="episode")

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
        judged = self.judged[key].hstack(self.responses[rule, windows(outcome)])
        return self._with_ids(judged, rule).with_columns(
            judging_rule=pl.lit(rule_id(adequacy, outcome)), failure_date=pl.col("failure_date").cast(pl.Date)
        )

    def _with_ids(self, trials: pl.DataFrame, rule: object) -> pl.DataFrame:
        named = trials.join(self.ids, on="episode", maintain_order="left")
        return named.with_columns(trial_id=pl.format("{}:{}:{}", "episode_id", pl.lit(rule_id(rule)), "number"))
