"""What can show how a trial ended, apart from the trials themselves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from impasse.schemas.codelists import CodeLists
from impasse.schemas.definition import Trial
from impasse.transforms.history.encode import Coded, Diagnosed, ScoresOfScale, person_disorder
from impasse.transforms.history.eras import Eras
from impasse.transforms.kernels.days import Days
from impasse.transforms.kernels.segments import NEVER

_CHANGES = {"switch": ("drug",), "add_on": ("drug", "psychotherapy")}  # the modalities that may be each
_LAST_DAY = 200_000  # later than any day that can be delivered


@dataclass(frozen=True)
class Signs:
    """Scores by scale, days of ECT and TMS by person, days of admission by person and disorder.

    `scales` as listed, and those `delivered`: of which there are scores of some persons. `same` names the treatments
    that are ECT or TMS themselves. `observed` names those of ECT, TMS and admissions that the delivery can show.
    `diagnosed`: on which some scales have other bands of severity.
    """

    scores: dict[str, ScoresOfScale]
    scales: pl.DataFrame
    delivered: frozenset[str]
    sessions: dict[str, Days]
    same: dict[str, np.ndarray]
    admissions: Days
    observed: frozenset[str]
    diagnosed: Diagnosed

    @cached_property
    def minimum(self) -> dict[str, float]:
        """The lowest score of each scale."""
        return dict(self.scales.select("scale", "minimum").iter_rows())

    @cached_property
    def remission_max(self) -> dict[str, float]:
        """The cut-off of remission of each scale, NaN where it has none."""
        return dict(self.scales.select("scale", pl.col("remission_max").fill_null(float("nan"))).iter_rows())


def find_signs(coded: Coded, scales: pl.DataFrame) -> Signs:
    """Collect scores, ECT and TMS days and admissions from a coded extract."""
    observed: set[str] = {sign for sign in ("ect", "tms") if sign in coded.observes}
    observed |= {"admission"} if coded.admissions is not None else set()
    kinds = {kind: coded.vocabulary.surely_in((kind,)) for kind in ("ect", "tms")}
    return Signs(
        scores=coded.scores,
        scales=scales,
        delivered=coded.scales,
        sessions={kind: coded.days_given(is_kind) for kind, is_kind in kinds.items()},
        same=kinds,
        admissions=coded.admissions if coded.admissions is not None else Days.of_keys(np.zeros(0, dtype=np.int64)),
        observed=frozenset(observed),
        diagnosed=coded.diagnosed,
    )


def observed_changes(rule: Trial, observes: frozenset[str], codes: CodeLists) -> frozenset[str]:
    """The changes among its own treatments that a trial rule can be shown: all that may be one would be seen."""
    groups = rule.treatments + rule.augmenters
    asked = {sign: [codes.observed_as_of_group(g, kinds) for g in groups] for sign, kinds in _CHANGES.items()}
    return frozenset(sign for sign, needed in asked.items() if frozenset({"drug"}).union(*needed) <= observes)


def first_after(eras: Eras, sign: str, signs: Signs) -> np.ndarray:
    """The first ECT, TMS or admission after each era's start, NEVER if there is none; looked up once.

    A course of the same kind is no sign against itself, and nothing is one after a remission that ended the episode, or
    after the definition's own window.
    """
    return eras.once(("after", sign), lambda: _first_after(eras, sign, signs))


def _first_after(eras: Eras, sign: str, signs: Signs) -> np.ndarray:
    person, no_end = eras.of("person"), np.full(len(eras.episode), _LAST_DAY)
    if sign == "admission":
        table = signs.admissions
        group = person_disorder(person, eras.of("disorder"), len(eras.spans.disorders))
    else:
        table, group = signs.sessions[sign], person
    found = table.first_within(group, eras.start + 1, no_end)
    is_none = found < 0
    if sign != "admission":
        is_none |= signs.same[sign][eras.treatment]
    days = table.day[np.maximum(found, 0)] if len(table.day) else no_end
    is_none |= eras.of("is_remitted") & (days > eras.of("end"))
    is_none |= days > eras.window_closes[eras.episode]
    return np.where(is_none, NEVER, days)
