"""The files of the code lists: text of CSV files in, the lists out, or one message that names file and line."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from itertools import pairwise
from math import isfinite
from typing import Any

import polars as pl

from impasse.schemas.codelists import TREATMENT, WORDS, CodeLists, Types, unlisted
from impasse.schemas.definition import DISORDERS
from impasse.schemas.errors import ImpasseError
from impasse.schemas.study import OBSERVABLE
from impasse.schemas.values import POSSIBLE_CAUSES, PSEUDO_RESISTANCE

TREATMENT_MODALITIES = ("drug", "psychotherapy", "neuromodulation")
CONFIDENCE = ("V", "V-abs", "V-code", "V2", "M", "U", "D")
USES = ("include", "exclude")
TIERS = ("first_line", "later_line", "experimental")

_CITED: Types = {"source": pl.String, "date": pl.String, "confidence": pl.String}
_COLUMNS: dict[str, Types] = {
    "treatments": {**TREATMENT, **_CITED},
    "doses": {
        "atc": pl.String,
        "route": pl.String,
        "is_looked_up": pl.Boolean,
        "ddd_mg": pl.Float64,
        "minimum_effective_mg": pl.Float64,
        "indication": pl.String,
        "usual_dose_lower_mg": pl.Float64,
        "chlorpromazine_600_mg": pl.Float64,
        "atrq_mg": pl.Float64,
        **_CITED,
        "ddd_confidence": pl.String,
        "minimum_effective_confidence": pl.String,
        "usual_dose_lower_confidence": pl.String,
        "chlorpromazine_600_confidence": pl.String,
        "atrq_confidence": pl.String,
    },
    "diagnoses": {"list": pl.String, "code_system": pl.String, "code": pl.String, "use": pl.String, **_CITED},
    "scales": {
        "scale": pl.String,
        "name": pl.String,
        "disorders": WORDS,
        "minimum": pl.Float64,
        "maximum": pl.Float64,
        "higher_is": pl.String,
        "remission_max": pl.Float64,
        "response_fall_percent": pl.Float64,
        "partial_fall_percent": pl.Float64,
        "response_fall_points": pl.Float64,
        "response_max": pl.Float64,
        "worse_rise_percent": pl.Float64,
        "worse_rise_points": pl.Float64,
        "worse_min": pl.Float64,
        "severity_bands": WORDS,
        "bands_with": pl.String,
        "severity_bands_with": WORDS,
        "is_screening_tool": pl.Boolean,
        **_CITED,
    },
    "procedures": {
        "code_system": pl.String,
        "code": pl.String,
        "treatment": pl.String,
        "country": pl.String,
        **_CITED,
    },
    "disorders": {
        "disorder": pl.String,
        "diagnoses": pl.String,
        "remission": pl.String,
        "treatments": pl.String,
        **_CITED,
    },
    "causes": {
        "cause": pl.String,
        "disorder": pl.String,
        "list": pl.String,
        "makes": pl.String,
        "days_around_start": pl.Float64,
        **_CITED,
    },
    "options": {
        "option": pl.String,
        "disorder": pl.String,
        "name": pl.String,
        "treatments": pl.String,
        "tier": pl.String,
        **_CITED,
    },
    "atc_changes": {"old_atc": pl.String, "new_atc": pl.String, **_CITED},
}
_KEYS: dict[str, tuple[str, ...]] = {
    "treatments": ("treatment",),
    "doses": ("atc", "route"),
    "diagnoses": ("list", "code_system", "code"),
    "scales": ("scale",),
    "procedures": ("code_system", "code"),
    "disorders": ("disorder",),
    "causes": ("cause", "disorder", "list"),
    "options": ("option", "disorder"),
    "atc_changes": ("old_atc",),
}
_ALLOWED: dict[str, dict[str, tuple[str, ...]]] = {
    "treatments": {"modality": TREATMENT_MODALITIES, "observed_as": OBSERVABLE},
    "diagnoses": {"use": USES},
    "scales": {"higher_is": ("worse", "better")},
    "disorders": {"disorder": DISORDERS},
    "causes": {"disorder": DISORDERS, "makes": PSEUDO_RESISTANCE[1:]},
    "options": {"disorder": DISORDERS, "tier": TIERS},
}

_CUT_OFFS = (
    *("remission_max", "response_fall_percent", "partial_fall_percent", "response_fall_points", "response_max"),
    *("worse_rise_percent", "worse_rise_points", "worse_min"),
)

CsvRow = dict[str, str]


def parse(texts: dict[str, str]) -> CodeLists:
    """Read the code lists from the CSV files' texts, by file name without its ending.

    Raises ImpasseError naming file and line for a row without source, date or confidence, a value
    outside its vocabulary, or a key that is there twice, and file and word for a code list, treatment
    group or disorder that does not exist. Files of other names are not looked at.
    """
    for name in _COLUMNS:
        if name not in texts:
            raise ImpasseError(f"The code list {name}.csv is missing.", expected=", ".join(_COLUMNS), do="Restore it.")
    tables = {name: read_table(name, texts[name], f"{name}.csv") for name in _COLUMNS}
    lists = CodeLists(**{**tables, "doses": tables["doses"].filter(pl.col("is_looked_up").fill_null(False))})
    _check_named(lists)
    _check_causes(lists)
    for scale in lists.scales.iter_rows(named=True):
        _refuse_scale(scale)
    return lists


def read_table(name: str, text: str, file: str) -> pl.DataFrame:
    """The rows of one file, as they stand; `file` is what messages call it."""
    columns = _COLUMNS[name]
    reader = csv.DictReader(text.splitlines())
    seen: set[tuple[str, ...]] = set()
    cells: dict[str, list] = {column: [] for column in columns}
    try:
        if tuple(reader.fieldnames or ()) != tuple(columns):
            raise ImpasseError(f"Columns differ in {file}.", expected=", ".join(columns), do="Correct the first line.")
        for row in reader:
            where = f"{file}, line {reader.line_num}"
            _refuse_row(name, row, where, seen)
            for column, kind in columns.items():
                cells[column].append(_cell(row[column], kind, where, column))
    except csv.Error:
        where = f"{file}, line {reader.line_num + 1}"
        raise ImpasseError("The line is not readable.", where=where, expected="comma-separated cells") from None
    table = pl.DataFrame(cells, schema=columns)
    if name == "doses":
        _require_looked_up(table, file)
    return table


def places_of_rows(text: str, file: str) -> list[str]:
    """The file and line of each row that `read_table` gives."""
    reader = csv.DictReader(text.splitlines())
    return [f"{file}, line {reader.line_num}" for _ in reader]


def _refuse_row(name: str, row: CsvRow, where: str, seen: set[tuple[str, ...]]) -> None:
    """Stop at a row that is not whole, not cited, not in the vocabulary, or there twice."""
    if None in row or None in row.values():
        raise ImpasseError("A row has too many or too few cells.", where=where, do="Quote cells that hold a comma.")
    for column in (*_KEYS[name], *_CITED):
        if not row[column].strip():
            raise ImpasseError(
                f"A row without {column}.", where=where, expected=f"{column} on every row", do="Fill it."
            )
    for column, known in {**_ALLOWED.get(name, {}), "confidence": CONFIDENCE}.items():
        if row[column] not in known:
            raise unlisted(column, row[column], list(known), where)
    key = tuple(row[column] for column in _KEYS[name])
    if key in seen:
        raise ImpasseError(f"The key {' '.join(key)} is there twice.", where=where, do="Remove one of the rows.")
    seen.add(key)


def _cell(text: str, kind: pl.DataType | type[pl.DataType], where: str, column: str) -> object:
    """The value of a cell; blank is null, except that no groups are an empty list."""
    read: dict[object, Callable[[str], object]] = {
        pl.String: str,
        pl.Float64: _finite,
        pl.Boolean: {"true": True, "false": False}.__getitem__,
        WORDS: str.split,
    }
    if not text.strip() and kind != WORDS:
        return None
    try:
        return read[kind](text)
    except (ValueError, KeyError):
        expected = "true or false" if kind == pl.Boolean else "a number"
        raise ImpasseError(f"{column} is not readable.", where=where, expected=expected, do="Correct it.") from None


def _finite(text: str) -> float:
    """A number in plain figures: Python reads underscores and the figures of other scripts too."""
    if "_" in text or not text.isascii() or not isfinite(number := float(text)):
        raise ValueError
    return number


def _require_looked_up(doses: pl.DataFrame, file: str) -> None:
    """Stop at an ATC code of which not exactly one row is looked up."""
    rows = doses.filter(pl.col("is_looked_up").fill_null(False))
    for atc in doses["atc"].unique(maintain_order=True):
        if rows["atc"].to_list().count(atc) != 1:
            raise ImpasseError(
                f"{atc} has no row, or more than one, that is looked up.",
                where=file,
                expected="is_looked_up true on one row of each ATC code, that of the usual route",
                do="Correct it.",
            )


def _check_named(lists: CodeLists) -> None:
    """Every code list, treatment group and disorder that a table names exists."""
    diagnoses, groups = lists.code_lists(), lists.groups()
    named = [
        ("disorders", "diagnoses", lists.disorders["diagnoses"], diagnoses),
        ("disorders", "remission", lists.disorders["remission"], diagnoses),
        ("disorders", "treatments", lists.disorders["treatments"], groups),
        ("causes", "list", lists.causes["list"], diagnoses),
        ("options", "treatments", lists.options["treatments"], groups),
        ("procedures", "treatment", lists.procedures["treatment"], frozenset(lists.treatments["treatment"])),
        ("scales", "disorders", lists.scales["disorders"].explode(), frozenset(DISORDERS)),
        ("scales", "bands_with", lists.scales["bands_with"], diagnoses),
    ]
    for name, column, words, known in named:
        for word in sorted(set(words.drop_nulls()) - known):
            raise unlisted(column, word, sorted(known), f"{name}.csv")


def _check_causes(lists: CodeLists) -> None:
    """Stop at a cause that makes pseudo-resistance more or less sure than POSSIBLE_CAUSES says."""
    for cause, makes in lists.causes.select("cause", "makes").iter_rows():
        meant = "possible" if cause in POSSIBLE_CAUSES else "likely"
        if makes != meant:
            where = f"causes.csv, cause {cause}"
            raise ImpasseError(
                f"{cause} makes pseudo-resistance {makes}.", where=where, expected=meant, do="Correct it."
            )


def _refuse_scale(scale: Mapping[str, Any]) -> None:
    """Stop at a scale whose bands or falls no score could be read by."""
    partial, response = scale["partial_fall_percent"], scale["response_fall_percent"]
    problems = [
        *_problems_of_bands(scale, "severity_bands"),
        *_problems_of_bands(scale, "severity_bands_with"),
        (
            (scale["bands_with"] is None) != (not scale["severity_bands_with"]),
            "bands_with and severity_bands_with go together",
            "both or neither",
        ),
        (
            partial is not None and (response is None or partial >= response),
            "partial_fall_percent is not below response_fall_percent",
            "a smaller fall than that of a response",
        ),
        (
            scale["higher_is"] == "better" and any(scale[name] is not None for name in _CUT_OFFS),
            "A scale on which higher is better has cut-offs",
            "none: falls are taken for improvement",
        ),
    ]
    for is_wrong, what, expected in problems:
        if is_wrong:
            where = f"scales.csv, scale {scale['scale']}"
            raise ImpasseError(f"{what}.", where=where, expected=expected, do="Correct it.")


def _problems_of_bands(scale: Mapping[str, Any], column: str) -> list[tuple[bool, str, str]]:
    """What may be wrong with the bands of a column."""
    read = [_edge(band) for band in scale[column]]
    edges = [edge for edge in read if edge is not None]
    do_rise = _rise([scale["minimum"] - 1, *edges, scale["maximum"] + 1])
    return [
        (None in read, f"{column} is not readable", "words with a colon and a number, as mild:8"),
        (
            None not in read and not do_rise,
            f"{column} do not rise within the scale",
            "each band's lowest score, lowest band first",
        ),
    ]


def _edge(band: str) -> float | None:
    """The lowest score of a band written as word:number; None if it is not."""
    name, _, number = band.partition(":")
    return float(number) if name and number.isdecimal() else None


def _rise(numbers: list[float]) -> bool:
    return all(number < following for number, following in pairwise(numbers))
