"""How what a run keeps gets onto the disk: whole, settled, and for the user alone.

A file is written aside and renamed when it is whole, so that nobody reads half of one, whenever the power goes. What
says that something is done is settled on the disk first, and what it speaks about before it. While a run is worked on
nobody else may read any of it, whatever the umask; what may leave becomes as readable as the umask says when the run is
published.

Whoever may write in the folder above can put another thing in place of what a run made. So nothing is opened to others,
copied or renamed before it is known to be the run's own: files and folders of the user, and no link.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from impasse.schemas.errors import ImpasseError
from impasse.schemas.file_names import shown

_MINE_ALONE, _FOLDER, _FILE = 0o077, 0o755, 0o644  # others may read what is published, and nothing else
_WRITTEN_BY_OTHERS = 0o022
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

    A device stays what it is and is written through, and so is a link that the user has made, or the system.
    """
    if _leads_on(path) or (path.exists() and not path.is_file()):
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


def _leads_on(path: Path) -> bool:
    """Whether a link is here that leads where the user wants to write; another's may lead to a file of the user's."""
    return path.is_symlink() and path.lstat().st_uid in (0, os.geteuid())


def remove_asides(folder: Path) -> None:
    """Take away what was being written below a folder when somebody was killed."""
    for part in folder.rglob(_ASIDE):
        part.unlink(missing_ok=True)


def settle(*paths: Path, within: Path) -> None:
    """Return when these files and folders, and all that is in them, are on the disk and not in memory alone.

    So are the folders that lead to them from `within`.
    """
    leading = [folder for path in paths for folder in path.parents if folder.is_relative_to(within)]
    below = [below for path in paths for below in (*path.rglob("*"), path)]
    for path in dict.fromkeys([*below, *leading]):
        settle_one(path)


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


def is_own(folder: Path) -> bool:
    """Whether a place is a folder of the user's own, and no link to one, in which nobody else can put anything."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & _WRITTEN_BY_OTHERS


def require_all_own(folder: Path) -> None:
    """Raise ImpasseError unless a folder, and all that is in it, is the user's own."""
    for place in (folder, *folder.rglob("*")):
        require_own(place)


def require_own(place: Path) -> None:
    """Raise ImpasseError unless this is a file or folder of the user's own, and no link."""
    found = place.lstat()
    is_plain = stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode)
    if not is_plain or found.st_uid != os.geteuid():
        raise ImpasseError(
            "This is not what a run of yours has written.",
            where=shown(place),
            expected="files and folders that belong to you, and no links",
            do="Look who put it there, take it away, and let nobody else write in the folder of the runs.",
        )


def close(folder: Path) -> None:
    """Let only the user see a folder and what is in it."""
    _set_modes(_MINE_ALONE, folder, *folder.rglob("*"))


def close_door(folder: Path) -> None:
    """Let only the user into a folder; what is in it stays as it is."""
    _set_modes(_MINE_ALONE, folder)


def open_up(folder: Path) -> None:
    """Let everybody read a folder and what is in it whom the umask lets."""
    _set_modes(_users_umask(), folder, *folder.rglob("*"))


def open_door(folder: Path) -> None:
    """Let everybody into a folder whom the umask lets; what is in it stays as it is."""
    _set_modes(_users_umask(), folder)


def _users_umask() -> int:
    with _one_at_a_time:
        if _umask.depth:
            return _umask.before
        current = os.umask(_MINE_ALONE)
        os.umask(current)
        return current


def _set_modes(without: int, *paths: Path) -> None:
    """Set the modes of what is there; of a link neither its own nor that of what it leads to."""
    for path in paths:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe is not waited for
        try:
            is_folder = stat.S_ISDIR(os.fstat(opened).st_mode)
            os.fchmod(opened, (_FOLDER if is_folder else _FILE) & ~without)
        finally:
            os.close(opened)
