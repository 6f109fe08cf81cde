"""How sure it must be that a trial counts, by whether it is of the treatments meant, adequate and failed."""

from typing import get_args

import polars as pl
import pytest

from impasse.transforms.judge.counts import Certainty, counts, is_sure

MEANT, ALSO, ADEQUATE, FAILED = (pl.col(name) for name in ("meant", "also", "adequate", "failed"))
ALL = set(get_args(Certainty))
PERHAPS = {"tried", "adequate", "failed"}


def _readings(meant: bool | None, adequate: bool | None, failed: bool | None, also: bool | None = True) -> set[str]:
    """In which readings the trial counts: perhaps, or surely where that is asked."""
    row = pl.DataFrame({"meant": [meant], "also": [also], "adequate": [adequate], "failed": [failed]}).cast(pl.Boolean)
    asked = {one: row.select(counts(one, MEANT, ALSO, ADEQUATE, FAILED)).item() for one in ALL}
    return {one for one, truth in asked.items() if (truth is True if is_sure(one) else truth is not False)}


@pytest.mark.parametrize(
    ("truths", "readings"),
    [
        ((True, True, True), ALL),
        ((None, True, True), PERHAPS),
        ((True, None, True), PERHAPS | {"surely_tried"}),
        ((True, True, None), ALL - {"surely_failed"}),
        ((True, True, False), {"tried", "adequate"}),
        ((True, False, True), {"tried"}),
        ((False, True, True), set()),
    ],
)
def test_a_trial_counts_as_far_as_its_facts_allow(truths: tuple[bool | None, ...], readings: set[str]) -> None:
    """Surely, perhaps, not."""
    assert _readings(*truths) == readings


def test_what_else_is_asked_is_as_sure_as_adequacy() -> None:
    """Where only the treatment must be sure, it may be open; where adequacy must be, it must be sure too."""
    assert _readings(True, True, True, also=None) == PERHAPS | {"surely_tried"}
    assert _readings(True, True, True, also=False) == set()


def test_what_is_given_is_not_asked_to_be_adequate_or_to_fail() -> None:
    """Equal questions are one expression, so that they are one column."""
    asked = {one: str(counts(one, MEANT, None, None, None)) for one in ALL}

    assert len({asked[one] for one in (*PERHAPS, "surely_failed")}) == 1
    assert asked["surely_tried"] == asked["surely_adequate"] != asked["tried"]
