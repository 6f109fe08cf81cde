"""Polars expressions as text that a reader follows: as Polars prints them, without the marks that carry no sense."""

from __future__ import annotations

import re

import polars as pl

_BETWEEN = re.compile(r"\) (&|\||==|!=|>=|<=|<|>|\+|-|\*|/) \(")
_RULE = re.compile(r" [0-9a-f]{8}\b")
_STEP = 2


def in_code(expression: pl.Expr, definition_id: str) -> list[str]:
    """An expression in lines, a branch on each; what names one of a definition's own rules says the rule alone."""
    return _lines(own_name(str(expression), definition_id))


def own_name(text: str, definition_id: str) -> str:
    """Columns are named by rule and definition, which several share in one query; here there is only one."""
    text = text.replace(f" {definition_id}", "")
    return _RULE.sub("", text)


def _lines(text: str) -> list[str]:
    """A line for each branch of a choice, set in as deep as it is nested."""
    plain = text.replace("dyn int: ", "").replace("dyn float: ", "").replace("([true])", "(true)")
    plain = _BETWEEN.sub(r" \1 ", plain.replace("([false])", "(false)")).replace("[(", "(").replace(")]", ")")
    lines, depth, rest = [], 0, plain
    for part in re.split(r"(?=\.when\(|\.otherwise\()", rest):
        if part.strip():
            lines.append(" " * (_STEP * depth) + part.removeprefix("."))
        depth = max(0, depth + part.count("(") - part.count(")"))
    return lines
