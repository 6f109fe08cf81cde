"""The physical lines of a CSV file, counted from its bytes by nothing that parses cells, and held against its rows.

    header + rows + line ends within quotes + blank lines = physical lines

A line ends with a line feed, with or without a carriage return before it. Parsers disagree on carriage returns alone,
and a stray quote makes them take hundreds of rows for one cell: where a row would be lost so, the file is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import RawIOBase
from typing import IO

import numpy as np

from impasse.schemas.errors import ImpasseError

# The quoted cells of one row may hold line ends, but a row that goes on over more lines is taken for a stray quote.
MOST_LINES_OF_A_ROW = 20

_MARK = b"\xef\xbb\xbf"
_FEED, _RETURN, _QUOTE = b'\n\r"'
_AT_ONCE = 1 << 20
_SWITCH_OFF = "If quotes are plain text in this file, say so in the study or the layout: quoting = false."


@dataclass(frozen=True)
class Lines:
    """What the bytes of a file say, lines numbered from 1.

    Blank lines count apart before the header and after it. `longest` is the number of lines of the longest row, which
    starts at `longest_at`; `bare_return_at` the first line with a carriage return alone outside quotes; `open_at` the
    line of a row whose quote is never closed.
    """

    n_lines: int
    n_quoted: int
    n_blank_before: int
    n_blank: int
    longest: int
    longest_at: int
    n_bare_returns: int
    bare_return_at: int | None
    open_at: int | None

    @property
    def n_rows(self) -> int:
        """The rows that are written: neither header nor blank."""
        return self.n_lines - self.n_quoted - self.n_blank_before - self.n_blank - 1

    @property
    def n_handed_on(self) -> int:
        """The rows that are read: a blank line below the header is a row of blank cells, which is refused as one."""
        return self.n_rows + self.n_blank


class LineCounter:
    """Counts the lines of a file that comes in blocks. A quote opens or closes a cell; a doubled one does both."""

    def __init__(self, quoting: bool) -> None:
        self._quoting = quoting
        self._rest = b""
        self._n_lines = self._n_quoted = self._n_quotes = self._n_bare = 0
        self._n_blank = {True: 0, False: 0}  # by whether the header has begun
        self._row_end, self._has_begun, self._was_inside = 0, False, False
        self._longest, self._longest_at = 0, 1
        self._bare_at: int | None = None

    def add(self, block: bytes) -> None:
        """The next bytes of the file."""
        for start in range(0, len(block), _AT_ONCE):
            text = self._rest + block[start : start + _AT_ONCE]
            end = text.rfind(b"\n") + 1
            self._rest = text[end:]
            if end:
                self._count(text[:end])

    def end(self) -> Lines:
        """The counts of the whole file, whose last line needs no end."""
        if self._rest:
            self._count(self._rest + b"\n")
            self._rest = b""
        is_open = self._n_quotes % 2 == 1
        return Lines(
            self._n_lines,
            self._n_quoted,
            self._n_blank[False],
            self._n_blank[True],
            self._longest,
            self._longest_at,
            self._n_bare,
            self._bare_at,
            self._row_end + 1 if is_open else None,
        )

    def _count(self, text: bytes) -> None:
        """Whole lines."""
        if self._n_lines == 0 and text.startswith(_MARK):
            text = text[len(_MARK) :]
        data = np.frombuffer(text, dtype=np.uint8)
        ends = np.flatnonzero(data == _FEED)
        quotes = np.flatnonzero(data == _QUOTE) if self._quoting and b'"' in text else np.empty(0, dtype=np.int64)
        is_inside = self._is_inside(quotes, ends)
        if text.count(b"\r") != text.count(b"\r\n"):
            self._count_bare_returns(data, quotes, ends)
        self._count_blank(data, ends, is_inside)
        self._count_rows(is_inside)
        self._n_quotes += len(quotes)
        self._n_lines += len(ends)

    def _is_inside(self, quotes: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Whether each place is within quotes."""
        return (np.searchsorted(quotes, places) + self._n_quotes) % 2 == 1

    def _count_bare_returns(self, data: np.ndarray, quotes: np.ndarray, ends: np.ndarray) -> None:
        returns = np.flatnonzero(data == _RETURN)
        alone = returns[data[returns + 1] != _FEED]
        bare = alone[~self._is_inside(quotes, alone)]
        if self._bare_at is None and len(bare):
            self._bare_at = self._n_lines + int(np.searchsorted(ends, bare[0])) + 1
        self._n_bare += len(bare)

    def _count_blank(self, data: np.ndarray, ends: np.ndarray, is_inside: np.ndarray) -> None:
        """Blank lines, which lie outside quotes and are not the end of a row that began above."""
        n_bytes = np.diff(ends, prepend=-1) - 1
        is_blank = (n_bytes == 0) | ((n_bytes == 1) & (data[ends - 1] == _RETURN))
        is_blank &= ~is_inside & ~np.append(self._was_inside, is_inside[:-1])
        n_before = 0
        if not self._has_begun:
            filled = np.flatnonzero(~is_blank)
            self._has_begun = len(filled) > 0
            n_before = int(filled[0]) if self._has_begun else len(ends)
        self._n_blank[False] += n_before
        self._n_blank[True] += int(np.count_nonzero(is_blank)) - n_before
        self._was_inside = bool(is_inside[-1])

    def _count_rows(self, is_inside: np.ndarray) -> None:
        """How many line ends are within quotes, and over how many lines a row goes on."""
        row_ends = np.flatnonzero(~is_inside) + self._n_lines + 1
        self._n_quoted += len(is_inside) - len(row_ends)
        n_lines = np.diff(row_ends, prepend=self._row_end)
        if len(row_ends) and n_lines.max() > self._longest:
            self._longest = int(n_lines.max())
            self._longest_at = int(row_ends[n_lines.argmax()]) - self._longest + 1
        self._row_end = int(row_ends[-1]) if len(row_ends) else self._row_end


class Watched(RawIOBase):
    """A stream whose bytes are counted as they are read, so that a file is fetched and unpacked once."""

    def __init__(self, stream: IO[bytes], counter: LineCounter) -> None:
        self._stream, self._counter = stream, counter

    def readable(self) -> bool:
        """As any stream that is read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes of the stream."""
        block = self._stream.read(size)
        self._counter.add(block)
        return block


def require_every_line(file: str, lines: Lines, n_rows: int) -> None:
    """Raise ImpasseError unless every line of a file is its header, one of `n_rows` rows, within quotes, or blank."""
    if unsound := why_unsound(file, lines):
        raise unsound
    if n_rows != lines.n_rows:
        raise _no_sum(file, lines, n_rows)


def require_handed_on(file: str, lines: Lines, n_rows: int) -> None:
    """Raise ImpasseError unless the rows that were read of a file are those that its lines hold."""
    require_every_line(file, lines, n_rows - lines.n_blank)


def require_all_rows(where: str, n_counted: int, n_read: int) -> None:
    """Raise ImpasseError if other than the counted rows of a file or table were read."""
    if n_counted != n_read:
        raise ImpasseError(
            f"{n_counted:,} rows were counted and {n_read:,} read.",
            where=where,
            expected="a delivery that nobody changes while it is read",
            do="Leave it alone, and start again.",
        )


def why_unsound(file: str, lines: Lines) -> ImpasseError | None:
    """What is wrong with the lines of a file, however they are parsed."""
    if lines.bare_return_at:
        return _bare_returns(file, lines)
    if lines.open_at:
        return ImpasseError(
            "A quote is opened and never closed.",
            where=f"file {file}, the row that starts on line {lines.open_at:,}",
            expected="quotes in pairs",
            do=f"Write the file again, or double the quotes that are text. {_SWITCH_OFF}",
        )
    return _long_row(file, lines) if lines.longest > MOST_LINES_OF_A_ROW else None


def notes(lines: Lines) -> list[str]:
    """What a reader should know of lines that are all accounted for."""
    quoted = f"line ends within quotes: {lines.n_quoted:,}; the longest row has {lines.longest} lines"
    blank = f"blank lines, each refused as a row: {lines.n_blank:,}"
    return [quoted] * (lines.n_quoted > 0) + [blank] * (lines.n_blank > 0)


def _bare_returns(file: str, lines: Lines) -> ImpasseError:
    return ImpasseError(
        f"{lines.n_bare_returns:,} carriage returns stand without a line feed, outside quotes.",
        where=f"file {file}, first on line {lines.bare_return_at:,}",
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


def _no_sum(file: str, lines: Lines, n_rows: int) -> ImpasseError:
    n_blank = lines.n_blank_before + lines.n_blank
    return ImpasseError(
        f"The lines of the file do not add up: 1 header + {n_rows:,} rows + {lines.n_quoted:,} line ends within quotes "
        f"+ {n_blank:,} blank lines are not {lines.n_lines:,} lines.",
        where=f"file {file}",
        expected="every line to be read, and quotes only around whole cells, doubled within them",
        do=f"Write the file again. {_SWITCH_OFF}",
    )
