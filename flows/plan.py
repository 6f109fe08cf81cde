"""Everything decided before any data is read: what to run, under which definitions, and where to write it.

A bad study or definition file is refused here. Tasks get the plan, which is small, and paths; never frames.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from platform import python_version

from pydantic import ValidationError

from flows import io, stores
from flows.files import delivery, inputs, texts
from flows.stores import Place
from schemas.codelists import CodeLists
from schemas.concepts import OmopLists
from schemas.definition import Definition, Description, parse
from schemas.errors import ImpasseError, nearest
from schemas.mapping import Mapping
from schemas.study import DefinitionSection, EngineSection, OutputSection, Study

_WORK = ".work-"
_HERE = Path(__file__).resolve().parents[1]
LIBRARIES = (
    "impasse",
    "polars",
    "numba",
    "numpy",
    "pandera",
    "pyarrow",
    "great-expectations",
    "prefect",
    "altair",
    "statsmodels",
)


@dataclass(frozen=True)
class Plan:
    """Where a run reads and writes. `work` becomes `final` when the run is published.

    `folder` is where runs of the study are worked on, `published` where they end: the same folder, or one on S3.
    `inputs` are the SHA-256 of the delivered files, by their path in the delivery, taken before they are read.
    `output` and `engine` are the study's, with what the command line says instead.
    """

    study_path: Path
    folder: Path
    published: Place
    run_id: str
    inputs: tuple[tuple[str, str], ...]
    output: OutputSection
    engine: EngineSection

    @property
    def workers(self) -> int:
        """How many parts the engine would work on at a time on this machine."""
        return self.engine.workers or os.cpu_count() or 1

    @property
    def base(self) -> Path:
        """The folder that the study file's relative paths start from."""
        return self.study_path.parent

    @property
    def work(self) -> Path:
        """Where the run is written until it is whole."""
        return self.folder / f"{_WORK}{self.run_id}"

    @property
    def progress(self) -> Path:
        """What a stopped run needs to be resumed; there once the delivery is read."""
        return self.work / "progress.json"

    @property
    def lock(self) -> Path:
        """Held by whoever works on the run, from beginning to end."""
        return self.work / "lock"

    def made_of(self) -> dict[str, object]:
        """What must be the same for a stopped run to be resumed, beside the study and the definitions."""
        return {"inputs": dict(self.inputs), "versions": versions()}

    @property
    def final(self) -> Place:
        """Where the published run is."""
        return self.published / self.run_id

    def bucket(self, number: int) -> Path:
        """The folder of one bucket of persons within the work folder."""
        return self.work / "buckets" / f"{number:04d}"

    def restricted(self, table: str, part: int) -> Path:
        """The file of one part of a restricted table, which is a folder of such files."""
        return self.work / "restricted" / f"{table}.parquet" / f"{part:04d}.parquet"


@dataclass(frozen=True)
class Loaded:
    """What the plan's files say. `texts` are the chosen definitions as written, by id."""

    study: Study
    layout: Mapping | OmopLists
    codes: CodeLists
    definitions: tuple[Definition, ...]
    texts: dict[str, str]


def make_plan(study_path: Path, out: str | Path | None = None, resume: bool = False, **said: str | int | None) -> Plan:
    """Read and check every file that says what to do, and take a work folder: a new one, or a stopped run's.

    `out`, and what is said of output.buckets, output.memory and the engine, hold over the study's own. The run's
    id tells when and on what; of two runs in one second the later gets a number.
    """
    path = study_path.resolve()
    load.cache_clear()  # in a process that lives long the study may have changed
    loaded = load(path)
    output, engine = (_instead(section, said) for section in (loaded.study.output, loaded.study.engine))
    here, end = _folders(path.parent, output, out)
    folder, published = here / loaded.study.name, end / loaded.study.name
    files = tuple(_inputs(path, loaded).items())
    plan = Plan(path, folder, published, _fingerprint(path, loaded), files, output, engine)
    return _stopped_run(plan) if resume else _new_run(plan)


def _folders(base: Path, output: OutputSection, out: str | Path | None) -> tuple[Path, Place]:
    """Where runs are worked on, which is on this machine, and where they end."""
    end = stores.placed(str(out), Path.cwd()) if out else stores.placed(output.folder, base)
    return (end.resolve(), end.resolve()) if isinstance(end, Path) else (base / output.work, end)


def _new_run(plan: Plan) -> Plan:
    first = f"{datetime.now(UTC).strftime('%Y%m%dT%H%M%SZ')}-{plan.run_id}"
    for run_id in (first, *(f"{first}-{n}" for n in range(2, 100))):
        new = replace(plan, run_id=run_id)
        if not new.final.exists() and io.take_folder(new.work):
            return new
    raise ImpasseError(
        "Too many runs of this study at once.", where=str(plan.folder), do="Start them one after another."
    )


def _stopped_run(plan: Plan) -> Plan:
    """The last run of the same study, files, program and libraries that was stopped after its delivery was read."""
    names = [path.name.removeprefix(_WORK) for path in io.folders(plan.folder)] if plan.folder.exists() else []
    for run_id in sorted((name for name in names if plan.run_id in name), reverse=True):
        stopped = replace(plan, run_id=run_id)
        if stopped.progress.exists() and texts.read_json(stopped.progress)["of"] == stopped.made_of():
            return stopped
    raise ImpasseError(
        "There is no run to resume.",
        where=str(plan.folder),
        expected="a run that was stopped after its delivery was read, of the same study, files and Impasse",
        do="Run it without --resume.",
    )


def _instead(own: OutputSection | EngineSection, said: dict[str, str | int | None]) -> OutputSection | EngineSection:
    """The study's own section with what is said instead of it."""
    stated = {key: value for key, value in said.items() if value is not None and key in type(own).model_fields}
    try:
        return type(own)(**{**own.model_dump(), **stated})
    except ValidationError as error:
        problem = error.errors()[0]
        name = str(problem["loc"][0]) if problem["loc"] else "address"
        raise ImpasseError(
            f"--{'engine' if name == 'kind' else name} has a value that is not allowed.",
            where="command line",
            expected="memory such as 4GB or 500MB, at most 4096 buckets, one of threads, processes and dask",
            do="Correct it.",
        ) from None


def load_as_planned(plan: Plan) -> Loaded:
    """What the plan's files say, on whatever machine, if they say what they said when the run was planned."""
    if _fingerprint(plan.study_path, load(plan.study_path)) not in plan.run_id:
        load.cache_clear()  # a worker that lives long may remember another run
    loaded = load(plan.study_path)
    if _fingerprint(plan.study_path, loaded) not in plan.run_id:
        raise ImpasseError(
            "The study, a definition, a code list or Impasse itself is not what it was when the run was planned.",
            where=f"{plan.study_path}",
            expected="the same files and the same Impasse on every machine, unchanged until the run is done",
            do="Leave them alone while a run is under way, and start it again.",
        )
    return loaded


@lru_cache(maxsize=1)
def load(study_path: Path) -> Loaded:
    """The study, its layout, the code lists and the chosen definitions."""
    study = inputs.read_study(study_path)
    codes = inputs.read_codelists()
    layout = inputs.read_mapping(study, study_path.parent)
    folders = [study_path.parent / folder for folder in study.definitions.folders]
    written = inputs.definition_texts(folders)
    known = {name: parse(name, text) for name, text in written.items()}
    chosen = choose(known, study.definitions, study.episodes.disorders)
    for definition in chosen:
        codes.check_definition(definition, written[definition.id])
    return Loaded(study, layout, codes, chosen, {d.id: written[d.id] for d in chosen})


def choose(
    known: dict[str, Definition | Description], wanted: DefinitionSection, disorders: tuple[str, ...]
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


_REMEDIES = {
    "unverified": "Set definitions.include_unverified = true to compare unverified ones.",
    "descriptive": "It cannot be computed; `impasse definitions show` says why.",
    "draft": 'Set its status to "active" when its cases pass.',
}


def _named(name: str, known: dict[str, Definition | Description], statuses: set[str]) -> Definition:
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
            do=_REMEDIES.get(known[name].status, "It cannot be used."),
        )
    return known[name]


def _fingerprint(study_path: Path, loaded: Loaded) -> str:
    """A short name of all that decides what a run makes of the delivery, the same on every machine."""
    own_layout = study_path.parent / (loaded.study.source.layout or "")
    layout = io.sha256(own_layout) if own_layout.is_file() else ""
    return sha256(repr((loaded.study, loaded.definitions, layout, _program())).encode()).hexdigest()[:8]


@lru_cache(maxsize=1)
def _program() -> str:
    """The fingerprint of the code, the code lists and the shipped layouts and definitions."""
    shipped = [path for part in ("schemas", "transforms", "reports", "flows") for path in io.files(_HERE / part)]
    told = [io.sha256(path) for path in shipped if path.suffix in (".py", ".csv", ".toml", ".html")]
    return sha256("".join(told).encode()).hexdigest()


def versions() -> dict[str, str]:
    """The program, the libraries that shape results, and Python."""
    return {"python": python_version(), **{name: version(name) for name in LIBRARIES}}


def _inputs(study_path: Path, loaded: Loaded) -> dict[str, str]:
    """SHA-256 of every delivered file, by its path in the delivery."""
    paths = delivery.source_paths(loaded.study, study_path.parent, loaded.layout)
    folder = f"{stores.placed(loaded.study.source.path, study_path.parent)}/"

    def told(path: Place) -> str:
        return str(path).removeprefix(folder) if str(path).startswith(folder) else path.name

    return {told(path): io.sha256(path) for path in sorted(paths.values())}
