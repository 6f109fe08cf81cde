"""Mapping files: what they may say, how they refuse, and that every shipped one is whole."""

from __future__ import annotations

import pytest

from impasse.schemas import mapping_file
from impasse.schemas.errors import ImpasseError
from impasse.schemas.overrules import overruled
from tests.unit.deliveries import SCHEMAS, layout, study

SMALL = """
title = "Small"
observes = ["drug"]
[files]
people = { name = "people" }
[[persons]]
file = "people"
[persons.columns]
person_id = "id"
"""


@pytest.mark.parametrize("name", sorted(path.stem for path in (SCHEMAS / "mappings").glob("*.toml")))
def test_shipped_mappings_parse(name: str) -> None:
    """Every shipped mapping is valid and says in words how it reads its registers."""
    shipped = layout(name)

    assert len(shipped.says) > 100


def test_four_layouts_are_shipped() -> None:
    """Danish, Finnish, Swedish and generic layouts come with the program."""
    names = {path.stem for path in (SCHEMAS / "mappings").glob("*.toml")}

    assert names == {"danish", "finnish", "generic", "swedish"}


def test_plain_text_names_a_column() -> None:
    """`person_id = "id"` is short for a column of that name."""
    part = mapping_file.parse("small", SMALL).persons[0]

    assert part.columns["person_id"].column == ("id",)


def test_unknown_key_is_refused_with_the_nearest_spelling() -> None:
    """A mistyped key stops the run and the right one is suggested."""
    with pytest.raises(ImpasseError, match="Did you mean 'delimiter'"):
        mapping_file.parse("small", SMALL.replace('name = "people" }', 'name = "people", delimeter = ";" }'))


def test_unknown_canonical_column_is_refused() -> None:
    """A canonical column that the table does not have stops the run."""
    with pytest.raises(ImpasseError, match="Did you mean 'birth_date'"):
        mapping_file.parse("small", SMALL + 'birthdate = "born"\n')


def test_missing_canonical_column_is_refused() -> None:
    """A table cannot be fed without its key columns."""
    with pytest.raises(ImpasseError, match="Nothing feeds the column 'person_id'"):
        mapping_file.parse("small", SMALL.replace("person_id", "sex"))


def test_part_of_unknown_file_is_refused() -> None:
    """A part must read a file that the mapping lists."""
    with pytest.raises(ImpasseError, match="Unknown file 'persons'"):
        mapping_file.parse("small", SMALL.replace('file = "people"', 'file = "persons"'))


def test_event_dates_need_a_day() -> None:
    """Only births and deaths may be known by year."""
    dispensings = '[[deaths]]\nfile = "people"\n[deaths.columns]\nperson_id = "id"\n'

    with pytest.raises(ImpasseError, match="has no day"):
        mapping_file.parse("small", SMALL + dispensings + 'date = { column = "died", formats = "%Y" }\n')


def test_filter_says_one_thing() -> None:
    """A row filter is either a list of values or of beginnings."""
    both = 'rows = [{ column = "a", is = "x", starts_with = "y" }]\n[persons.columns]'

    with pytest.raises(ImpasseError, match="not allowed"):
        mapping_file.parse("small", SMALL.replace("[persons.columns]", both))


def test_text_that_is_no_toml_is_refused() -> None:
    """Broken TOML is told with its line."""
    with pytest.raises(ImpasseError, match="Not valid TOML"):
        mapping_file.parse("small", "title = ")


def test_study_overrides_file_names_and_observes() -> None:
    """The study has the last word on file names and on what the delivery shows."""
    chosen = overruled(layout("generic"), study(files={"persons": "people.parquet"}, observes=("drug",)))

    assert chosen.files["persons"].name == ("people.parquet",)
    assert chosen.observes == ("drug",)


def test_study_cannot_rename_an_unknown_file() -> None:
    """A file key the mapping does not have is refused by name."""
    with pytest.raises(ImpasseError, match="Did you mean 'persons'"):
        overruled(layout("generic"), study(files={"person": "people"}))


def test_study_settings_of_files_hold_over_the_layout() -> None:
    """Of one file over those of the source, of the source over those of the layout; what nobody states stays open."""
    own = study(decimal=".", quoting=False, files={"dispensings": {"decimal": ","}, "diagnoses": {"encoding": "utf-8"}})
    files = overruled(layout("danish"), own).files

    assert (files["dispensings"].decimal, files["dispensings"].encoding) == (",", "latin-1")
    assert (files["diagnoses"].decimal, files["diagnoses"].encoding) == (".", "utf-8")
    assert {file.quoting for file in files.values()} == {False}
    assert {file.delimiter for file in files.values()} == {None}


def test_columns_take_mark_and_language_from_file_and_mapping() -> None:
    """Unless they state their own; the study's mark holds over all."""
    danish = layout("danish")
    own = mapping_file.parse(
        "small", SMALL.replace('person_id = "id"', 'person_id = { column = "id", months = "german" }')
    )

    assert danish.dispensings[0].columns["ddd_per_package"].decimal == ","
    assert {column.months for column in danish.dispensings[0].columns.values()} == {"danish"}
    assert own.persons[0].columns["person_id"].months == "german"
    assert overruled(danish, study(decimal=".")).dispensings[0].columns["ddd_per_package"].decimal == "."


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ('delimiter = "ab"', "files.people.delimiter"),
        ("delimiter = 'x'", "files.people.delimiter"),
        ('delimiter = "\\n"', "files.people.delimiter"),
        ('decimal = ";"', "files.people.decimal"),
        ('encoding = "utf-16"', "files.people.encoding"),
        ('instead_of = ["visits"]', "Unknown file 'visits'"),
        ('instead_of = ["people"]', "Unknown file 'people'"),
        ("quoting = 3", "files.people.quoting"),
    ],
)
def test_settings_of_files_that_cannot_be(settings: str, told: str) -> None:
    """Each is refused by its key."""
    with pytest.raises(ImpasseError, match=told):
        mapping_file.parse("small", SMALL.replace('name = "people" }', f'name = "people", {settings} }}'))


@pytest.mark.parametrize("name", ["[]", '"20*/people"', '"people/"', '""'])
def test_names_of_files_that_cannot_be(name: str) -> None:
    """A pattern stands in the file's name, not in its folder, and a layout names something."""
    with pytest.raises(ImpasseError, match=r"files\.people\.name"):
        mapping_file.parse("small", SMALL.replace('name = "people"', f"name = {name}"))


def test_months_in_a_language_that_is_not_known() -> None:
    """It is refused with those that are."""
    with pytest.raises(ImpasseError, match="'danish'"):
        mapping_file.parse("small", f'months = "klingon"\n{SMALL}')


def test_blank_words_by_default() -> None:
    """How R, SQL exports, database dumps and SAS write a blank cell."""
    assert mapping_file.parse("small", SMALL).missing == ("NA", "NaN", "NULL", "\\N", ".")


def test_json_schema_is_exported() -> None:
    """Editors can complete a mapping file, and take a column's plain name for what it is."""
    schema = mapping_file.json_schema()
    column = schema["$defs"]["Part"]["properties"]["columns"]["additionalProperties"]

    assert "files" in schema["required"]
    assert {"type": "string"} in column["anyOf"]
    assert "is" in schema["$defs"]["Filter"]["properties"]


def test_a_kind_of_supply_is_one_of_ours() -> None:
    """A mapping that gives dispensings a kind nobody knows is refused, whether as a constant or as a translation."""
    dispensings = '[[dispensings]]\nfile = "people"\n[dispensings.columns]\nperson_id = "id"\ndate = "d"\natc = "a"\n'
    constant = SMALL + dispensings + 'kind = { constant = "prescribd" }\n'
    translated = SMALL + dispensings + 'kind = { column = "k", values = { A = "adminstered" } }\n'

    with pytest.raises(ImpasseError, match="Did you mean 'prescribed'"):
        mapping_file.parse("small", constant)
    with pytest.raises(ImpasseError, match="Did you mean 'administered'"):
        mapping_file.parse("small", translated)
    assert mapping_file.parse("small", constant.replace("prescribd", "prescribed")).dispensings


@pytest.mark.parametrize("name", ["../people", "/etc/passwd", "a/../../people*"])
@pytest.mark.parametrize("stated", ['name = "{}"', 'name = "people", other_names = ["{}"]'])
def test_files_lie_below_the_delivery(stated: str, name: str) -> None:
    """A layout from somebody else reads nothing beside it."""
    with pytest.raises(ImpasseError, match="below source"):
        mapping_file.parse("small", SMALL.replace('name = "people"', stated.format(name)))


@pytest.mark.parametrize("shape", ["(?=a)b", "(", "(a{1000}){1000}"], ids=["look-around", "open", "too large"])
def test_a_shape_is_a_regular_expression(shape: str) -> None:
    """One that the program cannot read is refused with the layout, before any code is."""
    rule = f'code_systems = [{{ system = "icd10", shape = "{shape}" }}]\n[persons.columns]'
    with pytest.raises(ImpasseError, match="code_systems") as caught:
        mapping_file.parse("small", SMALL.replace("[persons.columns]", rule))
    assert "regular expression" in caught.value.expected
