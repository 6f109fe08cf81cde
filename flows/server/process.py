"""The process of a run's own Prefect server, which `flows/server/own_server.py` starts and ends.

It prints one line, the port it will answer on, or nothing if Prefect's settings name a server already. It ends when
its standard input does, which is a pipe from the run: however a run ends, its server ends with it. Prefect lets few
services run in such a server; of those, the ones that only a standing server needs are switched off here and not
in the run's environment, so that a server the user starts keeps them.
"""

from __future__ import annotations

import atexit
import os
import socket
import sys
from threading import Thread
from time import sleep
from typing import TYPE_CHECKING

from impasse.flows.gate.garbage import collect_seldom
from impasse.flows.server.settings import load_prefect

if TYPE_CHECKING:
    from uvicorn import Server

_SECONDS_TO_END = 5
PREFECT_SETTINGS = {
    "PREFECT__SERVER_EPHEMERAL": "1",
    "PREFECT__SERVER_FINAL": "1",
    "PREFECT_UI_ENABLED": "false",
    "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",
    "PREFECT_MEMOIZE_BLOCK_AUTO_REGISTRATION": "false",  # it would load every integration, Dask's too
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_FOREMAN_ENABLED": "false",
}


def main() -> None:
    """Serve until the run ends."""
    os.environ.update(PREFECT_SETTINGS)
    collect_seldom()
    load_prefect()
    from prefect.settings import PREFECT_API_URL

    if PREFECT_API_URL.value():
        return
    import uvicorn

    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        app = "prefect.server.api.server:create_app"
        server = uvicorn.Server(uvicorn.Config(app, factory=True, log_level="error", lifespan="on"))
        Thread(target=_end_with_run, args=(server,), daemon=True).start()
        server.run(sockets=[listening])
    atexit.register(os._exit, 0)  # all is written down; taking a hundred thousand objects apart takes a second


def _end_with_run(server: Server) -> None:
    sys.stdin.read()
    server.should_exit = True
    sleep(_SECONDS_TO_END)
    os._exit(1)


if __name__ == "__main__":
    main()
