"""The papers tell the truth: what they name is there, what is there they name, and their examples work."""

from __future__ import annotations

import re
import shlex
import struct
import tomllib
from collections import Counter
from pathlib import Path

import pytest
import typer

from impasse.flows.cli.app import app
from impasse.flows.definitions import authoring
from impasse.schemas import cases, definition, definition_file, mapping_file, study, tables
from impasse.schemas.codelist_files import CONFIDENCE
from impasse.schemas.overrules import overruled
from impasse.transforms.try_cases import try_cases
from tests.shipped import CODES, SHIPPED

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "GLOSSARY.md")
PAPERS = {name: (ROOT / name).read_text(encoding="utf-8") for name in NAMES}
README, GLOSSARY = PAPERS["README.md"], PAPERS["GLOSSARY.md"]
PICTURE = ROOT / "reports" / "example.png"
OURS = ("schemas/", "transforms/", "reports/", "flows/", "tests/")
COPIED = "# the blocks [eligible], [trial], [adequacy.*] and [outcome] as copied\n"
WORDS = (
    *tables.VERDICTS,
    *tables.ROLES,
    *tables.MODALITIES,
    *tables.DENOMINATORS,
    *tables.END_REASONS,
    *tables.ADEQUACY_REASONS,
    *tables.ATTRITION_STEPS,
    *definition.BLOCKS,
)

each_paper = pytest.mark.parametrize("name", NAMES)


def fenced(language: str, text: str = README) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def toml_named(name: str) -> str:
    """The README's TOML example whose first line is a comment that starts with this name."""
    return next(block for block in fenced("toml") if block.startswith(f"# {name}"))


def inline(text: str) -> list[str]:
    """What is written in `code letters` within a line."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE))


def commands(text: str) -> list[list[str]]:
    """Every `impasse ...` of a paper, cut into words, without what follows a pipe or a remark."""
    lines = [line for block in fenced("sh", text) for line in block.splitlines()]
    spoken = [line for line in (*lines, *inline(text)) if line.startswith("impasse ")]
    return [shlex.split(line.split(" > ")[0], comments=True)[1:] for line in spoken]


def tree(group: object, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], set[str]]:
    """Every command of the program by its words, with its options."""
    found: dict[tuple[str, ...], set[str]] = {}
    for name, command in group.commands.items():
        here = (*path, name)
        options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
        found |= tree(command, here) if hasattr(command, "commands") else {here: {*options, "--help"}}
    return found


COMMANDS = tree(typer.main.get_command(app))


def command_of(words: list[str]) -> tuple[str, ...]:
    """The command that these words call: the longest beginning that is one, or nothing."""
    return next((tuple(words[:n]) for n in (2, 1) if tuple(words[:n]) in COMMANDS), ())


def unknown_uses(text: str) -> list[list[str]]:
    """Commands that the program does not have, or that use an option it does not have."""
    return [
        words
        for words in commands(text)
        if not {word for word in words if word.startswith("--")} <= COMMANDS.get(command_of(words), {"none"})
        or not command_of(words)
    ]


def missing_files(text: str) -> list[str]:
    """Files of ours and relative links that a paper names and that are not there; `*` and <...> stand for any name."""
    linked = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]
    named = [word for word in inline(text) if word.startswith(OURS) and " " not in word]
    patterns = [re.sub(r"<[^>]+>", "*", word) for word in (*linked, *named) if word]
    return [pattern for pattern in patterns if not any(ROOT.glob(pattern.rstrip("/")))]


def anchors(text: str) -> set[str]:
    """The links that a paper's headings make."""
    return {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)}


def glossary_entries() -> list[str]:
    """The words that the glossary explains, from the first column of its tables, with a remark in brackets if any."""
    cells = re.findall(r"^\| (\*\*.+?) \|", GLOSSARY, flags=re.MULTILINE)
    return [entry for cell in cells for entry in cell.replace("**", "").split(", ")]


@each_paper
def test_every_command_and_option_a_paper_names_exists(name: str) -> None:
    """A reader can type what is written."""
    assert unknown_uses(PAPERS[name]) == []


@pytest.mark.parametrize(
    "line", ["impasse runn study.toml", "impasse run study.toml --fast", "impasse definitions rename"]
)
def test_a_command_or_option_that_is_not_there_is_found(line: str) -> None:
    """The check itself is tried on a wrong command, a wrong option and a wrong subcommand."""
    assert len(unknown_uses(f"```sh\n{line}\n```\n")) == 1


def test_every_command_is_in_the_readme() -> None:
    """Nothing the program can do is hidden."""
    assert set(COMMANDS) - {command_of(words) for words in commands(README)} == set()


def test_every_option_is_in_the_readme() -> None:
    """Each option is named somewhere."""
    options = set().union(*COMMANDS.values())

    assert {option for option in options if option not in README} == set()


@each_paper
def test_every_make_target_a_paper_names_exists(name: str) -> None:
    """`make` answers to it."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    named = re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)`", PAPERS[name], flags=re.MULTILINE)

    assert {a or b for a, b in named} <= set(targets)


@each_paper
def test_every_file_a_paper_names_exists(name: str) -> None:
    """Links and paths lead somewhere."""
    assert missing_files(PAPERS[name]) == []


def test_a_file_that_is_not_there_is_found() -> None:
    """The check itself is tried on a link and on a path."""
    assert missing_files("[a](no-such-page.md) and `schemas/no_such_module.py`") == [
        "no-such-page.md",
        "schemas/no_such_module.py",
    ]


def test_the_link_into_the_glossary_has_its_heading() -> None:
    """A link to a heading needs the heading."""
    assert set(re.findall(r"GLOSSARY\.md#([a-z-]+)", README)) <= anchors(GLOSSARY)


def test_every_definition_the_readme_shows_exists() -> None:
    """Ids in examples are those of shipped definitions, but for the one the reader writes."""
    shipped = {path.stem for path in (ROOT / "schemas" / "definitions").glob("*/*.toml")}

    assert set(re.findall(r"\b(?:anx|dep)_[a-z0-9_]+", README)) - shipped == {"dep_three_drugs"}


def test_every_layout_is_in_the_readme() -> None:
    """A reader finds the own register."""
    layouts = {path.stem for path in (ROOT / "schemas" / "mappings").glob("*.toml")}

    assert {layout for layout in layouts if f"`{layout}`" not in README} == set()


def test_every_table_a_run_makes_is_in_the_readme() -> None:
    """A reader knows what each file is."""
    made = {f"{table}.parquet" for table in (*tables.RESTRICTED, *tables.RELEASE)}

    assert {file for file in made if file not in README} == set()


@pytest.mark.parametrize("word", dict.fromkeys(WORDS))
def test_every_word_of_the_tables_is_in_the_glossary(word: str) -> None:
    """A value that a reader meets in a column is explained."""
    assert f"`{word}`" in "\n".join(entry.split(" (")[0] for entry in glossary_entries())


@pytest.mark.parametrize("mark", CONFIDENCE)
def test_every_confidence_mark_is_in_the_glossary(mark: str) -> None:
    """A mark without a meaning would say nothing."""
    assert mark in glossary_entries()


def test_the_glossary_explains_each_word_once() -> None:
    """One word per thing, one thing per word."""
    assert [word for word, times in Counter(glossary_entries()).items() if times > 1] == []


def test_the_study_example_is_a_study() -> None:
    """It can be copied as it stands, and is read with the stated layout."""
    example = study.parse("study.toml", toml_named("study.toml\n"))
    layout = (ROOT / "schemas" / "mappings" / f"{example.source.layout}.toml").read_text(encoding="utf-8")

    assert overruled(mapping_file.parse(example.source.layout, layout), example).files["dispensings"].label == "lmed_*"


def test_the_study_example_takes_a_folder_of_definitions() -> None:
    """The second example is added to the first."""
    whole = study.parse("study.toml", toml_named("study.toml\n") + toml_named("study.toml, in addition"))

    assert whole.definitions.folders == ("my-definitions",)


@pytest.mark.parametrize("key", re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|", README, flags=re.MULTILINE))
def test_every_setting_in_the_readme_is_one_of_the_study_file(key: str) -> None:
    """A setting in the table can be set."""
    section, name = key.split(".")

    assert name in study.Study.model_fields[section].annotation.model_fields


def test_the_defaults_in_the_readme_are_those_of_the_study_file() -> None:
    """What is left out of the example is what the table says."""
    example = study.parse("study.toml", toml_named("study.toml\n"))
    told = dict(re.findall(r"^\| `([a-z]+\.[a-z_]+)` \| (\d+) \|", README, flags=re.MULTILINE))

    assert {key: float(value) for key, value in told.items()} == {
        "episodes.gap_days": example.episodes.gap_days,
        "episodes.tail_days": example.episodes.tail_days,
        "episodes.min_prior_observation_days": example.episodes.min_prior_observation_days,
        "episodes.lead_days": example.episodes.lead_days,
        "supply.max_days": example.supply.max_days,
        "supply.waiting_time_percentile": example.supply.waiting_time_percentile,
        "supply.waiting_time_min_persons": example.supply.waiting_time_min_persons,
        "disclosure.threshold": example.disclosure.threshold,
        "quality.max_quarantined_percent": example.quality.max_quarantined_percent,
        "output.buckets": example.output.buckets,
        "engine.workers": example.engine.workers,
    }


def test_the_mapping_example_is_a_mapping() -> None:
    """It can be copied as it stands."""
    example = mapping_file.parse("my-registry.toml", toml_named("my-registry.toml"))

    assert set(example.files) == {"people", "visits", "sales"}


def written() -> str:
    """The definition file that the README writes, with the blocks copied from the neighbour it names."""
    neighbour = (ROOT / "schemas/definitions/depression/dep_typical_two_drugs.toml").read_text(encoding="utf-8")
    blocks = neighbour[neighbour.index("[eligible]") : neighbour.index("[resistance]")]
    return toml_named("my-definitions/dep_three").replace(COPIED, blocks)


def defined() -> definition.Definition:
    """What that file says."""
    return definition_file.parse("dep_three_drugs", written())


def test_the_definition_example_is_a_definition() -> None:
    """With the blocks copied from the file it names, it parses and names only known groups and lists."""
    example = defined()

    assert CODES.check_definition(example) is None
    assert example.resistance.any_of[0].all_of[0].n == 3
    assert example.trial == next(d for d in SHIPPED if d.id == "dep_typical_two_drugs").trial


def test_the_case_example_is_met() -> None:
    """The worked case that the README draws comes out as it says under the definition that the README writes."""
    (case,) = cases.parse("cases/dep_three_drugs.toml", toml_named("my-definitions/cases"))

    assert try_cases([case], defined(), CODES) == [[]]


def test_the_definition_example_passes_lint_and_its_case(tmp_path: Path) -> None:
    """A folder with the two files as they are printed has no problem, and its case comes out as stated."""
    (tmp_path / "cases").mkdir()
    (tmp_path / "dep_three_drugs.toml").write_text(written(), encoding="utf-8")
    (tmp_path / "cases" / "dep_three_drugs.toml").write_text(toml_named("my-definitions/cases"), encoding="utf-8")

    assert authoring.lint([tmp_path])[1] == []
    assert [(proof.n_cases, proof.failures) for proof in authoring.prove(tmp_path)] == [(1, ())]


def test_every_toml_example_is_toml() -> None:
    """No example has a slip of the pen."""
    assert all(tomllib.loads(block) for block in fenced("toml"))


def test_the_picture_is_small_and_wide_enough() -> None:
    """1280 pixels wide, under 200 KB."""
    head = PICTURE.read_bytes()

    assert struct.unpack(">I", head[16:20]) == (1280,)
    assert len(head) < 200_000
