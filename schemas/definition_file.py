"""A definition file: text of a TOML file in, a definition out, or one message that names the setting and its line."""

from __future__ import annotations

import dataclasses
import re
from itertools import islice
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from impasse.schemas import renamed, toml
from impasse.schemas.definition import (
    Adequacy,
    Definition,
    DrugAdequacy,
    Eligible,
    Exclusion,
    Outcome,
    Requirement,
    ScaleBand,
    ScaleRule,
    SessionAdequacy,
    Trial,
)
from impasse.schemas.description import Description
from impasse.schemas.errors import ImpasseError, nearest
from impasse.schemas.impossible import impossible_combination
from impasse.schemas.resistance import (
    AdmissionItem,
    Alternative,
    Band,
    Count,
    Counted,
    DiagnosisItem,
    DiagnosisLevel,
    Item,
    LengthItem,
    Level,
    NumberItem,
    Scored,
    Staged,
)
from impasse.schemas.source import Source

ID = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST_ID = 80
_ADAPTERS: dict[bool, TypeAdapter[Any]] = {False: TypeAdapter(Definition), True: TypeAdapter(Description)}


def json_schema() -> dict[str, Any]:
    """JSON Schema of a computable definition's file (the id is the file's name and is not in it)."""
    schema = _ADAPTERS[False].json_schema()
    schema["properties"].pop("id")
    schema["required"].remove("id")
    return schema


def parse(definition_id: str, text: str) -> Definition | Description:
    """Read one definition file's text; `definition_id` is the file's name without its ending.

    A file of the status `descriptive` is read as a Description. Raises ImpasseError naming the setting,
    the nearest known spelling and what was expected.
    """
    where = _place(definition_id)
    _require_id(definition_id, where)
    written = _read(text, where)
    raw = renamed.with_new_names(written, renamed.DEFINITION_SETTINGS, where)
    try:
        adapter = _ADAPTERS[raw.get("status") == "descriptive"]
        definition = adapter.validate_python({**raw, "id": _own_id(definition_id, raw, where)})
    except ValidationError as error:
        raise _explained(error, where, text, written) from None
    if isinstance(definition, Definition) and (impossible := impossible_combination(definition)):
        note = renamed.note_on(written, renamed.DEFINITION_SETTINGS, where)
        raise _impossible(*impossible, where, text, note)
    return definition


def note_on_names(definition_id: str, text: str) -> str:
    """What to tell the author of a definition file that states former names; empty if it states none."""
    where = _place(definition_id)
    return renamed.note_on(_read(text, where), renamed.DEFINITION_SETTINGS, where)


def in_new_names(definition_id: str, text: str) -> str:
    """The text of a definition file with the present names of its settings."""
    return renamed.text_in_new_names(text, _read(text, _place(definition_id)), renamed.DEFINITION_SETTINGS)


def _place(definition_id: str) -> str:
    return f"definition file {definition_id}.toml"


def _read(text: str, where: str) -> dict[str, Any]:
    tables = toml.read(text, where, "Correct the line; text and codes need quotes.")
    toml.require_shown(tables, where)
    return tables


def _require_id(definition_id: str, where: str) -> None:
    if not (ID.fullmatch(definition_id) and len(definition_id) <= _LONGEST_ID):
        raise ImpasseError(
            "The file's name cannot be an id.",
            where=where,
            expected=f"at most {_LONGEST_ID} lower case letters, digits and single underscores, such as "
            "dep_three_drugs.toml",
            do="Rename the file; ids are for ever.",
        )


def _own_id(definition_id: str, raw: dict[str, Any], where: str) -> str:
    if "id" in raw:
        raise ImpasseError(
            "A definition file states no id.",
            where=where,
            expected="the file's name to be its id",
            do="Remove the line.",
        )
    return definition_id


# What tells the members of a union apart; pydantic names it in the path of a problem.
_UNIONS = (Counted, Scored, Staged, ScaleRule, ScaleBand, Item, NumberItem, LengthItem, DiagnosisItem, AdmissionItem)
_TAGS = frozenset(
    word
    for block in _UNIONS
    for name, kind in get_type_hints(block).items()
    if name in ("kind", "fails_if", "item")
    for word in get_args(kind)
)


def _explained(error: ValidationError, where: str, text: str, written: dict[str, Any]) -> ImpasseError:
    """The first problem of a pydantic error, in the user's words."""
    # A misspelt setting is both unknown and missing; that it is unknown is the one to tell.
    problem = min(error.errors(), key=lambda p: p["type"] != "unexpected_keyword_argument")
    path = [str(part) for part in problem["loc"] if part not in _TAGS]
    path = renamed.as_authored(path, written, renamed.DEFINITION_SETTINGS)
    setting = ".".join(path)
    line = _line_of(path[-1] if path else "", text)
    where = f"{where}, {line}setting {setting}"
    if problem["type"] == "unexpected_keyword_argument":
        guess = renamed.nearest_setting(path[-1], _known_settings(), renamed.DEFINITION_SETTINGS)
        hint = f"Did you mean '{guess}'?" if guess else "Remove it."
        return ImpasseError(f"Unknown setting '{setting}'.", where=where, expected="a setting of this block", do=hint)
    if problem["type"] in ("missing", "missing_argument"):
        return ImpasseError(
            f"Missing setting '{setting}'.",
            where=where,
            expected="every setting stated; a definition has no defaults",
            do="Add it, with the value the source gives.",
        )
    words = re.findall(r"'([^']+)'", str(problem.get("ctx", {}).get("expected", "")))
    guess = nearest(str(problem["input"]), words)
    return ImpasseError(
        f"Setting '{setting}' has a value that is not allowed.",
        where=where,
        expected=problem["msg"].removeprefix("Value error, "),
        do=f"Did you mean '{guess}'?" if guess else "Correct it.",
    )


def _impossible(setting: str, what: str, where: str, text: str, note: str) -> ImpasseError:
    return ImpasseError(
        f"Impossible combination: {what}.",
        where=f"{where}, {_line_of(setting, text)}setting {setting}",
        expected="settings that go together, that something reads and an episode can meet",
        do=["Change one.", note] if note else "Change one.",
    )


def _line_of(key: str, text: str) -> str:
    """Where a setting, or a block, first stands."""
    stands = re.compile(rf"\b{re.escape(key)}\s*(=|\]\s*$)")
    numbers = (number for number, line in enumerate(text.splitlines(), start=1) if stands.search(line))
    return "".join(f"line {number}, " for number in islice(numbers, 1))


def _known_settings() -> list[str]:
    blocks: tuple[Any, ...] = (
        Definition,
        Description,
        Source,
        Exclusion,
        Requirement,
        Eligible,
        Trial,
        DrugAdequacy,
        SessionAdequacy,
    )
    blocks += (Adequacy, ScaleRule, ScaleBand, Outcome, Count, Alternative, Counted, Scored, Level, Staged)
    blocks += (Item, NumberItem, LengthItem, DiagnosisItem, DiagnosisLevel, AdmissionItem, Band)
    return sorted({f.name for block in blocks for f in dataclasses.fields(block)})
