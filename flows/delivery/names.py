"""Names of columns, as a delivery has them: one name is one column."""

from __future__ import annotations

from collections.abc import Sequence

from impasse.schemas.errors import ImpasseError


def refuse_two_of_a_name(columns: Sequence[str], where: str, *, may_be_a_row: bool = False) -> None:
    """Raise ImpasseError if two columns have one name, in any capitals; a blank one is no name.

    What `may_be_a_row` of a person, as the first line of a text file may, is not repeated.
    """
    first: dict[str, int] = {}
    for place, name in enumerate(columns):
        before = first.setdefault(name.lower(), place)
        if before != place and name.strip():
            raise ImpasseError(
                f"Columns {before + 1} and {place + 1} have one name"
                + ("." if may_be_a_row else f": '{columns[before]}' and '{name}'."),
                where=where,
                expected="a header of different names, capitals aside; which of the two is meant cannot be told",
                do=(_HEADER if may_be_a_row else "")
                + "Deliver the column that is meant, or give them different names.",
            )


_HEADER = "If the file has no header, give it one: its first line must name the columns. Else: "
