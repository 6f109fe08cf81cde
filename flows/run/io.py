"""Everything that a run writes and reads again: tables, fingerprints, folders.

A published run may be on S3: a `Place` is a path or an address (`flows/files/s3.py`). A fault of the disk is an OSError
with its number and file, because trying again may help; texts of Pandera can quote rows, so they are never passed on.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from impasse.flows.delivery.regular import require_regular
from impasse.flows.files import s3
from impasse.flows.files.faults import disk
from impasse.flows.files.keep import aside, settle_one
from impasse.flows.files.s3 import Address, Place
from impasse.flows.files.texts import read_text
from impasse.schemas.errors import ImpasseError

if TYPE_CHECKING:
    import pandera.polars as pa
    import pyarrow
    import pyarrow.parquet

_ROW_GROUP = 256 * 1024
_LONGEST_NAME = 200


def scan_parquet(path: Place, n_rows: int | None = None) -> pl.LazyFrame:
    """A Parquet file, or all of a folder, or the first rows of it, to be read; no mark in a name stands for others."""
    if isinstance(path, Address):
        return s3.scan_parquet(path, n_rows)
    return _scan_files(sorted(path.glob("*.parquet")) if path.is_dir() else [path], n_rows)


def scan_each(folder: Path, pattern: str) -> pl.LazyFrame:
    """The Parquet files below a folder whose paths in it fit a pattern, as one table."""
    return _scan_files(sorted(folder.glob(pattern)))


def _scan_files(paths: list[Path], n_rows: int | None = None) -> pl.LazyFrame:
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
    asked = [check(rows, name) for name, column in columns.items() for check in column.checks]
    asked += [check(rows) for check in schema.checks]
    passed = (told.check_passed.collect(engine="in-memory").item() for told in asked)
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
        ordered.write_parquet(to, compression="zstd", statistics=True, row_group_size=_ROW_GROUP, arrow_schema=kinds)


def _kinds(frame: pl.DataFrame) -> dict[str, pl.DataType]:
    """The type of each column; words are of whatever pool in memory, and in a file of the one that readers know."""
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
                table, path = frame.to_arrow(), folder / f".{name}.part"
                with disk(path):
                    if name not in writers:
                        writer = pyarrow.parquet.ParquetWriter(path, table.schema, compression="zstd")
                        writers[name] = opened.enter_context(writer)
                    writers[name].write_table(table, row_group_size=max(1, len(frame)))
                rows[name] = rows.get(name, 0) + len(frame)
    for name in rows:
        (folder / f".{name}.part").replace(folder / f"{name}.parquet")
    return rows


def write_quarantine(parts: Sequence[pl.DataFrame | Path], path: Path) -> None:
    """Refused rows as one file, in the order of the parts: those in memory, and those `set_aside` on disk."""
    from impasse.transforms.ingest.refused_rows import together

    frames = [pl.scan_ipc(part, glob=False) if isinstance(part, Path) else part.lazy() for part in parts]
    path.parent.mkdir(parents=True, exist_ok=True)
    with disk(path), aside(path) as to:
        together(frames).sink_parquet(to, compression="zstd", statistics=True, row_group_size=_ROW_GROUP)


def set_aside(frame: pl.DataFrame, path: Path) -> Path:
    """A frame on disk until it is needed again; returns the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with disk(path):
        frame.write_ipc(path)
    return path


class BucketFiles:
    """Rows on their way to their buckets: each `add` is one file with a batch for each bucket.

    So there are few files however many buckets there are, and of each file one batch is read at a time.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: list[Path] = []

    def add(self, buckets: Sequence[pl.DataFrame]) -> None:
        """Some rows of every bucket, in the order of the buckets."""
        import pyarrow.ipc

        path = self._folder / f"{len(self._paths):05d}.arrow"
        path.parent.mkdir(parents=True, exist_ok=True)
        batches = [_batch(rows) for rows in buckets]
        with disk(path), pyarrow.ipc.new_file(str(path), batches[0].schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
        self._paths.append(path)

    def read(self, bucket: int) -> pl.DataFrame:
        """All rows of one bucket."""
        import pyarrow.ipc

        parts = []
        for path in self._paths:
            with disk(path), pyarrow.ipc.open_file(str(path)) as reader:
                parts.append(pl.from_arrow(reader.get_batch(bucket)))
        return pl.concat(parts)

    def remove(self) -> None:
        """Take the files away."""
        remove(self._folder)


def _batch(rows: pl.DataFrame) -> pyarrow.RecordBatch:
    """The rows as one batch, also if there are none; the oldest spelling of text keeps only the text of these rows."""
    import pyarrow

    table = rows.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pyarrow.RecordBatch.from_pylist([], schema=table.schema)


def sha256(path: Place) -> str:
    """The fingerprint of a file's bytes."""
    require_regular(path)
    with disk(path), path.open() if isinstance(path, Address) else path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def signature(path: Place) -> tuple[int, ...]:
    """What tells without reading a file that it was written again."""
    if isinstance(path, Address):
        return path.signature()
    with disk(path):
        found = path.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns


def read_parquet(path: Place) -> pl.DataFrame:
    """A table that a run has written."""
    with disk(path):
        return scan(path).collect()


def read_tables(folder: Place) -> dict[str, pl.DataFrame]:
    """The tables that a run has written to a folder, by name."""
    return {path.stem: read_parquet(path) for path in sorted(folder.glob("*.parquet"))}


def scan(path: Place) -> pl.LazyFrame:
    """A table that a run has written, to be read in part."""
    return scan_parquet(path)


def files(folder: Path) -> list[Path]:
    """Every file below a folder, in order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def folders(folder: Path) -> list[Path]:
    """The folders in a folder, in order."""
    return sorted(path for path in folder.iterdir() if path.is_dir())


def take_folder(path: Path) -> bool:
    """Make a folder that was not there, for the user alone; false if somebody else has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        return False
    return True


def remove(path: Path) -> None:
    """A file, or a folder with everything in it; what cannot be removed stays."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def remove_all_but(names: Collection[str], folder: Path) -> None:
    """Everything in a folder, save what has one of these names."""
    for path in folder.iterdir():
        if path.name not in names:
            remove(path)


def rename(folder: Path, to: Path) -> None:
    """Give a folder, with all that is in it, another place at once."""
    with disk(to):
        folder.rename(to)
        settle_one(to.parent)


def require_free(pointer: Place) -> None:
    """Raise ImpasseError if something stands where the pointer to the latest run is to be."""
    is_pointer = not pointer.is_dir() if isinstance(pointer, Address) else pointer.is_symlink() or not pointer.exists()
    if not is_pointer:
        raise ImpasseError(
            f"'{pointer.name}' is not what a run would write there.",
            where=f"{pointer}",
            expected="nothing, or what an earlier run left there to lead to the latest one",
            do="Give it another name.",
        )


def point(pointer: Place, run: Place) -> None:
    """Let a pointer lead to a run: a link, or on S3, where there are none, an object that holds the run's name."""
    if isinstance(pointer, Address):
        s3.write(f"{run.name}\n".encode(), pointer)
        return
    link = pointer.with_name(f".{pointer.name}-{run.name}")
    link.unlink(missing_ok=True)
    link.symlink_to(run.name, target_is_directory=True)
    link.replace(pointer)


def copy_whole(work: Path, parts: Sequence[str], final: Address, last: Path) -> None:
    """Copy these folders of a finished run to S3, the file `last` when all others are there.

    A folder without that file is no run.
    """
    paths = [path for part in parts for path in files(work / part)]
    for path in sorted(paths, key=lambda path: path == last):
        s3.copy(path, final / path.relative_to(work).as_posix())


def followed(run: Place) -> Place:
    """The folder of a run; where S3 has an object that holds a run's name, the folder it leads to."""
    if not (isinstance(run, Address) and run.is_file() and run.n_bytes() <= _LONGEST_NAME):
        return run
    return run.parent / read_text(run).strip()
