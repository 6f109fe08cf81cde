"""The Prefect server of a run for which no server is named.

Prefect would start one itself and give it twenty seconds, too few on a new or busy machine; what the server says as it
ends would come to the screen. So a run starts its own, early and in a process of its own, does other work meanwhile,
and then waits as long as that process lives. What the server says is kept in a file without a name, and its last error
is told if the server ends before it answers: it has never seen a delivery.

Whoever is on this machine can call a port of it, and the server knows of earlier runs too. So it answers those alone
who know its password, which is new for each run and stands in the environment of the two processes, nowhere else.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from secrets import token_urlsafe
from select import select
from tempfile import TemporaryFile
from time import monotonic, sleep
from typing import IO

from impasse.flows.gate.environment import environment
from impasse.flows.run.progress import tell
from impasse.schemas.errors import ImpasseError

SECONDS_TO_ANSWER = 600
_SECONDS_TO_LOOK = 5
_SECONDS_TO_END = 10
_COMMAND = [
    sys.executable,
    "-P",
    "-m",
    "impasse.flows.server.process",
]  # -P: no file beside the study stands in for ours
_LONGEST_LINE = 300
_ERROR = re.compile(r"[\w.]+: ")  # as Python tells one at the end of a traceback; all else is indented or dated


@dataclass(frozen=True)
class OwnServer:
    """The server's process, the file of what it says, and who may ask it: a name and a password."""

    process: subprocess.Popen[str]
    log: IO[bytes]
    user: str = field(repr=False)

    def wait(self) -> str | None:
        """The address of the server when it answers; none if Prefect's settings name another."""
        end = monotonic() + SECONDS_TO_ANSWER
        tell("waiting for Prefect's server, at most 10 minutes", 0, 1)
        port = self._port()
        if not port and self.process.wait() == 0:
            return None
        while not (port and _answers(int(port))):
            if self.process.poll() is not None:
                raise _ended(self.process.returncode, self._reason())
            if monotonic() > end:
                raise _too_slow()
            sleep(0.1)
        return f"http://127.0.0.1:{port}/api"

    def _port(self) -> str:
        """What the process says first, when it has imported what it needs; nothing if it has ended."""
        told, *_ = select([self.process.stdout], [], [], SECONDS_TO_ANSWER)
        if not told:
            raise _too_slow()
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        """End the server's process, which has some seconds to write down what it knows."""
        self.process.stdin.close()
        try:
            self.process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()

    def _reason(self) -> str:
        """The last error that the server tells, or else its last line."""
        self.log.seek(0)
        lines = [line.rstrip() for line in self.log.read().decode(errors="replace").split("\n") if line.strip()]
        errors = [line for line in lines if _ERROR.match(line)]
        return (errors or lines or ["it said nothing"])[-1].strip()[:_LONGEST_LINE]


@contextmanager
def begun() -> Iterator[OwnServer | None]:
    """Start a server, if none is named, and go on; at the end it is gone."""
    if _is_named():
        yield None
        return
    log = TemporaryFile()  # noqa: SIM115  (closed when the process has ended)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log, "text": True}
    user = f"impasse:{token_urlsafe(32)}"
    with environment(PREFECT_SERVER_API_AUTH_STRING=user):
        process = subprocess.Popen(_COMMAND, start_new_session=True, **pipes)
    server = OwnServer(process, log, user)
    try:
        yield server
    finally:
        server.end()


@contextmanager
def answering(server: OwnServer | None) -> Iterator[None]:
    """Wait for the server, and have Prefect use it; what Prefect has to tell it is told before it ends."""
    address = server.wait() if server else None
    if address is None:
        yield
        return
    proxies = {"NO_PROXY": _with_this_machine(), "no_proxy": _with_this_machine()}
    with environment(PREFECT_API_URL=address, PREFECT_API_AUTH_STRING=server.user, **proxies):
        from prefect import settings
        from prefect.events.worker import EventsWorker

        own = {
            settings.PREFECT_API_URL: address,
            settings.PREFECT_API_AUTH_STRING: server.user,
            settings.PREFECT_API_REQUEST_TIMEOUT: SECONDS_TO_ANSWER,
        }
        with settings.temporary_settings(own):
            try:
                yield
            finally:
                EventsWorker.drain_all(timeout=_SECONDS_TO_END)


def _is_named() -> bool:
    """Does the environment name a server, or the process in which this is called?"""
    if os.environ.get("PREFECT_API_URL"):
        return True
    settings = sys.modules.get("prefect.settings")
    return settings is not None and bool(settings.PREFECT_API_URL.value())


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=_SECONDS_TO_LOOK)
    try:
        connection.request("GET", "/api/health")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _with_this_machine() -> str:
    """The addresses that are asked without a proxy, this machine among them."""
    named = os.environ.get("NO_PROXY") or os.environ.get("no_proxy")
    return f"{named},127.0.0.1" if named else "127.0.0.1"


def _ended(code: int, said: str) -> ImpasseError:
    return ImpasseError(
        f"Prefect's server for this run ended before it answered, with code {code}: {said}",
        where="this machine; nothing of the delivery was read",
        expected="a server that answers; its database is the one that `prefect config view` shows",
        do="Mend what it says; or start a server with `prefect server start` and set PREFECT_API_URL to its address.",
    )


def _too_slow() -> ImpasseError:
    return ImpasseError(
        f"Prefect's server for this run did not answer within {SECONDS_TO_ANSWER} seconds.",
        where="this machine; nothing of the delivery was read",
        expected="a machine that is less busy",
        do="Try again; or start a server with `prefect server start` and set PREFECT_API_URL to its address.",
    )
