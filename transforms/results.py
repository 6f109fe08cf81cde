"""A classification -> the restricted tables, in the shapes of schemas/tables.py, and the verdicts as a matrix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, reduce
from operator import or_

import numpy as np
import polars as pl

from impasse.schemas.codelists import CodeLists
from impasse.schemas.definition import Adequacy, Definition, Outcome, Trial
from impasse.schemas.extracts import SUPPLY_BASES, Extract
from impasse.schemas.rule_ids import column, rule_id
from impasse.schemas.study import Study
from impasse.schemas.tables import MODALITIES, RESTRICTED, ROLES
from impasse.transforms.classify import Classification
from impasse.transforms.compare.responses import EndedTrials, place_among
from impasse.transforms.compare.risks import FollowedEpisodes
from impasse.transforms.compare.verdict_matrix import NOT_SPOKEN_OF, VerdictMatrix, code_of
from impasse.transforms.history.encode import UNKNOWN, decode, spelled
from impasse.transforms.history.scores import windows
from impasse.transforms.history.trials import TrialsOfRule
from impasse.transforms.judge.judging import judge_response
from impasse.transforms.judge.untried import find_impasses
from impasse.transforms.kernels.once import Once
from impasse.transforms.kernels.segments import NEVER

JudgingKey = tuple[Trial, Adequacy, Outcome]


def classify(extract: Extract, study: Study, definitions: Sequence[Definition], codes: CodeLists) -> Results:
    """Classify every episode of an extract under every definition, and stage it under every staging system."""
    return Results(Classification(extract, study, definitions, codes))


class Results:
    """The restricted tables of one extract, and its verdicts as a matrix; each is made when it is asked for.

    Tables are sorted by their rules or definition, then as `episodes` by person, disorder and number.
    """

    def __init__(self, found: Classification) -> None:
        self._found = found
        # Ids have a pool of words of their own, which goes with them; that of all other words only ever grows.
        self._id = pl.Categorical(pl.Categories.random())
        self._once = Once()

    @property
    def deciding(self) -> tuple[Definition, ...]:
        """The definitions that give verdicts."""
        return tuple(d for d in self._found.definitions if d.gives == "verdict")

    @cached_property
    def names(self) -> pl.DataFrame:
        """The person_id and the episode_id of each episode, as text."""
        people = self._found.person_ids.gather(self._found.spans.person)
        episode = pl.format("{}:{}:{}", people, "disorder", "number")
        return self._found.episodes.select(person_id=people, episode_id=episode)

    @cached_property
    def ids(self) -> pl.DataFrame:
        """The names, each stored once."""
        return self.names.cast(self._id)

    # Tables

    @cached_property
    def episodes(self) -> pl.DataFrame:
        """One row per episode."""
        place, words = spelled(self._found.shared_treatment, len(self.ids))
        named = self._found.episodes.hstack(self.ids).with_columns(
            start_date="start", end_date="end", shares_treatment_with=decode(place, words)
        )
        return self._shaped("episodes", [named])

    @property
    def trials(self) -> pl.DataFrame:
        """One row per trial rule and trial."""
        rules = sorted(self._found.by_trial_rule, key=rule_id)
        return self._shaped("trials", [self._named_trials(rule) for rule in rules])

    @property
    def judgements(self) -> pl.DataFrame:
        """One row per trial and judging rule."""
        keys = sorted({(d.trial, d.adequacy, d.outcome) for d in self._found.definitions}, key=_judging_ids)
        return self._shaped("judgements", [self._named_judgements(*key) for key in keys])

    @cached_property
    def classifications(self) -> pl.DataFrame:
        """One row per episode and definition that gives verdicts."""
        words = pl.Series(self._found.causes.all_words, dtype=pl.Categorical)
        return self._answers("classifications", self.deciding, causes=pl.lit(words).gather(pl.col("causes")))

    @cached_property
    def stages(self) -> pl.DataFrame:
        """One row per episode and staging system."""
        return self._answers("stages", tuple(d for d in self._found.definitions if d.gives != "verdict"))

    @cached_property
    def impasses(self) -> pl.DataFrame:
        """One row per episode that some definition calls resistant."""
        resistant = [(self._found.answers[d.id]["verdict"] == "resistant").to_numpy() for d in self.deciding]
        chosen = np.flatnonzero(reduce(or_, resistant, np.zeros(len(self.ids), dtype=bool)))
        found = find_impasses(self._found.episodes[chosen], self._found.coded, self._found.codes)
        return self._shaped("impasses", [found.hstack(self.ids[chosen])])

    @cached_property
    def matrix(self) -> VerdictMatrix:
        """The verdicts, episodes by definitions."""
        codes = np.full((len(self.ids), len(self.deciding)), NOT_SPOKEN_OF, dtype=np.int8)
        for place, definition in enumerate(self.deciding):
            speaks = self._found.spoken_about([definition])
            codes[:, place] = np.where(speaks, code_of(self._found.answers[definition.id]), NOT_SPOKEN_OF)
        return VerdictMatrix(self.episodes, self.deciding, codes)

    @property
    def ended_trials(self) -> Iterator[EndedTrials]:
        """Of each definition that gives verdicts, the trials that count in its eligible episodes, and their states."""
        for definition in self.deciding:
            trials, _ = self._found.judged(definition.trial)
            told = judge_response(trials, windows(definition.outcome), self._found.judged_by.signs)["response"]
            is_eligible = (self._found.answers[definition.id]["verdict"] != "not_eligible").to_numpy()
            rows = trials.counts_surely & is_eligible[trials.episode]
            place = place_among(trials.counts_surely, trials.episode)
            yield EndedTrials(definition.id, place[rows], told.to_physical().to_numpy()[rows])

    @property
    def followed_episodes(self) -> Iterator[FollowedEpisodes]:
        """Of each definition that gives verdicts, its eligible episodes that were seen from their start, over time."""
        spans, is_seen = self._found.spans, ~self._found.episodes["is_left_truncated"].fill_null(True).to_numpy()
        for definition in self.deciding:
            told = self._found.answers[definition.id]
            kept = self._found.spoken_about([definition]) & (told["verdict"] != "not_eligible").to_numpy() & is_seen
            rows = np.flatnonzero(kept)
            started = (spans.start, self._found.trials_under(definition.trial).first_starts)
            label = [
                told[name].to_physical().fill_null(NEVER).to_numpy() for name in ("resistant_date", "possible_date")
            ]
            over_or_unseen = np.where(spans.is_censored, spans.observed_until, spans.end)
            start, treated, surely, perhaps, last = (
                column[rows].astype(np.int64) for column in (*started, *label, over_or_unseen)
            )
            yield FollowedEpisodes(
                definition.id, spans.disorders, spans.disorder[rows], (start, treated), surely, perhaps, last,
                spans.is_censored[rows],
            )  # fmt: skip

    def verdicts_of(self, definition: Definition) -> pl.Series:
        """The verdict on each episode, and nothing that is told with it."""
        return self._found.verdicts_of(definition)

    # Rows with names

    def _shaped(self, name: str, parts: list[pl.DataFrame]) -> pl.DataFrame:
        """The parts as one table with the declared columns and types."""
        types = {column: spec.dtype.type for column, spec in RESTRICTED[name].to_schema().columns.items()}
        types |= {column: self._id for column in self.ids.columns if column in types}
        if not parts:
            return pl.DataFrame(schema=types)
        return pl.concat([part.select(pl.col(c).cast(t) for c, t in types.items()) for part in parts])

    def _answers(self, table: str, definitions: tuple[Definition, ...], **columns: pl.Expr) -> pl.DataFrame:
        """The answers of one definition after the other."""
        if not definitions:
            return self._shaped(table, [])
        n = len(self.ids)
        every = np.tile(np.arange(n, dtype=np.uint32), len(definitions))
        definition = np.repeat(np.arange(len(definitions), dtype=np.uint32), n)
        names = pl.Series([d.id for d in definitions], dtype=pl.Categorical)
        found = pl.concat([self._found.answers[d.id] for d in definitions]).with_columns(
            self.ids["episode_id"].gather(every), names.gather(definition).alias("definition_id"), **columns
        )
        return self._shaped(table, [found])

    def _named_trials(self, rule: Trial) -> pl.DataFrame:
        trials, vocabulary = self._found.trials_under(rule), self._found.coded.vocabulary
        eras, row = trials.eras, trials.row
        treatment = pl.Series(trials.treatment)
        known = {
            "n_days": eras.n_days,
            "days_covered": eras.days_covered,
            "n_sessions": eras.n_sessions,
            "has_unknown_supply": eras.has_unknown_supply,
            "is_ongoing": eras.is_ongoing,
            "dose_ug_days": eras.dose_ug_days,
            "start_date": eras.start,
            "end_date": eras.last_day,
            "supply_basis": eras.supply_basis,
        }
        table = self._named(trials, rule).with_columns(
            treatment=vocabulary.column("treatment").cast(pl.Categorical).gather(treatment),
            treatment_class=vocabulary.column("class").cast(pl.Categorical).gather(treatment),
            modality=decode(trials.modality, MODALITIES),
            role=decode(trials.role, ROLES),
            is_counted=trials.counts,
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
        trials, judged = self._found.judged(rule)
        told = judge_response(trials, windows(outcome), self._found.judged_by.signs)
        return self._named(trials, rule).with_columns(
            judging_rule=pl.lit(rule_id(adequacy, outcome), dtype=pl.Categorical),
            is_adequate=judged[column("is_adequate", adequacy)],
            adequacy_reason=judged[column("adequacy_reason", adequacy)],
            has_failed=judged[column("has_failed", outcome)],
            outcome_evidence=judged[column("outcome_evidence", outcome)],
            failure_date=judged[column("day_failed", outcome)],
            **{name: told[name] for name in told.columns},
        )

    def _named(self, trials: TrialsOfRule, rule: Trial) -> pl.DataFrame:
        """Whose trials they are, by what rule, and their numbers; what rules of judging share."""

        def name() -> pl.DataFrame:
            rules = pl.lit(rule_id(rule), dtype=pl.Categorical)
            return self.ids[trials.episode].with_columns(trial_rule=rules, number=pl.Series(trials.episodes.rank + 1))

        return self._once(rule, name)


def _judging_ids(key: JudgingKey) -> tuple[str, str]:
    trial, adequacy, outcome = key
    return rule_id(trial), rule_id(adequacy, outcome)


_BASES = (*SUPPLY_BASES, "mixed", None)  # by the codes of eras.py
