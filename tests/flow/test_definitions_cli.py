"""An author's own definitions, through the command: found, compared, started from a neighbour, and proved."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from flows.authoring import tables_read
from flows.cli import app
from schemas.definition import parse
from tests.shipped import CODES, SHIPPED

BY_ID = {definition.id: definition for definition in SHIPPED}
TYPICAL = Path(__file__).parents[2] / "schemas/definitions/dep_typical_two_drugs.toml"
CASES = '''
[[case]]
name = "42 days of the second drug are enough"
observes = ["drug"]
history = """
dx 2021-01-01 F321
disp 2021-01-01 N06AB06 days=42 dose_mg=50
disp 2021-02-12 N06AX11 days=42 dose_mg=30
disp 2021-03-26 N06AX16 days=28 dose_mg=75
"""
expected = { verdict = "resistant", resistant_date = 2021-03-26 }

[[case]]
name = "41 days of the second drug are one short"
observes = ["drug"]
history = """
dx 2021-01-01 F321
disp 2021-01-01 N06AB06 days=42 dose_mg=50
disp 2021-02-12 N06AX11 days=41 dose_mg=30
disp 2021-03-26 N06AX16 days=28 dose_mg=75
"""
expected = { verdict = "not_resistant", decided_by = "adequacy" }
'''


def definitions(*words: str) -> Result:
    """`impasse definitions ...` on a terminal of 80 columns."""
    return CliRunner().invoke(app, ["definitions", *words], env={"COLUMNS": "80", "NO_COLOR": "1"})


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A user's folder with one definition, equal to the typical one, and two cases that it meets."""
    folder = tmp_path / "own"
    (folder / "cases").mkdir(parents=True)
    (folder / "mine.toml").write_text(TYPICAL.read_text())
    (folder / "cases/mine.toml").write_text(CASES)
    return folder


def replace(path: Path, old: str, new: str) -> None:
    """Edit a file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_cases_that_are_met_pass(own: Path) -> None:
    """One line per definition, exit code 0."""
    ended = definitions("test", str(own))

    assert (ended.exit_code, ended.stdout, ended.stderr) == (0, "mine: 2 cases passed\n", "")


def test_a_case_that_is_not_met_is_told(own: Path) -> None:
    """Asking for 43 days: the case of 42 fails, with file, line, name, what was expected and what came out."""
    replace(own / "mine.toml", "min_days = 42", "min_days = 43")

    ended = definitions("test", str(own))

    assert ended.exit_code == 2
    assert ended.stdout.splitlines() == [
        "mine: 1 of 2 cases failed",
        "  cases/mine.toml, line 2: 42 days of the second drug are enough",
        "    verdict: expected resistant, came out not_resistant",
        "    resistant_date: expected 2021-03-26, came out none",
    ]
    assert "Error: 1 of 2 cases failed." in ended.stderr


def test_a_definition_without_cases_is_said(own: Path) -> None:
    """No proof is no failure, but it is not silent either."""
    (own / "cases/mine.toml").unlink()

    ended = definitions("test", str(own))

    assert (ended.exit_code, ended.stdout) == (0, "mine: no cases; draw some in cases/mine.toml\n")


def test_own_cases_of_a_shipped_definition_are_run(own: Path) -> None:
    """A reader may put own histories to a shipped definition."""
    (own / "cases/dep_typical_two_drugs.toml").write_text(CASES)

    ended = definitions("test", str(own))

    assert ended.stdout.splitlines() == ["dep_typical_two_drugs: 2 cases passed", "mine: 2 cases passed"]


BAD_CASES = [
    ("disp 2021-02-12", "dips 2021-02-12", ("cases/mine.toml, line 8", "Did you mean 'disp'?")),
    ("2021-02-12", "2021-02-30", ("cases/mine.toml, line 8", "No date: '2021-02-30'")),
    ("resistant_date", "resistent_date", ("cases/mine.toml, line 11", "Did you mean 'resistant_date'?")),
    ("dx 2021-01-01 F321", "dx 2021-01-01 F321\nproc 2021-01-01 etc", ("cases/mine.toml, line 2", "treatment 'etc'")),
]


@pytest.mark.parametrize(("old", "new", "words"), BAD_CASES)
def test_a_slip_in_a_case_file_is_one_clear_message(own: Path, old: str, new: str, words: tuple[str, ...]) -> None:
    """Exit code 2, file and line, the nearest right word, nothing else."""
    replace(own / "cases/mine.toml", old, new)

    ended = definitions("test", str(own))

    assert (ended.exit_code, ended.stdout) == (2, "")
    assert [word for word in words if word not in ended.stderr] == []


def test_a_case_file_of_an_unknown_definition_is_refused(own: Path) -> None:
    """A misspelt file name would leave the definition unproved."""
    (own / "cases/mine.toml").rename(own / "cases/mien.toml")

    ended = definitions("test", str(own))

    assert ended.exit_code == 2
    assert "Did you mean 'mine'?" in ended.stderr


def test_a_folder_without_definitions_is_refused(tmp_path: Path) -> None:
    """Empty, or not there."""
    assert "No definition here." in definitions("test", str(tmp_path)).stderr
    assert "No such folder." in definitions("test", str(tmp_path / "nowhere")).stderr


def test_a_difference_is_told_in_words(own: Path) -> None:
    """The setting, both values and the prose of the block; blocks that are equal are left out."""
    replace(own / "mine.toml", "min_days = 42", "min_days = 28")

    ended = definitions("diff", "dep_typical_two_drugs", "mine", "--folder", str(own))
    lines = [" ".join(line.split()) for line in ended.stdout.splitlines()]

    assert ended.exit_code == 0
    assert lines[:3] == [
        "adequacy",
        "setting dep_typical_two_drugs mine",
        "drug.min_days 6 weeks (42 days) 4 weeks (28 days)",
    ]
    assert "mine: A drug trial" in ended.stdout
    assert "Resistant with" not in ended.stdout


def test_no_difference_is_said(own: Path) -> None:
    """Another title and source change nothing that counts."""
    replace(own / "mine.toml", "title = ", 'title = "Mine" # ')

    ended = definitions("diff", "dep_typical_two_drugs", "mine", "--folder", str(own))

    assert (ended.exit_code, ended.stdout) == (0, "dep_typical_two_drugs and mine: no difference in any block.\n")


def test_a_count_and_a_score_can_be_compared() -> None:
    """What only one of them has is not there in the other, and the lines fit the terminal."""
    ended = definitions("diff", "anx_first_line_distinct_class", "dep_mgh_s")

    assert ended.exit_code == 0
    assert "threshold" in ended.stdout
    assert max(map(len, ended.stdout.splitlines())) <= 80


def test_what_cannot_matter_is_said_to_be_so(own: Path) -> None:
    """One failure cannot be distinct from itself."""
    neighbour = (TYPICAL.parent / "dep_rtms_one_trial.toml").read_text()
    one = neighbour.replace('distinct_by = "none"', 'distinct_by = "class"')
    (own / "one.toml").write_text(one)

    ended = definitions("diff", "dep_rtms_one_trial", "one", "--folder", str(own))

    assert ended.stdout.startswith("resistance\nThe settings differ only in what cannot matter.\n")


def test_an_unknown_definition_is_not_compared() -> None:
    """The nearest id is named."""
    ended = definitions("diff", "dep_mgh_s", "dep_mgh")

    assert ended.exit_code == 2
    assert "Did you mean 'dep_mgh_s'?" in ended.stderr


@pytest.mark.parametrize("neighbour", sorted(BY_ID))
def test_a_started_definition_is_a_draft_whose_case_passes(tmp_path: Path, neighbour: str) -> None:
    """Whatever the neighbour: the same five blocks, a title of its own, and a case file to go on from."""
    started = definitions("new", "mine", "--from", neighbour, "--folder", str(tmp_path))
    made = parse("mine", (tmp_path / "mine.toml").read_text())
    like = BY_ID[neighbour]

    assert started.exit_code == 0
    assert (made.status, made.title, made.source) == ("draft", f"Draft after {neighbour}", like.source)
    assert (made.eligible, made.trial, made.adequacy) == (like.eligible, like.trial, like.adequacy)
    assert (made.outcome, made.resistance) == (like.outcome, like.resistance)
    assert definitions("test", str(tmp_path)).stdout == "mine: 1 case passed\n"


def test_an_own_definition_can_be_the_neighbour(own: Path) -> None:
    """A second draft after the first."""
    assert definitions("new", "mine_too", "--from", "mine", "--folder", str(own)).exit_code == 0
    assert (own / "mine_too.toml").exists()


@pytest.mark.parametrize(
    ("new_id", "told"),
    [
        ("mine", "There is a definition 'mine' already."),
        ("dep_mgh_s", "There is a definition 'dep_mgh_s' already."),
        ("half", "There is such a file already."),
        ("Mine", "cannot be an id"),
        ("my-own", "cannot be an id"),
        ("2_drugs", "cannot be an id"),
        ("../mine", "cannot be an id"),
    ],
)
def test_nothing_is_written_over_and_an_id_is_plain(own: Path, new_id: str, told: str) -> None:
    """An id that is taken, a case file that is there, an id that no file should have."""
    (own / "cases/half.toml").write_text(CASES)
    before = sorted(own.rglob("*"))

    ended = definitions("new", new_id, "--from", "dep_mgh_s", "--folder", str(own))

    assert ended.exit_code == 2
    assert told in ended.stderr
    assert sorted(own.rglob("*")) == before
    assert (own / "mine.toml").read_text() == TYPICAL.read_text()
    assert (own / "cases/half.toml").read_text() == CASES


def test_the_list_ends_with_its_count() -> None:
    """All of them, without columns that nobody asked for."""
    ended = definitions("list")

    assert ended.stdout.splitlines()[0].split() == ["id", "title", "status", "source"]
    assert ended.stdout.splitlines()[-1] == f"{len(BY_ID)} of {len(BY_ID)} definitions."


@pytest.mark.parametrize(
    ("words", "column", "inside", "outside"),
    [
        (("--disorder", "anxiety"), "disorder", "anx_bokma_2019", "dep_mgh_s"),
        (("--kind", "score"), "kind", "dep_mgh_s", "dep_karolinska"),
        (("--status", "unverified"), "status", "anx_domschke_2024", "anx_bokma_2019"),
        (("--source", "plos one"), "citation", "dep_karolinska", "anx_bokma_2019"),
        (("--tables", "dispensings,procedures"), "reads", "dep_karolinska", "anx_bokma_2019"),
    ],
)
def test_the_list_shows_what_is_asked_for(words: tuple[str, ...], column: str, inside: str, outside: str) -> None:
    """What fits is there, what does not is not, and the column that was asked for is shown."""
    ended = definitions("list", *words)

    assert column in ended.stdout.splitlines()[0].split()
    assert inside in ended.stdout
    assert outside not in ended.stdout
    assert f" of {len(BY_ID)} definitions." in ended.stdout.splitlines()[-1]
    assert max(map(len, ended.stdout.splitlines())) <= 80


def test_filters_add_up() -> None:
    """No definition of anxiety is a Karolinska model."""
    ended = definitions("list", "--disorder", "anxiety", "--source", "Karolinska", "--kind", "score")

    assert ended.stdout == f"0 of {len(BY_ID)} definitions.\n"


@pytest.mark.parametrize(
    ("option", "word", "meant"),
    [
        ("--disorder", "depresion", "depression"),
        ("--kind", "scores", "score"),
        ("--status", "actif", "active"),
        ("--tables", "dispensings,score", "scores"),
    ],
)
def test_an_unknown_word_to_list_by_is_named(option: str, word: str, meant: str) -> None:
    """The nearest right word is named."""
    ended = definitions("list", option, word)

    assert (ended.exit_code, ended.stdout) == (2, "")
    assert f"Did you mean '{meant}'?" in ended.stderr


def test_the_tables_a_definition_reads_follow_from_its_settings() -> None:
    """Scales, drug groups, session groups and signs of change each need their table."""
    assert tables_read(BY_ID["dep_karolinska"], CODES) == {"dispensings", "procedures"}
    assert tables_read(BY_ID["dep_typical_two_drugs"], CODES) == {"dispensings", "scores"}


def test_look_back_and_admissions_need_their_tables() -> None:
    """A time observed before the start needs coverage; an admission as a sign needs admissions, ECT procedures."""
    text = TYPICAL.read_text().replace("min_observed_days = 0", "min_observed_days = 365")
    text = text.replace('change_signs = ["switch", "add_on"]', 'change_signs = ["switch", "ect", "admission"]')

    assert tables_read(parse("mine", text), CODES) == {
        "coverage",
        "dispensings",
        "procedures",
        "scores",
        "admissions",
    }
