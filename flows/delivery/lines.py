"""The physical lines of a CSV file, counted from its bytes and held against the rows that a parser reads.

    header + rows + line ends within quotes + blank lines = physical lines

Parsers disagree on carriage returns alone, on quotes within cells and on rows that are too short or too long, and a
stray quote makes them take hundreds of rows for one cell: where a row or a cell would be lost so, the file is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from impasse.schemas.errors import ImpasseError
from impasse.transforms.kernels import csv_lines

# The quoted cells of one row may hold line ends, but a row that goes on over more lines is taken for a stray quote.
MOST_LINES_OF_A_ROW = 20

_SWITCH_OFF = "If quotes are plain text in this file, say so in the study or the layout: quoting = false."


@dataclass(frozen=True)
class Lines:
    """What the bytes of a file say, lines numbered from 1; 0 is no line.

    Blank lines count apart before the header and after it. `longest` is the number of lines of the longest row. The
    first row of a kind is told by the line on which it starts: `longest_at` the longest, `bare_return_at` that with a
    carriage return alone outside quotes, `misplaced_at` that with a quote within a cell, `unfit_at` that of other than
    the `n_cells` cells of the header, `open_at` that whose quote is never closed.
    """

    n_lines: int
    n_quoted: int
    n_blank_before: int
    n_blank: int
    longest: int
    longest_at: int
    n_bare_returns: int
    bare_return_at: int
    misplaced_at: int
    unfit_at: int
    n_unfit_cells: int
    n_cells: int
    open_at: int
    delimiter: str

    @property
    def n_rows(self) -> int:
        """The rows that are written: neither header nor blank."""
        return self.n_lines - self.n_quoted - self.n_blank_before - self.n_blank - 1

    @property
    def n_handed_on(self) -> int:
        """The rows that are read: a blank line below the header is a row of blank cells, which is refused as one."""
        return self.n_rows + self.n_blank


def count_blocks(blocks: Iterable[bytes], delimiter: str, quoting: bool) -> Lines:
    """The lines of a text that comes in blocks, none of them empty; the last line needs no end."""
    counts = csv_lines.nothing_counted()

    def add(block: bytes) -> None:
        csv_lines.count_block(np.frombuffer(block, dtype=np.uint8), ord(delimiter), ord('"') if quoting else -1, counts)

    last = b"\n"
    for block in blocks:
        add(block)
        last = block[-1:]
    if last != b"\n":
        add(b"\n")
    open_at = int(counts[csv_lines.ROW_AT]) if counts[csv_lines.STANDS] == csv_lines.IN_QUOTES else 0
    return Lines(*counts[: csv_lines.ROW_AT].tolist(), open_at, delimiter)


def require_sound(file: str, lines: Lines) -> None:
    """Raise ImpasseError for the first row of a file that parsers may take differently."""
    found = (
        (lines.bare_return_at, _bare_returns),
        (lines.misplaced_at, _misplaced),
        (lines.open_at, _open),
        (lines.longest_at if lines.longest > MOST_LINES_OF_A_ROW else 0, _long_row),
        (lines.unfit_at, _unfit),
    )
    faults = [(line, tell) for line, tell in found if line]
    if faults:
        raise min(faults, key=itemgetter(0))[1](file, lines)


def require_handed_on(file: str, lines: Lines, n_rows: int) -> None:
    """Raise ImpasseError unless the rows that were read of a file are those that its lines hold."""
    if n_rows != lines.n_handed_on:
        raise _no_sum(file, lines, n_rows - lines.n_blank)


def require_all_rows(where: str, n_counted: int, n_read: int) -> None:
    """Raise ImpasseError if other than the counted rows of a file or table were read."""
    if n_counted != n_read:
        raise ImpasseError(
            f"{n_counted:,} rows were counted and {n_read:,} read.",
            where=where,
            expected="a delivery that nobody changes while it is read",
            do="Leave it alone, and start again.",
        )


def notes(lines: Lines) -> list[str]:
    """What a reader should know of lines that are all accounted for."""
    quoted = f"line ends within quotes: {lines.n_quoted:,}; the longest row has {lines.longest} lines"
    blank = f"blank lines, each refused as a row: {lines.n_blank:,}"
    return [quoted] * (lines.n_quoted > 0) + [blank] * (lines.n_blank > 0)


def _bare_returns(file: str, lines: Lines) -> ImpasseError:
    return ImpasseError(
        f"{lines.n_bare_returns:,} carriage returns stand without a line feed, outside quotes.",
        where=f"file {file}, first in the row that starts on line {lines.bare_return_at:,}",
        expected="a line feed at the end of every line, with or without a carriage return before it",
        do="Write the file with line ends of Unix or Windows, the same on every line.",
    )


def _long_row(file: str, lines: Lines) -> ImpasseError:
    return ImpasseError(
        f"A row goes on over {lines.longest:,} lines, because a quote is closed so far below.",
        where=f"file {file}, from line {lines.longest_at:,}",
        expected=f"rows of at most {MOST_LINES_OF_A_ROW} lines; a stray quote makes one cell of all rows below it",
        do=f"Write the file again without the quote, or without line ends in its cells. {_SWITCH_OFF}",
    )


def _misplaced(file: str, lines: Lines) -> ImpasseError:
    return ImpasseError(
        "A quote stands within a cell, and is not doubled.",
        where=f"file {file}, the row that starts on line {lines.misplaced_at:,}",
        expected="quotes around whole cells, and doubled within them",
        do=f"Write the file again, with every cell quoted that holds a quote, and the quote doubled. {_SWITCH_OFF}",
    )


def _open(file: str, lines: Lines) -> ImpasseError:
    return ImpasseError(
        "A quote is opened and never closed.",
        where=f"file {file}, the row that starts on line {lines.open_at:,}",
        expected="quotes in pairs",
        do=f"Write the file again, or double the quotes that are text. {_SWITCH_OFF}",
    )


def _unfit(file: str, lines: Lines) -> ImpasseError:
    return ImpasseError(
        "The file cannot be read as CSV: a line does not fit the first one, which has "
        f"{lines.n_cells:,} cells; it has {lines.n_unfit_cells:,}.",
        where=f"file {file}, line {lines.unfit_at:,}",
        expected=f"as many cells on every line, separated by {lines.delimiter!r}",
        do="Look for a delimiter too many at the end of lines, text below the table, or an unquoted cell that holds "
        "the delimiter, and write the file again. If quotes are letters as any others in it, set quoting = false.",
    )


def _no_sum(file: str, lines: Lines, n_rows: int) -> ImpasseError:
    n_blank = lines.n_blank_before + lines.n_blank
    return ImpasseError(
        f"The lines of the file do not add up: 1 header + {n_rows:,} rows + {lines.n_quoted:,} line ends within quotes "
        f"+ {n_blank:,} blank lines are not {lines.n_lines:,} lines.",
        where=f"file {file}",
        expected="every line to be read, and quotes only around whole cells, doubled within them",
        do=f"Write the file again. {_SWITCH_OFF}",
    )
