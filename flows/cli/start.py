"""What holds for every command, before it is looked at: what it may print, and a Python that libraries can work in."""

from __future__ import annotations

import os
import re
import sys
from typing import Any

import typer

from impasse.flows.cli.terminal import say_error, system_error
from impasse.schemas.errors import ImpasseError

_WITHOUT_DOCSTRINGS = 2
_NONE = re.compile(r"\s*\+?0+\s*")


class Program(typer.Typer):
    """All commands, as one that is called."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Do what the command line asks; where nothing can be begun or printed, one message and exit code 2."""
        _print_what_can_be_shown()
        try:
            _require_sound_python()
            return super().__call__(*args, **kwargs)
        except ImpasseError as error:
            say_error(str(error))
        except OSError as error:  # commands tell their own; this is what prints the help and the version
            say_error(str(system_error(OSError(error.errno, error.strerror, error.filename or "standard output"))))
        sys.exit(2)


def _print_what_can_be_shown() -> None:
    """A character that a terminal or a file does not know is replaced, and no error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _require_sound_python() -> None:
    """Raise ImpasseError where libraries would fail in the middle of the work, or as soon as they are loaded."""
    if sys.flags.optimize >= _WITHOUT_DOCSTRINGS:
        raise ImpasseError(
            "Python runs without docstrings (-OO), which libraries of a run need.",
            where="environment, PYTHONOPTIMIZE, or how Python was started",
            expected="no -OO, and PYTHONOPTIMIZE unset or at most 1",
            do="Unset PYTHONOPTIMIZE.",
        )
    if _NONE.fullmatch(os.environ.get("POLARS_MAX_THREADS", "")):
        raise ImpasseError(
            "Polars cannot work in no thread.",
            where="environment, POLARS_MAX_THREADS",
            expected="a whole number from 1 on, or nothing",
            do="Unset POLARS_MAX_THREADS.",
        )
