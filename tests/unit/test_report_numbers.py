from impasse.reports.words.numbers import (
    coefficient,
    count,
    duration,
    guarded_count,
    guarded_share,
    interval,
    listed,
    percent,
    points,
    share_of,
)


def test_suppressed_is_a_word() -> None:
    """A suppressed count, share or range is written as suppressed, never as zero."""
    assert [count(None), percent(None), interval(None, 0.2)] == ["suppressed"] * 3


def test_none_and_almost_none() -> None:
    """A share of exactly none is 0%; the smallest positive share is not rounded to it."""
    assert [percent(0), percent(0.00001), percent(0.001)] == ["0%", "<0.01%", "0.10%"]


def test_all_and_almost_all() -> None:
    """A share of exactly all is 100%; the share just below is not rounded to it."""
    assert [percent(1), percent(0.9999), percent(0.999)] == ["100%", ">99.9%", "99.9%"]


def test_digits_change_at_one_percent() -> None:
    """Shares under one percent carry two decimals, others one."""
    assert [percent(0.0099), percent(0.0101)] == ["0.99%", "1.0%"]


def test_counts_are_separated() -> None:
    """Thousands are separated."""
    assert [count(999), count(1000)] == ["999", "1,000"]


def test_undefined_is_not_suppressed() -> None:
    """A statistic without a value says whether it was suppressed or does not exist."""
    assert [coefficient(None, True), coefficient(None, False)] == ["suppressed", "not defined"]


def test_negative_numbers_have_a_minus_sign() -> None:
    """Negative statistics carry a minus sign; what rounds to zero carries none."""
    assert [coefficient(-0.25, False), coefficient(-0.001, False)] == ["\u22120.25", "0.00"]


def test_points_carry_their_sign() -> None:
    """A difference is in percentage points, signed both ways, and zero is unsigned."""
    assert [points(0.1, False), points(-0.1, False), points(0.0001, False)] == ["+10.0", "\u221210.0", "0.0"]


def test_durations() -> None:
    """Whole weeks and years are said as such, with the days; other lengths in days alone."""
    written = [duration(0), duration(1), duration(13), duration(14), duration(56), duration(57), duration(365)]

    assert written == [
        "0 days",
        "1 day",
        "13 days",
        "2 weeks (14 days)",
        "8 weeks (56 days)",
        "57 days",
        "1 year (365 days)",
    ]


def test_lists() -> None:
    """Items are joined as in English."""
    assert [listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"], "or")] == [
        "",
        "a",
        "a and b",
        "a, b or c",
    ]


def test_counts_of_rows_set_aside_are_told_as_they_are() -> None:
    """Also four; their share stands beside them, and none and all are said so."""
    assert [share_of(4, 4000), share_of(0, 9), share_of(9, 9), share_of(0, 0)] == [
        *("4 (0.1%) of 4,000", "none of 9", "all of 9"),
        "no rows to look at",
    ]


def test_counts_under_the_threshold_are_not_told() -> None:
    """Four rows are fewer than five, five are five; a share tells neither four rows nor all but four."""
    assert [guarded_count(4, 5), guarded_count(5, 5), guarded_count(0, 5)] == ["fewer than 5", "5", "0"]
    assert [guarded_share(4, 100, 5), guarded_share(5, 100, 5)] == ["fewer than 5 of 100", "5.0% of 100"]
    assert [guarded_share(96, 100, 5), guarded_share(95, 100, 5)] == ["all but fewer than 5 of 100", "95.0% of 100"]
    assert [guarded_share(0, 9, 5), guarded_share(9, 9, 5), guarded_share(0, 0, 5)] == [
        *("none of 9", "all of 9"),
        "no rows to look at",
    ]
