"""The words that definitions are made of, as tables: code lists in, rows in words out."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from impasse.reports.words.names import capital, scale_name, words
from impasse.reports.words.numbers import DASH, listed, number
from impasse.schemas.codelists import CodeLists
from impasse.schemas.values import Row

HeadedRows = tuple[tuple[str, ...], list[tuple[str, ...]]]
TIER_NAMES = {"first_line": "first line", "later_line": "later line", "experimental": "experimental"}
_DOSES = {
    "ddd": "Defined daily dose",
    "minimum_effective": "Minimum effective",
    "usual_dose_lower": "Lower end of the usual dose",
    "chlorpromazine_600": "Equal to 600 mg of chlorpromazine",
    "atrq": "Minimum of the MGH ATRQ",
}


def scales(codes: CodeLists) -> HeadedRows:
    """Every symptom scale with what counts as remission and response on it."""
    heads = (
        *("Scale", "Disorders", "Scores", "Severity, from", "Remission", "Response", "Partial response", "Worse"),
        "Source",
    )
    return heads, [_scale(row) for row in codes.scales.to_dicts()]


def _scale(row: Row) -> tuple[str, ...]:
    remission = DASH if row["remission_max"] is None else f"at most {number(row['remission_max'])}"
    if row["is_screening_tool"] and row["remission_max"] is not None:
        remission += "; a screening tool cannot prove it"
    partial = row["partial_fall_percent"]
    return (
        f"{scale_name(row['scale'])}: {row['name']}",
        listed([words(disorder) for disorder in row["disorders"]]) or DASH,
        f"{number(row['minimum'])} to {number(row['maximum'])}; higher is {row['higher_is']}",
        _severity(row),
        remission,
        _told(row, _RESPONSE),
        DASH if partial is None else f"a fall of {number(partial)}% or more",
        _told(row, _WORSE),
        _cited(row),
    )


def _bands(bands: list[str]) -> str:
    """The names of the bands with the score each starts at."""
    named = (band.split(":") for band in bands)
    return ", ".join(f"{words(name)} {edge}" for name, edge in named) or DASH


def _severity(row: Row) -> str:
    """The bands, and those for persons with a diagnosis."""
    plain = _bands(row["severity_bands"])
    if row["bands_with"] is None:
        return plain
    return f"{plain}; with {words(row['bands_with'])}: {_bands(row['severity_bands_with'])}"


_RESPONSE = {
    "response_fall_percent": "a fall of {}% or more",
    "response_fall_points": "a fall of {} points or more",
    "response_max": "at most {}",
}
_WORSE = {
    "worse_rise_percent": "a rise of {}% or more",
    "worse_rise_points": "a rise of {} points or more",
    "worse_min": "at least {}",
}


def _told(row: Row, ways: dict[str, str]) -> str:
    told = [text.format(number(row[column])) for column, text in ways.items() if row[column] is not None]
    return told[0] if told else DASH


def options(codes: CodeLists) -> HeadedRows:
    """What may be tried for a disorder, by tier."""
    heads = ("Option", "Disorder", "Tier", "Treatments", "Source")
    rows = [
        (
            row["name"],
            words(row["disorder"]),
            TIER_NAMES[row["tier"]],
            words(row["treatments"]),
            _cited(row),
        )
        for row in codes.options.to_dicts()
    ]
    return heads, rows


def causes(codes: CodeLists) -> HeadedRows:
    """Diagnoses that may explain an apparent failure, by disorder, how surely, and when they count."""
    heads = ("Cause", "Disorder", "Code list", "Makes it", "Recorded", "Source")
    rows = [
        (capital(words(row["cause"])), words(row["disorder"]), row["list"], row["makes"], _when(row), _cited(row))
        for row in codes.causes.to_dicts()
    ]
    return heads, rows


def _when(row: Row) -> str:
    """When a cause must be recorded; in any case by the episode's end."""
    days = row["days_around_start"]
    return "until the end" if days is None else f"within {number(days)} days of the start"


def treatment_groups(codes: CodeLists) -> HeadedRows:
    """Every treatment group with its members, and those whose code is too coarse to tell."""
    heads = ("Group", "In words", "Surely", "Possibly")
    return heads, [(name, words(name), *_members(codes, name)) for name in sorted(codes.groups())]


def _members(codes: CodeLists, group: str) -> list[str]:
    columns = ("groups", "maybe_groups")
    rows = [codes.treatments.filter(pl.col(column).list.contains(group)).to_dicts() for column in columns]
    return [", ".join(_treatment(row) for row in found) or DASH for found in rows]


def _treatment(row: Row) -> str:
    """A drug's name with its code, or the name of another treatment."""
    return f"{row['name']} ({row['treatment']})" if row["modality"] == "drug" else words(row["treatment"])


def diagnosis_lists(codes: CodeLists) -> HeadedRows:
    """Every diagnosis list with its codes, by code system."""
    heads = ("List", "In words", "Codes")
    names = sorted(codes.code_lists())
    return heads, [(name, words(name), _codes(codes.diagnoses.filter(pl.col("list") == name))) for name in names]


def _codes(rows: pl.DataFrame) -> str:
    told = []
    for system in rows["code_system"].unique(maintain_order=True):
        chosen = rows.filter(pl.col("code_system") == system)
        taken = chosen.filter(pl.col("use") == "include")["code"]
        left = chosen.filter(pl.col("use") == "exclude")["code"]
        but = f" without {', '.join(left)}" if len(left) else ""
        told.append(f"{system.upper()} {', '.join(taken)}{but}")
    return "; ".join(told)


def own_lists(codes: CodeLists) -> HeadedRows:
    """What the user's own folders add to the code lists, row by row."""
    heads = ("File", "Row", "Source")
    return heads, [(row["file"], row["entry"], _cited(row)) for row in codes.own.to_dicts()]


def doses(codes: CodeLists) -> HeadedRows:
    """The doses a day against which a dose can be held, in milligrams, each with its confidence mark."""
    names = dict(codes.treatments.select("treatment", "name").iter_rows())
    heads = ("Drug", *(f"{head}, mg" for head in _DOSES.values()), "Source")
    rows = [
        (_drug(row, names), *(_dose(row, basis) for basis in _DOSES), f"{row['source']} ({row['date']})")
        for row in codes.doses.to_dicts()
    ]
    return heads, rows


def _drug(row: Row, names: dict[str, str]) -> str:
    return f"{names[row['atc']]} ({row['atc']})" if row["atc"] in names else row["atc"]


def _dose(row: Row, basis: str) -> str:
    amount, mark = row[f"{basis}_mg"], row[f"{basis}_confidence"]
    return DASH if amount is None else f"{number(amount)} {mark or ''}".strip()


def _cited(row: Row) -> str:
    return f"{row['source']} ({row['date']}, {row['confidence']})"


def of_disorders(table: HeadedRows, disorders: Iterable[str]) -> HeadedRows:
    """The rows of these disorders, which have a column of their own."""
    heads, rows = table
    chosen = {words(disorder) for disorder in disorders}
    return heads, [row for row in rows if row[heads.index("Disorder")] in chosen]
