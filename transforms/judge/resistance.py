"""Judged trials -> how many failures of which kind: the verdict on each episode, its date, what decided it.

At least n is true when the lower bound of a count reaches n, false when the upper does not, else unknown.
The same rule asked of wider and wider sets of trials tells which block settled the verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import NamedTuple

import numpy as np
import polars as pl

from impasse.schemas.codelists import CodeLists
from impasse.schemas.definition import BLOCKS, Counted, Definition, Scored
from impasse.schemas.tables import PSEUDO_RESISTANCE, VERDICTS
from impasse.transforms.history.encode import Coded, dated, decode
from impasse.transforms.judge.causes import CAUSES_BY_REASON, Causes, judge_causes
from impasse.transforms.judge.certainty import ADEQUATE, FAILED, SURELY_ADEQUATE, SURELY_FAILED, SURELY_TRIED, TRIED
from impasse.transforms.judge.counts import Alternatives, Tried
from impasse.transforms.judge.points import Points, halves
from impasse.transforms.kernels.bounds import Bounds
from impasse.transforms.kernels.compiled import compiled
from impasse.transforms.kernels.segments import NEVER

_RESISTANT, _NOT_RESISTANT, _UNDETERMINED, _NOT_ELIGIBLE = range(len(VERDICTS))
_ELIGIBLE, _TRIAL, _ADEQUACY, _OUTCOME, _RESISTANCE = range(len(BLOCKS))


@dataclass(frozen=True)
class Facts:
    """What a verdict or a stage is judged from."""

    definition: Definition
    eligible: Bounds
    tried: Tried
    causes: Causes
    coded: Coded
    codes: CodeLists


@dataclass(frozen=True)
class Verdicts:
    """One row per episode, in order.

    `verdict`, `decided_by` and `pseudo_resistance` are places in VERDICTS, BLOCKS and PSEUDO_RESISTANCE; `causes` is a
    place in all words of the causes. `resistant_day` is NEVER unless resistant. `n_failed_max` is None where there is
    no upper bound, the scores where the rule gives none; a score is NaN where an episode has none.
    """

    verdict: np.ndarray
    decided_by: np.ndarray
    resistant_day: np.ndarray
    n_trials: np.ndarray
    n_adequate: np.ndarray
    n_failed_min: np.ndarray
    n_failed_max: np.ndarray | None
    score_min: np.ndarray | None
    score_max: np.ndarray | None
    pseudo_resistance: np.ndarray
    causes: np.ndarray

    @property
    def is_resistant(self) -> np.ndarray:
        """Is each episode resistant?"""
        return self.verdict == _RESISTANT


def frame_of(made: Sequence[Verdicts], cause_words: Sequence[str]) -> pl.DataFrame:
    """The verdicts of one definition after the other, in columns named as in schemas/tables.py."""

    def column(name: str) -> np.ndarray:
        return np.concatenate([getattr(verdicts, name) for verdicts in made])

    def column_or_blank(name: str, kind: type[pl.DataType]) -> pl.Series:
        def of(verdicts: Verdicts) -> pl.Series:
            part = getattr(verdicts, name)
            if part is None:
                return pl.repeat(None, len(verdicts.verdict), dtype=kind, eager=True)
            return pl.Series(part, dtype=kind, nan_to_null=True)

        return pl.concat(of(verdicts) for verdicts in made)

    places = {"verdict": VERDICTS, "decided_by": BLOCKS, "pseudo_resistance": PSEUDO_RESISTANCE, "causes": cause_words}
    may_be_blank = {"n_failed_max": pl.Int32, "score_min": pl.Float64, "score_max": pl.Float64}
    return pl.DataFrame(
        {name: decode(column(name), names) for name, names in places.items()}
        | {name: column(name) for name in ("n_trials", "n_adequate", "n_failed_min")}
        | {name: column_or_blank(name, kind) for name, kind in may_be_blank.items()}
        | {"resistant_date": dated(column("resistant_day"))}
    )


def judge_verdict(facts: Facts) -> np.ndarray:
    """The verdict on each episode, as a place in VERDICTS."""
    return _verdict(facts, *_is_met(_judge_of(facts)))


def judge_resistance(facts: Facts) -> Verdicts:
    """The verdict on each episode, and all that is told with it."""
    judge = _judge_of(facts)
    met, possible = _is_met(judge)
    verdict = _verdict(facts, met, possible)
    is_resistant = verdict == _RESISTANT
    tallies = _tallies(facts.tried, facts.definition.counted_groups)
    pseudo_resistance, causes = judge_causes(facts.causes, tallies.causes)
    score_min, score_max = judge.scores()
    return Verdicts(
        verdict=verdict,
        decided_by=_decided_by(judge, facts.eligible.sure & ~_is_spared(facts, possible), met, possible),
        resistant_day=np.where(is_resistant, judge.dates(is_resistant), NEVER).astype(np.int32),
        n_trials=tallies.n_trials,
        n_adequate=tallies.n_adequate,
        n_failed_min=tallies.n_failed_min,
        n_failed_max=None if judge.blind else tallies.n_failed_max,
        score_min=score_min,
        score_max=score_max,
        pseudo_resistance=pseudo_resistance,
        causes=causes,
    )


def _judge_of(facts: Facts) -> _ByCount | _ByScore:
    rule = facts.definition.resistance
    return _ByScore(rule, facts) if isinstance(rule, Scored) else _ByCount(rule, facts)


def _is_met(judge: _ByCount | _ByScore) -> tuple[np.ndarray, np.ndarray]:
    """Is the rule surely met, and is it possibly?"""
    return judge.met(SURELY_FAILED), judge.met(FAILED, open_ended=True)


def _verdict(facts: Facts, met: np.ndarray, possible: np.ndarray) -> np.ndarray:
    return _verdicts(facts.eligible.sure, facts.eligible.possible, _is_spared(facts, possible), met, possible)


@compiled
def _verdicts(
    is_eligible: np.ndarray, may_be_eligible: np.ndarray, is_spared: np.ndarray, met: np.ndarray, possible: np.ndarray
) -> np.ndarray:
    """The verdict on each episode, by whether the rule is met and whether it is possibly."""
    verdict = np.empty(len(met), dtype=np.int8)
    for episode in range(len(met)):
        if not may_be_eligible[episode]:
            verdict[episode] = _NOT_ELIGIBLE
        elif not is_eligible[episode]:
            verdict[episode] = _UNDETERMINED
        elif is_spared[episode]:
            verdict[episode] = _NOT_RESISTANT
        elif met[episode]:
            verdict[episode] = _RESISTANT
        else:
            verdict[episode] = _UNDETERMINED if possible[episode] else _NOT_RESISTANT
    return verdict


def _is_spared(facts: Facts, possible: np.ndarray) -> np.ndarray:
    """Does a diagnosed cause speak against resistance that would be possible, and does the definition ask?"""
    if facts.definition.eligible.pseudo_resistance != "after":
        return np.zeros(len(possible), dtype=bool)
    return facts.causes.is_diagnosed & possible


def _decided_by(judge: _ByCount | _ByScore, is_judged: np.ndarray, met: np.ndarray, possible: np.ndarray) -> np.ndarray:
    """The block that settled each verdict, or left it open."""
    stages = (TRIED, ADEQUATE, FAILED, SURELY_TRIED, SURELY_ADEQUATE)
    return _blocks(is_judged, met, possible, judge.met(TRIED, distinct=False), *(judge.met(n) for n in stages))


@compiled
def _blocks(
    is_judged: np.ndarray, met: np.ndarray, possible: np.ndarray, by_tried_alike: np.ndarray, by_tried: np.ndarray,
    by_adequate: np.ndarray, by_failed: np.ndarray, by_surely_tried: np.ndarray, by_surely_adequate: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """The block by which each verdict came about, by whether the rule would be met by wider and wider sets of trials.

    `by_tried_alike` are those tried where none need be different from another.
    """
    block = np.empty(len(met), dtype=np.int8)
    for episode in range(len(met)):
        if not is_judged[episode]:
            block[episode] = _ELIGIBLE
        elif met[episode]:
            block[episode] = _RESISTANCE
        elif possible[episode]:  # left open by
            if not by_failed[episode] or not by_surely_tried[episode]:
                block[episode] = _TRIAL
            else:
                block[episode] = _OUTCOME if by_surely_adequate[episode] else _ADEQUACY
        elif not by_tried_alike[episode]:  # stopped by
            block[episode] = _TRIAL
        elif not by_tried[episode]:
            block[episode] = _RESISTANCE
        else:
            block[episode] = _OUTCOME if by_adequate[episode] else _ADEQUACY
    return block


class _Tallies(NamedTuple):
    """Per episode: trials tried, adequate and failed, and which causes of pseudo-resistance they show."""

    n_trials: np.ndarray
    n_adequate: np.ndarray
    n_failed_min: np.ndarray
    n_failed_max: np.ndarray
    causes: np.ndarray


def _tallies(tried: Tried, groups: frozenset[str]) -> _Tallies:
    sets = tried.counted(tuple(sorted(groups)), "failed")
    causes = CAUSES_BY_REASON[tried.adequacy.place_of_reason.to_numpy()]
    return _Tallies(*_sums_of_trials(tried.trials.episode, sets, tried.adequate.sure, causes, tried.n_episodes))


@compiled
def _sums_of_trials(
    episode: np.ndarray, sets: np.ndarray, is_adequate: np.ndarray, causes: np.ndarray, n_episodes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """How many trials of each episode are in which sets of stages.py, and the causes that some of those tried shows."""
    n_trials = np.zeros(n_episodes, dtype=np.int32)
    n_adequate, n_failed_min, n_failed_max = np.zeros_like(n_trials), np.zeros_like(n_trials), np.zeros_like(n_trials)
    shown = np.zeros(n_episodes, dtype=np.int64)
    for trial in range(len(episode)):
        of, is_in = episode[trial], sets[trial]
        if is_in >> TRIED & 1:
            n_trials[of] += 1
            n_adequate[of] += is_adequate[trial]
            shown[of] |= causes[trial]
        n_failed_min[of] += is_in >> SURELY_FAILED & 1
        n_failed_max[of] += is_in >> FAILED & 1
    return n_trials, n_adequate, n_failed_min, n_failed_max, shown


class _ByCount:
    """Any alternative suffices; an alternative needs all its counts."""

    def __init__(self, rule: Counted, facts: Facts) -> None:
        self.alternatives = Alternatives(list(rule.any_of), facts.tried, facts.coded.observes, facts.codes)
        self.blind = self.alternatives.blind
        self.dates = self.alternatives.dates

    def met(self, stage: int, *, distinct: bool = True, open_ended: bool = False) -> np.ndarray:
        """Is the rule met by a stage's trials?"""
        places = range(len(self.alternatives.alternatives))
        return reduce(or_, [self.alternatives.met(n, stage, distinct=distinct, open_ended=open_ended) for n in places])

    def scores(self) -> tuple[None, None]:
        """Counts have no score."""
        return None, None


class _ByScore:
    """Points add up to a score that must reach the threshold."""

    def __init__(self, rule: Scored, facts: Facts) -> None:
        self.points, self.threshold = Points(rule, facts.tried, facts.coded, facts.codes), rule.threshold
        self.blind = self.points.blind
        self.scores = self.points.bounds

    def met(self, stage: int, *, distinct: bool = True, open_ended: bool = False) -> np.ndarray:
        """Does the score of a stage's trials reach the threshold? A score is the same, distinct or not."""
        enough = self.points.total(stage, open_ended=open_ended) >= halves(self.threshold)
        return self.points.has_score(stage, open_ended=open_ended) & enough

    def dates(self, wanted: np.ndarray) -> np.ndarray:
        """The day the running score reached the threshold in each episode wanted."""
        return self.points.dates(self.threshold, wanted)
