"""Trials -> did each fail, work, or can we not tell? With the evidence and its date.

Evidence is taken in the order the definition names: the first kind that can tell, tells. Scales compare
the trial's last score with its baseline or a cut-off; a change of treatment within the time allowed
is a register's stand-in for failure. Its absence means "worked" only if it could have been seen, and
only if it is known when the time allowed was over.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from impasse.schemas.definition import Outcome, ScaleBand, ScaleRule
from impasse.transforms.history.attempts import Attempts
from impasse.transforms.history.encode import person_disorder
from impasse.transforms.history.evidence import Signs
from impasse.transforms.history.scores import Measured, measure, windows
from impasse.transforms.history.trials import Trials
from impasse.transforms.kernels.bounds import Bounds, all_of, any_of, where
from impasse.transforms.kernels.compiled import compiled
from impasse.transforms.kernels.segments import NEVER

NOTHING, EARLY_STOP, UNOBSERVED, UNFINISHED, UNKNOWN_END, NO_CHANGE = range(6)
_NO_SIGN = -1
_PLAIN = ("none", "early_stop", "unobserved", "unfinished", "unknown_end", "no_change")


@dataclass(frozen=True)
class Judged:
    """For each trial (or attempt): has it failed, the evidence as a place in `names`, and the day of the failure.

    The day is NEVER unless it failed.
    """

    failed: Bounds
    evidence: np.ndarray
    day: np.ndarray
    names: tuple[str, ...]

    def __getitem__(self, rows: np.ndarray) -> Judged:
        return Judged(self.failed[rows], self.evidence[rows], self.day[rows], self.names)


def judge_outcome(trials: Trials, rule: Outcome, signs: Signs) -> Judged:
    """The outcome of each trial, in order."""
    names = (*_PLAIN, *(f"{s.scale}:{s.fails_if}" for s in rule.scales), *rule.change_signs)
    kinds = {
        "scales": lambda: _by_scales(trials.attempts, rule, signs, names)[trials.row],
        "treatment_change": lambda: _by_change(trials, rule, signs, names),
    }
    *before, last = rule.evidence
    told = kinds[last]()
    for kind in reversed(before):
        answer = kinds[kind]()
        tells = answer.failed.is_known
        # Where nothing can tell, the last resort, a change of treatment, says why it could not.
        reason = answer.evidence if kind == "treatment_change" else told.evidence
        told = Judged(
            where(tells, answer.failed, told.failed),
            np.where(tells, answer.evidence, np.where(told.failed.is_known, told.evidence, reason)),
            np.where(tells, answer.day, told.day),
            names,
        )
    return _stopped_early(told, trials, rule)


def _unknown(n: int, names: tuple[str, ...]) -> Judged:
    open_ = Bounds(np.zeros(n, dtype=bool), np.ones(n, dtype=bool))
    return Judged(open_, np.full(n, NOTHING, dtype=np.int8), np.full(n, NEVER), names)


def _stopped_early(told: Judged, trials: Trials, rule: Outcome) -> Judged:
    """An early stop decides first where the rule says so."""
    if rule.early_stop == "by_evidence":
        return told
    attempts, row = trials.attempts, trials.row
    stopped = (attempts.n_days < rule.early_stop_days) & ~attempts.has_unknown_supply & ~attempts.is_ongoing
    stopped = stopped[row]
    failed = Bounds(
        told.failed.sure & ~stopped,
        told.failed.possible & ~stopped if rule.early_stop == "not_failed" else told.failed.possible | stopped,
    )
    evidence, day = np.where(stopped, EARLY_STOP, told.evidence), np.where(stopped, NEVER, told.day)
    return Judged(failed, evidence, day, told.names)


# Scales


def _by_scales(attempts: Attempts, rule: Outcome, signs: Signs, names: tuple[str, ...]) -> Judged:
    """Each scale rule's verdict on each attempt, joined as the definition says."""
    key = ("scales", rule.scales, rule.scales_joined, windows(rule))
    found = attempts.once(key, lambda: _joined(attempts, rule, signs, names))
    return Judged(found.failed, found.evidence, found.day, names)


def _joined(attempts: Attempts, rule: Outcome, signs: Signs, names: tuple[str, ...]) -> Judged:
    n = len(attempts.episode)
    judged = [_by_one_scale(measure(attempts, windows(rule), s.scale, signs), s, n) for s in rule.scales]
    if not judged:
        return _unknown(n, names)
    failed, days = [one for one, _ in judged], [day for _, day in judged]
    verdict = _verdict(failed, rule.scales_joined)
    of_failed = [np.where(f.sure, day, NEVER) for f, day in judged]
    day = np.minimum.reduce(of_failed)
    if rule.scales_joined == "all":
        day = np.maximum.reduce(days)
    if rule.scales_joined == "first":
        day = np.select([f.sure for f in failed], of_failed, default=NEVER)
    decides = [f.is_known & verdict.is_known & (f.sure == verdict.sure) for f in failed]
    evidence = np.select(decides, [len(_PLAIN) + n for n in range(len(failed))], default=NOTHING)
    return Judged(verdict, evidence.astype(np.int8), np.where(verdict.sure, day, NEVER), names)


def _verdict(failed: list[Bounds], joined: str) -> Bounds:
    if joined == "all":
        return all_of(failed)
    if joined == "first":
        verdict = failed[-1]
        for f in reversed(failed[:-1]):
            verdict = where(f.is_known, f, verdict)
        return verdict
    verdict = any_of(failed)
    if joined == "any_measured":
        is_measured = np.logical_or.reduce([f.is_known for f in failed])
        return Bounds(verdict.sure, verdict.sure | ~is_measured)
    return verdict


def _by_one_scale(found: Measured, rule: ScaleRule | ScaleBand, n: int) -> tuple[Bounds, np.ndarray]:
    """Has each of the `n` attempts failed on one scale, and the day of its outcome score."""
    if isinstance(rule, ScaleBand):
        fall = found.fall * 100
        failed = (fall >= rule.at_least * found.room) & (fall < rule.below * found.room)
        is_known = found.room > 0
    elif rule.fails_if == "fall_below":
        failed, is_known = found.fall * 100 < rule.value * found.room, found.room > 0
    elif rule.fails_if == "points_below":
        failed, is_known = found.fall < rule.value, ~np.isnan(found.baseline)
    else:
        failed, is_known = found.value > rule.value, np.ones(len(found.row), dtype=bool)
    sure, possible, day = np.zeros(n, dtype=bool), np.ones(n, dtype=bool), np.full(n, NEVER)
    sure[found.row] = is_known & failed
    possible[found.row] = ~is_known | failed
    day[found.row] = found.day
    return Bounds(sure, possible), day


# Changes of treatment


def _by_change(trials: Trials, rule: Outcome, signs: Signs, names: tuple[str, ...]) -> Judged:
    """A change of treatment after the trial's start and within the time allowed."""
    attempts, row = trials.attempts, trials.row
    horizon = attempts.of("end") if rule.change_within == "episode" else attempts.last_day + rule.change_within
    horizon = horizon[row]
    came = np.array([_first_sign(trials, sign, signs) for sign in rule.change_signs], dtype=np.int64)
    absence = _without_change(trials, rule, horizon, sees_all=set(rule.change_signs) <= signs.observed)
    works = (absence == NO_CHANGE) | ((absence == UNFINISHED) & (rule.if_unfinished == "not_failed"))
    day, sign = _first_change(came.reshape(len(rule.change_signs), len(row)), horizon)
    changed = sign != _NO_SIGN
    evidence = np.where(changed, len(_PLAIN) + len(rule.scales) + sign, absence)
    return Judged(Bounds(changed, changed | ~works), evidence.astype(np.int8), day, names)


@compiled
def _first_change(came: np.ndarray, horizon: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first day, up to each trial's horizon, of a sign, and which sign it is; of signs on one day, the first named.

    `came` has a row for each sign. Without one the day is NEVER.
    """
    day = np.full(len(horizon), NEVER, dtype=np.int64)
    first = np.full(len(horizon), _NO_SIGN, dtype=np.int8)
    for sign in range(len(came)):
        for row in range(len(horizon)):
            if came[sign, row] <= horizon[row] and came[sign, row] < day[row]:
                day[row], first[row] = came[sign, row], sign
    return day, first


def _first_sign(trials: Trials, sign: str, signs: Signs) -> np.ndarray:
    """The first day of the sign after each trial's start; NEVER if there is none."""
    if sign == "switch":
        return trials.next_switch
    if sign == "add_on":
        return trials.next_add_on
    attempts = trials.attempts
    return attempts.once(("after", sign), lambda: _first_after(attempts, sign, signs))[trials.row]


def _first_after(attempts: Attempts, sign: str, signs: Signs) -> np.ndarray:
    """The first ECT, TMS or admission after each attempt; a course of the same kind is no sign against itself."""
    person, no_end = attempts.of("person"), np.full(len(attempts.episode), _LAST_DAY)
    if sign == "admission":
        table = signs.admissions
        group = person_disorder(person, attempts.of("disorder"), len(attempts.spans.disorders))
    else:
        table, group = signs.sessions[sign], person
    found = table.first_within(group, attempts.start + 1, no_end)
    is_none = found < 0
    if sign != "admission":
        is_none |= signs.same[sign][attempts.treatment]
    days = table.day[np.maximum(found, 0)] if len(table.day) else no_end
    return np.where(is_none, NEVER, days)


_LAST_DAY = 200_000  # later than any day that can be delivered


def _without_change(trials: Trials, rule: Outcome, horizon: np.ndarray, *, sees_all: bool) -> np.ndarray:
    """What it means that no change was seen: none came, or why one may have come all the same."""
    attempts, row = trials.attempts, trials.row
    if not sees_all:
        return np.full(len(row), UNOBSERVED, dtype=np.int8)
    if rule.change_within == "episode":
        return np.where(attempts.of("is_censored")[row], UNFINISHED, NO_CHANGE)
    in_time = np.where(horizon <= attempts.of("observed_until")[row], NO_CHANGE, UNFINISHED)
    return np.where(attempts.has_unknown_supply[row], UNKNOWN_END, in_time)
