"""What can show how a trial ended, apart from the trials themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from transforms.attempts import Spans
from transforms.encode import Coded, lookup
from transforms.eras import Days


@dataclass(frozen=True)
class Scores:
    """The scores of one scale, by person and day: `values` in the order of `days`; whose they are."""

    days: Days
    values: np.ndarray
    has_some: np.ndarray


@dataclass(frozen=True)
class Signs:
    """Scores by scale, days of ECT and TMS by person, days of admission by person and disorder.

    `scales` as listed. `same` names the treatments that are ECT or TMS themselves. `observed` names the signs the
    delivery can show.
    """

    scores: dict[str, Scores]
    scales: pl.DataFrame
    sessions: dict[str, Days]
    same: dict[str, np.ndarray]
    admissions: Days
    observed: frozenset[str]


def find_signs(coded: Coded, scales: pl.DataFrame, spans: Spans) -> Signs:
    """Collect scores, ECT and TMS days and admissions from a coded extract."""
    observed = {"switch", "add_on"} if "drug" in coded.observes else set()
    observed |= {sign for sign in ("ect", "tms") if sign in coded.observes}
    observed |= {"admission"} if coded.admissions is not None else set()
    kinds = {kind: coded.vocabulary.membership((kind,)).sure for kind in ("ect", "tms")}
    return Signs(
        scores=_scores(coded),
        scales=scales,
        sessions={kind: _sessions(coded, is_kind) for kind, is_kind in kinds.items()},
        same=kinds,
        admissions=_admissions(coded.admissions, spans.disorders),
        observed=frozenset(observed),
    )


def _scores(coded: Coded) -> dict[str, Scores]:
    if coded.scores is None:
        return {}
    parts = coded.scores.sort("scale", "person", "day").partition_by("scale", as_dict=True, maintain_order=True)
    return {scale: _scores_of(part, len(coded.persons)) for (scale,), part in parts.items()}


def _scores_of(part: pl.DataFrame, n_persons: int) -> Scores:
    person, day, value = (part[c].to_numpy() for c in ("person", "day", "value"))
    has_some = np.zeros(n_persons, dtype=bool)
    has_some[person] = True
    return Scores(Days(person, day), value, has_some)


def _sessions(coded: Coded, is_kind: np.ndarray) -> Days:
    if coded.procedures is None:
        return _none()
    mine = coded.procedures.filter(lookup(pl.Series(is_kind)))
    days = mine.select("person", "day").sort("person", "day")
    return Days(days["person"].to_numpy(), days["day"].to_numpy())


def _admissions(table: pl.DataFrame | None, disorders: tuple[str, ...]) -> Days:
    """By person and disorder; see `person_disorder`."""
    if table is None:
        return _none()
    mine = table.filter(pl.col("disorder").is_in(disorders))
    disorder = mine["disorder"].cast(pl.Enum(disorders)).to_physical().to_numpy()
    group = person_disorder(mine["person"].to_numpy(), disorder, len(disorders))
    order = np.lexsort((mine["day"].to_numpy(), group))
    return Days(group[order], mine["day"].to_numpy()[order])


def person_disorder(person: np.ndarray, disorder: np.ndarray, n_disorders: int) -> np.ndarray:
    """Person and disorder as one number."""
    return person.astype(np.int64) * n_disorders + disorder


def _none() -> Days:
    return Days(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
