"""Judged trials -> how many failures of which kind: the verdict on each episode, its date, what decided it.

Every count has a lower bound (what surely failed) and an upper bound (what may have failed; without
limit where a counted treatment is not observed). At least n is true when the lower bound reaches n,
false when the upper does not, else unknown. The same counts over wider and wider sets of trials
(all tried, adequate ones, failed ones) tell which block settled the verdict.
"""

from __future__ import annotations

from functools import reduce
from operator import add, and_, or_

import polars as pl

from schemas.codelists import CodeLists
from schemas.definition import Count, Counted, Item, Resistance, Scored
from transforms.encode import Vocabulary, lookup

_KEYS = {"substance": "treatment", "class": "class", "mechanism": "mechanism"}

# Which trials a stage counts: member of the counted groups, adequate, failed; each may be null.
_MAYBE, _SURE = "maybe", "sure"
_STAGES = {
    "tried": (_MAYBE, None, None),
    "adequate": (_MAYBE, _MAYBE, None),
    "failed": (_MAYBE, _MAYBE, _MAYBE),
    "surely_adequate": (_SURE, _SURE, _MAYBE),
    "surely_failed": (_SURE, _SURE, _SURE),
}


def judge_resistance(
    episodes: pl.DataFrame,
    trials: pl.DataFrame,
    rule: Resistance,
    vocabulary: Vocabulary,
    observes: frozenset[str],
    codes: CodeLists,
) -> pl.DataFrame:
    """One row per episode, in order.

    Adds verdict, decided_by, resistant_day, n_trials, n_adequate, n_failed_min, n_failed_max,
    score_min and score_max. `episodes` has is_eligible; `trials` has is_adequate, has_failed and
    failure_date (a day number).
    """
    kind = _CountRule if isinstance(rule, Counted) else _ScoreRule
    judge = kind(rule, vocabulary, observes, codes)
    counted = trials.filter("is_counted").with_columns(judge.memberships())
    numbers = counted.group_by("episode").agg(judge.numbers() + _tallies())
    table = episodes.join(numbers, on="episode", how="left", maintain_order="left").with_columns(
        pl.col(c).fill_null(0) for c in numbers.columns if c != "episode"
    )
    verdicts = table.with_columns(_verdict(judge), **judge.scores()).with_columns(_tally_limit(judge.blind))
    dates = judge.dates(counted)
    dated = verdicts.join(dates, on="episode", how="left", maintain_order="left")
    return dated.with_columns(
        resistant_day=pl.when(pl.col("verdict") == "resistant").then(pl.col("resistant_day"))
    ).select(
        "episode", "verdict", "decided_by", "resistant_day", "n_trials", "n_adequate", "n_failed_min", "n_failed_max",
        "score_min", "score_max",
    )  # fmt: skip


def _among(stage: str, member: str) -> pl.Expr:
    """Is the trial in the set a stage counts?"""
    columns = (member, "is_adequate", "has_failed")
    wanted = [
        pl.col(c).fill_null(need == _MAYBE) for c, need in zip(columns, _STAGES[stage], strict=True) if need is not None
    ]
    return reduce(and_, wanted)


def _tallies() -> list[pl.Expr]:
    return [
        _among("tried", "member").sum().cast(pl.Int32).alias("n_trials"),
        (_among("tried", "member") & pl.col("is_adequate").fill_null(False)).sum().cast(pl.Int32).alias("n_adequate"),
        _among("surely_failed", "member").sum().cast(pl.Int32).alias("n_failed_min"),
        _among("failed", "member").sum().cast(pl.Int32).alias("n_failed_max"),
    ]


def _tally_limit(blind: bool) -> pl.Expr:
    return pl.lit(None, pl.Int32).alias("n_failed_max") if blind else pl.col("n_failed_max")


def _verdict(judge: _CountRule | _ScoreRule) -> list[pl.Expr]:
    """The verdict and the block that settled it."""
    met = judge.met("surely_failed")
    possible = judge.met("failed", open_ended=True)
    eligible = pl.col("is_eligible")
    verdict = (
        pl.when(~eligible)
        .then(pl.lit("not_eligible"))
        .when(eligible.is_null())
        .then(pl.lit("undetermined"))
        .when(met)
        .then(pl.lit("resistant"))
        .when(possible)
        .then(pl.lit("undetermined"))
        .otherwise(pl.lit("not_resistant"))
    )
    stopped_by = (
        pl.when(~judge.met("tried", distinct=False))
        .then(pl.lit("trial"))
        .when(~judge.met("tried"))
        .then(pl.lit("resistance"))
        .when(~judge.met("adequate"))
        .then(pl.lit("adequacy"))
        .otherwise(pl.lit("outcome"))
    )
    left_open_by = (
        pl.when(~judge.met("failed"))
        .then(pl.lit("trial"))
        .when(judge.met("surely_adequate"))
        .then(pl.lit("outcome"))
        .otherwise(pl.lit("adequacy"))
    )
    decided_by = (
        pl.when(~eligible | eligible.is_null())
        .then(pl.lit("eligible"))
        .when(met)
        .then(pl.lit("resistance"))
        .when(possible)
        .then(left_open_by)
        .otherwise(stopped_by)
    )
    return [verdict.alias("verdict"), decided_by.alias("decided_by")]


class _CountRule:
    """Any arm suffices; an arm needs all its counts."""

    def __init__(self, rule: Counted, vocabulary: Vocabulary, observes: frozenset[str], codes: CodeLists) -> None:
        self.arms, self.vocabulary = rule.any_of, vocabulary
        self.counts = [count for arm in rule.any_of for count in arm.all_of]
        self.limits = [_is_blind(count.of, observes, codes) for count in self.counts]
        self.blind = any(self.limits)

    def memberships(self) -> list[pl.Expr]:
        """Per trial: member of each count's groups, and of any; and what distinctness looks at."""
        every = tuple(sorted({group for count in self.counts for group in count.of}))
        members = [lookup(self.vocabulary.membership(c.of)).alias(f"member_{n}") for n, c in enumerate(self.counts)]
        facts = [lookup(self.vocabulary.column(c)).alias(c) for c in ("class", "mechanism", "is_identified")]
        return [*members, lookup(self.vocabulary.membership(every)).alias("member"), *facts]

    def numbers(self) -> list[pl.Expr]:
        """Per episode: each count over each stage's trials, with and without distinctness."""
        wide = [self._number(n, count, stage) for n, count in enumerate(self.counts) for stage in _STAGES]
        plain = [_among("tried", f"member_{n}").sum().alias(f"plain_{n}") for n in range(len(self.counts))]
        return wide + plain

    def _number(self, n: int, count: Count, stage: str) -> pl.Expr:
        chosen, name = _among(stage, f"member_{n}"), f"{stage}_{n}"
        if count.distinct_by == "none":
            return chosen.sum().alias(name)
        known = _is_known(count)
        kinds = pl.col(_KEYS[count.distinct_by]).filter(chosen & known).n_unique()
        unknown = (chosen & ~known).sum()
        if stage == "surely_failed":  # of unknown kind: maybe the same kind as another, but there is one
            return pl.max_horizontal(kinds, chosen.any().cast(pl.UInt32)).alias(name)
        return (kinds + unknown).alias(name)

    def met(self, stage: str, *, distinct: bool = True, open_ended: bool = False) -> pl.Expr:
        """Is the rule met by a stage's counts? `open_ended`: unobserved treatments may be without limit."""
        names = [f"{stage}_{n}" if distinct else f"plain_{n}" for n in range(len(self.counts))]
        reached = [
            pl.lit(True) if open_ended and limit else pl.col(name) >= count.n
            for name, count, limit in zip(names, self.counts, self.limits, strict=True)
        ]
        arms, place = [], 0
        for arm in self.arms:
            arms.append(reduce(and_, reached[place : place + len(arm.all_of)]))
            place += len(arm.all_of)
        return reduce(or_, arms)

    def scores(self) -> dict[str, pl.Expr]:
        """Counts have no score."""
        return {"score_min": pl.lit(None, pl.Float64), "score_max": pl.lit(None, pl.Float64)}

    def dates(self, trials: pl.DataFrame) -> pl.DataFrame:
        """episode, resistant_day: when the last needed failure showed, over the arm that was met first."""
        episodes = trials.select("episode").unique()
        for n, count in enumerate(self.counts):
            days = self._reached(trials, n, count).rename({"day": f"day_{n}"})
            episodes = episodes.join(days, on="episode", how="left")
        arms, place = [], 0
        for arm in self.arms:
            days = [pl.col(f"day_{n}") for n in range(place, place + len(arm.all_of))]
            whole = reduce(and_, [day.is_not_null() for day in days])
            arms.append(pl.when(whole).then(pl.max_horizontal(days)))
            place += len(arm.all_of)
        return episodes.select("episode", resistant_day=pl.min_horizontal(arms))

    def _reached(self, trials: pl.DataFrame, n: int, count: Count) -> pl.DataFrame:
        """episode, day: the day the count's n-th (distinct) sure failure showed."""
        failed = trials.filter(_among("surely_failed", f"member_{n}"))
        if count.distinct_by != "none" and count.n > 1:
            key = pl.col(_KEYS[count.distinct_by])
            failed = failed.filter(_is_known(count)).group_by("episode", key).agg(pl.col("failure_date").min())
        ordered = failed.group_by("episode").agg(pl.col("failure_date").sort())
        day = pl.col("failure_date").list.get(count.n - 1, null_on_oob=True)
        return ordered.select("episode", day=day).drop_nulls()


class _ScoreRule:
    """Points add up to a score; half points are counted as whole numbers."""

    def __init__(self, rule: Scored, vocabulary: Vocabulary, observes: frozenset[str], codes: CodeLists) -> None:
        self.rule, self.vocabulary = rule, vocabulary
        self.limits = [_is_blind(item.of, observes, codes) for item in rule.items]
        self.blind = any(self.limits)

    def memberships(self) -> list[pl.Expr]:
        """Per trial: does it earn each item's points (true, null, false), and is it counted by any?"""
        every = tuple(sorted({group for item in self.rule.items for group in item.of}))
        earns = [self._earns(item).alias(f"member_{n}") for n, item in enumerate(self.rule.items)]
        return [*earns, lookup(self.vocabulary.membership(every)).alias("member")]

    def _earns(self, item: Item) -> pl.Expr:
        long = pl.col("n_days") >= item.extended_days
        also = {
            "failed_trials": pl.lit(True),
            "raised_dose": pl.col("is_dose_raised"),
            "extended": pl.when(long | ~pl.col("has_unknown_supply")).then(long),
        }[item.item]
        return lookup(self.vocabulary.membership(item.of)) & also

    def numbers(self) -> list[pl.Expr]:
        """Per episode: each item's half points over each stage's trials, capped."""
        return [
            pl.min_horizontal(_among(stage, f"member_{n}").sum() * _halves(item.points), _halves(item.max_points))
            .cast(pl.Int64)
            .alias(f"{stage}_{n}")
            for n, item in enumerate(self.rule.items)
            for stage in _STAGES
        ]

    def _total(self, stage: str, *, open_ended: bool = False) -> pl.Expr:
        points = [
            pl.lit(_halves(item.max_points)) if open_ended and limit else pl.col(f"{stage}_{n}")
            for n, (item, limit) in enumerate(zip(self.rule.items, self.limits, strict=True))
        ]
        return reduce(add, points)

    def met(self, stage: str, *, distinct: bool = True, open_ended: bool = False) -> pl.Expr:
        """Does the score of a stage's trials reach the threshold? Scores know no distinctness."""
        return self._total(stage, open_ended=open_ended) >= _halves(self.rule.threshold)

    def scores(self) -> dict[str, pl.Expr]:
        """The score's bounds."""
        return {
            "score_min": self._total("surely_failed") / 2,
            "score_max": self._total("failed", open_ended=True) / 2,
        }

    def dates(self, trials: pl.DataFrame) -> pl.DataFrame:
        """episode, resistant_day: the day the running score reached the threshold."""
        points = [
            (_among("surely_failed", f"member_{n}").cast(pl.Int64) * _halves(item.points))
            .cum_sum()
            .over("episode")
            .clip(upper_bound=_halves(item.max_points))
            for n, item in enumerate(self.rule.items)
        ]
        running = trials.filter(pl.col("failure_date").is_not_null()).sort("episode", "failure_date", "trial")
        reached = running.filter(reduce(add, points) >= _halves(self.rule.threshold))
        return reached.group_by("episode").agg(resistant_day=pl.col("failure_date").min())


def _halves(points: float) -> int:
    return int(points * 2)


def _is_known(count: Count) -> pl.Expr:
    """Can the trial's kind be told apart from another's?"""
    if count.distinct_by == "substance":
        return pl.col("is_identified")
    return pl.col(_KEYS[count.distinct_by]).fill_null("") != ""


def _is_blind(groups: tuple[str, ...], observes: frozenset[str], codes: CodeLists) -> bool:
    """Is there a treatment in the groups that the delivery cannot show?"""
    return any(not codes.observed_as_of_group(group) <= observes for group in groups)
