"""The code tables for the reference: a folder of CSV files in, one look-up object out.

Read with the csv module and searched with loops, so that it shares nothing with the shipped reader.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NOT_FULLY_NAMED = "psychotherapy_unspecified"


@dataclass(frozen=True)
class Treatment:
    """One row of treatments.csv. Empty cells are empty strings."""

    treatment: str
    modality: str
    class_name: str
    mechanism: str
    observed_as: str
    groups: frozenset[str]
    maybe_groups: frozenset[str]


@dataclass(frozen=True)
class ListedCode:
    """One row of diagnoses.csv: a prefix that puts a code into, or keeps it out of, a list."""

    list_name: str
    code_system: str
    prefix: str
    use: str

    def fits(self, code: str) -> bool:
        """Classifications carry their hierarchy in their spelling; of SNOMED and OMOP, identifiers are joined by +."""
        return (
            self.prefix in code.split("+") if self.code_system in ("snomed", "omop") else code.startswith(self.prefix)
        )


@dataclass(frozen=True)
class Scale:
    """One row of scales.csv; a blank number is None."""

    name: str
    disorders: frozenset[str]
    minimum: float
    remission_max: float | None
    response_fall_percent: float | None
    partial_fall_percent: float | None
    response_fall_points: float | None
    response_max: float | None
    worse_rise_percent: float | None
    worse_rise_points: float | None
    worse_min: float | None
    bands: tuple[tuple[str, float], ...]
    bands_with: str
    other_bands: tuple[tuple[str, float], ...]
    is_screening_tool: bool


@dataclass(frozen=True)
class Cause:
    """One row of causes.csv: a diagnosis that may explain an apparent failure, and how surely it does.

    Without days around the episode's start, one on any day until the episode's end counts.
    """

    cause: str
    disorder: str
    code_list: str
    makes: str
    days_around_start: int | None


@dataclass(frozen=True)
class Option:
    """One row of options.csv: a group of treatments that may be tried in a disorder."""

    option: str
    disorder: str
    group: str
    tier: str


@dataclass(frozen=True)
class Codes:
    """All code tables, in the order of the files.

    doses: atc -> column -> mg of the route that is looked up (blank cells are missing).
    remembered: what was asked before, and the answer, to save time.
    """

    treatments: tuple[Treatment, ...]
    doses: dict[str, dict[str, float]]
    diagnoses: tuple[ListedCode, ...]
    scales: tuple[Scale, ...]
    disorders: dict[str, dict[str, str]]
    causes: tuple[Cause, ...]
    options: tuple[Option, ...]
    remembered: dict[tuple[Any, ...], Any] = field(default_factory=dict, compare=False)

    def _asked(self, question: tuple[Any, ...], answer: Callable[[], Any]) -> Any:
        if question not in self.remembered:
            self.remembered[question] = answer()
        return self.remembered[question]

    def drug(self, atc: str) -> Treatment | None:
        """The row of the longest listed prefix of a delivered ATC code."""

        def longest() -> Treatment | None:
            listed = [row for row in self.treatments if atc.startswith(row.treatment)]
            return max(listed, key=lambda row: len(row.treatment), default=None)

        return self._asked(("drug", atc), longest)

    def named(self, treatment: str | None) -> Treatment | None:
        """The row of a procedure's treatment, which is listed under exactly that name or is an ATC code."""
        if treatment is None:
            return None
        by_name = (row for row in self.treatments if row.treatment == treatment)
        return self._asked(("named", treatment), lambda: next(by_name, None) or self.drug(treatment))

    def scale(self, name: str) -> Scale:
        """The scale of that name."""
        return next(scale for scale in self.scales if scale.name == name)

    def in_list(self, list_name: str, code: str, code_system: str) -> bool:
        """True when an include prefix fits and no exclude prefix of the same list and system does."""

        def is_included() -> bool:
            uses = [
                row.use
                for row in self.diagnoses
                if row.list_name == list_name and row.code_system == code_system and row.fits(code)
            ]
            return "include" in uses and "exclude" not in uses

        return self._asked(("in list", list_name, code, code_system), is_included)

    def in_list_of_any_system(self, list_name: str, code: str | None) -> bool:
        """An admission's main code comes without a code system: any system may claim it."""
        systems = {row.code_system for row in self.diagnoses}
        return code is not None and any(self.in_list(list_name, code, system) for system in systems)

    def is_unobserved(self, groups: tuple[str, ...], observes: frozenset[str]) -> bool:
        """True when some treatment of some of the groups cannot be seen in the delivery.

        Where psychotherapy is seen, so is CBT, though it may not be told apart.
        """
        seen = observes | {"cbt"} if "psychotherapy" in observes else observes
        meant = (row.observed_as not in seen for row in self.treatments if row.groups & set(groups))
        return self._asked(("unobserved", groups, observes), lambda: any(meant))


def is_identified(treatment: str) -> bool:
    """A full ATC code, or a named treatment other than unspecified psychotherapy."""
    if treatment[0].isupper():
        return len(treatment) == 7
    return treatment != NOT_FULLY_NAMED


def load(folder: Path) -> Codes:
    """Read the seven CSV files of a folder."""
    return Codes(
        treatments=tuple(_treatment(row) for row in _rows(folder / "treatments.csv")),
        doses={row["atc"]: _numbers(row) for row in _rows(folder / "doses.csv") if row["is_looked_up"] == "true"},
        diagnoses=tuple(
            ListedCode(row["list"], row["code_system"], row["code"], row["use"])
            for row in _rows(folder / "diagnoses.csv")
        ),
        scales=tuple(_scale(row) for row in _rows(folder / "scales.csv")),
        disorders={row["disorder"]: row for row in _rows(folder / "disorders.csv")},
        causes=tuple(_cause(row) for row in _rows(folder / "causes.csv")),
        options=tuple(
            Option(row["option"], row["disorder"], row["treatments"], row["tier"])
            for row in _rows(folder / "options.csv")
        ),
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def _treatment(row: dict[str, str]) -> Treatment:
    return Treatment(
        treatment=row["treatment"],
        modality=row["modality"],
        class_name=row["class"],
        mechanism=row["mechanism"],
        observed_as=row["observed_as"],
        groups=frozenset(row["groups"].split()),
        maybe_groups=frozenset(row["maybe_groups"].split()),
    )


def _scale(row: dict[str, str]) -> Scale:
    return Scale(
        name=row["scale"],
        disorders=frozenset(row["disorders"].split()),
        minimum=float(row["minimum"]),
        remission_max=_number(row["remission_max"]),
        response_fall_percent=_number(row["response_fall_percent"]),
        partial_fall_percent=_number(row["partial_fall_percent"]),
        response_fall_points=_number(row["response_fall_points"]),
        response_max=_number(row["response_max"]),
        worse_rise_percent=_number(row["worse_rise_percent"]),
        worse_rise_points=_number(row["worse_rise_points"]),
        worse_min=_number(row["worse_min"]),
        bands=_bands(row["severity_bands"]),
        bands_with=row["bands_with"],
        other_bands=_bands(row["severity_bands_with"]),
        is_screening_tool=row["is_screening_tool"] == "true",
    )


def _cause(row: dict[str, str]) -> Cause:
    days = int(row["days_around_start"]) if row["days_around_start"] else None
    return Cause(row["cause"], row["disorder"], row["list"], row["makes"], days)


def _bands(cell: str) -> tuple[tuple[str, float], ...]:
    """Names of bands with their lowest scores."""
    return tuple((band.split(":")[0], float(band.split(":")[1])) for band in cell.split())


def _number(cell: str) -> float | None:
    return float(cell) if cell else None


def _numbers(row: dict[str, str]) -> dict[str, float]:
    """The dose columns that hold a value."""
    columns = ("minimum_effective_mg", "usual_dose_lower_mg", "chlorpromazine_600_mg", "atrq_mg")
    return {name: float(row[name]) for name in columns if row[name]}
