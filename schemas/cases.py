"""Worked cases: the text of a case file in, frozen cases out.

A case is a small drawn history and what a definition must make of it: the proof that the definition
means what its author meant. The format is in schemas/definitions/README.md, and it is the same for the
shipped definitions and for a user's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pydantic import ValidationError

from impasse.schemas import toml
from impasse.schemas.codelists import CodeLists
from impasse.schemas.definition import DECIDERS, Definition
from impasse.schemas.errors import ImpasseError
from impasse.schemas.history import QUOTED, PlaceOf, parse_history, unknown
from impasse.schemas.study import OBSERVABLE, Study, SupplySection
from impasse.schemas.values import PSEUDO_RESISTANCE, VERDICTS

NO_VALUE = "none"
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

    def person(self, place: PlaceOf = QUOTED) -> dict[str, Any]:
        """The person whom the history draws, as rows by table."""
        return parse_history(self.history.splitlines(), "P1", place)


def parse(file: str, text: str) -> tuple[Case, ...]:
    """Read a case file's text; `file` is named in messages.

    Raises ImpasseError naming file, line and the nearest known word.
    """
    raw = toml.read(text, file, "Correct the line; text needs quotes.")
    for key in raw.keys() - {"case"}:
        raise unknown("key", key, ["case"], _place(file, text, 0, key))
    drawn = raw.get("case", [])
    if not drawn or not isinstance(drawn, list):
        raise ImpasseError("No case in this file.", where=file, expected="[[case]]", do="Draw one, or remove the file.")
    return tuple(_case(file, text, number, case) for number, case in enumerate(drawn))


def check_words(case: Case, codes: CodeLists) -> None:
    """Raise ImpasseError for a scale or treatment that no code list knows; it would be passed over in silence."""
    person = case.person()
    named = [
        ("scale", [row["scale"] for row in person["scores"]], codes.scales["scale"]),
        ("treatment", [row["treatment"] for row in person["procedures"]], codes.treatments["treatment"]),
    ]
    for what, words, known in named:
        for word in sorted(set(words) - set(known)):
            raise unknown(what, word, sorted(known), f"{case.where}, case '{case.name}'")


def study_of(definition: Definition, supply: SupplySection | None = None) -> Study:
    """The study around every case of a definition."""
    return Study.model_validate(
        {
            "name": "cases",
            "source": {"kind": "registry", "path": "."},
            "supply": supply or SupplySection(),
            "period": {"start": date(2015, 1, 1), "end": date(2024, 12, 31)},
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
        return _place(file, text, number, wanted)

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
    case = Case(raw["name"], frozenset(raw["observes"]), raw["history"], expected, place("[[case]]"), supply)
    case.person(place)
    return case


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
    """The file and the first line from the start of this case on that holds the wanted text."""
    lines = text.splitlines()
    starts = [n for n, line in enumerate(lines) if line.lstrip().startswith("[[case]]")]
    start = starts[number] if number < len(starts) else 0
    found = next((n for n in range(start, len(lines)) if wanted in lines[n]), start)
    return f"{file}, line {found + 1}"
