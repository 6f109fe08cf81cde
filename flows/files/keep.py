"""How what a run keeps gets onto the disk: whole, settled, and for the user alone.

A file is written aside and renamed when it is whole, so that nobody reads half of one, whenever the power goes. What
says that something is done is settled on the disk first, and what it speaks about before it. While a run is worked on
nobody else may read any of it, whatever the umask; what may leave becomes as readable as the umask says when the run is
published.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

_MINE_ALONE, _FOLDER, _FILE = 0o077, 0o777, 0o666
_ASIDE = ".*.aside"


@dataclass
class _Umask:
    """How many ask for privacy at the moment, and the umask without them."""

    depth: int = 0
    before: int = 0


_umask, _one_at_a_time = _Umask(), threading.Lock()


@contextmanager
def aside(path: Path, *, settled: bool = False) -> Iterator[Path]:
    """A path beside this one to write to; what is there becomes this one when it is whole, and else vanishes.

    A link or a device stays what it is, and is written through.
    """
    if path.is_symlink() or (path.exists() and not path.is_file()):
        yield path
        return
    part = path.with_name(f".{path.name}.{token_hex(4)}.aside")
    try:
        yield part
        if settled:
            settle_one(part)
        part.replace(path)
        if settled:
            settle_one(path.parent)
    finally:
        part.unlink(missing_ok=True)


def remove_asides(folder: Path) -> None:
    """Take away what was being written below a folder when somebody was killed."""
    for part in folder.rglob(_ASIDE):
        part.unlink(missing_ok=True)


def settle(*paths: Path) -> None:
    """Return when these files and folders, and all that is in them, are on the disk and not in memory alone."""
    for below in dict.fromkeys(below for path in paths for below in (*path.rglob("*"), path, path.parent)):
        settle_one(below)


def settle_one(path: Path) -> None:
    """Return when a file, or the list of a folder's files, is on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def for_user_alone() -> Iterator[None]:
    """What is made meanwhile, by whatever library or new process, is for the user alone.

    Threads share the umask: the first to enter sets it, the last to leave sets it back.
    """
    with _one_at_a_time:
        if _umask.depth == 0:
            _umask.before = os.umask(_MINE_ALONE)
        _umask.depth += 1
    try:
        yield
    finally:
        with _one_at_a_time:
            _umask.depth -= 1
            if _umask.depth == 0:
                os.umask(_umask.before)


def close(folder: Path) -> None:
    """Let only the user see a folder and what is in it."""
    _set_modes(folder, _MINE_ALONE)


def open_up(folder: Path) -> None:
    """Let everybody see a folder and what is in it whom the umask lets."""
    _set_modes(folder, _users_umask())


def open_door(folder: Path) -> None:
    """Let everybody into a folder whom the umask lets; what is in it stays as it is."""
    folder.chmod(_FOLDER & ~_users_umask())


def _users_umask() -> int:
    with _one_at_a_time:
        if _umask.depth:
            return _umask.before
        current = os.umask(_MINE_ALONE)
        os.umask(current)
        return current


def _set_modes(folder: Path, without: int) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod((_FOLDER if path.is_dir() else _FILE) & ~without)
