"""The cells that hold a row's codes -> one fact for each code, and the system of each by its shape and date."""

from __future__ import annotations

from fnmatch import fnmatchcase

import polars as pl

from impasse.schemas.delivered import missing_column
from impasse.schemas.mapping import CodeColumn, Part, SystemRule
from impasse.transforms.ingest import drafts

# The number of a row; a name no delivered column can be expected to have.
ROW = "#row"
# What joins the code of a cause and that of what it brought about; at the end of a code they join nothing.
_DAGGER_AND_STAR = r"([0-9A-Za-z])\s*[*+\u2020]\s*([A-Za-z])"


def spread(
    frame: pl.DataFrame, facts: pl.DataFrame, codes: tuple[CodeColumn, ...], missing: tuple[str, ...], part: Part
) -> pl.DataFrame:
    """One fact per code of a row; a row without any code keeps one fact without a code."""
    found = [
        _codes_of(frame, column, entry, missing, part.strip_prefix)
        for entry in codes
        for column in matching(frame, entry, part.file)
    ]
    told = facts.join(pl.concat(found), on="row", how="left", suffix="_own", maintain_order="left_right")
    if "position_own" in told.columns:
        return told.with_columns(position=pl.coalesce("position_own", "position")).drop("position_own")
    return told


def _codes_of(
    frame: pl.DataFrame, column: str, entry: CodeColumn, missing: tuple[str, ...], prefix: str
) -> pl.DataFrame:
    cells = frame.select(pl.col(ROW).alias("row"), code=drafts.text(frame, column, missing))
    if entry.separator:
        between = entry.separator.replace("$", "$$")  # as itself in what replaces
        parted = pl.col("code").str.replace_all(_DAGGER_AND_STAR, f"${{1}}{between}${{2}}")
        cells = cells.with_columns(parted.str.split(entry.separator)).explode("code")
    position = pl.lit(entry.position, dtype=pl.String).alias("position")
    return cells.select("row", drafts.code(pl.col("code"), prefix), position).drop_nulls("code")


def matching(frame: pl.DataFrame, entry: CodeColumn, file: str) -> list[str]:
    """The columns of a file that hold codes by one entry of the mapping; at least one must be there."""
    found = [column for column in frame.columns if fnmatchcase(column.lower(), entry.column.lower())]
    if not found:
        raise missing_column((entry.column,), frame.columns, file)
    return [drafts.readable(frame, column, file) for column in found]


def system_of(rules: tuple[SystemRule, ...]) -> pl.Expr:
    """The system of the first rule the code's shape and date fit."""
    return pl.coalesce([pl.when(_fits(rule)).then(pl.lit(rule.system)) for rule in rules])


def _fits(rule: SystemRule) -> pl.Expr:
    tests = [pl.col("code").str.contains(rule.shape)]
    tests += [pl.col("date") >= rule.since] if rule.since else []
    tests += [pl.col("date") <= rule.until] if rule.until else []
    return pl.all_horizontal(tests)
