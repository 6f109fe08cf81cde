"""Settings that have another name now: the former one is read for one release, and a note gives the new one.

A study's `washout_days` was time observed before an episode; a definition's `washout_days` is time free of treatment.
So former names are looked up in one kind of file, at one place in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from impasse.schemas.errors import ImpasseError, nearest

Path = tuple[str, ...]

# Where a setting of a former name stands, and what it is called now.
STUDY_SETTINGS: dict[Path, str] = {("episodes", "washout_days"): "min_prior_observation_days"}
DEFINITION_SETTINGS: dict[Path, str] = {
    ("eligible", "untreated_by"): "washout_treatments",
    ("eligible", "untreated_days"): "washout_days",
    ("trial", "drug_gap_days"): "permissible_gap_days",
    ("adequacy", "drug", "min_adherence_percent"): "min_pdc_percent",
    ("adequacy", "augmentation", "min_adherence_percent"): "min_pdc_percent",
}


def with_new_names(written: dict[str, Any], renamed: Mapping[Path, str], where: str) -> dict[str, Any]:
    """What a file says, with every setting under its new name; raises ImpasseError if one is there under both."""
    for path in former_names(written, renamed):
        if renamed[path] in _block(written, path):
            raise _stated_twice(path, renamed[path], where)
        written = _moved(written, path, renamed[path])
    return written


def former_names(written: dict[str, Any], renamed: Mapping[Path, str]) -> list[Path]:
    """The settings that a file states under a former name, by where they stand."""
    return [path for path in renamed if path[-1] in _block(written, path)]


def note_on(written: dict[str, Any], renamed: Mapping[Path, str], where: str) -> str:
    """What to tell the author of a file with former names: one text, empty if there are none."""
    pairs = [f"{'.'.join(path)} is now {renamed[path]}" for path in former_names(written, renamed)]
    which = "this name" if len(pairs) == 1 else "these names"
    return f"{where}: {'; '.join(pairs)}. Change {which}: the next release no longer reads the old." if pairs else ""


def text_in_new_names(text: str, written: dict[str, Any], renamed: Mapping[Path, str]) -> str:
    """The text of a file with the present names of its settings; nothing else of it changes."""
    for path in former_names(written, renamed):
        *block, old = path
        heading = re.escape(".".join(block))
        stands = re.compile(rf"(^\[\s*{heading}\s*\][^\n]*\n(?:(?!\[)[^\n]*\n)*?\s*){old}(?=\s*=)", re.MULTILINE)
        text = stands.sub(rf"\g<1>{renamed[path]}", text, count=1)
    return text


def nearest_setting(word: str, known: list[str], renamed: Mapping[Path, str]) -> str:
    """The setting whose present or former name is closest to a word, by its present name; empty if none is close."""
    former = {path[-1]: new for path, new in renamed.items()}
    guess = nearest(word, sorted({*known, *former}))
    return guess if guess in known else former.get(guess, "")


def as_authored(path: list[str], written: dict[str, Any], renamed: Mapping[Path, str]) -> list[str]:
    """Where a setting stands in a file, which may state it under its former name."""
    former = (each for each in former_names(written, renamed) if [*each[:-1], renamed[each]] == path)
    return list(next(former, path))


def _block(written: object, path: Path) -> dict[str, Any]:
    """The table of a file in which a setting would stand; empty if there is none."""
    for name in path[:-1]:
        written = written.get(name) if isinstance(written, dict) else None
    return written if isinstance(written, dict) else {}


def _moved(table: dict[str, Any], path: Path, new: str) -> dict[str, Any]:
    first, *rest = path
    if rest:
        return {**table, first: _moved(table[first], tuple(rest), new)}
    return {new if key == first else key: value for key, value in table.items()}


def _stated_twice(path: Path, new: str, where: str) -> ImpasseError:
    *block, old = path
    return ImpasseError(
        f"A setting under two names: '{old}' is the former name of '{new}'.",
        where=f"{where}, block {'.'.join(block)}",
        expected=f"'{new}' alone",
        do=f"Remove '{old}'.",
    )
