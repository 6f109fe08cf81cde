"""One extract, many definitions -> episodes, trials, judgements and one verdict per episode and definition.

Equal blocks share work: eras are joined once per way of joining, trials are built once per trial rule, judged
once per trial, adequacy and outcome rule; only eligibility and resistance are asked of every definition. A
trial rule is applied to episodes of the disorders that some definition with the rule speaks about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from hashlib import sha256
from operator import or_
from typing import Any

import numpy as np
import polars as pl

from schemas.codelists import CodeLists
from schemas.definition import Adequacy, Definition, Outcome, Trial
from schemas.extracts import SUPPLY_BASES, Extract
from schemas.study import Study
from schemas.tables import ADEQUACY_REASONS, MODALITIES, RESPONSES, RESTRICTED, ROLES
from transforms.adequacy import is_adequate, judge_adequacy
from transforms.attempts import Attempts, Exposures, Joining, find_attempts, find_exposures, joining
from transforms.causes import find_causes
from transforms.counts import Tried
from transforms.eligibility import Eligibility
from transforms.encode import UNKNOWN, Coded, dated, decode, encode
from transforms.episodes import Spans, build_episodes, spans_of
from transforms.impasses import find_impasses
from transforms.measurement import windows
from transforms.outcome import Judged, judge_outcome
from transforms.resistance import RESISTANT, Verdicts, frame_of, judge_resistance
from transforms.response import judge_response
from transforms.signs import Signs, find_signs
from transforms.staging import judge_staging
from transforms.trials import Trials, build_trials
from transforms.verdicts import NOT_SPOKEN_OF, VerdictMatrix, code_of

JudgingKey = tuple[Trial, Adequacy, Outcome]


@dataclass(frozen=True)
class Classified:
    """The restricted tables of one extract, in the shapes of schemas/tables.py, and the verdicts as a matrix.

    Tables are sorted by their rules or definition, then as `episodes` by person, disorder and number.
    """

    episodes: pl.DataFrame
    trials: pl.DataFrame
    judgements: pl.DataFrame
    classifications: pl.DataFrame
    stages: pl.DataFrame
    impasses: pl.DataFrame
    matrix: VerdictMatrix


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
    known = sorted(definitions, key=lambda d: d.id)
    work = _Work(extract, study, known, codes)
    verdicts = {d.id: work.classify(d) for d in known if d.gives == "verdict"}
    stages = [work.stage(definition) for definition in known if definition.gives != "verdict"]
    episodes = _shaped("episodes", [work.named_episodes()])
    deciding = tuple(d for d in known if d.gives == "verdict")
    return Classified(  # only now are all trials built and judged
        episodes=episodes,
        trials=_shaped("trials", [work.named_trials(rule) for rule in sorted(work.built, key=rule_id)]),
        judgements=_shaped("judgements", [work.named_judgements(key) for key in sorted(work.judged, key=_judging_ids)]),
        classifications=_shaped("classifications", [work.named_verdicts(verdicts)] if verdicts else []),
        stages=_shaped("stages", stages),
        impasses=_shaped("impasses", [work.impasses(list(verdicts.values()))]),
        matrix=VerdictMatrix(episodes, deciding, work.codes_of_verdicts(deciding, verdicts)),
    )


def _judging_ids(key: JudgingKey) -> tuple[str, str]:
    trial, adequacy, outcome = key
    return rule_id(trial), rule_id(adequacy, outcome)


def _shaped(name: str, parts: list[pl.DataFrame]) -> pl.DataFrame:
    """The parts as one table with the declared columns and types."""
    columns = RESTRICTED[name].to_schema().columns
    types = {column: spec.dtype.type for column, spec in columns.items()}
    if not parts:
        return pl.DataFrame(schema=types)
    return pl.concat([part.select(pl.col(c).cast(t) for c, t in types.items()) for part in parts])


class _Work:
    """What definitions share while one extract is classified."""

    def __init__(self, extract: Extract, study: Study, definitions: Sequence[Definition], codes: CodeLists) -> None:
        self.codes, self.definitions = codes, definitions
        self.coded: Coded = encode(extract, codes, study.episodes.disorders)
        self.episodes = build_episodes(self.coded, study.episodes, study.period, codes)
        self.spans: Spans = spans_of(self.episodes, self.coded.disorders)
        self.causes = find_causes(self.spans, self.coded, codes)
        self.eligibility = Eligibility(self.episodes, self.spans, self.causes, self.coded, codes)
        self.exposures: Exposures = find_exposures(self.coded, self.spans)
        self.signs: Signs = find_signs(self.coded, codes.scales)
        self.joined: dict[Joining, Attempts] = {}
        self.built: dict[Trial, Trials] = {}
        self.adequate: dict[tuple[Trial, Adequacy], np.ndarray] = {}
        self.outcomes: dict[tuple[Trial, Outcome], Judged] = {}
        self.judged: dict[JudgingKey, tuple[np.ndarray, Judged]] = {}
        people = extract.persons["person_id"].cast(pl.Categorical).gather(self.spans.person)
        names = self.episodes.select(pl.format("{}:{}:{}", pl.lit(people), "disorder", "number"))
        self.ids = pl.DataFrame({"person_id": people, "episode_id": names.to_series().cast(pl.Categorical)})

    # What is shared

    def attempts(self, rule: Trial) -> Attempts:
        how = joining(rule)
        if how not in self.joined:
            sharing = [d for d in self.definitions if joining(d.trial) == how]
            groups = {group for d in sharing for group in d.trial.treatments + d.trial.augmenters}
            asked = self.coded.vocabulary.membership(tuple(sorted(groups))).possible
            self.joined[how] = find_attempts(
                self.exposures, self.spans, how, asked, self._spoken_of(sharing), self.coded.vocabulary
            )
        return self.joined[how]

    def trials(self, rule: Trial) -> Trials:
        if rule not in self.built:
            sharing = [d for d in self.definitions if d.trial == rule]
            self.built[rule] = build_trials(self.attempts(rule), rule, self._spoken_of(sharing), self.coded.vocabulary)
        return self.built[rule]

    def _spoken_of(self, definitions: list[Definition]) -> np.ndarray:
        """The episodes of disorders that one of the definitions speaks about, as a mask."""
        return self.spans.of_disorders(frozenset(name for d in definitions for name in d.eligible.disorders))

    def judge(self, definition: Definition) -> tuple[np.ndarray, Judged]:
        """The reasons of adequacy and the outcomes of all trials of the definition's trial rule."""
        rule, adequacy, outcome = key = (definition.trial, definition.adequacy, definition.outcome)
        if key not in self.judged:
            trials = self.trials(rule)
            if (rule, adequacy) not in self.adequate:
                reasons = judge_adequacy(trials, adequacy, self.coded.vocabulary, self.codes.doses)
                self.adequate[rule, adequacy] = reasons
            if (rule, outcome) not in self.outcomes:
                self.outcomes[rule, outcome] = judge_outcome(trials, outcome, self.signs)
            self.judged[key] = (self.adequate[rule, adequacy], self.outcomes[rule, outcome])
        return self.judged[key]

    def _facts(self, definition: Definition) -> tuple[Any, ...]:
        reasons, judged = self.judge(definition)
        speaks = self._spoken_of([definition])
        tried = Tried(self.trials(definition.trial), reasons, judged, speaks, self.coded.vocabulary)
        eligible = self.eligibility.judge(definition.eligible)
        return eligible, self.causes, tried, definition, self.coded, self.codes

    # What is asked of every definition

    def classify(self, definition: Definition) -> Verdicts:
        """One row per episode."""
        return judge_resistance(*self._facts(definition))

    def stage(self, definition: Definition) -> pl.DataFrame:
        """One row per episode."""
        staged = self.ids.hstack(judge_staging(*self._facts(definition)))
        return staged.with_columns(definition_id=pl.lit(definition.id, dtype=pl.Categorical))

    def impasses(self, verdicts: list[Verdicts]) -> pl.DataFrame:
        """One row per episode that some definition calls resistant."""
        none = np.zeros(len(self.episodes), dtype=bool)
        resistant = reduce(or_, [made.verdict == RESISTANT for made in verdicts], none)
        chosen = self.episodes.filter(pl.Series(resistant))
        found = find_impasses(chosen, self.coded, self.codes)
        return found.hstack(self.ids[found["episode"]])

    # Tables

    def named_episodes(self) -> pl.DataFrame:
        return self.episodes.hstack(self.ids).with_columns(
            pl.col("treated_from").cast(pl.Date),
            start_date=pl.col("start").cast(pl.Date),
            end_date=pl.col("end").cast(pl.Date),
        )

    def named_verdicts(self, made: dict[str, Verdicts]) -> pl.DataFrame:
        """The verdicts of one definition after the other."""
        n, names = len(self.episodes), pl.Series(list(made), dtype=pl.String).cast(pl.Categorical)
        every = np.tile(np.arange(n, dtype=np.uint32), len(made))
        definition = np.repeat(np.arange(len(made), dtype=np.uint32), n)
        return frame_of(list(made.values())).with_columns(
            self.ids["episode_id"].gather(every), names.gather(definition).alias("definition_id")
        )

    def codes_of_verdicts(self, definitions: Sequence[Definition], made: dict[str, Verdicts]) -> np.ndarray:
        """Episodes by definitions: the code of each verdict, as verdicts.py has it."""
        codes = np.full((len(self.episodes), len(definitions)), NOT_SPOKEN_OF, dtype=np.int8)
        for place, definition in enumerate(definitions):
            verdict, speaks = made[definition.id], self._spoken_of([definition])
            told = code_of(verdict.verdict, verdict.n_failed_min, verdict.n_adequate, verdict.n_trials)
            codes[:, place] = np.where(speaks, told, NOT_SPOKEN_OF)
        return codes

    def named_trials(self, rule: Trial) -> pl.DataFrame:
        trials, vocabulary = self.trials(rule), self.coded.vocabulary
        attempts, row = trials.attempts, trials.row
        treatment = pl.Series(trials.treatment)
        known = {
            "n_days": attempts.n_days,
            "days_covered": attempts.days_covered,
            "n_sessions": attempts.n_sessions,
            "has_unknown_supply": attempts.has_unknown_supply,
            "is_ongoing": attempts.is_ongoing,
            "dose_ug_days": attempts.dose_ug_days,
            "start_date": attempts.start,
            "end_date": attempts.last_day,
            "supply_basis": attempts.supply_basis,
        }
        table = self._named(trials, rule).with_columns(
            treatment=vocabulary.column("treatment").cast(pl.Categorical).gather(treatment),
            treatment_class=vocabulary.column("class").cast(pl.Categorical).gather(treatment),
            modality=decode(trials.modality, MODALITIES),
            role=decode(trials.role, ROLES),
            is_counted=trials.is_counted,
            n_add_ons=trials.n_add_ons,
            **{name: pl.Series(column[row]) for name, column in known.items()},
        )
        weight, is_drug = pl.col("days_covered"), pl.col("n_sessions") == 0
        known_dose = is_drug & (weight > 0) & (pl.col("dose_ug_days") != UNKNOWN)
        return table.with_columns(
            pl.col("start_date", "end_date").cast(pl.Date),
            pl.when(~is_drug).then(pl.col("n_sessions")).alias("n_sessions"),
            supply_basis=pl.lit(pl.Series(_BASES, dtype=pl.Categorical)).gather(pl.col("supply_basis")),
            dose_mg=pl.when(known_dose).then(pl.col("dose_ug_days") / weight / 1000),
            adherence=pl.when(is_drug & (pl.col("n_days") > 0)).then(weight / pl.col("n_days")),
        )

    def named_judgements(self, key: JudgingKey) -> pl.DataFrame:
        rule, adequacy, outcome = key
        reason, judged = self.judged[key]
        trials = self.trials(rule)
        response, told_by = (part[trials.row] for part in judge_response(trials.attempts, windows(outcome), self.signs))
        scales = self.codes.scales["scale"].cast(pl.Categorical)
        return self._named(trials, rule).with_columns(
            judging_rule=pl.lit(rule_id(adequacy, outcome), dtype=pl.Categorical),
            is_adequate=is_adequate(reason).series(),
            adequacy_reason=decode(reason, ADEQUACY_REASONS),
            has_failed=judged.failed.series(),
            outcome_evidence=decode(judged.evidence, judged.names),
            failure_date=dated(judged.day),
            response=decode(response, RESPONSES),
            response_scale=pl.when(pl.Series(told_by >= 0)).then(scales.gather(np.maximum(told_by, 0))),
        )

    def _named(self, trials: Trials, rule: Trial) -> pl.DataFrame:
        name = pl.lit(rule_id(rule), dtype=pl.Categorical)
        return self.ids[trials.episode].with_columns(trial_rule=name, number=pl.Series(trials.episodes.rank + 1))


_BASES = (*SUPPLY_BASES, "mixed", None)  # by the codes of attempts.py
