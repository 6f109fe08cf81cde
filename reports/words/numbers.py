"""Numbers as words: plain values in, short text out.

One place decides how a share, a count or a coefficient is written, so that the same number looks the same in
every table, chart and sentence. A value that disclosure control removed is written out as "suppressed";
it is never a zero and never an empty cell.
"""

from __future__ import annotations

SUPPRESSED = "suppressed"
UNDEFINED = "not defined"
DASH = "–"
MINUS = "\u2212"


def count(n: int | None) -> str:
    """A count with thousands separated: 12,345."""
    return SUPPRESSED if n is None else f"{n:,}"


def percent(share: float | None) -> str:
    """A share from 0 to 1 as a percentage; what is not exactly none or all is never rounded to it."""
    if share is None:
        return SUPPRESSED
    if share in (0, 1):
        return f"{share:.0%}"
    if share < 0.0001:
        return "<0.01%"
    if share > 0.999:
        return ">99.9%"
    return f"{share:.2%}" if share < 0.00995 else f"{share:.1%}"


def part_of(part: int, whole: int) -> str:
    """Some of the delivered rows, as they are counted, with their share: none, all, 4 (0.2%)."""
    if part in (0, whole):
        return "all" if part else "none"
    return f"{part:,} ({_tenths(100 * part / whole)})"


def share_of(part: int, whole: int) -> str:
    """The same with what it is of."""
    return f"{part_of(part, whole)} of {whole:,}" if whole else "no rows to look at"


def guarded_count(n: int, threshold: int) -> str:
    """A count of rows of persons; one under the threshold is not told."""
    return f"fewer than {threshold}" if 0 < n < threshold else f"{n:,}"


def guarded_share(part: int, whole: int, threshold: int) -> str:
    """A share of rows with what it is of, without telling a count under the threshold or its complement."""
    if whole == 0:
        return "no rows to look at"
    return f"{guarded_part(part, whole, threshold)} of {guarded_count(whole, threshold)}"


def guarded_part(part: int, whole: int, threshold: int) -> str:
    """A share of rows alone: 12.5%, none, all, fewer than 5, all but fewer than 5."""
    if part in (0, whole):
        return "all" if part else "none"
    if part < threshold:
        return f"fewer than {threshold}"
    if whole - part < threshold:
        return f"all but fewer than {threshold}"
    return _tenths(100 * part / whole)


def _tenths(value: float) -> str:
    """Per cent with one decimal; what is not none or all is not rounded to none or all."""
    if value < 0.1:
        return "under 0.1%"
    return "over 99.9%" if value > 99.9 else f"{value:.1f}%"


def interval(low: float | None, high: float | None) -> str:
    """Two shares as a range: 8.1% to 18.0%."""
    return SUPPRESSED if low is None or high is None else f"{percent(low)} to {percent(high)}"


def coefficient(value: float | None, suppressed: bool) -> str:
    """An agreement statistic with two decimals; a null that was not suppressed has no value at all."""
    if value is None:
        return SUPPRESSED if suppressed else UNDEFINED
    return f"{value:.2f}".replace("-", MINUS).replace(f"{MINUS}0.00", "0.00")


def points(difference: float | None, suppressed: bool) -> str:
    """A difference of two shares in percentage points, with its sign: +3.2."""
    if difference is None:
        return SUPPRESSED if suppressed else UNDEFINED
    text = f"{100 * difference:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", MINUS)


def number(value: float) -> str:
    """A setting as written by hand: 2, 0.5, 17.5."""
    return f"{value:g}"


def plural(n: int, word: str) -> str:
    """A count with its noun: 1 day, 2 days."""
    return f"{n:,} {word}" if n == 1 else f"{n:,} {word}s"


def duration(days: int) -> str:
    """Days, with whole weeks or years first where they say it better: 8 weeks (56 days), 30 days."""
    if days and days % 365 == 0:
        return f"{plural(days // 365, 'year')} ({plural(days, 'day')})"
    if days >= 14 and days % 7 == 0:
        return f"{plural(days // 7, 'week')} ({plural(days, 'day')})"
    return plural(days, "day")


def listed(items: list[str] | tuple[str, ...], word: str = "and") -> str:
    """Items as English: a, b and c."""
    return f" {word} ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
