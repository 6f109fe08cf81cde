"""A run that is under way holds a lock in its folder, so that nobody else goes on with it.

The lock belongs to the process and vanishes with it, however it ends; a shared file system tells it to other
machines. The file says whose it is and is never data. Where a file system knows no locks, a file stands for one if it
can, and else nothing is locked; a run says so.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from platform import node

from filelock import FileLock, Timeout

from impasse.flows.run.progress import note
from impasse.schemas.errors import ImpasseError


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock at this path, in a folder that is there. Raises ImpasseError if another process holds it."""
    lock = FileLock(path, mode=0o600)
    _take(lock, path)
    try:
        yield
    finally:
        lock.release()


def is_held(path: Path) -> bool:
    """Whether another process holds the lock; where there is no file nobody does."""
    if not path.exists():
        return False
    lock = FileLock(path, mode=0o600)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False


def is_abandoned(path: Path) -> bool:
    """Whether a process of this machine held the lock and is gone; nobody can tell without a file, or without locks."""
    if f" on {node()}, since" not in _holder(path):
        return False
    lock = FileLock(path, mode=0o600)
    try:
        lock.acquire(blocking=False)
    except (Timeout, OSError):
        return False
    lock.release()
    return True


def _take(lock: FileLock, path: Path) -> None:
    with warnings.catch_warnings(record=True) as warned:
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise _under_way(path) from None
        except OSError as error:
            note(f"{path.parent} is on a file system without locks ({error.strerror}): do not run a study there twice.")
            return
    if warned:
        note(f"{path.parent} is on a file system without locks: a file stands for the one of this run.")
    else:
        path.write_text(f"process {os.getpid()} on {node()}, since {datetime.now(UTC):%Y-%m-%d %H:%M} UTC")


def _under_way(path: Path) -> ImpasseError:
    return ImpasseError(
        "This run is still under way.",
        where=f"{path.parent}, {_holder(path) or 'by another process'}",
        expected="a run that was stopped or killed",
        do="Wait until it is done, or end that process before you resume.",
    )


def _holder(path: Path) -> str:
    """Who holds the lock, or held it last, as the file says."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
