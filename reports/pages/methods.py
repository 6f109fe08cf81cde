"""The page of methods: definitions, their worked cases and the code lists in, one self-contained HTML page out.

Every definition is written out by the program that applies it: in sentences, beside the others, setting by setting,
and in the drawn histories that prove it means what it says. Those that cannot be computed stand beside them with the
reason. Nothing comes from a delivery, and equal definitions give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from impasse.reports.display.matrix import Side, side_by_side
from impasse.reports.display.timeline import DrawnCase, draw
from impasse.reports.pages.report import page_of
from impasse.reports.words import vocabulary
from impasse.reports.words.names import STATUS_MEANINGS, capital, confidence, words
from impasse.reports.words.numbers import listed, number, plural
from impasse.reports.words.prose import describe, summary
from impasse.reports.words.resistance import follow_up
from impasse.schemas.cases import Case
from impasse.schemas.codelist_files import CONFIDENCE
from impasse.schemas.codelists import CodeLists
from impasse.schemas.definition import DISORDERS, Definition
from impasse.schemas.description import Description
from impasse.schemas.source import Source

_HEADINGS = {
    "count": "Resistance by counting trials",
    "score": "Resistance by a score",
    "stage": "Staging systems: stages",
    "open": "Staging systems: scores",
}
_QUESTIONS = {
    "eligible": "Which episodes does it speak about?",
    "trial": "What is one treatment attempt?",
    "adequacy": "Was it long and strong enough?",
    "outcome": "Did it fail, work, or can we not tell?",
    "resistance": "How many failures of which kind?",
}


@dataclass(frozen=True)
class MethodsContents:
    """Everything the page shows: definitions of any status, the cases of each by its id, and the code lists."""

    definitions: Sequence[Definition | Description]
    cases: Mapping[str, Sequence[Case]]
    codes: CodeLists


def render_methods(contents: MethodsContents) -> str:
    """The page of methods as HTML, without a clock or a path in it."""
    computed = sorted((d for d in contents.definitions if isinstance(d, Definition)), key=lambda d: d.id)
    described = sorted((d for d in contents.definitions if isinstance(d, Description)), key=lambda d: d.id)
    present = {name for d in computed for name in d.eligible.disorders} | {
        name for d in described for name in d.disorders
    }
    shown = [disorder for disorder in DISORDERS if disorder in present]
    n_cases = sum(len(contents.cases.get(d.id, ())) for d in computed)
    view = {
        "lead": _lead(len(computed), n_cases, len(described)),
        "disorders": [_disorder(disorder, computed, contents) for disorder in shown],
        "described": [_described(d) for d in described],
        "marks": [(mark, confidence(mark)) for mark in CONFIDENCE],
        "vocabulary": _vocabulary(contents.codes, shown),
    }
    return page_of("methods.html", view)


def _lead(n_computed: int, n_cases: int, n_described: int) -> str:
    described = f", and {n_described:,} that it only describes" if n_described else ""
    computed = plural(n_computed, "definition")
    return f"{computed} that the program computes, with {plural(n_cases, 'worked case')}{described}."


def _disorder(disorder: str, computed: list[Definition], contents: MethodsContents) -> dict[str, Any]:
    """A definition of several disorders is written out under the first, and stands beside the others of each."""
    here = [d for d in computed if d.eligible.disorders[0] == disorder]
    beside = [d for d in computed if disorder in d.eligible.disorders]
    grouped = {kind: [d for d in here if _kind(d) == kind] for kind in _HEADINGS}
    return {
        "id": disorder,
        "name": capital(words(disorder)),
        "kinds": [
            {"heading": _HEADINGS[kind], "definitions": [_definition(d, contents) for d in found]}
            for kind, found in grouped.items()
            if found
        ],
        "elsewhere": [(d.id, d.title) for d in beside if d not in here],
        "sides": [_side(side) for side in side_by_side(beside)] if len(beside) > 1 else [],
    }


def _kind(d: Definition) -> str:
    return "open" if d.gives == "score" else d.resistance.kind


def _definition(d: Definition, contents: MethodsContents) -> dict[str, Any]:
    cases = contents.cases.get(d.id, ())
    return {
        "id": d.id,
        "title": d.title,
        "status": f"{capital(d.status)}, {STATUS_MEANINGS[d.status]}." if d.status != "active" else "",
        "confidence": f"{d.source.confidence}: {confidence(d.source.confidence)}",
        "summary": summary(d),
        "blocks": [(capital(block), text) for block, text in {**describe(d), "follow-up": follow_up(d)}.items()],
        "source": _source(d.source),
        "n_cases": plural(len(cases), "worked case"),
        "cases": [_case(draw(case, d, contents.codes)) for case in cases],
    }


def _described(d: Description) -> dict[str, Any]:
    return {
        "id": d.id,
        "title": d.title,
        "disorders": capital(listed([words(disorder) for disorder in d.disorders])),
        "confidence": f"{d.source.confidence}: {confidence(d.source.confidence)}",
        "not_computed": d.not_computed,
        "source": _source(d.source),
    }


def _source(source: Source) -> list[tuple[str, str]]:
    told = [
        ("Citation", source.citation),
        ("It says", source.says),
        ("We read", source.reading),
        ("Left open", source.open),
    ]
    return [(label, text) for label, text in told if text]


def _case(case: DrawnCase) -> dict[str, Any]:
    """A case with its bars in percent of the axis."""
    rows = [
        {
            "date": row.date,
            "event": row.event,
            "kind": row.kind,
            "bars": [(_percent(start, case.n_days), _percent(end - start, case.n_days)) for start, end in row.bars],
        }
        for row in case.rows
    ]
    return {
        "name": case.name,
        "facts": case.facts,
        "first": case.first,
        "last": case.last,
        "rows": rows,
        "expected": capital(case.expected),
    }


def _percent(days: int, of: int) -> str:
    return number(round(100 * days / of, 1))


def _side(side: Side) -> dict[str, Any]:
    return {
        "heading": capital(side.block),
        "question": _QUESTIONS[side.block],
        "shared": [(_setting(name), value) for name, value in side.shared],
        "columns": [
            (_setting(name), _width(longest)) for name, longest in zip(side.columns, _longest(side), strict=True)
        ],
        "rows": [(id, _broken(id), cells) for id, cells in side.rows],
    }


def _broken(id: str) -> Markup:
    """An id that may be broken after an underscore."""
    return Markup("_<wbr>").join(id.split("_"))


def _longest(side: Side) -> list[int]:
    """How long the longest cell of each column is."""
    return [max(len(cells[place].text) for _, cells in side.rows) for place in range(len(side.columns))]


def _width(longest: int) -> str:
    """The class of a column that needs room for sentences."""
    return "longer" if longest > 150 else "long" if longest > 40 else ""


def _setting(name: str) -> str:
    """A setting's name in the file as words: drug.min_days -> drug: min days."""
    return name.replace(".", ": ").replace("_", " ")


def _vocabulary(codes: CodeLists, disorders: list[str]) -> list[dict[str, Any]]:
    """Tables that a reader wants at once are open; those to look something up in are closed."""
    of_disorders = vocabulary.of_disorders
    tables = [
        ("scales", "Symptom scales", vocabulary.scales(codes), True),
        ("options", "What may be tried", of_disorders(vocabulary.options(codes), disorders), True),
        ("causes", "Causes of pseudo-resistance", of_disorders(vocabulary.causes(codes), disorders), True),
        ("groups", "Treatment groups and their members", vocabulary.treatment_groups(codes), False),
        ("doses", "Doses", vocabulary.doses(codes), False),
        ("lists", "Diagnosis lists and their codes", vocabulary.diagnosis_lists(codes), False),
        ("own", "Added by the study's own code lists", vocabulary.own_lists(codes), True),
    ]
    return [
        {"id": f"vocabulary-{id}", "heading": heading, "heads": heads, "rows": rows, "is_open": is_open}
        for id, heading, (heads, rows), is_open in tables
        if rows
    ]
