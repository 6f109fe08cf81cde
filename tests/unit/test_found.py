"""What is found in a delivery is told in few lines, without losing a file or a row."""

from impasse.schemas.found import NO_ROWS, Found, by_folder


def _part(number: int, rows: int | None = 10, note: str = "") -> Found:
    return Found(f"sales/part-{number:05d}.parquet", "read", "dispensings", rows, note)


def test_the_parts_of_a_folder_are_one_line() -> None:
    """With their number and all their rows."""
    found = [Found("people.csv", "read", "persons", 3), *map(_part, range(200)), Found("zoo.csv", "not asked for")]

    assert by_folder(found) == [
        found[0],
        Found("sales/ (200 files)", "read", "dispensings", 2000),
        found[-1],
    ]


def test_a_part_that_is_unlike_the_others_has_a_line_of_its_own() -> None:
    """By what became of it, and by its note."""
    empty, unread = _part(2, 0, NO_ROWS), Found("sales/notes.txt", "not asked for")

    assert by_folder([_part(0), _part(1), empty, _part(3), unread]) == [
        Found("sales/ (2 files)", "read", "dispensings", 20),
        empty,
        _part(3),
        unread,
    ]


def test_files_in_no_folder_are_told_one_by_one() -> None:
    """The tables of an OMOP CDM by number, or a file for each year: few, and each was named by somebody."""
    found = [Found(f"lmed_{year}.csv", "read", "dispensings", 5) for year in (2019, 2020)]

    assert by_folder(found) == found


def test_files_of_which_no_row_was_read_stay_apart_from_those_with_rows() -> None:
    """No number of rows is no nought."""
    found = [_part(0), _part(1), _part(2, None), _part(3, None)]

    assert [entry.rows for entry in by_folder(found)] == [20, None]


def test_marks_of_a_program_are_one_line() -> None:
    """Spark leaves one in every folder; a table that is called so, and one of which there is a note, stays."""
    marks = [Found(f"table_{n}/_SUCCESS", "not asked for") for n in range(17)]
    noted = Found("a/_SUCCESS", "not asked for", note="it has the columns of b.csv, which is read")
    read = Found("a/_metadata", "read", "persons", 3)
    told = "a mark of what wrote the tables"

    assert by_folder([*marks, noted, read]) == [
        noted,
        read,
        Found("_SUCCESS (17 files)", "not asked for", note=told),
    ]
    assert by_folder(marks[:1]) == [Found("_SUCCESS", "not asked for", note=told)]
