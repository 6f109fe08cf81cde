"""Parquet of a delivery: a file, or a folder of files that together are one table, as Spark and Arrow write them.

The files of a folder are read in the order of their paths. Names that start with `_` or `.` are the writer's own marks.
A folder named `year=2019` gives a column `year` with the word 2019 in every row below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import polars as pl
import pyarrow
import pyarrow.parquet

from impasse.flows.delivery.names import refuse_two_of_a_name
from impasse.flows.delivery.regular import require_regular
from impasse.flows.files import s3
from impasse.flows.files.faults import fault
from impasse.flows.files.s3 import Address, Place
from impasse.flows.files.s3_account import client
from impasse.schemas.delivered import odd_type
from impasse.schemas.errors import ImpasseError

Kinds = Mapping[str, pl.DataType]

_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
_MARKS = ("_", ".")
_MOST_FIGURES, _MOST_NESTED = 38, 60
_TOO_DEEP = "structure within structure, too deep"


def is_table_folder(place: Place) -> bool:
    """Whether a place is a folder with Parquet files in it."""
    return place.is_dir() and bool(files_of(place))


def files_of(place: Place) -> list[Place]:
    """The files of a table, in order."""
    if not place.is_dir():
        return [place]
    return [file for file in s3.files_below(place) if _is_of_table(s3.relative(file, place))]


def scan(place: Place) -> Iterator[pl.LazyFrame]:
    """The rows of a table to be read, file by file, each with the same columns of the same types in the same order."""
    schema = read_parquet_schema(place)
    for file in files_of(place):
        rows = _scan_file(file, place)
        odd = {name: schema[name] for name, kind in rows.collect_schema().items() if kind != schema[name]}
        yield rows.cast(odd).select(schema.names())


def read_parquet_schema(place: Place) -> pl.Schema:
    """A table's columns, of types that hold what all its files do; two of one name and unlike files are refused."""
    try:
        schemas = {file: _scan_file(file, place).collect_schema() for file in files_of(place)}
    except (pl.exceptions.PolarsError, OSError) as error:
        raise fault(error, place) or unreadable(place, error) from None
    except RecursionError:
        raise _too_deep(place) from None
    if not schemas:
        raise unreadable(place)
    for file, kinds in schemas.items():
        _refuse_odd(kinds, file)
    first, *others = schemas
    known = schemas[first]
    for file in (file for file in others if schemas[file] != known):
        _refuse_different(known, schemas[file], first, file, place)
        both = [pl.DataFrame(schema=schema) for schema in (known, schemas[file])]
        known = pl.concat(both, how="diagonal_relaxed").schema
    return known


def count_rows(place: Place) -> dict[Place, int]:
    """How many rows each file of a table has, by what it states; the files must be one table."""
    read_parquet_schema(place)
    return {file: _scan_file(file, place).select(pl.len()).collect().item() for file in files_of(place)}


def names_of(file: Place) -> list[str]:
    """The names of a file's columns as they are written, also if two are one."""
    require_regular(file)
    try:
        if isinstance(file, Address):
            with client().open_input_file(f"{file.bucket}/{file.key}") as stream:
                return pyarrow.parquet.read_schema(stream).names
        return pyarrow.parquet.read_schema(file).names
    except (pyarrow.ArrowException, OSError) as error:
        raise fault(error, file) or unreadable(file) from None


def unreadable(place: Place, error: Exception | None = None) -> ImpasseError:
    """What to say of what is no Parquet, or of Parquet with texts that are none."""
    if "invalid UTF-8" in str(error):
        return ImpasseError(
            "A text in it is not UTF-8.",
            where=f"file {place.name}",
            expected="Parquet, whose texts are UTF-8",
            do="Write the file again, its texts as UTF-8.",
        )
    return ImpasseError(
        "The file cannot be read as Parquet.",
        where=f"file {place.name}",
        expected="a whole Parquet file",
        do="It may be cut off: copy it again and compare sizes.",
    )


def _refuse_odd(kinds: Kinds, file: Place) -> None:
    """Raise ImpasseError for a column that no library here can read."""
    for name, kind in kinds.items():
        if isinstance(kind, pl.Decimal) and kind.precision > _MOST_FIGURES:
            raise odd_type(name, f"decimal of {kind.precision} figures", file.name)
        if _is_too_deep(kind):
            raise odd_type(name, _TOO_DEEP, file.name)


def _too_deep(place: Place) -> ImpasseError:
    """What to say where the types are so deep that not even the names of the columns can be had."""
    return ImpasseError(
        f"A column is of the type {_TOO_DEEP}, which cannot be read.",
        where=f"file {place.name}",
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


def _is_of_table(path: PurePosixPath) -> bool:
    return path.suffix.lower() == ".parquet" and not any(part.startswith(_MARKS) for part in path.parts)


def _scan_file(file: Place, table: Place) -> pl.LazyFrame:
    """One file's rows, with the columns that its folders give."""
    require_regular(file)
    rows = s3.scan_parquet_on_s3(file) if isinstance(file, Address) else _scan_here(file)
    folders = _folder_columns(s3.relative(file, table))
    try:
        names = rows.collect_schema().names()
    except pl.exceptions.DuplicateError:
        names = names_of(file)
    refuse_two_of_a_name([*names, *folders], f"file {file.name}")
    return rows.with_columns(pl.lit(value, dtype=pl.String).alias(name) for name, value in folders.items())


def _scan_here(file: Path) -> pl.LazyFrame:
    return pl.scan_parquet(file, glob=False, hive_partitioning=False)


def _folder_columns(path: PurePosixPath) -> dict[str, str | None]:
    """The columns that folders called `name=value` give to the file below them."""
    pairs = (part.split("=", 1) for part in path.parts[:-1] if "=" in part)
    return {unquote(name): None if value == _NO_VALUE else unquote(value) for name, value in pairs}


def _refuse_different(known: Kinds, kinds: Kinds, file: Place, other: Place, place: Place) -> None:
    """Raise ImpasseError unless two files have the same columns, each with the same kind of values."""
    apart = sorted(set(known) ^ set(kinds)) or [name for name in known if not are_alike(known[name], kinds[name])]
    if apart:
        raise ImpasseError(
            f"Two files of one table have different columns: {first_five(apart)}.",
            where=f"folder {place.name}, files {_within(file, place)} and {_within(other, place)}",
            expected="the same columns in every file, with the same kind of values",
            do="Write the table again as a whole, or name its parts as tables of their own.",
        )


def _within(file: Place, table: Place) -> str:
    return s3.shown_path(s3.relative(file, table))


def are_alike(kind: pl.DataType, other: pl.DataType) -> bool:
    """Whether one type can hold the values of both; a column without any value has none, and times are not turned."""
    return pl.Null in (kind, other) or _kind(kind) == _kind(other)


def _kind(kind: pl.DataType) -> str:
    if kind.is_numeric():
        return "number"
    if kind in (pl.String, pl.Categorical, pl.Enum):
        return "text"
    return str(kind)


def first_five(names: Sequence[str]) -> str:
    """Names as they are told, the first five."""
    return ", ".join(f"'{name}'" for name in names[:5]) + (", …" if len(names) > 5 else "")
