"""Code lists: what a delivered code means. Text of the CSV files in, frozen frames and look-ups out.

Every row says where it is written, when it was read and how sure it is. Codes are upper case
without dots. Classification codes (ICD, ICPC, ATC, procedures) carry their hierarchy in their
spelling, so a listed code stands for everything that starts with it; SNOMED and OMOP identifiers do
not and must match exactly. Look-ups take the unique codes of a delivery, not its rows, so plain
Python is fast enough.

A treatment belongs surely to its `groups` and possibly to its `maybe_groups`: the code is too
coarse to tell (N06A may be an SSRI, a session of psychotherapy may be CBT).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from schemas.definition import DISORDERS, Definition
from schemas.errors import ImpasseError, nearest
from schemas.study import OBSERVABLE

MODALITIES = ("drug", "psychotherapy", "neuromodulation")
CONFIDENCE = ("V", "V-abs", "V-code", "V2", "M", "U", "D")
USES = ("include", "exclude")
EXACT_SYSTEMS = ("snomed", "omop")

_CITED = {"source": pl.String, "date": pl.String, "confidence": pl.String}
_WORDS = pl.List(pl.String)
_TREATMENT = {
    "treatment": pl.String,
    "name": pl.String,
    "modality": pl.String,
    "class": pl.String,
    "mechanism": pl.String,
    "observed_as": pl.String,
    "groups": _WORDS,
    "maybe_groups": _WORDS,
}
_COLUMNS: dict[str, dict[str, pl.DataType | type[pl.DataType]]] = {
    "treatments": {**_TREATMENT, **_CITED},
    "doses": {
        "atc": pl.String,
        "ddd_mg": pl.Float64,
        "minimum_effective_mg": pl.Float64,
        "usual_dose_lower_mg": pl.Float64,
        **_CITED,
        "ddd_confidence": pl.String,
        "minimum_effective_confidence": pl.String,
        "usual_dose_lower_confidence": pl.String,
    },
    "diagnoses": {"list": pl.String, "code_system": pl.String, "code": pl.String, "use": pl.String, **_CITED},
    "scales": {
        "scale": pl.String,
        "name": pl.String,
        "minimum": pl.Float64,
        "maximum": pl.Float64,
        "remission_max": pl.Float64,
        "response_fall_percent": pl.Float64,
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
    "atc_changes": {"old_atc": pl.String, "new_atc": pl.String, **_CITED},
}
_KEYS: dict[str, tuple[str, ...]] = {
    "treatments": ("treatment",),
    "doses": ("atc",),
    "diagnoses": ("list", "code_system", "code"),
    "scales": ("scale",),
    "procedures": ("code_system", "code"),
    "disorders": ("disorder",),
    "atc_changes": ("old_atc",),
}
_ALLOWED: dict[str, dict[str, tuple[str, ...]]] = {
    "treatments": {"modality": MODALITIES, "observed_as": OBSERVABLE},
    "diagnoses": {"use": USES},
    "disorders": {"disorder": DISORDERS},
}
_RESOLVED = {**_TREATMENT, "is_identified": pl.Boolean}

Row = dict[str, str]


@dataclass(frozen=True, eq=False)
class CodeLists:
    """The code tables of a run, one frame per file; blank cells are null, groups are lists of words."""

    treatments: pl.DataFrame
    doses: pl.DataFrame
    diagnoses: pl.DataFrame
    scales: pl.DataFrame
    procedures: pl.DataFrame
    disorders: pl.DataFrame
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
            for name in self._lists_of(system, code)
        ]
        return pl.DataFrame(rows, schema={"code_system": pl.String, "code": pl.String, "list": pl.String})

    def _lists_of(self, system: str, code: str) -> list[str]:
        hits = [hit for part in _spellings(system, code) for hit in self._listed_codes.get((system, part), [])]
        excluded = {name for name, use in hits if use == "exclude"}
        return sorted({name for name, _ in hits} - excluded)

    def groups(self) -> frozenset[str]:
        """Every treatment group that has a sure member."""
        return frozenset(self.treatments["groups"].explode().drop_nulls())

    def code_lists(self) -> frozenset[str]:
        """Every diagnosis code list."""
        return frozenset(self.diagnoses["list"])

    def observed_as_of_group(self, group: str) -> frozenset[str]:
        """What a delivery must show (`observes`) for every treatment of the group to be seen."""
        return frozenset(self.treatments.filter(pl.col("groups").list.contains(group))["observed_as"])

    def check_definition(self, definition: Definition) -> None:
        """Raise ImpasseError for the first group, code list or scale of the definition that is not known."""
        scales = {rule.scale for rule in definition.outcome.scales}
        named = [
            ("treatment group", definition.groups, self.groups()),
            ("code list", definition.code_lists, self.code_lists()),
            ("scale", scales, set(self.scales["scale"])),
        ]
        for kind, used, known in named:
            for word in sorted(used - known):
                raise _unknown_word(kind, word, sorted(known), f"definition {definition.id}")

    def _resolved(self, treatment: str, row: dict) -> dict:
        facts = {column: row[column] for column in _TREATMENT}
        return {**facts, "treatment": treatment, "is_identified": _is_identified(treatment, row["modality"])}


def parse(texts: dict[str, str]) -> CodeLists:
    """Read the code lists from the CSV files' texts, by file name without its ending.

    Raises ImpasseError naming file and line for a row without source, date or confidence, a value
    outside its vocabulary, or a key that is there twice. Files of other names are not looked at.
    """
    for name in _COLUMNS:
        if name not in texts:
            raise ImpasseError(f"The code list {name}.csv is missing.", expected=", ".join(_COLUMNS), do="Restore it.")
    lists = CodeLists(**{name: _table(name, texts[name]) for name in _COLUMNS})
    _check_disorders(lists)
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


def _check_disorders(lists: CodeLists) -> None:
    """Every disorder names code lists and a treatment group that exist."""
    named = [("diagnoses", lists.code_lists()), ("remission", lists.code_lists()), ("treatments", lists.groups())]
    for column, known in named:
        for word in sorted(set(lists.disorders[column].drop_nulls()) - known):
            raise _unknown_word(column, word, sorted(known), "disorders.csv")


def _unknown_word(kind: str, word: str, known: list[str], where: str) -> ImpasseError:
    guess = nearest(word, known)
    return ImpasseError(
        f"Unknown {kind} '{word}'.",
        where=where,
        expected=", ".join(known),
        do=f"Did you mean '{guess}'?" if guess else "Use one of the expected words.",
    )


def _is_identified(treatment: str, modality: str) -> bool:
    """Whether the code names one treatment rather than a class of them."""
    return len(treatment) == 7 if modality == "drug" else not treatment.endswith("_unspecified")


def _pairs(codes: pl.DataFrame) -> Iterator[tuple[str, str]]:
    return codes.select("code_system", "code").drop_nulls().unique().sort("code_system", "code").iter_rows()


def _spellings(system: str, code: str) -> list[str]:
    """The code and, in a classification, everything above it, longest first."""
    return [code] if system in EXACT_SYSTEMS else [code[:length] for length in range(len(code), 0, -1)]


def _longest_prefix(code: str, rows: dict[str, dict]) -> dict | None:
    return next((rows[part] for part in _spellings("atc", code) if part in rows), None)


def _longest_listed(system: str, code: str, rows: dict[tuple[str, str], dict]) -> dict | None:
    return next((rows[system, part] for part in _spellings(system, code) if (system, part) in rows), None)
