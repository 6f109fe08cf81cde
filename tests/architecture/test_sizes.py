"""How large the rooms and the modules of the program are: a newcomer finds the way in what is small."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("schemas", "transforms", "reports", "flows")
A_DOZEN = 12
LONGEST = 400
# The words of the program lie side by side, each in a file of its own.
ROOMS_WITH_MORE = {"schemas"}
MODULES = [path for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))]


def crowded(modules: list[str]) -> list[str]:
    """The folders with more than a dozen modules beside the one that says what the folder is."""
    folders = [str(Path(module).parent) for module in modules if Path(module).name != "__init__.py"]
    return sorted(folder for folder in set(folders) if folders.count(folder) > A_DOZEN)


def test_a_room_has_a_dozen_modules_at_most() -> None:
    """Data folders hold no modules; rooms with more are named."""
    modules = [path.relative_to(ROOT).as_posix() for path in MODULES]

    assert set(crowded(modules)) == ROOMS_WITH_MORE


def test_a_thirteenth_module_is_found() -> None:
    """Twelve may be in a room, beside its first words and the rooms in it."""
    twelve = ["flows/run/__init__.py", "flows/run/steps/a.py", *(f"flows/run/{n}.py" for n in range(12))]

    assert crowded(twelve) == []
    assert crowded([*twelve, "flows/run/thirteenth.py"]) == ["flows/run"]


def test_a_module_has_400_lines_at_most() -> None:
    """What is longer has two subjects."""
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES
    }

    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}
