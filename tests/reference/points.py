"""Scores: the points of an episode, their bounds, and the day on which they reach the threshold."""

from __future__ import annotations

from datetime import date

from impasse.schemas.resistance import AdmissionItem, Band, DiagnosisItem, Item, LengthItem, NumberItem, Scored
from tests.reference.basics import Known, Row, Truth, at_the_time, days_between, days_of_diagnosis
from tests.reference.resistance import date_at, number_at, trials_at, what_is_counted

AnyItem = Item | NumberItem | LengthItem | DiagnosisItem | AdmissionItem
Points = float | None  # half points are exact in binary, so floats may be added; None: there is no score


def score_bounds(rule: Scored, known: Known, is_unseen: bool) -> tuple[Points, Points]:
    """The lowest and highest score; None where a required number is not there, or surely not there.

    Where time was not seen, everything that earns points may have happened in it.
    """
    lower = total(rule, "sure", known.trials, known)
    upper = total(rule, "outcome", known.trials, known, is_open=True)
    return lower, sum((most_points(item) for item in rule.items), 0.0) if is_unseen else upper


def most_points(item: AnyItem) -> float:
    """The most that the item can earn."""
    if isinstance(item, Item):
        return item.max_points
    if isinstance(item, NumberItem | LengthItem):
        return max(band.points for band in item.bands)
    if isinstance(item, DiagnosisItem):
        return max([item.otherwise, *(level.points for level in item.levels)])
    return item.points


def score_met(rule: Scored, known: Known) -> Truth:
    """Whether the score of what was seen reaches the threshold; no score reaches none."""
    lower, upper = score_bounds(rule, known, is_unseen=False)
    if reaches(lower, rule):
        return True
    return None if reaches(upper, rule) else False


def reaches(score: Points, rule: Scored) -> bool:
    """Whether the score is there and high enough."""
    return score is not None and score >= rule.threshold


def total(rule: Scored, stage: str, trials: list[Row], known: Known, is_open: bool = False) -> Points:
    """The score with the trials that are in at a stage; `is_open`: what is not observed earns the most it can."""
    points = [points_of(item, stage, trials, known, is_open) for item in rule.items]
    return None if None in points else sum(points, 0.0)


def points_of(item: AnyItem, stage: str, trials: list[Row], known: Known, is_open: bool) -> Points:
    """The points of one item."""
    if isinstance(item, Item):
        if is_open and known.is_blind(item.of):
            return item.max_points
        return item_points(item, stage, trials)
    if isinstance(item, NumberItem):
        if is_open and known.is_blind(item.of):
            return max(band.points for band in item.bands)
        return number_points(item, stage, trials)
    if isinstance(item, LengthItem):
        return banded(item.bands, days_between(known.episode["start_date"], known.episode["end_date"]) + 1)
    if isinstance(item, DiagnosisItem):
        return diagnosis_points(item, known)
    return admission_points(item, known, is_open)


def item_points(item: Item, stage: str, trials: list[Row]) -> float:
    """Points for each trial, capped.

    Reading: an item asks for its feature (dose raised, extended) at every stage, and surely so where the
    adequacy is sure, because then nothing but the outcome may be open.
    """
    needed = (True,) if stage in ("sure", "sure_adequate") else (True, None)
    earning = [trial for trial in trials_at(stage, item, trials) if has_feature(item, trial) in needed]
    return min(item.max_points, item.points * len(earning))


def has_feature(item: Item, trial: Row) -> Truth:
    """Whether the trial has what the item asks beyond failing. Reading: sessions have no dose to raise."""
    if item.item == "failed_trials":
        return True
    if item.item == "extended":
        if trial["n_days"] >= item.extended_days:
            return True
        return False if trial["n_days_at_most"] < item.extended_days else None
    doses = [supply["dose_ug"] for supply in trial["supplies"]]
    known = [dose for dose in doses if dose is not None]
    if known and doses[0] is not None and max(known) > doses[0]:
        return True
    if None in doses:
        return None
    return bool(doses) and max(doses) > doses[0]


def number_points(item: NumberItem, stage: str, trials: list[Row]) -> Points:
    """Points by the number of trials; none at all, not even a score, where a required number is too low."""
    number = number_at(stage, item.distinct_by, trials_at(stage, item, trials))
    if item.is_required and number < item.bands[0].at_least:
        return None
    return banded(item.bands, number)


def banded(bands: tuple[Band, ...], value: int) -> float:
    """The points of the highest band that the value reaches, 0 under the first."""
    return next((band.points for band in reversed(bands) if value >= band.at_least), 0.0)


def diagnosis_points(item: DiagnosisItem, known: Known) -> float:
    """The most points that a diagnosis at the stated time earns, or what there is otherwise."""
    earned = [
        level.points
        for level in item.levels
        if at_the_time(days_of_diagnosis(known.person, level.codes, known.codes), item.when, known.episode)
    ]
    return max(earned, default=item.otherwise)


def admission_points(item: AdmissionItem, known: Known, is_open: bool) -> float:
    """Points for an admission for the disorder that starts in the episode; without the table there may be one."""
    stays = known.person["admissions"]
    if stays is None:
        return item.points if is_open else 0.0
    illness = known.codes.disorders[known.episode["disorder"]]["diagnoses"]
    start, end = known.episode["start_date"], known.episode["end_date"]
    is_admitted = any(
        start <= stay["start_date"] <= end and known.codes.in_list_of_any_system(illness, stay["main_code"])
        for stay in stays
    )
    return item.points if is_admitted else 0.0


def is_possible(rule: Scored, stage: str, known: Known) -> bool:
    """Whether the score could be reached with all trials that are still in at the stage."""
    return reaches(total(rule, stage, known.trials, known), rule)


def first_day_reached(rule: Scored, known: Known) -> date:
    """The first day on which the points earned up to then reach the threshold.

    Reading: what counts no trials counts on every day, also on one before the episode's start on which
    treatment had begun; and where no trial is needed the day is the episode's first.
    """
    if reaches(total(rule, "sure", [], known), rule):
        return known.episode["start_date"]
    counting = [item for item in rule.items if isinstance(item, Item | NumberItem)]
    days = {
        date_at("sure", what_is_counted(item), trial)
        for item in counting
        for trial in trials_at("sure", item, known.trials)
    }
    return next(day for day in sorted(days) if reaches(total_by(day, rule, known), rule))


def total_by(day: date, rule: Scored, known: Known) -> Points:
    """The sure score with what each item counted up to the day."""
    points = []
    for item in rule.items:
        trials = known.trials
        if isinstance(item, Item | NumberItem):
            trials = [t for t in trials_at("sure", item, trials) if date_at("sure", what_is_counted(item), t) <= day]
        points.append(points_of(item, "sure", trials, known, is_open=False))
    return None if None in points else sum(points, 0.0)
