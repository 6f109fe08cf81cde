"""Small text files: TOML, CSV lists and JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from impasse.flows.files.faults import disk, fault
from impasse.flows.files.keep import aside
from impasse.flows.files.s3 import Address, Place
from impasse.schemas.errors import ImpasseError


def read_text(path: Place) -> str:
    """A UTF-8 text file."""
    try:
        if isinstance(path, Address):
            return path.read_bytes().decode("utf-8-sig")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise fault(error, path) or error from None
    except UnicodeDecodeError:
        raise ImpasseError("Not UTF-8 text.", where=f"file {path.name}", do="Save the file as UTF-8.") from None


def read_texts(folder: Place, pattern: str) -> dict[str, str]:
    """The texts of a folder's files, by file name without its ending."""
    return {path.stem: read_text(path) for path in sorted(folder.glob(pattern))}


def read_json(path: Place) -> dict[str, Any]:
    """A JSON file that a run has written."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError:
        raise ImpasseError(
            "The file is not whole.",
            where=f"{path}",
            expected="the JSON that a run writes",
            do="It may be cut off or changed by hand: run the study again.",
        ) from None


def write_json(value: object, path: Path) -> None:
    """JSON with sorted keys, one line end at the end."""
    write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, default=str) + "\n", path)


def write_text(text: str, path: Path) -> None:
    """UTF-8 text with the same line ends everywhere, whole and on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with disk(path), aside(path, settled=True) as to:
        to.write_text(text, encoding="utf-8", newline="\n")
