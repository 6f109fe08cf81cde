"""Symptom scores of trials: the score that tells the outcome and the baseline it is compared with.

What was measured on a treatment is that treatment's. A score is of the trial begun last among those in use on its day,
and of the day on which a trial begins still of the ones before. The outcome is told by a score on treatment: from a
stated day of the trial until its last day, or until the day another drug followed it. If there is none, it is told by
the first score after the last day, within the days allowed and by the day on which a later trial began. None counts
after a remission that ended the episode.

Where nobody knows until when a treatment went on, other scores may tell: a supply of unknown length may have lasted
until a later score, and of a later trial nobody may know whether it took what was measured, because its own last day is
not known, because it may be no trial of its own, or because it may have taken the earlier one's place.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import polars as pl

from impasse.schemas.definition import Outcome
from impasse.transforms.history.evidence import Signs
from impasse.transforms.history.trials import TrialsOfRule
from impasse.transforms.kernels.compiled import compiled
from impasse.transforms.kernels.days import LONG_AGO

STILL_RUNS = "still_runs"  # beside scores: did observation end before the trial was seen to?
MAY_BE_SCORED = "may_be_scored"  # beside scores: may a first score of the trial yet be told?
MEASURED = ("value", "baseline", "room", "lowest", "day", "held", "other_lowest", "other_highest", "doubted")
_LAST, _BEST, _FIRST = range(3)
_PLACES = {"last": _LAST, "best": _BEST, "first": _FIRST}


class Windows(NamedTuple):
    """The settings that say which score is the outcome and which the baseline; rules with equal ones share them."""

    score: str
    from_day: int
    days_after_end: int
    baseline: str
    days_before: int
    days_after: int


def windows(rule: Outcome) -> Windows:
    """The windows of an outcome rule."""
    baseline = (rule.baseline, rule.baseline_days_before, rule.baseline_days_after)
    return Windows(rule.score, rule.score_from_day, rule.score_days_after_end, *baseline)


def score(given: Windows, scale: str, what: str) -> pl.Expr:
    """A column of what is measured: the `value` and the `day` of the outcome score on a scale, and the `baseline`.

    `room` is the baseline above the scale's minimum. `lowest` is the lowest score on treatment before the outcome, from
    the stated day on, where the last one on treatment is the outcome; `held` the days for which it and the scores on
    treatment right before it are at or under the scale's cut-off of remission. All are null without an outcome score,
    the baseline and the room also without a baseline. `other_lowest` and `other_highest` are the range of other scores
    that may tell instead, null if there are none; where it is `doubted` that the outcome score tells at all, the range
    of all that may, and none may, too.
    """
    return pl.col(_name(given, scale, what))


def _name(given: Windows, scale: str, what: str) -> str:
    return f"{what} {scale} {tuple(given)}"


class Measured(NamedTuple):
    """Scores in columns named as by `score` beside the episode's `disorder`, a row for each trial that has any.

    The last two rows are those of all trials without a score: of which none may yet be told, and one may. `place` is
    the row of each trial. Whether a trial still runs, and facts of trials that were asked for, stand beside the scores.
    """

    scores: pl.LazyFrame
    place: np.ndarray


def measure(
    trials: TrialsOfRule,
    given: Windows,
    scales: Iterable[str],
    asked: frozenset[str],
    signs: Signs,
    facts: dict[str, np.ndarray] | None = None,
) -> Measured:
    """The scores of trials on some scales within given windows, and facts of trials, true or false, beside them.

    Of the columns of scores there are only those asked for.
    """
    told = {scale: _look_up_once(trials, given, scale, signs) for scale in scales}
    has_some = np.zeros(len(trials.row), dtype=bool)
    for found in told.values():
        has_some[found.row] = True
    rows = np.flatnonzero(has_some)
    may_be_scored = trials.may_be_scored(given.days_after_end)
    place = len(rows) + may_be_scored.astype(np.int64)
    place[rows] = np.arange(len(rows))
    named = {
        _name(given, scale, what): (found.row, column)
        for scale, found in told.items()
        for what, column in zip(MEASURED, found[1:], strict=True)
    }
    columns = {
        name: _spread(column, place[row], len(rows) + 2) for name, (row, column) in named.items() if name in asked
    }
    spans, facts = trials.eras.spans, {STILL_RUNS: trials.still_runs} | (facts or {})
    columns["disorder"] = np.append(spans.disorder[trials.episode[rows]], (0, 0)).astype(np.uint8)
    columns[MAY_BE_SCORED] = np.append(may_be_scored[rows], (False, True))
    columns |= {name: np.append(fact[rows], (False, False)) for name, fact in facts.items()}
    frame = pl.DataFrame(columns, nan_to_null=True).lazy()
    frame = frame.with_columns(pl.col("disorder").cat.to(pl.Enum(spans.disorders)))
    return Measured(frame, place)


class _Told(NamedTuple):
    """The trials with an outcome score on a scale, or perhaps: `row` is the trial. What there is none of is NaN."""

    row: np.ndarray
    value: np.ndarray
    baseline: np.ndarray
    room: np.ndarray
    lowest: np.ndarray
    day: np.ndarray
    held: np.ndarray
    other_lowest: np.ndarray
    other_highest: np.ndarray
    doubted: np.ndarray


def _spread(values: np.ndarray, rows: np.ndarray, n: int) -> np.ndarray:
    """A column of `n` rows with values in some of them, NaN in the others."""
    column = np.full(n, np.nan)
    column[rows] = values
    return column


def _look_up_once(trials: TrialsOfRule, given: Windows, scale: str, signs: Signs) -> _Told:
    """The trials' scores on a scale within given windows, looked up once."""
    return trials.once(("measured", given, scale), lambda: _look_up(trials, given, scale, signs))


def _look_up(trials: TrialsOfRule, given: Windows, scale: str, signs: Signs) -> _Told:
    scores, spans = signs.scores.get(scale), trials.eras.spans
    if scores is None:
        nothing = np.empty(0)
        return _Told(np.empty(0, dtype=np.int64), *[nothing] * len(MEASURED))
    everyone = spans.person[trials.episode]
    row = np.flatnonzero(scores.has_some[everyone])
    of = trials.episode[row]
    # A person's scores reach to the next person's first, or to the remission that ended the episode.
    is_next = ~spans.is_remitted[of]
    first = scores.days.number_before(everyone[row], LONG_AGO)
    after = scores.days.number_before(everyone[row] + is_next, np.where(is_next, LONG_AGO, spans.end[of] + 1))
    start, last = trials.start.astype(np.int64), trials.last_day.astype(np.int64)
    anchor = start[row] if given.baseline == "trial" else spans.start[of].astype(np.int64)
    # What another drug took the place of was still in use on that day, if there was supply for it.
    in_use = last + trials.eras.was_in_hand[trials.row]
    until = np.minimum(in_use[row], trials.changes().switch[row])
    final, baseline, lowest, since = _outcome_and_baseline(
        first, after, scores.days.day, scores.values, row, trials.episode, start, last, in_use, trials.is_counted,
        until, anchor, _PLACES[given.score], given.from_day, given.days_after_end, given.days_before, given.days_after,
        signs.remission_max[scale],
    )  # fmt: skip
    day, is_told, doubt = scores.days.day, final >= 0, _doubt(trials, in_use)
    others = _other_scores(
        first, after, day, scores.values, final, is_told & (day[final] <= until), row, trials.episode, start, last,
        in_use, trials.is_counted, *doubt, _PLACES[given.score], given.from_day, given.days_after_end,
    )  # fmt: skip
    value, begun_at = (np.where(place >= 0, scores.values[place], np.nan) for place in (final, baseline))
    held = np.where(since >= 0, day[final] - day[since], np.nan)
    found = (value, begun_at, begun_at - signs.minimum[scale], lowest, np.where(is_told, day[final], np.nan), held)
    kept = is_told | ~np.isnan(others[0])
    return _Told(row[kept], *(column[kept] for column in (*found, *others)))


class _Doubt(NamedTuple):
    """For each trial whether another score may tell, and the days between which that lies.

    `perhaps_switch` is the first day on which another drug followed it, or may have, `perhaps_until` the last that may
    have been on treatment, `latest` the last day of supply at most, and `reach` that or, if later, the last day in use.
    """

    is_there: np.ndarray
    perhaps_switch: np.ndarray
    perhaps_until: np.ndarray
    latest: np.ndarray
    reach: np.ndarray
    counts_surely: np.ndarray


def _doubt(trials: TrialsOfRule, in_use: np.ndarray) -> _Doubt:
    """Of which trials nobody knows for sure which score tells."""
    changes, latest = trials.changes(), trials.last_day_at_most.astype(np.int64)
    perhaps_switch = np.minimum(np.minimum(changes.switch, changes.switch_or_add_on), changes.switch_or_nothing)
    is_open, reach = (latest > trials.last_day) | trials.counts_perhaps, np.maximum(in_use, latest)
    of_episode = np.zeros(len(trials.eras.spans.start), dtype=bool)
    of_episode[trials.episode[is_open]] = True
    return _Doubt(
        of_episode[trials.episode] | (perhaps_switch < changes.switch),
        perhaps_switch, np.minimum(reach, changes.switch), latest, reach, trials.counts_surely,
    )  # fmt: skip


@compiled
def _outcome_and_baseline(
    first: np.ndarray, after: np.ndarray, day: np.ndarray, value: np.ndarray, trials: np.ndarray, episode: np.ndarray,
    start: np.ndarray, last: np.ndarray, in_use: np.ndarray, is_counted: np.ndarray, until: np.ndarray,
    anchor: np.ndarray, which: int, from_day: int, days_after_end: int, days_before: int, days_after: int,
    cut_off: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """The score of each trial that tells its outcome, its baseline, the lowest score before it, and where a run begins.

    The run is of scores on treatment that, with the last one if that is the outcome, are all at or under a cut-off.
    -1 is no score, NaN no lowest one and no cut-off. Of the scores on treatment, until the day `until`, `which` is
    the last, best or first; without one, the first score after the last day tells. The baseline is the last score
    until the `anchor`, else the first after it, among those before the outcome. `trials` are rows of all trials, of
    which there are an `episode`, first and last day, and the last `in_use`; a person's scores are those from `first`
    until before `after`.
    """
    n = len(trials)
    final, baseline = np.full(n, -1, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    since = np.full(n, -1, dtype=np.int64)
    lowest = np.full(n, np.nan)
    for row in range(n):
        trial, soon_after = trials[row], -1
        for score in range(first[row], after[row]):
            if day[score] - start[trial] < from_day - 1 or _is_later_ones(
                day[score], trial, until[row], episode, start, last, in_use, is_counted
            ):
                continue
            if day[score] <= until[row]:
                best = final[row]
                if which == _LAST and best >= 0 and not lowest[row] <= value[best]:
                    lowest[row] = value[best]
                if best < 0 or which == _LAST or (which == _BEST and value[score] <= value[best]):
                    final[row] = score
                if which == _LAST:
                    goes_on = since[row] if since[row] >= 0 else score
                    since[row] = goes_on if value[score] <= cut_off else -1
            elif last[trial] < day[score] <= last[trial] + days_after_end and soon_after < 0:
                soon_after = score
        if final[row] < 0:
            final[row] = soon_after
        for score in range(first[row], max(final[row], first[row])):
            after_anchor = day[score] - anchor[row]
            if -days_before <= after_anchor <= 0 or (0 < after_anchor <= days_after and baseline[row] < 0):
                baseline[row] = score
    return final, baseline, lowest, since


@compiled
def _is_later_ones(
    day: int, trial: int, until: int, episode: np.ndarray, start: np.ndarray, last: np.ndarray, in_use: np.ndarray,
    is_counted: np.ndarray,
) -> bool:  # fmt: skip
    """Does what was measured on a day belong to a trial that counts and began later?

    So it does while that trial is in use, and after the last day of the one before also when it is over.
    """
    other = trial + 1
    while other < len(episode) and episode[other] == episode[trial]:
        is_over = day > max(last[trial], until) and last[other] >= last[trial]
        if is_counted[other] and start[trial] < start[other] < day and (is_over or day <= in_use[other]):
            return True
        other += 1
    return False


@compiled
def _other_scores(
    first: np.ndarray, after: np.ndarray, day: np.ndarray, value: np.ndarray, told: np.ndarray, was_on: np.ndarray,
    trials: np.ndarray, episode: np.ndarray, start: np.ndarray, last: np.ndarray, in_use: np.ndarray,
    counts: np.ndarray, is_there: np.ndarray, perhaps_switch: np.ndarray, perhaps_until: np.ndarray, latest: np.ndarray,
    reach: np.ndarray, counts_surely: np.ndarray, which: int, from_day: int, days_after_end: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """The lowest and the highest of the scores that may tell the outcome of each trial instead of the one that does.

    NaN if there is none. Where the score that tells by known days, `told` (-1: none), may not tell at all, or there is
    none, the trial is `doubted` (1, else NaN), and the two are those of all that may tell, it among them. It `was_on`
    treatment, or after it. `trials` are rows of all trials, of which there are an `episode`, first and last day, the
    last one `in_use`, and what `_Doubt` tells. A person's scores are those from `first` until before `after`.
    """
    lowest, highest, doubted = np.full((3, len(trials)), np.nan)
    for row in range(len(trials)):
        trial, outcome = trials[row], told[row]
        if not is_there[trial]:
            continue
        is_doubted, may_be_none = False, outcome < 0
        if outcome >= 0:
            at = day[outcome]
            is_followed = at > perhaps_switch[trial]
            if was_on[row]:
                is_doubted = is_followed or _is_taken(at, at, trial, episode, start, reach, counts)
            else:
                is_doubted = _is_taken(at, last[trial], trial, episode, start, latest, counts)
            is_on = at <= perhaps_until[trial] and not _is_taken(at, at, trial, episode, start, in_use, counts_surely)
            # After the last known day, but before the latest: if it was not on treatment then, any other may tell.
            may_be_none = not was_on[row] and at <= latest[trial] and (is_followed or not is_on)
            if not was_on[row]:  # was one before it on treatment, what came after treatment tells nothing
                for score in range(first[row], outcome):
                    at = day[score]
                    if at - start[trial] >= from_day - 1 and at <= perhaps_until[trial]:
                        is_doubted |= not _is_taken(at, at, trial, episode, start, in_use, counts_surely)
        is_any = is_doubted or may_be_none
        for score in range(first[row], after[row]):
            at = day[score]
            if at - start[trial] < from_day - 1 or score == outcome:
                continue
            is_on = at <= perhaps_until[trial] and not _is_taken(at, at, trial, episode, start, in_use, counts_surely)
            is_after = is_any and last[trial] < at <= latest[trial] + days_after_end
            if not is_on and is_after:
                until_then = min(latest[trial], at - 1)
                is_after = not _is_taken(at, until_then, trial, episode, start, last, counts_surely)
            if is_any and (is_on or is_after):
                is_doubted = True
            elif not is_on or is_any or not _tells_instead(score, outcome, value, was_on[row], which):
                continue
            lowest[row] = np.fmin(lowest[row], value[score])
            highest[row] = np.fmax(highest[row], value[score])
        if is_doubted:
            doubted[row] = 1
            if outcome >= 0:
                lowest[row] = np.fmin(lowest[row], value[outcome])
                highest[row] = np.fmax(highest[row], value[outcome])
    return lowest, highest, doubted


@compiled
def _tells_instead(score: int, outcome: int, value: np.ndarray, was_on: bool, which: int) -> bool:
    """Would a score, were it on treatment, tell instead of the outcome score? An outcome after treatment gives way."""
    if which == _FIRST:
        return score < outcome
    if which == _BEST:
        return value[score] < value[outcome]
    return score > outcome or not was_on


@compiled
def _is_taken(
    day: int, until: int, trial: int, episode: np.ndarray, start: np.ndarray, reach: np.ndarray, counts: np.ndarray
) -> bool:
    """Does a trial that counts, began later and reaches `until` a day take what was measured on a `day` after that?"""
    other = trial + 1
    while other < len(episode) and episode[other] == episode[trial]:
        if counts[other] and start[trial] < start[other] < day and until <= reach[other]:
            return True
        other += 1
    return False
