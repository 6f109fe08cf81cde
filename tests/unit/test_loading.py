"""Which definitions a study compares: one that could have no effect is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from impasse.flows.run.loading import load, stated
from impasse.schemas.errors import ImpasseError
from impasse.schemas.study import EngineSection
from tests.shipped import copied
from tests.unit.deliveries import study

STUDY = """
name = "test"
source = { kind = "registry", path = "." }
period = { start = 2000-01-01, end = 2020-12-31 }
episodes = { disorders = ["depression"] }
"""


def _study(folder: Path, definitions: str) -> Path:
    path = folder / "study.toml"
    path.write_text(f"{STUDY}\n[definitions]\n{definitions}\n")
    return path


def _own(folder: Path, status: str) -> str:
    """A folder with one definition of one's own, and the setting that names it."""
    own = folder / "own"
    own.mkdir()
    text = copied("dep_typical_two_drugs", "Mine")
    (own / "mine.toml").write_text(text.replace('status = "active"', f'status = "{status}"'))
    return 'folders = ["own"]'


def _told(path: Path) -> str:
    load.cache_clear()  # of the study that stood there before
    with pytest.raises(ImpasseError) as caught:
        load(path)
    return str(caught.value)


def test_a_study_looks_at_some_kind_of_supply_that_its_definitions_count(tmp_path: Path) -> None:
    """Of administered doses alone a definition of prescriptions would call nobody resistant, whatever was given."""
    path = _study(tmp_path, 'use = ["dep_fabbri_2021"]')
    named = path.read_text()

    path.write_text(named + '\n[supply]\nkinds = ["administered"]\n')
    assert "No kind of supply that definition 'dep_fabbri_2021' counts" in _told(path)

    path.write_text(named + '\n[supply]\nkinds = ["administered", "prescribed"]\n')
    load.cache_clear()
    assert [d.id for d in load(path).definitions] == ["dep_fabbri_2021"]


def test_a_named_definition_speaks_about_a_disorder_of_the_study(tmp_path: Path) -> None:
    """One of anxiety says nothing about depression, though another one is named beside it."""
    fine = load(_study(tmp_path, 'use = ["dep_karolinska"]')).definitions
    told = _told(_study(tmp_path, 'use = ["dep_karolinska", "anx_bokma_2019"]'))

    assert [d.id for d in fine] == ["dep_karolinska"]
    assert "'anx_bokma_2019' speaks about none of the study's disorders" in told
    assert "add anxiety to episodes.disorders" in told


def test_a_folder_of_definitions_is_used(tmp_path: Path) -> None:
    """By all, or by name; its drafts, or what is not named, would be left out without a word."""
    setting = _own(tmp_path, "active")

    assert "mine" in load(_study(tmp_path, setting)).texts
    (tmp_path / "named").mkdir()
    other = _study(tmp_path / "named", setting.replace("own", "../own") + '\nuse = ["dep_karolinska"]')
    assert "No definition of this folder is compared" in _told(other)


def test_a_folder_of_drafts_is_refused(tmp_path: Path) -> None:
    """They are not compared before their status is active."""
    assert 'Set its status to "active"' in _told(_study(tmp_path, _own(tmp_path, "draft")))


def test_two_definitions_of_one_label_are_not_compared(tmp_path: Path) -> None:
    """Whether both are compared or not: a reader of the pages could not tell which is which."""
    setting = _own(tmp_path, "active")
    (tmp_path / "own/second.toml").write_text(copied("dep_karolinska", "Mine"))

    told = _told(_study(tmp_path, setting))

    assert "Two definitions have the title 'Mine'." in told
    assert "definition file mine.toml, setting title" in told
    assert "Change that of second.toml." in told


def test_workers_of_the_study_and_an_address_of_the_command_line_do_not_go_together() -> None:
    """A cluster that is there has its own workers; those of the study are not left out without a word."""
    own = study().model_copy(update={"engine": EngineSection(workers=2)})
    asked = {"kind": "dask", "address": "tcp://a:1"}

    assert stated(own, {**asked, "workers": 0})[1].address == "tcp://a:1"
    with pytest.raises(ImpasseError) as caught:
        stated(own, asked)
    assert "engine.workers = 0 with an address" in str(caught.value)
