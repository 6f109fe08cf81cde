"""The folder that a check works in: where TMPDIR says, for the user alone, gone at the end.

Rows of persons are in it. What a check left that nobody could ask to end (KILL, a power cut) is taken away by the next
one of the same user: a lock in the folder tells whether somebody works in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from impasse.flows.files.folders import folders_in, remove
from impasse.flows.files.keep import is_own
from impasse.flows.gate import endings
from impasse.flows.run import lock
from impasse.flows.run.progress import note

_PREFIX = "impasse-check-"
_LOCK = ".lock"


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder of this check's own; gone at the end, also after an error or a request to end."""
    _remove_left_over()
    with endings.heard() as requests:
        folder = TemporaryDirectory(prefix=_PREFIX)
        with lock.held(Path(folder.name) / _LOCK):
            try:
                yield Path(folder.name)
            finally:
                requests.hear_no_more()
                folder.cleanup()


def _remove_left_over() -> None:
    """Take away the folders of checks that were killed, and say so."""
    left = [path for path in folders_in(Path(gettempdir())) if path.name.startswith(_PREFIX) and is_own(path)]
    for folder in left:
        if lock.is_abandoned(folder / _LOCK):
            remove(folder)
            note(f"A check that was killed had left rows of persons behind; they are removed:\n{folder}")
