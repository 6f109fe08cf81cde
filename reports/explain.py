"""One episode explained in plain text: its trials, how each was judged, and every definition's verdict with the reason.

In: one episode, its trials, judgements, classifications, stages and impasse as mappings with the columns of
`schemas/tables.py`, and the definitions with the trial rule and judging rule each uses. Out: text that fits a terminal.
Definitions that share a trial rule share the drawing of the trials. Nothing is judged again here: every reason is
read from the tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from types import MappingProxyType

from impasse.reports.explain_trials import draw_trials, evidence_in_words, list_judgements, why_not_adequate
from impasse.reports.words.names import words
from impasse.reports.words.numbers import listed, number, plural
from impasse.reports.words.resistance import needed
from impasse.reports.words.wrapping import wrapped
from impasse.schemas.definition import Definition
from impasse.schemas.failures import asks_failure
from impasse.schemas.resistance import Counted, Resistance, Scored
from impasse.schemas.values import NO_LEVEL, Row

_KINDS = {"substance": "substances", "class": "classes", "mechanism": "mechanisms"}
Rules = dict[str, tuple[str, str]]
_ENDS = {
    "remission": "a remission code",
    "death": "death",
    "coverage": "the end of coverage",
    "period": "the end of the study period",
    "tail": "its last contact or treatment",
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
        lines += ["", *draw_trials(episode, trial_rule, group, shown, width)]
        for judging_rule in dict.fromkeys(rules[d.id][1] for d in group):
            here = (trial_rule, judging_rule)
            judged = {j["number"]: j for j in judgements if (j["trial_rule"], j["judging_rule"]) == here}
            alike = [d for d in group if rules[d.id][1] == judging_rule]
            lines += ["", *list_judgements(shown, judged, alike, width)]
            for d in alike:
                says = (classified[d.id], episode, shown, judged) if d.id in classified else None
                lines += ["", *(_verdict(d, *says, width) if says else _staged(d, staged[d.id], width))]
    return "\n".join(lines) + "\n"


def _header(episode: Row, width: int) -> list[str]:
    age = "age not known" if episode["age"] is None else f"aged {episode['age']}"
    span = (
        f"From {episode['start_date']} to {episode['end_date']}, ended by {_ENDS[episode['end_reason']]}. "
        f"Observed until {episode['observed_until']}; treatment counts from {episode['treated_from']}. "
        f"{plural(episode['n_contacts'], 'contact')}; {episode['sex']}, {age} at the start."
    )
    title = f"Episode {episode['episode_id']}: {words(episode['disorder'])}, number {episode['number']}"
    return [*wrapped(title, width), "=" * min(len(title), width), *wrapped(span, width), *_flags(episode, width)]


def _flags(episode: Row, width: int) -> list[str]:
    flags = {
        "The start of the illness may lie before the time observed.": episode["is_left_truncated"],
        "The episode may go on after the time observed.": episode["is_censored"],
    }
    shared = listed([words(name) for name in episode["shares_treatment_with"].split()], "and")
    flags[f"Some of its treatment also counts in an episode of {shared}."] = bool(shared)
    return [line for text, holds in flags.items() if holds for line in wrapped(text, width)]


def _in_short(verdicts: list[Row], width: int) -> list[str]:
    """Which definitions say what, where there are several."""
    if len(verdicts) < 2:
        return []
    said = {verdict: [row["definition_id"] for row in verdicts if row["verdict"] == verdict] for verdict in _VERDICTS}
    told = [f"{_VERDICTS[verdict]} ({len(ids)}): {', '.join(ids)}." for verdict, ids in said.items() if ids]
    return ["", "IN SHORT", *[line for text in told for line in wrapped(text, width, indent=2, hang=2)]]


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
        *wrapped(f"{definition.id}: {definition.title}", width),
        *[part for line in lines for part in wrapped(line, width, indent=2, hang=2)],
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
    return [*wrapped(lines[0], width), *wrapped(lines[1], width, indent=2, hang=2)]


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
    told = [part for line in lines for part in wrapped(line, width, indent=2, hang=2)]
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
        "follow_up": _unseen(definition, episode),
    }.get(row["decided_by"], "the trials do not settle it")
    return f"CANNOT TELL: {why}; {_reached(definition, row)}"


def _unseen(definition: Definition, episode: Row) -> str:
    """Which part of the episode nobody saw; where the definition has a window of its own, only what is sure."""
    began = bool(episode["is_left_truncated"])
    may_go_on = episode["is_censored"] and not definition.trial.window.startswith("first")
    went_on = may_go_on or not began  # a trial may still run in an episode that is over
    parts = {"how it began": began, "how it went on": went_on}
    return f"it was not seen {' and '.join(part for part, holds in parts.items() if holds)}"


def _not_eligible(definition: Definition, row: Row, episode: Row) -> str:
    rule, age, seen = definition.eligible, episode["age"], episode["observed_days_before"]
    reasons = {
        f"the definition does not speak about {words(episode['disorder'])}": episode["disorder"] not in rule.disorders,
        f"aged {age}, outside {rule.min_age} to {rule.max_age}": age is not None
        and not rule.min_age <= age <= rule.max_age,
        f"observed {seen} of {rule.min_observed_days} days before the start": seen is not None
        and seen < rule.min_observed_days,
        "a likely cause of pseudo-resistance is recorded": rule.pseudo_resistance == "before"
        and row["pseudo_resistance"] == "likely",
    }
    found = [text for text, holds in reasons.items() if holds]
    other = "a required diagnosis is missing or an excluding one is recorded"
    other += ", or the washout is not kept" if rule.washout_treatments else ""
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
        return f"a likely cause of pseudo-resistance is recorded; {_reached(definition, row)}"
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
    alternatives = rule.any_of if isinstance(rule, Counted) else ()
    return any(each.within != "episode" or any(count.timing != "any" for count in each.all_of) for each in alternatives)


def _failures(definition: Definition, row: Row) -> str:
    """The failures found, and out of how many where one number says what is needed."""
    counts = [count for each in definition.resistance.any_of for count in each.all_of]
    if len(counts) > 1 or counts[0].what != "failed" or row["n_failed_min"] != row["n_failed_max"]:
        return _reached(definition, row)
    needed_ones, kind = counts[0].n, counts[0].distinct_by
    if row["n_failed_min"] >= needed_ones and kind != "none":
        return f"{plural(row['n_failed_min'], 'failed adequate trial')}, not of {needed_ones} different {_KINDS[kind]}"
    return f"{row['n_failed_min']} of {needed_ones} needed failures"


def _uncounted(row: Row, trials: list[Row]) -> list[str]:
    """A note where the definition counts fewer kinds of trial than are shown."""
    shown = [t for t in trials if t["is_counted"] is not False]
    if row["n_trials"] >= len(shown):
        return []
    return [f"Of the {plural(len(shown), 'trial')} above, {row['n_trials']} may be of a kind that counts here."]


def _shortfalls(definition: Definition, row: Row, trials: list[Row], judged: dict[int, Row]) -> list[str]:
    """Why counted trials did not add to the count; nothing to add where the verdict did not turn on trials."""
    if row["verdict"] in ("resistant", "not_eligible") or row["decided_by"] == "eligible" or row["n_trials"] == 0:
        return []
    counted = [(t, judged[t["number"]]) for t in trials if t["is_counted"] is not False and t["number"] in judged]
    return [text for t, j in counted for text in _shortfall(t, j, definition)]


def _shortfall(trial: Row, judged: Row, definition: Definition) -> list[str]:
    named, reason = f"trial {trial['number']} ({trial['name']})", judged["adequacy_reason"]
    if reason != "adequate":
        sure = "may not be adequate" if judged["is_adequate"] is None else "was not adequate"
        return [f"{named} {sure}, {why_not_adequate(reason, trial, definition)}"]
    if judged["has_failed"]:
        return []
    sure = "may have failed" if judged["has_failed"] is None else "has not failed"
    return [f"{named} {sure}, {evidence_in_words(judged['outcome_evidence'])}"]
