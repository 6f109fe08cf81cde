import report_data as data

from impasse.reports.pages.validation import render_validation
from impasse.reports.words.limits import unread_sentences, unused_rows_sentences


def test_failures_come_first() -> None:
    """Expectations that were not met are listed before those that were."""
    page = render_validation(data.validation_contents())

    assert page.index("codes match the code system&#x27;s pattern") < page.index("person_id is unique")


def test_advisory_failure() -> None:
    """An advisory failure is a reservation, not a refusal."""
    assert "with reservations: 1 advisory expectation not met." in render_validation(data.validation_contents())


def test_critical_failure() -> None:
    """A critical failure makes the delivery unfit."""
    failed = [{**data.EXPECTATIONS[0], "success": False}]

    assert "not fit for publication: 1 critical expectation not met." in render_validation(
        data.validation_contents(expectations=failed)
    )


def test_all_met() -> None:
    """When everything is met the page says so first."""
    page = render_validation(data.validation_contents(expectations=data.EXPECTATIONS[:1]))

    assert "The delivery looks as it should: all 1 expectation met." in page


def test_absent_table_is_not_zero_rows() -> None:
    """A table that was not delivered is said to be so, not to hold 0 rows."""
    row = render_validation(data.validation_contents()).split('<th scope="row">scores</th>')[1].split("</tr>")[0]

    assert row.count("not delivered") == 3


def test_rules_are_explained() -> None:
    """A rule's meaning is shown where it is given."""
    page = render_validation(data.validation_contents(rule_meanings={"unknown_person": "no such person"}))

    assert "no such person" in page


def test_no_rule_hit() -> None:
    """Without quarantined rows the page says there is nothing to show."""
    page = render_validation(data.validation_contents(rules=data.rules().clear()))

    assert "Rows set aside, by rule: nothing to show." in page


def test_observed_text_is_escaped() -> None:
    """Text of a check is shown, not obeyed."""
    page = render_validation(data.validation_contents(expectations=[{**data.EXPECTATIONS[0], "observed": "<b>x</b>"}]))

    assert "&lt;b&gt;x&lt;/b&gt;" in page


def test_same_input_same_bytes() -> None:
    """Rendering twice, in whatever order rows come, gives the same page."""
    reversed_rows = data.validation_contents(reconciliation=data.reconciliation().reverse())

    assert render_validation(reversed_rows) == render_validation(data.validation_contents())


def test_notes_are_shown_and_escaped() -> None:
    """What is to be known about the delivery stands on the page as text."""
    page = render_validation(data.validation_contents(notes=["5 rows of the file <b>x</b> were not read."]))

    assert "5 rows of the file &lt;b&gt;x&lt;/b&gt; were not read." in page


def test_unused_rows_in_words() -> None:
    """One sentence per file, in the order of their names; a single delivered row is told as the reconciliation does."""
    unused = [{"file": "events", "n": 1234}, {"file": "diag", "n": 1}]

    assert unused_rows_sentences(unused) == [
        "The layout chooses no table for 1 row of the file diag: not read, and counted nowhere else.",
        "The layout chooses no table for 1,234 rows of the file events: not read, and counted nowhere else.",
    ]


def test_every_file_is_listed() -> None:
    """What was read with its rows, and what was not, with what a reader should know."""
    page = render_validation(data.validation_contents())

    assert "2 files or tables were found: 1 read, 1 not asked for, 0 unreadable." in page
    assert "3,204" in page
    assert "it has the columns of lmed_2019.csv, which is read" in page


def test_a_file_that_should_have_been_asked_for() -> None:
    """It is a sentence of its own beside the results; a file without a note is none."""
    found = (*data.FOUND, data.Found("README", "not asked for"))

    assert unread_sentences(found) == [
        "The file lmed_2020.csv was not read, though it has the columns of lmed_2019.csv, which is read."
    ]
