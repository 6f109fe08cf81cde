"""What keeps a file from being read or written: told to the user where the user can mend it, else a fault of the disk.

A fault of the disk is an OSError with its number and file, because trying again may help. Texts of Polars can quote
rows, so they are never passed on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EACCES, EISDIR, ENOENT, ENOTDIR, EPERM
from pathlib import Path

from impasse.flows.files import s3
from impasse.flows.files.s3 import Address, Place
from impasse.schemas.errors import ImpasseError
from impasse.schemas.file_names import shown

_OS_ERROR = re.compile(r"\(os error (\d+)\)")


def fault(error: Exception, path: Place) -> Exception | None:
    """What keeps a file from being reached, if that is the cause: told to the user, or a fault of the disk."""
    if isinstance(path, Address):
        return s3.store_fault(error, path)
    return refused(error, path) or disk_fault(error, path)


def disk_fault(error: Exception, path: Path) -> OSError | None:
    """What the system says about a file, where that is the cause; Polars tells it in words only."""
    told = _OS_ERROR.search(str(error))
    number = getattr(error, "errno", None) or (int(told[1]) if told else None)
    return OSError(number, os.strerror(number), shown(path)) if number else None


def refused(error: Exception, path: Path) -> ImpasseError | None:
    """A path that leads to no file, or to one that may not be read: the user can mend it."""
    fault = disk_fault(error, path)
    if fault is None or fault.errno not in (ENOENT, ENOTDIR, EISDIR, EACCES, EPERM):
        return None
    if fault.errno == ENOENT:
        return s3.no_file(path)
    return ImpasseError(
        f"The file cannot be opened: {fault.strerror}.",
        where=shown(path),
        expected="a file that may be read",
        do="Correct the path, or the permission.",
    )


@contextmanager
def disk(path: Place) -> Iterator[None]:
    """Around reading and writing of what a run keeps: faults of the disk as OSErrors that name the file."""
    try:
        yield
    except (_polars_error(), OSError) as error:
        fault = s3.store_fault(error, path) if isinstance(path, Address) else disk_fault(error, path)
        raise fault or error from None


def _polars_error() -> type[Exception]:
    """Looked up when there is an error: small commands read small files and need no Polars."""
    from polars.exceptions import PolarsError

    return PolarsError
