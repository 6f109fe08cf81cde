"""What a run is doing, told to whoever listens. Nobody listens unless a terminal is attached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from logging import LoggerAdapter

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from schemas.plain import plain_lines

Listener = Callable[[str, int, int], None]

_console: ContextVar[Console | None] = ContextVar("console", default=None)
_listener: ContextVar[Listener] = ContextVar("listener", default=lambda text, done, total: None)


def tell(text: str, done: int, total: int) -> None:
    """Say that step `done` of `total`, described by `text`, begins."""
    _listener.get()(text, done, total)


def note(text: str) -> None:
    """Say what should stay to be read: on the screen, and in Prefect's log of the run, which may have no screen."""
    if console := _console.get():
        console.print(text, highlight=False, markup=False)
    if log := _log_of_run():
        log.warning("%s", plain_lines(text))


def _log_of_run() -> LoggerAdapter | None:
    """Prefect's log, within a run of its."""
    from prefect.exceptions import MissingContextError
    from prefect.logging import get_run_logger

    try:
        return get_run_logger()
    except MissingContextError:
        return None


@contextmanager
def shown(console: Console) -> Iterator[None]:
    """Show steps as a progress bar on a terminal, and only notes elsewhere."""
    token = _console.set(console)
    try:
        with _bar(console) if console.is_terminal else nullcontext():
            yield
    finally:
        _console.reset(token)


@contextmanager
def _bar(console: Console) -> Iterator[None]:
    columns = (SpinnerColumn(), BarColumn(bar_width=20), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("starting")
        token = _listener.set(
            lambda text, done, total: progress.update(bar, description=text, completed=done, total=total)
        )
        try:
            yield
        finally:
            _listener.reset(token)
