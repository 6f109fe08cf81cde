"""Settings under a former name mean what they mean under the new one, and a note gives the new one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from impasse.flows.files import inputs
from impasse.schemas import definition_file, renamed, study
from impasse.schemas.definition import BLOCKS, DrugAdequacy, Eligible, Trial
from impasse.schemas.errors import ImpasseError
from tests.unit.test_definition import TEXT
from tests.unit.test_study import STUDY

FORMER = {
    "washout_treatments = []": "untreated_by = []",
    "washout_days = 0": "untreated_days = 0",
    "permissible_gap_days = 30": "drug_gap_days = 30",
    "min_pdc_percent = 0": "min_adherence_percent = 0",
}
WASHOUT = STUDY + "washout_days = 400\n"


def with_former_names(text: str = TEXT) -> str:
    """A definition file with every setting that was renamed under its former name."""
    for new, old in FORMER.items():
        text = text.replace(new, old)
    return text


def fields(block: type) -> dict[str, object]:
    """The settings of a block."""
    return {field.name: field for field in dataclasses.fields(block)}


def refused(text: str) -> str:
    """The refusal of a definition file."""
    with pytest.raises(ImpasseError) as refusal:
        definition_file.parse("mine", text)
    return str(refusal.value)


def test_a_definition_is_the_same_under_former_names() -> None:
    """Every block is equal, so that its rows are shared."""
    former = definition_file.parse("mine", with_former_names())

    assert with_former_names() != TEXT
    assert former == definition_file.parse("mine", TEXT)


def test_the_washout_of_a_study_is_its_prior_observation() -> None:
    """In a study file the name stood for time observed; a definition's washout is time free of treatment."""
    newly = STUDY + "min_prior_observation_days = 400\n"

    assert study.parse("study.toml", WASHOUT) == study.parse("study.toml", newly)
    assert study.parse("study.toml", WASHOUT).episodes.min_prior_observation_days == 400


def test_the_washout_of_a_definition_is_no_former_name() -> None:
    """Its name is new where that of a study is old, so nothing is noted."""
    text = TEXT.replace(
        "washout_treatments = []\nwashout_days = 0", 'washout_treatments = ["maoi"]\nwashout_days = 182'
    )

    assert definition_file.parse("mine", text).eligible.washout_days == 182
    assert definition_file.note_on_names("mine", text) == ""


def test_new_names_are_not_noted() -> None:
    """Whoever has changed them hears no more of it."""
    assert definition_file.note_on_names("mine", TEXT) == ""
    assert study.note_on_names("study.toml", STUDY + "min_prior_observation_days = 400\n") == ""


def test_one_note_gives_all_new_names_of_a_definition() -> None:
    """Each with the block in which it stands."""
    assert definition_file.note_on_names("mine", with_former_names()) == (
        "definition file mine.toml: eligible.untreated_by is now washout_treatments; eligible.untreated_days is now "
        "washout_days; trial.drug_gap_days is now permissible_gap_days; adequacy.drug.min_adherence_percent is now "
        "min_pdc_percent; adequacy.augmentation.min_adherence_percent is now min_pdc_percent. "
        "Change these names: the next release no longer reads the old."
    )


def test_one_note_gives_the_new_name_of_a_study() -> None:
    """With the section in which it stands."""
    assert study.note_on_names("study.toml", WASHOUT) == (
        "study.toml: episodes.washout_days is now min_prior_observation_days. "
        "Change this name: the next release no longer reads the old."
    )


@pytest.mark.parametrize(("new", "old"), FORMER.items())
def test_both_names_in_one_block_of_a_definition_are_refused(new: str, old: str) -> None:
    """Nobody could tell which one holds."""
    text = refused(TEXT.replace(new, f"{new}\n{old}", 1))
    old_name, new_name = old.split(" ")[0], new.split(" ")[0]

    assert f"A setting under two names: '{old_name}' is the former name of '{new_name}'." in text
    assert "definition file mine.toml, block " in text


def test_both_names_in_a_study_are_refused() -> None:
    """As in a definition."""
    with pytest.raises(ImpasseError) as refusal:
        study.parse("study.toml", WASHOUT + "min_prior_observation_days = 400\n")

    assert "'washout_days' is the former name of 'min_prior_observation_days'" in str(refusal.value)
    assert refusal.value.where == "study.toml, block episodes"


def test_a_former_name_in_one_block_and_the_new_one_in_another_are_read() -> None:
    """The drugs' adequacy may be changed before that of augmentation."""
    text = TEXT.replace("min_pdc_percent = 0", "min_adherence_percent = 80", 1)

    assert definition_file.parse("mine", text).adequacy.drug.min_pdc_percent == 80
    assert definition_file.parse("mine", text).adequacy.augmentation.min_pdc_percent == 0


def test_a_wrong_value_is_told_under_the_name_in_the_file() -> None:
    """With its line; an author would search in vain for the new name."""
    text = refused(with_former_names().replace("drug_gap_days = 30", "drug_gap_days = -1"))

    assert "Setting 'trial.drug_gap_days' has a value that is not allowed." in text
    assert f"line {TEXT[: TEXT.index('permissible_gap_days')].count(chr(10)) + 1}, setting trial.drug_gap_days" in text


def test_a_wrong_value_of_a_study_is_told_under_the_name_in_the_file() -> None:
    """As in a definition."""
    with pytest.raises(ImpasseError, match=r"Key 'episodes\.washout_days' has a value that is not allowed"):
        study.parse("study.toml", STUDY + "washout_days = -1\n")


def test_an_impossible_combination_under_former_names_gives_the_new_ones() -> None:
    """The combination is told in new names."""
    text = refused(with_former_names().replace("untreated_days = 0", "untreated_days = 182"))

    assert "eligible.washout_treatments and washout_days need each other" in text
    assert "eligible.untreated_days is now washout_days" in text


@pytest.mark.parametrize("name", ["drug_gap_days", "untreated_days", "min_adherence_percent"])
def test_a_former_name_in_a_block_to_which_it_never_belonged_is_unknown(name: str) -> None:
    """A former name is known in its own block only."""
    assert f"Unknown setting 'outcome.{name}'" in refused(TEXT.replace("[outcome]", f"[outcome]\n{name} = 1"))


@pytest.mark.parametrize(
    "text", ["eligible = 3", "adequacy = { drug = 3 }", "trial = []", "[[eligible]]\nuntreated_days = 1"]
)
def test_a_block_that_is_no_table_has_no_names(text: str) -> None:
    """It is refused as what it is."""
    assert definition_file.note_on_names("mine", text) == ""
    assert "Missing setting" in refused(text) or "not allowed" in refused(text)


def test_every_new_name_is_a_setting() -> None:
    """What a note tells an author to write is read."""
    former = [*renamed.STUDY_SETTINGS, *renamed.DEFINITION_SETTINGS]
    settings = {**study.EpisodeSection.model_fields, **fields(Eligible), **fields(Trial), **fields(DrugAdequacy)}

    assert {*renamed.STUDY_SETTINGS.values(), *renamed.DEFINITION_SETTINGS.values()} <= settings.keys()
    assert {path[0] for path in former} <= {"episodes", *BLOCKS}


def test_the_files_with_former_names_are_noted_one_by_one(tmp_path: Path) -> None:
    """The study first, then each definition of a folder that has some."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (tmp_path / "study.toml").write_text(WASHOUT)
    (folder / "old.toml").write_text(with_former_names())
    (folder / "new.toml").write_text(TEXT)

    notes = inputs.notes_on_names([folder], tmp_path / "study.toml")

    assert [note.split(":")[0] for note in notes] == ["study.toml", "definition file old.toml"]


def test_a_misspelt_former_name_is_told_the_present_one() -> None:
    """In a definition and in a study."""
    assert "Did you mean 'washout_days'?" in refused(TEXT.replace("washout_days = 0", "untreated_dayz = 0"))
    with pytest.raises(ImpasseError, match=r"Did you mean 'min_prior_observation_days'\?"):
        study.parse("study.toml", STUDY + "washout_dayz = 400\n")


def test_a_text_in_new_names_is_the_file_as_it_would_be_written_today() -> None:
    """Nothing else of it changes."""
    assert definition_file.in_new_names("mine", with_former_names()) == TEXT
    assert definition_file.in_new_names("mine", TEXT) == TEXT
