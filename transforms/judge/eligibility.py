"""Episodes -> does the definition speak about each? True, false, or null where a fact is missing.

A rule is a Polars expression over a frame with one row per episode. Its facts beside those of the episode are looked
up in the persons' histories, each once: on how many days a code of a list was given, whether something of a group was
dispensed or done before treatment began.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial, reduce
from operator import and_, or_

import numpy as np
import polars as pl
from polars import col, when

from impasse.schemas.codelists import CodeLists
from impasse.schemas.definition import Definition, Eligible, Exclusion, Requirement
from impasse.schemas.resistance import DiagnosisItem
from impasse.transforms.history.encode import Coded, person_disorder
from impasse.transforms.history.episodes import Spans
from impasse.transforms.kernels.days import LONG_AGO, Days


@cache
def is_eligible(rule: Eligible) -> pl.Expr:
    """Does the definition speak about the episode? Of one that began while nobody observed the person it is unknown."""
    conditions = [is_of_disorders(rule.disorders), when(col("is_observed").fill_null(True)).then(True)]
    if (rule.min_age, rule.max_age) != (0, 150):
        conditions.append(col("age").is_between(rule.min_age, rule.max_age))
    if rule.min_observed_days > 0:
        conditions.append(col("observed_days_before") >= rule.min_observed_days)
    if rule.washout_treatments:
        conditions.append(col(washed_out(rule)))
    if rule.diagnoses:
        conditions.append(col(_contact(rule)))
    conditions += [col(days_with(part.codes, part.when)) < 1 for part in rule.exclusions]
    conditions += [col(days_with(part.codes, part.when)) >= part.days for part in rule.requirements]
    if rule.pseudo_resistance == "before":
        conditions.append(~col("is_diagnosed"))
    return reduce(and_, conditions)


def is_of_disorders(disorders: Iterable[str]) -> pl.Expr:
    """Is the episode one of the disorders?"""
    return reduce(or_, (col("disorder") == name for name in disorders))


STAYS = "days of admission"  # the column of the stays of the episode, by the days they began


def days_with(codes: str, when_given: str) -> str:
    """The column of the number of days of the stated time on which the person was given a code of the list."""
    return f"days with {codes} {when_given}"


def washed_out(rule: Eligible) -> str:
    """The column of whether nothing of the washout's treatments was given in its time before treatment."""
    return f"washout of {' or '.join(rule.washout_treatments)} for {rule.washout_days} days"


def _contact(rule: Eligible) -> str:
    return f"has contact of {' or '.join(rule.diagnoses)}"


def _days_asked(definition: Definition) -> Iterator[tuple[str, str]]:
    """The code lists of which days are counted, and at what time."""
    asked: list[Exclusion | Requirement] = [*definition.eligible.exclusions, *definition.eligible.requirements]
    for part in asked:
        yield part.codes, part.when
    for item in getattr(definition.resistance, "items", ()):
        for level in item.levels if isinstance(item, DiagnosisItem) else ():
            yield level.codes, item.when


class Histories:
    """The persons' histories, in which facts of their episodes are looked up."""

    def __init__(self, episodes: pl.DataFrame, spans: Spans, coded: Coded, codes: CodeLists) -> None:
        self._episodes, self._spans, self._coded, self._codes = episodes, spans, coded, codes

    def facts(self, definitions: Iterable[Definition]) -> list[pl.Series]:
        """What the definitions ask of each episode, for points as well; each fact once, one value per episode."""
        asked: dict[str, Callable[[], pl.Series]] = {STAYS: self._number_of_stays}
        for definition in definitions:
            rule = definition.eligible
            for codes, when_given in _days_asked(definition):
                asked[days_with(codes, when_given)] = partial(self._days_with, codes, when_given)
            if rule.washout_treatments:
                asked[washed_out(rule)] = partial(self._is_washed_out, rule)
            if rule.diagnoses:
                asked[_contact(rule)] = partial(self._has_contact, rule.diagnoses)
        return [look_up().alias(name) for name, look_up in asked.items()]

    def _days_with(self, codes: str, when_given: str) -> pl.Series:
        """On how many days of the stated time each episode's person was given a code of the list."""
        spans, long_ago = self._spans, np.full(len(self._spans.start), LONG_AGO)
        opens, closes = {
            "ever": (long_ago, spans.observed_until),
            "before": (long_ago, spans.start - 1),
            "during": (spans.start, spans.end),
            "before_or_during": (long_ago, spans.end),
        }[when_given]
        return pl.Series(self._coded.diagnosed.days_of(codes).number_within(spans.person, opens, closes))

    def _number_of_stays(self) -> pl.Series:
        """On how many days of the episode a stay for its disorder began; none where stays are not delivered."""
        spans, admissions = self._spans, self._coded.admissions
        if admissions is None:
            return pl.zeros(len(spans.start), dtype=pl.Int64, eager=True)
        line = person_disorder(spans.person, spans.disorder, len(spans.disorders))
        return pl.Series(admissions.number_within(line, spans.start, spans.end))

    def _has_contact(self, lists: tuple[str, ...]) -> pl.Series:
        """Has the episode a contact, other than for remission, with a code of one of the lists?"""
        told, has_some = self._coded.diagnosed, np.zeros(len(self._spans.start), dtype=bool)
        for row in self._codes.disorders.iter_rows(named=True):
            is_contact = told.are_in(row["diagnoses"]) & ~told.are_in(row["remission"] or "")
            rows = np.flatnonzero(is_contact & told.are_in(*lists))
            mine = np.flatnonzero(self._spans.of_disorders(frozenset({row["disorder"]})))
            days = Days(told.person[rows], told.day[rows])
            found = days.number_within(self._spans.person[mine], self._spans.start[mine], self._spans.end[mine])
            has_some[mine] = found > 0
        return pl.Series(has_some)

    def _is_washed_out(self, rule: Eligible) -> pl.Series:
        """Was nothing of the groups given in the time before the treatment? Null where that was not seen."""
        person, start, treated_from = self._spans.person, self._spans.start, self._spans.treated_from
        vocabulary = self._coded.vocabulary
        meant = (vocabulary.surely_in(rule.washout_treatments), vocabulary.perhaps_in(rule.washout_treatments))
        opens, closes = treated_from - rule.washout_days, treated_from - 1
        given = [self._coded.days_given(treatments) for treatments in meant]
        surely, perhaps = (days.number_within(person, opens, closes) > 0 for days in given)
        shown = all(
            self._codes.observed_as_of_group(group) <= self._coded.observes for group in rule.washout_treatments
        )
        before = self._episodes["observed_days_before"].fill_null(-1).to_numpy() - (start - treated_from)
        watched = (before >= rule.washout_days) & shown
        found = pl.DataFrame({"surely": surely, "perhaps": perhaps, "watched": watched})
        return found.select(when("surely").then(False).when(~col("perhaps") & col("watched")).then(True)).to_series()
