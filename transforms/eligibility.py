"""Episodes -> does the definition speak about each? True, false, or null where a fact is missing."""

from __future__ import annotations

import polars as pl

from schemas.definition import Eligible, Exclusion
from transforms.encode import Coded


def judge_eligibility(episodes: pl.DataFrame, rule: Eligible, coded: Coded) -> pl.Series:
    """One value per episode, in order."""
    conditions = [
        pl.col("disorder").is_in(rule.disorders),
        _within_age(rule),
        _observed_before(rule.min_observed_days),
        _can_tell(),
    ]
    if rule.diagnoses:
        conditions.append(_has_contact_of(episodes, coded, rule.diagnoses))
    conditions += [~_excluded(episodes, coded, exclusion) for exclusion in rule.exclusions]
    return episodes.select(is_eligible=pl.all_horizontal(conditions))["is_eligible"]


def _within_age(rule: Eligible) -> pl.Expr:
    if rule.min_age == 0 and rule.max_age == 150:
        return pl.lit(True)
    return pl.col("age").is_between(rule.min_age, rule.max_age)


def _observed_before(days: int) -> pl.Expr:
    return pl.lit(True) if days == 0 else pl.col("observed_days_before") >= days


def _can_tell() -> pl.Expr:
    """Null for an episode that starts while nobody observes the person: what followed was not seen."""
    return pl.when(pl.col("is_observed").fill_null(True)).then(True)


def _excluded(episodes: pl.DataFrame, coded: Coded, exclusion: Exclusion) -> pl.Expr:
    """Has the person a code of the list at the stated time?"""
    day = pl.col("day")
    at_the_time = {
        "ever": day <= pl.col("observed_until"),
        "before": day < pl.col("start"),
        "during": day.is_between(pl.col("start"), pl.col("end")),
        "before_or_during": day <= pl.col("end"),
    }[exclusion.when]
    rows = coded.listed.filter(pl.col("list") == exclusion.codes)
    return _is_among(episodes.join(rows, on="person").filter(at_the_time))


def _has_contact_of(episodes: pl.DataFrame, coded: Coded, lists: tuple[str, ...]) -> pl.Expr:
    """Has the episode a contact, other than for remission, with a code of one of the lists?"""
    contacts = coded.contacts.filter(~pl.col("is_remission"))
    listed = coded.listed.filter(pl.col("list").is_in(lists)).select("person", "day", "code").unique()
    rows = contacts.join(listed, on=["person", "day", "code"]).select("person", "disorder", "day")
    inside = pl.col("day").is_between(pl.col("start"), pl.col("end"))
    return _is_among(episodes.join(rows, on=["person", "disorder"]).filter(inside))


def _is_among(rows: pl.DataFrame) -> pl.Expr:
    return pl.col("episode").is_in(rows["episode"].unique().implode())
