"""Folders of a run on this machine: what is in them, and taking, renaming and removing them."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from impasse.flows.files.faults import disk
from impasse.flows.files.keep import close_door, require_own, settle_one


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


def own_folder(path: Path) -> Path:
    """A folder for the user alone, made if nothing is there. Raises ImpasseError if it is another's, or a link."""
    if not take_folder(path):
        require_own(path)
        close_door(path)
    return path


def remove(path: Path) -> None:
    """A file, a link, or a folder with everything in it; what cannot be removed stays."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def remove_if_empty(folder: Path) -> None:
    """A folder, unless something is in it."""
    with suppress(OSError):
        folder.rmdir()


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
