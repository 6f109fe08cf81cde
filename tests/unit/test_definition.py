"""A definition file is read whole or refused with the place, the reason and the remedy."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from impasse.schemas import definition_file
from impasse.schemas.definition import Definition
from impasse.schemas.description import Description
from impasse.schemas.errors import ImpasseError

FOLDER = Path(__file__).resolve().parents[2] / "schemas" / "definitions" / "depression"
TEXT = (FOLDER / "dep_typical_two_drugs.toml").read_text(encoding="utf-8")
SCORED = (FOLDER / "dep_mgh_s_4.toml").read_text(encoding="utf-8")


def read(text: str = TEXT) -> Definition:
    """The definition of a text, under an invented id."""
    return definition_file.parse("two_drugs", text)


def refused(old: str, new: str, text: str = TEXT) -> ImpasseError:
    """The refusal of a text in which the first `old` was replaced."""
    assert old in text
    with pytest.raises(ImpasseError) as refusal:
        read(text.replace(old, new, 1))
    return refusal.value


def test_the_file_name_is_the_id() -> None:
    """The id is not written in the file, so it cannot differ from the file's name."""
    assert read().id == "two_drugs"
    assert "id" not in definition_file.json_schema()["properties"]


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
    refusal = refused("permissible_gap_days = 30", "permissible_gap_days = 30\npermissible_gap_day = 30")

    assert "trial.permissible_gap_day" in refusal.where
    assert "line " in refusal.where
    assert refusal.do == "Did you mean 'permissible_gap_days'?"


def test_a_misspelt_value_is_refused_with_the_nearest_spelling() -> None:
    """The words a setting may have are few, so the one that was meant is near."""
    refusal = refused('window = "episode"', 'window = "epsiode"')

    assert refusal.do == "Did you mean 'episode'?"
    assert f"line {TEXT[: TEXT.index('window =')].count(chr(10)) + 1}, setting trial.window" in refusal.where


def test_an_impossible_combination_is_refused_with_its_line() -> None:
    """Eight weeks do not fit into thirty days."""
    refusal = refused('window = "episode"\nwindow_days = 0', 'window = "first_days"\nwindow_days = 30')

    assert refusal.where.startswith("definition file two_drugs.toml, line ")
    assert refusal.where.endswith("setting min_days")


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
        ("min_pdc_percent = 0", "min_pdc_percent = 101", "adequacy.drug.min_pdc_percent"),
        ("min_mpr_percent = 0", "min_mpr_percent = 1001", "adequacy.drug.min_mpr_percent"),
        ("adherence_window_days = 0", "adherence_window_days = -1", "adequacy.drug.adherence_window_days"),
        ("min_days = 42", "min_days = true", "adequacy.drug.min_days"),
        ("min_days = 42", 'min_days = "42"', "adequacy.drug.min_days"),
        ("min_days = 42", "min_days = 42.0", "adequacy.drug.min_days"),
        ("carry_over = true", "carry_over = 1", "trial.carry_over"),
        ("carry_over = true", 'carry_over = "yes"', "trial.carry_over"),
        ("overlap_days = 28", "overlap_days = 100_001", "trial.overlap_days"),
        ("n = 2, of", "n = 18446744073709551616, of", "resistance.any_of.0.all_of.0.n"),
        ("n = 2, of", "n = true, of", "resistance.any_of.0.all_of.0.n"),
        ("min_dose_ratio = 1.0", "min_dose_ratio = true", "adequacy.drug.min_dose_ratio"),
        ("min_dose_ratio = 1.0", "min_dose_ratio = nan", "adequacy.drug.min_dose_ratio"),
        ("min_dose_ratio = 1.0", "min_dose_ratio = inf", "adequacy.drug.min_dose_ratio"),
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


def test_a_ratio_may_be_a_whole_number() -> None:
    """As a person writes it."""
    assert read(TEXT.replace("min_dose_ratio = 1.0", "min_dose_ratio = 1", 1)) == read()


@pytest.mark.parametrize("escape", [r"\u0007", r"\u001b[31m", r"\u202e", r"\u0085"])
def test_a_control_character_is_refused(escape: str) -> None:
    """It drives a terminal, and the library that draws charts ends the process at one."""
    told = refused('title = "', f'title = "{escape}')

    assert f"control character U+{escape[2:6].upper()}" in told.what
    assert "two_drugs.toml" in told.where


@pytest.mark.parametrize(
    "name", ["", "..", "a\nb", "[red]x", "\x1b[31mred", "Two_drugs", "=HYPERLINK(1)", "a" * 81, "x y"]
)
def test_a_file_name_that_cannot_be_an_id_is_refused(name: str) -> None:
    """It becomes a file's name elsewhere, and stands in tables, pages and on terminals."""
    with pytest.raises(ImpasseError, match="The file's name cannot be an id"):
        definition_file.parse(name, TEXT)


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
        ("baseline_days_after = 7", "baseline_days_after = 41", "could be both"),
        ("baseline_days_after = 7", "baseline_days_after = 26", None),
        ('change_signs = ["switch", "add_on"]', "change_signs = []", "change_signs is empty"),
        ('window = "episode"\nwindow_days = 0', 'window = "last_days"\nwindow_days = 30', "longer than"),
        ('window = "episode"\nwindow_days = 0', 'window = "first_treated_days"\nwindow_days = 41', "longer than"),
        ('within = "episode"', "within = 41", "longer than the time"),
        ('within = "episode"', "within = 42", None),
        ('timing = "any"', 'timing = "before"', "no count can be the last"),
        ('timing = "any"', 'timing = "last"', None),
        ("washout_days = 0", "washout_days = 182", "need each other"),
        ("adherence_window_days = 0", "adherence_window_days = 90", "neither min_pdc_percent nor min_mpr_percent"),
        ("min_mpr_percent = 0\nadherence_window_days = 0", "min_mpr_percent = 1\nadherence_window_days = 90", None),
        ("min_mpr_percent = 0", "min_mpr_percent = 120", None),
        ("washout_treatments = []\nwashout_days = 0", 'washout_treatments = ["maoi"]\nwashout_days = 182', None),
        ("washout_treatments = []", 'washout_treatments = ["maoi"]', "need each other"),
        ("carry_over = true", "carry_over = false", "limits nothing"),
        ("carry_over = true\ncarry_over_cap_days = 90", "carry_over = false\ncarry_over_cap_days = 0", None),
        ('evidence = ["scales", "treatment_change"]', 'evidence = ["treatment_change"]', "read by nothing"),
        ('score = "last"', 'score = "best"', None),
        ("window_days = 0", "window_days = 30", "limits nothing"),
        ('change_signs = ["switch", "add_on"]', 'change_signs = ["switch"]', "add_on_from_day is read by nothing"),
        ("carry_over_cap_days = 90", "carry_over_cap_days = 0", "nothing is carried over"),
        ('change_signs = ["switch", "add_on"]', 'change_signs = ["switch", "switch"]', "names something twice"),
        ('evidence = ["scales", "treatment_change"]', 'evidence = ["scales", "scales"]', "names something twice"),
        ('evidence = ["scales", "treatment_change"]', 'evidence = ["scales"]', "read by nothing"),
        ('disorders = ["depression"]', 'disorders = ["depression", "depression"]', "names something twice"),
        ('lost_response = "not_failed"', 'lost_response = "failed"', None),
    ],
)
def test_settings_no_episode_could_meet_are_refused(old: str, new: str, what: str | None) -> None:
    """Each impossible combination on one side of its boundary, a possible one on the other."""
    assert old in TEXT
    if what is None:
        assert read(TEXT.replace(old, new, 1)).id == "two_drugs"
    else:
        assert what in refused(old, new).what


def test_what_only_the_last_score_shows_is_not_asked_of_another() -> None:
    """A best score cannot have been lost, and it is not one of a stated time that a cut-off holds for."""
    best = TEXT.replace('score = "last"', 'score = "best"')
    start, end = best.index("scales = ["), best.index("scales_joined")
    remission = 'scales = [{ scale = "hamd17", fails_if = "score_above", value = 7 }]\n'

    assert (
        "only the last score can show" in refused('lost_response = "not_failed"', 'lost_response = "failed"', best).what
    )
    assert "one of a stated time" in refused(best[start:end], remission, best).what
    assert read(TEXT.replace(best[start:end], remission)).outcome.score == "last"


def test_evidence_from_scales_needs_a_scale() -> None:
    """Evidence that can never be there is refused."""
    start, end = TEXT.index("scales = ["), TEXT.index("scales_joined")

    assert "scales is empty" in refused(TEXT[start:end], "scales = []\n").what


def test_a_refusal_names_the_nearest_setting_of_an_inner_block() -> None:
    """Also inside a list of counts."""
    assert refused("n = 2, of", "distinctby = 'class', n = 2, of").do == "Did you mean 'distinct_by'?"


@pytest.mark.parametrize("path", sorted(FOLDER.parent.glob("*/*.toml")), ids=lambda path: path.stem)
def test_every_shipped_definition_is_read(path: Path) -> None:
    """And is what its file says, whatever the machine."""
    assert definition_file.parse(path.stem, path.read_text(encoding="utf-8")).id == path.stem


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


MADRS_BAND = 'scales = [{ scale = "madrs", fails_if = "fall_between", at_least = 25, below = %d }]\n'


@pytest.mark.parametrize(("below", "is_possible"), [(26, True), (25, False)])
def test_a_band_of_a_scale_must_hold_something(below: int, is_possible: bool) -> None:
    """From 25% to under 25% is no fall at all."""
    start, end = TEXT.index("scales = ["), TEXT.index("scales_joined")
    text = TEXT.replace(TEXT[start:end], MADRS_BAND % below)

    if is_possible:
        assert read(text).outcome.scales[0].below == below
    else:
        assert "not under its below" in refused(TEXT[start:end], MADRS_BAND % below).what


MSM = (FOLDER / "dep_msm.toml").read_text(encoding="utf-8")
LONGEST = "{ at_least = 731, points = 3.0 }"


@pytest.mark.parametrize("band", ["{ at_least = 366, points = 3.0 }", "{ at_least = 731, points = 1.0 }"])
def test_bands_rise(band: str) -> None:
    """A later band starts later and earns no less; otherwise a bound of the score would not be one."""
    assert "bands do not rise" in refused(LONGEST, band, MSM).what


def test_bands_may_earn_the_same() -> None:
    """Two bands of equal points are one band in two lines."""
    assert read(MSM.replace(LONGEST, "{ at_least = 731, points = 2.0 }", 1)).gives == "score"


def test_what_a_definition_gives() -> None:
    """A verdict; of a staging system a score or a stage."""
    gives = {
        name: definition_file.parse(name, (FOLDER / f"{name}.toml").read_text(encoding="utf-8")).gives for name in KINDS
    }

    assert gives == KINDS


KINDS = {"dep_mgh_s_4": "verdict", "dep_mgh_s": "score", "dep_thase_rush": "stage"}
DESCRIBED = (FOLDER / "dep_difficult_to_treat.toml").read_text(encoding="utf-8")


def test_a_definition_that_cannot_be_computed_says_why() -> None:
    """It has a source and a reason, and no blocks."""
    described = read(DESCRIBED)

    assert isinstance(described, Description)
    assert described.disorders == ("depression",)


def test_a_described_definition_without_a_reason_is_refused() -> None:
    """The reason is what it is listed for."""
    assert refused("not_computed", "not_compute", DESCRIBED).do == "Did you mean 'not_computed'?"
