"""Persons, coverage, diagnoses and admissions of the made-up registry: who is observed, and for what they are seen."""

from __future__ import annotations

import numpy as np
import polars as pl

from impasse.transforms.simulator.course import Courses, DrawnEpisodes, DrawnPeople, draw_codes, is_observed
from impasse.transforms.simulator.disorders import CAUSES, CODES, EXCLUSIONS, UNRELATED, setting
from impasse.transforms.simulator.tools import (
    CLOSING,
    NO_DAY,
    OPENING,
    Ints,
    Rows,
    dates,
    join,
    ordered,
    pick,
    take,
    texts_at,
)

_BESIDE = {**CAUSES, **EXCLUSIONS}
_BESIDE_CODES = np.array([CODES.index(code) for code in _BESIDE])
_REMISSION = np.array([CODES.index(code) if code else -1 for code in setting("remission")])
_SETTINGS = ("primary", "outpatient", "inpatient")


def persons(people: DrawnPeople) -> pl.DataFrame:
    """One row per person."""
    return pl.DataFrame(
        {
            "person_id": people.identifier,
            "birth_date": dates(people.birth),
            "sex": texts_at(("female", "male"), people.sex),
            "death_date": dates(people.death),
        }
    )


def coverage(people: DrawnPeople) -> pl.DataFrame:
    """When the registry observes each person: one interval, or two with time abroad between them."""
    returns = people.away_from < people.leave
    everyone, returned = np.arange(people.enter.size), np.flatnonzero(returns)
    intervals = {
        "person": np.concatenate([everyone, returned]),
        "start": np.concatenate([people.enter, people.away_until[returned]]),
        "end": np.concatenate([np.where(returns, people.away_from - 1, people.leave), people.leave[returned]]),
    }
    rows = ordered(take(intervals, intervals["end"] >= intervals["start"]), "person", "start")
    return pl.DataFrame(
        {
            "person_id": people.identifier.gather(rows["person"]),
            "start_date": dates(rows["start"]),
            "end_date": dates(rows["end"]),
        }
    )


def admissions(people: DrawnPeople, stays: Rows) -> pl.DataFrame:
    """One row per hospital stay."""
    rows = ordered(stays, "person", "start")
    return pl.DataFrame(
        {
            "person_id": people.identifier.gather(rows["person"]),
            "start_date": dates(rows["start"]),
            "end_date": dates(rows["end"]),
            "main_code": texts_at(CODES, rows["code"]),
        }
    )


def diagnoses(
    rng: np.random.Generator, people: DrawnPeople, episodes: DrawnEpisodes, courses: Courses, stays: Rows
) -> pl.DataFrame:
    """Every contact that the registry sees, by person and day; a hospital stay is one with an end."""
    contacts = join(
        _episode_contacts(rng, episodes, courses),
        _remissions(rng, episodes, courses),
        _other_contacts(rng, people),
    )
    seen = take(contacts, is_observed(people, contacts["person"], contacts["day"]))
    n, n_stays = seen["person"].size, stays["person"].size
    seen |= {"end": np.full(n, NO_DAY), "setting": (rng.random(n) < 0.55).astype(int)}
    inpatient = {
        "person": stays["person"],
        "day": stays["start"],
        "code": stays["code"],
        "is_main": np.ones(n_stays, bool),
        "end": stays["end"],
        "setting": np.full(n_stays, _SETTINGS.index("inpatient")),
    }
    rows = ordered(join(seen, inpatient), "person", "day", "code")
    return pl.DataFrame(
        {
            "person_id": people.identifier.gather(rows["person"]),
            "date": dates(rows["day"]),
            "end_date": dates(rows["end"]),
            "code": texts_at(CODES, rows["code"]),
            "code_system": pl.repeat("icd10", rows["day"].size, eager=True),
            "position": texts_at(("other", "main"), rows["is_main"].astype(int)),
            "setting": texts_at(_SETTINGS, rows["setting"]),
        }
    )


def _episode_contacts(rng: np.random.Generator, episodes: DrawnEpisodes, courses: Courses) -> Rows:
    """Contacts at the opening, when a course starts, and now and then while a long one lasts."""
    opens = np.arange(episodes.person.size)
    starts = np.flatnonzero(rng.random(courses.episode.size) < 0.6)
    long = np.flatnonzero((courses.end - courses.start > 100) & (rng.random(courses.episode.size) < 0.8))
    middle = (courses.start + (courses.end - courses.start) * rng.uniform(0.25, 0.6, courses.end.size)).astype(int)
    episode = np.concatenate([opens, courses.episode[starts], courses.episode[long]])
    day = np.concatenate([episodes.start, courses.start[starts], middle[long]])
    changes = rng.random(episode.size) < 0.08
    code = np.where(changes, draw_codes(rng, episodes.disorder[episode]), episodes.code[episode])
    leading = {"person": episodes.person[episode], "day": day, "code": code, "is_main": np.ones(day.size, bool)}
    both = np.flatnonzero((episodes.second[episode] >= 0) & (rng.random(episode.size) < 0.7))
    beside = {"code": draw_codes(rng, episodes.second[episode[both]]), "is_main": np.zeros(both.size, bool)}
    return join(leading, take(leading, both) | beside)


def _remissions(rng: np.random.Generator, episodes: DrawnEpisodes, courses: Courses) -> Rows:
    """Where there is a code for it, a third of the episodes that recover end with it."""
    code = _REMISSION[episodes.disorder[courses.episode]]
    chosen = np.flatnonzero(courses.works & (code >= 0) & (rng.random(code.size) < 0.33))
    return {
        "person": episodes.person[courses.episode[chosen]],
        "day": courses.end[chosen] + 5,
        "code": code[chosen],
        "is_main": np.ones(chosen.size, bool),
    }


def _other_contacts(rng: np.random.Generator, people: DrawnPeople) -> Rows:
    """Contacts for something else: causes of what looks like resistance, what definitions exclude, and the rest."""
    n = people.birth.size
    ill = np.flatnonzero(rng.random(n) < 0.22)
    times = rng.integers(1, 4, ill.size)
    beside = _BESIDE_CODES[pick(rng, _BESIDE.values(), ill.size)]
    anything = np.repeat(np.arange(n), rng.poisson(0.4, n))
    person = np.concatenate([np.repeat(ill, times), anything])
    return {
        "person": person,
        "day": rng.integers(OPENING, CLOSING + 1, person.size),
        "code": np.concatenate([np.repeat(beside, times), _unrelated(rng, anything.size)]),
        "is_main": rng.random(person.size) < 0.5,
    }


def _unrelated(rng: np.random.Generator, n: int) -> Ints:
    return rng.integers(len(CODES) - len(UNRELATED), len(CODES), n)
