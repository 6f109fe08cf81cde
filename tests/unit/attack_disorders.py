"""An attacker on definitions of one disorder and of two, who knows everything but the hidden numbers.

As `attack`, but the groups are the disorder of an episode, what the definition of that disorder alone says of it (`a`
of the first, `b` of the second), and what `c` says, which speaks about both. Every person has one episode. The attacker
has prevalence and the sentences of the pages, and takes every number of episodes in these for that of all disorders.
"""

from __future__ import annotations

import re
from itertools import product

import numpy as np
import polars as pl
from scipy.optimize import LinearConstraint

from impasse.transforms.compare.prevalence import build_prevalence
from tests.unit.attack import has_other_value

DISORDERS = ("depression", "schizophrenia")
STATES = "xonr"  # not eligible, open, not resistant, resistant
GROUPS = list(product(DISORDERS, STATES, STATES))
SPEAKS_OF = {"a": DISORDERS[:1], "b": DISORDERS[1:], "c": DISORDERS}
DENOMINATORS = {"episodes": STATES, "eligible": "onr", "persons": "onr"}
PLACES = {("all", "all"): 0, ("sex", "female"): 1, ("sex", "male"): 2}


def draw(seed: int) -> np.ndarray:
    """Invented groups by sex; of the second disorder there are few."""
    rng = np.random.default_rng(seed)
    of_first = np.array([group[0] == DISORDERS[0] for group in GROUPS])
    large = rng.integers(0, 40, (2, len(GROUPS))) * (rng.random((2, len(GROUPS))) < 0.6)
    few = rng.integers(1, 3, (2, len(GROUPS))) * (rng.random((2, len(GROUPS))) < 0.12)
    return np.where(of_first, large, few)


def weights(definition: str, states: str, disorders: tuple[str, ...]) -> np.ndarray:
    """1 for each group of these disorders of which the definition says one of these states."""
    place = 2 if definition == "c" else 1
    spoken = set(disorders) & set(SPEAKS_OF[definition])
    return np.array([float(group[0] in spoken and group[place] in states) for group in GROUPS])


def _row(place: tuple[str, str], part: np.ndarray) -> np.ndarray:
    rows = np.zeros((len(PLACES), len(GROUPS)))
    rows[PLACES[place]] = part
    return rows.ravel()


def _levels() -> list[tuple[str, str, tuple[str, str], tuple[str, ...]]]:
    """Stratum and level of a row, and where and of which disorders it counts."""
    levels = [(*place, place, DISORDERS) for place in PLACES]
    return [*levels, *(("disorder", disorder, ("all", "all"), (disorder,)) for disorder in DISORDERS)]


def _parts() -> dict[tuple[str, str, str, str], list[np.ndarray]]:
    """By key of a row of prevalence, what its total, resistant and undetermined count."""
    return {
        (name, denominator, stratum, level): [_row(place, weights(name, s, disorders)) for s in (states, "r", "o")]
        for stratum, level, place, disorders in _levels()
        for name in SPEAKS_OF
        for denominator, states in DENOMINATORS.items()
        if set(disorders) & set(SPEAKS_OF[name])
    }


def _whole(groups: np.ndarray) -> np.ndarray:
    return np.concatenate([groups.sum(axis=0), *groups])


def tables_of(groups: np.ndarray) -> dict[str, pl.DataFrame]:
    """Prevalence as computed."""
    truth = _whole(groups)
    rows = [(*key, *(int(part @ truth) for part in parts)) for key, parts in _parts().items()]
    names = ["definition_id", "denominator_id", "stratum", "level", "n_total", "n_resistant", "n_undetermined"]
    return {"prevalence": build_prevalence(pl.DataFrame(rows, schema=names, orient="row"))}


def told(groups: np.ndarray, protected: pl.DataFrame, sentences: list[str], threshold: int) -> list[str]:
    """The small counts that have only one value left, by name."""
    known = [_sums(), _published(protected), *_said(sentences)]
    truth = _whole(groups)
    return [
        name
        for name, row in _wanted()
        if 1 <= row @ truth < threshold and not has_other_value(row, int(row @ truth), known)
    ]


def _sums() -> LinearConstraint:
    """Both sexes are all."""
    n = len(GROUPS)
    return LinearConstraint(np.hstack([-np.eye(n), np.eye(n), np.eye(n)]), 0, 0)


def _published(protected: pl.DataFrame) -> LinearConstraint:
    parts = _parts()
    shown = protected.filter(~pl.col("suppressed")).rows(named=True)
    keys = [tuple(row[k] for k in ("definition_id", "denominator_id", "stratum", "level")) for row in shown]
    values = [row[k] for row in shown for k in ("n_total", "n_resistant", "n_undetermined")]
    nothing = np.zeros((0, len(PLACES) * len(GROUPS)))
    return LinearConstraint(np.vstack([nothing, *(parts[key] for key in keys)]), values, values)


def _said(sentences: list[str]) -> list[LinearConstraint]:
    """Numbers of episodes that sentences name."""
    numbers = {int(n.replace(",", "")) for text in sentences for n in re.findall(r"([\d,]*\d) episodes", text)}
    return [LinearConstraint(_row(("all", "all"), np.ones(len(GROUPS)))[None, :], n, n) for n in numbers]


def _wanted() -> list[tuple[str, np.ndarray]]:
    """How many episodes of each disorder there are, and what each definition says of them, at every level."""
    return [
        (f"{place}: {name} {states} {disorder}", _row(place, weights(name, states, (disorder,))))
        for place in PLACES
        for name, disorders in SPEAKS_OF.items()
        for disorder in disorders
        for states in (STATES, *STATES)
    ]
