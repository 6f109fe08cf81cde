"""How sure it must be that a trial counts: six readings of one question, from all that may have been tried to failures.

What a rule needs is asked of each in turn. The surest gives the lower bound of every number, what may have failed the
upper bound, and the readings between tell which block settled a verdict.

    reading          of the counted treatments   adequate   failed
    tried            perhaps
    adequate         perhaps                     perhaps
    failed           perhaps                     perhaps    perhaps
    surely_tried     surely                      perhaps    perhaps
    surely_adequate  surely                      surely     perhaps
    surely_failed    surely                      surely     surely

A truth is a nullable column of booleans; what holds perhaps is what is not false. Polars' `&` is Kleene's, so one
column tells both what surely failed and what perhaps did.
"""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import Literal

import polars as pl

Certainty = Literal["tried", "adequate", "failed", "surely_tried", "surely_adequate", "surely_failed"]


def is_sure(certainty: Certainty) -> bool:
    """Does a trial count only where its truth is sure, and not where it is null?"""
    return certainty == "surely_failed"


def counts(
    certainty: Certainty,
    is_meant: pl.Expr,
    also: pl.Expr | None,
    is_adequate: pl.Expr | None,
    has_failed: pl.Expr | None,
) -> pl.Expr:
    """Does a trial count? It is of the treatments meant, and does what `also` is asked; None is not asked for."""
    readings = {
        "tried": _all(is_meant, also),
        "adequate": _all(is_meant, also, is_adequate),
        "failed": _all(is_meant, also, is_adequate, has_failed),
        "surely_tried": _all(is_meant.fill_null(False), also, is_adequate, has_failed),
        "surely_adequate": _all(_all(is_meant, also, is_adequate).fill_null(False), has_failed),
        "surely_failed": _all(is_meant, also, is_adequate, has_failed),
    }
    return readings[certainty]


def _all(*parts: pl.Expr | None) -> pl.Expr:
    return reduce(and_, (part for part in parts if part is not None))
