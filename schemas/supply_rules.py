"""Supply rules and a layout: a rule that the delivery can never feed is refused before anything is read."""

from __future__ import annotations

from impasse.schemas.concepts import OmopLists
from impasse.schemas.errors import ImpasseError
from impasse.schemas.mapping import Mapping
from impasse.schemas.study import RHYTHM, SupplySection

# The columns that together tell how much was handed out, and the rule that takes whatever they tell, if there is one.
_AMOUNTS = {
    ("ddd",): "ddd",
    ("n_packages", "ddd_per_package"): "packages_x_ddd",
    ("quantity", "strength_mg"): None,
}
# What an OMOP CDM tells of amounts.
_OF_OMOP = frozenset({"quantity", "strength_mg"})


def require_amounts(rule: SupplySection, layout: Mapping | OmopLists, where: str) -> None:
    """Raise ImpasseError if the study works lengths out from amounts that its layout does not map, or that are used up.

    An amount is used up by a rule before: what `ddd` can read never comes to the rhythm behind it.
    """
    if RHYTHM not in rule.rules:
        return
    mapped = [columns for columns in _AMOUNTS if any(set(columns) <= fed for fed in _fed(layout))]
    if not mapped:
        raise ImpasseError(
            f'The supply rule "{RHYTHM}" has no amounts to work with.',
            where=where,
            expected=f"a layout that maps {' or '.join(' and '.join(columns) for columns in _AMOUNTS)} of dispensings",
            do="Map these columns, or leave the rule out; waiting_time_distribution needs no amounts.",
        )
    earlier = rule.rules[: rule.rules.index(RHYTHM)]
    if all(_AMOUNTS[columns] in earlier for columns in mapped):
        used = ", ".join(f'"{_AMOUNTS[columns]}"' for columns in mapped)
        raise ImpasseError(
            f'The supply rule "{RHYTHM}" is never reached.',
            where=where,
            expected=f"it before {used}, which take every amount that the layout maps",
            do="Change the order, or leave the rule out.",
        )


def _fed(layout: Mapping | OmopLists) -> list[frozenset[str]]:
    """The columns that each part of the dispensings feeds."""
    if isinstance(layout, OmopLists):
        return [_OF_OMOP]
    return [frozenset(part.fed) for part in layout.dispensings]
