"""What tells one file from another: its bytes, or, without reading it, when and how large it was written."""

from __future__ import annotations

import hashlib

from impasse.flows.delivery.regular import require_regular
from impasse.flows.files.faults import disk
from impasse.flows.files.s3 import Address, Place

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


def signature_of(path: Place) -> tuple[int, ...]:
    """What tells without reading a file that it was written again."""
    if isinstance(path, Address):
        return path.signature()
    with disk(path):
        found = path.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns
