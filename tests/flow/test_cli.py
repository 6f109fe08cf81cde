"""The command as its user meets it: one message for bad input, an exit code that means something, 80 columns."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from impasse.flows.cli import demo
from impasse.flows.cli.app import app
from tests.shipped import copied

Edit = Callable[[Path], None]


def impasse(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command on a terminal of 80 columns."""
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    command = [sys.executable, "-c", "from impasse.flows.cli.app import app; app()", *words]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=900, cwd=cwd or Path(__file__).parents[2]
    )


def checked(study: Path) -> Result:
    """Check a study on such a terminal, in this process."""
    return CliRunner().invoke(app, ["check", str(study)], env={"COLUMNS": "80", "NO_COLOR": "1"})


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small registry as CSV, without planted faults beyond the simulator's, and its study."""
    folder = tmp_path_factory.mktemp("cli")
    demo.write_demo(folder, 2000, seed=11)
    for path in sorted((folder / "delivery").glob("*.parquet")):
        pl.read_parquet(path).write_csv(path.with_suffix(".csv"))
        path.unlink()
    return folder


def _replaced(name: str, old: str, new: str) -> Edit:
    def edit(folder: Path) -> None:
        path = folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return edit


def _written(name: str, content: bytes) -> Edit:
    return lambda folder: (folder / name).write_bytes(content)


def _semicolons(folder: Path) -> None:
    path = folder / "delivery/dispensings.csv"
    path.write_text(path.read_text().replace(",", ";"))
    _replaced("study.toml", "[source]", '[source]\ndelimiter = ","')(folder)


def _truncated_parquet(folder: Path) -> None:
    path = folder / "delivery/scores.csv"
    whole = path.with_suffix(".parquet")
    pl.read_csv(path).write_parquet(whole)
    whole.write_bytes(whole.read_bytes()[:-200])
    path.unlink()


def _own_definition(old: str, new: str) -> Edit:
    def edit(folder: Path) -> None:
        own = folder / "own"
        own.mkdir()
        text = copied("dep_typical_two_drugs", "Mine")
        assert old in text
        (own / "mine.toml").write_text(text.replace(old, new, 1))
        study = folder / "study.toml"
        study.write_text(study.read_text() + '\n[definitions]\nfolders = ["own"]\n')

    return edit


BAD_INPUT: list[tuple[str, Edit, tuple[str, ...]]] = [
    ("unknown study key", _replaced("study.toml", "gap_days", "gap_dayz"), ("gap_dayz", "Did you mean 'gap_days'?")),
    ("study key missing", _replaced("study.toml", 'name = "demo"\n', ""), ("Missing key 'name'",)),
    ("not TOML", _replaced("study.toml", "[source]", "[source"), ("Not valid TOML", "study.toml")),
    (
        "unknown definition",
        _replaced("study.toml", "[period]", '[definitions]\nuse = ["dep_karolinka"]\n[period]'),
        ("dep_karolinka", "Did you mean 'dep_karolinska'?"),
    ),
    (
        "definition switched off",
        _replaced("study.toml", "[period]", '[definitions]\nuse = ["anx_domschke_2024"]\n[period]'),
        ("unverified", "include_unverified"),
    ),
    ("missing folder", _replaced("study.toml", '"delivery"', '"elsewhere"'), ("elsewhere",)),
    ("missing file", lambda f: (f / "delivery/persons.csv").unlink(), ("persons",)),
    ("wrong delimiter", _semicolons, ("dispensings", "delimiter")),
    (
        "wrong encoding",
        _written("delivery/persons.csv", "person_id,birth_date,sex,death_date\nÅ,1970-01-01,,\n".encode("latin-1")),
        ("persons.csv", "latin"),
    ),
    ("missing column", _replaced("delivery/diagnoses.csv", "code,", "kode,"), ("diagnoses", "code")),
    ("empty table", _written("delivery/scores.csv", b""), ("scores.csv", "no rows")),
    ("truncated Parquet", _truncated_parquet, ("scores.parquet",)),
    (
        "misspelt setting",
        _own_definition("overlap_days", "overlap_dayz"),
        ("mine", "line", "overlap_dayz", "Did you mean 'overlap_days'?"),
    ),
    ("missing setting", _own_definition("overlap_days = 28\n", ""), ("mine", "overlap_days")),
    ("unknown group", _own_definition('"antidepressants"', '"antidepresants"'), ("Did you mean 'antidepressants'?",)),
    ("impossible", _own_definition('window = "episode"', 'window = "first_days"'), ("Impossible", "window_days")),
]


@pytest.mark.parametrize(("edit", "words"), [case[1:] for case in BAD_INPUT], ids=[case[0] for case in BAD_INPUT])
def test_bad_input_is_one_clear_message(registry: Path, tmp_path: Path, edit: Edit, words: tuple[str, ...]) -> None:
    """Exit code 2, one message naming the place and the remedy, no traceback and no run folder."""
    folder = tmp_path / "study"
    shutil.copytree(registry, folder)
    edit(folder)

    ended = checked(folder / "study.toml")

    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "Traceback" not in ended.stderr
    assert ended.stderr.startswith("Error: ")
    assert [word for word in words if word not in ended.stderr] == []


def test_the_command_itself_says_no_more(registry: Path, tmp_path: Path) -> None:
    """As a process of its own, bad input is the same message and exit code."""
    folder = tmp_path / "study"
    shutil.copytree(registry, folder)
    _replaced("study.toml", "gap_days", "gap_dayz")(folder)

    ended, within = impasse("check", str(folder / "study.toml")), checked(folder / "study.toml")

    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", within.stderr)


ROWS: list[tuple[str, str, str, str]] = [
    ("impossible date", "diagnoses", "{p},2015-13-41,,F411,icd10,main,outpatient", "date_unreadable"),
    ("negative daily dose", "dispensings", "{p},2015-01-01,N06AB06,,,,50,28,28,-50", "supply_negative"),
    ("malformed ATC", "dispensings", "{p},2015-01-01,XYZ,,,,50,28,28,", "atc_malformed"),
    ("person not in persons", "dispensings", "NOBODY,2015-01-01,N06AB06,,,,50,28,28,", "person_unknown"),
    ("duplicate person", "persons", "{p},1901-01-01,female,", "person_conflicting"),
    ("score out of range", "scores", "{p},2015-01-01,ham_a,999", "score_out_of_range"),
]


@pytest.mark.parametrize(("table", "line", "rule"), [case[1:] for case in ROWS], ids=[case[0] for case in ROWS])
def test_a_bad_row_is_set_aside(registry: Path, tmp_path: Path, table: str, line: str, rule: str) -> None:
    """A row nobody can use is counted under its rule, and nothing else stops."""
    folder = tmp_path / "study"
    shutil.copytree(registry, folder)
    person = pl.read_csv(folder / "delivery/persons.csv", infer_schema=False)["person_id"][3]
    path = folder / f"delivery/{table}.csv"
    path.write_text(path.read_text() + line.format(p=person) + "\n")

    ended = checked(folder / "study.toml")

    assert ended.exit_code == 0
    assert f"{rule} " in ended.stdout
    assert "what it means" in ended.stdout
    assert max(map(len, ended.stdout.splitlines())) <= 80
    assert person not in ended.stdout + ended.stderr


def test_what_a_check_finds_wrong_is_told_line_by_line(registry: Path, tmp_path: Path) -> None:
    """Each failed check has a line of its own, and what to do names no page that is not there."""
    folder = tmp_path / "study"
    shutil.copytree(registry, folder)
    with (folder / "study.toml").open("a") as study:
        study.write("\n[quality]\nmin_rows = { scores = 1000000, dispensings = 1000000 }\n")

    ended = checked(folder / "study.toml")
    told = [line for line in ended.stderr.splitlines() if "at least 1,000,000" in line]

    assert ended.exit_code == 3
    assert len(told) == 2
    assert "validation" not in ended.stderr
    assert "`impasse run` sets the same rows aside" in ended.stderr


def test_formats_are_told_where_a_date_cannot_be_read(registry: Path, tmp_path: Path) -> None:
    """By the columns of the layout."""
    folder = tmp_path / "study"
    shutil.copytree(registry, folder)
    path = folder / "delivery/scores.csv"
    path.write_text(path.read_text().replace("-", "/", 2))

    ended = checked(folder / "study.toml")

    assert "Dates of scores are read so: date as %Y-%m-%d." in " ".join(ended.stdout.split())


def test_a_failed_critical_check_has_its_own_exit_code(registry: Path, tmp_path: Path) -> None:
    """Too many rows set aside: exit code 3, the check is named, nothing is published."""
    folder = tmp_path / "study"
    shutil.copytree(registry, folder)
    with (folder / "study.toml").open("a") as study:
        study.write("\n[quality]\nmin_rows = { scores = 1000000 }\n")

    ended = impasse("run", str(folder / "study.toml"))

    assert ended.returncode == 3
    assert "scores" in ended.stderr
    assert "validation.html" in ended.stderr
    assert not (folder / "runs/demo/latest").exists()


DEFINITIONS = ["anx_bokma_modal", "anx_first_line_same_class_ok", "dep_fife_2017", "dep_karolinska"]
STEPS = ["comparing definitions", "writing the pages", "publishing"]


@pytest.fixture(scope="module")
def published(registry: Path) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A run of few definitions made by the command, and what the command said."""
    study = registry / "few.toml"
    study.write_text(f"{(registry / 'study.toml').read_text()}\n[definitions]\nuse = {DEFINITIONS}\n")
    ended = impasse("run", str(study))
    return registry / "runs/demo/latest", ended


def test_a_run_ends_with_its_answer(published: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """The range, the denominators and the two pages, within 80 columns but for the paths; to a log a line a step."""
    folder, ended = published
    lines = [line for line in ended.stdout.splitlines() if not line.startswith(("Report:", "Validation:"))]

    assert ended.returncode == 0
    assert [line[26:] for line in ended.stderr.splitlines()][-3:] == STEPS
    assert "episodes of anxiety" in ended.stdout
    assert "depression" in ended.stdout
    assert "report.html" in ended.stdout
    assert max(map(len, lines)) <= 80
    assert (folder / "release/report.html").exists()


def test_explain_tells_an_episode(published: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """Trials, judgements and every verdict of one episode, within 80 columns."""
    folder, _ = published
    trials = pl.read_parquet(folder / "restricted/trials.parquet")
    episode = trials.group_by("episode_id").len().sort("len", "episode_id")["episode_id"][-1]

    ended = impasse("explain", str(folder), "--episode", episode)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert episode in ended.stdout
    assert max(map(len, ended.stdout.splitlines())) <= 80


def test_explain_knows_what_it_cannot_find(published: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """An unknown episode or definition is one message."""
    folder, _ = published

    unknown = impasse("explain", str(folder), "--episode", "nobody:anxiety:1")
    nowhere = impasse("explain", str(folder.parent / "no-run"), "--episode", "nobody:anxiety:1")

    assert (unknown.returncode, nowhere.returncode) == (2, 2)
    assert "No such episode" in unknown.stderr
    assert "No published run here" in nowhere.stderr


@pytest.mark.parametrize("words", [("--help",), ("run", "--help"), ("definitions", "list"), ("definitions", "lint")])
def test_help_and_lists_fit_the_terminal(words: tuple[str, ...]) -> None:
    """Help, the list and lint end well and within 80 columns."""
    ended = impasse(*words)

    assert ended.returncode == 0
    assert max(map(len, ended.stdout.splitlines())) <= 80


@pytest.mark.parametrize("command", ["demo", "run", "check", "simulate", "explain", "schema"])
def test_help_has_an_example(command: str) -> None:
    """Every command's help ends with an example."""
    assert f"Example: impasse {command}" in impasse(command, "--help").stdout


def test_every_definition_can_be_shown() -> None:
    """show says the five blocks and the source in words."""
    ended = impasse("definitions", "show", "dep_karolinska")

    assert [
        word for word in ("eligible", "trial", "adequacy", "outcome", "resistance") if word not in ended.stdout
    ] == []
    assert "PLoS One 2020" in ended.stdout


def test_the_same_seed_writes_the_same_registry(tmp_path: Path) -> None:
    """simulate with one seed twice gives the same bytes."""
    for name in ("a", "b"):
        assert impasse("simulate", "--persons", "50", "--seed", "4", "--out", str(tmp_path / name)).returncode == 0

    files = sorted(path.name for path in (tmp_path / "a").iterdir())

    assert len(files) == 7
    assert [n for n in files if (tmp_path / "a" / n).read_bytes() != (tmp_path / "b" / n).read_bytes()] == []


def test_a_server_that_does_not_answer_is_named(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a server named that is not there, the user is told which setting to change."""
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")

    ended = impasse("run", str(registry / "study.toml"))

    assert ended.returncode == 2
    assert "PREFECT_API_URL" in ended.stderr
    assert "Traceback" not in ended.stderr
