"""No process of ours leaves its memory, which holds rows, in a file when it crashes.

The limit of core files holds for this process and all that it starts. A system that hands a dump to a program of its
own, as systemd does, does not ask for the limit; so on Linux the process is marked as one that is never dumped. That
mark is lost by whatever program is started anew, so each process that works on rows makes it for itself. Neither keeps
root from reading the memory, nor the system from writing it to a swap file, a hibernation or a dump of its own.
"""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from functools import cache

_PR_SET_DUMPABLE = 4


@cache
def leave_no_dump() -> None:
    """From now on no core file is written of this process."""
    with suppress(ImportError, ValueError, OSError):  # not every system knows the limit
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
