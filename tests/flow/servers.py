"""Servers of tests on this machine: a port that nobody else takes, and a Prefect server that is gone with the tests."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import SystemRandom

from impasse.flows.gate.environment import environment
from impasse.flows.server import own_server

_FIRST, _OF_EACH = 20_000, 1_000  # below the ports that a machine hands out by itself


def free_port() -> int:
    """A port where nobody listens, nor will before its caller: each process of a test run has a range of its own.

    A port that the machine hands out may be handed out again, to whoever calls somebody, before it is used.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    while True:
        port = _FIRST + worker * _OF_EACH + SystemRandom().randrange(_OF_EACH)
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@contextmanager
def prefect_server(home: Path) -> Iterator[None]:
    """The server that a run starts for itself, for all runs within; all it knows stands in the folder."""
    with environment(PREFECT_HOME=str(home)), own_server.begun() as server, own_server.answering(server):
        yield
