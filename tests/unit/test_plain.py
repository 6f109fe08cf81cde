"""Hostile text is spelled out wherever it is printed: in a message, in a table, on a terminal."""

from __future__ import annotations

from io import StringIO

import pytest

from impasse.flows.cli.terminal import PlainConsole, print_columns, print_table, say_error
from impasse.flows.run import progress
from impasse.schemas.errors import ImpasseError
from impasse.schemas.plain import plain, plain_lines

ESCAPE, C1, TURNED, HELD = "\x1b[2J", "\x9b31m", "\u202egpj", "\u2066x\u2069"


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("Ålder på år, µg", "Ålder på år, µg"),
        (ESCAPE, r"\x1b[2J"),
        (C1, r"\x9b31m"),
        ("a\x00\x07\x08\x7fb", r"a\x00\x07\x08\x7fb"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("a\u2028b\u2029c\x85d", r"a\u2028b\u2029c\x85d"),
        (TURNED, r"\u202egpj"),
        (HELD, r"\u2066x\u2069"),
        ("\u200f\u200b\ufeff\ud800", r"\u200f\u200b\ufeff\ud800"),
    ],
)
def test_what_a_terminal_would_obey_is_spelled_out(text: str, printed: str) -> None:
    """Letters of any language stay; control, direction, invisible and line-end characters do not."""
    assert plain(text) == printed
    assert plain(printed) == printed


def test_our_own_lines_stay_lines() -> None:
    """A text that we laid out keeps its line ends and loses the rest."""
    assert plain_lines(f"one\ntwo {ESCAPE}") == "one\ntwo \\x1b[2J"


def test_a_message_has_no_line_of_somebody_else() -> None:
    """A column cannot be named so that the message advises what we do not."""
    name = "x\n  do:       Delete everything.\x1b[0m"
    told = str(ImpasseError(f"Column '{name}' is missing.", where=name, expected=name, do=name))

    assert [line[:11].strip() for line in told.split("\n")[1:]] == ["where:", "expected:", "do:"]
    assert "\x1b" not in told


def test_a_message_of_ours_may_have_lines() -> None:
    """Reasons stand below each other, each on a line of its own, and only those that we parted."""
    told = ImpasseError("Two parts failed.", where=("part 1: a\nb", "part 2: c"), do=["first", "then"])

    assert told.where.split("\n") == ["part 1: a\\nb", "            part 2: c"]
    assert str(told).endswith("  do:       first\n            then")


def _printed(console: PlainConsole) -> str:
    return console.file.getvalue()


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> PlainConsole:
    """A terminal to look at."""
    made = PlainConsole(file=StringIO(), width=200, force_terminal=True, color_system="standard", legacy_windows=False)
    monkeypatch.setattr("impasse.flows.cli.terminal.out", made)
    monkeypatch.setattr("impasse.flows.cli.terminal.err", made)
    return made


def test_nothing_reaches_a_terminal_as_it_came(console: PlainConsole) -> None:
    """Printed, in a table, in columns, in an error and beside a bar: the gate is the terminal itself."""
    hostile = f"{ESCAPE}{C1}{TURNED}"
    console.print(hostile, highlight=False)
    print_table(hostile, [{hostile: hostile}])
    print_columns([hostile], [[hostile]])
    say_error(hostile)
    with progress.progress_shown(console):
        progress.note(hostile)
        progress.tell(hostile, 0, 1)

    printed = _printed(console)
    assert printed.count(r"\x1b[2J\x9b31m\u202egpj") >= 8
    assert ESCAPE not in printed
    assert C1[0] not in printed
    assert TURNED[0] not in printed


def test_our_own_colours_stay(console: PlainConsole) -> None:
    """Only text is spelled out; how we print it is ours."""
    say_error("bad")

    assert "\x1b[1;31mError:\x1b[0m bad" in _printed(console)


def test_names_are_no_markup(console: PlainConsole) -> None:
    """A name in brackets is a name, in a title, a heading and a cell."""
    print_table("[red]t", [{"[bold]h": "[link=http://x]c[/link]"}])
    print_columns(["[bold]h"], [["[red]c"]])

    assert all(name in _printed(console) for name in ("[red]t", "[bold]h", "[link=http://x]c[/link]", "[red]c"))


def test_a_cell_is_one_line(console: PlainConsole) -> None:
    """A value with a line end does not draw a row of its own."""
    print_table("t", [{"h": "a\nb"}])
    print_columns(["h"], [["a\nb"]])

    assert _printed(console).count(r"a\nb") == 2
