"""One extract, many definitions -> episodes, trials, judgements and one verdict per episode and definition.

Equal blocks share work: eras are joined once per way of joining, trials are built once per trial rule, judged
once per trial, adequacy and outcome rule; only eligibility and resistance are asked of every definition. A
trial rule is applied to episodes of the disorders that some definition with the rule speaks about. Tables are made
when they are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, reduce
from hashlib import sha256
from operator import or_

import numpy as np
import polars as pl

from impasse.schemas.codelists import CodeLists
from impasse.schemas.definition import Adequacy, Definition, Outcome, Trial
from impasse.schemas.extracts import SUPPLY_BASES, Extract
from impasse.schemas.study import Study
from impasse.schemas.tables import MODALITIES, RESPONSES, RESTRICTED, ROLES
from impasse.transforms.compare.verdicts import NOT_SPOKEN_OF, VerdictMatrix, code_of
from impasse.transforms.history.attempts import Attempts, Joining, find_attempts, joining
from impasse.transforms.history.encode import UNKNOWN, Coded, dated, decode, encode
from impasse.transforms.history.episodes import Spans, build_episodes, spans_of
from impasse.transforms.history.evidence import Signs, find_signs
from impasse.transforms.history.exposures import Exposures, find_exposures
from impasse.transforms.history.scores import windows
from impasse.transforms.history.trials import Trials, build_trials
from impasse.transforms.judge.adequacy import JudgedAdequacy, References, judge_adequacy, reference_doses
from impasse.transforms.judge.causes import Causes
from impasse.transforms.judge.counts import Tried
from impasse.transforms.judge.eligibility import Eligibility
from impasse.transforms.judge.outcome import Judged, judge_outcome
from impasse.transforms.judge.resistance import Facts, Verdicts, frame_of, judge_resistance, judge_verdict
from impasse.transforms.judge.response import judge_response
from impasse.transforms.judge.staging import judge_staging
from impasse.transforms.judge.untried import find_impasses
from impasse.transforms.kernels.once import Once

JudgingKey = tuple[Trial, Adequacy, Outcome]


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
    return Classified(extract, study, definitions, codes)


def _judging_ids(key: JudgingKey) -> tuple[str, str]:
    trial, adequacy, outcome = key
    return rule_id(trial), rule_id(adequacy, outcome)


class Classified:
    """One extract classified: the restricted tables, in the shapes of schemas/tables.py, and the verdicts as a matrix.

    Tables are sorted by their rules or definition, then as `episodes` by person, disorder and number. Each is made
    when it is asked for, and so is what it depends on.
    """

    def __init__(self, extract: Extract, study: Study, definitions: Sequence[Definition], codes: CodeLists) -> None:
        self.codes, self.definitions = codes, sorted(definitions, key=lambda d: d.id)
        self._coded: Coded = encode(extract, codes, study.episodes.disorders)
        self._rows = build_episodes(self._coded, study.episodes, study.period, codes)
        self._spans: Spans = spans_of(self._rows, self._coded.disorders)
        self._causes = Causes(self._spans, self._coded, codes)
        self._eligibility = Eligibility(self._rows, self._spans, self._causes, self._coded, codes)
        self._same_day = study.supply.same_day
        self._once = Once()
        self._person_ids = extract.persons["person_id"]
        # Ids have a pool of words of their own, which goes with them; that of all other words only ever grows.
        self._id = pl.Categorical(pl.Categories.random())

    @property
    def deciding(self) -> tuple[Definition, ...]:
        """The definitions that give verdicts."""
        return tuple(d for d in self.definitions if d.gives == "verdict")

    @cached_property
    def ids(self) -> pl.DataFrame:
        """The person_id and the episode_id of each episode."""
        people = self._person_ids.gather(self._spans.person)
        names = self._rows.select(person_id=people, episode_id=pl.format("{}:{}:{}", people, "disorder", "number"))
        return names.cast(self._id)

    @property
    def disorders(self) -> tuple[str, ...]:
        """The study's disorders, in order."""
        return self._spans.disorders

    @property
    def disorder_of(self) -> np.ndarray:
        """The disorder of each episode, as a place in `disorders`."""
        return self._spans.disorder

    # Tables

    @cached_property
    def episodes(self) -> pl.DataFrame:
        """One row per episode."""
        named = self._rows.hstack(self.ids).with_columns(start_date="start", end_date="end")
        return self._shaped("episodes", [named])

    @property
    def trials(self) -> pl.DataFrame:
        """One row per trial rule and trial."""
        rules = sorted({d.trial for d in self.definitions}, key=rule_id)
        return self._shaped("trials", [self._named_trials(rule) for rule in rules])

    @property
    def judgements(self) -> pl.DataFrame:
        """One row per trial and judging rule."""
        keys = sorted({(d.trial, d.adequacy, d.outcome) for d in self.definitions}, key=_judging_ids)
        return self._shaped("judgements", [self._named_judgements(*key) for key in keys])

    @cached_property
    def classifications(self) -> pl.DataFrame:
        """One row per episode and definition that gives verdicts."""
        return self._shaped("classifications", [self._named_verdicts()] if self._verdicts else [])

    @cached_property
    def stages(self) -> pl.DataFrame:
        """One row per episode and staging system."""
        return self._shaped("stages", [self._staged(d) for d in self.definitions if d.gives != "verdict"])

    @cached_property
    def impasses(self) -> pl.DataFrame:
        """One row per episode that some definition calls resistant."""
        resistant = [verdicts.is_resistant for verdicts in self._verdicts.values()]
        chosen = np.flatnonzero(reduce(or_, resistant, np.zeros(len(self._rows), dtype=bool)))
        found = find_impasses(self._rows[chosen], self._coded, self.codes)
        return self._shaped("impasses", [found.hstack(self.ids[chosen])])

    @cached_property
    def matrix(self) -> VerdictMatrix:
        """The verdicts, episodes by definitions."""
        codes = np.full((len(self._rows), len(self.deciding)), NOT_SPOKEN_OF, dtype=np.int8)
        for place, definition in enumerate(self.deciding):
            made, speaks = self._verdicts[definition.id], self._spoken_of([definition])
            told = code_of(made.verdict, made.n_failed_min, made.n_adequate, made.n_trials)
            codes[:, place] = np.where(speaks, told, NOT_SPOKEN_OF)
        return VerdictMatrix(self.episodes, self.deciding, codes)

    def verdicts_of(self, definition: Definition) -> np.ndarray:
        """The verdict on each episode, as a place in VERDICTS, and nothing else: no date, no deciding block."""
        return judge_verdict(self.facts(definition))

    # What definitions share

    @cached_property
    def _exposures(self) -> Exposures:
        return find_exposures(self._coded, self._spans, self._same_day)

    @cached_property
    def _signs(self) -> Signs:
        return find_signs(self._coded, self.codes.scales)

    @cached_property
    def _references(self) -> References:
        return reference_doses(self._coded.vocabulary, self.codes.doses)

    def _attempts(self, rule: Trial) -> Attempts:
        how = joining(rule)
        return self._once(how, lambda: self._find_attempts(how))

    def _find_attempts(self, how: Joining) -> Attempts:
        sharing, vocabulary = self._by_joining[how], self._coded.vocabulary
        groups = {group for d in sharing for group in d.trial.treatments + d.trial.augmenters}
        asked = vocabulary.membership(tuple(sorted(groups))).possible
        return find_attempts(self._exposures, self._spans, how, asked, self._spoken_of(sharing), vocabulary)

    def trials_under(self, rule: Trial) -> Trials:
        """The trials under a trial rule."""
        return self._once(rule, lambda: self._build_trials(rule))

    def _build_trials(self, rule: Trial) -> Trials:
        speaks = self._spoken_of([d for d in self._by_joining[joining(rule)] if d.trial == rule])
        return build_trials(self._attempts(rule), rule, speaks, self._coded.vocabulary)

    @cached_property
    def _by_joining(self) -> dict[Joining, list[Definition]]:
        found: dict[Joining, list[Definition]] = {}
        for definition in self.definitions:
            found.setdefault(joining(definition.trial), []).append(definition)
        return found

    def _spoken_of(self, definitions: list[Definition]) -> np.ndarray:
        """The episodes of disorders that one of the definitions speaks about, as a mask."""
        disorders = frozenset(name for d in definitions for name in d.eligible.disorders)
        return self._once(disorders, lambda: self._spans.of_disorders(disorders))

    def _judged(self, rule: Trial, adequacy: Adequacy, outcome: Outcome) -> tuple[JudgedAdequacy, Judged]:
        """The adequacy and the outcomes of all trials of a trial rule."""
        trials = self.trials_under(rule)
        return (
            self._once(("adequacy", rule), lambda: self._judge_adequacy(rule))[adequacy],
            self._once((rule, outcome), lambda: judge_outcome(trials, outcome, self._signs)),
        )

    def _judge_adequacy(self, rule: Trial) -> dict[Adequacy, JudgedAdequacy]:
        """The adequacy of all trials of a trial rule under all adequacy rules that go with it."""
        rules = list(dict.fromkeys(d.adequacy for d in self._by_joining[joining(rule)] if d.trial == rule))
        return judge_adequacy(self.trials_under(rule), rules, self._references)

    def facts(self, definition: Definition) -> Facts:
        """What the definition's verdict on each episode is judged from."""
        adequacy, judged = self._judged(definition.trial, definition.adequacy, definition.outcome)
        speaks = self._spoken_of([definition])
        return Facts(
            definition,
            self._eligibility.judge(definition.eligible),
            Tried(self.trials_under(definition.trial), adequacy, judged, speaks, self._coded.vocabulary),
            self._causes,
            self._coded,
            self.codes,
        )

    @cached_property
    def _verdicts(self) -> dict[str, Verdicts]:
        return {definition.id: judge_resistance(self.facts(definition)) for definition in self.deciding}

    # Rows with names

    def _shaped(self, name: str, parts: list[pl.DataFrame]) -> pl.DataFrame:
        """The parts as one table with the declared columns and types."""
        types = {column: spec.dtype.type for column, spec in RESTRICTED[name].to_schema().columns.items()}
        types |= {column: self._id for column in self.ids.columns if column in types}
        if not parts:
            return pl.DataFrame(schema=types)
        return pl.concat([part.select(pl.col(c).cast(t) for c, t in types.items()) for part in parts])

    def _staged(self, definition: Definition) -> pl.DataFrame:
        staged = self.ids.hstack(judge_staging(self.facts(definition)))
        return staged.with_columns(definition_id=pl.lit(definition.id, dtype=pl.Categorical))

    def _named_verdicts(self) -> pl.DataFrame:
        """The verdicts of one definition after the other."""
        made, n = self._verdicts, len(self._rows)
        names = pl.Series(list(made), dtype=pl.String).cast(pl.Categorical)
        every = np.tile(np.arange(n, dtype=np.uint32), len(made))
        definition = np.repeat(np.arange(len(made), dtype=np.uint32), n)
        return frame_of(list(made.values()), self._causes.all_words).with_columns(
            self.ids["episode_id"].gather(every), names.gather(definition).alias("definition_id")
        )

    def _named_trials(self, rule: Trial) -> pl.DataFrame:
        trials, vocabulary = self.trials_under(rule), self._coded.vocabulary
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
        table = self._named(trials, rule, "person_id", "episode_id").with_columns(
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

    def _named_judgements(self, rule: Trial, adequacy: Adequacy, outcome: Outcome) -> pl.DataFrame:
        judged_adequacy, judged = self._judged(rule, adequacy, outcome)
        trials = self.trials_under(rule)
        response, told_by = (
            part[trials.row] for part in judge_response(trials.attempts, windows(outcome), self._signs)
        )
        scales = self.codes.scales["scale"].cast(pl.Categorical)
        return self._named(trials, rule, "episode_id").with_columns(
            judging_rule=pl.lit(rule_id(adequacy, outcome), dtype=pl.Categorical),
            is_adequate=judged_adequacy.is_adequate,
            adequacy_reason=judged_adequacy.reason,
            has_failed=judged.failed.expression(),
            outcome_evidence=decode(judged.evidence, judged.names),
            failure_date=dated(judged.day),
            response=decode(response, RESPONSES),
            response_scale=pl.when(pl.Series(told_by >= 0)).then(scales.gather(np.maximum(told_by, 0))),
        )

    def _named(self, trials: Trials, rule: Trial, *ids: str) -> pl.DataFrame:
        name = pl.lit(rule_id(rule), dtype=pl.Categorical)
        named = self.ids.select(ids)[trials.episode]
        return named.with_columns(trial_rule=name, number=pl.Series(trials.episodes.rank + 1))


_BASES = (*SUPPLY_BASES, "mixed", None)  # by the codes of attempts.py
