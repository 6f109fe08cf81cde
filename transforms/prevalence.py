"""How many episodes, or persons, each definition calls resistant, by denominator and stratum.

In: the matrix of verdicts. Out: `count_prevalence` gives integer counts that
may be added up over buckets of persons; `rate_prevalence` turns them into the published table.

Denominators, over the disorders the definition speaks about; the first four lie within each other:
    episodes            every episode of the run; one that is not eligible counts as not resistant
    eligible            the definition speaks about the episode
    treated             eligible, and at least one trial that counts
    adequately_treated  eligible, and at least one adequate trial
    persons             persons with an eligible episode: resistant if any of them is, else undetermined if any is;
                        age and year are those of the first eligible episode. By disorder only episodes of that
                        disorder are looked at, so a person may stand under several disorders.
Every level that holds an episode has a row in every denominator, and stratum `all` has one for every
definition: a zero is said, not left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import polars as pl

from schemas.tables import KEYS, Prevalence
from transforms.intervals import share, wilson
from transforms.verdicts import (
    IS_ADEQUATELY_TREATED,
    IS_TREATED,
    N_CODES,
    NOT_ELIGIBLE,
    RESISTANT,
    UNDETERMINED,
    VERDICT_OF,
    VerdictMatrix,
)

_KEY = KEYS["prevalence"]
_COUNTS = ("n_total", "n_resistant", "n_undetermined")
_AGE_BREAKS = (18, 30, 45, 65)
_AGE_BANDS = ("0-17", "18-29", "30-44", "45-64", "65+")

_IS_ELIGIBLE = VERDICT_OF != NOT_ELIGIBLE
_MEMBERS = {
    "episodes": np.ones(N_CODES, dtype=bool),
    "eligible": _IS_ELIGIBLE,
    "treated": _IS_ELIGIBLE & IS_TREATED,
    "adequately_treated": _IS_ELIGIBLE & IS_ADEQUATELY_TREATED,
}


class _Stratum(NamedTuple):
    """Level of every episode, and the order that brings together what is one person within the stratum."""

    name: str
    levels: list[str]
    level: np.ndarray
    order: np.ndarray
    person: np.ndarray


def count_prevalence(matrix: VerdictMatrix) -> pl.DataFrame:
    """Counts by definition, denominator, stratum and level; additive over buckets of persons."""
    ordered = matrix.sorted("person_id", "start_date", "disorder", "number")
    rows: list[tuple[str | int, ...]] = []
    for disorders in dict.fromkeys(d.eligible.disorders for d in ordered.definitions):
        spoken_of = ordered.episodes["disorder"].cast(pl.String).is_in(disorders)
        strata = _strata(ordered.episodes.filter(spoken_of))
        codes = ordered.codes[spoken_of.to_numpy()]
        for i, definition in enumerate(ordered.definitions):
            if definition.eligible.disorders == disorders:
                rows += _count_definition(definition.id, codes[:, i].copy(), strata)
    schema = {**dict.fromkeys(_KEY, pl.String), **dict.fromkeys(_COUNTS, pl.Int64)}
    return pl.DataFrame(rows, schema=schema, orient="row").sort(_KEY)


def rate_prevalence(counts: pl.DataFrame) -> pl.DataFrame:
    """The published table from the counts of one or more buckets.

    A rate without a denominator is null. So is the share among the decided where all of them got the same
    verdict and the unknowns weigh more than chance (bounds wider than the interval): a register that
    cannot see a counted treatment never says "not resistant", one without scores may never say
    "resistant", and 100% or 0% of what is decided would say nothing. The bounds still do.
    """
    summed = _summed(counts)
    n_decided = pl.col("n_total") - pl.col("n_undetermined")
    low, high = wilson(summed["n_resistant"], summed["n_total"] - summed["n_undetermined"])
    is_one_sided = (pl.col("n_resistant") == n_decided) | (pl.col("n_resistant") == 0)
    width = share(pl.col("n_undetermined"), pl.col("n_total"))
    is_told = ~(is_one_sided & (width > pl.lit(high) - pl.lit(low))).fill_null(False)
    return summed.with_columns(
        prevalence=pl.when(is_told).then(share(pl.col("n_resistant"), n_decided)),
        ci_low=pl.when(is_told).then(low),
        ci_high=pl.when(is_told).then(high),
        bound_low=share(pl.col("n_resistant"), pl.col("n_total")),
        bound_high=share(pl.col("n_resistant") + pl.col("n_undetermined"), pl.col("n_total")),
        suppressed=pl.lit(False),
    ).select(*Prevalence.to_schema().columns)


def _strata(ordered: pl.DataFrame) -> list[_Stratum]:
    """The five strata of episodes that are in person and time order."""
    levels = ordered.select(
        pl.col("disorder").cast(pl.String),
        "sex",
        pl.col("age").cut(_AGE_BREAKS, labels=_AGE_BANDS, left_closed=True).cast(pl.String).fill_null("unknown"),
        all=pl.lit("all"),
        year=pl.col("start_date").dt.year().cast(pl.String),
    )
    person = ordered["person_id"].rle_id().cast(pl.Int64).to_numpy()
    strata = []
    for column in levels:
        names = column.unique().sort() if column.name != "all" else pl.Series(["all"])
        level = (column.rank("dense").cast(pl.Int64) - 1).to_numpy()  # place among the sorted names
        one = person * len(names) + level if column.name == "disorder" else person
        order = np.argsort(one, kind="stable")
        strata.append(_Stratum(column.name, names.to_list(), level, order, one))
    return strata


def _count_definition(definition_id: str, codes: np.ndarray, strata: list[_Stratum]) -> Iterator[tuple[str | int, ...]]:
    """Rows of one definition: every level it has an episode in, and the whole in any case."""
    for stratum in strata:
        by_episode = _histograms(stratum, stratum.level, codes)
        by_person = _histograms(stratum, *_persons(stratum, codes))
        for i, level in enumerate(stratum.levels):
            if by_episode[i].any() or stratum.name == "all":
                for denominator, is_member in _MEMBERS.items():
                    yield definition_id, denominator, stratum.name, level, *_counted(by_episode[i] * is_member)
                yield definition_id, "persons", stratum.name, level, *_counted(by_person[i])


def _persons(stratum: _Stratum, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Level and code of every person with an eligible episode: the first one's level, the gravest verdict."""
    is_eligible = _IS_ELIGIBLE[codes]
    places = stratum.order[is_eligible[stratum.order]]
    person = stratum.person[places]
    first = np.flatnonzero(np.diff(person, prepend=-1))
    if not len(first):
        return places, places
    gravest = np.maximum.reduceat(VERDICT_OF[codes[places]], first)  # resistant > undetermined > not resistant
    return stratum.level[places[first]], gravest * (N_CODES // 4)


def _histograms(stratum: _Stratum, level: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Levels by codes."""
    n = len(stratum.levels)
    return np.bincount(level * N_CODES + codes, minlength=n * N_CODES).reshape(n, N_CODES)


def _counted(histogram: np.ndarray) -> tuple[int, int, int]:
    resistant, undetermined = (histogram[verdict == VERDICT_OF].sum() for verdict in (RESISTANT, UNDETERMINED))
    return int(histogram.sum()), int(resistant), int(undetermined)


def _summed(counts: pl.DataFrame) -> pl.DataFrame:
    return counts.group_by(_KEY).agg(pl.col(_COUNTS).sum()).sort(_KEY)


def count_verdicts(prevalence: pl.DataFrame) -> pl.DataFrame:
    """Every verdict of every definition, from the published rows, so nothing shows here that is hidden there.

    disorder, definition_id, verdict, n, share of the disorder's episodes; null where suppressed.
    """
    rows = prevalence.filter(pl.col("stratum") == "disorder")
    counts = ("n_total", "n_resistant", "n_undetermined")
    whole = rows.filter(pl.col("denominator_id") == "episodes").select("definition_id", "level", n_episodes="n_total")
    spoken = rows.filter(pl.col("denominator_id") == "eligible").select("definition_id", "level", *counts)
    split = whole.join(spoken, on=["definition_id", "level"], how="left").select(
        "definition_id",
        "n_episodes",
        disorder="level",
        resistant="n_resistant",
        not_resistant=pl.col("n_total") - pl.col("n_resistant") - pl.col("n_undetermined"),
        undetermined="n_undetermined",
        not_eligible=pl.col("n_episodes") - pl.col("n_total"),
    )
    long = split.unpivot(index=["disorder", "definition_id", "n_episodes"], variable_name="verdict", value_name="n")
    return long.select(
        "disorder", "definition_id", "verdict", "n", share=share(pl.col("n"), pl.col("n_episodes"))
    ).sort("disorder", "definition_id", "verdict")
