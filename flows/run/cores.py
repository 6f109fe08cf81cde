"""How many parts this process may work on at a time: the cores it may use, not those of the machine.

A process may be bound to some cores, and a container or a batch system may give it a share of their time, as version 1
or 2 of Linux control groups states it: so much time in each period, here or in a group around this one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from math import ceil
from pathlib import Path

from impasse.flows.files import texts
from impasse.schemas.errors import ImpasseError

_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")


def usable_cores() -> int:
    """The cores that this process may use; a share of one counts as one."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([bound, *map(ceil, _shares(_OWN_GROUPS, _GROUPS))]))


def _shares(own_groups: Path, root: Path) -> Iterator[float]:
    """How many cores' time each control group allows that this process is in, if it states a limit."""
    for line in _text(own_groups).splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from _limits(root, path, _second_version)
        elif "cpu" in controllers.split(","):
            yield from _limits(root / controllers, path, _first_version)
            yield from _limits(root / "cpu", path, _first_version)


def _limits(root: Path, path: str, limit: Callable[[Path], tuple[str, str]]) -> Iterator[float]:
    """The limits of a group and of those around it; within a container its own group looks like the outermost."""
    own = root / path.strip("/")
    for group in dict.fromkeys((own, *own.parents)):
        if group.is_relative_to(root):
            quota, period = limit(group)
            if quota.isdecimal() and period.isdecimal() and int(period):
                yield int(quota) / int(period)


def _second_version(group: Path) -> tuple[str, str]:
    quota, _, period = _text(group / "cpu.max").strip().partition(" ")
    return quota, period


def _first_version(group: Path) -> tuple[str, str]:
    return _text(group / "cpu.cfs_quota_us").strip(), _text(group / "cpu.cfs_period_us").strip()


def _text(path: Path) -> str:
    """What a file of the system says; nothing if it is not there."""
    try:
        return texts.read_text(path)
    except (ImpasseError, OSError):
        return ""
