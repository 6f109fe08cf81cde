"""A made-up registry in the generic layout: same seed, same bytes, nobody's data.

In: a number of persons and a seed. Out: the seven tables as a registry would deliver them, dates as
ISO text, each sorted by person and date. Persons come in blocks of `BLOCK_SIZE` and a block's random
numbers depend on the seed and the block's number only, so blocks can be made one at a time, in any
order or in parallel, and a registry of millions never has to be in memory at once.

Illness is simulated as a clinic meets it: an episode opens with a contact and is treated in steps.
A step is a new drug, or an add-on to the running one. It is given up early for side effects, works, or
is judged too weak after some months and replaced, often tapered across the next. One person in
three is hard to treat. What is written down (fills, sessions, contacts, scores) follows from the steps,
and then only the part that falls while the registry observes the person.
`faults` spoils about one row in a thousand, as every real delivery has them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

import numpy as np
import polars as pl

BLOCK_SIZE = 10_000
FIRST_DATE = date(2012, 1, 1)
LAST_DATE = date(2021, 12, 31)

_EPOCH = date(1970, 1, 1)
_FIRST = (FIRST_DATE - _EPOCH).days
_LAST = (LAST_DATE - _EPOCH).days
_OLDEST = (date(1900, 1, 1) - _EPOCH).days
_MAX_STEPS = 7
_NEVER = _LAST + 10_000

Ints = np.ndarray
Bools = np.ndarray
Floats = np.ndarray


class _Drug(NamedTuple):
    """A substance: how often it is chosen first, its dose steps in mg a day with the tablet each is taken in."""

    atc: str
    ddd_mg: float
    doses: tuple[float, float, float, float]  # starting, usual, raised, highest
    tablets: tuple[float, float, float, float]
    anxiety: float
    depression: float


_MAIN = (
    _Drug("N06AB06", 50, (25, 50, 100, 150), (25, 50, 50, 50), 26, 24),
    _Drug("N06AB10", 10, (5, 10, 15, 20), (5, 10, 5, 20), 26, 18),
    _Drug("N06AB04", 20, (10, 20, 30, 40), (10, 20, 10, 40), 10, 14),
    _Drug("N06AB03", 20, (20, 20, 40, 60), (20, 20, 20, 20), 5, 8),
    _Drug("N06AB05", 20, (10, 20, 30, 40), (10, 20, 30, 20), 6, 3),
    _Drug("N06AX16", 100, (37.5, 75, 150, 225), (37.5, 75, 150, 75), 12, 10),
    _Drug("N06AX21", 60, (30, 60, 90, 120), (30, 60, 30, 60), 5, 6),
    _Drug("N06AX11", 30, (15, 30, 45, 45), (15, 30, 45, 45), 3, 9),
    _Drug("N06AX12", 300, (150, 150, 300, 300), (150, 150, 300, 300), 0.2, 4),
    _Drug("N06AX26", 10, (5, 10, 15, 20), (5, 10, 15, 20), 1, 3),
    _Drug("N06AA04", 100, (25, 75, 100, 150), (25, 75, 25, 75), 1.5, 1),
    _Drug("N06AA09", 75, (25, 75, 100, 150), (25, 25, 50, 50), 0.3, 2),
)
_ADD_ON = (
    _Drug("N06AX11", 30, (15, 30, 30, 45), (15, 30, 30, 45), 20, 30),
    _Drug("N05AH04", 400, (50, 150, 200, 300), (50, 150, 200, 300), 14, 28),
    _Drug("N05AN01", 887, (600, 900, 900, 1200), (300, 300, 300, 300), 1, 18),
    _Drug("N05AX12", 15, (5, 5, 10, 15), (5, 5, 10, 15), 6, 14),
    _Drug("N03AX16", 300, (150, 300, 450, 600), (75, 150, 150, 300), 34, 3),
    _Drug("N05BE01", 30, (15, 30, 30, 45), (5, 10, 10, 10), 22, 5),
)
_DRUGS = _MAIN + _ADD_ON

# Dispensed beside the illness: as-needed sedatives, and drugs that say nothing about it.
_AS_NEEDED = ("N05BA04", "N05BA01", "N05BB01", "N05CF02")
_AS_NEEDED_DDD = (50.0, 10.0, 75.0, 10.0)
_OTHER_DRUGS = ("A02BC01", "C09AA02", "N02BE01", "H03AA01", "R03AC02", "C10AA05")
_OTHER_DDD = (20.0, 10.0, 3000.0, 0.15, 0.8, 20.0)

_ANXIETY_CODES = ("F411", "F410", "F401", "F400", "F419", "F418", "F412", "F413")
_ANXIETY_SHARES = (30, 24, 13, 8, 14, 3, 6, 2)
_DEPRESSION_CODES = ("F320", "F321", "F322", "F323", "F329", "F330", "F331", "F332", "F339")
_DEPRESSION_SHARES = (10, 29, 12, 3, 13, 8, 15, 7, 3)
_IN_REMISSION = "F334"
_COMORBID_CODES = ("F310", "F313", "F317", "F319", "E050", "E059", "F101", "F102", "F132")
_COMORBID_SHARES = (3, 7, 4, 8, 9, 14, 20, 28, 7)
_OTHER_CODES = ("I109", "J459", "M545", "E119", "R529", "G439", "Z000", "K219")
_CODES = (*_ANXIETY_CODES, *_DEPRESSION_CODES, _IN_REMISSION, *_COMORBID_CODES, *_OTHER_CODES)
_REMISSION = _CODES.index(_IN_REMISSION)

# CBT, psychotherapy of a kind the code does not tell, ECT, transcranial magnetic stimulation.
_SESSION_CODES = ("DU011", "90834", "DA024", "90868")
_SESSION_SYSTEMS = ("kva", "cpt", "kva", "cpt")

_ANXIETY_SCALES = ("ham_a", "gad7", "bai")
_DEPRESSION_SCALES = ("madrs", "phq9", "hamd17")
_SCALES = (*_ANXIETY_SCALES, *_DEPRESSION_SCALES)
_SCALE_TOP = np.array([56, 21, 63, 60, 27, 52])
_CGI_I = "cgi_i"


@dataclass(frozen=True)
class _People:
    """One entry per person. Days are days since 1970; `away` is the stretch an emigrant returned from."""

    identifier: pl.Series
    birth: Ints
    sex: Ints
    enter: Ints
    leave: Ints
    death: Ints
    away_from: Ints
    away_until: Ints
    anxious: Bools
    depressed: Bools
    is_hard: Bools
    has_scores: Bools
    fill_delay: Floats


@dataclass(frozen=True)
class _Episodes:
    """One entry per illness episode, by person."""

    person: Ints
    code: Ints
    start: Ints
    limit: Ints
    anxious: Bools
    depressed: Bools
    is_hard: Bools
    severity: Floats
    therapy_first: Bools
    is_treated: Bools


@dataclass(frozen=True)
class _Steps:
    """Treatment steps, one row per episode and one column per step; `drug` is -1 where there was none."""

    drug: Ints
    start: Ints
    end: Ints
    fall: Floats
    works: Bools


@dataclass(frozen=True)
class _Courses:
    """One entry per treatment course: a drug step, or a course of psychotherapy (`drug` is -1)."""

    episode: Ints
    drug: Ints
    start: Ints
    end: Ints
    fall: Floats
    works: Bools


def simulate(n_persons: int, seed: int, faults: bool = True) -> dict[str, pl.DataFrame]:
    """A made-up registry of `n_persons`: persons, coverage, diagnoses, dispensings, procedures, scores, admissions."""
    blocks = [simulate_block(block, n_persons, seed, faults) for block in range(n_blocks(n_persons))]
    return {table: pl.concat([block[table] for block in blocks]) for table in blocks[0]}


def n_blocks(n_persons: int) -> int:
    """How many blocks a registry of `n_persons` has; at least one."""
    return max(1, -(-n_persons // BLOCK_SIZE))


def simulate_block(block: int, n_persons: int, seed: int, faults: bool = True) -> dict[str, pl.DataFrame]:
    """The tables of block number `block` of a registry of `n_persons`; blocks in order make up `simulate`."""
    rng = np.random.default_rng([seed, block])
    first = block * BLOCK_SIZE
    people = _draw_people(rng, first, min(BLOCK_SIZE, n_persons - first))
    episodes = _draw_episodes(rng, people)
    therapy = _draw_therapy(rng, episodes)
    steps = _draw_steps(rng, episodes, therapy)
    courses = _drug_courses(steps)
    stays = _draw_stays(rng, people, episodes, courses)
    tables = {
        "persons": _persons(people),
        "coverage": _coverage(people),
        "diagnoses": _diagnoses(rng, people, episodes, courses, stays),
        "dispensings": _dispensings(rng, people, episodes, courses),
        "procedures": _procedures(rng, people, episodes, steps, therapy),
        "scores": _scores(rng, people, episodes, steps, therapy),
        "admissions": _admissions(people, stays),
    }
    return _spoil(np.random.default_rng([seed, block, 1]), tables) if faults else tables


# ---- persons and illness ------------------------------------------------------------------------


def _draw_people(rng: np.random.Generator, first: int, n: int) -> _People:
    age_days = (365.25 * (10 + 75 * rng.beta(1.6, 2.2, n))).astype(int)
    birth = _FIRST - age_days
    enter = np.where(rng.random(n) < 0.08, _FIRST + rng.integers(30, 2900, n), _FIRST)
    yearly_risk = 0.0006 * np.exp(np.maximum(age_days / 365.25 - 40, 0) * 0.07)
    death = enter + 30 + (365 * rng.exponential(1, n) / yearly_risk).clip(0, 60_000).astype(int)
    emigration = np.where(rng.random(n) < 0.04, enter + rng.integers(200, 3600, n), _NEVER)
    away_from = np.where(rng.random(n) < 0.01, enter + rng.integers(200, 2500, n), _NEVER)
    kind = rng.choice(4, n, p=(0.08, 0.40, 0.40, 0.12))
    leave = np.minimum(np.minimum(death, emigration), _LAST)
    away_until = away_from + rng.integers(200, 900, n)
    stays_away = (away_from < leave) & (away_until >= leave)
    return _People(
        identifier=_identifiers(first, n),
        birth=birth,
        sex=rng.choice(2, n, p=(0.63, 0.37)),
        enter=enter,
        leave=np.where(stays_away, away_from - 1, leave),
        death=np.where(death <= _LAST, death, _NEVER),
        away_from=away_from,
        away_until=away_until,
        anxious=(kind == 1) | (kind == 3),
        depressed=(kind == 2) | (kind == 3),
        is_hard=rng.random(n) < 0.36,
        has_scores=rng.random(n) < 0.5,
        fill_delay=np.where(rng.random(n) < 0.25, rng.uniform(1.15, 1.7, n), rng.uniform(0.97, 1.06, n)),
    )


def _identifiers(first: int, n: int) -> pl.Series:
    numbers = pl.Series("person_id", np.arange(first + 1, first + n + 1)).cast(pl.String)
    return "P" + numbers.str.zfill(9)


def _draw_episodes(rng: np.random.Generator, people: _People) -> _Episodes:
    ill = np.flatnonzero(people.anxious | people.depressed)
    count = rng.choice((1, 2, 3), ill.size, p=(0.66, 0.25, 0.09))
    spacing = rng.integers(750, 1300, ill.size)
    first = _FIRST + rng.integers(-200, 2900, ill.size)
    person, number = np.repeat(ill, count), _position(count)
    start = np.repeat(first, count) + number * np.repeat(spacing, count)
    n = person.size
    anxious, depressed = people.anxious[person], people.depressed[person]
    return _Episodes(
        person=person,
        code=_leading_code(rng, depressed),
        start=start,
        limit=start + np.repeat(spacing, count) - 250,
        anxious=anxious,
        depressed=depressed,
        is_hard=people.is_hard[person],
        severity=rng.beta(5, 5, n) * 0.6 + 0.2,
        therapy_first=rng.random(n) < np.where(anxious, 0.07, 0.02),
        is_treated=rng.random(n) < 0.88,
    )


def _leading_code(rng: np.random.Generator, depressed: Bools) -> Ints:
    """The main diagnosis of each episode: depression where there is one, else anxiety."""
    anxiety = _pick(rng, _ANXIETY_SHARES, depressed.size)
    depression = _pick(rng, _DEPRESSION_SHARES, depressed.size) + len(_ANXIETY_CODES)
    return np.where(depressed, depression, anxiety)


def _draw_therapy(rng: np.random.Generator, episodes: _Episodes) -> _Courses:
    """Courses of psychotherapy: before any drug, or beside the drugs; some are broken off."""
    beside = ~episodes.therapy_first & (rng.random(episodes.person.size) < np.where(episodes.anxious, 0.07, 0.04))
    chosen = np.flatnonzero(episodes.therapy_first | beside)
    n = chosen.size
    weeks = np.where(rng.random(n) < 0.2, rng.integers(3, 9, n), rng.integers(12, 21, n))
    delay = np.where(episodes.therapy_first[chosen], rng.integers(7, 60, n), rng.integers(14, 240, n))
    start = episodes.start[chosen] + delay
    works = (weeks >= 12) & (rng.random(n) < np.where(episodes.is_hard[chosen], 0.15, 0.6))
    return _Courses(
        episode=chosen,
        drug=np.full(n, -1),
        start=start,
        end=start + 7 * weeks,
        fall=_fall(rng, works),
        works=works,
    )


def _fall(rng: np.random.Generator, works: Bools) -> Floats:
    """The share by which symptoms fall over a course that works, or does not."""
    return np.where(works, rng.uniform(0.52, 0.95, works.size), rng.uniform(-0.1, 0.46, works.size))


# ---- treatment steps ----------------------------------------------------------------------------


def _draw_steps(rng: np.random.Generator, episodes: _Episodes, therapy: _Courses) -> _Steps:
    n = episodes.person.size
    main_order = _order(rng, episodes, _MAIN)
    add_on_order = _order(rng, episodes, _ADD_ON) + len(_MAIN)
    steps = _Steps(
        drug=np.full((n, _MAX_STEPS), -1),
        start=np.zeros((n, _MAX_STEPS), int),
        end=np.zeros((n, _MAX_STEPS), int),
        fall=np.zeros((n, _MAX_STEPS)),
        works=np.zeros((n, _MAX_STEPS), bool),
    )
    now = _first_fill(rng, episodes, therapy)
    n_switches, n_add_ons, tolerated = np.zeros(n, int), np.zeros(n, int), np.zeros(n, bool)
    goes_on = episodes.is_treated & (now < episodes.limit)
    for step in range(_MAX_STEPS):
        at = np.flatnonzero(goes_on)
        switch, add_on = main_order[at, n_switches[at]], add_on_order[at, n_add_ons[at]]
        adds = tolerated[at] & (n_add_ons[at] < 2) & (rng.random(at.size) < 0.27)
        adds &= ~(steps.drug[at, :step] == _AS_MAIN[add_on][:, None]).any(axis=1)
        days, works, stops_early = _draw_step(rng, episodes.is_hard[at], adds, step)
        end = np.minimum(now[at] + days, episodes.limit[at])
        steps.drug[at, step], steps.start[at, step], steps.end[at, step] = np.where(adds, add_on, switch), now[at], end
        steps.works[at, step], steps.fall[at, step] = works, _fall(rng, works) * np.where(stops_early, 0.2, 1)
        _prolong(rng, steps, at, step, adds)
        n_switches[at] += ~adds
        n_add_ons[at] += adds
        tolerated[at], now[at] = ~stops_early, end
        goes_on[at] = ~works & (rng.random(at.size) < 0.8) & (end < episodes.limit[at])
    return steps


# The place in _DRUGS of a substance's first entry: mirtazapine is both tried alone and added.
_AS_MAIN = np.array([[drug.atc for drug in _DRUGS].index(drug.atc) for drug in _DRUGS])


def _order(rng: np.random.Generator, episodes: _Episodes, drugs: tuple[_Drug, ...]) -> Ints:
    """Per episode, the order in which drugs are tried: drawn by weight without replacement."""
    anxiety = np.log([drug.anxiety for drug in drugs])
    depression = np.log([drug.depression for drug in drugs])
    weight = np.where(episodes.depressed[:, None], depression, anxiety)
    return np.argsort(-(weight + rng.gumbel(size=weight.shape)), axis=1, kind="stable")


def _first_fill(rng: np.random.Generator, episodes: _Episodes, therapy: _Courses) -> Ints:
    """The day of the first drug: soon after the episode opens, or after psychotherapy alone has not worked."""
    day = episodes.start + rng.integers(0, 15, episodes.person.size)
    first = episodes.therapy_first[therapy.episode]
    waits = therapy.episode[first]
    day[waits] = np.where(therapy.works[first], _NEVER, therapy.end[first] + 10)
    return day


def _draw_step(rng: np.random.Generator, is_hard: Bools, adds: Bools, step: int) -> tuple[Ints, Bools, Bools]:
    """Length of a step in days, whether it works and whether it is stopped early for side effects."""
    n = is_hard.size
    stops_early = rng.random(n) < np.where(adds, 0.07, 0.11)
    chance = np.where(is_hard, 0.13, 0.54) * (1 - 0.06 * step)
    works = ~stops_early & (rng.random(n) < chance)
    gives_up_soon = rng.random(n) < 0.15
    too_weak = np.where(gives_up_soon, rng.integers(20, 36, n), 38 + rng.gamma(2.0, 28.0, n).astype(int))
    days = np.where(works, rng.integers(200, 680, n), too_weak)
    return np.where(stops_early, rng.integers(4, 24, n), days), works, stops_early


def _prolong(rng: np.random.Generator, steps: _Steps, at: Ints, step: int, adds: Bools) -> None:
    """Lengthen what was running: through the whole of an add-on, or for up to three weeks of cross-taper."""
    taper = np.where(rng.random(at.size) < 0.6, rng.integers(0, 22, at.size), 0)
    until = np.where(adds, steps.end[at, step], steps.start[at, step] + taper)
    ends = steps.end[at, :step]
    running = ends >= steps.start[at, step][:, None]
    steps.end[at, :step] = np.where(running, np.maximum(ends, until[:, None]), ends)


def _drug_courses(steps: _Steps) -> _Courses:
    episode, step = np.nonzero((steps.drug >= 0) & (steps.end > steps.start))
    return _Courses(
        episode=episode,
        drug=steps.drug[episode, step],
        start=steps.start[episode, step],
        end=steps.end[episode, step],
        fall=steps.fall[episode, step],
        works=steps.works[episode, step],
    )


# ---- what the registry writes down --------------------------------------------------------------


def _persons(people: _People) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "person_id": people.identifier,
            "birth_date": _dates(people.birth),
            "sex": _words(("female", "male"), people.sex),
            "death_date": _dates(people.death),
        }
    )


def _coverage(people: _People) -> pl.DataFrame:
    returns = people.away_from < people.leave
    everyone, returned = np.arange(people.enter.size), np.flatnonzero(returns)
    person = np.concatenate([everyone, returned])
    start = np.concatenate([people.enter, people.away_until[returned]])
    end = np.concatenate([np.where(returns, people.away_from - 1, people.leave), people.leave[returned]])
    rows = np.flatnonzero(end >= start)
    rows = rows[np.lexsort((start[rows], person[rows]))]
    return pl.DataFrame(
        {
            "person_id": people.identifier.gather(person[rows]),
            "start_date": _dates(start[rows]),
            "end_date": _dates(end[rows]),
        }
    )


@dataclass(frozen=True)
class _Stays:
    """One entry per hospital stay."""

    person: Ints
    start: Ints
    end: Ints
    code: Ints


def _draw_stays(rng: np.random.Generator, people: _People, episodes: _Episodes, courses: _Courses) -> _Stays:
    """Hospital stays: some weeks into a course that does not work."""
    risk = np.where(episodes.depressed[courses.episode], 0.05, 0.02) * ~courses.works
    chosen = np.flatnonzero(rng.random(courses.episode.size) < risk)
    episode = courses.episode[chosen]
    start = courses.start[chosen] + rng.integers(7, 60, chosen.size)
    end = start + rng.integers(2, 40, chosen.size)
    stays = _Stays(episodes.person[episode], start, end, episodes.code[episode])
    kept = _observed(people, stays.person, start) & _observed(people, stays.person, end)
    return replace(stays, person=stays.person[kept], start=start[kept], end=end[kept], code=stays.code[kept])


def _admissions(people: _People, stays: _Stays) -> pl.DataFrame:
    order = np.lexsort((stays.start, stays.person))
    return pl.DataFrame(
        {
            "person_id": people.identifier.gather(stays.person[order]),
            "start_date": _dates(stays.start[order]),
            "end_date": _dates(stays.end[order]),
            "main_code": _words(_CODES, stays.code[order]),
        }
    )


def _diagnoses(
    rng: np.random.Generator, people: _People, episodes: _Episodes, courses: _Courses, stays: _Stays
) -> pl.DataFrame:
    contacts = _join(
        _episode_contacts(rng, episodes, courses),
        _remissions(rng, episodes, courses),
        _other_contacts(rng, people),
    )
    seen = _observed(people, contacts["person"], contacts["day"])
    visits = {name: values[seen] for name, values in contacts.items()}
    n = visits["person"].size
    # Inpatient 2, outpatient 1, primary care 0: stays are written as inpatient contacts with an end.
    visits |= {"end": np.full(n, _NEVER), "setting": (rng.random(n) < 0.55).astype(int)}
    inpatient = {
        "person": stays.person,
        "day": stays.start,
        "code": stays.code,
        "is_main": np.ones(stays.person.size, bool),
        "end": stays.end,
        "setting": np.full(stays.person.size, 2),
    }
    rows = _join(visits, inpatient)
    order = np.lexsort((rows["code"], rows["day"], rows["person"]))
    rows = {name: values[order] for name, values in rows.items()}
    return pl.DataFrame(
        {
            "person_id": people.identifier.gather(rows["person"]),
            "date": _dates(rows["day"]),
            "end_date": _dates(rows["end"]),
            "code": _words(_CODES, rows["code"]),
            "code_system": pl.repeat("icd10", order.size, eager=True),
            "position": _words(("other", "main"), rows["is_main"].astype(int)),
            "setting": _words(("primary", "outpatient", "inpatient"), rows["setting"]),
        }
    )


def _episode_contacts(rng: np.random.Generator, episodes: _Episodes, courses: _Courses) -> dict[str, np.ndarray]:
    """Contacts at the opening, when a course starts, and now and then while a long one lasts."""
    opens = np.arange(episodes.person.size)
    starts = np.flatnonzero(rng.random(courses.episode.size) < 0.55)
    long = np.flatnonzero((courses.end - courses.start > 100) & (rng.random(courses.episode.size) < 0.75))
    middle = (courses.start + (courses.end - courses.start) * rng.uniform(0.25, 0.6, courses.end.size)).astype(int)
    episode = np.concatenate([opens, courses.episode[starts], courses.episode[long]])
    day = np.concatenate([episodes.start, courses.start[starts], middle[long]])
    leading = episodes.code[episode]
    second = _pick(rng, _ANXIETY_SHARES, episode.size)
    changes = rng.random(episode.size) < 0.08
    code = np.where(changes & ~episodes.depressed[episode], _CODES.index("F419"), leading)
    both = np.flatnonzero(episodes.anxious[episode] & episodes.depressed[episode] & (rng.random(episode.size) < 0.7))
    return _join(
        {"person": episodes.person[episode], "day": day, "code": code, "is_main": np.ones(day.size, bool)},
        {
            "person": episodes.person[episode][both],
            "day": day[both],
            "code": second[both],
            "is_main": np.zeros(both.size, bool),
        },
    )


def _remissions(rng: np.random.Generator, episodes: _Episodes, courses: _Courses) -> dict[str, np.ndarray]:
    """A third of the depressive episodes that recover end with a remission code."""
    recovered = courses.works & episodes.depressed[courses.episode]
    chosen = np.flatnonzero(recovered & (rng.random(courses.episode.size) < 0.33))
    return {
        "person": episodes.person[courses.episode[chosen]],
        "day": courses.end[chosen] + 5,
        "code": np.full(chosen.size, _REMISSION),
        "is_main": np.ones(chosen.size, bool),
    }


def _other_contacts(rng: np.random.Generator, people: _People) -> dict[str, np.ndarray]:
    """Contacts for something else: what a definition excludes, and what none looks at."""
    n = people.birth.size
    ill = np.flatnonzero(rng.random(n) < 0.11)
    times = rng.integers(1, 4, ill.size)
    comorbid = np.repeat(_pick(rng, _COMORBID_SHARES, ill.size) + _REMISSION + 1, times)
    anything = np.repeat(np.arange(n), rng.poisson(0.5, n))
    unrelated = rng.integers(len(_CODES) - len(_OTHER_CODES), len(_CODES), anything.size)
    person = np.concatenate([np.repeat(ill, times), anything])
    return {
        "person": person,
        "day": rng.integers(_FIRST, _LAST + 1, person.size),
        "code": np.concatenate([comorbid, unrelated]),
        "is_main": rng.random(person.size) < 0.5,
    }


# ---- dispensings --------------------------------------------------------------------------------


_ATC = (*(drug.atc for drug in _DRUGS), *_AS_NEEDED, *_OTHER_DRUGS)
_DDD_MG = np.array([*(drug.ddd_mg for drug in _DRUGS), *_AS_NEEDED_DDD, *_OTHER_DDD])
_DOSES = np.array([drug.doses for drug in _DRUGS])
_TABLETS = np.array([drug.tablets for drug in _DRUGS])


def _dispensings(rng: np.random.Generator, people: _People, episodes: _Episodes, courses: _Courses) -> pl.DataFrame:
    rows = _join(
        _fills(rng, people, episodes, courses),
        _as_needed_fills(rng, episodes),
        _unrelated_fills(rng, people.birth.size),
    )
    seen = _observed(people, rows["person"], rows["day"])
    order = np.flatnonzero(seen)
    order = order[np.lexsort((rows["strength"][order], rows["drug"][order], rows["day"][order], rows["person"][order]))]
    rows = {name: values[order] for name, values in rows.items()}
    packages = np.maximum(1, -(-rows["quantity"] // 100))
    ddd = rows["quantity"] * rows["strength"] / _DDD_MG[rows["drug"]]
    as_written = _what_is_written(rng, rows["is_as_needed"])
    return pl.DataFrame(
        {
            "person_id": people.identifier.gather(rows["person"]),
            "date": _dates(rows["day"]),
            "atc": _words(_ATC, rows["drug"]),
            "ddd": _numbers(ddd.round(3), as_written < 3),
            "n_packages": packages,
            "ddd_per_package": _numbers((ddd / packages).round(3), as_written < 3),
            "strength_mg": _numbers(rows["strength"], as_written < 2),
            "quantity": _numbers(rows["quantity"], as_written < 2),
            "days_supply": _numbers(rows["days"], as_written == 0),
            "daily_dose_mg": _numbers(rows["dose"], as_written < 2),
        }
    )


def _what_is_written(rng: np.random.Generator, is_as_needed: Bools) -> Ints:
    """How much a row tells: 0 all, 1 no days' supply, 2 only amounts in DDD, 3 only a number of packages."""
    return np.where(is_as_needed, 2, _pick(rng, (934, 24, 12, 30), is_as_needed.size))


def _fills(rng: np.random.Generator, people: _People, episodes: _Episodes, courses: _Courses) -> dict[str, np.ndarray]:
    """Fills of each drug course: monthly at first, then by its own package, later when the person is late."""
    n = courses.episode.size
    person = episodes.person[courses.episode]
    month = np.where(rng.random(n) < 0.5, 28, 30)
    package = np.where(rng.random(n) < 0.15, rng.choice((90, 98, 100), n), month)
    delay = people.fill_delay[person]
    length = courses.end - courses.start
    first_months = np.minimum(np.ceil(length / (month * delay)), 3).astype(int)
    rest = np.maximum(length - 3 * month * delay, 0)
    count = first_months + np.ceil(rest / (package * delay)).astype(int)
    of, number = np.repeat(np.arange(n), count), _position(count)
    later = np.maximum(number - 3, 0)
    day = courses.start[of] + ((np.minimum(number, 3) * month[of] + later * package[of]) * delay[of]).astype(int)
    jitter = np.where(number > 0, rng.integers(-3, 4, of.size), 0)
    day = day + jitter + _pause(rng, n, count)[of] * (number >= count[of] // 2)
    level = _dose_level(rng, courses, of, number)
    dose, tablet = _DOSES[courses.drug[of], level], _TABLETS[courses.drug[of], level]
    days = np.where(number < 3, month[of], package[of])
    return {
        "person": person[of],
        "day": day,
        "drug": courses.drug[of],
        "days": days,
        "dose": dose,
        "strength": tablet,
        "quantity": (days * dose / tablet).astype(int),
        "is_as_needed": np.zeros(of.size, bool),
    }


def _pause(rng: np.random.Generator, n: int, count: Ints) -> Ints:
    """Days without the drug in the middle of the course: one course in twelve of four fills or more."""
    return np.where((rng.random(n) < 0.08) & (count >= 4), rng.integers(20, 100, n), 0)


def _dose_level(rng: np.random.Generator, courses: _Courses, of: Ints, number: Ints) -> Ints:
    """Titration: starting dose, usual dose, and raised once or twice where the drug works poorly; some stay low."""
    n = courses.episode.size
    highest = 1 + (rng.random(n) < np.where(courses.works, 0.25, 0.5)).astype(int)
    highest += (highest == 2) & (rng.random(n) < 0.35)
    highest = np.where(rng.random(n) < 0.08, 0, highest)
    titrates = rng.random(n) < 0.5
    return np.minimum(np.where(titrates[of], number, number + 1), highest[of])


def _as_needed_fills(rng: np.random.Generator, episodes: _Episodes) -> dict[str, np.ndarray]:
    """Sedatives to take when needed, in one episode in eight: how long they last nobody writes down."""
    n = episodes.person.size
    episode = np.repeat(np.arange(n), np.where(rng.random(n) < 0.12, rng.integers(1, 5, n), 0))
    drug = _pick(rng, (45, 15, 15, 25), episode.size) + len(_DRUGS)
    day = episodes.start[episode] + rng.integers(0, 240, episode.size)
    return _simple_fills(rng, episodes.person[episode], day, drug) | {"is_as_needed": np.ones(episode.size, bool)}


def _unrelated_fills(rng: np.random.Generator, n_persons: int) -> dict[str, np.ndarray]:
    """Drugs for other things."""
    person = np.repeat(np.arange(n_persons), rng.poisson(0.9, n_persons))
    drug = rng.integers(len(_DRUGS) + len(_AS_NEEDED), len(_ATC), person.size)
    return _simple_fills(rng, person, rng.integers(_FIRST, _LAST + 1, person.size), drug)


def _simple_fills(rng: np.random.Generator, person: Ints, day: Ints, drug: Ints) -> dict[str, np.ndarray]:
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


# ---- sessions and scores ------------------------------------------------------------------------


def _procedures(
    rng: np.random.Generator, people: _People, episodes: _Episodes, steps: _Steps, therapy: _Courses
) -> pl.DataFrame:
    sessions = _join(_therapy_sessions(rng, episodes, therapy), _stimulation_sessions(rng, episodes, steps))
    order = np.flatnonzero(_observed(people, sessions["person"], sessions["day"]))
    order = order[np.lexsort((sessions["code"][order], sessions["day"][order], sessions["person"][order]))]
    return pl.DataFrame(
        {
            "person_id": people.identifier.gather(sessions["person"][order]),
            "date": _dates(sessions["day"][order]),
            "code": _words(_SESSION_CODES, sessions["code"][order]),
            "code_system": _words(_SESSION_SYSTEMS, sessions["code"][order]),
        }
    )


def _therapy_sessions(rng: np.random.Generator, episodes: _Episodes, therapy: _Courses) -> dict[str, np.ndarray]:
    """Weekly sessions, give or take a day, with a missed week here and there."""
    count = (therapy.end - therapy.start) // 7
    is_cbt = rng.random(count.size) < 0.7
    of, number = np.repeat(np.arange(count.size), count), _position(count)
    kept = (number == 0) | (rng.random(of.size) > 0.08)
    day = therapy.start[of] + 7 * number + np.where(number > 0, rng.integers(-1, 2, of.size), 0)
    return {
        "person": episodes.person[therapy.episode[of]][kept],
        "day": day[kept],
        "code": np.where(is_cbt[of], 0, 1)[kept],
    }


def _stimulation_sessions(rng: np.random.Generator, episodes: _Episodes, steps: _Steps) -> dict[str, np.ndarray]:
    """ECT or magnetic stimulation for some of the depressed whose first two steps did not work."""
    failed = (steps.drug[:, 2] >= 0) & episodes.depressed
    chosen = np.flatnonzero(failed & (rng.random(failed.size) < 0.12))
    is_ect = rng.random(chosen.size) < 0.65
    count = np.where(is_ect, rng.integers(6, 13, chosen.size), rng.integers(20, 31, chosen.size))
    spread = np.where(is_ect, 2.4, 1.4)
    of, number = np.repeat(np.arange(chosen.size), count), _position(count)
    start = steps.start[chosen, 2] + rng.integers(5, 60, chosen.size)
    return {
        "person": episodes.person[chosen[of]],
        "day": start[of] + (number * spread[of]).astype(int),
        "code": np.where(is_ect[of], 2, 3),
    }


def _scores(
    rng: np.random.Generator, people: _People, episodes: _Episodes, steps: _Steps, therapy: _Courses
) -> pl.DataFrame:
    moments = _join(_step_moments(rng, episodes, steps), _therapy_moments(rng, episodes, therapy))
    person = episodes.person[moments["episode"]]
    kept = people.has_scores[person] & _observed(people, person, moments["day"])
    moments = {name: values[kept] for name, values in moments.items()} | {"person": person[kept]}
    rows = _rate(rng, people, moments)
    order = np.lexsort((rows["value"], rows["scale"], rows["day"], rows["person"]))
    return pl.DataFrame(
        {
            "person_id": people.identifier.gather(rows["person"][order]),
            "date": _dates(rows["day"][order]),
            "scale": _words((*_SCALES, _CGI_I), rows["scale"][order]),
            "value": rows["value"][order],
        }
    )


def _step_moments(rng: np.random.Generator, episodes: _Episodes, steps: _Steps) -> dict[str, np.ndarray]:
    """When symptoms are rated and how severe they are: at a step's start, in its course and at its end."""
    left = np.cumprod(1 - steps.fall, axis=1)
    before = episodes.severity[:, None] * np.column_stack([np.ones(len(left)), left[:, :-1]])
    given = steps.drug >= 0
    length = steps.end - steps.start
    middle = steps.start + rng.integers(21, 36, given.shape)
    end = np.where(steps.works, steps.start + rng.integers(56, 85, given.shape), steps.end)
    asked = rng.random((3, *given.shape)) < np.array([0.6, 0.3, 0.6])[:, None, None]
    asked[0, :, 0] = rng.random(len(left)) < 0.85
    return _join(
        _moment(given & asked[0], steps.start - rng.integers(0, 6, given.shape), before, np.zeros(given.shape)),
        _moment(given & asked[1] & (length > 40), middle, before * (1 - 0.6 * steps.fall), 0.6 * steps.fall),
        _moment(given & asked[2] & (length > 14), end, before * (1 - steps.fall), steps.fall),
    )


def _moment(chosen: Bools, day: Ints, level: Floats, fall: Floats) -> dict[str, np.ndarray]:
    episode = np.nonzero(chosen)[0]
    return {"episode": episode, "day": day[chosen], "level": level[chosen], "fall": fall[chosen]}


def _therapy_moments(rng: np.random.Generator, episodes: _Episodes, therapy: _Courses) -> dict[str, np.ndarray]:
    """Ratings at the first and the last session of psychotherapy."""
    level = episodes.severity[therapy.episode]
    asked = rng.random((2, level.size)) < 0.75
    first = {"day": therapy.start - 1, "level": level, "fall": np.zeros(level.size)}
    last = {"day": therapy.end, "level": level * (1 - therapy.fall), "fall": therapy.fall}
    return _join(
        {"episode": therapy.episode[asked[0]]} | {name: values[asked[0]] for name, values in first.items()},
        {"episode": therapy.episode[asked[1]]} | {name: values[asked[1]] for name, values in last.items()},
    )


def _rate(rng: np.random.Generator, people: _People, moments: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Turn severity from 0 to 1 into values of the scales the person is followed with."""
    n = people.birth.size
    own_anxiety, own_depression = _pick(rng, (35, 35, 30), n), 3 + _pick(rng, (45, 30, 25), n)
    has_impression = rng.random(n) < 0.4
    person = moments["person"]
    by_anxiety = np.flatnonzero(people.anxious[person])
    by_depression = np.flatnonzero(people.depressed[person])
    by_impression = np.flatnonzero(people.anxious[person] & has_impression[person] & (moments["fall"] != 0))
    of = np.concatenate([by_anxiety, by_depression, by_impression])
    scale = np.concatenate(
        [own_anxiety[person[by_anxiety]], own_depression[person[by_depression]], np.full(by_impression.size, 6)]
    )
    top = np.append(_SCALE_TOP, 7)[scale]
    rated = np.round(moments["level"][of] * top + rng.normal(0, 0.03, of.size) * top).clip(0, top)
    impression = np.round(4.4 - 4 * moments["fall"][of] + rng.normal(0, 0.35, of.size)).clip(1, 7)
    return {
        "person": person[of],
        "day": moments["day"][of],
        "scale": scale,
        "value": np.where(scale == 6, impression, rated),
    }


# ---- faults -------------------------------------------------------------------------------------


def _spoil(rng: np.random.Generator, tables: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The same tables with about one row in a thousand wrong, each in one of the ways deliveries are wrong."""
    spoiled = dict(tables)
    dispensings = _overwrite(rng, tables["dispensings"], "person_id", "U000000001", 0.0003)
    dispensings = _overwrite(rng, dispensings, "atc", "N06?B0", 0.0003)
    dispensings = _overwrite(rng, dispensings, "date", "2016-02-30", 0.0002)
    spoiled["dispensings"] = _overwrite(rng, dispensings, "days_supply", -30, 0.0002)
    diagnoses = _overwrite(rng, tables["diagnoses"], "person_id", "U000000001", 0.0005)
    spoiled["diagnoses"] = _overwrite(rng, diagnoses, "date", "2018-13-01", 0.0005)
    spoiled["procedures"] = _overwrite(rng, tables["procedures"], "date", "2017-00-10", 0.001)
    spoiled["scores"] = _overwrite(rng, tables["scores"], "value", 999.0, 0.001)
    spoiled["admissions"] = _overwrite(rng, tables["admissions"], "end_date", "1999-12-31", 0.001)
    spoiled["persons"] = _repeat_some(rng, tables["persons"], 0.001)
    return spoiled


def _overwrite(
    rng: np.random.Generator, table: pl.DataFrame, column: str, wrong: str | float, share: float
) -> pl.DataFrame:
    hit = pl.Series(rng.random(table.height) < share)
    return table.with_columns(pl.when(hit).then(pl.lit(wrong, table.schema[column])).otherwise(column).alias(column))


def _repeat_some(rng: np.random.Generator, persons: pl.DataFrame, share: float) -> pl.DataFrame:
    """Some persons once more, the second time without a birth date, next to the first."""
    again = persons.with_row_index("row").filter(pl.Series(rng.random(persons.height) < share))
    again = again.with_columns(birth_date=pl.lit(None, pl.String))
    return pl.concat([persons.with_row_index("row"), again]).sort("row", maintain_order=True).drop("row")


# ---- small tools --------------------------------------------------------------------------------


def _observed(people: _People, person: Ints, day: Ints) -> Bools:
    """Whether the registry sees that person on that day."""
    inside = (day >= people.enter[person]) & (day <= people.leave[person])
    return inside & ~((day >= people.away_from[person]) & (day < people.away_until[person]))


def _position(count: Ints) -> Ints:
    """0, 1, 2 ... within each group, for groups of these sizes."""
    return np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)


def _pick(rng: np.random.Generator, shares: tuple[float, ...], n: int) -> Ints:
    edges = np.cumsum(shares) / sum(shares)
    return np.searchsorted(edges, rng.random(n), side="right")


def _join(*tables: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


_DATE_TEXTS = pl.date_range(date(1900, 1, 1), LAST_DATE, eager=True).dt.to_string("%Y-%m-%d")


def _dates(days: Ints) -> pl.Series:
    """Day numbers as ISO text; days after the end of the registry are not known and so are null."""
    return _DATE_TEXTS.gather(pl.Series(np.where(days <= _LAST, days - _OLDEST, -1)).replace(-1, None))


def _words(words: tuple[str, ...], index: Ints) -> pl.Series:
    return pl.Series(words).gather(index)


def _numbers(values: np.ndarray, is_known: Bools) -> pl.Series:
    return pl.Series(values).set(~pl.Series(is_known), None)
