"""The kinds of quantity that settings of a definition are given in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field


def _without_sign(number: float) -> float:
    """Zero is one number: rules are named by their values, and -0.0 is written otherwise."""
    return number + 0.0


MOST = 100_000  # days: longer than anyone lives; the arithmetic of days rests on there being a limit
DayCount = Annotated[int, Field(strict=True, ge=0, le=MOST)]
ScorePoints = Annotated[float, Field(strict=True, ge=0, multiple_of=0.5), AfterValidator(_without_sign)]
Flag = Annotated[bool, Field(strict=True)]
Amount = Annotated[float, Field(strict=True), AfterValidator(_without_sign)]
When = Literal["ever", "before", "during", "before_or_during"]
