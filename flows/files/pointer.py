"""What leads to the latest run of a study, and how a run gets to S3, where nothing can be linked or renamed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from impasse.flows.files import s3
from impasse.flows.files.folders import files_in_folder
from impasse.flows.files.s3 import Address, Place
from impasse.flows.files.texts import read_text
from impasse.schemas.errors import ImpasseError

_LONGEST_NAME = 200
_RUN_ID = re.compile(r"[\w-]+")


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


def point_to(pointer: Place, run: Place) -> None:
    """Let a pointer lead to a run: a link, or on S3, where there are none, an object that holds the run's name."""
    if isinstance(pointer, Address):
        s3.write_bytes(f"{run.name}\n".encode(), pointer)
        return
    link = pointer.with_name(f".{pointer.name}-{run.name}")
    link.unlink(missing_ok=True)
    link.symlink_to(run.name, target_is_directory=True)
    link.replace(pointer)


def copy_whole(work: Path, parts: Sequence[str], final: Address, last: Path) -> None:
    """Copy these folders of a finished run to S3, the file `last` when all others are there.

    A folder without that file is no run.
    """
    paths = [path for part in parts for path in files_in_folder(work / part)]
    for path in sorted(paths, key=lambda path: path == last):
        s3.copy(path, final / path.relative_to(work).as_posix())


def followed(run: Place) -> Place:
    """The folder of a run; where S3 has an object that holds a run's name, the folder it leads to."""
    if not (isinstance(run, Address) and run.is_file() and run.n_bytes() <= _LONGEST_NAME):
        return run
    return run.parent / run_id if _RUN_ID.fullmatch(run_id := read_text(run).strip()) else run
