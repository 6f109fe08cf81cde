"""Every physical line of a CSV file is a header, a row, within quotes or blank, by a count that no parser makes."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from impasse.flows.delivery import csv, lines, source_files
from impasse.flows.delivery.csv import CsvForm
from impasse.flows.delivery.delivery import SourceFile
from impasse.flows.delivery.lines import MOST_LINES_OF_A_ROW, Lines
from impasse.schemas.errors import ImpasseError
from tests.unit.deliveries import table_of

HEADER = b"person_id,note\n"
PLAIN = CsvForm()


def counted(text: bytes, quoting: bool = True, at_once: int = 1000) -> Lines:
    """The lines of a text that comes in blocks of a size."""
    blocks = (text[start : start + at_once] for start in range(0, len(text), at_once))
    return lines.count_blocks(blocks, ",", quoting)


def told(path: Path, text: bytes, form: CsvForm = PLAIN) -> str:
    """What the user is told of a file."""
    path.write_bytes(text)
    with pytest.raises(ImpasseError) as caught:
        table_of(SourceFile(path, form))
    assert "secret" not in str(caught.value)
    return str(caught.value)


def rows_of(path: Path, text: bytes, form: CsvForm = PLAIN) -> list[tuple]:
    """The rows that are read of a file."""
    path.write_bytes(text)
    return table_of(SourceFile(path, form)).rows()


@pytest.mark.parametrize(
    ("text", "n_lines", "n_quoted", "n_blank", "n_rows"),
    [
        (b"a,b\n1,2\n", 2, 0, 0, 1),
        (b"a,b\n1,2", 2, 0, 0, 1),
        (b"a,b", 1, 0, 0, 0),
        (b"a,b\r\n1,2\r\n", 2, 0, 0, 1),
        (b"a,b\n\n1,2\n\r\n\n", 5, 0, 3, 1),
        (b'a,b\n1,"x\n\ny"\n', 4, 2, 0, 1),
        (b'a,b\n1,"x ""y""\nz"\n2,""\n', 4, 1, 0, 2),
        (b'"a\n",b\n1,2\n', 3, 1, 0, 1),
    ],
)
def test_lines_are_counted(text: bytes, n_lines: int, n_quoted: int, n_blank: int, n_rows: int) -> None:
    """Whatever ends the lines, and whether or not the last one is ended."""
    found = counted(text)

    assert (found.n_lines, found.n_quoted, found.n_blank, found.n_rows) == (n_lines, n_quoted, n_blank, n_rows)


def test_blank_lines_before_the_header_are_no_rows() -> None:
    """They count apart: parsers skip them, while a blank line further down is a row of blank cells."""
    found = counted(b"\n\r\na,b\n1,2\n\n3,4\n")

    assert (found.n_blank_before, found.n_blank, found.n_rows, found.n_handed_on) == (2, 1, 2, 3)


@pytest.mark.parametrize("at_once", [1, 2, 3, 7, 1000])
def test_how_a_file_comes_changes_no_count(at_once: int) -> None:
    """A line end and a doubled quote may fall between two reads."""
    text = b'\r\nid,note\r\n1,"a\r\nb ""c"""\r\n\r\n2,d\re\n3,f\r\n4,x"\n5,g,\n6,"h'

    assert counted(text, at_once=at_once) == Lines(10, 2, 1, 1, 2, 3, 1, 6, 8, 9, 3, 2, 10, ",")


def test_quotes_are_text_where_quoting_is_off() -> None:
    """Then no line end is within quotes."""
    found = counted(b'a,b\n1,"x\n2,y"\n', quoting=False)

    assert (found.n_quoted, found.n_rows) == (0, 2)


def test_mixed_line_ends(tmp_path: Path) -> None:
    """Lines of which some end in a carriage return alone are refused, with the first of them."""
    rows = b"secret,a\n" * 3 + b"secret,b\r" * 200 + b"secret,c\n" * 200

    message = told(tmp_path / "a.csv", HEADER + rows)

    assert "200 carriage returns stand without a line feed" in message
    assert "file a.csv, first in the row that starts on line 5" in message


def test_a_header_that_ends_in_a_carriage_return(tmp_path: Path) -> None:
    """The first lines may be the odd ones: two hundred rows became part of the header."""
    text = HEADER.replace(b"\n", b"\r") + b"secret,b\r" * 200 + b"secret,c\n" * 200

    assert "201 carriage returns" in told(tmp_path / "a.csv", text)


def test_a_carriage_return_within_quotes_is_text(tmp_path: Path) -> None:
    """It ends no line there."""
    assert rows_of(tmp_path / "a.csv", HEADER + b'1,"x\ry"\n2,z\n') == [("1", "x\ry"), ("2", "z")]


def test_windows_line_ends_are_no_bare_returns(tmp_path: Path) -> None:
    """Also beside those of Unix."""
    assert rows_of(tmp_path / "a.csv", HEADER + b"1,x\r\n2,y\n") == [("1", "x"), ("2", "y")]


def test_two_stray_quotes_lose_no_rows_in_silence(tmp_path: Path) -> None:
    """Rows between two quotes that are far apart would be one cell: refused, with the place and the remedy."""
    stray = b'secret,"x\n' + b"secret,y\n" * 195 + b'secret,z"\n'

    message = told(tmp_path / "a.csv", HEADER + b"secret,y\n" * 5 + stray + b"secret,y\n")

    assert "A row goes on over 197 lines" in message
    assert "from line 7" in message
    assert "quoting = false" in message


def test_quoting_can_be_switched_off(tmp_path: Path) -> None:
    """The same file is read whole where quotes are text."""
    stray = b'1,"x\n' + b"2,y\n" * 195 + b'3,z"\n'

    assert len(rows_of(tmp_path / "a.csv", HEADER + stray, CsvForm(quoting=False))) == 197


def test_a_row_may_have_just_so_many_lines(tmp_path: Path) -> None:
    """Twenty lines are a long text, twenty-one a stray quote."""
    longest = b'1,"' + b"\n" * (MOST_LINES_OF_A_ROW - 1) + b'"\n'

    assert len(rows_of(tmp_path / "a.csv", HEADER + longest)) == 1
    assert "over 21 lines" in told(tmp_path / "a.csv", HEADER + longest.replace(b'1,"', b'1,"\n'))


def test_a_quote_that_is_never_closed(tmp_path: Path) -> None:
    """The row that opens it is named by its line."""
    message = told(tmp_path / "a.csv", HEADER + b'1,x\n2,"secret\n3,y\n')

    assert "A quote is opened and never closed." in message
    assert "line 3" in message


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (b'1,x"secret\n2,y"z\n', 2),
        (b'1,x\n2,5" secret\n', 3),
        (b'1,x "secret" y\n', 2),
        (b'1,"secret"x\n', 2),
        (b'1, "secret"\n', 2),
        (b'1,"secret" \n', 2),
        (b'1,"a\nb"\n2,"secret 1/2" y"\n', 4),
        (b'1,"secret\n2,x\n3,"y"\n', 2),
        (b'1,"a\\"secret"\n', 2),
        (b'1,""secret""\n', 2),
    ],
)
def test_a_quote_within_a_cell(tmp_path: Path, rows: bytes, line: int) -> None:
    """Parsers disagree on it, also where its row has quotes in pairs: refused, by the line its row starts on."""
    message = told(tmp_path / "a.csv", HEADER + rows)

    assert "A quote stands within a cell, and is not doubled." in message
    assert f"file a.csv, the row that starts on line {line}\n" in message
    assert "quoting = false" in message


@pytest.mark.parametrize(
    ("cell", "text"),
    [(b'"x ""y"" z"', 'x "y" z'), (b'""""', '"'), (b'"""x"', '"x'), (b'"x"""', 'x"'), (b'"x,y"', "x,y"), (b'""', "")],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_a_doubled_quote_within_quotes_is_text(tmp_path: Path, cell: bytes, text: str, end: bytes) -> None:
    """At the start, the middle and the end of a cell, before any end of a line."""
    assert rows_of(tmp_path / "a.csv", HEADER + b"1," + cell + end) == [("1", text)]


def test_a_row_whose_quotes_would_shift_its_cells(tmp_path: Path) -> None:
    """One parser reads 30, 60 and 2 at its end, another 60, 2 and nothing: refused."""
    header = b"person_id,date,atc,name,form,days_supply,quantity,daily_dose\n"
    row = b'A1,2015-02-01,N06AB06,"secret 1/2" tabl","box 6" x 4",30,60,2\n'

    assert "A quote stands within a cell" in told(tmp_path / "a.csv", header + row)
    assert len(rows_of(tmp_path / "a.csv", header + row.replace(b'2" ', b'2"" ').replace(b'6" ', b'6"" '))) == 1


def test_the_first_fault_is_told(tmp_path: Path) -> None:
    """What is wrong further down may come of it."""
    surplus, stray = b"1,secret,\n", b'1,x"\n'

    assert "it has 3" in told(tmp_path / "a.csv", HEADER + surplus + stray)
    assert "A quote stands within" in told(tmp_path / "a.csv", HEADER + stray + surplus)


def test_blank_lines_are_handed_on_and_counted(tmp_path: Path) -> None:
    """A blank line is a row of blank cells, so that it ends in the quarantine and not nowhere."""
    assert rows_of(tmp_path / "a.csv", HEADER + b"1,x\n\n2,y\n\n") == [
        ("1", "x"),
        (None, None),
        ("2", "y"),
        (None, None),
    ]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_packed_and_latin_1_files_are_counted_too(tmp_path: Path, name: str, encoding: str) -> None:
    """The bytes are counted as they are unpacked, whatever their encoding."""
    text = HEADER + 'secret,"ö\nx"\rsecret,å\n'.encode(encoding)
    packed = gzip.compress(text) if name.endswith(".gz") else text

    assert "carriage return" in told(tmp_path / name, packed, CsvForm(encoding=encoding))


def test_without_the_count_rows_would_be_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the count is for: with it switched off, a parser reads half of the rows and says nothing."""
    header = b"person_id,note,more\r"
    monkeypatch.setattr(lines, "require_sound", lambda *_: None)
    monkeypatch.setattr(lines, "require_handed_on", lambda *_: None)

    assert len(rows_of(tmp_path / "a.csv", header + b"1,x,z\r" * 199 + b"1,x,z\n" * 203)) < 300


def test_rows_that_a_parser_drops_are_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is handed on is held against the lines, not against what the same parser said before."""
    (tmp_path / "a.csv").write_bytes(HEADER + b"1,x\n2,y\n")
    read = source_files._read_pieces
    monkeypatch.setattr(source_files, "_read_pieces", lambda file: (piece.head(1) for piece in read(file)))

    with pytest.raises(ImpasseError, match=r"1 header \+ 1 rows .* are not 3 lines"):
        table_of(SourceFile(tmp_path / "a.csv"))


@pytest.mark.parametrize("header", [b"date,person_id,date\n", b"Date,person_id,date\n", b'"date",person_id,DATE\n'])
def test_two_columns_of_one_name(tmp_path: Path, header: bytes) -> None:
    """Also by capitals: both are told by their places, as the line may be a row."""
    message = told(tmp_path / "a.csv", header + b"2010-01-01,secret,2011-01-01\n")

    assert "Columns 1 and 3 have one name." in message
    assert "'date'" not in message.lower()


def test_a_row_where_names_should_be_is_not_repeated(tmp_path: Path) -> None:
    """A file without a header has values there: only their places are told."""
    message = told(tmp_path / "a.csv", b"secret,2010-01-01,secret\nsecret,2010-01-02,secret\n")

    assert "Columns 1 and 3 have one name." in message


def test_columns_without_a_name_may_be_several(tmp_path: Path) -> None:
    """Spreadsheets write them, and nothing is read by a blank name."""
    assert rows_of(tmp_path / "a.csv", b"id,,\n1,,\n") == [("1", None, None)]


@pytest.mark.parametrize(("n_rows", "least", "most"), [(3, 3, 3), (300_000, 190_000, 300_000)])
def test_rows_are_guessed_from_the_first_lines(tmp_path: Path, n_rows: int, least: int, most: int) -> None:
    """A small file is counted; a large one is taken to have rather too few rows than too many."""
    path = tmp_path / "rows.csv"
    path.write_bytes(b"person_id,code\n" + b"P000001,F32.1\n" * n_rows)
    assert least <= csv.guess_rows(path, path.stat().st_size) <= most


@pytest.mark.parametrize(
    ("rows", "where", "cells"),
    [
        (b"1,a\n2,secret,\n3,c,\n", "line 3", "2 cells; it has 3"),
        (b"1,a\n2,b\nsecret 2 rows\n", "line 4", "2 cells; it has 1"),
        (b'1,"a\na"\n\n2,secret,\n', "line 5", "2 cells; it has 3"),
    ],
    ids=["delimiter at the end", "text below the table", "after lines that are no rows"],
)
def test_the_first_line_that_does_not_fit_is_numbered(tmp_path: Path, rows: bytes, where: str, cells: str) -> None:
    """With how many cells it has, and never its text."""
    message = told(tmp_path / "a.csv", HEADER + rows)

    assert "a line does not fit the first one" in message
    assert f"a.csv, {where}\n" in message
    assert cells in message
    assert "text below the table" in message


def test_a_line_that_does_not_fit_far_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in a file that comes in many blocks."""
    monkeypatch.setattr(csv, "_AT_ONCE", 64)
    message = told(tmp_path / "a.csv", HEADER + b"1,a\n" * 5_000 + b"secret\n" + b"1,a\n" * 5_000)

    assert "a.csv, line 5,002\n" in message


def test_a_surplus_cell_far_above_the_end_of_quoted_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sound quotes that lie on both sides of a block's end are not blamed."""
    monkeypatch.setattr(csv, "_AT_ONCE", 64)
    message = told(tmp_path / "a.csv", HEADER + b'1,"a"\n' * 1_000 + b"secret,a,\n" + b'1,"a\nb"\n' * 5_000)

    assert "a.csv, line 1,002\n" in message
