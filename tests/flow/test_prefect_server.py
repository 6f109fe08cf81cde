"""The deployments of `prefect.yaml` on a real Prefect server on this machine.

A server, a worker and the commands a user types. Three studies of one made-up delivery are run at once: a good
one, one whose limits the delivery does not meet, and one with a misspelt key.
"""

import base64
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from prefect import task
from prefect.client.schemas import State
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

from impasse.flows.cli import demo
from impasse.flows.gate.redact import redact
from impasse.flows.run import retries
from impasse.schemas.errors import ImpasseError, NoAnswer
from tests.flow.servers import free_port

REPOSITORY = Path(__file__).resolve().parents[2]
PLANTED = "QX7731ZK"  # stands in rows of the delivery and nowhere else
DEFINITIONS = ["anx_bokma_2019", "anx_strict3", "dep_fife_2017", "dep_karolinska"]
PERSON = re.compile(rb"[PU]\d{9}")  # how the made-up delivery writes person ids

WATCH = """\
import sys

def note(event, args):
    if event in ("socket.getaddrinfo", "socket.connect"):
        address = args[event == "socket.connect"]
        with open({path!r}, "a") as noted:
            print(address[0] if isinstance(address, tuple) else address, file=noted)

sys.addaudithook(note)
"""  # run by every Python process of Prefect as it starts: writes down whom it calls


@dataclass(frozen=True)
class Server:
    """A running Prefect server: where it answers, and the folder of everything it and its clients keep."""

    url: str
    home: Path

    def start(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        """Start `prefect` in a process group of its own, its output kept beside the database."""
        with (self.home / f"{name}.log").open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "prefect", *words],
                cwd=REPOSITORY,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run(self, name: str, *words: str, seconds: int = 900) -> str:
        """Run `prefect` to its end; returns all that was printed under this name."""
        with _stopped_at_last(self.start(name, *words)) as process:
            code = process.wait(seconds)
        printed = (self.home / f"{name}.log").read_text()
        assert code == 0, printed
        return printed

    def ask(self, path: str, **body: object) -> Any:
        """What the server's interface answers, as JSON has it."""
        answer = httpx.post(f"{self.url}/{path}", json=body, timeout=120)
        return answer.raise_for_status().json()

    def _environment(self) -> dict[str, str]:
        """The user's environment, without their own Prefect settings."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        ours = {
            "PREFECT_HOME": str(self.home),
            "PREFECT_API_URL": self.url,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "1",
            "DO_NOT_TRACK": "1",
            "PYTHONPATH": str(self.home / "watch"),
            "NO_COLOR": "1",
            "COLUMNS": "200",
        }
        return kept | ours


@dataclass(frozen=True)
class Runs:
    """The three flow runs as the server knows them, and the folder of each study."""

    flow_runs: dict[str, dict[str, object]]
    folders: dict[str, Path]

    def message(self, name: str) -> str:
        """What Prefect says about how a run ended."""
        return self.flow_runs[name]["state"]["message"]

    def published(self, name: str) -> Path:
        """The folder that holds the published runs of a study."""
        return self.folders[name] / "runs" / "demo"


@contextmanager
def _stopped_at_last(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_until(holds: Callable[[], bool]) -> None:
    """Wait for a state, however busy the machine is; what never comes is given up after ten minutes."""
    end = time.monotonic() + 600
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.2)


def _is_up(server: Server) -> bool:
    try:
        return httpx.get(f"{server.url}/health", timeout=2).is_success
    except httpx.HTTPError:
        return False


def _watch(home: Path) -> None:
    (home / "watch").mkdir()
    (home / "watch" / "sitecustomize.py").write_text(WATCH.format(path=str(home / "called.txt")))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Prefect server with its own folder and database, to which `prefect.yaml` is deployed."""
    port = free_port()
    made = Server(f"http://127.0.0.1:{port}/api", tmp_path_factory.mktemp("prefect"))
    _watch(made.home)
    with _stopped_at_last(made.start("server", "server", "start", "--host", "127.0.0.1", "--port", str(port))):
        _wait_until(lambda: _is_up(made))
        _work(made)
        made.run("deploy", "--no-prompt", "deploy", "--all")
        yield made


@pytest.fixture(scope="module")
def runs(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """The three studies, run at once."""
    base = tmp_path_factory.mktemp("studies")
    studies = {
        "good": _write_study(base / "good", ""),
        "strict": _write_study(base / "strict", "[quality]\nmax_quarantined_percent = 0\n"),
        "misspelt": _write_study(base / "misspelt", "[qualty]\nmax_quarantined_percent = 0\n"),
    }
    ids = {name: _ask_for_run(server, study) for name, study in studies.items()}
    _work(server)
    # The good one classifies its parts in a flow of its own, which ends as well.
    _wait_until(lambda: _n_told_ends(server) == len(studies) + 1)
    known = {run["id"]: run for run in server.ask("flow_runs/filter")}
    return Runs({name: known[ids[name]] for name in ids}, {name: study.parent for name, study in studies.items()})


def _work(server: Server) -> None:
    """Start a worker that stops when all runs asked for have ended; its first start makes the work pool."""
    pool = ["--pool", "impasse", "--type", "process"]
    server.run("worker", "worker", "start", *pool, "--limit", "3", "--run-once")


def _write_study(folder: Path, more: str) -> Path:
    """A study of a delivery with planted rows that cleaning refuses, and a planted name of a folder."""
    study = demo.write_demo(folder, 300)
    study.write_text(f"{study.read_text()}\n[definitions]\nuse = {DEFINITIONS}\n{more}")
    _plant(folder / "delivery" / "persons.parquet", "person_id", "birth_date")
    _plant(folder / "delivery" / "diagnoses.parquet", "date")
    _plant(folder / "delivery" / "dispensings.parquet", "atc")
    _cut_by_person(folder / "delivery" / "scores.parquet")
    return study


def _plant(path: Path, *columns: str) -> None:
    rows = pl.read_parquet(path)
    planted = rows.head(1).with_columns(pl.lit(PLANTED).alias(column) for column in columns)
    pl.concat([rows, planted]).write_parquet(path)


def _cut_by_person(table: Path) -> None:
    """Make a folder of the table, as Arrow does, in which a folder's name tells a person."""
    rows = table.rename(table.with_name("rows.parquet"))
    (table / f"pnr={PLANTED}").mkdir(parents=True)
    rows.rename(table / f"pnr={PLANTED}" / rows.name)


def _ask_for_run(server: Server, study: Path) -> str:
    """Ask for a run as a user would, the study's path starting from the folder of deployment."""
    path = os.path.relpath(study, REPOSITORY)
    printed = server.run(study.parent.name, "deployment", "run", "impasse/on-demand", "--param", f"study_path={path}")
    return re.search(r"UUID: (\S+)", printed)[1]


def _n_told_ends(server: Server) -> int:
    """How many ends of flow runs the server has written down; it does so last."""
    names = ["prefect.flow-run.Completed", "prefect.flow-run.Failed"]
    return server.ask("events/filter", filter={"event": {"name": names}})["total"]


def _schedules(server: Server) -> dict[str, list[dict[str, object]]]:
    return {d["name"]: [s["schedule"] for s in d["schedules"]] for d in server.ask("deployments/filter")}


def _task_names(server: Server, runs: Runs, name: str) -> list[str]:
    """The names of a run's tasks in order, without the letters that Prefect adds to make them unique."""
    wanted = {"id": {"any_": [runs.flow_runs[name]["id"]]}}
    made = server.ask("task_runs/filter", flow_runs=wanted, sort="EXPECTED_START_TIME_ASC")
    return [re.sub(r"-\w{1,3}$", "", run["name"]) for run in made]


def _artifacts(server: Server, runs: Runs, name: str) -> dict[str, str]:
    """The content of a run's artifacts by key; a failure's stored exception has none."""
    wanted = {"flow_run_id": {"any_": [runs.flow_runs[name]["id"]]}}
    return {made["key"]: made["data"] for made in server.ask("artifacts/filter", artifacts=wanted) if made["key"]}


def _fingerprints(runs: Runs, name: str) -> dict[str, str]:
    """SHA-256 of each delivered file, as the run's own folder holds them."""
    manifest = json.loads((runs.published(name) / "latest" / "restricted" / "manifest.json").read_text())
    assert f"scores.parquet/pnr={PLANTED}/rows.parquet" in manifest["inputs"]
    return manifest["inputs"]


def _kept_bytes(home: Path) -> bytes:
    """Everything Prefect kept or printed: files as they are, results decoded, the database also row by row."""
    files = [path for path in home.rglob("*") if path.is_file()]
    results = [base64.b64decode(path.read_bytes()) for path in (home / "storage").iterdir()]
    with sqlite3.connect(home / "prefect.db") as database:
        rows = "\n".join(database.iterdump()).encode()
    return b"\n".join([*(path.read_bytes() for path in files), *results, rows])


def _ended(server: Server, failures: list[Exception]) -> tuple[State, int]:
    """How a task ends whose first attempts fail as told, and after how many attempts; options as in the flow."""
    attempts = []

    def step() -> str:
        attempts.append(1)
        if failures:
            raise failures.pop(0)
        return "done"

    tried = task(redact(step), **{**retries.AGAIN, "retry_delay_seconds": 0})
    with temporary_settings({PREFECT_API_URL: server.url, PREFECT_HOME: server.home}):
        return tried(return_state=True), len(attempts)


def test_nightly_and_on_demand_are_deployed(server: Server) -> None:
    """One deployment runs every night at two, the other when asked."""
    nightly = {"cron": "0 2 * * *", "timezone": "Europe/Stockholm", "day_or": True}
    assert _schedules(server) == {"nightly": [nightly], "on-demand": []}


def test_good_study_is_published(runs: Runs) -> None:
    """A run that Prefect calls Completed has published its report where `latest` points."""
    published = runs.published("good")
    assert runs.flow_runs["good"]["state"]["type"] == "COMPLETED"
    assert (published / "latest" / "release" / "report.html").is_file()
    assert sorted(path.name for path in published.iterdir()) == [(published / "latest").readlink().name, "latest"]


def test_tasks_are_named_for_what_they_do(server: Server, runs: Runs) -> None:
    """The task runs that Prefect shows read as the sentence of the run."""
    assert _task_names(server, runs, "good") == [
        "read, clean and check the delivery",
        "classify the parts",
        "compare definitions",
        "write the pages",
        "publish",
    ]


def test_artifacts_hold_counts_and_a_link(server: Server, runs: Runs) -> None:
    """What Prefect shows of a run is rows per table, verdicts per definition, and where the report is."""
    made = _artifacts(server, runs, "good")
    rows, verdicts = pl.DataFrame(json.loads(made["rows"])), pl.DataFrame(json.loads(made["verdicts"]))
    published = runs.published("good") / "latest"
    assert set(made) == {"rows", "verdicts", "report"}
    assert rows.columns == ["table", "is_present", "n_delivered", "n_accepted", "n_quarantined"]
    assert verdicts.columns == ["disorder", "definition_id", "verdict", "n", "share"]
    assert made["report"] == f"Published: `{published.resolve()}`"


def test_artifacts_hide_small_counts(server: Server, runs: Runs) -> None:
    """Verdicts of one to four episodes are not told to Prefect."""
    verdicts = pl.DataFrame(json.loads(_artifacts(server, runs, "good")["verdicts"]))
    assert verdicts["n"].drop_nulls().len() > 0
    assert verdicts.filter(pl.col("n").is_between(1, 4)).is_empty()


def test_failed_check_publishes_nothing(server: Server, runs: Runs) -> None:
    """A delivery outside the study's limits ends as Failed; only the page that says why is kept."""
    kept = sorted(runs.published("strict").rglob("*"))
    assert runs.flow_runs["strict"]["state"]["type"] == "FAILED"
    assert [path.name for path in kept] == ["stopped", kept[1].name, "validation.html"]
    assert _artifacts(server, runs, "strict") == {}


def test_failed_check_is_named(runs: Runs) -> None:
    """Prefect's message names the tables, the check and the page to read."""
    message = runs.message("strict")
    assert "critical checks failed; nothing was published." in message
    assert "persons: At most 0% of the delivered rows are quarantined." in message
    assert str(next(runs.published("strict").rglob("validation.html"))) in message


def test_misspelt_study_fails_before_reading(server: Server, runs: Runs) -> None:
    """A study with an unknown key ends as Failed with advice, and leaves nothing behind."""
    assert runs.flow_runs["misspelt"]["state"]["type"] == "FAILED"
    assert "Unknown key 'qualty'." in runs.message("misspelt")
    assert "Did you mean 'quality'?" in runs.message("misspelt")
    assert sorted(path.name for path in runs.folders["misspelt"].iterdir()) == ["delivery", "study.toml"]
    assert _artifacts(server, runs, "misspelt") == {}


def test_prefect_keeps_nothing_of_a_person(server: Server, runs: Runs) -> None:
    """No person id, refused value or fingerprint of a file is in Prefect's database, results, logs or output."""
    quarantine = runs.published("good") / "latest" / "restricted" / "quarantine"
    assert PLANTED in pl.read_parquet(quarantine / "persons.parquet")["person_id"]
    assert PLANTED in pl.read_parquet(quarantine / "diagnoses.parquet")["date"]
    assert PLANTED in pl.read_parquet(quarantine / "dispensings.parquet")["atc"]
    kept = _kept_bytes(server.home)
    assert b"n_quarantined" in kept
    assert b"critical checks failed" in kept
    assert PLANTED.encode() not in kept
    assert PERSON.search(kept) is None
    assert [name for name, sha256 in _fingerprints(runs, "good").items() if sha256.encode() in kept] == []


@pytest.mark.usefixtures("runs")
def test_nobody_outside_is_called(server: Server) -> None:
    """Server, worker, commands and runs talk to this machine only."""
    called = (server.home / "called.txt").read_text().split()
    assert set(called) == {"127.0.0.1"}


@pytest.mark.parametrize("failure", [OSError(5, "no answer"), NoAnswer("S3 does not answer.")])
def test_disk_error_is_tried_again(server: Server, failure: Exception) -> None:
    """A file or store that does not answer twice and then does is read."""
    state, attempts = _ended(server, [failure, failure])
    assert state.is_completed()
    assert attempts == 3


def test_disk_error_is_given_up_after_three_attempts(server: Server) -> None:
    """A file that never answers fails the run."""
    state, attempts = _ended(server, [OSError(5, "no answer")] * 3)
    assert state.is_failed()
    assert attempts == 3


@pytest.mark.parametrize("failure", [ImpasseError("Bad input."), ValueError(PLANTED)])
def test_other_errors_are_not_tried_again(server: Server, failure: Exception) -> None:
    """Bad input stays bad, and a defect stays one: no second attempt, and no value in the message."""
    state, attempts = _ended(server, [failure])
    assert state.is_failed()
    assert attempts == 1
    assert PLANTED not in state.message
