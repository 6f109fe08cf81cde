"""TOML that Python's reader chokes on is told as what it is, wherever a user writes some."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from impasse.schemas import cases, definition_file, mapping_file, study
from impasse.schemas.errors import ImpasseError


@pytest.mark.parametrize("parse", [study.parse, mapping_file.parse, definition_file.parse, cases.parse])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = " + "[" * 100_000, "nested too deep"),
        ("a = " + "9" * 5_000, "too many figures"),
        ("a = [", "Not valid TOML"),
        ("a = 2021-02-30", "Not valid TOML"),
    ],
    ids=["deep", "long number", "cut off", "no date"],
)
def test_what_cannot_be_read_is_no_valid_toml(parse: Callable[[str, str], object], text: str, words: str) -> None:
    """One message, and no error of Impasse itself."""
    with pytest.raises(ImpasseError, match="Not valid TOML") as caught:
        parse("mine", text)
    assert words in str(caught.value)
