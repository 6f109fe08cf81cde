"""The trials of one episode in plain text: drawn as bars, and how each was judged."""

from __future__ import annotations

from datetime import date

from impasse.reports.words.names import scale_name, words
from impasse.reports.words.numbers import number, plural
from impasse.reports.words.wrapping import wrapped
from impasse.schemas.definition import Definition, DrugAdequacy, SessionAdequacy
from impasse.schemas.values import Row

_LABEL = 22
_EVIDENCE = {
    "early_stop": "it stopped early",
    "perhaps_early_stop": "it may have stopped early",
    "switch": "a switch to another drug",
    "add_on": "another drug or course added",
    "switch_or_add_on": "another drug, in its place or added",
    "ect": "ECT",
    "tms": "TMS",
    "admission": "an admission",
    "no_change": "no change of treatment followed",
    "unknown_end": "its last day is not known, so nor is whether a change came in time",
    "unknown_overlap": "another drug was begun, and it is not known whether in its place or added",
    "unknown_score": "its last day, or whose a score is, is not known, so nor is which score tells",
    "unfinished": "observation ended before it was known how it went",
    "unobserved": "a sign of change is not observed here",
    "no_baseline": "a score was measured that cannot be judged, so that no change followed proves nothing",
    "none": "no evidence",
}
_SCALE_FAILS = {
    "fall_below": "the fall in",
    "points_below": "the fall in points on",
    "fall_between": "the fall in",
    "score_above": "the score on",
    "response_lost": "a response that was lost, by",
}
_RESPONSES = {
    "recovery": "recovery (a remission that was held)",
    "remission": "remission",
    "insufficient": "response without remission",
    "worse": "worse than at the baseline",
    "lost": "response that was lost",
    "partial": "partial response",
    "no_response": "no response",
}


def draw_trials(episode: Row, rule: str, group: list[Definition], trials: list[Row], width: int) -> list[str]:
    """The trials of a trial rule as bars, each with its facts."""
    names = ", ".join(d.id for d in group)
    head = wrapped(f"TRIALS under rule {rule} ({names})", width, hang=2)
    if not trials:
        return [*head, "  No trial in this episode."]
    return [*head, *_timeline(episode, trials, width), *[line for t in trials for line in _trial(t, width)]]


def _timeline(episode: Row, trials: list[Row], width: int) -> list[str]:
    """The episode and its trials as bars on one axis; every bar is at least one character long."""
    first = min([episode["start_date"], *[t["start_date"] for t in trials]])
    last = max([episode["end_date"], *[t["end_date"] for t in trials]])
    room = width - _LABEL
    bars = [_bar("episode", episode["start_date"], episode["end_date"], "-", first, last, room)]
    bars += [
        _bar(_name(t), t["start_date"], t["end_date"], "~" if t["is_counted"] is False else "=", first, last, room)
        for t in trials
    ]
    axis = f"{'':{_LABEL}}{first}{last!s:>{room - 10}}" if room >= 22 else f"{'':{_LABEL}}{first}"
    return [axis, *bars]


def _bar(label: str, start: date, end: date, mark: str, first: date, last: date, room: int) -> str:
    days = max((last - first).days, 1)
    left = (start - first).days * (room - 1) // days
    right = max((end - first).days * (room - 1) // days, left)
    shown = "".join(character if character.isprintable() else "?" for character in label)
    return f"{shown[: _LABEL - 2]:<{_LABEL}}{' ' * left}{mark * (right - left + 1)}"


def _name(trial: Row) -> str:
    return f"{trial['number']}. {trial['name']}"


def _trial(trial: Row, width: int) -> list[str]:
    dose = None if trial["dose_mg"] is None else f"{number(round(trial['dose_mg'], 1))} mg a day"
    covered = [f"{plural(trial['days_covered'], 'day')} covered", dose or "dose not known", _days_covered(trial)]
    is_open, is_dated = trial["has_unknown_supply"], bool(trial["days_covered"] or trial["n_sessions"])
    if trial["n_sessions"] is not None:
        given = [plural(trial["n_sessions"], "session")]
    else:
        given = covered if is_dated or not is_open else [dose or "dose not known"]
    marks = {
        "supply partly unknown": is_open and is_dated,
        "supply unknown": is_open and not is_dated,
        "still going on when observation ended": trial["is_ongoing"],
        "not counted by itself": trial["is_counted"] is False,
        "not counted by itself if it was added to the one before": trial["is_counted"] is None,
    }
    given += [plural(trial["n_add_ons"], "add-on")] if trial["n_add_ons"] else []
    given += [text for text, holds in marks.items() if holds]
    days = f"{'at least ' * is_open}{plural(trial['n_days'], 'day')}"
    when = (
        f"{trial['start_date']} to {trial['end_date']}, {days}"
        if is_dated or not is_open
        else f"from {trial['start_date']}"
    )
    kind = ", ".join([trial["treatment"]] * (trial["name"] != words(trial["treatment"])) + [trial["role"]])
    kind += f", {words(trial['treatment_class'] or trial['modality'])}"
    return wrapped(f"{_name(trial)} ({kind}): {when}; {'; '.join(given)}.", width, indent=2, hang=3)


def _days_covered(trial: Row) -> str:
    share = "not known" if trial["adherence"] is None else f"{100 * trial['adherence']:.0f}%"
    return f"proportion of days covered {share}"


def list_judgements(trials: list[Row], judged: dict[int, Row], alike: list[Definition], width: int) -> list[str]:
    """Of each trial whether it was adequate and failed, under definitions that judge alike."""
    if not trials:
        return wrapped(f"VERDICTS ({', '.join(d.id for d in alike)})", width, hang=2)
    head = wrapped(f"JUDGED for {', '.join(d.id for d in alike)}", width, hang=2)
    lines = [f"{_name(t)}: {_judgement(t, judged.get(t['number']), alike[0])}." for t in trials]
    return [*head, *[part for line in lines for part in wrapped(line, width, indent=2, hang=3)]]


def _judgement(trial: Row, judged: Row | None, definition: Definition) -> str:
    if judged is None:
        return "not judged"
    return "; ".join([_adequate(trial, judged, definition), _failed(judged), *_response(judged)])


def _response(judged: Row) -> list[str]:
    """The state the trial ended in, where a scale can tell, whatever the definition calls failure."""
    if judged["response"] not in _RESPONSES:
        return []
    return [f"{_RESPONSES[judged['response']]} on {scale_name(judged['response_scale'])}"]


def _adequate(trial: Row, judged: Row, definition: Definition) -> str:
    reason = judged["adequacy_reason"]
    if reason == "adequate":
        return "adequate"
    sure = "cannot tell if adequate" if judged["is_adequate"] is None else "not adequate"
    return f"{sure}: {why_not_adequate(reason, trial, definition)}"


def why_not_adequate(reason: str, trial: Row, definition: Definition) -> str:
    """Why a trial is not adequate, or cannot be told to be."""
    rule: DrugAdequacy | SessionAdequacy = getattr(definition.adequacy, trial["modality"])
    texts = {
        "too_short": f"too short ({trial['n_days']} of {rule.min_days} days)",
        "underdosed": f"too few of its days at a sufficient dose ({rule.min_days} needed)",
        "low_adherence": "proportion of days covered too low",
        "dose_unknown": "the dose, or what it is compared with, is not known",
        "duration_unknown": "not all days of supply are known, or more may have followed after observation ended",
    }
    if isinstance(rule, SessionAdequacy):
        texts["too_few_sessions"] = f"too few sessions ({trial['n_sessions']} of {rule.min_sessions})"
        return texts[reason]
    if rule.min_mpr_percent:
        texts["low_adherence"] = "too few of its days covered by supply, or too little handed out for them"
    if rule.duration_basis == "covered":
        texts["too_short"] = f"too short ({trial['days_covered']} of {rule.min_days} days covered)"
    return texts[reason]


def _failed(judged: Row) -> str:
    evidence = evidence_in_words(judged["outcome_evidence"])
    if judged["has_failed"] is None:
        return f"cannot tell if it failed: {evidence}"
    if not judged["has_failed"]:
        return f"not failed: {evidence}"
    return f"failed on {judged['failure_date'] or 'an unknown date'}: {evidence}"


def evidence_in_words(evidence: str) -> str:
    """What the outcome of a trial rests on."""
    if ":" not in evidence:
        return _EVIDENCE.get(evidence, words(evidence))
    scale, kind = evidence.split(":", 1)
    return f"{_SCALE_FAILS.get(kind, kind)} {scale_name(scale)}"
