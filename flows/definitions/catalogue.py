"""Every definition there is, with its worked cases: find some, count them, and gather what their page shows.

Cases of shipped definitions are installed with the program, and lie in tests/definitions/ where it is only checked
out. Those of a user's folder are in its cases/, also such as the user adds to a shipped definition.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from impasse.flows.files import inputs, texts
from impasse.schemas.definition import DISORDERS, Definition
from impasse.schemas.description import Description
from impasse.schemas.errors import ImpasseError
from impasse.schemas.failures import asks_failure
from impasse.schemas.history import unknown
from impasse.schemas.resistance import AdmissionItem, Scored

if TYPE_CHECKING:
    from impasse.reports.pages.methods import MethodsContents
    from impasse.schemas.cases import Case
    from impasse.schemas.codelists import CodeLists

DEFINITION_KINDS = ("count", "score", "stage", "descriptive")
DEFINITION_STATUSES = ("active", "unverified", "draft", "withdrawn", "descriptive")
AnyDefinition = Definition | Description


@dataclass(frozen=True)
class Wanted:
    """What to list; empty asks for nothing. `source` is a part of the citation, `tables` a list with commas."""

    disorder: str = ""
    kind: str = ""
    status: str = ""
    source: str = ""
    tables: str = ""


@dataclass(frozen=True)
class CaseFile:
    """The text of a file of worked cases, and what messages call it."""

    name: str
    text: str

    def cases(self) -> tuple[Case, ...]:
        """The cases in it."""
        from impasse.schemas import cases

        return cases.parse(self.name, self.text)


def definition_named(name: str, known: Mapping[str, AnyDefinition]) -> AnyDefinition:
    """The definition of this id."""
    if name not in known:
        error = unknown("definition", name, sorted(known))
        raise ImpasseError(error.what, expected="an id that `impasse definitions list` shows", do=error.do)
    return known[name]


def computable(name: str, known: Mapping[str, AnyDefinition]) -> Definition:
    """The definition of this id, if it is one that judges."""
    found = definition_named(name, known)
    if isinstance(found, Description):
        raise ImpasseError(
            f"Definition '{name}' is descriptive: it has no settings and judges nothing.",
            expected="a definition that is computed",
            do=f"`impasse definitions show {name}` says why.",
        )
    return found


def kind(d: AnyDefinition) -> str:
    """By what it judges, or that it does not."""
    return d.resistance.kind if isinstance(d, Definition) else "descriptive"


def disorders(d: AnyDefinition) -> tuple[str, ...]:
    """The disorders it speaks about."""
    return d.eligible.disorders if isinstance(d, Definition) else d.disorders


def find_definitions(
    known: Mapping[str, AnyDefinition], wanted: Wanted, codes: CodeLists | None = None
) -> list[AnyDefinition]:
    """The definitions that have all that is asked for; whoever asks by tables brings the code lists."""
    _refuse_unknown(wanted)
    found = [d for d in known.values() if _is_wanted(d, wanted)]
    if codes is None:
        return found
    there = _tables(wanted.tables)
    return [d for d in found if _is_served(d, there, codes)]


def _is_wanted(d: AnyDefinition, wanted: Wanted) -> bool:
    citation = " ".join(d.source.citation.split())
    return (
        (not wanted.disorder or wanted.disorder in disorders(d))
        and wanted.kind in ("", kind(d))
        and wanted.status in ("", d.status)
        and wanted.source.casefold() in citation.casefold()
    )


def _is_served(d: AnyDefinition, there: frozenset[str], codes: CodeLists) -> bool:
    return isinstance(d, Definition) and tables_read(d, codes) <= there


def _refuse_unknown(wanted: Wanted) -> None:
    for option, words in (("disorder", DISORDERS), ("kind", DEFINITION_KINDS), ("status", DEFINITION_STATUSES)):
        word = getattr(wanted, option)
        if word and word not in words:
            raise unknown(option, word, list(words), f"--{option}")


def _tables(text: str) -> frozenset[str]:
    """The tables of a list with commas."""
    from impasse.schemas.study import TABLES

    there = frozenset(word.strip() for word in text.split(","))
    for word in sorted(there - {"", *TABLES}):
        raise unknown("table", word, list(TABLES), "--tables")
    return there


def tables_read(d: Definition, codes: CodeLists) -> frozenset[str]:
    """The tables that can settle what the definition gives, apart from persons and diagnoses."""
    named_groups = d.groups | set(d.eligible.washout_treatments)
    observed = {word for group in named_groups for word in codes.observed_as_of_group(group)}
    evidence = set(d.outcome.evidence) if asks_failure(d.resistance) else set()
    signs = set(d.outcome.change_signs) if "treatment_change" in evidence else set()
    items = d.resistance.items if isinstance(d.resistance, Scored) else ()
    reads = {
        "coverage": d.eligible.min_observed_days > 0 or bool(d.eligible.washout_treatments),
        "dispensings": "drug" in observed,
        "procedures": bool((observed | signs & {"ect", "tms"}) - {"drug"}),
        "scores": "scales" in evidence,
        "admissions": "admission" in signs or any(isinstance(item, AdmissionItem) for item in items),
    }
    return frozenset(table for table, is_read in reads.items() if is_read)


def totals(listed: Sequence[AnyDefinition]) -> dict[str, dict[str, int]]:
    """How many there are of each disorder, kind and status; what is not there is left out."""
    counted = {
        "disorder": (DISORDERS, Counter(word for d in listed for word in disorders(d))),
        "kind": (DEFINITION_KINDS, Counter(kind(d) for d in listed)),
        "status": (DEFINITION_STATUSES, Counter(d.status for d in listed)),
    }
    return {by: {word: n[word] for word in words if n[word]} for by, (words, n) in counted.items()}


def case_files(folders: Iterable[Path] = ()) -> dict[str, list[CaseFile]]:
    """The case files of every definition: the shipped ones first, then those of the user's folders."""
    found: dict[str, list[CaseFile]] = {}
    shipped = (("", folder) for folder in inputs.definition_folders())
    for label, folder in (*shipped, *(("cases/", folder) for folder in folders)):
        for name, text in texts.read_texts(folder / "cases", "*.toml").items():
            found.setdefault(name, []).append(CaseFile(f"{label}{name}.toml", text))
    return found


def drawn(files: Mapping[str, list[CaseFile]], name: str) -> tuple[Case, ...]:
    """All worked cases of a definition."""
    return tuple(case for file in files.get(name, ()) for case in file.cases())


def methods_contents(
    listed: Iterable[AnyDefinition], codes: CodeLists, files: Mapping[str, list[CaseFile]] | None = None
) -> MethodsContents:
    """What the page of these definitions shows: them, their cases and the code lists; else shipped cases."""
    from impasse.reports.pages.methods import MethodsContents  # the charts it comes with are slow to load

    shown, drawn_in = tuple(listed), case_files() if files is None else files
    return MethodsContents(shown, {d.id: drawn(drawn_in, d.id) for d in shown}, codes)
