"""The days on which the supplies of one drug are taken: how long each lasts, and what is left over for the next one.

What is left over when the drug is dispensed again are days or, where the study says so, an amount that lasts for as
many days as it makes at the next supply's dose.
"""

from __future__ import annotations

from datetime import date

from impasse.schemas.definition import Trial
from impasse.schemas.study import SupplySection
from tests.reference.basics import Row, days_between, later
from tests.reference.same_day import in_order_taken

Span = tuple[date, date]  # the days [since, until)


def supplies_in_order(rows: list[Row], rule: Trial, supply: SupplySection) -> list[Row]:
    """The supplies of one drug in one episode as they are taken, each with the dose by which leftovers are compared.

    Reading: every supply of the drug is each one that the rule looks at in its window, of whatever days. A dose of 0 mg
    is a dose in mg, too.
    """
    unit = "dose_mddd" if any(row["dose_ug"] is None for row in rows) else "dose_ug"
    ordered = in_order_taken(rows, rule, supply.same_day)
    return [{**row, "dose_compared": row[unit], "ends_before": None} for row in ordered]


def taken(rows: list[Row], rule: Trial, last_day: date, supply: SupplySection, unknown_days: int) -> list[Span]:
    """The days [since, until) of each row's supply, if unknown ones last so long; leftovers push the next row back.

    Reading: the order in which the supplies of a day are taken is that of unknown days, which come first, also
    where these last for `max_days`.
    Reading: the leftovers' days are days of the supply they are left of, as ever, and so count at its dose.
    """
    spans: list[Span] = []
    for position, row in enumerate(rows):
        if spans and not row["goes_on"]:
            before, last = rows[:position], rows[position - 1]
            spans = [left_over(*told, last, row, rule, supply) for told in zip(before, spans, strict=True)]
        since = first_day(row, rows[position - 1] if spans else row, spans[-1][1] if spans else row["date"], rule)
        until = later(since, unknown_days if row["days"] is None else row["days"])
        spans.append((cut(since, row), cut(until, row)))
    beyond = later(last_day, 1)
    return [(min(since, beyond), min(until, beyond)) for since, until in spans]


def first_day(row: Row, previous: Row, previous_until: date, rule: Trial) -> date:
    """The day on which a supply is begun: its own, or when what is left over has been taken, up to the cap.

    What was dispensed on the same day is not left over: where anything is carried over, it is taken first, all of it.
    """
    if row["goes_on"] or (row["date"] == previous["date"] and carried_at_most(rule)):
        return previous_until
    waits = min(max(days_between(row["date"], previous_until), 0), carried_at_most(rule))
    return later(row["date"], waits)


def carried_at_most(rule: Trial) -> int:
    """The most days that are carried over to the next supply."""
    return rule.carry_over_cap_days if rule.carry_over else 0


def left_over(earlier: Row, span: Span, last: Row, row: Row, rule: Trial, supply: SupplySection) -> Span:
    """The days of an earlier supply now that the drug is dispensed again; `last` is the supply before that.

    Of a supply of unknown length at most the cap is left over, for who has more does not yet get the drug again.

    Reading: dispensed again is what the rule makes trials of, in its window, of however few days.
    Reading: it has been dispensed again also where the next supply is of the same day and is taken after this one.
    Reading: that most is counted at the new dose, as the cap is.
    Reading: all earlier supplies that reach beyond the day are re-scaled, for each is part of what is left over.
    """
    cap = carried_at_most(rule)

    def moved(day: date) -> date:
        days = days_between(row["date"], day)
        if days <= 0:
            return day
        if supply.leftovers == "as_amount" and cap:
            days = days_at_dose(days, last["dose_compared"], row["dose_compared"], cap)
        if earlier["days"] is None and earlier["date"] < row["date"]:
            days = min(days, cap)
        return cut(later(row["date"], days), earlier)

    return moved(span[0]), moved(span[1])


def days_at_dose(days: int, old: int | None, new: int | None, cap: int) -> int:
    """How many days the amount of days at an old dose makes at a new one; as many if one of the doses is not known.

    Reading: leftovers that last longer for a lower dose are days in use; beyond the cap, where nothing is carried over,
    a supply reaches no further than it did.
    """
    return min(days * old // new, max(days, cap)) if old and new else days


def cut(day: date, row: Row) -> date:
    """The day, or the earlier one on which another drug has ended the supply."""
    return day if row["ends_before"] is None else min(day, row["ends_before"])
