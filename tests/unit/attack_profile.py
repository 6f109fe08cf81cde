"""An attacker on the profiles of several definitions, who knows everything but the exact numbers.

As `attack`, but the groups are which definitions call an episode resistant, what became of it, whether an option
was never tried, and what may explain it. The attacker has the rounded rows, and from other tables how many
episodes each definition calls resistant and how many any two share.
"""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import polars as pl
from scipy.optimize import LinearConstraint

from tests.unit.attack import has_other_value

NAMES = "abc"
BECAME = ("remitted", "ended", "died")
CAUSES = ("", "alcohol", "depression", "short_duration", "alcohol short_duration")
LIKELY = {causes: "likely" if "alcohol" in causes else "possible" if causes else "none" for causes in CAUSES}
Part = tuple[str, str, str]  # definition, characteristic, level


def groups_of(n: int) -> list[tuple[str, str, bool, str]]:
    """Resistant under which definitions, became what, untried, and the causes."""
    under = ["".join(names) for size in range(1, n + 1) for names in combinations(NAMES[:n], size)]
    return list(product(under, BECAME, (True, False), CAUSES))


def draw(seed: int, n: int, *, nested: bool) -> np.ndarray:
    """Invented groups; what two definitions share, and what one has beyond the other, is none or not few."""
    rng = np.random.default_rng(seed)
    groups = groups_of(n)
    some = min(0.35, 8 / len(groups))
    counts = rng.choice(
        (0, 1, 2, 3, 6, 17), size=len(groups), p=(1 - some, *(some * p for p in (0.2, 0.35, 0.2, 0.15, 0.1)))
    )
    for under in dict.fromkeys(group[0] for group in groups):
        mine = np.array([group[0] == under for group in groups])
        counts[mine] *= not (nested and under in ("a", "ac"))  # all of `a` is in `b`
        if 0 < counts[mine].sum() < 5:
            counts[np.flatnonzero(mine & (counts > 0))[0]] += 5
    return counts


def has(group: tuple[str, str, bool, str], part: Part) -> bool:
    """Whether the episodes of a group are counted by a row."""
    under, became, untried, causes = group
    definition, characteristic, level = part
    return (
        definition in under
        and {
            "afterwards": became == level,
            "untried": untried,
            "cause": level in causes.split(),
            "pseudo_resistance": LIKELY[causes] == level,
        }[characteristic]
    )


def parts_of(n: int) -> list[Part]:
    """Every row of the table."""
    levels = [("afterwards", level) for level in BECAME] + [("untried", "ect")]
    levels += [("cause", "alcohol"), ("cause", "depression"), ("cause", "short_duration")]
    levels += [("pseudo_resistance", level) for level in ("none", "possible", "likely")]
    return [(name, *level) for name in NAMES[:n] for level in levels]


def weights(n: int, wanted: object) -> np.ndarray:
    """1 for each group that `wanted` holds for."""
    return np.array([float(wanted(group)) for group in groups_of(n)])


def profile_of(counts: np.ndarray, n: int) -> pl.DataFrame:
    """The table as counted."""
    rows = [
        (*part, int(weights(n, lambda g, p=part: has(g, p)) @ counts), _total(counts, n, part[0]), False)
        for part in parts_of(n)
    ]
    names = ["definition_id", "characteristic", "level", "n", "n_of", "suppressed"]
    return pl.DataFrame(rows, schema=names, orient="row")


def shared_of(counts: np.ndarray, n: int) -> pl.DataFrame:
    """How many resistant episodes two definitions have in common."""
    rows = [
        (a, b, int(weights(n, lambda g, a=a, b=b: a in g[0] and b in g[0]) @ counts))
        for a, b in combinations(NAMES[:n], 2)
    ]
    return pl.DataFrame(rows, schema=["definition_a", "definition_b", "n_both"], orient="row")


def _total(counts: np.ndarray, n: int, name: str) -> int:
    return int(weights(n, lambda g: name in g[0]) @ counts)


def told(counts: np.ndarray, n: int, published: pl.DataFrame, base: int) -> list[str]:
    """The small counts that have only one value left, by name."""
    known = [_exact(counts, n), *_rounded(n, published, base)]
    return [
        name
        for name, row in _wanted(n)
        if 1 <= row @ counts < base and not has_other_value(row, int(row @ counts), known)
    ]


def _exact(counts: np.ndarray, n: int) -> LinearConstraint:
    """How many episodes each definition calls resistant, and how many any two share."""
    rows = [weights(n, lambda g, d=d: d in g[0]) for d in NAMES[:n]]
    rows += [weights(n, lambda g, a=a, b=b: a in g[0] and b in g[0]) for a, b in combinations(NAMES[:n], 2)]
    matrix = np.array(rows)
    return LinearConstraint(matrix, matrix @ counts, matrix @ counts)


def _rounded(n: int, published: pl.DataFrame, base: int) -> list[LinearConstraint]:
    """Every number lies within its rounding."""
    shown = published.filter(~pl.col("suppressed")).select("definition_id", "characteristic", "level", "n").rows()
    if not shown:
        return []
    rows = np.array([weights(n, lambda g, p=part: has(g, p)) for *part, _ in shown])
    values = np.array([value for *_, value in shown])
    return [LinearConstraint(rows, values - base // 2, values + (base - 1) // 2)]


def _wanted(n: int) -> list[tuple[str, np.ndarray]]:
    """Each row and the rest of its definition; and of two definitions what both have, and what one has alone."""
    parts = parts_of(n)
    asked = [(f"{p}", weights(n, lambda g, p=p: has(g, p))) for p in parts]
    asked += [(f"not {p}", weights(n, lambda g, p=p: p[0] in g[0] and not has(g, p))) for p in parts]
    for p, other in product(parts, NAMES[:n]):
        if other != p[0]:
            asked.append((f"{p} and {other}", weights(n, lambda g, p=p, o=other: has(g, p) and o in g[0])))
            asked.append((f"{p} not {other}", weights(n, lambda g, p=p, o=other: has(g, p) and o not in g[0])))
    return asked
