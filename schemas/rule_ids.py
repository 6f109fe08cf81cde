"""Short names of a definition's rules, the same on every machine, and the columns that hold what a rule says."""

from __future__ import annotations

from dataclasses import astuple, is_dataclass
from functools import cache
from hashlib import sha256

from impasse.schemas.definition import Definition


_DIGITS = 12  # of a number that two of a thousand rules share once in half a billion cases


@cache
def rule_id(*blocks: object) -> str:
    """A short name for equal blocks, by their values: a setting may be renamed."""
    return sha256("".join(map(_text, blocks)).encode()).hexdigest()[:_DIGITS]


def _text(block: object) -> str:
    if is_dataclass(block) and not isinstance(block, type):
        return f"{type(block).__name__}{astuple(block)!r}"
    return repr(block)


def trial_rule(definition: Definition) -> str:
    """The name of the definition's trial rule."""
    return rule_id(definition.trial)


def judging_rule(definition: Definition) -> str:
    """The name of the definition's adequacy and outcome rules."""
    return rule_id(definition.adequacy, definition.outcome)


def column(what: str, rule: object) -> str:
    """The column of what a rule says of each trial or episode."""
    return f"{what} {rule_id(rule)}"
