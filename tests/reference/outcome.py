"""Whether a trial failed, by what evidence and when; and the state of response it ended in."""

from __future__ import annotations

from itertools import takewhile

from impasse.schemas.definition import Definition, Outcome, ScaleBand, ScaleRule
from tests.reference.basics import Row, Truth, Verdict, all_true, any_true, days_between, may_still_run, still_runs
from tests.reference.change import change_verdict, is_yet_to_be_seen, signs_shown
from tests.reference.codes import Codes, Scale
from tests.reference.scores import Measured, measured_by

LEFT_OPEN = "unfinished"  # what a scale says where a score may yet come that tells, or tells otherwise
UNKNOWN_SCORE = "unknown_score"  # and where nobody knows which score is the one that tells, and it matters
OPEN_WORDS = (LEFT_OPEN, UNKNOWN_SCORE)  # of several scales the first of these is said


def judge_outcome(
    trial: Row,
    trials: list[Row],
    person: Row,
    episode: Row,
    definition: Definition,
    codes: Codes,
    observes: frozenset[str],
) -> Row:
    """Whether the trial failed, by what evidence, and when."""
    rule = definition.outcome
    verdict: Verdict = (False if rule.early_stop == "not_failed" else None, "early_stop", None)
    if rule.early_stop == "by_evidence" or not is_surely_early_stop(trial, episode, rule):
        shown = signs_shown(definition, person, codes, observes)
        verdict = verdict_of_evidence(trial, trials, person, episode, rule, codes, shown)
        if rule.early_stop != "by_evidence" and is_early_stop(trial, episode, rule):
            verdict = if_perhaps_early_stop(verdict, rule)
    return dict(zip(("has_failed", "outcome_evidence", "failure_date"), verdict, strict=True))


def verdict_of_evidence(
    trial: Row, trials: list[Row], person: Row, episode: Row, rule: Outcome, codes: Codes, shown: frozenset[str]
) -> Verdict:
    """What the first evidence says that can tell, whenever the trial was stopped; `shown` are the signs it could show.

    None is asked after evidence that may yet tell.

    Reading: when none can tell, the treatment_change evidence still says why ("unobserved", "no_baseline").
    """
    is_running = still_runs(trial, episode)
    shown_by = [measured_by(scale.scale, trial, trials, person, episode, rule) for scale in rule.scales]
    told_by = list(zip(shown_by, rule.scales, strict=True))
    scales = [scale_verdict(measured, scale, rule, codes, is_running) for measured, scale in told_by]
    reason: Verdict = (None, "none", None)
    for kind in rule.evidence:
        if kind == "scales":
            verdict = scales_verdict(scales, rule)
            if verdict[1] == UNKNOWN_SCORE and rule.evidence == ("scales", "treatment_change"):
                lean = lean_of_scales(scales, [lean_of(measured, scale, codes) for measured, scale in told_by])
                change = change_verdict(trial, trials, person, episode, rule, codes, shown)
                if lean is not None and change[0] == lean:
                    return change
            may_yet_tell = verdict[1] in OPEN_WORDS
        else:
            change = change_verdict(trial, trials, person, episode, rule, codes, shown)
            verdict = unproved(change) if is_unjudged(scales, rule) else change
            may_yet_tell = is_yet_to_be_seen(change, trial, episode, rule)
            reason = verdict
        if verdict[0] is not None or may_yet_tell:
            return verdict
    return reason


def lean_of(measured: Measured, scale: ScaleRule | ScaleBand, codes: Codes) -> Truth:
    """What every score that may tell would say, where it may be that none tells."""
    minimum = codes.scale(scale.scale).minimum
    told = {
        (is_failure(row, measured.baseline, scale, minimum), is_response(row, measured.baseline, scale, minimum))
        for row in measured.candidates
    }
    return next(iter(told))[0] if len(told) == 1 else None


def lean_of_scales(scales: list[Verdict], leans: list[Truth]) -> Truth:
    """What all scales say together that say anything; one of which nobody knows which score tells, by its lean.

    Reading: nothing where one of these leans to nothing, or where a score may yet come.
    """
    if any(word == LEFT_OPEN for _, word, _ in scales):
        return None
    said = {lean if word == UNKNOWN_SCORE else failed for (failed, word, _), lean in zip(scales, leans, strict=True)}
    if any(word == UNKNOWN_SCORE and lean is None for (_, word, _), lean in zip(scales, leans, strict=True)):
        return None
    said.discard(None)
    return next(iter(said)) if len(said) == 1 else None


def is_unjudged(scales: list[Verdict], rule: Outcome) -> bool:
    """Whether some scale has an outcome score that it cannot judge, and the scales together cannot tell.

    Reading: a definition whose evidence names no scales does not look at scores.
    Reading: a score that may yet come, or may be the one that tells, is one that cannot be judged.
    """
    if "scales" not in rule.evidence or scales_verdict(scales, rule)[0] is not None:
        return False
    return any(failed is None and (day is not None or word in OPEN_WORDS) for failed, word, day in scales)


def unproved(change: Verdict) -> Verdict:
    """What treatment_change says beside a score that cannot be judged: that nothing followed proves nothing.

    Reading: so it is where the rest of the time was not seen and would be taken for no failure.
    """
    return (None, "no_baseline", None) if change[0] is False else change


def is_early_stop(trial: Row, episode: Row, rule: Outcome) -> bool:
    """Whether the days that are known are too few for the evidence to speak, and death did not end the trial."""
    was_kept_up = trial["is_ongoing"] and episode["has_died"]
    return trial["n_days"] < rule.early_stop_days and not was_kept_up


def is_surely_early_stop(trial: Row, episode: Row, rule: Outcome) -> bool:
    """Surely stopped before the evidence could speak: no unknown supply and no time unseen may have gone further."""
    is_open = trial["is_ongoing"] or may_still_run(trial, episode)
    return trial["n_days_at_most"] < rule.early_stop_days and not is_open


def if_perhaps_early_stop(evidence: Verdict, rule: Outcome) -> Verdict:
    """What is so whether or not the trial was stopped early.

    Reading: the word is `perhaps_early_stop` also where both the stop and the evidence say that it did not fail.
    """
    is_no_failure = rule.early_stop == "not_failed" and evidence[0] is False
    return False if is_no_failure else None, "perhaps_early_stop", None


def scales_verdict(verdicts: list[Verdict], rule: Outcome) -> Verdict:
    """What the scales say together.

    One that was left open is not passed over: of those joined as "first" it leaves what comes after it open, of
    "any_measured" all but a failure.

    Reading: why it is open is told by all scales, also of those joined as "first" by such that are not asked.
    """
    left_open = [word for word in OPEN_WORDS if word in {verdict[1] for verdict in verdicts}]
    asked = verdicts
    if rule.scales_joined == "first":
        asked = list(takewhile(lambda verdict: verdict[1] not in OPEN_WORDS, verdicts))
    failed = joined([verdict[0] for verdict in asked], rule.scales_joined)
    if rule.scales_joined == "any_measured" and left_open and not failed:
        failed = None
    if failed is None:
        return None, next(iter(left_open), "none"), None
    _, evidence, day = next(verdict for verdict in asked if verdict[0] == failed)
    if not failed:
        return False, evidence, None
    failure_dates = [verdict[2] for verdict in verdicts if verdict[0] and verdict[2]]
    if rule.scales_joined in ("any", "any_measured"):
        day = min(failure_dates)
    if rule.scales_joined == "all":
        day = max(failure_dates)
    return True, evidence, day


def joined(verdicts: list[Truth], how: str) -> Truth:
    """Several scales' verdicts as one."""
    measured = [verdict for verdict in verdicts if verdict is not None]
    if how == "any":
        return any_true(verdicts)
    if how == "all":
        return all_true(verdicts)
    if how == "any_measured":
        return any_true(measured) if measured else None
    return measured[0] if measured else None


def scale_verdict(
    measured: Measured, scale: ScaleRule | ScaleBand, rule: Outcome, codes: Codes, is_running: bool
) -> Verdict:
    """What one scale says, and the day of its outcome score.

    Where a score may yet come that matters, that is said before it is asked which of those there are tells.

    Reading: of a trial that still runs a score without a baseline is left open, too, for another may be judged.
    """
    evidence = f"{scale.scale}:{scale.fails_if}"
    score, baseline = measured.outcome, measured.baseline
    if score is None:
        word = UNKNOWN_SCORE if measured.others else evidence
        return None, LEFT_OPEN if measured.may_come else word, None
    minimum = codes.scale(scale.scale).minimum
    if is_running and not is_final(measured, scale, rule, minimum):
        return None, LEFT_OPEN, score["date"]
    if measured.is_in_doubt or not is_same_by_others(measured, scale, rule, minimum):
        return None, UNKNOWN_SCORE, score["date"]
    failed = is_failure(score, baseline, scale, minimum)
    if failed and any(is_response(row, baseline, scale, minimum) for row in measured.earlier):
        return rule.lost_response == "failed", f"{scale.scale}:response_lost", score["date"]
    return failed, evidence, score["date"]


def is_final(measured: Measured, scale: ScaleRule | ScaleBand, rule: Outcome, minimum: float) -> bool:
    """Whether what a scale says of a trial that still runs stands, whatever score may yet come.

    The first score stays the first; a response stays the best, or stays one that may be lost without failure.

    Reading: a score after treatment is judged in the same way.
    """
    return rule.score == "first" or is_response_kept(measured, scale, rule, minimum)


def is_same_by_others(measured: Measured, scale: ScaleRule | ScaleBand, rule: Outcome, minimum: float) -> bool:
    """Whether what a scale says stands, whichever of the scores tells that may.

    Reading: the others are judged by the baseline of the outcome score.
    Reading: where that cannot be judged, another might be, by a baseline of its own.
    """
    if not measured.others or is_response_kept(measured, scale, rule, minimum):
        return True
    told, *others = [
        (is_failure(row, measured.baseline, scale, minimum), is_response(row, measured.baseline, scale, minimum))
        for row in (measured.outcome, *measured.others)
    ]
    return told[0] is not None and all(other == told for other in others)


def is_response_kept(measured: Measured, scale: ScaleRule | ScaleBand, rule: Outcome, minimum: float) -> bool:
    """Whether there is a response that no other score undoes: it stays the best, or may be lost without failure."""
    if rule.score == "first" or (rule.score == "last" and rule.lost_response == "failed"):
        return False
    scores = [measured.outcome, *measured.earlier]  # of the best score none are earlier
    return any(is_response(row, measured.baseline, scale, minimum) for row in scores)


def is_failure(score: Row, baseline: Row | None, scale: ScaleRule | ScaleBand, minimum: float) -> Truth:
    """Whether a score is a failure by the rule of a scale."""
    if scale.fails_if == "score_above":
        return score["value"] > scale.value
    if baseline is None:
        return None
    fall = baseline["value"] - score["value"]
    if scale.fails_if == "points_below":
        return fall < scale.value
    room = baseline["value"] - minimum
    if room <= 0:
        return None
    if scale.fails_if == "fall_between":
        return scale.at_least * room <= fall * 100 < scale.below * room
    return fall * 100 < scale.value * room


def is_response(score: Row, baseline: Row | None, scale: ScaleRule | ScaleBand, minimum: float) -> bool:
    """Whether a score was no failure; of a band, whether it had fallen beyond it.

    Reading: the baseline need lie before the outcome score only, and not before this one.
    """
    if scale.fails_if == "fall_between":
        room = baseline["value"] - minimum if baseline else 0
        return room > 0 and (baseline["value"] - score["value"]) * 100 >= scale.below * room
    return is_failure(score, baseline, scale, minimum) is False


# --- Response ---------------------------------------------------------------------------------------------------------


def judge_response(
    trial: Row, trials: list[Row], person: Row, episode: Row, definition: Definition, codes: Codes
) -> Row:
    """The state the trial ended in, by the published rules of the first of the disorder's scales that can tell.

    Reading: of a trial that still runs it is the state as far as it was seen.
    """
    for scale in codes.scales:
        if episode["disorder"] in scale.disorders:
            response = response_on(scale, measured_by(scale.name, trial, trials, person, episode, definition.outcome))
            if response:
                return {"response": response, "response_scale": scale.name}
    return {"response": "cannot_tell", "response_scale": None}


def response_on(scale: Scale, measured: Measured) -> str | None:
    """What one scale says of the response; None where it cannot tell.

    Reading: a response is lost only where the last score surely is none, so not without the baseline it needs.
    """
    if measured.outcome is None:
        return None
    state = state_at(scale, measured.outcome, measured.baseline)
    if state == "remission" and is_held(scale, measured):
        return "recovery"
    if state in ("partial", "no_response") and is_worse(scale, measured.outcome, measured.baseline):
        return "worse"
    was_better = any(is_remission_or_response(scale, row, measured.baseline) for row in measured.earlier)
    return "lost" if was_better and state in ("partial", "no_response") else state


def is_held(scale: Scale, measured: Measured) -> bool:
    """Whether the scores on treatment right before the outcome, also in remission, began half a year before it.

    Reading: a score after treatment tells a remission that nobody saw held.
    """
    first = measured.outcome
    for row in reversed(measured.earlier):
        if row["value"] > scale.remission_max:
            break
        first = row
    return days_between(first["date"], measured.outcome["date"]) >= 182


def is_worse(scale: Scale, score: Row, baseline: Row | None) -> bool:
    """Whether the score is above the baseline by so much as the scale's rule says: by percent, points, or itself.

    Reading: the percentage is of the way from the scale's minimum to the baseline, as that of a fall.
    """
    if scale.worse_rise_percent is not None:
        rise = score["value"] - baseline["value"]
        return rise * 100 >= scale.worse_rise_percent * (baseline["value"] - scale.minimum)
    if scale.worse_rise_points is not None:
        return score["value"] - baseline["value"] >= scale.worse_rise_points
    return scale.worse_min is not None and score["value"] >= scale.worse_min


def is_remission_or_response(scale: Scale, score: Row, baseline: Row | None) -> bool:
    """Whether a score was at least a response.

    Reading: a response counts also where the scale cannot tell it from a remission (the CGI-I, and screening
    tools at their cut-off, which prove no remission of their own).
    """
    has_remitted = scale.remission_max is not None and score["value"] <= scale.remission_max
    return (has_remitted and not scale.is_screening_tool) or has_responded(scale, score, baseline) is True


def state_at(scale: Scale, score: Row, baseline: Row | None) -> str | None:
    """The state at one score; None where it cannot be told."""
    if scale.remission_max is not None and score["value"] <= scale.remission_max:
        return None if scale.is_screening_tool else "remission"  # a screening tool cannot prove remission
    responded = has_responded(scale, score, baseline)
    if responded is None:
        return None
    if responded:
        return None if scale.remission_max is None else "insufficient"
    is_partial = scale.partial_fall_percent is not None and has_fallen(
        scale, score, baseline, scale.partial_fall_percent
    )
    return "partial" if is_partial else "no_response"


def has_responded(scale: Scale, score: Row, baseline: Row | None) -> Truth:
    """Whether the score is a response: by percentage, else by points, else by the score itself."""
    if scale.response_fall_percent is not None:
        return has_fallen(scale, score, baseline, scale.response_fall_percent)
    if scale.response_fall_points is not None:
        return None if baseline is None else baseline["value"] - score["value"] >= scale.response_fall_points
    return None if scale.response_max is None else score["value"] <= scale.response_max


def has_fallen(scale: Scale, score: Row, baseline: Row | None, percent: float) -> Truth:
    """Whether the score has fallen by so much of the way to the scale's minimum, if there is a way to fall."""
    if baseline is None or baseline["value"] <= scale.minimum:
        return None
    return (baseline["value"] - score["value"]) * 100 >= percent * (baseline["value"] - scale.minimum)
