"""What a terminal of 80 columns is told fits it."""

from __future__ import annotations

import pytest

from impasse.flows.cli import terminal
from impasse.flows.cli.terminal import PlainConsole, fitted, print_table
from impasse.schemas.errors import ImpasseError

PATH = f"/data/{'a' * 90}.csv"
TEXT = f"Error: {ImpasseError('one two ' * 15, where=PATH, expected='an id, ' * 40, do=['Mend it.', 'Or ' * 40])}"


def test_an_error_is_told_in_lines_that_fit() -> None:
    """What goes on stands below what it goes on from; a path can be copied whole; no word is lost."""
    lines = fitted(TEXT, 80).split("\n")

    assert [line for line in lines if len(line) > 80 and PATH not in line] == []
    assert f"{PATH}" in " ".join(lines)
    assert " ".join(lines).split() == TEXT.split()
    assert lines[1].startswith("       one two")
    assert "            an id, an id, an id, an id, an id, an id, an id, an id, an id, an" in lines


def test_a_line_that_fits_is_left_as_it_is() -> None:
    """80 letters are one line, 81 are two."""
    assert fitted("Error: " + "a " * 36 + "b", 80).count("\n") == 0
    assert fitted("Error: " + "a " * 36 + "bb", 80).count("\n") == 1


@pytest.mark.parametrize("is_terminal", [True, False])
def test_only_a_terminal_is_fitted(monkeypatch: pytest.MonkeyPatch, is_terminal: bool) -> None:
    """A file or a journal keeps each line, so that it can be searched."""
    console = PlainConsole(width=80, force_terminal=is_terminal, no_color=True)
    monkeypatch.setattr(terminal, "err", console)
    with console.capture() as told:
        terminal.say_error(TEXT.removeprefix("Error: "))

    assert ("an id, " * 40 in told.get()) is not is_terminal


@pytest.mark.parametrize(("length", "is_whole"), [(44, True), (45, False)])
def test_a_name_is_not_cut_where_there_is_room(monkeypatch: pytest.MonkeyPatch, length: int, is_whole: bool) -> None:
    """Half a screen, before what else is told of it."""
    console = PlainConsole(width=80)
    monkeypatch.setattr(terminal, "out", console)
    with console.capture() as told:
        print_table("Files", [{"name": "a" * length, "state": "not asked for", "note": "a note of words " * 9}])

    assert ("a" * length in told.get()) is is_whole
