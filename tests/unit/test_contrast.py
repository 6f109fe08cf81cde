"""Two definitions side by side, setting by setting."""

from __future__ import annotations

from dataclasses import replace

import report_data as data

from reports.contrast import Contrast, contrast
from reports.prose import describe, settings
from schemas.definition import Exclusion, ScaleRule


def test_equal_definitions_have_no_contrast() -> None:
    """Another id and title change nothing."""
    assert contrast(data.definition("a", "One"), data.definition("b", "Two")) == []


def test_a_setting_that_differs_is_told_with_both_values() -> None:
    """Only the block that differs, only the setting that differs, and the prose of both."""
    a = data.definition()
    b = data.definition(eligible=replace(a.eligible, min_observed_days=30))

    assert contrast(a, b) == [
        Contrast(
            block="eligible",
            settings=(("min_observed_days", "1 year (365 days)", "30 days"),),
            prose=(describe(a)["eligible"], describe(b)["eligible"]),
        )
    ]


def test_values_are_in_words() -> None:
    """Days, yes or no, lists, and settings made of several values."""
    a = data.definition()
    exclusions = (Exclusion(codes="bipolar", when="during"), Exclusion(codes="chronic_pain", when="before"))
    scales = (ScaleRule(scale="ham_a", fails_if="score_above", value=7),)

    assert settings(replace(a.trial, carry_over=True))["carry_over"] == "yes"
    assert settings(replace(a.trial, carry_over=False))["carry_over"] == "no"
    assert settings(replace(a.trial, augmenters=()))["augmenters"] == "none"
    assert settings(replace(a.outcome, change_within=90))["change_within"] == "90 days"
    assert settings(replace(a.outcome, change_within="episode"))["change_within"] == "episode"
    assert settings(replace(a.outcome, scales=scales))["scales"] == "HAM-A is above 7"
    assert settings(replace(a.eligible, exclusions=exclusions))["exclusions"] == (
        "bipolar disorder during the episode; chronic pain before the episode starts"
    )
