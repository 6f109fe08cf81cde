"""Drawn histories: lines of a case file in, one person's rows in canonical columns out.

The line format is in schemas/definitions/README.md. A history is read the way it is drawn: one line
per event, a date, a code, and words such as `days=28`; `times=` and `every=` repeat a line. What could be
read in two ways, or would be passed over, is refused. Drawn histories are nobody's, so a message may quote them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from impasse.schemas.code_forms import ATC_CODE, FORMS, PLAIN_CODE
from impasse.schemas.errors import ImpasseError, nearest
from impasse.schemas.study import SUPPLY_KINDS
from impasse.schemas.values import CODE_SYSTEMS, SETTINGS

_MOST = 100_000  # days or repetitions
_NUMBER = r"-?[0-9]{1,9}(\.[0-9]+)?"
_THOUSANDTHS = r"[0-9]+(\.[0-9]{1,3})?"
DRAWN_TABLES = ("coverage", "diagnoses", "dispensings", "procedures", "scores", "admissions")
Event = dict[str, Any]
PlaceOf = Callable[[str], str]
QUOTED: PlaceOf = "history line '{}'".format


def parse_history(lines: list[str], person_id: str, place: PlaceOf = QUOTED) -> dict[str, Any]:
    """The person a history draws. Raises ImpasseError for a line it cannot read; `place` says where a line is."""
    person: dict[str, Any] = {"person_id": person_id, "birth_date": None, "sex": "unknown", "death_date": None}
    person |= {table: [] for table in DRAWN_TABLES}
    stated: set[str] = set()
    for line in lines:
        if words := line.split("#")[0].split():
            try:
                _add(person, words, stated)
            except ImpasseError as error:
                where = place(line.strip())
                raise ImpasseError(error.what, where=where, expected=error.expected, do=error.do) from None
    for table in DRAWN_TABLES:
        person[table].sort(key=lambda row: [str(cell) for cell in row.values()])
    return person


def _add(person: dict[str, Any], words: list[str], stated: set[str]) -> None:
    """Add what a line draws; `stated` are the facts of the person that earlier lines gave."""
    kind, *rest = words
    cells = [word for word in rest if "=" not in word]
    if kind not in EVENT_KINDS:
        raise unknown("kind of line", kind, list(EVENT_KINDS))
    form = EVENT_KINDS[kind]
    options = _options([word for word in rest if "=" in word])
    form.check(kind, cells, options)
    if not form.column:
        person[form.table] += [form.read(*cells, **each) for cells, each in _repeated(cells, options)]
        return
    if kind in stated:
        raise ImpasseError(f"A second line '{kind}'.", expected="one in each history", do="Remove one of them.")
    stated.add(kind)
    person[form.column] = form.read(*cells)


def _options(words: list[str]) -> dict[str, str]:
    """The words with a value, each of which may be there once."""
    options: dict[str, str] = {}
    for name, _, value in (word.partition("=") for word in words):
        if name in options:
            raise ImpasseError(f"'{name}=' is there twice.", expected="each word once", do="Remove one of them.")
        options[name] = value
    return options


def unknown(what: str, word: str, known: list[str], where: str = "") -> ImpasseError:
    """The error for a word that is not among the known ones, with the nearest that is."""
    guess = nearest(word, known)
    return ImpasseError(
        f"Unknown {what} '{word}'.",
        where=where,
        expected=", ".join(known),
        do=f"Did you mean '{guess}'?" if guess else "Use one of the expected words.",
    )


def _repeated(cells: list[str], options: dict[str, str]) -> Iterator[tuple[list[str], dict[str, str]]]:
    """The line's cells and its other options once per repetition, `every` days apart, the day `until` with them."""
    if "every" in options and "times" not in options:
        raise ImpasseError("'every=' without 'times='.", expected="how often the line is repeated", do="Add times=.")
    each = {name: value for name, value in options.items() if name not in _REPEAT}
    every = _whole(options.get("every", "7"))
    for n in range(_whole(options.get("times", "1"))):
        moved = {name: _later(value, every * n) for name, value in each.items() if name == "until"}
        yield [_later(cells[0], every * n), *cells[1:]], {**each, **moved}


def _later(text: str, days: int) -> str:
    try:
        return (_date(text) + timedelta(days=days)).isoformat()
    except OverflowError:
        expected = "repetitions that a calendar has days for"
        raise ImpasseError("No day of the calendar.", expected=expected, do="Correct times= or every=.") from None


def _date(text: str) -> date:
    try:
        if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ImpasseError(f"No date: '{text}'.", expected="a day such as 2021-03-09", do="Correct it.")


def _whole(text: str) -> int:
    if not re.fullmatch("[0-9]{1,6}", text) or not 1 <= int(text) <= _MOST:
        expected = f"such as 28, at most {_MOST}"
        raise ImpasseError(f"No whole number from 1: '{text}'.", expected=expected, do="Correct it.")
    return int(text)


def _number(text: str, form: str = _NUMBER) -> float:
    if not re.fullmatch(form, text):
        raise ImpasseError(f"No number: '{text}'.", expected="such as 37.5", do="Correct it.")
    return float(text)


def _dose(text: str) -> int:
    """A dose in thousandths, as it is kept."""
    thousandths = round(_number(text, _NUMBER.removeprefix("-?")) * 1000)
    if thousandths < 1 or not re.fullmatch(_THOUSANDTHS, text):
        expected = "more than 0, with at most three decimals"
        raise ImpasseError(f"No dose: '{text}'.", expected=expected, do="Leave the word out if it is not known.")
    return thousandths


def _code(text: str, system: str = "icd10") -> str:
    if not (text.isalnum() and text == text.upper()):
        meant = "".join(sign for sign in text.upper() if sign.isalnum())
        raise ImpasseError(f"No code: '{text}'.", expected="upper case without dots", do=f"Write {meant}.")
    if not re.fullmatch(ATC_CODE if system == "ATC" else FORMS.get(system, PLAIN_CODE), text):
        raise ImpasseError(f"No {system} code: '{text}'.", expected=f"a code as {system} has them", do="Correct it.")
    return text


def _one_of(what: str, word: str, known: tuple[str, ...]) -> str:
    if word not in known:
        raise unknown(what, word, list(known))
    return word


def _sex(word: str) -> str:
    return _one_of("sex", word, ("female", "male", "unknown"))


def _interval(start: str, end: str) -> tuple[date, date]:
    first, last = _date(start), _date(end)
    if last < first:
        raise ImpasseError("The last day is before the first.", expected="first day, last day", do="Correct one.")
    return first, last


def _coverage(start: str, end: str) -> Event:
    first, last = _interval(start, end)
    return {"start_date": first, "end_date": last}


def _diagnosis(
    day: str,
    code: str,
    until: str | None = None,
    system: str = "icd10",
    position: str = "main",
    setting: str = "outpatient",
) -> Event:
    return {
        "date": _date(day),
        "end_date": _interval(day, until)[1] if until is not None else None,
        "code_system": _one_of("system", system, CODE_SYSTEMS),
        "code": _code(code, system),
        "position": _one_of("position", position, ("main", "other")),
        "setting": _one_of("setting", setting, SETTINGS),
    }


def _dispensing(
    day: str,
    atc: str,
    days: str | None = None,
    dose_mg: str | None = None,
    ddd: str | None = None,
    kind: str = "dispensed",
    **amounts: str,
) -> Event:
    """What a line says itself, and under `delivered` what a registry would have delivered to say it."""
    ug, mddd = (_dose(dose) if dose is not None else None for dose in (dose_mg, ddd))
    n_days = _whole(days) if days is not None else None
    told = {DELIVERED_AS[word]: _amount(amount) for word, amount in amounts.items()}
    return {
        "date": _date(day),
        "atc": _code(atc, "ATC"),
        "days": n_days,
        "dose_ug": ug,
        "dose_mddd": mddd,
        "supply_basis": "unknown" if days is None else "days_supply",
        "kind": _one_of("kind of supply", kind, SUPPLY_KINDS),
        "delivered": {"days_supply": n_days, "daily_dose_mg": None if ug is None else ug / 1000, **told},
    }


def _amount(text: str) -> float:
    amount = _number(text)
    if not 0 < amount < float("inf"):
        raise ImpasseError(f"No amount: '{text}'.", expected="more than 0", do="Leave the word out if it is not known.")
    return amount


def _procedure(day: str, treatment: str) -> Event:
    return {"date": _date(day), "code": treatment, "code_system": "other", "treatment": treatment}


def _score(day: str, scale: str, value: str) -> Event:
    return {"date": _date(day), "scale": scale, "value": _number(value)}


def _admission(start: str, end: str, main_code: str) -> Event:
    first, last = _interval(start, end)
    return {"start_date": first, "end_date": last, "main_code": _code(main_code)}


@dataclass(frozen=True)
class Kind:
    """One kind of line: the words after its name, the options it may have, and where what it says goes."""

    cells: tuple[str, ...]
    read: Callable[..., Any]
    table: str = ""
    column: str = ""
    options: tuple[str, ...] = ()

    def check(self, kind: str, cells: list[str], options: dict[str, str]) -> None:
        """Stop at an option this kind of line does not have, and at too many or too few words."""
        form = " ".join([kind, *self.cells, *(f"{option}=" for option in self.options)])
        for option in options:
            if option not in self.options:
                guess = nearest(option, list(self.options))
                hint = f"Did you mean '{guess}='?" if guess else "Remove it."
                raise ImpasseError(f"Unknown word '{option}='.", expected=form, do=hint)
        if len(cells) != len(self.cells):
            raise ImpasseError("Too many or too few words.", expected=form, do="Write the line in this form.")


# What was handed out, by the words of a line and by the columns of a layout; `ddd` of a line is DDD a day.
DELIVERED_AS = {
    "total_ddd": "ddd",
    "packages": "n_packages",
    "ddd_per_package": "ddd_per_package",
    "quantity": "quantity",
    "strength_mg": "strength_mg",
}
_REPEAT = ("times", "every")
_SUPPLIED = ("days", "dose_mg", "ddd", "kind", *DELIVERED_AS)
EVENT_KINDS: dict[str, Kind] = {
    "born": Kind(("DATE",), _date, column="birth_date"),
    "died": Kind(("DATE",), _date, column="death_date"),
    "sex": Kind(("SEX",), _sex, column="sex"),
    "covered": Kind(("DATE", "DATE"), _coverage, "coverage"),
    "dx": Kind(("DATE", "CODE"), _diagnosis, "diagnoses", options=("until", "system", "position", "setting", *_REPEAT)),
    "disp": Kind(("DATE", "ATC"), _dispensing, "dispensings", options=(*_SUPPLIED, *_REPEAT)),
    "proc": Kind(("DATE", "TREATMENT"), _procedure, "procedures", options=_REPEAT),
    "score": Kind(("DATE", "SCALE", "VALUE"), _score, "scores", options=_REPEAT),
    "adm": Kind(("DATE", "DATE", "CODE"), _admission, "admissions"),
}
