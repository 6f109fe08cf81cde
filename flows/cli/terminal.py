"""What all commands share: where they print, how tables look there, and how an error ends them.

Whatever is printed passes `PlainConsole`, so that no name from a delivery is obeyed by a terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from errno import EDQUOT, ENOENT, ENOSPC
from functools import wraps
from pathlib import Path
from textwrap import wrap
from typing import ParamSpec

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.table import Table

from impasse.schemas.errors import ImpasseError, PublicationStopped, RunInterrupted
from impasse.schemas.plain import plain, plain_lines

_P = ParamSpec("_P")
_ERROR, _BELOW_LABELS = "Error:", 12
_WIDEST_NAME = 44


class PlainConsole(Console):
    """A terminal that gets our colours and moves, and of any text only what stands there."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """What rich makes of anything, a bar that moves as well, its text without what a terminal would obey."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else plain_lines(text), style, control)

    def __exit__(self, *raised: object) -> None:
        """Print what was collected; where that cannot be written, the fault has a name."""
        try:
            super().__exit__(*raised)
        except OSError as error:
            raise OSError(error.errno, error.strerror, "standard error" if self.stderr else "standard output") from None

    def on_broken_pipe(self) -> None:
        """End the command, as done: whoever reads may have read enough, as `head` has."""
        with suppress(SystemExit):
            super().on_broken_pipe()
        sys.exit(0)


out, err = PlainConsole(), PlainConsole(stderr=True)


def told(command: Callable[_P, None]) -> Callable[_P, None]:
    """Turn the errors a user can mend into one message and an exit code."""

    @wraps(command)
    def wrapped(*args: _P.args, **kwargs: _P.kwargs) -> None:
        from impasse.flows.gate.redact import InternalError, redact

        codes = {RunInterrupted: 4, PublicationStopped: 3, InternalError: 1}
        try:
            redact(command)(*args, **kwargs)
        except ImpasseError as error:
            say_error(str(error))
            raise typer.Exit(codes.get(type(error), 2)) from None
        except OSError as error:
            say_error(str(system_error(error)))
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            err.print("Interrupted.", highlight=False)
            raise typer.Exit(130) from None

    return wrapped


def system_error(error: OSError) -> ImpasseError:
    """What the system says of a file, of the folder where the command was typed, or of what is printed to."""
    if error.errno == ENOENT and error.filename is None and not _is_folder_there():
        return ImpasseError(
            "The current folder is no longer there.",
            where="the folder in which the command was typed",
            do="Go to one that is there, and type the command again.",
        )
    is_full = error.errno in (ENOSPC, EDQUOT)
    return ImpasseError(
        f"{error.strerror or 'Input or output failed'}.",
        where=f"{error.filename or 'a file of this run'}",
        expected="room to write to" if is_full else "what can be read and written",
        do="Make room there, or write to another place." if is_full else "Correct the path or the permission.",
    )


def _is_folder_there() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True


def say_error(text: str) -> None:
    """An error on its own, where errors go, if anything can be written there; on a terminal in lines that fit it."""
    told = fitted(f"{_ERROR} {text}", err.width) if err.is_terminal else f"{_ERROR} {text}"
    with suppress(OSError):
        err.print(f"[bold red]{_ERROR}[/]{escape(told.removeprefix(_ERROR))}", highlight=False, soft_wrap=True)


def fitted(text: str, width: int) -> str:
    """An error in lines no longer than `width`, what goes on below what it goes on from; no word, as a path, is cut."""
    first, *others = text.split("\n")
    lines = _wrapped(first, width, len(_ERROR) + 1)
    return "\n".join([*lines, *(line for other in others for line in _wrapped(other, width, _BELOW_LABELS))])


def _wrapped(line: str, width: int, indent: int) -> list[str]:
    return wrap(line, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


def print_columns(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Rows as a table; only the first column keeps its words on one line."""
    table = Table(box=None, pad_edge=False)
    for place, heading in enumerate(headings):
        table.add_column(_cell(heading), overflow="fold", no_wrap=place == 0)
    for row in rows:
        table.add_row(*map(_cell, row))
    out.print(table)
    out.print()


def print_table(title: str, rows: list[dict[str, object]]) -> None:
    """Rows as a table under a title; numbers stand right, and what a row is called keeps its words where it can."""
    table = Table(title=_cell(title), title_justify="left", box=None, pad_edge=False)
    for place, column in enumerate(rows[0] if rows else ()):
        is_number = isinstance(rows[0][column], int)
        is_whole = place == 0 and max(len(str(row[column])) for row in rows) <= _WIDEST_NAME
        table.add_column(_cell(column), justify="right" if is_number else "left", overflow="fold", no_wrap=is_whole)
    for row in rows:
        table.add_row(*(f"{v:,}" if isinstance(v, int) else _cell(str(v)) for v in row.values()))
    out.print(table)
    out.print()


def _cell(text: str) -> str:
    """One line that is no markup."""
    return escape(plain(text))
