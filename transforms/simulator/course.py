"""The course of illness in the made-up registry: persons, their episodes, and how each is treated.

An episode opens with a contact and is treated in steps. A step is a new drug, or an add-on to the running one.
It is given up early for side effects, works, or is judged too weak after some months and replaced, often
tapered across the next. A share of the persons is hard to treat. Some get psychotherapy, before any drug or
beside it; some of the hardest to treat get ECT or magnetic stimulation; some are admitted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from impasse.transforms.simulator.disorders import CODES, DRUGS, NAMES, SESSIONS, TRAITS, setting, weights
from impasse.transforms.simulator.tools import (
    CLOSING,
    NO_DAY,
    OPENING,
    Bools,
    Floats,
    Ints,
    between,
    pick,
    pick_by,
    position,
    take,
)

MAX_STEPS = 7
_THIRD = 2

_CODE_WEIGHTS = weights("codes", CODES)
_DRUG_WEIGHTS = weights("drugs", DRUGS)
_ADD_ON_WEIGHTS = weights("add_ons", DRUGS)
_PSYCHOTHERAPY_WEIGHTS = weights("therapies", SESSIONS)
_SECOND = np.array([NAMES.index(d.second) if d.second else -1 for d in TRAITS.values()])
_ECT, _BILATERAL, _TMS = (list(SESSIONS).index(name) for name in ("ect", "ect_bilateral", "tms"))
# The first place of each substance: low quetiapine and quetiapine are one.
_ATC = [drug.atc for drug in DRUGS.values()]
_SUBSTANCE = np.array([_ATC.index(atc) for atc in _ATC])


@dataclass(frozen=True)
class DrawnPeople:
    """One entry per person. Days are days since 1970; `away` is the stretch an emigrant returned from.

    `leading` and `second` are disorders by their place, -1 for none.
    """

    identifier: pl.Series
    birth: Ints
    sex: Ints
    enter: Ints
    leave: Ints
    death: Ints
    away_from: Ints
    away_until: Ints
    leading: Ints
    second: Ints
    is_hard: Bools
    has_scores: Bools
    refill_delay: Floats


@dataclass(frozen=True)
class DrawnEpisodes:
    """One entry per illness episode, by person."""

    person: Ints
    disorder: Ints
    second: Ints
    code: Ints
    start: Ints
    limit: Ints
    is_hard: Bools
    severity: Floats
    psychotherapy_first: Bools
    is_treated: Bools


@dataclass(frozen=True)
class Steps:
    """Treatment steps, one row per episode and one column per step; `drug` is -1 where there was none."""

    drug: Ints
    start: Ints
    end: Ints
    fall: Floats
    works: Bools


@dataclass(frozen=True)
class Courses:
    """One entry per course: a drug step, or sessions; `what` is the drug's or the session's place."""

    episode: Ints
    what: Ints
    start: Ints
    end: Ints
    fall: Floats
    works: Bools


def draw_people(rng: np.random.Generator, first: int, n: int) -> DrawnPeople:
    """The persons numbered from `first`."""
    age_days = (365.25 * (10 + 75 * rng.beta(1.6, 2.2, n))).astype(int)
    enter = np.where(rng.random(n) < 0.08, OPENING + rng.integers(30, 2900, n), OPENING)
    yearly_risk = 0.0006 * np.exp(np.maximum(age_days / 365.25 - 40, 0) * 0.07)
    death = enter + 30 + (365 * rng.exponential(1, n) / yearly_risk).clip(0, 60_000).astype(int)
    moved_away = np.where(rng.random(n) < 0.04, enter + rng.integers(200, 3600, n), NO_DAY)
    away_from = np.where(rng.random(n) < 0.01, enter + rng.integers(200, 2500, n), NO_DAY)
    leave = np.minimum(np.minimum(death, moved_away), CLOSING)
    away_until = away_from + rng.integers(200, 900, n)
    stays_away = (away_from < leave) & (away_until >= leave)
    shares = setting("share")
    kind = pick(rng, [1 - shares.sum(), *shares], n) - 1  # whoever has none has no episode that would ask further
    return DrawnPeople(
        identifier="P" + pl.Series("person_id", np.arange(first + 1, first + n + 1)).cast(pl.String).str.zfill(9),
        birth=OPENING - age_days,
        sex=rng.choice(2, n, p=(0.63, 0.37)),
        enter=enter,
        leave=np.where(stays_away, away_from - 1, leave),
        death=np.where(death <= CLOSING, death, NO_DAY),
        away_from=away_from,
        away_until=away_until,
        leading=kind,
        second=np.where((kind >= 0) & (rng.random(n) < setting("has_second")[kind]), _SECOND[kind], -1),
        is_hard=rng.random(n) < setting("is_hard")[kind],
        has_scores=rng.random(n) < setting("has_scores")[kind],
        refill_delay=np.where(rng.random(n) < 0.25, rng.uniform(1.15, 1.7, n), rng.uniform(0.97, 1.06, n)),
    )


def is_observed(people: DrawnPeople, person: Ints, day: Ints) -> Bools:
    """Whether the registry sees that person on that day."""
    inside = (day >= people.enter[person]) & (day <= people.leave[person])
    return inside & ~((day >= people.away_from[person]) & (day < people.away_until[person]))


def draw_episodes(rng: np.random.Generator, people: DrawnPeople) -> DrawnEpisodes:
    """One to three episodes for everyone who has a disorder."""
    ill = np.flatnonzero(people.leading >= 0)
    count = rng.choice((1, 2, 3), ill.size, p=(0.6, 0.29, 0.11))
    spacing = between(rng, setting("spacing")[people.leading[ill]])
    first = OPENING + rng.integers(-200, 2900, ill.size)
    person = np.repeat(ill, count)
    start = np.repeat(first, count) + position(count) * np.repeat(spacing, count)
    n, disorder = person.size, people.leading[person]
    return DrawnEpisodes(
        person=person,
        disorder=disorder,
        second=people.second[person],
        code=draw_codes(rng, disorder),
        start=start,
        limit=start + np.repeat(spacing, count) - 250,
        is_hard=people.is_hard[person],
        severity=rng.beta(5, 5, n) * 0.6 + 0.2,
        psychotherapy_first=rng.random(n) < setting("psychotherapy_first")[disorder],
        is_treated=rng.random(n) < 0.93,
    )


def draw_codes(rng: np.random.Generator, disorder: Ints) -> Ints:
    """A diagnosis code of each disorder."""
    return pick_by(rng, _CODE_WEIGHTS, disorder)


def draw_psychotherapy(rng: np.random.Generator, episodes: DrawnEpisodes) -> Courses:
    """Courses of psychotherapy: before any drug, or beside the drugs; some are broken off."""
    tendency = setting("psychotherapy_beside")[episodes.disorder] * np.where(episodes.is_hard, 1.6, 0.65)
    beside = rng.random(episodes.person.size) < tendency
    chosen = np.flatnonzero(episodes.psychotherapy_first | beside)
    n, disorder, first = chosen.size, episodes.disorder[chosen], episodes.psychotherapy_first[chosen]
    is_whole = rng.random(n) > 0.2
    weeks = np.where(is_whole, between(rng, setting("weeks")[disorder]), rng.integers(3, 9, n))
    start = episodes.start[chosen] + np.where(first, rng.integers(7, 60, n), rng.integers(14, 240, n))
    works = is_whole & (rng.random(n) < np.where(episodes.is_hard[chosen], 0.15, 0.6))
    kind = pick_by(rng, _PSYCHOTHERAPY_WEIGHTS, disorder)
    return Courses(chosen, kind, start, start + 7 * weeks, _fall(rng, disorder, works), works)


def _fall(rng: np.random.Generator, disorder: Ints, works: Bools) -> Floats:
    """The share by which symptoms fall over a course that works, or does not."""
    limits = np.where(works[:, None], setting("fall")[disorder], setting("small_fall")[disorder])
    return rng.uniform(limits[:, 0], limits[:, 1])


def draw_steps(rng: np.random.Generator, episodes: DrawnEpisodes, psychotherapy: Courses) -> Steps:
    """The drugs of each episode, one after another or one on top of another, until one works or nobody goes on."""
    n, disorder = episodes.person.size, episodes.disorder
    main_order = _keep_back(rng, _order(rng, _DRUG_WEIGHTS, disorder), disorder)
    add_on_order = _order(rng, _ADD_ON_WEIGHTS, disorder)
    adds_at_all = setting("adds")[disorder]
    steps = Steps(
        drug=np.full((n, MAX_STEPS), -1),
        start=np.zeros((n, MAX_STEPS), int),
        end=np.zeros((n, MAX_STEPS), int),
        fall=np.zeros((n, MAX_STEPS)),
        works=np.zeros((n, MAX_STEPS), bool),
    )
    now = _first_drug_day(rng, episodes, psychotherapy)
    n_switches, n_add_ons, tolerated = np.zeros(n, int), np.zeros(n, int), np.zeros(n, bool)
    goes_on = episodes.is_treated & (now < episodes.limit)
    for step in range(MAX_STEPS):
        at = np.flatnonzero(goes_on)
        switch, add_on = main_order[at, n_switches[at]], add_on_order[at, n_add_ons[at]]
        adds = tolerated[at] & (n_add_ons[at] < 2) & (rng.random(at.size) < adds_at_all[at])
        adds &= ~(_SUBSTANCE[steps.drug[at, :step]] == _SUBSTANCE[add_on][:, None]).any(axis=1)
        days, works, stops_early = _draw_step(rng, disorder[at], episodes.is_hard[at], adds, step)
        end = np.minimum(now[at] + days, episodes.limit[at])
        steps.drug[at, step], steps.start[at, step], steps.end[at, step] = np.where(adds, add_on, switch), now[at], end
        steps.works[at, step] = works
        steps.fall[at, step] = _fall(rng, disorder[at], works) * np.where(stops_early, 0.2, 1)
        _prolong(rng, steps, at, step, adds)
        n_switches[at] += ~adds
        n_add_ons[at] += adds
        tolerated[at], now[at] = ~stops_early, end
        goes_on[at] = ~works & (rng.random(at.size) < 0.8) & (end < episodes.limit[at])
    return steps


def _order(rng: np.random.Generator, weight: Floats, disorder: Ints) -> Ints:
    """Per episode, the order in which drugs are tried: drawn by weight without replacement."""
    with np.errstate(divide="ignore"):
        tendency = np.log(weight).astype(np.float32)[disorder]
    tendency += rng.gumbel(size=tendency.shape).astype(np.float32)
    return np.argsort(-tendency, axis=1, kind="stable")[:, :MAX_STEPS]


def _keep_back(rng: np.random.Generator, order: Ints, disorder: Ints) -> Ints:
    """In a share of the episodes, change places between the third drug and the one kept for after two failures."""
    for place, one in enumerate(TRAITS.values()):
        for drug, share in one.kept_back.items():
            chosen = np.flatnonzero((disorder == place) & (rng.random(disorder.size) < share))
            rows = order[chosen]
            rows[rows == list(DRUGS).index(drug)] = -1
            rows = np.where(rows == -1, rows[:, _THIRD, None], rows)
            rows[:, _THIRD] = list(DRUGS).index(drug)
            order[chosen] = rows
    return order


def _first_drug_day(rng: np.random.Generator, episodes: DrawnEpisodes, psychotherapy: Courses) -> Ints:
    """The day of the first drug: soon after the episode opens, or after psychotherapy alone has not worked."""
    day = episodes.start + rng.integers(0, 15, episodes.person.size)
    first = episodes.psychotherapy_first[psychotherapy.episode]
    day[psychotherapy.episode[first]] = np.where(psychotherapy.works[first], NO_DAY, psychotherapy.end[first] + 10)
    return day


def _draw_step(
    rng: np.random.Generator, disorder: Ints, is_hard: Bools, adds: Bools, step: int
) -> tuple[Ints, Bools, Bools]:
    """Length of a step in days, whether it works and whether it is stopped early for side effects."""
    n = is_hard.size
    stops_early = rng.random(n) < np.where(adds, 0.07, 0.11)
    chance = np.where(is_hard, 0.13, 0.54) * (1 - 0.06 * step)
    works = ~stops_early & (rng.random(n) < chance)
    gives_up_soon = rng.random(n) < 0.15
    kept_for = 38 + rng.gamma(2.0, 28.0 * setting("patience")[disorder]).astype(int)
    too_weak = np.where(gives_up_soon, rng.integers(20, 36, n), kept_for)
    days = np.where(works, between(rng, setting("lasts")[disorder]), too_weak)
    return np.where(stops_early, rng.integers(4, 24, n), days), works, stops_early


def _prolong(rng: np.random.Generator, steps: Steps, at: Ints, step: int, adds: Bools) -> None:
    """Lengthen what was running: through the whole of an add-on, or for up to three weeks of cross-taper."""
    taper = np.where(rng.random(at.size) < 0.6, rng.integers(0, 22, at.size), 0)
    until = np.where(adds, steps.end[at, step], steps.start[at, step] + taper)
    ends = steps.end[at, :step]
    running = ends >= steps.start[at, step][:, None]
    steps.end[at, :step] = np.where(running, np.maximum(ends, until[:, None]), ends)


def drug_courses(steps: Steps) -> Courses:
    """The steps as courses of drugs."""
    episode, step = np.nonzero((steps.drug >= 0) & (steps.end > steps.start))
    parts = (getattr(steps, name)[episode, step] for name in ("drug", "start", "end", "fall", "works"))
    return Courses(episode, *parts)


def draw_stimulation(rng: np.random.Generator, episodes: DrawnEpisodes, steps: Steps) -> tuple[Ints, Ints, Ints]:
    """Episode, kind and first day of ECT or magnetic stimulation: for some whose first two steps did not work."""
    hardest = (steps.drug[:, _THIRD] >= 0) & episodes.is_hard
    chosen = np.flatnonzero(hardest & (rng.random(hardest.size) < setting("is_stimulated")[episodes.disorder]))
    is_ect = rng.random(chosen.size) < setting("is_ect")[episodes.disorder[chosen]]
    start = steps.start[chosen, _THIRD] + rng.integers(5, 60, chosen.size)
    ect = np.where(rng.random(chosen.size) < 0.4, _BILATERAL, _ECT)
    return chosen, np.where(is_ect, ect, _TMS), start


def draw_stays(
    rng: np.random.Generator, people: DrawnPeople, episodes: DrawnEpisodes, courses: Courses
) -> dict[str, np.ndarray]:
    """Hospital stays by person, start, end and code: some weeks into a course that does not work."""
    risk = setting("is_admitted")[episodes.disorder[courses.episode]] * ~courses.works
    chosen = np.flatnonzero(rng.random(courses.episode.size) < risk)
    episode = courses.episode[chosen]
    start = courses.start[chosen] + rng.integers(7, 60, chosen.size)
    end = start + rng.integers(2, 40, chosen.size)
    stays = {"person": episodes.person[episode], "start": start, "end": end, "code": episodes.code[episode]}
    return take(stays, is_observed(people, stays["person"], start) & is_observed(people, stays["person"], end))
