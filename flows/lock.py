"""A run that is under way holds a lock in its work folder, so that nobody else goes on with it.

The lock belongs to the process and vanishes with it, however it ends; a shared file system tells it to other
machines. The file says whose it is and is never data. Where a file system knows no locks nothing is locked.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from platform import node

from schemas.errors import ImpasseError


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock at this path, in a folder that is there. Raises ImpasseError if another process holds it."""
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise _under_way(path, file.read()) from None
        except OSError:
            pass
        file.truncate(0)
        file.write(f"process {os.getpid()} on {node()}, since {datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
        file.flush()
        yield


def _under_way(path: Path, holder: str) -> ImpasseError:
    return ImpasseError(
        "This run is still under way.",
        where=f"{path.parent}, {holder}",
        expected="a run that was stopped or killed",
        do="Wait until it is done, or end that process before you resume.",
    )
