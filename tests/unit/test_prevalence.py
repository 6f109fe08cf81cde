"""Prevalence: which episodes stand below the line, which above, and what is done with those left open."""

import polars as pl
import pytest
from statsmodels.stats.proportion import proportion_confint

from impasse.schemas.tables import KEYS, Prevalence
from impasse.transforms.compare.prevalence import build_prevalence, count_prevalence
from tests.tables import assert_shows
from tests.unit.judged import classifications, definitions, episodes, verdict_matrix

TWO_FAILED = definitions(two_failed="depression")


def counted(drawn_episodes: str, drawn_verdicts: str, spoken: list = TWO_FAILED) -> pl.DataFrame:
    """The counts of the drawn episodes."""
    return count_prevalence(verdict_matrix(episodes(drawn_episodes), classifications(drawn_verdicts), spoken))


def rated(n_total: int, n_resistant: int, n_undetermined: int) -> dict:
    """The published row of one definition with these counts."""
    counts = {"n_total": n_total, "n_resistant": n_resistant, "n_undetermined": n_undetermined}
    key = {"definition_id": "two_failed", "denominator_id": "eligible", "stratum": "all", "level": "all"}
    return build_prevalence(pl.DataFrame([{**key, **counts}])).row(0, named=True)


def whole(counts: pl.DataFrame) -> pl.DataFrame:
    """The rows that are not stratified."""
    return counts.filter(pl.col("stratum") == "all")


def in_stratum(counts: pl.DataFrame, denominator: str, stratum: str) -> pl.DataFrame:
    """The levels of one stratum in one denominator."""
    return counts.filter(pl.col("denominator_id") == denominator, pl.col("stratum") == stratum)


def test_denominators_narrow_from_all_episodes_to_adequately_treated():
    """Each denominator drops exactly the episodes its name says, and none is counted twice."""
    counts = counted(
        """
        episode_id
        excluded
        untreated
        too_short
        improved
        failed_twice
        no_scale
        """,
        """
        episode_id   | verdict       | n_trials | n_adequate
        excluded     | not_eligible  | 3        | 3
        untreated    | not_resistant | 0        | 0
        too_short    | not_resistant | 1        | 0
        improved     | not_resistant | 1        | 1
        failed_twice | resistant     | 2        | 2
        no_scale     | undetermined  | 2        | 2
        """,
    )

    assert_shows(
        whole(counts),
        """
        denominator_id     | n_total | n_resistant | n_undetermined
        episodes           | 6       | 1           | 1
        eligible           | 5       | 1           | 1
        treated            | 4       | 1           | 1
        adequately_treated | 3       | 1           | 1
        persons            | 5       | 1           | 1
        """,
    )


def test_eligibility_that_cannot_be_told_leaves_the_episode_in_the_denominator():
    """An undetermined episode is eligible until shown otherwise, even one without a trial."""
    counts = counted("episode_id\nage_unknown", "episode_id verdict n_trials n_adequate\nage_unknown undetermined 0 0")

    assert_shows(
        whole(counts),
        """
        denominator_id     | n_total | n_undetermined
        episodes           | 1       | 1
        eligible           | 1       | 1
        treated            | 0       | 0
        adequately_treated | 0       | 0
        persons            | 1       | 1
        """,
    )


def test_a_person_is_resistant_by_any_episode_and_open_only_without_one():
    """Resistant outweighs undetermined, undetermined outweighs not resistant, an ineligible person is no person."""
    counts = counted(
        """
        episode_id | person_id
        r1         | resistant_and_open
        r2         | resistant_and_open
        u1         | open_and_not
        u2         | open_and_not
        n1         | never
        n2         | never
        e1         | excluded_then_not
        e2         | excluded_then_not
        x1         | excluded
        """,
        """
        episode_id | verdict
        r1         | undetermined
        r2         | resistant
        u1         | undetermined
        u2         | not_resistant
        n1         | not_resistant
        n2         | not_resistant
        e1         | not_eligible
        e2         | not_resistant
        x1         | not_eligible
        """,
    )

    assert_shows(in_stratum(counts, "persons", "all"), "n_total n_resistant n_undetermined\n4       1           1")


def test_a_person_stands_under_the_age_and_year_of_the_first_eligible_episode():
    """An earlier episode that is not eligible does not place the person; a later resistant one does not either."""
    counts = counted(
        """
        episode_id | person_id | start_date | age
        excluded   | p         | 2010-01-01 | 17
        first      | p         | 2014-01-01 | 21
        later      | p         | 2024-01-01 | 31
        """,
        """
        episode_id | verdict
        excluded   | not_eligible
        first      | not_resistant
        later      | resistant
        """,
    )

    persons = counts.filter(pl.col("denominator_id") == "persons", pl.col("n_total") > 0)
    assert_shows(
        persons,
        """
        stratum  | level      | n_total | n_resistant
        all      | all        | 1       | 1
        disorder | depression | 1       | 1
        sex      | female     | 1       | 1
        age      | 18-29      | 1       | 1
        year     | 2014       | 1       | 1
        """,
    )


def test_a_person_with_two_disorders_stands_under_both_with_the_verdict_of_each():
    """By disorder a person counts once under each, judged by that disorder's episodes only."""
    counts = counted(
        """
        episode_id | person_id | disorder   | start_date
        mood       | p         | depression | 2012-01-01
        worry      | p         | anxiety    | 2011-01-01
        """,
        """
        episode_id | verdict
        mood       | resistant
        worry      | not_resistant
        """,
        definitions(two_failed="depression anxiety"),
    )

    assert_shows(
        in_stratum(counts, "persons", "disorder"),
        """
        level      | n_total | n_resistant
        depression | 1       | 1
        anxiety    | 1       | 0
        """,
    )
    assert_shows(in_stratum(counts, "persons", "all"), "n_total n_resistant\n1 1")


def test_a_person_is_counted_once_whatever_lies_between_the_episodes():
    """An episode of another disorder between two of depression makes no second person, and each verdict is moved."""
    counts = counted(
        """
        episode_id | person_id | disorder   | start_date
        first      | p         | depression | 2011-01-01
        worry      | p         | anxiety    | 2012-01-01
        second     | p         | depression | 2013-01-01
        third      | p         | depression | 2014-01-01
        """,
        """
        episode_id | verdict
        first      | not_resistant
        worry      | resistant
        second     | undetermined
        third      | resistant
        """,
    )

    assert_shows(in_stratum(counts, "persons", "all"), "n_total n_resistant n_undetermined\n1 1 0")
    assert_shows(
        in_stratum(counts, "persons", "year"),
        "level | n_total | n_resistant\n2011 | 1 | 1\n2013 | 0 | 0\n2014 | 0 | 0",
    )


def test_episodes_of_other_disorders_are_in_no_denominator():
    """A definition of depression does not count anxiety episodes, not even as not eligible."""
    counts = counted(
        """
        episode_id | disorder
        mood       | depression
        worry      | anxiety
        """,
        """
        episode_id | verdict
        mood       | not_resistant
        worry      | not_eligible
        """,
    )

    assert_shows(in_stratum(counts, "episodes", "disorder"), "level n_total\ndepression 1")
    assert_shows(in_stratum(counts, "episodes", "all"), "n_total n_resistant\n1 0")


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (17, "0-17"),
        (18, "18-29"),
        (29, "18-29"),
        (30, "30-44"),
        (44, "30-44"),
        (45, "45-64"),
        (64, "45-64"),
        (65, "65+"),
        ("-", "unknown"),
    ],
)
def test_age_bands_hold_their_first_and_last_year(age, band):
    """A person of 17 is a child and one of 18 is not; no birth date is a level of its own."""
    drawn = episodes(f"episode_id age\na {age}").with_columns(pl.col("age").cast(pl.Int32))
    counts = count_prevalence(verdict_matrix(drawn, classifications("episode_id verdict\na not_resistant"), TWO_FAILED))

    assert in_stratum(counts, "episodes", "age")["level"].to_list() == [band]


def test_calendar_years_have_bounds_and_no_share():
    """Later years were followed for less time: a share of the decided would draw that as a trend."""
    counts = counted(
        "episode_id | start_date\na | 2014-01-01\nb | 2014-02-01\nc | 2015-01-01",
        "episode_id | verdict\na | resistant\nb | not_resistant\nc | resistant",
    )
    built = build_prevalence(counts)

    assert_shows(
        in_stratum(built, "eligible", "year"),
        """
        level | n_total | prevalence | ci_low | ci_high | bound_low | bound_high
        2014  | 2       | -          | -      | -       | 0.5       | 0.5
        2015  | 1       | -          | -      | -       | 1.0       | 1.0
        """,
    )
    assert whole(built)["prevalence"].null_count() == 0


def test_the_year_is_that_of_the_episodes_start():
    """An episode opened on New Year's Eve belongs to the old year."""
    counts = counted(
        "episode_id | start_date\nold | 2014-12-31\nnew | 2015-01-01",
        "episode_id | verdict\nold | resistant\nnew | not_resistant",
    )

    assert_shows(in_stratum(counts, "eligible", "year"), "level n_total n_resistant\n2014 1 1\n2015 1 0")


def test_a_level_without_eligible_episodes_says_zero_in_every_denominator():
    """A zero is a row, so a missing level never has to be guessed."""
    counts = counted(
        "episode_id | sex\nf | female\nm | male",
        "episode_id | verdict\nf | resistant\nm | not_eligible",
    )

    assert_shows(in_stratum(counts, "eligible", "sex"), "level n_total\nfemale 1\nmale 0")
    assert_shows(in_stratum(counts, "persons", "sex"), "level n_total\nfemale 1\nmale 0")


def test_a_definition_without_any_episode_has_its_row_with_null_rates():
    """No episode of the disorder is not a prevalence of zero."""
    counts = counted("episode_id\na", "episode_id verdict\na not_eligible", definitions(two_failed="schizophrenia"))

    row = build_prevalence(counts).row(1, named=True)

    assert (row["denominator_id"], row["level"], row["n_total"]) == ("eligible", "all", 0)
    assert [row[c] for c in ("prevalence", "ci_low", "ci_high", "bound_low", "bound_high")] == [None] * 5


def test_a_bucket_without_persons_counts_nothing():
    """An empty bucket still says zero for every definition and denominator, so it can be added."""
    counts = count_prevalence(
        verdict_matrix(episodes("episode_id\na")[:0], classifications("episode_id verdict\na resistant"), TWO_FAILED)
    )

    assert counts["stratum"].to_list() == ["all"] * 5
    assert counts["n_total"].to_list() == [0] * 5


def test_verdicts_of_definitions_not_compared_are_left_out():
    """A definition that is not asked about has no row and changes no other's."""
    counts = counted(
        "episode_id\na",
        "episode_id | definition_id | verdict\na | two_failed | resistant\na | another | not_resistant",
    )

    assert counts["definition_id"].unique().to_list() == ["two_failed"]
    assert counts["n_resistant"].unique().to_list() == [1]


def test_buckets_add_up():
    """Counting two buckets of persons and adding gives what counting everyone gives."""
    drawn = "episode_id | sex | age\na | female | 20\nb | male | 40\nc | male | 70"
    verdicts = "episode_id | verdict\na | resistant\nb | undetermined\nc | not_resistant"
    everyone, judged = episodes(drawn), classifications(verdicts)

    buckets = [count_prevalence(verdict_matrix(part, judged, TWO_FAILED)) for part in (everyone[:1], everyone[1:])]

    assert build_prevalence(pl.concat(buckets)).equals(
        build_prevalence(count_prevalence(verdict_matrix(everyone, judged, TWO_FAILED)))
    )


def test_point_and_bounds_treat_unknowns_as_they_say():
    """Of 10 episodes 2 resistant and 4 open: 2 of 6 decided, at least 2 of 10, at most 6 of 10."""
    row = rated(10, 2, 4)

    assert row["prevalence"] == 2 / 6
    assert (row["bound_low"], row["bound_high"]) == (2 / 10, 6 / 10)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(proportion_confint(2, 6, method="wilson"))


def test_everything_open_gives_bounds_but_no_point():
    """Where no episode can be decided there is no prevalence, only nothing to everything."""
    row = rated(7, 0, 7)

    assert (row["prevalence"], row["ci_low"], row["ci_high"]) == (None, None, None)
    assert (row["bound_low"], row["bound_high"]) == (0, 1)


def test_none_and_all_resistant_keep_an_interval_with_width():
    """No resistant episode among 20 does not prove a prevalence of zero, nor 20 of 20 one of one."""
    none, everyone = rated(20, 0, 0), rated(20, 20, 0)

    assert (none["prevalence"], none["ci_low"]) == (0, 0)
    assert none["ci_high"] == pytest.approx(0.1611, abs=1e-4)
    assert (everyone["prevalence"], everyone["ci_high"]) == (1, 1)
    assert everyone["ci_low"] == pytest.approx(1 - 0.1611, abs=1e-4)


@pytest.mark.parametrize(
    ("n_resistant", "percent", "published", "wilson"),
    [(576, 20.94, (19.46, 22.49), (19.46, 22.50)), (68, 2.47, (1.94, 3.10), (1.96, 3.12))],
)
def test_published_shares_are_reached_and_the_interval_is_wilsons(n_resistant, percent, published, wilson):
    """Fife 2017, 2,751 treated: shares to the digit; limits within 0.02 points of the published, which are Jeffreys'.

    Jeffreys' limits are 19.45 to 22.49 and 1.94 to 3.10: three of the four published to the digit, the fourth
    one unit off. Wilson's, which we publish, agree with one. No common method gives all four.
    """
    row = rated(2751, n_resistant, 0)
    ours = (100 * row["ci_low"], 100 * row["ci_high"])
    jeffreys = [100 * limit for limit in proportion_confint(n_resistant, 2751, method="jeffreys")]

    assert round(100 * row["prevalence"], 2) == percent
    assert ours == pytest.approx(wilson, abs=0.006)
    assert ours == pytest.approx(published, abs=0.025)
    assert jeffreys == pytest.approx(published, abs=0.012)


@pytest.mark.parametrize(
    ("n_total", "n_resistant", "n_undetermined", "is_told"),
    [(60, 50, 10, False), (60, 59, 1, True), (1000, 0, 1, True), (1905, 0, 753, False), (60, 49, 10, True)],
)
def test_a_share_of_one_verdict_is_told_only_where_unknowns_weigh_less_than_chance(
    n_total, n_resistant, n_undetermined, is_told
):
    """50 resistant, 10 unknown, none not resistant is no 100%; 0 of 1,152 with 753 unknown is no 0%."""
    row = rated(n_total, n_resistant, n_undetermined)

    assert (row["prevalence"] is not None) is is_told
    assert (row["ci_high"] is not None) is is_told
    assert row["bound_low"] == pytest.approx(n_resistant / n_total)
    assert row["bound_high"] == pytest.approx((n_resistant + n_undetermined) / n_total)


def test_the_published_table_keeps_its_contract():
    """Columns, types and sort order are those the schema states."""
    table = build_prevalence(counted("episode_id | age\na | 20", "episode_id | verdict\na | resistant"))

    Prevalence.validate(table)
    assert table.equals(table.sort(KEYS["prevalence"]))
