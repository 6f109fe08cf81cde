"""Worked cases drawn: a case in, a small table of its history with bars on one time axis, and what it must get.

A row of the table is a line of the history in words, at its first date; what repeats is one row with several bars.
A page draws the bars by its style sheet, a terminal as characters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from textwrap import wrap
from typing import Any

from impasse.reports.display.tables import VERDICT_NAMES
from impasse.reports.words.names import capital, scale_name, words
from impasse.reports.words.numbers import listed, number, plural
from impasse.schemas.cases import Case
from impasse.schemas.codelists import CodeLists
from impasse.schemas.definition import Definition
from impasse.schemas.history import DELIVERED_AS, DRAWN_TABLES, parse_history
from impasse.schemas.study import OBSERVABLE
from impasse.schemas.values import NO_LEVEL, Row

MARKS = {
    "diagnoses": "|",
    "dispensings": "=",
    "unknown": "?",
    "procedures": "+",
    "scores": "o",
    "admissions": "#",
    "died": "x",
}
LEGEND = "| diagnosis   = supply   ? of unknown length   + session   o score   # admission"
_DATE, _EVENT, _GAP = 10, 31, 2
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Drawn:
    """A line of a history: its first date, what happened, the kind of its mark, and its bars in days of the axis."""

    date: str
    event: str
    kind: str
    bars: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class DrawnCase:
    """A case as it is shown. Its axis has `n_days` days, the first of them `first`; a bar ends before its last day."""

    name: str
    facts: str
    first: str
    last: str
    n_days: int
    rows: tuple[Drawn, ...]
    expected: str


@dataclass(frozen=True)
class _Event:
    """A line of a history that has dates."""

    text: str
    kind: str
    days: tuple[tuple[date, date], ...]


def draw(case: Case, definition: Definition, codes: CodeLists) -> DrawnCase:
    """The case in words and bars; a diagnosis is named by the lists that matter to the definition."""
    lines = [parse_history([line], "P1") for line in case.history.splitlines()]
    events = [event for person in lines if (event := _event(person, definition, codes))]
    events.sort(key=lambda event: event.days[0][0])
    days = [day for event in events for pair in event.days for day in pair]
    first, last = min(days), max(days)
    rows = [
        Drawn(str(e.days[0][0]), e.text, e.kind, tuple(((a - first).days, (b - first).days) for a, b in e.days))
        for e in events
    ]
    return DrawnCase(
        name=case.name,
        facts=_facts(case),
        first=f"{first}",
        last=f"{last - _DAY}",
        n_days=(last - first).days,
        rows=tuple(rows),
        expected=expected_words(case.expected),
    )


def as_lines(case: DrawnCase, width: int = 80) -> list[str]:
    """The drawn case as text, no line longer than `width`."""
    left = _DATE + _EVENT + 2 * _GAP
    room = width - left
    axis = f"{case.first}{case.last:>{room - len(case.first)}}"
    lines = [f"{'':{left}}{axis}"]
    for row in case.rows:
        first, *rest = wrap(row.event, _EVENT) or [""]
        bar = _line(row, case.n_days, room)
        lines.append(f"{row.date:<{_DATE + _GAP}}{first:<{_EVENT + _GAP}}{bar}".rstrip())
        lines += [f"{'':{_DATE + _GAP}}{more}" for more in rest]
    return [*wrap(case.facts, width), *lines, *wrap(f"Expected: {case.expected}", width, subsequent_indent="  ")]


def _line(row: Drawn, n_days: int, room: int) -> str:
    """The bars of a row as characters; each is at least one character long."""
    cells = [" "] * room
    for start, end in row.bars:
        left = min(start * room // n_days, room - 1)
        right = max(end * room // n_days, left + 1)
        cells[left:right] = MARKS[row.kind] * (right - left)
    return "".join(cells).rstrip()


def _facts(case: Case) -> str:
    """What is known of the person, and which treatments the delivery can show."""
    person = case.person()
    born = [f"born {person['birth_date']}"] if person["birth_date"] else []
    sex = [person["sex"]] if person["sex"] != "unknown" else []
    seen = [f"observed from {row['start_date']} to {row['end_date']}" for row in person["coverage"]]
    shown = ["drugs" if word == "drug" else words(word) for word in OBSERVABLE if word in case.observes]
    told = [f"{capital(', '.join([*born, *sex, *seen]))}."] if born or sex or seen else []
    return " ".join([*told, f"The delivery shows {listed(shown) if shown else 'no treatment'}."])


def _event(person: Row, definition: Definition, codes: CodeLists) -> _Event | None:
    """What one line of a history draws; facts of the person are not drawn."""
    if person["death_date"]:
        return _Event("death", "died", ((person["death_date"], person["death_date"] + _DAY),))
    table = next((name for name in DRAWN_TABLES if person[name] and name != "coverage"), None)
    if table is None:
        return None
    rows = person[table]
    text = _TEXTS[table](rows[0], definition, codes) + _repeated(rows)
    return _Event(text, _kind(table, rows[0]), tuple(_days(table, row) for row in rows))


def _repeated(rows: list[Row]) -> str:
    if len(rows) == 1:
        return ""
    return f", {len(rows)} times, {plural((rows[1]['date'] - rows[0]['date']).days, 'day')} apart"


def _kind(table: str, row: Row) -> str:
    return "unknown" if table == "dispensings" and row["days"] is None else table


def _days(table: str, row: Row) -> tuple[date, date]:
    """The first day, and the day after the last."""
    start = row["start_date"] if table == "admissions" else row["date"]
    if table == "dispensings":
        return start, start + timedelta(days=row["days"] or 1)
    return start, (row.get("end_date") or start) + _DAY


def _diagnosis(row: Row, definition: Definition, codes: CodeLists) -> str:
    where = [row["setting"]] if row["setting"] != "outpatient" else []
    position = ["not the main one"] if row["position"] != "main" else []
    until = [f"until {row['end_date']}"] if row["end_date"] else []
    named = listed([words(name) for name in _lists(row, definition, codes)])
    told = [f"diagnosis {_code(row['code'], row['code_system'])}", *([named] if named else []), *where, *position]
    return ", ".join([*told, *until])


def _lists(row: Row, definition: Definition, codes: CodeLists) -> list[str]:
    """The code lists a diagnosis is in: those the definition names, else those of its disorders, else all."""
    found = set(codes.lists_of(row["code_system"], row["code"]))
    of_disorders = {codes.diagnoses_of[disorder] for disorder in definition.eligible.disorders}
    return next((sorted(found & named) for named in (definition.code_lists, of_disorders, found) if found & named), [])


def _code(code: str, system: str) -> str:
    """A diagnosis code as it is printed: F32.1 in the ICD-10, with its system in any other."""
    if system == "icd10":
        return f"{code[:3]}.{code[3:]}".rstrip(".")
    return f"{system.upper()} {code}"


def _dispensing(row: Row, definition: Definition, codes: CodeLists) -> str:
    doses = [(row["dose_ug"], "mg"), (row["dose_mddd"], "DDD")]
    dose = [f"{number(amount / 1000)} {unit} a day" for amount, unit in doses if amount is not None]
    return f"{codes.drug_name(row['atc'])}, {' or '.join(dose) or 'dose unknown'}, {_how_long(row)}"


def _how_long(row: Row) -> str:
    """For how many days, or what was handed out, of which the supply rules make days."""
    if row["days"] is not None:
        return f"for {plural(row['days'], 'day')}"
    amounts = [
        f"{word.replace('_', ' ')} {number(row['delivered'][column])}"
        for word, column in DELIVERED_AS.items()
        if row["delivered"].get(column)
    ]
    return f"for as long as {listed(amounts)} last" if amounts else "for an unknown time"


def _session(row: Row, definition: Definition, codes: CodeLists) -> str:
    return f"session of {words(row['treatment'])}"


def _measured(row: Row, definition: Definition, codes: CodeLists) -> str:
    return f"{scale_name(row['scale'])} {number(row['value'])}"


def _stay(row: Row, definition: Definition, codes: CodeLists) -> str:
    return f"in hospital with {_code(row['main_code'], 'icd10')} until {row['end_date']}"


_TEXTS: dict[str, Callable[[Row, Definition, CodeLists], str]] = {
    "diagnoses": _diagnosis,
    "dispensings": _dispensing,
    "procedures": _session,
    "scores": _measured,
    "admissions": _stay,
}


def expected_words(expected: dict[str, Any]) -> str:
    """What the case must get, as one line that starts with the verdict, the stage or the score."""
    told = [_verdict(expected), _stage(expected), *_ranges(expected)]
    told += [f"decided by {expected['decided_by']}"] if expected.get("decided_by") else []
    told += [f"pseudo-resistance {expected['pseudo_resistance']}"] if "pseudo_resistance" in expected else []
    told += [f"causes: {', '.join(map(words, expected['causes'].split())) or 'none'}"] if "causes" in expected else []
    return "; ".join(filter(None, told))


def _verdict(expected: dict[str, Any]) -> str:
    if "verdict" in expected:
        since = f" from {expected['resistant_date']}" if expected.get("resistant_date") else ""
        return f"{VERDICT_NAMES[expected['verdict']].lower()}{since}"
    if "is_eligible" not in expected:
        return ""
    return {True: "eligible", False: "not eligible", None: "eligibility cannot be told"}[expected["is_eligible"]]


def _stage(expected: dict[str, Any]) -> str:
    levels = [expected[name] for name in ("level_min", "level_max") if name in expected]
    outside = {True: ", outside its source’s days", False: ", within its source’s days"}
    marked = outside.get(expected.get("is_outside_band"), "")
    if not levels:
        return marked.removeprefix(", ")
    names = {NO_LEVEL: "none", "": "none", None: "not given"}
    said = " to ".join(dict.fromkeys(names.get(level, level) for level in levels))
    only = {("level_min",): " or higher", ("level_max",): " or lower"}
    which = tuple(name for name in ("level_min", "level_max") if name in expected)
    return f"stage {said}{only.get(which, '')}{marked}"


def _ranges(expected: dict[str, Any]) -> list[str]:
    """Numbers of trials and points; two bounds that are equal are one number."""
    counted = [f"{name}: {expected[column]}" for column, name in _NUMBERS.items() if column in expected]
    bounds = [(name, [expected[c] for c in columns if c in expected], columns) for name, columns in _BOUNDS.items()]
    return counted + [f"{name}: {_range(found, columns[0] in expected)}" for name, found, columns in bounds if found]


_NUMBERS = {"n_trials": "trials", "n_adequate": "adequate"}
_BOUNDS = {"failed": ("n_failed_min", "n_failed_max"), "score": ("score_min", "score_max")}


def _range(found: list[float | None], has_lower: bool) -> str:
    texts = ["none" if value is None else number(value) for value in found]
    if len(found) == 1:
        return f"{texts[0]} {'or more' if has_lower else 'at most'}"
    low, high = texts
    if low == high:
        return low
    return f"{low} or more, without an upper bound" if found[1] is None else f"{low} to {high}"
