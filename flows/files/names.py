"""Names of columns, as a delivery has them: one name is one column.

A file without a header has a row of a person where its names should be, so what looks like one is not repeated.
"""

from __future__ import annotations

from collections.abc import Sequence

from schemas.errors import ImpasseError


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
    """The names at these places, unless the columns are named as no program would: with a number or a date."""
    if any(name[:1] in "+-.0123456789" for name in columns if name):
        return ""
    return ": " + " and ".join(f"'{columns[place]}'" for place in places)
