"""Episodes -> does the definition speak about each? True, false, or null where a fact is missing."""

from __future__ import annotations

import polars as pl

from schemas.codelists import CodeLists
from schemas.definition import Eligible
from transforms.causes import has_cause
from transforms.encode import Coded, lookup


def judge_eligibility(episodes: pl.DataFrame, rule: Eligible, coded: Coded, codes: CodeLists) -> pl.Series:
    """One value per episode, in order. `episodes` has `diagnosed`, the causes of pseudo-resistance."""
    conditions = [
        pl.col("disorder").is_in(rule.disorders),
        _within_age(rule),
        _observed_before(rule.min_observed_days),
        _can_tell(),
        _untreated(episodes, coded, rule, codes),
    ]
    if rule.diagnoses:
        conditions.append(_has_contact_of(episodes, coded, rule.diagnoses))
    conditions += [~_diagnosed(episodes, coded, part.codes, part.when, 1) for part in rule.exclusions]
    conditions += [_diagnosed(episodes, coded, part.codes, part.when, part.days) for part in rule.requirements]
    if rule.pseudo_resistance == "before":
        conditions.append(~has_cause())
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


def at_the_time(when: str) -> pl.Expr:
    """Does `day` lie in the stated time of an episode?"""
    day = pl.col("day")
    return {
        "ever": day <= pl.col("observed_until"),
        "before": day < pl.col("start"),
        "during": day.is_between(pl.col("start"), pl.col("end")),
        "before_or_during": day <= pl.col("end"),
    }[when]


def _diagnosed(episodes: pl.DataFrame, coded: Coded, codes: str, when: str, days: int) -> pl.Expr:
    """Has the person a code of the list on so many days of the stated time?"""
    rows = coded.listed.filter(pl.col("list") == codes).select("person", "day").unique()
    inside = episodes.join(rows, on="person").filter(at_the_time(when))
    return _is_among(inside.filter(pl.len().over("episode") >= days))


def _has_contact_of(episodes: pl.DataFrame, coded: Coded, lists: tuple[str, ...]) -> pl.Expr:
    """Has the episode a contact, other than for remission, with a code of one of the lists?"""
    contacts = coded.contacts.filter(~pl.col("is_remission"))
    listed = coded.listed.filter(pl.col("list").is_in(lists)).select("person", "day", "code").unique()
    rows = contacts.join(listed, on=["person", "day", "code"]).select("person", "disorder", "day")
    inside = pl.col("day").is_between(pl.col("start"), pl.col("end"))
    return _is_among(episodes.join(rows, on=["person", "disorder"]).filter(inside))


def _untreated(episodes: pl.DataFrame, coded: Coded, rule: Eligible, codes: CodeLists) -> pl.Expr:
    """Was nothing of the groups given in the time before the episode's treatment? Null where that was not seen."""
    if not rule.untreated_by:
        return pl.lit(True)
    tables = [t.select("person", "day", "treatment") for t in (coded.dispensings, coded.procedures) if t is not None]
    opens = pl.col("treated_from") - rule.untreated_days
    given = (
        pl.concat([episodes.select(person="person", day="start", treatment=pl.lit(0, pl.UInt16)).clear(), *tables])
        .with_columns(is_member=lookup(coded.vocabulary.membership(rule.untreated_by)))
        .filter(pl.col("is_member").fill_null(True))
        .join(episodes.select("person", "episode", "treated_from"), on="person")
        .filter(pl.col("day").is_between(opens, pl.col("treated_from") - 1))
    )
    shown = all(codes.observed_as_of_group(group) <= coded.observes for group in rule.untreated_by)
    watched = pl.col("observed_days_before") - (pl.col("start") - pl.col("treated_from")) >= rule.untreated_days
    return (
        pl.when(_is_among(given.filter("is_member")))
        .then(False)
        .when(~_is_among(given) & pl.lit(shown) & watched)
        .then(True)
    )


def _is_among(rows: pl.DataFrame) -> pl.Expr:
    return pl.col("episode").is_in(rows["episode"].unique().implode())
