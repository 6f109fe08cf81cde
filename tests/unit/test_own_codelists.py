"""A user's own code lists add to the shipped ones; what would change those, or match nothing, is refused by name."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from impasse.flows.definitions import authoring, catalogue
from impasse.flows.files import inputs
from impasse.flows.run.as_planned import fingerprint
from impasse.flows.run.loading import load
from impasse.reports.pages.methods import render_methods
from impasse.schemas.codelists import CodeLists
from impasse.schemas.definition_file import parse
from impasse.schemas.errors import ImpasseError
from impasse.schemas.own_codelists import with_added
from tests.shipped import CODES, SCHEMAS, SHIPPED, copied

CITED = "Our handbook,2026-11-30,M"
HEADS = {path.stem: path.read_text(encoding="utf-8").splitlines()[0] for path in (SCHEMAS / "codelists").glob("*.csv")}


def csv_of(name: str, *rows: str) -> str:
    """A file of own rows, under the shipped first line."""
    return "\n".join([HEADS[name], *rows]) + "\n"


def dose(atc: str = "N06AX99", looked_up: str = "true", mg: str = "40", cited: str = CITED) -> str:
    """A row of doses with a minimum effective dose."""
    n_blank = HEADS["doses"].split(",").index("source") - 5
    marks = "," * (len(HEADS["doses"].split(",")) - HEADS["doses"].split(",").index("confidence") - 1)
    return f"{atc},oral,{looked_up},,{mg}{',' * n_blank},{cited}{marks}"


NEW_DRUG = f"N06AX99,newdrug,drug,,,drug,new_drugs,,{CITED}"
GOOD = {
    "diagnoses": csv_of("diagnoses", f"burnout,icd10,Z730,include,{CITED}"),
    "treatments": csv_of("treatments", NEW_DRUG, f"N06AB06,sertraline,drug,ssri,,drug,our_ssri,,{CITED}"),
    "procedures": csv_of("procedures", f"kva,DA999,cbt,SE,{CITED}"),
    "doses": csv_of("doses", dose()),
}


def added(**texts: str) -> CodeLists:
    """The shipped lists with these files beside them."""
    return with_added(CODES, texts, "mine/codelists")


def told(**texts: str) -> str:
    """What is said of files that are refused."""
    with pytest.raises(ImpasseError) as refused:
        added(**texts)
    return str(refused.value)


def resolved(codes: CodeLists, atc: str) -> dict:
    """A drug as the lists know it."""
    return codes.resolve_atc(pl.Series([atc])).to_dicts()[0]


def test_all_four_files_add() -> None:
    """A list, a drug with a group, a procedure and a dose; nothing shipped is lost."""
    codes = added(**GOOD)

    assert codes.lists_of("icd10", "Z730") == ["burnout"]
    assert {"new_drugs", "our_ssri"} <= codes.groups()
    assert codes.resolve_procedures(pl.DataFrame({"code_system": ["kva"], "code": ["DA999"]}))["treatment"][0] == "cbt"
    assert codes.doses.filter(atc="N06AX99")["minimum_effective_mg"].to_list() == [40.0]
    assert codes.groups() > CODES.groups()
    assert codes.doses.height == CODES.doses.height + 1


def test_what_is_shipped_keeps_its_meaning() -> None:
    """A listed drug keeps all it was, and a drug under a listed heading stays in the heading's groups."""
    codes = added(**GOOD)
    before, after = resolved(CODES, "N06AB06"), resolved(codes, "N06AB06")
    unlisted, listed = resolved(CODES, "N06AX99"), resolved(codes, "N06AX99")

    assert after == {**before, "groups": sorted([*before["groups"], "our_ssri"])}
    assert set(unlisted["groups"]) < set(listed["groups"])
    assert set(listed["groups"]) - set(unlisted["groups"]) == {"new_drugs"}
    assert listed["maybe_groups"] == unlisted["maybe_groups"]
    assert listed["name"] == "newdrug"


def test_a_class_of_drugs_stands_for_all_below_it_and_perhaps_for_what_is_above() -> None:
    """Sertraline is one of N06AB; what was delivered as N06A may be."""
    codes = added(treatments=csv_of("treatments", f"N06AB,,drug,,,drug,our_class,,{CITED}"))

    assert "our_class" in resolved(codes, "N06AB06")["groups"]
    assert "our_class" in resolved(codes, "N06AB")["groups"]
    assert "our_class" in resolved(codes, "N06A")["maybe_groups"]
    assert "our_class" not in [*resolved(codes, "N06AX11")["groups"], *resolved(codes, "N06AX11")["maybe_groups"]]


def test_a_drug_that_is_possibly_of_a_group_is_surely_so_by_another_row() -> None:
    """Surely wins."""
    rows = (f"N06AB,,drug,,,drug,,our_class,{CITED}", f"N06AB06,,drug,,,drug,our_class,,{CITED}")
    codes = added(treatments=csv_of("treatments", *rows))

    assert "our_class" in resolved(codes, "N06AB06")["groups"]
    assert "our_class" not in resolved(codes, "N06AB06")["maybe_groups"]
    assert "our_class" in resolved(codes, "N06AB04")["maybe_groups"]


def test_a_missing_class_may_be_filled_in_and_no_other_fact_moves() -> None:
    """Of a drug that was known by its heading only; the heading and the drugs beside it say what they said."""
    codes = added(treatments=csv_of("treatments", f"N06AX99,newdrug,drug,snri,,drug,ours,,{CITED}"))
    beside = pl.Series(["N06A", "N06AX", "N06AX11", "N06AX98"])

    assert (resolved(CODES, "N06AX99")["class"], resolved(codes, "N06AX99")["class"]) == (None, "snri")
    assert codes.resolve_atc(beside).drop("maybe_groups").equals(CODES.resolve_atc(beside).drop("maybe_groups"))


def test_a_treatment_in_sessions_may_be_added() -> None:
    """It belongs to its own groups only."""
    codes = added(
        treatments=csv_of("treatments", f"our_therapy,our therapy,psychotherapy,,,psychotherapy,ours,,{CITED}"),
        procedures=csv_of("procedures", f"impasse,OURTHERAPY,our_therapy,,{CITED}"),
    )

    assert codes.resolve_treatment(["our_therapy"])["groups"].to_list() == [["ours"]]


REFUSED = [
    ("diagnoses", f"depression,icd10,F99,include,{CITED}", "The code list 'depression' is there already."),
    ("diagnoses", f"Burnout,icd10,Z730,include,{CITED}", "'Burnout' is no name of a code list"),
    ("diagnoses", f"burnout,icd01,Z730,include,{CITED}", "Did you mean 'icd10'?"),
    ("diagnoses", f"burnout,icd10,Z73.0,include,{CITED}", "'Z73.0' is no icd10 code"),
    ("diagnoses", f"burnout,icd10,Z730,exclude,{CITED}", "The code list 'burnout' includes no code."),
    ("diagnoses", "burnout,icd10,Z730,include,,2026-11-30,M", "A row without source."),
    ("diagnoses", "burnout,icd10,Z730,include,Book,,M", "A row without date."),
    ("diagnoses", "burnout,icd10,Z730,include,Book,2026-11-30,", "A row without confidence."),
    ("diagnoses", "burnout,icd10,Z730,include,Book,2026-11-30,X", "Unknown confidence 'X'"),
    ("diagnoses", "burnout,icd10,Z730,include,\x1b[2J,2026-11-30,M", "control character U+001B"),
    ("treatments", f"N06AB06,sertraline,drug,ssri,,drug,ssri,,{CITED}", "The treatment group 'ssri' is there already."),
    ("treatments", f"N06AB06,,drug,,,drug,,tca,{CITED}", "The treatment group 'tca' is there already."),
    ("treatments", f"N06AB06,sertraline,drug,snri,,drug,ours,,{CITED}", "The class of N06AB06 is ssri, not snri."),
    ("treatments", f"N06AB06,zoloft,drug,,,drug,ours,,{CITED}", "The name of N06AB06 is sertraline, not zoloft."),
    ("treatments", f"N06AB99,x,drug,tca,,drug,ours,,{CITED}", "The class of N06AB99 is ssri, not tca."),
    ("treatments", f"N06AX99,,drug,,,drug,ours,,{CITED}", "The treatment N06AX99 has no name."),
    ("treatments", f"n06ax99,x,drug,,,drug,ours,,{CITED}", "'n06ax99' is no atc code"),
    ("treatments", f"N06AX99,x,drug,,,drug,<b>,,{CITED}", "'<b>' is no name of a treatment group"),
    ("treatments", f"N06AX99,x,drug,,,drugs,ours,,{CITED}", "Did you mean 'drug'?"),
    ("procedures", f"icd10pcs,GZB0ZZZ,cbt,US,{CITED}", "The procedure 'icd10pcs GZB0ZZZ' is there already."),
    ("procedures", f"kva,DU0111,cbt,SE,{CITED}", "The procedure 'kva DU0111' lies below 'kva DU011'."),
    ("procedures", f"kva,DU01,cbt,SE,{CITED}", "The procedure 'kva DU01' lies above 'kva DU011'."),
    ("procedures", f"impasse,CBTGROUP,psychotherapy_other,,{CITED}", "lies below 'impasse CBT'."),
    ("procedures", f"kva,DA999,cbtt,SE,{CITED}", "Did you mean 'cbt'?"),
    ("procedures", f"kvaa,DA999,cbt,SE,{CITED}", "Did you mean 'kva'?"),
    ("procedures", f"cpt,9083.2,cbt,US,{CITED}", "'9083.2' is no cpt code"),
    ("doses", dose("N06AB06"), "The dose of 'N06AB06' is there already."),
    ("doses", dose("X06AB06"), "The drug X06AB06 is no treatment."),
    ("doses", dose(mg="0"), "A dose of N06AX99 is not more than 0."),
    ("doses", dose(mg="nan"), "minimum_effective_mg is not readable."),
    ("doses", dose(mg="-1"), "A dose of N06AX99 is not more than 0."),
    ("doses", dose(mg="100001"), "A dose of N06AX99 is more than 100,000 mg."),
    ("doses", dose(mg="1_000"), "minimum_effective_mg is not readable."),
    ("doses", dose(mg="\u0664\u0660"), "minimum_effective_mg is not readable."),
    ("doses", dose(looked_up="false"), "no row, or more than one, that is looked up"),
    ("doses", dose(cited=",2026-11-30,M"), "A row without source."),
    ("doses", "N06AX99", "too many or too few cells"),
    ("option", "", "Unknown file of code lists 'option'"),
    ("options", "", "Unknown file of code lists 'options'"),
]


@pytest.mark.parametrize(("name", "row", "problem"), REFUSED, ids=[told for _, _, told in REFUSED])
def test_a_row_that_changes_what_is_shipped_or_matches_nothing_is_refused(name: str, row: str, problem: str) -> None:
    """By name, with the file."""
    message = told(**{name: csv_of(name, row) if name in HEADS else row})

    assert problem in message
    assert f"mine/codelists/{name}.csv" in message


@pytest.mark.parametrize(("name", "row", "problem"), REFUSED[:-2], ids=[told for _, _, told in REFUSED[:-2]])
def test_a_refused_row_is_named_by_its_line(name: str, row: str, problem: str) -> None:
    """Blank lines count. Where no row of several is right, the file is named."""
    message = told(**{name: f"{HEADS[name]}\n\n{row}\n"})

    assert problem in message
    assert f"mine/codelists/{name}.csv, line 3" in message or "looked up" in problem


def test_a_procedure_beside_shipped_ones_is_added() -> None:
    """One that shares no more than its first letters with them; an identifier is no heading of a longer one."""
    rows = [f"kva,DU012,cbt,SE,{CITED}", f"omop,40308401,cbt,,{CITED}", f"sks,DU0111,cbt,DK,{CITED}"]

    assert added(procedures=csv_of("procedures", *rows)).procedures.height == CODES.procedures.height + 3


def test_own_procedures_may_lie_below_one_another() -> None:
    """In one file; the longest code says what is meant."""
    rows = [f"kva,DA99,psychotherapy_other,SE,{CITED}", f"kva,DA999,cbt,SE,{CITED}"]
    codes = added(procedures=csv_of("procedures", *rows))
    found = codes.resolve_procedures(pl.DataFrame({"code_system": ["kva"] * 2, "code": ["DA998", "DA999"]}))

    assert found["treatment"].to_list() == ["psychotherapy_other", "cbt"]


def test_a_missing_dose_of_a_listed_drug_may_be_filled_in() -> None:
    """Shipped definitions then use it."""
    atc = sorted(set(CODES.treatments.filter(pl.col("treatment").str.len_chars() == 7, modality="drug")["treatment"]))
    without = next(code for code in atc if code not in CODES.doses["atc"])

    codes = added(doses=csv_of("doses", dose(without, mg="100000")))

    assert codes.doses.filter(atc=without)["minimum_effective_mg"].to_list() == [100_000.0]


def test_a_first_line_that_differs_is_refused() -> None:
    """The columns are those of the shipped file."""
    assert "Columns differ in mine/codelists/doses.csv." in told(doses="atc,mg\nN06AX99,40\n")


def test_a_second_folder_adds_to_the_first_and_takes_no_name_of_it() -> None:
    """Two folders with one list would be two meanings of one word."""
    first = added(**GOOD)

    assert with_added(first, {"diagnoses": GOOD["diagnoses"].replace("burnout", "burn_out")}, "b").own.height == 6
    with pytest.raises(ImpasseError, match="The code list 'burnout' is there already"):
        with_added(first, {"diagnoses": GOOD["diagnoses"]}, "b")


# --- A folder, as commands and runs read it ---------------------------------------------------------------------------

CASES = '''
[[case]]
name = "{mg} mg of a drug of our own"
observes = ["drug"]
history = """
dx 2021-01-01 F321
disp 2021-01-01 N06AX99 days=42 dose_mg={mg}
disp 2021-02-12 N06AX11 days=42 dose_mg=30
disp 2021-03-26 N06AX16 days=28 dose_mg=75
{more}
"""
expected = {{ {expected} }}
'''
RESISTANT, NOT = 'verdict = "resistant"', 'verdict = "not_resistant", decided_by = "adequacy"'
STUDY = """
name = "test"
source = { kind = "registry", path = "." }
period = { start = 2000-01-01, end = 2020-12-31 }
episodes = { disorders = ["depression"] }
definitions = { folders = ["own"], use = ["mine"] }
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with code lists of its own, a definition that names them, and its cases."""
    folder = tmp_path / "own"
    for part in ("cases", "codelists"):
        (folder / part).mkdir(parents=True)
    text = copied("dep_typical_two_drugs", "Mine").replace('codes = "mania"', 'codes = "burnout"')
    text = text.replace('treatments = ["antidepressants"]', 'treatments = ["antidepressants", "new_drugs"]')
    (folder / "mine.toml").write_text(text)
    cases = [(40, "", RESISTANT), (39, "", NOT), (40, "dx 2020-12-01 Z730", 'verdict = "not_eligible"')]
    drawn = [CASES.format(mg=mg, more=more, expected=expected) for mg, more, expected in cases]
    (folder / "cases/mine.toml").write_text("".join(drawn))
    for name, rows in GOOD.items():
        (folder / "codelists" / f"{name}.csv").write_text(rows)
    return folder


def test_the_cases_of_a_folder_are_judged_by_its_lists(own: Path) -> None:
    """The dose on both sides of the folder's own minimum, and a diagnosis of its own list."""
    (proof,) = authoring.prove(own)

    assert (proof.n_cases, proof.failures) == (3, ())


def test_a_definition_of_the_folder_may_name_its_lists_only_with_them(own: Path) -> None:
    """Without the file the word is unknown."""
    (own / "codelists/diagnoses.csv").unlink()

    assert ["Unknown code list 'burnout'." in str(problem) for problem in authoring.lint([own])[1]][:1] == [True]


def test_shipped_definitions_say_the_same_beside_a_folder(own: Path) -> None:
    """Their groups and lists have the members they had, and tables read the same."""
    codes = inputs.read_codelists([own])

    assert [catalogue.tables_read(d, codes) for d in SHIPPED] == [catalogue.tables_read(d, CODES) for d in SHIPPED]
    assert codes.diagnoses.filter(pl.col("list") != "burnout").equals(CODES.diagnoses)


def test_a_file_in_the_place_of_the_folder_of_lists_is_refused(tmp_path: Path) -> None:
    """Its rows would be passed over without a word; a folder without any is none of a problem."""
    (tmp_path / "mine").mkdir()
    assert inputs.read_codelists([tmp_path / "mine"]).own.is_empty()
    (tmp_path / "mine/codelists").write_text(GOOD["doses"])

    for read in (inputs.read_codelists, inputs.own_list_texts):
        with pytest.raises(ImpasseError, match=r"codelists is no folder\."):
            read([tmp_path / "mine"])


def test_the_page_of_methods_prints_rows_and_sources_as_text(own: Path) -> None:
    """Whatever they hold: HTML is not obeyed."""
    path = own / "codelists/diagnoses.csv"
    path.write_text(path.read_text().replace("Our handbook", "<script>alert(1)</script>"))
    definition = parse("mine", (own / "mine.toml").read_text())

    page = render_methods(catalogue.methods_contents([definition], inputs.read_codelists([own])))

    assert "Added by the study&#39;s own code lists" in page
    assert "list burnout, code_system icd10, code Z730, use include" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; (2026-11-30, M)" in page
    assert "<script>alert" not in page
    assert "own code lists" not in render_methods(catalogue.methods_contents([definition], CODES))


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_changed_list_is_another_run(own: Path, tmp_path: Path, name: str) -> None:
    """A run that is resumed, and one that is made again, are told by what the lists say."""
    study = tmp_path / "study.toml"
    study.write_text(STUDY)
    load.cache_clear()
    before = fingerprint(study, load(study))
    path = own / "codelists" / f"{name}.csv"
    path.write_text(path.read_text().replace("Our handbook", "Our new handbook"))
    load.cache_clear()

    assert fingerprint(study, load(study)) != before
    assert set(load(study).own_lists) == {f"{file}.csv" for file in GOOD}
