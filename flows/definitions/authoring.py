"""What an author of definitions asks for: start one from a neighbour, check all, prove those of a folder.

A user's folder holds <id>.toml for each definition and cases/<id>.toml for its worked cases, which are
read, tried and refused exactly as those of the shipped definitions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from impasse.flows.definitions.catalogue import AnyDefinition, CaseFile, case_files, computable
from impasse.flows.files import inputs, texts
from impasse.schemas import cases, definition_file, toml
from impasse.schemas.cases import Case
from impasse.schemas.codelists import CodeLists
from impasse.schemas.definition import Definition
from impasse.schemas.description import Description
from impasse.schemas.errors import ImpasseError
from impasse.schemas.history import unknown
from impasse.schemas.labels import require_label, shared_labels
from impasse.transforms.try_cases import Difference, try_cases

MIN_CASES = 4
_HEADER = """\
# Worked cases of {id}, as those of {neighbour}: small drawn histories, and what each must get.
# Draw every threshold from both sides, and one case for each verdict.
# Run them with: impasse definitions test FOLDER
#
# A history is one line per event:
#   born DATE, died DATE, sex female     facts of the person
#   covered DATE DATE                    observed from and to
#   dx DATE CODE                         a diagnosis; until= system= position= setting=
#   disp DATE ATC days=28 dose_mg=50     a dispensing: days of supply, mg a day; ddd= DDD a day; or what was handed
#                                        out: packages= ddd_per_package= total_ddd= quantity= strength_mg=
#   proc DATE TREATMENT                  a session, such as cbt or ect
#   score DATE SCALE VALUE               a symptom score
#   adm DATE DATE CODE                   a hospital stay
# times=12 every=7 repeats a dx, disp, proc or score line.

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


def lint(folders: Sequence[Path]) -> tuple[int, list[ImpasseError]]:
    """How many definitions there are, and everything that is wrong with one of them or its cases."""
    written = inputs.definition_texts(folders)
    known, codes, files = inputs.parsed(written), inputs.read_codelists(folders), case_files(folders)
    checks: list[Callable[[AnyDefinition], None]] = [
        _refuse_uncited,
        require_label,
        lambda d: codes.check_definition(d, written[d.id]) if isinstance(d, Definition) else None,
        lambda d: _refuse_unproved(d, files.get(d.id, []), codes),
    ]
    problems = [problem for d in known.values() for check in checks if (problem := _problem(check, d))]
    return len(known), [*shared_labels(known, inputs.shipped_ids()), *problems]


def _problem(check: Callable[[AnyDefinition], None], d: AnyDefinition) -> ImpasseError | None:
    try:
        check(d)
    except ImpasseError as error:
        return error
    return None


def _refuse_uncited(d: AnyDefinition) -> None:
    """Every definition says where it is written and how it is read, a descriptive one why it is not computed."""
    said = {f"source.{name}": getattr(d.source, name) for name in ("citation", "says", "reading", "open")}
    said |= {"not_computed": d.not_computed} if isinstance(d, Description) else {}
    for name, text in {"title": d.title, **said}.items():
        if not text.strip():
            where = f"definition file {d.id}.toml, setting {name}"
            raise ImpasseError(f"Nothing is said under {name}.", where=where, expected="a sentence", do="Write it.")


def _refuse_unproved(d: AnyDefinition, files: list[CaseFile], codes: CodeLists) -> None:
    """An active definition has enough worked cases, and every word in them is known."""
    drawn = [case for file in files for case in file.cases()]
    for case in drawn:
        cases.check_words(case, codes)
    if d.status == "active" and len(drawn) < MIN_CASES:
        raise ImpasseError(
            f"The active definition '{d.id}' has {len(drawn)} worked cases.",
            where=f"case file {d.id}.toml",
            expected=f"at least {MIN_CASES}",
            do="Draw them, or set the definition's status to draft.",
        )


def prove(folder: Path) -> list[Proof]:
    """Run the cases of every definition in a user's folder, and of those that only have cases there."""
    codes, known = inputs.read_codelists([folder]), inputs.read_catalogue([folder])
    files, own = texts.read_texts(folder / "cases", "*.toml"), texts.read_texts(folder, "*.toml")
    if not own.keys() | files.keys():
        raise ImpasseError("No definition here.", where=f"{folder}", expected="<id>.toml", do="Correct the folder.")
    for name in sorted(files.keys() - known.keys()):
        raise unknown("definition", name, sorted(own) or sorted(known), f"{folder / 'cases' / name}.toml")
    judging = {name for name in own if isinstance(known[name], Definition)}
    names = sorted(judging | files.keys())
    return [_proof(computable(name, known), own.get(name, ""), files.get(name), codes) for name in names]


def _proof(d: Definition, text: str, drawn: str | None, codes: CodeLists) -> Proof:
    codes.check_definition(d, text)
    found = () if drawn is None else cases.parse(f"cases/{d.id}.toml", drawn)
    for case in found:
        cases.check_words(case, codes)
    tried = [Failure(case, tuple(told)) for case, told in zip(found, try_cases(found, d, codes), strict=True)]
    return Proof(d.id, len(found), tuple(failure for failure in tried if failure.differences))


def start(new_id: str, neighbour: str, folder: Path, title: str, short: str) -> tuple[Path, ...]:
    """Write a draft that does what its neighbour does, with its neighbour's cases; never over another file.

    Its title and short label are those given, which no other definition may have.
    """
    folders = [folder] if folder.is_dir() else []
    texts_of = inputs.definition_texts(folders)
    known = inputs.own_labels(inputs.parsed(texts_of))
    paths = folder / f"{new_id}.toml", folder / "cases" / f"{new_id}.toml"
    d = computable(neighbour, known)
    _refuse_id(new_id, texts_of, paths)
    draft = _draft(new_id, texts_of[neighbour], title, short)
    _refuse_labels(new_id, draft, known)
    written = [draft, *_copied(new_id, d.id, case_files(folders))]
    for path, text in zip(paths, written, strict=False):  # a neighbour without cases leaves none
        texts.write_text(text, path)
    return paths[: len(written)]


def _refuse_id(new_id: str, known: Mapping[str, str], paths: tuple[Path, ...]) -> None:
    if not definition_file.ID.fullmatch(new_id):
        raise ImpasseError(
            f"'{new_id}' cannot be an id.",
            expected="lower case letters, digits and single underscores, such as dep_three_drugs",
            do="Choose another; ids are for ever.",
        )
    if new_id in known:
        raise ImpasseError(f"There is a definition '{new_id}' already.", do="Choose another id; ids are for ever.")
    for path in paths:
        if path.exists():
            raise ImpasseError("There is such a file already.", where=f"{path}", do="Choose another id, or move it.")


def _draft(new_id: str, text: str, title: str, short: str) -> str:
    """The neighbour's text under a title and a label of its own, as a draft in the present names."""
    head, mark, blocks = definition_file.in_new_names(new_id, text).partition("\n[")
    head = re.sub(r"^short\s*=.*\n", "", head, flags=re.MULTILINE)
    named = f"title = {toml.written(title)}\nshort = {toml.written(short)}"
    for key, line in (("title", named), ("status", 'status = "draft"')):
        head = re.sub(rf"^{key}\s*=.*$", lambda _, line=line: line, head, count=1, flags=re.MULTILINE)
    # Whatever the neighbour rests on, what is changed now is its author's choice.
    blocks = re.sub(r"^confidence\s*=.*$", 'confidence = "D"', blocks, count=1, flags=re.MULTILINE)
    return head + mark + blocks


def _refuse_labels(new_id: str, draft: str, known: dict[str, AnyDefinition]) -> None:
    """The draft can be read, and has a title and a short label of its own."""
    made = definition_file.parse(new_id, draft)
    if not made.title.strip():
        raise ImpasseError(f"'{new_id}' needs a title.", expected="one that no other definition has", do="Give it one.")
    require_label(made)
    for problem in shared_labels({**known, new_id: made}, known):
        raise ImpasseError(problem.what, expected=problem.expected, do="Choose another.")


def _copied(new_id: str, neighbour: str, files: Mapping[str, list[CaseFile]]) -> list[str]:
    """The neighbour's cases as one text, if it has any; what a line means is said on top."""
    found = [file.text.strip() for file in files.get(neighbour, [])]
    header = _HEADER.format(id=new_id, neighbour=neighbour)
    return [header + "\n\n".join(found) + "\n"] if found else []
