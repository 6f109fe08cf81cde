"""The `impasse` command: arguments in, a few lines out, an exit code that means something.

Exit codes: 0 done; 1 an error in Impasse itself; 2 bad input or wrong use; 3 a critical check
failed and nothing was published; 4 part of the persons could not be classified, or the run not moved to its place: go
on with --resume; 130 interrupted by Ctrl-C; 129 and 143 ended by the system.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from impasse.flows.cli.definitions import definitions_app
from impasse.flows.cli.layouts import layout_app
from impasse.flows.cli.start import Program
from impasse.flows.cli.terminal import err, out, told
from impasse.flows.gate.garbage import collect_seldom
from impasse.schemas.errors import ImpasseError

if TYPE_CHECKING:
    from impasse.flows.server.own_server import OwnServer

app = Program(
    epilog="Exit codes: 0 done, 1 internal error, 2 bad input or wrong use, 3 a critical check stopped publication, "
    "4 part of the persons could not be classified or the run not moved to its place: go on with --resume, "
    "130 interrupted by Ctrl-C, 129 and 143 ended by the system (SIGHUP, SIGTERM).",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.add_typer(definitions_app, name="definitions")
app.add_typer(layout_app, name="layout")


def _say_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        out.print(f"impasse {version('impasse')}", highlight=False)
        raise typer.Exit


@app.callback()
def _common(
    is_asked: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version, and end.")
    ] = False,
) -> None:
    """How much, and why, published definitions of treatment resistance disagree on your own registry data."""
    collect_seldom()


def _local(path: Path) -> Path:
    """The path, unless it is an address on S3, of which it would make a folder of that name."""
    from impasse.schemas.addresses import is_address

    if is_address(path.parts[0] if path.parts else ""):
        raise typer.BadParameter("it must be on this machine; a study may name deliveries and runs on S3")
    return path


StudyPath = Annotated[
    Path, typer.Argument(metavar="STUDY", help="The study file (TOML).", show_default=False, callback=_local)
]
LocalFolder = Annotated[Path, typer.Option("--out", help="The folder of this machine to write to.", callback=_local)]
Out = Annotated[
    str | None,
    typer.Option("--out", help="Write runs here, a folder or s3://bucket/folder, instead of output.folder."),
]
Buckets = Annotated[int | None, typer.Option(min=1, help="Cut the persons into at least so many buckets.")]
Memory = Annotated[str | None, typer.Option(help="Use no more memory than this, such as 4GB or 1.5GB.")]
Engine = Annotated[str | None, typer.Option(help="Work on parts in threads, in processes, or on dask.")]
ClusterAddress = Annotated[str | None, typer.Option(help="The address of a Dask cluster that is there already.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Work on so many parts at a time on this machine.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run of this study that was stopped or killed.")]


@app.command(epilog="Example: impasse demo --persons 5000 --out /tmp/demo")
@told
def demo(
    persons: Annotated[int, typer.Option(min=100, help="How many persons to simulate.")] = 20_000,
    out_folder: LocalFolder = Path("demo"),
) -> None:
    """Simulate a registry and run the whole comparison on it."""
    from impasse.flows.cli import demo
    from impasse.flows.run import progress
    from impasse.flows.server import own_server

    with own_server.begun() as server:
        with progress.progress_shown(err, in_logs=True):
            study = demo.write_demo(out_folder, persons)
        out.print(f"A made-up registry of {persons:,} persons is in {out_folder / 'delivery'}.", highlight=False)
        _run(study, server)


@app.command(epilog="Example: impasse run study.toml")
@told
def run(
    study: StudyPath,
    out_folder: Out = None,
    buckets: Buckets = None,
    memory: Memory = None,
    engine: Engine = None,
    address: ClusterAddress = None,
    workers: Workers = None,
    resume: Resume = False,
) -> None:
    """Run a study: classify every episode under every definition, publish tables and pages."""
    from impasse.flows.files import s3
    from impasse.flows.run import loading, plan
    from impasse.flows.server import own_server

    requested = {"buckets": buckets, "memory": memory, "engine": engine, "address": address, "workers": workers}
    loaded = loading.load(study.resolve())  # a bad study or definition is refused before Prefect starts
    s3.placed(out_folder or "", Path())  # and so is a bad address, before Prefect keeps it
    if resume:
        plan.require_stopped_run(loaded.study, study.resolve().parent, out_folder)
    with own_server.begun() as server:
        _run(study, server, out_folder, resume=resume, **requested)


def _run(study: Path, server: OwnServer | None, out_folder: str | None = None, **requested: str | int | None) -> None:
    from impasse.flows.run import progress
    from impasse.flows.server import own_server
    from impasse.flows.server.settings import load_prefect

    with progress.progress_shown(err, in_logs=True), _told_before_reading():
        _refuse_too_little_memory(study, requested)
        load_prefect()
        from impasse.flows.pipeline import run_study

        with own_server.answering(server):
            folder = run_study(str(study), out_folder, **requested)
    _say_result(folder)


def _refuse_too_little_memory(study: Path, requested: dict[str, str | int | None]) -> None:
    """In the first seconds, before Prefect is waited for; a stopped run has been read, and knows its size."""
    from impasse.flows.gate.redact import redact
    from impasse.flows.run.loading import load
    from impasse.flows.run.steps.reading import require_memory

    if not requested.get("resume"):
        path = study.resolve()
        redact(require_memory)(load(path), path.parent, {**requested, "kind": requested.get("engine")})


def _unanswered() -> ImpasseError:
    return ImpasseError(
        "No Prefect server answers.",
        where="environment, PREFECT_API_URL",
        expected="a running server, or no PREFECT_API_URL",
        do="Start it with `prefect server start`, or unset PREFECT_API_URL to run without one.",
    )


def _unready(error: Exception) -> ImpasseError:
    from impasse.flows.gate.redact import InternalError

    return InternalError(
        f"The run could not begin ({type(error).__name__}): {error}",
        where="Prefect, or a library of this installation; nothing of the delivery was read",
        do="Look at PREFECT_API_URL and the installation first; else report it with this message.",
    )


@contextmanager
def _told_before_reading() -> Iterator[None]:
    """An error from before the delivery was read holds nothing of it: it is told in its own words."""
    from impasse.flows.run import progress

    try:
        yield
    except (ImpasseError, OSError):
        raise
    except KeyboardInterrupt:
        if progress.is_reading():
            raise
        err.print("Interrupted before the delivery was read; nothing was published.", highlight=False)
        sys.exit(130)
    except Exception as error:
        if progress.is_reading():
            raise
        raise _unanswered() if "Failed to reach API" in str(error) else _unready(error) from None


def _say_result(folder: str) -> None:
    from impasse.flows.cli import summary
    from impasse.flows.files import s3

    for line in summary.lines(s3.placed(folder, Path())):
        out.print(line, highlight=False, soft_wrap=True)


@app.command(epilog="Example: impasse check study.toml")
@told
def check(study: StudyPath) -> None:
    """Read, clean and check a delivery without classifying it; say what would be set aside and why."""
    from impasse.flows.cli import check_command

    check_command.check(study.resolve())


@app.command(epilog="Example: impasse simulate --persons 1000 --seed 7 --out registry")
@told
def simulate(
    persons: Annotated[int, typer.Option(min=1, help="How many persons.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    out_folder: Annotated[Path, typer.Option("--out", help="The folder to write to.", callback=_local)] = Path(
        "registry"
    ),
) -> None:
    """Write a made-up registry in the generic layout."""
    from impasse.flows.cli import demo
    from impasse.flows.run import progress

    with progress.progress_shown(err):
        written = demo.write_registry(out_folder, persons, seed)
    for name, rows in written.items():
        out.print(f"{name:<12} {rows:>12,} rows", highlight=False)


@app.command(epilog="Example: impasse bench --persons 1000000 --json bench.json")
@told
def bench(
    persons: Annotated[int, typer.Option(min=100, help="How many persons to simulate.")] = 100_000,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write every figure to this file as well.")] = None,
) -> None:
    """Measure a run on this machine: each stage beside the floor, and the same work beside DuckDB SQL.

    Everything is written to a temporary folder and removed at the end.
    """
    from impasse.flows.bench import bench as measuring
    from impasse.flows.bench import table
    from impasse.flows.files import texts
    from impasse.flows.run import progress

    with progress.progress_shown(err):
        figures = measuring.run(persons)
    for part in table.bench_tables(figures):
        out.print(part, highlight=False)
        out.print()
    if json_file is not None:
        texts.write_json(figures, json_file)


@app.command(epilog="Example: impasse explain runs/my-study/latest --episode P000123:anxiety:1")
@told
def explain(
    run_folder: Annotated[
        str, typer.Argument(metavar="RUN", help="The folder of a published run, or s3://bucket/runs/my-study/latest.")
    ],
    episode: Annotated[str, typer.Option("--episode", help="person_id:disorder:number")],
    definition: Annotated[str | None, typer.Option("--definition", help="Only this definition.")] = None,
) -> None:
    """Tell one episode's story: its trials, what failed on what evidence, and what each definition made of it."""
    from impasse.flows import published
    from impasse.flows.files import s3

    run = s3.placed(run_folder, Path())
    out.print(published.explain(run, episode, definition), markup=False, highlight=False, end="")


@app.command(epilog="Example: impasse schema study > study.schema.json")
@told
def schema(
    kind: Annotated[str, typer.Argument(help="study, definition or layout (also called mapping)")],
) -> None:
    """Print the JSON Schema of a study, definition or layout file, for editors."""
    from importlib import import_module

    modules = {"study": "study", "definition": "definition_file", "layout": "mapping_file", "mapping": "mapping_file"}
    if kind not in modules:
        raise ImpasseError(f"No schema '{kind}'.", expected=", ".join(modules), do="Name one of these.")
    out.out(json.dumps(import_module(f"impasse.schemas.{modules[kind]}").json_schema(), indent=2), highlight=False)


if __name__ == "__main__":
    app()
