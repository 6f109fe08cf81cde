"""Hand-drawn cases for time not seen, in the reference: both sides of every border on which follow-up hangs.

In these tests a trial fails by the change that follows it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from impasse.schemas.definition import Definition, Exclusion
from impasse.schemas.resistance import (
    AdmissionItem,
    Alternative,
    Band,
    Count,
    DiagnosisItem,
    DiagnosisLevel,
    Item,
    LengthItem,
    Level,
    NumberItem,
    Scored,
    Staged,
)
from impasse.schemas.study import EpisodeSection
from tests.reference import drawn
from tests.reference.drawn import (
    ARIPIPRAZOLE,
    CITALOPRAM,
    CODES,
    DRUGS,
    EVERYTHING,
    MIRTAZAPINE,
    PERIOD,
    SERTRALINE,
    STUDY,
    TWO_DRUGS,
    Row,
    contact,
    on,
    session,
)
from tests.reference.reference import classify_person

FIVE_GIVEN = Count(n=5, of=DRUGS, what="given", distinct_by="none", timing="any")
BASE = replace(
    drawn.BASE,
    eligible=replace(drawn.BASE.eligible, exclusions=()),
    outcome=replace(drawn.BASE.outcome, evidence=("treatment_change",)),
)
NOT_RESISTANT, OPEN = ("not_resistant", "trial"), ("undetermined", "follow_up")


def fill(day: int, atc: str, days: int | None = 29) -> Row:
    """A dispensing of four weeks and a day, at a known dose."""
    return drawn.fill(day, atc, days)


def covered(start: int, end: int) -> list[Row]:
    """The one interval in which the registry observes the person."""
    return [drawn.covered(start, end)]


def until(day: int) -> list[Row]:
    """Coverage from long before the episode to the day."""
    return covered(-400, day)


# Citalopram and sertraline, each left for the next drug: the second failure shows on day 120.
TWO_FAILURES = [fill(0, CITALOPRAM), fill(60, SERTRALINE), fill(120, MIRTAZAPINE)]
ILL_FOR_HALF_A_YEAR = [contact(0), contact(170)]
SEEN, CUT_SHORT, TRUNCATED = until(1500), until(170), covered(-364, 1500)


def classify(
    definition: Definition = BASE,
    study: EpisodeSection = STUDY,
    absent: frozenset[str] = frozenset(),
    observes: frozenset[str] = EVERYTHING,
    death_date: date | None = None,
    **tables: list[Row],
) -> Row:
    """One person with one contact, seen until long after, unless other rows are drawn; the row of the first episode."""
    person = {"person_id": "a", "birth_date": date(1970, 1, 2), "sex": "female", "death_date": death_date}
    rows: Row = {"coverage": SEEN, "diagnoses": [contact(0)]}
    rows |= {name: [] for name in ("dispensings", "procedures", "scores", "admissions")}
    told = classify_person(person | rows | tables, study, PERIOD, [definition], CODES, observes, absent)
    return (told["classifications"] or told["stages"])[0]


def verdict(**drawn: Any) -> tuple[str, str]:
    """The verdict on the first episode, and what decided it."""
    row = classify(**drawn)
    return row["verdict"], row["decided_by"]


def with_window(window: str, days: int) -> Definition:
    """The base definition with a window in which trials are sought."""
    return replace(BASE, trial=replace(BASE.trial, window=window, window_days=days))


def with_eligible(**settings: Any) -> Definition:
    """The base definition with another eligible block."""
    return replace(BASE, eligible=replace(BASE.eligible, **settings))


def with_score(threshold: float | str, *items: Any) -> Definition:
    """The base definition with a score."""
    return replace(BASE, resistance=Scored(kind="score", items=items, threshold=threshold))


# --- Seen to the close ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("last", "told"), [(180, NOT_RESISTANT), (179, OPEN)])
def test_an_episode_is_followed_up_for_its_gap(last: int, told: tuple) -> None:
    """Its tail ends on day 30 in both; seen for 180 days after the only contact it is over, for 179 it may go on."""
    assert verdict(coverage=until(last)) == told


@pytest.mark.parametrize(("death", "told"), [(99, NOT_RESISTANT), (100, NOT_RESISTANT), (101, OPEN)])
def test_death_closes(death: int, told: tuple) -> None:
    """Dead by the last day of coverage the person is not lost; dead a day later, what came before was not seen."""
    assert verdict(death_date=on(death), coverage=until(100), diagnoses=[contact(0), contact(90)]) == told


@pytest.mark.parametrize(("last", "told"), [(60, NOT_RESISTANT), (59, OPEN)])
def test_remission_closes(last: int, told: tuple) -> None:
    """A remission code on the last day of coverage is an end; one after it is not seen by the rules."""
    assert verdict(coverage=until(last), diagnoses=[contact(0), contact(60, "F325")]) == told


@pytest.mark.parametrize(("day", "told"), [(2011, NOT_RESISTANT), (2012, OPEN)])
def test_the_period_ends_the_view_without_coverage(day: int, told: tuple) -> None:
    """Without the table of coverage, too, an episode is open whose gap reaches beyond the period."""
    assert on(2011 + 180) == PERIOD.end
    assert verdict(absent=frozenset({"coverage"}), diagnoses=[contact(day)]) == told


@pytest.mark.parametrize(("last", "told"), [(89, NOT_RESISTANT), (88, OPEN)])
@pytest.mark.parametrize("contacts", [(0,), (0, 80)])
def test_the_first_days_close_on_the_last_of_them(last: int, told: tuple, contacts: tuple[int, ...]) -> None:
    """The 90th day is day 89, also where the tail of the episode ends before it."""
    diagnoses = [contact(day) for day in contacts]

    assert verdict(definition=with_window("first_days", 90), coverage=until(last), diagnoses=diagnoses) == told


def test_first_days_of_an_episode_that_ended_close_with_it() -> None:
    """The episode is over before its window is: it was seen to its end, though not to the window's."""
    assert verdict(definition=with_window("first_days", 365), coverage=until(180)) == NOT_RESISTANT


@pytest.mark.parametrize("window", ["episode", "last_days"])
@pytest.mark.parametrize(("last", "told"), [(180, NOT_RESISTANT), (179, OPEN)])
def test_the_last_days_close_with_the_episode(window: str, last: int, told: tuple) -> None:
    """Neither window has a last day of its own, however few its days are."""
    assert verdict(definition=with_window(window, 1), coverage=until(last)) == told


@pytest.mark.parametrize(
    ("treated", "closes"),
    [
        (10, 69),
        (0, 59),
        (-30, 29),  # the first day of the lead
        (-31, None),  # before the lead: not treatment of this episode
        (30, 89),  # the last day of the tail
        (31, None),  # after the episode
    ],
)
def test_the_first_treated_days_close_on_the_last_of_them(treated: int, closes: int | None) -> None:
    """The 60th day from the first with a treatment; without such a day it is the episode that closes."""
    definition, rows = with_window("first_treated_days", 60), [fill(treated, CITALOPRAM)]
    on_the_day, before = (180, 179) if closes is None else (closes, closes - 1)
    # Where coverage ends before the tail does, the episode ends with it; the treated day must lie before.
    assert verdict(definition=definition, coverage=until(on_the_day), dispensings=rows) == NOT_RESISTANT
    assert verdict(definition=definition, coverage=until(before), dispensings=rows) == OPEN


def test_a_treatment_after_the_view_opens_no_window() -> None:
    """Observation ends on day 20: a treatment of that day starts a window of one day, one of the next day none."""
    definition, told = with_window("first_treated_days", 1), []
    for day in (20, 21):
        told.append(verdict(definition=definition, coverage=until(20), dispensings=[fill(day, CITALOPRAM)]))

    assert told == [NOT_RESISTANT, OPEN]


def test_the_first_of_several_treated_days_counts() -> None:
    """The window runs from the first fill, in whatever order the rows are."""
    rows = [fill(28, CITALOPRAM), fill(5, CITALOPRAM)]
    told = [
        verdict(definition=with_window("first_treated_days", 60), coverage=until(last), dispensings=rows)
        for last in (64, 63)
    ]

    assert told == [NOT_RESISTANT, OPEN]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ({"procedures": [session(10, "cbt")]}, NOT_RESISTANT),
        ({"procedures": [session(10, "psychotherapy_unspecified")]}, NOT_RESISTANT),
        ({"procedures": [session(10, "ect")]}, OPEN),
        ({"dispensings": [fill(10, ARIPIPRAZOLE)]}, OPEN),
        ({"dispensings": [fill(-40, CITALOPRAM, 90)]}, OPEN),
    ],
)
def test_what_may_be_a_treatment_of_the_rule_opens_the_window(rows: dict, told: tuple) -> None:
    """Perhaps CBT suffices; an augmenter, another treatment or supply from before the lead does not."""
    assert verdict(definition=with_window("first_treated_days", 60), coverage=until(69), **rows) == told


# --- From the true start ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("since", "told"), [(-365, NOT_RESISTANT), (-364, OPEN)])
@pytest.mark.parametrize("window", ["episode", "first_days", "last_days", "first_treated_days"])
def test_an_episode_that_began_unseen_is_open(window: str, since: int, told: tuple) -> None:
    """365 days before the episode are asked for, whatever the window, and though the rest was all seen."""
    assert verdict(definition=with_window(window, 60), coverage=covered(since, 1500)) == told


def test_without_a_table_of_coverage_the_start_is_true() -> None:
    """The days of the period before it were observed then, and are enough."""
    assert verdict(absent=frozenset({"coverage"})) == NOT_RESISTANT
    assert classify(absent=frozenset({"coverage"}))["n_failed_max"] == 0


def test_an_episode_outside_coverage_is_open_by_eligibility() -> None:
    """Nothing can be said of an episode that was not observed, and that is asked first."""
    assert verdict(coverage=covered(-1000, -1)) == ("undetermined", "eligible")


# --- Verdicts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("coverage", "most"), [(SEEN, 2), (CUT_SHORT, None), (TRUNCATED, None)])
def test_resistant_stays_without_an_upper_bound(coverage: list[Row], most: int | None) -> None:
    """Two drugs surely failed, whatever was not seen; how many failed at most is not known then."""
    row = classify(coverage=coverage, diagnoses=ILL_FOR_HALF_A_YEAR, dispensings=TWO_FAILURES)

    assert (row["verdict"], row["decided_by"], row["resistant_date"]) == ("resistant", "resistance", on(120))
    assert (row["n_failed_min"], row["n_failed_max"]) == (2, most)


@pytest.mark.parametrize(
    ("coverage", "block", "most"), [(SEEN, "adequacy", 2), (TRUNCATED, "adequacy", None), (CUT_SHORT, "outcome", None)]
)
def test_what_a_trial_leaves_open_is_decided_by_its_block(coverage: list[Row], block: str, most: int | None) -> None:
    """Of the second drug the days are unknown; cut short, how the third went on is what is missing, too."""
    rows = [fill(0, CITALOPRAM), fill(60, SERTRALINE, None), fill(120, MIRTAZAPINE)]
    row = classify(coverage=coverage, diagnoses=ILL_FOR_HALF_A_YEAR, dispensings=rows)

    assert (row["verdict"], row["decided_by"], row["n_failed_max"]) == ("undetermined", block, most)


@pytest.mark.parametrize(("coverage", "told"), [(SEEN, ("not_resistant", "adequacy")), (CUT_SHORT, OPEN)])
def test_what_trials_settle_needs_follow_up_too(coverage: list[Row], told: tuple) -> None:
    """Two drugs, of which the first was too short; and unseen, there may have been others."""
    rows = [fill(0, CITALOPRAM, 27), *TWO_FAILURES[1:2]]

    assert verdict(coverage=coverage, diagnoses=ILL_FOR_HALF_A_YEAR, dispensings=rows) == told


@pytest.mark.parametrize(("coverage", "most"), [(SEEN, 2), (TRUNCATED, None)])
def test_not_eligible_stays(coverage: list[Row], most: int | None) -> None:
    """The definition is not asked about the episode, but what may have failed in it has no upper bound."""
    definition = with_eligible(exclusions=(Exclusion(codes="bipolar", when="before_or_during"),))
    diagnoses = [*ILL_FOR_HALF_A_YEAR, contact(10, "F31")]
    row = classify(definition=definition, coverage=coverage, diagnoses=diagnoses, dispensings=TWO_FAILURES)

    assert (row["verdict"], row["decided_by"], row["n_failed_max"]) == ("not_eligible", "eligible", most)


@pytest.mark.parametrize(("birth", "told"), [(date(1970, 1, 2), OPEN), (None, ("undetermined", "eligible"))])
def test_eligibility_is_asked_first(birth: date | None, told: tuple) -> None:
    """Where it is not known whether the definition speaks about the episode, follow-up decides nothing."""
    tables = {"coverage": CUT_SHORT, "diagnoses": [contact(0)]}
    tables |= {name: [] for name in ("dispensings", "procedures", "scores", "admissions")}
    person = {"person_id": "a", "birth_date": birth, "sex": "female", "death_date": None, **tables}
    definition = with_eligible(min_age=18)
    rows = classify_person(person, STUDY, PERIOD, [definition], CODES, EVERYTHING, frozenset())["classifications"]

    assert [(row["verdict"], row["decided_by"]) for row in rows] == [told]


@pytest.mark.parametrize("coverage", [SEEN, CUT_SHORT, TRUNCATED])
def test_an_episode_of_another_disorder_has_an_upper_bound(coverage: list[Row]) -> None:
    """No trial of it is looked at, so none failed."""
    row = classify(definition=with_eligible(disorders=("anxiety",)), coverage=coverage, dispensings=TWO_FAILURES)

    assert (row["verdict"], row["decided_by"]) == ("not_eligible", "eligible")
    assert (row["n_failed_min"], row["n_failed_max"]) == (0, 0)


def test_what_is_not_shown_takes_the_bound_in_any_disorder() -> None:
    """Where the delivery shows no drugs there is no upper bound, though follow-up asks nothing of the episode."""
    row = classify(definition=with_eligible(disorders=("anxiety",)), observes=frozenset({"ect"}))

    assert row["n_failed_max"] is None


@pytest.mark.parametrize(
    ("setting", "cause", "coverage", "told"),
    [
        ("after", True, CUT_SHORT, ("not_resistant", "eligible")),
        ("after", True, TRUNCATED, ("not_resistant", "eligible")),
        ("after", True, SEEN, NOT_RESISTANT),
        ("after", False, CUT_SHORT, OPEN),
        ("noted", True, CUT_SHORT, OPEN),
        ("before", True, CUT_SHORT, ("not_eligible", "eligible")),
    ],
)
def test_a_diagnosed_cause_rules_out_what_was_not_seen(
    setting: str, cause: bool, coverage: list[Row], told: tuple
) -> None:
    """Asked last, a cause settles what time not seen leaves open; where all was seen there is nothing to settle."""
    diagnoses = [contact(0), *([contact(5, "E05")] if cause else [])]

    assert verdict(definition=with_eligible(pseudo_resistance=setting), coverage=coverage, diagnoses=diagnoses) == told


# --- Scores and stages ------------------------------------------------------------------------------------------------

FAILED = Item(item="failed_trials", of=DRUGS, points=0.5, max_points=3.0, extended_days=0)
RAISED = Item(item="raised_dose", of=DRUGS, points=1.0, max_points=1.0, extended_days=0)
BANDS = (Band(at_least=1, points=5.0), Band(at_least=3, points=2.0))
NUMBER = NumberItem(item="number_of_trials", of=DRUGS, what="given", distinct_by="none", bands=BANDS, is_required=False)
LENGTH = LengthItem(item="episode_days", bands=(Band(at_least=0, points=1.0), Band(at_least=731, points=3.0)))
MILD = (DiagnosisLevel(codes="mild", points=1.0), DiagnosisLevel(codes="severe", points=4.0))
SEVERITY = DiagnosisItem(item="diagnosis", when="during", levels=MILD, otherwise=2.0)
OTHERWISE = replace(SEVERITY, otherwise=6.0)
ADMITTED = AdmissionItem(item="admission", points=2.0)


@pytest.mark.parametrize(
    ("item", "seen", "unseen"),
    [
        (FAILED, (0.0, 0.0), (0.0, 3.0)),
        (RAISED, (0.0, 0.0), (0.0, 1.0)),
        (NUMBER, (0.0, 0.0), (0.0, 5.0)),
        (replace(NUMBER, is_required=True), (None, None), (None, 5.0)),
        (LENGTH, (1.0, 1.0), (1.0, 3.0)),
        (SEVERITY, (2.0, 2.0), (2.0, 4.0)),
        (OTHERWISE, (6.0, 6.0), (6.0, 6.0)),
        (ADMITTED, (0.0, 0.0), (0.0, 2.0)),
    ],
)
@pytest.mark.parametrize("threshold", ["none", 100.0])
def test_time_not_seen_may_have_earned_the_most(item: Any, seen: tuple, unseen: tuple, threshold: float | str) -> None:
    """Of each item the most, also where a trial is required; of a score with a threshold, too."""
    told = []
    for coverage in (SEEN, until(179), TRUNCATED):
        row = classify(definition=with_score(threshold, item), coverage=coverage)
        told.append((row["score_min"], row["score_max"]))

    assert told == [seen, unseen, unseen]


def test_the_most_of_all_items_is_their_sum() -> None:
    """3 + 1 + 5 + 3 + 4 + 2 points."""
    definition = with_score("none", FAILED, RAISED, NUMBER, LENGTH, SEVERITY, ADMITTED)

    assert classify(definition=definition, coverage=CUT_SHORT)["score_max"] == 18.0


@pytest.mark.parametrize(("last", "told"), [(89, (0.0, 0.0)), (88, (0.0, 3.0))])
def test_a_staging_system_closes_with_its_window(last: int, told: tuple) -> None:
    """The 90th day is day 89."""
    definition = replace(with_score("none", FAILED), trial=with_window("first_days", 90).trial)
    row = classify(definition=definition, coverage=until(last))

    assert (row["score_min"], row["score_max"]) == told


@pytest.mark.parametrize(
    ("threshold", "coverage", "told"),
    [
        (1.0, SEEN, ("resistant", "resistance")),
        (1.0, CUT_SHORT, ("resistant", "resistance")),
        (1.5, SEEN, ("not_resistant", "outcome")),
        (1.5, TRUNCATED, OPEN),
        (1.5, CUT_SHORT, ("undetermined", "outcome")),
        (2.0, SEEN, ("not_resistant", "trial")),
        (2.0, CUT_SHORT, OPEN),
    ],
)
def test_a_score_with_a_threshold_needs_follow_up(threshold: float, coverage: list[Row], told: tuple) -> None:
    """Two drugs earn a point; the third may earn half a point if its end was not seen; 2 points were not in reach."""
    definition = with_score(threshold, FAILED)

    assert (
        verdict(definition=definition, coverage=coverage, diagnoses=ILL_FOR_HALF_A_YEAR, dispensings=TWO_FAILURES)
        == told
    )


def test_a_score_in_another_disorder_keeps_its_bound() -> None:
    """Follow-up asks nothing of an episode that the definition does not speak about."""
    definition = replace(with_score(9.0, FAILED), eligible=with_eligible(disorders=("anxiety",)).eligible)

    assert classify(definition=definition, coverage=CUT_SHORT)["score_max"] == 0.0


def _stages(is_cumulative: bool) -> Definition:
    """Two levels: two failed drugs, and five given ones."""
    counts = (("two", TWO_DRUGS), ("five", FIVE_GIVEN))
    levels = tuple(
        Level(name=name, any_of=(Alternative(name=name, within="episode", all_of=(counted,)),), band_days=())
        for name, counted in counts
    )
    return replace(BASE, resistance=Staged(kind="stage", levels=levels, is_cumulative=is_cumulative))


@pytest.mark.parametrize("is_cumulative", [True, False])
@pytest.mark.parametrize(("rows", "lowest"), [([], "none"), (TWO_FAILURES, "two")])
@pytest.mark.parametrize("coverage", [SEEN, CUT_SHORT, TRUNCATED])
def test_any_level_may_have_been_reached(
    is_cumulative: bool, rows: list[Row], lowest: str, coverage: list[Row]
) -> None:
    """Time not seen lifts the highest level to the last one, and leaves the lowest."""
    definition = _stages(is_cumulative)
    row = classify(definition=definition, coverage=coverage, diagnoses=ILL_FOR_HALF_A_YEAR, dispensings=rows)

    assert (row["level_min"], row["level_max"]) == (lowest, lowest if coverage == SEEN else "five")


@pytest.mark.parametrize(
    "settings",
    [
        {"disorders": ("anxiety",)},
        {"exclusions": (Exclusion(codes="depression", when="during"),)},
        {"pseudo_resistance": "after"},
    ],
)
def test_a_staging_system_says_nothing_of_what_is_not_eligible(settings: dict) -> None:
    """Neither a level nor a score, seen or not; a diagnosed cause that is asked last is no eligible episode."""
    eligible, diagnoses = with_eligible(**settings).eligible, [contact(0), contact(5, "E05")]
    for definition in (_stages(is_cumulative=True), with_score("none", FAILED)):
        row = classify(definition=replace(definition, eligible=eligible), coverage=CUT_SHORT, diagnoses=diagnoses)

        assert (row["is_eligible"], row["level_max"], row["score_max"]) == (False, None, None)
