"""The answer of a disorder: how far apart two definitions surely are, and how far their episodes come."""

import pytest

from impasse.reports.words.lead import Answer, answer, left_after_steps

OVERALL = {"n_definitions": 2, "n_episodes": 1_000, "n_decided_by_all": 700, "suppressed": False}
STRICT = {"episodes": 1_000, "eligible": 900, "treated": 800, "adequately_treated": 500, "failed_a_trial": 300}
WIDE = {"episodes": 1_000, "eligible": 950, "treated": 810, "adequately_treated": 700, "failed_a_trial": 600}
STEPS = {"strict": STRICT | {"resistant": 90}, "wide": WIDE | {"resistant": 360}}


def share(low: float | None, high: float | None, n: int = 1_000, **more: object) -> dict:
    """A definition's row of prevalence, of so many eligible episodes."""
    if low is None or high is None:
        return {"bound_low": None, "bound_high": None, "suppressed": False, **more}
    resistant, unknown = round(low * n), round((high - low) * n)
    counts = {"n_total": n, "n_resistant": resistant, "n_undetermined": unknown}
    return {"bound_low": low, "bound_high": high, **counts, "suppressed": False, **more}


def told(**shares: dict) -> Answer:
    """The answer for anxiety without any step."""
    return answer("anxiety", OVERALL | {"n_definitions": len(shares)}, shares, {"a": "Strict", "b": "Wide"}, {})


def test_two_definitions_of_which_one_has_surely_more() -> None:
    """The one that may call fewest resistant leads beside the one that surely calls most so."""
    said = told(a=share(0.02, 0.1), b=share(0.2, 0.4), c=share(0.05, 0.5))

    assert said.lead == (
        "Among 1,000 episodes of anxiety, at most 10.0% of those eligible are treatment-resistant by one definition "
        "and at least 20.0% by another, whatever cannot be told: of 3 definitions these two surely disagree most."
    )
    assert said.then == [
        "Fewest: “Strict” calls at least 2.0% and at most 10.0% of 1,000 eligible episodes treatment-resistant; "
        "80 cannot be told.",
        "Most: “Wide” calls at least 20.0% and at most 40.0% of 1,000 eligible episodes treatment-resistant; "
        "200 cannot be told.",
        "That is at least 2 times as large a share of the eligible.",
        "All 3 definitions reach a verdict on 700 of the episodes.",
    ]


@pytest.mark.parametrize(("high", "is_sure"), [(0.199, True), (0.2, False), (0.3, False)])
def test_bounds_that_meet_tell_no_difference(high: float, is_sure: bool) -> None:
    """The one may call as many resistant as the other surely does."""
    lead = told(a=share(0.02, high), b=share(0.2, 0.4)).lead

    assert ("whatever cannot be told: the two definitions surely disagree." in lead) == is_sure
    assert ("no two of 2 definitions surely disagree" in lead) == (not is_sure)
    assert ("Their bounds reach from 2.0% to 40.0%." in lead) == (not is_sure)


@pytest.mark.parametrize(("n", "is_told"), [(300, True), (299, False)])
def test_no_ratio_of_few(n: int, is_told: bool) -> None:
    """Thirty of 300 may be resistant under the first; of 299 they are 29.9, which are fewer."""
    strict = share(0.0, 0.1, n) | {"n_undetermined": int(0.1 * n)}

    assert any("times as large" in text for text in told(a=strict, b=share(0.2, 0.4)).then) == is_told


def test_a_ratio_is_told_no_finer_than_the_bounds_are() -> None:
    """52.7% and 2.2%, as they are printed, are 24 times apart, whatever more places of them would say."""
    assert (
        "That is at least 24 times as large a share of the eligible."
        in told(a=share(0.0, 0.0216, 10_000), b=share(0.527, 0.6, 10_000)).then
    )


def test_nothing_is_as_many_times_as_none() -> None:
    """Infinitely more is not a number we print."""
    assert not any("times" in text for text in told(a=share(0.0, 0.0), b=share(0.2, 0.4)).then)


def test_one_definition_has_its_bounds() -> None:
    """There is nothing to compare."""
    said = told(a=share(0.1, 0.3))

    assert said.lead == (
        "Among 1,000 episodes of anxiety, at least 10.0% and at most 30.0% are treatment-resistant by one definition."
    )
    assert said.steps == ()


def test_where_all_is_told_it_is_one_number() -> None:
    """Both call a tenth resistant, and leave nothing open."""
    said = told(a=share(0.1, 0.1), b=share(0.1, 0.1))

    assert "10.0% are treatment-resistant by each of 2 definitions." in said.lead
    assert said.then == ["“Strict” calls 10.0% of 1,000 eligible episodes treatment-resistant; all can be told."]


def test_what_is_suppressed_is_counted_and_not_compared() -> None:
    """One definition is hidden, and one has no eligible episode."""
    said = told(a=share(0.02, 0.1), b=share(0.2, 0.4), c=share(None, None, suppressed=True))

    assert "the two definitions surely disagree" in said.lead
    assert said.then[-1] == "Of 3 definitions, 1 is suppressed: small numbers would show."


def test_where_no_definition_may_be_told_of_that_is_said() -> None:
    """Nothing is compared."""
    assert "no definition has an eligible one that may be told of" in told(a=share(None, None)).lead


# --- How far the episodes of both come --------------------------------------------------------------------------------


def _steps(strict: dict, wide: dict) -> tuple[tuple[str, str, str], ...]:
    shares = {"strict": share(0.1, 0.1), "wide": share(0.4, 0.4)}
    return answer("anxiety", OVERALL, shares, {}, {"strict": strict, "wide": wide}).steps


def test_each_step_has_the_episodes_left_under_both_definitions() -> None:
    """Those of the definition with the fewest resistant first."""
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
