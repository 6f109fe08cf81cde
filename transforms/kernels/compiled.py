"""Loops over rows, compiled to machine code: for what depends on the rows before, or on pairs of rows of an episode.

Written as arrays such work is a pass for every row of the longest group, or many passes with a copy each; as a loop it
is one pass, and reads as the rule does. A compiled function takes and gives arrays and numbers, nothing else, and lets
other threads run meanwhile. It is compiled when it is first called with arrays of some types, which takes a second or
less, and kept beside the program or, where that cannot be written, in the user's cache; NUMBA_CACHE_DIR names another
folder. NUMBA_DISABLE_JIT=1 runs the same loops as plain Python, in which they can be looked into.

What is kept is run later. So it is kept only where nobody but the user and the system's administrator can put or rename
anything, and a file of settings in the folder where a run is started, which Numba would look for, is not read.

Callers give a function arrays of the same types each time: another type is compiled anew.
"""

from __future__ import annotations

import os
import pickle
import stat
from collections.abc import Callable, Sequence
from contextlib import chdir, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, TypeVar
from uuid import uuid4

with chdir(os.path.dirname(__file__)):  # it looks for settings as it is imported
    import numba
    from numba.core.serialize import dumps

numba.config._config_fname = os.devnull  # and whenever it compiles

_Function = TypeVar("_Function", bound=Callable)
_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def compiled(function: _Function) -> _Function:
    """The function compiled, when it is first called; where it cannot be kept, every process compiles it anew."""
    dispatcher = numba.njit(nogil=True, error_model="numpy", cache=KEPT_IN is not None)(function)
    if KEPT_IN is not None and not numba.config.DISABLE_JIT:
        files = dispatcher._cache._cache_file
        dispatcher._cache._cache_file = Kept(files._cache_path, files._index_name.removesuffix(".nbi"))
    return dispatcher


class Kept:
    """The compiled forms of one function: a file for each set of types, named by them, written whole or not at all.

    Numba numbers these files and writes the numbers into an index. Two processes that compile one function for
    different types at the same time then take the same number, and a later process runs the code of the one on arrays
    of the other: it reads beyond their end. A file cut short, as a power cut leaves it, would be run as well.
    """

    def __init__(self, folder: str, function: str) -> None:
        self._folder, self._function = folder, function

    def load(self, types: Any) -> Any:
        """What was kept for these types, or nothing where it is not there, or not whole."""
        with suppress(OSError), open(self._path(types), "rb") as file:
            digest, compiled_for = file.read(32), file.read()
            if sha256(compiled_for).digest() == digest:
                kept_types, code = pickle.loads(compiled_for)
                return code if kept_types == types else None
        return None

    def save(self, types: Any, code: Any) -> None:
        """Keep a compiled form; where that cannot be, as on a full disk, the next process compiles it again."""
        path = self._path(types)
        aside = f"{path}.{uuid4().hex}"
        compiled_for = dumps((types, code))
        try:
            with open(aside, "wb") as file:
                file.write(sha256(compiled_for).digest() + compiled_for)
            os.replace(aside, path)
        except OSError:
            with suppress(OSError):
                os.unlink(aside)

    def _path(self, types: Any) -> str:
        return os.path.join(self._folder, f"{self._function}.{sha256(repr(types).encode()).hexdigest()[:16]}.nbc")


def _folder(candidates: Sequence[Path], sources: Sequence[Path]) -> Path | None:
    """Where functions compiled from just these modules are kept: in the first folder that can be written.

    A compiled function has the constants of other modules in it, and Numba looks only at the function's own.
    """
    name = f"impasse-{_fingerprint(sources)}"
    places = [
        Path(os.path.realpath(folder)) / name for folder in candidates
    ]  # by no link that may lead elsewhere later
    return next((place for place in places if _can_be_written(place)), None)


def _fingerprint(sources: Sequence[Path]) -> str:
    """What all modules of some folders and of the folders in them say, in sixteen letters."""
    modules = sorted(module for folder in sources for module in folder.rglob("*.py"))
    said = sha256()
    for module in modules:
        content = module.read_bytes()
        said.update(f"{module.name} {len(content)}\n".encode() + content)
    return said.hexdigest()[:16]


def _can_be_written(folder: Path) -> bool:
    """Is the folder there or made, for the user to write, and for nobody else?"""
    try:
        os.makedirs(folder.parent, exist_ok=True)
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        if not _is_safe(folder):
            return False
        TemporaryFile(dir=folder).close()
        os.chmod(folder, 0o700)
    except OSError:
        return False
    return True


def _is_safe(folder: Path) -> bool:
    """Can nobody but the user and the administrator put something into a folder, or another folder in its place?

    Where everybody may write, as in /tmp, others cannot rename the user's folder if the sticky bit is set.
    """
    trusted = {0, os.geteuid(), os.stat("/").st_uid}  # in some containers the administrator has another number
    own, *above = (os.lstat(path) for path in (folder, *folder.parents))
    return (
        stat.S_ISDIR(own.st_mode)
        and not own.st_mode & _BY_OTHERS
        and all(not path.st_mode & _BY_OTHERS or path.st_mode & stat.S_ISVTX for path in above)
        and all(path.st_uid in trusted for path in (own, *above))
    )


def _candidates(program: Path) -> list[Path]:
    if numba.config.CACHE_DIR:
        return [Path(numba.config.CACHE_DIR)]
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return [program / "__pycache__", Path(cache)]


_TRANSFORMS = Path(__file__).resolve().parents[1]
KEPT_IN = _folder(_candidates(_TRANSFORMS), [_TRANSFORMS, _TRANSFORMS.parent / "schemas"])
if KEPT_IN is not None:
    numba.config.CACHE_DIR = str(KEPT_IN)
