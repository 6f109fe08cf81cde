"""No class of error takes a value from a row out of a step, on no way that an error has to be printed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from prefect.exceptions import TerminationSignal

from impasse.flows.gate.redact import InternalError, redact
from impasse.schemas.errors import ImpasseError, MayPass
from impasse.transforms.partition.buckets import power_of_two

ROW = "QX7731ZK"
REPOSITORY = Path(__file__).resolve().parents[2]


class Panic(BaseException):
    """As native code raises it."""


def _raised(error: BaseException) -> BaseException:
    """What leaves a step that raises an error while it handles one that quotes a row."""
    error.add_note(ROW)

    def step() -> None:
        value = ROW  # stands in the frame
        try:
            raise ValueError(value)
        except ValueError as quoting:
            raise error from quoting

    try:
        redact(step)()
    except BaseException as left:
        return left.with_traceback(left.__traceback__.tb_next)  # without this frame, which knows the row
    raise AssertionError


ERRORS = [
    ImpasseError("Told."),
    ValueError(ROW),
    KeyError(ROW),
    RecursionError(ROW),
    StopIteration(ROW),
    MemoryError(ROW),
    OSError(ROW),
    OSError(5, ROW),
    PermissionError(13, ROW, "file"),
    ModuleNotFoundError(ROW, name=f"{ROW} 19700101"),
    KeyboardInterrupt(ROW),
    SystemExit(ROW),
    GeneratorExit(ROW),
    asyncio.CancelledError(ROW),
    Panic(ROW),
    ExceptionGroup(ROW, [ValueError(ROW), KeyError(ROW)]),
    BaseExceptionGroup(ROW, [KeyboardInterrupt(ROW), Panic(ROW)]),
    TerminationSignal(signal=15),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_no_class_of_error_tells_a_row(error: BaseException) -> None:
    """Neither its text nor its arguments, notes, causes or frames do."""
    left = _raised(error)
    printed = "".join(traceback.TracebackException.from_exception(left, capture_locals=True).format())

    assert ROW not in printed
    assert ROW not in repr(left.args)
    assert (left.__cause__, left.__context__, getattr(left, "__notes__", [])) == (None, None, [])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ImpasseError("Told."), ImpasseError),
        (MemoryError(), MayPass),
        (PermissionError(13, ROW), PermissionError),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (GeneratorExit(), GeneratorExit),
        (asyncio.CancelledError(), asyncio.CancelledError),
        (TerminationSignal(signal=15), TerminationSignal),
        (Panic(), InternalError),
        (ValueError(), InternalError),
        (BaseExceptionGroup("", [KeyboardInterrupt()]), InternalError),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_what_passes_is_what_it_was(error: BaseException, kind: type) -> None:
    """A request to stop stops, a fault of the disk may be tried again, any other is an error of ours."""
    assert type(_raised(error)) is kind


def test_the_system_tells_what_its_numbers_mean() -> None:
    """The number and the file pass, the words of whoever raised it, and values in the file's name, do not."""
    left = _raised(OSError(28, ROW, "/data/lopnr=101/part"))

    assert (left.errno, left.strerror, left.filename) == (28, os.strerror(28), "/data/lopnr=…/part")


@pytest.mark.parametrize(("code", "passed"), [(3, 3), (None, None), (ROW, 1)])
def test_an_exit_keeps_its_number(code: object, passed: int | None) -> None:
    """Of an exit only a number passes; a text would be printed."""
    assert _raised(SystemExit(code)).code == passed


def test_a_missing_module_is_named() -> None:
    """The name of a module is no row."""
    with pytest.raises(InternalError, match=r"\(ModuleNotFoundError: no_such_module\) in step step"):
        raise _raised(ModuleNotFoundError("No module named 'no_such_module'", name="no_such_module"))


def test_a_group_names_the_kinds_in_it() -> None:
    """Each once."""
    assert "(ExceptionGroup of ValueError, KeyError)" in str(
        _raised(ExceptionGroup("", [ValueError(), KeyError(), ValueError()]))
    )


def test_the_place_is_in_our_code() -> None:
    """An error deep in a library is told by the line of ours that called it."""

    def step() -> None:
        power_of_two(pl.DataFrame({"x": [1]}))

    with pytest.raises(InternalError) as told:
        redact(step)()

    assert told.value.where.startswith("transforms/partition/buckets.py, line ")


# What is printed by others.

PANIC = """\
import sys
import polars as pl
from impasse.flows.gate.redact import redact

@redact
def step():
    print("seen", file=sys.stderr)
    pl.Series([2**62]).cast(pl.Datetime("ms")).dt.strftime("%Y")

try:
    step()
except BaseException as error:
    print(error, file=sys.stderr)
import os
os.write(2, b"afterwards\\n")
print("and python", file=sys.stderr)
"""


@pytest.mark.parametrize("options", [[], ["-u"]], ids=["buffered", "unbuffered"])
def test_a_native_panic_prints_nothing_by_itself(options: list[str]) -> None:
    """What Python prints is seen, in its order; the panic is told once, in our words; afterwards all is as before."""
    words = [sys.executable, *options, "-c", PANIC]
    ended = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    lines = ended.stderr.splitlines()

    assert "panicked" not in ended.stderr
    assert "out-of-range" not in ended.stderr
    assert lines[:2] == ["seen", "Internal error (PanicException) in step step."]
    assert lines[-2:] == ["afterwards", "and python"]


def _printed(step: Callable[[], None], capfd: pytest.CaptureFixture[str]) -> str:
    redact(step)()
    return capfd.readouterr().err


def test_what_nobody_catches_is_told_by_its_kind(capfd: pytest.CaptureFixture[str]) -> None:
    """Python prints the text of a fault in a thread or a finalizer; within a step it does not."""

    class Finalized:
        def __del__(self) -> None:
            raise ValueError(ROW)

    def fail() -> None:
        raise ValueError(ROW)

    def step() -> None:
        Finalized()
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()

    assert _printed(step, capfd) == "Ignored: ValueError\n" * 2


def test_steps_in_threads_share_the_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    """It ends when the last of them has ended, whichever began first."""
    begun, ended = threading.Event(), threading.Event()

    def outer() -> None:
        begun.set()
        ended.wait(30)
        os.write(2, b"native")

    first = threading.Thread(target=redact(outer))
    first.start()
    begun.wait(30)
    redact(lambda: os.write(2, b"native"))()
    ended.set()
    first.join()
    os.write(2, b"done")

    assert capfd.readouterr().err == "done"
