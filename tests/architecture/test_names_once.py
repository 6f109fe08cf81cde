"""A public name stands for one thing: no two modules define one of the same name.

What a command or a task of Prefect's is called is a word for users, and often that of the function behind it.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("schemas", "transforms", "reports", "flows")
# Each kind of file that people write has these, in the module that is named after it.
OF_EVERY_FILE = {"parse", "json_schema", "note_on_names"}
_FOR_USERS = {"command", "task", "flow"}


def defined(source: str) -> set[str]:
    """The public names that a module defines for other modules."""
    return {name for node in ast.parse(source).body for name in _names(node) if not name.startswith("_")}


def _names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield from [] if any(map(_is_for_users, node.decorator_list)) else [node.name]
    if isinstance(node, ast.Assign | ast.AnnAssign) and not (node.value and _is_for_users(node.value)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name))


def _is_for_users(made_by: ast.expr) -> bool:
    called = made_by.func if isinstance(made_by, ast.Call) else made_by
    return getattr(called, "attr", getattr(called, "id", "")) in _FOR_USERS


def defined_twice(modules: dict[str, str]) -> set[str]:
    """The names that several modules define."""
    times = Counter(name for source in modules.values() for name in defined(source))
    return {name for name, n in times.items() if n > 1}


MODULES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for layer in LAYERS
    for path in sorted((ROOT / layer).rglob("*.py"))
}


def test_a_public_name_is_defined_once() -> None:
    """But for those that are named here."""
    assert defined_twice(MODULES) == OF_EVERY_FILE


@pytest.mark.parametrize(
    "line",
    ["def find(): ...", "async def find(): ...", "class find: ...", "find = 1", "find: int = 1", "find, other = 1, 2"],
)
def test_a_name_of_two_modules_is_found(line: str) -> None:
    """Whatever kind of thing it names."""
    assert defined_twice({"a.py": line, "b.py": "find = 2"}) == {"find"}


@pytest.mark.parametrize(
    "line",
    [
        "_find = 1",
        "from a import find",
        "def other():\n    find = 1",
        "class Other:\n    find = 1",
        "@app.command()\ndef find(): ...",
        "@task\ndef find(): ...",
        "find = task(a.find)",
    ],
)
def test_what_is_private_imported_or_for_users_is_not_found(line: str) -> None:
    """A name that no other module takes from there, and the words of commands and tasks."""
    assert defined_twice({"a.py": "find = 2", "b.py": line}) == set()


def test_a_name_twice_in_one_module_is_one() -> None:
    """As where a name depends on what is installed."""
    assert defined_twice({"a.py": "find = 1\nfind = 2"}) == set()
