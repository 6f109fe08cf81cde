"""Trials -> did each fail, work, or can we not tell? With the evidence and its date.

Evidence is taken in the order the definition names: the first kind that can tell, tells. Scales compare
the trial's last score with its baseline or a cut-off; a change of treatment within the time allowed
is a register's stand-in for failure. Its absence means "worked" only if it could have been seen, and
only if it is known when the time allowed was over.
"""

from __future__ import annotations

import polars as pl

from schemas.definition import Outcome, ScaleBand, ScaleRule
from transforms.encode import Coded
from transforms.measurement import Measured, nearest
from transforms.signs import Signs
from transforms.trials import Trials

AnyScaleRule = ScaleRule | ScaleBand
_FAILED, _EVIDENCE, _DATE = "has_failed", "outcome_evidence", "failure_date"


def judge_outcome(built: Trials, rule: Outcome, measured: Measured, signs: Signs, coded: Coded) -> pl.DataFrame:
    """The trials in their order, with has_failed, outcome_evidence and failure_date (a day number).

    `measured.trials` are the same trials with the facts of their episodes.
    """
    trials = measured.trials
    kinds = {
        "scales": lambda: _by_scales(trials, rule, measured),
        "treatment_change": lambda: _by_change(trials, built.changes, rule, signs, coded),
    }
    judged = trials
    for place, kind in enumerate(rule.evidence):
        judged = judged.join(
            kinds[kind]().rename(lambda c, n=place: c if c == "trial" else f"{c}_{n}"),
            on="trial",
            how="left",
            maintain_order="left",
        )
    return built.trials.hstack(judged.select(_first_that_tells(rule)))


def _first_that_tells(rule: Outcome) -> list[pl.Expr]:
    """An early stop decides first where the rule says so; then the first kind of evidence that is not null."""
    stopped = (pl.col("n_days") < rule.early_stop_days) & ~pl.col("has_unknown_supply") & ~pl.col("is_ongoing")
    decides = stopped & pl.lit(rule.early_stop != "by_evidence")
    places = range(len(rule.evidence))
    known = [pl.col(f"{_FAILED}_{n}").is_not_null() for n in places]

    def first(column: str, otherwise: pl.Expr) -> pl.Expr:
        answer = otherwise
        for n in reversed(places):
            answer = pl.when(known[n]).then(pl.col(f"{column}_{n}")).otherwise(answer)
        return answer

    early = pl.lit(False if rule.early_stop == "not_failed" else None, dtype=pl.Boolean)
    failed = pl.when(decides).then(early).otherwise(first(_FAILED, pl.lit(None, pl.Boolean)))
    unknown = first(_EVIDENCE, _why_unknown(rule))
    date = pl.when(~decides & failed).then(first(_DATE, pl.lit(None, pl.Int32)))
    return [
        failed.alias(_FAILED),
        pl.when(decides).then(pl.lit("early_stop")).otherwise(unknown).alias(_EVIDENCE),
        date.alias(_DATE),
    ]


def _why_unknown(rule: Outcome) -> pl.Expr:
    """Where nothing can tell: why the last resort, a change of treatment, could not."""
    if "treatment_change" not in rule.evidence:
        return pl.lit("none")
    return pl.col(f"{_EVIDENCE}_{rule.evidence.index('treatment_change')}")


def _by_scales(trials: pl.DataFrame, rule: Outcome, measured: Measured) -> pl.DataFrame:
    """Each scale rule's verdict, joined as the definition says."""
    table = trials.select("trial")
    for n, scale_rule in enumerate(rule.scales):
        verdict = _by_one_scale(measured.by(scale_rule.scale), scale_rule)
        table = table.join(
            verdict.rename({"failed": f"f{n}", "day": f"d{n}"}), on="trial", how="left", maintain_order="left"
        )
    failed = [pl.col(f"f{n}") for n in range(len(rule.scales))]
    dates = [pl.when(f).then(pl.col(f"d{n}")) for n, f in enumerate(failed)]
    verdict = {
        "any": pl.any_horizontal(failed),
        "any_measured": pl.when(pl.any_horizontal([f.is_not_null() for f in failed])).then(
            pl.any_horizontal([f.fill_null(False) for f in failed])
        ),
        "all": pl.all_horizontal(failed),
        "first": pl.coalesce(failed),
    }[rule.scales_joined]
    date = {"all": pl.max_horizontal, "first": pl.coalesce}.get(rule.scales_joined, pl.min_horizontal)(dates)
    return table.select(
        "trial",
        verdict.alias(_FAILED),
        _deciding_scale(rule, failed, verdict).alias(_EVIDENCE),
        pl.when(verdict).then(date).alias(_DATE),
    )


def _deciding_scale(rule: Outcome, failed: list[pl.Expr], verdict: pl.Expr) -> pl.Expr:
    """Scale and kind of the first rule whose own verdict is the joint one."""
    return pl.coalesce(
        [
            pl.when(f == verdict).then(pl.lit(f"{s.scale}:{s.fails_if}"))
            for f, s in zip(failed, rule.scales, strict=True)
        ]
    )


def _by_one_scale(measured: pl.DataFrame, scale_rule: AnyScaleRule) -> pl.DataFrame:
    """trial, failed, day of the outcome score."""
    fall, room = pl.col("baseline") - pl.col("value"), pl.col("room")
    if isinstance(scale_rule, ScaleBand):
        inside = (fall * 100 >= scale_rule.at_least * room) & (fall * 100 < scale_rule.below * room)
        failed = pl.when(room > 0).then(inside)
    else:
        failed = {
            "score_above": pl.col("value") > scale_rule.value,
            "points_below": fall < scale_rule.value,
            "fall_below": pl.when(room > 0).then(fall * 100 < scale_rule.value * room),
        }[scale_rule.fails_if]
    return measured.select("trial", "day", failed=failed)


def _by_change(trials: pl.DataFrame, changes: pl.DataFrame, rule: Outcome, signs: Signs, coded: Coded) -> pl.DataFrame:
    """A change of treatment after the trial's start and within the time allowed."""
    horizon = pl.col("episode_end") if rule.change_within == "episode" else pl.col("last_day") + rule.change_within
    rows = trials.with_columns(horizon=horizon)
    kinds = {
        "switch": lambda: _first_change(rows, changes.filter(~pl.col("is_add_on"))),
        "add_on": lambda: _first_change(rows, changes.filter("is_add_on")),
        "ect": lambda: _first_session(rows, signs.ect, coded, "ect"),
        "tms": lambda: _first_session(rows, signs.tms, coded, "tms"),
        "admission": lambda: _first_after(rows, signs.admissions.sort("day"), ("person", "disorder")),
    }
    found = rows.select("trial", "horizon", "observed_until", "is_censored", "has_unknown_supply")
    for sign in rule.change_signs:
        days = kinds[sign]().select("trial", pl.col("day").alias(sign))
        found = found.join(days, on="trial", how="left", maintain_order="left")
    date = pl.min_horizontal(rule.change_signs)
    name = pl.coalesce([pl.when(pl.col(sign) == date).then(pl.lit(sign)) for sign in rule.change_signs])
    absence = _without_change(rule, sees_all=set(rule.change_signs) <= signs.observed)
    worked = {"no_change": False, "unfinished": False if rule.if_unfinished == "not_failed" else None}
    return found.select(
        "trial",
        pl.when(date.is_not_null())
        .then(True)
        .otherwise(absence.replace_strict(worked, default=None, return_dtype=pl.Boolean))
        .alias(_FAILED),
        pl.when(date.is_not_null()).then(name).otherwise(absence).alias(_EVIDENCE),
        date.alias(_DATE),
    )


def _without_change(rule: Outcome, *, sees_all: bool) -> pl.Expr:
    """What it means that no change was seen: none came, or why one may have come all the same."""
    if not sees_all:
        return pl.lit("unobserved")
    if rule.change_within == "episode":
        return pl.when(pl.col("is_censored")).then(pl.lit("unfinished")).otherwise(pl.lit("no_change"))
    return (
        pl.when(pl.col("has_unknown_supply"))
        .then(pl.lit("unknown_end"))
        .when(pl.col("horizon") <= pl.col("observed_until"))
        .then(pl.lit("no_change"))
        .otherwise(pl.lit("unfinished"))
    )


def _first_change(rows: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    inside = changes.join(rows.select("trial", "horizon"), on="trial").filter(
        pl.col("other_start") <= pl.col("horizon")
    )
    return inside.group_by("trial").agg(day=pl.col("other_start").min())


def _first_session(rows: pl.DataFrame, days: pl.DataFrame, coded: Coded, group: str) -> pl.DataFrame:
    """The first ECT or TMS after the trial's start; a course of the same kind is no sign against itself."""
    same = pl.lit(coded.vocabulary.sure((group,))).gather(pl.col("treatment"))
    return _first_after(rows.filter(~same), days, ("person",))


def _first_after(rows: pl.DataFrame, days: pl.DataFrame, by: tuple[str, ...]) -> pl.DataFrame:
    after = rows.select("trial", "horizon", *by, at=pl.col("start") + 1)
    return nearest(after, days, "forward", by).filter(pl.col("day") <= pl.col("horizon"))
