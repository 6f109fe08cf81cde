import re

import polars as pl
import pytest
import report_data as data

from impasse.reports.pages.report import render_report
from impasse.schemas.study import OBSERVABLE


@pytest.fixture(scope="module")
def page() -> str:
    """The whole report, rendered once."""
    return render_report(data.contents())


def test_answer_comes_first(page: str) -> None:
    """The page opens with the number of episodes, two bounds that do not meet, and the number of definitions."""
    assert (
        '<p class="lead">Among 12,345 episodes of anxiety, at most 11.0% of those eligible are treatment-resistant by '
        "one definition and at least 22.4% by another, whatever cannot be told: of 7 definitions these two surely "
        "disagree most.</p>"
    ) in page


def test_both_definitions_are_named(page: str) -> None:
    """The one with the fewest is named with its denominator and what its undetermined episodes allow."""
    assert (
        "Fewest: “Two failed adequate trials, non-response reading” calls at least 7.9% and at most 11.0% of 11,110 "
        "eligible episodes treatment-resistant; 344 cannot be told."
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


@pytest.fixture(scope="module")
def wide() -> str:
    """The report on forty-five definitions."""
    return render_report(data.many())


def test_many_definitions_fit_a_page(wide: str) -> None:
    """Forty-five definitions make well under two megabytes."""
    assert len(wide.encode()) < 1_500_000


def test_of_many_definitions_the_first_are_shown(wide: str) -> None:
    """Ten rows are open, and all of them are folded under a label."""
    first, after = wide.split('id="cause-depression-first"')[1].split("</table>", 1)

    assert first.count('<th scope="row">') == 10
    assert "(the 10 with the highest lower bound)" in first
    assert after.split("<summary>")[1].startswith("All 45 definitions</summary>")
    assert wide.split('id="cause-depression"')[1].split("</table>")[0].count('<th scope="row">') == 45


def test_of_many_pairs_the_widest_are_shown(wide: str) -> None:
    """Of 990 pairs the hundred furthest apart are in the table, which says where the others are."""
    table = wide.split('id="pairs-depression"')[1].split("</table>")[0]

    assert "The 100 pairs furthest apart of 990; all of them are in agreement.parquet" in table
    assert table.count('<th scope="row">') == 100


def test_rows_of_many_definitions_are_short(wide: str) -> None:
    """Titles are in the first table; after it the number and the id stand for the definition."""
    row = wide.split('id="attrition-depression"')[1].split('<th scope="row">')[1].split("<")[0]

    assert re.fullmatch(r"1 mdd-\d+", row)


def test_cells_of_many_definitions_hold_no_number(page: str, wide: str) -> None:
    """The heatmap of eight definitions writes its numbers into the cells, that of forty-five does not."""
    assert re.search(r">\.\d\d</text>", page)
    assert not re.search(r">\.\d\d</text>", wide)


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
    """A suppressed answer says so instead of giving one."""
    overall = data.agreement_overall().with_columns(suppressed=pl.lit(True))

    assert "What the definitions say of anxiety is suppressed" in render_report(data.few(agreement_overall=overall))


def test_nothing_decided(page: str) -> None:
    """A definition that decides nothing has bounds from none to all, and no share of the decided."""
    row = page.split("European GSRD criterion: MADRS 22 or more after two trials</th>")[1].split("</tr>")[0]

    assert "bounds only" in row
    assert "0% to 100%" in row


def test_empty_run() -> None:
    """A run without episodes still makes a page."""
    nothing = {"prevalence": data.prevalence(), "agreement": data.agreement(), "attrition": data.attrition()}
    nothing |= {"agreement_overall": data.agreement_overall(), "verdicts": data.verdicts(), "rules": data.rules()}
    nothing |= {"profile": data.profile()}
    page = render_report(data.contents(**{name: frame.clear() for name, frame in nothing.items()}))

    assert "No episode of the study’s disorders was found" in page


def test_unobserved_treatments_are_named(page: str) -> None:
    """What the register does not show, and the table that was not delivered, are said."""
    assert "Not observed: psychotherapy, CBT, TMS, VNS, DBS, ketamine, neurofeedback and psychedelics" in page
    assert "No row of the table scores was delivered: no trial can be judged by a symptom scale." in page


def test_everything_seen() -> None:
    """A delivery that holds everything has no such list."""
    page = render_report(data.few(observes=frozenset(OBSERVABLE), absent_tables=()))

    assert "Every table was delivered and every kind of treatment is observed." in page


def test_a_table_that_only_adds_to_another() -> None:
    """Without a table of its own, deaths may still be known."""
    page = render_report(data.few(absent_tables=("deaths",)))

    assert "No row of the table deaths was delivered: a death is known only where the table persons tells it." in page


def test_charts_have_text_alternatives(page: str) -> None:
    """Every chart is an image with a label, and the prevalence chart's label holds its bounds."""
    assert page.count("<svg") == page.count('role="img" aria-label="')
    assert "One failed drug trial of eight weeks: 22.4% to 27.4%" in page


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


def cells(page: str, table: str, definition: str) -> list[str]:
    """The cells of a definition's row, as text."""
    row = page.split(f'id="{table}"')[1].split(f">{definition}</th>")[1].split("</tr>")[0]
    return [cell.split(">")[1].split("<")[0] for cell in row.split("<td")[1:]]


MODAL = "1. One failed drug trial of eight weeks"


def test_what_may_explain_resistance(page: str) -> None:
    """Pseudo-resistance, causes in the trials, and the diagnosed causes by number, few of them by a sign."""
    assert cells(page, "cause-anxiety", MODAL) == [
        "2,915", "1,165", "875", "875", "875", "585", "&lt;3",
        "chronic pain 585; alcohol 290; ADHD 85; 2 more",
    ]  # fmt: skip


def test_what_became_of_resistant_episodes(page: str) -> None:
    """Remission, another end, death, and what may go on."""
    assert cells(page, "afterwards-anxiety", MODAL) == ["2,915", "875", "1,460", "&lt;3", "585"]


def test_what_was_never_tried(page: str) -> None:
    """Options that the delivery shows have a column; the others are named."""
    head = page.split('id="untried-anxiety"')[1].split("</thead>")[0]

    assert re.findall(r'<th scope="col"[^>]*>([^<]*)<', head) == ["Definition", "Resistant", "SSRIs", "lithium", "ECT"]
    assert cells(page, "untried-anxiety", MODAL) == ["2,915", "585", "585", "585"]
    assert "Not shown, because this delivery cannot tell who had them: CBT." in page


def test_suppressed_profiles_are_named(page: str) -> None:
    """A definition whose numbers are suppressed has no row, and is named under the table."""
    after = page.split('id="afterwards-anxiety"')[1]

    assert "Three or more failed treatments" not in after.split("</table>")[0]
    assert (
        after.split("</table></div>")[1].lstrip().startswith("<p>Suppressed: 8. Three or more failed treatments.</p>")
    )


def test_rounding_is_said(page: str) -> None:
    """The reader is told that numbers are rounded, and what stands for few."""
    assert (
        "Numbers are rounded to the nearest multiple of 5, so they need not add up. “&lt;3” stands for any smaller "
        "number, none included."
    ) in page


def test_exact_numbers_need_no_such_word() -> None:
    """A study that publishes every count has no rounded number."""
    assert "rounded to the nearest" not in render_report(data.contents(rounded_to=1))


def test_staging_systems_are_drawn(page: str) -> None:
    """Stages from the lowest, scores by their number, what is open last; few are left out."""
    assert (
        "Stages by class of antidepressant (1,000 episodes); 40 of them outside the days that the source gives" in page
    )
    assert 'aria-label="Stages by class of antidepressant. no stage: 700, I: 230, cannot be told: 70"' in page
    assert 'aria-label="Points for trials. 0: 500, 0.5: 300, 3.5: 15, cannot be told: 180, no score: 5"' in page


def test_staging_systems_are_listed_apart(page: str) -> None:
    """They follow the definitions that give verdicts, and are in no table of verdicts."""
    listed = page.split('<section id="definitions">')[1]

    assert listed.index('id="definition-mdd-rybak-4w"') < listed.index("<h3>Staging systems</h3>")
    assert listed.index("<h3>Staging systems</h3>") < listed.index('id="definition-mdd-stages"')
    assert "mdd-stages" not in page.split('<section id="definitions">')[0]


def test_settings_are_left_to_the_methods_page() -> None:
    """Where there is a page with all settings, the report links to it and does not repeat them."""
    with_page, without = render_report(data.few(methods="methods.html")), render_report(data.few())

    assert '<a href="methods.html">methods.html</a>' in with_page
    assert ("All settings and the source" in with_page, "All settings and the source" in without) == (False, True)


def test_staging_systems_alone() -> None:
    """A study of staging systems alone has no range, and shows how they spread its episodes."""
    nothing = {"prevalence": data.prevalence(), "agreement": data.agreement(), "attrition": data.attrition()}
    nothing |= {"agreement_overall": data.agreement_overall(), "verdicts": data.verdicts()}
    systems = data.definitions()[-2:]
    profile = data.profile().filter(pl.col("definition_id").is_in([d.id for d in systems]))
    page = render_report(
        data.contents(**{name: frame.clear() for name, frame in nothing.items()}, definitions=systems, profile=profile)
    )

    assert "No definition that gives verdicts was applied to depression; staging systems are below." in page
    assert 'aria-label="Stages by class of antidepressant. no stage: 700' in page
    assert "How many episodes are treatment-resistant" not in page
