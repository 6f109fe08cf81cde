"""The settings of a study as the pages show them: all of them, in the words of a study file."""

from __future__ import annotations

import tomllib

from impasse.flows.run.steps.page_contents import NO_PARAMETERS, parameters
from impasse.schemas import study, toml
from impasse.schemas.study import Study

STUDY = """
name = "test"
[source]
kind = "registry"
path = "."
decimal = ","
delimiter = "\\t"
[source.files]
persons = "2019/lopnr=19121212/people"
scores = { name = ["a", "b_*"], quoting = false }
[period]
start = 2000-01-01
end = 2020-12-31
[episodes]
disorders = ["anxiety", "depression"]
[quality]
min_rows = { scores = 10 }
"""
REGISTRY = study.parse("study.toml", STUDY)
OMOP = study.parse(
    "study.toml", 'name = "test"\nsource = { kind = "omop", path = "." }\n' + STUDY[STUDY.index("[period]") :]
)


def test_every_setting_is_shown_but_where_and_how() -> None:
    """A setting that is added is shown without anybody thinking of it, or is left out in so many words."""
    sections = {name: field.annotation for name, field in Study.model_fields.items() if name not in NO_PARAMETERS}
    settings = {f"{section}.{key}" for section, kind in sections.items() for key in kind.model_fields}

    assert settings - {*parameters(REGISTRY), *parameters(OMOP)} == {"source.path"}
    assert NO_PARAMETERS == ("name", "title", "output", "engine")


def test_settings_are_in_the_words_of_a_study_file() -> None:
    """What is not stated is said so; the value of a person in a folder's name is hidden."""
    shown = parameters(REGISTRY)

    assert shown["episodes.disorders"] == '["anxiety", "depression"]'
    assert shown["episodes.treatment_bridges"] == "true"
    assert shown["period.start"] == "2000-01-01"
    assert shown["quality.max_quarantined_percent"] == "10.0"
    assert shown["quality.min_rows"] == "{ scores = 10 }"
    assert shown["source.decimal"] == '","'
    assert shown["source.delimiter"] == '"\\t"'
    assert shown["source.encoding"] == "not stated"
    assert shown["source.files"] == (
        '{ persons = { name = ["2019/lopnr=…/people"] }, scores = { quoting = false, name = ["a", "b_*"] } }'
    )
    assert shown["supply.assumed_days_per_package"] == "not stated"
    assert shown["definitions.folders"] == "[]"


def test_only_the_settings_that_a_source_has_are_shown() -> None:
    """A registry has no end dates of exposures, and an OMOP CDM no layout."""
    assert "source.exposure_of_one_day" in parameters(OMOP)
    assert "source.layout" not in parameters(OMOP)
    assert "source.exposure_of_one_day" not in parameters(REGISTRY)
    assert parameters(REGISTRY)["source.layout"] == '"generic"'


def test_words_can_be_read_again() -> None:
    """Whatever is stated, TOML reads the same out of it."""
    value = {"a b": ['"', "\\", "\t", "å", {}], "c": {"d": True, "e": [1, 0.5]}, "f": REGISTRY.period.start}

    assert tomllib.loads(f"x = {toml.written(value)}")["x"] == value
