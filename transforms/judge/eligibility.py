"""Episodes -> does the definition speak about each? True, false, or unknown where a fact is missing."""

from __future__ import annotations

import numpy as np
import polars as pl

from impasse.schemas.codelists import CodeLists
from impasse.schemas.definition import Eligible
from impasse.transforms.history.encode import Coded
from impasse.transforms.history.episodes import Spans
from impasse.transforms.judge.causes import Causes
from impasse.transforms.kernels.bounds import Bounds, all_of
from impasse.transforms.kernels.eras import LONG_AGO, Days
from impasse.transforms.kernels.once import Once


class Eligibility:
    """Eligibility of the same episodes under any number of definitions; a condition two of them share is asked once.

    `spans` are the same episodes as `episodes`.
    """

    def __init__(self, episodes: pl.DataFrame, spans: Spans, causes: Causes, coded: Coded, codes: CodeLists) -> None:
        self.episodes, self.spans, self.causes, self.coded, self.codes = episodes, spans, causes, coded, codes
        self._once = Once()

    def judge(self, rule: Eligible) -> Bounds:
        """One value per episode, in order."""
        return self._once(rule, lambda: self._judge(rule))

    def _judge(self, rule: Eligible) -> Bounds:
        conditions = [Bounds.known(self.spans.of_disorders(frozenset(rule.disorders))), self._can_tell()]
        if (rule.min_age, rule.max_age) != (0, 150):
            conditions.append(self._of_age(rule.min_age, rule.max_age))
        if rule.min_observed_days > 0:
            conditions.append(self._observed_before(rule.min_observed_days))
        if rule.washout_treatments:
            conditions.append(self._untreated(rule))
        if rule.diagnoses:
            conditions.append(self._once(("contact", rule.diagnoses), lambda: self._has_contact_of(rule.diagnoses)))
        conditions += [~self._diagnosed(part.codes, part.when, 1) for part in rule.exclusions]
        conditions += [self._diagnosed(part.codes, part.when, part.days) for part in rule.requirements]
        if rule.pseudo_resistance == "before":
            conditions.append(~Bounds.known(self.causes.is_diagnosed))
        return all_of(conditions)

    def _can_tell(self) -> Bounds:
        """Unknown for an episode that starts while nobody observes the person: what followed was not seen."""
        watched = self.episodes["is_observed"].fill_null(True).to_numpy()
        return Bounds(watched, np.ones(len(watched), dtype=bool))

    def _of_age(self, least: int, most: int) -> Bounds:
        return self._once(("age", least, most), lambda: Bounds.of(self.episodes["age"].is_between(least, most)))

    def _observed_before(self, days: int) -> Bounds:
        return self._once(("before", days), lambda: Bounds.of(self.episodes["observed_days_before"] >= days))

    def _diagnosed(self, codes: str, when: str, days: int) -> Bounds:
        """Has the person a code of the list on so many days of the stated time?"""

        def condition() -> Bounds:
            return Bounds.known(days_told(self.coded, self.spans, codes, when) >= days)

        return self._once(("diagnosed", codes, when, days), condition)

    def _has_contact_of(self, lists: tuple[str, ...]) -> Bounds:
        """Has the episode a contact, other than for remission, with a code of one of the lists?"""
        told, has_some = self.coded.diagnosed, np.zeros(len(self.spans.start), dtype=bool)
        for row in self.codes.disorders.iter_rows(named=True):
            is_contact = told.are_in(row["diagnoses"]) & ~told.are_in(row["remission"] or "")
            rows = np.flatnonzero(is_contact & told.are_in(*lists))
            mine = np.flatnonzero(self.spans.of_disorders(frozenset({row["disorder"]})))
            days = Days(told.person[rows], told.day[rows])
            found = days.number_within(self.spans.person[mine], self.spans.start[mine], self.spans.end[mine])
            has_some[mine] = found > 0
        return Bounds.known(has_some)

    def _untreated(self, rule: Eligible) -> Bounds:
        """Was nothing of the groups given in the time before the treatment? Unknown where that was not seen."""

        def condition() -> Bounds:
            person, start, treated_from = self.spans.person, self.spans.start, self.spans.treated_from
            is_meant = self.coded.vocabulary.membership(rule.washout_treatments)
            opens, closes = treated_from - rule.washout_days, treated_from - 1
            given = [self.coded.days_given(meant) for meant in (is_meant.sure, is_meant.possible)]
            surely, perhaps = (days.number_within(person, opens, closes) > 0 for days in given)
            shown = all(
                self.codes.observed_as_of_group(group) <= self.coded.observes for group in rule.washout_treatments
            )
            before = self.episodes["observed_days_before"].fill_null(-1).to_numpy() - (start - treated_from)
            watched = (before >= rule.washout_days) & shown
            return Bounds(~perhaps & watched, ~surely)

        return self._once(("untreated", rule.washout_treatments, rule.washout_days), condition)


def days_told(coded: Coded, spans: Spans, codes: str, when: str) -> np.ndarray:
    """On how many days of the stated time each episode's person was given a code of the list."""
    long_ago = np.full(len(spans.start), LONG_AGO)
    opens, closes = {
        "ever": (long_ago, spans.observed_until),
        "before": (long_ago, spans.start - 1),
        "during": (spans.start, spans.end),
        "before_or_during": (long_ago, spans.end),
    }[when]
    return coded.diagnosed.days_of(codes).number_within(spans.person, opens, closes)
