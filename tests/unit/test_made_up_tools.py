"""Draws and spellings of the made-up registry."""

from __future__ import annotations

from datetime import date

import numpy as np

from impasse.transforms.simulator.tools import (
    CLOSING,
    OPENING,
    between,
    dates,
    numbers,
    ordered,
    pick,
    pick_by,
    position,
)

N = 20_000
SHARES = np.array([[0.0, 1.0, 3.0, 0.0], [5.0, 0.0, 0.0, 5.0]])


def rng() -> np.random.Generator:
    """Random numbers, the same every time."""
    return np.random.default_rng(4)


def test_a_place_is_drawn_by_its_share() -> None:
    """Three of four draws fall on a share three times as large; none on a share of 0."""
    drawn = np.bincount(pick(rng(), (0.0, 1.0, 3.0), N), minlength=3)

    assert drawn[0] == 0
    assert abs(drawn[2] / N - 0.75) < 0.02


def test_each_kind_draws_from_its_own_shares() -> None:
    """The first kind draws the middle places, the second the outer ones."""
    kind = np.repeat([0, 1], N)
    place = pick_by(rng(), SHARES, kind)
    drawn = [np.bincount(place[kind == one], minlength=4) / N for one in (0, 1)]

    assert np.allclose(drawn, [[0, 0.25, 0.75, 0], [0.5, 0, 0, 0.5]], atol=0.02)
    assert (drawn[0][[0, 3]] == 0).all()
    assert (drawn[1][[1, 2]] == 0).all()


def test_limits_are_from_the_first_and_below_the_second() -> None:
    """With 3 and 5 it is 3 or 4."""
    assert set(between(rng(), np.array([[3, 5]] * 100))) == {3, 4}


def test_places_within_groups() -> None:
    """Groups of two, none and three."""
    assert position(np.array([2, 0, 3])).tolist() == [0, 1, 0, 1, 2]


def test_rows_are_sorted_by_the_first_column_first() -> None:
    """By person, then by day."""
    rows = ordered({"person": np.array([1, 0, 0]), "day": np.array([5, 9, 7])}, "person", "day")

    assert [rows["person"].tolist(), rows["day"].tolist()] == [[0, 0, 1], [7, 9, 5]]


def test_a_day_after_the_end_of_the_registry_is_not_known() -> None:
    """The last day is written, the day after it is blank."""
    assert dates(np.array([0, OPENING, CLOSING, CLOSING + 1])).to_list() == [
        "1970-01-01",
        "2012-01-01",
        "2021-12-31",
        None,
    ]
    assert dates(np.array([(date(1900, 1, 1) - date(1970, 1, 1)).days])).to_list() == ["1900-01-01"]


def test_a_number_that_is_not_known_is_blank() -> None:
    """It keeps the type of the others."""
    assert numbers(np.array([1, 2]), np.array([True, False])).to_list() == [1, None]
