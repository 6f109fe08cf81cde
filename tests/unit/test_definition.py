"""A definition file is read whole or refused with the place, the reason and the remedy."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from schemas import definition
from schemas.definition import Definition
from schemas.errors import ImpasseError

FOLDER = Path(__file__).resolve().parents[2] / "schemas" / "definitions"
TEXT = (FOLDER / "dep_typical_two_drugs.toml").read_text(encoding="utf-8")
SCORED = (FOLDER / "dep_mgh_s.toml").read_text(encoding="utf-8")


def read(text: str = TEXT) -> Definition:
    """The definition of a text, under an invented id."""
    return definition.parse("two_drugs", text)


def refused(old: str, new: str, text: str = TEXT) -> ImpasseError:
    """The refusal of a text in which the first `old` was replaced."""
    assert old in text
    with pytest.raises(ImpasseError) as refusal:
        read(text.replace(old, new, 1))
    return refusal.value


def test_the_file_name_is_the_id() -> None:
    """The id is not written in the file, so it cannot differ from the file's name."""
    assert read().id == "two_drugs"
    assert "id" not in definition.json_schema()["properties"]


def test_equal_blocks_are_equal_and_hash_alike() -> None:
    """Definitions with the same trial block share one set of trials."""
    assert read().trial == read().trial
    assert len({read().trial, read().trial}) == 1


def test_a_what_if_is_a_definition_with_another_block() -> None:
    """Two definitions can exchange a block, and the original stays as it is."""
    hybrid = dataclasses.replace(read(), adequacy=read(SCORED).adequacy)

    assert hybrid.adequacy == read(SCORED).adequacy
    assert hybrid.trial == read().trial


def test_a_definition_knows_the_groups_it_names() -> None:
    """Treatments, augmenters and counted groups together; counted ones apart."""
    assert read().groups == {"antidepressants", "augmenters_depression"}
    assert read().counted_groups == {"antidepressants"}
    assert read(SCORED).counted_groups == {"antidepressants", "augmenters_depression", "ect"}


def test_a_definition_knows_the_code_lists_it_names() -> None:
    """Of its diagnoses and of its exclusions."""
    assert read().code_lists == {"depression", "bipolar", "mania", "psychosis"}


def test_text_that_is_not_toml_is_refused() -> None:
    """A missing quote is told as such."""
    assert "Not valid TOML" in refused('status = "active"', 'status = "active').what


def test_an_unknown_setting_is_refused_with_the_nearest_spelling() -> None:
    """A misspelt setting never passes for its default: there are none."""
    refusal = refused("drug_gap_days = 30", "drug_gap_days = 30\ndrug_gap_day = 30")

    assert "trial.drug_gap_day" in refusal.where
    assert "line " in refusal.where
    assert refusal.do == "Did you mean 'drug_gap_days'?"


def test_a_missing_setting_is_refused_by_name() -> None:
    """Every setting is stated in every file."""
    refusal = refused("carry_over = true\n", "")

    assert refusal.what == "Missing setting 'trial.carry_over'."
    assert "two_drugs" in refusal.where


def test_a_missing_block_is_refused_by_name() -> None:
    """So is a whole block."""
    assert refused("[adequacy.neuromodulation]\nmin_days = 0\nmin_sessions = 6\n", "").what == (
        "Missing setting 'adequacy.neuromodulation'."
    )


@pytest.mark.parametrize(
    ("old", "new", "setting"),
    [
        ('status = "active"', 'status = "final"', "status"),
        ("min_days = 42", "min_days = -1", "adequacy.drug.min_days"),
        ("min_adherence_percent = 0", "min_adherence_percent = 101", "adequacy.drug.min_adherence_percent"),
        ("overlap_days = 28", "overlap_days = 0", "trial.overlap_days"),
        ('combination = "own_trial"', 'combination = "counted"', "trial.combination"),
        ('evidence = ["scales", ', 'evidence = ["opinion", ', "outcome.evidence.0"),
        ("change_within = 90", 'change_within = "year"', "outcome.change_within"),
        ("n = 2, of", "n = 0, of", "resistance.any_of.0.all_of.0.n"),
        ('distinct_by = "substance"', 'distinct_by = "brand"', "resistance.any_of.0.all_of.0.distinct_by"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_by_setting(old: str, new: str, setting: str) -> None:
    """The message names the setting by its full path."""
    assert setting in refused(old, new).where


@pytest.mark.parametrize(("old", "new"), [("points = 0.5", "points = 0.3"), ("threshold = 4.0", "threshold = 0")])
def test_points_go_in_halves_and_a_threshold_is_above_zero(old: str, new: str) -> None:
    """Scores are counted in halves, and a threshold of nothing would make everyone resistant."""
    assert "not allowed" in refused(old, new, SCORED).what


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("min_age = 0", "min_age = 150\n#", None),
        ("max_age = 150", "max_age = 17\n#", None),
        ("min_age = 0\nmax_age = 150", "min_age = 18\nmax_age = 17", "min_age exceeds"),
        ('window = "episode"', 'window = "last_days"', "window_days is 0"),
        ('window = "episode"\nwindow_days = 0', 'window = "first_days"\nwindow_days = 41', "longer than"),
        ('window = "episode"\nwindow_days = 0', 'window = "first_days"\nwindow_days = 42', None),
        ("baseline_days_after = 7", "baseline_days_after = 28", "could be both"),
        ("baseline_days_after = 7", "baseline_days_after = 27", None),
        ('change_signs = ["switch", "add_on"]', "change_signs = []", "change_signs is empty"),
    ],
)
def test_settings_no_episode_could_meet_are_refused(old: str, new: str, what: str | None) -> None:
    """Each impossible combination on one side of its boundary, a possible one on the other."""
    assert old in TEXT
    if what is None:
        assert read(TEXT.replace(old, new, 1)).id == "two_drugs"
    else:
        assert what in refused(old, new).what


def test_evidence_from_scales_needs_a_scale() -> None:
    """Evidence that can never be there is refused."""
    start, end = TEXT.index("scales = ["), TEXT.index("scales_joined")

    assert "scales is empty" in refused(TEXT[start:end], "scales = []\n").what


def test_a_refusal_names_the_nearest_setting_of_an_inner_block() -> None:
    """Also inside a list of counts."""
    assert refused("n = 2, of", "distinctby = 'class', n = 2, of").do == "Did you mean 'distinct_by'?"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_definition_is_read(path: Path) -> None:
    """And is what its file says, whatever the machine."""
    assert definition.parse(path.stem, path.read_text(encoding="utf-8")).id == path.stem


def test_a_file_that_states_its_own_id_is_refused() -> None:
    """The file's name is the id; a second one would go unnoticed until the run."""
    with pytest.raises(ImpasseError, match="states no id"):
        read('id = "other"\n' + TEXT)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('of = ["antidepressants"]', "of = []"),
        ('evidence = ["scales", "treatment_change"]', "evidence = []"),
    ],
)
def test_an_empty_list_that_could_never_be_met_is_refused(old: str, new: str) -> None:
    """Counting nothing, or judging by nothing, is a mistake."""
    assert "at least 1" in str(refused(old, new))
