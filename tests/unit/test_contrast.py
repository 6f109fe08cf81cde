"""Two definitions side by side, setting by setting."""

from __future__ import annotations

from dataclasses import replace

import report_data as data

from impasse.reports.words.contrast import Contrast, contrast
from impasse.reports.words.prose import describe
from impasse.reports.words.settings import settings
from impasse.schemas.definition import Exclusion, Requirement, ScaleBand, ScaleRule


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


def test_new_parts_are_in_words() -> None:
    """A required diagnosis, a band of a fall, stages, and a dose basis."""
    required = (Requirement(codes="panic", when="before", days=2),)
    band = (ScaleBand(scale="ham_a", fails_if="fall_between", at_least=25, below=50),)
    drug = replace(data.DRUG, dose_basis="chlorpromazine_600", min_pdc_percent=80)

    assert settings(replace(data.ELIGIBLE, requirements=required))["requirements"] == (
        "diagnoses of panic disorder on at least 2 different days before the episode starts"
    )
    assert settings(replace(data.OUTCOME, scales=band))["scales"] == "HAM-A falls by at least 25% and by less than 50%"
    assert settings(replace(data.ADEQUACY, drug=drug))["drug.dose_basis"] == (
        "600 mg a day of chlorpromazine or its equivalent"
    )
    assert settings(replace(data.ADEQUACY, drug=drug))["drug.min_pdc_percent"] == "80%"
    assert settings(data.STAGED)["levels"].startswith("I: at least 1 failed adequate trial of SSRIs, in its source")
    assert settings(data.OPEN_SCORE)["threshold"] == "none"


def test_exclusions_at_one_time_are_one_phrase() -> None:
    """Their lists stand together."""
    exclusions = (Exclusion(codes="bipolar", when="ever"), Exclusion(codes="mania", when="ever"))

    assert settings(replace(data.ELIGIBLE, exclusions=exclusions))["exclusions"] == (
        "bipolar disorder or mania at any time while the person is observed"
    )


def test_the_name_of_a_single_arm_makes_no_difference() -> None:
    """Names tell alternatives apart; one alternative alone needs none."""
    named = replace(data.RESISTANCE, any_of=(replace(data.RESISTANCE.any_of[0], name="another"),))
    (block,) = contrast(data.definition(), data.definition(resistance=named))

    assert (block.settings, block.prose[0]) == ((), block.prose[1])


def test_a_count_and_stages_can_be_compared() -> None:
    """What only one of the two has is not there in the other."""
    (block,) = contrast(data.definition(), data.definition(resistance=data.STAGED))
    names = {name: (a, b) for name, a, b in block.settings}

    assert names["kind"] == ("count", "stage")
    assert names["is_cumulative"] == ("–", "yes")
    assert names["any_of"][1] == "–"
