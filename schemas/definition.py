"""A definition of treatment resistance: five frozen blocks, each answering one question.

    eligible    which episodes does the definition speak about?
    trial       what is one treatment attempt?
    adequacy    was it long and strong enough?
    outcome     did it fail, did it work, or can we not tell?
    resistance  how many failures of which kind?

Every file states every setting. No block reads another's, so that each can be replaced; equal ones share work.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

from impasse.schemas.quantities import MOST, Amount, DayCount, Flag, When
from impasse.schemas.resistance import DiagnosisItem, DiagnosisLevel, Resistance, Scored, Staged, counting_parts
from impasse.schemas.source import Source, frozen

Disorder = Literal["anxiety", "depression", "bipolar_depression", "ocd", "ptsd", "schizophrenia"]
DISORDERS: tuple[str, ...] = get_args(Disorder)
MODALITIES: tuple[str, ...] = ("drug", "augmentation", "psychotherapy", "neuromodulation")
BLOCKS: tuple[str, ...] = ("eligible", "trial", "adequacy", "outcome", "resistance")
DECIDERS = (*BLOCKS, "follow_up")  # what settles a verdict, or leaves it open


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
    days: Annotated[int, Field(strict=True, ge=1, le=MOST)]


@frozen
class Eligible:
    """Which episodes the definition speaks about.

    `diagnoses` are code lists: at least one contact of the episode must be in one of them. Ages are completed years at
    the episode's start. `min_observed_days` is the time the registry observed the person before the episode's start.
    The washout: within the `washout_days` days before the episode's treatment is looked for, nothing of the groups
    `washout_treatments` may have been given. An episode with a likely cause of pseudo-resistance is `noted` as such,
    not eligible (`before` failures are counted), or judged and then not called resistant (`after`).
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
    `overlap_needs_refill`, only if the earlier one was dispensed again on the later one's first day or after; else
    it was left, and ends the day before.
    `supply` is taken as delivered, or only its dates are: a drug is then in use from the first to the
    last of its dispensings. Supplies of known kinds other than the `supply_kinds` are not looked at.
    A drug dispensed once lasts until the next drug starts, if that is within `single_dispensing_days`. The
    window is the episode, its first or last `window_days`, or as many from the first day of treatment.
    """

    treatments: tuple[str, ...]
    augmenters: tuple[str, ...]
    permissible_gap_days: DayCount
    session_gap_days: DayCount
    carry_over: Flag
    carry_over_cap_days: DayCount
    augmentation: AddOnRule
    combination: AddOnRule
    overlap_days: Annotated[int, Field(strict=True, ge=1, le=MOST)]
    overlap_needs_refill: Flag
    supply: Literal["as_delivered", "dates_only"]
    supply_kinds: Annotated[tuple[Literal["dispensed", "prescribed", "administered"], ...], Field(min_length=1)]
    single_dispensing_days: DayCount
    window: Literal["episode", "first_days", "last_days", "first_treated_days"]
    window_days: DayCount


@frozen
class DrugAdequacy:
    """Long and strong enough, for drugs.

    At least `min_days` days at or above `min_dose_ratio` times the dose that `dose_basis` names, counted over the
    trial's `span`, over `covered` days only, or with each supply for as long as it was `prescribed`, where that is
    known and reaches beyond the next one. In percent of all its days, or of the first `adherence_window_days`, at
    least `min_pdc_percent` are covered and `min_mpr_percent` handed out.
    """

    min_days: DayCount
    duration_basis: Literal["span", "covered", "prescribed"]
    dose_basis: Literal["any", "ddd_ratio", "minimum_effective", "usual_dose_lower", "chlorpromazine_600", "atrq"]
    min_dose_ratio: Annotated[Amount, Field(ge=0)]
    min_pdc_percent: Annotated[int, Field(strict=True, ge=0, le=100)]
    min_mpr_percent: Annotated[int, Field(strict=True, ge=0, le=1000)]
    adherence_window_days: DayCount


@frozen
class SessionAdequacy:
    """Long enough, for treatments given in sessions: days first to last, and number of days with a session."""

    min_days: DayCount
    min_sessions: Annotated[int, Field(strict=True, ge=1, le=MOST)]


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

    `fall_below`: failed when the fall from baseline is under `value` percent of the distance between baseline and the
    scale's minimum. `points_below`: when it is under `value` points. `score_above`: when the score exceeds `value`.
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
    An add-on is a sign from the trial's `add_on_from_day`-th day on: what is begun before is one plan with it.
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
    add_on_from_day: Annotated[DayCount, Field(ge=1)]
    if_unfinished: Literal["not_failed", "unknown"]
    early_stop_days: DayCount
    early_stop: Literal["not_failed", "unknown", "by_evidence"]


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
        return frozenset(group for part in counting_parts(self.resistance) for group in part.of)

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
