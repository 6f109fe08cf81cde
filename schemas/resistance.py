"""The resistance block of a definition: how many failures of which kind make resistance, a score or a stage."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from impasse.schemas.quantities import MOST, DayCount, Flag, ScorePoints, When
from impasse.schemas.source import frozen


@frozen
class Count:
    """At least `n` trials of the groups `of`, counted by what must differ.

    `what` counts: `failed` adequate trials from the day the failure shows, trials `given` at all from their first day,
    or those `added` to another drug. `timing`: on `any` day up to the one on which the alternative is met, at least a
    day `before` it, or with the `last` of them on that very day.
    """

    n: Annotated[int, Field(strict=True, ge=1, le=MOST)]
    of: Annotated[tuple[str, ...], Field(min_length=1)]
    what: Literal["failed", "given", "added"]
    distinct_by: Literal["none", "substance", "class", "mechanism"]
    timing: Literal["any", "before", "last"]


@frozen
class Alternative:
    """All counts of an alternative must be met on one day; `name` appears in reports.

    `within`: only trials that lasted until at most so many days before that day count.
    """

    name: str
    within: Annotated[int, Field(strict=True, ge=1, le=MOST)] | Literal["episode"]
    all_of: Annotated[tuple[Count, ...], Field(min_length=1)]


@frozen
class Band:
    """From `at_least` on, `points`."""

    at_least: DayCount
    points: ScorePoints


@frozen
class Item:
    """Points for each trial `of` a treatment group, at most `max_points` in all.

    `failed_trials` counts failed adequate trials; `raised_dose` those of them whose dose was raised; `extended` those
    that lasted at least `extended_days`.
    """

    item: Literal["failed_trials", "raised_dose", "extended"]
    of: Annotated[tuple[str, ...], Field(min_length=1)]
    points: Annotated[float, Field(strict=True, gt=0, multiple_of=0.5)]
    max_points: Annotated[float, Field(strict=True, gt=0, multiple_of=0.5)]
    extended_days: DayCount


@frozen
class NumberItem:
    """Points by the number of trials, as `Count` counts them; none below the first band.

    Where the item `is_required`, there is no score at all without a trial that counts.
    """

    item: Literal["number_of_trials"]
    of: Annotated[tuple[str, ...], Field(min_length=1)]
    what: Literal["failed", "given", "added"]
    distinct_by: Literal["none", "substance"]
    bands: Annotated[tuple[Band, ...], Field(min_length=1)]
    is_required: Flag


@frozen
class LengthItem:
    """Points by the days from the episode's first to its last."""

    item: Literal["episode_days"]
    bands: Annotated[tuple[Band, ...], Field(min_length=1)]


@frozen
class DiagnosisLevel:
    """The points a diagnosis of a code list earns."""

    codes: str
    points: ScorePoints


@frozen
class DiagnosisItem:
    """The most points that a diagnosis at the stated time earns, or `otherwise`."""

    item: Literal["diagnosis"]
    when: When
    levels: Annotated[tuple[DiagnosisLevel, ...], Field(min_length=1)]
    otherwise: ScorePoints


@frozen
class AdmissionItem:
    """Points for an admission for the disorder during the episode."""

    item: Literal["admission"]
    points: ScorePoints


AnyItem = Annotated[Item | NumberItem | LengthItem | DiagnosisItem | AdmissionItem, Field(discriminator="item")]


@frozen
class Counted:
    """Resistance as a count: any alternative suffices."""

    kind: Literal["count"]
    any_of: Annotated[tuple[Alternative, ...], Field(min_length=1)]


@frozen
class Scored:
    """Resistance as a score: the items' points reach the threshold. Without one the definition only gives a score."""

    kind: Literal["score"]
    items: Annotated[tuple[AnyItem, ...], Field(min_length=1)]
    threshold: Annotated[float, Field(strict=True, gt=0, multiple_of=0.5)] | Literal["none"]


@frozen
class Level:
    """A stage: any alternative suffices.

    `band_days`, first and last, is how long the source says the failed trials last in all; empty if it does not.
    """

    name: str
    any_of: Annotated[tuple[Alternative, ...], Field(min_length=1)]
    band_days: tuple[()] | tuple[DayCount, DayCount]


@frozen
class Staged:
    """Resistance as stages, lowest first: a staging system gives the highest stage, and no verdict.

    If stages are cumulative, one is reached only with all before it.
    """

    kind: Literal["stage"]
    levels: Annotated[tuple[Level, ...], Field(min_length=1)]
    is_cumulative: Flag


Resistance = Annotated[Counted | Scored | Staged, Field(discriminator="kind")]


def counting_parts(rule: Resistance) -> list[Count | Item | NumberItem]:
    """The parts of a rule that count trials."""
    if isinstance(rule, Scored):
        return [item for item in rule.items if isinstance(item, Item | NumberItem)]
    return [count for each in alternatives_of(rule) for count in each.all_of]


def alternatives_of(rule: Resistance) -> tuple[Alternative, ...]:
    """Every alternative of a rule that counts trials, or of the stages of one."""
    if isinstance(rule, Counted):
        return rule.any_of
    return tuple(each for level in rule.levels for each in level.any_of) if isinstance(rule, Staged) else ()


def reads_whole_episode(rule: Resistance) -> bool:
    """Are there points for the episode's length, its diagnoses or its admissions?"""
    items = (LengthItem, DiagnosisItem, AdmissionItem)
    return isinstance(rule, Scored) and any(isinstance(item, items) for item in rule.items)
