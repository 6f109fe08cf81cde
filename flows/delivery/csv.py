"""CSV files of a delivery.

CSV is read as text throughout, so nothing is cast in silence and refused rows can be kept as they came. Whatever is
wrong with a file is told once, as one ImpasseError naming file and remedy, never a value. Every line is accounted for
(`flows/delivery/lines.py`).
"""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import polars as pl
import pyarrow
import pyarrow.csv

from impasse.flows.delivery import lines
from impasse.flows.delivery.lines import LineCounter, Lines, Watched
from impasse.flows.delivery.names import refuse_two_of_a_name
from impasse.flows.delivery.regular import require_regular
from impasse.flows.files.faults import fault
from impasse.flows.files.s3 import Address, Place
from impasse.schemas.errors import ImpasseError
from impasse.schemas.file_names import shown

_DELIMITERS = (",", ";", "\t", "|")
_QUOTED = re.compile(rb'"[^"]*"')
_PROBE = 1 << 20
_GLANCE = 1 << 16
_LINES = 16 << 20
_BLOCK = 32 << 20


@dataclass(frozen=True)
class CsvForm:
    """How a CSV file is written."""

    delimiter: str = ","
    encoding: str = "utf-8"
    quoting: bool = True


def count_lines(path: Place, form: CsvForm) -> Lines:
    """The lines of a CSV file, each accounted for, and each row with as many cells as the first.

    Polars would fill a line that is cut off with blank cells; pyarrow refuses it.
    """
    counter = LineCounter(form.quoting)
    unfit: list[pyarrow.csv.InvalidRow] = []
    try:
        n_rows = _count_rows(path, form, counter, unfit) - 1
    except (pyarrow.ArrowInvalid, OSError, EOFError, zlib.error) as error:
        told = fault(error, path) or lines.why_unsound(shown(path.name), counter.end())
        raise told or (_unfit_line(path, form) if unfit else unreadable_csv(path, form)) from None
    counted = counter.end()
    lines.require_every_line(shown(path.name), counted, n_rows)
    return counted


def guess_rows(path: Place, n_bytes: int) -> int:
    """How many rows a file has, by its size and its first lines; of a large one a third less, lest it be too many.

    A packed file is taken for no larger than it is.
    """
    start = _probe(path)
    n_lines = max(start.count(b"\n"), 1)
    if len(start) >= n_bytes:
        return n_lines - 1
    return n_bytes * n_lines // len(start) * 2 // 3


def _count_rows(
    path: Place, form: CsvForm, counter: LineCounter, unfit: list[pyarrow.csv.InvalidRow], at_once: bool = True
) -> int:
    """How many rows pyarrow finds, with the header; the first that has more or fewer cells stops it, and is kept.

    Only if it does not read ahead does it know the number of that row.
    """

    def stop(row: pyarrow.csv.InvalidRow) -> str:
        unfit.append(row)
        return "error"

    reading = pyarrow.csv.ReadOptions(autogenerate_column_names=True, block_size=_LINES, use_threads=at_once)
    cells = pyarrow.csv.ParseOptions(
        delimiter=form.delimiter,
        quote_char='"' if form.quoting else False,
        newlines_in_values=form.quoting,
        invalid_row_handler=stop,
    )
    first_cells = pyarrow.csv.ConvertOptions(include_columns=["f0"], column_types={"f0": pyarrow.binary()})
    with opened(path) as stream:
        watched = Watched(stream, counter)
        with pyarrow.csv.open_csv(watched, reading, cells, first_cells) as batches:
            return sum(batch.num_rows for batch in batches)


def _unfit_line(path: Place, form: CsvForm) -> ImpasseError:
    """Where the first line is that does not fit, by reading once more; its text is not told."""
    counter = LineCounter(form.quoting)
    unfit: list[pyarrow.csv.InvalidRow] = []
    with suppress(pyarrow.ArrowInvalid, OSError, EOFError, zlib.error):
        _count_rows(path, form, counter, unfit, at_once=False)
    if not unfit or unfit[0].number is None:
        return unreadable_csv(path, form)
    row, read = unfit[0], counter.end()
    is_line = not (read.n_quoted or read.n_blank_before or read.n_blank)
    unit = "line" if is_line else "the header being row 1 and blank lines none, row"
    return ImpasseError(
        "The file cannot be read as CSV: a line does not fit the first one, which has "
        f"{row.expected_columns:,} cells; it has {row.actual_columns:,}.",
        where=f"file {shown(path.name)}, {unit} {row.number:,}",
        expected=f"as many cells on every line, separated by {form.delimiter!r}",
        do="Look for a delimiter too many at the end of lines, text below the table, or an unquoted cell that holds "
        "the delimiter, and write the file again. If quotes are letters as any others in it, set quoting = false.",
    )


def unreadable_csv(path: Place, form: CsvForm) -> ImpasseError:
    """What to say of a CSV file that has no rows and columns."""
    return ImpasseError(
        "The file cannot be read as CSV: a line does not fit the first one, or the file is cut off.",
        where=f"file {shown(path.name)}",
        expected=f"as many cells on every line, separated by {form.delimiter!r}, in {form.encoding}",
        do="Write the file again; quote cells that hold the separator, a quote or a line end. If quotes are letters as "
        "any others in it, set quoting = false.",
    )


def contents(path: Place, form: CsvForm) -> Iterator[Path | bytes]:
    """What Polars can read: the file itself, or its lines as UTF-8, some million at a time, each under the header.

    A file on S3 is always read by its lines: Polars would first copy it to a folder of its own.
    """
    if form.encoding == "utf-8" and isinstance(path, Path):
        yield path
        return
    with opened(path) as stream:
        blocks = _whole_lines(stream, form.quoting)
        first = next(blocks)
        header = first[: _end_of_header(first, form.quoting)]
        yield first.decode(form.encoding).encode("utf-8")
        for block in blocks:
            yield (header + block).decode(form.encoding).encode("utf-8")


def _whole_lines(stream: IO[bytes], quoting: bool) -> Iterator[bytes]:
    """The bytes of a CSV file in blocks of whole lines, from the first that is not blank: the header."""
    rest, is_begun = b"", False
    while block := stream.read(_BLOCK):
        rest += block
        if not is_begun:
            rest = rest.lstrip(b"\r\n")
            is_begun = bool(rest)
        end = _end_of_lines(rest, quoting)
        if end > 0:
            yield rest[:end]
            rest = rest[end:]
    if rest:
        yield rest


def _end_of_lines(text: bytes, quoting: bool) -> int:
    """Where the last line of a text ends; a line end within quotes ends no line. 0 if none does."""
    end = text.rfind(b"\n")
    n_quotes = text.count(b'"', 0, max(end, 0)) if quoting else 0
    while end >= 0 and n_quotes % 2:
        earlier = text.rfind(b"\n", 0, end)
        n_quotes -= text.count(b'"', max(earlier, 0), end)
        end = earlier
    return end + 1


def _end_of_header(text: bytes, quoting: bool) -> int:
    """Where the first line of a text ends; a name may hold a line end within quotes."""
    end = text.find(b"\n")
    while quoting and end >= 0 and text.count(b'"', 0, end) % 2:
        end = text.find(b"\n", end + 1)
    return end + 1


def opened(path: Place) -> IO[bytes]:
    """The bytes of a CSV file, unpacked."""
    require_regular(path)
    is_packed = path.suffix.lower() == ".gz"
    if isinstance(path, Address):
        return gzip.open(path.open()) if is_packed else path.open()
    return gzip.open(path) if is_packed else path.open("rb")


def check_csv(path: Place, form: CsvForm) -> None:
    """Encoding, line ends and delimiter fit what the file starts with, and no two columns have one name."""
    probe = _probe(path)
    text = probe.removeprefix(BOM_UTF8)
    if not text.strip():
        raise empty(path)
    _check_encoding(probe, path, form.encoding)
    if b"\r" in text and b"\n" not in text:
        raise _carriage_returns(path)
    header = text.decode(form.encoding, errors="replace").splitlines()[0]
    used = max(_DELIMITERS, key=header.count)
    if header.count(used) > 0 and form.delimiter not in header:
        raise ImpasseError(
            f"The cells are not separated by '{form.delimiter}'.",
            where=f"file {shown(path.name)}, first line",
            expected=f"'{form.delimiter}' between cells; the file seems to use {used!r}",
            do=f"Set delimiter = {used!r} in the study (source.delimiter) or for this file in the mapping, "
            f"or write it with '{form.delimiter}'.",
        )
    refuse_two_of_a_name(_header(text, form), f"file {shown(path.name)}", may_be_a_row=True)


def _header(text: bytes, form: CsvForm) -> list[str]:
    """The names of the columns, as they are written."""
    start = text.lstrip(b"\r\n")
    first = start[: _end_of_header(start, form.quoting)] or start
    quoting = csv.QUOTE_MINIMAL if form.quoting else csv.QUOTE_NONE
    written = first.decode(form.encoding, errors="replace")
    try:
        return next(csv.reader([written], delimiter=form.delimiter, quoting=quoting), [])
    except csv.Error:  # a carriage return alone, of which `count_lines` tells
        return []


def read_schema(path: Place, form: CsvForm) -> pl.Schema:
    """The columns of a file, all of text, as they are named where it is read."""
    text = _probe(path).removeprefix(BOM_UTF8).lstrip(b"\r\n")
    header = text[: _end_of_header(text, form.quoting)] or text
    quote = '"' if form.quoting else None
    names = pl.scan_csv(header.decode(form.encoding).encode(), separator=form.delimiter, quote_char=quote)
    try:
        return pl.Schema(dict.fromkeys(names.collect_schema(), pl.String))
    except pl.exceptions.NoDataError:  # a byte order mark alone where the header should be
        raise empty(path) from None


def guess_columns(path: Place) -> list[str]:
    """The names of the columns of a file of which nothing is known."""
    probe = _probe(path, _GLANCE)
    if not probe.strip():
        raise empty(path)
    encoding = "utf-8" if probe.isascii() or _is_utf8(probe) else "latin-1"
    return _header(probe.removeprefix(BOM_UTF8), CsvForm(_likely_delimiters(_line(probe))[0], encoding))


def _probe(path: Place, n_bytes: int = _PROBE) -> bytes:
    """The start of the file, to the end of a line."""
    try:
        with opened(path) as stream:
            start = stream.read(n_bytes)
    except (OSError, EOFError, zlib.error) as error:
        broken = ImpasseError(
            "The file cannot be opened.",
            where=f"file {shown(path.name)}",
            do="It may be cut off or not gzip: copy it again.",
        )
        raise fault(error, path) or broken from None
    return start[: start.rfind(b"\n") + 1] or start


def _check_encoding(probe: bytes, path: Place, encoding: str) -> None:
    if probe.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or b"\0" in probe[:2]:
        raise _utf_16(path, encoding)
    is_utf8 = _is_utf8(probe)
    if encoding == "utf-8" and not is_utf8:
        raise _wrong_encoding(path, "utf-8", "latin-1")
    if encoding == "latin-1" and is_utf8 and not probe.isascii():
        raise _wrong_encoding(path, "latin-1", "utf-8")


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _wrong_encoding(path: Place, stated: str, likely: str) -> ImpasseError:
    return ImpasseError(
        f"The text is not {stated}.",
        where=f"file {shown(path.name)}",
        expected=f"{stated}, as the study or the mapping has it; the file looks like {likely}",
        do=f"Set encoding = '{likely}' in the study (source.encoding) or for this file in the mapping, "
        f"or write it as {stated}.",
    )


def _utf_16(path: Place, stated: str) -> ImpasseError:
    return ImpasseError(
        "The text is UTF-16.",
        where=f"file {shown(path.name)}",
        expected=f"{stated}, as the study or the mapping has it",
        do="Write the file as UTF-8; a spreadsheet calls it CSV UTF-8, not Unicode text.",
    )


def _carriage_returns(path: Place) -> ImpasseError:
    return ImpasseError(
        "Lines end with a carriage return only.",
        where=f"file {shown(path.name)}",
        expected="a line feed at the end of every line, with or without a carriage return before it",
        do="Write the file with line ends of Unix or Windows.",
    )


def empty(path: Place) -> ImpasseError:
    """What to say of a file without a row."""
    return ImpasseError(
        "The file holds no rows.",
        where=f"file {shown(path.name)}",
        expected="at least one row; a table that is not part of the delivery is left out altogether",
        do="Deliver the rows, or take the file away.",
    )


def told_delimiter(path: Place, quoting: bool = True) -> str:
    """What separates the names of the first line; a comma where nothing does: a file of one column.

    Refused where two marks are as likely. A mark within quotes separates nothing.
    """
    most = _likely_delimiters(_line(_probe(path)), quoting)
    if len(most) > 1:
        raise ImpasseError(
            "What separates the cells cannot be told from the first line.",
            where=f"file {shown(path.name)}, first line",
            expected=f"one of {', '.join(map(repr, _DELIMITERS))}; {' and '.join(map(repr, most))} are there as often",
            do="Set delimiter in the study (source.delimiter) or for this file in the mapping.",
        )
    return most[0]


def has_quoted_names(path: Place) -> bool:
    """Whether the first line begins with a quote, as it does where a program quotes every text."""
    return _line(_probe(path)).startswith(b'"')


def _likely_delimiters(header: bytes, quoting: bool = True) -> list[str]:
    """The marks that are most often between the names of a first line; a comma if there is none."""
    names = _QUOTED.sub(b"", header) if quoting else header
    counts = {mark: names.count(mark.encode()) for mark in _DELIMITERS}
    most = max(counts.values())
    return [mark for mark, n in counts.items() if n == most] if most else [_DELIMITERS[0]]


def _line(text: bytes) -> bytes:
    """The first line of a text."""
    return next(iter(text.removeprefix(BOM_UTF8).lstrip(b"\r\n").splitlines()), b"")
