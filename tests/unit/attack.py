"""An attacker on one definition's published rows, who knows everything but the hidden numbers.

`draw` makes a small invented definition: persons' episodes split by sex and age into the ten groups that no
table splits further, those of the eligible once more into the episode its person is counted for and the others, its
repeats; a person's episodes are of one age. `tables_of` publishes it, `told` lists the small counts that follow from
what `protect` leaves: it knows how every number adds up from the groups, that groups are whole and not negative, and
asks an integer solver whether any other value of the count fits. A count is told when no other value fits.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.optimize import Bounds, LinearConstraint, milp

from impasse.schemas.tables import ATTRITION_STEPS
from impasse.transforms.compare.attrition import compare_attrition
from impasse.transforms.compare.prevalence import build_prevalence

# ineligible; untreated, treated, adequately treated, failed a trial, each open and not resistant; resistant
REACHED = ("u_open", "u_not", "t_open", "t_not", "a_open", "a_not", "f_open", "f_not", "resistant")
GROUPS = ("x", *REACHED, *(f"{group} again" for group in REACHED))
REACHES = {"episodes": "xutaf", "eligible": "utaf", "treated": "taf", "adequately_treated": "af", "failed_a_trial": "f"}
STRATA = ("sex", "age")


def weights(names: set[str]) -> np.ndarray:
    """1 for each of the named groups, repeats too."""
    return np.array([float(group.removesuffix(" again") in names) for group in GROUPS])


AGAIN = np.array([float(group.endswith("again")) for group in GROUPS])
RESISTANT = weights({"resistant"})
OPEN = {d: weights({f"{r}_open" for r in reached}) for d, reached in REACHES.items()}
OTHER = {d: weights({"x" if r == "x" else f"{r}_not" for r in reached}) for d, reached in REACHES.items()}
TOTAL = {d: RESISTANT + OPEN[d] + OTHER[d] for d in REACHES}
LEFT = {**TOTAL, "resistant_possible": RESISTANT + OPEN["failed_a_trial"], "resistant": RESISTANT}
PARTS = {d: (TOTAL[d], RESISTANT, OPEN[d]) for d in REACHES if d != "failed_a_trial"}
PARTS |= {"persons": tuple(part * (1 - AGAIN) for part in PARTS["eligible"])}


def draw(seed: int) -> np.ndarray:
    """Invented groups by sex, age and group: some empty, some small, some not."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice(3, size=(2 + seed % 2, 4, len(GROUPS)), p=(0.5, 0.2, 0.3))
    groups = np.choose(
        kinds, [np.zeros(kinds.shape, int), rng.integers(1, 5, kinds.shape), rng.integers(3, 30, kinds.shape)]
    )
    return np.where(AGAIN > 0, groups * (rng.random(kinds.shape) < 0.3), groups)


def levels_of(groups: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
    """The groups of every stratum and level."""
    levels = {("all", "all"): groups.sum(axis=(0, 1))}
    levels |= {("sex", str(i)): counts for i, counts in enumerate(groups.sum(axis=1))}
    return levels | {("age", str(i)): counts for i, counts in enumerate(groups.sum(axis=0))}


def tables_of(groups: np.ndarray) -> dict[str, pl.DataFrame]:
    """The tables as computed."""
    rows = [
        ("d", name, *level, *(int(part @ counts) for part in PARTS[name]))
        for level, counts in levels_of(groups).items()
        for name in PARTS
    ]
    names = ["definition_id", "denominator_id", "stratum", "level", "n_total", "n_resistant", "n_undetermined"]
    counts = groups.sum(axis=(0, 1))
    steps = [("d", i, step, int(LEFT[step] @ counts)) for i, step in enumerate(ATTRITION_STEPS, start=1)]
    left = pl.DataFrame(steps, schema=["definition_id", "step_number", "step", "n_left"], orient="row")
    return {
        "prevalence": build_prevalence(pl.DataFrame(rows, schema=names, orient="row")),
        "attrition": compare_attrition(left),
    }


def told(groups: np.ndarray, protected: dict[str, pl.DataFrame], threshold: int) -> list[str]:
    """The small counts that have only one value left, by name."""
    levels = levels_of(groups)
    places = {level: i for i, level in enumerate(levels)}
    known = [_known(places, protected), _totals(places, levels, threshold)]
    truth = np.concatenate(list(levels.values()))
    return [
        name
        for name, row in _wanted(places)
        if 1 <= row @ truth < threshold and not has_other_value(row, int(row @ truth), known)
    ]


def _at(places: dict, level: tuple[str, str], part: np.ndarray) -> np.ndarray:
    row = np.zeros(len(places) * len(GROUPS))
    start = places[level] * len(GROUPS)
    row[start : start + len(GROUPS)] = part
    return row


def _known(places: dict, protected: dict[str, pl.DataFrame]) -> LinearConstraint:
    """Published numbers, and that the levels of a stratum add up group by group."""
    rows, values = [], []
    for shown in protected["prevalence"].filter(~pl.col("suppressed")).iter_rows(named=True):
        rows += [_at(places, (shown["stratum"], shown["level"]), part) for part in PARTS[shown["denominator_id"]]]
        values += [shown[column] for column in ("n_total", "n_resistant", "n_undetermined")]
    for shown in protected["attrition"].filter(~pl.col("suppressed")).iter_rows(named=True):
        rows.append(_at(places, ("all", "all"), LEFT[shown["step"]]))
        values.append(shown["n_left"])
        if shown["n_lost"] is not None and shown["step_number"] > 1:
            before = LEFT[ATTRITION_STEPS[shown["step_number"] - 2]]
            rows.append(_at(places, ("all", "all"), before - LEFT[shown["step"]]))
            values.append(shown["n_lost"])
    for stratum in STRATA:
        for group in np.eye(len(GROUPS)):
            sums = sum(_at(places, level, group) for level in places if level[0] == stratum)
            rows.append(sums - _at(places, ("all", "all"), group))
            values.append(0)
    return LinearConstraint(np.array(rows), values, values)


def _totals(places: dict, levels: dict[tuple[str, str], np.ndarray], threshold: int) -> LinearConstraint:
    """How many episodes a level holds, from another definition, unless a level of its stratum holds few."""
    totals = {level: int(counts.sum()) for level, counts in levels.items()}
    is_told = {s: not any(1 <= n < threshold for (stratum, _), n in totals.items() if stratum == s) for s, _ in levels}
    told = [level for level in levels if is_told[level[0]]]
    rows = np.array([_at(places, level, TOTAL["episodes"]) for level in told])
    return LinearConstraint(rows, values := [totals[level] for level in told], values)


def _wanted(places: dict) -> list[tuple[str, np.ndarray]]:
    """Every count a row holds, every count between two nested denominators, and repeats, at every level."""
    between = [(a, b) for i, a in enumerate(REACHES) for b in list(REACHES)[i + 1 :]]
    parts = {"resistant": RESISTANT}
    of_persons = {"resistant": RESISTANT, "open": OPEN["eligible"], "not resistant": OTHER["eligible"]}
    parts |= {f"persons {verdict}": part * (1 - AGAIN) for verdict, part in of_persons.items()}
    parts |= {f"repeats {verdict}": part * AGAIN for verdict, part in of_persons.items()} | {"repeats": AGAIN}
    parts |= {f"{d} open": OPEN[d] for d in REACHES} | {f"{d} not resistant": OTHER[d] for d in REACHES}
    parts |= {f"{a} but not {b}, open": OPEN[a] - OPEN[b] for a, b in between}
    parts |= {f"{a} but not {b}, not resistant": OTHER[a] - OTHER[b] for a, b in between}
    return [(f"{level}: {name}", _at(places, level, part)) for level in places for name, part in parts.items()]


def has_other_value(row: np.ndarray, value: int, known: list[LinearConstraint]) -> bool:
    """Whether the count `row` of the groups could be another than `value`, after all that is known."""
    integers = {"integrality": np.ones(len(row)), "bounds": Bounds(0, np.inf)}
    for sign in (1, -1):
        found = milp(sign * row, constraints=known, **integers)
        if found.x is None or round(row @ found.x) != value:  # the truth always fits, so no solution means no bound
            return True
    return False
