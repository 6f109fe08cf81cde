"""Text in lines that fit a terminal."""

from __future__ import annotations

from textwrap import fill

from impasse.schemas.plain import plain


def wrapped(text: str, width: int, indent: int = 0, hang: int = 0) -> list[str]:
    """Lines no longer than `width`; what a terminal would act on rather than print is spelled out."""
    start, rest = " " * indent, " " * (indent + hang)
    return fill(plain(text), width, initial_indent=start, subsequent_indent=rest, break_on_hyphens=False).split("\n")
