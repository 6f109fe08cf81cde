"""Tables as Parquet files: checked against their model, in one order, with the same bytes for the same rows.

A fault of the disk is an OSError with its number and file, because trying again may help; texts of Pandera can quote
rows, so they are never passed on. A published run may be on S3: a `Place` is a path or an address (`files/s3.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from impasse.flows.delivery.regular import require_regular
from impasse.flows.files import s3
from impasse.flows.files.faults import disk
from impasse.flows.files.keep import aside
from impasse.flows.files.s3 import Address, Place
from impasse.schemas.errors import ImpasseError

if TYPE_CHECKING:
    import pandera.polars as pa
    import pyarrow.parquet

ROW_GROUP = 256 * 1024


def scan_parquet(path: Place, n_rows: int | None = None) -> pl.LazyFrame:
    """A Parquet file, or all of a folder, or the first rows of it, to be read; no mark in a name stands for others."""
    if isinstance(path, Address):
        return s3.scan_parquet_on_s3(path, n_rows)
    return _scan_files(sorted(path.glob("*.parquet")) if path.is_dir() else [path], n_rows)


def scan_each(folder: Path, pattern: str) -> pl.LazyFrame:
    """The Parquet files below a folder whose paths in it fit a pattern, as one table."""
    return _scan_files(sorted(folder.glob(pattern)))


def count_rows(folder: Path, pattern: str) -> int:
    """How many rows they have, as their footers say; none if there is no such file."""
    are_there = any(folder.glob(pattern))
    return scan_each(folder, pattern).select(pl.len()).collect().item() if are_there else 0


def _scan_files(paths: list[Path], n_rows: int | None = None) -> pl.LazyFrame:
    for path in paths:
        if path.exists():
            require_regular(path)
    return pl.scan_parquet(paths, n_rows=n_rows, glob=False, hive_partitioning=False)


def check_table(frame: pl.DataFrame | pl.LazyFrame, model: type[pa.DataFrameModel], table: str) -> None:
    """Raise ImpasseError with check names and counts, never values, if the table breaks its model."""
    whole = frame.lazy().collect()  # Pandera checks no value of a lazy frame
    if _is_sound(whole, model):
        return
    from pandera.errors import SchemaErrors

    try:
        model.validate(whole, lazy=True)
    except SchemaErrors as errors:
        counts: dict[str, int] = {}
        for failure in errors.failure_cases.select("column", "check").iter_rows():
            name = f"{failure[0]}: {str(failure[1]).split('(')[0]}"
            counts[name] = counts.get(name, 0) + 1
        raise ImpasseError(
            f"Table {table} breaks its own rules.",
            where=f"table {table}",
            expected=f"{model.__doc__ or ''}".split("\n")[0],
            do="; ".join(f"{name} ({n} rows or more)" for name, n in sorted(counts.items())),
        ) from None


def _is_sound(frame: pl.DataFrame, model: type[pa.DataFrameModel]) -> bool:
    """Whether a table keeps its model, asked of the model's own checks without looking for what breaks them.

    Small tables, of which a run writes thousands, take Pandera four times as long. What is not asked here,
    and every table that does not keep its model, is Pandera's to judge and to tell.
    """
    schema = model.to_schema()
    columns = schema.columns
    is_plain = not schema.unique and not any(c.coerce or c.regex or not c.required for c in columns.values())
    if not is_plain or _kinds(frame) != {name: column.dtype.type for name, column in columns.items()}:
        return False
    filled = (column.nullable or frame[name].null_count() == 0 for name, column in columns.items())
    single = (not column.unique or frame[name].is_unique().all() for name, column in columns.items())
    rows = frame.lazy()
    results = [check(rows, name) for name, column in columns.items() for check in column.checks]
    results += [check(rows) for check in schema.checks]
    passed = (result.check_passed.collect(engine="in-memory").item() for result in results)
    return frame.columns == list(columns) and all(filled) and all(single) and all(passed)


def write_parquet(
    frame: pl.DataFrame, path: Path, model: type[pa.DataFrameModel] | None = None, key: Iterable[str] = ()
) -> None:
    """The table, checked against its model and sorted by its key: the same rows give the same bytes."""
    if model is not None:
        check_table(frame, model, path.stem)
    by = list(key)
    ordered = frame.sort(by, maintain_order=True) if by else frame
    path.parent.mkdir(parents=True, exist_ok=True)
    kinds = pl.Schema(_kinds(ordered))
    with disk(path), aside(path) as to:
        ordered.write_parquet(to, compression="zstd", statistics=True, row_group_size=ROW_GROUP, arrow_schema=kinds)


def _kinds(frame: pl.DataFrame) -> dict[str, pl.DataType]:
    """The type of each column: categoricals use a private pool in memory and the default pool in files."""
    return {name: pl.Categorical() if isinstance(kind, pl.Categorical) else kind for name, kind in frame.schema.items()}


def write_blocks(blocks: Iterable[dict[str, pl.DataFrame]], folder: Path) -> dict[str, int]:
    """Tables that come in blocks, a Parquet file each with a row group per block; returns the rows of each table.

    A block is forgotten once it is written, so that memory holds one, however many there are. The files get
    their names when all are whole: closed early, they would be whole Parquet files of too few rows.
    """
    import pyarrow.parquet

    rows: dict[str, int] = {}
    writers: dict[str, pyarrow.parquet.ParquetWriter] = {}
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:
        for block in blocks:
            for name, frame in block.items():
                table, path = frame.to_arrow(), folder / f"{name}.parquet"
                with disk(path):
                    if name not in writers:
                        part = opened.enter_context(aside(path))
                        writer = pyarrow.parquet.ParquetWriter(part, table.schema, compression="zstd")
                        writers[name] = opened.enter_context(writer)
                    writers[name].write_table(table, row_group_size=max(1, len(frame)))
                rows[name] = rows.get(name, 0) + len(frame)
    return rows


def read_parquet(path: Place) -> pl.DataFrame:
    """A table that a run has written."""
    with as_written(path):
        return scan_parquet(path).collect()


def read_rows(path: Place, columns: Mapping[str, type], where: pl.Expr) -> list[dict[str, Any]]:
    """Those rows of a table that a run has written, with the columns of a run's, for which something holds."""
    with as_written(path):
        return _scan_published(path, columns).filter(where).collect().to_dicts()


def require_rows(path: Place, model: type[pa.DataFrameModel], where: pl.Expr) -> None:
    """Raise ImpasseError, with the file and no value, if those rows of what a run has written break their model."""
    with as_written(path):
        rows = scan_parquet(path).filter(where).collect()
    if not _is_sound(rows, model):
        raise _not_as_written(path)


def read_tables(folder: Place, declared: Mapping[str, Mapping[str, type]]) -> dict[str, pl.DataFrame]:
    """Those tables of these names that a run has written to a folder, each with the columns of a run's."""
    paths = {name: folder / f"{name}.parquet" for name in declared}
    return {name: _read_published(path, declared[name]) for name, path in paths.items() if path.exists()}


def _read_published(path: Place, columns: Mapping[str, type]) -> pl.DataFrame:
    with as_written(path):
        return _scan_published(path, columns).collect()


def _scan_published(path: Place, columns: Mapping[str, type]) -> pl.LazyFrame:
    """A table of a published run to be read. Raises ImpasseError if its columns are others, in whatever order."""
    rows = scan_parquet(path)
    if {name: kind.to_python() for name, kind in rows.collect_schema().items()} != columns:
        raise _not_as_written(path)
    return rows


@contextmanager
def as_written(place: Place) -> Iterator[None]:
    """Around the use of what a run has written: tables that are something else, or lack a column, are told."""
    try:
        with disk(place):
            yield
    except (pl.exceptions.PolarsError, KeyError):
        raise _not_as_written(place) from None


def _not_as_written(place: Place) -> ImpasseError:
    return ImpasseError(
        "This is not the table that a run has written, or not all of it.",
        where=f"{place}",
        expected="whole Parquet, with the columns that this version of Impasse writes",
        do="It may be cut off or changed by hand: take the folder of that run away, and run the study again.",
    )
