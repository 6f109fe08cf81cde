"""Agreement: which episodes a pair is compared on, and what each coefficient says at its edges."""

import krippendorff
import numpy as np
import polars as pl
import pytest
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_fleiss

from impasse.schemas.tables import Agreement, AgreementOverall
from impasse.transforms.compare.agreement import compare_overall, compare_pairs, count_agreement
from tests.tables import assert_shows
from tests.unit.judged import classifications_by, definitions, episodes, verdict_matrix

STRICT_AND_WIDE = definitions(strict="depression", wide="depression")

COEFFICIENTS = ("kappa", "ac1", "pabak", "jaccard", "positive_agreement", "negative_agreement")


def pair(both: int, only_a: int, only_b: int, neither: int, n_undetermined: int = 0) -> dict:
    """The published row of one pair with these cells."""
    cells = {"n_both_resistant": both, "n_only_a": only_a, "n_only_b": only_b, "n_neither": neither}
    key = {"disorder": "depression", "definition_a": "strict", "definition_b": "wide"}
    n_common = both + only_a + only_b + neither + n_undetermined
    return compare_pairs(pl.DataFrame([{**key, "n_common": n_common, **cells}])).row(0, named=True)


def overall(drawn_episodes: str, drawn_verdicts: str, spoken: list) -> pl.DataFrame:
    """The published table of all definitions at once."""
    everyone, judged = episodes(drawn_episodes), classifications_by(drawn_verdicts)
    return compare_overall(count_agreement(verdict_matrix(everyone, judged, spoken))[1])


def test_a_pair_is_compared_on_the_episodes_both_speak_about():
    """Either one's ineligible episode is no part of it; either one's open episode is counted apart."""
    pairs, _ = count_agreement(
        verdict_matrix(
            episodes("episode_id\nboth\nonly_strict\nonly_wide\nneither\nopen_in_strict\nopen_in_both\nineligible"),
            classifications_by(
                """
            episode_id     | strict | wide
            both           | R      | R
            only_strict    | R      | N
            only_wide      | N      | R
            neither        | N      | N
            open_in_strict | U      | R
            open_in_both   | U      | U
            ineligible     | X      | R
            """
            ),
            STRICT_AND_WIDE,
        )
    )

    assert_shows(
        compare_pairs(pairs),
        """
        definition_a | definition_b | n_common | n_undetermined | n_both_resistant | n_only_a | n_only_b | n_neither
        strict       | wide         | 6        | 2              | 1                | 1        | 1        | 1
        """,
    )


def test_definitions_are_paired_by_disorder_and_only_where_both_speak():
    """A definition of anxiety alone is never paired with one of depression alone; disorders are kept apart."""
    pairs, _ = count_agreement(
        verdict_matrix(
            episodes("episode_id | disorder\nmood | depression\nworry | anxiety"),
            classifications_by("episode_id | any | mood_only | worry_only\nmood | R | R | X\nworry | R | X | N"),
            definitions(worry_only="anxiety", any="depression anxiety", mood_only="depression"),
        )
    )

    assert_shows(
        compare_pairs(pairs),
        """
        disorder   | definition_a | definition_b | n_both_resistant | n_only_a
        anxiety    | any          | worry_only   | 0                | 1
        depression | any          | mood_only    | 1                | 0
        """,
    )


def test_a_disorder_the_run_does_not_hold_has_no_pairs():
    """Definitions that also speak of OCD are not compared on it where no episode is OCD."""
    spoken = definitions(strict="depression ocd", wide="depression ocd")

    pairs, votes = count_agreement(
        verdict_matrix(episodes("episode_id\na"), classifications_by("episode_id strict wide\na R R"), spoken)
    )

    assert pairs["disorder"].to_list() == ["depression"]
    assert votes["disorder"].to_list() == ["depression"]


def test_a_pair_without_common_episodes_is_a_row_of_nulls():
    """Nothing to compare on is not agreement of zero."""
    row = pair(0, 0, 0, 0)

    assert row["n_common"] == 0
    assert [row[c] for c in (*COEFFICIENTS, "difference", "difference_ci_low", "difference_ci_high")] == [None] * 9


def test_when_no_one_is_resistant_kappa_is_unknown_and_agreement_is_full():
    """One category leaves kappa nothing to correct for: null, not 0; AC1 and PABAK are 1."""
    row = pair(0, 0, 0, 50)

    assert (row["kappa"], row["jaccard"], row["positive_agreement"]) == (None, None, None)
    assert (row["ac1"], row["pabak"], row["negative_agreement"]) == (1, 1, 1)
    assert row["difference"] == 0


def test_when_everyone_is_resistant_negative_agreement_is_unknown():
    """The same the other way round."""
    row = pair(50, 0, 0, 0)

    assert (row["kappa"], row["negative_agreement"]) == (None, None)
    assert (row["jaccard"], row["positive_agreement"], row["ac1"]) == (1, 1, 1)


def test_rare_resistance_has_high_agreement_and_low_kappa():
    """The kappa paradox: 94 of 100 agree, yet kappa is below 0; AC1 stays high."""
    row = pair(0, 3, 3, 94)

    assert row["kappa"] == pytest.approx(-0.0309, abs=1e-4)
    assert row["ac1"] == pytest.approx(0.9363, abs=1e-4)
    assert row["pabak"] == pytest.approx(0.88)


def test_coefficients_of_a_pair_by_hand():
    """20 both, 10 only a, 5 only b, 65 neither: observed 0.85, kappa's chance 0.6, AC1's chance 0.39875."""
    row = pair(20, 10, 5, 65)

    assert row["difference"] == pytest.approx(0.05)
    assert row["kappa"] == pytest.approx((0.85 - 0.6) / 0.4)
    assert row["ac1"] == pytest.approx((0.85 - 0.39875) / (1 - 0.39875))
    assert row["pabak"] == pytest.approx(0.70)
    assert row["jaccard"] == pytest.approx(20 / 35)
    assert row["positive_agreement"] == pytest.approx(40 / 55)
    assert row["negative_agreement"] == pytest.approx(130 / 145)


@pytest.mark.parametrize("cells", [(20, 10, 5, 65), (0, 3, 3, 94), (1, 0, 7, 12), (3, 4, 0, 0)])
def test_kappa_of_a_pair_is_statsmodels_kappa(cells):
    """The integer form from the four cells is Cohen's kappa."""
    expected = cohens_kappa(np.reshape(cells, (2, 2)), return_results=False)

    assert pair(*cells)["kappa"] == pytest.approx(expected)


def test_kappa_of_millions_of_episodes_does_not_overflow():
    """Five million episodes in the cells still give the kappa of five."""
    million = 1_000_000

    assert pair(million, 0, million, 3 * million)["kappa"] == pytest.approx(pair(1, 0, 1, 3)["kappa"])


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [((59, 6, 16, 80), -0.1186, -0.0046), ((1, 1, 7, 12), -0.5069, -0.0256)],
)
def test_the_interval_of_the_difference_is_newcombes(cells, low, high):
    """Fagerland, Lydersen & Laake 2017, chapter 8 (Cavo 2012; Bentur 2009): square-and-add limits, paired."""
    row = pair(*cells)

    assert (row["difference_ci_low"], row["difference_ci_high"]) == pytest.approx((low, high), abs=5e-5)


def test_definitions_that_never_differ_still_have_an_interval():
    """No disagreement among 10 does not prove there is none: Wald's interval would be a point."""
    row = pair(0, 0, 0, 10)

    assert row["difference_ci_low"] == pytest.approx(-0.2775, abs=1e-4)
    assert row["difference_ci_high"] == pytest.approx(0.2775, abs=1e-4)


THREE = definitions(a="depression", b="depression", c="depression")
FIVE_EPISODES = "episode_id\ne1\ne2\ne3\ne4\ne5"
VERDICTS_OF_THREE = """
    episode_id | a | b | c
    e1         | R | R | R
    e2         | R | N | N
    e3         | N | N | N
    e4         | R | N | U
    e5         | X | U | R
    """


def test_overall_coefficients_take_the_episodes_they_can():
    """Fleiss' kappa over the three all decide, alpha over the four at least two decide, as the packages give them."""
    row = overall(FIVE_EPISODES, VERDICTS_OF_THREE, THREE).row(0, named=True)

    assert (row["n_definitions"], row["n_compared"], row["n_decided_by_all"]) == (3, 4, 3)
    assert row["fleiss_kappa"] == pytest.approx(statsmodels_fleiss(np.array([[3, 0], [1, 2], [0, 3]])))
    assert row["krippendorff_alpha"] == pytest.approx(
        krippendorff.alpha(value_counts=[[3, 0], [1, 2], [0, 3], [1, 1]], level_of_measurement="nominal")
    )


def test_overall_coefficients_of_one_category_are_unknown():
    """Three definitions that call no one resistant agree fully, and there is no chance to correct for."""
    row = overall("episode_id\ne1\ne2", "episode_id | a | b | c\ne1 | N | N | N\ne2 | N | N | N", THREE)

    assert row["n_decided_by_all"].item() == 2
    assert (row["fleiss_kappa"].item(), row["krippendorff_alpha"].item()) == (None, None)


def test_one_definition_alone_agrees_with_no_one():
    """A disorder with a single definition has its row, without coefficients."""
    row = overall("episode_id\ne1", "episode_id | a\ne1 | R", definitions(a="depression")).row(0, named=True)

    assert (row["n_definitions"], row["n_compared"], row["n_decided_by_all"]) == (1, 0, 0)
    assert (row["fleiss_kappa"], row["krippendorff_alpha"]) == (None, None)


def test_buckets_add_up():
    """Cells and votes of two buckets, put beneath each other, give everyone's tables."""
    everyone, judged = episodes(FIVE_EPISODES), classifications_by(VERDICTS_OF_THREE)
    whole_pairs, whole_votes = count_agreement(verdict_matrix(everyone, judged, THREE))

    first, second = (count_agreement(verdict_matrix(part, judged, THREE)) for part in (everyone[:2], everyone[2:]))
    pairs, votes = pl.concat([first[0], second[0]]), pl.concat([first[1], second[1]])

    assert compare_pairs(pairs).equals(compare_pairs(whole_pairs))
    assert compare_overall(votes).equals(compare_overall(whole_votes))


def test_blocks_of_rows_add_up(monkeypatch):
    """Cells are the same however many rows are multiplied at once."""
    everyone, judged = episodes(FIVE_EPISODES), classifications_by(VERDICTS_OF_THREE)
    at_once, _ = count_agreement(verdict_matrix(everyone, judged, THREE))

    monkeypatch.setattr("impasse.transforms.compare.agreement._ROWS_AT_ONCE", 2)

    assert count_agreement(verdict_matrix(everyone, judged, THREE))[0].equals(at_once)


def test_the_published_tables_keep_their_contracts():
    """Columns and types are those the schemas state."""
    pairs, _ = count_agreement(verdict_matrix(episodes(FIVE_EPISODES), classifications_by(VERDICTS_OF_THREE), THREE))

    Agreement.validate(compare_pairs(pairs))
    AgreementOverall.validate(overall(FIVE_EPISODES, VERDICTS_OF_THREE, THREE))
