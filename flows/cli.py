"""The `impasse` command: arguments in, a few lines out, an exit code that means something.

Exit codes: 0 done; 1 an error in Impasse itself; 2 bad input or wrong use; 3 a critical check
failed and nothing was published.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ParamSpec

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from schemas.errors import ImpasseError, PublicationStopped

if TYPE_CHECKING:
    from flows.authoring import Proof

P = ParamSpec("P")

app = typer.Typer(
    help="How much, and why, published definitions of treatment resistance disagree on your own registry data.",
    epilog="Exit codes: 0 done, 1 internal error, 2 bad input or wrong use, 3 a critical check stopped publication.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
definitions_app = typer.Typer(help="The definitions: find, read, compare, write and prove them.", no_args_is_help=True)
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


@definitions_app.command("list", epilog="Example: impasse definitions list --disorder depression --kind count")
@_told
def list_definitions(
    folder: Folders = [],  # noqa: B006
    disorder: Annotated[str, typer.Option("--disorder", help="Only those of this disorder.")] = "",
    kind: Annotated[str, typer.Option("--kind", help="Only those by count, or by score.")] = "",
    status: Annotated[str, typer.Option("--status", help="Only those of this status.")] = "",
    source: Annotated[str, typer.Option("--source", help="Only those whose citation holds this text.")] = "",
    tables: Annotated[
        str,
        typer.Option("--tables", help="Only those that read no table but these, persons and diagnoses: scores,..."),
    ] = "",
) -> None:
    """List the definitions, all or those asked for: id, title, status, confidence."""
    from flows import authoring, io

    known = io.read_definitions(folder)
    rows = authoring.find(known, authoring.Wanted(disorder, kind, status, source, tables))
    if rows:
        _print_columns(list(rows[0]), [list(row.values()) for row in rows])
    out.print(f"{len(rows)} of {len(known)} definitions.", highlight=False)


@definitions_app.command(epilog="Example: impasse definitions show dep_karolinska")
@_told
def show(name: Annotated[str, typer.Argument(metavar="ID")], folder: Folders = []) -> None:  # noqa: B006
    """Say in words what a definition asks, and where it comes from."""
    from flows import authoring, io
    from reports.prose import describe

    d = authoring.named(name, io.read_definitions(folder))
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


@definitions_app.command(epilog="Example: impasse definitions diff dep_typical_two_drugs dep_karolinska")
@_told
def diff(
    a: Annotated[str, typer.Argument(metavar="A")],
    b: Annotated[str, typer.Argument(metavar="B")],
    folder: Folders = [],  # noqa: B006
) -> None:
    """Say in which settings two definitions differ, block by block, and what that means."""
    from flows import authoring, io
    from reports.contrast import contrast

    known = io.read_definitions(folder)
    blocks = contrast(authoring.named(a, known), authoring.named(b, known))
    if not blocks:
        out.print(f"{a} and {b}: no difference in any block.", highlight=False)
    for block in blocks:
        out.print(f"[bold]{block.block}[/]", highlight=False)
        if block.settings:
            _print_columns(["setting", a, b], block.settings)
        else:
            out.print("The settings differ only in what cannot matter.\n", highlight=False)
        for name, prose in zip((a, b), block.prose, strict=True):
            out.print(f"[bold]{name}:[/] {escape(prose)}\n", highlight=False)


def _print_columns(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(box=None, pad_edge=False)
    for place, heading in enumerate(headings):
        table.add_column(heading, overflow="fold", no_wrap=place == 0)
    for row in rows:
        table.add_row(*map(escape, row))
    out.print(table)
    out.print()


@definitions_app.command(epilog="Example: impasse definitions new dep_three_drugs --from dep_typical_two_drugs")
@_told
def new(
    new_id: Annotated[str, typer.Argument(metavar="NEW_ID", help="Lower case with underscores; it is for ever.")],
    neighbour: Annotated[str, typer.Option("--from", metavar="ID", help="The definition to start from.")],
    folder: Annotated[Path, typer.Option("--folder", help="Your folder of definitions.")] = Path("my-definitions"),
) -> None:
    """Start a definition of your own: a draft that copies a neighbour, and a case file to go on from."""
    from flows import authoring

    for path in authoring.start(new_id, neighbour, folder):
        out.print(f"written: {path}", markup=False, highlight=False, soft_wrap=True)
    out.print('It is a draft, and no study uses it: set status = "active" when its cases pass.', highlight=False)


@definitions_app.command("test", epilog="Example: impasse definitions test my-definitions")
@_told
def test_folder(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Your definitions; their cases are in its cases/.")],
) -> None:
    """Run the worked cases of the definitions in a folder; exit code 2 if one fails."""
    from flows import authoring
    from reports.numbers import plural

    proofs = authoring.prove(folder)
    for proof in proofs:
        _say_proof(proof)
    n_failed = sum(len(proof.failures) for proof in proofs)
    if n_failed:
        raise ImpasseError(
            f"{n_failed} of {plural(sum(proof.n_cases for proof in proofs), 'case')} failed.",
            where=f"{folder / 'cases'}",
            expected="every case to come out as stated",
            do="Correct the definition, or the case.",
        )


def _say_proof(proof: Proof) -> None:
    """One line for the definition, and for each failure the case and every column that came out otherwise."""
    from reports.numbers import plural

    n_failed = len(proof.failures)
    words = f"{plural(proof.n_cases, 'case')} passed"
    if n_failed:
        words = f"{n_failed} of {plural(proof.n_cases, 'case')} failed"
    if not proof.n_cases:
        words = f"no cases; draw some in cases/{proof.definition_id}.toml"
    out.print(f"{proof.definition_id}: {words}", markup=False, highlight=False)
    for failure in proof.failures:
        out.print(f"  {failure.case.where}: {failure.case.name}", markup=False, highlight=False)
        for d in failure.differences:
            expected, found = ("none" if value is None else value for value in (d.expected, d.found))
            out.print(f"    {d.column}: expected {expected}, came out {found}", markup=False, highlight=False)


def _print_table(title: str, rows: list[dict[str, object]]) -> None:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in rows[0] if rows else ():
        is_number = isinstance(rows[0][column], int)
        table.add_column(column, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(f"{v:,}" if isinstance(v, int) else str(v) for v in row.values()))
    out.print(table)
    out.print()
