"""The gate for what is said in words: no sentence counts episodes or persons as no published table does.

In: sentences of the pages, and the release tables as protected. Out: nothing, or an error that repeats no number.
Titles of definitions stand in quotation marks and are not looked into; counts of delivered rows may be said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import polars as pl

from impasse.schemas.errors import PublicationStopped

_TITLE = re.compile("“[^”]*”")
_COUNT = re.compile(r"(\d[\d,]*)(?: of the| eligible)? (?:episode|person)s?\b")


def check_sentences(sentences: Iterable[str], protected: dict[str, pl.DataFrame]) -> None:
    """Every number of episodes or persons in the sentences is zero or a published count."""
    said = {int(n.replace(",", "")) for text in sentences for n in _COUNT.findall(_TITLE.sub("", text))}
    if said - _published(protected) - {0}:
        raise PublicationStopped(
            "A sentence counts episodes or persons as no published table does; nothing was published.",
            where="disclosure control",
            expected="sentences made from protected tables",
            do="This is a fault of Impasse: please report it.",
        )


def _published(protected: dict[str, pl.DataFrame]) -> set[int]:
    """Every count of a table that suppresses some."""
    tables = [table for table in protected.values() if "suppressed" in table.columns]
    return {n for table in tables for name in table.columns if name.startswith("n_") for n in table[name].drop_nulls()}
