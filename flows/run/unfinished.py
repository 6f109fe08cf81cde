"""The runs of a study that are on the disk of this machine and not done: under way, stopped, or killed.

Each has a folder with rows of persons. It tells with which number the run was started, and, once the delivery is
read, what is needed to go on with it. Runs are numbered from what is there, because a clock may go back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field

from impasse.flows.files import texts
from impasse.flows.files.folders import folders_in, remove
from impasse.flows.files.keep import is_own
from impasse.flows.files.pointer import followed
from impasse.flows.files.s3 import Place
from impasse.flows.run import lock
from impasse.flows.run.progress import note
from impasse.schemas.errors import ImpasseError
from impasse.schemas.plain import plain

WORK = ".work-"
PROGRESS, STARTED, LOCK, LATEST = "progress.json", "started.json", "lock", "latest"

_T = TypeVar("_T")
Number = Annotated[int, Field(ge=0, lt=1 << 53)]


@dataclass(frozen=True)
class Started:
    """What a run says of itself when it is started."""

    started: Number


@dataclass(frozen=True)
class Progress:
    """What a run says of itself once its delivery is read; `of` is what it was made of, `written` its fingerprints."""

    of: dict[str, Any]
    counts: dict[str, Any]
    written: dict[str, str]
    is_whole: bool


@dataclass(frozen=True)
class _Published:
    """What the manifest of a published run says of when it was started."""

    run_id: str
    started: Number = 0


@dataclass(frozen=True, order=True)
class Unfinished:
    """A run that is not done; of two the greater was started later. `progress` is none until a delivery is read.

    Nothing is read or locked of a folder that is not the user's own, or in which others may write.
    """

    started: int
    run_id: str
    folder: Path
    progress: Progress | None = field(compare=False)
    is_own: bool = field(compare=False)

    @property
    def is_under_way(self) -> bool:
        """Whether a process works on it."""
        return self.is_own and lock.is_held(self.folder / LOCK)

    @property
    def is_lost(self) -> bool:
        """Whether it was killed before its delivery was read, so that nobody can go on with it."""
        return self.is_own and not (self.folder / PROGRESS).exists() and lock.is_abandoned(self.folder / LOCK)


def runs_in(folder: Path) -> list[Unfinished]:
    """The runs in a study's folder that are not done, the one that was started last first."""
    there = [path for path in folders_in(folder) if not path.is_symlink()] if folder.is_dir() else []
    kept = [path for path in there if path.name.startswith(WORK) or (is_own(path) and (path / PROGRESS).is_file())]
    return sorted(map(_read, kept), reverse=True)


def _read(folder: Path) -> Unfinished:
    run_id = folder.name.removeprefix(WORK)
    if not is_own(folder):
        return Unfinished(0, run_id, folder, None, is_own=False)
    started, progress = _told(folder / STARTED, Started), _told(folder / PROGRESS, Progress)
    return Unfinished(started.started if started else 0, run_id, folder, progress, is_own=True)


def _told(path: Path, shape: type[_T]) -> _T | None:
    """What a file says, if it is there and whole; whoever changed it by hand may have written anything."""
    try:
        return texts.read_json(path, shape) if path.is_file() else None
    except ImpasseError:
        return None


def started(run: Place) -> tuple[int, str]:
    """When a published run was started: its number, and its id, which tells between runs of one number."""
    run = followed(run)
    manifest = run / "release" / "manifest.json"
    if not manifest.exists():
        return 0, ""
    told = texts.read_json(manifest, _Published)
    return told.started, told.run_id


def next_number(folder: Path, published: Place) -> int:
    """The number of a run that is started now: greater than that of the latest and of every one that is not done."""
    return 1 + max([run.started for run in runs_in(folder)] + [started(published / LATEST)[0]])


def left_over(runs: Iterable[Unfinished], made_of: dict[str, object]) -> list[str]:
    """What to say of the runs that nobody works on: where rows of persons are, and what to do."""
    return [f"{run.folder}: {_remedy(run, made_of)}" for run in runs if not run.is_under_way]


def _remedy(run: Unfinished, made_of: dict[str, object]) -> str:
    if not run.is_own:
        return "it is another user's, or others may write in it, so it is let alone; look whose it is"
    return "go on with it by --resume, or delete it" if can_resume(run, made_of) else "delete it"


def note_left_over(folder: Path, own: str, made_of: dict[str, object]) -> None:
    """Name the folders of a study's earlier runs that nobody works on: they hold rows of persons.

    Of one that was killed before its delivery was read nothing can be used; it is taken away.
    """
    others = [run for run in runs_in(folder) if run.run_id != own]
    lost = [run for run in others if run.is_lost]
    for run in lost:
        remove(run.folder)
    if lost:
        removed = (f"{run.folder}" for run in lost)
        note("\n".join(["Runs that were killed had left rows of persons behind; removed:", *map(plain, removed)]))
    if lines := left_over([run for run in others if run not in lost], made_of):
        note("\n".join(["Earlier runs left rows of persons behind:", *map(plain, lines)]))


def can_resume(run: Unfinished, made_of: dict[str, object]) -> bool:
    """Whether a run's delivery was read, from the same files, by the same program and libraries."""
    return run.progress is not None and run.progress.of == made_of
