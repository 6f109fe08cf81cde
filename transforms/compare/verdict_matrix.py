"""The verdicts of a bucket as one matrix of small numbers, episodes by definitions, for everything that counts them.

An int8 matrix with a row per episode and a column per definition. Counting all definitions is then a matter of
histograms and products of columns; joining and grouping tens of millions of rows of text for each count is not.

A code holds the verdict and how far the episode was seen to come: `verdict * 8 + failed * 4 + adequate * 2 +
treated`. It is `NOT_SPOKEN_OF` where the definition does not speak about the episode's disorder. The arrays
below say what each code means: `hist @ IS_TREATED` counts the treated in a histogram of codes. A resistant
episode has come all the way: where a definition asks only that treatments were given, no trial of it need
be adequate or have failed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from impasse.schemas.definition import Definition
from impasse.schemas.tables import VERDICTS

NOT_SPOKEN_OF = -1
N_CODES = 32
NOT_ELIGIBLE, NOT_RESISTANT, UNDETERMINED, RESISTANT = range(4)
_VERDICTS = ("not_eligible", "not_resistant", "undetermined", "resistant")

VERDICT_OF = np.arange(N_CODES, dtype=np.int8) // 8
_IS_RESISTANT = VERDICT_OF == RESISTANT
IS_TREATED = (np.arange(N_CODES) % 2 == 1) | _IS_RESISTANT
IS_ADEQUATELY_TREATED = (np.arange(N_CODES) // 2 % 2 == 1) | _IS_RESISTANT
HAS_FAILED_TRIAL = (np.arange(N_CODES) // 4 % 2 == 1) | _IS_RESISTANT

_PLACE_OF = np.array([_VERDICTS.index(name) for name in VERDICTS], dtype=np.int8)


def code_of(answers: pl.DataFrame) -> np.ndarray:
    """The codes of the rows of a table with a verdict and numbers of trials, named as in schemas/tables.py."""
    failed, adequate, treated = (answers[name].to_numpy() >= 1 for name in ("n_failed_min", "n_adequate", "n_trials"))
    came = (failed * 4 + adequate * 2 + treated).astype(np.int8)
    return _PLACE_OF[answers["verdict"].to_physical().to_numpy()] * np.int8(8) + came


@dataclass(frozen=True)
class VerdictMatrix:
    """The codes of some episodes, row by row, under definitions that give verdicts, sorted by id, column by column."""

    episodes: pl.DataFrame
    definitions: tuple[Definition, ...]
    codes: np.ndarray

    @property
    def ids(self) -> list[str]:
        """The definitions' ids."""
        return [definition.id for definition in self.definitions]

    def sorted(self, *columns: str) -> VerdictMatrix:
        """The same with its episodes in another order."""
        ordered = self.episodes.with_row_index("row").sort(columns)
        return VerdictMatrix(ordered.drop("row"), self.definitions, self.codes[ordered["row"].to_numpy()])


def histogram(codes: np.ndarray) -> np.ndarray:
    """How many episodes have each code, of those the definition speaks about."""
    return np.bincount(codes[codes != NOT_SPOKEN_OF], minlength=N_CODES)
