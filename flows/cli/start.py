"""What holds for every command, before it is looked at: what it may print."""

from __future__ import annotations

import sys
from typing import Any

import typer


class Program(typer.Typer):
    """All commands, as one that is called."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Do what the command line asks."""
        _print_what_can_be_shown()
        return super().__call__(*args, **kwargs)


def _print_what_can_be_shown() -> None:
    """A character that a terminal or a file does not know is replaced, and no error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
