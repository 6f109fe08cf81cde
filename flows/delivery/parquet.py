"""Parquet of a delivery: a file, or a folder of files that together are one table, as Spark and Arrow write them.

The files of a folder are read in the order of their paths. Names that start with `_` or `.` are the writer's own marks.
A folder named `year=2019` gives a column `year` with the word 2019 in every row below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import polars as pl
import pyarrow
import pyarrow.parquet

from impasse.flows.delivery.names import refuse_two_of_a_name
from impasse.flows.delivery.regular import files_below, refuse_closed, require_regular
from impasse.flows.files import s3
from impasse.flows.files.faults import fault
from impasse.flows.files.s3 import Address, Place
from impasse.schemas.delivered import odd_type
from impasse.schemas.errors import ImpasseError
from impasse.schemas.file_names import shown, shown_apart

Kinds = Mapping[str, pl.DataType]

_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
_MARKS = ("_", ".")
_MOST_FIGURES, _MOST_NESTED = 38, 60
_GROUPS_AT_ONCE = 4  # measured: so many row groups are on their way while one is used
_TOO_DEEP = "structure within structure, too deep"


def is_table_folder(place: Place) -> bool:
    """Whether a place is a folder with Parquet files in it, or with folders of which nobody knows what they hold."""
    return place.is_dir() and any(why or _is_parquet(file) for file, why in _inside(place))


def files_of(place: Place) -> list[Place]:
    """The files of a table, in order; a folder in it that is not walked into is refused."""
    if not place.is_dir():
        return [place]
    inside = _inside(place)
    for file, why in inside:
        refuse_closed(file, why, place)
    return [file for file, _ in inside if _is_parquet(file)]


def _inside(table: Place) -> list[tuple[Place, str]]:
    """What is below a folder, without the writer's own marks."""
    return [(file, why) for file, why in files_below(table) if not is_mark(s3.relative(file, table))]


def is_mark(path: PurePosixPath) -> bool:
    """Whether a path within a table is one of its writer's own marks."""
    return any(part.startswith(_MARKS) and part != ".." for part in path.parts)


def _is_parquet(file: Place) -> bool:
    return file.suffix.lower() == ".parquet"


@dataclass(frozen=True)
class TablePart:
    """One file of a table; `name` is how it is listed from the table on, `columns` are those that its folders give."""

    file: Place
    name: str
    columns: dict[str, str | None]


def scan(place: Place) -> Iterator[tuple[TablePart, pl.LazyFrame]]:
    """Each file of a table with its rows to be read, of the same columns of the same types in the same order."""
    schema = read_parquet_schema(place)
    for part in _parts(place):
        rows = _scan_part(part)
        odd = {name: schema[name] for name, kind in rows.collect_schema().items() if kind != schema[name]}
        yield part, rows.cast(odd).select(schema.names())


@contextmanager
def reading(part: TablePart) -> Iterator[None]:
    """Around reading one file of a table: what is wrong with it is told, and which file it is."""
    try:
        yield
    except (pl.exceptions.PolarsError, pyarrow.ArrowException, OSError) as error:
        raise fault(error, part.file) or _unreadable(part.name, error) from None
    except RecursionError:
        raise _too_deep(part.name) from None


def read_parquet_schema(place: Place) -> pl.Schema:
    """A table's columns, of types that hold what all its files do; two of one name and unlike files are refused."""
    parts = _parts(place)
    if not parts:
        raise _unreadable(shown(place.name))
    schemas = [_schema_of(part) for part in parts]
    known = schemas[0]
    for part, schema in zip(parts, schemas, strict=True):
        if schema != known:
            _refuse_different(known, schema, parts[0], part)
            both = [pl.DataFrame(schema=schema) for schema in (known, schema)]
            known = pl.concat(both, how="diagonal_relaxed").schema
    return known


def count_rows_of_parts(place: Place) -> dict[Place, int]:
    """How many rows each file of a table has, by what it states; the files must be one table."""
    read_parquet_schema(place)
    return {part.file: _count(part) for part in _parts(place)}


def _schema_of(part: TablePart) -> pl.Schema:
    with reading(part):
        schema = _scan_part(part).collect_schema()
    _refuse_odd(schema, part.name)
    return schema


def _count(part: TablePart) -> int:
    with reading(part):
        return _scan_part(part).select(pl.len()).collect().item()


def _parts(table: Place) -> list[TablePart]:
    files = files_of(table)
    paths = [s3.relative(file, table) for file in files]
    names = shown_apart(str(path) for path in paths)
    own = shown(table.name)
    return [
        TablePart(file, own if file == table else f"{own}/{name}", folder_columns(file, table))
        for file, name in zip(files, names, strict=True)
    ]


def sizes(place: Place) -> tuple[int, int]:
    """How many bytes a table takes in memory, as its files state it: all of it, and what is there at once at most.

    A file of few bytes may state any number of equal rows, and a row group is read as a whole.
    """
    read_parquet_schema(place)
    files = [_group_sizes(part) for part in _parts(place)]
    at_once = [max(groups) * min(len(groups), _GROUPS_AT_ONCE) for groups in files if groups]
    return sum(map(sum, files)), max(at_once, default=0)


def _group_sizes(part: TablePart) -> list[int]:
    require_regular(part.file)
    with reading(part):
        if isinstance(part.file, Address):
            with part.file.open_anywhere() as stream:
                stated = pyarrow.parquet.read_metadata(stream)
        else:
            stated = pyarrow.parquet.read_metadata(part.file)
    groups = [stated.row_group(number) for number in range(stated.num_row_groups)]
    return [sum(_size(group.column(place)) for place in range(group.num_columns)) for group in groups]


def _size(column: pyarrow.parquet.ColumnChunkMetaData) -> int:
    """What a column takes: the file's own texts, and for each cell a number, or where its text is."""
    is_text = "BYTE_ARRAY" in column.physical_type
    return column.total_uncompressed_size + column.num_values * (16 if is_text else 8)


def names_of(file: Place) -> list[str]:
    """The names of a file's columns as they are written, also if two are one."""
    require_regular(file)
    try:
        if isinstance(file, Address):
            with file.open_anywhere() as stream:
                return pyarrow.parquet.read_schema(stream).names
        return pyarrow.parquet.read_schema(file).names
    except (pyarrow.ArrowException, OSError) as error:
        raise fault(error, file) or _unreadable(shown(file.name)) from None


def _unreadable(name: str, error: Exception | None = None) -> ImpasseError:
    """What to say of what is no Parquet, or of Parquet with texts that are none."""
    if "invalid UTF-8" in str(error):
        return ImpasseError(
            "A text in it is not UTF-8.",
            where=f"file {name}",
            expected="Parquet, whose texts are UTF-8",
            do="Write the file again, its texts as UTF-8.",
        )
    return ImpasseError(
        "The file cannot be read as Parquet.",
        where=f"file {name}",
        expected="a whole Parquet file",
        do="It may be cut off: copy it again and compare sizes.",
    )


def _refuse_odd(kinds: Kinds, file: str) -> None:
    """Raise ImpasseError for a column that no library here can read."""
    for name, kind in kinds.items():
        if isinstance(kind, pl.Decimal) and kind.precision > _MOST_FIGURES:
            raise odd_type(name, f"decimal of {kind.precision} figures", file)
        if _is_too_deep(kind):
            raise odd_type(name, _TOO_DEEP, file)


def _too_deep(name: str) -> ImpasseError:
    """What to say where the types are so deep that not even the names of the columns can be had."""
    return ImpasseError(
        f"A column is of the type {_TOO_DEEP}, which cannot be read.",
        where=f"file {name}",
        expected="text, numbers, dates or dates with a time",
        do="Write the file again without that column.",
    )


def _is_too_deep(kind: pl.DataType) -> bool:
    level = [kind]
    for _ in range(_MOST_NESTED):
        level = [inner for outer in level for inner in _inner_kinds(outer)]
    return bool(level)


def _inner_kinds(kind: pl.DataType) -> list[pl.DataType]:
    """The types that a type is made of."""
    if isinstance(kind, pl.Struct):
        return [field.dtype for field in kind.fields]
    return [kind.inner] if isinstance(kind, pl.List | pl.Array) else []


def _scan_part(part: TablePart) -> pl.LazyFrame:
    """One file's rows, with the columns that its folders give."""
    file = part.file
    require_regular(file)
    rows = s3.scan_parquet_on_s3(file) if isinstance(file, Address) else _scan_here(file)
    try:
        names = rows.collect_schema().names()
    except pl.exceptions.DuplicateError:
        names = names_of(file)
    refuse_two_of_a_name([*names, *part.columns], f"file {part.name}")
    return rows.with_columns(pl.lit(value, dtype=pl.String).alias(name) for name, value in part.columns.items())


def _scan_here(file: Path) -> pl.LazyFrame:
    return pl.scan_parquet(file, glob=False, hive_partitioning=False)


def folder_columns(file: Place, table: Place) -> dict[str, str | None]:
    """The columns that folders of a table called `name=value` give to the file below them."""
    pairs = (part.split("=", 1) for part in s3.relative(file, table).parts[:-1] if "=" in part)
    return {unquote(name): None if value == _NO_VALUE else unquote(value) for name, value in pairs}


def _refuse_different(known: Kinds, kinds: Kinds, first: TablePart, other: TablePart) -> None:
    """Raise ImpasseError unless two files have the same columns, each with the same kind of values."""
    apart = sorted(set(known) ^ set(kinds))
    told = f"have different columns: {first_five(apart)}" if apart else told_unlike(known, kinds)
    if told:
        raise ImpasseError(
            f"Two files of one table {told}.",
            where=f"files {first.name} and {other.name}",
            expected="the same columns in every file, with the same kind of values",
            do="Write the table again as a whole; a registry's files may also be named one by one in source.files.",
        )


def told_unlike(known: Kinds, kinds: Kinds) -> str:
    """What is said of columns that hold other kinds of values than is known, with both kinds; nothing of none."""
    apart = [
        f"'{name}' ({_kind(known[name])} and {_kind(kind)})"
        for name, kind in kinds.items()
        if not are_alike(known[name], kind)
    ]
    return f"hold different kinds of values: {_first_five(apart)}" if apart else ""


def are_alike(kind: pl.DataType, other: pl.DataType) -> bool:
    """Whether one type can hold the values of both; a column without any value has none, and times are not turned."""
    return pl.Null in (kind, other) or _kind(kind) == _kind(other)


def _kind(kind: pl.DataType) -> str:
    if kind.is_numeric():
        return "numbers"
    if kind in (pl.String, pl.Categorical, pl.Enum):
        return "text"
    if isinstance(kind, pl.Datetime):
        return f"times in {kind.time_unit}, {kind.time_zone or 'without a zone'}"
    return "dates" if kind == pl.Date else str(kind)


def first_five(names: Sequence[str]) -> str:
    """Names as they are told, the first five."""
    return _first_five([f"'{name}'" for name in names])


def _first_five(told: Sequence[str]) -> str:
    return ", ".join(told[:5]) + (", …" if len(told) > 5 else "")
