"""OMOP tables in a DuckDB file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

from schemas.concepts import OMOP_TABLES
from schemas.errors import ImpasseError
from schemas.mapping import Delivered

_PIECE = 500_000


class DeliveredDatabase(Delivered):
    """Tables of a DuckDB file, by key, with name and number of rows; look-ups are kept, others come in pieces."""

    def __init__(self, path: Path, tables: dict[str, tuple[str, int]]) -> None:
        super().__init__({})
        self._path, self._tables = path, tables

    def __contains__(self, key: str) -> bool:
        return key in self._tables

    def whole(self, key: str) -> pl.DataFrame:
        """A table in one piece, for look-ups."""
        if key not in self._files:
            self._files[key] = pl.concat(self.pieces(key))
        return self._files[key]

    def pieces(self, key: str) -> Iterator[pl.DataFrame]:
        """A table's rows in the order in which they are stored, in pieces."""
        with _connected(self._path) as database:
            for batch in database.sql(f"select * from {self._tables[key][0]}").to_arrow_reader(_PIECE):
                yield pl.DataFrame(pl.from_arrow(batch))

    def n_rows(self, key: str) -> int:
        """How many rows a table has."""
        return self._tables[key][1]


def read_database(path: Path) -> DeliveredDatabase:
    """The OMOP tables of a DuckDB file; one without rows counts as not delivered."""
    tables = "select table_catalog, table_schema, table_name from information_schema.tables order by all"
    with _connected(path) as database:
        listed = [row for row in database.sql(tables).fetchall() if row[2].lower() in OMOP_TABLES]
        _refuse_two_of_a_name([row[2].lower() for row in listed], path)
        named = {name.lower(): f'"{catalog}"."{schema}"."{name}"' for catalog, schema, name in listed}
        rows = {key: database.sql(f"select count(*) from {name}").fetchall()[0][0] for key, name in named.items()}
    if not rows.get("person"):
        raise ImpasseError("The database has no person table.", where=f"file {path.name}", do="Deliver an OMOP CDM.")
    return DeliveredDatabase(path, {key: (name, rows[key]) for key, name in named.items() if rows[key]})


@contextmanager
def _connected(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        with duckdb.connect(str(path), read_only=True) as database:
            yield database
    except duckdb.Error:
        raise ImpasseError(
            "The file cannot be read as a DuckDB database.",
            where=f"file {path.name}",
            expected="a DuckDB file that no other program has open for writing",
            do="Close the other program, or write the file again.",
        ) from None


def _refuse_two_of_a_name(names: list[str], path: Path) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ImpasseError(
            f"The database holds {', '.join(twice)} in more than one schema.",
            where=f"file {path.name}",
            expected="one OMOP CDM",
            do="Export the schema that is meant to a database of its own.",
        )
