"""Code lists: what a delivered code means. Text of the CSV files in, frozen frames and look-ups out.

Every row says where it is written, when it was read and how sure it is. Codes are upper case
without dots. Classification codes (ICD, ICPC, ATC, procedures) carry their hierarchy in their
spelling, so a listed code stands for everything that starts with it; SNOMED and OMOP identifiers do
not and must match exactly; several that hold together are joined by `+`. Look-ups take the unique
codes of a delivery, not its rows, so plain Python is fast enough.

A treatment belongs surely to its `groups` and possibly to its `maybe_groups`: the code is too
coarse to tell (N06A may be an SSRI, a session of psychotherapy may be CBT).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, pairwise
from typing import Any

import polars as pl

from impasse.schemas.definition import DISORDERS, Definition
from impasse.schemas.errors import ImpasseError, nearest
from impasse.schemas.study import OBSERVABLE

MODALITIES = ("drug", "psychotherapy", "neuromodulation")
CONFIDENCE = ("V", "V-abs", "V-code", "V2", "M", "U", "D")
USES = ("include", "exclude")
TIERS = ("first_line", "later_line", "experimental")
EXACT_SYSTEMS = ("snomed", "omop")
# Between identifiers that one diagnosis stands for together: what a list leaves out of one is left out of all.
JOINED_BY = "+"

_Types = dict[str, pl.DataType | type[pl.DataType]]

_CITED: _Types = {"source": pl.String, "date": pl.String, "confidence": pl.String}
_WORDS = pl.List(pl.String)
_TREATMENT: _Types = {
    "treatment": pl.String,
    "name": pl.String,
    "modality": pl.String,
    "class": pl.String,
    "mechanism": pl.String,
    "observed_as": pl.String,
    "groups": _WORDS,
    "maybe_groups": _WORDS,
}
_COLUMNS: dict[str, _Types] = {
    "treatments": {**_TREATMENT, **_CITED},
    "doses": {
        "atc": pl.String,
        "route": pl.String,
        "is_looked_up": pl.Boolean,
        "ddd_mg": pl.Float64,
        "minimum_effective_mg": pl.Float64,
        "indication": pl.String,
        "usual_dose_lower_mg": pl.Float64,
        "chlorpromazine_600_mg": pl.Float64,
        **_CITED,
        "ddd_confidence": pl.String,
        "minimum_effective_confidence": pl.String,
        "usual_dose_lower_confidence": pl.String,
        "chlorpromazine_600_confidence": pl.String,
    },
    "diagnoses": {"list": pl.String, "code_system": pl.String, "code": pl.String, "use": pl.String, **_CITED},
    "scales": {
        "scale": pl.String,
        "name": pl.String,
        "disorders": _WORDS,
        "minimum": pl.Float64,
        "maximum": pl.Float64,
        "remission_max": pl.Float64,
        "response_fall_percent": pl.Float64,
        "partial_fall_percent": pl.Float64,
        "response_fall_points": pl.Float64,
        "response_max": pl.Float64,
        "severity_bands": _WORDS,
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
    "causes": {"cause": pl.String, "disorder": pl.String, "list": pl.String, **_CITED},
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
    "treatments": {"modality": MODALITIES, "observed_as": OBSERVABLE},
    "diagnoses": {"use": USES},
    "disorders": {"disorder": DISORDERS},
    "causes": {"disorder": DISORDERS},
    "options": {"disorder": DISORDERS, "tier": TIERS},
}
_RESOLVED: _Types = {**_TREATMENT, "is_identified": pl.Boolean}

Row = dict[str, str]


@dataclass(frozen=True, eq=False)
class CodeLists:
    """The code tables of a run, one frame per file, rows in the file's order.

    Blank cells are null; groups, disorders of a scale and severity bands are lists of words. `doses` holds the
    rows that are looked up only: one for each ATC code.
    """

    treatments: pl.DataFrame
    doses: pl.DataFrame
    diagnoses: pl.DataFrame
    scales: pl.DataFrame
    procedures: pl.DataFrame
    disorders: pl.DataFrame
    causes: pl.DataFrame
    options: pl.DataFrame
    atc_changes: pl.DataFrame

    @cached_property
    def _treatment_rows(self) -> dict[str, dict]:
        return {row["treatment"]: row for row in self.treatments.iter_rows(named=True)}

    @cached_property
    def _listed_codes(self) -> dict[tuple[str, str], list[tuple[str, str]]]:
        listed: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for system, code, name, use in self.diagnoses.select("code_system", "code", "list", "use").iter_rows():
            listed.setdefault((system, code), []).append((name, use))
        return listed

    def drug_name(self, atc: str) -> str:
        """A drug's name; a code that stands for several drugs, or that is not listed, with its code."""
        listed = self._treatment_rows.get(atc)
        if listed and len(atc) == 7:
            return listed["name"]
        known = _longest_prefix(atc, self._treatment_rows)
        return f"{atc} ({self._resolved(atc, known)['name']})" if known else f"{atc} (not listed)"

    def resolve_atc(self, codes: pl.Series) -> pl.DataFrame:
        """One row per distinct delivered ATC code that is a treatment, under its longest listed prefix.

        `treatment` is the delivered code itself: two unlisted drugs of one class stay two substances.
        """
        found = ((code, _longest_prefix(code, self._treatment_rows)) for code in sorted(set(codes.drop_nulls())))
        rows = [{"atc": code, **self._resolved(code, row)} for code, row in found if row]
        return pl.DataFrame(rows, schema={"atc": pl.String, **_RESOLVED})

    def resolve_treatment(self, names: Iterable[str]) -> pl.DataFrame:
        """One row per distinct treatment of the vocabulary among `names`; others are left out."""
        known = self._treatment_rows
        rows = [self._resolved(name, known[name]) for name in sorted(set(names) & known.keys())]
        return pl.DataFrame(rows, schema=_RESOLVED)

    def resolve_procedures(self, codes: pl.DataFrame) -> pl.DataFrame:
        """The treatment of each distinct code_system and code that is one."""
        listed = {(row["code_system"], row["code"]): row for row in self.procedures.iter_rows(named=True)}
        rows = [
            {"code_system": system, "code": code, "treatment": row["treatment"]}
            for system, code in _pairs(codes)
            if (row := _longest_listed(system, code, listed))
        ]
        return pl.DataFrame(rows, schema={"code_system": pl.String, "code": pl.String, "treatment": pl.String})

    def codes_in_list(self, codes: pl.DataFrame) -> pl.DataFrame:
        """The code lists each distinct code_system and code is in: an include prefix and no exclude prefix."""
        rows = [
            {"code_system": system, "code": code, "list": name}
            for system, code in _pairs(codes)
            for name in self.lists_of(system, code)
        ]
        return pl.DataFrame(rows, schema={"code_system": pl.String, "code": pl.String, "list": pl.String})

    def lists_of(self, system: str, code: str) -> list[str]:
        """The code lists that a code of a system is in, in order."""
        hits = [hit for part in _spellings(system, code) for hit in self._listed_codes.get((system, part), [])]
        excluded = {name for name, use in hits if use == "exclude"}
        return sorted({name for name, _ in hits} - excluded)

    @cached_property
    def diagnoses_of(self) -> dict[str, str]:
        """The code list of each disorder's diagnoses."""
        return dict(self.disorders.select("disorder", "diagnoses").iter_rows())

    def groups(self) -> frozenset[str]:
        """Every treatment group that has a sure member."""
        return frozenset(self.treatments["groups"].explode().drop_nulls())

    def code_lists(self) -> frozenset[str]:
        """Every diagnosis code list."""
        return frozenset(self.diagnoses["list"])

    def observed_as_of_group(self, group: str) -> frozenset[str]:
        """What a delivery must show (`observes`) for every treatment of the group to be seen."""
        return self._observed_as.get(group, frozenset())

    @cached_property
    def _observed_as(self) -> dict[str, frozenset[str]]:
        members = self.treatments.select("groups", "observed_as").explode("groups").drop_nulls("groups")
        named = members.group_by("groups").agg(pl.col("observed_as").unique())
        return {group: frozenset(kinds) for group, kinds in named.iter_rows()}

    def check_definition(self, definition: Definition, text: str = "") -> None:
        """Raise ImpasseError for the first group, code list or scale of the definition that is not known.

        With the file's text the message names the line.
        """
        scales = {rule.scale for rule in definition.outcome.scales}
        named = [
            ("treatment group", definition.groups, self.groups()),
            ("code list", definition.code_lists, self.code_lists()),
            ("scale", scales, set(self.scales["scale"])),
        ]
        for kind, used, known in named:
            for word in sorted(used - known):
                where = f"definition file {definition.id}.toml{_line_of(word, text)}"
                raise _unknown_word(kind, word, sorted(known), where)

    def _resolved(self, treatment: str, row: dict) -> dict:
        facts = {column: row[column] for column in _TREATMENT}
        return {**facts, "treatment": treatment, "is_identified": _is_identified(treatment, row["modality"])}


def parse(texts: dict[str, str]) -> CodeLists:
    """Read the code lists from the CSV files' texts, by file name without its ending.

    Raises ImpasseError naming file and line for a row without source, date or confidence, a value
    outside its vocabulary, or a key that is there twice, and file and word for a code list, treatment
    group or disorder that does not exist. Files of other names are not looked at.
    """
    for name in _COLUMNS:
        if name not in texts:
            raise ImpasseError(f"The code list {name}.csv is missing.", expected=", ".join(_COLUMNS), do="Restore it.")
    tables = {name: _table(name, texts[name]) for name in _COLUMNS}
    lists = CodeLists(**{**tables, "doses": _looked_up(tables["doses"])})
    _check_named(lists)
    for scale in lists.scales.iter_rows(named=True):
        _refuse_scale(scale)
    return lists


def _table(name: str, text: str) -> pl.DataFrame:
    columns = _COLUMNS[name]
    reader = csv.DictReader(text.splitlines())
    if tuple(reader.fieldnames or ()) != tuple(columns):
        raise ImpasseError(f"Columns differ in {name}.csv.", expected=", ".join(columns), do="Correct the first line.")
    seen: set[tuple[str, ...]] = set()
    cells: dict[str, list] = {column: [] for column in columns}
    for row in reader:
        where = f"{name}.csv, line {reader.line_num}"
        _refuse_row(name, row, where, seen)
        for column, kind in columns.items():
            cells[column].append(_cell(row[column], kind, where, column))
    return pl.DataFrame(cells, schema=columns)


def _refuse_row(name: str, row: Row, where: str, seen: set[tuple[str, ...]]) -> None:
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
            raise _unknown_word(column, row[column], list(known), where)
    key = tuple(row[column] for column in _KEYS[name])
    if key in seen:
        raise ImpasseError(f"The key {' '.join(key)} is there twice.", where=where, do="Remove one of the rows.")
    seen.add(key)


def _cell(text: str, kind: pl.DataType | type[pl.DataType], where: str, column: str) -> object:
    """The value of a cell; blank is null, except that no groups are an empty list."""
    read: dict[object, Callable[[str], object]] = {
        pl.String: str,
        pl.Float64: float,
        pl.Boolean: {"true": True, "false": False}.__getitem__,
        _WORDS: str.split,
    }
    if not text.strip() and kind != _WORDS:
        return None
    try:
        return read[kind](text)
    except (ValueError, KeyError):
        expected = "true or false" if kind == pl.Boolean else "a number"
        raise ImpasseError(f"{column} is not readable.", where=where, expected=expected, do="Correct it.") from None


def _looked_up(doses: pl.DataFrame) -> pl.DataFrame:
    """The rows that are looked up: exactly one for each ATC code."""
    rows = doses.filter(pl.col("is_looked_up").fill_null(False))
    for atc in doses["atc"].unique(maintain_order=True):
        if rows["atc"].to_list().count(atc) != 1:
            raise ImpasseError(
                f"{atc} has no row, or more than one, that is looked up.",
                where="doses.csv",
                expected="is_looked_up true on one row of each ATC code, that of the usual route",
                do="Correct it.",
            )
    return rows


def _check_named(lists: CodeLists) -> None:
    """Every code list, treatment group and disorder that a table names exists."""
    diagnoses, groups = lists.code_lists(), lists.groups()
    named = [
        ("disorders", "diagnoses", lists.disorders["diagnoses"], diagnoses),
        ("disorders", "remission", lists.disorders["remission"], diagnoses),
        ("disorders", "treatments", lists.disorders["treatments"], groups),
        ("causes", "list", lists.causes["list"], diagnoses),
        ("options", "treatments", lists.options["treatments"], groups),
        ("scales", "disorders", lists.scales["disorders"].explode(), frozenset(DISORDERS)),
    ]
    for name, column, words, known in named:
        for word in sorted(set(words.drop_nulls()) - known):
            raise _unknown_word(column, word, sorted(known), f"{name}.csv")


def _refuse_scale(scale: Mapping[str, Any]) -> None:
    """Stop at a scale whose bands or falls no score could be read by."""
    read = [_edge(band) for band in scale["severity_bands"]]
    edges = [edge for edge in read if edge is not None]
    partial, response = scale["partial_fall_percent"], scale["response_fall_percent"]
    problems = [
        (None in read, "severity_bands is not readable", "words with a colon and a number, as mild:8"),
        (
            None not in read and not _rise([scale["minimum"] - 1, *edges, scale["maximum"] + 1]),
            "severity_bands do not rise within the scale",
            "each band's lowest score, lowest band first",
        ),
        (
            partial is not None and (response is None or partial >= response),
            "partial_fall_percent is not below response_fall_percent",
            "a smaller fall than that of a response",
        ),
    ]
    for is_wrong, what, expected in problems:
        if is_wrong:
            where = f"scales.csv, scale {scale['scale']}"
            raise ImpasseError(f"{what}.", where=where, expected=expected, do="Correct it.")


def _edge(band: str) -> float | None:
    """The lowest score of a band written as word:number; None if it is not."""
    name, _, number = band.partition(":")
    return float(number) if name and number.isdecimal() else None


def _rise(numbers: list[float]) -> bool:
    return all(number < following for number, following in pairwise(numbers))


def _unknown_word(kind: str, word: str, known: list[str], where: str) -> ImpasseError:
    guess = nearest(word, known)
    return ImpasseError(
        f"Unknown {kind} '{word}'.",
        where=where,
        expected=", ".join(known),
        do=f"Did you mean '{guess}'?" if guess else "Use one of the expected words.",
    )


def _line_of(word: str, text: str) -> str:
    """The first line of a definition that names the word."""
    numbers = (n for n, line in enumerate(text.splitlines(), start=1) if f'"{word}"' in line)
    return "".join(f", line {n}" for n in islice(numbers, 1))


def _is_identified(treatment: str, modality: str) -> bool:
    """Whether the code names one treatment rather than a class of them."""
    return len(treatment) == 7 if modality == "drug" else not treatment.endswith("_unspecified")


def _pairs(codes: pl.DataFrame) -> Iterator[tuple[str, str]]:
    return codes.select("code_system", "code").drop_nulls().unique().sort("code_system", "code").iter_rows()


def _spellings(system: str, code: str) -> list[str]:
    """The code, or the identifiers that it joins, and in a classification everything above it, longest first."""
    return code.split(JOINED_BY) if system in EXACT_SYSTEMS else [code[:length] for length in range(len(code), 0, -1)]


def _longest_prefix(code: str, rows: dict[str, dict]) -> dict | None:
    return next((rows[part] for part in _spellings("atc", code) if part in rows), None)


def _longest_listed(system: str, code: str, rows: dict[tuple[str, str], dict]) -> dict | None:
    return next((rows[system, part] for part in _spellings(system, code) if (system, part) in rows), None)
