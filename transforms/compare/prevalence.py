"""How many episodes, or persons, each definition calls resistant, by denominator and stratum.

In: the matrix of verdicts. Out: `count_prevalence` gives integer counts that
may be added up over buckets of persons; `build_prevalence` turns them into the published table.

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

from typing import NamedTuple

import numpy as np
import polars as pl

from impasse.schemas.tables import KEYS, Prevalence
from impasse.transforms.compare.intervals import share, wilson
from impasse.transforms.compare.verdict_matrix import (
    IS_ADEQUATELY_TREATED,
    IS_TREATED,
    N_CODES,
    NOT_ELIGIBLE,
    NOT_SPOKEN_OF,
    RESISTANT,
    UNDETERMINED,
    VERDICT_OF,
    VerdictMatrix,
)
from impasse.transforms.kernels.compiled import compiled

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
_DENOMINATORS = (*_MEMBERS, "persons")
_N_VERDICTS = RESISTANT + 1
_CODES_OF_VERDICTS = np.flatnonzero(np.diff(VERDICT_OF, prepend=-1))  # the first of each
_WHOLE = "all"  # the stratum of everyone, and its only level


class _Strata(NamedTuple):
    """Strata in which the same episodes are one person's, with their levels numbered through.

    `stratum` and `name` are those of each level. `level` has a row for each stratum: the level of every episode.
    Episodes of a person have one number in `person` and lie together in `order`.
    """

    stratum: list[str]
    name: list[str]
    level: np.ndarray
    person: np.ndarray
    order: np.ndarray


def count_prevalence(matrix: VerdictMatrix) -> pl.DataFrame:
    """Counts by definition, denominator, stratum and level; additive over buckets of persons."""
    ordered = matrix.sorted("person_id", "start_date", "disorder", "number")
    codes = np.ascontiguousarray(ordered.codes.T)
    counts = [_count_strata(strata, codes, matrix.ids) for strata in _strata(ordered.episodes)]
    return pl.concat(counts).sort(_KEY)


def build_prevalence(counts: pl.DataFrame) -> pl.DataFrame:
    """The published table from the counts of one or more buckets.

    A rate without a denominator is null. So is the share among the decided by calendar year: later episodes were
    followed for less time, which would look like a trend. So it is where all of them got the same
    verdict and the unknowns weigh more than chance (bounds wider than the interval): a register that
    cannot see a counted treatment never says "not resistant", one without scores may never say
    "resistant", and 100% or 0% of what is decided would say nothing. The bounds still do.
    """
    summed = _summed(counts)
    n_decided = pl.col("n_total") - pl.col("n_undetermined")
    low, high = wilson(summed["n_resistant"], summed["n_total"] - summed["n_undetermined"])
    is_one_sided = (pl.col("n_resistant") == n_decided) | (pl.col("n_resistant") == 0)
    width = share(pl.col("n_undetermined"), pl.col("n_total"))
    is_told = (pl.col("stratum") != "year") & ~(is_one_sided & (width > pl.lit(high) - pl.lit(low))).fill_null(False)
    return summed.with_columns(
        prevalence=pl.when(is_told).then(share(pl.col("n_resistant"), n_decided)),
        ci_low=pl.when(is_told).then(low),
        ci_high=pl.when(is_told).then(high),
        bound_low=share(pl.col("n_resistant"), pl.col("n_total")),
        bound_high=share(pl.col("n_resistant") + pl.col("n_undetermined"), pl.col("n_total")),
        suppressed=pl.lit(False),
    ).select(*Prevalence.to_schema().columns)


def _strata(ordered: pl.DataFrame) -> tuple[_Strata, _Strata]:
    """The strata of episodes that are in person and time order: by disorder a person stands once under each."""
    levels = ordered.select(
        pl.col("sex").cast(pl.String),
        pl.col("age").cut(_AGE_BREAKS, labels=_AGE_BANDS, left_closed=True).cast(pl.String).fill_null("unknown"),
        all=pl.lit("all"),
        year=pl.col("start_date").dt.year().cast(pl.String),
    )
    disorder = ordered.select(pl.col("disorder").cast(pl.String))
    person = ordered["person_id"].rle_id().cast(pl.Int64).to_numpy()
    place = _places(disorder["disorder"])[1]
    return _numbered(levels, person), _numbered(disorder, person * (int(place.max(initial=0)) + 1) + place)


def _numbered(levels: pl.DataFrame, person: np.ndarray) -> _Strata:
    """The strata of the columns."""
    strata: list[str] = []
    names: list[str] = []
    numbers: list[np.ndarray] = []
    for column in levels:
        met, place = _places(column)
        numbers.append(place + len(names))
        strata += [column.name] * len(met)
        names += met
    return _Strata(strata, names, np.array(numbers), np.array(person), np.argsort(person, kind="stable"))


def _places(column: pl.Series) -> tuple[list[str], np.ndarray]:
    """The levels met in a column and the place of each row's among them; everyone is a level even of nobody."""
    met = column.unique().to_list() if column.name != _WHOLE else [_WHOLE]
    return met, column.cast(pl.Enum(met)).to_physical().cast(pl.Int64).to_numpy()


def _count_strata(strata: _Strata, codes: np.ndarray, ids: list[str]) -> pl.DataFrame:
    """Rows of each definition, which are those of `codes`: every level it has an episode in, and the whole anyway."""
    by_code, persons = _histograms(codes, strata.level, strata.person, strata.order, len(strata.name))
    stratum, level = (pl.Series(names, dtype=pl.String) for names in (strata.stratum, strata.name))
    definition, place = np.nonzero(by_code.any(axis=2) | (stratum == _WHOLE).to_numpy())
    episodes = [np.add.reduceat(by_code * is_in, _CODES_OF_VERDICTS, axis=2) for is_in in _MEMBERS.values()]
    verdicts = np.stack([*episodes, persons], axis=2)[definition, place].reshape(-1, _N_VERDICTS)
    n = len(_DENOMINATORS)
    return pl.DataFrame(
        {
            "definition_id": pl.Series(ids, dtype=pl.String).gather(np.repeat(definition, n)),
            "denominator_id": pl.Series(_DENOMINATORS * len(definition), dtype=pl.String),
            "stratum": stratum.gather(np.repeat(place, n)),
            "level": level.gather(np.repeat(place, n)),
            "n_total": verdicts.sum(axis=1),
            "n_resistant": verdicts[:, RESISTANT],
            "n_undetermined": verdicts[:, UNDETERMINED],
        }
    )


@compiled
def _histograms(
    codes: np.ndarray, level: np.ndarray, person: np.ndarray, order: np.ndarray, n_levels: int
) -> tuple[np.ndarray, np.ndarray]:
    """For each definition and level how many episodes have each code, and how many persons each verdict.

    `codes` has a row for each definition and `level` one for each stratum; `order` brings a person's episodes
    together. A person with eligible ones stands under the levels of the first, with the gravest verdict of all:
    resistant, else undetermined, else not resistant.
    """
    episodes = np.zeros((len(codes), n_levels, N_CODES), dtype=np.int64)
    persons = np.zeros((len(codes), n_levels, _N_VERDICTS), dtype=np.int64)
    for definition in range(len(codes)):
        met, first, gravest = -1, -1, NOT_ELIGIBLE
        for row in order:
            code = codes[definition, row]
            if code == NOT_SPOKEN_OF:
                continue
            for of_stratum in level:
                episodes[definition, of_stratum[row], code] += 1
            if person[row] != met:
                met, gravest = person[row], NOT_ELIGIBLE
            verdict = VERDICT_OF[code]
            if verdict > gravest:
                if gravest == NOT_ELIGIBLE:
                    first = row
                for of_stratum in level:
                    if gravest != NOT_ELIGIBLE:  # a milder verdict no longer holds
                        persons[definition, of_stratum[first], gravest] -= 1
                    persons[definition, of_stratum[first], verdict] += 1
                gravest = verdict
    return episodes, persons


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
