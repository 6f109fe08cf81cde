"""A definition of treatment resistance: five frozen blocks, each answering one question.

    eligible    which episodes does the definition speak about?
    trial       what is one treatment attempt?
    adequacy    was it long and strong enough?
    outcome     did it fail, did it work, or can we not tell?
    resistance  how many failures of which kind?

Every setting is stated in every file: there is no default and no inheritance, so two files can be
read side by side and `dataclasses.replace(a, adequacy=b.adequacy)` is a meaningful what-if.
No block reads another block's settings. Blocks are hashable, so equal blocks share work.
"""

from __future__ import annotations

import dataclasses
import tomllib
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from schemas.errors import ImpasseError, nearest

_STRICT = ConfigDict(extra="forbid")
_frozen = dataclass(frozen=True, kw_only=True, config=_STRICT)

Disorder = Literal["anxiety", "depression", "ocd", "ptsd", "schizophrenia"]
DISORDERS: tuple[str, ...] = ("anxiety", "depression", "ocd", "ptsd", "schizophrenia")
MODALITIES: tuple[str, ...] = ("drug", "augmentation", "psychotherapy", "neuromodulation")
BLOCKS: tuple[str, ...] = ("eligible", "trial", "adequacy", "outcome", "resistance")

Days = Annotated[int, Field(ge=0)]
AddOnRule = Literal["own_trial", "part_of_trial", "ignored"]


@_frozen
class Source:
    """Where the definition is written, what it says and how we read it."""

    citation: str
    says: str
    reading: str
    open: str
    confidence: Literal["V", "V-abs", "V-code", "V2", "M", "U", "D"]


@_frozen
class Exclusion:
    """Episodes of a person with a code of `codes` at the stated time are not eligible."""

    codes: str
    when: Literal["ever", "before", "during", "before_or_during"]


@_frozen
class Eligible:
    """Which episodes the definition speaks about.

    `diagnoses` are code lists: at least one contact of the episode must be in one of them.
    Ages are completed years at the episode's start. `min_observed_days` is the time the registry
    observed the person before the episode's start.
    """

    disorders: tuple[Disorder, ...]
    diagnoses: tuple[str, ...]
    exclusions: tuple[Exclusion, ...]
    min_age: Annotated[int, Field(ge=0, le=150)]
    max_age: Annotated[int, Field(ge=0, le=150)]
    min_observed_days: Days


@_frozen
class Trial:
    """What one treatment attempt is.

    `treatments` and `augmenters` are treatment groups. Gaps are uncovered days. `overlap_days` is
    the overlap from which two drugs are taken together rather than one replacing the other.
    """

    treatments: tuple[str, ...]
    augmenters: tuple[str, ...]
    drug_gap_days: Days
    session_gap_days: Days
    carry_over: bool
    carry_over_cap_days: Days
    augmentation: AddOnRule
    combination: AddOnRule
    overlap_days: Annotated[int, Field(ge=1)]
    window: Literal["episode", "first_days", "last_days"]
    window_days: Days


@_frozen
class DrugAdequacy:
    """Long and strong enough, for drugs.

    At least `min_days` days at or above `min_dose_ratio` times the dose that `dose_basis` names,
    counted over the trial's `span` or over `covered` days only, and with at least
    `min_adherence_percent` of the trial's days covered by supply.
    """

    min_days: Days
    duration_basis: Literal["span", "covered"]
    dose_basis: Literal["any", "ddd_ratio", "minimum_effective", "usual_dose_lower"]
    min_dose_ratio: Annotated[float, Field(ge=0)]
    min_adherence_percent: Annotated[int, Field(ge=0, le=100)]


@_frozen
class SessionAdequacy:
    """Long enough, for treatments given in sessions: days first to last, and number of days with a session."""

    min_days: Days
    min_sessions: Annotated[int, Field(ge=1)]


@_frozen
class Adequacy:
    """Was the trial long and strong enough? One rule per modality."""

    drug: DrugAdequacy
    augmentation: DrugAdequacy
    psychotherapy: SessionAdequacy
    neuromodulation: SessionAdequacy


@_frozen
class ScaleRule:
    """One symptom scale's verdict on a trial.

    `fall_below`: failed when the fall from baseline is under `value` percent of the distance
    between baseline and the scale's minimum. `score_above`: failed when the score exceeds `value`.
    """

    scale: str
    fails_if: Literal["fall_below", "score_above"]
    value: float


@_frozen
class Outcome:
    """Did the trial fail, did it work, or can we not tell?

    `evidence` is ordered: the first kind that can tell, tells. A score is an outcome score from
    `score_from_day` days after the trial's start until `score_days_after_end` days after its end.
    `change_within` is in days after the trial's last day, or the rest of the episode.
    """

    evidence: Annotated[tuple[Literal["scales", "treatment_change"], ...], Field(min_length=1)]
    scales: tuple[ScaleRule, ...]
    scales_joined: Literal["any", "any_measured", "all", "first"]
    baseline_days_before: Days
    baseline_days_after: Days
    score_from_day: Days
    score_days_after_end: Days
    change_signs: tuple[Literal["switch", "add_on", "ect", "tms", "admission"], ...]
    change_within: Days | Literal["episode"]
    if_unfinished: Literal["not_failed", "unknown"]
    early_stop_days: Days
    early_stop: Literal["not_failed", "unknown", "by_evidence"]


@_frozen
class Count:
    """At least `n` failed adequate trials of the groups `of`, counted by what must differ."""

    n: Annotated[int, Field(ge=1)]
    of: Annotated[tuple[str, ...], Field(min_length=1)]
    distinct_by: Literal["none", "substance", "class", "mechanism"]


@_frozen
class Arm:
    """All counts of an arm must be met; `name` appears in reports."""

    name: str
    all_of: Annotated[tuple[Count, ...], Field(min_length=1)]


@_frozen
class Item:
    """Points of a staging score.

    `failed_trials` counts failed adequate trials; `raised_dose` those of them whose dose was raised;
    `extended` those that lasted at least `extended_days`; each `of` a treatment group, at most
    `max_points` in all.
    """

    item: Literal["failed_trials", "raised_dose", "extended"]
    of: Annotated[tuple[str, ...], Field(min_length=1)]
    points: Annotated[float, Field(gt=0, multiple_of=0.5)]
    max_points: Annotated[float, Field(gt=0, multiple_of=0.5)]
    extended_days: Days


@_frozen
class Counted:
    """Resistance as a count: any arm suffices."""

    kind: Literal["count"]
    any_of: Annotated[tuple[Arm, ...], Field(min_length=1)]


@_frozen
class Scored:
    """Resistance as a score: the sum of the items' points reaches the threshold."""

    kind: Literal["score"]
    items: Annotated[tuple[Item, ...], Field(min_length=1)]
    threshold: Annotated[float, Field(gt=0, multiple_of=0.5)]


Resistance = Annotated[Counted | Scored, Field(discriminator="kind")]


@_frozen
class Definition:
    """One published definition, or one named reading of it."""

    id: str
    title: str
    status: Literal["active", "unverified", "draft", "withdrawn"]
    source: Source
    eligible: Eligible
    trial: Trial
    adequacy: Adequacy
    outcome: Outcome
    resistance: Resistance

    @property
    def groups(self) -> frozenset[str]:
        """Every treatment group the definition names."""
        return frozenset(self.trial.treatments + self.trial.augmenters) | self.counted_groups

    @property
    def counted_groups(self) -> frozenset[str]:
        """The treatment groups whose failures the resistance block counts."""
        rule = self.resistance
        parts = (
            [c.of for a in rule.any_of for c in a.all_of] if isinstance(rule, Counted) else [i.of for i in rule.items]
        )
        return frozenset(group for of in parts for group in of)

    @property
    def code_lists(self) -> frozenset[str]:
        """Every diagnosis code list the definition names."""
        return frozenset(self.eligible.diagnoses) | {e.codes for e in self.eligible.exclusions}


_ADAPTER = TypeAdapter(Definition)


def json_schema() -> dict[str, Any]:
    """JSON Schema of a definition file (the id is the file's name and is not in it)."""
    schema = _ADAPTER.json_schema()
    schema["properties"].pop("id")
    schema["required"].remove("id")
    return schema


def parse(definition_id: str, text: str) -> Definition:
    """Read one definition file's text; `definition_id` is the file's name without its ending.

    Raises ImpasseError naming the setting, the nearest known spelling and what was expected.
    """
    where = f"definition {definition_id}"
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ImpasseError(
            f"Not valid TOML: {error}", where=where, do="Correct the line; text and codes need quotes."
        ) from None
    try:
        definition = _ADAPTER.validate_python({**raw, "id": _own_id(definition_id, raw, where)})
    except ValidationError as error:
        raise _explained(error, where, text) from None
    _refuse_impossible(definition, where)
    return definition


def _own_id(definition_id: str, raw: dict[str, Any], where: str) -> str:
    if "id" in raw:
        raise ImpasseError(
            "A definition file states no id.",
            where=where,
            expected="the file's name to be its id",
            do="Remove the line.",
        )
    return definition_id


def _explained(error: ValidationError, where: str, text: str) -> ImpasseError:
    """The first problem of a pydantic error, in the user's words."""
    # A misspelt setting is both unknown and missing; that it is unknown is the one to tell.
    problem = min(error.errors(), key=lambda p: p["type"] != "unexpected_keyword_argument")
    path = [str(part) for part in problem["loc"] if part not in ("count", "score")]
    setting = ".".join(path)
    line = _line_of(path[-1] if path else "", text)
    where = f"{where}, {line}setting {setting}"
    if problem["type"] == "unexpected_keyword_argument":
        guess = nearest(path[-1], _known_settings())
        hint = f"Did you mean '{guess}'?" if guess else "Remove it."
        return ImpasseError(f"Unknown setting '{setting}'.", where=where, expected="a setting of this block", do=hint)
    if problem["type"] in ("missing", "missing_argument"):
        return ImpasseError(
            f"Missing setting '{setting}'.",
            where=where,
            expected="every setting stated; a definition has no defaults",
            do="Add it, with the value the source gives.",
        )
    return ImpasseError(
        f"Setting '{setting}' has a value that is not allowed.", where=where, expected=problem["msg"], do="Correct it."
    )


def _line_of(key: str, text: str) -> str:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.split("=")[0].strip(" []") == key:
            return f"line {number}, "
    return ""


def _known_settings() -> list[str]:
    blocks = (Definition, Source, Exclusion, Eligible, Trial, DrugAdequacy, SessionAdequacy, Adequacy)
    blocks += (ScaleRule, Outcome, Count, Arm, Item, Counted, Scored)
    return sorted({f.name for block in blocks for f in dataclasses.fields(block)})


def _refuse_impossible(definition: Definition, where: str) -> None:
    """Combinations no episode could ever meet."""
    e, t, o = definition.eligible, definition.trial, definition.outcome
    problems = [
        (e.min_age > e.max_age, "eligible.min_age exceeds eligible.max_age"),
        (t.window != "episode" and t.window_days == 0, "trial.window_days is 0 in a bounded window"),
        (
            t.window == "first_days" and 0 < t.window_days < definition.adequacy.drug.min_days,
            "adequacy.drug.min_days is longer than trial.window_days",
        ),
        ("scales" in o.evidence and not o.scales, "outcome.evidence names scales but outcome.scales is empty"),
        (
            "treatment_change" in o.evidence and not o.change_signs,
            "outcome.evidence names treatment_change but outcome.change_signs is empty",
        ),
        (
            "scales" in o.evidence and o.baseline_days_after >= o.score_from_day,
            "outcome.baseline_days_after reaches outcome.score_from_day, so one score could be both",
        ),
    ]
    for is_wrong, what in problems:
        if is_wrong:
            raise ImpasseError(
                f"Impossible combination: {what}.",
                where=where,
                expected="settings an episode could meet",
                do="Change one.",
            )
