"""Folders of a run on this machine: what is in them, and taking, renaming and removing them."""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from impasse.flows.files.faults import disk
from impasse.flows.files.keep import settle_one

_REQUESTS_TO_END = [number for number in signal.Signals if number.name in ("SIGTERM", "SIGHUP")]


def files_in_folder(folder: Path) -> list[Path]:
    """Every file below a folder, in order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder, in order."""
    return sorted(path for path in folder.iterdir() if path.is_dir())


def take_folder(path: Path) -> bool:
    """Make a folder that was not there, for the user alone; false if somebody else has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        return False
    return True


def remove(path: Path) -> None:
    """A file, or a folder with everything in it; what cannot be removed stays."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def remove_all_but(names: Collection[str], folder: Path) -> None:
    """Everything in a folder, save what has one of these names."""
    for path in folder.iterdir():
        if path.name not in names:
            remove(path)


def rename(folder: Path, to: Path) -> None:
    """Give a folder, with all that is in it, another place at once."""
    with disk(to):
        folder.rename(to)
        settle_one(to.parent)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder for the user alone, where TMPDIR says; gone at the end, also after an error or a request to end."""
    with _ended_by_exception(), TemporaryDirectory(prefix="impasse-") as name:
        yield Path(name)


@contextmanager
def _ended_by_exception() -> Iterator[None]:
    """Let a request to end be an exception, so that what stands at the end of a block is done."""

    def end(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    is_main = threading.current_thread() is threading.main_thread()  # no other thread may say what a signal does
    numbers = [number for number in _REQUESTS_TO_END if is_main and signal.getsignal(number) == signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
