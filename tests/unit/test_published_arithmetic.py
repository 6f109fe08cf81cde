"""Published shares from their published counts, with the program's own functions.

Sources, and which of their figures counts can show:

* Fife 2017 (Taiwan; no limit of time and 6 months): shares. Its intervals are not Wilson's, see below.
* Two biobanks 2022 (medRxiv 10.1101/2022.08.23.22279074; at least one and two switches): shares.
* Thomas 2013 (CoBalT): the share of those who took the drug as prescribed, 55%. The 77% before that rule is
  given without its count.
* Liu 2021 (Humana and Optum, 2018): crude shares. The standardised ones (6.8 and 5.8%) need the counts by stratum.
* Bosco-Lévy 2021 (France): 700 persons at 5.8 per 10,000 are given, the population is not. What counts can
  show is the population that both imply. Of 7.8, 25.8 and 37.6 per 10,000 not even the persons are given.
* Vimont 2024 (France, four regions): 66,810 persons are 23.9% of the treated and 35.1 per 10,000; both
  denominators are implied only. How many persons 25.8 per 10,000 are is not given.
* Gronemann 2018 (Denmark): 14.0% by the main rule and 13 to 31% by three others, of 211,689 persons. There are no
  counts, and the three rules were not seen: nothing to recompute. A simulated registry is no check on that range
  either, because its course of illness is made up.
"""

from __future__ import annotations

import polars as pl
import pytest

from impasse.transforms.compare.agreement import compare_pairs
from impasse.transforms.compare.intervals import share
from impasse.transforms.compare.prevalence import build_prevalence


def rated(n_resistant: int, n_total: int) -> dict:
    """The published row of a definition that calls so many resistant and leaves none open."""
    key = {"definition_id": "published", "denominator_id": "persons", "stratum": "all", "level": "all"}
    counts = {"n_total": n_total, "n_resistant": n_resistant, "n_undetermined": 0}
    return build_prevalence(pl.DataFrame([{**key, **counts}])).row(0, named=True)


def compared(n_both: int, n_only_wide: int, n_neither: int) -> dict:
    """The published row of a pair of which the strict one lies within the wide one."""
    key = {"disorder": "depression", "definition_a": "strict", "definition_b": "wide"}
    cells = {"n_both_resistant": n_both, "n_only_a": 0, "n_only_b": n_only_wide, "n_neither": n_neither}
    n_common = n_both + n_only_wide + n_neither
    return compare_pairs(pl.DataFrame([{**key, "n_common": n_common, **cells}])).row(0, named=True)


def per_10_000(part: int, whole: int) -> str:
    """A rate with one decimal."""
    return f"{10_000 * pl.select(share(pl.lit(part), pl.lit(whole))).item():.1f}"


@pytest.mark.parametrize(
    ("n_resistant", "n_total", "published"),
    [
        pytest.param(576, 2751, "20.94", id="Fife 2017, no limit of time"),
        pytest.param(68, 2751, "2.47", id="Fife 2017, 6 months"),
    ],
)
def test_shares_published_with_two_decimals(n_resistant: int, n_total: int, published: str) -> None:
    """The share of the counts is the published one, to its last digit."""
    assert f"{100 * rated(n_resistant, n_total)['prevalence']:.2f}" == published


@pytest.mark.parametrize(
    ("n_resistant", "n_total", "published"),
    [
        pytest.param(1624, 17_049, "9.5", id="two biobanks 2022, at least one switch"),
        pytest.param(422, 17_049, "2.5", id="two biobanks 2022, at least two switches"),
        pytest.param(17_640, 296_055, "6.0", id="Liu 2021, Humana"),
        pytest.param(16_131, 277_941, "5.8", id="Liu 2021, Optum"),
    ],
)
def test_shares_published_with_one_decimal(n_resistant: int, n_total: int, published: str) -> None:
    """The share of the counts is the published one, to its last digit."""
    assert f"{100 * rated(n_resistant, n_total)['prevalence']:.1f}" == published


@pytest.mark.parametrize(
    ("n_resistant", "ours", "published"),
    [(576, ("19.46", "22.50"), (19.46, 22.49)), (68, ("1.95", "3.12"), (1.94, 3.10))],
)
def test_an_interval_published_by_another_method(
    n_resistant: int, ours: tuple[str, str], published: tuple[float, float]
) -> None:
    """Wilson's limits lie within 0.03 percentage points of Fife's, whose method is not known.

    None of the usual ones gives all four published digits; mid-P comes nearest (19.45 to 22.49, 1.94 to 3.10).
    """
    row = rated(n_resistant, 2751)
    low, high = 100 * row["ci_low"], 100 * row["ci_high"]

    assert (f"{low:.2f}", f"{high:.2f}") == ours
    assert (low, high) == pytest.approx(published, abs=0.03)


def test_adherent_and_symptomatic_in_primary_care() -> None:
    """1,177 of 2,129 are the published 55%. Its interval is 53 to 58%; ours, which knows of no practices, 53 to 57%."""
    row = rated(1177, 2129)

    assert f"{100 * row['prevalence']:.0f}" == "55"
    assert (f"{100 * row['ci_low']:.0f}", f"{100 * row['ci_high']:.0f}") == ("53", "57")


def test_what_a_limit_of_six_months_takes_away() -> None:
    """Who is resistant within 6 months is so without a limit: the shares differ by 18.47 percentage points."""
    row = compared(n_both=68, n_only_wide=576 - 68, n_neither=2751 - 576)

    assert f"{100 * row['difference']:.2f}" == "-18.47"
    assert f"{100 * row['jaccard']:.1f}" == "11.8"


def test_what_a_second_switch_takes_away() -> None:
    """Who switched twice switched once: the shares differ by 7.05 percentage points."""
    row = compared(n_both=422, n_only_wide=1624 - 422, n_neither=17_049 - 1624)

    assert f"{100 * row['difference']:.2f}" == "-7.05"


@pytest.mark.parametrize(
    ("n_persons", "published", "fewest", "most"),
    [
        pytest.param(700, "5.8", 1_196_582, 1_217_391, id="Bosco-Lévy 2021, incidence, 3 months"),
        pytest.param(66_810, "35.1", 19_007_113, 19_061_340, id="Vimont 2024, all diagnoses"),
    ],
)
def test_the_population_a_rate_implies(n_persons: int, published: str, fewest: int, most: int) -> None:
    """A rate per 10,000 without its denominator: these populations give it, one person less or more does not."""
    rates = [per_10_000(n_persons, whole) for whole in (fewest - 1, fewest, most, most + 1)]

    assert rates[1:3] == [published, published]
    assert rates[0] != published
    assert rates[3] != published


def test_the_treated_a_share_implies() -> None:
    """66,810 are 23.9% of 278,957 to 280,125 treated persons (Vimont 2024)."""
    shares = [f"{100 * rated(66_810, n)['prevalence']:.1f}" for n in (278_956, 278_957, 280_125, 280_126)]

    assert shares == ["24.0", "23.9", "23.9", "23.8"]
