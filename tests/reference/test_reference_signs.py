"""Hand-drawn cases for who is together in the reference, and which sign of change that is.

Day 0 is the first day. Unless a case says otherwise a supply of unknown length lasts at most 100 days, 30 days make
drugs taken together, a sign counts within 90 days, and the person is seen for long. What is judged is the first trial.
"""

from __future__ import annotations

from typing import Any

import pytest

from impasse.schemas.definition import ScaleRule
from tests.reference.drawn import (
    ARIPIPRAZOLE,
    CITALOPRAM,
    MIRTAZAPINE,
    QUETIAPINE,
    SERTRALINE,
    Row,
    by_change,
    contact,
    facts,
    fill,
    judged,
    on,
    session,
)

BOTH, SWITCH, ADD_ON = ("switch", "add_on"), ("switch",), ("add_on",)
REFILLED = {"overlap_needs_refill": True}
ABOVE_SEVEN = ScaleRule(scale="hamd17", fails_if="score_above", value=7.0)
NO_CHANGE, UNFINISHED = (False, "no_change", None), (None, "unfinished", None)
UNKNOWN_END, UNKNOWN_OVERLAP = (None, "unknown_end", None), (None, "unknown_overlap", None)


def signed(rows: list[Row], signs: tuple[str, ...], **rest: Any) -> tuple:
    """What the first trial's signs of change say."""
    return judged(rows, outcome={"change_signs": signs}, **rest)


# --- Roles ------------------------------------------------------------------------------------------------------------


def roles(rows: list[Row], **rest: Any) -> list[tuple]:
    """Each trial's role and number of add-ons."""
    return facts(by_change(rows, **rest)["trials"], "role", "n_add_ons")


HOSTED, LEFT = [("first", 1), ("combination", 0)], [("first", 0), ("switch", 0)]


@pytest.mark.parametrize(
    ("refills", "needs_refill", "told"),
    [
        ([], True, LEFT),
        ([(39, 98)], True, LEFT),
        ([(40, 98)], True, HOSTED),
        ([(90, 30)], True, HOSTED),
        ([(40, 29)], True, HOSTED),
        ([], False, HOSTED),
        ([(39, 98)], False, HOSTED),
    ],
)
def test_a_host_is_dispensed_again(refills: list, needs_refill: bool, told: list) -> None:
    """A pack of 98 days, and another drug from day 40; the first must be dispensed on that day or after it."""
    rows = [fill(0, CITALOPRAM, 98), *(fill(day, CITALOPRAM, days) for day, days in refills), fill(40, SERTRALINE, 60)]

    assert roles(rows, trial={"overlap_needs_refill": needs_refill}) == told


@pytest.mark.parametrize(("days", "told"), [(30, HOSTED), (29, LEFT)])
def test_a_refill_makes_no_overlap(days: int, told: list) -> None:
    """Dispensed again on the other's first day, and taken together with it for so many days."""
    rows = [fill(0, CITALOPRAM, 40), fill(40, CITALOPRAM, days), fill(40, SERTRALINE, 60)]

    assert roles(rows, trial=REFILLED) == told


@pytest.mark.parametrize(("until", "told"), [(97, HOSTED), (127, HOSTED), (128, LEFT)])
def test_a_host_that_still_runs_may_yet_be_dispensed_again(until: int, told: list) -> None:
    """The pack lasts until day 97; observation ends within the gap of 30 days that a trial may hold, or after it."""
    assert roles([fill(0, CITALOPRAM, 98), fill(40, SERTRALINE, 98)], until=until, trial=REFILLED) == told


@pytest.mark.parametrize(
    ("last", "code", "told"),
    [
        (67, "F321", LEFT),
        (68, "F321", LEFT),
        (80, "F325", HOSTED),
        (97, "F325", HOSTED),
        (98, "F325", LEFT),
    ],
)
def test_a_host_still_runs_on_the_day_of_the_remission(last: int, code: str, told: list) -> None:
    """The pack lasts until day 97; an episode that is over 30 days after the last contact leaves nothing open."""
    diagnoses = [contact(0), contact(last, code)]

    assert roles([fill(0, CITALOPRAM, 98), fill(40, SERTRALINE, 98)], trial=REFILLED, diagnoses=diagnoses) == told


WINDOWS = [
    ("first_days", 98, 1500, True),
    ("first_days", 99, 1500, False),
    ("first_days", 99, 98, True),
    ("first_days", 99, 99, False),
    ("first_treated_days", 98, 1500, True),
    ("first_treated_days", 99, 1500, False),
    ("last_days", 128, 127, True),
    ("last_days", 129, 128, False),
]


@pytest.mark.parametrize(("window", "window_days", "until", "still_runs"), WINDOWS)
def test_a_host_still_runs_on_the_last_day_of_the_window(
    window: str, window_days: int, until: int, still_runs: bool
) -> None:
    """Within a gap of the pack's last day, 97, if no more was observed; else what came after it is not looked at."""
    rows = [fill(0, CITALOPRAM, 98), fill(40, SERTRALINE, 98)]
    trial = {**REFILLED, "window": window, "window_days": window_days}

    assert roles(rows, until=until, trial=trial) == (HOSTED if still_runs else LEFT)


def test_drugs_begun_together_are_together() -> None:
    """Both were dispensed on the first day."""
    assert roles([fill(0, CITALOPRAM, 60), fill(0, SERTRALINE, 60)], trial=REFILLED) == HOSTED


AUGMENTED = [("first", 1), ("augmentation", 0)]
ALSO_MAIN = ("antidepressants", "augmenters")


@pytest.mark.parametrize(
    ("treatments", "drug", "day", "told"),
    [
        (("antidepressants",), ARIPIPRAZOLE, 68, AUGMENTED),
        (("antidepressants",), ARIPIPRAZOLE, 69, [("first", 0)]),
        (ALSO_MAIN, ARIPIPRAZOLE, 68, AUGMENTED),
        (ALSO_MAIN, ARIPIPRAZOLE, 69, LEFT),
        (ALSO_MAIN, SERTRALINE, 68, LEFT),
    ],
)
def test_an_augmenter_is_added_by_overlap_alone(treatments: tuple, drug: str, day: int, told: list) -> None:
    """Beside one pack of 98 days for 30 days, or for 29; nobody asks if the pack is refilled."""
    rows = [fill(0, CITALOPRAM, 98), fill(day, drug, 60)]

    assert roles(rows, trial={**REFILLED, "treatments": treatments}) == told


@pytest.mark.parametrize(("needs_refill", "n_add_ons"), [(True, [1, 1, 0]), (False, [2, 0, 0])])
def test_the_host_is_the_one_that_was_not_left(needs_refill: bool, n_add_ons: list) -> None:
    """Mirtazapine is longest together with citalopram, which was left in its pack, and not with sertraline."""
    rows = [fill(0, CITALOPRAM, 120), fill(0, SERTRALINE, 20), fill(50, SERTRALINE, 60), fill(45, MIRTAZAPINE, 90)]

    assert [n for _, n in roles(rows, trial={"overlap_needs_refill": needs_refill})] == n_add_ons


def test_what_was_left_ends_the_day_before_the_other_begins() -> None:
    """Of the pack of 98 days, 40 were taken."""
    told = by_change([fill(0, CITALOPRAM, 98), fill(40, SERTRALINE, 60)], trial=REFILLED)

    assert facts(told["trials"], "n_days", "end_date")[0] == (40, on(39))


# --- Signs between two drugs ------------------------------------------------------------------------------------------

EITHER_40 = (True, "switch_or_add_on", on(40))


@pytest.mark.parametrize(
    ("refill", "until", "by_both", "by_switch", "by_add_on"),
    [
        (None, 1500, (True, "switch", on(40)), (True, "switch", on(40)), NO_CHANGE),
        (39, 1500, (True, "switch", on(40)), (True, "switch", on(40)), NO_CHANGE),
        (40, 1500, (True, "add_on", on(40)), NO_CHANGE, (True, "add_on", on(40))),
        (None, 128, (True, "switch", on(40)), (True, "switch", on(40)), UNFINISHED),
        (None, 127, EITHER_40, UNKNOWN_OVERLAP, UNKNOWN_OVERLAP),
    ],
)
def test_a_drug_dispensed_again_is_added_to(
    refill: int | None, until: int, by_both: tuple, by_switch: tuple, by_add_on: tuple
) -> None:
    """A pack of 98 days, and another drug from day 40; until 30 days after the pack nobody knows if it is refilled."""
    refills = [] if refill is None else [fill(refill, CITALOPRAM, 98)]
    rows = [fill(0, CITALOPRAM, 98), *refills, fill(40, SERTRALINE, 60)]
    told = [signed(rows, signs, until=until, trial=REFILLED) for signs in (BOTH, SWITCH, ADD_ON)]

    assert told == [by_both, by_switch, by_add_on]


@pytest.mark.parametrize(
    ("day", "by_both", "by_switch", "by_add_on"),
    [
        (1, (True, "switch_or_add_on", on(1)), UNKNOWN_OVERLAP, UNKNOWN_OVERLAP),
        (70, (True, "switch_or_add_on", on(70)), UNKNOWN_OVERLAP, UNKNOWN_OVERLAP),
        (71, (True, "switch", on(71)), (True, "switch", on(71)), NO_CHANGE),
        (90, (True, "switch", on(90)), (True, "switch", on(90)), NO_CHANGE),
        (91, UNKNOWN_END, UNKNOWN_END, NO_CHANGE),
        (189, UNKNOWN_END, UNKNOWN_END, NO_CHANGE),
        (190, NO_CHANGE, NO_CHANGE, NO_CHANGE),
    ],
)
def test_drugs_may_be_taken_together(day: int, by_both: tuple, by_switch: tuple, by_add_on: tuple) -> None:
    """Citalopram lasts until day 0 or 99: together with a drug from day 70 for up to 30 days, from day 71 for 29."""
    rows = [fill(0, CITALOPRAM, None), fill(day, SERTRALINE, 60)]

    assert [signed(rows, signs) for signs in (BOTH, SWITCH, ADD_ON)] == [by_both, by_switch, by_add_on]
    assert signed(rows, ("ect",)) == NO_CHANGE


@pytest.mark.parametrize(("day", "sign"), [(30, "switch_or_add_on"), (31, "switch")])
def test_the_other_drugs_days_may_be_unknown(day: int, sign: str) -> None:
    """Citalopram lasts until day 59; together from day 30 on for up to 30 days, from day 31 on for 29."""
    assert judged([fill(0, CITALOPRAM, 60), fill(day, SERTRALINE, None)]) == (True, sign, on(day))


@pytest.mark.parametrize(("until", "sign"), [(129, "switch_or_add_on"), (130, "switch")])
def test_what_was_surely_left_is_not_together_however_long_it_lasted(until: int, sign: str) -> None:
    """Of unknown length until day 99 at most, and seen for 30 days more or for 31."""
    rows = [fill(0, CITALOPRAM, None), fill(40, SERTRALINE, 60)]

    assert judged(rows, until=until, trial=REFILLED) == (True, sign, on(40))


@pytest.mark.parametrize(("last", "sign"), [(99, "switch_or_add_on"), (100, "switch")])
@pytest.mark.parametrize("by", ["remission", "death", "window"])
def test_what_may_be_refilled_after_the_last_day_is_open(by: str, last: int, sign: str) -> None:
    """Of unknown length until day 99 at most, and looked at until then or a day longer, whatever is observed."""
    rows = [fill(0, CITALOPRAM, None), fill(40, SERTRALINE, 60)]
    ends = {
        "remission": {"diagnoses": [contact(0), contact(last, "F325")], "trial": REFILLED},
        "death": {"death_date": on(last), "trial": REFILLED},
        "window": {"trial": {**REFILLED, "window": "first_days", "window_days": last + 1}},
    }

    assert judged(rows, **ends[by]) == (True, sign, on(40))


@pytest.mark.parametrize("last", [99, 100])
def test_nothing_is_refilled_after_an_episode_that_is_over(last: int) -> None:
    """Of unknown length until day 99 at most, and 30 days after the last contact on that day or the next."""
    rows = [fill(0, CITALOPRAM, None), fill(40, SERTRALINE, 60)]

    assert judged(rows, trial=REFILLED, diagnoses=[contact(0), contact(last - 30)]) == (True, "switch", on(40))


@pytest.mark.parametrize(
    ("again", "sign"), [(39, "switch"), (40, "switch_or_add_on"), (130, "switch_or_add_on"), (131, "switch")]
)
def test_a_refill_of_what_may_be_the_same_trial_is_open(again: int, sign: str) -> None:
    """Sertraline from day 40; citalopram of unknown length, until day 99 at most, and another trial of it."""
    rows = [fill(0, CITALOPRAM, None), fill(again, CITALOPRAM, 98), fill(40, SERTRALINE, 60)]

    assert judged(rows, trial=REFILLED) == (True, sign, on(40))


@pytest.mark.parametrize(
    ("treatments", "day", "told"),
    [
        (("antidepressants",), 68, (True, "add_on", on(68))),
        (("antidepressants",), 69, NO_CHANGE),
        (ALSO_MAIN, 68, (True, "add_on", on(68))),
        (ALSO_MAIN, 69, (True, "switch", on(69))),
    ],
)
def test_an_augmenter_is_an_add_on_by_overlap_alone(treatments: tuple, day: int, told: tuple) -> None:
    """Beside one pack of 98 days for 30 days, or for 29."""
    rows = [fill(0, CITALOPRAM, 98), fill(day, ARIPIPRAZOLE, 60)]

    assert judged(rows, trial={**REFILLED, "treatments": treatments}) == told


@pytest.mark.parametrize(("other", "sign"), [(MIRTAZAPINE, "switch"), (QUETIAPINE, "add_on")])
def test_a_combined_drug_may_take_the_place_of_another(other: str, sign: str) -> None:
    """Citalopram throughout, a pack of sertraline from day 60, and amid it a further antidepressant or augmenter."""
    rows = [fill(60 * n, CITALOPRAM, 60) for n in range(5)]
    rows += [fill(60, SERTRALINE, 98), fill(100, other, 60)]

    assert judged(rows, position=1, trial=REFILLED) == (True, sign, on(100))


@pytest.mark.parametrize(
    ("augmentation", "needs_refill", "day", "told"),
    [
        ("own_trial", False, 90, (True, "add_on", on(90))),
        ("own_trial", False, 91, (True, "switch", on(91))),
        ("own_trial", True, 90, (True, "add_on", on(90))),
        ("own_trial", True, 91, (True, "switch", on(91))),
        ("part_of_trial", False, 90, (True, "add_on", on(90))),
        ("part_of_trial", False, 91, NO_CHANGE),
        ("part_of_trial", True, 90, (True, "add_on", on(90))),
        ("part_of_trial", True, 91, NO_CHANGE),
    ],
)
def test_one_add_on_in_place_of_another_is_a_change(
    augmentation: str, needs_refill: bool, day: int, told: tuple
) -> None:
    """Citalopram throughout, one pack of aripiprazole from day 60 to 119, quetiapine beside it for 30 days or 29."""
    rows = [fill(60 * n, CITALOPRAM, 60) for n in range(5)]
    rows += [fill(60, ARIPIPRAZOLE, 60), fill(day, QUETIAPINE, 60)]
    trial = {"overlap_needs_refill": needs_refill, "augmentation": augmentation}

    assert judged(rows, position=1, trial=trial) == told


def test_an_add_on_to_another_drug_takes_no_place() -> None:
    """Aripiprazole is added to sertraline when citalopram is nearly over: it follows neither."""
    rows = [fill(0, CITALOPRAM, 60), fill(20, SERTRALINE, 120), fill(45, ARIPIPRAZOLE, 60)]

    assert [judged(rows, n, outcome={"change_signs": SWITCH}) for n in (0, 1)] == [NO_CHANGE, NO_CHANGE]


def test_an_augmenter_that_may_have_followed_says_nothing() -> None:
    """Added to sertraline, and beside citalopram, which lasts until day 0 or 99, an add-on or nothing."""
    rows = [fill(0, CITALOPRAM, None), fill(0, SERTRALINE, 98), fill(40, ARIPIPRAZOLE, 60)]

    assert [signed(rows, signs, trial=REFILLED) for signs in (BOTH, SWITCH, ADD_ON)] == [NO_CHANGE] * 3


@pytest.mark.parametrize("other", [SERTRALINE, CITALOPRAM])
def test_only_another_drug_begun_later_is_a_sign(other: str) -> None:
    """Neither what was begun on the same day nor the same drug again."""
    rows = [fill(0, CITALOPRAM, 42), fill(0 if other == SERTRALINE else 80, other, 42)]

    assert judged(rows) == NO_CHANGE


# --- Signs between drugs and sessions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("drug", "signs", "told"),
    [
        (fill(35, SERTRALINE, 60), BOTH, (True, "add_on", on(35))),
        (fill(35, SERTRALINE, 60), SWITCH, NO_CHANGE),
        (fill(36, SERTRALINE, 60), BOTH, (True, "switch", on(36))),
        (fill(36, SERTRALINE, 60), ADD_ON, NO_CHANGE),
        (fill(0, SERTRALINE, 60), BOTH, NO_CHANGE),
        (fill(35, ARIPIPRAZOLE, 60), BOTH, (True, "add_on", on(35))),
        (fill(36, ARIPIPRAZOLE, 60), BOTH, NO_CHANGE),
    ],
)
@pytest.mark.parametrize("treatment", ["cbt", "ect"])
def test_a_drug_is_added_to_a_course_or_follows_it(drug: Row, signs: tuple, told: tuple, treatment: str) -> None:
    """Sessions from day 0 to day 35, on citalopram from the same day."""
    rows = [fill(0, CITALOPRAM, 120), drug]
    sessions = [session(day, treatment) for day in range(0, 36, 7)]
    trial = {"treatments": ("antidepressants", "cbt", "ect")}
    made = by_change(rows, trial=trial, outcome={"change_signs": signs}, procedures=sessions)
    names = [trial["treatment"] for trial in made["trials"]]

    verdicts = facts(made["judgements"], "has_failed", "outcome_evidence", "failure_date")
    assert verdicts[names.index(treatment)] == told


@pytest.mark.parametrize(
    ("days", "day", "treatment", "told"),
    [
        (42, 41, "cbt", (True, "add_on", on(41))),
        (42, 42, "cbt", NO_CHANGE),
        (42, 1, "psychotherapy_unspecified", (True, "add_on", on(1))),
        (42, 0, "cbt", NO_CHANGE),
        (42, 41, "ect", NO_CHANGE),
        (None, 1, "cbt", NO_CHANGE),
    ],
)
def test_psychotherapy_is_added_to_a_drug_and_does_not_follow_it(
    days: int | None, day: int, treatment: str, told: tuple
) -> None:
    """Until the last day of the drug that is known; ECT is no add-on."""
    trial = {"treatments": ("antidepressants", "cbt", "ect")}

    assert judged([fill(0, CITALOPRAM, days)], trial=trial, procedures=[session(day, treatment)]) == told


def test_psychotherapy_that_the_rule_does_not_treat_with_is_no_sign() -> None:
    """No trial is made of it."""
    trial = {"treatments": ("antidepressants",)}

    assert judged([fill(0, CITALOPRAM, 42)], trial=trial, procedures=[session(20, "cbt")]) == NO_CHANGE


def test_one_course_is_no_sign_of_another() -> None:
    """Neither during it nor after it."""
    sessions = [session(0, "cbt"), session(20, "cbt"), session(10, "psychotherapy_unspecified")]
    sessions += [session(80, "psychotherapy_unspecified")]

    assert judged([], procedures=sessions) == NO_CHANGE
