"""One extract, many definitions -> episodes, trials, judgements and, per episode and definition, a verdict or a stage.

The five blocks in order: which episodes a definition speaks about, what their trials are, which of these were adequate
and which failed, and whether that is resistance. Equal blocks share work: eras are joined once per way of joining,
trials are built and judged once per trial rule, and all definitions with the rule are asked in one query.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import polars as pl

from impasse.schemas.codelists import CodeLists
from impasse.schemas.definition import Definition, Trial
from impasse.schemas.extracts import Extract
from impasse.schemas.rule_ids import column, rule_id
from impasse.schemas.study import Study
from impasse.transforms.history.encode import Coded, encode
from impasse.transforms.history.episodes import Spans, build_episodes, spans_of
from impasse.transforms.history.eras import Eras, build_eras
from impasse.transforms.history.evidence import find_signs, observed_changes
from impasse.transforms.history.exposures import Exposures, Joining, find_exposures, joining
from impasse.transforms.history.trials import TrialsOfRule, build_trials
from impasse.transforms.history.vocabulary import Vocabulary
from impasse.transforms.judge.adequacy import reference_doses
from impasse.transforms.judge.causes import Causes
from impasse.transforms.judge.eligibility import Histories, is_eligible
from impasse.transforms.judge.judging import JudgedBy, Observability, judge_definitions, judge_trials
from impasse.transforms.kernels.once import Once
from impasse.transforms.kernels.queries import collect_in_order


class JudgedTrials(NamedTuple):
    """The trials under a trial rule, and what the rules that go with it say of each."""

    trials: TrialsOfRule
    judged: pl.DataFrame


def _require_own_names(definitions: Sequence[Definition]) -> None:
    """Raise ValueError if two rules, or two pairs of rules that judge a trial, have one short name."""
    for blocks in (("eligible",), ("trial",), ("adequacy",), ("outcome",), ("adequacy", "outcome")):
        rules = {tuple(getattr(definition, block) for block in blocks) for definition in definitions}
        if len({rule_id(*rule) for rule in rules}) < len(rules):
            raise ValueError(f"Two rules of {' and '.join(blocks)} have one short name: change a setting of one.")


class Classification:
    """One extract under many definitions. Rows are coded and episodes cut at once, all else when it is asked for.

    Raises ValueError if two definitions have one id, or two rules one short name, by which answers are kept.
    """

    def __init__(self, extract: Extract, study: Study, definitions: Sequence[Definition], codes: CodeLists) -> None:
        if len({definition.id for definition in definitions}) < len(definitions):
            raise ValueError("Each definition needs an id of its own.")
        _require_own_names(definitions)
        self.codes, self.definitions = codes, sorted(definitions, key=lambda d: d.id)
        self.person_ids = extract.persons["person_id"]
        self.coded: Coded = encode(extract, codes, study.episodes.disorders)
        self.episodes = build_episodes(self.coded, study.episodes, study.period, codes)
        self.spans: Spans = spans_of(self.episodes, self.coded.disorders)
        self.causes = Causes(self.spans, self.coded, codes)
        self._supply = study.supply
        self._once = Once()

    # Trials

    @cached_property
    def by_trial_rule(self) -> dict[Trial, list[Definition]]:
        """The definitions that share each trial rule."""
        found: dict[Trial, list[Definition]] = {}
        for definition in self.definitions:
            found.setdefault(definition.trial, []).append(definition)
        return found

    def trials_under(self, rule: Trial) -> TrialsOfRule:
        """The trials under a trial rule, in episodes of the disorders that a definition with the rule speaks about."""
        return self._once(("trials", rule), lambda: self._build_trials(rule))

    def _build_trials(self, rule: Trial) -> TrialsOfRule:
        speaks = self.spoken_about(self.by_trial_rule[rule])
        return build_trials(self._eras(joining(rule, self._supply)), rule, speaks, self._vocabulary)

    def _eras(self, how: Joining) -> Eras:
        return self._once(how, lambda: self._build_eras(how))

    def _build_eras(self, how: Joining) -> Eras:
        sharing = [
            d
            for rule, definitions in self.by_trial_rule.items()
            if joining(rule, self._supply) == how
            for d in definitions
        ]
        groups = {group for d in sharing for group in d.trial.treatments + d.trial.augmenters}
        asked = self._vocabulary.perhaps_in(tuple(sorted(groups)))
        return build_eras(self._exposures, self.spans, how, asked, self.spoken_about(sharing), self._vocabulary)

    @cached_property
    def _exposures(self) -> Exposures:
        return find_exposures(self.coded, self.spans, self._supply, self._treats)

    @property
    def _treats(self) -> np.ndarray:
        """For each treatment a bit for each disorder that it surely treats."""
        groups = dict(self.codes.disorders.select("disorder", "treatments").iter_rows())
        masks = [self._vocabulary.surely_in((groups[name],)) for name in self.coded.disorders]
        return np.bitwise_or.reduce([mask.astype(np.uint8) << n for n, mask in enumerate(masks)])

    @property
    def shared_treatment(self) -> dict[str, np.ndarray]:
        """For each disorder: does each episode share some treatment with one of it?"""
        shared = self._exposures.shared
        return {name: (shared >> n & 1).astype(bool) for n, name in enumerate(self.coded.disorders)}

    @property
    def _vocabulary(self) -> Vocabulary:
        return self.coded.vocabulary

    def spoken_about(self, definitions: Sequence[Definition]) -> np.ndarray:
        """The episodes of disorders that one of the definitions speaks about, as a mask."""
        return self.spans.of_disorders(frozenset(name for d in definitions for name in d.eligible.disorders))

    # Judgements and verdicts

    def judged(self, rule: Trial, *, verdict_only: bool = False) -> JudgedTrials:
        """The trials under a trial rule with what all adequacy and outcome rules that go with it say of them.

        Without the reasons, if the verdict is all that is asked for.
        """
        return self._once(("judged", rule, verdict_only), lambda: self._judge(rule, verdict_only))

    def _judge(self, rule: Trial, verdict_only: bool) -> JudgedTrials:
        trials, sharing = self.trials_under(rule), self.by_trial_rule[rule]
        adequacies, outcomes = ({getattr(d, block): None for d in sharing} for block in ("adequacy", "outcome"))
        how = {"reads_days": rule.supply == "as_delivered", "verdict_only": verdict_only}
        changes = observed_changes(rule, self.coded.observes, self.codes)
        judged = judge_trials(trials, list(adequacies), list(outcomes), self.judged_by, changes, **how)
        return JudgedTrials(trials, judged)

    @cached_property
    def judged_by(self) -> JudgedBy:
        """What trials are judged by."""
        return JudgedBy(reference_doses(self._vocabulary, self.codes.doses), find_signs(self.coded, self.codes.scales))

    @cached_property
    def answers(self) -> dict[str, pl.DataFrame]:
        """What is published of every episode, in order, under each definition: a verdict or a stage."""
        found: dict[str, pl.DataFrame] = {}
        facts = self._with_causes(self._facts)
        for rule, definitions in self.by_trial_rule.items():
            found |= judge_definitions(definitions, *self.judged(rule), facts, self._observability)
        return found

    def verdicts_of(self, definition: Definition) -> pl.Series:
        """The verdict on each episode, and nothing that is told with it."""
        judged = self.judged(definition.trial, verdict_only=True)
        found = judge_definitions([definition], *judged, self._facts, self._observability, verdict_only=True)
        return found[definition.id]["verdict"]

    @cached_property
    def _facts(self) -> pl.DataFrame:
        """What the definitions ask of an episode apart from its trials, and whether they speak about it."""
        histories = Histories(self.episodes, self.spans, self.coded, self.codes)
        known = self.episodes.hstack(histories.facts(self.definitions))
        if any(d.eligible.pseudo_resistance != "noted" for d in self.definitions):
            known = self._with_causes(known)
        disorder = pl.col("disorder").cast(pl.Enum(self.spans.disorders))
        rules = {column("is_eligible", d.eligible): is_eligible(d.eligible) for d in self.definitions}
        return collect_in_order(known.lazy().with_columns(disorder).with_columns(**rules))

    def _with_causes(self, known: pl.DataFrame) -> pl.DataFrame:
        """The facts of episodes beside their diagnosed causes, and whether one makes pseudo-resistance likely."""
        causes = self.causes
        return known.with_columns(diagnosed=pl.Series(causes.diagnosed), is_diagnosed=pl.Series(causes.is_likely))

    @cached_property
    def _observability(self) -> Observability:
        observes, codes = self.coded.observes, self.codes
        counted = frozenset(group for d in self.definitions for group in d.counted_groups)
        blind = {group for group in counted if not codes.observed_as_of_group(group) <= observes}
        return Observability(self._vocabulary, frozenset(blind), self.coded.admissions is not None)
