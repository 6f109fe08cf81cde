"""TOML that somebody has written: a text in, its tables out, or one message.

Python's own reader stops at a text nested too deep and at a number of too many figures with errors of other kinds.
"""

from __future__ import annotations

import tomllib
from typing import Any

from impasse.schemas.errors import ImpasseError


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
