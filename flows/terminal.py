"""What all commands share: where they print, how tables look there, and how an error ends them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import ParamSpec

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from schemas.errors import ImpasseError, PublicationStopped, RunInterrupted

P = ParamSpec("P")
out, err = Console(), Console(stderr=True)


def told(command: Callable[P, None]) -> Callable[P, None]:
    """Turn the errors a user can mend into one message and an exit code."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        from flows.discreet import InternalError, discreet

        codes = {RunInterrupted: 4, PublicationStopped: 3, InternalError: 1}
        try:
            discreet(command)(*args, **kwargs)
        except ImpasseError as error:
            say_error(str(error))
            raise typer.Exit(codes.get(type(error), 2)) from None
        except OSError as error:
            say_error(f"{error.strerror}.\n  where:    {error.filename or 'a file of this run'}")
            raise typer.Exit(2) from None

    return wrapped


def say_error(text: str) -> None:
    """An error on its own, where errors go."""
    err.print(f"[bold red]Error:[/] {escape(text)}", highlight=False, soft_wrap=True)


def print_columns(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Rows as a table; only the first column keeps its words on one line."""
    table = Table(box=None, pad_edge=False)
    for place, heading in enumerate(headings):
        table.add_column(heading, overflow="fold", no_wrap=place == 0)
    for row in rows:
        table.add_row(*map(escape, row))
    out.print(table)
    out.print()


def print_table(title: str, rows: list[dict[str, object]]) -> None:
    """Rows as a table under a title; numbers stand right."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in rows[0] if rows else ():
        is_number = isinstance(rows[0][column], int)
        table.add_column(column, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(f"{v:,}" if isinstance(v, int) else str(v) for v in row.values()))
    out.print(table)
    out.print()
