"""What a published run says in a notebook: labelled tables, and two definitions compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from impasse.reports.run import Run, open_run
from impasse.schemas.errors import ImpasseError
from tests.shipped import SHIPPED
from tests.tables import assert_shows, table
from tests.unit.report_data import TRIAL, definition

PREVALENCE = table("""
    definition_id | denominator_id | stratum | level | n_total | n_resistant | n_undetermined | prevalence | ci_low | ci_high | bound_low | bound_high | suppressed
    anx-two       | eligible       | all     | all   | 200     | 20          | 100            | 0.2        | 0.13   | 0.29    | 0.1       | 0.6        | false
    anx-two       | eligible       | sex     | woman | 120     | 15          | 50             | 0.2        | 0.13   | 0.29    | 0.1       | 0.6        | false
    anx-two       | episodes       | all     | all   | 900     | 20          | 100            | 0.1        | 0.01   | 0.29    | 0.1       | 0.6        | false
    anx-wide      | eligible       | all     | all   | -       | -           | -              | -          | -      | -       | -         | -          | true
""")  # fmt: skip # noqa: E501
AGREEMENT = table("""
    definition_a | definition_b | disorder | n_common | n_undetermined | n_both_resistant | n_only_a | n_only_b | n_neither | difference | difference_ci_low | difference_ci_high | suppressed
    anx-two      | anx-wide     | anxiety  | 150      | 50             | 10               | 4        | 6        | 80        | -0.02      | -0.08             | 0.05               | false
    anx-two      | other        | anxiety  | 150      | 50             | 9                | 9        | 9        | 9         | 0.5        | 0.4               | 0.6                | false
    anx-two      | anx-wide     | ptsd     | -        | -              | -                | -        | -        | -         | -          | -                 | -                  | true
""")  # fmt: skip # noqa: E501
TWO = definition("anx-two", "Two failed trials")
WIDE = definition("anx-wide", "Two failed trials, wide gaps", trial=replace(TRIAL, permissible_gap_days=90))


def opened() -> Run:
    """A run of two definitions whose tables are drawn."""
    tables = {"prevalence": PREVALENCE, "agreement": AGREEMENT}
    return Run("runs/demo/1", {d.id: d for d in (TWO, WIDE)}, tables, lambda episode, of: f"{episode} under {of}")


def test_every_id_has_its_label_beside_it() -> None:
    """The title follows the definition, the name the disorder; one that is not of the run has none."""
    agreement = opened().table("agreement")

    assert agreement.columns[:6] == [
        *("definition_a", "definition_a_title", "definition_b", "definition_b_title"),
        *("disorder", "disorder_name"),
    ]
    assert_shows(
        agreement,
        """
        definition_a_title | definition_b_title           | disorder_name
        Two failed trials  | Two failed trials, wide gaps | anxiety
        Two failed trials  | -                            | anxiety
        Two failed trials  | Two failed trials, wide gaps | PTSD
        """,
    )


def test_a_definition_says_what_it_is() -> None:
    """One row each, with the title and where it is from."""
    assert opened().definitions.select("definition_id", "definition_title", "gives", "confidence").rows() == [
        ("anx-two", "Two failed trials", "verdict", "V"),
        ("anx-wide", "Two failed trials, wide gaps", "verdict", "V"),
    ]


def test_shares_are_of_all_eligible_episodes_of_both() -> None:
    """In the order asked; what is suppressed is null."""
    shares = opened().compare("anx-wide", "anx-two").shares

    assert shares.select("definition_id", "n_total", "bound_low", "bound_high", "suppressed").rows() == [
        ("anx-wide", None, None, None, True),
        ("anx-two", 200, 0.1, 0.6, False),
    ]


def test_verdicts_are_a_table_of_two_by_two_for_each_disorder() -> None:
    """Both resistant, one of them, the other, neither; a suppressed pair has no numbers."""
    assert_shows(
        opened().compare("anx-two", "anx-wide").verdicts,
        """
        disorder | one           | other         | n
        anxiety  | resistant     | resistant     | 10
        anxiety  | resistant     | not_resistant | 4
        anxiety  | not_resistant | resistant     | 6
        anxiety  | not_resistant | not_resistant | 80
        ptsd     | resistant     | resistant     | -
        ptsd     | resistant     | not_resistant | -
        ptsd     | not_resistant | resistant     | -
        ptsd     | not_resistant | not_resistant | -
        """,
    )


def test_a_pair_asked_the_other_way_round_is_turned() -> None:
    """Who is a becomes b, and the difference changes its sign with its interval."""
    assert_shows(
        opened().compare("anx-wide", "anx-two").agreement.head(1),
        """
        definition_a | definition_a_title           | definition_b | n_only_a | n_only_b | difference | difference_ci_low | difference_ci_high
        anx-wide     | Two failed trials, wide gaps | anx-two      | 6        | 4        | 0.02       | -0.05             | 0.08
        """,  # noqa: E501
    )


def test_settings_that_differ_are_named() -> None:
    """Each with its value in words under both."""
    assert opened().compare("anx-two", "anx-wide").settings.rows() == [
        ("trial", "permissible_gap_days", "30 days", "90 days")
    ]


def test_a_comparison_is_printed_as_text() -> None:
    """Shares, verdicts and settings, with suppressed in words."""
    assert str(opened().compare("anx-two", "anx-wide")) == (
        "anx-two: Two failed trials\n"
        "anx-wide: Two failed trials, wide gaps\n"
        "Resistant among the eligible episodes:\n"
        "  anx-two: at least 10.0%, at most 60.0% of 200\n"
        "  anx-wide: suppressed\n"
        "Verdicts on the episodes both decide:\n"
        "  anxiety: both resistant 10, only anx-two 4, only anx-wide 6, neither 80; 50 not decided by both\n"
        "  PTSD: suppressed\n"
        "Settings that differ (anx-two | anx-wide):\n"
        "  trial.permissible_gap_days: 30 days | 90 days"
    )


def test_a_definition_does_not_differ_from_itself() -> None:
    """It has no row beside itself in the agreement table, and no setting differs."""
    itself = opened().compare("anx-two", "anx-two")

    assert (itself.settings.height, itself.verdicts.height) == (0, 0)
    assert str(itself).endswith("  none")


def test_what_the_run_does_not_have_is_one_error_with_the_nearest_name() -> None:
    """A table, a definition."""
    with pytest.raises(ImpasseError, match=r"no released table 'prevalance'(.|\n)*Did you mean 'prevalence'"):
        opened().table("prevalance")
    with pytest.raises(ImpasseError, match=r"'anx-too' was not part of this run(.|\n)*Did you mean 'anx-two'"):
        opened().compare("anx-two", "anx-too")


def test_a_comparison_without_verdicts_says_why() -> None:
    """A staging system gives none, a definition is not set beside itself."""
    run = opened()
    alone = run.compare("anx-two", "anx-two")
    staging = next(d for d in SHIPPED if d.id == "dep_esm")
    beside = replace(run.compare("anx-two", "anx-wide"), other=staging)

    assert "Verdicts on the episodes both decide:\n  none: it is one definition\n" in str(alone)
    assert "decide:\n  none: dep_esm gives stages and no verdict\n" in str(beside)


def test_help_on_compare_says_what_the_columns_hold() -> None:
    """Each column of the frames by its name."""
    both = opened().compare("anx-two", "anx-wide")
    columns = {*both.shares.columns, *both.verdicts.columns, *both.settings.columns}

    assert {name for name in columns if name not in (Run.compare.__doc__ or "")} == set()


def test_a_table_that_is_not_released_is_told_where_it_is() -> None:
    """It is among the restricted ones; a number is no name."""
    with pytest.raises(ImpasseError, match=r"'classifications' is not released(.|\n)*runs/demo/1/restricted"):
        opened().table("classifications")
    with pytest.raises(ImpasseError, match="no released table '3'"):
        opened().table(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(("asked", "meant"), [("mine", "mine/latest"), ("mine/latest/release", "mine/latest")])
def test_a_folder_one_level_off_is_told_the_run(tmp_path: Path, asked: str, meant: str) -> None:
    """Above the latest run, or within it."""
    (tmp_path / "mine/latest/release").mkdir(parents=True)
    (tmp_path / "mine/latest/release/manifest.json").write_text("{}")

    with pytest.raises(ImpasseError) as refusal:
        open_run(tmp_path / asked)

    assert f"Did you mean {tmp_path / meant}?" in str(refusal.value)
