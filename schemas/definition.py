"""A definition of treatment resistance: five frozen blocks, each answering one question.

    eligible    which episodes does the definition speak about?
    trial       what is one treatment attempt?
    adequacy    was it long and strong enough?
    outcome     did it fail, did it work, or can we not tell?
    resistance  how many failures of which kind?

Every setting is stated in every file: there is no default and no inheritance, so two files can be read side by side and
`dataclasses.replace(a, adequacy=b.adequacy)` is a meaningful what-if. No block reads another block's settings. Blocks
are hashable, so equal blocks share work.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field

from impasse.schemas.source import Source, frozen

Disorder = Literal["anxiety", "depression", "bipolar_depression", "ocd", "ptsd", "schizophrenia"]
DISORDERS: tuple[str, ...] = get_args(Disorder)
MODALITIES: tuple[str, ...] = ("drug", "augmentation", "psychotherapy", "neuromodulation")
BLOCKS: tuple[str, ...] = ("eligible", "trial", "adequacy", "outcome", "resistance")
DECIDERS = (*BLOCKS, "follow_up")  # what settles a verdict, or leaves it open


def _without_sign(number: float) -> float:
    """Zero is one number: rules are named by their values, and -0.0 is written otherwise."""
    return number + 0.0


_MOST = 100_000  # days: longer than anyone lives; the arithmetic of days rests on there being a limit
DayCount = Annotated[int, Field(strict=True, ge=0, le=_MOST)]
ScorePoints = Annotated[float, Field(strict=True, ge=0, multiple_of=0.5), AfterValidator(_without_sign)]
Flag = Annotated[bool, Field(strict=True)]
Amount = Annotated[float, Field(strict=True), AfterValidator(_without_sign)]
When = Literal["ever", "before", "during", "before_or_during"]
AddOnRule = Literal["own_trial", "part_of_trial", "ignored"]


@frozen
class Exclusion:
    """Episodes of a person with a code of `codes` at the stated time are not eligible."""

    codes: str
    when: When


@frozen
class Requirement:
    """Only episodes of a person with a code of `codes` on at least `days` different days at the stated time."""

    codes: str
    when: When
    days: Annotated[int, Field(strict=True, ge=1, le=_MOST)]


@frozen
class Eligible:
    """Which episodes the definition speaks about.

    `diagnoses` are code lists: at least one contact of the episode must be in one of them.
    Ages are completed years at the episode's start. `min_observed_days` is the time the registry
    observed the person before the episode's start. The washout: within the `washout_days` days before
    the episode's treatment is looked for, nothing of the groups `washout_treatments` may have been given.
    An episode with a likely cause of pseudo-resistance is `noted` as such, not eligible (`before`
    failures are counted), or judged and then not called resistant (`after`).
    """

    disorders: Annotated[tuple[Disorder, ...], Field(min_length=1)]
    diagnoses: tuple[str, ...]
    requirements: tuple[Requirement, ...]
    exclusions: tuple[Exclusion, ...]
    min_age: Annotated[int, Field(strict=True, ge=0, le=150)]
    max_age: Annotated[int, Field(strict=True, ge=0, le=150)]
    min_observed_days: DayCount
    washout_treatments: tuple[str, ...]
    washout_days: DayCount
    pseudo_resistance: Literal["noted", "before", "after"]


@frozen
class Trial:
    """What one treatment attempt is.

    `treatments` and `augmenters` are treatment groups. `permissible_gap_days` are the days without supply
    that one trial of a drug may hold, `session_gap_days` those without a session. `overlap_days` is
    the overlap from which two drugs are taken together rather than one replacing the other; where
    `overlap_needs_refill`, only if the earlier one was dispensed again on the later one's first day or after.
    `supply` is taken as delivered, or only its dates are: a drug is then in use from the first to the
    last of its dispensings. Supplies of other than the `supply_kinds` are not looked at; unknown kinds are. A drug dispensed once lasts until the next drug starts, if that is within
    `single_dispensing_days`. The window is the episode, its first or last `window_days`, or as many
    from the first day of treatment.
    """

    treatments: tuple[str, ...]
    augmenters: tuple[str, ...]
    permissible_gap_days: DayCount
    session_gap_days: DayCount
    carry_over: Flag
    carry_over_cap_days: DayCount
    augmentation: AddOnRule
    combination: AddOnRule
    overlap_days: Annotated[int, Field(strict=True, ge=1, le=_MOST)]
    overlap_needs_refill: Flag
    supply: Literal["as_delivered", "dates_only"]
    supply_kinds: Annotated[tuple[Literal["dispensed", "prescribed", "administered"], ...], Field(min_length=1)]
    single_dispensing_days: DayCount
    window: Literal["episode", "first_days", "last_days", "first_treated_days"]
    window_days: DayCount


@frozen
class DrugAdequacy:
    """Long and strong enough, for drugs.

    At least `min_days` days at or above `min_dose_ratio` times the dose that `dose_basis` names,
    counted over the trial's `span` or over `covered` days only, and with a proportion of days covered
    by supply, in percent of the trial's days, of at least `min_pdc_percent`.
    """

    min_days: DayCount
    duration_basis: Literal["span", "covered"]
    dose_basis: Literal["any", "ddd_ratio", "minimum_effective", "usual_dose_lower", "chlorpromazine_600"]
    min_dose_ratio: Annotated[Amount, Field(ge=0)]
    min_pdc_percent: Annotated[int, Field(strict=True, ge=0, le=100)]


@frozen
class SessionAdequacy:
    """Long enough, for treatments given in sessions: days first to last, and number of days with a session."""

    min_days: DayCount
    min_sessions: Annotated[int, Field(strict=True, ge=1, le=_MOST)]


@frozen
class Adequacy:
    """Was the trial long and strong enough? One rule per modality."""

    drug: DrugAdequacy
    augmentation: DrugAdequacy
    psychotherapy: SessionAdequacy
    neuromodulation: SessionAdequacy


@frozen
class ScaleRule:
    """One symptom scale's verdict on a trial.

    `fall_below`: failed when the fall from baseline is under `value` percent of the distance
    between baseline and the scale's minimum. `points_below`: when it is under `value` points.
    `score_above`: when the score exceeds `value`.
    """

    scale: str
    fails_if: Literal["fall_below", "points_below", "score_above"]
    value: Amount


@frozen
class ScaleBand:
    """One symptom scale's verdict on a trial: failed when the percentage fall is from `at_least` to under `below`."""

    scale: str
    fails_if: Literal["fall_between"]
    at_least: Amount
    below: Amount


@frozen
class Outcome:
    """Did the trial fail, did it work, or can we not tell?

    `evidence` is ordered: the first kind that can tell, tells. The `score` is the last, best or first on treatment from
    the `score_from_day`-th day on; if there is none, the first within `score_days_after_end` days after the last day
    and not after the day the next trial began. The `baseline` is sought around the first day of the trial or episode.
    `lost_response`: what it means that only an earlier score was a response. `change_within`: days after the last day.
    """

    evidence: Annotated[tuple[Literal["scales", "treatment_change"], ...], Field(min_length=1)]
    scales: tuple[Annotated[ScaleRule | ScaleBand, Field(discriminator="fails_if")], ...]
    scales_joined: Literal["any", "any_measured", "all", "first"]
    baseline: Literal["trial", "episode"]
    baseline_days_before: DayCount
    baseline_days_after: DayCount
    score: Literal["last", "best", "first"]
    score_from_day: Annotated[DayCount, Field(ge=1)]
    score_days_after_end: DayCount
    lost_response: Literal["failed", "not_failed"]
    change_signs: tuple[Literal["switch", "add_on", "ect", "tms", "admission"], ...]
    change_within: DayCount | Literal["episode"]
    if_unfinished: Literal["not_failed", "unknown"]
    early_stop_days: DayCount
    early_stop: Literal["not_failed", "unknown", "by_evidence"]


@frozen
class Count:
    """At least `n` trials of the groups `of`, counted by what must differ.

    `what` counts: `failed` adequate trials from the day the failure shows, trials `given` at all from
    their first day, or those `added` to another drug. `timing`: on `any` day up to the one on which the
    alternative is met, at least a day `before` it, or with the `last` of them on that very day.
    """

    n: Annotated[int, Field(strict=True, ge=1, le=_MOST)]
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
    within: Annotated[int, Field(strict=True, ge=1, le=_MOST)] | Literal["episode"]
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


@frozen
class Definition:
    """One published definition, or one named reading of it; `short` is its label in figures."""

    id: str
    title: str
    short: str = ""
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
        named = self.trial.treatments + self.trial.augmenters + self.eligible.washout_treatments
        return frozenset(named) | self.counted_groups

    @property
    def counted_groups(self) -> frozenset[str]:
        """The treatment groups whose trials the resistance block counts."""
        return frozenset(group for part in _counting(self.resistance) for group in part.of)

    @property
    def code_lists(self) -> frozenset[str]:
        """Every diagnosis code list the definition names."""
        e = self.eligible
        items = self.resistance.items if isinstance(self.resistance, Scored) else ()
        levels = [level for item in items if isinstance(item, DiagnosisItem) for level in item.levels]
        named: list[Exclusion | Requirement | DiagnosisLevel] = [*e.exclusions, *e.requirements, *levels]
        return frozenset(e.diagnoses) | {part.codes for part in named}

    @property
    def gives(self) -> Literal["verdict", "score", "stage"]:
        """A verdict on each episode, or, of a staging system, a score or a stage."""
        if isinstance(self.resistance, Staged):
            return "stage"
        is_open = isinstance(self.resistance, Scored) and self.resistance.threshold == "none"
        return "score" if is_open else "verdict"


def _counting(rule: Resistance) -> list[Count | Item | NumberItem]:
    """The parts of a rule that count trials."""
    if isinstance(rule, Scored):
        return [item for item in rule.items if isinstance(item, Item | NumberItem)]
    return [count for each in alternatives_of(rule) for count in each.all_of]


def alternatives_of(rule: Resistance) -> tuple[Alternative, ...]:
    """Every alternative of a rule that counts trials, or of the stages of one."""
    if isinstance(rule, Counted):
        return rule.any_of
    return tuple(each for level in rule.levels for each in level.any_of) if isinstance(rule, Staged) else ()
