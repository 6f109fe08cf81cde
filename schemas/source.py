"""Where a definition is written, and what every block of one is: frozen, with all settings stated."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)
frozen = dataclass(frozen=True, kw_only=True, config=_STRICT)


@frozen
class Source:
    """Where the definition is written, what it says and how we read it."""

    citation: str
    says: str
    reading: str
    open: str
    confidence: Literal["V", "V-abs", "V-code", "V2", "M", "U", "D"]
