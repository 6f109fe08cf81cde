"""Loops over rows, compiled to machine code: for what depends on the rows before, or on pairs of rows of an episode.

Written as arrays such work is a pass for every row of the longest group, or many passes with a copy each; as a loop it
is one pass, and reads as the rule does. A compiled function takes and gives arrays and numbers, nothing else, and lets
other threads run meanwhile. It is compiled when it is first called with arrays of some types, which takes a second or
less, and kept beside the program or, where that cannot be written, in the user's cache; NUMBA_CACHE_DIR names another
folder. NUMBA_DISABLE_JIT=1 runs the same loops as plain Python, in which they can be looked into.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import numba

_Function = TypeVar("_Function", bound=Callable)


def compiled(function: _Function) -> _Function:
    """The function compiled, when it is first called."""
    try:
        return numba.njit(nogil=True, error_model="numpy", cache=True)(function)
    except RuntimeError:  # there is no folder to keep it in: every process compiles it anew
        return numba.njit(nogil=True, error_model="numpy")(function)


def _folder() -> Path:
    """Where functions compiled from just this program are kept.

    A compiled function has the constants of other modules in it, and Numba looks only at the age of the function's own.
    """
    here = Path(__file__).parent
    sources = sorted(entry for layer in (here, here.parent / "schemas") for entry in _modules(layer))
    chosen = numba.config.CACHE_DIR
    kept = Path(chosen) if chosen else here / "__pycache__"
    return kept / f"impasse-{sha256(repr(sources).encode()).hexdigest()[:16]}"


def _modules(folder: Path) -> list[tuple[str, int, int]]:
    """Name, size and time of change of each module in a folder."""
    found = (entry for entry in os.scandir(folder) if entry.name.endswith(".py"))
    return [(entry.name, entry.stat().st_size, entry.stat().st_mtime_ns) for entry in found]


numba.config.CACHE_DIR = str(_folder())
