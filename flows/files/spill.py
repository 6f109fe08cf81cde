"""Rows on the disk until they are needed again: on their way to their buckets, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from impasse.flows.files.faults import disk
from impasse.flows.files.folders import remove
from impasse.flows.files.keep import aside
from impasse.flows.files.tables import ROW_GROUP

if TYPE_CHECKING:
    import pyarrow


def write_quarantine(parts: Sequence[pl.DataFrame | Path], path: Path) -> None:
    """Refused rows as one file, in the order of the parts: those in memory, and those `set_aside` on disk."""
    from impasse.transforms.ingest.unlike_frames import together

    frames = [pl.scan_ipc(part, glob=False) if isinstance(part, Path) else part.lazy() for part in parts]
    path.parent.mkdir(parents=True, exist_ok=True)
    with disk(path), aside(path) as to:
        together(frames).sink_parquet(to, compression="zstd", statistics=True, row_group_size=ROW_GROUP)


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
