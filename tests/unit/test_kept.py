"""Pages that are kept: made once for each thing they are made of, and again whenever what is kept is not whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from impasse.flows.files import kept


def refuse() -> str:
    """A page that must not be made."""
    raise AssertionError


def kept_files(folder: Path) -> list[Path]:
    """What lies in the folder."""
    return sorted(folder.iterdir())


def test_a_page_is_made_once(tmp_path: Path) -> None:
    """The second time it is read, to the byte."""
    kept.kept_page(("a", 1), lambda: "<p>é\r\n\n", tmp_path)
    assert kept.kept_page(("a", 1), refuse, tmp_path) == "<p>é\r\n\n"


def test_another_content_is_another_page(tmp_path: Path) -> None:
    """A page is not read for anything but what it is made of."""
    kept.kept_page(("a", 1), lambda: "one", tmp_path)
    assert kept.kept_page(("a", 2), lambda: "two", tmp_path) == "two"


@pytest.mark.parametrize("there", [b"", b"<p>", b"0" * 64 + b"\nother", b"\xff\xfe"])
def test_a_page_that_is_not_whole_is_made_again(tmp_path: Path, there: bytes) -> None:
    """Cut off, changed or no text: nobody reads it."""
    kept.kept_page("a", lambda: "page", tmp_path)
    kept_files(tmp_path)[0].write_bytes(there)
    assert kept.kept_page("a", lambda: "page", tmp_path) == "page"
    assert kept.kept_page("a", refuse, tmp_path) == "page"


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    """The page is made each time."""
    (tmp_path / "file").write_text("")
    assert kept.kept_page("a", lambda: "page", tmp_path / "file") == "page"
    assert kept.kept_page("a", lambda: "page", None) == "page"


def test_only_the_last_pages_are_kept(tmp_path: Path) -> None:
    """Whoever tries many definitions does not fill the disk."""
    made = [kept.kept_page(number, lambda: "page", tmp_path) for number in range(12)]
    assert made == ["page"] * 12
    assert len(kept_files(tmp_path)) == 8


def test_a_kept_page_is_no_file_of_the_program(tmp_path: Path) -> None:
    """The fingerprint of the program, by which runs are resumed and pages found, is the same before and after."""
    kept.kept_page("a", lambda: "page", tmp_path)
    assert [path.suffix for path in kept_files(tmp_path)] == [""]
