"""The runs of a study that are on the disk of this machine and not done: under way, stopped, or killed.

Each has a folder with rows of persons. It tells with which number the run was started, and, once the delivery is
read, what is needed to go on with it. Runs are numbered from what is there, because a clock may go back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from impasse.flows.files import texts
from impasse.flows.files.folders import folders_in
from impasse.flows.files.pointer import followed
from impasse.flows.files.s3 import Place
from impasse.flows.run import lock
from impasse.flows.run.progress import note
from impasse.schemas.errors import ImpasseError
from impasse.schemas.plain import plain

WORK = ".work-"
PROGRESS, STARTED, LOCK, LATEST = "progress.json", "started.json", "lock", "latest"


@dataclass(frozen=True, order=True)
class Unfinished:
    """A run that is not done; of two the greater was started later. `progress` is empty until a delivery is read."""

    started: int
    run_id: str
    folder: Path
    progress: dict[str, Any] = field(compare=False)

    @property
    def is_under_way(self) -> bool:
        """Whether a process works on it."""
        return lock.is_held(self.folder / LOCK)


def unfinished(folder: Path) -> list[Unfinished]:
    """The runs in a study's folder that are not done, the one that was started last first."""
    there = [path for path in folders_in(folder) if not path.is_symlink()] if folder.is_dir() else []
    kept = [path for path in there if path.name.startswith(WORK) or (path / PROGRESS).is_file()]
    return sorted(map(_read, kept), reverse=True)


def _read(folder: Path) -> Unfinished:
    progress = _json(folder / PROGRESS)
    return Unfinished(_number(_json(folder / STARTED)), folder.name.removeprefix(WORK), folder, progress)


def _json(path: Path) -> dict[str, Any]:
    """What a file says, if it is there and whole."""
    try:
        told = texts.read_json(path) if path.is_file() else {}
    except (ImpasseError, RecursionError, ValueError):  # whoever changed it by hand may have written anything
        return {}
    return told if isinstance(told, dict) else {}


def _number(told: dict[str, Any]) -> int:
    """The number that a run was started with; 0 if it is not told as one."""
    number = told.get("started", 0)
    return number if type(number) is int else 0


def started(run: Place) -> tuple[int, str]:
    """When a published run was started: its number, and its id, which tells between runs of one number."""
    run = followed(run)
    manifest = run / "release" / "manifest.json"
    if not manifest.exists():
        return 0, ""
    told = texts.read_json(manifest)
    return _number(told), str(told["run_id"])


def next_number(folder: Path, published: Place) -> int:
    """The number of a run that is started now: greater than that of the latest and of every one that is not done."""
    return 1 + max([run.started for run in unfinished(folder)] + [started(published / LATEST)[0]])


def left_over(runs: Iterable[Unfinished], made_of: dict[str, object]) -> list[str]:
    """What to say of the runs that nobody works on: where rows of persons are, and what to do."""
    return [
        f"{run.folder}: {'go on with it by --resume, or delete it' if can_resume(run, made_of) else 'delete it'}"
        for run in runs
        if not run.is_under_way
    ]


def note_left_over(folder: Path, own: str, made_of: dict[str, object]) -> None:
    """Name the folders of a study's earlier runs that nobody works on: they hold rows of persons."""
    others = [run for run in unfinished(folder) if run.run_id != own]
    if lines := left_over(others, made_of):
        note("\n".join(["Earlier runs left rows of persons behind:", *map(plain, lines)]))


def can_resume(run: Unfinished, made_of: dict[str, object]) -> bool:
    """Whether a run's delivery was read, from the same files, by the same program and libraries."""
    return run.progress.get("of") == made_of
