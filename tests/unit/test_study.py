"""Study files: settings that would lead a run astray are refused with a clear message."""

from __future__ import annotations

import pytest

from impasse.schemas import study
from impasse.schemas.errors import ImpasseError
from impasse.schemas.forms import FileForm

STUDY = """
name = "test"
[source]
kind = "registry"
path = "."
[period]
start = 2000-01-01
end = 2020-12-31
[episodes]
disorders = ["depression"]
"""


def told(old: str, new: str) -> str:
    """What the user is told of the study with one passage replaced."""
    return refused(STUDY.replace(old, new))


def refused(text: str) -> str:
    """What the user is told of a study."""
    with pytest.raises(ImpasseError) as caught:
        study.parse("study.toml", text)
    return str(caught.value)


def test_the_period_lies_in_the_years_of_registers() -> None:
    """1900 to 2300 is accepted, a day before or after is not."""
    widest = STUDY.replace("2000-01-01", "1900-01-01").replace("2020-12-31", "2300-12-31")

    assert study.parse("study.toml", widest).period.start.year == 1900
    assert "1900-01-01 to 2300-12-31" in told("2000-01-01", "1899-12-31")
    assert "1900-01-01 to 2300-12-31" in told("2020-12-31", "2301-01-01")


def test_an_omop_source_has_no_layout() -> None:
    """A layout, or file names, that would be ignored are refused."""
    assert 'kind = "omop"' in told('"registry"', '"omop"\nlayout = "generic"')
    assert 'kind = "omop"' in told('"registry"', '"omop"\nfiles = { persons = "person" }')
    assert 'kind = "omop"' in told('"registry"', '"omop"\ndecimal = ","')
    assert study.parse("study.toml", STUDY.replace("registry", "omop")).source.kind == "omop"


def test_only_omop_has_exposure_ends() -> None:
    """An end date of an exposure is its last day, or the day after it; a registry delivers none."""
    omop = STUDY.replace('"registry"', '"omop"\nexposure_end = "exclusive"')

    assert study.parse("study.toml", omop).source.exposure_end == "exclusive"
    assert study.parse("study.toml", STUDY.replace("registry", "omop")).source.exposure_end == "inclusive"
    assert "inclusive" in told('"registry"', '"omop"\nexposure_end = "included"')
    assert 'kind = "omop"' in told('"registry"', '"registry"\nexposure_end = "inclusive"')
    assert 'kind = "omop"' in told('"registry"', '"registry"\nexposure_of_one_day = "unknown"')


SUPPLY = "[supply]\n{setting}\n[period]"
REFILLS = (
    'rules = ["personal_refill_rhythm", "waiting_time_distribution"]\nirregular_refills = "lengthen"\n'
    "waiting_time_percentile = 90\nwaiting_time_min_persons = 100"
)
ASSUMED = 'rules = ["days_supply", "assumed_days_per_package"]\nassumed_days_per_package = 28'


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[period]", SUPPLY.format(setting="assumed_days_per_package = 28"), "among supply.rules"),
        ("[period]", SUPPLY.format(setting='rules = ["assumed_days_per_package"]'), "must be set"),
        ("[period]", SUPPLY.format(setting='irregular_refills = "lengthen"'), '"personal_refill_rhythm" among'),
        ("[period]", SUPPLY.format(setting="waiting_time_percentile = 90"), '"waiting_time_distribution" among'),
        ("[period]", SUPPLY.format(setting="waiting_time_min_persons = 90"), '"waiting_time_distribution" among'),
        ("[period]", SUPPLY.format(setting='rules = ["ddd", "days_supply", "ddd"]'), '"ddd" once among supply.rules'),
        (
            '"registry"',
            '"omop"\nexposure_end = "exclusive"\nexposure_of_one_day = "unknown"',
            "of_one_day only",
        ),
        ("[period]", '[definitions]\nuse = ["all", "dep_karolinska"]\n[period]', 'either ["all"] or ids'),
        ("[period]", '[engine]\naddress = "tcp://a:1"\n[period]', "engine.kind"),
        ("[period]", '[engine]\nkind = "dask"\naddress = "tcp://a:1"\nworkers = 2\n[period]', "workers = 0"),
        ("[period]", '[source.files]\nscores = { name = [], delimiter = ";" }\n[period]', "no delimiter"),
    ],
)
def test_a_setting_without_effect_is_refused(old: str, new: str, words: str) -> None:
    """Because of another one it would do nothing, and whoever wrote it would not know."""
    assert words in told(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[period]", SUPPLY.format(setting=ASSUMED)),
        ("[period]", SUPPLY.format(setting=REFILLS)),
        ('"registry"', '"omop"\nexposure_end = "inclusive"\nexposure_of_one_day = "unknown"'),
        ("[period]", '[definitions]\nuse = ["all"]\n[period]'),
        ("[period]", '[engine]\nkind = "dask"\naddress = "tcp://a:1"\n[period]'),
        ("[period]", '[engine]\nkind = "dask"\nworkers = 2\n[period]'),
        ("[period]", "[source.files]\nscores = []\n[period]"),
    ],
)
def test_a_setting_with_effect_is_read(old: str, new: str) -> None:
    """The same settings where what they need is there."""
    assert study.parse("study.toml", STUDY.replace(old, new)).name == "test"


def test_settings_of_two_sections_that_do_not_go_together_are_refused() -> None:
    """End dates make days of supply, and an OMOP CDM has no packages."""
    omop = STUDY.replace('"registry"', '"omop"')
    ends = omop.replace('"omop"', '"omop"\nexposure_end = "exclusive"')
    by_days = ends.replace("[period]", SUPPLY.format(setting='rules = ["days_supply"]'))

    assert study.parse("study.toml", by_days).supply.rules == ("days_supply",)
    assert '"days_supply" among supply.rules' in refused(by_days.replace('"days_supply"', '"ddd"'))
    assert 'kind = "omop"' in refused(omop.replace("[period]", SUPPLY.format(setting=ASSUMED)))


def test_files_are_a_name_a_list_or_a_table() -> None:
    """Each is short for the next."""
    files = """
        [source.files]
        persons = "people"
        dispensings = ["lmed_2019", "lmed_*"]
        scores = { name = "scales", delimiter = ";", encoding = "latin-1", decimal = ",", quoting = false }
        procedures = { delimiter = "\\t" }
        admissions = []
        [period]"""
    found = study.parse("study.toml", STUDY.replace("[period]", files)).source.files

    assert {key: file.name for key, file in found.items()} == {
        "persons": ("people",),
        "dispensings": ("lmed_2019", "lmed_*"),
        "scores": ("scales",),
        "procedures": None,
        "admissions": (),
    }
    assert found["scores"].stated() == {"delimiter": ";", "encoding": "latin-1", "decimal": ",", "quoting": False}
    assert found["procedures"].stated() == {"delimiter": "\t"}


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ('delimiter = ";;"', "source.delimiter"),
        ('decimal = "x"', "source.decimal"),
        ('encoding = "latin1"', "latin-1"),
        ('delimeter = ";"', "Did you mean 'delimiter'"),
        ('files = { persons = { nam = "a" } }', "Did you mean 'name'"),
        ('files = { persons = "*/a" }', "source.files.persons"),
        ('files = { persons = "../a.csv" }', "below source.path"),
        ('files = { persons = ["a.csv", "b/../../c_*"] }', "below source.path"),
        ('files = { persons = "/etc/passwd" }', "below source.path"),
        ('files = { persons = "." }', "below source.path"),
        ('files = { persons = "a\\u0000" }', "control character U+0000"),
        ("files = { persons = 3 }", "source.files.persons"),
    ],
)
def test_settings_of_files_that_cannot_be(setting: str, words: str) -> None:
    """Each is refused by its key, or with the nearest that there is."""
    assert words in told('path = "."', f'path = "."\n{setting}')


def test_every_setting_of_files_is_described() -> None:
    """An editor tells what each is for."""
    schema = study.json_schema()["$defs"]

    assert all("description" in schema["SourceFiles"]["properties"][name] for name in FileForm.model_fields)
    assert "description" in schema["SourceFiles"]["properties"]["name"]
    assert "description" in schema["SourceSection"]["properties"]["files"]


def test_supply_lasts_ten_years_at_most() -> None:
    """max_days may be 3660 and no more."""
    supply = "[supply]\nmax_days = {n}\n[period]"
    longest = STUDY.replace("[period]", supply.format(n=3660))

    assert study.parse("study.toml", longest).supply.max_days == 3660
    assert "supply.max_days" in told("[period]", supply.format(n=3661))


def test_supplies_of_one_day_are_taken_together_unless_stated() -> None:
    """Two words are known, and together is meant where nothing is stated; a third word is refused with both."""
    supply = '[supply]\nsame_day = "{word}"\n[period]'
    apart = study.parse("study.toml", STUDY.replace("[period]", supply.format(word="one_after_another")))

    assert study.parse("study.toml", STUDY).supply.same_day == "together"
    assert apart.supply.same_day == "one_after_another"
    assert "'together' or 'one_after_another'" in told("[period]", supply.format(word="overlapping"))


@pytest.mark.parametrize(
    ("setting", "least", "most"), [("waiting_time_percentile", 50, 99), ("waiting_time_min_persons", 10, None)]
)
def test_waiting_times_have_limits(setting: str, least: int, most: int | None) -> None:
    """The middle of the refills at least, and short of the longest of all; persons enough to hide each."""
    supply = '[supply]\nrules = ["waiting_time_distribution"]\n{setting} = {n}\n[period]'

    for n in [least, *([most] if most else [])]:
        text = STUDY.replace("[period]", supply.format(setting=setting, n=n))
        assert getattr(study.parse("study.toml", text).supply, setting) == n
    for n in [least - 1, *([most + 1] if most else [])]:
        assert f"supply.{setting}" in told("[period]", supply.format(setting=setting, n=n))


def test_supply_needs_a_rule() -> None:
    """Without any rule every duration would be unknown."""
    assert "supply.rules" in told("[period]", "[supply]\nrules = []\n[period]")


def test_memory_is_a_number_with_its_unit() -> None:
    """4GB by default; MB, GB and TB are known, a bare number or a kilobyte is not."""
    output = '[output]\nmemory = "{memory}"\n[period]'
    parsed = {
        memory: study.parse("study.toml", STUDY.replace("[period]", output.format(memory=memory))).output.memory_bytes
        for memory in ("500MB", "1.5 GB", "2TB")
    }

    assert study.parse("study.toml", STUDY).output.memory_bytes == 4_000_000_000
    assert parsed == {"500MB": 500_000_000, "1.5 GB": 1_500_000_000, "2TB": 2_000_000_000_000}
    assert "output.memory" in told("[period]", output.format(memory="4"))
    assert "output.memory" in told("[period]", output.format(memory="4KB"))


def test_buckets_are_4096_at_most() -> None:
    """4096 may be asked for, and no more."""
    output = "[output]\nbuckets = {n}\n[period]"

    assert study.parse("study.toml", STUDY.replace("[period]", output.format(n=4096))).output.buckets == 4096
    assert "output.buckets" in told("[period]", output.format(n=4097))


@pytest.mark.parametrize("setting", ["gap_days", "tail_days", "min_prior_observation_days", "lead_days"])
def test_a_time_of_episodes_is_shorter_than_three_lives(setting: str) -> None:
    """100,000 days and no more: the arithmetic of days has that much room."""
    disorders = 'disorders = ["depression"]'
    longest = STUDY.replace(disorders, f"{disorders}\n{setting} = 100_000")

    assert getattr(study.parse("study.toml", longest).episodes, setting) == 100_000
    assert "100000" in told(disorders, f"{disorders}\n{setting} = 100_001")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[episodes]", "[disclosure]\nthreshold = true\n\n[episodes]", "threshold to be a whole number"),
        ("[episodes]", '[disclosure]\nthreshold = "10"\n\n[episodes]', "threshold to be a whole number"),
        ("[episodes]", "[disclosure]\nthreshold = 10.0\n\n[episodes]", "threshold to be a whole number"),
        ("[episodes]", "[supply]\nnew_drug_ends_old = 1\n\n[episodes]", "new_drug_ends_old to be true or false"),
        ("[episodes]", '[definitions]\ninclude_unverified = "true"\n\n[episodes]', "true or false, without quotes"),
        ('["depression"]', '["depression", "depression"]', "disorders to name nothing twice"),
        ("[episodes]", "[quality]\nmin_rows = { persons = -5 }\n\n[episodes]", "greater than or equal to 0"),
        ("[episodes]", "[disclosure]\nthreshold = 1000001\n\n[episodes]", "less than or equal to 1000000"),
    ],
)
def test_what_is_written_in_another_form_is_refused(old: str, new: str, words: str) -> None:
    """A yes is no number: a threshold of `true` would be one of 1, which protects nobody."""
    assert words in told(old, new)


def test_a_number_may_be_whole_where_a_part_is_allowed() -> None:
    """10 is 10.0; so is a threshold of 1, which is a number as it should be."""
    text = STUDY.replace(
        "[episodes]", "[quality]\nmax_quarantined_percent = 10\n\n[disclosure]\nthreshold = 1\n\n[episodes]"
    )

    assert study.parse("study.toml", text).quality.max_quarantined_percent == 10
    assert study.parse("study.toml", text).disclosure.threshold == 1
