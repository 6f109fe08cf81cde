"""Everything decided before any data is read: what to run, under which definitions, and where to write it.

A bad study or definition file is refused here. Tasks get the plan, which is small, and paths; never frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from impasse.flows.files import s3, texts
from impasse.flows.files.folders import remove, remove_if_empty, take_folder
from impasse.flows.files.keep import for_user_alone
from impasse.flows.files.pointer import require_free
from impasse.flows.files.s3 import Place
from impasse.flows.run import lock, unfinished
from impasse.flows.run.as_planned import fingerprint, inputs_of, signatures_of
from impasse.flows.run.cores import usable_cores
from impasse.flows.run.loading import load, notes_on_former_names, stated
from impasse.flows.run.program import computing, versions
from impasse.flows.run.progress import note
from impasse.schemas.errors import ImpasseError
from impasse.schemas.file_names import shown_apart
from impasse.schemas.study import EngineSection, OutputSection, Study


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
        return self.folder / f"{unfinished.WORK}{self.run_id}"

    @property
    def home(self) -> Path:
        """Where the run's files are: where it is worked on, or, once it was moved there, where it is published."""
        is_moved = isinstance(self.final, Path) and not self.work.exists()
        return self.final if is_moved else self.work

    @property
    def progress(self) -> Path:
        """What a stopped run needs to be resumed; there once the delivery is read, until all of the run is done."""
        return self.home / unfinished.PROGRESS

    @property
    def lock(self) -> Path:
        """Held by whoever works on the run, from beginning to end."""
        return self.home / unfinished.LOCK

    @property
    def latest(self) -> Place:
        """What leads to the latest published run of the study."""
        return self.published / unfinished.LATEST

    def made_of(self) -> dict[str, object]:
        """What must be the same for a stopped run to be resumed."""
        return {"fingerprint": self.fingerprint, "inputs": dict(self.inputs), "versions": versions()}

    def shown_inputs(self) -> list[str]:
        """The paths of the delivered files as they may be told, in order."""
        return sorted(shown_apart([name for name, _ in self.inputs]))

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


def make_plan(
    study_path: Path, out: str | Path | None = None, resume: bool = False, **requested: str | int | None
) -> Plan:
    """Read and check every file that says what to do, and take a work folder: a new one, or a stopped run's.

    `out`, and what is requested of output.buckets, output.memory and the engine, hold over the study's own. The run's
    id tells when and on what; of two runs in one second the later gets a number.
    """
    path = study_path.resolve()
    load.cache_clear()  # in a process that lives long the study may have changed
    loaded = load(path)
    for text in notes_on_former_names(path, loaded.study):
        note(text)
    output, engine = stated(loaded.study, requested)
    here, end = _folders(path.parent, output, out)
    folder, published = here / loaded.study.name, end / loaded.study.name
    require_free(published / unfinished.LATEST)
    signatures = signatures_of(path, loaded)  # before the bytes: what is written meanwhile has another
    plan = Plan(
        study_path=path,
        folder=folder,
        published=published,
        fingerprint=fingerprint(path, loaded),
        inputs=inputs_of(path, loaded),
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
    number = unfinished.next_number(plan.folder, plan.published)
    for run_id in (first, *(f"{first}-{n}" for n in range(2, 100))):
        new = replace(plan, run_id=run_id, number=number)
        if not new.final.exists() and take_folder(new.work):
            with for_user_alone():
                texts.write_json({"started": number}, new.work / unfinished.STARTED)
            return new
    raise ImpasseError(
        "Too many runs of this study at once.", where=str(plan.folder), do="Start them one after another."
    )


def _stopped_run(plan: Plan) -> Plan:
    """The run that was started last of those that can be gone on with: stopped, killed, or not moved to its end."""
    there = unfinished.runs_in(plan.folder)
    for stopped in there:
        if unfinished.can_resume(stopped, plan.made_of()):
            return replace(plan, run_id=stopped.run_id, number=stopped.started)
    raise _nothing_to_resume(plan.folder, unfinished.left_over(there, plan.made_of()))


@contextmanager
def taken(plan: Plan, resume: bool) -> Iterator[None]:
    """Hold the run's lock. A stopped run is looked at again when it is held: another process may have finished it."""
    path = plan.lock
    with lock.held(path):
        if resume and not _is_stopped(plan):
            remove(path)  # it was made where nothing is to be done
            remove_if_empty(path.parent)  # and so may its folder have been
            raise _finished_elsewhere(plan)
        yield


def _is_stopped(plan: Plan) -> bool:
    there = [run for run in unfinished.runs_in(plan.folder) if run.run_id == plan.run_id]
    return any(unfinished.can_resume(run, plan.made_of()) for run in there)


def _finished_elsewhere(plan: Plan) -> ImpasseError:
    return ImpasseError(
        "Another process went on with this run meanwhile.",
        where=f"{plan.folder}, run {plan.run_id}",
        expected="one process that resumes a run",
        do=f"See {plan.final}: it is published there, unless the other stopped it.",
    )


def require_stopped_run(study: Study, base: Path, out: str | None) -> None:
    """Raise ImpasseError if no run of the study was stopped after its delivery was read; files are compared later."""
    folder = _folders(base, study.output, out)[0] / study.name
    if not any(run.progress for run in unfinished.runs_in(folder)):
        raise _nothing_to_resume(folder)


def _nothing_to_resume(folder: Path, left_over: Sequence[str] = ()) -> ImpasseError:
    return ImpasseError(
        "There is no run to resume.",
        where=str(folder),
        expected="a run that was stopped after its delivery was read, of the same study, files and Impasse",
        do=["Run it without --resume.", *left_over],
    )
