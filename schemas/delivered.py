"""A delivery as it is read: files by key, and what is said of one whose columns are not those that were expected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from impasse.schemas.errors import ImpasseError, nearest
from impasse.schemas.found import Found

if TYPE_CHECKING:
    import polars as pl


class Delivered:
    """Files as delivered, by the mapping's key for each (OMOP: by table name). What was not delivered is absent.

    A big file is read piece by piece, so that no more than one piece of it is in memory at a time. `found` lists every
    file and table there is, also those that nothing asks for.
    """

    found: tuple[Found, ...] = ()

    def __init__(self, files: dict[str, pl.DataFrame]) -> None:
        self._files = files

    def __contains__(self, key: str) -> bool:
        return key in self._files

    def whole(self, key: str) -> pl.DataFrame:
        """A file in one piece, for look-ups."""
        return self._files[key]

    def pieces(self, key: str) -> Iterator[pl.DataFrame]:
        """A file's rows in order, in pieces; at least one, and each with all columns."""
        yield self._files[key]

    def n_rows(self, key: str) -> int:
        """How many rows a file has, without reading it."""
        return self._files[key].height

    def n_bytes_at_once(self, key: str) -> int:
        """How many bytes of a file are in memory at once while it is read, where the file itself states it; else 0."""
        return 0


def is_a_row(columns: Iterable[str]) -> bool:
    """Whether a row of a person stands where names of columns should be, as in a file without a header.

    No program names a column as a number or a date. A name may be a person's, so what looks otherwise may be a row too.
    """
    return any(name.strip()[:1] in set("+-.0123456789") for name in columns)


def missing_column(
    spellings: tuple[str, ...], there: list[str], file: str, other_keys: tuple[str, ...] = ()
) -> ImpasseError:
    """A column the layout needs is not in the file, which may have been meant for another key."""
    hint = _likely_column(spellings[0], there, file)
    if other_keys:
        hint += f"If the file is the one of {' or '.join(other_keys)}, name it so in source.files. "
    return ImpasseError(
        f"Column '{spellings[0]}' is missing.",
        where=f"file {file}",
        expected=f"a column named {' or '.join(spellings)} (upper or lower case)",
        do=f"{hint}Deliver the column; for a register, a layout can name another (source.layout).",
    )


def _likely_column(wanted: str, there: list[str], file: str) -> str:
    """Which column may be meant: by its name in a Parquet file, else by its place.

    The first line of other files may be a row of a person, whatever it looks like, so nothing of it is repeated.
    """
    low = [column.lower() for column in there]
    guess = nearest(wanted.lower(), low)
    if guess and file.lower().endswith(".parquet"):
        return f"The file has '{guess}'. "
    if is_a_row(there):
        return "The file seems to have no header: its first line must name the columns. "
    place = f"The name of column {low.index(guess) + 1} is near it. " if guess else ""
    return f"{place}If the file has no header, give it one: its first line must name the columns. "


def odd_type(column: str, kind: str, file: str) -> ImpasseError:
    """A column of a Parquet file or database is neither text nor number nor date."""
    return ImpasseError(
        f"Column '{column}' is of the type {kind}, which cannot be read.",
        where=f"file {file}",
        expected="text, numbers, dates or dates with a time",
        do="Write the column again as one of these.",
    )
