"""The months' names in a few languages, short and in full: each name in lower case, and its number in two figures.

English is understood beside every language. Where a language's calendars differ (Finnish stems of three letters,
of which one is the English March), only what cannot be mistaken is listed.
"""

from __future__ import annotations

from typing import Literal

Language = Literal["english", "danish", "swedish", "norwegian", "finnish", "german"]

_ENGLISH = (
    "jan january|feb february|mar march|apr april|may|jun june|jul july|aug august|sep sept september|oct october|"
    "nov november|dec december"
)
_OTHERS = {
    "english": "|||||||||||",
    "danish": "januar|februar|marts||maj|juni|juli|||okt oktober||",
    "swedish": "januari|februari|mars||maj|juni|juli|augusti||okt oktober||",
    "norwegian": "januar|februar|mars||mai|juni|juli|||okt oktober||des desember",
    "finnish": "tammi|helmi|maalis|huhti|touko|kesä|heinä|elo|syys|loka|marras|joulu",
    "german": "januar jänner|februar|mär märz mrz||mai|juni|juli|||okt oktober||dez dezember",
}
_FINNISH_ENDINGS = ("kuu", "kuuta")


def month_numbers(language: Language | None) -> dict[str, str]:
    """The number of every month by its names in English and in the language."""
    own = _numbered(_OTHERS[language or "english"])
    if language == "finnish":
        own |= {f"{stem}{ending}": number for stem, number in own.items() for ending in _FINNISH_ENDINGS}
    return _numbered(_ENGLISH) | own


def _numbered(months: str) -> dict[str, str]:
    return {name: f"{n:02}" for n, names in enumerate(months.split("|"), 1) for name in names.split()}
