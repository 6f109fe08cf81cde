"""The page of methods: what stands on it, that it is safe to open, and that the committed one is current."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
import report_data as data

from impasse.flows.definitions import catalogue
from impasse.reports.display.matrix import Cell, side_by_side
from impasse.reports.pages.methods import MethodsContents, render_methods
from impasse.reports.words import vocabulary
from impasse.schemas.cases import parse
from impasse.schemas.definition import Definition
from impasse.schemas.description import Description
from impasse.schemas.source import Source
from tests.shipped import CATALOGUE, CODES, SHIPPED

CASES = parse(
    "anx-two.toml",
    '''
[[case]]
name = "A <b>bold</b> case"
observes = ["drug"]
history = """
dx 2021-01-01 F411
disp 2021-01-01 N06AB06 days=56 dose_mg=50
"""
expected = { verdict = "not_resistant", decided_by = "trial" }
''',
)
DESCRIBED = Description(
    id="anx_words",
    title="Anxiety in so many words",
    status="descriptive",
    disorders=("anxiety", "ocd"),
    source=Source(citation="Nobody 1999", says="Much.", reading="Nothing.", open="All.", confidence="V2"),
    not_computed="The source gives no number.",
)


def rendered(*definitions: Definition | Description) -> str:
    """The page of these definitions, the case above belonging to the first of the examples."""
    return render_methods(MethodsContents(definitions, {"anx-two": CASES}, CODES))


def text(html: str) -> str:
    """What a reader sees, in one line."""
    parts: list[str] = []
    reader = HTMLParser()
    reader.handle_data = parts.append  # type: ignore[method-assign]
    reader.feed(html[html.index("<body>") :])
    return " ".join(" ".join(parts).split())


def test_a_definition_stands_with_its_prose_and_source() -> None:
    """Blocks, citation, reading, open points and the meaning of its mark."""
    page = text(rendered(data.definition()))

    assert "Two failed adequate trials" in page
    assert "Resistant with at least 2 failed adequate trials of SSRIs, SNRIs or CBT" in page
    assert "Journal of Examples 2019;36:801-812" in page
    assert "A trial is counted once per substance." in page
    assert "The paper gives no gap between dispensings." in page
    assert "V: verified in the text of the source." in page


def test_cases_are_drawn() -> None:
    """The history in words with a bar on each row, and what the definition must make of it; text is escaped."""
    page = rendered(data.definition())

    assert "<summary>1 worked case</summary>" in page
    assert "<h5>A &lt;b&gt;bold&lt;/b&gt; case</h5>" in page
    assert '<i class="dispensings" style="left:0%;width:100%"></i>' in page
    assert '<p class="got">Not resistant; decided by trial.</p>' in page


def test_what_is_only_described_says_why() -> None:
    """It has a reason and a source, and no settings."""
    page = text(rendered(DESCRIBED))

    assert "The source gives no number." in page
    assert "Anxiety and OCD. V2: verified in another text that describes the source." in page
    assert "0 definitions that the program computes, with 0 worked cases, and 1 that it only describes." in page
    assert "only describes" not in text(rendered(data.definition()))


def test_a_status_other_than_active_is_seen() -> None:
    """A reader who does not open anything still sees that it is unverified."""
    unverified = replace(data.definition(), status="unverified")

    assert "Unverified, off by default: nobody has checked it against the source." in text(rendered(unverified))
    assert "off by default" not in text(rendered(data.definition()))


def test_staging_systems_stand_apart() -> None:
    """Stages and scores without a threshold have headings of their own."""
    page = text(
        rendered(
            data.definition("a", "One", resistance=data.STAGED),
            data.definition("b", "Two", resistance=data.OPEN_SCORE),
            data.definition("c", "Three", resistance=data.SCORED),
        )
    )

    assert "Staging systems: stages One a" in page
    assert "Staging systems: scores Two b" in page
    assert "Resistance by a score Three c" in page


def test_a_definition_of_two_disorders_is_written_out_once() -> None:
    """It stands beside the others of both."""
    both = replace(data.ELIGIBLE, disorders=("anxiety", "ocd"))
    only = replace(data.ELIGIBLE, disorders=("ocd",))
    page = rendered(data.definition("both", "Both", eligible=both), data.definition("only", "Only", eligible=only))

    assert page.count('id="definition-both"') == 1
    assert "Written out under another disorder" in page
    assert 'id="ocd-side-by-side"' in page
    assert 'id="anxiety-side-by-side"' not in page


def test_side_by_side_marks_what_is_unusual() -> None:
    """What all share is said once; of three values the odd one is marked."""
    three = [data.definition("a"), data.definition("b"), replace(data.definition("c"), eligible=_older())]
    side = side_by_side(three)[0]

    assert ("min_observed_days", "1 year (365 days)") in side.shared
    assert side.columns == ("min_age",)
    assert side.rows == (
        ("a", (Cell("18", False),)),
        ("b", (Cell("18", False),)),
        ("c", (Cell("65", True),)),
    )


def test_nothing_is_unusual_where_each_has_its_own() -> None:
    """Of two values neither is the most frequent."""
    side = side_by_side([data.definition("a"), replace(data.definition("b"), eligible=_older())])[0]

    assert [cell.differs for _, cells in side.rows for cell in cells] == [False, False]


def test_rules_of_all_kinds_share_a_column() -> None:
    """Alternatives, items and stages stand under one heading; a setting that is not there is a dash, and not marked."""
    rules = [data.RESISTANCE, data.RESISTANCE, data.SCORED, data.STAGED]
    side = side_by_side([data.definition(str(n), resistance=rule) for n, rule in enumerate(rules)])[4]

    assert side.columns == ("kind", "alternatives, items or levels", "threshold", "is_cumulative")
    assert [cells[2] for _, cells in side.rows] == [
        Cell("–", False),
        Cell("–", False),
        Cell("3.5", False),
        Cell("–", False),
    ]
    assert [cells[1].differs for _, cells in side.rows] == [False, False, True, True]


def _older() -> object:
    return replace(data.ELIGIBLE, min_age=65)


def test_scales_say_what_counts() -> None:
    """Remission, response and partial response as the code list has them, a screening tool with its limit."""
    heads, rows = vocabulary.scales(CODES)
    told = {row[0].split(":")[0]: dict(zip(heads, row, strict=True)) for row in rows}

    assert told["Y-BOCS"]["Response"] == "a fall of 35% or more"
    assert told["Y-BOCS"]["Partial response"] == "a fall of 25% or more"
    assert told["HAM-A"]["Severity, from"] == "none 0, mild 8, moderate 15, severe 24"
    assert told["PHQ-9"]["Remission"] == "at most 4; a screening tool cannot prove it"
    assert told["CAPS-5"]["Response"].endswith("points or more")


def test_vocabulary_is_of_the_disorders_shown() -> None:
    """Options and causes of other disorders are left out."""
    page = text(rendered(data.definition()))

    assert "first line" in page
    assert "clozapine schizophrenia" not in page
    assert len(vocabulary.of_disorders(vocabulary.causes(CODES), ["ocd"])[1]) < len(vocabulary.causes(CODES)[1])


def test_lists_say_what_is_left_out() -> None:
    """A code list with exceptions names them."""
    _, rows = vocabulary.diagnosis_lists(CODES)

    assert any(" without " in codes for name, _, codes in rows if name == "depression")


@pytest.fixture(scope="module")
def shipped() -> str:
    """The page of everything that is shipped."""
    return render_methods(catalogue.methods_contents(CATALOGUE, CODES))


def test_every_definition_is_on_the_page(shipped: str) -> None:
    """Each once, with a link from the contents."""
    assert [d.id for d in CATALOGUE if shipped.count(f'id="definition-{d.id}"') != 1] == []
    assert [d.id for d in SHIPPED if f'href="#definition-{d.id}"' not in shipped] == []


def test_every_shipped_case_is_on_the_page(shipped: str) -> None:
    """None is lost between the file and the page."""
    n_cases = sum(len(file.cases()) for files in catalogue.case_files().values() for file in files)

    assert shipped.count('<div class="case">') == n_cases
    assert n_cases > 4 * len(SHIPPED) - 1


def test_the_page_is_complete_in_itself(shipped: str) -> None:
    """No script, no request, nothing but links within the page, and not too big."""
    assert "<script" not in shipped
    assert re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', shipped) == []
    assert len(shipped.encode()) < 4_000_000


def test_no_id_is_there_twice(shipped: str) -> None:
    """Links lead to one place, and to one that is there."""
    ids = re.findall(r'\bid="([^"]+)"', shipped)

    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', shipped)) <= set(ids)


def test_equal_definitions_give_the_same_bytes(shipped: str) -> None:
    """In whatever order they come."""
    assert render_methods(catalogue.methods_contents(reversed(CATALOGUE), CODES)) == shipped
