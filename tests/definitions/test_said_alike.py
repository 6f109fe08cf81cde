"""What a definition says of another definition, a scale or a published range is so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest

from impasse.schemas.definition import BLOCKS, Definition
from impasse.schemas.resistance import DiagnosisItem, LengthItem
from impasse.transforms.compare.characteristics import level_names
from tests.shipped import CODES, SHIPPED

DEFINITIONS = {definition.id: definition for definition in SHIPPED}
SAID_TO_DIFFER = {
    ("anx_first_line_distinct_class", "anx_first_line_same_class_ok"): {"resistance"},
    ("anx_bokma_2019", "anx_bokma_2019_moderate"): {"outcome.scales"},
    ("anx_bokma_2019_moderate", "anx_bokma_2019_moderate_high"): {"outcome.scales"},
    ("dep_ohdsi_1009", "dep_ohdsi_1009_as_described"): {"eligible.min_observed_days", "resistance"},
    ("dep_rybak_2021_4w", "dep_rybak_2021_6w"): {"adequacy.drug", "adequacy.augmentation", "outcome"},
    ("dep_sforzini_2022", "dep_sforzini_2022_prd"): {"outcome.scales", "outcome.lost_response"},
    ("dep_stard_nonremission", "dep_stard_nonresponse"): {"outcome"},
    ("dep_thase_rush", "dep_thase_rush_tca_counts_twice"): {"resistance"},
    ("dep_cms_vns_four", "dep_cms_vns_two_years"): {
        *("eligible.disorders", "eligible.diagnoses", "eligible.exclusions", "resistance"),
    },
    ("ptsd_trauma_focused_and_drug_change_12_18", "ptsd_trauma_focused_and_drug_change_13_15"): {"outcome.scales"},
    ("scz_trrip", "scz_trrip_ddd"): {"adequacy.drug"},
}


def differing(one: Definition, other: Definition) -> Iterator[str]:
    """The settings that differ, by block."""
    for block in BLOCKS:
        ours, theirs = asdict(getattr(one, block)), asdict(getattr(other, block))
        yield from (f"{block}.{name}" for name in ours if ours[name] != theirs.get(name))


@pytest.mark.parametrize(("pair", "said"), SAID_TO_DIFFER.items(), ids=[" ".join(pair) for pair in SAID_TO_DIFFER])
def test_twins_differ_where_they_say_so_and_nowhere_else(pair: tuple[str, str], said: set[str]) -> None:
    """A variant is the other reading of one open point."""
    one, other = (DEFINITIONS[name] for name in pair)
    found = set(differing(one, other))

    assert found
    assert {name for name in found if name not in said and name.split(".")[0] not in said} == set()


def items_of(name: str) -> Any:
    """The items of a score."""
    return DEFINITIONS[name].resistance.items  # type: ignore[union-attr]


def test_gibson_scores_points_and_weeks_as_the_mgh_staging_does() -> None:
    """The claims score and the register's reading of the scale have the same items and the same weeks."""
    gibson, mgh = DEFINITIONS["dep_gibson_2010"], DEFINITIONS["dep_mgh_s_4"]

    assert set(items_of("dep_gibson_2010")) == set(items_of("dep_mgh_s_4"))
    assert gibson.adequacy == mgh.adequacy


def test_the_dutch_measure_takes_duration_and_severity_from_the_maudsley_staging() -> None:
    """Duration earns the same, severity too."""
    for kind in (LengthItem, DiagnosisItem):
        (ours,), (theirs,) = (
            [i for i in items_of(name) if isinstance(i, kind)][:1] for name in ("dep_dm_trd_partial", "dep_msm")
        )
        assert ours == theirs


def test_the_dutch_measure_is_27_points_with_the_two_items_that_registers_lack() -> None:
    """At most 23, and 3 of functional impairment and 1 of stressors."""
    scores = [float(name) for name in level_names(DEFINITIONS["dep_dm_trd_partial"].resistance) if name[0].isdigit()]

    assert max(scores) == 23
    assert max(scores) + 3 + 1 == 27


def test_the_states_of_obsessive_compulsive_disorder_are_those_of_the_scale() -> None:
    """A response from 35%, remission up to 14, a partial response from 25%."""
    scale = next(row for row in CODES.scales.iter_rows(named=True) if row["scale"] == "ybocs")

    assert (scale["response_fall_percent"], scale["remission_max"], scale["partial_fall_percent"]) == (35, 14, 25)


def test_a_pair_of_reliable_changes_is_of_one_sample() -> None:
    """13 points on the CAPS-5 go with 15 on the PCL-5, 12 with 18; the states of response follow the first pair."""
    pairs = [
        {rule.scale: rule.value for rule in DEFINITIONS[f"ptsd_trauma_focused_and_drug_change_{pair}"].outcome.scales}
        for pair in ("13_15", "12_18")
    ]
    of_scales = dict(CODES.scales.select("scale", "response_fall_points").drop_nulls().iter_rows())

    assert pairs == [{"caps5": 13, "pcl5": 15}, {"caps5": 12, "pcl5": 18}]
    assert of_scales == pairs[0]


def test_moderate_severity_is_the_band_of_the_scale() -> None:
    """The lower cut-offs are one under the moderate band; a score of the band fails."""
    bands = {
        row["scale"]: {name: int(low) for name, low in (band.split(":") for band in row["severity_bands"])}
        for row in CODES.scales.iter_rows(named=True)
    }

    for rule in DEFINITIONS["anx_bokma_2019_moderate"].outcome.scales:
        assert rule.value == bands[rule.scale]["moderate"] - 1


def test_twice_the_ddd_of_chlorpromazine_is_600_mg() -> None:
    """And twice that of risperidone is 10 mg, where the other definition takes 6."""
    doses = {row["atc"]: row for row in CODES.doses.iter_rows(named=True)}

    assert DEFINITIONS["scz_trrip_ddd"].adequacy.drug.min_dose_ratio * doses["N05AA01"]["ddd_mg"] == 600
    assert (2 * doses["N05AX08"]["ddd_mg"], doses["N05AX08"]["chlorpromazine_600_mg"]) == (10, 6)
    assert (doses["N05AD01"]["chlorpromazine_600_mg"], doses["N05AX12"]["chlorpromazine_600_mg"]) == (8, 22)


@pytest.mark.parametrize("definition", SHIPPED, ids=lambda definition: definition.id)
def test_the_day_from_which_scores_count_is_the_one_that_is_said(definition: Definition) -> None:
    """The first day is day 1."""
    said = " ".join(" ".join(asdict(definition.source).values()).split())
    days = {int(day) for day in re.findall(r"from its (\d+)(?:st|nd|rd|th) day on", said)}

    assert days <= {definition.outcome.score_from_day}
