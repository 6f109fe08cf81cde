"""TOML: a text that somebody has written in, its tables or one message out; and a value in, the words for it out.

Python's own reader stops at a text nested too deep and at a number of too many figures with errors of other kinds.
"""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date
from typing import Any

from impasse.schemas.errors import ImpasseError

_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)  # all but tabs and line feeds


def read(text: str, where: str, do: str) -> dict[str, Any]:
    """The tables of a TOML text; raises ImpasseError."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ImpasseError(f"Not valid TOML: {error}", where=where, do=do) from None
    except RecursionError:
        raise ImpasseError("Not valid TOML: it is nested too deep.", where=where, do=do) from None
    except ValueError:
        raise ImpasseError("Not valid TOML: a number has too many figures.", where=where, do=do) from None


def require_shown(value: object, where: str) -> None:
    """Refuse texts with control characters: they drive a terminal, and no chart can be drawn of them."""
    inner = value.items() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    try:
        for part in inner:
            require_shown(part, where)
    except RecursionError:
        raise ImpasseError("Tables within tables are nested too deep.", where=where, do="Take them out.") from None
    if isinstance(value, str) and (found := _CONTROL.search(value)):
        raise ImpasseError(
            f"A text holds the control character U+{ord(found.group()):04X}.",
            where=where,
            expected="letters, spaces and line ends",
            do="Take it out, or its escape.",
        )


def written(value: object) -> str:
    """A value as it stands in a TOML file; None, which has no words there, is not stated."""
    if value is None:
        return "not stated"
    if isinstance(value, dict):
        pairs = [f"{_key(key)} = {written(inner)}" for key, inner in value.items() if inner is not None]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(written, value))}]"
    return value.isoformat() if isinstance(value, date) else json.dumps(value, ensure_ascii=False)


def _key(key: str) -> str:
    return key if re.fullmatch("[A-Za-z0-9_-]+", key) else written(key)
