"""Pages that follow from texts alone, kept on this machine beside the compiled functions: written once, then read.

A page is found by a hash of all it is made of, so one that is there is never out of date; its first line is a hash of
the rest, so one that was cut off or changed is made again, and so is one that cannot be read. Only pages with nothing
of a delivery in them may be kept. Their names have no ending, because files that end like those of the program are
taken for files of it (`flows/run/as_planned.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from impasse.flows.files.keep import aside

_AT_MOST = 8


def kept_page(made_of: object, make: Callable[[], str], folder: Path | None) -> str:
    """The page that `make` makes of `made_of`, whose `repr` says all of it; kept in the folder, if there is one."""
    if folder is None:
        return make()
    path = folder / f"page-{_hash(repr(made_of))[:32]}"
    text = _read(path)
    if text is None:
        text = make()
        with suppress(OSError):
            _keep(text, path)
    return text


def _read(path: Path) -> str | None:
    try:
        told, _, text = path.read_bytes().decode().partition("\n")
    except (OSError, UnicodeDecodeError):
        return None
    return text if told == _hash(text) else None


def _keep(text: str, path: Path) -> None:
    """Write the page, and take away those that were written before the last few."""
    with aside(path) as to:
        to.write_bytes(f"{_hash(text)}\n{text}".encode())
    pages = sorted(path.parent.glob("page-*"), key=lambda old: old.stat().st_mtime_ns)
    for old in pages[:-_AT_MOST]:
        old.unlink(missing_ok=True)


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
