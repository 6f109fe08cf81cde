"""Nothing from a person's row leaves through an error.

Prefect stores and prints the text of an exception, and the texts of Polars, Pandera and DuckDB quote values. So every
task, flow and command passes this gate. An error meant for the user passes as it is, one of the disk with its number
and file, a request to stop as the request it is; of any other only the kind and the place in our code are told. No
class of exception goes another way: native panics are no `Exception`. What passes is raised anew, without what it was
raised from, its notes and the frames it came through, because each of them may hold rows and be printed. A process
that has passed here leaves no dump of its memory either.
"""

from __future__ import annotations

import os
import re
import traceback
from asyncio import CancelledError
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from impasse.flows.gate.dumps import leave_no_dump
from impasse.flows.gate.quiet import quiet
from impasse.flows.run.program import place
from impasse.schemas.errors import ImpasseError, MayPass
from impasse.schemas.file_names import shown

_P = ParamSpec("_P")
R = TypeVar("R")

_MODULE = re.compile(r"[A-Za-z_][\w.]*")


class InternalError(ImpasseError):
    """An error in Impasse itself, told without the values it met."""


def redact(step: Callable[_P, R]) -> Callable[_P, R]:
    """Let only messages through that hold no value from a row."""

    @wraps(step)
    def wrapped(*args: _P.args, **kwargs: _P.kwargs) -> R:
        leave_no_dump()
        with quiet():
            try:
                return step(*args, **kwargs)
            except BaseException as error:
                passed = _passed(error, step.__name__)
        raise passed  # not where the error is being handled, or it would be remembered

    return wrapped


def _passed(error: BaseException, step: str) -> BaseException:
    """What of an error may leave: the error itself, bare, or another in its place."""
    if isinstance(error, ImpasseError) or _is_signal_of_prefect(error):
        return _bare(error)
    if isinstance(error, MemoryError):
        return _out_of_memory(step)
    if isinstance(error, OSError):
        return _of_the_disk(error)
    if isinstance(error, SystemExit):
        return SystemExit(error.code if isinstance(error.code, int | None) else 1)
    if isinstance(error, KeyboardInterrupt | GeneratorExit | CancelledError):
        return _kind_of_request(error)()
    return _told(error, step)


def _bare(error: BaseException) -> BaseException:
    error.__cause__ = error.__context__ = error.__traceback__ = None
    error.__dict__.pop("__notes__", None)
    return error


def _is_signal_of_prefect(error: BaseException) -> bool:
    """A run that Prefect cancels, pauses or ends; the words are Prefect's."""
    return not isinstance(error, Exception) and type(error).__module__ == "prefect.exceptions"


def _kind_of_request(error: BaseException) -> type[BaseException]:
    return next(kind for kind in (KeyboardInterrupt, GeneratorExit, CancelledError) if isinstance(error, kind))


def _of_the_disk(error: OSError) -> OSError:
    """Number and file, with the system's words for the number, not the library's."""
    if error.errno is None:
        return OSError(None, "Input or output failed")
    return OSError(error.errno, os.strerror(error.errno), error.filename and shown(error.filename))


def _out_of_memory(step: str) -> MayPass:
    return MayPass(
        f"Memory ran out in step {step}.",
        do="Work on fewer parts at a time, with a smaller --memory or with --workers 1.",
    )


def _told(error: BaseException, step: str) -> InternalError:
    return InternalError(
        f"Internal error ({_kind(error)}) in step {step}.",
        where=_place(error) or step,
        do="Report it with this message; its details are withheld because they may quote rows.",
    )


def _kind(error: BaseException) -> str:
    """The error's class; of a group those in it; of a module that is not there its name, which is no row."""
    kind = type(error).__name__
    if isinstance(error, BaseExceptionGroup):
        return f"{kind} of {', '.join(dict.fromkeys(map(_kind, error.exceptions)))}"
    name = getattr(error, "name", None) if isinstance(error, ImportError) else None
    return f"{kind}: {name}" if name and _MODULE.fullmatch(name) else kind


def _place(error: BaseException) -> str:
    """The last line of our code that the error came through."""
    frames = traceback.extract_tb(error.__traceback__, limit=None)
    ours = [f"{place(frame.filename)}, line {frame.lineno}" for frame in frames if place(frame.filename)]
    return ours[-1] if ours else ""
