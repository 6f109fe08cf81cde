"""`impasse definitions ...`: find, read, compare, write and prove definitions, and write the page of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from impasse.flows.cli.terminal import err, out, print_columns, told
from impasse.schemas.errors import ImpasseError

if TYPE_CHECKING:
    from impasse.flows.definitions.authoring import Proof
    from impasse.flows.definitions.catalogue import AnyDefinition
    from impasse.schemas.codelists import CodeLists
    from impasse.schemas.definition import Definition
    from impasse.schemas.source import Source

definitions_app = typer.Typer(help="The definitions: find, read, compare, write and prove them.", no_args_is_help=True)
Folders = Annotated[list[Path], typer.Option("--folder", help="Also read definitions from this folder; repeatable.")]
_WIDTH = 80
_EXPRESSIONS = (
    "Print the Polars expressions that judge it, and nothing else: those for a delivery that shows every treatment, "
    "session and admission."
)


def _note_former_names(folders: Sequence[Path]) -> None:
    """Tell the author of files with former names the new ones, apart from what a command prints."""
    from impasse.flows.files import inputs

    for note in inputs.notes_on_names(folders):
        err.print(note, markup=False, highlight=False, soft_wrap=True)


@definitions_app.command("list", epilog="Example: impasse definitions list --disorder depression --kind count")
@told
def list_definitions(
    folder: Folders = [],  # noqa: B006
    disorder: Annotated[str, typer.Option("--disorder", help="Only those of this disorder.")] = "",
    kind: Annotated[str, typer.Option("--kind", help="Only count, score, stage or descriptive ones.")] = "",
    status: Annotated[str, typer.Option("--status", help="Only those of this status.")] = "",
    source: Annotated[str, typer.Option("--source", help="Only those whose citation holds this text.")] = "",
    tables: Annotated[
        str,
        typer.Option("--tables", help="Only those that read no table but these, persons and diagnoses: scores,..."),
    ] = "",
) -> None:
    """List the definitions, all or those asked for: id, kind, status, confidence, title, label in figures."""
    from impasse.flows.definitions import catalogue
    from impasse.flows.files import inputs

    known = inputs.read_catalogue(folder)
    codes = inputs.read_codelists(folder) if tables else None
    found = catalogue.find_definitions(known, catalogue.Wanted(disorder, kind, status, source, tables), codes)
    _note_former_names(folder)
    for d in found:
        _say_entry(d, has_citation=bool(source), codes=codes)
    if found:
        out.print()
    for by, numbers in catalogue.totals(found).items():
        counted = ", ".join(f"{word} {n}" for word, n in numbers.items())
        if counted:
            _say(f"by {by}: {counted}", hang=2)
    out.print(f"{len(found)} of {len(known)} definitions.", highlight=False)


def _say_entry(d: AnyDefinition, *, has_citation: bool, codes: CodeLists | None) -> None:
    """The facts on one line, the title below, then what was asked for; with code lists, the tables it reads."""
    from impasse.flows.definitions import catalogue

    facts = f"{catalogue.kind(d):<11}  {d.status:<11}  {d.source.confidence}"
    out.print(f"[bold]{d.id:<{_WIDTH - 33}}[/] {facts}", highlight=False)
    _say(d.title, indent=2)
    if d.short:
        _say(f"in figures: {d.short}", indent=2)
    if has_citation:
        _say(f"citation: {d.source.citation}", indent=2, hang=2)
    if codes:
        reads = sorted(catalogue.tables_read(d, codes))
        _say(f"reads: {', '.join(reads) or 'no other table'}", indent=2, hang=2)


def _say(text: str, indent: int = 0, hang: int = 0) -> None:
    """Text wrapped to the terminal's width as this program takes it."""
    first, rest = " " * indent, " " * (indent + hang)
    wrapped = fill(" ".join(text.split()), _WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
    out.print(wrapped, markup=False, highlight=False, soft_wrap=True)


@definitions_app.command(epilog="Example: impasse definitions show dep_karolinska")
@told
def show(
    name: Annotated[str, typer.Argument(metavar="ID")],
    expressions: Annotated[bool, typer.Option("--expressions", help=_EXPRESSIONS)] = False,
    folder: Folders = [],  # noqa: B006
) -> None:
    """Say in words what a definition asks and where it comes from, and draw its worked cases."""
    from impasse.flows.definitions import catalogue
    from impasse.flows.files import inputs
    from impasse.reports.words.names import KIND_NAMES, STATUS_MEANINGS
    from impasse.schemas.description import Description

    d = catalogue.definition_named(name, inputs.read_catalogue(folder))
    _note_former_names(folder)
    out.print(f"[bold]{escape(d.title)}[/]", highlight=False)
    if isinstance(d, Description):
        _say(f"{d.id}: {d.status}.")
        if expressions:
            _say("It has no expressions: it is described, not computed.")
            return
        out.print()
        _say_parts({"why it is not computed": d.not_computed, **_cited(d.source)})
        return
    _say(f"{d.id}: {KIND_NAMES[catalogue.kind(d)]}; {d.status}, {STATUS_MEANINGS[d.status]}.")
    out.print()
    if expressions:
        _say_expressions(d)
        return
    _say_computed(d)
    _say_cases(d, folder)


def _say_computed(d: Definition) -> None:
    from impasse.reports.words.prose import describe, summary
    from impasse.reports.words.resistance import follow_up
    from impasse.reports.words.settings import settings
    from impasse.schemas.definition import BLOCKS

    _say_parts({"in short": summary(d), **describe(d), "follow-up": follow_up(d), **_cited(d.source)})
    for block in BLOCKS:
        print_columns([f"{block}: setting", "value"], settings(getattr(d, block)).items())


def _say_expressions(d: Definition) -> None:
    from impasse.flows.definitions.expressions import ASSUMED, in_code, truths_in_words

    _say(ASSUMED)
    out.print()
    heads = truths_in_words(d)
    for step, columns in in_code(d, _WIDTH - 4).items():
        out.print(f"[bold]{step}[/]", highlight=False)
        for name, lines in columns.items():
            _say(": ".join(filter(None, (name, heads.get(name)))), indent=2, hang=2)
            for line in lines:
                if len(line) > _WIDTH - 4:
                    _say(line, indent=4)
                else:
                    out.print(f"    {line}", markup=False, highlight=False, soft_wrap=True)
        out.print()


def _say_parts(parts: dict[str, str]) -> None:
    for heading, text in parts.items():
        out.print(f"[bold]{heading}[/]", highlight=False)
        _say(text)
        out.print()


def _cited(source: Source) -> dict[str, str]:
    from impasse.reports.words.names import confidence

    return {
        "source": source.citation,
        "it says": source.says,
        "we read": source.reading,
        "left open": source.open or "nothing",
        "confidence": f"{source.confidence}: {confidence(source.confidence)}",
    }


def _say_cases(d: Definition, folders: Sequence[Path]) -> None:
    from impasse.flows.definitions import catalogue
    from impasse.flows.files import inputs
    from impasse.reports.display.timeline import LEGEND, as_lines, draw

    found, codes = catalogue.drawn(catalogue.case_files(folders), d.id), inputs.read_codelists(folders)
    out.print(f"[bold]worked cases: {len(found)}[/]", highlight=False)
    if found:
        out.print(f"{LEGEND}\n", markup=False, highlight=False)
    for case in found:
        out.print(f"[bold]{escape(case.name)}[/]", highlight=False)
        for line in as_lines(draw(case, d, codes), _WIDTH - 2):
            out.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
        out.print()


@definitions_app.command(epilog="Example: impasse definitions lint --folder my-definitions")
@told
def lint(folder: Folders = []) -> None:  # noqa: B006
    """Check every definition: all words exist, all is cited, and every active one has at least four worked cases."""
    from impasse.flows.definitions import authoring

    n_definitions, problems = authoring.lint(folder)
    _note_former_names(folder)
    for problem in problems[:-1]:
        out.print(f"{problem}\n", markup=False, highlight=False, soft_wrap=True)
    if problems:
        raise problems[-1]
    out.print(f"{n_definitions} definitions, no problem found.", highlight=False)


@definitions_app.command(epilog="Example: impasse definitions diff dep_typical_two_drugs dep_karolinska")
@told
def diff(
    a: Annotated[str, typer.Argument(metavar="A")],
    b: Annotated[str, typer.Argument(metavar="B")],
    folder: Folders = [],  # noqa: B006
) -> None:
    """Say in which settings two definitions differ, block by block, and what that means."""
    from impasse.flows.definitions import catalogue
    from impasse.flows.files import inputs
    from impasse.reports.words.contrast import contrast

    known = inputs.read_catalogue(folder)
    blocks = contrast(catalogue.computable(a, known), catalogue.computable(b, known))
    _note_former_names(folder)
    if not blocks:
        out.print(f"{a} and {b}: no difference in any block.", highlight=False)
    for block in blocks:
        out.print(f"[bold]{block.block}[/]", highlight=False)
        if block.settings:
            print_columns(["setting", a, b], block.settings)
        else:
            out.print("The settings differ only in what cannot matter.\n", highlight=False)
        for name, prose in zip((a, b), block.prose, strict=True):
            out.print(f"[bold]{name}:[/] {escape(prose)}\n", highlight=False)


@definitions_app.command(
    epilog="Example: impasse definitions new dep_three_drugs --from dep_typical_two_drugs "
    '--title "Three antidepressants without response" --short "Three drugs, no response"'
)
@told
def new(
    new_id: Annotated[str, typer.Argument(metavar="NEW_ID", help="Lower case with underscores; it is for ever.")],
    neighbour: Annotated[str, typer.Option("--from", metavar="ID", help="The definition to start from.")],
    title: Annotated[str, typer.Option("--title", help="Its title on pages; no other definition has the same.")],
    short: Annotated[str, typer.Option("--short", help="Its label in figures, likewise; at most 28 characters.")],
    folder: Annotated[Path, typer.Option("--folder", help="Your folder of definitions.")] = Path("my-definitions"),
) -> None:
    """Start a definition of your own: a draft that copies a neighbour, with the neighbour's worked cases."""
    from impasse.flows.definitions import authoring

    written = authoring.start(new_id, neighbour, folder, title, short)
    _note_former_names([folder])
    for path in written:
        out.print(f"written: {path}", markup=False, highlight=False, soft_wrap=True)
    out.print('It is a draft, and no study uses it: set status = "active" when its cases pass.', highlight=False)


@definitions_app.command("test", epilog="Example: impasse definitions test my-definitions")
@told
def test_folder(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Your definitions; their cases are in its cases/.")],
) -> None:
    """Run the worked cases of the definitions in a folder; exit code 2 if one fails."""
    from impasse.flows.definitions import authoring
    from impasse.reports.words.numbers import plural

    proofs = authoring.prove(folder)
    _note_former_names([folder])
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
    from impasse.reports.words.numbers import plural

    n_failed = len(proof.failures)
    words = f"{plural(proof.n_cases, 'case')} passed"
    if n_failed:
        words = f"{n_failed} of {plural(proof.n_cases, 'case')} failed"
    if not proof.n_cases:
        words = f"no cases; draw some in cases/{proof.definition_id}.toml"
    out.print(f"{proof.definition_id}: {words}", markup=False, highlight=False)
    for failure in proof.failures:
        out.print(f"  {failure.case.where}: {failure.case.name}", markup=False, highlight=False, soft_wrap=True)
        for d in failure.differences:
            expected, found = ("none" if value is None else value for value in (d.expected, d.found))
            line = f"    {d.column}: expected {expected}, came out {found}"
            out.print(line, markup=False, highlight=False, soft_wrap=True)


@definitions_app.command(epilog="Example: impasse definitions methods --out methods.html --folder my-definitions")
@told
def methods(
    out_file: Annotated[Path, typer.Option("--out", help="The page to write.")] = Path("methods.html"),
    folder: Folders = [],  # noqa: B006
) -> None:
    """Write one page of all definitions: in words, side by side, with their worked cases and the vocabulary."""
    from impasse.flows.definitions import catalogue
    from impasse.flows.files import inputs, texts
    from impasse.reports.pages.methods import render_methods

    known = inputs.read_catalogue(folder)
    _note_former_names(folder)
    contents = catalogue.methods_contents(known.values(), inputs.read_codelists(folder), catalogue.case_files(folder))
    texts.write_text(render_methods(contents), out_file)
    out.print(f"written: {out_file} ({len(known)} definitions)", markup=False, highlight=False, soft_wrap=True)
