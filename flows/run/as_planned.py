"""What must stay as it was while a run is under way: study, definitions, program, versions and delivery."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from platform import node
from typing import TYPE_CHECKING

from impasse.flows.delivery import delivery
from impasse.flows.files import s3
from impasse.flows.files.fingerprints import sha256_of, signature_of
from impasse.flows.files.folders import files_in_folder
from impasse.flows.files.s3 import Place
from impasse.flows.run.loading import Loaded, load
from impasse.flows.run.program import PACKAGES, computing
from impasse.schemas.errors import ImpasseError, NoAnswer
from impasse.schemas.file_names import shown

if TYPE_CHECKING:
    from impasse.flows.run.plan import Plan


def fingerprint(study_path: Path, loaded: Loaded) -> str:
    """A short name of all that decides what a run makes of the delivery, the same on every machine."""
    own_layout = study_path.parent / (loaded.study.source.layout or "")
    layout = sha256_of(own_layout) if own_layout.is_file() else ""
    decides = (loaded.study, loaded.definitions, loaded.own_lists, layout, program_fingerprint())
    return sha256(repr(decides).encode()).hexdigest()[:8]


@lru_cache(maxsize=1)
def program_fingerprint() -> str:
    """The fingerprint of the code, the code lists, the shipped layouts and definitions, and what pages are made of."""
    shipped = [path for package in PACKAGES for path in files_in_folder(package)]
    prints = [sha256_of(path) for path in shipped if path.suffix in (".py", ".csv", ".toml", ".html", ".css")]
    return sha256("".join(prints).encode()).hexdigest()


def load_as_planned(plan: Plan) -> Loaded:
    """Load the study; raise ImpasseError if an input or this machine's versions changed since planning."""
    _require_versions(plan)
    if fingerprint(plan.study_path, load(plan.study_path)) != plan.fingerprint:
        load.cache_clear()  # a worker that lives long may remember another run
    loaded = load(plan.study_path)
    if fingerprint(plan.study_path, loaded) != plan.fingerprint:
        raise ImpasseError(
            "The study, a definition, a code list or Impasse itself is not what it was when the run was planned.",
            where=f"{plan.study_path}",
            expected="the same files and the same Impasse on every machine, unchanged until the run is done",
            do="Leave them alone while a run is under way, and start it again.",
        )
    return loaded


def _require_versions(plan: Plan) -> None:
    """Raise ImpasseError if this worker computes with other versions than the run was planned with."""
    planned, here = dict(plan.computed_with), computing()
    other = [f"{name} {here[name]} instead of {planned[name]}" for name in planned if here[name] != planned[name]]
    if other:
        raise ImpasseError(
            f"A worker has other versions than the run: {', '.join(other)}.",
            where=f"worker {node()}",
            expected="the same Python, Impasse and libraries on every machine, which the manifest states",
            do="Install Impasse there with the versions of constraints.txt, and go on with --resume.",
        )


@contextmanager
def delivery_unchanged(plan: Plan, loaded: Loaded) -> Iterator[None]:
    """Around the reading of a delivery: it is, when all is read, what it was when the run was planned.

    A file that changed and was changed back has another signature. An error that such a change leads to, as when a
    file is cut off while it is read, is told as the change.
    """
    try:
        yield
    except NoAnswer:
        raise
    except Exception:
        if plan.signatures != signatures_of(plan.study_path, loaded):
            raise _changed(plan, loaded) from None
        raise
    if plan.signatures != signatures_of(plan.study_path, loaded) or plan.inputs != inputs_of(plan.study_path, loaded):
        raise _changed(plan, loaded)


def _changed(plan: Plan, loaded: Loaded) -> ImpasseError:
    return ImpasseError(
        "The delivery changed while it was being read; nothing was published.",
        where=shown(s3.placed(loaded.study.source.path, plan.base)),
        expected="the same files, with the same bytes, from the start of a run until they are read",
        do="Wait until they are all there, and start the run again.",
    )


def inputs_of(study_path: Path, loaded: Loaded) -> tuple[tuple[str, str], ...]:
    """SHA-256 of every delivered file, by its path in the delivery."""
    return tuple((name, sha256_of(path)) for name, path in _delivered(study_path, loaded).items())


def signatures_of(study_path: Path, loaded: Loaded) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """What tells without reading that a delivered file was written again."""
    return tuple((name, signature_of(path)) for name, path in _delivered(study_path, loaded).items())


def _delivered(study_path: Path, loaded: Loaded) -> dict[str, Place]:
    """Every delivered file by its path in the delivery."""
    paths = delivery.source_paths(loaded.study, study_path.parent, loaded.layout)
    folder = s3.placed(loaded.study.source.path, study_path.parent)
    return {s3.told_name(path, folder): path for path in paths}
