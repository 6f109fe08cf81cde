"""The words of the glossary are those of the program: no name in the code holds a word that the glossary rules out.

A word of the column "not" may be a name if the glossary has it as a word of its own, or says in brackets what it is
used for.
"""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("schemas", "transforms", "reports", "flows")
GLOSSARY = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8")
# Words of programming: the ground that paths or numbers start from, a line of a file, a module of Python, a shift of
# bits, a test of a value, a type of a value.
OF_PROGRAMS = {"base", "line", "module", "shift", "test", "type"}

_ROW = re.compile(r"^\| (?P<words>\*\*.+?) \|.*\| *(?P<ruled_out>[^|]*?) *\|$", flags=re.MULTILINE)


def ruled_out(glossary: str) -> set[str]:
    """The words of the column "not" that stand for nothing else."""
    rows = [row.groupdict() for row in _ROW.finditer(glossary)]
    own = {word.strip("`") for row in rows for word in re.findall(r"\*\*(.+?)\*\*", row["words"])}
    listed = [part.strip() for row in rows for part in re.split(r",(?![^(]*\))", row["ruled_out"])]
    used = {part.split(" (")[0] for part in listed if "(" in part}
    return {part for part in listed if part and "(" not in part} - used - own


def names(source: str) -> set[str]:
    """The names that a module gives: to functions, classes, arguments, variables and attributes."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.arg):
            found.add(node.arg)
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.id if isinstance(node, ast.Name) else node.attr)
    return found


def holds(name: str, word: str) -> bool:
    """Whether a name has the word, or several of it, among its words."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)
    own, wanted = (f" {' '.join(part)} ".lower() for part in (parts, re.split(r"[ -]", word)))
    return wanted in own or f"{wanted[:-1]}s " in own


def wrong_names(modules: dict[str, str], words: set[str]) -> list[str]:
    """The names of modules, and in them, that hold one of the words."""
    given = [(path, name) for path, source in modules.items() for name in {Path(path).stem, *names(source)}]
    return sorted(f"{path}: {name} ({word})" for path, name in given for word in words if holds(name, word))


MODULES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for layer in LAYERS
    for path in sorted((ROOT / layer).rglob("*.py"))
}


def test_no_name_holds_a_word_that_the_glossary_rules_out() -> None:
    """One word per thing, in the code too."""
    assert wrong_names(MODULES, ruled_out(GLOSSARY) - OF_PROGRAMS) == []


@pytest.mark.parametrize("word", sorted(OF_PROGRAMS))
def test_every_exception_is_needed(word: str) -> None:
    """A word that is ruled out and in no name any more is no exception."""
    assert word in ruled_out(GLOSSARY)
    assert wrong_names(MODULES, {word}) != []


@pytest.mark.parametrize(
    "line",
    [
        "def find_visits(): ...",
        "class Visit: ...",
        "first_visit = 1",
        "def f(visit): ...",
        "self.visits = 1",
        "FIRST_VISIT: int = 1",
        "for visit in (): ...",
        "[visit for visit in ()]",
    ],
)
def test_a_name_with_such_a_word_is_found(line: str) -> None:
    """Wherever a module gives a name, in the singular and the plural."""
    assert len(wrong_names({"flows/a.py": line}, {"visit"})) == 1


def test_the_name_of_a_module_is_found() -> None:
    """As that of anything in it."""
    assert wrong_names({"flows/visits.py": ""}, {"visit"}) == ["flows/visits.py: visits (visit)"]


@pytest.mark.parametrize("line", ["visited = 1", "revisit = 1", "frame.visits()", "f(visit=1)", "import visits"])
def test_other_words_and_names_of_others_are_not_found(line: str) -> None:
    """A word within a word, and what only a library calls so."""
    assert wrong_names({"flows/a.py": line}, {"visit"}) == []


@pytest.mark.parametrize("name", ["drug_types", "DrugType", "DRUG_TYPE", "odd_drug_types"])
def test_several_words_are_found_side_by_side(name: str) -> None:
    """However they are joined."""
    assert holds(name, "drug type")
    assert not holds(name, "type drug")


def test_a_word_that_means_something_else_is_not_ruled_out() -> None:
    """It has a row of its own, or its use in brackets in any row."""
    glossary = (
        "| **contact** | A recorded diagnosis. | visit (that is of OMOP, or not), encounter |\n"
        "| **`trial`**, **era** | One treatment. | course, line |\n"
        "| **course** | Sessions. | visit |\n"
        "| **other** | A thing. | |\n"
    )

    assert ruled_out(glossary) == {"encounter", "line"}
