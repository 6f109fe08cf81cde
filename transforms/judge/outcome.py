"""Trials -> did each fail, work, or can we not tell? With the evidence and its day.

A rule is a set of Polars expressions over a frame with one row per trial. Evidence is taken in the order the
definition names: the first kind that can tell, tells. Scales compare the trial's outcome score with its baseline or a
cut-off. A change of treatment within the time allowed is a register's stand-in for failure. Its absence means "worked"
only if it could have been seen, if it is known when the time allowed was over, and if no score was measured that cannot
be judged. While what comes first may yet tell, nothing that comes after it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import polars as pl
from polars import all_horizontal, any_horizontal, coalesce, col, lit, max_horizontal, min_horizontal, when

from impasse.schemas.definition import Outcome, ScaleBand, ScaleRule
from impasse.transforms.history.scores import MAY_BE_SCORED, STILL_RUNS, score, windows

SIGNS_OF_TRIALS = ("switch", "add_on")  # the changes of treatment that trials tell of one another
_EITHER, _PERHAPS_SWITCH, _PERHAPS_ADD_ON = "switch_or_add_on", "switch_or_nothing", "add_on_or_nothing"
_FROM_A_DAY = ("add_on", _EITHER, _PERHAPS_SWITCH, _PERHAPS_ADD_ON)
_UNKNOWN, _NO_DAY = lit(None, dtype=pl.Boolean), lit(None, dtype=pl.Int32)
_NO_WORD = lit(None, dtype=pl.Categorical)


class JudgedOutcome(NamedTuple):
    """Has the trial failed (null: cannot be told), by which evidence, and on which day (null unless it failed)?"""

    has_failed: pl.Expr
    evidence: pl.Expr
    day: pl.Expr


class ByScales(NamedTuple):
    """What the scales of a rule say of a trial.

    `is_unjudged`: they cannot tell, and a score is there, or may come, all the same; `why_open`: the word for it where
    one may come, or another one, or another may be the trial's; null where they are not open. Where they `lean`, all
    scores that may be the trial's say so, but none of them may be.
    """

    has_failed: pl.Expr
    evidence: pl.Expr
    day: pl.Expr
    is_unjudged: pl.Expr
    why_open: pl.Expr
    lean: pl.Expr


@cache
def outcome(rule: Outcome, observed: frozenset[str]) -> JudgedOutcome:
    """How a trial ended; `observed` are the changes of treatment that the delivery can show."""
    if rule.evidence == ("treatment_change",):
        return _unless_stopped_early(_by_change(rule, observed), rule)
    scales = columns_by_scales(rule)
    by_scales = JudgedOutcome(*scales[:3])
    told, is_open = by_scales, scales.why_open.is_not_null()
    if "treatment_change" in rule.evidence:
        by_change = _by_change(rule, observed)
        changed = _unless_unjudged(by_change, scales.is_unjudged)
        if rule.evidence[0] == "scales":
            told = _first_that_tells(by_scales, changed, is_open, changed.evidence)
            told = _where_both_say(scales.lean, by_change, told)
        else:
            may_come = by_change.has_failed.is_null() & _may_come(rule, observed)
            told = _first_that_tells(changed, by_scales, may_come, changed.evidence)
            is_open &= ~may_come
    is_open &= told.has_failed.is_null()
    told = told._replace(evidence=when(is_open).then(scales.why_open).otherwise(told.evidence))
    return _unless_stopped_early(told, rule)


def _first_that_tells(first: JudgedOutcome, second: JudgedOutcome, may_tell: pl.Expr, reason: pl.Expr) -> JudgedOutcome:
    """What the first says, or the second where the first says nothing and will not; else the reason why nothing tells.

    A change of treatment, the last resort, says why it could not.
    """
    is_known, tells_next = first.has_failed.is_not_null(), ~may_tell & second.has_failed.is_not_null()
    return JudgedOutcome(
        when(is_known).then(first.has_failed).when(tells_next).then(second.has_failed),
        when(is_known).then(first.evidence).when(tells_next).then(second.evidence).otherwise(reason),
        when(is_known).then(first.day).when(tells_next).then(second.day),
    )  # fmt: skip


def _where_both_say(lean: pl.Expr, by_change: JudgedOutcome, told: JudgedOutcome) -> JudgedOutcome:
    """What a change of treatment says where every score that may be the trial's would say the same."""
    both = (told.has_failed.is_null() & (by_change.has_failed == lean)).fill_null(False)
    return JudgedOutcome(*(when(both).then(one).otherwise(other) for one, other in zip(by_change, told, strict=True)))


def _unless_unjudged(changed: JudgedOutcome, is_unjudged: pl.Expr) -> JudgedOutcome:
    """Where a score was measured that cannot be judged, that no change of treatment came proves nothing."""
    proves_nothing = is_unjudged & ~changed.has_failed
    return JudgedOutcome(
        when(~proves_nothing.fill_null(False)).then(changed.has_failed),
        when(proves_nothing).then(_name("no_baseline")).otherwise(changed.evidence),
        changed.day,
    )


def _unless_stopped_early(told: JudgedOutcome, rule: Outcome) -> JudgedOutcome:
    """An early stop decides first where the rule says so, or may decide where it is not known if there was one."""
    if rule.early_stop == "by_evidence":
        return told
    is_short = (col("n_days") < rule.early_stop_days) & ~(col("is_ongoing") & col("ends_in_death"))
    stopped = (col("n_days_at_most") < rule.early_stop_days) & ~col("is_ongoing") & ~col("may_still_run")
    no_failure = lit(False) if rule.early_stop == "not_failed" else _UNKNOWN
    perhaps = told.has_failed & _UNKNOWN if rule.early_stop == "not_failed" else _UNKNOWN
    return JudgedOutcome(
        when(stopped).then(no_failure).when(is_short).then(perhaps).otherwise(told.has_failed),
        when(stopped).then(_name("early_stop"))
        .when(is_short).then(_name("perhaps_early_stop"))
        .otherwise(told.evidence),
        when(~is_short).then(told.day),
    )  # fmt: skip


# Scales


@cache
def columns_by_scales(rule: Outcome) -> ByScales:
    """The columns that hold what the scales of a rule say of each trial; equal scales share them.

    A rule without scales has no column: they say nothing of any trial.
    """
    if not rule.scales:
        return ByScales(_UNKNOWN, _name("none"), _NO_DAY, lit(False), _NO_WORD, _UNKNOWN)
    return ByScales(*(col(f"{what} by {_key_of_scales(rule)}") for what in ByScales._fields))


@cache
def by_scales(rule: Outcome, measured: frozenset[str]) -> tuple[dict[str, pl.Expr], ...]:
    """What the scales say of a trial, each by its own rule, joined as the definition says, in `columns_by_scales`.

    Each step reads the columns of those before it. `measured` are the scales of which there are scores.
    """
    steps: tuple[dict[str, pl.Expr], ...] = ({}, {}, {}, {})
    told = [_by_one_scale(rule, scale, steps) if scale.scale in measured else _UNMEASURED for scale in rule.scales]
    steps[3]["is_failure"] = _joined(told, rule.scales_joined)
    joined = col("is_failure")
    evidence: Any = pl
    for one in told:
        evidence = evidence.when(one.has_failed == joined).then(one.evidence)
    is_there = ((one.day.is_not_null() | one.is_open) & one.has_failed.is_null() for one in told)
    may_change, is_unsure = (any_horizontal(getattr(one, why) for one in told) for why in ("may_change", "is_unsure"))
    says = [coalesce(one.has_failed, one.leans) for one in told]
    one_fails, one_works = (
        any_horizontal((said == failed).fill_null(False) for said in says) for failed in (True, False)
    )
    all_lean = ~may_change & ~any_horizontal(one.is_unsure & one.leans.is_null() for one in told)
    why_open = when(may_change).then(_name("unfinished")).when(is_unsure).then(_name("unknown_score"))
    answers = ByScales(
        has_failed=joined,
        evidence=evidence.otherwise(_name("none")),
        day=when(joined).then(_day_of_failure(told, rule.scales_joined)).cast(pl.Int32),
        is_unjudged=joined.is_null() & any_horizontal(is_there),
        why_open=when(joined.is_null()).then(why_open),
        lean=when(joined.is_null() & is_unsure & all_lean & (one_fails != one_works)).then(one_fails),
    )
    names = [column.meta.output_name() for column in columns_by_scales(rule)]
    return (*steps, dict(zip(names, answers, strict=True)))


class _OfScale(NamedTuple):
    """What one scale says of a trial; it `may_change` where the trial still runs, and `is_unsure` where another score
    may be the one that tells; then it `leans` if all that may say the same.
    """

    has_failed: pl.Expr
    evidence: pl.Expr
    day: pl.Expr
    may_change: pl.Expr
    is_unsure: pl.Expr
    leans: pl.Expr

    @property
    def is_open(self) -> pl.Expr:
        """May the scale tell, or tell otherwise, all the same?"""
        return self.may_change | self.is_unsure


_UNMEASURED = _OfScale(_UNKNOWN, _NO_WORD, _NO_DAY, lit(False), lit(False), _UNKNOWN)


def _joined(told: Sequence[_OfScale], how: str) -> pl.Expr:
    failed = [one.has_failed for one in told]
    if how == "all":
        return all_horizontal(failed)
    if how == "any":
        return any_horizontal(failed)
    if how == "first":  # one that may yet tell otherwise is not passed over
        first = _UNKNOWN
        for one in reversed(told):
            first = when(~one.is_open).then(coalesce(one.has_failed, first))
        return first
    is_measured = any_horizontal(one.is_not_null() for one in failed)
    known = (when(~one.is_open).then(one.has_failed.fill_null(False)) for one in told)
    return when(is_measured).then(any_horizontal(known))


def _day_of_failure(told: Sequence[_OfScale], how: str) -> pl.Expr:
    if how == "all":
        return max_horizontal(one.day for one in told)
    days = [when(one.has_failed).then(one.day) for one in told]
    return coalesce(days) if how == "first" else min_horizontal(days)


def _by_one_scale(rule: Outcome, scale: ScaleRule | ScaleBand, steps: tuple[dict[str, pl.Expr], ...]) -> _OfScale:
    """Is it a failure by one scale? Null without a score or, where a fall is asked for, without a baseline.

    So it is where another score may tell otherwise, one that may yet come or that may be the trial's. That an earlier
    score on treatment was a response, and the last is not, is a failure where the definition says so. The columns it
    needs are added to `steps`.
    """
    of = " ".join(str(value) for value in vars(scale).values())
    value, lowest, day = (score(windows(rule), scale.scale, what) for what in ("value", "lowest", "day"))
    names = ("fails", "had responded", "may change", "is unsure", "leans")
    fails, had_responded, may_change, is_unsure, leans = (col(f"{name} {of}") for name in names)
    steps[0][f"fails {of}"] = _fails(rule, scale, value)
    steps[0][f"had responded {of}"] = _responds(rule, scale, lowest)
    responded = had_responded | (_responds(rule, scale, value) if isinstance(scale, ScaleBand) else ~fails)
    steps[1][f"may change {of}"] = _may_change(rule, value, responded)
    steps[1][f"is unsure {of}"] = _is_unsure(rule, scale, fails, responded)
    steps[1][f"leans {of}"] = _leans(rule, scale)
    is_lost = fails & had_responded
    told = when(is_lost).then(lit(rule.lost_response == "failed")).otherwise(fails)
    steps[2][f"told {of}"] = when(~may_change & ~is_unsure).then(told)
    lost, failed = (_name(f"{scale.scale}:{word}") for word in ("response_lost", scale.fails_if))
    return _OfScale(col(f"told {of}"), when(is_lost).then(lost).otherwise(failed), day, may_change, is_unsure, leans)


def _is_unsure(rule: Outcome, scale: ScaleRule | ScaleBand, fails: pl.Expr, responded: pl.Expr) -> pl.Expr:
    """May another score be the one that tells, and would it, or is it not known if it would, tell otherwise?

    If all between the lowest and the highest of them tell the same, it does not matter which.
    """
    lowest, highest = (score(windows(rule), scale.scale, f"other_{end}") for end in ("lowest", "highest"))
    same = [_fails(rule, scale, other) == fails for other in (lowest, highest)]
    if isinstance(scale, ScaleBand):
        value = score(windows(rule), scale.scale, "value")
        same += [_responds(rule, scale, other) == _responds(rule, scale, value) for other in (lowest, highest)]
    stays = rule.score == "best" or (rule.score == "last" and rule.lost_response == "not_failed")
    is_told = all_horizontal(same).fill_null(False) | (lit(stays) & responded.fill_null(False))
    return score(windows(rule), scale.scale, "doubted").is_not_null() | lowest.is_not_null() & ~is_told


def _leans(rule: Outcome, scale: ScaleRule | ScaleBand) -> pl.Expr:
    """What all scores say that may tell, where it may be that none does; null if they differ."""
    lowest, highest = (score(windows(rule), scale.scale, f"other_{end}") for end in ("lowest", "highest"))
    says = [_fails(rule, scale, one) for one in (lowest, highest)]
    same = says[0] == says[1]
    if isinstance(scale, ScaleBand):
        same &= _responds(rule, scale, lowest) == _responds(rule, scale, highest)
    return when(score(windows(rule), scale.scale, "doubted").is_not_null() & same).then(says[0])


def _may_change(rule: Outcome, value: pl.Expr, responded: pl.Expr) -> pl.Expr:
    """May a score yet come, or is there one of a trial that still runs, so that another may tell otherwise?

    The first on treatment stays the first. A response stays one if it is the best, or if its loss is no failure.
    """
    may_come = value.is_null() & col(MAY_BE_SCORED)
    if rule.score == "first":
        return may_come
    stays = rule.score == "best" or rule.lost_response == "not_failed"
    return may_come | col(STILL_RUNS) & value.is_not_null() & (~responded.fill_null(False) if stays else lit(True))


def _fails(rule: Outcome, scale: ScaleRule | ScaleBand, value: pl.Expr) -> pl.Expr:
    """Is a score a failure by the scale's rule? Null where there is none, or nothing that it can be compared with."""
    baseline, room = (score(windows(rule), scale.scale, what) for what in ("baseline", "room"))
    fall = baseline - value
    if isinstance(scale, ScaleBand):
        return when(room > 0).then((fall * 100 >= scale.at_least * room) & (fall * 100 < scale.below * room))
    if scale.fails_if == "fall_below":
        return when(room > 0).then(fall * 100 < scale.value * room)
    if scale.fails_if == "points_below":
        return fall < scale.value
    return value > scale.value


def _responds(rule: Outcome, scale: ScaleRule | ScaleBand, value: pl.Expr) -> pl.Expr:
    """Is a score a response by the scale's rule: no failure, and of a band beyond it?"""
    if isinstance(scale, ScaleBand):
        baseline, room = (score(windows(rule), scale.scale, what) for what in ("baseline", "room"))
        return when(room > 0).then((baseline - value) * 100 >= scale.below * room)
    return ~_fails(rule, scale, value)


def _key_of_scales(rule: Outcome) -> str:
    scales = [tuple(vars(scale).values()) for scale in rule.scales]
    return f"{scales} {rule.scales_joined} {rule.lost_response} {tuple(windows(rule))}"


# Changes of treatment


def _by_change(rule: Outcome, observed: frozenset[str]) -> JudgedOutcome:
    """A change of treatment in time is a failure; that none came is a success only where it would have been seen."""
    days = {sign: _next(sign, rule) for sign in _signs(rule)}
    came = {sign: when(day <= _horizon(rule)).then(day) for sign, day in days.items()}
    first = min_horizontal(came.values())
    evidence: Any = pl
    for sign, day in came.items():  # of signs on one day, the first named
        evidence = evidence.when(day == first).then(_name(sign))
    if not set(rule.change_signs) <= observed:
        works, why_not = lit(False), _name("unobserved")
    else:
        works, why_not = _within_the_episode(rule) if rule.change_within == "episode" else _within_days(rule)
    return JudgedOutcome(
        when(first.is_not_null()).then(True).when(works).then(False),
        evidence.otherwise(why_not),
        first,
    )


def _may_come(rule: Outcome, observed: frozenset[str]) -> pl.Expr:
    """Where no change was seen, is it not known yet whether one came in time?"""
    if not set(rule.change_signs) <= observed:
        return lit(False)
    if rule.change_within == "episode":
        return col("is_censored")
    return _horizon(rule, "last_day_at_most") > col("seen_until")


def asks_changes(rule: Outcome) -> bool:
    """Does the rule ask what trials tell of one another?"""
    return "treatment_change" in rule.evidence and bool(_of_trials(rule))


def _signs(rule: Outcome) -> tuple[str, ...]:
    """The signs that a change came; where a switch and an add-on are, so is that it was one of the two."""
    return (*rule.change_signs, *((_EITHER,) if len(_of_trials(rule)) == 2 else ()))


def _of_trials(rule: Outcome) -> set[str]:
    return set(SIGNS_OF_TRIALS).intersection(rule.change_signs)


def _next(sign: str, rule: Outcome) -> pl.Expr:
    """The first day of a sign; what may have been added counts from a day of the trial on."""
    return col(f"next {sign} from day {rule.add_on_from_day}" if sign in _FROM_A_DAY else f"next {sign}")


def _horizon(rule: Outcome, last_day: str = "last_day") -> pl.Expr:
    """The last day on which a change still counts."""
    return col("episode_end") if rule.change_within == "episode" else col(last_day) + rule.change_within


def _is_unclear(rule: Outcome) -> pl.Expr:
    """Was a drug begun of which it is not known whether it followed the trial or was added to it, and does that matter?

    It does where the rule asks for just one of the two, and where it was perhaps nothing: a switch begun before what is
    added counts, or what is ignored if it was added.
    """
    open_signs = [_EITHER] if len(_of_trials(rule)) == 1 else []
    open_signs += [_PERHAPS_SWITCH] if "switch" in rule.change_signs else []
    open_signs += [_PERHAPS_ADD_ON] if "add_on" in rule.change_signs else []
    latest = _horizon(rule, "last_day_at_most")
    came = [(_next(sign, rule) <= latest).fill_null(False) for sign in open_signs]
    return any_horizontal(came) if came else lit(False)


def _within_the_episode(rule: Outcome) -> tuple[pl.Expr, pl.Expr]:
    """Where no change was seen in the episode, was there none? And what it means that none was seen."""
    is_open = lit(False) if rule.if_unfinished == "not_failed" else col("is_censored")
    is_unclear = _is_unclear(rule)
    return ~is_unclear & ~is_open, (
        when(is_unclear).then(_name("unknown_overlap"))
        .when("is_censored").then(_name("unfinished"))
        .otherwise(_name("no_change"))
    )  # fmt: skip


def _within_days(rule: Outcome) -> tuple[pl.Expr, pl.Expr]:
    """Where no change was seen in the days allowed, was there none? And what it means that none was seen.

    A supply of unknown length leaves open until when a change still counts.
    """
    latest = _horizon(rule, "last_day_at_most")
    is_late = any_horizontal((_next(sign, rule) <= latest).fill_null(False) for sign in _signs(rule))
    is_unclear, is_seen = _is_unclear(rule), latest <= col("seen_until")
    is_over = lit(True) if rule.if_unfinished == "not_failed" else is_seen
    if_unfinished = when(_horizon(rule) <= col("seen_until")).then(_name("unknown_end")).otherwise(_name("unfinished"))
    return ~is_late & ~is_unclear & is_over, (
        when(is_late).then(_name("unknown_end"))
        .when(is_unclear).then(_name("unknown_overlap"))
        .when(is_seen).then(_name("no_change"))
        .otherwise(_name("unfinished") if rule.if_unfinished == "not_failed" else if_unfinished)
    )  # fmt: skip


@cache
def _name(evidence: str) -> pl.Expr:
    return lit(evidence, dtype=pl.Categorical)
