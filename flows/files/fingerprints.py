"""What tells one file from another: its bytes, or, without reading it, when and how large it was written.

What a run has written is told by its fingerprints when it is on the disk, and compared before it is relied on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from impasse.flows.delivery.regular import require_regular
from impasse.flows.files.faults import disk
from impasse.flows.files.s3 import Address, Place
from impasse.schemas.errors import NotAsWritten

_START = 1 << 16


def sha256_of(path: Place) -> str:
    """The fingerprint of a file's bytes."""
    require_regular(path)
    with disk(path), path.open() if isinstance(path, Address) else path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_of_start(path: Place) -> str:
    """The fingerprint of a file's first bytes: by it most files are told apart soon."""
    require_regular(path)
    with disk(path), path.open() if isinstance(path, Address) else path.open("rb") as stream:
        return hashlib.sha256(stream.read(_START)).hexdigest()


def fingerprints(folder: Path, paths: Iterable[Path]) -> dict[str, str]:
    """The fingerprint of each file, by its path in the folder."""
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in paths}


def require_as_written(folder: Path, told: Mapping[str, str]) -> None:
    """Raise NotAsWritten if a file is not there, or has another fingerprint than is told of it."""
    wrong = [name for name, was in told.items() if not _is_as_told(folder / name, was)]
    if wrong:
        raise NotAsWritten(
            f"{len(wrong)} of the files that the run wrote are not as it wrote them; nothing was published.",
            where=f"{folder}, the first is {wrong[0]}",
            expected="what the run wrote, which a power cut, a fault of the disk or a hand may have changed",
            do="Run the study again without --resume.",
        )


def _is_as_told(path: Path, was: str) -> bool:
    return path.is_file() and sha256_of(path) == was


def signature_of(path: Place) -> tuple[int, ...]:
    """What tells without reading a file that it was written again."""
    if isinstance(path, Address):
        return path.signature()
    with disk(path):
        found = path.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns
