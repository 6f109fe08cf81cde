"""What makes a delivered row unusable: the rules, by name, and the test of each.

A rule about the person and the days is asked of every row, one about what the row says once for all rows
that say it. The first rule that a row breaks speaks for it: what the source could not read, then who,
when, what, each in the order given here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from impasse.schemas.code_forms import FORMS, PLAIN_CODE
from impasse.schemas.codelists import CodeLists
from impasse.schemas.extracts import CODE_SYSTEMS
from impasse.schemas.mapping import SUPPLY_COLUMNS
from impasse.transforms.ingest.drafts import LARGEST, OTHER_DRUG
from impasse.transforms.ingest.supply import is_return

RULES: dict[str, str] = {
    "contact_missing": "no contact, or more than one, has this record number",
    "person_missing": "the row names no person",
    "person_conflicting": "rows of this person contradict each other; all are refused",
    "person_duplicate": "another row of this person is kept; it has what this one tells",
    "person_unknown": "the person is not among the accepted persons",
    "date_missing": "the date is not filled in",
    "date_unreadable": "a date fits none of the stated formats",
    "date_before_1900": "the date is before 1900",
    "date_before_birth": "the date is before the person's birth",
    "date_after_period": "the date is after the end of the study period",
    "date_after_death": "the date is after the person's death",
    "end_before_start": "the end is before the start",
    "birth_implausible": "the birth is before 1850 or after the end of the study period",
    "death_before_birth": "the death is before the birth",
    "atc_missing": "the ATC code is not filled in",
    "atc_malformed": "the ATC code does not have the form of one",
    "no_atc_mapping": "the drug's ingredient is not known",
    "supply_unreadable": "an amount is not a number",
    "supply_negative": "a strength, a dose or days alone are negative, or amounts of one row have different signs",
    "supply_too_large": "an amount is over 100,000",
    "code_missing": "the row holds no code",
    "code_system_unknown": "the code system of a code is not known",
    "code_malformed": "a code does not have the form of one of its system, or a cell holds several codes",
    "score_missing": "the score has no value",
    "score_unreadable": "the score is not a number",
    "scale_unknown": "the scale is not in the list of scales",
    "score_out_of_range": "the score is outside the range of its scale",
}
# Refused rows that no result can depend on: they do not count towards the limits of a study.
HARMLESS = (("coverage", "person_unknown"),)
# Rules of rows that come too late; a column says whether a row takes a supply back, which never comes too late.
LATE = ("date_after_period", "date_after_death")
IS_RETURN = "is_return"
_ATC = r"^[A-Z][0-9]{2}([A-Z]([A-Z]([0-9]{2})?)?)?$"

Checks = dict[str, pl.Expr]


def of_who() -> Checks:
    """Rules about the person a row names."""
    return {"person_missing": pl.col("person_id").is_null(), "person_unknown": pl.col("person").is_null()}


def of_when(table: str, period_end: date) -> Checks:
    """Rules about the days of a row. Coverage says who is observed, not what happened to whom alive.

    What a dead person had is returned by others, and what was handed out in the period may be returned after it.
    """
    start = "start_date" if table in ("coverage", "admissions") else "date"
    missing = {"date_missing": pl.col(start).is_null()}
    if table == "deaths":
        return missing | _born(start)
    if table == "dispensings":
        return missing | {name: test & ~_is_late_return(name) for name, test in _lived(start, period_end).items()}
    ends = {"end_before_start": pl.col("end_date") < pl.col(start)}
    return missing | (_lived(start, period_end) if table != "coverage" else {}) | (ends if table in _ENDING else {})


def of_what(table: str, codes: CodeLists) -> Checks:
    """Rules about all else that a row says."""
    checks = {
        "diagnoses": lambda: _code_checks(CODE_SYSTEMS),
        "dispensings": _dispensing_checks,
        "procedures": lambda: _code_checks(None),
        "scores": lambda: _score_checks(codes.scales),
    }
    return checks.get(table, dict)()


def first_broken(checks: Checks) -> pl.Expr:
    """The rule already found, else the first whose test is true."""
    return pl.coalesce(["rule", *(pl.when(test).then(pl.lit(name)) for name, test in checks.items())])


def is_any_broken(checks: Checks) -> pl.Expr:
    """Whether any test is true; a test that cannot tell is not."""
    return pl.any_horizontal(pl.lit(False), *checks.values()).fill_null(False)


_ENDING = ("coverage", "diagnoses", "admissions")


def _born(column: str) -> Checks:
    when = pl.col(column)
    return {"date_before_1900": when < date(1900, 1, 1), "date_before_birth": when < pl.col("born_from")}


def _lived(column: str, period_end: date) -> Checks:
    when = pl.col(column)
    return _born(column) | {"date_after_period": when > period_end, "date_after_death": when > pl.col("death_date")}


def _is_late_return(rule: str) -> pl.Expr:
    return pl.col(IS_RETURN) if rule in LATE else pl.lit(False)


def _code_checks(systems: Iterable[str] | None) -> Checks:
    system = pl.col("code_system")
    return {
        "code_missing": pl.col("code").is_null(),
        "code_system_unknown": system.is_null() if systems is None else ~system.is_in(list(systems)).fill_null(False),
        "code_malformed": ~pl.col("code").str.contains(system.replace_strict(FORMS, default=PLAIN_CODE)),
    }


def _dispensing_checks() -> Checks:
    return {
        "atc_missing": pl.col("atc").is_null(),
        "atc_malformed": ~pl.col("atc").str.contains(_ATC) & (pl.col("atc") != OTHER_DRUG),
        "supply_negative": pl.any_horizontal(pl.col(SUPPLY_COLUMNS) < 0) & ~is_return(),
        "supply_too_large": pl.any_horizontal(pl.col(SUPPLY_COLUMNS).abs() > LARGEST),
    }


def _score_checks(scales: pl.DataFrame) -> Checks:
    scale, value = pl.col("scale"), pl.col("value")
    lowest = scale.replace_strict(scales["scale"], scales["minimum"], default=None, return_dtype=pl.Float64)
    highest = scale.replace_strict(scales["scale"], scales["maximum"], default=None, return_dtype=pl.Float64)
    return {
        "score_missing": value.is_null(),
        "scale_unknown": ~scale.is_in(scales["scale"].to_list()).fill_null(False),
        "score_out_of_range": (value < lowest) | (value > highest),
    }


def as_delivered(delivered: pl.DataFrame, rows: pl.Series, rules: pl.Series) -> pl.DataFrame:
    """Refused rows with every delivered column untouched, the rule that refused each, and what the rule says."""
    named = [name for name in delivered.columns if name in ("rule", "reason")]
    taken = {name: f"{name}_delivered" for name in named}
    reason = rules.replace_strict(RULES, return_dtype=pl.String).alias("reason")
    return delivered.rename(taken)[rows].with_columns(rules.alias("rule"), reason)


def too_late(broken: pl.DataFrame, refused: pl.DataFrame, faulty: pl.DataFrame) -> pl.DataFrame:
    """The facts of rows that are refused because of a death or the end of the period, and for nothing else."""
    rows = refused.filter(pl.col("rule").is_in(LATE))["row"]
    return broken.filter(pl.col("row").is_in(rows.implode()) & ~pl.col("said").is_in(faulty["said"].implode()))
