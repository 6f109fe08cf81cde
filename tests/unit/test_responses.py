"""How trials ended by their order: counted, added up, rounded, and written out."""

import numpy as np
import polars as pl
import pytest
import report_data as data

from impasse.reports.pages.report import render_report
from impasse.schemas.rounded_tables import RESPONSES, TRIAL_PLACES, Responses
from impasse.transforms.compare.prevalence import build_prevalence
from impasse.transforms.compare.responses import EndedTrials, count_responses, place_among, sum_responses
from impasse.transforms.disclose.suppress import protect
from tests.tables import assert_shows, table

REMISSION, CANNOT_TELL = RESPONSES.index("remission"), RESPONSES.index("cannot_tell")


def ended(*trials: tuple[int, int], of: str = "a") -> EndedTrials:
    """Trials of a definition, each with its place and its state."""
    place, state = np.array(trials, dtype=np.int64).reshape(-1, 2).T
    return EndedTrials(of, place, state)


def shown(counts: pl.DataFrame, state: str = "remission") -> pl.DataFrame:
    """The rows of a state, of places that some trial has."""
    return counts.filter(pl.col("response") == state, pl.col("n_of") > 0)


def test_a_place_is_that_among_the_trials_that_count() -> None:
    """An add-on that does not count takes no place; every episode begins anew."""
    counts, episode = np.array([True, False, True, True, False, True]), np.array([0, 0, 0, 2, 3, 3])

    assert place_among(counts, episode).tolist() == [0, 1, 1, 0, 0, 0]
    assert place_among(np.zeros(0, dtype=bool), np.zeros(0, dtype=np.int64)).tolist() == []


def test_states_are_counted_by_the_place_of_the_trial() -> None:
    """The fifth and all later ones are one place."""
    told = ended((0, REMISSION), (0, CANNOT_TELL), (3, REMISSION), (4, REMISSION), (5, CANNOT_TELL), (9, REMISSION))

    assert_shows(
        shown(sum_responses(count_responses([told]))),
        """
        definition_id | trial      | n | n_of
        a             | 1          | 1 | 2
        a             | 4          | 1 | 1
        a             | 5 or later | 2 | 3
        """,
    )


def test_a_row_tells_nothing_by_being_there() -> None:
    """Every place and state of every definition has a row, in every bucket."""
    made = sum_responses(count_responses([ended((0, REMISSION)), ended(of="b")]))

    assert made.height == 2 * len(TRIAL_PLACES) * len(RESPONSES)
    assert made.filter(definition_id="b")["n"].sum() == 0
    Responses.validate(made)


def test_buckets_add_up() -> None:
    """Two buckets beneath each other give everyone's table."""
    one, other = ended((0, REMISSION), (1, CANNOT_TELL)), ended((0, REMISSION))
    whole = ended((0, REMISSION), (1, CANNOT_TELL), (0, REMISSION))
    parts = pl.concat([count_responses([one]), count_responses([other])])

    assert sum_responses(parts).equals(sum_responses(count_responses([whole])))


PREVALENCES = """
    definition_id | denominator_id | stratum | level | n_total | n_resistant | n_undetermined
    a             | episodes       | all     | all   | 500     | 100         | 10
    a             | eligible       | all     | all   | 500     | 100         | 10
    """


def protected(first: dict[str, int], prevalences: str = PREVALENCES) -> pl.DataFrame:
    """The released first trials of a definition that ended so."""
    trials = [(0, RESPONSES.index(state)) for state, n in first.items() for _ in range(n)]
    made = sum_responses(count_responses([ended(*trials)]))
    released = protect({"prevalence": build_prevalence(table(prevalences)), "responses": made}, 5)["responses"]
    return released.filter(pl.col("trial") == "1")


@pytest.mark.parametrize(("n", "published"), [(12, 10), (13, 15), (2, 0), (3, 5)])
def test_numbers_are_rounded_to_multiples_of_the_threshold(n: int, published: int) -> None:
    """Half way goes up."""
    made = protected({"remission": n, "insufficient": 40, "partial": 41, "no_response": 43, "cannot_tell": 202})

    assert not made["suppressed"].any()
    assert made.filter(response="remission")["n"].to_list() == [published]
    assert set((made["n_of"] % 5).to_list()) == {0}


@pytest.mark.parametrize(("n", "hidden"), [(4, True), (5, False)])
def test_a_place_that_few_trials_have_is_hidden(n: int, hidden: bool) -> None:
    """Four first trials say nothing, five say that there are five."""
    assert set(protected({"remission": n})["suppressed"]) == {hidden}


def test_a_place_whose_rounded_numbers_tell_an_exact_one_is_hidden() -> None:
    """20, 5 and six times 0 of exactly 41 can only be 22, 7 and six times 2."""
    others = [state for state in RESPONSES if state not in ("remission", "partial")]

    assert set(protected({"remission": 22, "partial": 7} | dict.fromkeys(others, 2))["suppressed"]) == {True}
    assert set(protected({"remission": 22, "partial": 7} | dict.fromkeys(others, 1))["suppressed"]) == {False}


def test_a_definition_whose_prevalence_is_hidden_says_nothing_of_its_trials() -> None:
    """Three resistant of five hundred are not shown."""
    hidden = PREVALENCES.replace("| 100 ", "| 3 ")

    assert set(protected({"remission": 100}, hidden)["suppressed"]) == {True}


# The page


def test_the_page_shows_response_and_remission_by_order_of_trial() -> None:
    """Of 200 first trials whose state can be told 100 responded, 60 with remission; of the fourth nothing is known."""
    page = render_report(data.contents())

    assert "Response by order of trial" in page
    assert "50% (30%) of 200" in page
    assert "50% (25%) of 100" in page
    assert "0% (0%) of 10" in page


def test_without_scores_the_page_says_nothing_of_response() -> None:
    """Every trial cannot be told."""
    rows = data.responses().with_columns(n=pl.when(pl.col("response") == "cannot_tell").then("n").otherwise(0))

    assert "Response by order of trial" not in render_report(data.contents(responses=rows))


def test_the_page_names_what_no_register_shows() -> None:
    """The alliance, the clinician's reasoning, metabolism: causes of failure that no table holds."""
    assert "No register shows the therapeutic alliance" in render_report(data.contents())
