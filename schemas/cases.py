"""Worked cases: the text of a case file in, frozen cases out.

A case is a small drawn history and what a definition must make of it: the proof that the definition
means what its author meant. The format is in schemas/definitions/README.md, and it is the same for the
shipped definitions and for a user's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any

import polars as pl
from pydantic import ValidationError

from impasse.schemas import toml
from impasse.schemas.codelists import CodeLists
from impasse.schemas.definition import DECIDERS, Definition
from impasse.schemas.errors import ImpasseError
from impasse.schemas.history import QUOTED, PlaceOf, parse_history, unknown
from impasse.schemas.study import OBSERVABLE, Study, SupplySection
from impasse.schemas.values import PSEUDO_RESISTANCE, VERDICTS

NO_VALUE = "none"
_PERIOD_END = date(2024, 12, 31)
_EVENTS = ("diagnoses", "dispensings", "procedures", "scores", "admissions")
_KEYS = ("name", "observes", "history", "expected")
_OPTIONAL_KEYS = ("supply",)
_WORDS = {"verdict": VERDICTS, "decided_by": DECIDERS, "pseudo_resistance": PSEUDO_RESISTANCE}
_COUNTS = ("n_trials", "n_adequate", "n_failed_min", "n_failed_max")
_POINTS = ("score_min", "score_max")
_TEXTS = ("causes", "level_min", "level_max")
_LITERAL = (*_TEXTS, "pseudo_resistance")
_TRUTHS = ("is_eligible", "is_outside_band")
# A definition gives a verdict; a staging system says whether it speaks about the episode, and a score or a level.
_DECISIVE = ("verdict", "is_eligible", "level_min", "score_min")
EXPECTED = ("verdict", "resistant_date", "decided_by", *_COUNTS, *_POINTS, "pseudo_resistance", *_TEXTS, *_TRUTHS)


@dataclass(frozen=True)
class Case:
    """A drawn history, what the delivery can show, and the columns of the classification it must get.

    A null in `expected` is written "none" in the file, but for texts: the level "none" is the one under the lowest.
    `where` is the file and the line the case starts on, `supply` how amounts become days, as in a study.
    """

    name: str
    observes: frozenset[str]
    history: str
    expected: dict[str, Any]
    where: str
    supply: SupplySection = field(default_factory=SupplySection)

    def place_of(self, *words: str) -> str:
        """The file, the line the case starts on, and the line of the history that holds the words."""
        lines = (line.strip() for line in self.history.splitlines() if set(words) <= set(line.split()))
        quoted = "".join(f", line '{line}'" for line in islice(lines, 1))
        return f"{self.where}, case '{self.name}'{quoted}"

    def person(self, place: PlaceOf = QUOTED) -> dict[str, Any]:
        """The person whom the history draws, as rows by table."""
        return parse_history(self.history.splitlines(), "P1", place)


def parse(file: str, text: str) -> tuple[Case, ...]:
    """Read a case file's text; `file` is named in messages.

    Raises ImpasseError naming file, line and the nearest known word.
    """
    raw = toml.read(text, file, "Correct the line; text needs quotes.")
    toml.require_shown(raw, file)
    for key in raw.keys() - {"case"}:
        raise unknown("key", key, ["case"], _place(file, text, 0, key))
    drawn = raw.get("case", [])
    if not drawn or not isinstance(drawn, list) or not all(isinstance(case, dict) for case in drawn):
        raise ImpasseError("No case in this file.", where=file, expected="[[case]]", do="Draw one, or remove the file.")
    return tuple(_case(file, text, number, case) for number, case in enumerate(drawn))


def check_words(case: Case, codes: CodeLists) -> None:
    """Raise ImpasseError for a word that no code list knows, or a score that its scale does not have.

    It would be passed over in silence.
    """
    person = case.person()
    sessions = codes.treatments.filter(pl.col("modality") != "drug")["treatment"]
    named = [
        ("scale", [row["scale"] for row in person["scores"]], codes.scales["scale"]),
        ("treatment in sessions", [row["treatment"] for row in person["procedures"]], sessions),
    ]
    for what, words, known in named:
        for word in sorted(set(words) - set(known)):
            raise unknown(what, word, sorted(known), case.place_of(word))
    for what, code in _unlisted(person, codes):
        do = "Correct it, or remove the line, which would do nothing."
        raise ImpasseError(f"No code list knows the {what} '{code}'.", where=case.place_of(code), do=do)
    _check_scores(case, person["scores"], codes)


def _unlisted(person: dict[str, Any], codes: CodeLists) -> Iterator[tuple[str, str]]:
    """The drugs and diagnoses of a history that no list holds; a stay in hospital may be for any illness."""
    drugs = {row["atc"] for row in person["dispensings"]}
    yield from (("drug", atc) for atc in sorted(drugs) if codes.resolve_atc(pl.Series([atc])).is_empty())
    told = {(row["code_system"], row["code"]) for row in person["diagnoses"]}
    yield from (("diagnosis", code) for system, code in sorted(told) if not codes.lists_of(system, code))


def _check_scores(case: Case, scores: list[dict[str, Any]], codes: CodeLists) -> None:
    ranges = {name: (low, high) for name, low, high in codes.scales.select("scale", "minimum", "maximum").iter_rows()}
    for row in scores:
        low, high = ranges[row["scale"]]
        if not low <= row["value"] <= high:
            what = f"{row['scale']} goes from {low:g} to {high:g}."
            raise ImpasseError(what, where=case.place_of(row["scale"], f"{row['value']:g}"), do="Correct the score.")


def study_of(definition: Definition, supply: SupplySection | None = None) -> Study:
    """The study around every case of a definition."""
    return Study.model_validate(
        {
            "name": "cases",
            "source": {"kind": "registry", "path": "."},
            "supply": supply or SupplySection(),
            "period": {"start": date(2015, 1, 1), "end": _PERIOD_END},
            "episodes": {
                "disorders": definition.eligible.disorders,
                "gap_days": 180,
                "treatment_bridges": True,
                "tail_days": 30,
                "min_prior_observation_days": 365,
                "lead_days": 30,
            },
        }
    )


def _case(file: str, text: str, number: int, raw: dict[str, Any]) -> Case:
    def place(wanted: str) -> str:
        name = raw.get("name")
        return _place(file, text, number, wanted) + (f", case '{name}'" if isinstance(name, str) else "")

    for key in raw:
        if key not in (*_KEYS, *_OPTIONAL_KEYS):
            raise unknown("key of a case", key, [*_KEYS, *_OPTIONAL_KEYS], place(key))
    for key in _KEYS:
        if key not in raw:
            keys = ", ".join(_KEYS)
            raise ImpasseError(f"A case without {key}.", where=place("[[case]]"), expected=keys, do="Add it.")
    _check_kinds(raw, place)
    for word in raw["observes"]:
        if word not in OBSERVABLE:
            raise unknown("treatment that is observed", str(word), list(OBSERVABLE), place("observes"))
    _check_expected(raw["expected"], place)
    expected = {
        column: None if value == NO_VALUE and column not in _LITERAL else value
        for column, value in raw["expected"].items()
    }
    supply = _supply(raw.get("supply", {}), place)
    case = Case(
        raw["name"],
        frozenset(raw["observes"]),
        raw["history"],
        expected,
        _place(file, text, number, "[[case]]"),
        supply,
    )
    case.person(place)
    for line in case.history.splitlines():
        _check_days(parse_history([line], "P1"), place(line.strip()))
    return case


def _check_days(drawn: dict[str, Any], where: str) -> None:
    """Stop at an event after the period of the study around every case: it would be passed over in silence."""
    starts = [row.get("date", row.get("start_date")) for table in _EVENTS for row in drawn[table]]
    for day in sorted(day for day in [*starts, drawn["death_date"]] if day and day > _PERIOD_END):
        what = f"A day after the period's end: {day}."
        expected = f"at most {_PERIOD_END}, the last day of the study around every case"
        raise ImpasseError(what, where=where, expected=expected, do="Correct it.")


def _supply(stated: object, place: PlaceOf) -> SupplySection:
    """The supply rules that a case states, as a study would; else those that hold where a study states none."""
    try:
        return SupplySection.model_validate(stated)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(["supply", *(str(part) for part in problem["loc"])])
        raise ImpasseError(
            f"{key} is not readable.",
            where=place("supply"),
            expected=problem["msg"].removeprefix("Value error, "),
            do="Correct it.",
        ) from None


def _check_kinds(raw: dict[str, Any], place: PlaceOf) -> None:
    kinds = {"name": (str, "text"), "observes": (list, "a list of words"), "history": (str, "lines of text")}
    for key, (kind, meant) in {**kinds, "expected": (dict, "columns and values in braces")}.items():
        if not isinstance(raw[key], kind):
            raise ImpasseError(f"{key} is not readable.", where=place(key), expected=meant, do="Correct it.")
    if not raw["name"].strip():
        raise ImpasseError("A case without a name.", where=place("name"), expected="a sentence", do="Write it.")


def _check_expected(expected: dict[str, Any], place: PlaceOf) -> None:
    for column, value in expected.items():
        if column not in EXPECTED:
            raise unknown("expected column", column, list(EXPECTED), place(column))
        if column in _WORDS and value not in _WORDS[column]:
            raise unknown(column, str(value), list(_WORDS[column]), place(column))
        if column not in _WORDS and value != NO_VALUE:
            _check_value(column, value, place)
    if not expected.keys() & set(_DECISIVE):
        meant = f"{', '.join(VERDICTS)}; of a staging system is_eligible, level_min or score_min"
        raise ImpasseError("A case without a verdict.", where=place("expected"), expected=meant, do="State it.")


def _check_value(column: str, value: object, place: PlaceOf) -> None:
    kinds: tuple[type, ...] = (int,)
    meant = "a whole number"
    if column in _TEXTS:
        kinds, meant = (str,), "text"
    if column in _TRUTHS:
        kinds, meant = (bool,), "true or false"
    if column in _POINTS:
        kinds, meant = (int, float), "a number"
    if column == "resistant_date":
        kinds, meant = (date,), "a day such as 2021-03-09, without quotes"
    if type(value) not in kinds:
        raise ImpasseError(
            f"{column} is not readable.", where=place(column), expected=f"{meant}, or '{NO_VALUE}'", do="Correct it."
        )


def _place(file: str, text: str, number: int, wanted: str) -> str:
    """The file and the first line from the start of this case on that is the wanted text, sets it, or holds it."""
    lines = text.splitlines()
    starts = [n for n, line in enumerate(lines) if line.lstrip().startswith("[[case]]")]
    start = starts[number] if number < len(starts) else 0
    sets = re.compile(rf"(^|[\s{{,]){re.escape(wanted)}\s*=")
    ways: list[Callable[[str], object]] = [
        lambda line: line.strip() == wanted,
        sets.search,
        lambda line: wanted in line,
    ]
    found = (n for fits in ways for n in range(start, len(lines)) if fits(lines[n]))
    return f"{file}, line {next(found, start) + 1}"
