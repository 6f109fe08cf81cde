"""`impasse layout ...`: which layouts come with the program, and one of them as it stands, to be changed."""

from __future__ import annotations

from typing import Annotated

import typer

from impasse.flows.cli.terminal import print_columns, told

layout_app = typer.Typer(help="The layouts of registers: list them, write one out.", no_args_is_help=True)


@layout_app.command("list", epilog="Example: impasse layout list")
@told
def list_layouts() -> None:
    """List the layouts that come with the program: name, and the registers it reads."""
    from impasse.flows.files import inputs
    from impasse.schemas import mapping_file

    titles = [(name, mapping_file.parse(name, inputs.read_layout(name)).title) for name in inputs.layout_names()]
    print_columns(("layout", "reads"), titles)


@layout_app.command(epilog="Example: impasse layout show swedish > mine.toml")
@told
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A layout that `impasse layout list` shows.")],
) -> None:
    """Print a layout as it stands, to be changed and named in a study: layout = "mine.toml"."""
    from impasse.flows.files import inputs

    typer.echo(inputs.read_layout(name), nl=False)
