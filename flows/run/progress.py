"""What a run is doing, told to whoever listens: a bar on a terminal, in a log a line with a time for each step."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from logging import LoggerAdapter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

from impasse.schemas.plain import plain_lines

Listener = Callable[[str, int, int], None]

_console: ContextVar[Console | None] = ContextVar("console", default=None)
_listener: ContextVar[Listener] = ContextVar("listener", default=lambda text, done, total: None)
_reading: ContextVar[_Reading | None] = ContextVar("reading", default=None)


@dataclass
class _Reading:
    """Has a row of the delivery been read? Set in a flow, which Prefect may run in a copy of the command's context."""

    has_begun: bool = False


def tell(text: str, done: int, total: int) -> None:
    """Say that step `done` of `total`, described by `text`, begins."""
    _listener.get()(text, done, total)


def begin_reading() -> None:
    """From here on an error may know a row of the delivery."""
    if reading := _reading.get():
        reading.has_begun = True


def is_reading() -> bool:
    """May an error know a row of the delivery?"""
    reading = _reading.get()
    return reading is None or reading.has_begun


def note(text: str) -> None:
    """Say what should stay to be read: on the screen, and in Prefect's log of the run, which may have no screen."""
    if console := _console.get():
        console.print(text, highlight=False, markup=False)
    if log := _log_of_run():
        log.warning("%s", plain_lines(text))


def _log_of_run() -> LoggerAdapter | None:
    """Prefect's log, within a run of its; without one Prefect need not even be loaded."""
    if "prefect" not in sys.modules:
        return None
    from prefect.exceptions import MissingContextError
    from prefect.logging import get_run_logger

    try:
        return get_run_logger()
    except MissingContextError:
        return None


@contextmanager
def progress_shown(console: Console, *, in_logs: bool = False) -> Iterator[None]:
    """Show steps as a progress bar on a terminal; elsewhere, of what is followed in logs, as lines."""
    tokens = _console.set(console), _reading.set(_Reading())
    try:
        with _bar(console) if console.is_terminal else _lines(console) if in_logs else nullcontext():
            yield
    finally:
        _console.reset(tokens[0])
        _reading.reset(tokens[1])


@contextmanager
def _bar(console: Console) -> Iterator[None]:
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), BarColumn(bar_width=20), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("starting")
        with _listening(lambda text, done, total: progress.update(bar, description=text, completed=done, total=total)):
            yield


@contextmanager
def _lines(console: Console) -> Iterator[None]:
    """A line for each step, seen at once by whoever follows a log."""

    def say(text: str, done: int, total: int) -> None:
        now = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
        print(f"{now} {text}", file=console.file, flush=True)

    with _listening(say):
        yield


@contextmanager
def _listening(listener: Listener) -> Iterator[None]:
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
