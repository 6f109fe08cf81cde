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
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import polars as pl

from impasse.flows.delivery import lines
from impasse.flows.delivery.lines import Lines
from impasse.flows.delivery.names import refuse_two_of_a_name
from impasse.flows.delivery.regular import require_regular
from impasse.flows.files.faults import fault
from impasse.flows.files.s3 import Address, Place
from impasse.schemas.errors import ImpasseError
from impasse.schemas.file_names import shown

_DELIMITERS = (",", ";", "\t", "|")
_QUOTED = re.compile(rb'"[^"]*"')
_GLANCE = 1 << 16
_AT_ONCE = 1 << 20
_BLOCK = 32 << 20


@dataclass(frozen=True)
class CsvForm:
    """How a CSV file is written."""

    delimiter: str = ","
    encoding: str = "utf-8"
    quoting: bool = True


def count_lines(path: Place, form: CsvForm) -> Lines:
    """The lines of a CSV file, each accounted for, and each row with as many cells as the first.

    Polars would fill a row that is cut off with blank cells, and take a quote within a cell in a way of its own.
    """
    counted = lines.count_blocks(_lettered(_blocks(path, _AT_ONCE), path, form), form.delimiter, form.quoting)
    lines.require_sound(shown(path.name), counted)
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

    A file on S3 is always read by its lines: Polars would first copy it to a folder of its own. So is a packed one,
    which Polars would unpack as a whole, and not at all if a tape has filled it up with zeros.
    """
    if form.encoding == "utf-8" and isinstance(path, Path) and not _is_packed(path):
        yield path
        return
    blocks = _whole_lines(_blocks(path, _BLOCK), form.quoting)
    first = next(blocks)
    header = first[: _end_of_header(first, form.quoting)]
    yield _as_utf_8(first, form)
    for block in blocks:
        yield _as_utf_8(header + block, form)


def _as_utf_8(text: bytes, form: CsvForm) -> bytes:
    return text if form.encoding == "utf-8" else text.decode(form.encoding).encode("utf-8")


def _blocks(path: Place, n_bytes: int) -> Iterator[bytes]:
    """The bytes of a CSV file, unpacked, without its byte order mark, in blocks of a size."""
    try:
        with opened(path) as stream:
            if start := stream.read(n_bytes).removeprefix(BOM_UTF8):
                yield start
            while block := stream.read(n_bytes):
                yield block
    except (OSError, EOFError, zlib.error) as error:
        raise fault(error, path) or _not_unpacked(path) from None


def _whole_lines(blocks: Iterator[bytes], quoting: bool) -> Iterator[bytes]:
    """The bytes of a CSV file in blocks of whole lines, from the first that is not blank: the header."""
    rest, is_begun = b"", False
    for block in blocks:
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
    if isinstance(path, Address):
        return gzip.open(path.open()) if _is_packed(path) else path.open()
    return gzip.open(path) if _is_packed(path) else path.open("rb")


def _not_unpacked(path: Place) -> ImpasseError:
    return ImpasseError(
        "The file cannot be unpacked.",
        where=f"file {shown(path.name)}",
        expected="a whole gzip file",
        do="It is cut off, damaged or not gzip: copy it again.",
    )


def _is_packed(path: Place) -> bool:
    return path.suffix.lower() == ".gz"


def check_csv(path: Place, form: CsvForm) -> None:
    """Encoding, line ends and delimiter fit what the file starts with, and no two columns have one name."""
    text = _probe(path)
    if not text.strip():
        raise empty(path)
    if text.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or b"\0" in text[:2]:
        raise _utf_16(path, form.encoding)
    deque(_lettered([text], path, form), maxlen=0)
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


def read_csv_schema(path: Place, form: CsvForm) -> pl.Schema:
    """The columns of a file, all of text, as they are named where it is read."""
    text = _probe(path).lstrip(b"\r\n")
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
    return _header(probe, CsvForm(_likely_delimiters(_line(probe))[0], encoding))


def _probe(path: Place, n_bytes: int = _AT_ONCE) -> bytes:
    """The start of the file, to the end of a line if that is not blank."""
    start = next(_blocks(path, n_bytes), b"")
    lines_of_it = start[: start.rfind(b"\n") + 1]
    return lines_of_it if lines_of_it.strip() else start


def _lettered(blocks: Iterable[bytes], path: Place, form: CsvForm) -> Iterator[bytes]:
    """The same blocks; ImpasseError where letters are not written as stated, or all of them otherwise."""
    decoder, n_lines, is_utf8, has_letters = getincrementaldecoder("utf-8")(), 0, True, False
    for block in blocks:
        if is_utf8 and (decoder.getstate()[0] or not block.isascii()):
            try:
                has_letters |= not decoder.decode(block).isascii()
            except UnicodeDecodeError as error:
                is_utf8, above = False, error.object[: error.start]
                if form.encoding == "utf-8":
                    told = _mixed if has_letters or not above.isascii() else _wrong_encoding
                    line = n_lines + above.count(b"\n") + 1
                    raise told(f"file {shown(path.name)}, first on line {line:,}", "utf-8", "latin-1") from None
        n_lines += block.count(b"\n")
        yield block
    is_cut = bool(decoder.getstate()[0])
    if form.encoding == "utf-8" and is_cut:
        raise unreadable_csv(path, form)
    if form.encoding == "latin-1" and is_utf8 and has_letters and not is_cut:
        raise _wrong_encoding(f"file {shown(path.name)}", "latin-1", "utf-8")


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _wrong_encoding(where: str, stated: str, likely: str) -> ImpasseError:
    return ImpasseError(
        f"The text is not {stated}.",
        where=where,
        expected=f"{stated}, as the study or the mapping has it; the file looks like {likely}",
        do=f"Set encoding = '{likely}' in the study (source.encoding) or for this file in the mapping, "
        f"or write it as {stated}.",
    )


def _mixed(where: str, stated: str, other: str) -> ImpasseError:
    return ImpasseError(
        f"The text is not {stated} throughout.",
        where=where,
        expected=f"{stated}, as the study or the mapping has it and as the letters above are",
        do=f"Write the whole file as {stated}: parts of it are damaged, or written otherwise, such as in {other}.",
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
    return next(iter(text.lstrip(b"\r\n").splitlines()), b"")
