"""The kind of supply that a registry's dispensings tell of: dispensed, prescribed, administered or unknown."""

from __future__ import annotations

import polars as pl

from impasse.schemas import mapping_file
from impasse.transforms.ingest.supply import count_kinds
from tests.cleaning import clean
from tests.shipped import CODES
from tests.tables import assert_shows
from tests.unit.deliveries import SCHEMAS, cleaned, delivered, study

PERSONS = "person_id,birth_date\n1,1970-01-01"
GENERIC = (SCHEMAS / "mappings" / "generic.toml").read_text()
FILLS = "person_id,date,atc,kind\n1,2010-01-01,N06AB06,Prescribed\n1,2010-01-02,N06AB06,\n1,2010-01-03,N06AB06,sold"


def _kinds(kind: str, dispensings: str) -> list[str]:
    """The kinds of supply under the generic layout with another line for the column."""
    layout = mapping_file.parse("mine", GENERIC.replace('kind = { column = "kind", optional = true }', kind))
    found = clean(delivered(persons=PERSONS, dispensings=dispensings), layout, study(), CODES)
    return found.extract.dispensings["kind"].to_list()


def test_a_register_of_dispensings_tells_of_dispensings() -> None:
    """Without a column for it, in the file or in the layout, a row is a dispensing."""
    plain = "person_id,date,atc\n1,2010-01-01,N06AB06"

    assert cleaned("generic", persons=PERSONS, dispensings=plain).extract.dispensings["kind"].to_list() == ["dispensed"]
    assert _kinds("", plain) == ["dispensed"]


def test_a_column_tells_the_kind() -> None:
    """In any capitals; a blank cell and a word that is no kind are unknown, and no row is refused for them."""
    found = cleaned("generic", persons=PERSONS, dispensings=FILLS)

    assert found.extract.dispensings["kind"].to_list() == ["prescribed", "unknown", "unknown"]
    assert found.rules.is_empty()


def test_a_layout_translates_or_states_the_kind() -> None:
    """The words of a register become ours; a register of prescriptions says so once."""
    rows = "person_id,date,atc,rx\n1,2010-01-01,N06AB06,H\n1,2010-01-02,N06AB06,X"

    assert _kinds('kind = { column = "rx", values = { h = "administered" } }', rows) == ["administered", "unknown"]
    assert _kinds('kind = { constant = "prescribed" }', rows) == ["prescribed", "prescribed"]


def test_kinds_are_counted() -> None:
    """How many dispensings are of each kind; a delivery without any has none."""
    found = cleaned("generic", persons=PERSONS, dispensings=FILLS)

    assert_shows(count_kinds(found.extract.dispensings), "kind | n | n_beside\nprescribed | 1 | 0\nunknown | 2 | 0")
    assert count_kinds(None).is_empty()


def test_fills_that_differ_in_kind_are_two() -> None:
    """A prescription and the dispensing on it are two rows of one day."""
    rows = "person_id,date,atc,kind\n1,2010-01-01,N06AB06,prescribed\n1,2010-01-01,N06AB06,dispensed"
    found = cleaned("generic", persons=PERSONS, dispensings=rows).extract.dispensings

    assert found.select(pl.col("kind").cast(pl.String))["kind"].to_list() == ["dispensed", "prescribed"]
