"""What the manifests tell: all that an auditor of the run needs, and nothing that lets others guess a row."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from impasse.flows.files.folders import files_in_folder
from impasse.flows.run.steps.manifests import seal
from tests.flow.running import data_hashes, run_steps

pytestmark = pytest.mark.usefixtures("blank_report")

STUDY = """
name = "guessed"
source = { kind = "registry", path = "delivery" }
period = { start = 2012-01-01, end = 2016-12-31 }
episodes = { disorders = ["schizophrenia"] }
definitions = { use = ["scz_clozapine"] }
quality = { max_quarantined_percent = 100 }
"""
PERSONS = "person_id,birth_date,sex\na,1970-01-01,f\nb,1789-07-14,m\n"
DIAGNOSES = "person_id,date,code,code_system\na,2015-01-10,F200,icd10\n"


def sha256(path: Path) -> str:
    """The unsalted fingerprint of a file's bytes, which whoever guesses them can work out."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read(run: Path, part: str) -> dict[str, Any]:
    """The manifest of a part of a run."""
    return json.loads((run / part / "manifest.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two persons, one of whom is set aside."""
    folder = tmp_path_factory.mktemp("guessed")
    (folder / "delivery").mkdir()
    (folder / "delivery" / "persons.csv").write_text(PERSONS, encoding="utf-8")
    (folder / "delivery" / "diagnoses.csv").write_text(DIAGNOSES, encoding="utf-8")
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    return folder / "study.toml"


@pytest.fixture(scope="module")
def run(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published run."""
    return run_steps(study, tmp_path_factory.mktemp("out"))


@pytest.fixture(scope="module")
def guess(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of rows that somebody guessed, all of them rightly."""
    return run_steps(study, tmp_path_factory.mktemp("guess"))


def test_a_right_guess_has_the_same_bytes(run: Path, guess: Path) -> None:
    """So a fingerprint without a key would tell that the guess is right."""
    assert data_hashes(guess) == data_hashes(run)
    assert "restricted/quarantine/persons.parquet" in data_hashes(run)


def test_nothing_released_confirms_a_guess(run: Path, guess: Path, study: Path) -> None:
    """No released file holds the SHA-256 of a delivered or restricted file: not the manifests, not the pages."""
    rows_of_persons = [
        *files_in_folder(guess / "restricted"),
        *files_in_folder(run / "restricted"),
        *files_in_folder(study.parent / "delivery"),
    ]
    released = b"".join(path.read_bytes() for path in files_in_folder(run / "release"))

    assert [path.name for path in rows_of_persons if sha256(path).encode() in released] == []


def test_the_seal_tells_nothing_without_its_key(run: Path, guess: Path) -> None:
    """Two runs of the same rows have seals of their own."""
    assert read(run, "release")["seal"] != read(guess, "release")["seal"]
    assert read(run, "restricted")["key"] != read(guess, "restricted")["key"]


def test_who_has_both_manifests_can_check_each_file(run: Path, study: Path) -> None:
    """The kept fingerprints are those of the files, and the released seal is theirs."""
    kept, released = read(run, "restricted"), read(run, "release")
    delivered = {path.name: sha256(path) for path in files_in_folder(study.parent / "delivery")}
    made = {f"{path.relative_to(run)}": sha256(path) for path in files_in_folder(run / "restricted")}

    assert kept["inputs"] == delivered
    assert kept["outputs"] == {name: made[name] for name in made if name != "restricted/manifest.json"}
    assert released["seal"] == seal({"inputs": kept["inputs"], "outputs": kept["outputs"]}, kept["key"])


def test_a_changed_fingerprint_breaks_the_seal(run: Path) -> None:
    """Nobody can exchange a restricted file and its fingerprint unseen."""
    kept, released = read(run, "restricted"), read(run, "release")
    changed = {**kept["outputs"], "restricted/quarantine/persons.parquet": "0" * 64}

    assert released["seal"] != seal({"inputs": kept["inputs"], "outputs": changed}, kept["key"])


def test_the_released_manifest_names_what_it_does_not_fingerprint(run: Path) -> None:
    """Delivered and restricted files by name, released ones with their SHA-256."""
    released = read(run, "release")

    assert released["inputs"] == ["diagnoses.csv", "persons.csv"]
    assert released["restricted"] == sorted(read(run, "restricted")["outputs"])
    assert {name for name in released["outputs"] if not name.startswith("release/")} == set()
    assert released["outputs"] == {name: sha256(run / name) for name in released["outputs"]}


def test_the_key_is_for_the_user_alone(run: Path) -> None:
    """As all that is restricted."""
    assert (run / "restricted/manifest.json").stat().st_mode & 0o777 == 0o600


def test_the_layout_that_was_read_by_is_kept(run: Path) -> None:
    """A shipped one is released beside the definitions, with its fingerprint."""
    shipped = Path(__file__).parents[2] / "schemas/mappings/generic.toml"
    released = read(run, "release")

    assert released["layout"] == "release/layout/generic.toml"
    assert released["outputs"]["release/layout/generic.toml"] == sha256(shipped)


def test_a_layout_of_ones_own_is_kept_among_what_is_restricted(study: Path, tmp_path: Path) -> None:
    """It may name files and words of persons, so its text and fingerprint stay, and the seal covers them."""
    shutil.copytree(study.parent, tmp_path / "own")
    own, layout = tmp_path / "own/study.toml", tmp_path / "own/my-registry.toml"
    shutil.copy(Path(__file__).parents[2] / "schemas/mappings/generic.toml", layout)
    layout.write_text(f"# of lopnr 4711\n{layout.read_text()}", encoding="utf-8")
    own.write_text(STUDY.replace('"registry"', '"registry", layout = "my-registry.toml"'), encoding="utf-8")
    run = run_steps(own, tmp_path / "out")

    assert read(run, "release")["layout"] == "restricted/layout/my-registry.toml"
    assert read(run, "restricted")["outputs"]["restricted/layout/my-registry.toml"] == sha256(layout)
    assert b"4711" not in b"".join(path.read_bytes() for path in files_in_folder(run / "release"))
