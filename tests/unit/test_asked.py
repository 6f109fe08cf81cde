"""What definitions ask of trials: two questions share a column only if they are the same."""

import polars as pl
import pytest
from polars import col, lit

from impasse.transforms.judge.asked import Asked

DAYS = col("n_days")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (DAYS.is_between(28, 56), DAYS.is_between(28, 56, closed="none")),
        (lit(1, dtype=pl.Int8), lit(1, dtype=pl.UInt64)),
        (DAYS.is_in(list(range(100))), DAYS.is_in([*range(50), 500, *range(51, 100)])),
    ],
)
def test_expressions_that_are_printed_alike_are_two(one: pl.Expr, other: pl.Expr) -> None:
    """Polars leaves out of the text how borders count, types, and the middle of long lists."""
    asked = Asked()

    assert str(one) == str(other)
    assert asked.truth(one) != asked.truth(other)
    assert len(asked.truths) == 2


def test_equal_expressions_are_one() -> None:
    """However often they are written."""
    asked = Asked()

    assert asked.truth((DAYS >= 28) & col("is_adequate")) == asked.truth((DAYS >= 28) & col("is_adequate"))
    assert len(asked.truths) == 1
