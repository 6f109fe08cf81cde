"""Nothing from a person's row leaves through an error.

Prefect stores and prints the text of an exception, and the texts of Polars, Pandera and DuckDB quote
values. So every task is wrapped: an error meant for the user passes as it is; of any other only the
kind and the place in our code are told.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from schemas.errors import ImpasseError, MayPass

P = ParamSpec("P")
R = TypeVar("R")

_ROOT = Path(__file__).resolve().parents[1]


class InternalError(ImpasseError):
    """An error in Impasse itself, told without the values it met."""


def discreet(step: Callable[P, R]) -> Callable[P, R]:
    """Let only messages through that hold no value from a row."""

    @wraps(step)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return step(*args, **kwargs)
        except ImpasseError:
            raise
        except MemoryError:
            raise _out_of_memory(step.__name__) from None
        except OSError as error:
            raise OSError(error.errno, error.strerror or "input or output failed", error.filename) from None
        except Exception as error:
            raise _told(error, step.__name__) from None

    return wrapped


def _out_of_memory(step: str) -> MayPass:
    return MayPass(
        f"Memory ran out in step {step}.",
        do="Work on fewer parts at a time, with a smaller --memory or with --workers 1.",
    )


def _told(error: Exception, step: str) -> InternalError:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).is_relative_to(_ROOT)]
    place = f"{Path(frames[-1].filename).relative_to(_ROOT)}, line {frames[-1].lineno}" if frames else step
    return InternalError(
        f"Internal error ({type(error).__name__}) in step {step}.",
        where=place,
        do="Report it with this message; its details are withheld because they may quote rows.",
    )
