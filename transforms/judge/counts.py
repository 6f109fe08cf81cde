"""Alternatives and their counts: at least so many trials of some kind, of different substances, perhaps within a time.

Every count has a lower bound (what surely counts) and an upper one (what may count; without limit where a counted
treatment is not observed), so that "at least n" is itself true, false or null. An alternative that says nothing about
time compares the numbers of the whole episode. One that does needs a day on which all its counts hold.

A trial counts more or less surely. Six readings tell how surely, from all that may have been tried to what surely
failed. The surest gives the lower bound of every number, what may have failed the upper bound, and the readings between
tell which block settled a verdict.

    reading          of the counted treatments   adequate   failed
    tried            perhaps
    adequate         perhaps                     perhaps
    failed           perhaps                     perhaps    perhaps
    surely_tried     surely                      perhaps    perhaps
    surely_adequate  surely                      surely     perhaps
    surely_failed    surely                      surely     surely

A truth is a nullable column of booleans; what holds perhaps is what is not false. Polars' `&` is Kleene's, so one
column tells both what surely failed and what perhaps did.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Literal

import numpy as np
import polars as pl
from polars import col, lit, when

from impasse.schemas.definition import Definition
from impasse.schemas.resistance import Alternative, Count, reads_whole_episode
from impasse.schemas.rule_ids import column
from impasse.transforms.judge.asked import Asked, CountedTrials
from impasse.transforms.judge.eligibility import is_of_disorders
from impasse.transforms.kernels.counting import COUNT, TIMINGS, first_days
from impasse.transforms.kernels.segments import NEVER

STILL_TREATED = "still_treated"  # the column of whether a trial of the episode still ran when observation ended
WINDOW_CLOSES = "window_closes"  # the column of the last day of a definition's own window, NEVER where it has none
Certainty = Literal["tried", "adequate", "failed", "surely_tried", "surely_adequate", "surely_failed"]


@dataclass(frozen=True)
class Counting:
    """How the trials of a definition count; what it asks of them is written down in `asked`.

    `blind` are the groups of which the delivery cannot show some treatment.
    """

    definition: Definition
    asked: Asked
    blind: frozenset[str]
    has_admissions: bool

    @property
    def is_eligible(self) -> pl.Expr:
        """Is the episode eligible for the definition?"""
        return col(column("is_eligible", self.definition.eligible))

    @property
    def groups(self) -> tuple[str, ...]:
        """All groups whose trials the definition counts."""
        return tuple(sorted(self.definition.counted_groups))

    def of_ours(self, number: pl.Expr) -> pl.Expr:
        """A number of trials; none in an episode of a disorder that the definition does not speak about."""
        return when(self.speaks).then(number).otherwise(lit(0, dtype=pl.Int32))

    @property
    def speaks(self) -> pl.Expr:
        """Is the episode one of the definition's disorders? Others may have trials because they share a rule."""
        return is_of_disorders(self.definition.eligible.disorders)

    @property
    def is_followed_up(self) -> pl.Expr:
        """Was the episode seen from its true start until it was over, or the definition's own window closed?

        It is over at remission or death, or when the study's gap after the last contact has passed, its tail too, and
        no trial of it still runs. Where nobody tells when persons were observed, they were throughout the study. No
        window closes what looks at the whole episode.
        """
        is_closed = ~col("is_censored") & ~col(STILL_TREATED)
        if not reads_whole_episode(self.definition.resistance):
            is_closed |= col(WINDOW_CLOSES) <= col("observed_until")
        return is_closed & ~col("is_left_truncated").fill_null(False)

    @property
    def is_settled(self) -> pl.Expr:
        """Does it stand that the rule is met? Not where it speaks of the last days of an episode that may go on."""
        return ~col("is_censored") if self.definition.trial.window == "last_days" else lit(True)

    def judged(self, what: str) -> pl.Expr:
        """What the definition's adequacy or outcome rule says of a trial, a column of the judged ones."""
        rule = self.definition.adequacy if what in _OF_ADEQUACY else self.definition.outcome
        return col(column(what, rule))

    def is_blind(self, groups: tuple[str, ...]) -> bool:
        """Is there a treatment in the groups that the delivery cannot show?"""
        return not self.blind.isdisjoint(groups)

    def is_meant(self, groups: tuple[str, ...], what: str = "given") -> pl.Expr:
        """Is it a trial of the groups? An add-on is added even where it is no trial of its own."""
        return (col("is_add_on") if what == "added" else col("is_counted")) & self.asked.is_of(groups)

    def truth(self, groups: tuple[str, ...], what: str, certainty: Certainty, also: pl.Expr | None = None) -> str:
        """Does a trial count? What is given or added is not asked to be adequate or to fail."""
        rules = (self.judged("is_adequate"), self.judged("has_failed")) if what == "failed" else (None, None)
        return self.asked.truth(counts(certainty, self.is_meant(groups, what), also, *rules))

    def number(self, truth: str, certainty: Certainty, distinct_by: str) -> pl.Expr:
        """For how many trials a truth holds, by what must differ: at least for what is sure, else at most."""
        return (self.asked.fewest if is_sure(certainty) else self.asked.most)(truth, distinct_by)


_OF_ADEQUACY = ("is_adequate", "adequacy_reason")


# Alternatives


def is_alternative_met(rule: Sequence[Alternative], counting: Counting) -> pl.Expr:
    """Is one of the alternatives met? Null where that cannot be told."""
    return any_of(_is_met(one, counting) for one in rule)


def would_be_met(
    rule: Sequence[Alternative], counting: Counting, certainty: Certainty, *, distinct: bool = True
) -> pl.Expr:
    """Would one of the alternatives be met if trials counted so surely, and perhaps none had to be different?"""
    return any_of(_holds(one, counting, certainty, one.all_of, distinct=distinct) for one in rule)


def day_met(rule: Sequence[Alternative], counting: Counting, certainty: Certainty) -> pl.Expr:
    """The first day on which an alternative was met if trials counted so surely."""
    return pl.min_horizontal(_first_day(one, counting, certainty, one.all_of) for one in rule)


def is_blind_to_alternatives(rule: Iterable[Alternative], counting: Counting) -> bool:
    """Does some count ask for treatments of which the delivery cannot show some?"""
    return any(counting.is_blind(count.of) for one in rule for count in one.all_of)


def _is_met(one: Alternative, counting: Counting) -> pl.Expr:
    if not _has_time(one):
        return reduce(and_, (_is_enough(count, counting) for count in one.all_of))
    seen = [count for count in one.all_of if not counting.is_blind(count.of)]
    surely = _holds(one, counting, "surely_failed", one.all_of)
    perhaps = _holds(one, counting, "failed", seen) if seen else lit(True)
    return when(surely).then(True).when(~perhaps).then(False)


def _is_enough(count: Count, counting: Counting) -> pl.Expr:
    """Are there at least n? Of what the delivery cannot show there may be any number."""
    truth = counting.truth(count.of, count.what, "failed")
    answer = when(counting.asked.fewest(truth, count.distinct_by) >= count.n).then(True)
    if counting.is_blind(count.of):
        return answer.otherwise(None)
    return answer.when(counting.asked.most(truth, count.distinct_by) < count.n).then(False)


def _holds(
    one: Alternative, counting: Counting, certainty: Certainty, asked: Sequence[Count], *, distinct: bool = True
) -> pl.Expr:
    """Do all counts hold if trials count so surely? True or false."""
    if _has_time(one) and distinct:
        return _first_day(one, counting, certainty, asked).is_not_null()
    enough = (
        counting.number(
            counting.truth(count.of, count.what, certainty), certainty, count.distinct_by if distinct else "none"
        )
        >= count.n
        for count in asked
    )
    return reduce(and_, enough)


def _first_day(one: Alternative, counting: Counting, certainty: Certainty, asked: Sequence[Count]) -> pl.Expr:
    """The first day on which all counts hold, null where there is none."""
    truths = [counting.truth(count.of, count.what, certainty) for count in asked]
    sure = is_sure(certainty)
    # What was tried or adequate is asked neither whether it failed nor when.
    failed = None if certainty in ("tried", "adequate") else counting.judged("day_failed").meta.output_name()
    told = [(truth, c.n, c.timing, c.what, c.distinct_by) for truth, c in zip(truths, asked, strict=True)]
    if all(count.what != "failed" for count in asked):
        failed = None
    return counting.asked.day(
        f"first day within {one.within}, {'surely' if sure else 'perhaps'}, failed {failed}: {told}",
        lambda counted: _look_up(counted, one.within, asked, truths, sure, failed),
    )


def _look_up(
    counted: CountedTrials,
    within: int | str,
    asked: Sequence[Count],
    truths: Sequence[str],
    sure: bool,
    failed: str | None,
) -> np.ndarray:
    trials = counted.trials
    never = np.full(len(trials.row), NEVER)
    closes = never
    if within != "episode":
        closes = (trials.last_day if sure else trials.last_day_at_most).astype(np.int64) + int(within)
    return first_days(
        counted.n_episodes,
        counted.episode,
        np.array([(c.n, TIMINGS.index(c.timing), c.what == "failed") for c in asked], dtype=COUNT),
        np.stack([counted.truth(truth) for truth in truths]),
        np.stack([counted.kinds(count.distinct_by) for count in asked]),
        sure,
        trials.start,
        never if failed is None else counted.days(failed),
        closes,
    )


def _has_time(one: Alternative) -> bool:
    """Does the alternative say anything about time?"""
    return one.within != "episode" or any(count.timing != "any" for count in one.all_of)


def any_of(parts: Iterable[pl.Expr]) -> pl.Expr:
    """Kleene's or."""
    return reduce(or_, parts)


# How sure


def is_sure(certainty: Certainty) -> bool:
    """Does a trial count only where its truth is sure, and not where it is null?"""
    return certainty == "surely_failed"


def counts(
    certainty: Certainty,
    is_meant: pl.Expr,
    also: pl.Expr | None,
    is_adequate: pl.Expr | None,
    has_failed: pl.Expr | None,
) -> pl.Expr:
    """Does a trial count? It is of the treatments meant, and does what `also` is asked; None is not asked for."""
    readings = {
        "tried": _all(is_meant, also),
        "adequate": _all(is_meant, also, is_adequate),
        "failed": _all(is_meant, also, is_adequate, has_failed),
        "surely_tried": _all(is_meant.fill_null(False), also, is_adequate, has_failed),
        "surely_adequate": _all(_all(is_meant, also, is_adequate).fill_null(False), has_failed),
        "surely_failed": _all(is_meant, also, is_adequate, has_failed),
    }
    return readings[certainty]


def _all(*parts: pl.Expr | None) -> pl.Expr:
    return reduce(and_, (part for part in parts if part is not None))
