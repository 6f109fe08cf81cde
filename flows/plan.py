"""Everything decided before any data is read: what to run, under which definitions, and where to write it.

A bad study or definition file is refused here. Tasks get the plan, which is small, and paths; never frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from platform import python_version

from flows import io
from schemas.codelists import CodeLists
from schemas.concepts import OmopLists
from schemas.definition import Definition
from schemas.errors import ImpasseError, nearest
from schemas.mapping import Mapping
from schemas.study import DefinitionSection, Study

LIBRARIES = ("impasse", "polars", "pandera", "pyarrow", "great-expectations", "prefect", "altair", "statsmodels")


@dataclass(frozen=True)
class Plan:
    """Where a run reads and writes. `work` becomes `final` when the run is published."""

    study_path: Path
    folder: Path
    run_id: str

    @property
    def base(self) -> Path:
        """The folder that the study file's relative paths start from."""
        return self.study_path.parent

    @property
    def work(self) -> Path:
        """Where the run is written until it is whole."""
        return self.folder / f".work-{self.run_id}"

    @property
    def final(self) -> Path:
        """Where the published run is."""
        return self.folder / self.run_id

    def bucket(self, number: int) -> Path:
        """The folder of one bucket of persons within the work folder."""
        return self.work / "buckets" / f"{number:04d}"


@dataclass(frozen=True)
class Loaded:
    """What the plan's files say."""

    study: Study
    layout: Mapping | OmopLists
    codes: CodeLists
    definitions: tuple[Definition, ...]


def make_plan(study_path: Path, out: Path | None = None) -> Plan:
    """Read and check every file that says what to do; the run's id tells when and on what."""
    path = study_path.resolve()
    loaded = load(path)
    folder = (out.resolve() if out else path.parent / loaded.study.output.folder) / loaded.study.name
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return Plan(study_path=path, folder=folder, run_id=f"{moment}-{_fingerprint(loaded)}")


@lru_cache(maxsize=1)
def load(study_path: Path) -> Loaded:
    """The study, its layout, the code lists and the chosen definitions."""
    study = io.read_study(study_path)
    codes = io.read_codelists()
    layout = io.read_mapping(study, study_path.parent)
    folders = [study_path.parent / folder for folder in study.definitions.folders]
    chosen = choose(io.read_definitions(folders), study.definitions, study.episodes.disorders)
    for definition in chosen:
        codes.check_definition(definition)
    return Loaded(study, layout, codes, chosen)


def choose(
    known: dict[str, Definition], wanted: DefinitionSection, disorders: tuple[str, ...]
) -> tuple[Definition, ...]:
    """The definitions a study compares: those it names, or all that are active and speak about its disorders."""
    statuses = {"active", "unverified"} if wanted.include_unverified else {"active"}
    if "all" in wanted.use:
        chosen = [d for d in known.values() if d.status in statuses and set(d.eligible.disorders) & set(disorders)]
    else:
        chosen = [_named(name, known, statuses) for name in dict.fromkeys(wanted.use)]
    if not chosen:
        raise ImpasseError(
            "No definition speaks about the study's disorders.",
            where="study file, definitions.use",
            expected="at least one active definition of " + ", ".join(disorders),
            do="Name others, or add disorders under [episodes].",
        )
    return tuple(sorted(chosen, key=lambda d: d.id))


def _named(name: str, known: dict[str, Definition], statuses: set[str]) -> Definition:
    if name not in known:
        guess = nearest(name, sorted(known))
        raise ImpasseError(
            f"Unknown definition '{name}'.",
            where="study file, definitions.use",
            expected="an id that `impasse definitions list` shows",
            do=f"Did you mean '{guess}'?" if guess else "Correct it.",
        )
    if known[name].status not in statuses:
        raise ImpasseError(
            f"Definition '{name}' is {known[name].status}.",
            where="study file, definitions.use",
            expected="an active definition",
            do="Set definitions.include_unverified = true to compare unverified ones; others cannot be used.",
        )
    return known[name]


def _fingerprint(loaded: Loaded) -> str:
    return sha256(repr((loaded.study, loaded.definitions)).encode()).hexdigest()[:8]


def versions() -> dict[str, str]:
    """The program, the libraries that shape results, and Python."""
    return {"python": python_version(), **{name: version(name) for name in LIBRARIES}}


def inputs(plan: Plan, loaded: Loaded) -> dict[str, str]:
    """SHA-256 of every delivered file, by its name."""
    paths = io.source_paths(loaded.study, plan.base, loaded.layout)
    return {path.name: io.sha256(path) for path in sorted(paths.values())}
