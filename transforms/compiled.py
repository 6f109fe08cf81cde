"""Loops over rows, compiled to machine code: for what depends on the rows before, or on pairs of rows of an episode.

Written as arrays such work is a pass for every row of the longest group, or many passes with a copy each; as a loop it
is one pass, and reads as the rule does. A compiled function takes and gives arrays and numbers, nothing else, and lets
other threads run meanwhile. It is compiled when it is first called with arrays of some types, which takes a second or
less, and kept beside the program or, where that cannot be written, in the user's cache; NUMBA_CACHE_DIR names another
folder. NUMBA_DISABLE_JIT=1 runs the same loops as plain Python, in which they can be looked into.

Callers give a function arrays of the same types each time: another type is compiled anew, and processes that start
together on a new machine must not keep different ones of one function.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import TypeVar

import numba

_Function = TypeVar("_Function", bound=Callable)


def compiled(function: _Function) -> _Function:
    """The function compiled, when it is first called; where it cannot be kept, every process compiles it anew."""
    return numba.njit(nogil=True, error_model="numpy", cache=KEPT_IN is not None)(function)


def _folder(candidates: Sequence[Path], sources: Sequence[Path]) -> Path | None:
    """Where functions compiled from just these modules are kept: in the first folder that can be written.

    A compiled function has the constants of other modules in it, and Numba looks only at the function's own.
    """
    told = sorted(module for folder in sources for module in _modules(folder))
    name = f"impasse-{sha256(repr(told).encode()).hexdigest()[:16]}"
    return next((folder / name for folder in candidates if _can_be_written(folder / name)), None)


def _modules(folder: Path) -> list[tuple[str, int, int]]:
    """Name, size and time of change of each module in a folder."""
    found = (entry for entry in os.scandir(folder) if entry.name.endswith(".py"))
    return [(entry.name, entry.stat().st_size, entry.stat().st_mtime_ns) for entry in found]


def _can_be_written(folder: Path) -> bool:
    try:
        os.makedirs(folder, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def _candidates(program: Path) -> list[Path]:
    if numba.config.CACHE_DIR:
        return [Path(numba.config.CACHE_DIR)]
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return [program / "__pycache__", Path(cache)]


_HERE = Path(__file__).parent
KEPT_IN = _folder(_candidates(_HERE), [_HERE, _HERE.parent / "schemas"])
if KEPT_IN is not None:
    numba.config.CACHE_DIR = str(KEPT_IN)
