"""OMOP tables in a DuckDB file.

The file is opened for reading alone, without access to other files, and nothing in it can change that. Base tables are
read, under names that are quoted; what would have to be computed first (a view, a generated column) is not, because it
runs what whoever made the file has written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from impasse.flows.delivery.lines import require_all_rows
from impasse.flows.delivery.names import refuse_two_of_a_name
from impasse.flows.delivery.regular import require_regular
from impasse.schemas.concepts import OMOP_TABLES
from impasse.schemas.delivered import Delivered
from impasse.schemas.errors import ImpasseError
from impasse.schemas.file_names import shown
from impasse.schemas.found import NO_ROWS, Found

_PIECE = 500_000
_SHUT_OFF = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
# A time with a zone is stored as a moment, and the zone of the machine would decide its day; nothing is set after that.
_SETTLED = "set TimeZone = 'UTC'; set lock_configuration = true"
# What the file itself calls `count` or `duckdb_tables` is not what is asked: everything is asked of the system's own.
_TABLES = """
    select database_name, schema_name, table_name from system.main.duckdb_tables() where not internal order by all
"""
_VIEWS = "select schema_name, view_name from system.main.duckdb_views() where not internal order by all"
_COLUMNS = """
    select column_name, data_type, is_generated = 'ALWAYS' from system.information_schema.columns
    where table_catalog = ? and table_schema = ? and table_name = ? order by ordinal_position
"""
# Types that cannot be handed on, on their own or within others; texts in a type are names of its own values and parts.
_NOT_HANDED_ON = re.compile(r"\b(INTERVAL|UNION)\b")
# Arrow takes structures and lists within one another to 64 levels.
_MOST_NESTED = 60
_TEXTS = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""")


@dataclass(frozen=True)
class DatabaseTable:
    """A base table: where it is, its number of rows, the columns that are read and those that are not.

    `moments` are the columns of times with a zone, of which the file says the moment and not the zone.
    """

    catalog: str
    schema: str
    name: str
    columns: tuple[str, ...]
    left_out: tuple[str, ...]
    moments: tuple[str, ...]
    n_rows: int

    @property
    def key(self) -> str:
        """What OMOP calls the table."""
        return self.name.lower()


class DeliveredDatabase(Delivered):
    """Tables of a DuckDB file, by key; look-ups are kept, others come in pieces."""

    def __init__(self, path: Path, tables: dict[str, DatabaseTable], found: tuple[Found, ...]) -> None:
        super().__init__({})
        self._path, self._tables, self.found = path, tables, found

    def __contains__(self, key: str) -> bool:
        return key in self._tables and self.n_rows(key) > 0

    def whole(self, key: str) -> pl.DataFrame:
        """A table in one piece, for look-ups."""
        if key not in self._files:
            self._files[key] = pl.concat(self.pieces(key))
        return self._files[key]

    def pieces(self, key: str) -> Iterator[pl.DataFrame]:
        """A table's rows in the order in which they are stored, in pieces."""
        table, n_rows = self._tables[key], 0
        with connected(self._path) as database:
            rows = database.sql(
                f"select {_listed(table.columns)} from {_quoted(table.catalog, table.schema, table.name)}"
            )
            reader = rows.to_arrow_reader(_PIECE)
            for batch in reader:
                n_rows += batch.num_rows
                yield pl.DataFrame(pl.from_arrow(batch))
        require_all_rows(f"table {table.name}", table.n_rows, n_rows)

    def n_rows(self, key: str) -> int:
        """How many rows a table has."""
        return self._tables[key].n_rows


def read_database(path: Path) -> DeliveredDatabase:
    """The OMOP tables of a DuckDB file."""
    with connected(path) as database:
        names, views = database.sql(_TABLES).fetchall(), database.sql(_VIEWS).fetchall()
        _refuse_two_of_a_name([name.lower() for *_, name in names if name.lower() in OMOP_TABLES], path)
        _refuse_views([name for _, name in views if name.lower() in OMOP_TABLES], path)
        asked = [_table(database, *named) for named in names if named[2].lower() in OMOP_TABLES]
    kept = {table.key: table for table in asked}
    if "person" not in kept or not kept["person"].n_rows:
        what = "The person table has no rows." if "person" in kept else "The database has no person table."
        raise ImpasseError(what, where=f"file {shown(path.name)}", do="Deliver an OMOP CDM.")
    others = [named[1:] for named in names if named[2].lower() not in OMOP_TABLES]
    found = [*map(_found, asked), *(Found(".".join(named), "not asked for") for named in others)]
    found += [Found(".".join(view), "unreadable", note="a view is not read") for view in views]
    return DeliveredDatabase(path, kept, tuple(found))


def _table(database: duckdb.DuckDBPyConnection, catalog: str, schema: str, name: str) -> DatabaseTable:
    columns = database.execute(_COLUMNS, [catalog, schema, name]).fetchall()
    refuse_two_of_a_name([column for column, *_ in columns], f"table {name}")
    left_out = [column for column, kind, is_computed in columns if is_computed or _cannot_be_handed_on(kind)]
    read = [column for column, *_ in columns if column not in left_out]
    ((n_rows,),) = database.sql(f"select system.main.count(*) from {_quoted(catalog, schema, name)}").fetchall()
    moments = [column for column, kind, _ in columns if column in read and kind == "TIMESTAMP WITH TIME ZONE"]
    return DatabaseTable(catalog, schema, name, tuple(read), tuple(left_out), tuple(moments), n_rows)


def _cannot_be_handed_on(kind: str) -> bool:
    bare = _TEXTS.sub("", kind)
    return bool(_NOT_HANDED_ON.search(bare)) or bare.count("(") + bare.count("[") > _MOST_NESTED


def _found(table: DatabaseTable) -> Found:
    notes = [f"not read, as they are computed or of an odd type: {', '.join(table.left_out)}"] if table.left_out else []
    notes += [f"days in UTC, as the file states no zone: {', '.join(table.moments)}"] if table.moments else []
    notes += [NO_ROWS] if not table.n_rows else []
    return Found(f"{table.schema}.{table.name}", "read", table.key, table.n_rows, "; ".join(notes))


def _quoted(*names: str) -> str:
    """A name as SQL takes it, whatever is in it."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(map(_quoted, columns))


@contextmanager
def connected(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file opened for reading, shut off from all others."""
    require_regular(path)
    _refuse_unfinished(path)
    try:
        with duckdb.connect(str(path), read_only=True, config=_SHUT_OFF) as database:
            database.execute(_SETTLED)
            yield database
    except duckdb.Error:
        raise ImpasseError(
            "The file cannot be read as a DuckDB database.",
            where=f"file {shown(path.name)}",
            expected="a DuckDB file that no other program has open for writing",
            do="Close the other program, or write the file again.",
        ) from None


def _refuse_unfinished(path: Path) -> None:
    """Rows in a log beside the file would be read, and be no part of its fingerprint; of a cut one some are lost."""
    places = {path, Path(os.path.realpath(path))}
    logs = [log for place in places for log in place.parent.iterdir() if log.name.startswith(f"{place.name}.wal")]
    if logs:
        raise ImpasseError(
            "Changes of the database stand in a file beside it.",
            where=f"file {shown(path.name)}, file {shown(logs[0].name)}",
            expected="one file that holds everything",
            do="Open the database once and run CHECKPOINT, then deliver it.",
        )


def _refuse_two_of_a_name(names: list[str], path: Path) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ImpasseError(
            f"The database holds {', '.join(twice)} in more than one schema.",
            where=f"file {shown(path.name)}",
            expected="one OMOP CDM",
            do="Export the schema that is meant to a database of its own.",
        )


def _refuse_views(names: list[str], path: Path) -> None:
    if names:
        raise ImpasseError(
            f"A view is not read, because it runs what it was made of: {', '.join(sorted(names))}.",
            where=f"file {shown(path.name)}",
            expected="base tables",
            do="Make a table of each: create table ... as select * from the view.",
        )
