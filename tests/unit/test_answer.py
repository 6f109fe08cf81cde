"""The answer of a disorder: where the lowest and the highest definition part."""

import pytest

from impasse.reports.words.lead import answer, left_after_steps

OVERALL = {
    "disorder": "anxiety",
    "n_definitions": 2,
    "n_episodes": 1_000,
    "n_decided_by_all": 700,
    "lowest_definition": "strict",
    "lowest_prevalence": 0.1,
    "highest_definition": "wide",
    "highest_prevalence": 0.4,
    "prevalence_ratio": 4.0,
    "suppressed": False,
}
SHARE = {"n_total": 900, "n_undetermined": 0, "suppressed": False}
SHARES = {"strict": {**SHARE, "prevalence": 0.1}, "wide": {**SHARE, "prevalence": 0.4}}
STRICT = {"episodes": 1_000, "eligible": 900, "treated": 800, "adequately_treated": 500, "failed_a_trial": 300}
WIDE = {"episodes": 1_000, "eligible": 950, "treated": 810, "adequately_treated": 700, "failed_a_trial": 600}
STEPS = {"strict": STRICT | {"resistant": 90}, "wide": WIDE | {"resistant": 360}}


def _parting(strict: dict, wide: dict) -> list[str]:
    said = answer("anxiety", OVERALL, SHARES, {}, {"strict": strict, "wide": wide})
    return [sentence for sentence in said.then if sentence.startswith("Where")]


def test_the_steps_at_which_two_definitions_part_are_told() -> None:
    """Counts of both at each step, the lowest definition's first."""
    assert _parting(STEPS["strict"], STEPS["wide"]) == [
        "Where the two part: of 900 and 950 eligible episodes, 800 and 810 have a trial that counts, 500 and 700 an "
        "adequate one, 300 and 600 one that surely failed, 90 and 360 all that is asked for."
    ]


def test_a_step_that_is_suppressed_for_one_is_left_out() -> None:
    """A number beside a blank would say less than nothing."""
    assert _parting(STEPS["strict"], STEPS["wide"] | {"adequately_treated": None}) == [
        "Where the two part: of 900 and 950 eligible episodes, 800 and 810 have a trial that counts, "
        "300 and 600 one that surely failed, 90 and 360 all that is asked for."
    ]


@pytest.mark.parametrize("wide", [{}, {"eligible": None}, dict.fromkeys(("treated", "adequately_treated"))])
def test_where_too_little_may_be_told_nothing_is(wide: dict) -> None:
    """Without the eligible, or with one step only, there is nothing to compare."""
    assert _parting(STEPS["strict"], wide and STEPS["wide"] | wide | dict.fromkeys(("failed_a_trial",))) == []


def test_steps_are_taken_of_definitions_of_one_disorder() -> None:
    """A definition of several disorders has steps over all of them, which are no part of this answer."""
    rows = [{"definition_id": d, "step": "eligible", "n_left": n} for d, n in (("strict", 900), ("of_two", 1_800))]

    assert left_after_steps(rows, ["strict"]) == {"strict": {"eligible": 900}}
