"""What definitions ask of the trials of one trial rule: columns by name, so that what is asked twice is made once.

A truth is an expression over the frame of judged trials. How many trials of an episode it holds for, and since which
day, depends on the trials beside each other: compiled loops answer that, one row per episode.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from polars import col, when

from impasse.transforms.history.trials import TrialsOfRule
from impasse.transforms.history.vocabulary import Vocabulary
from impasse.transforms.kernels.counting import OWN_KIND, PERHAPS, UNKNOWN_KIND, fewest_and_most
from impasse.transforms.kernels.queries import collect_in_order
from impasse.transforms.kernels.segments import NEVER

_KEYS = {"substance": "treatment", "class": "class", "mechanism": "mechanism"}
_BOUNDS = ("fewest", "most")


class CountedTrials:
    """The judged trials of a trial rule with the truths that were asked for, in the order of their episodes."""

    def __init__(
        self, trials: TrialsOfRule, judged: pl.DataFrame, episodes: pl.DataFrame, truths: dict[str, pl.Expr],
        vocabulary: Vocabulary,
    ) -> None:  # fmt: skip
        self.trials, self._judged, self._episodes, self._vocabulary = trials, judged, episodes, vocabulary
        numbers = {name: truth.cast(pl.UInt8).fill_null(PERHAPS) for name, truth in truths.items()}
        self._truths = collect_in_order(judged.lazy().select(**numbers))
        self._kinds: dict[str, np.ndarray] = {}
        self._days: dict[str, np.ndarray] = {}
        self.episode = trials.episode.astype(np.int64, copy=False)
        self.n_episodes = len(trials.eras.spans.start)

    def truth(self, name: str) -> np.ndarray:
        """A truth of each trial: 0 no, 1 yes, 2 cannot be told."""
        return self._truths[name].to_numpy()

    def days(self, name: str) -> np.ndarray:
        """A day of each trial that was judged, NEVER where there is none."""
        if name not in self._days:
            self._days[name] = self._judged[name].fill_null(NEVER).to_numpy().astype(np.int64)
        return self._days[name]

    def of_episodes(self, fact: pl.Expr) -> pl.Series:
        """What is true of each episode, whatever its trials."""
        return self._episodes.with_columns(fact.alias("fact"))["fact"]

    def fewest_and_most(self, truth: str, distinct_by: str) -> tuple[np.ndarray, np.ndarray]:
        """For how many trials of each episode a truth holds at least and at most, by what must differ."""
        return fewest_and_most(self.n_episodes, self.episode, self.truth(truth), self.kinds(distinct_by))

    def kinds(self, distinct_by: str) -> np.ndarray:
        """What each trial is by what trials must differ by: the number of its kind, OWN_KIND or UNKNOWN_KIND."""
        if distinct_by not in self._kinds:
            self._kinds[distinct_by] = _kinds(self._vocabulary, distinct_by)[self.trials.treatment]
        return self._kinds[distinct_by]


def _kinds(vocabulary: Vocabulary, distinct_by: str) -> np.ndarray:
    """What all treatments are by what must differ."""
    if distinct_by == "none":
        return np.full(len(vocabulary.treatments), OWN_KIND)
    names = vocabulary.column(_KEYS[distinct_by]).fill_null("")
    is_known = names != ""
    if distinct_by == "substance":
        is_known = vocabulary.column("is_identified")
    return np.where(is_known.to_numpy(), names.rank("dense").cast(int).to_numpy(), UNKNOWN_KIND)


@dataclass(frozen=True)
class Asked:
    """Questions by the column of their answer: groups and truths of trials, numbers and other facts of episodes."""

    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    truths: dict[str, pl.Expr] = field(default_factory=dict)
    numbers: dict[str, tuple[str, str]] = field(default_factory=dict)
    others: dict[str, Callable[[CountedTrials], np.ndarray]] = field(default_factory=dict)
    _named: dict[bytes, str] = field(default_factory=dict)

    def is_of(self, groups: tuple[str, ...]) -> pl.Expr:
        """Is the trial's treatment in one of the groups? Null where its class alone cannot tell."""
        name = f"is of {' or '.join(groups)}"
        self.groups[name] = groups
        return col(name)

    def truth(self, expression: pl.Expr) -> str:
        """The column of a truth of each trial; equal ones share it."""
        whole = expression.meta.serialize()  # printed, two that differ may be alike
        name = self._named.setdefault(whole, f"truth {len(self._named) + 1}")
        self.truths[name] = expression
        return name

    def fewest(self, truth: str, distinct_by: str = "none") -> pl.Expr:
        """For how many trials of an episode a truth holds at least, by what must differ."""
        return col(f"fewest {self._number(truth, distinct_by)}")

    def most(self, truth: str, distinct_by: str = "none") -> pl.Expr:
        """For how many trials of an episode a truth holds at most, by what must differ."""
        return col(f"most {self._number(truth, distinct_by)}")

    def other(self, name: str, answer: Callable[[CountedTrials], np.ndarray]) -> pl.Expr:
        """Another fact of each episode, which has its own way of being made; equal names mean equal facts."""
        self.others[name] = answer
        return col(name)

    def day(self, name: str, answer: Callable[[CountedTrials], np.ndarray]) -> pl.Expr:
        """A day of each episode; where the answer is NEVER it is null."""
        day = self.other(name, answer)
        return when(day != NEVER).then(day)

    def answers(self, counted: CountedTrials) -> list[pl.Series]:
        """The columns of numbers and other facts, one row per episode."""
        answers = []
        for name, (truth, distinct_by) in self.numbers.items():
            found = counted.fewest_and_most(truth, distinct_by)
            answers += [pl.Series(f"{which} {name}", column) for which, column in zip(_BOUNDS, found, strict=True)]
        return answers + [pl.Series(name, answer(counted)) for name, answer in self.others.items()]

    def _number(self, truth: str, distinct_by: str) -> str:
        name = f"{distinct_by} of {truth}"
        self.numbers[name] = (truth, distinct_by)
        return name
