"""Everything decided before any data is read: what to run, under which definitions, and where to write it.

A bad study or definition file is refused here. Tasks get the plan, which is small, and paths; never frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from platform import node

from pydantic import ValidationError

from impasse.flows.delivery import delivery
from impasse.flows.files import inputs, s3, texts
from impasse.flows.files.keep import private
from impasse.flows.files.s3 import Place
from impasse.flows.run import io, runs
from impasse.flows.run.cores import usable_cores
from impasse.flows.run.program import PACKAGES, computing, versions
from impasse.schemas.codelists import CodeLists
from impasse.schemas.concepts import OmopLists
from impasse.schemas.definition import Definition, Description, parse
from impasse.schemas.errors import ImpasseError, NoAnswer, nearest
from impasse.schemas.mapping import Mapping
from impasse.schemas.study import DefinitionSection, EngineSection, OutputSection, Study


@dataclass(frozen=True)
class Plan:
    """Where a run reads and writes. `work` becomes `final` when the run is published.

    `folder` is where runs of the study are worked on, `published` where they end: the same folder, or one on S3.
    `fingerprint` names all that decides what is made of the delivery, `inputs` the delivery: the SHA-256 of its files
    by their path in it, taken before they are read; `signatures` tell if one was written again. `computed_with` are the
    versions that every worker must have.
    `output` and `engine` are the study's, with what the command line says instead. Of two runs of a study the one
    with the greater `number` was started later, whatever the clock said; `run_id` tells the time and the fingerprint.
    """

    study_path: Path
    folder: Path
    published: Place
    fingerprint: str
    inputs: tuple[tuple[str, str], ...]
    signatures: tuple[tuple[str, tuple[int, ...]], ...]
    output: OutputSection
    engine: EngineSection
    computed_with: tuple[tuple[str, str], ...]
    run_id: str = ""
    number: int = 0

    @property
    def workers(self) -> int:
        """How many parts the engine would work on at a time on this machine."""
        return self.engine.workers or usable_cores()

    @property
    def base(self) -> Path:
        """The folder that the study file's relative paths start from."""
        return self.study_path.parent

    @property
    def work(self) -> Path:
        """Where the run is written until it is whole."""
        return self.folder / f"{runs.WORK}{self.run_id}"

    @property
    def home(self) -> Path:
        """Where the run's files are: where it is worked on, or, once it was moved there, where it is published."""
        is_moved = isinstance(self.final, Path) and not self.work.exists()
        return self.final if is_moved else self.work

    @property
    def progress(self) -> Path:
        """What a stopped run needs to be resumed; there once the delivery is read, until all of the run is done."""
        return self.home / runs.PROGRESS

    @property
    def lock(self) -> Path:
        """Held by whoever works on the run, from beginning to end."""
        return self.home / runs.LOCK

    @property
    def latest(self) -> Place:
        """What leads to the latest published run of the study."""
        return self.published / runs.LATEST

    def made_of(self) -> dict[str, object]:
        """What must be the same for a stopped run to be resumed."""
        return {"fingerprint": self.fingerprint, "inputs": dict(self.inputs), "versions": versions()}

    def shown_inputs(self) -> list[str]:
        """The paths of the delivered files as they may be told, in order."""
        return sorted(s3.shown_apart([name for name, _ in self.inputs]))

    @property
    def final(self) -> Place:
        """Where the published run is."""
        return self.published / self.run_id

    def restricted(self, table: str) -> Path:
        """A restricted table in the work folder."""
        return self.work / "restricted" / f"{table}.parquet"

    def release(self, table: str) -> Path:
        """A table in the work folder that is to be released."""
        return self.work / "release" / f"{table}.parquet"


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
    output, engine = stated(loaded.study, said)
    here, end = _folders(path.parent, output, out)
    folder, published = here / loaded.study.name, end / loaded.study.name
    io.require_free(published / runs.LATEST)
    signatures = _signatures(path, loaded)  # before the bytes: what is written meanwhile has another
    plan = Plan(
        study_path=path,
        folder=folder,
        published=published,
        fingerprint=_fingerprint(path, loaded),
        inputs=_inputs(path, loaded),
        signatures=signatures,
        output=output,
        engine=engine,
        computed_with=tuple(computing().items()),
    )
    return _stopped_run(plan) if resume else _new_run(plan)


def _folders(base: Path, output: OutputSection, out: str | Path | None) -> tuple[Path, Place]:
    """Where runs are worked on, which is on this machine, and where they end."""
    end = s3.placed(str(out), Path.cwd()) if out else s3.placed(output.folder, base)
    return (end.resolve(), end.resolve()) if isinstance(end, Path) else (base / output.work, end)


def _new_run(plan: Plan) -> Plan:
    first = f"{datetime.now(UTC).strftime('%Y%m%dT%H%M%SZ')}-{plan.fingerprint}"
    number = runs.next_number(plan.folder, plan.published)
    for run_id in (first, *(f"{first}-{n}" for n in range(2, 100))):
        new = replace(plan, run_id=run_id, number=number)
        if not new.final.exists() and io.take_folder(new.work):
            with private():
                texts.write_json({"started": number}, new.work / runs.STARTED)
            return new
    raise ImpasseError(
        "Too many runs of this study at once.", where=str(plan.folder), do="Start them one after another."
    )


def _stopped_run(plan: Plan) -> Plan:
    """The run that was started last of those that can be gone on with: stopped, killed, or not moved to its end."""
    there = runs.unfinished(plan.folder)
    for stopped in there:
        if runs.can_resume(stopped, plan.made_of()):
            return replace(plan, run_id=stopped.run_id, number=stopped.started)
    raise _nothing_to_resume(plan.folder, runs.left_over(there, plan.made_of()))


def require_stopped_run(study: Study, base: Path, out: str | None) -> None:
    """Raise ImpasseError if no run of the study was stopped after its delivery was read; files are compared later."""
    folder = _folders(base, study.output, out)[0] / study.name
    if not any(run.progress for run in runs.unfinished(folder)):
        raise _nothing_to_resume(folder)


def _nothing_to_resume(folder: Path, left_over: Sequence[str] = ()) -> ImpasseError:
    return ImpasseError(
        "There is no run to resume.",
        where=str(folder),
        expected="a run that was stopped after its delivery was read, of the same study, files and Impasse",
        do=["Run it without --resume.", *left_over],
    )


def stated(study: Study, said: dict[str, str | int | None]) -> tuple[OutputSection, EngineSection]:
    """The study's output and engine with what is said instead of them."""
    return _instead(study.output, said), _instead(study.engine, said)


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
            expected="memory such as 4GB or 1.5GB, at most 4096 buckets, one of threads, processes and dask",
            do="Correct it.",
        ) from None


def load_as_planned(plan: Plan) -> Loaded:
    """What the plan's files say, on whatever machine, if they say what they said when the run was planned."""
    _require_versions(plan)
    if _fingerprint(plan.study_path, load(plan.study_path)) != plan.fingerprint:
        load.cache_clear()  # a worker that lives long may remember another run
    loaded = load(plan.study_path)
    if _fingerprint(plan.study_path, loaded) != plan.fingerprint:
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
    return sha256(repr((loaded.study, loaded.definitions, layout, program_fingerprint())).encode()).hexdigest()[:8]


@lru_cache(maxsize=1)
def program_fingerprint() -> str:
    """The fingerprint of the code, the code lists, the shipped layouts and definitions, and what pages are made of."""
    shipped = [path for package in PACKAGES for path in io.files(package)]
    told = [io.sha256(path) for path in shipped if path.suffix in (".py", ".csv", ".toml", ".html", ".css")]
    return sha256("".join(told).encode()).hexdigest()


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
        if plan.signatures != _signatures(plan.study_path, loaded):
            raise _changed(plan, loaded) from None
        raise
    if plan.signatures != _signatures(plan.study_path, loaded) or plan.inputs != _inputs(plan.study_path, loaded):
        raise _changed(plan, loaded)


def _inputs(study_path: Path, loaded: Loaded) -> tuple[tuple[str, str], ...]:
    """SHA-256 of every delivered file, by its path in the delivery."""
    return tuple((name, io.sha256(path)) for name, path in _delivered(study_path, loaded).items())


def _signatures(study_path: Path, loaded: Loaded) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """What tells without reading that a delivered file was written again."""
    return tuple((name, io.signature(path)) for name, path in _delivered(study_path, loaded).items())


def _delivered(study_path: Path, loaded: Loaded) -> dict[str, Place]:
    """Every delivered file by its path in the delivery."""
    paths = delivery.source_paths(loaded.study, study_path.parent, loaded.layout)
    folder = s3.placed(loaded.study.source.path, study_path.parent)
    return {s3.told_name(path, folder): path for path in paths}


def _changed(plan: Plan, loaded: Loaded) -> ImpasseError:
    return ImpasseError(
        "The delivery changed while it was being read; nothing was published.",
        where=f"{s3.placed(loaded.study.source.path, plan.base)}",
        expected="the same files, with the same bytes, from the start of a run until they are read",
        do="Wait until they are all there, and start the run again.",
    )
