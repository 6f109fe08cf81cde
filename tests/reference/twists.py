"""What is changed in a drawn person so that rules about supplies, overlaps and ends are met on both their sides.

Each twist adds or changes a few rows of a person's tables, near days on which two readings of a rule can differ.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

Row = dict[str, Any]  # drawn data: values of every type
OFTEN = 0.4  # the share of persons that are twisted
LONG_PACK = 98
ADD_ONS = ("N05AX12", "N05AN01", "N05AH04", "N05AH03", "N06AX11", "H03AA02")
THERAPIES = ("cbt", "cbt", "ipt", "psychotherapy_unspecified", "ect")
AMID_A_PACK = (27, 28, 29, 40, 41, 42, 56)


def twisted(rng: random.Random, person: Row) -> Row:
    """The person, often with one or two twists; one without any supply stays as it is."""
    if not person["dispensings"] or rng.random() >= OFTEN:
        return person
    for twist in rng.sample(TWISTS, k=rng.choice([1, 1, 2])):
        person = person | twist(rng, person)
    return person


def later(day: date, days: int) -> date:
    """The day so many days later."""
    return day + timedelta(days=days)


def _a_supply(rng: random.Random, person: Row) -> Row:
    return rng.choice(person["dispensings"])


def _end_of(supply: Row) -> date:
    """The day after the supply's last; an unknown one is taken to last four weeks."""
    return later(supply["date"], supply["days"] or 28)


def _forgotten_length(rng: random.Random, person: Row) -> Row:
    """The first, a middle or the last supply of a drug, or all of them, have no length."""
    atc = _a_supply(rng, person)["atc"]
    own = sorted((row for row in person["dispensings"] if row["atc"] == atc), key=lambda row: row["date"])
    chosen = rng.choice([own[:1], own[-1:], own[len(own) // 2 :][:1], own])
    gone = [id(row) for row in chosen]
    unknown = {"days": None, "supply_basis": "unknown"}
    return {"dispensings": [row | unknown if id(row) in gone else row for row in person["dispensings"]]}


def _further_supply(rng: random.Random, person: Row) -> Row:
    """After a supply of known or unknown length one of the same drug: at its end, about a gap later, or long after."""
    supply = _a_supply(rng, person)
    day = later(_end_of(supply), rng.choice([0, 1, 30, 31, 60, 91, 300, 366, 367, 396, 397]))
    days = rng.choice([None, None, 28, 56, LONG_PACK])
    further = supply | {"date": day, "days": days, "supply_basis": "unknown" if days is None else "ddd"}
    return {"dispensings": [*person["dispensings"], further]}


def _pack_left(rng: random.Random, person: Row) -> Row:
    """A long pack, and another drug amid it; seldom observation ends with the pack or a day later."""
    chosen = _a_supply(rng, person)
    supply = chosen | {"days": LONG_PACK, "supply_basis": "ddd"}
    others = [row for row in person["dispensings"] if row["atc"] != supply["atc"]]
    follower = rng.choice(others) if others else supply | {"atc": rng.choice(ADD_ONS)}
    follower = follower | {"date": later(supply["date"], rng.choice(AMID_A_PACK))}
    seen = {"start_date": later(supply["date"], -1500), "end_date": later(supply["date"], rng.choice([96, 97, 98]))}
    return {
        "dispensings": [*(row for row in person["dispensings"] if row is not chosen), supply, follower],
        "coverage": [seen] if rng.random() < 0.15 else person["coverage"],
    }


def _refill(rng: random.Random, person: Row) -> Row:
    """A drug is dispensed again about the day on which another one was begun."""
    supply, other = _a_supply(rng, person), _a_supply(rng, person)
    day = later(other["date"], rng.choice([-1, 0, 0, 0, 1, 14]))
    return {"dispensings": [*person["dispensings"], supply | {"date": day}]}


def _add_ons_in_turn(rng: random.Random, person: Row) -> Row:
    """A drug dispensed every four weeks, one add-on to it, and another about when the first is over."""
    host = _a_supply(rng, person) | {"days": 28, "supply_basis": "ddd", "kind": "dispensed"}
    first, second = (host | {"atc": atc, "days": rng.choice([28, 56])} for atc in rng.sample(ADD_ONS, k=2))
    first["date"] = later(host["date"], rng.choice([0, 1, 14, 28]))
    second["date"] = later(_end_of(first), rng.choice([-30, -29, -28, -27, -1, 0, 0, 0, 1, 30]))
    hosts = [host | {"date": later(host["date"], 28 * n)} for n in range(rng.choice([2, 4, 6]))]
    return {"dispensings": [*person["dispensings"], *hosts, first, second]}


def _other_kind(rng: random.Random, person: Row) -> Row:
    """One supply of a drug, or all of them, were prescribed, administered, or are of an unknown kind."""
    chosen, kind = _a_supply(rng, person), rng.choice(["prescribed", "administered", "administered", "unknown"])
    is_all = rng.random() < 0.5
    return {
        "dispensings": [
            row | {"kind": kind} if row is chosen or (is_all and row["atc"] == chosen["atc"]) else row
            for row in person["dispensings"]
        ]
    }


def _drug_as_procedure(rng: random.Random, person: Row) -> Row:
    """A drug of the person, or an add-on, is recorded as a procedure about a supply's first or last day."""
    supply = _a_supply(rng, person)
    treatment = rng.choice([supply["atc"], rng.choice(ADD_ONS)])
    day = later(rng.choice([supply["date"], _end_of(supply)]), rng.choice([-1, 0, 14, 30, 31]))
    return {"procedures": [*person["procedures"], _procedure(day, treatment)]}


def _procedure(day: date, treatment: str) -> Row:
    return {"date": day, "code": treatment.upper(), "code_system": "other", "treatment": treatment}


def _sessions_and_drug(rng: random.Random, person: Row) -> Row:
    """Sessions begun about a supply's first or last day, and seldom a drug begun about their last."""
    supply, treatment = _a_supply(rng, person), rng.choice(THERAPIES)
    end = later(_end_of(supply), -1)
    first = rng.choice([supply["date"], later(supply["date"], rng.choice([1, 14])), end, later(end, 1)])
    sessions = [_procedure(later(first, 7 * n), treatment) for n in range(rng.choice([1, 6, 8, 12]))]
    begun = supply | {"date": later(sessions[-1]["date"], rng.choice([-14, -1, 0, 1])), "atc": rng.choice(ADD_ONS)}
    others = [row for row in person["dispensings"] if row["atc"] != supply["atc"]]
    begun = begun | {"atc": rng.choice(others)["atc"]} if others else begun
    return {
        "procedures": [*person["procedures"], *sessions],
        "dispensings": [*person["dispensings"], *([begun] if rng.random() < 0.4 else [])],
    }


def _remission(rng: random.Random, person: Row) -> Row:
    """The illness remits while a supply runs, on its last day, or soon after it; a stay begins then or later."""
    supply = _a_supply(rng, person)
    days = supply["days"] or 28
    day = later(supply["date"], rng.choice([0, 1, 14, 29, days - 2, days - 1, days, days + 30, days + 90]))
    told = {"date": day, "end_date": None, "code": "F325", "code_system": "icd10"}
    told |= {"position": "main", "setting": "outpatient"}
    admitted = later(day, rng.choice([0, 1, 30]))
    stay = {"start_date": admitted, "end_date": admitted, "main_code": "F321"}
    return {"diagnoses": [*person["diagnoses"], told], "admissions": [*person["admissions"], stay]}


TWISTS: tuple[Callable[[random.Random, Row], Row], ...] = (
    *(_forgotten_length, _further_supply, _pack_left, _refill, _add_ons_in_turn),
    *(_other_kind, _drug_as_procedure, _sessions_and_drug, _remission),
)
