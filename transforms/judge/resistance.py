"""Judged trials -> how many failures of which kind: the verdict on each episode, its date, what decided it.

A rule is met, not met or, where null, left open. The same rule asked of trials that count less and less surely tells
which block settled the verdict. All are Polars expressions over a frame with one row per episode.

Treatment may begin, and fail, in the lead before an episode, which is resistant from its first day at the earliest.
"""

from __future__ import annotations

from functools import cache

import polars as pl
from polars import col, lit, max_horizontal, when

from impasse.schemas.definition import DECIDERS
from impasse.schemas.resistance import Scored
from impasse.schemas.tables import VERDICTS
from impasse.transforms.judge import counts, points
from impasse.transforms.judge.causes import N_COMBINATIONS, causes_of, pseudo_resistance
from impasse.transforms.judge.counts import Certainty, Counting

_VERDICT, _BLOCK = pl.Enum(VERDICTS), pl.Enum(DECIDERS)


def is_met(counting: Counting) -> pl.Expr:
    """Is the definition's rule met? Null where that cannot be told."""
    rule = counting.definition.resistance
    if not isinstance(rule, Scored):
        return counts.is_alternative_met(rule.any_of, counting)
    surely = points.reaches(rule, counting, "surely_failed")
    perhaps = points.reaches(rule, counting, "failed", open_ended=True)
    return when(surely).then(True).when(~perhaps).then(False)


def verdict(counting: Counting) -> pl.Expr:
    """The verdict on an episode; where a diagnosed cause is asked for after all, it speaks against resistance.

    Where time was not seen, that the rule is not met proves nothing.
    """
    is_eligible, met = counting.is_eligible, _met(counting)
    return (
        when(~is_eligible).then(_verdict("not_eligible"))
        .when(is_eligible.is_null()).then(_verdict("undetermined"))
        .when(_is_ruled_out(counting)).then(_verdict("not_resistant"))
        .when(met & counting.is_settled).then(_verdict("resistant"))
        .when(~met & counting.is_followed_up).then(_verdict("not_resistant"))
        .otherwise(_verdict("undetermined"))
    )  # fmt: skip


def verdict_columns(counting: Counting) -> dict[str, pl.Expr]:
    """What the table of classifications says of an episode, by column; of the causes the place in all their words."""
    asked, groups = counting.asked, counting.groups
    given, failed = counting.is_meant(groups), counting.truth(groups, "failed", "failed")
    surely_adequate = asked.truth(given & counting.judged("is_adequate").fill_null(False))
    low, high = _score(counting)
    is_resistant = col(verdict_column(counting)) == _verdict("resistant")
    shown = col(shown_column(counting))
    return {
        "verdict": col(verdict_column(counting)),
        "resistant_date": when(is_resistant)
        .then(max_horizontal(_day_met(counting, "surely_failed"), "start"))
        .cast(pl.Date),
        "possible_date": _possible_day(counting).cast(pl.Date),
        "decided_by": decided_by(counting),
        "n_trials": counting.of_ours(asked.most(asked.truth(given))),
        "n_adequate": counting.of_ours(asked.most(surely_adequate)),
        "n_failed_min": counting.of_ours(asked.fewest(failed)),
        "n_failed_max": _unless_blind(counting, counting.of_ours(asked.most(failed))),
        "score_min": low,
        "score_max": high,
        "pseudo_resistance": pseudo_resistance(shown),
        "causes": N_COMBINATIONS * col("diagnosed") + shown,
    }


def causes_shown(counting: Counting) -> pl.Expr:
    """The causes of pseudo-resistance that the episode's trials show, as a number (causes.py)."""
    return counting.of_ours(causes_of(counting.is_meant(counting.groups), counting))


def decided_by(counting: Counting) -> pl.Expr:
    """The block that settled the verdict, or left it open: the first whose question a wider reading would pass."""
    is_judged = counting.is_eligible.fill_null(False) & ~_is_ruled_out(counting)
    met = _met(counting)

    def by(certainty: Certainty, *, distinct: bool = True) -> pl.Expr:
        return _would_be_met(counting, certainty, distinct=distinct)

    return (
        when(~is_judged).then(_block("eligible"))
        .when(met & counting.is_settled).then(_block("resistance"))
        .when(met).then(_block("follow_up"))
        .when(met.is_null()).then(  # left open by
            when(~by("failed") | ~by("surely_tried")).then(_block("trial"))
            .when(by("surely_adequate")).then(_block("outcome"))
            .otherwise(_block("adequacy"))
        )
        .when(~counting.is_followed_up).then(_block("follow_up"))  # left open, too
        .when(~by("tried", distinct=False)).then(_block("trial"))  # stopped by
        .when(~by("tried")).then(_block("resistance"))
        .when(by("adequate")).then(_block("outcome"))
        .otherwise(_block("adequacy"))
    )  # fmt: skip


def is_blind(counting: Counting) -> bool:
    """Is there no upper bound, because the delivery cannot show some treatment that the rule counts?"""
    rule = counting.definition.resistance
    if isinstance(rule, Scored):
        return points.is_blind_to_items(rule, counting)
    return counts.is_blind_to_alternatives(rule.any_of, counting)


def _unless_blind(counting: Counting, most: pl.Expr) -> pl.Expr:
    """The upper bound of a number; there is none where something is not observed, or some time was not seen."""
    if is_blind(counting):
        return lit(None, dtype=pl.Int32)
    return when(counting.is_followed_up | ~counting.speaks).then(most)


def met_column(counting: Counting) -> str:
    """The column of whether the definition's rule is met."""
    return f"is_met {counting.definition.id}"


def verdict_column(counting: Counting) -> str:
    """The column of the definition's verdict."""
    return f"judged {counting.definition.id}"


def shown_column(counting: Counting) -> str:
    """The column of the causes that the trials show."""
    return f"shown {counting.definition.id}"


def _met(counting: Counting) -> pl.Expr:
    return col(met_column(counting))


def _is_ruled_out(counting: Counting) -> pl.Expr:
    """Does a diagnosed cause speak against resistance that would be possible, and does the definition ask?"""
    if counting.definition.eligible.pseudo_resistance != "after":
        return lit(False)
    may_be_met = _met(counting).fill_null(True) | ~counting.is_followed_up
    return col("is_diagnosed") & may_be_met


def _would_be_met(counting: Counting, certainty: Certainty, *, distinct: bool) -> pl.Expr:
    """Would the rule be met if trials counted so surely? True or false; a score is the same, distinct or not."""
    rule = counting.definition.resistance
    if isinstance(rule, Scored):
        return points.reaches(rule, counting, certainty)
    return counts.would_be_met(rule.any_of, counting, certainty, distinct=distinct)


def _possible_day(counting: Counting) -> pl.Expr:
    """The first day on which the episode may have been resistant; null where it was not, or not until it was over.

    Where the delivery cannot show some treatment that counts, that is the first day of the episode.
    """
    judged = col(verdict_column(counting))
    may_be = (judged == _verdict("undetermined")) | (judged == _verdict("resistant"))
    if is_blind(counting):
        return when(may_be).then("start")
    day = _day_met(counting, "failed")
    return when(may_be & _met(counting).fill_null(True) & day.is_not_null()).then(max_horizontal(day, "start"))


def _day_met(counting: Counting, certainty: Certainty) -> pl.Expr:
    rule = counting.definition.resistance
    if isinstance(rule, Scored):
        return points.day_reached(rule, counting, certainty)
    return counts.day_met(rule.any_of, counting, certainty)


def _score(counting: Counting) -> tuple[pl.Expr, pl.Expr]:
    """The bounds of the score; counts have none."""
    rule, none = counting.definition.resistance, lit(None, dtype=pl.Float64)
    return points.bounds(rule, counting) if isinstance(rule, Scored) else (none, none)


@cache
def _verdict(name: str) -> pl.Expr:
    return lit(name, dtype=_VERDICT)


@cache
def _block(name: str) -> pl.Expr:
    return lit(name, dtype=_BLOCK)
