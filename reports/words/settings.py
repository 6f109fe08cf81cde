"""The settings of a block one by one: a block in, every setting under its name in the file, with its value in words.

Two values that differ never read the same, so what differs between definitions can be read off their settings.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass

from impasse.reports.words.names import groups, words
from impasse.reports.words.numbers import duration, number
from impasse.reports.words.prose import DOSES, requirement, scale
from impasse.reports.words.resistance import WHEN_WORDS, alternative, item, level, named_alternative
from impasse.schemas.definition import Exclusion, Requirement, ScaleBand, ScaleRule
from impasse.schemas.resistance import AdmissionItem, Alternative, DiagnosisItem, Item, LengthItem, Level, NumberItem

# Settings that are made of several values are one phrase.
_PARTS = {
    Requirement: requirement,
    ScaleRule: lambda rule: scale([rule]),
    ScaleBand: lambda rule: scale([rule]),
    Alternative: named_alternative,
    Level: level,
    **dict.fromkeys((Item, NumberItem, LengthItem, DiagnosisItem, AdmissionItem), item),
}
_WORDS = {
    "dose_basis": {"any": "any dose", **DOSES},
    "duration_basis": {"span": "first to last day", "covered": "covered days", "prescribed": "days prescribed"},
    "pseudo_resistance": {"noted": "noted", "before": "not eligible", "after": "not resistant in the end"},
    "supply": {"as_delivered": "as delivered", "dates_only": "its dates only"},
}


def settings(block: object, prefix: str = "") -> dict[str, str]:
    """Every setting of a block under the name it has in the file, with its value in words."""
    found: dict[str, str] = {}
    for field in fields(block):
        value, name = getattr(block, field.name), prefix + field.name
        found |= settings(value, f"{name}.") if is_dataclass(value) else {name: _value(name, value)}
    return found


def _value(name: str, value: object) -> str:
    last = name.rsplit(".", 1)[-1]
    if isinstance(value, tuple) and value and isinstance(value[0], Exclusion):
        return "; ".join(_exclusions(value))
    if isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], Alternative):
        return alternative(value[0])  # the name of a single alternative says nothing
    if isinstance(value, tuple):
        return "; ".join(_value(name, part) for part in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and ("_days" in last or last == "change_within"):
        return duration(value)
    if isinstance(value, int | float):
        return f"{number(value)}%" if last.endswith("_percent") else number(value)
    if type(value) in _PARTS:
        return _PARTS[type(value)](value)
    return _WORDS.get(last, {}).get(str(value)) or words(str(value))


def _exclusions(rules: tuple[Exclusion, ...]) -> list[str]:
    """One phrase for each time at which a diagnosis excludes."""
    times = dict.fromkeys(rule.when for rule in rules)
    return [f"{groups([rule.codes for rule in rules if rule.when == when])} {WHEN_WORDS[when]}" for when in times]
