"""What makes resistance, in words: a resistance block in, its sentences out.

A rule is a count (alternatives of counts), a score (items with points) or stages (levels of alternatives). Scores
without a threshold and stages are staging systems: they give no verdict, and their sentences say so.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from impasse.reports.words.names import capital, groups, words
from impasse.reports.words.numbers import duration, listed, number
from impasse.schemas.definition import Definition
from impasse.schemas.failures import asks_failure
from impasse.schemas.resistance import (
    AdmissionItem,
    Alternative,
    AnyItem,
    Band,
    Count,
    Counted,
    DiagnosisItem,
    Item,
    LengthItem,
    Level,
    NumberItem,
    Resistance,
    Scored,
    Staged,
    reads_whole_episode,
)

WHEN_WORDS = {
    "ever": "at any time while the person is observed",
    "before": "before the episode starts",
    "during": "during the episode",
    "before_or_during": "before or during the episode",
}
_DISTINCT = {
    "none": "",
    "substance": ", each of a different substance",
    "class": ", each of a different class",
    "mechanism": ", each of a different mechanism",
}
_HAPPENS = {"failed": "failing", "given": "starting", "added": "starting"}


def resistance(rule: Resistance) -> str:
    """The whole block, in sentences."""
    said = {Counted: _counts, Scored: _score, Staged: _stages}[type(rule)](rule)
    return said if asks_failure(rule) else f"{said} Whether a trial was adequate or failed is not asked."


def needed(rule: Resistance) -> str:
    """What makes resistance, or what a staging system gives, as a phrase that starts with a capital letter."""
    if isinstance(rule, Staged):
        return f"The highest stage reached, of {len(rule.levels)}"
    if isinstance(rule, Scored):
        return _reached(rule)
    return capital(", or ".join(alternative(each) for each in rule.any_of))


def in_short(rule: Resistance) -> str:
    """What makes resistance, with the names of its alternatives alone where each takes many words."""
    if isinstance(rule, Counted) and len(rule.any_of) > 1 and any(_is_dated(each) for each in rule.any_of):
        return f"Any of these: {listed([each.name for each in rule.any_of], 'or')}"
    return needed(rule)


def _reached(rule: Scored) -> str:
    if rule.threshold == "none":
        return "A score, without a threshold"
    return f"A score of at least {_points(rule.threshold)}"


def named_alternative(rule: Alternative) -> str:
    """An alternative with its name."""
    return f"{rule.name}: {alternative(rule)}"


def alternative(rule: Alternative) -> str:
    """What an alternative needs: counts that hold together, on one day if days matter."""
    if not _is_dated(rule):
        return _joined([_count(count) for count in rule.all_of])
    ended = (
        "" if rule.within == "episode" else f", without trials that ended more than {duration(rule.within)} before it"
    )
    return f"a day that has {_joined([_count(count) for count in rule.all_of])}{ended}"


def _is_dated(rule: Alternative) -> bool:
    return rule.within != "episode" or any(count.timing != "any" for count in rule.all_of)


def _joined(counts: list[str]) -> str:
    """Counts with an "and" between them, after a comma where the one before has commas of its own."""
    text = counts[0]
    for before, count in pairwise(counts):
        text += f"{',' if ',' in before else ''} and {count}"
    return text


def _count(rule: Count) -> str:
    distinct = _DISTINCT[rule.distinct_by] if rule.n > 1 else ""
    return f"at least {rule.n:,} {_trials(rule.what, rule.of, rule.n)}{distinct}{_timing(rule)}"


def _timing(rule: Count) -> str:
    happens = _HAPPENS[rule.what]
    return {
        "any": "",
        "before": f", {happens} before that day",
        "last": f", one of them {happens} on that day" if rule.n > 1 else f", {happens} on that day",
    }[rule.timing]


def _trials(what: str, of: tuple[str, ...], n: int) -> str:
    """What is counted, in the number of `n`."""
    s = "" if n == 1 else "s"
    return {
        "failed": f"failed adequate trial{s} of {groups(of)}",
        "given": f"trial{s} of {groups(of)}, failed or not",
        "added": f"addition{s} of {groups(of)} to another drug",
    }[what]


def _counts(rule: Counted) -> str:
    if len(rule.any_of) == 1:
        return f"Resistant with {alternative(rule.any_of[0])}."
    return f"Resistant with any of these: {'; or '.join(named_alternative(each) for each in rule.any_of)}."


def _score(rule: Scored) -> str:
    items = "; ".join(item(each) for each in rule.items)
    if rule.threshold == "none":
        return f"Gives a score and no verdict: {items}."
    return f"Resistant with a score of at least {_points(rule.threshold)}: {items}."


def item(rule: AnyItem) -> str:
    """One part of a score."""
    return _ITEMS[type(rule)](rule)


def _points(points: float) -> str:
    return "1 point" if points == 1 else f"{number(points)} points"


def _each(rule: Item) -> str:
    which = {
        "failed_trials": "",
        "raised_dose": " whose dose was raised",
        "extended": f" that lasted at least {duration(rule.extended_days)}",
    }[rule.item]
    trial = f"failed adequate trial of {groups(rule.of)}{which}"
    return f"{_points(rule.points)} for each {trial}, {number(rule.max_points)} at most"


def _number(rule: NumberItem) -> str:
    required = f", and no score at all with fewer than {rule.bands[0].at_least:,}" if rule.is_required else ""
    of = f"{_trials(rule.what, rule.of, 2)}{_DISTINCT[rule.distinct_by]}"
    return f"points by the number of {of}: {_bands(rule.bands, '{:,}'.format)}{required}"


def _length(rule: LengthItem) -> str:
    return f"points by the length of the episode: {_bands(rule.bands, duration)}"


def _bands(bands: tuple[Band, ...], write: Callable[[int], str]) -> str:
    return ", ".join(f"{_points(band.points)} from {write(band.at_least)}" for band in bands)


def _diagnosis(rule: DiagnosisItem) -> str:
    levels = ", ".join(f"{number(level.points)} for {words(level.codes)}" for level in rule.levels)
    when, otherwise = WHEN_WORDS[rule.when], number(rule.otherwise)
    return f"points for a diagnosis {when}, the most that one earns: {levels}, else {otherwise}"


def _admission(rule: AdmissionItem) -> str:
    return f"{_points(rule.points)} for an admission for the disorder during the episode"


_ITEMS = {
    Item: _each,
    NumberItem: _number,
    LengthItem: _length,
    DiagnosisItem: _diagnosis,
    AdmissionItem: _admission,
}


def _stages(rule: Staged) -> str:
    how = "each reached only with all before it" if rule.is_cumulative else "each reached by itself"
    levels = "; ".join(level(each) for each in rule.levels)
    marked = " A stage reached outside its source’s days is marked." if any(x.band_days for x in rule.levels) else ""
    return f"Gives the highest stage reached, and no verdict. Stages, lowest first, {how}: {levels}.{marked}"


def level(rule: Level) -> str:
    """One stage: its name, what reaches it, and the days its source gives it."""
    named = [named_alternative(each) for each in rule.any_of]
    reached = alternative(rule.any_of[0]) if len(named) == 1 else ", or ".join(f"({each})" for each in named)
    return f"{rule.name}: {reached}{_days(rule.band_days)}"


def _days(band: tuple[int, ...]) -> str:
    if not band:
        return ""
    return f", in its source after {duration(band[0])} to {duration(band[1])} of failed trials in all"


def follow_up(definition: Definition) -> str:
    """When it is known that there was no more than was seen, in sentences."""
    closes = (
        "it was over (by a remission, a death, or the study's gap and tail after the last contact or covered day, and "
        "no trial of it still running)"
    )
    has_window = definition.trial.window in ("first_days", "first_treated_days")
    if has_window and not reads_whole_episode(definition.resistance):
        closes += f" or the {duration(definition.trial.window_days)} in which trials are sought had passed"
    known, unknown = {
        "verdict": ("An episode is called not resistant", "Else its verdict cannot be told."),
        "score": ("A score is the highest possible", "Else it may be higher."),
        "stage": ("A stage is the highest possible", "Else there may be a higher one."),
    }[definition.gives]
    start = "its true start, for which the study asks for some prior observation"
    return f"{known} only if the episode was seen from {start}, until {closes}. {unknown}"
