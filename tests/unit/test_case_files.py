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
        ('observes = ["drug"]\n', "", 11, "A case without observes."),
    ],
)
def test_a_slip_in_a_case_file_is_named(old: str, new: str, line: int, told: str) -> None:
    """The message says file, line and what would be right."""
    with pytest.raises(ImpasseError) as refused:
        parse("mine.toml", edited(old, new))

    assert refused.value.where == f"mine.toml, line {line}"
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [("", "No case"), ("case = 3", "No case"), ("[[case]", "Not valid TOML"), ("[[cases]]", "Did you mean 'case'?")],
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
    [("score 2021-03-01 ham_d17 20", "Did you mean 'hamd17'?"), ("proc 2021-03-01 cbtt", "Did you mean 'cbt'?")],
)
def test_a_scale_or_treatment_that_no_list_knows_is_named(line: str, told: str) -> None:
    """It would be passed over in silence."""
    case = parse("mine.toml", edited("dx 2021-01-01 F321", f"dx 2021-01-01 F321\n{line}"))[1]

    with pytest.raises(ImpasseError, match="case 'Two drugs, each followed by a switch'") as refused:
        check_words(case, CODES)

    assert told in str(refused.value)


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
