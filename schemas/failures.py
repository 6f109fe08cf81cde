"""Whether a definition asks for failures at all, or only for treatments that were given."""

from __future__ import annotations

from impasse.schemas.resistance import Item, Resistance, Scored, alternatives_of


def asks_failure(rule: Resistance) -> bool:
    """Whether anything that the rule counts must have failed; if not, adequacy and outcome settle nothing."""
    if isinstance(rule, Scored):
        return any(isinstance(item, Item) or getattr(item, "what", "") == "failed" for item in rule.items)
    return any(count.what == "failed" for each in alternatives_of(rule) for count in each.all_of)
