"""Staging systems: the score or the stage of an episode, without a verdict."""

from __future__ import annotations

from impasse.schemas.definition import Definition
from impasse.schemas.resistance import Scored, Staged
from impasse.schemas.values import NO_LEVEL
from tests.reference.basics import Known, Row, Truth
from tests.reference.points import score_bounds
from tests.reference.resistance import blind_counts, failed_at, is_reached


def staged(known: Known, definition: Definition, eligible: Truth, is_unseen: bool) -> Row:
    """The one row of an episode under a staging system; nothing but its eligibility where it is not surely eligible."""
    row: Row = {
        "episode_id": known.episode["episode_id"],
        "definition_id": definition.id,
        "is_eligible": eligible,
        **dict.fromkeys(("score_min", "score_max", "level_min", "level_max", "is_outside_band")),
    }
    rule = definition.resistance
    if eligible is not True:
        return row
    if isinstance(rule, Scored):
        row["score_min"], row["score_max"] = score_bounds(rule, known, is_unseen)
        return row
    surely = levels_reached(rule, "sure", known)
    every_level = list(range(len(rule.levels)))
    possibly = every_level if is_unseen else levels_reached(rule, "outcome", known)
    row["level_min"] = rule.levels[surely[-1]].name if surely else NO_LEVEL
    row["level_max"] = rule.levels[possibly[-1]].name if possibly else NO_LEVEL
    band = rule.levels[surely[-1]].band_days if surely else ()
    if band:
        row["is_outside_band"] = not band[0] <= days_failed(known, definition) <= band[1]
    return row


def levels_reached(rule: Staged, stage: str, known: Known) -> list[int]:
    """The levels, by position and lowest first, that are reached at a stage."""
    reached: list[int] = []
    for position, level in enumerate(rule.levels):
        blind = blind_counts(level.any_of, known) if stage == "outcome" else frozenset()
        is_on_top = not rule.is_cumulative or len(reached) == position
        if is_on_top and any(is_reached(alternative, stage, known.trials, blind) for alternative in level.any_of):
            reached.append(position)
    return reached


def days_failed(known: Known, definition: Definition) -> int:
    """How long the surely failed trials of all counted groups lasted in all, each once."""
    failed = failed_at("sure", tuple(sorted(definition.counted_groups)), known.trials)
    return sum(trial["n_days"] for trial in failed)
