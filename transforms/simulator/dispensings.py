"""The dispensings of the made-up registry: those of each drug course, as-needed sedatives, drugs for other things.

They are monthly at first, then by the course's own package, and late where the person is. Doses are titrated,
and raised where the drug works poorly. Rows tell their supply in several ways, few of them not at all.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from impasse.transforms.simulator.course import Courses, DrawnEpisodes, DrawnPeople, is_observed
from impasse.transforms.simulator.disorders import AS_NEEDED, DRUGS, OTHER_DRUGS, setting
from impasse.transforms.simulator.tools import (
    CLOSING,
    OPENING,
    Bools,
    Ints,
    Rows,
    dates,
    join,
    numbers,
    ordered,
    pick,
    position,
    take,
    texts_at,
)

_ATC = (*(drug.atc for drug in DRUGS.values()), *AS_NEEDED, *OTHER_DRUGS)
_DDD_MG = np.array([*(drug.ddd_mg for drug in DRUGS.values()), *AS_NEEDED.values(), *OTHER_DRUGS.values()])
_DOSES = np.array([drug.doses for drug in DRUGS.values()])
_TABLETS = np.array([drug.tablets for drug in DRUGS.values()])


def dispensings(
    rng: np.random.Generator, people: DrawnPeople, episodes: DrawnEpisodes, courses: Courses
) -> pl.DataFrame:
    """All that the registry sees, by person and day."""
    given = join(
        _of_courses(rng, people, episodes, courses),
        _as_needed(rng, episodes),
        _unrelated(rng, people.birth.size),
    )
    rows = ordered(take(given, is_observed(people, given["person"], given["day"])), "person", "day", "drug", "strength")
    packages = np.maximum(1, -(-rows["quantity"] // 100))
    ddd = rows["quantity"] * rows["strength"] / _DDD_MG[rows["drug"]]
    as_written = _what_is_written(rng, rows["is_as_needed"])
    return pl.DataFrame(
        {
            "person_id": people.identifier.gather(rows["person"]),
            "date": dates(rows["day"]),
            "atc": texts_at(_ATC, rows["drug"]),
            "ddd": numbers(ddd.round(3), as_written < 3),
            "n_packages": packages,
            "ddd_per_package": numbers((ddd / packages).round(3), as_written < 3),
            "strength_mg": numbers(rows["strength"], as_written < 2),
            "quantity": numbers(rows["quantity"], as_written < 2),
            "days_supply": numbers(rows["days"], as_written == 0),
            "daily_dose_mg": numbers(rows["dose"], as_written < 2),
        }
    )


def _what_is_written(rng: np.random.Generator, is_as_needed: Bools) -> Ints:
    """How much a row tells: 0 all, 1 no days' supply, 2 only amounts in DDD, 3 only a number of packages."""
    return np.where(is_as_needed, 2, pick(rng, (934, 24, 12, 30), is_as_needed.size))


def _of_courses(rng: np.random.Generator, people: DrawnPeople, episodes: DrawnEpisodes, courses: Courses) -> Rows:
    """Fills of each drug course: monthly at first, then by its own package, later when the person is late."""
    n = courses.episode.size
    person = episodes.person[courses.episode]
    month = np.where(rng.random(n) < 0.5, 28, 30)
    package = np.where(rng.random(n) < 0.15, rng.choice((90, 98, 100), n), month)
    delay = people.refill_delay[person]
    length = courses.end - courses.start
    first_months = np.minimum(np.ceil(length / (month * delay)), 3).astype(int)
    rest = np.maximum(length - 3 * month * delay, 0)
    count = first_months + np.ceil(rest / (package * delay)).astype(int)
    of, number = np.repeat(np.arange(n), count), position(count)
    later = np.maximum(number - 3, 0)
    day = courses.start[of] + ((np.minimum(number, 3) * month[of] + later * package[of]) * delay[of]).astype(int)
    jitter = np.where(number > 0, rng.integers(-3, 4, of.size), 0)
    day = day + jitter + _pause(rng, n, count)[of] * (number >= count[of] // 2)
    level = _dose_level(rng, episodes, courses, of, number)
    dose, tablet = _DOSES[courses.what[of], level], _TABLETS[courses.what[of], level]
    days = np.where(number < 3, month[of], package[of])
    return {
        "person": person[of],
        "day": day,
        "drug": courses.what[of],
        "days": days,
        "dose": dose,
        "strength": tablet,
        "quantity": (days * dose / tablet).astype(int),
        "is_as_needed": np.zeros(of.size, bool),
    }


def _pause(rng: np.random.Generator, n: int, count: Ints) -> Ints:
    """Days without the drug in the middle of the course: one course in twelve of four dispensings or more."""
    return np.where((rng.random(n) < 0.08) & (count >= 4), rng.integers(20, 100, n), 0)


def _dose_level(rng: np.random.Generator, episodes: DrawnEpisodes, courses: Courses, of: Ints, number: Ints) -> Ints:
    """Titration: starting dose, usual dose, and raised once or twice where the drug works poorly; some stay low."""
    n = courses.episode.size
    is_raised = setting("is_raised")[episodes.disorder[courses.episode]]
    highest = 1 + (rng.random(n) < np.where(courses.works, is_raised[:, 0], is_raised[:, 1])).astype(int)
    highest += (highest == 2) & (rng.random(n) < 0.35)
    highest = np.where(rng.random(n) < 0.08, 0, highest)
    titrates = rng.random(n) < 0.5
    return np.minimum(np.where(titrates[of], number, number + 1), highest[of])


def _as_needed(rng: np.random.Generator, episodes: DrawnEpisodes) -> Rows:
    """Sedatives to take when needed, in one episode in eight: how long they last nobody writes down."""
    n = episodes.person.size
    episode = np.repeat(np.arange(n), np.where(rng.random(n) < 0.12, rng.integers(1, 5, n), 0))
    drug = pick(rng, (45, 15, 15, 25), episode.size) + len(DRUGS)
    day = episodes.start[episode] + rng.integers(0, 240, episode.size)
    return _plain(rng, episodes.person[episode], day, drug) | {"is_as_needed": np.ones(episode.size, bool)}


def _unrelated(rng: np.random.Generator, n_persons: int) -> Rows:
    """Drugs for other things."""
    person = np.repeat(np.arange(n_persons), rng.poisson(1.9, n_persons))
    drug = rng.integers(len(DRUGS) + len(AS_NEEDED), len(_ATC), person.size)
    return _plain(rng, person, rng.integers(OPENING, CLOSING + 1, person.size), drug)


def _plain(rng: np.random.Generator, person: Ints, day: Ints, drug: Ints) -> Rows:
    """Packages of one tablet a day, each of one defined daily dose."""
    days = rng.choice((30, 90, 98), person.size)
    return {
        "person": person,
        "day": day,
        "drug": drug,
        "days": days,
        "dose": _DDD_MG[drug],
        "strength": _DDD_MG[drug],
        "quantity": days,
        "is_as_needed": np.zeros(person.size, bool),
    }
