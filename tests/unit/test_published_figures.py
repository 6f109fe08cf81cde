"""Published figures: each follows from its own counts or is flagged, and stands beside the bounds of a run."""

from dataclasses import replace

import pytest
import report_data as data

from impasse.flows.files.inputs import read_figures
from impasse.reports.display.published import unlike_counts
from impasse.reports.pages.report import render_report
from impasse.schemas.published import PublishedFigure, parse_figures
from tests.shipped import SHIPPED

FIGURES = read_figures()
ONE = PublishedFigure("a", "somewhere", "persons", "treated", 126, 1000, "12.6", "none", "A paper", "V")


def test_every_figure_is_of_a_shipped_definition_and_has_a_source() -> None:
    """With the paper's own words for the denominator, and a mark of how sure it is."""
    assert {one.definition_id for one in FIGURES} <= {definition.id for definition in SHIPPED}
    assert all(one.source and one.setting and one.denominator and one.confidence for one in FIGURES)
    assert len(FIGURES) == len({(one.definition_id, one.setting, one.weighting) for one in FIGURES})


def test_the_share_that_does_not_follow_is_flagged_and_no_other() -> None:
    """11% of Lundberg 2023: 12,793 of 158,169 are 8.1%."""
    assert [one.definition_id for one in FIGURES if one.follows is False] == ["dep_lundberg_2023"]
    assert len([one for one in FIGURES if one.follows]) >= 12
    [told] = unlike_counts(FIGURES)
    assert told.startswith("11% does not follow from 12,793 of 158,169")
    assert "which are 8.1%" in told


@pytest.mark.parametrize(
    ("percent", "n", "follows"),
    [("12.6", 126, True), ("12.6", 127, False), ("13", 125, True), ("13", 135, True), ("13", 136, False)],
)
def test_a_share_follows_to_the_digits_that_are_printed(percent: str, n: int, follows: bool) -> None:
    """Of 1,000: half of the last digit either way."""
    assert replace(ONE, percent=percent, n_numerator=n).follows is follows


@pytest.mark.parametrize("changed", [{"weighting": "weighted"}, {"n_numerator": None}, {"n_denominator": None}])
def test_what_was_weighted_or_has_no_counts_follows_from_nothing(changed: dict) -> None:
    """It is neither right nor wrong."""
    assert replace(ONE, **changed).follows is None


def test_the_page_sets_them_beside_the_bounds() -> None:
    """In the denominator most like the paper's; a definition without a figure has no row."""
    ours = (replace(ONE, definition_id="mdd-gsrd"), replace(ONE, definition_id="mdd-gsrd", denominator_id=None))

    page = render_report(data.contents(figures=ours))

    assert "Published figures beside this run" in page
    assert "of treated episodes" in page
    assert "126 of 1,000" in page
    assert page.count("somewhere: persons") == 2
    assert "does not follow from" not in page


@pytest.mark.parametrize(("of", "n"), [("mdd-gsrd", 1), ("dep_lundberg_2023", 0)])
def test_only_a_share_that_the_page_shows_is_said_to_be_wrong(of: str, n: int) -> None:
    """A run without the definition says nothing of its figure."""
    wrong = replace(ONE, definition_id=of, percent="99")

    page = render_report(data.contents(figures=(wrong, replace(ONE, definition_id="mdd-gsrd"))))

    assert page.count("99% does not follow from 126 of 1,000") == n


@pytest.mark.parametrize(("column", "word"), [("weighting", "perhaps"), ("denominator_id", "everyone")])
def test_an_unknown_word_is_refused(column: str, word: str) -> None:
    """The file is ours: a slip of the pen stops the tests, not a run."""
    row = dict.fromkeys(("n_numerator", "n_denominator"), "1") | {"weighting": "none", "denominator_id": ""}
    names = ("definition_id", "setting", "denominator", "denominator_id", "n_numerator", "n_denominator", "percent")
    whole = dict.fromkeys((*names, "weighting", "source", "confidence"), "x") | row | {column: word}

    with pytest.raises(ValueError, match=r"published\.csv, x"):
        parse_figures(f"{','.join(whole)}\n{','.join(whole.values())}")


def test_a_disorder_without_figures_has_no_table() -> None:
    """The invented definitions of this page were published nowhere."""
    assert "Published figures beside this run" not in render_report(data.contents(figures=FIGURES))
