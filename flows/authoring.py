"""What an author of definitions asks for: find some, start one from a neighbour, prove those of a folder.

A user's folder holds <id>.toml for each definition and cases/<id>.toml for its worked cases, which are
read, tried and refused exactly as those of the shipped definitions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flows import io
from schemas import cases, definition
from schemas.cases import Case
from schemas.codelists import CodeLists
from schemas.definition import DISORDERS, Definition
from schemas.errors import ImpasseError
from schemas.history import unknown
from schemas.study import OBSERVABLE, TABLES
from transforms.try_case import Difference, try_case

KINDS = ("count", "score")
_ID = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

SKELETON = """\
# Worked cases of {id}: small drawn histories, and the verdict each must get.
# Draw every threshold from both sides, and one case for each of the four verdicts.
# Run them with: impasse definitions test FOLDER
#
# A history is one line per event:
#   born DATE, died DATE, sex female     facts of the person
#   covered DATE DATE                    observed from and to
#   dx DATE CODE                         a diagnosis; until= system= position= setting=
#   disp DATE ATC days=28 dose_mg=50     a dispensing: days of supply, mg a day; ddd= DDD a day
#   proc DATE TREATMENT                  a session, such as cbt or ect
#   score DATE SCALE VALUE               a symptom score
#   adm DATE DATE CODE                   a hospital stay
# times=12 every=7 repeats a dx, disp, proc or score line.

[[case]]
name = "An episode without any treatment is not resistant"
observes = [{observes}]
history = \"\"\"
born {born}-01-01
covered 2015-01-01 2024-12-31
dx 2021-01-01 {code}
\"\"\"
expected = {{ verdict = "not_resistant", n_failed_min = 0, n_failed_max = 0 }}
"""


@dataclass(frozen=True)
class Failure:
    """A case that a definition does not meet."""

    case: Case
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Proof:
    """What came of the cases of one definition."""

    definition_id: str
    n_cases: int
    failures: tuple[Failure, ...]


@dataclass(frozen=True)
class Wanted:
    """What to list; empty asks for nothing. `source` is a part of the citation, `tables` a list with commas."""

    disorder: str = ""
    kind: str = ""
    status: str = ""
    source: str = ""
    tables: str = ""


def named(name: str, known: Mapping[str, Definition]) -> Definition:
    """The definition of this id."""
    if name not in known:
        error = unknown("definition", name, sorted(known))
        raise ImpasseError(error.what, expected="an id that `impasse definitions list` shows", do=error.do)
    return known[name]


def find(known: Mapping[str, Definition], wanted: Wanted) -> list[dict[str, str]]:
    """The definitions that have all that is asked for, as rows of a list; what was asked for has a column."""
    _refuse_unknown(wanted)
    there, codes = _tables(wanted.tables), io.read_codelists()
    rows = []
    for d in known.values():
        citation, reads = " ".join(d.source.citation.split()), tables_read(d, codes)
        asked = (
            ("disorder", wanted.disorder, ", ".join(d.eligible.disorders), wanted.disorder in d.eligible.disorders),
            ("kind", wanted.kind, d.resistance.kind, wanted.kind == d.resistance.kind),
            ("status", wanted.status, d.status, wanted.status == d.status),
            ("citation", wanted.source, citation, wanted.source.casefold() in citation.casefold()),
            ("reads", wanted.tables, ", ".join(sorted(reads)), reads <= there),
        )
        row = {"id": d.id, "title": d.title, "status": d.status, "source": d.source.confidence}
        if all(is_met for _, word, _, is_met in asked if word):
            rows.append(row | {column: cell for column, word, cell, _ in asked if word})
    return rows


def _refuse_unknown(wanted: Wanted) -> None:
    statuses = definition.json_schema()["properties"]["status"]["enum"]
    for option, words in (("disorder", DISORDERS), ("kind", KINDS), ("status", statuses)):
        word = getattr(wanted, option)
        if word and word not in words:
            raise unknown(option, word, list(words), f"--{option}")


def _tables(text: str) -> frozenset[str]:
    """The tables of a list with commas."""
    there = frozenset(word.strip() for word in text.split(","))
    for word in sorted(there - {"", *TABLES}):
        raise unknown("table", word, list(TABLES), "--tables")
    return there


def tables_read(d: Definition, codes: CodeLists) -> frozenset[str]:
    """The tables that can settle a verdict under the definition, apart from persons and diagnoses."""
    observed = {word for group in d.groups for word in codes.observed_as_of_group(group)}
    signs = set(d.outcome.change_signs) if "treatment_change" in d.outcome.evidence else set()
    reads = {
        "coverage": d.eligible.min_observed_days > 0,
        "dispensings": "drug" in observed,
        "procedures": bool((observed | signs & {"ect", "tms"}) - {"drug"}),
        "scores": "scales" in d.outcome.evidence,
        "admissions": "admission" in signs,
    }
    return frozenset(table for table, is_read in reads.items() if is_read)


def prove(folder: Path) -> list[Proof]:
    """Run the cases of every definition in a user's folder, and of those that only have cases there."""
    codes, known = io.read_codelists(), io.read_definitions([folder])
    texts = io.read_texts(folder / "cases", "*.toml")
    own = io.read_texts(folder, "*.toml")
    if not own.keys() | texts.keys():
        raise ImpasseError("No definition here.", where=f"{folder}", expected="<id>.toml", do="Correct the folder.")
    for name in sorted(texts.keys() - known.keys()):
        raise unknown("definition", name, sorted(own) or sorted(known), f"{folder / 'cases' / name}.toml")
    return [_proof(known[name], texts.get(name), codes) for name in sorted(own.keys() | texts.keys())]


def _proof(d: Definition, text: str | None, codes: CodeLists) -> Proof:
    codes.check_definition(d)
    drawn = () if text is None else cases.parse(f"cases/{d.id}.toml", text)
    for case in drawn:
        cases.check_words(case, codes)
    tried = [Failure(case, tuple(try_case(case, d, codes))) for case in drawn]
    return Proof(d.id, len(drawn), tuple(failure for failure in tried if failure.differences))


def start(new_id: str, neighbour: str, folder: Path) -> tuple[Path, Path]:
    """Write a draft that does what its neighbour does, and a case file to go on from; never over another file."""
    texts = io.definition_texts([folder] if folder.is_dir() else [])
    d = named(neighbour, {name: definition.parse(name, text) for name, text in texts.items()})
    paths = folder / f"{new_id}.toml", folder / "cases" / f"{new_id}.toml"
    _refuse_id(new_id, texts, paths)
    draft = _draft(new_id, d, texts[neighbour])
    skeleton = _skeleton(new_id, d, io.read_codelists())
    io.write_text(draft, paths[0])
    io.write_text(skeleton, paths[1])
    return paths


def _refuse_id(new_id: str, texts: Mapping[str, str], paths: tuple[Path, ...]) -> None:
    if not _ID.fullmatch(new_id):
        raise ImpasseError(
            f"'{new_id}' cannot be an id.",
            expected="lower case letters, digits and single underscores, such as dep_three_drugs",
            do="Choose another; ids are for ever.",
        )
    if new_id in texts:
        raise ImpasseError(f"There is a definition '{new_id}' already.", do="Choose another id; ids are for ever.")
    for path in paths:
        if path.exists():
            raise ImpasseError("There is such a file already.", where=f"{path}", do="Choose another id, or move it.")


def _draft(new_id: str, d: Definition, text: str) -> str:
    """The neighbour's text under a title of its own, as a draft."""
    head, mark, blocks = text.partition("\n[")
    title = f"title = {json.dumps(f'Draft after {d.id}', ensure_ascii=False)}"
    for key, line in (("title", title), ("status", 'status = "draft"')):
        head = re.sub(rf"^{key}\s*=.*$", lambda _, line=line: line, head, count=1, flags=re.MULTILINE)
    draft = head + mark + blocks
    definition.parse(new_id, draft)
    return draft


def _skeleton(new_id: str, d: Definition, codes: CodeLists) -> str:
    """One case that the neighbour meets: an episode of its own disorder and age without treatment."""
    age = min(max(40, d.eligible.min_age), d.eligible.max_age)
    observes = ", ".join(f'"{word}"' for word in OBSERVABLE)
    return SKELETON.format(id=new_id, observes=observes, born=2020 - age, code=_code_of(d, codes))


def _code_of(d: Definition, codes: CodeLists) -> str:
    """A diagnosis the definition speaks about: the first ICD-10 code of its first list, else of its disorder."""
    lists = d.eligible.diagnoses or tuple(
        row["diagnoses"] for row in codes.disorders.to_dicts() if row["disorder"] in d.eligible.disorders
    )
    icd10 = [r for r in codes.diagnoses.to_dicts() if (r["code_system"], r["use"]) == ("icd10", "include")]
    return next(row["code"] for row in icd10 if row["list"] == lists[0])
