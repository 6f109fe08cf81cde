"""The wheel, installed where nothing of the program is, and started among folders that are called as ours are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns
from zipfile import ZipFile

import pytest

from impasse.flows.cli import demo

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("flows", "schemas", "transforms", "reports")
# What readers of the repository want and the program does not.
NOT_INSTALLED = {"schemas/definitions/README.md", "reports/example.png"}
HOSTILE = 'raise RuntimeError("this is not Impasse")\n'
DEPLOYED = """\
import yaml
from prefect.flows import load_flow_from_entrypoint
for deployment in yaml.safe_load(open("prefect.yaml"))["deployments"]:
    print(load_flow_from_entrypoint(deployment["entrypoint"]).name)
"""


def done(*words: object, cwd: Path) -> str:
    """What a program says that ends well."""
    ended = subprocess.run([*map(str, words)], cwd=cwd, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the tree without asking an index."""
    folder = tmp_path_factory.mktemp("built")
    for layer in LAYERS:
        copytree(ROOT / layer, folder / "tree" / layer, ignore=ignore_patterns("__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        (folder / "tree" / name).write_bytes((ROOT / name).read_bytes())
    pip = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation")
    done(*pip, "--wheel-dir", folder, folder / "tree", cwd=folder)
    return next(folder.glob("impasse-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The programs of an environment that has the wheel, and of the tests' environment its libraries only."""
    env = wheel.parent / "env"
    done(sys.executable, "-m", "venv", "--without-pip", env, cwd=wheel.parent)
    libraries = [path for path in sys.path if Path(path).name == "site-packages"]
    own = Path(done(env / "bin" / "python", "-c", "import site; print(site.getsitepackages()[0])", cwd=env).strip())
    (own / "libraries.pth").write_text("\n".join(libraries) + "\n")  # paths only: what is editable there is not here
    pip = (sys.executable, "-m", "pip", "--python", env / "bin" / "python", "install", "--no-deps", "--no-index")
    done(*pip, "--ignore-installed", "--no-compile", wheel, cwd=env)
    return env / "bin"


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small study, and with packages of its own under the names of our folders."""
    folder = tmp_path_factory.mktemp("elsewhere")
    demo.write_demo(folder, 100)
    for layer in LAYERS:
        (folder / layer).mkdir()
        (folder / layer / "__init__.py").write_text(HOSTILE)
    (folder / "prefect.yaml").write_bytes((ROOT / "prefect.yaml").read_bytes())
    return folder


def test_the_wheel_holds_the_whole_program_and_nothing_else(wheel: Path) -> None:
    """Every module, definition, case, code list, layout and template of the tree; nothing beside `impasse/`."""
    files = [path for layer in LAYERS for path in (ROOT / layer).rglob("*") if path.is_file()]
    tree = {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts} - NOT_INSTALLED
    names = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}

    assert names == {f"impasse/{name}" for name in tree}
    assert {name.split("/")[0] for name in ZipFile(wheel).namelist()} == {"impasse", f"{wheel.name[:13]}.dist-info"}


def test_the_installed_program_is_the_one_that_runs(installed: Path, elsewhere: Path) -> None:
    """Neither the tree of the tests nor the folders where it is started."""
    where = done(installed / "python", "-c", "import impasse.flows as f; print(f.__file__)", cwd=elsewhere)

    assert Path(where.strip()).is_relative_to(installed.parent)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--version",), "impasse 0."),
        (("definitions", "list"), "dep_karolinska"),
        (("check", "study.toml"), "Files and tables"),
    ],
)
def test_commands_work_among_folders_called_as_ours(
    installed: Path, elsewhere: Path, words: tuple[str, ...], says: str
) -> None:
    """What lies in the folder is not taken for the program."""
    assert says in done(installed / "impasse", *words, cwd=elsewhere)


def test_a_notebook_opens_runs_among_folders_called_as_ours(installed: Path, elsewhere: Path) -> None:
    """Python looks in the folder where it is started first, and finds Impasse all the same."""
    asked = "from impasse.reports.run import open_run\ntry: open_run('.')\nexcept Exception as error: print(error)"

    assert "No published run here" in done(installed / "python", "-c", asked, cwd=elsewhere)


def test_a_deployment_finds_its_flow_among_folders_called_as_ours(installed: Path, elsewhere: Path) -> None:
    """The entry points of `prefect.yaml`, loaded as `prefect deploy` loads them."""
    assert done(installed / "python", "-c", DEPLOYED, cwd=elsewhere) == "impasse\n" * 2
