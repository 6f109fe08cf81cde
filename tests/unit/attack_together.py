"""An attacker on several definitions of one disorder, who knows everything but the hidden numbers.

As `attack`, but the groups are what all definitions say of an episode together: eligible or not, and if so open,
not resistant or resistant, under each. The attacker has prevalence, the pairs and the overall row, knows that a
hidden level holds an episode, and may know of two definitions that one lies within the other. Of the overall
coefficients it is told more than they say: the votes and agreements they are made of.
"""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import polars as pl
from scipy.optimize import LinearConstraint

from impasse.transforms.compare.agreement import compare_overall, compare_pairs
from impasse.transforms.compare.prevalence import build_prevalence
from tests.unit.attack import STRATA, has_other_value, levels_of

NAMES = "abc"
STATES = "xonr"  # not eligible, open, not resistant, resistant
CELLS = ("n_common", "n_both_resistant", "n_only_a", "n_only_b", "n_neither")
Says = dict[str, str]  # by definition the states asked for; any where it is not named


def weights(n_definitions: int, says: Says) -> np.ndarray:
    """1 for each group in which every named definition says one of its states."""
    groups = product(STATES, repeat=n_definitions)
    asked = [says.get(name, STATES) for name in NAMES[:n_definitions]]
    return np.array([float(all(state in one for state, one in zip(group, asked, strict=True))) for group in groups])


def draw(seed: int, n_definitions: int, *, nested: bool) -> np.ndarray:
    """Invented groups by sex, age and group; of nested definitions `a` is the stricter, `b` the wider."""
    rng = np.random.default_rng(seed)
    shape = (2, 3 + seed % 2, len(STATES) ** n_definitions)
    some = 3 / shape[-1]  # few enough groups for small counts to survive the sums
    kinds = rng.choice(3, size=shape, p=(1 - 2 * some, some, some))
    groups = np.choose(kinds, [np.zeros(shape, int), rng.integers(1, 5, shape), rng.integers(5, 40, shape)])
    return groups * ~impossible(n_definitions).any(axis=0) if nested else groups


def impossible(n_definitions: int) -> np.ndarray:
    """The groups that cannot be where what `a` calls resistant `b` does too, and they are eligible together."""
    said = ({"a": "r", "b": "xon"}, {"b": "n", "a": "xor"}, {"a": "x", "b": "onr"}, {"b": "x", "a": "onr"})
    return np.array([weights(n_definitions, says) for says in said]) > 0


def tables_of(groups: np.ndarray) -> dict[str, pl.DataFrame]:
    """The tables as computed; every person has one episode, so persons repeat the eligible episodes."""
    n = _n_definitions(groups)
    levels = levels_of(groups) | {("disorder", "depression"): groups.sum(axis=(0, 1))}
    keys = ["definition_id", "denominator_id", "stratum", "level", "n_total", "n_resistant", "n_undetermined"]
    rows = [
        (name, denominator, *level, *(int(weights(n, {name: states}) @ counts) for states in (total, "r", "o")))
        for level, counts in levels.items()
        if counts.any()
        for name in NAMES[:n]
        for denominator, total in (("episodes", STATES), ("eligible", "onr"), ("persons", "onr"))
    ]
    prevalence = build_prevalence(pl.DataFrame(rows, schema=keys, orient="row"))
    whole = groups.sum(axis=(0, 1))
    pairs = [("depression", a, b, *_of_pair(n, a, b) @ whole) for a, b in combinations(NAMES[:n], 2)]
    drawn = pl.DataFrame(pairs, schema=["disorder", "definition_a", "definition_b", *CELLS], orient="row")
    return {
        "prevalence": prevalence,
        "agreement": compare_pairs(drawn.cast(dict.fromkeys(CELLS, pl.Int64))),
        "agreement_overall": compare_overall(_votes(n, whole)),
    }


def told(groups: np.ndarray, protected: dict[str, pl.DataFrame], threshold: int, *, nested: bool) -> list[str]:
    """The small counts that have only one value left, by name."""
    n, levels = _n_definitions(groups), levels_of(groups)
    places = {level: i for i, level in enumerate(levels)}
    published = _shown(places, n, protected) + _overall(places, n, protected, groups.sum(axis=(0, 1)))
    rows, values = [row for row, _ in published], [value for _, value in published]
    known = [_sums(places, n), _exists(places, n, protected)]
    if rows:
        known.append(LinearConstraint(np.array(rows), values, values))
    if nested:
        known.append(_cannot_be(places, n))
    truth = np.concatenate(list(levels.values()))
    return [
        name
        for name, row in _wanted(places, n)
        if 1 <= row @ truth < threshold and not has_other_value(row, int(row @ truth), known)
    ]


def _n_definitions(groups: np.ndarray) -> int:
    return round(np.log(groups.shape[-1]) / np.log(len(STATES)))


def _of_pair(n: int, a: str, b: str) -> np.ndarray:
    """The groups that each of `CELLS` counts."""
    asked = (("onr", "onr"), ("r", "r"), ("r", "n"), ("n", "r"), ("n", "n"))
    return np.array([weights(n, {a: says_a, b: says_b}) for says_a, says_b in asked])


def _votes(n: int, whole: np.ndarray) -> pl.DataFrame:
    groups = ["".join(group) for group in product(STATES, repeat=n)]
    drawn = pl.DataFrame({"group": groups, "n_episodes": whole})
    return drawn.select(
        "n_episodes",
        n_resistant=pl.col("group").str.count_matches("r").cast(pl.Int64),
        n_decided=pl.col("group").str.count_matches("[rn]").cast(pl.Int64),
        disorder=pl.lit("depression"),
        n_definitions=pl.lit(n, dtype=pl.Int64),
    )


def _at(places: dict, level: tuple[str, str], part: np.ndarray) -> np.ndarray:
    row = np.zeros((len(places), len(part)))
    row[places[level]] = part
    return row.ravel()


def _sums(places: dict, n: int) -> LinearConstraint:
    """The levels of a stratum add up group by group."""
    rows = [
        sum(_at(places, level, group) for level in places if level[0] == stratum) - _at(places, ("all", "all"), group)
        for stratum in STRATA
        for group in np.eye(len(STATES) ** n)
    ]
    return LinearConstraint(np.array(rows), 0, 0)


def _shown(places: dict, n: int, protected: dict[str, pl.DataFrame]) -> list[tuple[np.ndarray, int]]:
    """Published numbers of definitions and pairs, each with the groups it counts."""
    found = []
    for row in protected["prevalence"].filter(~pl.col("suppressed")).iter_rows(named=True):
        level = (row["stratum"], row["level"]) if row["stratum"] != "disorder" else ("all", "all")
        whole = STATES if row["denominator_id"] == "episodes" else "onr"
        asked = {"n_total": whole, "n_resistant": "r", "n_undetermined": "o"}
        found += [(_at(places, level, weights(n, {row["definition_id"]: s})), row[c]) for c, s in asked.items()]
    for row in protected["agreement"].filter(~pl.col("suppressed")).iter_rows(named=True):
        parts = _of_pair(n, row["definition_a"], row["definition_b"])
        found += [(_at(places, ("all", "all"), part), row[c]) for c, part in zip(CELLS, parts, strict=True)]
    return found


def _overall(
    places: dict, n: int, protected: dict[str, pl.DataFrame], whole: np.ndarray
) -> list[tuple[np.ndarray, int]]:
    """Where the overall row is shown: its numbers, and the sums that its two coefficients are made of."""
    if protected["agreement_overall"]["suppressed"].all():
        return []
    groups = ["".join(group) for group in product(STATES, repeat=n)]
    resistant = np.array([group.count("r") for group in groups])
    decided = resistant + np.array([group.count("n") for group in groups])
    differing = 2 * resistant * (decided - resistant) // np.maximum(decided - 1, 1)
    parts = [np.ones(len(groups))]
    for is_in in (decided >= 2, decided == n):
        parts += [part * is_in for part in (np.ones(len(groups)), resistant, decided, differing)]
    return [(_at(places, ("all", "all"), part), int(part @ whole)) for part in parts]


def _exists(places: dict, n: int, protected: dict[str, pl.DataFrame]) -> LinearConstraint:
    """A level that has rows has an episode, though the rows are hidden."""
    levels = protected["prevalence"].filter(pl.col("stratum") != "disorder").select("stratum", "level").unique()
    return LinearConstraint(np.array([_at(places, level, weights(n, {})) for level in levels.rows()]), 1, np.inf)


def _cannot_be(places: dict, n: int) -> LinearConstraint:
    return LinearConstraint(np.array([_at(places, level, g) for level in places for g in impossible(n)]), 0, 0)


def _wanted(places: dict, n: int) -> list[tuple[str, np.ndarray]]:
    """What each definition says and what one says and another does not, at every level; what two say, in all."""
    alone: list[Says] = [{name: state} for name in NAMES[:n] for state in STATES]
    together: list[Says] = []
    for a, b in combinations(NAMES[:n], 2):
        alone += [{own: s, other: STATES.replace(s, "")} for own, other in ((a, b), (b, a)) for s in STATES]
        together += [{a: x, b: y} for x, y in product(STATES, repeat=2)]
        together += [{own: s, other: "ox"} for own, other in ((a, b), (b, a)) for s in "rn"]
    asked = [(level, says) for level in places for says in alone] + [(("all", "all"), says) for says in together]
    return [(f"{level}: {says}", _at(places, level, weights(n, says))) for level, says in asked]
