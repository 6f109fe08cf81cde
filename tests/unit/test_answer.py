"""The answer of a disorder: how far episodes come under the lowest and under the highest definition."""

import pytest

from impasse.reports.words.lead import _decided, answer, left_after_steps

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


def _steps(strict: dict, wide: dict) -> tuple[tuple[str, str, str], ...]:
    return answer("anxiety", OVERALL, SHARES, {}, {"strict": strict, "wide": wide}).steps


def test_each_step_has_the_episodes_left_under_both_definitions() -> None:
    """The lowest definition's first."""
    assert _steps(STEPS["strict"], STEPS["wide"]) == (
        ("eligible", "900", "950"),
        ("treated", "800", "810"),
        ("adequately treated", "500", "700"),
        ("surely failed at least once", "300", "600"),
        ("resistant", "90", "360"),
    )


def test_a_step_that_is_suppressed_for_one_is_left_out() -> None:
    """A number beside a blank would say less than nothing."""
    steps = _steps(STEPS["strict"], STEPS["wide"] | {"adequately_treated": None})

    assert [name for name, *_ in steps] == ["eligible", "treated", "surely failed at least once", "resistant"]


@pytest.mark.parametrize("wide", [{}, {"eligible": None}, dict.fromkeys(("treated", "adequately_treated"))])
def test_where_too_little_may_be_told_nothing_is(wide: dict) -> None:
    """Without the eligible, or with one step only, there is nothing to compare."""
    assert _steps(STEPS["strict"], wide and STEPS["wide"] | wide | dict.fromkeys(("failed_a_trial",))) == ()


def test_steps_are_taken_of_definitions_of_one_disorder() -> None:
    """A definition of several disorders has steps over all of them, which are no part of this answer."""
    rows = [{"definition_id": d, "step": "eligible", "n_left": n} for d, n in (("strict", 900), ("of_two", 1_800))]

    assert left_after_steps(rows, ["strict"]) == {"strict": {"eligible": 900}}


@pytest.mark.parametrize(
    ("ratio", "told"),
    [(244.7, "about 240 times"), (9.96, "about 10 times"), (2.44, "about 2.4 times"), (1.0, "about 1 t")],
)
def test_how_many_times_is_told_no_finer_than_the_shares_are(ratio: float, told: str) -> None:
    """52.7% and 0.22%, as they are printed, are 240 times apart, whatever more places of them would say."""
    overall = {"prevalence_ratio": ratio, "n_decided_by_all": 700, "n_definitions": 8}

    assert told in _decided(overall, 8)


@pytest.mark.parametrize(("n_told", "told"), [(53, "All 53 definitions reach"), (49, "All 53 definitions, also those")])
def test_all_definitions_are_told_from_those_with_a_share(n_told: int, told: str) -> None:
    """The lead counts those that show a share; an episode is decided by all, the suppressed among them."""
    overall = {"prevalence_ratio": None, "n_decided_by_all": 745, "n_definitions": 53}

    assert _decided(overall, n_told).startswith(told)
