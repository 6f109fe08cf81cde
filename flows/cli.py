"""The `impasse` command: arguments in, a few lines out, an exit code that means something.

Exit codes: 0 done; 1 an error in Impasse itself; 2 bad input or wrong use; 3 a critical check
failed and nothing was published.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Annotated, ParamSpec

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from schemas.errors import ImpasseError, PublicationStopped

P = ParamSpec("P")

app = typer.Typer(
    help="How much, and why, published definitions of treatment resistance disagree on your own registry data.",
    epilog="Exit codes: 0 done, 1 internal error, 2 bad input or wrong use, 3 a critical check stopped publication.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
definitions_app = typer.Typer(help="The definitions: list, show and lint them.", no_args_is_help=True)
app.add_typer(definitions_app, name="definitions")
out, err = Console(), Console(stderr=True)

StudyPath = Annotated[Path, typer.Argument(metavar="STUDY", help="The study file (TOML).", show_default=False)]
Folders = Annotated[list[Path], typer.Option("--folder", help="Also read definitions from this folder; repeatable.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write runs here instead of the study's output.folder.")]


def _told(command: Callable[P, None]) -> Callable[P, None]:
    """Turn the errors a user can mend into one message and an exit code."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        from flows.discreet import InternalError, discreet

        codes = {PublicationStopped: 3, InternalError: 1}
        try:
            discreet(command)(*args, **kwargs)
        except ImpasseError as error:
            _say_error(str(error))
            raise typer.Exit(codes.get(type(error), 2)) from None
        except OSError as error:
            _say_error(f"{error.strerror}.\n  where:    {error.filename or 'a file of this run'}")
            raise typer.Exit(2) from None

    return wrapped


def _say_error(text: str) -> None:
    err.print(f"[bold red]Error:[/] {escape(text)}", highlight=False, soft_wrap=True)


@app.command(epilog="Example: impasse demo --persons 5000 --out /tmp/demo")
@_told
def demo(
    persons: Annotated[int, typer.Option(min=100, help="How many persons to simulate.")] = 20_000,
    out_folder: Annotated[Path, typer.Option("--out", help="Where to put the registry and the run.")] = Path("demo"),
) -> None:
    """Simulate a registry and run the whole comparison on it."""
    from flows import demonstration, progress

    with progress.shown(err):
        study = demonstration.write(out_folder, persons)
    out.print(f"A made-up registry of {persons:,} persons is in {out_folder / 'delivery'}.", highlight=False)
    _run(study, None)


@app.command(epilog="Example: impasse run study.toml")
@_told
def run(study: StudyPath, out_folder: Out = None) -> None:
    """Run a study: classify every episode under every definition, publish tables and pages."""
    _run(study, out_folder)


def _run(study: Path, out_folder: Path | None) -> None:
    from flows import plan, progress

    plan.load(study.resolve())  # a bad study or definition is refused before Prefect starts
    from flows.pipeline import run_study

    with progress.shown(err), _answering_server():
        folder = Path(run_study(str(study), None if out_folder is None else str(out_folder)))
    _say_result(folder)


@contextmanager
def _answering_server() -> Iterator[None]:
    """Say it in our words where the server that the environment names does not answer."""
    try:
        yield
    except RuntimeError as error:
        if "Failed to reach API" not in str(error):
            raise
        raise ImpasseError(
            "No Prefect server answers.",
            where="environment, PREFECT_API_URL",
            expected="a running server, or no PREFECT_API_URL",
            do="Start it with `prefect server start`, or unset PREFECT_API_URL to run without one.",
        ) from None


def _say_result(folder: Path) -> None:
    from flows import headline

    for line in headline.lines(folder):
        out.print(line, highlight=False, soft_wrap=True)


@app.command(epilog="Example: impasse check study.toml")
@_told
def check(study: StudyPath) -> None:
    """Read, clean and check a delivery without classifying it; say what would be set aside and why."""
    import polars as pl

    from flows import plan, progress, quality, steps
    from reports.limits import unused_rows_sentences

    loaded = plan.load(study.resolve())
    with progress.shown(err):
        progress.tell("reading and cleaning", 0, 2)
        cleaned = steps.clean_delivery(study.resolve())
        progress.tell("checking", 1, 2)
        results = quality.check_delivery(
            cleaned.extract, cleaned.reconciliation, cleaned.rules, loaded.study, loaded.codes
        )
    counts = cleaned.reconciliation.filter("is_present").drop("is_present")
    absent = cleaned.reconciliation.filter(~pl.col("is_present"))["table"]
    _print_table("Rows", counts.to_dicts())
    if len(absent):
        out.print(f"Not delivered: {', '.join(absent)}.\n", highlight=False)
    if len(cleaned.rules):
        _print_table("Rows set aside, by rule", cleaned.rules.to_dicts())
    for sentence in unused_rows_sentences(cleaned.unused.to_dicts()):
        out.print(f"{sentence}\n", highlight=False)
    unmet = [result for result in results if not result.success]
    out.print(f"{len(results) - len(unmet)} of {len(results)} expectations met.", highlight=False)
    for result in unmet:
        mark = "critical" if result.is_critical else "noted"
        out.print(f"  {mark}: {result.table}: {result.sentence} Observed: {result.observed}", highlight=False)
    quality.require(results)


@app.command(epilog="Example: impasse simulate --persons 1000 --seed 7 --out registry")
@_told
def simulate(
    persons: Annotated[int, typer.Option(min=1, help="How many persons.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    out_folder: Annotated[Path, typer.Option("--out", help="The folder to write to.")] = Path("registry"),
) -> None:
    """Write a made-up registry in the generic layout."""
    from flows import demonstration, progress

    with progress.shown(err):
        written = demonstration.write_registry(out_folder, persons, seed)
    for name, rows in written.items():
        out.print(f"{name:<12} {rows:>12,} rows", highlight=False)


@app.command(epilog="Example: impasse explain runs/my-study/latest --episode P000123:anxiety:1")
@_told
def explain(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a published run.")],
    episode: Annotated[str, typer.Option("--episode", help="person_id:disorder:number")],
    definition: Annotated[str | None, typer.Option("--definition", help="Only this definition.")] = None,
) -> None:
    """Tell one episode's story: its trials, what failed on what evidence, and what each definition made of it."""
    from flows import explanation

    out.print(explanation.explain(run_folder, episode, definition), markup=False, highlight=False, end="")


@app.command(epilog="Example: impasse schema study > study.schema.json")
@_told
def schema(
    kind: Annotated[str, typer.Argument(help="study, definition or mapping")],
) -> None:
    """Print the JSON Schema of a study, definition or mapping file, for editors."""
    from schemas import definition as definition_schema
    from schemas import mapping as mapping_schema
    from schemas import study as study_schema

    known = {"study": study_schema, "definition": definition_schema, "mapping": mapping_schema}
    if kind not in known:
        raise ImpasseError(f"No schema '{kind}'.", expected=", ".join(known), do="Name one of these.")
    typer.echo(json.dumps(known[kind].json_schema(), indent=2))


@definitions_app.command("list", epilog="Example: impasse definitions list --folder my-definitions")
@_told
def list_definitions(folder: Folders = []) -> None:  # noqa: B006
    """List every definition: id, title, status, confidence."""
    from flows import io

    table = Table(box=None, pad_edge=False)
    for heading in ("id", "title", "status", "source"):
        table.add_column(heading, overflow="fold")
    for d in io.read_definitions(folder).values():
        table.add_row(d.id, d.title, d.status, d.source.confidence)
    out.print(table)


@definitions_app.command(epilog="Example: impasse definitions show dep_karolinska")
@_told
def show(name: Annotated[str, typer.Argument(metavar="ID")], folder: Folders = []) -> None:  # noqa: B006
    """Say in words what a definition asks, and where it comes from."""
    from flows import io
    from reports.prose import describe
    from schemas.errors import nearest

    known = io.read_definitions(folder)
    if name not in known:
        guess = nearest(name, sorted(known))
        raise ImpasseError(f"Unknown definition '{name}'.", do=f"Did you mean '{guess}'?" if guess else "See the list.")
    d = known[name]
    out.print(f"[bold]{escape(d.title)}[/]\n{d.id}, {d.status}, confidence {d.source.confidence}\n", highlight=False)
    for heading, text in {**describe(d), **_cited(d.source)}.items():
        out.print(f"[bold]{heading}[/]", highlight=False)
        out.print(escape(text.strip()) + "\n", highlight=False)


def _cited(source: object) -> dict[str, str]:
    return {"source": source.citation, "it says": source.says, "we read": source.reading, "open": source.open or "-"}


@definitions_app.command(epilog="Example: impasse definitions lint --folder my-definitions")
@_told
def lint(folder: Folders = []) -> None:  # noqa: B006
    """Check every definition: settings, treatment groups, code lists and scales all exist."""
    from flows import io

    codes = io.read_codelists()
    known = io.read_definitions(folder)
    for d in known.values():
        codes.check_definition(d)
    out.print(f"{len(known)} definitions, no problem found.", highlight=False)


def _print_table(title: str, rows: list[dict[str, object]]) -> None:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in rows[0] if rows else ():
        is_number = isinstance(rows[0][column], int)
        table.add_column(column, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(f"{v:,}" if isinstance(v, int) else str(v) for v in row.values()))
    out.print(table)
    out.print()
