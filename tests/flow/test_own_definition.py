"""A definition from a folder outside the program runs, is compared, reported and explained like a shipped one."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest

from impasse.flows.cli import demo
from impasse.flows.definitions import authoring
from impasse.flows.files import inputs
from impasse.flows.published import _treatment_names
from tests.flow.running import run_steps

OWN = "dep_four_drugs"
LISTS = """\
list,code_system,code,use,source,date,confidence
burnout,icd10,Z730,include,Handbook of this hospital,2026-11-30,M
"""
DRUGS = """\
treatment,name,modality,class,mechanism,observed_as,groups,maybe_groups,source,date,confidence
N06AX99,newdrug,drug,,,drug,new_drugs,,Handbook of this hospital,2026-11-30,M
N06AB06,,drug,,,drug,new_drugs,,Handbook of this hospital,2026-11-30,M
"""
TITLE = "Four drugs, whatever their dose: a definition of this hospital"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder: a shipped definition with one setting changed, and its cases."""
    folder = tmp_path_factory.mktemp("hospital") / "definitions"
    authoring.start(OWN, "dep_karolinska", folder, TITLE, "Four drugs, any dose")
    path = folder / f"{OWN}.toml"
    text = path.read_text(encoding="utf-8").replace("n = 2,", "n = 4,", 1)
    path.write_text(text.replace('status = "draft"', 'status = "active"'), encoding="utf-8")
    (folder / "codelists").mkdir()
    (folder / "codelists/diagnoses.csv").write_text(LISTS, encoding="utf-8")
    (folder / "codelists/treatments.csv").write_text(DRUGS, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def published(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that compares it with a shipped one."""
    study = demo.write_demo(tmp_path_factory.mktemp("own"), 1500, seed=5)
    wanted = f'\n[definitions]\nfolders = ["{folder}"]\nuse = ["{OWN}", "dep_karolinska"]\n'
    study.write_text(study.read_text(encoding="utf-8") + wanted, encoding="utf-8")
    return run_steps(study, tmp_path_factory.mktemp("out"))


def test_it_is_judged_like_a_shipped_one(published: Path) -> None:
    """One row per episode; four failures are never more frequent than two."""
    rows = pl.read_parquet(published / "restricted/classifications.parquet")
    resistant = rows.filter(pl.col("verdict") == "resistant").group_by("definition_id").len()
    numbers = dict(resistant.iter_rows())

    assert rows.group_by("definition_id").len().sort("definition_id")["len"].n_unique() == 1
    assert set(rows["definition_id"].unique()) == {OWN, "dep_karolinska"}
    assert numbers.get(OWN, 0) < numbers["dep_karolinska"]


@pytest.mark.parametrize("page", ["report.html", "methods.html"])
def test_its_title_is_on_both_pages(published: Path, page: str) -> None:
    """With no Python changed."""
    assert TITLE in (published / "release" / page).read_text(encoding="utf-8")


def test_its_file_is_released_as_it_was_read(published: Path, folder: Path) -> None:
    """A reader of the report can see what the words stand for."""
    released = (published / "release" / "definitions" / f"{OWN}.toml").read_text(encoding="utf-8")

    assert released == (folder / f"{OWN}.toml").read_text(encoding="utf-8")


def test_its_code_lists_are_released_as_they_were_read(published: Path) -> None:
    """With their fingerprint in the manifest, and their source on the page of methods."""
    released = (published / "release/codelists/diagnoses.csv").read_text(encoding="utf-8")
    manifest = json.loads((published / "release/manifest.json").read_text(encoding="utf-8"))

    assert released == LISTS
    assert manifest["own_codelists"] == {
        "diagnoses": sha256(LISTS.encode()).hexdigest(),
        "treatments": sha256(DRUGS.encode()).hexdigest(),
    }
    assert "Handbook of this hospital" in (published / "release/methods.html").read_text(encoding="utf-8")


def test_an_episode_is_told_with_its_names_of_drugs(published: Path) -> None:
    """Those of the study's own lists, read from the run; a listed drug keeps its name."""
    names = _treatment_names(published)

    assert (names["N06AX99"], names["N06AB06"]) == ("newdrug", "sertraline")


def test_no_code_names_a_definition() -> None:
    """A definition is a file; the program knows none by name.

    The bench alone names those that its SQL was written for.
    """
    root = Path(__file__).resolve().parents[2]
    ids = set(inputs.definition_texts())
    code = [path for layer in ("schemas", "transforms", "reports", "flows") for path in (root / layer).rglob("*.py")]
    code = [path for path in code if not path.name.startswith("bench")]
    named = {(path.name, one) for path in code for one in ids if f'"{one}"' in path.read_text(encoding="utf-8")}

    assert named == set()
