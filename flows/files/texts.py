"""Small text files: TOML, CSV lists and JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from impasse.flows.delivery.regular import require_regular
from impasse.flows.files.faults import disk, fault
from impasse.flows.files.keep import aside
from impasse.flows.files.s3 import Address, Place
from impasse.schemas.errors import ImpasseError

_T = TypeVar("_T")

_LARGEST = 100_000_000


def read_text(path: Place) -> str:
    """A UTF-8 text file."""
    try:
        return _bytes(path).decode("utf-8-sig")
    except OSError as error:
        raise fault(error, path) or error from None
    except UnicodeDecodeError:
        raise ImpasseError("Not UTF-8 text.", where=f"file {path.name}", do="Save the file as UTF-8.") from None


def _bytes(path: Place) -> bytes:
    """What is in a file, unless it is none or never ends."""
    require_regular(path)
    with path.open() if isinstance(path, Address) else path.open("rb") as stream:
        content = stream.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ImpasseError(
            "The file is too large.",
            where=f"{path}",
            expected=f"a text of at most {_LARGEST // 10**6} MB",
            do="Take it away, or put the right one in its place.",
        )
    return content


def read_texts(folder: Place, pattern: str) -> dict[str, str]:
    """The texts of a folder's files, by file name without its ending."""
    return {path.stem: read_text(path) for path in sorted(folder.glob(pattern))}


def read_json(path: Place, shape: type[_T] = dict[str, Any]) -> _T:
    """A JSON file that a run has written, with the entries of the shape, which is a typed dictionary or dataclass."""
    try:
        return shaped(json.loads(read_text(path)), shape, path)
    except (ValueError, RecursionError):  # figures without end and brackets within brackets are no JSONDecodeError
        raise _not_whole(path) from None


def shaped(told: object, shape: type[_T], path: Place) -> _T:
    """What a file of a run says, as what it should be. Raises ImpasseError if it is not."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(shape).validate_python(told)
    except ValidationError:
        raise _not_whole(path) from None


def _not_whole(path: Place) -> ImpasseError:
    return ImpasseError(
        "The file is not whole.",
        where=f"{path}",
        expected="the JSON that a run writes",
        do="It may be cut off or changed by hand: take the folder of that run away, and run the study again.",
    )


def write_json(value: object, path: Path) -> None:
    """JSON with sorted keys, one line end at the end."""
    write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, default=str) + "\n", path)


def write_text(text: str, path: Path) -> None:
    """UTF-8 text with the same line ends everywhere, whole and on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with disk(path), aside(path, settled=True) as to:
        to.write_text(text, encoding="utf-8", newline="\n")
