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

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import ClassVar

import polars as pl

from impasse.schemas.definition import MODALITIES, Definition
from impasse.schemas.errors import ImpasseError, nearest

EXACT_SYSTEMS = ("snomed", "omop")
# Between identifiers that one diagnosis stands for together: what a list leaves out of one is left out of all.
JOINED_BY = "+"

Types = dict[str, pl.DataType | type[pl.DataType]]
WORDS = pl.List(pl.String)
TREATMENT: Types = {
    "treatment": pl.String,
    "name": pl.String,
    "modality": pl.String,
    "class": pl.String,
    "mechanism": pl.String,
    "observed_as": pl.String,
    "groups": WORDS,
    "maybe_groups": WORDS,
}
_RESOLVED: Types = {**TREATMENT, "is_identified": pl.Boolean}


@dataclass(frozen=True, eq=False)
class CodeLists:
    """The code tables of a run, one frame per file, rows in the file's order.

    Blank cells are null; groups, disorders of a scale and severity bands are lists of words. `doses` holds the
    rows that are looked up only: one for each ATC code. `own` says what the user's folders added, row by row.
    """

    OWN: ClassVar[Types] = {name: pl.String() for name in ("file", "entry", "source", "date", "confidence")}

    treatments: pl.DataFrame
    doses: pl.DataFrame
    diagnoses: pl.DataFrame
    scales: pl.DataFrame
    procedures: pl.DataFrame
    disorders: pl.DataFrame
    causes: pl.DataFrame
    options: pl.DataFrame
    atc_changes: pl.DataFrame
    own: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CodeLists.OWN))

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
        left_out = {name for name, use in hits if use == "exclude"}
        return sorted({name for name, _ in hits} - left_out)

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

    def observed_as_of_group(self, group: str, modalities: Iterable[str] = MODALITIES) -> frozenset[str]:
        """What a delivery must show (`observes`) for every treatment of the group and of the modalities to be seen."""
        return frozenset(kind for modality in modalities for kind in self._observed_as.get((group, modality), ()))

    @cached_property
    def _observed_as(self) -> dict[tuple[str, str], list[str]]:
        members = self.treatments.select("groups", "modality", "observed_as").explode("groups").drop_nulls("groups")
        named = members.group_by("groups", "modality").agg(pl.col("observed_as").unique())
        return {(group, modality): kinds for group, modality, kinds in named.iter_rows()}

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
                raise unlisted(kind, word, sorted(known), where)
        self._check_direction(sorted(scales), definition, text)

    def _check_direction(self, scales: list[str], definition: Definition, text: str) -> None:
        """Raise ImpasseError for the first scale on which higher is better: the rules take a fall for improvement."""
        better = set(self.scales.filter(pl.col("higher_is") == "better")["scale"])
        for scale in scales:
            if scale in better:
                raise ImpasseError(
                    f"On the scale '{scale}' higher is better.",
                    where=f"definition file {definition.id}.toml{_line_of(scale, text)}",
                    expected="a scale on which higher is worse",
                    do="Judge by another scale.",
                )

    def _resolved(self, treatment: str, row: dict) -> dict:
        facts = {column: row[column] for column in TREATMENT}
        return {**facts, "treatment": treatment, "is_identified": _is_identified(treatment, row["modality"])}


def unlisted(kind: str, word: str, known: list[str], where: str) -> ImpasseError:
    """A word that no code list knows, with the nearest that one does."""
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
