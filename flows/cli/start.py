"""What holds for every command, before it is looked at: what it may print."""

from __future__ import annotations

import sys
from typing import Any

import typer

from impasse.flows.cli.terminal import say_error, system_error


class Program(typer.Typer):
    """All commands, as one that is called."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Do what the command line asks; where nothing can be printed, one message and exit code 2."""
        _print_what_can_be_shown()
        try:
            return super().__call__(*args, **kwargs)
        except OSError as error:  # commands tell their own; this is what prints the help and the version
            say_error(str(system_error(OSError(error.errno, error.strerror, error.filename or "standard output"))))
        sys.exit(2)


def _print_what_can_be_shown() -> None:
    """A character that a terminal or a file does not know is replaced, and no error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
