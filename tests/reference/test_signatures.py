"""Episodes that no definition can tell apart are judged once: the counts are those of judging every one."""

from __future__ import annotations

import polars as pl
import pytest

from schemas.tables import VERDICTS
from tests.reference.both import drawn_round
from tests.shipped import CODES
from tests.spec.world import count, counts, definition, extract, study
from transforms.classify import Classified, classify
from transforms.signatures import count_variants, representatives
from transforms.try_case import drawn_extract


def counted(made: Classified) -> dict[tuple[str, str, str], int]:
    """What judging every episode gives, combinations without an episode left out."""
    rows = made.classifications.join(made.episodes.select("episode_id", "disorder"), on="episode_id")
    found = rows.group_by("definition_id", "disorder", "verdict").len()
    return {tuple(map(str, key)): n for *key, n in found.iter_rows()}


def by_signature(made: Classified) -> dict[tuple[str, str, str], int]:
    """What judging one of each signature gives."""
    return {tuple(key): n for *key, n in count_variants(made).filter(pl.col("n") > 0).iter_rows()}


@pytest.mark.parametrize("seed", range(4))
def test_counts_are_those_of_judging_every_episode(seed: int) -> None:
    """All shipped definitions and variants of them, over drawn persons of whom each is there twice."""
    drawn = drawn_round(seed, n_persons=60, n_variants=60)
    twins = [{**person, "person_id": f"{person['person_id']}_twin"} for person in drawn.persons]
    given = drawn_extract(drawn.persons + twins, drawn.observes, drawn.absent)

    made = classify(given, drawn.study, drawn.definitions, CODES)

    assert by_signature(made) == counted(made)


def test_every_combination_has_a_row() -> None:
    """A verdict nobody got is a row with 0, so that parts of the persons may be added up."""
    made = classify(_TREATED, study(), [definition()], CODES)

    found = count_variants(made)

    assert found["verdict"].to_list() == list(VERDICTS)
    assert found["n"].sum() == 3


_TREATED = extract(
    diagnoses="person | date\nearly | 2010-01-01\nlate | 2012-06-01\nother | 2012-06-01",
    dispensings="""
    person | drug        | date       | days
    early  | sertraline  | 2010-01-05 | 56
    early  | venlafaxine | 2010-03-02 | 56
    late   | sertraline  | 2012-06-05 | 56
    late   | venlafaxine | 2012-07-31 | 56
    other  | sertraline  | 2012-06-05 | 56
    other  | venlafaxine | 2012-08-01 | 56
    """,
)


def signatures(*rules: object) -> int:
    """How many signatures the three persons have."""
    made = classify(_TREATED, study(tail_days=200), rules, CODES)
    chosen, weight = representatives(made, list(rules))
    assert weight.sum() == 3
    return len(chosen)


def test_a_definition_without_time_sees_answers_and_no_days() -> None:
    """The switch came a day later in one of three: nobody asked when."""
    assert signatures(definition()) == 1


def test_a_definition_of_time_sees_days_from_the_first_trial_on() -> None:
    """Two years later is the same, one day more between two trials is not."""
    timed = definition(resistance=counts(count(1), within=90))

    assert signatures(timed) == 2
