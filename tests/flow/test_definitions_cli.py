"""An author's own definitions, through the command: found, compared, started from a neighbour, and proved."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from impasse.flows.cli.app import app
from impasse.flows.definitions.catalogue import case_files, tables_read
from impasse.flows.definitions.expressions import in_code
from impasse.flows.definitions.formula import in_lines, read_formula
from impasse.schemas.definition import Definition
from impasse.schemas.definition_file import parse
from tests.shipped import CATALOGUE, CODES, SHIPPED, copied, with_label

BY_ID = {definition.id: definition for definition in SHIPPED}
DESCRIBED = [definition.id for definition in CATALOGUE if not isinstance(definition, Definition)]
TYPICAL = Path(__file__).parents[2] / "schemas/definitions/depression/dep_typical_two_drugs.toml"
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


MINE = copied("dep_typical_two_drugs", "Mine")
NAMED = ("--title", "A title of its own", "--short", "A label of its own")


def new(new_id: str, neighbour: str, folder: Path, *words: str) -> Result:
    """`impasse definitions new`, with a title and a label that are nobody's or those given."""
    return definitions("new", new_id, "--from", neighbour, "--folder", str(folder), *(words or NAMED))


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A user's folder with one definition, equal to the typical one but for its label, and two cases that it meets."""
    folder = tmp_path / "own"
    (folder / "cases").mkdir(parents=True)
    (folder / "mine.toml").write_text(MINE)
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
    ("dx 2021-01-01 F321", "dx 2021-01-01 F321\nproc 2021-01-01 etc", ("cases/mine.toml, line 2", "in sessions 'etc'")),
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
    replace(own / "mine.toml", 'title = "Mine"', 'title = "Another"')

    ended = definitions("diff", "dep_typical_two_drugs", "mine", "--folder", str(own))

    assert (ended.exit_code, ended.stdout) == (0, "dep_typical_two_drugs and mine: no difference in any block.\n")


def test_a_count_and_a_score_can_be_compared() -> None:
    """What only one of them has is not there in the other, and the lines fit the terminal."""
    ended = definitions("diff", "anx_first_line_distinct_class", "dep_mgh_s_4")

    assert ended.exit_code == 0
    assert "threshold" in ended.stdout
    assert max(map(len, ended.stdout.splitlines())) <= 80


def test_what_cannot_matter_is_said_to_be_so(own: Path) -> None:
    """One failure cannot be distinct from itself."""
    one = copied("dep_rtms_one_trial", "One").replace('distinct_by = "none"', 'distinct_by = "class"')
    (own / "one.toml").write_text(one)

    ended = definitions("diff", "dep_rtms_one_trial", "one", "--folder", str(own))

    assert ended.stdout.startswith("resistance\nThe settings differ only in what cannot matter.\n")


def test_an_unknown_definition_is_not_compared() -> None:
    """The nearest id is named."""
    ended = definitions("diff", "dep_mgh_s", "dep_mgh")

    assert ended.exit_code == 2
    assert "Did you mean 'dep_mgh_s'?" in ended.stderr


@pytest.mark.parametrize("neighbour", sorted(BY_ID))
def test_a_started_definition_is_a_draft_that_does_the_same(tmp_path: Path, neighbour: str) -> None:
    """Whatever the neighbour: the same five blocks, a title and a mark of its own, and the neighbour's cases."""
    started = new("mine", neighbour, tmp_path)
    made = parse("mine", (tmp_path / "mine.toml").read_text())
    like = BY_ID[neighbour]
    cases = (tmp_path / "cases/mine.toml").read_text()

    assert started.exit_code == 0
    assert (made.status, made.title, made.short) == ("draft", "A title of its own", "A label of its own")
    assert made.source == dataclasses.replace(like.source, confidence="D")
    assert (made.eligible, made.trial, made.adequacy) == (like.eligible, like.trial, like.adequacy)
    assert (made.outcome, made.resistance) == (like.outcome, like.resistance)
    assert cases.startswith(f"# Worked cases of mine, as those of {neighbour}:")
    assert cases.endswith(case_files()[neighbour][0].text.strip() + "\n")


@pytest.mark.parametrize("neighbour", ["dep_typical_two_drugs", "dep_ohdsi_1009", "dep_thase_rush", "dep_msm"])
def test_the_copied_cases_pass_at_once(tmp_path: Path, neighbour: str) -> None:
    """Of a count, of counts in time, of stages and of a staging score."""
    new("mine", neighbour, tmp_path)

    ended = definitions("test", str(tmp_path))

    n_cases = len(case_files()[neighbour][0].cases())
    assert (ended.exit_code, ended.stdout) == (0, f"mine: {n_cases} cases passed\n")


def test_a_neighbour_without_cases_leaves_none(own: Path) -> None:
    """The definition alone is written, and the test says that there is no case."""
    (own / "cases/mine.toml").unlink()

    started = new("bare", "mine", own)

    assert started.stdout.count("written:") == 1
    assert "bare: no cases; draw some in cases/bare.toml" in definitions("test", str(own)).stdout


@pytest.mark.parametrize("described", DESCRIBED)
def test_what_is_only_described_is_no_neighbour(tmp_path: Path, described: str) -> None:
    """It has no settings to start from or to compare."""
    started = new("mine", described, tmp_path / "own")
    compared = definitions("diff", described, "dep_karolinska")

    assert (started.exit_code, compared.exit_code) == (2, 2)
    assert "is descriptive: it has no settings and judges nothing." in started.stderr
    assert f"`impasse definitions show {described}` says why." in compared.stderr
    assert not (tmp_path / "own").exists()


def test_an_own_definition_can_be_the_neighbour(own: Path) -> None:
    """A second draft after the first."""
    assert new("mine_too", "mine", own).exit_code == 0
    assert (own / "mine_too.toml").exists()


@pytest.mark.parametrize(
    ("new_id", "told"),
    [
        ("mine", "There is a definition 'mine' already."),
        ("dep_mgh_s_4", "There is a definition 'dep_mgh_s_4' already."),
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

    ended = new(new_id, "dep_mgh_s_4", own)

    assert ended.exit_code == 2
    assert told in ended.stderr
    assert sorted(own.rglob("*")) == before
    assert (own / "mine.toml").read_text() == MINE
    assert (own / "cases/half.toml").read_text() == CASES


def test_the_list_shows_all_and_ends_with_its_counts() -> None:
    """A line of facts, the title and the label for each, then how many of which disorder, kind and status."""
    ended = definitions("list")
    lines = ended.stdout.splitlines()
    ids = [line.split()[0] for line in lines if line.startswith(("anx_", "dep_", "ocd_", "ptsd_", "scz_"))]
    facts = next(line.split() for line in lines if line.startswith("dep_thase_rush "))

    assert ids == sorted(definition.id for definition in CATALOGUE)
    assert facts == ["dep_thase_rush", "stage", "active", "M"]
    assert sum(line.startswith("  in figures: ") for line in lines) == len(CATALOGUE)
    assert lines[-1] == f"{len(CATALOGUE)} of {len(CATALOGUE)} definitions."
    assert f"descriptive {len(DESCRIBED)}" in ended.stdout.split("by kind:")[1].split("by status:")[0]
    assert f"active {sum(d.status == 'active' for d in SHIPPED)}" in ended.stdout.split("by status:")[1]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("words", "told", "inside", "outside"),
    [
        (("--disorder", "anxiety"), "by disorder: anxiety", "anx_bokma_2019", "dep_mgh_s_4"),
        (("--kind", "score"), "by kind: score", "dep_mgh_s_4", "dep_karolinska"),
        (("--kind", "stage"), "by kind: stage", "dep_thase_rush", "dep_mgh_s_4"),
        (("--kind", "descriptive"), "by kind: descriptive", DESCRIBED[0], "dep_mgh_s_4"),
        (("--status", "unverified"), "by status: unverified", "anx_domschke_2024", "anx_bokma_2019"),
        (("--status", "descriptive"), "by status: descriptive", DESCRIBED[0], "anx_domschke_2024"),
        (("--source", "plos one"), "  citation: ", "dep_karolinska", "anx_bokma_2019"),
        (("--tables", "dispensings,procedures"), "  reads: dispensings", "dep_karolinska", "anx_bokma_2019"),
    ],
)
def test_the_list_shows_what_is_asked_for(words: tuple[str, ...], told: str, inside: str, outside: str) -> None:
    """What fits is there, what does not is not, and what was asked for is shown."""
    ended = definitions("list", *words)

    assert told in ended.stdout
    assert f"{inside} " in ended.stdout
    assert f"{outside} " not in ended.stdout
    assert f" of {len(CATALOGUE)} definitions." in ended.stdout.splitlines()[-1]
    assert max(map(len, ended.stdout.splitlines())) <= 80


def test_filters_add_up() -> None:
    """No definition of anxiety is a Karolinska model."""
    ended = definitions("list", "--disorder", "anxiety", "--source", "Karolinska", "--kind", "score")

    assert ended.stdout == f"0 of {len(CATALOGUE)} definitions.\n"


@pytest.mark.parametrize(
    ("option", "word", "meant"),
    [
        ("--disorder", "depresion", "depression"),
        ("--kind", "scores", "score"),
        ("--kind", "stages", "stage"),
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


def test_prior_observation_and_admissions_need_their_tables() -> None:
    """A time observed before the start needs coverage; an admission as a sign needs admissions, ECT procedures."""
    text = TYPICAL.read_text().replace("min_observed_days = 0", "min_observed_days = 365")
    text = text.replace('change_signs = ["switch", "add_on"]', 'change_signs = ["switch", "ect", "admission"]')
    text = text.replace("add_on_from_day = 15", "add_on_from_day = 1")

    assert tables_read(parse("mine", text), CODES) == {
        "coverage",
        "dispensings",
        "procedures",
        "scores",
        "admissions",
    }


def test_treatment_before_the_episode_needs_both_tables() -> None:
    """That nothing was given can only be told where treatments and the time observed are seen."""
    text = TYPICAL.read_text().replace("washout_treatments = []", 'washout_treatments = ["ect"]')
    text = text.replace("washout_days = 0", "washout_days = 180")

    assert tables_read(parse("mine", text), CODES) == {"coverage", "dispensings", "procedures", "scores"}


def test_without_failures_no_outcome_is_read() -> None:
    """A definition that counts what was given needs no scores, whatever its outcome block says."""
    text = TYPICAL.read_text().replace('what = "failed"', 'what = "given"')

    assert tables_read(parse("mine", text), CODES) == {"dispensings"}


def test_admissions_of_a_score_need_their_table() -> None:
    """An item for an admission."""
    assert "admissions" in tables_read(BY_ID["dep_dm_trd_partial"], CODES)


def test_a_definition_is_shown_with_its_cases() -> None:
    """Prose, source, the meaning of its mark, settings, and each case drawn; within 80 columns."""
    ended = definitions("show", "dep_karolinska")
    text = " ".join(ended.stdout.split())

    assert ended.exit_code == 0
    assert "dep_karolinska: by counting trials; active, used by default." in text
    assert "confidence V2: verified in another text that describes the source" in text
    assert "trial: setting" in text
    assert f"worked cases: {len(case_files()['dep_karolinska'][0].cases())}" in text
    assert "sertraline, " in text
    assert "Expected: resistant from" in text
    assert max(map(len, ended.stdout.splitlines())) <= 80


@pytest.mark.parametrize("name", [definition.id for definition in CATALOGUE])
def test_every_definition_can_be_shown(name: str) -> None:
    """Whatever its kind, within 80 columns."""
    ended = definitions("show", name)

    assert ended.exit_code == 0
    assert max(map(len, ended.stdout.splitlines())) <= 80


def test_own_cases_are_shown_beside_the_shipped_ones(own: Path) -> None:
    """A reader's own histories under a shipped definition."""
    (own / "cases/dep_typical_two_drugs.toml").write_text(CASES)
    n_shipped = len(case_files()["dep_typical_two_drugs"][0].cases())

    ended = definitions("show", "dep_typical_two_drugs", "--folder", str(own))

    assert f"worked cases: {n_shipped + 2}\n" in ended.stdout


def test_what_is_only_described_is_shown_with_its_reason() -> None:
    """No settings, no cases."""
    ended = definitions("show", "dep_difficult_to_treat")

    assert "not computed\nThe concept refuses a threshold by design" in ended.stdout
    assert "worked cases" not in ended.stdout


def test_lint_passes_what_is_shipped() -> None:
    """Described ones are counted as well."""
    ended = definitions("lint")

    assert (ended.exit_code, ended.stdout) == (0, f"{len(CATALOGUE)} definitions, no problem found.\n")


def test_an_active_definition_needs_four_cases(own: Path) -> None:
    """Three are too few, four are enough, and a draft needs none."""
    path = own / "cases/mine.toml"
    path.write_text(CASES + CASES.partition('[[case]]\nname = "41')[0])
    three = definitions("lint", "--folder", str(own))
    path.write_text(CASES + CASES)
    four = definitions("lint", "--folder", str(own))
    path.unlink()
    replace(own / "mine.toml", 'status = "active"', 'status = "draft"')
    draft = definitions("lint", "--folder", str(own))

    assert (three.exit_code, four.exit_code, draft.exit_code) == (2, 0, 0)
    assert "The active definition 'mine' has 3 worked cases." in three.stderr


def test_lint_tells_every_problem(own: Path) -> None:
    """An unknown code list with its line and the nearest word, and the cases that are missing."""
    replace(own / "mine.toml", 'codes = "mania"', 'codes = "manai"')

    ended = definitions("lint", "--folder", str(own))

    assert ended.exit_code == 2
    assert "Unknown code list 'manai'." in ended.stdout
    assert "mine.toml, line " in ended.stdout
    assert "Did you mean 'mania'?" in ended.stdout
    assert "has 2 worked cases." in ended.stderr


@pytest.mark.parametrize(
    ("label", "problem"),
    [
        ("", "The short label of 'mine' is missing."),
        ('short = "Thirty letters in a long label"\n', "The short label of 'mine' has 30 characters."),
    ],
)
def test_a_label_that_does_not_do_is_one_message(own: Path, label: str, problem: str) -> None:
    """Missing or too long."""
    (own / "cases/mine.toml").write_text(CASES + CASES)
    replace(own / "mine.toml", 'short = "Mine"\n', label)

    ended = definitions("lint", "--folder", str(own))

    assert (ended.exit_code, ended.stdout) == (2, "")
    assert problem in ended.stderr
    assert ended.stderr.count("setting short") == 1


def test_a_label_of_28_characters_fits(own: Path) -> None:
    """One more does not."""
    (own / "cases/mine.toml").write_text(CASES + CASES)
    replace(own / "mine.toml", 'short = "Mine"', f'short = "{"a" * 28}"')
    fits = definitions("lint", "--folder", str(own))
    replace(own / "mine.toml", "a" * 28, "a" * 29)
    does_not = definitions("lint", "--folder", str(own))

    assert (fits.exit_code, does_not.exit_code) == (0, 2)


def test_a_definition_without_a_label_can_still_be_used(own: Path) -> None:
    """Only lint speaks of it."""
    replace(own / "mine.toml", 'short = "Mine"\n', "")

    assert definitions("test", str(own)).exit_code == 0
    assert definitions("list", "--folder", str(own)).exit_code == 0


def titled(name: str) -> tuple[str, str]:
    """The title and the short label of a shipped definition."""
    return BY_ID[name].title, BY_ID[name].short


COMMANDS = [
    ("list", "--folder", "{own}"),
    ("show", "mine", "--folder", "{own}"),
    ("lint", "--folder", "{own}"),
    ("diff", "mine", "dep_typical_two_drugs", "--folder", "{own}"),
    ("new", "third", "--from", "mine", "--folder", "{own}", *NAMED),
    ("test", "{own}"),
    ("methods", "--folder", "{own}", "--out", "{own}/methods.html"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
@pytest.mark.parametrize("setting", ["title", "short"])
def test_a_label_of_a_shipped_definition_is_refused_by_every_command(
    own: Path, setting: str, command: tuple[str, ...]
) -> None:
    """One message: which label, which two files, and that one's own is to change."""
    (own / "cases/mine.toml").write_text(CASES + CASES)
    label = getattr(BY_ID["dep_karolinska"], setting)
    replace(own / "mine.toml", f'{setting} = "Mine"', f'{setting} = "{label}"')

    ended = definitions(*(word.format(own=own) for word in command))

    assert (ended.exit_code, ended.stdout) == (2, "")
    assert f"'{label}'" in ended.stderr
    assert f"definition file dep_karolinska.toml, setting {setting}" in ended.stderr
    assert f"definition file mine.toml, setting {setting}" in ended.stderr
    assert "Change that of mine.toml." in ended.stderr
    assert ended.stderr.count("Error:") == 1


@pytest.mark.parametrize(
    ("label", "exit_code"), [("Mine", 2), ("mine", 2), (" Mine ", 2), ("MI NE", 0), ("Mine too", 0)]
)
def test_a_label_is_unique_within_a_folder(own: Path, label: str, exit_code: int) -> None:
    """Capitals and blanks around it do not tell two apart; another word does."""
    (own / "second.toml").write_text(with_label(MINE, "Second").replace('short = "Second"', f'short = "{label}"'))

    ended = definitions("list", "--folder", str(own))

    assert ended.exit_code == exit_code
    assert ("Change that of second.toml." in ended.stderr) == (exit_code == 2)


def test_a_label_is_unique_over_two_folders(own: Path, tmp_path: Path) -> None:
    """Either alone is fine."""
    (tmp_path / "second").mkdir()
    (tmp_path / "second/other.toml").write_text(MINE)
    both = ("--folder", str(own), "--folder", str(tmp_path / "second"))

    assert definitions("list", *both[2:]).exit_code == 0
    assert "mine.toml, setting title" in definitions("list", *both).stderr


def test_a_label_that_only_the_title_of_another_has_is_fine(own: Path) -> None:
    """Titles stand on pages, labels in figures."""
    replace(own / "mine.toml", 'short = "Mine"', 'short = "Two"')
    (own / "second.toml").write_text(with_label(MINE, "Second").replace('short = "Second"', 'short = "Mine"'))

    assert definitions("list", "--folder", str(own)).exit_code == 0


def test_lint_tells_every_shared_label(own: Path) -> None:
    """Title and label of one neighbour are two problems."""
    (own / "cases/mine.toml").write_text(CASES + CASES)
    (own / "second.toml").write_text(MINE.replace('status = "active"', 'status = "draft"'))

    ended = definitions("lint", "--folder", str(own))

    assert "Two definitions have the title 'Mine'." in ended.stdout
    assert "Two definitions have the short label 'Mine'." in ended.stderr


@pytest.mark.parametrize(
    ("title", "short", "problem"),
    [
        ("Mine", "Free", "Two definitions have the title 'Mine'."),
        ("Free", "mine", "Two definitions have the short label 'mine'."),
        (titled("dep_karolinska")[0], "Free", "Two definitions have the title"),
        ("Free", titled("dep_karolinska")[1], "Two definitions have the short label"),
        (" ", "Free", "'third' needs a title."),
        ("Free", " ", "The short label of 'third' is missing."),
        ("Free", "a" * 29, "The short label of 'third' has 29 characters."),
        ("Free", "a\x1b[2J", "control character U+001B"),
        ("Free", "a\udcff", "control character U+DCFF"),
    ],
)
def test_a_draft_needs_a_title_and_a_label_of_its_own(own: Path, title: str, short: str, problem: str) -> None:
    """Nothing is written under another's, without one, or with one that no figure could show."""
    before = sorted(own.rglob("*"))

    ended = new("third", "mine", own, "--title", title, "--short", short)

    assert ended.exit_code == 2
    assert problem in " ".join(ended.stderr.split())
    assert sorted(own.rglob("*")) == before


@pytest.mark.parametrize("missing", ["--title", "--short"])
def test_a_draft_is_not_named_by_the_program(own: Path, missing: str) -> None:
    """Two drafts after one neighbour would get the same."""
    words = {"--title": "A", "--short": "B"}
    words.pop(missing)

    ended = new("third", "mine", own, *next(iter(words.items())))

    assert ended.exit_code == 2
    assert missing in ended.stderr


@pytest.mark.parametrize("label", ["a" * 28, 'Says "no" \\ never', "Éa — b"])
def test_a_draft_has_the_label_as_it_was_given(own: Path, label: str) -> None:
    """Of 28 characters; with quotes, a backslash, letters of other languages."""
    assert new("third", "mine", own, "--title", label, "--short", label).exit_code == 0

    made = parse("third", (own / "third.toml").read_text(encoding="utf-8"))
    assert (made.title, made.short) == (label, label)


DESCRIPTION = """\
title = "A word"
short = "A word"
status = "descriptive"
disorders = ["anxiety"]
not_computed = "{why}"

[source]
citation = "Nobody 1999"
says = "Much."
reading = "Nothing."
open = "All."
confidence = "V"
"""


def test_a_description_needs_its_reason(own: Path) -> None:
    """Said or not said."""
    (own / "cases/mine.toml").write_text(CASES + CASES)
    (own / "word.toml").write_text(DESCRIPTION.format(why="It has no number."))
    said = definitions("lint", "--folder", str(own))
    (own / "word.toml").write_text(DESCRIPTION.format(why=" "))
    unsaid = definitions("lint", "--folder", str(own))

    assert said.exit_code == 0
    assert (unsaid.exit_code, unsaid.stdout) == (2, "")
    assert "Nothing is said under not_computed." in unsaid.stderr


def test_a_description_has_nothing_to_test(own: Path) -> None:
    """It is passed over; cases for it are refused."""
    (own / "word.toml").write_text(DESCRIPTION.format(why="It has no number."))
    passed = definitions("test", str(own))
    (own / "cases/word.toml").write_text(CASES)
    refused = definitions("test", str(own))

    assert (passed.exit_code, passed.stdout) == (0, "mine: 2 cases passed\n")
    assert refused.exit_code == 2
    assert "Definition 'word' is descriptive" in refused.stderr


BAD_SETTINGS = [
    ("min_days = 42", "min_dasy = 42", ("Unknown setting", "mine", "line ", "Did you mean 'min_days'?")),
    ('codes = "mania"', 'codes = "manai"', ("Unknown code list 'manai'", "mine", "line ", "Did you mean 'mania'?")),
    ('window = "episode"\nwindow_days = 0', 'window = "first_days"\nwindow_days = 30', ("Impossible", "mine")),
]


@pytest.mark.parametrize(("old", "new", "words"), BAD_SETTINGS)
def test_a_slip_in_a_definition_is_one_clear_message(own: Path, old: str, new: str, words: tuple[str, ...]) -> None:
    """A misspelt setting, a code list that is not there, six weeks within thirty days."""
    replace(own / "mine.toml", old, new)

    ended = definitions("test", str(own))

    assert (ended.exit_code, ended.stdout) == (2, "")
    assert [word for word in words if word not in ended.stderr] == []
    assert ended.stderr.count("Error:") == 1


def test_the_page_of_methods_is_written(own: Path, tmp_path: Path) -> None:
    """One file, with the user's own definition and its cases on it."""
    replace(own / "mine.toml", 'title = "Mine"', 'title = "All mine"')

    ended = definitions("methods", "--out", str(tmp_path / "page.html"), "--folder", str(own))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")

    assert ended.exit_code == 0
    assert f"({len(CATALOGUE) + 1} definitions)" in ended.stdout
    assert 'id="definition-mine"' in page
    assert "<h4>All mine" in page
    assert "42 days of the second drug are enough" in page


# Facts of the delivery that expressions read: of episodes, of eras and of trials.
FACTS = re.compile(
    r"age|disorder|start|end|diagnosed|is_(observed|diagnosed|counted|add_on|censored|ongoing|dose_raised)|modality|"
    r"is_left_truncated|window_closes|ends_in_death|(n_days|last_day)(_at_most)?|episode_end|(seen|observed)_until|"
    r"still_(runs|treated)|may_be_(longer|scored)|may_still_run|the first \d+ days have passed|n_sessions|"
    r"days_covered|observed_days_before|"
    r"unknown supply in the first \d+|days (covered )?of the first \d+|days handed out( in the first \d+)?|"
    r"next [\w ]+|days with \w+ \w+|days of admission|has contact of [\w ]+|"
    r"(at_least|at_most|total) (covered|span|prescribed) \w+ [\d.]+|"
    r"(value|baseline|room|(other_)?lowest|other_highest|doubted|day) \w+"
)


def shown(name: str, *words: str) -> list[str]:
    """The lines of `impasse definitions show NAME --expressions`."""
    told = definitions("show", name, "--expressions", *words)
    assert told.exit_code == 0, told.output
    return told.stdout.splitlines()


def is_balanced(text: str) -> bool:
    """Does every bracket outside of quoted text close the one that was opened last?"""
    opened = []
    for sign in re.sub(r'"[^"]*"', "", text):
        if sign in "([":
            opened.append(sign)
        elif sign in ")]" and (not opened or opened.pop() + sign not in ("()", "[]")):
            return False
    return not opened


@pytest.mark.parametrize("name", [d.id for d in SHIPPED])
def test_a_definition_can_be_read_as_expressions(name: str) -> None:
    """Step by step, each fitting the terminal, every bracket closed; no name of a rule, none of the definition."""
    lines = shown(name)

    assert max(map(len, lines)) <= 80
    assert "  is_eligible" in lines
    assert "  has_failed" in lines
    assert not [
        line for line in lines[lines.index("") :] if re.search(rf" (?!2147483647)[0-9a-f]{{8,}}\b|\b{name}\b", line)
    ]


@pytest.mark.parametrize("definition", SHIPPED, ids=lambda d: d.id)
def test_a_column_is_read_as_it_is_declared(definition: Definition) -> None:
    """By the same text, in the same step or an earlier one, or it is a fact of the delivery."""
    declared: set[str] = set()
    for columns in in_code(definition, 76).values():
        for name, lines in columns.items():
            assert is_balanced("\n".join(lines)), name
            read = set(re.findall(r'col\("([^"]*)"\)', "\n".join(lines)))
            assert {one for one in read - declared if not FACTS.fullmatch(one)} == set()
            declared.add(name)


@pytest.mark.parametrize("word", ["switch", "of", "truth", "bipolar", "is_met", "a1b2c3d4e5f6"])
@pytest.mark.parametrize("like", ["dep_karolinska", "dep_mgh_s_4"])
def test_an_id_that_is_a_word_changes_nothing_of_the_expressions(tmp_path: Path, word: str, like: str) -> None:
    """Only the line that says the id is another."""
    (tmp_path / f"{word}.toml").write_text(copied(like, "Mine"))

    mine, shipped = shown(word, "--folder", str(tmp_path)), shown(like)

    assert mine[1].startswith(f"{word}: ")
    assert mine[2:] == shipped[2:]


@pytest.mark.parametrize(
    ("printed", "written"),
    [
        (pl.col("a [(b)] & c") & pl.col("d"), 'col("a [(b)] & c") & col("d")'),
        (pl.min_horizontal("a", pl.col("b") + 1), 'min_horizontal(col("a"), col("b") + 1)'),
        (
            pl.when("a").then(1).otherwise(2).is_null(),
            '(when(col("a")).then(1).otherwise(2)).is_null()',
        ),
        (
            pl.when("a").then(1).otherwise(pl.when("b").then(2).otherwise(3)),
            'when(col("a")).then(1).when(col("b")).then(2).otherwise(3)',
        ),
        (pl.col("a") - (pl.col("b") - 1), 'col("a") - (col("b") - 1)'),
    ],
)
def test_what_polars_prints_is_written_without_its_own_brackets(printed: pl.Expr, written: str) -> None:
    """What belongs together still does, and quoted names are as they were."""
    assert in_lines(read_formula(str(printed), {}), 80) == [written]


def test_a_truth_says_what_it_is() -> None:
    """What is counted at least and at most, and what only may be."""
    lines = shown("dep_karolinska")

    assert "  truth 1: trials of all groups counted: adequate and failed" in lines
    assert "  truth 2: trials of all groups counted: given" in lines


def test_expressions_say_which_delivery_they_are_for() -> None:
    """One that shows everything; a run may have another."""
    assert "For a delivery that shows every treatment, session and admission" in " ".join(shown("dep_karolinska"))


def test_a_time_without_treatment_is_a_washout_among_the_expressions() -> None:
    """It is called as its setting is."""
    text = " ".join(shown("dep_li_2019"))

    assert 'col("washout")' in text
    assert "washout of antidepressants for 182 days" in text
    assert "untreated" not in text


def test_a_described_definition_says_that_it_has_no_expressions() -> None:
    """Nothing judges it."""
    assert "It has no expressions: it is described, not computed." in shown("anx_roy_byrne_2015")


def test_expressions_hold_the_thresholds_of_the_file() -> None:
    """Two trials of 28 days at least, of which the second is another substance."""
    told = CliRunner().invoke(app, ["definitions", "show", "dep_karolinska", "--expressions"]).output

    assert 'col("at_least covered any 0.0") >= 28' in " ".join(told.split())
    assert 'col("fewest substance of truth 1") >= 2' in " ".join(told.split())


# --- Former names of settings -----------------------------------------------------------------------------------------


@pytest.fixture
def former(own: Path) -> Path:
    """The folder, whose definition states a setting by its former name."""
    replace(own / "mine.toml", "permissible_gap_days", "drug_gap_days")
    return own


@pytest.mark.parametrize(
    "words",
    [
        ["list", "--folder", "{own}"],
        ["show", "mine", "--folder", "{own}"],
        ["lint", "--folder", "{own}"],
        ["diff", "mine", "dep_typical_two_drugs", "--folder", "{own}"],
        ["new", "mine_too", "--from", "mine", "--folder", "{own}", *NAMED],
        ["test", "{own}"],
        ["methods", "--folder", "{own}", "--out", "{own}/methods.html"],
    ],
)
def test_a_former_name_is_noted_once_apart_from_what_is_printed(former: Path, words: list[str]) -> None:
    """Every command that reads the folder gives the new name on the standard error, and does its work."""
    done = definitions(*(word.format(own=former) for word in words))
    notes = [line for line in done.stderr.splitlines() if line.startswith("definition file mine.toml:")]

    assert notes == [
        "definition file mine.toml: trial.drug_gap_days is now permissible_gap_days. "
        "Change this name: the next release no longer reads the old."
    ]
    assert "drug_gap_days is now" not in done.stdout


def test_a_definition_under_former_names_is_judged_alike(former: Path) -> None:
    """Its cases come out, and nothing tells it from the neighbour it copies."""
    assert "mine: 2 cases passed" in definitions("test", str(former)).stdout
    assert (
        "no difference in any block"
        in definitions("diff", "mine", "dep_typical_two_drugs", "--folder", str(former)).stdout
    )


def test_a_setting_under_both_names_is_refused(former: Path) -> None:
    """By every command, with the remedy."""
    replace(former / "mine.toml", "drug_gap_days = 30", "drug_gap_days = 30\npermissible_gap_days = 30")

    refused = definitions("test", str(former))

    assert refused.exit_code == 2
    assert "'drug_gap_days' is the former name of 'permissible_gap_days'" in refused.stderr


def test_a_draft_after_former_names_has_the_present_ones(former: Path) -> None:
    """So that the note on the neighbour is the only one."""
    assert new("mine_too", "mine", former).exit_code == 0

    assert "drug_gap_days" not in (former / "mine_too.toml").read_text()
    assert "permissible_gap_days = 30" in (former / "mine_too.toml").read_text()
