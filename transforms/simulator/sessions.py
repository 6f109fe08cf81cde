"""Procedures and scores of the made-up registry: sessions of psychotherapy, ECT or TMS, and ratings of symptoms."""

from __future__ import annotations

import numpy as np
import polars as pl

from impasse.transforms.simulator.course import (
    Courses,
    DrawnEpisodes,
    DrawnPeople,
    Steps,
    draw_stimulation,
    is_observed,
)
from impasse.transforms.simulator.disorders import SCALES, SESSIONS, setting, weights
from impasse.transforms.simulator.tools import (
    Bools,
    Floats,
    Ints,
    Rows,
    dates,
    join,
    ordered,
    pick_by,
    position,
    take,
    texts_at,
)

_SCALE_WEIGHTS = weights("scales", SCALES)
_LOWEST, _MOST_SEVERE = (np.array(values) for values in zip(*SCALES.values(), strict=True))
_IMPRESSION = list(SCALES).index("cgi_i")
_TMS = list(SESSIONS).index("tms")
_CODES, _SYSTEMS = zip(*SESSIONS.values(), strict=True)


def procedures(
    rng: np.random.Generator, people: DrawnPeople, episodes: DrawnEpisodes, steps: Steps, psychotherapy: Courses
) -> pl.DataFrame:
    """One row per session that the registry sees, by person and day."""
    sessions = join(_psychotherapy_sessions(rng, episodes, psychotherapy), _stimulation_sessions(rng, episodes, steps))
    rows = ordered(take(sessions, is_observed(people, sessions["person"], sessions["day"])), "person", "day", "kind")
    return pl.DataFrame(
        {
            "person_id": people.identifier.gather(rows["person"]),
            "date": dates(rows["day"]),
            "code": texts_at(_CODES, rows["kind"]),
            "code_system": texts_at(_SYSTEMS, rows["kind"]),
        }
    )


def _psychotherapy_sessions(rng: np.random.Generator, episodes: DrawnEpisodes, psychotherapy: Courses) -> Rows:
    """Weekly sessions, give or take a day, with a missed week here and there."""
    count = (psychotherapy.end - psychotherapy.start) // 7
    of, number = np.repeat(np.arange(count.size), count), position(count)
    kept = (number == 0) | (rng.random(of.size) > 0.08)
    day = psychotherapy.start[of] + 7 * number + np.where(number > 0, rng.integers(-1, 2, of.size), 0)
    episode, what = psychotherapy.episode[of], psychotherapy.what[of]
    return take({"person": episodes.person[episode], "day": day, "kind": what}, kept)


def _stimulation_sessions(rng: np.random.Generator, episodes: DrawnEpisodes, steps: Steps) -> Rows:
    """ECT two or three times a week, magnetic stimulation on most days."""
    episode, kind, start = draw_stimulation(rng, episodes, steps)
    is_ect = kind != _TMS
    count = np.where(is_ect, rng.integers(6, 13, kind.size), rng.integers(20, 31, kind.size))
    spread = np.where(is_ect, 2.4, 1.4)
    of, number = np.repeat(np.arange(kind.size), count), position(count)
    day = start[of] + (number * spread[of]).astype(int)
    return {"person": episodes.person[episode[of]], "day": day, "kind": kind[of]}


def scores(
    rng: np.random.Generator, people: DrawnPeople, episodes: DrawnEpisodes, steps: Steps, psychotherapy: Courses
) -> pl.DataFrame:
    """One row per rating on one scale, by person and day."""
    moments = join(_step_moments(rng, episodes, steps), _psychotherapy_moments(rng, episodes, psychotherapy))
    moments["person"] = episodes.person[moments["episode"]]
    seen = people.has_scores[moments["person"]] & is_observed(people, moments["person"], moments["day"])
    rows = ordered(_scale_values(rng, people, take(moments, seen)), "person", "day", "scale", "value")
    return pl.DataFrame(
        {
            "person_id": people.identifier.gather(rows["person"]),
            "date": dates(rows["day"]),
            "scale": texts_at(SCALES, rows["scale"]),
            "value": rows["value"],
        }
    )


def _step_moments(rng: np.random.Generator, episodes: DrawnEpisodes, steps: Steps) -> Rows:
    """When symptoms are rated and how severe they are: at a step's start, in its course and at its end."""
    left = np.cumprod(1 - steps.fall, axis=1)
    before = episodes.severity[:, None] * np.column_stack([np.ones(len(left)), left[:, :-1]])
    given = steps.drug >= 0
    length = steps.end - steps.start
    middle = steps.start + rng.integers(21, 36, given.shape)
    end = np.where(steps.works, steps.start + rng.integers(56, 85, given.shape), steps.end)
    is_rated = setting("is_rated")[episodes.disorder][:, None]
    asked = rng.random((3, *given.shape)) < np.stack([is_rated, 0.45 * is_rated, is_rated])
    asked[0, :, 0] = rng.random(len(left)) < 0.8
    return join(
        _moment(given & asked[0], steps.start - rng.integers(0, 6, given.shape), before, np.zeros(given.shape)),
        _moment(given & asked[1] & (length > 40), middle, before * (1 - 0.6 * steps.fall), 0.6 * steps.fall),
        _moment(given & asked[2] & (length > 14), end, before * (1 - steps.fall), steps.fall),
    )


def _moment(chosen: Bools, day: Ints, level: Floats, fall: Floats) -> Rows:
    episode = np.nonzero(chosen)[0]
    return {"episode": episode, "day": day[chosen], "level": level[chosen], "fall": fall[chosen]}


def _psychotherapy_moments(rng: np.random.Generator, episodes: DrawnEpisodes, psychotherapy: Courses) -> Rows:
    """Ratings at the first and the last session of psychotherapy."""
    level = episodes.severity[psychotherapy.episode]
    asked = rng.random((2, level.size)) < 0.75
    none = np.zeros(level.size)
    first = {"episode": psychotherapy.episode, "day": psychotherapy.start - 1, "level": level, "fall": none}
    left = level * (1 - psychotherapy.fall)
    last = {"episode": psychotherapy.episode, "day": psychotherapy.end, "level": left, "fall": psychotherapy.fall}
    return join(take(first, asked[0]), take(last, asked[1]))


def _scale_values(rng: np.random.Generator, people: DrawnPeople, moments: Rows) -> Rows:
    """Turn severity from 0 to 1 into values of the scales the person is followed with: one for each disorder."""
    n = people.birth.size
    person = moments["person"]
    leading, second = people.leading[person], people.second[person]
    own = [pick_by(rng, _SCALE_WEIGHTS, np.maximum(disorder, 0)) for disorder in (people.leading, people.second)]
    has_impression = rng.random(n) < setting("has_impression")[people.leading]
    by_second = np.flatnonzero(second >= 0)
    by_impression = np.flatnonzero(has_impression[person] & (moments["fall"] != 0))
    of = np.concatenate([np.arange(leading.size), by_second, by_impression])
    impressions = np.full(by_impression.size, _IMPRESSION)
    scale = np.concatenate([own[0][person], own[1][person[by_second]], impressions])
    span = (_MOST_SEVERE - _LOWEST)[scale]
    rated = np.round((moments["level"][of] + rng.normal(0, 0.03, of.size)) * span).clip(0, span) + _LOWEST[scale]
    impression = np.round(4.4 - 4 * moments["fall"][of] + rng.normal(0, 0.35, of.size)).clip(1, 7)
    return {
        "person": person[of],
        "day": moments["day"][of],
        "scale": scale,
        "value": np.where(scale == _IMPRESSION, impression, rated),
    }
