"""One episode explained in plain text: its trials, how each was judged, and every definition's verdict with the reason.

In: one episode, its trials, judgements, classifications, stages and impasse as mappings with the columns of
`schemas/tables.py`, and the definitions with the trial rule and judging rule each uses. Out: text that fits a terminal.
Definitions that share a trial rule share the drawing of the trials. Nothing is judged again here: every reason is
read from the tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from operator import itemgetter
from textwrap import fill
from types import MappingProxyType
from typing import Any

from impasse.reports.words.names import scale_name, words
from impasse.reports.words.numbers import listed, number, plural
from impasse.reports.words.resistance import asks_failure, needed
from impasse.schemas.definition import Counted, Definition, DrugAdequacy, Resistance, Scored, SessionAdequacy
from impasse.schemas.plain import plain
from impasse.schemas.values import NO_LEVEL

Row = dict[str, Any]
Rules = dict[str, tuple[str, str]]
_LABEL = 22
_ENDS = {
    "remission": "a remission code",
    "death": "death",
    "coverage": "the end of coverage",
    "period": "the end of the study period",
    "tail": "its last contact or treatment",
}
_EVIDENCE = {
    "early_stop": "it stopped early",
    "switch": "a switch to another drug",
    "add_on": "another drug added",
    "ect": "ECT",
    "tms": "TMS",
    "admission": "an admission",
    "no_change": "no change of treatment followed",
    "unknown_end": "its last day is not known, so nor is whether a change came in time",
    "unfinished": "observation ended before a change could be ruled out",
    "unobserved": "a sign of change is not observed here",
    "none": "no evidence",
}
_SCALE_FAILS = {
    "fall_below": "the fall in",
    "points_below": "the fall in points on",
    "fall_between": "the fall in",
    "score_above": "the score on",
}
_RESPONSES = {
    "remission": "remission",
    "insufficient": "response without remission",
    "partial": "partial response",
    "no_response": "no response",
}
_VERDICTS = {
    "resistant": "Resistant",
    "undetermined": "Cannot be told",
    "not_resistant": "Not resistant",
    "not_eligible": "Not eligible",
}
_AFTERWARDS = {
    "remitted": "The episode ended in remission.",
    "ended": "The episode ended.",
    "died": "The episode ended with the person’s death.",
    "continued": "The episode may have gone on.",
}


def render_explanation(
    episode: Row,
    trials: Sequence[Row],
    judgements: Sequence[Row],
    classifications: Sequence[Row],
    definitions: Sequence[Definition],
    rules: Rules,
    width: int = 80,
    names: Mapping[str, str] = MappingProxyType({}),
    stages: Sequence[Row] = (),
    impasse: Row | None = None,
) -> str:
    """The whole story of one episode as text, no line longer than `width`.

    `rules` gives each definition's trial rule and judging rule, `names` the readable names of treatments.
    Definitions without a classification or a stage are left out; `impasse` is there if some definition says resistant.
    """
    classified = {row["definition_id"]: row for row in classifications}
    staged = {row["definition_id"]: row for row in stages}
    told = [d for d in definitions if d.id in {**classified, **staged} and d.id in rules]
    lines = [*_header(episode, width), *_in_short([classified[d.id] for d in told if d.id in classified], width)]
    lines += _impasse(impasse, width) if impasse else []
    for trial_rule in dict.fromkeys(rules[d.id][0] for d in told):
        group = [d for d in told if rules[d.id][0] == trial_rule]
        mine = sorted((t for t in trials if t["trial_rule"] == trial_rule), key=itemgetter("number"))
        shown = [{**t, "name": names.get(t["treatment"], words(t["treatment"]))} for t in mine]
        lines += ["", *_trials(episode, trial_rule, group, shown, width)]
        for judging_rule in dict.fromkeys(rules[d.id][1] for d in group):
            here = (trial_rule, judging_rule)
            judged = {j["number"]: j for j in judgements if (j["trial_rule"], j["judging_rule"]) == here}
            alike = [d for d in group if rules[d.id][1] == judging_rule]
            lines += ["", *_judged(shown, judged, alike, width)]
            for d in alike:
                says = (classified[d.id], episode, shown, judged) if d.id in classified else None
                lines += ["", *(_verdict(d, *says, width) if says else _staged(d, staged[d.id], width))]
    return "\n".join(lines) + "\n"


def _wrapped(text: str, width: int, indent: int = 0, hang: int = 0) -> list[str]:
    """Lines no longer than `width`; what a terminal would act on rather than print is spelled out."""
    start, rest = " " * indent, " " * (indent + hang)
    return fill(plain(text), width, initial_indent=start, subsequent_indent=rest, break_on_hyphens=False).split("\n")


def _header(episode: Row, width: int) -> list[str]:
    age = "age not known" if episode["age"] is None else f"aged {episode['age']}"
    span = (
        f"From {episode['start_date']} to {episode['end_date']}, ended by {_ENDS[episode['end_reason']]}. "
        f"Observed until {episode['observed_until']}; treatment counts from {episode['treated_from']}. "
        f"{plural(episode['n_contacts'], 'contact')}; {episode['sex']}, {age} at the start."
    )
    title = f"Episode {episode['episode_id']}: {words(episode['disorder'])}, number {episode['number']}"
    return [*_wrapped(title, width), "=" * min(len(title), width), *_wrapped(span, width), *_flags(episode, width)]


def _flags(episode: Row, width: int) -> list[str]:
    flags = {
        "The start of the illness may lie before the time observed.": episode["is_left_truncated"],
        "The episode may go on after the time observed.": episode["is_censored"],
    }
    return [line for text, holds in flags.items() if holds for line in _wrapped(text, width)]


def _in_short(verdicts: list[Row], width: int) -> list[str]:
    """Which definitions say what, where there are several."""
    if len(verdicts) < 2:
        return []
    said = {verdict: [row["definition_id"] for row in verdicts if row["verdict"] == verdict] for verdict in _VERDICTS}
    told = [f"{_VERDICTS[verdict]} ({len(ids)}): {', '.join(ids)}." for verdict, ids in said.items() if ids]
    return ["", "IN SHORT", *[line for text in told for line in _wrapped(text, width, indent=2, hang=2)]]


def _trials(episode: Row, rule: str, group: list[Definition], trials: list[Row], width: int) -> list[str]:
    names = ", ".join(d.id for d in group)
    head = _wrapped(f"TRIALS under rule {rule} ({names})", width, hang=2)
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
        _bar(_name(t), t["start_date"], t["end_date"], "=" if t["is_counted"] else "~", first, last, room)
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
    given = [f"{plural(trial['n_sessions'], 'session')}"] if trial["n_sessions"] is not None else [
        f"{plural(trial['days_covered'], 'day')} covered", dose or "dose not known", _adherence(trial)
    ]  # fmt: skip
    marks = {
        "supply partly unknown": trial["has_unknown_supply"],
        "still going on when observation ended": trial["is_ongoing"],
        "not counted by itself": not trial["is_counted"],
    }
    given += [plural(trial["n_add_ons"], "add-on")] if trial["n_add_ons"] else []
    given += [text for text, holds in marks.items() if holds]
    when = f"{trial['start_date']} to {trial['end_date']}, {plural(trial['n_days'], 'day')}"
    kind = ", ".join([trial["treatment"]] * (trial["name"] != words(trial["treatment"])) + [trial["role"]])
    kind += f", {words(trial['treatment_class'] or trial['modality'])}"
    return _wrapped(f"{_name(trial)} ({kind}): {when}; {'; '.join(given)}.", width, indent=2, hang=3)


def _adherence(trial: Row) -> str:
    return "adherence not known" if trial["adherence"] is None else f"adherence {100 * trial['adherence']:.0f}%"


def _judged(trials: list[Row], judged: dict[int, Row], alike: list[Definition], width: int) -> list[str]:
    if not trials:
        return _wrapped(f"VERDICTS ({', '.join(d.id for d in alike)})", width, hang=2)
    head = _wrapped(f"JUDGED for {', '.join(d.id for d in alike)}", width, hang=2)
    lines = [f"{_name(t)}: {_judgement(t, judged.get(t['number']), alike[0])}." for t in trials]
    return [*head, *[part for line in lines for part in _wrapped(line, width, indent=2, hang=3)]]


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
    return f"{sure}: {_reason(reason, trial, definition)}"


def _reason(reason: str, trial: Row, definition: Definition) -> str:
    rule: DrugAdequacy | SessionAdequacy = getattr(definition.adequacy, trial["modality"])
    texts = {
        "too_short": f"too short ({trial['n_days']} of {rule.min_days} days)",
        "underdosed": f"too few of its days at a sufficient dose ({rule.min_days} needed)",
        "low_adherence": "adherence too low",
        "dose_unknown": "the dose is not known",
        "duration_unknown": "the days of supply are not known",
    }
    if isinstance(rule, SessionAdequacy):
        texts["too_few_sessions"] = f"too few sessions ({trial['n_sessions']} of {rule.min_sessions})"
    elif rule.duration_basis == "covered":
        texts["too_short"] = f"too short ({trial['days_covered']} of {rule.min_days} days covered)"
    return texts[reason]


def _failed(judged: Row) -> str:
    evidence = _evidence(judged["outcome_evidence"])
    if judged["has_failed"] is None:
        return f"cannot tell if it failed: {evidence}"
    if not judged["has_failed"]:
        return f"not failed: {evidence}"
    return f"failed on {judged['failure_date'] or 'an unknown date'}: {evidence}"


def _evidence(evidence: str) -> str:
    if ":" not in evidence:
        return _EVIDENCE.get(evidence, words(evidence))
    scale, kind = evidence.split(":", 1)
    return f"{_SCALE_FAILS.get(kind, kind)} {scale_name(scale)}"


def _verdict(
    definition: Definition, row: Row, episode: Row, trials: list[Row], judged: dict[int, Row], width: int
) -> list[str]:
    says = {
        "resistant": _resistant,
        "not_resistant": _not_resistant,
        "undetermined": _undetermined,
        "not_eligible": _not_eligible,
    }[row["verdict"]]
    lines = [f"{'; '.join([says(definition, row, episode), *_shortfalls(definition, row, trials, judged)])}."]
    if row["verdict"] != "not_eligible":
        lines += [f"Needed: {needed(definition.resistance)}.", *_uncounted(row, trials), *_causes(row)]
    return [
        *_wrapped(f"{definition.id}: {definition.title}", width),
        *[part for line in lines for part in _wrapped(line, width, indent=2, hang=2)],
    ]


def _causes(row: Row) -> list[str]:
    """What else may explain that treatment failed."""
    if row["pseudo_resistance"] == "none":
        return []
    causes = listed([words(cause) for cause in row["causes"].split()])
    return [f"Pseudo-resistance is {row['pseudo_resistance']}: {causes}."]


def _staged(definition: Definition, row: Row, width: int) -> list[str]:
    """What a staging system gives the episode."""
    lines = [f"{definition.id}: {definition.title}", f"{_stage(row)}."]
    return [*_wrapped(lines[0], width), *_wrapped(lines[1], width, indent=2, hang=2)]


def _stage(row: Row) -> str:
    if row["is_eligible"] is None:
        return "CANNOT TELL: it is not known whether the system speaks about the episode"
    if not row["is_eligible"]:
        return "NOT ELIGIBLE: the system does not speak about the episode"
    if row["level_min"] is None:
        return _score(row)
    low, high = (level if level != NO_LEVEL else "no stage" for level in (row["level_min"], row["level_max"]))
    outside = "; reached outside the days that the source gives it" if row["is_outside_band"] else ""
    return f"STAGE: {low if low == high else f'between {low} and {high}'}{outside}"


def _score(row: Row) -> str:
    low, high = row["score_min"], row["score_max"]
    if high is None:
        return "NO SCORE: a trial that it needs is missing"
    return f"SCORE: none, or up to {number(high)}" if low is None else f"SCORE: {_range(low, high)}"


def _impasse(impasse: Row, width: int) -> list[str]:
    """What was never tried, and what became of an episode that some definition calls resistant."""
    untried, unobserved = ([words(option) for option in impasse[kind].split()] for kind in ("untried", "unobserved"))
    lines = [
        _AFTERWARDS[impasse["afterwards"]],
        f"Never tried until then: {listed(untried) if untried else 'none of the options that can be seen'}.",
        *([f"Not seen here, so perhaps tried: {listed(unobserved)}."] if unobserved else []),
    ]
    told = [part for line in lines for part in _wrapped(line, width, indent=2, hang=2)]
    return ["", "AN IMPASSE, NOT AN ENDPOINT", *told]


def _resistant(definition: Definition, row: Row, episode: Row) -> str:
    return f"RESISTANT from {row['resistant_date']}: {_reached(definition, row)}"


def _not_resistant(definition: Definition, row: Row, episode: Row) -> str:
    return f"NOT RESISTANT: {_decided(definition, row)}"


def _undetermined(definition: Definition, row: Row, episode: Row) -> str:
    if row["decided_by"] == "eligible":
        return "CANNOT TELL: it is not known whether the episode is eligible"
    unseen = "a treatment that counts is not observed here"
    unsure = "it is not known whether a treatment is of a kind that counts"
    why = {
        "trial": unseen if row["n_failed_max"] is None else unsure,
        "adequacy": "it is not known whether a trial was adequate",
        "outcome": "it is not known whether a trial failed",
    }.get(row["decided_by"], "the trials do not settle it")
    return f"CANNOT TELL: {why}; {_reached(definition, row)}"


def _not_eligible(definition: Definition, row: Row, episode: Row) -> str:
    rule, age, seen = definition.eligible, episode["age"], episode["observed_days_before"]
    reasons = {
        f"the definition does not speak about {words(episode['disorder'])}": episode["disorder"] not in rule.disorders,
        f"aged {age}, outside {rule.min_age} to {rule.max_age}": age is not None
        and not rule.min_age <= age <= rule.max_age,
        f"observed {seen} of {rule.min_observed_days} days before the start": seen is not None
        and seen < rule.min_observed_days,
        "a cause of pseudo-resistance is recorded": rule.pseudo_resistance == "before"
        and row["pseudo_resistance"] == "likely",
    }
    found = [text for text, holds in reasons.items() if holds]
    other = "a required diagnosis is missing or an excluding one is recorded"
    other += ", or treatment came too soon before" if rule.untreated_by else ""
    return f"NOT ELIGIBLE: {'; '.join(found) or other}"


def _reached(definition: Definition, row: Row) -> str:
    """How far the count or the score came: one number, or the range that unknowns leave."""
    if isinstance(definition.resistance, Scored):
        return "no score" if row["score_max"] is None else f"{_points(row)} points"
    if not asks_failure(definition.resistance):
        return f"{plural(row['n_trials'], 'trial')} of a kind that counts"
    if row["n_failed_min"] == row["n_failed_max"]:
        return plural(row["n_failed_min"], "failed adequate trial")
    return f"{_range(row['n_failed_min'], row['n_failed_max'])} failed adequate trials"


def _points(row: Row) -> str:
    low, high = row["score_min"], row["score_max"]
    return f"none or up to {number(high)}" if low is None else _range(low, high)


def _range(low: float, high: float | None) -> str:
    if high is None:
        return f"{number(low)} or more"
    return number(low) if low == high else f"between {number(low)} and {number(high)}"


def _decided(definition: Definition, row: Row) -> str:
    if row["decided_by"] == "eligible":
        return f"a cause of pseudo-resistance is recorded; {_reached(definition, row)}"
    if isinstance(definition.resistance, Scored):
        return f"only {_reached(definition, row)}"
    if row["decided_by"] in ("outcome", "resistance") and _asks_time(definition.resistance):
        return f"the trials do not come together in time as needed; {_reached(definition, row)}"
    return {
        "trial": f"{'only ' * bool(row['n_trials'])}{plural(row['n_trials'], 'trial')} of a kind that counts",
        "adequacy": f"only {row['n_adequate']} of {plural(row['n_trials'], 'trial')} surely adequate",
        "outcome": f"only {_failures(definition, row)}",
        "resistance": "the trials are not different enough",
    }[row["decided_by"]]


def _asks_time(rule: Resistance) -> bool:
    """Whether trials must be close to each other, or in an order."""
    arms = rule.any_of if isinstance(rule, Counted) else ()
    return any(arm.within != "episode" or any(count.timing != "any" for count in arm.all_of) for arm in arms)


def _failures(definition: Definition, row: Row) -> str:
    """The failures found, and out of how many where one number says what is needed."""
    counts = [count for arm in definition.resistance.any_of for count in arm.all_of]
    if len(counts) > 1 or counts[0].what != "failed" or row["n_failed_min"] != row["n_failed_max"]:
        return _reached(definition, row)
    return f"{row['n_failed_min']} of {counts[0].n} needed failures"


def _uncounted(row: Row, trials: list[Row]) -> list[str]:
    """A note where the definition counts fewer kinds of trial than are shown."""
    shown = [t for t in trials if t["is_counted"]]
    if row["n_trials"] >= len(shown):
        return []
    return [f"Of the {plural(len(shown), 'trial')} above, {row['n_trials']} may be of a kind that counts here."]


def _shortfalls(definition: Definition, row: Row, trials: list[Row], judged: dict[int, Row]) -> list[str]:
    """Why counted trials did not add to the count; nothing to add where the verdict did not turn on trials."""
    if row["verdict"] in ("resistant", "not_eligible") or row["decided_by"] == "eligible" or row["n_trials"] == 0:
        return []
    counted = [(t, judged[t["number"]]) for t in trials if t["is_counted"] and t["number"] in judged]
    return [text for t, j in counted for text in _shortfall(t, j, definition)]


def _shortfall(trial: Row, judged: Row, definition: Definition) -> list[str]:
    named, reason = f"trial {trial['number']} ({trial['name']})", judged["adequacy_reason"]
    if reason != "adequate":
        sure = "may not be adequate" if judged["is_adequate"] is None else "was not adequate"
        return [f"{named} {sure}, {_reason(reason, trial, definition)}"]
    if judged["has_failed"]:
        return []
    sure = "may have failed" if judged["has_failed"] is None else "has not failed"
    return [f"{named} {sure}, {_evidence(judged['outcome_evidence'])}"]
