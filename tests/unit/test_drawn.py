"""Worked cases as drawn tables: events in words, bars on one axis, the expected columns as a line."""

from __future__ import annotations

import pytest
import report_data as data

from impasse.reports.display.timeline import Drawn, as_lines, draw, expected_words
from impasse.schemas.cases import Case
from tests.shipped import CODES


def case(history: str, **expected: object) -> Case:
    """A case of this history."""
    return Case(
        "A name", frozenset({"drug", "ect"}), history, {"verdict": "not_resistant", **expected}, "x.toml, line 1"
    )


def events(history: str) -> list[str]:
    """What the lines of a history say, in the order they are drawn."""
    return [row.event for row in draw(case(history), data.definition(), CODES).rows]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("disp 2021-01-01 N06AB06 days=28 dose_mg=50", "sertraline, 50 mg a day, for 28 days"),
        ("disp 2021-01-01 N06AB06 days=1 ddd=1.5", "sertraline, 1.5 DDD a day, for 1 day"),
        ("disp 2021-01-01 N06AB06", "sertraline, dose unknown, for an unknown time"),
        ("disp 2021-01-01 N06A days=28", "N06A (antidepressants), dose unknown, for 28 days"),
        ("disp 2021-01-01 A01AA01 days=28", "A01AA01 (not listed), dose unknown, for 28 days"),
        (
            "disp 2021-01-01 N06AB06 days=28 times=3 every=30",
            "sertraline, dose unknown, for 28 days, 3 times, 30 days apart",
        ),
        ("proc 2021-01-01 ect", "session of ECT"),
        ("proc 2021-01-01 cbt times=12", "session of CBT, 12 times, 7 days apart"),
        ("score 2021-01-01 hamd17 24", "HAM-D17 24"),
        ("adm 2021-01-01 2021-01-05 F322", "in hospital with F32.2 until 2021-01-05"),
        ("died 2021-01-01", "death"),
        ("dx 2021-01-01 F411", "diagnosis F41.1, anxiety"),
        ("dx 2021-01-01 F310", "diagnosis F31.0, bipolar disorder"),
        ("dx 2021-01-01 Z999", "diagnosis Z99.9"),
        ("dx 2021-01-01 F411 setting=inpatient", "diagnosis F41.1, anxiety, inpatient"),
        ("dx 2021-01-01 F411 until=2021-01-09", "diagnosis F41.1, anxiety, until 2021-01-09"),
        ("dx 2021-01-01 F411 position=other", "diagnosis F41.1, anxiety, not the main one"),
        ("dx 2021-01-01 P74 system=icpc2", "diagnosis ICPC2 P74, anxiety"),
    ],
)
def test_an_event_in_words(line: str, told: str) -> None:
    """Each kind of line of a history, with what may be unknown about it."""
    assert events(line) == [told]


def test_rows_are_in_order_of_time() -> None:
    """Not in the order they were drawn; a remark and a blank line are nothing."""
    assert events("proc 2021-02-01 ect\n\n# a remark\ndx 2021-01-01 F411 # another") == [
        "diagnosis F41.1, anxiety",
        "session of ECT",
    ]


def test_bars_are_days_of_the_axis() -> None:
    """The axis runs from the first event to the last day of any; a supply covers its days, what is unknown one day."""
    drawn = draw(
        case("dx 2021-01-01 F411\ndisp 2021-01-03 N06AB06 days=28\ndisp 2021-01-05 N06AX16"), data.definition(), CODES
    )

    assert (drawn.first, drawn.last, drawn.n_days) == ("2021-01-01", "2021-01-30", 30)
    assert [(row.kind, row.bars) for row in drawn.rows] == [
        ("diagnoses", ((0, 1),)),
        ("dispensings", ((2, 30),)),
        ("unknown", ((4, 5),)),
    ]


def test_what_repeats_is_one_row_with_several_bars() -> None:
    """Three sessions, a week apart."""
    (row,) = draw(case("proc 2021-01-01 cbt times=3"), data.definition(), CODES).rows

    assert row == Drawn("2021-01-01", "session of CBT, 3 times, 7 days apart", "procedures", ((0, 1), (7, 8), (14, 15)))


def test_facts_of_the_person_are_a_line() -> None:
    """Birth, sex and time observed are no events; what the delivery shows is said."""
    drawn = draw(
        case("born 1980-02-03\nsex female\ncovered 2020-01-01 2022-12-31\ndx 2021-01-01 F411"), data.definition(), CODES
    )

    assert drawn.facts == (
        "Born 1980-02-03, female, observed from 2020-01-01 to 2022-12-31. The delivery shows drugs and ECT."
    )
    assert len(drawn.rows) == 1


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        ({"verdict": "resistant", "resistant_date": "2021-06-18"}, "resistant from 2021-06-18"),
        ({"verdict": "undetermined", "decided_by": "trial"}, "cannot be told; decided by trial"),
        (
            {"verdict": "not_resistant", "n_trials": 3, "n_failed_min": 1, "n_failed_max": 1},
            "not resistant; trials: 3; failed: 1",
        ),
        (
            {"verdict": "undetermined", "n_failed_min": 1, "n_failed_max": None},
            "cannot be told; failed: 1 or more, without an upper bound",
        ),
        ({"verdict": "resistant", "n_failed_min": 2}, "resistant; failed: 2 or more"),
        ({"verdict": "not_resistant", "n_failed_max": 2}, "not resistant; failed: 2 at most"),
        ({"score_min": 3.5, "score_max": 5.0}, "score: 3.5 to 5"),
        ({"score_min": None, "score_max": None}, "score: none"),
        ({"is_eligible": False}, "not eligible"),
        ({"is_eligible": None}, "eligibility cannot be told"),
        ({"is_eligible": True, "level_min": "II", "level_max": "II"}, "eligible; stage II"),
        ({"level_min": "none", "level_max": "II"}, "stage none to II"),
        ({"level_min": "I", "is_outside_band": True}, "stage I or higher, outside its source’s days"),
        (
            {"verdict": "resistant", "pseudo_resistance": "likely", "causes": "alcohol poor_adherence"},
            "resistant; pseudo-resistance likely; causes: alcohol, poor adherence",
        ),
        ({"verdict": "resistant", "causes": ""}, "resistant; causes: none"),
    ],
)
def test_what_a_case_must_get_in_words(expected: dict, told: str) -> None:
    """Verdicts, stages and scores; equal bounds are one number."""
    assert expected_words(expected) == told


def test_a_case_as_text() -> None:
    """A table of 80 columns at most, with a bar on each row."""
    drawn = draw(
        case("dx 2021-01-01 F411\ndisp 2021-01-01 N06AB06 days=56 dose_mg=50\nscore 2021-02-25 ham_a 8"),
        data.definition(),
        CODES,
    )

    assert as_lines(drawn) == [
        "The delivery shows drugs and ECT.",
        "                                             2021-01-01               2021-02-25",
        "2021-01-01  diagnosis F41.1, anxiety         |",
        "2021-01-01  sertraline, 50 mg a day, for 56  ===================================",
        "            days",
        "2021-02-25  HAM-A 8                                                            o",
        "Expected: not resistant",
    ]


def test_a_bar_is_never_lost() -> None:
    """A day in ten years is one character, also at the very end."""
    drawn = draw(case("dx 2011-01-01 F411\nproc 2021-01-01 ect"), data.definition(), CODES)

    assert [line.count("+") for line in as_lines(drawn)][-2] == 1
    assert max(map(len, as_lines(drawn, 72))) <= 72
