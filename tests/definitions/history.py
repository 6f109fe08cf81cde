"""Drawn histories: lines of a case file in, one person's rows in canonical columns out.

The line format is in README.md beside this file. A history is read the way it is drawn: one line
per event, a date, a code, and words such as `days=28`; `times=` and `every=` repeat a line.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

TABLES = ("coverage", "diagnoses", "dispensings", "procedures", "scores", "admissions")
Event = dict[str, Any]


def parse_history(lines: list[str], person_id: str) -> dict[str, Any]:
    """The person a history draws. Raises ValueError for a line it cannot read."""
    person: dict[str, Any] = {"person_id": person_id, "birth_date": None, "sex": "unknown", "death_date": None}
    person |= {table: [] for table in TABLES}
    for line in lines:
        if words := line.split("#")[0].split():
            _add(person, words, line)
    for table in TABLES:
        person[table].sort(key=lambda row: [str(cell) for cell in row.values()])
    return person


def _add(person: dict[str, Any], words: list[str], line: str) -> None:
    kind, *rest = words
    cells = [word for word in rest if "=" not in word]
    options = dict(word.split("=", 1) for word in rest if "=" in word)
    try:
        if kind in _FACTS:
            column, read = _FACTS[kind]
            person[column] = read(*cells)
        else:
            table, read = _EVENTS[kind]
            person[table] += [read(*cells, **options) for cells in _repeated(cells, options)]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not a line of a history: {line!r} ({error})") from None


def _repeated(cells: list[str], options: dict[str, str]) -> list[list[str]]:
    """The line's cells once per repetition, `every` days apart; takes both words out of the options."""
    times, every = int(options.pop("times", 1)), int(options.pop("every", 7))
    first = date.fromisoformat(cells[0])
    return [[(first + timedelta(days=every * n)).isoformat(), *cells[1:]] for n in range(times)]


def _coverage(start: str, end: str) -> Event:
    return {"start_date": date.fromisoformat(start), "end_date": date.fromisoformat(end)}


def _diagnosis(
    day: str,
    code: str,
    until: str | None = None,
    system: str = "icd10",
    position: str = "main",
    setting: str = "outpatient",
) -> Event:
    return {
        "date": date.fromisoformat(day),
        "end_date": date.fromisoformat(until) if until else None,
        "code": code,
        "code_system": system,
        "position": position,
        "setting": setting,
    }


def _dispensing(
    day: str, atc: str, days: str | None = None, dose_mg: str | None = None, ddd: str | None = None
) -> Event:
    return {
        "date": date.fromisoformat(day),
        "atc": atc,
        "days": int(days) if days else None,
        "dose_ug": round(float(dose_mg) * 1000) if dose_mg else None,
        "dose_mddd": round(float(ddd) * 1000) if ddd else None,
        "supply_basis": "days_supply" if days else "unknown",
    }


def _procedure(day: str, treatment: str) -> Event:
    return {"date": date.fromisoformat(day), "code": treatment, "code_system": "other", "treatment": treatment}


def _score(day: str, scale: str, value: str) -> Event:
    return {"date": date.fromisoformat(day), "scale": scale, "value": float(value)}


def _admission(start: str, end: str, main_code: str) -> Event:
    return {"start_date": date.fromisoformat(start), "end_date": date.fromisoformat(end), "main_code": main_code}


_FACTS = {
    "born": ("birth_date", date.fromisoformat),
    "died": ("death_date", date.fromisoformat),
    "sex": ("sex", str),
}
_EVENTS = {
    "covered": ("coverage", _coverage),
    "dx": ("diagnoses", _diagnosis),
    "disp": ("dispensings", _dispensing),
    "proc": ("procedures", _procedure),
    "score": ("scores", _score),
    "adm": ("admissions", _admission),
}
