"""A mapping file: text of a TOML file in, a mapping out, or one message that names the key."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from impasse.schemas import toml
from impasse.schemas.errors import ImpasseError, nearest
from impasse.schemas.mapping import (
    ALLOWED,
    MAPPED_TABLES,
    PARTIAL_DATES,
    REQUIRED,
    Birth,
    CodeColumn,
    Column,
    File,
    Filter,
    Join,
    Mapping,
    Part,
    SystemRule,
    Written,
    with_columns,
)
from impasse.schemas.study import SUPPLY_KINDS


def json_schema() -> dict[str, Any]:
    """JSON Schema of a mapping file, for editors."""
    return Mapping.model_json_schema()


def parse(name: str, text: str) -> Mapping:
    """Read a mapping file's text; `name` is the file, for messages. Raises ImpasseError."""
    where = f"mapping {name}"
    try:
        mapping = Mapping.model_validate(toml.read(text, where, "Correct the line; names and codes need quotes."))
    except ValidationError as error:
        raise _explained(error, where) from None
    for key, file in mapping.files.items():
        _check_instead(key, file, mapping, where)
    for table in MAPPED_TABLES:
        for part in mapping.parts(table):
            _check_part(table, part, mapping, f"{where}, {table}")

    def settings(part: Part, column: Written) -> dict[str, str | None]:
        decimal = column.decimal or mapping.files[part.file].decimal
        return {"decimal": decimal, "months": column.months or mapping.months}

    return with_columns(mapping, settings)


def _check_instead(key: str, file: File, mapping: Mapping, where: str) -> None:
    others = [other for other in mapping.files if other != key]
    for other in file.instead_of:
        if other not in others:
            raise unknown_word(other, "file", others, f"{where}, files.{key}.instead_of")


def _check_part(table: str, part: Part, mapping: Mapping, where: str) -> None:
    for key in [part.file] + ([part.join.file] if part.join else []):
        if key not in mapping.files:
            raise unknown_word(key, "file", list(mapping.files), where)
    for name in part.columns:
        if name not in ALLOWED[table]:
            raise unknown_word(name, "column", list(ALLOWED[table]), where)
    for name in REQUIRED[table]:
        if name not in part.fed:
            raise ImpasseError(f"Nothing feeds the column '{name}'.", where=where, do="Say where it is found.")
    for name, column in part.columns.items():
        if name not in PARTIAL_DATES and any("%d" not in form for form in column.formats):
            raise ImpasseError(
                f"The date format of '{name}' has no day.",
                where=where,
                expected="a format with %d; only birth_date and death_date may be known by year or month",
                do="Correct `formats`.",
            )
    if "kind" in part.columns:
        _check_kinds(part.columns["kind"], where)


def _check_kinds(kind: Column, where: str) -> None:
    """Every word that the mapping itself gives as a kind of supply is one."""
    given = [word for word in (kind.constant, kind.otherwise, *kind.values.values()) if word is not None]
    for word in {*given} - {*SUPPLY_KINDS}:
        raise unknown_word(word, "kind of supply", list(SUPPLY_KINDS), where)


def unknown_word(word: str, kind: str, known: list[str], where: str) -> ImpasseError:
    """A word that is none of those known at the place, with the nearest of them."""
    guess = nearest(word, known)
    hint = f"Did you mean '{guess}'?" if guess else "Use one of these."
    return ImpasseError(f"Unknown {kind} '{word}'.", where=where, expected=", ".join(known), do=hint)


def _explained(error: ValidationError, where: str) -> ImpasseError:
    problem = error.errors()[0]
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return unknown_word(str(problem["loc"][-1]), "key", _known_keys(), f"{where}, {key}")
    if problem["type"] == "missing":
        return ImpasseError(f"Missing key '{key}'.", where=where, expected="this key to be set", do="Add it.")
    return ImpasseError(
        f"Key '{key}' has a value that is not allowed.",
        where=where,
        expected=problem["msg"].removeprefix("Value error, "),
        do="Correct it.",
    )


def _known_keys() -> list[str]:
    models = (Mapping, File, Filter, Column, CodeColumn, SystemRule, Join, Birth, Part)
    return sorted({field.serialization_alias or name for model in models for name, field in model.model_fields.items()})
