"""What libraries print by themselves does not reach a terminal or a log.

Rust prints a panic, and the AWS library a fault, on file descriptor 2: before any exception is raised, past every gate
in Python, and with whatever they met, such as a value of a row or the key of an object. So while something of ours is
under way descriptor 2 leads nowhere. Python's own stderr goes to another descriptor meanwhile: messages, bars and
Prefect's logs are seen as before. Python prints a fault in a thread or a finalizer by itself as well; of it only the
kind is printed.

All threads of a process share its descriptors, so the first to enter makes it quiet and the last to leave ends it.
Workers that are started meanwhile are born quiet.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO, UnsupportedOperation
from typing import Any, TextIO

_ERRORS = 2


@dataclass
class _Hush:
    """How deep in quiet the process is, where errors went before, and who told of faults that nobody catches."""

    depth: int = 0
    before: int | None = None
    hooks: tuple[Any, Any] = (sys.unraisablehook, threading.excepthook)


_hush, _one_at_a_time = _Hush(), threading.Lock()


@contextmanager
def quiet() -> Iterator[None]:
    """While this holds, only Python prints errors, and only those that it was asked to print."""
    with _one_at_a_time:
        if _hush.depth == 0:
            _begin()
        _hush.depth += 1
    try:
        yield
    finally:
        with _one_at_a_time:
            _hush.depth -= 1
            if _hush.depth == 0:
                _end()


def _begin() -> None:
    _hush.hooks = (sys.unraisablehook, threading.excepthook)
    sys.unraisablehook = threading.excepthook = _tell_kind
    try:
        _hush.before = os.dup(_ERRORS)
    except OSError:  # it is closed: nothing is printed anyway
        _hush.before = None
        return
    _lead_python(_ERRORS, _hush.before)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _ERRORS)
    os.close(nowhere)


def _end() -> None:
    sys.unraisablehook, threading.excepthook = _hush.hooks
    if _hush.before is not None:
        os.dup2(_hush.before, _ERRORS)
        _lead_python(_hush.before, _ERRORS)
        os.close(_hush.before)


def _lead_python(old: int, new: int) -> None:
    """Let Python's error streams that write to one descriptor write to another; whoever holds them need not know."""
    for stream in {id(stream): stream for stream in (sys.stderr, sys.__stderr__)}.values():
        raw = _raw(stream)
        if raw is not None and raw.fileno() == old:
            stream.flush()
            raw.__init__(new, "wb", closefd=False)


def _raw(stream: TextIO | None) -> FileIO | None:
    """The file below a stream, if it is one of the system's."""
    try:
        below = stream.buffer
    except (AttributeError, UnsupportedOperation):
        return None
    raw = getattr(below, "raw", below)
    return raw if isinstance(raw, FileIO) and not raw.closed else None


def _tell_kind(fault: Any) -> None:
    """Of a fault that nobody catches, its kind."""
    print(f"Ignored: {fault.exc_type.__name__}", file=sys.stderr)
