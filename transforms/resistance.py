"""Judged trials -> how many failures of which kind: the verdict on each episode, its date, what decided it.

At least n is true when the lower bound of a count reaches n, false when the upper does not, else unknown.
The same rule asked of wider and wider sets of trials tells which block settled the verdict.
"""

from __future__ import annotations

import polars as pl

from schemas.codelists import CodeLists
from schemas.definition import Counted, Definition, Scored
from transforms.causes import causes_of_trials, has_cause, judge_causes
from transforms.counts import Arms
from transforms.encode import Coded, lookup
from transforms.points import Points, halves
from transforms.stages import ADEQUATE, FAILED, SURELY_ADEQUATE, SURELY_FAILED, SURELY_TRIED, TRIED, among

_KINDS = ("class", "mechanism", "is_identified")


def judge_resistance(
    episodes: pl.DataFrame, trials: pl.DataFrame, definition: Definition, coded: Coded, codes: CodeLists
) -> pl.DataFrame:
    """One row per episode, in order.

    Adds verdict, decided_by, resistant_day, n_trials, n_adequate, n_failed_min, n_failed_max, score_min,
    score_max, pseudo_resistance and causes. `episodes` has is_eligible and `diagnosed`; `trials` has
    is_adequate, adequacy_reason, has_failed and failure_date (a day number).
    """
    judge = (_ByCount if isinstance(definition.resistance, Counted) else _ByScore)(definition.resistance, coded, codes)
    counted = with_kinds(trials, coded, definition.counted_groups).with_columns(judge.memberships())
    table = judge.table(episodes, counted)
    spared = pl.lit(definition.eligible.pseudo_resistance == "after") & has_cause()
    verdicts = judge_causes(table.with_columns(_verdict(judge, spared), **judge.scores()))
    limit = pl.lit(None, pl.Int32) if judge.blind else pl.col("n_failed_max")
    dated = verdicts.join(judge.dates(counted, table), on="episode", how="left", maintain_order="left")
    return dated.select(
        "episode", "verdict", "decided_by", "n_trials", "n_adequate", "n_failed_min", limit.alias("n_failed_max"),
        "score_min", "score_max", "pseudo_resistance", "causes",
        resistant_day=pl.when(pl.col("verdict") == "resistant").then(pl.col("resistant_day")),
    )  # fmt: skip


def with_kinds(trials: pl.DataFrame, coded: Coded, groups: frozenset[str]) -> pl.DataFrame:
    """Adds what distinctness looks at, and `member`: is it a trial of any of the groups that counts?"""
    vocabulary = coded.vocabulary
    kinds = [lookup(vocabulary.column(kind)).alias(kind) for kind in _KINDS]
    member = lookup(vocabulary.membership(tuple(sorted(groups)))) & pl.col("is_counted")
    return trials.with_columns(*kinds, member=member)


def tallies() -> list[pl.Expr]:
    """Per episode: trials tried, adequate and failed, and which causes of pseudo-resistance they show."""
    tried, adequate = among(TRIED, "member"), pl.col("is_adequate").fill_null(False)
    return [
        tried.sum().cast(pl.Int32).alias("n_trials"),
        (tried & adequate).sum().cast(pl.Int32).alias("n_adequate"),
        among(SURELY_FAILED, "member").sum().cast(pl.Int32).alias("n_failed_min"),
        among(FAILED, "member").sum().cast(pl.Int32).alias("n_failed_max"),
        *causes_of_trials(tried),
    ]


def per_episode(episodes: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    """The episodes in their order with numbers of their trials; of one without trials 0 and false."""
    joined = episodes.join(numbers, on="episode", how="left", maintain_order="left")
    added = [column for column in numbers.columns if column != "episode"]
    empty = [pl.lit(False) if numbers.schema[column] == pl.Boolean else pl.lit(0) for column in added]
    return joined.with_columns(pl.col(c).fill_null(nothing) for c, nothing in zip(added, empty, strict=True))


def _verdict(judge: _ByCount | _ByScore, spared: pl.Expr) -> list[pl.Expr]:
    """The verdict and the block that settled it."""
    met, possible = judge.met(SURELY_FAILED), judge.met(FAILED, open_ended=True)
    eligible, spared = pl.col("is_eligible"), spared & possible
    verdict = (
        pl.when(~eligible)
        .then(pl.lit("not_eligible"))
        .when(eligible.is_null())
        .then(pl.lit("undetermined"))
        .when(spared)
        .then(pl.lit("not_resistant"))
        .when(met)
        .then(pl.lit("resistant"))
        .when(possible)
        .then(pl.lit("undetermined"))
        .otherwise(pl.lit("not_resistant"))
    )
    stopped_by = (
        pl.when(~judge.met(TRIED, distinct=False))
        .then(pl.lit("trial"))
        .when(~judge.met(TRIED))
        .then(pl.lit("resistance"))
        .when(~judge.met(ADEQUATE))
        .then(pl.lit("adequacy"))
        .otherwise(pl.lit("outcome"))
    )
    left_open_by = (
        pl.when(~judge.met(FAILED))
        .then(pl.lit("trial"))
        .when(~judge.met(SURELY_TRIED))
        .then(pl.lit("trial"))
        .when(judge.met(SURELY_ADEQUATE))
        .then(pl.lit("outcome"))
        .otherwise(pl.lit("adequacy"))
    )
    decided_by = (
        pl.when(~eligible | eligible.is_null() | spared)
        .then(pl.lit("eligible"))
        .when(met)
        .then(pl.lit("resistance"))
        .when(possible)
        .then(left_open_by)
        .otherwise(stopped_by)
    )
    return [verdict.alias("verdict"), decided_by.alias("decided_by")]


class _ByCount:
    """Any arm suffices; an arm needs all its counts."""

    def __init__(self, rule: Counted, coded: Coded, codes: CodeLists) -> None:
        self.arms = Arms(list(rule.any_of), coded.vocabulary, coded.observes, codes)
        self.blind = self.arms.blind
        self.memberships = self.arms.memberships

    def table(self, episodes: pl.DataFrame, trials: pl.DataFrame) -> pl.DataFrame:
        """The episodes with every number the rule asks for."""
        return per_episode(episodes, self.arms.table(trials, tallies()))

    def met(self, stage: str, *, distinct: bool = True, open_ended: bool = False) -> pl.Expr:
        """Is the rule met by a stage's trials?"""
        return pl.any_horizontal(
            [self.arms.met(n, stage, distinct=distinct, open_ended=open_ended) for n in range(len(self.arms.arms))]
        )

    def scores(self) -> dict[str, pl.Expr]:
        """Counts have no score."""
        return {"score_min": pl.lit(None, pl.Float64), "score_max": pl.lit(None, pl.Float64)}

    def dates(self, trials: pl.DataFrame, _table: pl.DataFrame) -> pl.DataFrame:
        """episode, resistant_day: the day the first arm was met."""
        days = [f"arm_{n}" for n in range(len(self.arms.arms))]
        return self.arms.dates(trials).select("episode", resistant_day=pl.min_horizontal(days))


class _ByScore:
    """Points add up to a score that must reach the threshold."""

    def __init__(self, rule: Scored, coded: Coded, codes: CodeLists) -> None:
        self.points, self.threshold = Points(rule, coded, codes), rule.threshold
        self.blind = self.points.blind
        self.memberships, self.scores = self.points.memberships, self.points.bounds

    def table(self, episodes: pl.DataFrame, trials: pl.DataFrame) -> pl.DataFrame:
        """The episodes with every number the rule asks for."""
        facts = self.points.facts(episodes)
        numbers = trials.group_by("episode").agg(self.points.numbers() + tallies())
        return per_episode(episodes.join(facts, on="episode", maintain_order="left"), numbers)

    def met(self, stage: str, *, distinct: bool = True, open_ended: bool = False) -> pl.Expr:
        """Does the score of a stage's trials reach the threshold? A score is the same, distinct or not."""
        enough = self.points.total(stage, open_ended=open_ended) >= halves(self.threshold)
        return self.points.has_score(stage, open_ended=open_ended) & enough

    def dates(self, trials: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
        """episode, resistant_day: the day the running score reached the threshold."""
        return self.points.dates(trials, table, self.threshold)
