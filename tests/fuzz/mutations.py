"""Ways in which a delivery goes wrong: of its bytes, its lines, its cells, its columns, its types and its folder.

A mutation takes the files of a delivery, as bytes by path, and changes them in place. It draws from the random numbers
that it is given and from nothing else, so the same seed makes the same delivery.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from random import Random

import polars as pl

Files = dict[str, bytes]
Mutation = Callable[[Files, Random], None]

NASTY = (
    *("", " ", "NA", "NULL", "\\N", "NaN", "inf", "-inf", "0", "-1", "-3", "1e308", "1e-320", "99999999999999999999"),
    *("9999-12-31", "0000-00-00", "2019-02-30", "20190300", "20190000", "1899-12-31", "2300-12-31", "2301-01-01"),
    *("2016-01-01T00:00:00+01:00", "2016-01-01T23:59:59Z", "01MAI2016", "12/31/2016", "F32.1 F41.1", "F32.1;F41.1"),
    *("1,5", "1.234,5", "1,234", "1.0", "12.0", "=cmd()", "<script>", "'; drop table person; --", "${x}", "%s"),
    *("\x1b[31m", "\u202e", "\ufeff", "\x00", "\x1a", "å", "x" * 70_000, "a" * 300, '"', '""', 'a"b', "'"),
)
_ENCODINGS = ("utf-16", "utf-16-le", "latin-1", "utf-8-sig", "cp1252", "cp500")


def _a_file(files: Files, rng: Random, ending: str = ".csv") -> str | None:
    names = sorted(name for name, content in files.items() if name.endswith(ending) and content)
    return rng.choice(names) if names else None


def _on_bytes(change: Callable[[bytes, Random], bytes]) -> Mutation:
    """A change of the bytes of one CSV file."""

    def mutate(files: Files, rng: Random) -> None:
        name = _a_file(files, rng)
        if name is not None:
            files[name] = change(files[name], rng)

    mutate.__name__ = change.__name__.lstrip("_")
    return mutate


def _on_lines(change: Callable[[list[bytes], Random], list[bytes]]) -> Mutation:
    """A change of the lines of one CSV file, the first of which is the header."""

    def mutate(content: bytes, rng: Random) -> bytes:
        return b"\n".join(change(content.split(b"\n"), rng))

    mutate.__name__ = change.__name__
    return _on_bytes(mutate)


def _on_cells(change: Callable[[list[list[bytes]], Random], None]) -> Mutation:
    """A change of the cells of one CSV file, taken apart at commas without regard to quotes."""

    def mutate(content: bytes, rng: Random) -> bytes:
        rows = [line.split(b",") for line in content.rstrip(b"\n").split(b"\n")]
        change(rows, rng)
        return b"\n".join(b",".join(row) for row in rows) + b"\n"

    mutate.__name__ = change.__name__
    return _on_bytes(mutate)


# Bytes.


def _flip_bytes(content: bytes, rng: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.randrange(1, 6)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _cut_the_end(content: bytes, rng: Random) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _cut_the_middle(content: bytes, rng: Random) -> bytes:
    start = rng.randrange(len(content))
    return content[:start] + content[start + rng.randrange(1, 200) :]


def _cut_the_start(content: bytes, rng: Random) -> bytes:
    return content[rng.randrange(len(content)) :]


def _insert_bytes(content: bytes, rng: Random) -> bytes:
    place = rng.randrange(len(content) + 1)
    inserted = rng.choice((b"\0", b"\r", b"\n", b'"', b",", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1a", b"\xc3", b'"\n"'))
    return content[:place] + inserted + content[place:]


def _nothing_left(content: bytes, rng: Random) -> bytes:
    return rng.choice((b"", b"\n", b"\n\n\n", b" ", b"\xef\xbb\xbf", b"\0" * 100))


def _another_encoding(content: bytes, rng: Random) -> bytes:
    text = content.decode("utf-8", errors="replace").replace("J069", "Jå")
    return text.encode(rng.choice(_ENCODINGS), errors="replace")


# Line ends and quotes.


def _other_line_ends(content: bytes, rng: Random) -> bytes:
    return content.replace(b"\n", rng.choice((b"\r\n", b"\r", b"\n\n", b"\r\r\n", b" \n")))


def _some_bare_returns(content: bytes, rng: Random) -> bytes:
    return content.replace(b"\n", b"\r", rng.randrange(1, 12))


def _late_bare_return(content: bytes, rng: Random) -> bytes:
    first, *rest = content.split(b"\n")
    at = rng.randrange(max(1, len(rest)))
    return b"\n".join([first, *rest[:at]]) + b"\r" + b"\n".join(rest[at:])


def _stray_quotes(lines: list[bytes], rng: Random) -> list[bytes]:
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(lines))
        place = rng.randrange(len(lines[at]) + 1)
        lines[at] = lines[at][:place] + b'"' + lines[at][place:]
    return lines


def _quotes_that_swallow(rows: list[list[bytes]], rng: Random) -> None:
    first, last = sorted(rng.randrange(1, len(rows)) if len(rows) > 1 else 0 for _ in range(2))
    column = rng.randrange(len(rows[0]))
    for row in (first, last):
        rows[row][column % len(rows[row])] = b'"' if row == first else b'x"'


def _a_cell_of_lines(rows: list[list[bytes]], rng: Random) -> None:
    row = rng.choice(rows)
    row[-1] = b'"' + b"\n".join([b"line"] * rng.choice((2, 3, 19, 20, 21, 60))) + b'"'


def _quoted_everywhere(rows: list[list[bytes]], rng: Random) -> None:
    for row in rows:
        row[:] = [b'"' + cell + b'"' for cell in row]


# Lines.


def _ragged(lines: list[bytes], rng: Random) -> list[bytes]:
    at = rng.randrange(len(lines))
    lines[at] = rng.choice((lines[at] + b",x", lines[at].rpartition(b",")[0], lines[at] + b",,,,"))
    return lines


def _blank_lines(lines: list[bytes], rng: Random) -> list[bytes]:
    for _ in range(rng.randrange(1, 4)):
        lines.insert(rng.randrange(len(lines) + 1), rng.choice((b"", b" ", b"\t")))
    return lines


def _lines_again(lines: list[bytes], rng: Random) -> list[bytes]:
    return lines + [rng.choice(lines) for _ in range(rng.randrange(1, 5))]


def _shuffled(lines: list[bytes], rng: Random) -> list[bytes]:
    rest = lines[1:]
    rng.shuffle(rest)
    return [lines[0], *rest]


def _header_alone(lines: list[bytes], rng: Random) -> list[bytes]:
    return lines[:1]


def _no_last_line_end(lines: list[bytes], rng: Random) -> list[bytes]:
    return [line for line in lines if line]


# Cells and columns.


def _nasty_cells(rows: list[list[bytes]], rng: Random) -> None:
    for _ in range(rng.randrange(1, 5)):
        row = rows[rng.randrange(1, len(rows))] if len(rows) > 1 else rows[0]
        row[rng.randrange(len(row))] = rng.choice(NASTY).encode()


def _a_nasty_column(rows: list[list[bytes]], rng: Random) -> None:
    column, value = rng.randrange(len(rows[0])), rng.choice(NASTY).encode()
    for row in rows[1:]:
        row[column % len(row)] = value


def _blanked_cells(rows: list[list[bytes]], rng: Random) -> None:
    for row in rows[1:]:
        if rng.random() < 0.3:
            row[rng.randrange(len(row))] = b""


def _a_column_less(rows: list[list[bytes]], rng: Random) -> None:
    column = rng.randrange(len(rows[0]))
    for row in rows:
        del row[column : column + 1]


def _a_column_twice(rows: list[list[bytes]], rng: Random) -> None:
    column = rng.randrange(len(rows[0]))
    for row in rows:
        row.append(row[column % len(row)])
    rows[0][-1] = rng.choice((rows[0][-1], rows[0][-1].upper(), rows[0][-1] + b" "))


def _a_column_more(rows: list[list[bytes]], rng: Random) -> None:
    for row in rows:
        row.insert(0, rng.choice(NASTY[:30]).encode())
    rows[0][0] = rng.choice((b"", b"extra", b"#place", b"row", b"rule", b"person", b"said", b"reason", b"\x1b[2J"))


def _columns_in_another_order(rows: list[list[bytes]], rng: Random) -> None:
    order = list(range(len(rows[0])))
    rng.shuffle(order)
    for row in rows:
        row[:] = [row[place % len(row)] for place in order]


def _header_renamed(rows: list[list[bytes]], rng: Random) -> None:
    column = rng.randrange(len(rows[0]))
    name = rows[0][column]
    rows[0][column] = rng.choice(
        (name.upper(), name.title(), b" " + name, name + b"_x", b'"' + name + b'"', b"", name[:3])
    )


def _another_delimiter(rows: list[list[bytes]], rng: Random) -> None:
    delimiter = rng.choice((b";", b"\t", b"|", b" "))
    for row in rows:
        row[:] = [delimiter.join(row)]


# Types: the same file as Parquet.


def _table(content: bytes) -> pl.DataFrame | None:
    try:
        return pl.read_csv(content, infer_schema=False)
    except pl.exceptions.PolarsError:
        return None


def _odd(frame: pl.DataFrame, rng: Random) -> pl.DataFrame:
    """The frame with a column in a type that fits it badly."""
    column = pl.col(rng.choice(frame.columns))
    as_day = column.str.to_date("%Y-%m-%d", strict=False)
    kinds = (
        column.cast(pl.Int64, strict=False),
        column.cast(pl.Float64, strict=False),
        column.cast(pl.Decimal(38, 10), strict=False),
        column.cast(pl.Categorical),
        column.cast(pl.Binary),
        pl.concat_list(column, column).alias(frame.columns[0]),
        pl.struct(column.alias("x")).alias(frame.columns[-1]),
        pl.lit(None).alias(frame.columns[-1]),
        pl.lit(True).alias(frame.columns[0]),
        as_day,
        as_day.cast(pl.Datetime("us")).dt.replace_time_zone("Europe/Stockholm"),
        as_day.cast(pl.Datetime("ns")),
        pl.lit(2**62).cast(pl.Int64).cast(pl.Datetime("ms")).alias(frame.columns[1 % len(frame.columns)]),
        pl.duration(days=1).alias(frame.columns[-1]),
        pl.time(12, 0).alias(frame.columns[-1]),
        column.repeat_by(1).list.get(0),
    )
    return frame.with_columns(rng.choice(kinds))


def as_parquet(files: Files, rng: Random) -> None:
    """One file as Parquet, one column of it in an odd type."""
    name = _a_file(files, rng)
    frame = None if name is None else _table(files[name])
    if frame is None or frame.width == 0:
        return
    stream = io.BytesIO()
    _odd(frame, rng).write_parquet(stream)
    content = stream.getvalue()
    del files[name]
    stem = name.removesuffix(".csv")
    places = (f"{stem}.parquet", f"{stem}.parquet/part-0.parquet", f"{stem}/part-0.parquet", f"{stem}.PARQUET")
    files[rng.choice(places)] = content if rng.random() < 0.8 else _cut_the_end(content, rng)


def packed(files: Files, rng: Random) -> None:
    """One file gzipped, now and then cut off."""
    name = _a_file(files, rng)
    if name is not None:
        content = gzip.compress(files.pop(name), mtime=0)
        files[f"{name}.gz"] = content if rng.random() < 0.7 else _cut_the_end(content, rng)


# The folder.


def a_file_less(files: Files, rng: Random) -> None:
    """One file is missing."""
    name = _a_file(files, rng)
    if name is not None:
        del files[name]


def a_file_more(files: Files, rng: Random) -> None:
    """A file beside the others that nobody asked for, or one with the same rows."""
    name = _a_file(files, rng)
    if name is not None:
        stem = name.removesuffix(".csv")
        places = (
            f"{stem}_2020.csv",
            f"old/{name}",
            f"{stem}.txt",
            "README.md",
            f"{stem}.csv.gz",
            f"{stem}.csv.bak",
            stem,
        )
        files[rng.choice(places)] = rng.choice((files[name], b"", b"x", gzip.compress(files[name], mtime=0)))


def renamed(files: Files, rng: Random) -> None:
    """A file under another name."""
    name = _a_file(files, rng)
    if name is not None:
        places = (name.upper(), name.title(), f" {name}", name.replace(".", "\u202e."), f"\x1b[31m{name}")
        files[rng.choice(places)] = files.pop(name)


_BYTES = (
    *(_flip_bytes, _cut_the_end, _cut_the_middle, _cut_the_start, _insert_bytes, _nothing_left, _another_encoding),
    *(_other_line_ends, _some_bare_returns, _late_bare_return),
)
_LINES = (_stray_quotes, _ragged, _blank_lines, _lines_again, _shuffled, _header_alone, _no_last_line_end)
_CELLS = (
    *(_quotes_that_swallow, _a_cell_of_lines, _quoted_everywhere, _nasty_cells, _a_nasty_column, _blanked_cells),
    *(_a_column_less, _a_column_twice, _a_column_more, _columns_in_another_order, _header_renamed, _another_delimiter),
)
MUTATIONS: tuple[Mutation, ...] = (
    *map(_on_bytes, _BYTES),
    *map(_on_lines, _LINES),
    *map(_on_cells, _CELLS),
    *(as_parquet, as_parquet, as_parquet, packed, a_file_less, a_file_more, renamed),
)
