"""The shape of the program, read from its syntax trees: who imports whom, and who touches the world.

schemas <- transforms <- flows, schemas <- reports <- flows, but for one door that is named here; within transforms from
room to room; Prefect only under flows/; files are opened only by the modules that are named here. Each check is first
tried on a line that breaks the rule.
"""

import ast
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYERS = {
    "schemas": {"schemas"},
    "transforms": {"schemas", "transforms"},
    "reports": {"schemas", "reports"},
    "flows": {"schemas", "transforms", "reports", "flows"},
}
# A notebook asks a report for a published run, which only flows can read: one function may look up, at one module.
DOORS = {"reports/run.py": ("open_run", "flows/published")}
# What each room of transforms/ may know of the others.
ROOMS = {
    "kernels": set(),
    "partition": {"kernels"},
    "ingest": {"kernels", "partition"},
    "history": {"kernels"},
    "judge": {"kernels", "history"},
    "compare": {"kernels", "history", "judge"},
    "disclose": {"kernels", "compare"},
    "simulator": set(),
}
# The third line touches files without data: a lock, nowhere, and a folder for what is compiled.
THAT_OPEN_FILES = (
    *(f"flows/files/{name}.py" for name in ("faults", "fingerprints", "folders", "inputs", "keep", "kept")),
    *(f"flows/files/{name}.py" for name in ("pointer", "s3", "s3_account", "spill", "tables", "texts")),
    *("flows/run/lock.py", "flows/gate/quiet.py", "transforms/kernels/compiled.py"),
    *(f"flows/delivery/{name}.py" for name in ("csv", "database", "locate", "parquet", "source_files")),
)

_FORMATS = ("csv", "parquet", "ipc", "ipc_stream", "json", "ndjson", "excel", "database", "delta", "avro", "lines")
_POLARS_IO = {f"{verb}_{kind}" for verb in ("read", "scan", "write", "sink") for kind in _FORMATS}
_PATH_IO = {
    *("open", "read_text", "read_bytes", "write_text", "write_bytes", "touch", "mkdir", "rmdir", "unlink"),
    *("iterdir", "glob", "rglob", "symlink_to", "hardlink_to", "scandir", "makedirs"),
}
_STORE_IO = {"open_input_stream", "open_input_file", "open_output_stream", "get_file_info", "S3FileSystem"}

MODULES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for layer in LAYERS
    for path in sorted((ROOT / layer).rglob("*.py"))
}


def imported(source: str) -> set[str]:
    """What a module imports, anywhere in it: of others the package, of ours layer and room; `.` if it is relative."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {_package(alias.name) for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            found |= {"." if node.level else _package(f"{node.module}.{alias.name}") for alias in node.names}
    return found


def _package(module: str) -> str:
    first, *rest = module.split(".")
    return "/".join(rest[:2]) if first == "impasse" else first


def file_access(source: str) -> set[str]:
    """Calls that open, list, make or remove files; those through a module of ours that may are its own."""
    tree = ast.parse(source)
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = {call.id for call in calls if isinstance(call, ast.Name)} & {"open", *_STORE_IO}
    ours = _our_readers(tree)
    attributes = [call for call in calls if isinstance(call, ast.Attribute) and ast.unparse(call.value) not in ours]
    return named | ({call.attr for call in attributes} & (_POLARS_IO | _PATH_IO | _STORE_IO))


def _our_readers(tree: ast.Module) -> set[str]:
    """The names by which a module calls those of ours that may touch files."""
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    may = {f"impasse.{path.removesuffix('.py').replace('/', '.')}" for path in THAT_OPEN_FILES}
    return {
        alias.asname or alias.name for node in froms for alias in node.names if f"{node.module}.{alias.name}" in may
    }


def wrong_imports(modules: dict[str, str]) -> list[str]:
    """Arrows between our layers that point the wrong way."""
    return [
        f"{path} imports {package}"
        for path, source in modules.items()
        for package in sorted(imported(source) - through_door(path, source))
        if package.split("/")[0] in {*LAYERS, "tests", "."} - LAYERS[path.split("/")[0]]
    ]


def through_door(path: str, source: str) -> set[str]:
    """What a module imports in the one function that is its door, if nothing else of it imports that."""
    function, module = DOORS.get(path, ("", ""))
    nodes = ast.parse(source).body
    doors = [node for node in nodes if isinstance(node, ast.FunctionDef) and node.name == function]
    others = ast.Module([node for node in nodes if node not in doors], [])
    within = {package for door in doors for package in imported(ast.unparse(door))}
    return (within & {module}) - imported(ast.unparse(others))


def wrong_rooms(modules: dict[str, str]) -> list[str]:
    """Arrows between rooms of transforms/ that point the wrong way."""
    found = []
    for path, source in modules.items():
        layer, room, *_ = path.split("/")
        if layer == "transforms" and room in ROOMS:
            known = {room, *ROOMS[room]}
            seen = {package.split("/")[1] for package in imported(source) if package.startswith("transforms/")}
            found += [f"{path} imports {other}" for other in sorted(seen - known)]
    return found


def prefect_outside_flows(modules: dict[str, str]) -> list[str]:
    """Modules other than flows that import Prefect."""
    return [path for path, source in modules.items() if "prefect" in imported(source) and not path.startswith("flows/")]


def files_opened(modules: dict[str, str]) -> list[str]:
    """Modules other than these two that touch files, with the call."""
    return [
        f"{path} calls {call}"
        for path, source in modules.items()
        if path not in THAT_OPEN_FILES
        for call in sorted(file_access(source))
    ]


def test_imports_point_one_way() -> None:
    """schemas know only schemas, transforms and reports know schemas and themselves, flows know all."""
    assert wrong_imports(MODULES) == []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("schemas/a.py", "import impasse.transforms.trials"),
        ("transforms/a.py", "from impasse.reports import tables"),
        ("transforms/a.py", "from impasse import reports"),
        ("reports/a.py", "from impasse.transforms.history.trials import Trials"),
        ("transforms/a.py", "from impasse.flows.files.tables import read"),
        ("flows/a.py", "from tests.tables import table"),
        ("transforms/a.py", "def f():\n    from . import trials"),
    ],
)
def test_an_import_that_points_the_other_way_is_found(path: str, line: str) -> None:
    """Also one hidden in a function, relative, or of the tests."""
    assert len(wrong_imports({path: line})) == 1


def test_one_function_of_the_reports_may_have_a_run_read() -> None:
    """`open_run` imports the module of flows that reads published runs."""
    door = "def open_run():\n    from impasse.flows import published"

    assert wrong_imports({"reports/run.py": door}) == []
    assert {path for path, source in MODULES.items() if through_door(path, source)} == {*DOORS}


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("reports/run.py", "from impasse.flows import published\ndef open_run(): ..."),
        (
            "reports/run.py",
            "from impasse.flows import published\ndef open_run():\n    from impasse.flows import published",
        ),
        ("reports/run.py", "def close_run():\n    from impasse.flows import published"),
        ("reports/run.py", "def open_run():\n    from impasse.flows.run import plan"),
        ("reports/explain.py", "def open_run():\n    from impasse.flows import published"),
    ],
)
def test_any_other_door_is_found(path: str, source: str) -> None:
    """At the top of the module, in another function, to another module, in another report."""
    assert len(wrong_imports({path: source})) == 1


def test_rooms_know_only_those_below_them() -> None:
    """From delivered rows to what is released, no room looks ahead."""
    assert wrong_rooms(MODULES) == []
    assert {path.split("/")[1] for path in MODULES if path.startswith("transforms/") and path.count("/") > 1} == {
        *ROOMS
    }


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("transforms/history/a.py", "from impasse.transforms.judge.outcome import judge"),
        ("transforms/kernels/a.py", "from impasse.transforms.history import encode"),
        ("transforms/ingest/omop/a.py", "from impasse.transforms import classify"),
        ("transforms/judge/a.py", "def f():\n    import impasse.transforms.compare.agreement"),
    ],
)
def test_a_look_ahead_is_found(path: str, line: str) -> None:
    """Also one hidden in a function, or up to the story itself."""
    assert len(wrong_rooms({path: line})) == 1


def test_prefect_stays_in_flows() -> None:
    """Only the flows know that there is an orchestrator."""
    assert prefect_outside_flows(MODULES) == []


def test_prefect_elsewhere_is_found() -> None:
    """Importing Prefect in a transform is found, in a flow allowed."""
    line = "from prefect import flow"

    assert prefect_outside_flows({"transforms/a.py": line, "flows/a.py": line}) == ["transforms/a.py"]


def test_files_are_opened_in_two_modules_only() -> None:
    """Whatever reads or writes goes through flows/files/, which asks flows/files/s3.py for what is on S3."""
    assert files_opened(MODULES) == []


@pytest.mark.parametrize(
    "line",
    [
        "open('x')",
        "path.open()",
        "path.read_text()",
        "pl.scan_parquet('x')",
        "pl.read_csv('x')",
        "frame.write_parquet('x')",
        "frame.lazy().sink_parquet('x')",
        "folder.mkdir()",
        "S3FileSystem()",
        "store.open_input_stream('x')",
        "import io\nio.open('x')",
    ],
)
def test_a_file_opened_elsewhere_is_found(line: str) -> None:
    """Built-in, pathlib, Polars or a store: each is found in a flow, and allowed in flows/files/."""
    assert len(files_opened({"flows/pipeline.py": line})) == 1
    assert files_opened(dict.fromkeys(THAT_OPEN_FILES, line)) == []


def test_calling_our_own_io_is_no_file_access() -> None:
    """A flow may say tables.write_parquet where tables is flows/files/tables.py."""
    line = "from impasse.flows.files import tables\ntables.write_parquet(table, path)"
    assert files_opened({"flows/pipeline.py": line}) == []


def test_test_modules_have_names_of_their_own() -> None:
    """Two test files of one name would hide each other."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))

    assert [name for name, times in names.items() if times > 1] == []


def test_every_module_says_what_it_is_for() -> None:
    """Every module has a docstring."""
    assert [path for path, source in MODULES.items() if not ast.get_docstring(ast.parse(source))] == []
