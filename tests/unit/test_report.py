import re

import polars as pl
import pytest
import report_data as data

from reports.report import render_report


@pytest.fixture(scope="module")
def page() -> str:
    """The whole report, rendered once."""
    return render_report(data.contents())


def test_answer_comes_first(page: str) -> None:
    """The page opens with the number of episodes, the range and the number of definitions."""
    assert (
        '<p class="lead">Among 12,345 episodes of anxiety, between 1.3% and 23.6% of those that can be decided count '
        "as treatment-resistant, depending on which of 7 definitions is used.</p>"
    ) in page


def test_ends_of_the_range_are_named(page: str) -> None:
    """The lowest definition is named with its denominator and what its undetermined episodes allow."""
    assert (
        "Lowest: “A drug trial and a cognitive behavioural therapy both failed” says 1.3% of the decided among 11,110 "
        "eligible episodes; with 4,444 that cannot be told, it is at least 0.78% and at most 40.8%."
    ) in page


def test_same_input_same_bytes(page: str) -> None:
    """Rendering twice gives the same page."""
    assert render_report(data.contents()) == page


def test_row_order_does_not_matter(page: str) -> None:
    """The page orders its rows itself."""
    shuffled = data.contents(prevalence=data.prevalence().reverse(), agreement=data.agreement().reverse())

    assert render_report(shuffled) == page


def test_page_is_complete_in_itself(page: str) -> None:
    """No script, no link to a host, no file to fetch, and well under a megabyte."""
    assert [word for word in ("<script", "http:", "https:", "src=", "@import", "url(", "<iframe") if word in page] == []
    assert len(page.encode()) < 500_000


def test_ids_are_unique(page: str) -> None:
    """No two elements share an id."""
    ids = pl.Series(page.split(' id="')[1:]).str.split('"').list.first()

    assert ids.is_unique().all()


def test_text_from_data_is_escaped() -> None:
    """Markup in a title, a note, a level or a rule is shown, not obeyed."""
    evil = "<img src=x onerror=alert(1)>"
    page = render_report(
        data.few(
            study_title=evil,
            notes=[evil],
            definitions=[data.definition("anx-modal", evil)],
            rules=data.rules().with_columns(rule=pl.lit(evil)),
            prevalence=data.few().prevalence.with_columns(
                level=pl.when(pl.col("stratum") == "sex").then(pl.lit(evil)).otherwise("level")
            ),
        )
    )

    assert "<img" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_attribute_text_is_escaped() -> None:
    """A quote in a title does not end the text alternative of a chart."""
    page = render_report(data.few(definitions=[data.definition("anx-modal", 'a" onload="alert(1)')]))

    assert [tag for tag in re.findall("<[^>]*>", page) if ' onload="' in tag] == []


def test_suppressed_is_never_zero() -> None:
    """A suppressed definition reads suppressed in every cell of its row."""
    one = data.prevalence().filter(pl.col("definition_id") == "anx-strict3")
    page = render_report(data.few(prevalence=one))
    row = page.split('<th scope="row">1. Three or more failed treatments</th>')[1].split("</tr>")[0]

    assert row.count("suppressed") == 6
    assert ">0<" not in row


def test_suppressed_range() -> None:
    """A suppressed range says so instead of giving one."""
    overall = data.agreement_overall().with_columns(suppressed=pl.lit(True))

    assert "The range for anxiety is suppressed" in render_report(data.few(agreement_overall=overall))


def test_nothing_decided(page: str) -> None:
    """A definition that decides nothing has bounds from none to all, and no point."""
    row = page.split("European GSRD criterion: MADRS 22 or more after two trials</th>")[1].split("</tr>")[0]

    assert "bounds only" in row
    assert "0% to 100%" in row


def test_no_definition_decides() -> None:
    """Where no definition decides any episode the answer says that, with no range."""
    overall = data.agreement_overall().with_columns(lowest_definition=pl.lit(None, pl.String))

    assert "no definition can say with this delivery how many are" in render_report(data.few(agreement_overall=overall))


def test_empty_run() -> None:
    """A run without episodes still makes a page."""
    nothing = {"prevalence": data.prevalence(), "agreement": data.agreement(), "attrition": data.attrition()}
    nothing |= {"agreement_overall": data.agreement_overall(), "verdicts": data.verdicts(), "rules": data.rules()}
    page = render_report(data.contents(**{name: frame.clear() for name, frame in nothing.items()}))

    assert "No episode of the study’s disorders was found" in page


def test_unobserved_treatments_are_named(page: str) -> None:
    """What the register does not show, and the table that was not delivered, are said."""
    assert "Not observed: psychotherapy, CBT, TMS, VNS, DBS and ketamine" in page
    assert "The table scores was not delivered: no trial can be judged by a symptom scale." in page


def test_everything_seen() -> None:
    """A delivery that holds everything has no such list."""
    everything = frozenset({"drug", "psychotherapy", "cbt", "ect", "tms", "vns", "dbs", "ketamine"})
    page = render_report(data.few(observes=everything, absent_tables=()))

    assert "Every table was delivered and every kind of treatment is observed." in page


def test_charts_have_text_alternatives(page: str) -> None:
    """Every chart is an image with a label, and the prevalence chart's label holds its numbers."""
    assert page.count("<svg") == page.count('role="img" aria-label="')
    assert "One failed drug trial of eight weeks: 23.6% (22.8% to 24.4%), bounds 22.4% to 27.4%" in page


def test_pairs_furthest_apart_come_first(page: str) -> None:
    """The pair with the largest difference heads the table of pairs."""
    first = page.split('id="widest-anxiety"')[1].split('<th scope="row">')[1].split("<")[0]

    assert first == "7 anx-s0-c / 1 anx-modal"


def test_level_without_episodes() -> None:
    """A level with no episode shows a dash, not a share."""
    empty = data.few().prevalence.with_columns(
        n_total=pl.when(pl.col("level") == "male").then(0).otherwise("n_total"),
        prevalence=pl.when(pl.col("level") == "male").then(None).otherwise("prevalence"),
    )
    row = render_report(data.few(prevalence=empty)).split('id="sex-anxiety"')[1].split("</tr>")[1]

    assert row.endswith('<td class="n">–</td>\n')


def test_numbers_in_titles_are_kept() -> None:
    """A title is drawn as it is written, long decimals included."""
    page = render_report(data.few(definitions=[data.definition("anx-modal", "After doi:10.1234")]))

    assert "1  After doi:10.1234</text>" in page
