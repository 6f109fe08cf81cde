"""The Prefect server that a run starts for itself: it is waited for, and how it fails is told in one message.

Most tests put another program in the server's place, one that is slow, ends at once or never answers.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.settings import get_current_settings

from impasse.flows.cli import demo
from impasse.flows.server import own_server
from impasse.flows.server.process import PREFECT_SETTINGS
from impasse.flows.server.settings import load_prefect
from impasse.schemas.errors import ImpasseError

ROOT = Path(__file__).resolve().parents[2]
ANSWER = """\
import sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

class Healthy(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

server = HTTPServer(("127.0.0.1", 0), Healthy)
print(server.server_port, flush=True)
time.sleep({seconds})
server.serve_forever()
"""
LOGGING = """\
version: 1
handlers: {planted: {(): os.system, command: touch was-run}}
root: {handlers: [planted]}
"""  # Prefect would run this command, if settings name the file
END = "import sys; sys.exit('RuntimeError: database is of another version')"
WAITING = "waiting for Prefect's server, at most 10 minutes"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small made-up delivery."""
    return demo.write_demo(tmp_path_factory.mktemp("waiting"), 300)


@pytest.fixture(autouse=True)
def _unnamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody names a server."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)


@contextmanager
def in_its_place(monkeypatch: pytest.MonkeyPatch, program: str) -> Iterator[own_server.OwnServer]:
    """A server that is this program."""
    monkeypatch.setattr(own_server, "_COMMAND", [sys.executable, "-c", program])
    with own_server.begun() as server:
        yield server


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as somebody may send it: whoever starts Prefect there has a command run, unless it reads no file."""
    folder = tmp_path_factory.mktemp("planted")
    (folder / "logging.yml").write_text(LOGGING)
    (folder / ".env").write_text("PREFECT_LOGGING_CONFIG_PATH=logging.yml\n")
    (folder / "prefect.toml").write_text("[logging]\nconfig_path = 'logging.yml'\n")
    (folder / "pyproject.toml").write_text("[tool.prefect.logging]\nconfig_path = 'logging.yml'\n")
    return folder


@pytest.fixture(scope="module")
def answers(planted: Path) -> list[object]:
    """What a server, started in the planted folder, answers without a password, with another and with its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PREFECT_API_URL", raising=False)
        patch.setenv("PREFECT_HOME", str(planted / "home"))
        patch.chdir(planted)
        load_prefect()
        with own_server.begun() as server, own_server.answering(server), get_client(sync_client=True) as client:
            asked = f"{os.environ['PREFECT_API_URL']}/flow_runs/filter"
            others = [httpx.post(asked, json={}, auth=user).status_code for user in (None, ("impasse", "guessed"))]
            return [*others, client.read_flow_runs()]


def started(program: str, *words: str, cwd: Path = ROOT, **environment: str) -> subprocess.Popen[str]:
    """The command without a terminal, with this program in the server's place and this set besides."""
    command = f"[{sys.executable!r}, '-c', {program!r}]"
    begin = f"from impasse.flows.server import own_server as own; own._COMMAND = {command}; own._SECONDS_TO_END = 1"
    return subprocess.Popen(
        [sys.executable, "-c", f"{begin}; from impasse.flows.cli.app import app; app()", *words],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "80", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_slow_server_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at it may take its time; what counts is that its process lives."""
    monkeypatch.setattr(own_server, "_SECONDS_TO_LOOK", 0.2)
    monkeypatch.setattr(own_server, "_SECONDS_TO_END", 0.2)
    with in_its_place(monkeypatch, ANSWER.format(seconds=1.5)) as server:
        address = server.wait()
    assert address.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("program", [ANSWER.format(seconds=600), "import time; time.sleep(600)"])
def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """After the stated time, with what to do; also one that does not even say where it will be."""
    monkeypatch.setattr(own_server, "_SECONDS_TO_LOOK", 0.1)
    monkeypatch.setattr(own_server, "_SECONDS_TO_END", 0.2)
    monkeypatch.setattr(own_server, "SECONDS_TO_ANSWER", 0.5)
    with (
        in_its_place(monkeypatch, program) as server,
        pytest.raises(ImpasseError, match=r"did not answer within 0\.5 s"),
    ):
        server.wait()


def test_the_server_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that does not end by itself."""
    monkeypatch.setattr(own_server, "_SECONDS_TO_END", 0.2)
    with in_its_place(monkeypatch, ANSWER.format(seconds=600)) as server:
        assert server.process.poll() is None
    assert server.process.poll() is not None


def test_a_server_that_ends_at_once_is_told(study: Path) -> None:
    """One message with its last words, exit code 2, nothing published and nothing left."""
    ended = started(END, "run", str(study))
    said = ended.communicate(timeout=300)[1]
    assert ended.returncode == 2
    assert "ended before it answered, with code 1: RuntimeError: database is of another version" in said
    assert "nothing of the delivery was read" in said
    assert "Traceback" not in said
    assert sorted(path.name for path in study.parent.iterdir()) == ["delivery", "study.toml"]


def test_a_server_that_cannot_keep_its_database_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error itself, and not the line after it that says that all ends."""
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "nowhere/prefect"))
    with own_server.begun() as server, pytest.raises(ImpasseError, match="unable to open database file"):
        server.wait()


def test_interrupted_while_waiting(study: Path) -> None:
    """Ctrl-C gives one line and code 130."""
    waiting = started(ANSWER.format(seconds=600), "run", str(study))
    first = waiting.stderr.readline()
    waiting.send_signal(signal.SIGINT)
    said = waiting.communicate(timeout=60)[1]
    assert WAITING in first
    assert waiting.returncode == 130
    assert said == "Interrupted before the delivery was read; nothing was published.\n"


def test_too_little_memory_is_said_before_the_server_answers(study: Path) -> None:
    """A run that cannot be is not kept waiting."""
    refused = started(ANSWER.format(seconds=600), "run", str(study), "--memory", "100MB")
    said = refused.communicate(timeout=60)[1]
    assert refused.returncode == 2
    assert "0.1 GB of memory are too little for this delivery." in said
    assert WAITING not in said


def test_a_server_that_is_named_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever set PREFECT_API_URL gets no second server."""
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:4200/api")
    with own_server.begun() as server:
        assert server is None


def test_only_the_own_server_goes_without_services() -> None:
    """What a standing server needs is switched off for a run's own server only, and by names that Prefect knows."""
    settings = get_current_settings().model_copy()
    known = settings.to_environment_variables()
    assert [name for name in PREFECT_SETTINGS if name.startswith("PREFECT_SERVER_SERVICES") and name not in known] == []
    assert [name for name in PREFECT_SETTINGS if os.environ.get(name)] == []
    assert settings.server.services.triggers.enabled


def test_the_server_answers_only_who_knows_its_password(answers: list[object]) -> None:
    """Others on this machine are refused; the run itself is not."""
    assert answers == [401, 401, []]


def test_each_server_has_a_password_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which no text of it tells."""
    with in_its_place(monkeypatch, END) as first, in_its_place(monkeypatch, END) as second:
        assert first.user != second.user
        assert first.user not in f"{first} {first.process.args}"


def test_a_server_reads_no_settings_where_it_is_started(answers: list[object], planted: Path) -> None:
    """Nor runs what they name."""
    assert len(answers) == 3
    assert not (planted / "was-run").exists()


@pytest.mark.parametrize("name", ["PREFECT_HOME", "PREFECT_PROFILES_PATH"])
def test_an_empty_path_is_not_the_current_folder(name: str, study: Path, planted: Path) -> None:
    """As a script may set one; what was sent with a delivery would be its settings."""
    ended = started(END, "run", str(study), cwd=planted, **{name: ""})
    assert "ended before it answered" in ended.communicate(timeout=300)[1]
    assert not (planted / "was-run").exists()


def test_prefect_opens_no_file_where_it_is_started(planted: Path) -> None:
    """None of its classes of settings does, of which some read files in their own way."""
    asked = (
        "import sys; opened = []; sys.addaudithook(lambda event, of: event == 'open' and opened.append(str(of[0]))); "
        "from impasse.flows.server.settings import load_prefect; load_prefect(); "
        "import prefect.main; from prefect.settings import Settings; Settings(); "
        "print({'.env', 'prefect.toml', 'pyproject.toml', 'logging.yml'}.intersection(opened))"
    )
    said = subprocess.run([sys.executable, "-c", asked], cwd=planted, capture_output=True, text=True)
    assert said.stdout == "set()\n"


def test_the_command_reads_no_settings_where_it_is_started(study: Path, planted: Path) -> None:
    """A delivery that was sent with a file of settings has nothing run."""
    ended = started(END, "run", str(study), cwd=planted)
    assert "ended before it answered" in ended.communicate(timeout=300)[1]
    assert not (planted / "was-run").exists()


@pytest.mark.parametrize(
    ("stated", "expected"),
    [({}, ["77.0", "None"]), ({"PREFECT_API_REQUEST_TIMEOUT": "88", "PREFECT_API_URL": "a"}, ["88.0", "a"])],
    ids=["profile", "environment"],
)
def test_settings_of_the_user_hold(stated: dict[str, str], expected: list[str], planted: Path) -> None:
    """Those of the environment and of the profile, also where their folder is told from the current one."""
    own = planted / "own"
    own.mkdir(exist_ok=True)
    (own / "profiles.toml").write_text('active = "own"\n[profiles.own]\nPREFECT_API_REQUEST_TIMEOUT = "77"\n')
    asked = (
        "from impasse.flows.server.settings import load_prefect; load_prefect(); "
        "from prefect.settings import Settings; s = Settings(); print(s.api.request_timeout, s.api.url, s.home)"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment = {**kept, "PREFECT_HOME": "own", **stated}
    said = subprocess.run([sys.executable, "-c", asked], cwd=planted, env=environment, capture_output=True, text=True)
    assert said.stdout.split() == [*expected, str(own)]
