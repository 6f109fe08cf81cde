"""Code lists of a user's folder: rows that add lists, groups, procedures and doses to the shipped ones.

What is shipped keeps its meaning: a list, a group, a procedure code or a drug's doses that are there already are
refused by name, and so is a procedure code below or above one that is there, since the longest code that fits decides.
What is missing may be filled in, and shipped definitions then use it: a dose of a listed drug without one, the class
of a drug that is known by a shorter code without one, the treatment of a procedure. A row for a listed treatment only
adds groups to it, and a treatment that the shipped lists know under a shorter code stays in that code's groups. A drug
code stands for everything that starts with it, so the treatments below it are in its groups, and those above it may
be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from impasse.schemas import toml
from impasse.schemas.code_forms import ATC_CODE, FORMS, PLAIN_CODE
from impasse.schemas.codelist_files import places_of_rows, read_table
from impasse.schemas.codelists import EXACT_SYSTEMS, CodeLists, unlisted
from impasse.schemas.errors import ImpasseError
from impasse.schemas.values import CODE_SYSTEMS

ADDED_FILES = ("treatments", "diagnoses", "procedures", "doses")
_WORD = "[a-z][a-z0-9]*(_[a-z0-9]+)*"
_FACTS = ("name", "modality", "class", "mechanism", "observed_as")
_AMOUNTS = ("ddd_mg", "minimum_effective_mg", "usual_dose_lower_mg", "chlorpromazine_600_mg", "atrq_mg")
_LARGEST_MG = 100_000
_ENTRIES = {
    "treatments": ("treatment", "name", "groups", "maybe_groups"),
    "diagnoses": ("list", "code_system", "code", "use"),
    "procedures": ("code_system", "code", "treatment", "country"),
    "doses": ("atc", "route", *_AMOUNTS),
}
CodeRow = dict[str, Any]


def with_added(lists: CodeLists, texts: Mapping[str, str], folder: str) -> CodeLists:
    """The code lists and the rows of a folder's CSV files, by file name without its ending.

    Raises ImpasseError, naming file and row, for what is there already and for words and codes that match nothing.
    """
    for name in sorted(texts.keys() - set(ADDED_FILES)):
        raise unlisted("file of code lists", name, list(ADDED_FILES), f"{folder}/{name}.csv")
    for name in (name for name in ADDED_FILES if name in texts):
        file = f"{folder}/{name}.csv"
        rows, places = read_table(name, texts[name], file), places_of_rows(texts[name], file)
        for place, row in _placed(rows, places):
            toml.require_shown(row, place)
        lists = _ADDING[name](lists, rows, places)
        lists = replace(lists, own=pl.concat([lists.own, _entries(name, rows)]))
    return lists


def _placed(rows: pl.DataFrame, places: Sequence[str]) -> Iterable[tuple[str, CodeRow]]:
    """Each row with the file and line it is written in."""
    return zip(places, rows.iter_rows(named=True), strict=True)


def _entries(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """What each row says, in one text, with its source: for a page of methods."""
    told = [{**row, "file": f"{name}.csv", "entry": _entry(row, _ENTRIES[name])} for row in rows.to_dicts()]
    return pl.DataFrame(told, schema=CodeLists.OWN)


def _entry(row: CodeRow, columns: Iterable[str]) -> str:
    cells = ((column, " ".join(row[column]) if isinstance(row[column], list) else row[column]) for column in columns)
    return ", ".join(f"{column} {cell}" for column, cell in cells if cell not in (None, ""))


def _add_diagnoses(lists: CodeLists, rows: pl.DataFrame, places: Sequence[str]) -> CodeLists:
    for place, row in _placed(rows, places):
        _require_form(row["list"], _WORD, "name of a code list", "a word in small letters", place)
        _refuse_taken("code list", row["list"], row["list"] in lists.code_lists(), place)
        if row["code_system"] not in CODE_SYSTEMS:
            raise unlisted("code system", row["code_system"], list(CODE_SYSTEMS), place)
        _require_code(row["code_system"], row["code"], place)
    includes = set(rows.filter(use="include")["list"])
    for place, row in _placed(rows, places):
        if row["list"] not in includes:
            raise ImpasseError(
                f"The code list '{row['list']}' includes no code.", where=place, do="Add a row to include."
            )
    return replace(lists, diagnoses=pl.concat([lists.diagnoses, rows]))


def _add_procedures(lists: CodeLists, rows: pl.DataFrame, places: Sequence[str]) -> CodeLists:
    systems = sorted({*lists.procedures["code_system"], *FORMS} - {"icd10", "icd9", "icd8", "icpc2"})
    taken, treatments = set(lists.procedures.select("code_system", "code").rows()), set(lists.treatments["treatment"])
    for place, row in _placed(rows, places):
        system, code = row["code_system"], row["code"]
        if system not in systems:
            raise unlisted("code system", system, systems, place)
        if system != "impasse":
            _require_code(system, code, place)
        _refuse_taken("procedure", f"{system} {code}", (system, code) in taken, place)
        _refuse_near(system, code, taken, place)
        if row["treatment"] not in treatments:
            raise unlisted("treatment", row["treatment"] or "", sorted(treatments), place)
    return replace(lists, procedures=pl.concat([lists.procedures, rows]))


def _add_doses(lists: CodeLists, rows: pl.DataFrame, places: Sequence[str]) -> CodeLists:
    for place, row in _placed(rows, places):
        _require_code("atc", row["atc"], place)
        _refuse_taken("dose of", row["atc"], row["atc"] in lists.doses["atc"], place)
        if lists.resolve_atc(pl.Series([row["atc"]])).is_empty():
            raise ImpasseError(f"The drug {row['atc']} is no treatment.", where=place, do="Add it to treatments.csv.")
        if any(row[column] is not None and not row[column] > 0 for column in _AMOUNTS):
            raise ImpasseError(f"A dose of {row['atc']} is not more than 0.", where=place, do="Leave it blank.")
        if any((row[column] or 0) > _LARGEST_MG for column in _AMOUNTS):
            raise ImpasseError(
                f"A dose of {row['atc']} is more than {_LARGEST_MG:,} mg.", where=place, do="Write it in mg."
            )
    return replace(lists, doses=pl.concat([lists.doses, rows.filter("is_looked_up")]))


def _refuse_near(system: str, code: str, taken: set[tuple[str, str]], where: str) -> None:
    """Stop at a code that takes codes from one that is there, or lends others its heading: the longest decides."""
    for other in sorted(other for own, other in taken if own == system and system not in EXACT_SYSTEMS):
        if code.startswith(other) or other.startswith(code):
            lies = "below" if code.startswith(other) else "above"
            raise ImpasseError(
                f"The procedure '{system} {code}' lies {lies} '{system} {other}'.",
                where=where,
                expected="codes neither below nor above one that is there: what it stands for would change",
                do="Take the row away.",
            )


def _add_treatments(lists: CodeLists, rows: pl.DataFrame, places: Sequence[str]) -> CodeLists:
    listed = {row["treatment"]: row for row in lists.treatments.to_dicts()}
    groups = {group for row in listed.values() for group in (*row["groups"], *row["maybe_groups"])}
    added = rows.to_dicts()
    for place, row in zip(places, added, strict=True):
        _require_treatment(row["treatment"], row["modality"], place)
        for group in (*row["groups"], *row["maybe_groups"]):
            _require_form(group, _WORD, "name of a treatment group", "a word in small letters", place)
            _refuse_taken("treatment group", group, group in groups, place)
        _refuse_other_facts(row, _above(row, listed), place)
    for row in added:
        listed.setdefault(row["treatment"], _new_treatment(row, _above(row, listed)))
    grouped = [_with_groups(row, added) for row in listed.values()]
    return replace(lists, treatments=pl.DataFrame(grouped, schema=lists.treatments.schema))


def _above(row: CodeRow, listed: Mapping[str, CodeRow]) -> CodeRow:
    """The listed row that a treatment is known by so far: its own, or of a drug that of a shorter code; else empty."""
    if row["modality"] != "drug":
        return listed.get(row["treatment"], {})
    lengths = range(len(row["treatment"]), 0, -1)
    return next((listed[row["treatment"][:n]] for n in lengths if row["treatment"][:n] in listed), {})


def _refuse_other_facts(row: CodeRow, above: CodeRow, where: str) -> None:
    """Stop at a listed treatment under another name, class or the like; a longer code has a name of its own."""
    is_listed = row["treatment"] == above.get("treatment")
    for fact in _FACTS:
        was = above.get(fact)
        is_free = not above or (not is_listed and (fact == "name" or was is None))
        if not is_free and row[fact] is not None and row[fact] != was:
            raise ImpasseError(
                f"The {fact} of {row['treatment']} is {was or 'not stated'}, not {row[fact]}.",
                where=where,
                expected="the facts of a listed treatment, or blank cells: a row only adds groups to it",
                do="Correct the cell, or leave it blank.",
            )
    if not is_listed and not row["name"]:
        raise ImpasseError(f"The treatment {row['treatment']} has no name.", where=where, do="Fill in the name.")


def _new_treatment(row: CodeRow, above: CodeRow) -> CodeRow:
    """A treatment that was not listed, with the groups it had by a shorter code; its own are added like others'."""
    facts = {fact: above.get(fact) if row[fact] is None else row[fact] for fact in _FACTS}
    groups = {column: above.get(column, []) for column in ("groups", "maybe_groups")}
    return {**row, **facts, **groups}


def _with_groups(row: CodeRow, added: list[CodeRow]) -> CodeRow:
    """A treatment with the groups that the added rows put it into, surely or possibly."""
    above = [each for each in added if _stands_for(each, row)]
    below = [each for each in added if _stands_for(row, each)]
    surely = {group for each in above for group in each["groups"]}
    possibly = {group for each in above for group in each["maybe_groups"]}
    possibly |= {group for each in below for group in (*each["groups"], *each["maybe_groups"])}
    if not surely | possibly:
        return row
    return {
        **row,
        "groups": sorted({*row["groups"], *surely}),
        "maybe_groups": sorted({*row["maybe_groups"], *possibly} - surely),
    }


def _stands_for(one: CodeRow, other: CodeRow) -> bool:
    """Whether a row is about all that another is about: the same treatment, or a drug code the other begins with."""
    both_drugs = one["modality"] == other["modality"] == "drug"
    return other["treatment"].startswith(one["treatment"]) if both_drugs else one["treatment"] == other["treatment"]


def _require_treatment(treatment: str, modality: str, where: str) -> None:
    if modality == "drug":
        _require_code("atc", treatment, where)
    else:
        _require_form(treatment, _WORD, "name of a treatment", "a word in small letters", where)


def _require_code(system: str, code: str, where: str) -> None:
    form = ATC_CODE if system == "atc" else FORMS.get(system, PLAIN_CODE)
    _require_form(code, form, f"{system} code", "capitals without dots, as the system has them", where)


def _require_form(text: str, form: str, what: str, expected: str, where: str) -> None:
    if not re.fullmatch(form, text):
        raise ImpasseError(f"'{text}' is no {what}.", where=where, expected=expected, do="Correct it.")


def _refuse_taken(what: str, name: str, is_taken: bool, where: str) -> None:
    if is_taken:
        raise ImpasseError(
            f"The {what} '{name}' is there already.",
            where=where,
            expected="rows that add to what is shipped, and to what other folders add",
            do="Give yours another name, or take the row away.",
        )


_ADDING = {
    "treatments": _add_treatments,
    "diagnoses": _add_diagnoses,
    "procedures": _add_procedures,
    "doses": _add_doses,
}
