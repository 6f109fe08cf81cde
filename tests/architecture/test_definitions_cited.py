"""Every shipped definition and code says where it is written and how sure that is."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from impasse.schemas import codelist_files, definition_file
from impasse.schemas.definition import Definition
from impasse.schemas.description import Description

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "schemas" / "definitions").glob("*/*.toml"))
CATALOGUE = [definition_file.parse(path.stem, path.read_text(encoding="utf-8")) for path in FILES]
DEFINITIONS = [one for one in CATALOGUE if isinstance(one, Definition)]
CODES = codelist_files.parse({path.stem: path.read_text() for path in (ROOT / "schemas" / "codelists").glob("*.csv")})
each_definition = pytest.mark.parametrize("one", DEFINITIONS, ids=lambda one: one.id)
each_entry = pytest.mark.parametrize("one", CATALOGUE, ids=lambda one: one.id)


@each_entry
def test_a_definition_says_where_it_is_written_what_it_says_and_how_it_is_read(one: Definition | Description) -> None:
    """A setting without a source cannot be disputed."""
    assert all(text.strip() for text in (one.title, one.source.citation, one.source.says, one.source.reading))


@each_entry
def test_a_definition_names_what_its_source_leaves_open(one: Definition | Description) -> None:
    """No source decides everything; what it does not decide is stated."""
    assert one.source.open.strip()


@each_definition
def test_an_uncertain_definition_is_unverified(one: Definition) -> None:
    """What was not read in the source stays out of the default comparison, and only that."""
    assert (one.status == "unverified") == (one.source.confidence == "U")


@each_definition
def test_an_active_definition_rests_on_no_uncertain_cut_off(one: Definition) -> None:
    """A remission cut-off marked uncertain may only serve an unverified definition."""
    cut_offs = {rule.scale for rule in one.outcome.scales if rule.fails_if == "score_above"}
    uncertain = set(CODES.scales.filter(pl.col("confidence") == "U")["scale"])

    assert one.status == "unverified" or not cut_offs & uncertain


@each_definition
def test_a_definition_names_known_groups_code_lists_and_scales(one: Definition) -> None:
    """A misspelt word would silently match nothing."""
    assert CODES.check_definition(one) is None


@each_definition
def test_a_counted_treatment_can_open_a_trial(one: Definition) -> None:
    """A group that is counted but opens no trial would never fail."""
    opens = set(one.trial.treatments + one.trial.augmenters)
    members = CODES.treatments.filter(pl.col("groups").list.set_intersection(sorted(opens)).list.len() > 0)
    counted = CODES.treatments.filter(pl.col("groups").list.set_intersection(sorted(one.counted_groups)).list.len() > 0)

    assert set(counted["treatment"]) <= set(members["treatment"])


@each_definition
def test_a_definition_has_worked_cases_of_the_same_name(one: Definition) -> None:
    """A definition ships with the histories that show what it means."""
    (file,) = (path for path in FILES if path.stem == one.id)

    assert (file.parent / "cases" / file.name).is_file()


def test_every_case_file_has_its_definition() -> None:
    """A withdrawn definition stays listed, so its cases never lose it."""
    cases = {path.stem for path in (ROOT / "schemas" / "definitions").glob("*/cases/*.toml")}

    assert cases == {one.id for one in DEFINITIONS}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_definition_id_is_a_lower_case_name(path: Path) -> None:
    """The file's name is the definition's id for ever."""
    assert path.stem.isidentifier()
    assert path.stem == path.stem.lower()


@pytest.mark.parametrize("path", sorted((ROOT / "schemas" / "codelists").glob("*.csv")), ids=lambda path: path.stem)
def test_every_code_list_has_source_date_and_confidence(path: Path) -> None:
    """Also the lists that only one source adapter reads."""
    header = path.read_text(encoding="utf-8").splitlines()[0].split(",")

    assert {"source", "date", "confidence"} <= set(header)


@pytest.mark.parametrize("path", sorted((ROOT / "schemas" / "codelists").glob("*.csv")), ids=lambda path: path.stem)
def test_what_only_the_project_says_is_marked_as_its_choice(path: Path) -> None:
    """And what is marked as a choice names the project."""
    rows = pl.read_csv(path, infer_schema=False)
    chosen = rows.filter(confidence="D")["source"]

    assert set(rows.filter(source="project vocabulary")["confidence"]) <= {"D"}
    assert all("project" in source for source in chosen)
