"""Episodes -> does the definition speak about each? True, false, or unknown where a fact is missing."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import polars as pl

from schemas.codelists import CodeLists
from schemas.definition import Eligible
from transforms.bounds import Bounds, all_of
from transforms.causes import Causes
from transforms.encode import Coded, lookup


class Eligibility:
    """Eligibility of the same episodes under any number of definitions; a condition two of them share is asked once."""

    def __init__(self, episodes: pl.DataFrame, causes: Causes, coded: Coded, codes: CodeLists) -> None:
        self.episodes, self.causes, self.coded, self.codes = episodes, causes, coded, codes
        self._asked: dict[Hashable, Bounds] = {}

    def judge(self, rule: Eligible) -> Bounds:
        """One value per episode, in order."""
        conditions = [
            self._once(("disorders", rule.disorders), lambda: pl.col("disorder").is_in(rule.disorders)),
            self._once(("age", rule.min_age, rule.max_age), lambda: _within_age(rule)),
            self._once(("before", rule.min_observed_days), lambda: _observed_before(rule.min_observed_days)),
            self._once("can tell", _can_tell),
            self._once(("untreated", rule.untreated_by, rule.untreated_days), lambda: self._untreated(rule)),
        ]
        if rule.diagnoses:
            conditions.append(self._once(("contact", rule.diagnoses), lambda: self._has_contact_of(rule.diagnoses)))
        conditions += [~self._diagnosed(part.codes, part.when, 1) for part in rule.exclusions]
        conditions += [self._diagnosed(part.codes, part.when, part.days) for part in rule.requirements]
        if rule.pseudo_resistance == "before":
            conditions.append(~Bounds.known(self.causes.is_diagnosed))
        return all_of(conditions)

    def _once(self, key: Hashable, condition: Callable[[], pl.Expr]) -> Bounds:
        if key not in self._asked:
            answers = self.episodes.select(answer=condition().cast(pl.Boolean))["answer"]
            if len(answers) != len(self.episodes):  # a condition that holds for all is one value
                answers = pl.repeat(answers.item(), len(self.episodes), dtype=pl.Boolean, eager=True)
            self._asked[key] = Bounds.of(answers)
        return self._asked[key]

    def _diagnosed(self, codes: str, when: str, days: int) -> Bounds:
        """Has the person a code of the list on so many days of the stated time?"""

        def condition() -> pl.Expr:
            rows = self.coded.listed.filter(pl.col("list") == codes).select("person", "day").unique()
            inside = self.episodes.join(rows, on="person").filter(at_the_time(when))
            return _is_among(inside.filter(pl.len().over("episode") >= days))

        return self._once(("diagnosed", codes, when, days), condition)

    def _has_contact_of(self, lists: tuple[str, ...]) -> pl.Expr:
        """Has the episode a contact, other than for remission, with a code of one of the lists?"""
        contacts = self.coded.contacts.filter(~pl.col("is_remission"))
        listed = self.coded.listed.filter(pl.col("list").is_in(lists)).select("person", "day", "code").unique()
        rows = contacts.join(listed, on=["person", "day", "code"]).select("person", "disorder", "day")
        inside = pl.col("day").is_between(pl.col("start"), pl.col("end"))
        return _is_among(self.episodes.join(rows, on=["person", "disorder"]).filter(inside))

    def _untreated(self, rule: Eligible) -> pl.Expr:
        """Was nothing of the groups given in the time before the episode's treatment? Null where that was not seen."""
        if not rule.untreated_by:
            return pl.lit(True)
        coded, episodes = self.coded, self.episodes
        tables = [
            t.select("person", "day", "treatment") for t in (coded.dispensings, coded.procedures) if t is not None
        ]
        opens = pl.col("treated_from") - rule.untreated_days
        given = (
            pl.concat([episodes.select(person="person", day="start", treatment=pl.lit(0, pl.UInt16)).clear(), *tables])
            .with_columns(is_member=lookup(coded.vocabulary.membership(rule.untreated_by).series()))
            .filter(pl.col("is_member").fill_null(True))
            .join(episodes.select("person", "episode", "treated_from"), on="person")
            .filter(pl.col("day").is_between(opens, pl.col("treated_from") - 1))
        )
        shown = all(self.codes.observed_as_of_group(group) <= coded.observes for group in rule.untreated_by)
        watched = pl.col("observed_days_before") - (pl.col("start") - pl.col("treated_from")) >= rule.untreated_days
        return (
            pl.when(_is_among(given.filter("is_member")))
            .then(False)
            .when(~_is_among(given) & pl.lit(shown) & watched)
            .then(True)
        )


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


def _is_among(rows: pl.DataFrame) -> pl.Expr:
    return pl.col("episode").is_in(rows["episode"].unique().implode())
