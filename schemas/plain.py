"""Text that a terminal prints and does not obey.

Names of files and columns, ids and codes come from whoever made a delivery. A control character among them can move
the cursor, change colours, or write a second line into a message that has one; a mark of writing direction can turn a
name around. Each is spelled out instead, as a program would write it: `\\x1b`, `\\n`, `\\u202e`.
"""

from __future__ import annotations

from unicodedata import category

# Control, format (among them the marks of direction), surrogate, private and unassigned characters, and line ends.
_OBEYED = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def plain(text: str) -> str:
    """The text on one line, every character that does more than stand there spelled out."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_spelled, text))


def plain_lines(text: str) -> str:
    """The same for a text of several lines that we have laid out ourselves."""
    return "\n".join(map(plain, text.split("\n")))


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode() if category(character) in _OBEYED else character
