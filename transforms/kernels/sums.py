"""Sums of groups of rows that lie in several spans."""

from __future__ import annotations

import numpy as np

from impasse.transforms.kernels.compiled import compiled


@compiled
def sums_reaching(
    borders: np.ndarray, group_of_span: np.ndarray, n_groups: int, weight: np.ndarray, value: np.ndarray,
    kind: np.ndarray, unit: np.ndarray, wanted: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Of each group the sum of its weights, of these at least and at most how much has a value that is enough, and
    whether one of its rows, whatever its weight, may have one.

    That is `wanted` times the unit of the row's kind or more. It may be enough where the value (negative) or the unit
    (NaN) is not known. `borders` are those of spans of rows, `group_of_span` the group of each.
    """
    total = np.zeros(n_groups, dtype=np.int64)
    at_least, at_most = np.zeros_like(total), np.zeros_like(total)
    is_possible = np.zeros(n_groups, dtype=np.bool_)
    for span in range(len(borders) - 1):
        group = group_of_span[span]
        for row in range(borders[span], borders[span + 1]):
            total[group] += weight[row]
            one = unit[kind[row]]
            if value[row] < 0 or np.isnan(one):
                at_most[group] += weight[row]
                is_possible[group] = True
            elif value[row] / one >= wanted:
                at_least[group] += weight[row]
                at_most[group] += weight[row]
                is_possible[group] = True
    return total, at_least, at_most, is_possible
