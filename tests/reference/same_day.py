"""Supplies of one drug dispensed on one day: in which order they are taken, and which of them together."""

from __future__ import annotations

from datetime import date

from impasse.schemas.definition import Trial
from tests.reference.basics import Row


def in_order_taken(rows: list[Row], rule: Trial, same_day: str) -> list[Row]:
    """The supplies of one drug as they are taken, each with how many dispensings it is; `goes_on` after the one before.

    Reading: what was dispensed on an earlier day is begun before what was dispensed on a later one.
    """
    by_day: dict[date, list[Row]] = {}
    for row in sorted(rows, key=by_amount):
        by_day.setdefault(row["date"], []).append({**row, "dispensings": 1, "goes_on": False})
    ordered = []
    for day in sorted(by_day):
        wholes = together(by_day[day], rule) if same_day == "together" else [[row] for row in by_day[day]]
        ordered += [part for whole in sorted(wholes, key=by_amount_of_whole) for part in whole]
    return ordered


def by_amount(row: Row) -> tuple[int, ...]:
    """Supplies of one day by their amounts; an unknown amount comes first.

    Reading: by dates only, where no days are read, those of one dose are in the order of the days delivered.
    """
    amounts = ("days", "dose_ug", "dose_mddd", "delivered_days")
    return tuple(-1 if row[name] is None else row[name] for name in amounts)


def by_amount_of_whole(parts: list[Row]) -> tuple[int, ...]:
    """A supply in parts is as long as they are together, and begins at the dose of the first."""
    if len(parts) == 1:
        return by_amount(parts[0])
    return by_amount({**parts[0], "days": sum(part["days"] for part in parts)})


def together(rows: list[Row], rule: Trial) -> list[list[Row]]:
    """The supplies of one day; those of known and different doses as one, in parts of one dose each.

    Reading: a supply of unknown days is not taken together with another, for nobody knows for how long.
    """
    timed = [row for row in rows if row["days"] is not None]
    unit = "dose_ug" if sum(row["dose_ug"] is not None for row in timed) >= 2 else "dose_mddd"
    of_dose: dict[int, list[Row]] = {}
    for row in timed:
        if row[unit] is not None:
            of_dose.setdefault(row[unit], []).append(row)
    if len(of_dose) < 2:
        return [[row] for row in rows]
    mixed = [id(row) for alike in of_dose.values() for row in alike]
    return [[row] for row in rows if id(row) not in mixed] + [parts_of(list(of_dose.values()), len(mixed), rule)]


def parts_of(of_doses: list[list[Row]], n_dispensings: int, rule: Trial) -> list[Row]:
    """The parts of supplies taken together: as long as the same ones are in use, their doses add up.

    Reading: a part was delivered for its own days; by dates only there are no parts, and the whole was delivered
    for as many days as the longest of its supplies that is known.
    """
    if rule.supply == "dates_only":  # no days are read, and of each dose one supply is in use
        longest = max(row["delivered_days"] or 0 for alike in of_doses for row in alike)
        in_use = [alike[-1] for alike in of_doses]
        return [added_up(in_use, 0) | {"dispensings": n_dispensings, "delivered_days": longest}]
    used = [in_use_by_day(alike, rule) for alike in of_doses]
    parts: list[Row] = []
    before: list[int] = []
    for day in range(max(len(days) for days in used)):
        in_use = [days[day] for days in used if day < len(days)]
        names = [id(row) for row in in_use]
        if names == before:
            parts[-1]["days"] += 1
        else:
            parts.append(added_up(in_use, 1) | {"dispensings": 0, "goes_on": bool(parts)})
        before = names
    parts[0]["dispensings"] = n_dispensings
    return [part | {"delivered_days": part["days"]} for part in parts]


def in_use_by_day(alike: list[Row], rule: Trial) -> list[Row]:
    """Which of the supplies of one dose is in use on each day: one after another where anything is carried over."""
    used: list[Row] = []
    for row in alike:
        kept = used if rule.carry_over and rule.carry_over_cap_days else []
        used = kept + [row] * row["days"]
    return used


def added_up(in_use: list[Row], days: int) -> Row:
    """One supply of all doses in use; a sum with an unknown dose is unknown."""
    doses = {name: [row[name] for row in in_use] for name in ("dose_ug", "dose_mddd")}
    return {**in_use[0], "days": days} | {n: None if None in told else sum(told) for n, told in doses.items()}
