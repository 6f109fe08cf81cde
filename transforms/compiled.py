"""Loops over rows, compiled to machine code: for what depends on the rows before, or on pairs of rows of an episode.

Written as arrays such work is a pass for every row of the longest group, or many passes with a copy each; as a loop it
is one pass, and reads as the rule does. A compiled function takes and gives arrays and numbers, nothing else, and lets
other threads run meanwhile. It is compiled when it is first called with arrays of some types, which takes a second or
so, and kept beside the program or, where that cannot be written, in the user's cache; NUMBA_CACHE_DIR names another
folder. NUMBA_DISABLE_JIT=1 runs the same loops as plain Python, in which they can be looked into.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numba

_Function = TypeVar("_Function", bound=Callable)


def compiled(function: _Function) -> _Function:
    """The function compiled, when it is first called."""
    try:
        return numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # there is no folder to keep it in: every process compiles it anew
        return numba.njit(nogil=True)(function)
