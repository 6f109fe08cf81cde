"""Names of columns, as a delivery has them: one name is one column."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.errors import ImpasseError
from schemas.mapping import is_a_row


def refuse_two_of_a_name(columns: Sequence[str], where: str) -> None:
    """Raise ImpasseError if two columns have one name, in any capitals; a blank one is no name."""
    first: dict[str, int] = {}
    for place, name in enumerate(columns):
        before = first.setdefault(name.lower(), place)
        if before != place and name.strip():
            raise ImpasseError(
                f"Columns {before + 1} and {place + 1} have one name{_named(columns, before, place)}.",
                where=where,
                expected="a header of different names, capitals aside; which of the two is meant cannot be told",
                do="Deliver the column that is meant, or give them different names.",
            )


def _named(columns: Sequence[str], *places: int) -> str:
    """The names at these places, unless a row stands where names should be."""
    return "" if is_a_row(columns) else ": " + " and ".join(f"'{columns[place]}'" for place in places)
