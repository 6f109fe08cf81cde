"""Expectations are data: what they say follows from the study file."""

from __future__ import annotations

import pytest

from impasse.schemas import study
from impasse.schemas.expectations import Expectation, ExpectationResult, delivery_expectations, release
from impasse.schemas.mapping import MAPPED_TABLES
from impasse.schemas.study import Study

STUDY = """
name = "example"
source = { kind = "registry", path = "delivery" }
period = { start = 2015-01-01, end = 2016-12-31 }
episodes = { disorders = ["depression"] }
"""


def _study(more: str = "") -> Study:
    return study.parse("study.toml", STUDY + more)


def _said(expectations: list[Expectation], table: str, critical: bool = True) -> list[str]:
    return [e.sentence for e in expectations if e.table == table and e.is_critical == critical]


def test_every_table_is_expected_to_be_mostly_accepted():
    """Every table, deaths too, has the study's limit on quarantined rows, and breaking it is critical."""
    limits = [e for e in delivery_expectations(_study()) if e.kwargs["column"] == "quarantined"]
    assert tuple(e.table for e in limits) == MAPPED_TABLES
    assert {(e.kwargs["max_value"], e.is_critical) for e in limits} == {(0.1, True)}


def test_the_limit_on_quarantined_rows_is_the_studys():
    """The sentence and the limit carry the percentage of the study file."""
    expected = delivery_expectations(_study("quality = { max_quarantined_percent = 2.5 }"))
    assert "At most 2.5% of the delivered rows are quarantined." in _said(expected, "scores")


def test_rows_are_expected_where_the_study_sets_a_number():
    """A minimum of rows is expected of the table it is set for, and of no other."""
    expected = delivery_expectations(_study("quality = { min_rows = { persons = 1000 } }"))
    assert "Rows that can be used: at least 1,000." in _said(expected, "persons")
    assert "Rows that can be used: at least 1,000." not in _said(expected, "diagnoses")


def test_content_of_a_delivery_is_not_critical():
    """Shares of known values warn: an unusual delivery may be a right one."""
    warned = _said(delivery_expectations(_study()), "dispensings", critical=False)
    assert "At least 80% of dispensings tell how many days they last." in warned


def test_release_counts_start_at_the_threshold():
    """With a threshold of 5 the counts 1 to 4 may not be published; 0 and 5 may."""
    expected = release(_study(), ["prevalence"], 10, 2)
    assert [e.kwargs["value_set"] for e in expected if e.frame == "prevalence_counts"] == [[1, 2, 3, 4]]


def test_release_with_threshold_one_hides_nothing():
    """A threshold of 1 allows every count."""
    expected = release(_study("disclosure = { threshold = 1 }"), ["prevalence"], 10, 2)
    assert [e.kwargs["value_set"] for e in expected if e.frame == "prevalence_counts"] == [[]]


def test_release_expects_one_classification_per_episode_and_definition():
    """Ten episodes under three definitions are thirty rows, ten of each."""
    expected = [e.kwargs for e in release(_study(), [], 10, 3)]
    assert [(e["column"], e["min_value"], e["max_value"]) for e in expected] == [("rows", 30, 30), ("n_rows", 10, 10)]


def test_no_sentence_of_a_release_names_a_number_of_the_run():
    """One episode of a hidden disorder is expected in the same words as thousands."""
    one, many = (release(_study(), ["prevalence", "profile"], n, n) for n in (1, 27_958))
    assert [e.sentence for e in one] == [e.sentence for e in many]


def test_everything_expected_of_a_release_is_critical():
    """A release that breaks an expectation shows an error of the program."""
    expected = release(_study(), ["prevalence", "agreement", "attrition", "reconciliation"], 10, 3)
    assert all(e.is_critical for e in expected)


@pytest.mark.parametrize("table", ["prevalence", "agreement", "agreement_overall", "attrition", "reconciliation"])
def test_released_tables_have_one_row_per_key(table: str):
    """Every released table with a declared key is expected to keep it."""
    assert any(e.sentence.startswith("There is one row per") for e in release(_study(), [table], 10, 3))


def test_result_as_the_report_shows_it():
    """The report shows suite and table together, the sentence and what was observed."""
    result = ExpectationResult("delivery", "scores", "X", "value", "Values are in range.", False, True, "all of 90")
    assert result.report_row() == {
        "suite": "delivery: scores",
        "expectation": "Values are in range.",
        "column": "value",
        "critical": False,
        "success": True,
        "observed": "all of 90",
    }
