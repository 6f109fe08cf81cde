"""Case files become cases; each slip of the pen is named with file, line and the nearest right word."""

from __future__ import annotations

from datetime import date

import pytest

from impasse.schemas.cases import EXPECTED, check_words, parse
from impasse.schemas.errors import ImpasseError
from impasse.schemas.tables import Classifications, Stages
from impasse.transforms.try_cases import Difference, try_cases
from tests.shipped import CODES, SHIPPED

TYPICAL = next(definition for definition in SHIPPED if definition.id == "dep_typical_two_drugs")
FILE = '''# Two drugs

[[case]]
name = "No treatment, no resistance"
observes = ["drug"]
history = """
dx 2021-01-01 F321
"""
expected = { verdict = "not_resistant" }

[[case]]
name = "Two drugs, each followed by a switch"
observes = ["drug"]
history = """
dx 2021-01-01 F321
disp 2021-01-01 N06AB06 days=42 dose_mg=50
disp 2021-02-12 N06AX11 days=42 dose_mg=30
disp 2021-03-26 N06AX16 days=28 dose_mg=75
"""
expected = { verdict = "resistant", resistant_date = 2021-03-26, n_failed_min = 2, score_max = "none" }
'''


def edited(old: str, new: str) -> str:
    """The file with its last occurrence of a text replaced."""
    before, found, after = FILE.rpartition(old)
    assert found
    return before + new + after


def test_a_case_file_is_read() -> None:
    """Two cases, with what is stated; "none" is no value."""
    first, second = parse("mine.toml", FILE)

    assert (first.name, first.observes, first.where) == (
        "No treatment, no resistance",
        frozenset({"drug"}),
        "mine.toml, line 3",
    )
    assert second.where == "mine.toml, line 11"
    assert second.expected == {
        "verdict": "resistant",
        "resistant_date": date(2021, 3, 26),
        "n_failed_min": 2,
        "score_max": None,
    }
    assert len(second.person()["dispensings"]) == 3


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ("disp 2021-03-26", "dips 2021-03-26", 18, "Did you mean 'disp'?"),
        ("disp 2021-03-26", "disp 2021-03-36", 18, "No date: '2021-03-36'."),
        ("days=28", "dayz=28", 18, "Did you mean 'days='?"),
        ("n_failed_min", "n_faild_min", 20, "Did you mean 'n_failed_min'?"),
        ('verdict = "resistant"', 'verdict = "resistent"', 20, "Did you mean 'resistant'?"),
        ('verdict = "resistant"', 'decided_by = "outcom"', 20, "Did you mean 'outcome'?"),
        ('verdict = "resistant", ', "", 20, "A case without a verdict."),
        ("= 2021-03-26", '= "2021-03-26"', 20, "without quotes"),
        ("n_failed_min = 2", "n_failed_min = 2.5", 20, "a whole number"),
        ("n_failed_min = 2", "n_failed_min = true", 20, "a whole number"),
        ('score_max = "none"', 'score_max = "high"', 20, "a number"),
        ('observes = ["drug"]', 'observes = ["drugs"]', 13, "Did you mean 'drug'?"),
        ('observes = ["drug"]', 'observes = "drug"', 13, "a list of words"),
        ("observes", "observe", 13, "Did you mean 'observes'?"),
        ("observes", "Observes", 13, "Did you mean 'observes'?"),
        ("history", "histroy", 14, "Did you mean 'history'?"),
        ("expected", "expects", 20, "Did you mean 'expected'?"),
        ("days=28", "days=28 days=60", 18, "'days=' is there twice"),
        ("days=28", "position=main", 18, "Unknown word 'position='."),
        ("disp 2021-03-26", "disp 2025-01-01", 18, "after the period's end"),
        ("disp 2021-03-26", "disp", 18, "Too many or too few words."),
        ('observes = ["drug"]\n', "", 11, "A case without observes."),
    ],
)
def test_a_slip_in_a_case_file_is_named(old: str, new: str, line: int, told: str) -> None:
    """The message says file, line and what would be right."""
    with pytest.raises(ImpasseError) as refused:
        parse("mine.toml", edited(old, new))

    assert refused.value.where == f"mine.toml, line {line}, case 'Two drugs, each followed by a switch'"
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "No case"),
        ("case = 3", "No case"),
        ("case = [3]", "No case"),
        ('case = ["name"]', "No case"),
        (FILE.replace("No treatment", "\\u001b[2J"), "control character U+001B"),
        (FILE.replace("No treatment, no resistance", " "), "A case without a name"),
        ("[[case]", "Not valid TOML"),
        ("[[cases]]", "Did you mean 'case'?"),
    ],
)
def test_a_file_without_cases_is_refused(text: str, told: str) -> None:
    """Empty, of another shape, not TOML, misspelt."""
    with pytest.raises(ImpasseError, match=r"mine\.toml") as refused:
        parse("mine.toml", text)

    assert told in str(refused.value)


def test_every_expected_column_is_one_of_the_classification() -> None:
    """A case can only state what a run says."""
    told = {*Classifications.to_schema().columns, *Stages.to_schema().columns}

    assert set(EXPECTED) == told - {"episode_id", "definition_id"}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("score 2021-03-01 ham_d17 20", "Did you mean 'hamd17'?"),
        ("score 2021-03-01 hamd17 53", "hamd17 goes from 0 to 52."),
        ("score 2021-03-01 hamd17 -1", "hamd17 goes from 0 to 52."),
        ("proc 2021-03-01 cbtt", "Did you mean 'cbt'?"),
        ("proc 2021-03-01 N06AB06", "Unknown treatment in sessions 'N06AB06'"),
        ("disp 2021-03-01 N60AB06", "No code list knows the drug 'N60AB06'"),
        ("dx 2021-03-01 F999", "No code list knows the diagnosis 'F999'"),
        ("dx 2021-03-01 999999 system=snomed", "No code list knows the diagnosis '999999'"),
    ],
)
def test_a_word_that_no_list_knows_is_named(line: str, told: str) -> None:
    """It would be passed over in silence; the message quotes the line."""
    case = parse("mine.toml", edited("dx 2021-01-01 F321", f"dx 2021-01-01 F321\n{line}"))[1]

    with pytest.raises(ImpasseError, match="case 'Two drugs, each followed by a switch'") as refused:
        check_words(case, CODES)

    assert told in str(refused.value)
    assert f"line '{line}'" in refused.value.where


@pytest.mark.parametrize(
    "line",
    [
        "score 2021-03-01 hamd17 52",
        "score 2021-03-01 hamd17 0",
        "proc 2021-03-01 cbt",
        "disp 2021-03-01 N06AB60",
        "dx 2021-03-01 F3299",
        "adm 2021-03-01 2021-03-02 K359",
    ],
)
def test_a_word_that_a_list_knows_is_fine(line: str) -> None:
    """At the border of a scale, below a code that is listed."""
    case = parse("mine.toml", edited("dx 2021-01-01 F321", f"dx 2021-01-01 F321\n{line}"))[1]

    assert check_words(case, CODES) is None


def test_the_last_day_of_the_period_is_drawn() -> None:
    """A day more, and the line would do nothing."""
    assert parse("mine.toml", edited("disp 2021-03-26", "disp 2024-12-31"))


def test_a_line_is_named_by_itself_where_an_earlier_one_holds_its_text() -> None:
    """The first is longer and right."""
    with pytest.raises(ImpasseError, match=r"mine\.toml, line 19"):
        parse("mine.toml", edited("disp 2021-03-26 N06AX16 days=28 dose_mg=75", "dx 2021-03-01 F411\ndx 2021-03-01"))


def test_a_key_is_named_where_it_stands_and_not_where_a_name_holds_its_word() -> None:
    """The case is called after it."""
    text = edited('["drug"]', '["drag"]').replace("Two drugs, each", "It observes two drugs, each")

    with pytest.raises(ImpasseError, match=r"mine\.toml, line 13"):
        parse("mine.toml", text)


def test_a_case_that_is_met_differs_in_nothing() -> None:
    """Both cases come out as stated, a null included."""
    first, second = parse("mine.toml", FILE)

    assert try_cases([first, second], TYPICAL, CODES) == [[], []]


def test_a_case_that_is_not_met_says_what_came_out() -> None:
    """One day of supply fewer, and the second failure is gone."""
    case = parse("mine.toml", edited("N06AX11 days=42", "N06AX11 days=41"))[1]

    (differences,) = try_cases([case], TYPICAL, CODES)

    assert differences == [
        Difference("verdict", "resistant", "not_resistant"),
        Difference("resistant_date", date(2021, 3, 26), None),
        Difference("n_failed_min", 2, 1),
    ]


def test_a_history_without_an_episode_is_said() -> None:
    """A diagnosis of another disorder opens no episode."""
    case = parse("mine.toml", edited("dx 2021-01-01 F321", "dx 2021-01-01 F411"))[1]

    assert try_cases([case], TYPICAL, CODES) == [[Difference("verdict", "resistant", "no episode")]]
