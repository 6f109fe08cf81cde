"""Hand-drawn cases for whether a trial of drugs was long enough in the reference.

Day 0 is the first day, and four weeks are asked for unless a case says otherwise.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.reference.drawn import (
    CITALOPRAM,
    SERTRALINE,
    Row,
    classify,
    covered,
    facts,
    fill,
    on,
    with_drug_adequacy,
    with_trial,
)

STRONG = with_drug_adequacy(dose_basis="minimum_effective", min_dose_ratio=1.0)
UNKNOWN, TOO_SHORT, UNDERDOSED = (None, "duration_unknown"), (False, "too_short"), (False, "underdosed")


@pytest.mark.parametrize(
    ("rows", "max_days", "judged"),
    [
        ([fill(0, CITALOPRAM, None)], 28, UNKNOWN),
        ([fill(0, CITALOPRAM, None)], 27, TOO_SHORT),
        ([fill(0, CITALOPRAM, None, 10_000)], 28, UNDERDOSED),
        ([fill(0, CITALOPRAM, None, 10_000)], 27, TOO_SHORT),
        ([fill(0, CITALOPRAM, None, None)], 28, UNKNOWN),
        ([fill(0, CITALOPRAM, None, None)], 27, TOO_SHORT),
        ([fill(0, CITALOPRAM, 14), fill(14, CITALOPRAM, None, 10_000)], 14, UNKNOWN),
        ([fill(0, CITALOPRAM, 14), fill(14, CITALOPRAM, None, 10_000)], 13, TOO_SHORT),
        ([fill(0, CITALOPRAM, 28), fill(28, CITALOPRAM, None)], 1, (True, "adequate")),
        ([fill(0, CITALOPRAM, None), fill(57, CITALOPRAM, 5)], 27, UNKNOWN),
        ([fill(0, CITALOPRAM, None), fill(58, CITALOPRAM, 5)], 27, TOO_SHORT),
    ],
)
@pytest.mark.parametrize("basis", ["span", "covered"])
def test_the_most_days_there_can_be_must_suffice(rows: list, max_days: int, judged: tuple, basis: str) -> None:
    """Four weeks at 20 mg, where an unknown supply lasts so long at most; the last two may or cannot be one trial."""
    adequacy = replace(STRONG.adequacy, drug=replace(STRONG.adequacy.drug, duration_basis=basis))
    told = classify(definition=replace(STRONG, adequacy=adequacy), dispensings=rows, max_days=max_days)

    assert facts(told["judgements"], "is_adequate", "adequacy_reason")[0] == judged


@pytest.mark.parametrize(
    ("days", "max_days", "judged"), [(28, 28, UNKNOWN), (None, 28, UNKNOWN), (None, 27, TOO_SHORT)]
)
def test_how_much_an_unknown_supply_covers_is_unknown(days: int | None, max_days: int, judged: tuple) -> None:
    """Long enough or not: the share of the days that are covered is asked beside it."""
    told = classify(
        definition=with_drug_adequacy(min_pdc_percent=80),
        dispensings=[fill(0, CITALOPRAM, days), *([fill(28, CITALOPRAM, None)] if days else [])],
        max_days=max_days,
    )

    assert facts(told["judgements"], "is_adequate", "adequacy_reason") == [judged]


# --- As long as prescribed --------------------------------------------------------------------------------------------


def has_days(n_days: int, rows: list[Row], basis: str = "prescribed", trial: Row | None = None, **rest: Any) -> bool:
    """Whether the first trial has so many days, and not a day more."""
    told = []
    for min_days in (n_days, n_days + 1):
        adequacy = with_drug_adequacy(duration_basis=basis, min_days=min_days).adequacy
        definition = replace(with_trial(**(trial or {})), adequacy=adequacy)
        made = classify(definition=definition, dispensings=rows, **rest)
        told.append(facts(made["judgements"], "is_adequate", "adequacy_reason")[0])
    return told == [(True, "adequate"), TOO_SHORT]


@pytest.mark.parametrize(
    ("rows", "span", "prescribed"),
    [
        ([(0, 28)], 28, 28),
        ([(0, 98), (40, 30)], 98, 98 + 58),
        ([(0, 40), (40, 30)], 70, 70),
        ([(0, 41), (40, 30)], 70, 71),
        ([(0, 10), (30, 10)], 40, 40),
        ([(0, 28), (0, 28)], 28, 56),
    ],
)
def test_a_supply_counts_for_the_days_it_was_prescribed_for(rows: list, span: int, prescribed: int) -> None:
    """Until the next one, or for as long as it was delivered if that is more."""
    drawn = [fill(day, CITALOPRAM, days) for day, days in rows]

    assert has_days(span, drawn, basis="span")
    assert has_days(prescribed, drawn)


@pytest.mark.parametrize(
    ("rows", "span", "prescribed"),
    [
        ([(0, 98)], 0, 98),
        ([(0, None)], 0, 0),
        ([(0, 28), (20, 28)], 20, 56),
        ([(0, 20), (20, 28)], 20, 48),
        ([(0, 21), (20, None)], 20, 21),
        ([(0, 10), (0, 98), (30, 28)], 30, 10 + 98 + 28),
        ([(0, 98), (0, 10), (30, 28)], 30, 10 + 98 + 28),
    ],
)
def test_what_was_prescribed_is_read_by_dates_only_too(rows: list, span: int, prescribed: int) -> None:
    """The days are those from dispensing to dispensing, or those delivered; unknown ones count for none."""
    drawn = [fill(day, CITALOPRAM, days) for day, days in rows]
    trial = {"supply": "dates_only"}

    assert has_days(span, drawn, basis="span", trial=trial)
    assert has_days(prescribed, drawn, trial=trial)


def test_what_was_prescribed_counts_beyond_the_end_of_observation() -> None:
    """A pack of 98 days, seen until day 40."""
    rows, seen = [fill(0, CITALOPRAM, 98)], {"coverage": [covered(-400, 40)], "death_date": on(40)}

    assert has_days(41, rows, basis="span", **seen)
    assert has_days(98, rows, **seen)


@pytest.mark.parametrize(
    ("supply", "days", "n_days"), [("as_delivered", 10, 50), ("dates_only", 50, 50), ("dates_only", 51, 51)]
)
def test_a_drug_that_lasts_until_the_next_counts_for_what_was_prescribed(supply: str, days: int, n_days: int) -> None:
    """Sertraline follows on day 50."""
    rows = [fill(0, CITALOPRAM, days), fill(50, SERTRALINE, 10)]

    assert has_days(n_days, rows, trial={"supply": supply, "single_dispensing_days": 60})


@pytest.mark.parametrize(
    ("supply", "more", "n_days"),
    [
        ("as_delivered", [], 98),
        ("as_delivered", [fill(20, CITALOPRAM, 30)], 98 + 78),
        ("dates_only", [], 98),
        ("dates_only", [fill(20, CITALOPRAM, 30)], 98 + 30),
    ],
)
def test_strengths_taken_together_were_prescribed_as_one(supply: str, more: list, n_days: int) -> None:
    """Of one day, for 28 and for 98 days; by what was delivered the next lasts as long as these."""
    rows = [fill(0, CITALOPRAM, 28, 10_000), fill(0, CITALOPRAM, 98), *more]

    assert has_days(n_days, rows, trial={"supply": supply})


@pytest.mark.parametrize(
    ("rows", "min_days", "judged"),
    [
        ([fill(0, CITALOPRAM, 98, 10_000)], 98, UNDERDOSED),
        ([fill(0, CITALOPRAM, 98, 10_000)], 99, TOO_SHORT),
        ([fill(0, CITALOPRAM, 98, 10_000), fill(40, CITALOPRAM, 30)], 58, (True, "adequate")),
        ([fill(0, CITALOPRAM, 98, 10_000), fill(40, CITALOPRAM, 30)], 59, UNDERDOSED),
        ([fill(0, CITALOPRAM, 98), fill(10, CITALOPRAM, None)], 98 + 88, (True, "adequate")),
        ([fill(0, CITALOPRAM, 98), fill(10, CITALOPRAM, None)], 98 + 88 + 110, UNKNOWN),
        ([fill(0, CITALOPRAM, 98), fill(10, CITALOPRAM, None)], 98 + 88 + 111, TOO_SHORT),
        ([fill(0, CITALOPRAM, 98, None), fill(10, CITALOPRAM, None)], 98 + 88 + 110, UNKNOWN),
        ([fill(0, CITALOPRAM, 98, None), fill(10, CITALOPRAM, None)], 98 + 88 + 111, TOO_SHORT),
        ([fill(0, CITALOPRAM, 28), fill(28, CITALOPRAM, None)], 28 + 128, UNKNOWN),
        ([fill(0, CITALOPRAM, 28), fill(28, CITALOPRAM, None)], 28 + 129, TOO_SHORT),
    ],
)
def test_what_was_prescribed_must_be_strong_enough(rows: list, min_days: int, judged: tuple) -> None:
    """An unknown supply counts until the next or the known end, and perhaps for all the days there can be on top."""
    rule = {"duration_basis": "prescribed", "dose_basis": "minimum_effective", "min_dose_ratio": 1.0}
    told = classify(definition=with_drug_adequacy(min_days=min_days, **rule), dispensings=rows, max_days=100)

    assert facts(told["judgements"], "is_adequate", "adequacy_reason") == [judged]


def test_what_was_prescribed_covers_no_more_days() -> None:
    """28 of 38 days are covered, whatever the days count for."""
    definition = with_drug_adequacy(duration_basis="prescribed", min_pdc_percent=80)
    rows = [fill(0, CITALOPRAM, 14), fill(24, CITALOPRAM, 14)]
    told = classify(definition=definition, dispensings=rows)

    assert facts(told["judgements"], "is_adequate", "adequacy_reason") == [(False, "low_adherence")]
